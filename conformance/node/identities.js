/**
 * Conformance of RAM and STS with the second-generation Node SDK: users, keys, policies, roles, temporary credentials.
 *
 * @alicloud/ram20150501, @alicloud/sts20150401 and @alicloud/ecs20140526: typed models. The one argument chooses the
 * signature, as for ecs20140526.js.
 *
 * Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 node identities.js acs3
 */
'use strict';

const Ecs = require('@alicloud/ecs20140526');
const Ram = require('@alicloud/ram20150501');
const Sts = require('@alicloud/sts20150401');

const {
  ACCOUNT, BATCH, CLASSIC, ENDPOINT, PLAIN, REGION, ROLE: ATTACHED_ROLE, WEB01, WEB02,
  equal, isRequestId, matches, run,
} = require('./checks.js');
const { newConfig } = require('./client-ecs20140526.js');
const { mode, signatureAlgorithm, errorOf, isRefusal } = require('./sdk-v2.js');

const USER = 'conformance-user';
const POLICY = 'conformance-policy';
const ROLE = 'conformance-role';
const SESSION = 'conformance-session';
const ROLE_ARN = `acs:ram::${ACCOUNT}:role/${ROLE}`;
const USER_ARN = `acs:ram::${ACCOUNT}:user/${USER}`;
const SESSION_ARN = `acs:ram::${ACCOUNT}:assumed-role/${ROLE}/${SESSION}`;
const DATE = '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z';

const policyOf = (...statements) => JSON.stringify({ Version: '1', Statement: statements });
const USER_DOCUMENT = policyOf(
  { Effect: 'Allow', Action: ['ecs:*', 'sts:AssumeRole'], Resource: '*' },
  { Effect: 'Deny', Action: 'ecs:DetachInstanceRamRole', Resource: '*' },
);
const TRUST_DOCUMENT = policyOf({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { RAM: [USER_ARN] } });
const SESSION_DOCUMENT = policyOf({ Effect: 'Allow', Action: 'ecs:DescribeRegions', Resource: '*' });

// A refusal is status, code and message.
const ECS_REFUSAL = [403, 'Forbidden.RAM',
  "User not authorized to operate on the specified resource, or this API doesn't support RAM."];
const STS_REFUSAL = [403, 'NoPermission', 'You are not authorized to do this action. You should be authorized by RAM.'];
const PASS_ROLE_REFUSAL = [403, 'InvalidUser.PassRoleForbidden',
  'The RAM user does not have the privilege to pass a RAM role.'];
const ramRefusal = (resource, action) => [403, 'NoPermission',
  `You are not authorized to do this action. Resource: acs:ram:*:${ACCOUNT}:${resource} Action: ${action}`];

// -- calls -------------------------------------------------------------------

/** Calls an action with its typed request, if it has one; the answer's typed body. */
async function send(client, sdk, action, parameters) {
  const call = client[action[0].toLowerCase() + action.slice(1)];
  const Request = sdk[`${action}Request`];
  return (await (Request ? call.call(client, new Request(parameters)) : call.call(client))).body;
}

/** The three products, called with a key pair and perhaps a token. */
function connect(accessKeyId, accessKeySecret, securityToken) {
  const config = newConfig(ENDPOINT, accessKeyId, accessKeySecret, { securityToken, signatureAlgorithm });
  const [ecs, ram, sts] = [Ecs, Ram, Sts].map((sdk) => new sdk.default(config));
  return {
    ecs: (action, parameters) => send(ecs, Ecs, action, { regionId: REGION, ...parameters }),
    ram: (action, parameters) => send(ram, Ram, action, parameters),
    sts: (action, parameters) => send(sts, Sts, action, parameters),
  };
}

const withCredentials = ({ accessKeyId, accessKeySecret, securityToken }) =>
  connect(accessKeyId, accessKeySecret, securityToken);

const detach = (client) => client.ecs('DetachInstanceRamRole', {
  instanceIds: JSON.stringify([WEB02]), ramRoleName: ATTACHED_ROLE,
});

const assume = (parameters) => user.sts('AssumeRole', { roleArn: ROLE_ARN, roleSessionName: SESSION, ...parameters });

// -- comparing ---------------------------------------------------------------

async function isRefused(promise, refusal) {
  isRefusal(await errorOf(promise), ...refusal);
}

/** A call that policies refuse, with what the SDK tells of AccessDeniedDetail. */
async function isDenied(promise, refusal, { kind, name }, action, {
  noPermissionType = 'ImplicitDeny', policyType = 'AccountLevelIdentityBasedPolicy',
} = {}) {
  const error = await errorOf(promise);
  isRefusal(error, ...refusal);
  const detail = error.accessDeniedDetail;
  matches('EncodedDiagnosticMessage', '[A-Za-z0-9+/]+=*', detail.EncodedDiagnosticMessage);
  equal('accessDeniedDetail', detail, {
    AuthAction: action,
    AuthPrincipalType: kind,
    AuthPrincipalOwnerId: ACCOUNT,
    AuthPrincipalDisplayName: name,
    NoPermissionType: noPermissionType,
    PolicyType: policyType,
    EncodedDiagnosticMessage: detail.EncodedDiagnosticMessage,
  });
}

async function isCaller(client, expected) {
  const { RequestId, ...answer } = (await client.sts('GetCallerIdentity')).toMap();
  isRequestId('RequestId', RequestId);
  equal('GetCallerIdentity', answer, { AccountId: ACCOUNT, ...expected });
}

async function seesTheInstances(client) {
  const { instances } = await client.ecs('DescribeInstances');
  equal('instances', instances.instance.map(({ instanceId }) => instanceId), [WEB01, WEB02, BATCH, PLAIN, CLASSIC]);
}

const isAttached = (policies, expected) =>
  equal('attached', policies.policy.map(({ policyType, policyName }) => [policyType, policyName]), expected);

// -- the checks, in the order in which they run; each goes on with what those before it have made ---------------------

const owner = connect('test', 'test');
let user;
let userPrincipal; // as AccessDeniedDetail names it
let keyId;
let roleId;
let session;
const sessionPrincipal = { kind: 'AssumedRoleUser', name: `${ROLE}:${SESSION}` };

const CHECKS = {
  async "GetCallerIdentity names the account's owner"() {
    await isCaller(owner, {
      IdentityType: 'Account', Arn: `acs:ram::${ACCOUNT}:root`, PrincipalId: ACCOUNT, UserId: ACCOUNT,
    });
  },

  async 'CreateUser makes a user, and GetUser shows it'() {
    const answer = await owner.ram('CreateUser', {
      userName: USER, displayName: 'Zürich 北京', comments: 'made by an SDK',
    });
    const made = answer.user.toMap();
    matches('UserId', '\\d{16,18}', made.UserId);
    matches('CreateDate', DATE, made.CreateDate);
    equal('User', made, {
      UserId: made.UserId, UserName: USER, DisplayName: 'Zürich 北京', Comments: 'made by an SDK',
      CreateDate: made.CreateDate,
    });
    const shown = (await owner.ram('GetUser', { userName: USER })).user.toMap();
    equal('GetUser', shown, { ...made, UpdateDate: made.CreateDate });
    userPrincipal = { kind: 'SubUser', name: made.UserId };
  },

  async 'ListUsers in pages of two gives each user once'() {
    const names = [];
    let pages = 0;
    let marker;
    do {
      const answer = await owner.ram('ListUsers', { maxItems: 2, marker });
      names.push(...answer.users.user.map(({ userName }) => userName));
      equal('marker of a last page', answer.marker === undefined, !answer.isTruncated);
      marker = answer.marker;
      pages += 1;
    } while (marker !== undefined);
    equal('pages', pages, 3);
    equal('users', names.sort(), [USER, 'disabled', 'full', 'no-pass', 'reader']);
  },

  async 'CreateAccessKey makes a key, and GetCallerIdentity names its user'() {
    const { accessKey } = await owner.ram('CreateAccessKey', { userName: USER });
    matches('AccessKeyId', 'LTAI[A-Za-z0-9]{20}', accessKey.accessKeyId);
    matches('AccessKeySecret', '[A-Za-z0-9]{30}', accessKey.accessKeySecret);
    equal('Status', accessKey.status, 'Active');
    const { AccessKeySecret, ...shown } = accessKey.toMap();
    const { accessKeys } = await owner.ram('ListAccessKeys', { userName: USER });
    equal('ListAccessKeys', accessKeys.accessKey.map((key) => key.toMap()), [shown]);
    keyId = accessKey.accessKeyId;
    user = connect(keyId, AccessKeySecret);
    const { name: userId } = userPrincipal;
    await isCaller(user, { IdentityType: 'RAMUser', Arn: USER_ARN, PrincipalId: userId, UserId: userId });
  },

  async 'a user without policies is denied, and AccessDeniedDetail says why'() {
    await isDenied(user.ecs('DescribeInstances'), ECS_REFUSAL, userPrincipal, 'ecs:DescribeInstances');
  },

  async 'CreatePolicy and AttachPolicyToUser let the user call ECS'() {
    const { policy } = await owner.ram('CreatePolicy', { policyName: POLICY, policyDocument: USER_DOCUMENT });
    equal('PolicyName', policy.policyName, POLICY);
    equal('PolicyType', policy.policyType, 'Custom');
    equal('DefaultVersion', policy.defaultVersion, 'v1');
    await owner.ram('AttachPolicyToUser', { policyType: 'Custom', policyName: POLICY, userName: USER });
    isAttached((await owner.ram('ListPoliciesForUser', { userName: USER })).policies, [['Custom', POLICY]]);
    const shown = await owner.ram('GetPolicy', { policyType: 'Custom', policyName: POLICY });
    equal('AttachmentCount', shown.policy.attachmentCount, 1);
    equal('PolicyDocument', shown.defaultPolicyVersion.policyDocument, USER_DOCUMENT);
    await seesTheInstances(user);
  },

  async 'AccessDeniedDetail tells an explicit Deny apart'() {
    await isDenied(detach(user), ECS_REFUSAL, userPrincipal, 'ecs:DetachInstanceRamRole',
      { noPermissionType: 'ExplicitDeny' });
  },

  async 'RAM denies with NoPermission, which names the resource and the action'() {
    await isDenied(user.ram('DeleteUser', { userName: USER }),
      ramRefusal(`user/${USER}`, 'ram:DeleteUser'), userPrincipal, 'ram:DeleteUser');
  },

  async 'CreateRole makes a role that trusts the user, and AttachPolicyToRole gives it a system policy'() {
    const { role } = await owner.ram('CreateRole', { roleName: ROLE, assumeRolePolicyDocument: TRUST_DOCUMENT });
    matches('RoleId', '\\d{16,18}', role.roleId);
    equal('Arn', role.arn, ROLE_ARN);
    equal('AssumeRolePolicyDocument', role.assumeRolePolicyDocument, TRUST_DOCUMENT);
    equal('MaxSessionDuration', role.maxSessionDuration, 3600);
    ({ roleId } = role);
    await owner.ram('AttachPolicyToRole', {
      policyType: 'System', policyName: 'AliyunECSFullAccess', roleName: ROLE,
    });
    isAttached((await owner.ram('ListPoliciesForRole', { roleName: ROLE })).policies,
      [['System', 'AliyunECSFullAccess']]);
  },

  async "AssumeRole is refused to the account's owner"() {
    await isRefused(owner.sts('AssumeRole', { roleArn: ROLE_ARN, roleSessionName: SESSION }),
      [403, 'NoPermission', 'Roles may not be assumed by root accounts.']);
  },

  async 'AssumeRole is refused by the trust policy of a role that trusts somebody else'() {
    await isDenied(assume({ roleArn: `acs:ram::${ACCOUNT}:role/fc-role` }), STS_REFUSAL, userPrincipal,
      'sts:AssumeRole', { policyType: 'AssumeRolePolicy' });
  },

  async 'AssumeRole gives temporary credentials, and GetCallerIdentity names the session'() {
    const { credentials, assumedRoleUser } = await assume({ durationSeconds: 900 });
    matches('AccessKeyId', 'STS\\.[A-Za-z0-9]{20,}', credentials.accessKeyId);
    matches('Expiration', DATE, credentials.expiration);
    equal('AssumedRoleUser', assumedRoleUser.toMap(),
      { Arn: `${ROLE_ARN}/${SESSION}`, AssumedRoleId: `${roleId}:${SESSION}` });
    session = withCredentials(credentials);
    await isCaller(session, {
      IdentityType: 'AssumedRoleUser', Arn: SESSION_ARN, PrincipalId: `${roleId}:${SESSION}`, RoleId: roleId,
    });
  },

  async 'the role session calls ECS'() {
    await seesTheInstances(session);
  },

  async 'the role session may not pass a role, and AccessDeniedDetail names the session'() {
    await isDenied(detach(session), PASS_ROLE_REFUSAL, sessionPrincipal, 'ram:PassRole');
  },

  async 'a session policy narrows what the role may'() {
    const narrow = withCredentials((await assume({ policy: SESSION_DOCUMENT })).credentials);
    await narrow.ecs('DescribeRegions');
    await isDenied(narrow.ecs('DescribeInstances'), ECS_REFUSAL, sessionPrincipal, 'ecs:DescribeInstances',
      { policyType: 'SessionPolicy' });
  },

  async 'a user with a key, a policy that is attached and a role with a policy cannot be deleted'() {
    await isRefused(owner.ram('DeleteUser', { userName: USER }),
      [409, 'DeleteConflict.User.AccessKey', 'The user CAN NOT has any access key while deleting the user.']);
    await isRefused(owner.ram('DeletePolicy', { policyName: POLICY }),
      [409, 'DeleteConflict.Policy.User', 'The policy CAN NOT been attached to any user while deleting the policy.']);
    await isRefused(owner.ram('DeleteRole', { roleName: ROLE }),
      [409, 'DeleteConflict.Role.Policy', 'The role CAN NOT has any attached policy while deleting the role.']);
  },

  async 'what was made is deleted, and neither the key nor the session is known any longer'() {
    await owner.ram('DetachPolicyFromRole', {
      policyType: 'System', policyName: 'AliyunECSFullAccess', roleName: ROLE,
    });
    await owner.ram('DeleteRole', { roleName: ROLE });
    await owner.ram('DeleteAccessKey', { userName: USER, userAccessKeyId: keyId });
    await isRefused(owner.ram('DeleteUser', { userName: USER }),
      [409, 'DeleteConflict.User.Policy', 'The user CAN NOT has any attached policy while deleting the user.']);
    await owner.ram('DetachPolicyFromUser', { policyType: 'Custom', policyName: POLICY, userName: USER });
    await owner.ram('DeletePolicy', { policyName: POLICY });
    await owner.ram('DeleteUser', { userName: USER });

    await isRefused(owner.ram('GetUser', { userName: USER }),
      [404, 'EntityNotExist.User', 'The user does not exist.']);
    const unknownKey = [404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.'];
    await isRefused(user.sts('GetCallerIdentity'), unknownKey);
    await isRefused(session.sts('GetCallerIdentity'), unknownKey);
  },
};

run(`node-v2/${mode}`, CHECKS);
