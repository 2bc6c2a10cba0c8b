"""Users, keys, policies, roles and temporary credentials: the checks of identities_v1.py and identities_v2.py.

They know no SDK. A client is what `connect` makes of a key pair and perhaps a token; its methods `ecs`, `ram` and
`sts` call an action of that product and give the answer as it stands on the wire; `refused` makes a call that is to
fail, compares the error that the SDK raises, and gives AccessDeniedDetail as far as the SDK reports it.
"""

import json

from checks import ACCOUNT, BATCH, CLASSIC, PLAIN, WEB01, WEB02, equal, is_request_id, matches
from checks import ROLE as ATTACHED_ROLE

USER = "conformance-user"
POLICY = "conformance-policy"
ROLE = "conformance-role"
SESSION = "conformance-session"
ROLE_ARN = f"acs:ram::{ACCOUNT}:role/{ROLE}"
USER_ARN = f"acs:ram::{ACCOUNT}:user/{USER}"
SESSION_ARN = f"acs:ram::{ACCOUNT}:assumed-role/{ROLE}/{SESSION}"


def document(*statements):
    return json.dumps({"Version": "1", "Statement": statements})


USER_DOCUMENT = document(
    {"Effect": "Allow", "Action": ["ecs:*", "sts:AssumeRole"], "Resource": "*"},
    {"Effect": "Deny", "Action": "ecs:DetachInstanceRamRole", "Resource": "*"},
)
TRUST_DOCUMENT = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [USER_ARN]}})
SESSION_DOCUMENT = document({"Effect": "Allow", "Action": "ecs:DescribeRegions", "Resource": "*"})

ECS_REFUSAL = (403, "Forbidden.RAM",
               "User not authorized to operate on the specified resource, or this API doesn't support RAM.")
STS_REFUSAL = (403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM.")
PASS_ROLE_REFUSAL = (403, "InvalidUser.PassRoleForbidden",
                     "The RAM user does not have the privilege to pass a RAM role.")
DETACH = {"InstanceIds": json.dumps([WEB02]), "RamRoleName": ATTACHED_ROLE}


def ram_refusal(resource, action):
    return (403, "NoPermission",
            f"You are not authorized to do this action. Resource: acs:ram:*:{ACCOUNT}:{resource} Action: {action}")


def is_detail(detail, principal, action, no_permission="ImplicitDeny", policy="AccountLevelIdentityBasedPolicy"):
    kind, name = principal
    matches("EncodedDiagnosticMessage", "[A-Za-z0-9+/]+=*", detail["EncodedDiagnosticMessage"])
    equal("AccessDeniedDetail", detail, {
        "AuthAction": action,
        "AuthPrincipalType": kind,
        "AuthPrincipalOwnerId": ACCOUNT,
        "AuthPrincipalDisplayName": name,
        "NoPermissionType": no_permission,
        "PolicyType": policy,
        "EncodedDiagnosticMessage": detail["EncodedDiagnosticMessage"],
    })


def is_caller(client, **expected):
    answer = client.sts("GetCallerIdentity")
    is_request_id("RequestId", answer.pop("RequestId"))
    equal("GetCallerIdentity", answer, {"AccountId": ACCOUNT, **expected})


def sees_the_instances(client):
    instances = client.ecs("DescribeInstances")["Instances"]["Instance"]
    equal("instances", [instance["InstanceId"] for instance in instances], [WEB01, WEB02, BATCH, PLAIN, CLASSIC])


class Identities:
    """The checks, in the order in which they run; each goes on with what those before it have made."""

    def __init__(self, connect):
        self.connect = connect
        self.owner = connect("test", "test")

    def checks(self):
        return [
            self.the_owner, self.creating_a_user, self.listing_users, self.creating_a_key, self.without_policies,
            self.with_a_policy, self.explicit_deny, self.denied_by_ram, self.creating_a_role, self.owner_assumes,
            self.no_trust, self.assuming, self.session_calls, self.session_is_denied, self.session_policy,
            self.in_use, self.deleting,
        ]

    def assume(self, **parameters):
        return self.user.sts("AssumeRole", RoleArn=ROLE_ARN, RoleSessionName=SESSION, **parameters)

    def session(self, credentials):
        return self.connect(credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"])

    def the_owner(self):
        """GetCallerIdentity names the account's owner"""
        is_caller(self.owner, IdentityType="Account", Arn=f"acs:ram::{ACCOUNT}:root",
                  PrincipalId=ACCOUNT, UserId=ACCOUNT)

    def creating_a_user(self):
        """CreateUser makes a user, and GetUser shows it"""
        answer = self.owner.ram("CreateUser", UserName=USER, DisplayName="Zürich 北京", Comments="made by an SDK")
        made = answer["User"]
        matches("UserId", "[0-9]{16,18}", made["UserId"])
        equal("UserName", made["UserName"], USER)
        equal("DisplayName", made["DisplayName"], "Zürich 北京")
        equal("Comments", made["Comments"], "made by an SDK")
        matches("CreateDate", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", made["CreateDate"])
        shown = self.owner.ram("GetUser", UserName=USER)["User"]
        equal("GetUser", shown, {**made, "UpdateDate": made["CreateDate"]})
        self.user_principal = ("SubUser", made["UserId"])

    def listing_users(self):
        """ListUsers in pages of two gives each user once"""
        names, marker, pages = [], {}, 0
        while pages == 0 or marker:
            answer = self.owner.ram("ListUsers", MaxItems=2, **marker)
            names += [user["UserName"] for user in answer["Users"]["User"]]
            marker = {"Marker": answer["Marker"]} if answer["IsTruncated"] else {}
            pages += 1
        equal("pages", pages, 3)
        equal("users", sorted(names), [USER, "disabled", "full", "no-pass", "reader"])

    def creating_a_key(self):
        """CreateAccessKey makes a key, and GetCallerIdentity names its user"""
        key = self.owner.ram("CreateAccessKey", UserName=USER)["AccessKey"]
        matches("AccessKeyId", "LTAI[A-Za-z0-9]{20}", key["AccessKeyId"])
        matches("AccessKeySecret", "[A-Za-z0-9]{30}", key["AccessKeySecret"])
        equal("Status", key["Status"], "Active")
        listed = self.owner.ram("ListAccessKeys", UserName=USER)["AccessKeys"]["AccessKey"]
        equal("ListAccessKeys", listed, [{name: key[name] for name in ("AccessKeyId", "Status", "CreateDate")}])
        self.key_id = key["AccessKeyId"]
        self.user = self.connect(self.key_id, key["AccessKeySecret"])
        user_id = self.user_principal[1]
        is_caller(self.user, IdentityType="RAMUser", Arn=USER_ARN, PrincipalId=user_id, UserId=user_id)

    def without_policies(self):
        """a user without policies is denied, and AccessDeniedDetail says why"""
        detail = self.user.refused(ECS_REFUSAL, "ecs", "DescribeInstances")
        is_detail(detail, self.user_principal, "ecs:DescribeInstances")

    def with_a_policy(self):
        """CreatePolicy and AttachPolicyToUser let the user call ECS"""
        made = self.owner.ram("CreatePolicy", PolicyName=POLICY, PolicyDocument=USER_DOCUMENT)["Policy"]
        equal("PolicyName", made["PolicyName"], POLICY)
        equal("PolicyType", made["PolicyType"], "Custom")
        equal("DefaultVersion", made["DefaultVersion"], "v1")
        self.owner.ram("AttachPolicyToUser", PolicyType="Custom", PolicyName=POLICY, UserName=USER)
        attached = self.owner.ram("ListPoliciesForUser", UserName=USER)["Policies"]["Policy"]
        equal("ListPoliciesForUser", [(policy["PolicyType"], policy["PolicyName"]) for policy in attached],
              [("Custom", POLICY)])
        shown = self.owner.ram("GetPolicy", PolicyType="Custom", PolicyName=POLICY)
        equal("AttachmentCount", shown["Policy"]["AttachmentCount"], 1)
        equal("PolicyDocument", shown["DefaultPolicyVersion"]["PolicyDocument"], USER_DOCUMENT)
        sees_the_instances(self.user)

    def explicit_deny(self):
        """AccessDeniedDetail tells an explicit Deny apart"""
        detail = self.user.refused(ECS_REFUSAL, "ecs", "DetachInstanceRamRole", **DETACH)
        is_detail(detail, self.user_principal, "ecs:DetachInstanceRamRole", no_permission="ExplicitDeny")

    def denied_by_ram(self):
        """RAM denies with NoPermission, which names the resource and the action"""
        detail = self.user.refused(ram_refusal(f"user/{USER}", "ram:DeleteUser"), "ram", "DeleteUser", UserName=USER)
        is_detail(detail, self.user_principal, "ram:DeleteUser")

    def creating_a_role(self):
        """CreateRole makes a role that trusts the user, and AttachPolicyToRole gives it a system policy"""
        made = self.owner.ram("CreateRole", RoleName=ROLE, AssumeRolePolicyDocument=TRUST_DOCUMENT)["Role"]
        matches("RoleId", "[0-9]{16,18}", made["RoleId"])
        equal("Arn", made["Arn"], ROLE_ARN)
        equal("AssumeRolePolicyDocument", made["AssumeRolePolicyDocument"], TRUST_DOCUMENT)
        equal("MaxSessionDuration", made["MaxSessionDuration"], 3600)
        self.role_id = made["RoleId"]
        self.session_principal = ("AssumedRoleUser", f"{ROLE}:{SESSION}")
        self.owner.ram("AttachPolicyToRole", PolicyType="System", PolicyName="AliyunECSFullAccess", RoleName=ROLE)
        attached = self.owner.ram("ListPoliciesForRole", RoleName=ROLE)["Policies"]["Policy"]
        equal("ListPoliciesForRole", [(policy["PolicyType"], policy["PolicyName"]) for policy in attached],
              [("System", "AliyunECSFullAccess")])

    def owner_assumes(self):
        """AssumeRole is refused to the account's owner"""
        refusal = (403, "NoPermission", "Roles may not be assumed by root accounts.")
        self.owner.refused(refusal, "sts", "AssumeRole", RoleArn=ROLE_ARN, RoleSessionName=SESSION)

    def no_trust(self):
        """AssumeRole is refused by the trust policy of a role that trusts somebody else"""
        detail = self.user.refused(STS_REFUSAL, "sts", "AssumeRole",
                                   RoleArn=f"acs:ram::{ACCOUNT}:role/fc-role", RoleSessionName=SESSION)
        is_detail(detail, self.user_principal, "sts:AssumeRole", policy="AssumeRolePolicy")

    def assuming(self):
        """AssumeRole gives temporary credentials, and GetCallerIdentity names the session"""
        answer = self.assume(DurationSeconds=900)
        credentials = answer["Credentials"]
        matches("AccessKeyId", r"STS\.[A-Za-z0-9]{20,}", credentials["AccessKeyId"])
        matches("Expiration", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", credentials["Expiration"])
        equal("AssumedRoleUser", answer["AssumedRoleUser"],
              {"Arn": f"{ROLE_ARN}/{SESSION}", "AssumedRoleId": f"{self.role_id}:{SESSION}"})
        self.role = self.session(credentials)
        is_caller(self.role, IdentityType="AssumedRoleUser", Arn=SESSION_ARN,
                  PrincipalId=f"{self.role_id}:{SESSION}", RoleId=self.role_id)

    def session_calls(self):
        """the role session calls ECS"""
        sees_the_instances(self.role)

    def session_is_denied(self):
        """the role session may not pass a role, and AccessDeniedDetail names the session"""
        detail = self.role.refused(PASS_ROLE_REFUSAL, "ecs", "DetachInstanceRamRole", **DETACH)
        is_detail(detail, self.session_principal, "ram:PassRole")

    def session_policy(self):
        """a session policy narrows what the role may"""
        narrow = self.session(self.assume(Policy=SESSION_DOCUMENT)["Credentials"])
        narrow.ecs("DescribeRegions")
        detail = narrow.refused(ECS_REFUSAL, "ecs", "DescribeInstances")
        is_detail(detail, self.session_principal, "ecs:DescribeInstances", policy="SessionPolicy")

    def in_use(self):
        """a user with a key, a policy that is attached and a role with a policy cannot be deleted"""
        refused = self.owner.refused
        refused((409, "DeleteConflict.User.AccessKey", "The user CAN NOT has any access key while deleting the user."),
                "ram", "DeleteUser", UserName=USER)
        refused((409, "DeleteConflict.Policy.User",
                 "The policy CAN NOT been attached to any user while deleting the policy."),
                "ram", "DeletePolicy", PolicyName=POLICY)
        refused((409, "DeleteConflict.Role.Policy",
                 "The role CAN NOT has any attached policy while deleting the role."),
                "ram", "DeleteRole", RoleName=ROLE)

    def deleting(self):
        """what was made is deleted, and neither the key nor the session is known any longer"""
        owner = self.owner
        owner.ram("DetachPolicyFromRole", PolicyType="System", PolicyName="AliyunECSFullAccess", RoleName=ROLE)
        owner.ram("DeleteRole", RoleName=ROLE)
        owner.ram("DeleteAccessKey", UserName=USER, UserAccessKeyId=self.key_id)
        owner.refused((409, "DeleteConflict.User.Policy",
                       "The user CAN NOT has any attached policy while deleting the user."),
                      "ram", "DeleteUser", UserName=USER)
        owner.ram("DetachPolicyFromUser", PolicyType="Custom", PolicyName=POLICY, UserName=USER)
        owner.ram("DeletePolicy", PolicyName=POLICY)
        owner.ram("DeleteUser", UserName=USER)

        owner.refused((404, "EntityNotExist.User", "The user does not exist."), "ram", "GetUser", UserName=USER)
        unknown_key = (404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        self.user.refused(unknown_key, "sts", "GetCallerIdentity")
        self.role.refused(unknown_key, "sts", "GetCallerIdentity")
