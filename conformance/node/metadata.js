/**
 * Conformance of the metadata service with the vendor's Node credential library.
 *
 * @alicloud/credentials gets the credentials of a role that is attached here, and
 * @alicloud/ecs20140526 calls with them. The one argument says how the library is
 * led to the server:
 *
 *     uri      ALIBABA_CLOUD_CREDENTIALS_URI
 *     address  100.100.100.200, which scripts/as-instance makes the server's
 *
 * Run against a freshly started server with --credential-lifetime 2m, which is under
 * the library's margin, so that each call asks again.
 */
'use strict';

const { default: Credentials, Config: CredentialsConfig } = require('@alicloud/credentials');
const {
  default: Ecs, AttachInstanceRamRoleRequest, DescribeInstancesRequest, DetachInstanceRamRoleRequest,
} = require('@alicloud/ecs20140526');
const { $OpenApiUtil: { Config } } = require('@alicloud/openapi-core');

const way = process.argv[2];
if (process.argv.length !== 3 || !['uri', 'address'].includes(way)) {
  console.error('usage: metadata.js uri|address');
  process.exit(2);
}
const NAME = `node-credentials/${way}`;
const ENDPOINT = process.env.ECSIM_ENDPOINT;
const PLAIN = 'i-bp1ecsim00000plain01';
const ROLE = 'batch-role';
const regionId = 'cn-hangzhou';

function check(text, good, detail) {
  console.log(good ? `ok ${NAME}: ${text}` : `not ok ${NAME}: ${text}: ${detail}`);
  if (!good) process.exitCode = 1;
}

const newClient = (key) => new Ecs(new Config({ ...key, endpoint: ENDPOINT, protocol: 'http', regionId }));
const owner = newClient({ accessKeyId: 'test', accessKeySecret: 'test' });
const instanceIds = JSON.stringify([PLAIN]);

async function advance(by) {
  await fetch(`http://${ENDPOINT}/_ecsim/clock`, { method: 'POST', body: JSON.stringify({ advance: by }) });
}

function newLibrary() {
  const uri = `http://${ENDPOINT}/_ecsim/instances/${PLAIN}/credentials`;
  const config = way === 'uri' ? { type: 'credentials_uri', credentialsURI: uri } : { type: 'ecs_ram_role' };
  return new Credentials(new CredentialsConfig(config));
}

/** How many instances a triple sees, or the code that refuses it. */
async function total({ accessKeyId, accessKeySecret, securityToken }) {
  try {
    const client = newClient({ accessKeyId, accessKeySecret, securityToken });
    return (await client.describeInstances(new DescribeInstancesRequest({ regionId }))).body.totalCount;
  } catch (error) {
    return error.code;
  }
}

async function main() {
  await owner.attachInstanceRamRole(new AttachInstanceRamRoleRequest({ regionId, instanceIds, ramRoleName: ROLE }));
  const library = newLibrary();
  const first = await library.getCredential();
  check('the library gets the credentials of the role', first.accessKeyId.startsWith('STS.'), first.accessKeyId);
  check('they sign a call that the role allows', (await total(first)) === 5, await total(first));
  const again = await library.getCredential();
  check('a second read answers the same', again.accessKeyId === first.accessKeyId, again.accessKeyId);

  await advance('3m');
  const refused = await total(first);
  check('three minutes later they have expired', refused === 'InvalidSecurityToken.Expired', refused);
  const second = await library.getCredential();
  const passes = second.accessKeyId !== first.accessKeyId && (await total(second)) === 5;
  check("the library's next ones are others, and pass", passes, await total(second));

  await owner.detachInstanceRamRole(new DetachInstanceRamRoleRequest({ regionId, instanceIds }));
  const read = await fetch(
    `http://${ENDPOINT}/_ecsim/instances/${PLAIN}/latest/meta-data/ram/security-credentials/`);
  check('once the role is detached the next read is 404', read.status === 404, read.status);
  if (way === 'uri') return;
  const kept = await library.getCredential();
  check('the library keeps what it has', kept.accessKeyId === second.accessKeyId, kept.accessKeyId);
  const got = await newLibrary().getCredential().then((key) => key.accessKeyId, (error) => String(error));
  const expected = 'get role name failed: GET http://100.100.100.200/latest/meta-data/ram/security-credentials/ 404';
  check('a new one fails as on an instance without a role', got.includes(expected), got);
}

main().catch((error) => check('runs to its end', false, error.stack));
