//! The closed table of error codes: what each one looks like on the wire, and why we believe so.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::permission::Denial;
use crate::world::chaos::InjectedError;

/// How well a fact about the real service is known (docs/spec/README.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A vendor page or vendor metadata says it.
    Documented,
    /// A real answer was pasted in public.
    Recorded,
    /// A well-used client relies on it.
    Client,
    /// Our conclusion, without direct evidence.
    Inferred,
}

impl Evidence {
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Recorded => "recorded",
            Self::Client => "client",
            Self::Inferred => "inferred",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub status: u16,
    /// The code on the wire. Two rows may share one: its text differs by action.
    pub wire: &'static str,
    /// The standard text; `{}` stands for a parameter's name or the like.
    pub text: &'static str,
    pub evidence: Evidence,
    pub source: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = ($status:literal, $wire:literal, $text:literal, $evidence:ident, $source:literal);)*) => {
        /// Why a call is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            pub const fn row(self) -> Row {
                match self {
                    $(Self::$code => Row {
                        status: $status,
                        wire: $wire,
                        text: $text,
                        evidence: Evidence::$evidence,
                        source: $source,
                    },)*
                }
            }
        }
    };
}

codes! {
    // The gateway's own limits (decision 24).
    BodyTooLarge = (413, "RequestEntityTooLarge", "The request body is larger than {} bytes.", Inferred, "decisions.md 24");
    HeadersTooLarge = (431, "RequestHeaderFieldsTooLarge", "The request line and headers are larger than {} bytes.", Inferred, "decisions.md 24");
    TooSlow = (408, "RequestTimeout", "The request did not arrive in time.", Inferred, "decisions.md 24");

    // Namespaces (design/conventions.md 2); the vendor has none.
    InvalidNamespace = (400, "InvalidNamespace.Malformed", "A namespace is 1 to 63 letters, digits, '-', '_' or '.', the first no '.'.", Inferred, "decisions.md 24 (ecsim's own)");
    NamespaceMismatch = (400, "InvalidNamespace.Mismatch", "The AccessKeyId and each header x-ecsim-namespace have to name one namespace.", Inferred, "decisions.md 24 (ecsim's own)");
    NamespaceNotFound = (404, "InvalidNamespace.NotFound", "There is no namespace {}, and a web page makes none.", Inferred, "decisions.md 24 (ecsim's own)");
    TooManyNamespaces = (400, "QuotaExceeded.Namespace", "There are {} namespaces already; DELETE /_ecsim/namespaces/NAME makes room.", Inferred, "decisions.md 24 (ecsim's own)");

    // What the gateway checks for every product (protocol.md 11.2).
    MalformedEncoding = (400, "RequestParameterMalformed", "Request parameters has malformed encoded characters.", Recorded, "protocol.md 11.2, S24");
    UnsupportedMethod = (403, "UnsupportedHTTPMethod", "This http method is not supported.", Documented, "protocol.md 11.2, S4");
    InvalidFormat = (400, "InvalidParameter.Format", "Specified parameter format is not valid.", Documented, "protocol.md 11.2, S5");
    InvalidAccept = (400, "InvalidParameter.Accept", "Specified parameter accept is not valid.", Documented, "protocol.md 11.2, S5");
    ActionNotFound = (404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.", Recorded, "protocol.md 11.2, S9, S30, S31");
    NotEmulated = (400, "UnsupportedOperation.NotEmulated", "The vendor has the action {}, ecsim does not. GET /_ecsim/coverage lists what it has.", Inferred, "decisions.md 18");
    InvalidVersion = (400, "InvalidVersion", "Specified parameter Version is not valid.", Recorded, "protocol.md 11.2");
    MissingVersion = (400, "MissingVersion", "Version is mandatory for this action.", Inferred, "protocol.md 11.2");
    MissingAccessKeyId = (400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.", Recorded, "protocol.md 11.2, S33, S34");
    MissingSignature = (400, "MissingSignature", "Signature is mandatory for this action.", Recorded, "protocol.md 11.2");
    MissingSignatureMethod = (400, "MissingSignatureMethod", "SignatureMethod is mandatory for this action.", Inferred, "protocol.md 11.2");
    MissingSignatureVersion = (400, "MissingSignatureVersion", "SignatureVersion is mandatory for this action.", Inferred, "protocol.md 11.2");
    MissingSignatureNonce = (400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action.", Inferred, "protocol.md 11.2");
    MissingTimestamp = (400, "MissingTimestamp", "Timestamp is mandatory for this action.", Inferred, "protocol.md 11.2");
    AccessKeyNotFound = (404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.", Recorded, "protocol.md 11.2 (not on ECS)");
    AccessKeyInactive = (400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.", Recorded, "protocol.md 11.2, S21");
    TimestampFormat = (400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.", Documented, "protocol.md 11.2, S5");
    TimestampExpired = (400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", Recorded, "protocol.md 11.2, S25");
    InvalidSignatureMethod = (400, "InvalidSignatureMethod", "Specified signature method is not valid.", Documented, "protocol.md 11.2, S5");
    InvalidBearerToken = (403, "InvalidBearerToken", "Specified bearer token is not valid. ecsim does not take bearer tokens.", Inferred, "protocol.md 7.2");
    SignatureMismatchV1 = (400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:{}", Recorded, "protocol.md 11.2, S39, S40");
    SignatureMismatchAcs3 = (400, "SignatureDoesNotMatch", "Specified signature does not match our calculation. server StringToSign is [{}] server CanonicalRequest is [{}]", Recorded, "protocol.md 11.2, S22, S34; status inferred");
    SignatureIncomplete = (400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.", Documented, "protocol.md 11.2, S1, S4");
    NonceUsed = (400, "SignatureNonceUsed", "Specified signature nonce was used already.", Recorded, "protocol.md 11.2, S29");
    MissingSecurityToken = (400, "MissingSecurityToken", "SecurityToken is mandatory for this action.", Recorded, "protocol.md 11.2, S32");
    TokenExpired = (400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.", Documented, "protocol.md 11.2, S21");
    TokenMalformed = (400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.", Documented, "protocol.md 11.2, S21");
    TokenMismatch = (400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.", Documented, "protocol.md 11.2, S21");
    Internal = (500, "InternalError", "The request processing has failed due to some unknown error, exception or failure.", Documented, "protocol.md 11.2, S4");

    // Only where somebody has asked for it: faults and limits under /_ecsim/chaos.
    Throttling = (400, "Throttling", "Request was denied due to request throttling.", Recorded, "protocol.md 11.2");
    ThrottlingUser = (400, "Throttling.User", "Request was denied due to user flow control.", Documented, "protocol.md 11.2; sts.md 2");
    ThrottlingApi = (400, "Throttling.Api", "Request was denied due to api flow control.", Documented, "protocol.md 11.2, S5");
    ServiceUnavailable = (503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.", Documented, "ecs-instance-ram-role.md 7; protocol.md 11.2, S4");

    // What ECS answers instead, to V1 signatures (protocol.md 11.1).
    EcsSignatureMismatch = (400, "IncompleteSignature", "The request signature does not conform to Aliyun standards. server string to sign is:{}", Recorded, "protocol.md 11.1, S41");
    EcsIllegalTimestamp = (400, "IllegalTimestamp", "The input parameter \"Timestamp\" that is mandatory for processing this request is not supplied.", Recorded, "protocol.md 11.1, S41, S43");

    // What products check (ecs-instance-ram-role.md, ecs-supporting.md).
    MissingParameter = (400, "MissingParameter", "The input parameter \"{}\" that is mandatory for processing this request is not supplied.", Recorded, "ecs-instance-ram-role.md 5.7; protocol.md 11.1, S44");
    InvalidParameter = (400, "InvalidParameter", "The specified parameter \"{}\" is not valid.", Recorded, "ecs-supporting.md 3; protocol.md 11.1, S45");
    RegionNotFound = (404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.", Documented, "ecs-instance-ram-role.md 7, D4");
    InstanceIdsMalformed = (400, "InvalidInstanceIds.Malformed", "The specified instanceIds are not valid.", Documented, "ecs-instance-ram-role.md 7, D3 (triggers inferred)");
    /// The three role actions write a small `i`.
    RoleInstanceNotFound = (404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist.", Documented, "ecs-instance-ram-role.md 7, D5; decisions.md 15");
    InstanceNotFound = (404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", Documented, "ecs-supporting.md 3");
    MetadataInstanceNotFound = (404, "InvalidInstanceId.NotFound", "The specified InstanceId is not found.", Documented, "imds.md 1");
    RoleNotFound = (404, "InvalidRamRole.NotFound", "The specified RAMRoleName does not exist.", Documented, "ecs-instance-ram-role.md 7, A5");
    RoleNotForEcs = (404, "InvalidRamRole.NotEcsRole", "The specified ram role is not authorized for ecs, please check your role policy.", Documented, "ecs-instance-ram-role.md 7, A6");
    PassRoleForbidden = (403, "InvalidUser.PassRoleForbidden", "The RAM user does not have the privilege to pass a RAM role.", Documented, "ecs-instance-ram-role.md 7, D12, A10");
    ForbiddenRam = (403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM.", Recorded, "ecs-instance-ram-role.md 7, D11");
    ClassicNetwork = (403, "InvalidNetworkType.MismatchRamRole", "Ram role cannot be applied to instances of Classic network type.", Documented, "ecs-instance-ram-role.md 7, D10");
    OtherRoleAttached = (403, "InvalidInstanceRamRole.NotSupport", "The specified instance already has an instance RAM role.", Inferred, "decisions.md 7");
    AllFiltersEmpty = (403, "InvalidParameter.AllEmpty", "The specified parameters InstanceIds and RamRoleName can not be all empty.", Documented, "ecs-instance-ram-role.md 7, S2 (text inferred)");
    StatusNotFound = (404, "InvalidStatus.NotFound", "The specified Status is not found", Documented, "ecs-supporting.md 4");
    NetworkTypeNotFound = (404, "InvalidNetworkType.NotFound", "The specified InstanceNetworkType is not found", Documented, "ecs-supporting.md 4");
    ChargeTypeNotFound = (404, "InvalidInstanceChargeType.NotFound", "The InstanceChargeType does not exist in our records", Documented, "ecs-supporting.md 4");
    TagMismatch = (400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match.", Documented, "ecs-supporting.md 4");
    TagCount = (400, "InvalidTagCount", "The specified tags are beyond the permitted range.", Documented, "ecs-supporting.md 4");
    DryRunPassed = (400, "DryRunOperation", "Request validation has been passed with DryRun flag set.", Documented, "ecs-supporting.md 3");
    TooManyInstanceIds = (403, "InvalidParameter.TooManyInstanceIds", "Instance ids cannot be more than 100.", Documented, "ecs-supporting.md 5");
    BatchIdsMalformed = (403, "Abs.InvalidInstanceIds.MalFormed", "The specified instanceIds is not valid.", Documented, "ecs-supporting.md 5");
    ZoneNotFound = (404, "InvalidZoneId.NotFound", "The ZoneId provided does not exist in our records.", Documented, "ecs-supporting.md 5");
    LanguageNotFound = (404, "InvalidAcceptLanguage.NotFound", "Only Chinese (zh-CN), English (en-US), and Japanese (ja) are allowed.", Documented, "ecs-supporting.md 11");
    ResourceTypeNotFound = (404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records.", Documented, "ecs-supporting.md 11");
    HttpEndpointNotSupported = (400, "InvalidHttpEndpoint.NotSupported", "The specified HttpEndpoint not supported, you can use enabled(default) or disabled.", Documented, "imds.md 1");
    HttpTokensNotSupported = (400, "InvalidHttpTokens.NotSupported", "The specified HttpTokens not supported, you can use optional(default) or required.", Documented, "imds.md 1");
    HopLimitNotSupported = (400, "InvalidHttpPutResponseHopLimit.NotSupported", "The specified HttpPutResponseHopLimit not supported, more than 1 and less than 64 is reasonable.", Documented, "imds.md 1");
    MetadataTagsNotSupported = (400, "InvalidInstanceMetadataTags.NotSupported", "The specified InstanceMetadataTags not supported.", Documented, "imds.md 1 (trigger inferred)");
    SpotStrategyInvalid = (400, "InvalidSpotStrategy", "The specified SpotStrategy is not valid.", Documented, "ecs-supporting.md 12");

    // What RAM checks (ram.md 3 and 4).
    MissingRoleName = (400, "MissingRoleName", "RoleName is mandatory for this action.", Inferred, "ram.md 1");
    MissingAssumeRolePolicyDocument = (400, "MissingAssumeRolePolicyDocument", "AssumeRolePolicyDocument is mandatory for this action.", Inferred, "ram.md 1");
    MissingPolicyName = (400, "MissingPolicyName", "PolicyName is mandatory for this action.", Inferred, "ram.md 1");
    MissingPolicyType = (400, "MissingPolicyType", "PolicyType is mandatory for this action.", Inferred, "ram.md 1");
    MissingPolicyDocument = (400, "MissingPolicyDocument", "PolicyDocument is mandatory for this action.", Inferred, "ram.md 1");
    MissingVersionId = (400, "MissingVersionId", "VersionId is mandatory for this action.", Inferred, "ram.md 1");
    MissingNewDescription = (400, "MissingNewDescription", "NewDescription is mandatory for this action.", Inferred, "ram.md 1");
    MissingUserName = (400, "MissingUserName", "UserName is mandatory for this action.", Inferred, "ram.md 1");
    MissingUserAccessKeyId = (400, "MissingUserAccessKeyId", "UserAccessKeyId is mandatory for this action.", Inferred, "ram.md 1");
    MissingStatus = (400, "MissingStatus", "Status is mandatory for this action.", Inferred, "ram.md 1");
    MissingResourceType = (400, "MissingResourceType", "ResourceType is mandatory for this action.", Inferred, "ram.md 1");
    MissingResourceNames = (400, "MissingResourceNames", "ResourceNames is mandatory for this action.", Inferred, "ram.md 1");
    MissingTag = (400, "MissingTag", "Tag is mandatory for this action.", Inferred, "ram.md 1");
    MissingTagKeys = (400, "MissingTagKeys", "TagKeys is mandatory for this action.", Inferred, "ram.md 1");
    RoleNameChars = (400, "InvalidParameter.RoleName.InvalidChars", "The parameter - \"RoleName\" contains invalid chars.", Documented, "ram.md 3");
    RoleNameLength = (400, "InvalidParameter.RoleName.Length", "The parameter - \"RoleName\" beyond the length limit.", Documented, "ram.md 3");
    AssumeRolePolicyDocumentLength = (400, "InvalidParameter.AssumeRolePolicyDocument.Length", "The parameter - \"AssumeRolePolicyDocument\" beyond the length limit.", Documented, "ram.md 3");
    NewAssumeRolePolicyDocumentLength = (400, "InvalidParameter.NewAssumeRolePolicyDocument.Length", "The parameter - \"NewAssumeRolePolicyDocument\" beyond the length limit.", Documented, "ram.md 3");
    DescriptionLength = (400, "InvalidParameter.Description.Length", "The parameter - \"Description\" beyond the length limit.", Documented, "ram.md 3");
    NewDescriptionLength = (400, "InvalidParameter.NewDescription.Length", "The parameter - \"NewDescription\" beyond the length limit.", Inferred, "ram.md 3 (pattern)");
    MaxSessionDurationIncorrect = (400, "InvalidParameter.MaxSessionDuration", "The parameter - \"MaxSessionDuration\" is incorrect.", Inferred, "ram.md 3");
    NewMaxSessionDurationIncorrect = (400, "InvalidParameter.NewMaxSessionDuration", "The parameter - \"NewMaxSessionDuration\" is incorrect.", Inferred, "ram.md 3");
    MalformedPolicyDocument = (400, "MalformedPolicyDocument", "The policy document is invalid. {}", Recorded, "ram.md 3");
    PolicyNameChars = (400, "InvalidParameter.PolicyName.InvalidChars", "The parameter - \"PolicyName\" contains invalid chars.", Documented, "ram.md 4");
    PolicyNameLength = (400, "InvalidParameter.PolicyName.Length", "The parameter - \"PolicyName\" beyond the length limit.", Documented, "ram.md 4");
    PolicyDocumentLength = (400, "InvalidParameter.PolicyDocument.Length", "The parameter - \"PolicyDocument\" beyond the length limit.", Documented, "ram.md 4");
    PolicyTypeIncorrect = (400, "InvalidParameter.PolicyType", "The parameter - \"PolicyType\" is incorrect.", Documented, "ram.md 3");
    VersionIdFormat = (400, "InvalidParameter.VersionId.Format", "The format of the parameter - \"VersionId\" is incorrect.", Documented, "ram.md D-ERR");
    UserNameChars = (400, "InvalidParameter.UserName.InvalidChars", "The parameter - \"UserName\" contains invalid chars.", Documented, "ram.md 4");
    UserNameLength = (400, "InvalidParameter.UserName.Length", "The parameter - \"UserName\" beyond the length limit.", Documented, "ram.md 4");
    DisplayNameChars = (400, "InvalidParameter.DisplayName.InvalidChars", "The parameter - \"DisplayName\" contains invalid chars.", Documented, "ram.md 4");
    DisplayNameLength = (400, "InvalidParameter.DisplayName.Length", "The parameter - \"DisplayName\" beyond the length limit.", Documented, "ram.md 4");
    CommentsLength = (400, "InvalidParameter.Comments.Length", "The parameter - \"Comments\" beyond the length limit.", Documented, "ram.md 4");
    MobilePhoneFormat = (400, "InvalidParameter.MobilePhone.Format", "The format of the parameter - \"MobilePhone\" is incorrect.", Documented, "ram.md 4");
    EmailFormat = (400, "InvalidParameter.Email.Format", "The format of the parameter - \"Email\" is incorrect.", Documented, "ram.md 4");
    StatusIncorrect = (400, "InvalidParameter.Status", "The parameter - \"Status\" is incorrect.", Inferred, "ram.md 4");
    MaxItemsIncorrect = (400, "InvalidParameter.MaxItems", "The parameter - \"MaxItems\" is incorrect.", Inferred, "ram.md 8");
    MarkerIncorrect = (400, "InvalidParameter.Marker", "The parameter - \"Marker\" is incorrect.", Inferred, "ram.md 8");
    PageSizeIncorrect = (400, "InvalidParameter.PageSize", "The parameter - \"PageSize\" is incorrect.", Inferred, "ram.md 8");
    NextTokenIncorrect = (400, "InvalidParameter.NextToken", "The parameter - \"NextToken\" is incorrect.", Inferred, "ram.md 8");
    TagIncorrect = (400, "InvalidParameter.Tag", "The parameter - \"Tag\" is incorrect.", Inferred, "ram.md 8");
    TagKeysIncorrect = (400, "InvalidParameter.TagKeys", "The parameter - \"TagKeys\" is incorrect.", Inferred, "ram.md 8");
    AllIncorrect = (400, "InvalidParameter.All", "The parameter - \"All\" is incorrect.", Inferred, "ram.md 8");
    ResourceTypeIncorrect = (400, "InvalidParameter.ResourceType", "The parameter - \"ResourceType\" is incorrect.", Inferred, "ram.md 8");
    ResourceNamesIncorrect = (400, "InvalidParameter.ResourceNames", "The parameter - \"ResourceNames\" is incorrect.", Inferred, "ram.md 8");
    CascadingDeleteIncorrect = (400, "InvalidParameter.CascadingDelete", "The parameter - \"CascadingDelete\" is incorrect.", Inferred, "ram.md 8");
    SetAsDefaultIncorrect = (400, "InvalidParameter.SetAsDefault", "The parameter - \"SetAsDefault\" is incorrect.", Inferred, "ram.md 8");
    RotateStrategyIncorrect = (400, "InvalidParameter.RotateStrategy", "The parameter - \"RotateStrategy\" is incorrect.", Inferred, "ram.md 8");
    AllowConsoleLoginIncorrect = (400, "InvalidParameter.AllowConsoleLogin", "The parameter - \"AllowConsoleLogin\" is incorrect.", Inferred, "ram.md 8");
    NewAllowConsoleLoginIncorrect = (400, "InvalidParameter.NewAllowConsoleLogin", "The parameter - \"NewAllowConsoleLogin\" is incorrect.", Inferred, "ram.md 8");
    RamRoleNotFound = (404, "EntityNotExist.Role", "The role not exists: {}.", Recorded, "ram.md 3 (of whom: inferred)");
    UserNotFound = (404, "EntityNotExist.User", "The user does not exist.", Documented, "ram.md 4");
    UserAccessKeyNotFound = (404, "EntityNotExist.User.AccessKey", "The user access key does not exist.", Documented, "ram.md 4");
    PolicyNotFound = (404, "EntityNotExist.Policy", "The policy does not exist.", Documented, "ram.md 4");
    PolicyVersionNotFound = (404, "EntityNotExist.Policy.Version", "The policy version does not exist.", Documented, "ram.md 4");
    RolePolicyNotFound = (404, "EntityNotExist.Role.Policy", "The indicate policy attached to the role does not exist.", Client, "ram.md 3 (status and text inferred)");
    UserPolicyNotFound = (404, "EntityNotExist.User.Policy", "The indicate policy of the user does not exist.", Documented, "ram.md 4");
    RoleExists = (409, "EntityAlreadyExists.Role", "The role does already EXIST.", Documented, "ram.md 3");
    RoleHasPolicy = (409, "EntityAlreadyExists.Role.Policy", "The role has already been attached this policy.", Recorded, "ram.md 3 (status and text inferred)");
    UserExists = (409, "EntityAlreadyExists.User", "The user does already EXIST.", Documented, "ram.md 4");
    UserHasPolicy = (409, "EntityAlreadyExists.User.Policy", "The user has already been attached this policy.", Documented, "ram.md 4");
    /// The vendor prints `group`.
    PolicyExists = (409, "EntityAlreadyExists.Policy", "The group does already EXIST.", Documented, "ram.md 4");
    RoleKeepsPolicy = (409, "DeleteConflict.Role.Policy", "The role CAN NOT has any attached policy while deleting the role.", Documented, "ram.md 3");
    UserKeepsAccessKey = (409, "DeleteConflict.User.AccessKey", "The user CAN NOT has any access key while deleting the user.", Documented, "ram.md 4");
    UserKeepsPolicy = (409, "DeleteConflict.User.Policy", "The user CAN NOT has any attached policy while deleting the user.", Documented, "ram.md 4");
    PolicyOnUser = (409, "DeleteConflict.Policy.User", "The policy CAN NOT been attached to any user while deleting the policy.", Documented, "ram.md 4");
    PolicyOnRole = (409, "DeleteConflict.Policy.Role", "The policy cannot be attached to any role when you delete it.", Inferred, "ram.md 4");
    PolicyKeepsVersion = (409, "DeleteConflict.Policy.Version", "The policy CAN NOT has any version except the default version.", Documented, "ram.md 4");
    PolicyVersionIsDefault = (409, "DeleteConflict.Policy.Version.Default", "The default policy version CAN NOT been deleted directly.", Documented, "ram.md D-ERR");
    TooManyRoles = (409, "LimitExceeded.Role", "The count of roles beyond the current limits.", Documented, "ram.md 3");
    TooManyRolePolicies = (409, "LimitExceeded.Role.Policy", "The count of policies attached to the role beyond the current limits.", Documented, "ram.md 3");
    TooManyUsers = (409, "LimitExceeded.User", "The count of users beyond the current limits.", Documented, "ram.md 4");
    TooManyAccessKeys = (409, "LimitExceeded.User.AccessKey", "The access key count of the user access keys beyond the current limits.", Documented, "ram.md 4");
    TooManyUserPolicies = (409, "LimitExceeded.User.Policy", "The policy count of the user attached policies beyond the current limits.", Documented, "ram.md 4");
    TooManyPolicies = (409, "LimitExceeded.Policy", "The count of policy beyond the current limits.", Documented, "ram.md 4");
    TooManyPolicyVersions = (409, "LimitExceeded.Policy.Version", "The count of policy version beyond the current limits.", Documented, "ram.md D-ERR");
    TooManyTags = (409, "LimitExceeded.Tag", "The count of tags beyond the current limits.", Inferred, "ram.md 3 (pattern)");

    // RAM and STS (ram.md, sts.md).
    NoPermission = (403, "NoPermission", "You are not authorized to do this action. Resource: {} Action: {}", Recorded, "ram.md 6");
    StsNoPermission = (403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM.", Documented, "sts.md 4");
    OwnerAssumesRole = (403, "NoPermission", "Roles may not be assumed by root accounts.", Documented, "sts.md 4 (status inferred)");
    MissingRoleArn = (400, "MissingRoleArn", "RoleArn is mandatory for this action.", Documented, "sts.md 2 (pattern)");
    MissingRoleSessionName = (400, "MissingRoleSessionName", "RoleSessionName is mandatory for this action.", Documented, "sts.md 2 (pattern)");
    RoleArnInvalid = (400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.", Documented, "sts.md 4");
    RoleSessionNameInvalid = (400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.", Documented, "sts.md 4");
    DurationSecondsInvalid = (400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.", Documented, "sts.md 4");
    PolicyGrammarInvalid = (400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check.", Documented, "sts.md 4");
    PolicySizeInvalid = (400, "InvalidParameter.PolicySize", "The size of Policy must be smaller than 1024 bytes.", Documented, "sts.md 4 (text of an older limit)");
    ExternalIdInvalid = (400, "InvalidParameter.ExternalId", "The parameter ExternalId is wrongly formed.", Inferred, "sts.md 4");
    SourceIdentityInvalid = (400, "InvalidParameter.SourceIdentity", "The parameter SourceIdentity is wrongly formed.", Inferred, "sts.md 4");
    AssumedRoleNotFound = (404, "EntityNotExist.Role", "The role not exists: {}", Recorded, "sts.md 4");
    RamInternal = (500, "InternalError", "An internal error occurred.", Documented, "ram.md 4");
    StsInternal = (500, "InternalError", "STS Server Internal Error happened.", Documented, "sts.md 4");

    // Location.
    LocationRegion = (404, "InvalidRegionId", "The specified region does not exist.", Client, "protocol.md 13.1 (status inferred)");
    LocationParameter = (400, "Illegal Parameter", "Please check the parameters", Client, "protocol.md 13.1 (status inferred)");
}

impl Code {
    /// The code with its standard text about `what`: the name of a parameter, or what the text echoes.
    pub fn about(self, what: impl fmt::Display) -> ApiError {
        self.with(self.row().text.replacen("{}", &what.to_string(), 1))
    }

    /// The code with a text of its own.
    pub fn with(self, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError { code: self, message: message.into(), denial: None, injected: None, facts: Vec::new() }
    }

    /// The code as what becomes of a denial; its text may have places for the resource and the action.
    pub fn denying(self, denial: Denial) -> ApiError {
        let text = self.row().text;
        let message = match text.split_once("{}") {
            None => Cow::Borrowed(text),
            Some((start, rest)) => {
                let rest = rest.replacen("{}", denial.action, 1);
                Cow::Owned(format!("{start}{}{rest}", denial.resource))
            }
        };
        ApiError { code: self, message, denial: Some(Box::new(denial)), injected: None, facts: Vec::new() }
    }
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", self.wire())]
pub struct ApiError {
    /// What it is, unless it is injected: then `ServiceUnavailable`, whatever it says on the wire.
    pub code: Code,
    /// What the caller reads.
    pub message: Cow<'static, str>,
    /// The permission that was missing, and why.
    pub denial: Option<Box<Denial>>,
    /// What was compared, by name: for who asks afterwards why the call was refused. No answer has it, and no secret
    /// is in it.
    pub facts: Facts,
    /// What a fault or a limit has it be.
    pub injected: Option<Arc<InjectedError>>,
}

/// Names and values that a refusal rests on; of most, there are none.
pub type Facts = Vec<(&'static str, String)>;

impl ApiError {
    /// The same with what was compared.
    #[must_use]
    pub fn because(mut self, facts: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.facts.extend(facts);
        self
    }

    /// An error that somebody has asked for.
    pub fn injected(error: &Arc<InjectedError>) -> Self {
        let injected = Some(Arc::clone(error));
        Self { injected, ..Code::ServiceUnavailable.with(error.message.clone().into_string()) }
    }

    /// Whether somebody has asked for it.
    pub fn is_injected(&self) -> bool {
        self.injected.is_some()
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        self.injected.as_ref().map_or(self.code.row().status, |injected| injected.status)
    }

    /// The code on the wire.
    pub fn wire(&self) -> &str {
        self.injected.as_ref().map_or(self.code.row().wire, |injected| &injected.code)
    }

    /// The message as far as a log may hold it: what was signed has the caller's security token in it.
    pub fn loggable(&self) -> &str {
        match self.code {
            Code::SignatureMismatchV1 | Code::SignatureMismatchAcs3 | Code::EcsSignatureMismatch => {
                self.code.row().text
            }
            _ => &self.message,
        }
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        debug_assert!(!code.row().text.contains("{}"), "{code:?} needs a text about something");
        code.with(code.row().text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Namespace;

    #[test]
    fn no_code_is_empty_or_holds_what_json_xml_or_urls_would_escape() {
        for row in Code::ALL.iter().map(|code| code.row()) {
            assert!(
                !row.wire.is_empty() && row.wire.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b' ')
            );
            assert!((400..=599).contains(&row.status), "{}", row.wire);
        }
    }

    #[test]
    fn the_row_and_the_page_say_of_the_name_of_a_namespace_what_the_parser_does() {
        assert!(Code::InvalidNamespace.row().text.contains(Namespace::FORM));
        assert!(include_str!("../../README.md").replace('`', "'").contains(Namespace::FORM));
    }

    #[test]
    fn only_a_failure_of_ours_or_one_that_is_asked_for_is_a_5xx_because_clients_retry_those() {
        let server = Code::ALL.iter().filter(|code| code.row().status >= 500).collect::<Vec<_>>();
        assert_eq!(server, [&Code::Internal, &Code::ServiceUnavailable, &Code::RamInternal, &Code::StsInternal]);
    }

    #[test]
    fn a_text_that_echoes_braces_is_left_as_it_is() {
        assert_eq!(Code::InvalidParameter.about("{}").message, "The specified parameter \"{}\" is not valid.");
    }
}
