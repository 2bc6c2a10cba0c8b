/**
 * Conformance of the server with the second-generation Node SDK.
 *
 * @alicloud/ecs20140526 on @alicloud/openapi-core: typed models, POST with the
 * parameters in the query. The one argument chooses the signature:
 *
 *     acs3    ACS3-HMAC-SHA256 in the Authorization header, the SDK's default
 *     v1      the older signature parameters (signatureAlgorithm: 'v2')
 *
 * Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 node ecs20140526.js acs3
 */
'use strict';

const {
  AttachInstanceRamRoleRequest,
  DescribeInstanceRamRoleRequest,
  DescribeInstancesRequest,
  DescribeRegionsRequest,
  DetachInstanceRamRoleRequest,
} = require('@alicloud/ecs20140526');
const { $OpenApiUtil: { OpenApiRequest, Params } } = require('@alicloud/openapi-core');
const { RuntimeOptions } = require('@darabonba/typescript');

const {
  ENDPOINT, REGION, WEB01, WEB02, BATCH, PLAIN, CLASSIC, UNKNOWN, ROLE, equal, isRequestId, run,
} = require('./checks.js');
const { newClient } = require('./client-ecs20140526.js');
const { mode, signatureAlgorithm, errorOf, isRefusal } = require('./sdk-v2.js');

const ecs = newClient(ENDPOINT, 'test', 'test', { signatureAlgorithm });

// -- calls -------------------------------------------------------------------

const describeRegions = async (client = ecs) =>
  (await client.describeRegions(new DescribeRegionsRequest({}))).body;

const describeInstances = async (filters) =>
  (await ecs.describeInstances(new DescribeInstancesRequest({ regionId: REGION, ...filters }))).body;

const attach = async (instanceIds, role) =>
  (await ecs.attachInstanceRamRole(new AttachInstanceRamRoleRequest({
    regionId: REGION, instanceIds: JSON.stringify(instanceIds), ramRoleName: role,
  }))).body;

const detach = async (instanceIds, role) =>
  (await ecs.detachInstanceRamRole(new DetachInstanceRamRoleRequest({
    regionId: REGION, instanceIds: JSON.stringify(instanceIds), ramRoleName: role,
  }))).body;

/** The roles by DescribeInstanceRamRole: a list of [instance id, role name]. */
async function rolesOf(instanceIds) {
  const { body } = await ecs.describeInstanceRamRole(new DescribeInstanceRamRoleRequest({
    regionId: REGION, instanceIds: JSON.stringify(instanceIds),
  }));
  const entries = body.instanceRamRoleSets.instanceRamRoleSet;
  equal('totalCount', body.totalCount, entries.length);
  return entries.map((entry) => [entry.instanceId, entry.ramRoleName]);
}

// -- the checks, in the order in which they run ------------------------------

const CHECKS = {
  async 'DescribeRegions lists cn-hangzhou and cn-beijing'() {
    const ids = (await describeRegions()).regions.region.map((region) => region.regionId);
    equal('cn-hangzhou listed', ids.includes('cn-hangzhou'), true);
    equal('cn-beijing listed', ids.includes('cn-beijing'), true);
  },

  async 'DescribeInstances in pages of 2 gives the 5 instances in order, each once'() {
    const pages = [];
    for (const number of [1, 2, 3]) {
      const answer = await describeInstances({ pageNumber: number, pageSize: 2 });
      equal('totalCount', answer.totalCount, 5);
      equal('pageNumber', answer.pageNumber, number);
      equal('pageSize', answer.pageSize, 2);
      pages.push(answer.instances.instance.map((instance) => instance.instanceId));
    }
    equal('pages', pages, [[WEB01, WEB02], [BATCH, PLAIN], [CLASSIC]]);
  },

  async 'AttachInstanceRamRole puts web-role on an instance without a role'() {
    equal('before', await rolesOf([PLAIN]), [[PLAIN, '']]);
    const answer = await attach([PLAIN], ROLE);
    isRequestId('requestId', answer.requestId);
    equal('ramRoleName', answer.ramRoleName, ROLE);
    equal('totalCount', answer.totalCount, 1);
    equal('failCount', answer.failCount, 0);
    equal('results', answer.attachInstanceRamRoleResults.toMap().AttachInstanceRamRoleResult, [
      { Code: '200', Message: 'success', InstanceId: PLAIN, Success: true },
    ]);
    equal('after', await rolesOf([PLAIN]), [[PLAIN, ROLE]]);
  },

  async 'DetachInstanceRamRole takes it off again'() {
    const answer = await detach([PLAIN], ROLE);
    isRequestId('requestId', answer.requestId);
    equal('ramRoleName', answer.ramRoleName, ROLE);
    equal('totalCount', answer.totalCount, 1);
    equal('failCount', answer.failCount, 0);
    equal('results', answer.detachInstanceRamRoleResults.toMap().DetachInstanceRamRoleResult, [{
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
    equal('totalCount', answer.totalCount, 2);
    equal('failCount', answer.failCount, 1);
    equal('results', answer.detachInstanceRamRoleResults.toMap().DetachInstanceRamRoleResult, [{
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
    const error = await errorOf(describeRegions(newClient(ENDPOINT, 'test', 'wrong', { signatureAlgorithm })));
    const [code, start] = mode === 'acs3'
      ? ['SignatureDoesNotMatch', 'Specified signature does not match our calculation. '
        + 'server StringToSign is [ACS3-HMAC-SHA256\n']
      : ['IncompleteSignature', 'The request signature does not conform to Aliyun standards. '
        + 'server string to sign is:POST&%2F&'];
    equal('code', error.code, code);
    equal('message', error.data.Message.slice(0, start.length), start);
    isRefusal(error, 400, code, error.data.Message);
  },

  async 'a filter with reserved and non-ASCII characters is signed alike on both sides'() {
    const answer = await describeInstances({ instanceName: "Zürich 北京 +*~%20&=/'()!" });
    equal('totalCount', answer.totalCount, 0);
    equal('instances', answer.instances.instance, []);
  },

  async 'Location DescribeEndpoints, called without a model, names this server'() {
    const answer = await ecs.callApi(
      new Params({
        action: 'DescribeEndpoints', version: '2015-06-12', protocol: 'HTTP', method: 'POST',
        pathname: '/', authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
      }),
      new OpenApiRequest({ query: { Id: REGION, ServiceCode: 'ecs', Type: 'openAPI' } }),
      new RuntimeOptions({}),
    );
    equal('status', answer.statusCode, 200);
    const [endpoint] = answer.body.Endpoints.Endpoint;
    equal('Endpoint', endpoint.Endpoint, ENDPOINT);
    equal('Id', endpoint.Id, REGION);
    equal('SerivceCode', endpoint.SerivceCode, 'ecs'); // so spelt on the wire
    equal('Type', endpoint.Type, 'openAPI');
  },
};

run(`node-v2/${mode}`, CHECKS);
