//! Sessions of roles: temporary keys, and how long they are remembered.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{AccessKey, AccountId, Ids, InstanceId, KeyOwner, RamId, RoleName, SecurityToken, World};
use crate::policy::{Layer, PermissionPolicy};

/// Somebody who has taken on a role.
#[derive(Debug)]
pub struct RoleSession {
    /// A role that is made again under the same name is another.
    pub role: RamId,
    pub role_name: RoleName,
    /// What whoever took it on calls the session.
    pub name: Box<str>,
    /// The instance that it was opened for, which had the role.
    pub instance: Option<InstanceId>,
    /// What narrows the role's permissions: the policy of the session, or of the attachment to an instance.
    pub policy: Option<(Layer, PermissionPolicy)>,
}

/// A session is only itself.
impl PartialEq for RoleSession {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl RoleSession {
    /// 2 to 64 letters, digits, `.`, `@`, `-` or `_` (sts.md 4, documented).
    pub fn is_name(name: &str) -> bool {
        (2..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'@' | b'-' | b'_'))
    }

    /// The name of an instance's session (imds.md 4, recorded).
    pub(super) fn name_on(instance: &InstanceId) -> Box<str> {
        format!("vm-ram-{instance}").into()
    }

    /// `<RoleId>:<session>`: `PrincipalId`, `AssumedRoleId` (sts.md 3 and 4).
    pub fn principal_id(&self) -> String {
        format!("{}:{}", self.role, self.name)
    }
}

/// A temporary key pair and its token, shown once.
pub struct Credentials {
    pub access_key_id: String,
    pub access_key_secret: String,
    pub security_token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials {
    fn draw(world: &World, ids: &Ids) -> Self {
        Self {
            access_key_id: world.new_temporary_key_id(ids),
            access_key_secret: ids.temporary_key_secret(),
            security_token: ids.security_token(),
        }
    }
}

/// How long an expired key is remembered as such, and not as one that never was.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// How many temporary keys there are at most; beyond, the one that expires first makes room. Each takes about a KiB,
/// and its policy, for which there is [`MOST_POLICY_BYTES`].
pub const MOST_SESSIONS: usize = 10_000;

/// How large the policies of all sessions are at most, as text: 1024 of the longest; beyond, the session that expires first
/// makes room. Compiled, a text of nothing but short patterns is some tens of times as large.
pub const MOST_POLICY_BYTES: usize = 2 << 20;

impl World {
    /// Opens a session of a role, which must exist in the account.
    pub fn open_session(
        &mut self,
        ids: &Ids,
        now: Timestamp,
        account: AccountId,
        session: RoleSession,
        expires: Timestamp,
    ) -> Credentials {
        self.forget_sessions(now);
        let credentials = Credentials::draw(self, ids);
        let value = credentials.security_token.as_str().into();
        let token = SecurityToken { value, expires };
        let key = AccessKey::temporary(account, session, &credentials.access_key_secret, token, now);
        let added = self.add_key(&credentials.access_key_id, key);
        debug_assert!(added, "the role exists, and the id is free");
        credentials
    }

    /// Makes room: what expired long ago goes, and beyond the bound what expires first.
    pub(super) fn forget_sessions(&mut self, now: Timestamp) {
        while let Some((expires, id)) = self.keys.first_to_expire() {
            let long_ago = now.duration_since(expires) > REMEMBERED;
            let room = self.keys.temporary() < MOST_SESSIONS && self.keys.policy_size() < MOST_POLICY_BYTES;
            if !long_ago && room {
                return;
            }
            let id = id.to_owned();
            self.remove_key(&id);
        }
    }

    /// Ends every session of a role that goes (sts.md 2, documented).
    pub(super) fn end_sessions(&mut self, role: RamId) {
        self.end_sessions_where(|session| session.role == role);
    }

    pub(super) fn end_sessions_where(&mut self, is_over: impl Fn(&RoleSession) -> bool) {
        let ends = |key: &AccessKey| matches!(&key.owner, KeyOwner::Session(session) if is_over(session));
        let ended: Vec<_> = self.keys().filter(|(_, key)| ends(key)).map(|(id, _)| id.to_owned()).collect();
        for id in ended {
            self.remove_key(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Use;
    use crate::world::bench::Bench;

    const ACCOUNT: AccountId = AccountId::DEFAULT;

    impl Bench {
        /// Opens a session for so many seconds; its key's id.
        fn open(&mut self, role: RamId, seconds: i64) -> String {
            self.open_narrowed(role, seconds, None)
        }

        fn open_narrowed(&mut self, role: RamId, seconds: i64, policy: Option<PermissionPolicy>) -> String {
            let policy = policy.map(|policy| (Layer::Session, policy));
            let session =
                RoleSession { role, role_name: RoleName::new("r"), name: "job".into(), instance: None, policy };
            let expires = self.now + SignedDuration::from_secs(seconds);
            self.world.open_session(&self.ids, self.now, ACCOUNT, session, expires).access_key_id
        }

        fn knows(&self, id: &str) -> bool {
            self.world.key(id).is_some()
        }
    }

    #[test]
    fn a_role_that_goes_takes_its_sessions_with_it() {
        let mut bench = Bench::new();
        let (gone, stays) = (bench.role("gone"), bench.role("stays"));
        let (mine, other) = (bench.open(gone, 900), bench.open(stays, 900));
        assert!(bench.world.remove_role(gone).is_ok());
        assert_eq!((bench.knows(&mine), bench.knows(&other)), (false, true));
        assert_eq!(bench.world.keys().count(), 1);
    }

    #[test]
    fn sessions_are_forgotten_an_hour_after_they_expired_and_the_first_to_expire_makes_room() {
        let mut bench = Bench::new();
        let role = bench.role("r");
        let short = bench.open(role, 900);
        bench.now += SignedDuration::from_secs(900 + 3600);
        bench.open(role, 3600);
        assert!(bench.knows(&short), "expired for an hour, and remembered as such");
        bench.now += SignedDuration::from_secs(1);
        let first = bench.open(role, 900);
        assert!(!bench.knows(&short));
        while bench.world.keys().count() < MOST_SESSIONS {
            bench.open(role, 3600);
        }
        assert!(bench.knows(&first));
        let last = bench.open(role, 3600);
        assert_eq!((bench.knows(&first), bench.knows(&last)), (false, true));
        assert_eq!(bench.world.keys().count(), MOST_SESSIONS);
    }

    #[test]
    fn the_policies_of_sessions_have_a_bound_of_their_own() {
        let mut bench = Bench::new();
        let role = bench.role("r");
        let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let text = format!(r#"{{"Version":"1","Statement":[{statement}]}}"#);
        let text = format!("{text:width$}", width = Use::Session.longest());
        let policy = PermissionPolicy::parse(&text, Use::Session).expect("a policy");
        let first = bench.open_narrowed(role, 900, Some(policy.clone()));
        let gone = bench.open_narrowed(role, 901, Some(policy.clone()));
        assert!(bench.world.remove_key(&gone).is_some());
        for _ in 1..MOST_POLICY_BYTES / Use::Session.longest() {
            bench.open_narrowed(role, 3600, Some(policy.clone()));
        }
        assert!(bench.knows(&first));
        let mut copy = bench.world.clone();
        let last = bench.open(role, 3600);
        assert_eq!((bench.knows(&first), bench.knows(&last)), (false, true));
        copy.forget_sessions(bench.now);
        assert!(copy.key(&first).is_none(), "a copy counts as well");
    }

    #[test]
    fn a_copy_of_a_world_forgets_by_itself() {
        let mut bench = Bench::new();
        let role = bench.role("r");
        let short = bench.open(role, 900);
        let kept = bench.world.clone();
        bench.now += SignedDuration::from_hours(2);
        bench.open(role, 900);
        assert!(!bench.knows(&short) && kept.key(&short).is_some());
    }

    #[test]
    fn credentials_do_not_print_their_secrets() {
        let credentials = Credentials::draw(&World::default(), &Ids::seeded(1));
        let printed = format!("{credentials:?}");
        assert!(printed.contains(&credentials.access_key_id));
        assert!(!printed.contains(&credentials.access_key_secret) && !printed.contains(&credentials.security_token));
    }
}
