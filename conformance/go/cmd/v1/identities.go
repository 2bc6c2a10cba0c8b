package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ram"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"ecsim/conformance/internal/check"
)

const (
	user    = "conformance-user"
	policy  = "conformance-policy"
	role    = "conformance-role"
	session = "conformance-session"

	userARN    = "acs:ram::" + check.Account + ":user/" + user
	roleARN    = "acs:ram::" + check.Account + ":role/" + role
	sessionARN = "acs:ram::" + check.Account + ":assumed-role/" + role + "/" + session

	userDocument = `{"Version":"1","Statement":[` +
		`{"Effect":"Allow","Action":["ecs:*","sts:AssumeRole"],"Resource":"*"},` +
		`{"Effect":"Deny","Action":"ecs:DetachInstanceRamRole","Resource":"*"}]}`
	trustDocument = `{"Version":"1","Statement":[` +
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["` + userARN + `"]}}]}`
	sessionDocument = `{"Version":"1","Statement":[` +
		`{"Effect":"Allow","Action":"ecs:DescribeRegions","Resource":"*"}]}`

	systemPolicy = "AliyunECSFullAccess"

	date = `\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z`
)

var (
	ecsRefusal = refusal{"Ecs", 403, "Forbidden.RAM",
		"User not authorized to operate on the specified resource, or this API doesn't support RAM."}
	stsRefusal = refusal{"Sts", 403, "NoPermission",
		"You are not authorized to do this action. You should be authorized by RAM."}
	passRoleRefusal = refusal{"Ecs", 403, "InvalidUser.PassRoleForbidden",
		"The RAM user does not have the privilege to pass a RAM role."}
	unknownKey = refusal{"Sts", 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
)

func ramRefusal(resource, action string) refusal {
	return refusal{"Ram", 403, "NoPermission", fmt.Sprintf(
		"You are not authorized to do this action. Resource: acs:ram:*:%s:%s Action: %s",
		check.Account, resource, action)}
}

// caller calls the three products with one credential.
type caller struct {
	ecs *ecs.Client
	ram *ram.Client
	sts *sts.Client
}

func connect(credential auth.Credential) (*caller, error) {
	config := sdk.NewConfig().WithScheme("HTTP")
	ecsClient, ecsErr := ecs.NewClientWithOptions(check.Region, config, credential)
	ramClient, ramErr := ram.NewClientWithOptions(check.Region, config, credential)
	stsClient, stsErr := sts.NewClientWithOptions(check.Region, config, credential)
	if err := errors.Join(ecsErr, ramErr, stsErr); err != nil {
		return nil, err
	}
	ecsClient.Domain = check.Endpoint()
	ramClient.Domain = check.Endpoint()
	stsClient.Domain = check.Endpoint()
	return &caller{ecsClient, ramClient, stsClient}, nil
}

func connectSession(c sts.Credentials) (*caller, error) {
	return connect(credentials.NewStsTokenCredential(c.AccessKeyId, c.AccessKeySecret, c.SecurityToken))
}

func (c *caller) describeInstances() (*ecs.DescribeInstancesResponse, error) {
	return c.ecs.DescribeInstances(ecs.CreateDescribeInstancesRequest())
}

func (c *caller) detach() error {
	request := ecs.CreateDetachInstanceRamRoleRequest()
	request.InstanceIds = list(check.Instances[1])
	request.RamRoleName = check.Role
	_, err := c.ecs.DetachInstanceRamRole(request)
	return err
}

// assume takes a role on; an empty policy is not sent at all.
func (c *caller) assume(arn, policy string) (*sts.AssumeRoleResponse, error) {
	request := sts.CreateAssumeRoleRequest()
	request.RoleArn = arn
	request.RoleSessionName = session
	request.DurationSeconds = requests.NewInteger(900)
	request.Policy = policy
	return c.sts.AssumeRole(request)
}

func (c *caller) deleteUser() error {
	request := ram.CreateDeleteUserRequest()
	request.UserName = user
	_, err := c.ram.DeleteUser(request)
	return err
}

func (c *caller) deletePolicy() error {
	request := ram.CreateDeletePolicyRequest()
	request.PolicyName = policy
	_, err := c.ram.DeletePolicy(request)
	return err
}

func (c *caller) deleteRole() error {
	request := ram.CreateDeleteRoleRequest()
	request.RoleName = role
	_, err := c.ram.DeleteRole(request)
	return err
}

// wantCaller checks what GetCallerIdentity says but for the account, which is always the same.
func wantCaller(c *caller, kind, arn, principalID, userID, roleID string) error {
	got, err := c.sts.GetCallerIdentity(sts.CreateGetCallerIdentityRequest())
	if err != nil {
		return err
	}
	return check.All(
		check.RequestID(got.RequestId),
		check.Equal("IdentityType", got.IdentityType, kind),
		check.Equal("AccountId", got.AccountId, check.Account),
		check.Equal("Arn", got.Arn, arn),
		check.Equal("PrincipalId", got.PrincipalId, principalID),
		check.Equal("UserId", got.UserId, userID),
		check.Equal("RoleId", got.RoleId, roleID),
	)
}

func wantInstances(c *caller) error {
	response, err := c.describeInstances()
	if err != nil {
		return err
	}
	var ids []string
	for _, instance := range response.Instances.Instance {
		ids = append(ids, instance.InstanceId)
	}
	return check.EqualList("instances", ids, check.Instances)
}

func wantAttached(policies []ram.Policy, policyType, name string) error {
	if len(policies) != 1 {
		return fmt.Errorf("policies are %v, want one", policies)
	}
	return check.All(
		check.Equal("PolicyType", policies[0].PolicyType, policyType),
		check.Equal("PolicyName", policies[0].PolicyName, name),
	)
}

// denial is what AccessDeniedDetail says.
type denial struct {
	principal principal
	action    string
	kind      string // NoPermissionType
	policy    string // PolicyType
}

// principal is whom AccessDeniedDetail names.
type principal struct{ kind, name string }

// implicit is the usual denial: no policy of the caller allows the action.
func implicit(of principal, action string) denial {
	return denial{of, action, "ImplicitDeny", "AccountLevelIdentityBasedPolicy"}
}

// wantDenial checks an error and its AccessDeniedDetail.
func wantDenial(err error, want refusal, detail denial) error {
	if err := wantRefusal(err, want); err != nil {
		return err
	}
	var got *sdkerrors.ServerError
	errors.As(err, &got)
	message, _ := got.AccessDeniedDetail()["EncodedDiagnosticMessage"].(string)
	// Maps are printed in the order of their keys.
	return check.All(
		check.Matches("EncodedDiagnosticMessage", message, "[A-Za-z0-9+/]+=*"),
		check.Equal("AccessDeniedDetail", fmt.Sprint(got.AccessDeniedDetail()), fmt.Sprint(map[string]string{
			"AuthAction":               detail.action,
			"AuthPrincipalType":        detail.principal.kind,
			"AuthPrincipalOwnerId":     check.Account,
			"AuthPrincipalDisplayName": detail.principal.name,
			"NoPermissionType":         detail.kind,
			"PolicyType":               detail.policy,
			"EncodedDiagnosticMessage": message,
		})),
	)
}

// identities makes a user, a key, a policy and a role, takes the role on, is denied, and deletes all that it made.
// Each check goes on with what those before it have made.
func identities() {
	run := check.Runner{Family: "go-v1", Mode: "post"}

	owner, err := connect(credentials.NewAccessKeyCredential(check.AccessKeyID, check.Secret))
	if err != nil {
		run.Check("clients can be made", func() error { return err })
		return
	}
	var (
		userCaller, sessionCaller *caller
		userPrincipal             principal
		keyID, roleID             string
	)
	sessionPrincipal := principal{"AssumedRoleUser", role + ":" + session}

	run.Check("GetCallerIdentity names the account's owner", func() error {
		return wantCaller(owner, "Account", "acs:ram::"+check.Account+":root", check.Account, check.Account, "")
	})

	run.Check("CreateUser makes a user, and GetUser shows it", func() error {
		request := ram.CreateCreateUserRequest()
		request.UserName = user
		request.DisplayName = "Zürich 北京"
		request.Comments = "made by an SDK"
		made, err := owner.ram.CreateUser(request)
		if err != nil {
			return err
		}
		get := ram.CreateGetUserRequest()
		get.UserName = user
		shown, err := owner.ram.GetUser(get)
		if err != nil {
			return err
		}
		userPrincipal = principal{"SubUser", made.User.UserId}
		want := made.User
		want.UpdateDate = want.CreateDate
		return check.All(
			check.Matches("UserId", made.User.UserId, `\d{16,18}`),
			check.Equal("UserName", made.User.UserName, user),
			check.Equal("DisplayName", made.User.DisplayName, "Zürich 北京"),
			check.Equal("Comments", made.User.Comments, "made by an SDK"),
			check.Matches("CreateDate", made.User.CreateDate, date),
			check.Equal("GetUser", shown.User, want),
		)
	})

	run.Check("ListUsers in pages of two gives each user once", func() error {
		request := ram.CreateListUsersRequest()
		request.MaxItems = requests.NewInteger(2)
		var names []string
		for pages := 1; ; pages++ {
			response, err := owner.ram.ListUsers(request)
			if err != nil {
				return err
			}
			for _, user := range response.Users.User {
				names = append(names, user.UserName)
			}
			if !response.IsTruncated {
				slices.Sort(names)
				return check.All(
					check.Equal("Marker of the last page", response.Marker, ""),
					check.Equal("pages", pages, 3),
					check.EqualList("users", names, []string{user, "disabled", "full", "no-pass", "reader"}),
				)
			}
			request = ram.CreateListUsersRequest()
			request.MaxItems = requests.NewInteger(2)
			request.Marker = response.Marker
		}
	})

	run.Check("CreateAccessKey makes a key, and GetCallerIdentity names its user", func() error {
		request := ram.CreateCreateAccessKeyRequest()
		request.UserName = user
		made, err := owner.ram.CreateAccessKey(request)
		if err != nil {
			return err
		}
		key := made.AccessKey
		keyID = key.AccessKeyId
		listRequest := ram.CreateListAccessKeysRequest()
		listRequest.UserName = user
		listed, err := owner.ram.ListAccessKeys(listRequest)
		if err != nil {
			return err
		}
		userCaller, err = connect(credentials.NewAccessKeyCredential(keyID, key.AccessKeySecret))
		if err != nil {
			return err
		}
		want := key
		want.AccessKeySecret = "" // shown once only
		return check.All(
			check.Matches("AccessKeyId", key.AccessKeyId, "LTAI[A-Za-z0-9]{20}"),
			check.Matches("AccessKeySecret", key.AccessKeySecret, "[A-Za-z0-9]{30}"),
			check.Equal("Status", key.Status, "Active"),
			check.True("ListAccessKeys shows the key", slices.Equal(listed.AccessKeys.AccessKey, []ram.AccessKey{want})),
			wantCaller(userCaller, "RAMUser", userARN, userPrincipal.name, userPrincipal.name, ""),
		)
	})

	run.Check("a user without policies is denied, and AccessDeniedDetail says why", func() error {
		_, err := userCaller.describeInstances()
		return wantDenial(err, ecsRefusal, implicit(userPrincipal, "ecs:DescribeInstances"))
	})

	run.Check("CreatePolicy and AttachPolicyToUser let the user call ECS", func() error {
		request := ram.CreateCreatePolicyRequest()
		request.PolicyName = policy
		request.PolicyDocument = userDocument
		made, err := owner.ram.CreatePolicy(request)
		if err != nil {
			return err
		}
		attach := ram.CreateAttachPolicyToUserRequest()
		attach.PolicyType = "Custom"
		attach.PolicyName = policy
		attach.UserName = user
		if _, err := owner.ram.AttachPolicyToUser(attach); err != nil {
			return err
		}
		listRequest := ram.CreateListPoliciesForUserRequest()
		listRequest.UserName = user
		attached, err := owner.ram.ListPoliciesForUser(listRequest)
		if err != nil {
			return err
		}
		get := ram.CreateGetPolicyRequest()
		get.PolicyType = "Custom"
		get.PolicyName = policy
		shown, err := owner.ram.GetPolicy(get)
		if err != nil {
			return err
		}
		return check.All(
			check.Equal("PolicyName", made.Policy.PolicyName, policy),
			check.Equal("PolicyType", made.Policy.PolicyType, "Custom"),
			check.Equal("DefaultVersion", made.Policy.DefaultVersion, "v1"),
			wantAttached(attached.Policies.Policy, "Custom", policy),
			check.Equal("AttachmentCount", shown.Policy.AttachmentCount, 1),
			check.Equal("PolicyDocument", shown.DefaultPolicyVersion.PolicyDocument, userDocument),
			wantInstances(userCaller),
		)
	})

	run.Check("AccessDeniedDetail tells an explicit Deny apart", func() error {
		detail := implicit(userPrincipal, "ecs:DetachInstanceRamRole")
		detail.kind = "ExplicitDeny"
		return wantDenial(userCaller.detach(), ecsRefusal, detail)
	})

	run.Check("RAM denies with NoPermission, which names the resource and the action", func() error {
		return wantDenial(userCaller.deleteUser(), ramRefusal("user/"+user, "ram:DeleteUser"),
			implicit(userPrincipal, "ram:DeleteUser"))
	})

	run.Check("CreateRole makes a role that trusts the user, and AttachPolicyToRole gives it a system policy", func() error {
		request := ram.CreateCreateRoleRequest()
		request.RoleName = role
		request.AssumeRolePolicyDocument = trustDocument
		made, err := owner.ram.CreateRole(request)
		if err != nil {
			return err
		}
		roleID = made.Role.RoleId
		attach := ram.CreateAttachPolicyToRoleRequest()
		attach.PolicyType = "System"
		attach.PolicyName = systemPolicy
		attach.RoleName = role
		if _, err := owner.ram.AttachPolicyToRole(attach); err != nil {
			return err
		}
		listRequest := ram.CreateListPoliciesForRoleRequest()
		listRequest.RoleName = role
		attached, err := owner.ram.ListPoliciesForRole(listRequest)
		if err != nil {
			return err
		}
		return check.All(
			check.Matches("RoleId", roleID, `\d{16,18}`),
			check.Equal("Arn", made.Role.Arn, roleARN),
			check.Equal("AssumeRolePolicyDocument", made.Role.AssumeRolePolicyDocument, trustDocument),
			check.Equal("MaxSessionDuration", made.Role.MaxSessionDuration, 3600),
			wantAttached(attached.Policies.Policy, "System", systemPolicy),
		)
	})

	run.Check("AssumeRole is refused to the account's owner", func() error {
		_, err := owner.assume(roleARN, "")
		return wantRefusal(err, refusal{"Sts", 403, "NoPermission", "Roles may not be assumed by root accounts."})
	})

	run.Check("AssumeRole is refused by the trust policy of a role that trusts somebody else", func() error {
		_, err := userCaller.assume("acs:ram::"+check.Account+":role/fc-role", "")
		detail := implicit(userPrincipal, "sts:AssumeRole")
		detail.policy = "AssumeRolePolicy"
		return wantDenial(err, stsRefusal, detail)
	})

	run.Check("AssumeRole gives temporary credentials, and GetCallerIdentity names the session", func() error {
		response, err := userCaller.assume(roleARN, "")
		if err != nil {
			return err
		}
		sessionCaller, err = connectSession(response.Credentials)
		if err != nil {
			return err
		}
		return check.All(
			check.Matches("AccessKeyId", response.Credentials.AccessKeyId, `STS\.[A-Za-z0-9]{20,}`),
			check.Matches("Expiration", response.Credentials.Expiration, date),
			check.Equal("AssumedRoleUser.Arn", response.AssumedRoleUser.Arn, roleARN+"/"+session),
			check.Equal("AssumedRoleId", response.AssumedRoleUser.AssumedRoleId, roleID+":"+session),
			wantCaller(sessionCaller, "AssumedRoleUser", sessionARN, roleID+":"+session, "", roleID),
		)
	})

	run.Check("the role session calls ECS", func() error {
		return wantInstances(sessionCaller)
	})

	run.Check("the role session may not pass a role, and AccessDeniedDetail names the session", func() error {
		return wantDenial(sessionCaller.detach(), passRoleRefusal, implicit(sessionPrincipal, "ram:PassRole"))
	})

	run.Check("a session policy narrows what the role may", func() error {
		response, err := userCaller.assume(roleARN, sessionDocument)
		if err != nil {
			return err
		}
		narrow, err := connectSession(response.Credentials)
		if err != nil {
			return err
		}
		if _, err := narrow.ecs.DescribeRegions(ecs.CreateDescribeRegionsRequest()); err != nil {
			return err
		}
		_, err = narrow.describeInstances()
		detail := implicit(sessionPrincipal, "ecs:DescribeInstances")
		detail.policy = "SessionPolicy"
		return wantDenial(err, ecsRefusal, detail)
	})

	run.Check("a user with a key, a policy that is attached and a role with a policy cannot be deleted", func() error {
		return check.All(
			wantRefusal(owner.deleteUser(), refusal{"Ram", 409, "DeleteConflict.User.AccessKey",
				"The user CAN NOT has any access key while deleting the user."}),
			wantRefusal(owner.deletePolicy(), refusal{"Ram", 409, "DeleteConflict.Policy.User",
				"The policy CAN NOT been attached to any user while deleting the policy."}),
			wantRefusal(owner.deleteRole(), refusal{"Ram", 409, "DeleteConflict.Role.Policy",
				"The role CAN NOT has any attached policy while deleting the role."}),
		)
	})

	run.Check("what was made is deleted, and neither the key nor the session is known any longer", func() error {
		fromRole := ram.CreateDetachPolicyFromRoleRequest()
		fromRole.PolicyType = "System"
		fromRole.PolicyName = systemPolicy
		fromRole.RoleName = role
		_, fromRoleErr := owner.ram.DetachPolicyFromRole(fromRole)
		deleteKey := ram.CreateDeleteAccessKeyRequest()
		deleteKey.UserName = user
		deleteKey.UserAccessKeyId = keyID
		_, deleteKeyErr := owner.ram.DeleteAccessKey(deleteKey)
		early := owner.deleteUser()
		fromUser := ram.CreateDetachPolicyFromUserRequest()
		fromUser.PolicyType = "Custom"
		fromUser.PolicyName = policy
		fromUser.UserName = user
		_, fromUserErr := owner.ram.DetachPolicyFromUser(fromUser)
		deleted := check.All(fromRoleErr, owner.deleteRole(), deleteKeyErr, fromUserErr, owner.deletePolicy(), owner.deleteUser())

		get := ram.CreateGetUserRequest()
		get.UserName = user
		_, getErr := owner.ram.GetUser(get)
		_, userErr := userCaller.sts.GetCallerIdentity(sts.CreateGetCallerIdentityRequest())
		_, sessionErr := sessionCaller.sts.GetCallerIdentity(sts.CreateGetCallerIdentityRequest())
		return check.All(
			deleted,
			wantRefusal(early, refusal{"Ram", 409, "DeleteConflict.User.Policy",
				"The user CAN NOT has any attached policy while deleting the user."}),
			wantRefusal(getErr, refusal{"Ram", 404, "EntityNotExist.User", "The user does not exist."}),
			wantRefusal(userErr, unknownKey),
			wantRefusal(sessionErr, unknownKey),
		)
	})
}
