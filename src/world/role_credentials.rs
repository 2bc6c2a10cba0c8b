//! The credentials that an instance gets for its role.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{
    AccountId, Attachment, Credentials, Ids, InstanceId, KeyOwner, Role, RoleName, RoleSession, Standing, World,
};
use crate::policy::{Context, Layer, PermissionPolicy, key};

/// The service that instances take roles as: what trust policies name and `ram:PassRole` is asked for
/// (ecs-instance-ram-role.md 5.9; ram.md 7).
pub const ECS_SERVICE: &str = "ecs.aliyuncs.com";

/// How long credentials of an instance live, unless it is set (imds.md 4, documented: two samples).
pub const CREDENTIAL_LIFETIME: SignedDuration = SignedDuration::from_hours(6);

/// What the metadata service hands out for an attached role, until it hands out the next.
pub struct RoleCredentials {
    pub credentials: Credentials,
    /// To the second, as it is shown; so is the end.
    pub issued: Timestamp,
    pub expires: Timestamp,
}

impl fmt::Debug for RoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleCredentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl RoleCredentials {
    /// The next ones come half an hour before the end of six hours (imds.md 4, documented); of other lifetimes the
    /// same twelfth, so that a short one is not over before it begins (inferred).
    /// A clock that has gone back makes them due as well (inferred).
    fn are_due(&self, now: Timestamp) -> bool {
        now < self.issued || self.expires.duration_since(now) <= self.expires.duration_since(self.issued) / 12
    }
}

impl World {
    /// The credentials of a role on an instance of an account, if they are neither due nor ended.
    pub fn role_credentials(
        &self,
        account: AccountId,
        attachment: &Attachment,
        now: Timestamp,
    ) -> Option<RoleCredentials> {
        self.assumable_role(account, &attachment.role, now)?;
        let id = attachment.key_id.as_deref()?;
        // Who deletes the role ends its sessions; so may the bound of sessions.
        let key = self.key(id)?;
        let token = key.token.as_ref()?;
        let credentials = Credentials {
            access_key_id: id.to_owned(),
            access_key_secret: key.secret.expose().to_owned(),
            security_token: token.value.to_string(),
        };
        let current = RoleCredentials { credentials, issued: key.created, expires: token.expires };
        (!current.are_due(now)).then_some(current)
    }

    /// The same of what was shown of an instance; new ones where they are due. `None` if this role is there no more, or if
    /// it is deleted or does not trust ECS any more.
    pub fn renew_role_credentials(
        &mut self,
        ids: &Ids,
        now: Timestamp,
        id: &InstanceId,
        (role_name, standing): (&RoleName, Standing),
        lifetime: SignedDuration,
    ) -> Option<RoleCredentials> {
        let account = self.instance(id.as_str())?.account;
        let attachment = self.attachment_at(id.as_str(), standing);
        let attachment = attachment.filter(|attached| attached.role.as_str() == role_name.as_str())?;
        if let Some(current) = self.role_credentials(account, attachment, now) {
            return Some(current);
        }
        let role = self.assumable_role(account, role_name, now)?;
        let policy = match attachment.policy.as_deref() {
            Some(text) => Some((Layer::Attachment, PermissionPolicy::attached(text).ok()?)),
            None => None,
        };
        let session = RoleSession {
            role: role.id(),
            role_name: role.name().clone(),
            name: RoleSession::name_on(id),
            instance: Some(id.clone()),
            policy,
        };
        let issued = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let expires = issued.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let credentials = self.open_session(ids, issued, account, session, expires);
        self.attachment_mut(id.as_str(), standing)?.key_id = Some(credentials.access_key_id.as_str().into());
        Some(RoleCredentials { credentials, issued, expires })
    }

    /// Whether a key is of a session that was opened for an instance.
    pub(super) fn is_credential_of(&self, key: &str, id: &InstanceId) -> bool {
        let owner = self.key(key).map(|key| &key.owner);
        matches!(owner, Some(KeyOwner::Session(session)) if session.instance.as_ref() == Some(id))
    }

    /// The role of a name, if it exists and ECS may take it on (imds.md 4, documented).
    fn assumable_role(&self, account: AccountId, role: &RoleName, now: Timestamp) -> Option<&Role> {
        let role = self.role(account, role.as_str())?;
        role.is_for_ecs(now).then_some(role)
    }

    /// Ends what was handed out to an instance for its roles.
    pub fn end_role_credentials(&mut self, id: &InstanceId) {
        self.end_sessions_where(|session| session.instance.as_ref() == Some(id));
    }
}

impl Role {
    /// Whether instances can carry it.
    pub fn is_for_ecs(&self, now: Timestamp) -> bool {
        self.trust.trusts(ECS_SERVICE, &Context::default().with(key::CURRENT_TIME, now))
    }
}
