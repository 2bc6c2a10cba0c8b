/** What the programs share: the server, its default data, comparing, and running checks. */
'use strict';

const { basename } = require('node:path');
const { isDeepStrictEqual, inspect } = require('node:util');

const ENDPOINT = process.env.ECSIM_ENDPOINT;
if (!ENDPOINT) {
  console.error(`${basename(process.argv[1])}: set ECSIM_ENDPOINT to the host:port of the server`);
  process.exit(2);
}
const REGION = 'cn-hangzhou';
const ACCOUNT = '1000000000000001';

const WEB01 = 'i-bp1ecsim0000000web01';
const WEB02 = 'i-bp1ecsim0000000web02';
const BATCH = 'i-bp1ecsim0000batch001';
const PLAIN = 'i-bp1ecsim00000plain01';
const CLASSIC = 'i-bp1ecsim0classic0001';
const UNKNOWN = 'i-bp1doesnotexist000001';
const ROLE = 'web-role';

/** The one argument of the program, which is a key of `modes`. */
function chosen(modes) {
  const mode = process.argv[2];
  if (process.argv.length !== 3 || !Object.hasOwn(modes, mode)) {
    console.error(`usage: ${basename(process.argv[1])} ${Object.keys(modes).join('|')}`);
    process.exit(2);
  }
  return mode;
}

function equal(what, got, expected) {
  if (!isDeepStrictEqual(got, expected)) {
    throw new Error(`${what}: got ${inspect(got, { depth: 9 })}, expected ${inspect(expected, { depth: 9 })}`);
  }
}

/** `pattern` fits all of it. */
function matches(what, pattern, got) {
  if (!new RegExp(`^(?:${pattern})$`).test(got)) {
    throw new Error(`${what}: not ${pattern}: ${inspect(got)}`);
  }
}

/** An upper-case UUID. */
function isRequestId(what, got) {
  matches(what, '[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}', got);
}

/** The error with which the SDK rejects a refused call; one that is not `ours` is thrown on. */
async function rejection(promise, ours) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    if (!ours(error)) throw error;
    return error;
  }
  throw new Error(`no error, but the answer ${inspect(answer)}`);
}

/** Runs checks in order, each under its own name. */
async function run(name, checks) {
  for (const [what, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}: ${what}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`not ok ${name}: ${what}: ${String(error).replace(/\s+/g, ' ')}`);
    }
  }
}

module.exports = {
  ENDPOINT, REGION, ACCOUNT, WEB01, WEB02, BATCH, PLAIN, CLASSIC, UNKNOWN, ROLE,
  chosen, equal, matches, isRequestId, rejection, run,
};
