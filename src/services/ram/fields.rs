//! The parameters that RAM actions share: their bounds, and the codes for what is outside of them.

use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::{Fault, PermissionPolicy, PolicyError, TrustPolicy, Use};
use crate::world::{ManagedPolicy, PolicyType, Role, RoleName, User, VersionId};

/// Whether a text has its form, and the code if not.
type Form = (fn(&str) -> bool, Code);

/// A text with bounds.
pub(super) struct Text {
    name: &'static str,
    form: Option<Form>,
    /// In characters.
    longest: Option<(usize, Code)>,
}

impl Text {
    /// `None` if it is absent or empty. Characters are looked at before the length (inferred).
    ///
    /// # Errors
    /// The codes of the bounds.
    pub(super) fn read(&self, params: &Params<'_>) -> Result<Option<String>, ApiError> {
        let Some(text) = params.optional(self.name) else { return Ok(None) };
        match (self.form, self.longest) {
            (Some((is_well_formed, code)), _) if !is_well_formed(text) => Err(code.into()),
            (_, Some((longest, code))) if text.chars().count() > longest => Err(code.into()),
            _ => Ok(Some(text.to_owned())),
        }
    }
}

/// The name of a role, user or policy.
pub(super) struct Name {
    pub(super) text: Text,
    missing: Code,
}

impl Name {
    /// # Errors
    /// That it is missing, or the codes of its bounds.
    pub(super) fn required(&self, params: &Params<'_>) -> Result<String, ApiError> {
        self.text.read(params)?.ok_or_else(|| self.missing.into())
    }
}

const ROLE_NAME_TEXT: Text = Text {
    name: "RoleName",
    form: Some((|name| name.chars().all(RoleName::takes), Code::RoleNameChars)),
    longest: Some((RoleName::LONGEST, Code::RoleNameLength)),
};

pub(super) static ROLE_NAME: Name = Name { text: ROLE_NAME_TEXT, missing: Code::MissingRoleName };

/// The name that CreateRole takes: seeds and look-ups know `_` from older texts, it does not (ram.md 3, documented).
pub(super) static NEW_ROLE_NAME: Name = Name {
    text: Text {
        form: Some((|name| name.chars().all(|c| RoleName::takes(c) && c != '_'), Code::RoleNameChars)),
        ..ROLE_NAME_TEXT
    },
    missing: Code::MissingRoleName,
};

pub(super) static USER_NAME: Name = Name {
    text: Text {
        name: "UserName",
        form: Some((|name| name.chars().all(User::name_takes), Code::UserNameChars)),
        longest: Some((User::LONGEST_NAME, Code::UserNameLength)),
    },
    missing: Code::MissingUserName,
};

pub(super) static POLICY_NAME: Name = Name {
    text: Text {
        name: "PolicyName",
        form: Some((|name| name.chars().all(ManagedPolicy::name_takes), Code::PolicyNameChars)),
        longest: Some((ManagedPolicy::LONGEST_NAME, Code::PolicyNameLength)),
    },
    missing: Code::MissingPolicyName,
};

pub(super) static DESCRIPTION: Text =
    Text { name: "Description", form: None, longest: Some((1024, Code::DescriptionLength)) };

pub(super) static NEW_DESCRIPTION: Text =
    Text { name: "NewDescription", form: None, longest: Some((1024, Code::NewDescriptionLength)) };

pub(super) static COMMENTS: Text = Text { name: "Comments", form: None, longest: Some((128, Code::CommentsLength)) };

/// Letters of any script and spaces beside the documented digits, `@`, `.`, `_` and `-` (inferred).
pub(super) static DISPLAY_NAME: Text = Text {
    name: "DisplayName",
    form: Some((
        |text| text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '@' | '.' | '_' | '-')),
        Code::DisplayNameChars,
    )),
    longest: Some((128, Code::DisplayNameLength)),
};

/// `<country>-<number>` (ram.md 4, documented); the length: inferred.
pub(super) static MOBILE_PHONE: Text = Text {
    name: "MobilePhone",
    form: Some((
        |text| {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            text.split_once('-').is_some_and(|(country, number)| is_number(country) && is_number(number))
        },
        Code::MobilePhoneFormat,
    )),
    longest: Some((128, Code::MobilePhoneFormat)),
};

/// One `@` between two texts without spaces, the second with a dot; the length (inferred).
pub(super) static EMAIL: Text = Text {
    name: "Email",
    form: Some((
        |text| {
            let no_space = !text.contains(char::is_whitespace);
            let parts = text.split_once('@').filter(|(user, host)| !user.is_empty() && !host.contains('@'));
            no_space
                && parts.is_some_and(|(_, host)| host.split('.').count() > 1 && host.split('.').all(|p| !p.is_empty()))
        },
        Code::EmailFormat,
    )),
    longest: Some((128, Code::EmailFormat)),
};

/// # Errors
/// `MissingPolicyType`, `InvalidParameter.PolicyType`.
pub(super) fn policy_type(params: &Params<'_>) -> Result<PolicyType, ApiError> {
    optional_policy_type(params)?.ok_or_else(|| Code::MissingPolicyType.into())
}

/// # Errors
/// `InvalidParameter.PolicyType`.
pub(super) fn optional_policy_type(params: &Params<'_>) -> Result<Option<PolicyType>, ApiError> {
    let text = params.optional("PolicyType");
    text.map(|text| PolicyType::parse(text).ok_or_else(|| Code::PolicyTypeIncorrect.into())).transpose()
}

/// # Errors
/// `MissingVersionId`, `InvalidParameter.VersionId.Format`.
pub(super) fn version_id(params: &Params<'_>) -> Result<VersionId, ApiError> {
    let text = params.optional("VersionId").ok_or(Code::MissingVersionId)?;
    VersionId::parse(text).ok_or_else(|| Code::VersionIdFormat.into())
}

/// # Errors
/// `MissingPolicyDocument`, `InvalidParameter.PolicyDocument.Length`, `MalformedPolicyDocument`.
pub(super) fn policy_document(params: &Params<'_>) -> Result<PermissionPolicy, ApiError> {
    let text = params.optional("PolicyDocument").ok_or(Code::MissingPolicyDocument)?;
    PermissionPolicy::parse(text, Use::Identity).map_err(|error| refused(&error, Code::PolicyDocumentLength))
}

/// A trust policy; `None` if it is absent or empty.
///
/// # Errors
/// `too_long`, `MalformedPolicyDocument`.
pub(super) fn trust_document(params: &Params<'_>, name: &str, too_long: Code) -> Result<Option<TrustPolicy>, ApiError> {
    let parsed = params.optional(name).map(TrustPolicy::parse).transpose();
    parsed.map_err(|error| refused(&error, too_long))
}

fn refused(error: &PolicyError, too_long: Code) -> ApiError {
    match error.fault {
        Fault::Length => too_long.into(),
        Fault::Grammar => Code::MalformedPolicyDocument.about(error),
    }
}

/// A whole number of seconds within [`Role::SESSION_SECONDS`]; `None` if it is absent.
///
/// # Errors
/// `incorrect`.
pub(super) fn session_seconds(params: &Params<'_>, name: &str, incorrect: Code) -> Result<Option<u32>, ApiError> {
    let bounds = Role::SESSION_SECONDS;
    let read = params.optional(name).map(|_| params.integer(name, bounds, 0)).transpose();
    read.map_err(|_| incorrect.into())
}

/// A boolean; `None` if it is absent.
///
/// # Errors
/// `incorrect`.
pub(super) fn flag(params: &Params<'_>, name: &str, incorrect: Code) -> Result<Option<bool>, ApiError> {
    params.optional(name).map(|_| params.flag(name)).transpose().map_err(|_| incorrect.into())
}
