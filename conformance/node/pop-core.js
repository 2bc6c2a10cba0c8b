/**
 * Conformance of the server with the first-generation Node SDK.
 *
 * @alicloud/pop-core: untyped calls, V1 signature. The one argument chooses
 * where the parameters stand:
 *
 *     get     GET, parameters in the query, the SDK's default
 *     post    POST, parameters and signature in a form body
 *
 * Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 node pop-core.js get
 */
'use strict';

const {
  ENDPOINT, REGION, WEB01, WEB02, BATCH, PLAIN, CLASSIC, UNKNOWN, ROLE, chosen, isRequestId, rejection, run,
  ...checks
} = require('./checks.js');
const { newClient } = require('./client-pop-core.js');

const MODES = { get: {}, post: { method: 'POST' } };
const mode = chosen(MODES);

const ecs = newClient(ENDPOINT, 'test', 'test');

// -- calls -------------------------------------------------------------------

const send = (action, parameters, client = ecs) => client.request(action, parameters, MODES[mode]);

const describeRegions = (client = ecs) => send('DescribeRegions', {}, client);

const describeInstances = (filters) => send('DescribeInstances', { RegionId: REGION, ...filters });

const attach = (instanceIds, role) => send('AttachInstanceRamRole', {
  RegionId: REGION,
  InstanceIds: JSON.stringify(instanceIds),
  RamRoleName: role,
});

const detach = (instanceIds, role) => send('DetachInstanceRamRole', {
  RegionId: REGION,
  InstanceIds: JSON.stringify(instanceIds),
  ...(role === undefined ? {} : { RamRoleName: role }),
});

/** The roles by DescribeInstanceRamRole: a list of [instance id, role name]. */
async function rolesOf(instanceIds) {
  const answer = await send('DescribeInstanceRamRole', {
    RegionId: REGION,
    InstanceIds: JSON.stringify(instanceIds),
  });
  const entries = answer.InstanceRamRoleSets.InstanceRamRoleSet;
  equal('TotalCount', answer.TotalCount, entries.length);
  return entries.map((entry) => [entry.InstanceId, entry.RamRoleName]);
}

// -- comparing ---------------------------------------------------------------

// The SDK's JSON parser makes objects without a prototype: copy them first.
const equal = (what, got, expected) => checks.equal(what, structuredClone(got), expected);

/** Only an answer of the server has data. */
const errorOf = (promise) => rejection(promise, (error) => error.data !== undefined);

function isRefusal(error, status, code, message) {
  equal('code', error.code, code);
  equal('name', error.name, `${code}Error`);
  equal('status', error.entry.response.statusCode, status);
  // The SDK puts the URL after the message; the body is in error.data.
  equal('message', error.message, `${message}, URL: ${error.url}`);
  equal('Code', error.data.Code, code);
  isRequestId('request id', error.data.RequestId);
}

// -- the checks, in the order in which they run ------------------------------

const CHECKS = {
  async 'DescribeRegions lists cn-hangzhou and cn-beijing'() {
    const ids = (await describeRegions()).Regions.Region.map((region) => region.RegionId);
    equal('cn-hangzhou listed', ids.includes('cn-hangzhou'), true);
    equal('cn-beijing listed', ids.includes('cn-beijing'), true);
  },

  async 'DescribeInstances in pages of 2 gives the 5 instances in order, each once'() {
    const pages = [];
    for (const number of [1, 2, 3]) {
      const answer = await describeInstances({ PageNumber: number, PageSize: 2 });
      equal('TotalCount', answer.TotalCount, 5);
      equal('PageNumber', answer.PageNumber, number);
      equal('PageSize', answer.PageSize, 2);
      pages.push(answer.Instances.Instance.map((instance) => instance.InstanceId));
    }
    equal('pages', pages, [[WEB01, WEB02], [BATCH, PLAIN], [CLASSIC]]);
  },

  async 'AttachInstanceRamRole puts web-role on an instance without a role'() {
    equal('before', await rolesOf([PLAIN]), [[PLAIN, '']]);
    const answer = await attach([PLAIN], ROLE);
    isRequestId('RequestId', answer.RequestId);
    equal('RamRoleName', answer.RamRoleName, ROLE);
    equal('TotalCount', answer.TotalCount, 1);
    equal('FailCount', answer.FailCount, 0);
    equal('results', answer.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult, [
      { Code: '200', Message: 'success', InstanceId: PLAIN, Success: true },
    ]);
    equal('after', await rolesOf([PLAIN]), [[PLAIN, ROLE]]);
  },

  async 'DetachInstanceRamRole takes it off again'() {
    const answer = await detach([PLAIN], ROLE);
    isRequestId('RequestId', answer.RequestId);
    equal('RamRoleName', answer.RamRoleName, ROLE);
    equal('TotalCount', answer.TotalCount, 1);
    equal('FailCount', answer.FailCount, 0);
    equal('results', answer.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult, [{
      Code: '200', Message: 'Success', InstanceId: PLAIN, Success: true,
      InstanceRamRoleSets: { InstanceRamRoleSet: [{ RamRoleName: ROLE, InstanceId: PLAIN }] },
    }]);
    equal('after', await rolesOf([PLAIN]), [[PLAIN, '']]);
  },

  async 'detaching from an unknown instance is refused with 404'() {
    isRefusal(await errorOf(detach([UNKNOWN], ROLE)), 404,
      'InvalidInstanceId.NotFound', 'The specified instanceId does not exist.');
  },

  async 'detaching from a known and an unknown instance gives one result each'() {
    const answer = await detach([WEB01, UNKNOWN]);
    equal('TotalCount', answer.TotalCount, 2);
    equal('FailCount', answer.FailCount, 1);
    equal('results', answer.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult, [{
      Code: '200', Message: 'Success', InstanceId: WEB01, Success: true,
      InstanceRamRoleSets: { InstanceRamRoleSet: [{ RamRoleName: ROLE, InstanceId: WEB01 }] },
    }, {
      Code: 'InvalidInstanceId.NotFound',
      Message: 'The specified instanceId does not exist.',
      InstanceId: UNKNOWN, Success: false,
      InstanceRamRoleSets: { InstanceRamRoleSet: [] },
    }]);
    equal('after', await rolesOf([WEB01]), [[WEB01, '']]);
  },

  async 'detaching from an instance of the classic network is refused with 403'() {
    isRefusal(await errorOf(detach([CLASSIC], ROLE)), 403, 'InvalidNetworkType.MismatchRamRole',
      'Ram role cannot be applied to instances of Classic network type.');
  },

  async 'a wrong AccessKey secret is refused with 400'() {
    const error = await errorOf(describeRegions(newClient(ENDPOINT, 'test', 'wrong')));
    equal('code', error.code, 'IncompleteSignature');
    const start = 'The request signature does not conform to Aliyun standards. '
      + `server string to sign is:${mode.toUpperCase()}&%2F&`;
    equal('message', error.data.Message.slice(0, start.length), start);
    isRefusal(error, 400, 'IncompleteSignature', error.data.Message);
  },

  async 'a filter with reserved and non-ASCII characters is signed alike on both sides'() {
    const answer = await describeInstances({ InstanceName: "Zürich 北京 +*~%20&=/'()!" });
    equal('TotalCount', answer.TotalCount, 0);
    equal('instances', answer.Instances.Instance, []);
  },

  async 'Location DescribeEndpoints names this server, and the answer can be used'() {
    const location = newClient(ENDPOINT, 'test', 'test');
    location.apiVersion = '2015-06-12';
    const answer = await send('DescribeEndpoints', { Id: REGION, ServiceCode: 'ecs', Type: 'openAPI' }, location);
    const [endpoint] = answer.Endpoints.Endpoint;
    equal('Endpoint', endpoint.Endpoint, ENDPOINT);
    equal('Id', endpoint.Id, REGION);
    equal('SerivceCode', endpoint.SerivceCode, 'ecs'); // so spelt on the wire
    equal('Type', endpoint.Type, 'openAPI');

    const found = newClient(endpoint.Endpoint, 'test', 'test');
    isRequestId('RequestId', (await describeRegions(found)).RequestId);
  },
};

run(`pop-core/${mode}`, CHECKS);
