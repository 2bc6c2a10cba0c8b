package ecsim.conformance;

import static ecsim.conformance.Checks.equal;
import static ecsim.conformance.Checks.list;
import static ecsim.conformance.Checks.matches;
import static ecsim.conformance.Checks.requestId;
import static ecsim.conformance.V2.wantRefusal;

import com.aliyun.ecs20140526.models.DescribeInstancesRequest;
import com.aliyun.ecs20140526.models.DescribeRegionsRequest;
import com.aliyun.ecs20140526.models.DetachInstanceRamRoleRequest;
import com.aliyun.ram20150501.models.AttachPolicyToRoleRequest;
import com.aliyun.ram20150501.models.AttachPolicyToUserRequest;
import com.aliyun.ram20150501.models.CreateAccessKeyRequest;
import com.aliyun.ram20150501.models.CreatePolicyRequest;
import com.aliyun.ram20150501.models.CreateRoleRequest;
import com.aliyun.ram20150501.models.CreateUserRequest;
import com.aliyun.ram20150501.models.DeleteAccessKeyRequest;
import com.aliyun.ram20150501.models.DeletePolicyRequest;
import com.aliyun.ram20150501.models.DeleteRoleRequest;
import com.aliyun.ram20150501.models.DeleteUserRequest;
import com.aliyun.ram20150501.models.DetachPolicyFromRoleRequest;
import com.aliyun.ram20150501.models.DetachPolicyFromUserRequest;
import com.aliyun.ram20150501.models.GetPolicyRequest;
import com.aliyun.ram20150501.models.GetUserRequest;
import com.aliyun.ram20150501.models.ListAccessKeysRequest;
import com.aliyun.ram20150501.models.ListPoliciesForRoleRequest;
import com.aliyun.ram20150501.models.ListPoliciesForUserRequest;
import com.aliyun.ram20150501.models.ListUsersRequest;
import com.aliyun.sts20150401.models.AssumeRoleRequest;
import com.aliyun.sts20150401.models.AssumeRoleResponseBody.AssumeRoleResponseBodyCredentials;
import com.aliyun.teaopenapi.models.Config;
import ecsim.conformance.V2.Refusal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The RAM and STS SDKs of the current generation (ram20150501, sts20150401): a user, a key, a policy and a role are
 * made, the role is taken on, calls are denied, and all that was made is deleted. Each check goes on with what those
 * before it have made.
 */
final class V2Identities {
    private static final String USER = "conformance-user";
    private static final String POLICY = "conformance-policy";
    private static final String ROLE = "conformance-role";
    private static final String SESSION = "conformance-session";
    private static final String ACCOUNT_ARN = "acs:ram::" + Checks.ACCOUNT + ":";
    private static final String USER_ARN = ACCOUNT_ARN + "user/" + USER;
    private static final String ROLE_ARN = ACCOUNT_ARN + "role/" + ROLE;
    private static final String SYSTEM_POLICY = "AliyunECSFullAccess";
    private static final String DATE = "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z";

    private static final String USER_DOCUMENT = document(
            "{\"Effect\":\"Allow\",\"Action\":[\"ecs:*\",\"sts:AssumeRole\"],\"Resource\":\"*\"},"
                    + "{\"Effect\":\"Deny\",\"Action\":\"ecs:DetachInstanceRamRole\",\"Resource\":\"*\"}");
    private static final String TRUST_DOCUMENT = document(
            "{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"RAM\":[\"" + USER_ARN + "\"]}}");
    private static final String SESSION_DOCUMENT = document(
            "{\"Effect\":\"Allow\",\"Action\":\"ecs:DescribeRegions\",\"Resource\":\"*\"}");

    private static final Refusal ECS_REFUSAL = new Refusal("Ecs", 403, "Forbidden.RAM",
            "User not authorized to operate on the specified resource, or this API doesn't support RAM.");
    private static final Refusal STS_REFUSAL = new Refusal("Sts", 403, "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.");
    private static final Refusal PASS_ROLE_REFUSAL = new Refusal("Ecs", 403, "InvalidUser.PassRoleForbidden",
            "The RAM user does not have the privilege to pass a RAM role.");
    private static final Refusal UNKNOWN_KEY = new Refusal("Sts", 404, "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.");

    private final Checks checks;
    private final String signatureAlgorithm;
    private final Caller owner;
    private Caller user;
    private Caller session;
    private Principal userPrincipal;
    private final Principal sessionPrincipal = new Principal("AssumedRoleUser", ROLE + ":" + SESSION);
    private String keyId;
    private String roleId;

    V2Identities(String mode, String signatureAlgorithm) throws Exception {
        this.checks = new Checks("java-v2", mode);
        this.signatureAlgorithm = signatureAlgorithm;
        this.owner = connect(Checks.ACCESS_KEY_ID, Checks.SECRET, null);
    }

    private static String document(String statements) {
        return "{\"Version\":\"1\",\"Statement\":[" + statements + "]}";
    }

    private static Refusal ramRefusal(String resource, String action) {
        return new Refusal("Ram", 403, "NoPermission",
                "You are not authorized to do this action. Resource: acs:ram:*:" + Checks.ACCOUNT + ":" + resource
                        + " Action: " + action);
    }

    private static Refusal conflict(String code, String message) {
        return new Refusal("Ram", 409, "DeleteConflict." + code, message);
    }

    /** The three products, called with one credential. */
    private record Caller(
            com.aliyun.ecs20140526.Client ecs,
            com.aliyun.ram20150501.Client ram,
            com.aliyun.sts20150401.Client sts) {
        List<String> instances() throws Exception {
            List<String> ids = new ArrayList<>();
            var request = new DescribeInstancesRequest().setRegionId(Checks.REGION);
            for (var instance : ecs.describeInstances(request).body.instances.instance) {
                ids.add(instance.instanceId);
            }
            return ids;
        }

        void detach() throws Exception {
            ecs.detachInstanceRamRole(new DetachInstanceRamRoleRequest()
                    .setRegionId(Checks.REGION)
                    .setInstanceIds(list(Checks.INSTANCES.get(1)))
                    .setRamRoleName(Checks.ROLE));
        }

        void deleteUser() throws Exception {
            ram.deleteUser(new DeleteUserRequest().setUserName(USER));
        }
    }

    private Caller connect(String accessKeyId, String accessKeySecret, String securityToken) throws Exception {
        Config config = V2Client.config(
                Checks.endpoint(), accessKeyId, accessKeySecret, securityToken, signatureAlgorithm);
        return new Caller(
                new com.aliyun.ecs20140526.Client(config),
                new com.aliyun.ram20150501.Client(config),
                new com.aliyun.sts20150401.Client(config));
    }

    private Caller connect(AssumeRoleResponseBodyCredentials credentials) throws Exception {
        return connect(credentials.accessKeyId, credentials.accessKeySecret, credentials.securityToken);
    }

    private static AssumeRoleRequest assume(String roleArn) {
        return new AssumeRoleRequest().setRoleArn(roleArn).setRoleSessionName(SESSION).setDurationSeconds(900L);
    }

    /** Whom AccessDeniedDetail names. */
    private record Principal(String kind, String name) {}

    /** What AccessDeniedDetail says. */
    private record Denial(Principal principal, String action, String noPermissionType, String policyType) {
        /** The usual one: no policy of the caller allows the action. */
        static Denial implicit(Principal principal, String action) {
            return new Denial(principal, action, "ImplicitDeny", "AccountLevelIdentityBasedPolicy");
        }

        static Denial explicit(Principal principal, String action) {
            return new Denial(principal, action, "ExplicitDeny", "AccountLevelIdentityBasedPolicy");
        }

        static Denial by(String policyType, Principal principal, String action) {
            return new Denial(principal, action, "ImplicitDeny", policyType);
        }
    }

    private static void wantDenial(Checks.Body call, Refusal want, Denial denial) throws Exception {
        Map<String, Object> detail = new HashMap<>(wantRefusal(call, want).getAccessDeniedDetail());
        matches("EncodedDiagnosticMessage", (String) detail.remove("EncodedDiagnosticMessage"), "[A-Za-z0-9+/]+=*");
        equal("AccessDeniedDetail", detail, Map.of(
                "AuthAction", denial.action(),
                "AuthPrincipalType", denial.principal().kind(),
                "AuthPrincipalOwnerId", Checks.ACCOUNT,
                "AuthPrincipalDisplayName", denial.principal().name(),
                "NoPermissionType", denial.noPermissionType(),
                "PolicyType", denial.policyType()));
    }

    /** Checks what GetCallerIdentity says but for the account, which is always the same. */
    private static void wantCaller(
            Caller caller, String kind, String arn, String principalId, String userId, String roleId) throws Exception {
        var body = caller.sts().getCallerIdentity().body;
        requestId(body.requestId);
        equal("IdentityType", body.identityType, kind);
        equal("AccountId", body.accountId, Checks.ACCOUNT);
        equal("Arn", body.arn, ACCOUNT_ARN + arn);
        equal("PrincipalId", body.principalId, principalId);
        equal("UserId", body.userId, userId);
        equal("RoleId", body.roleId, roleId);
    }

    void run() {
        checks.check("GetCallerIdentity names the account's owner",
                () -> wantCaller(owner, "Account", "root", Checks.ACCOUNT, Checks.ACCOUNT, null));

        checks.check("CreateUser makes a user, and GetUser shows it", () -> {
            var made = owner.ram().createUser(new CreateUserRequest()
                    .setUserName(USER)
                    .setDisplayName("Zürich 北京")
                    .setComments("made by an SDK")).body.user;
            matches("UserId", made.userId, "\\d{16,18}");
            equal("UserName", made.userName, USER);
            equal("DisplayName", made.displayName, "Zürich 北京");
            equal("Comments", made.comments, "made by an SDK");
            matches("CreateDate", made.createDate, DATE);
            userPrincipal = new Principal("SubUser", made.userId);
            Map<String, Object> want = new HashMap<>(made.toMap());
            want.put("UpdateDate", made.createDate);
            want.put("LastLoginDate", null);
            equal("GetUser", owner.ram().getUser(new GetUserRequest().setUserName(USER)).body.user.toMap(), want);
        });

        checks.check("ListUsers in pages of two gives each user once", () -> {
            List<String> names = new ArrayList<>();
            String marker = null;
            int pages = 0;
            do {
                var body = owner.ram().listUsers(new ListUsersRequest().setMaxItems(2).setMarker(marker)).body;
                for (var listed : body.users.user) {
                    names.add(listed.userName);
                }
                equal("there is a next page", body.marker != null, body.isTruncated);
                marker = body.marker;
                pages++;
            } while (marker != null);
            equal("pages", pages, 3);
            names.sort(null);
            equal("users", names, List.of(USER, "disabled", "full", "no-pass", "reader"));
        });

        checks.check("CreateAccessKey makes a key, and GetCallerIdentity names its user", () -> {
            var key = owner.ram().createAccessKey(new CreateAccessKeyRequest().setUserName(USER)).body.accessKey;
            matches("AccessKeyId", key.accessKeyId, "LTAI[A-Za-z0-9]{20}");
            matches("AccessKeySecret", key.accessKeySecret, "[A-Za-z0-9]{30}");
            equal("Status", key.status, "Active");
            var listed = owner.ram().listAccessKeys(new ListAccessKeysRequest().setUserName(USER))
                    .body.accessKeys.accessKey;
            equal("number of keys", listed.size(), 1);
            equal("listed AccessKeyId", listed.get(0).accessKeyId, key.accessKeyId);
            equal("listed Status", listed.get(0).status, "Active");
            equal("listed CreateDate", listed.get(0).createDate, key.createDate);
            keyId = key.accessKeyId;
            user = connect(keyId, key.accessKeySecret, null);
            String userId = userPrincipal.name();
            wantCaller(user, "RAMUser", "user/" + USER, userId, userId, null);
        });

        checks.check("a user without policies is denied, and AccessDeniedDetail says why", () ->
                wantDenial(() -> user.instances(), ECS_REFUSAL,
                        Denial.implicit(userPrincipal, "ecs:DescribeInstances")));

        checks.check("CreatePolicy and AttachPolicyToUser let the user call ECS", () -> {
            var made = owner.ram().createPolicy(new CreatePolicyRequest()
                    .setPolicyName(POLICY)
                    .setPolicyDocument(USER_DOCUMENT)).body.policy;
            equal("PolicyName", made.policyName, POLICY);
            equal("PolicyType", made.policyType, "Custom");
            equal("DefaultVersion", made.defaultVersion, "v1");
            owner.ram().attachPolicyToUser(new AttachPolicyToUserRequest()
                    .setPolicyType("Custom")
                    .setPolicyName(POLICY)
                    .setUserName(USER));
            var attached = owner.ram().listPoliciesForUser(new ListPoliciesForUserRequest().setUserName(USER))
                    .body.policies.policy;
            equal("number of policies", attached.size(), 1);
            equal("attached PolicyType", attached.get(0).policyType, "Custom");
            equal("attached PolicyName", attached.get(0).policyName, POLICY);
            var shown = owner.ram().getPolicy(new GetPolicyRequest()
                    .setPolicyType("Custom")
                    .setPolicyName(POLICY)).body;
            equal("AttachmentCount", shown.policy.attachmentCount, 1);
            equal("PolicyDocument", shown.defaultPolicyVersion.policyDocument, USER_DOCUMENT);
            equal("instances", user.instances(), Checks.INSTANCES);
        });

        checks.check("AccessDeniedDetail tells an explicit Deny apart", () ->
                wantDenial(() -> user.detach(), ECS_REFUSAL,
                        Denial.explicit(userPrincipal, "ecs:DetachInstanceRamRole")));

        checks.check("RAM denies with NoPermission, which names the resource and the action", () ->
                wantDenial(() -> user.deleteUser(), ramRefusal("user/" + USER, "ram:DeleteUser"),
                        Denial.implicit(userPrincipal, "ram:DeleteUser")));

        checks.check("CreateRole makes a role that trusts the user, and AttachPolicyToRole gives it a system policy",
                () -> {
            var made = owner.ram().createRole(new CreateRoleRequest()
                    .setRoleName(ROLE)
                    .setAssumeRolePolicyDocument(TRUST_DOCUMENT)).body.role;
            matches("RoleId", made.roleId, "\\d{16,18}");
            equal("Arn", made.arn, ROLE_ARN);
            equal("AssumeRolePolicyDocument", made.assumeRolePolicyDocument, TRUST_DOCUMENT);
            equal("MaxSessionDuration", made.maxSessionDuration, 3600L);
            roleId = made.roleId;
            owner.ram().attachPolicyToRole(new AttachPolicyToRoleRequest()
                    .setPolicyType("System")
                    .setPolicyName(SYSTEM_POLICY)
                    .setRoleName(ROLE));
            var attached = owner.ram().listPoliciesForRole(new ListPoliciesForRoleRequest().setRoleName(ROLE))
                    .body.policies.policy;
            equal("number of policies", attached.size(), 1);
            equal("attached PolicyType", attached.get(0).policyType, "System");
            equal("attached PolicyName", attached.get(0).policyName, SYSTEM_POLICY);
        });

        checks.check("AssumeRole is refused to the account's owner", () ->
                wantRefusal(() -> owner.sts().assumeRole(assume(ROLE_ARN)),
                        new Refusal("Sts", 403, "NoPermission", "Roles may not be assumed by root accounts.")));

        checks.check("AssumeRole is refused by the trust policy of a role that trusts somebody else", () ->
                wantDenial(() -> user.sts().assumeRole(assume(ACCOUNT_ARN + "role/fc-role")), STS_REFUSAL,
                        Denial.by("AssumeRolePolicy", userPrincipal, "sts:AssumeRole")));

        checks.check("AssumeRole gives temporary credentials, and GetCallerIdentity names the session", () -> {
            var body = user.sts().assumeRole(assume(ROLE_ARN)).body;
            matches("AccessKeyId", body.credentials.accessKeyId, "STS\\.[A-Za-z0-9]{20,}");
            matches("Expiration", body.credentials.expiration, DATE);
            equal("AssumedRoleUser.Arn", body.assumedRoleUser.arn, ROLE_ARN + "/" + SESSION);
            equal("AssumedRoleId", body.assumedRoleUser.assumedRoleId, roleId + ":" + SESSION);
            session = connect(body.credentials);
            wantCaller(session, "AssumedRoleUser", "assumed-role/" + ROLE + "/" + SESSION,
                    roleId + ":" + SESSION, null, roleId);
        });

        checks.check("the role session calls ECS",
                () -> equal("instances", session.instances(), Checks.INSTANCES));

        checks.check("the role session may not pass a role, and AccessDeniedDetail names the session", () ->
                wantDenial(() -> session.detach(), PASS_ROLE_REFUSAL,
                        Denial.implicit(sessionPrincipal, "ram:PassRole")));

        checks.check("a session policy narrows what the role may", () -> {
            Caller narrow = connect(
                    user.sts().assumeRole(assume(ROLE_ARN).setPolicy(SESSION_DOCUMENT)).body.credentials);
            narrow.ecs().describeRegions(new DescribeRegionsRequest());
            wantDenial(() -> narrow.instances(), ECS_REFUSAL,
                    Denial.by("SessionPolicy", sessionPrincipal, "ecs:DescribeInstances"));
        });

        checks.check("a user with a key, a policy that is attached and a role with a policy cannot be deleted", () -> {
            wantRefusal(() -> owner.deleteUser(), conflict("User.AccessKey",
                    "The user CAN NOT has any access key while deleting the user."));
            wantRefusal(() -> owner.ram().deletePolicy(new DeletePolicyRequest().setPolicyName(POLICY)),
                    conflict("Policy.User", "The policy CAN NOT been attached to any user while deleting the policy."));
            wantRefusal(() -> owner.ram().deleteRole(new DeleteRoleRequest().setRoleName(ROLE)),
                    conflict("Role.Policy", "The role CAN NOT has any attached policy while deleting the role."));
        });

        checks.check("what was made is deleted, and neither the key nor the session is known any longer", () -> {
            owner.ram().detachPolicyFromRole(new DetachPolicyFromRoleRequest()
                    .setPolicyType("System")
                    .setPolicyName(SYSTEM_POLICY)
                    .setRoleName(ROLE));
            owner.ram().deleteRole(new DeleteRoleRequest().setRoleName(ROLE));
            owner.ram().deleteAccessKey(new DeleteAccessKeyRequest().setUserName(USER).setUserAccessKeyId(keyId));
            wantRefusal(() -> owner.deleteUser(), conflict("User.Policy",
                    "The user CAN NOT has any attached policy while deleting the user."));
            owner.ram().detachPolicyFromUser(new DetachPolicyFromUserRequest()
                    .setPolicyType("Custom")
                    .setPolicyName(POLICY)
                    .setUserName(USER));
            owner.ram().deletePolicy(new DeletePolicyRequest().setPolicyName(POLICY));
            owner.deleteUser();

            wantRefusal(() -> owner.ram().getUser(new GetUserRequest().setUserName(USER)),
                    new Refusal("Ram", 404, "EntityNotExist.User", "The user does not exist."));
            wantRefusal(() -> user.sts().getCallerIdentity(), UNKNOWN_KEY);
            wantRefusal(() -> session.sts().getCallerIdentity(), UNKNOWN_KEY);
        });
    }
}
