//! Users, roles, custom policies and keys, and what holds between them: no policy is attached that
//! does not exist, and no key belongs to a user who does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::ids::until;
use super::{
    AccessKey, AccountId, AttachedPolicies, AttachedPolicy, Ids, KeyOwner, KeyStatus, ManagedPolicy, Policy, PolicyRef,
    PolicyType, RamId, Role, User, World,
};
use crate::policy::{PermissionPolicy, system_policies, system_policy};

/// Who has policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    User(RamId),
    Role(RamId),
}

/// Why a user stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStays {
    Unknown,
    HasAccessKeys,
    HasPolicies,
}

/// Why a role stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleStays {
    Unknown,
    HasPolicies,
}

/// Why a policy stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyStays {
    Unknown,
    OnUsers,
    OnRoles,
    HasVersions,
}

/// New ids. A generator that starts again over a world that it has drawn for, as with `--rng-seed` on a restored one,
/// draws ids that are taken: then another is drawn.
impl World {
    /// The id of a new user, role or policy, which none of them has.
    pub fn new_ram_id(&self, ids: &Ids) -> RamId {
        until(|| ids.ram_id(), |id| self.is_free(*id))
    }

    pub(super) fn is_free(&self, id: RamId) -> bool {
        !(self.users.has(id) || self.roles.has(id) || self.policies.has(id))
    }

    /// The id of a new access key.
    pub fn new_access_key_id(&self, ids: &Ids) -> String {
        until(|| ids.access_key_id(), |id| self.key(id).is_none())
    }

    /// The id of a new temporary key.
    pub(super) fn new_temporary_key_id(&self, ids: &Ids) -> String {
        until(|| ids.temporary_key_id(), |id| self.key(id).is_none())
    }
}

/// Keys.
impl World {
    pub fn keys(&self) -> impl Iterator<Item = (&str, &AccessKey)> {
        self.keys.iter()
    }

    pub fn key(&self, id: &str) -> Option<&Arc<AccessKey>> {
        self.keys.get(id)
    }

    /// The permanent keys of an owner, oldest first.
    pub fn keys_of(&self, account: AccountId, owner: &KeyOwner) -> Vec<(&str, &AccessKey)> {
        let theirs = |key: &AccessKey| key.account == account && key.owner == *owner && key.token.is_none();
        let mut keys: Vec<_> = self.keys().filter(|(_, key)| theirs(key)).collect();
        keys.sort_by_key(|(_, key)| key.created);
        keys
    }

    /// Whether the id was free and there is such an owner.
    pub fn add_key(&mut self, id: &str, key: AccessKey) -> bool {
        let owned = match &key.owner {
            KeyOwner::Account => true,
            KeyOwner::User(user) => self.user_by_id(*user).is_some_and(|user| user.account() == key.account),
            KeyOwner::Session(session) => {
                self.role_by_id(session.role).is_some_and(|role| role.account() == key.account)
            }
        };
        owned && self.keys.add(id, key)
    }

    /// Whether there is such a key.
    pub fn set_key_status(&mut self, id: &str, status: KeyStatus) -> bool {
        self.keys.get_mut(id).map(|key| key.status = status).is_some()
    }

    pub fn remove_key(&mut self, id: &str) -> Option<Arc<AccessKey>> {
        self.keys.remove(id)
    }
}

/// Users and roles.
impl World {
    /// A user by the name in any case.
    pub fn user(&self, account: AccountId, name: &str) -> Option<&User> {
        self.users.find(account, name)
    }

    pub fn user_by_id(&self, id: RamId) -> Option<&User> {
        self.users.get(id)
    }

    /// The users of all accounts, by account and name.
    pub fn all_users(&self) -> impl Iterator<Item = &User> {
        self.users.all()
    }

    /// The users of an account by name.
    pub fn users(&self, account: AccountId) -> impl Iterator<Item = &User> {
        self.users.of_account(account)
    }

    /// Whether the name was free.
    pub fn add_user(&mut self, user: User) -> bool {
        self.users.add(user)
    }

    /// # Errors
    /// Why the user stays: keys first (inferred).
    pub fn remove_user(&mut self, id: RamId) -> Result<User, UserStays> {
        let user = self.users.get(id).ok_or(UserStays::Unknown)?;
        if self.keys().any(|(_, key)| key.owner == KeyOwner::User(id)) {
            return Err(UserStays::HasAccessKeys);
        }
        if !user.policies.is_empty() {
            return Err(UserStays::HasPolicies);
        }
        self.users.remove(id).ok_or(UserStays::Unknown)
    }

    /// A role by its name in any case.
    pub fn role(&self, account: AccountId, name: &str) -> Option<&Role> {
        self.roles.find(account, name)
    }

    pub fn role_mut(&mut self, account: AccountId, name: &str) -> Option<&mut Role> {
        self.roles.find_mut(account, name)
    }

    pub fn role_by_id(&self, id: RamId) -> Option<&Role> {
        self.roles.get(id)
    }

    /// The roles of all accounts, by account and name.
    pub fn all_roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.all()
    }

    /// The roles of an account by name.
    pub fn roles(&self, account: AccountId) -> impl Iterator<Item = &Role> {
        self.roles.of_account(account)
    }

    /// Whether the name was free.
    pub fn add_role(&mut self, role: Role) -> bool {
        self.roles.add(role)
    }

    /// # Errors
    /// Why the role stays. Its sessions end with it (sts.md 2, documented). That it is on an instance is no reason
    /// (ram.md 3, inferred).
    pub fn remove_role(&mut self, id: RamId) -> Result<Role, RoleStays> {
        let role = self.roles.get(id).ok_or(RoleStays::Unknown)?;
        if !role.policies.is_empty() {
            return Err(RoleStays::HasPolicies);
        }
        self.end_sessions(id);
        self.roles.remove(id).ok_or(RoleStays::Unknown)
    }
}

/// Policies.
impl World {
    /// A policy by its type and name: a custom one in any case, a system one in its own.
    pub fn policy(&self, account: AccountId, policy_type: PolicyType, name: &str) -> Option<Policy<'_>> {
        match policy_type {
            PolicyType::System => system_policy(name).map(Policy::System),
            PolicyType::Custom => self.custom_policy(account, name).map(Policy::Custom),
        }
    }

    pub fn custom_policy(&self, account: AccountId, name: &str) -> Option<&ManagedPolicy> {
        self.policies.find(account, name)
    }

    pub fn custom_policy_mut(&mut self, account: AccountId, name: &str) -> Option<&mut ManagedPolicy> {
        self.policies.find_mut(account, name)
    }

    /// The custom policies of an account by name.
    pub fn custom_policies(&self, account: AccountId) -> impl Iterator<Item = &ManagedPolicy> {
        self.policies.of_account(account)
    }

    /// The policies that an account can attach: the system's by name, then its own by name.
    pub fn policies(&self, account: AccountId) -> impl Iterator<Item = Policy<'_>> {
        system_policies().iter().map(Policy::System).chain(self.custom_policies(account).map(Policy::Custom))
    }

    /// Whether the name was free.
    pub fn add_policy(&mut self, policy: ManagedPolicy) -> bool {
        self.policies.add(policy)
    }

    /// Removes a custom policy with all its versions.
    ///
    /// # Errors
    /// Why the policy stays: users, roles, then versions beside the default one unless `cascading` takes them along
    /// (inferred).
    pub fn remove_policy(&mut self, id: RamId, cascading: bool) -> Result<ManagedPolicy, PolicyStays> {
        let policy = self.policies.get(id).ok_or(PolicyStays::Unknown)?;
        let (account, reference) = (policy.account(), PolicyRef::Custom(id));
        if self.users_with(account, reference).next().is_some() {
            return Err(PolicyStays::OnUsers);
        }
        if self.roles_with(account, reference).next().is_some() {
            return Err(PolicyStays::OnRoles);
        }
        if policy.versions().len() > 1 && !cascading {
            return Err(PolicyStays::HasVersions);
        }
        self.policies.remove(id).ok_or(PolicyStays::Unknown)
    }

    /// What is attached under a reference.
    pub fn attached_policy(&self, policy: PolicyRef) -> Option<Policy<'_>> {
        match policy {
            PolicyRef::System(policy) => Some(Policy::System(policy)),
            PolicyRef::Custom(id) => self.policies.get(id).map(Policy::Custom),
        }
    }

    /// What a user or role may do by the policies attached to it, for a decision.
    pub fn policies_of(&self, holder: Holder) -> impl Iterator<Item = (Policy<'_>, &PermissionPolicy)> {
        let attached = self.attached_to(holder).into_iter().flat_map(AttachedPolicies::iter);
        attached.filter_map(|AttachedPolicy { policy, .. }| {
            let policy = self.attached_policy(policy)?;
            Some((policy, policy.document()))
        })
    }

    pub fn attached_to(&self, holder: Holder) -> Option<&AttachedPolicies> {
        match holder {
            Holder::User(id) => self.users.get(id).map(User::policies),
            Holder::Role(id) => self.roles.get(id).map(Role::policies),
        }
    }

    /// Whether there is such a holder, such a policy in its account, and it was not attached before.
    pub fn attach(&mut self, holder: Holder, policy: PolicyRef, now: Timestamp) -> bool {
        let owner = match holder {
            Holder::User(id) => self.users.get(id).map(User::account),
            Holder::Role(id) => self.roles.get(id).map(Role::account),
        };
        let exists = match policy {
            PolicyRef::System(_) => owner.is_some(),
            PolicyRef::Custom(id) => self.policies.get(id).is_some_and(|policy| owner == Some(policy.account())),
        };
        exists && self.attached_to_mut(holder).is_some_and(|policies| policies.attach(policy, now))
    }

    /// Whether it was attached before.
    pub fn detach(&mut self, holder: Holder, policy: PolicyRef) -> bool {
        self.attached_to_mut(holder).is_some_and(|policies| policies.detach(policy))
    }

    fn attached_to_mut(&mut self, holder: Holder) -> Option<&mut AttachedPolicies> {
        match holder {
            Holder::User(id) => self.users.get_mut(id).map(|user| &mut user.policies),
            Holder::Role(id) => self.roles.get_mut(id).map(|role| &mut role.policies),
        }
    }

    /// How many users and roles of an account have each policy, for those that anybody has.
    pub fn attachment_counts(&self, account: AccountId) -> BTreeMap<PolicyRef, usize> {
        let of_users = self.users(account).map(User::policies);
        let of_roles = self.roles(account).map(Role::policies);
        let mut counts = BTreeMap::new();
        for attached in of_users.chain(of_roles).flat_map(AttachedPolicies::iter) {
            *counts.entry(attached.policy).or_default() += 1;
        }
        counts
    }

    /// The users who have a policy, by name, each with the time since when.
    pub fn users_with(&self, account: AccountId, policy: PolicyRef) -> impl Iterator<Item = (&User, Timestamp)> {
        self.users(account).filter_map(move |user| Some((user, user.policies.since(policy)?)))
    }

    /// The roles that have a policy, by name, each with the time since when.
    pub fn roles_with(&self, account: AccountId, policy: PolicyRef) -> impl Iterator<Item = (&Role, Timestamp)> {
        self.roles(account).filter_map(move |role| Some((role, role.policies.since(policy)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Use;
    use crate::world::bench::Bench;

    const OTHER: u64 = 2_000_000_000_000_002;

    impl Bench {
        fn user(&mut self, name: &str) -> RamId {
            let id = self.ids.ram_id();
            assert!(self.world.add_user(User::new(id, AccountId::DEFAULT, name, self.now)));
            id
        }

        fn policy(&mut self, name: &str, effect: &str) -> RamId {
            let document =
                format!(r#"{{"Version":"1","Statement":[{{"Effect":"{effect}","Action":"*","Resource":"*"}}]}}"#);
            let (id, policy) =
                (self.ids.ram_id(), PermissionPolicy::parse(&document, Use::Identity).expect("a policy"));
            assert!(self.world.add_policy(ManagedPolicy::new(id, AccountId::DEFAULT, name, policy, self.now)));
            id
        }

        fn documents(&self, holder: Holder) -> Vec<(String, String)> {
            let policies = self.world.policies_of(holder);
            policies.map(|(policy, document)| (policy.name().to_owned(), document.text().to_owned())).collect()
        }
    }

    #[test]
    fn what_is_attached_follows_the_default_version_and_cannot_dangle() {
        let mut bench = Bench::new();
        let (user, role, policy) = (bench.user("u"), bench.role("r"), bench.policy("p", "Allow"));
        let (holders, reference) = ([Holder::User(user), Holder::Role(role)], PolicyRef::Custom(policy));
        for holder in holders {
            assert!(bench.world.attach(holder, reference, bench.now));
            assert!(!bench.world.attach(holder, reference, bench.now), "twice");
        }
        assert_eq!(bench.world.remove_policy(policy, true).err(), Some(PolicyStays::OnUsers));
        let deny = bench.documents(holders[0])[0].1.replace("Allow", "Deny");
        let parsed = PermissionPolicy::parse(&deny, Use::Identity).expect("a policy");
        let changed = bench.world.custom_policy_mut(AccountId::DEFAULT, "P").expect("it is there");
        let version = changed.add_version(parsed, bench.now).id;
        assert!(changed.set_default(version, bench.now));
        for holder in holders {
            assert_eq!(bench.documents(holder), [("p".to_owned(), deny.clone())]);
        }
        assert_eq!(bench.world.remove_user(user).err(), Some(UserStays::HasPolicies));
        assert_eq!(bench.world.remove_role(role).err(), Some(RoleStays::HasPolicies));
        assert!(bench.world.detach(holders[0], reference) && !bench.world.detach(holders[0], reference));
        assert_eq!(bench.world.remove_policy(policy, true).err(), Some(PolicyStays::OnRoles));
        assert!(bench.world.detach(holders[1], reference));
        assert!(bench.world.remove_policy(policy, true).is_ok());
        assert!(!bench.world.attach(holders[0], reference, bench.now), "it is gone");
        assert_eq!(bench.documents(holders[0]), []);
    }

    #[test]
    fn a_policy_of_another_account_is_not_attached() {
        let mut bench = Bench::new();
        let other = AccountId::parse(&OTHER.to_string()).expect("an account");
        let (policy, id) = (bench.policy("p", "Allow"), bench.ids.ram_id());
        assert!(bench.world.add_user(User::new(id, other, "u", bench.now)));
        assert!(!bench.world.attach(Holder::User(id), PolicyRef::Custom(policy), bench.now));
    }

    #[test]
    fn a_generator_that_starts_again_over_its_world_draws_ids_that_are_free() {
        let mut bench = Bench::new();
        let (user, role, policy) = (bench.user("u"), bench.role("r"), bench.policy("p", "Allow"));
        let again = Ids::seeded(1);
        let fresh = bench.world.new_ram_id(&again);
        assert!(![user, role, policy].contains(&fresh));
        let key = |id: &str, world: &mut World| {
            assert!(world.add_key(id, AccessKey::new(AccountId::DEFAULT, KeyOwner::Account, "s", bench.now)));
        };
        let first = bench.world.new_access_key_id(&Ids::seeded(7));
        key(&first, &mut bench.world);
        let temporary = bench.world.new_temporary_key_id(&Ids::seeded(7));
        key(&temporary, &mut bench.world);
        assert_ne!(bench.world.new_access_key_id(&Ids::seeded(7)), first);
        assert_ne!(bench.world.new_temporary_key_id(&Ids::seeded(7)), temporary);
    }

    #[test]
    fn a_key_has_an_owner_and_a_user_with_keys_stays() {
        let mut bench = Bench::new();
        let (user, nobody) = (bench.user("u"), bench.ids.ram_id());
        let key = |owner| AccessKey::new(AccountId::DEFAULT, owner, "s", bench.now);
        assert!(!bench.world.add_key("k", key(KeyOwner::User(nobody))));
        assert!(bench.world.add_key("k", key(KeyOwner::User(user))));
        assert!(!bench.world.add_key("k", key(KeyOwner::Account)), "the id is taken");
        assert_eq!(bench.world.remove_user(user).err(), Some(UserStays::HasAccessKeys));
        assert!(bench.world.remove_key("k").is_some());
        assert!(bench.world.remove_user(user).is_ok());
        assert_eq!(bench.world.remove_user(user).err(), Some(UserStays::Unknown));
    }

    #[test]
    fn a_name_that_was_given_up_can_be_taken_again_and_is_another_one() {
        let mut bench = Bench::new();
        let first = bench.user("u");
        assert!(!bench.world.add_user(User::new(bench.ids.ram_id(), AccountId::DEFAULT, "U", bench.now)));
        assert!(bench.world.remove_user(first).is_ok());
        let second = bench.user("U");
        assert_eq!(bench.world.user(AccountId::DEFAULT, "u").map(User::id), Some(second));
        assert_eq!(bench.world.user_by_id(first).map(User::id), None);
    }
}
