//! Users, roles, custom policies and keys, and what holds between them: no policy is attached that
//! does not exist, and no key belongs to a user who does not.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AccessKey, AccountId, AttachedPolicies, AttachedPolicy, KeyOwner, KeyStatus, ManagedPolicy, Policy, PolicyRef,
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

    /// The roles of an account by name.
    pub fn roles(&self, account: AccountId) -> impl Iterator<Item = &Role> {
        self.roles.of_account(account)
    }

    /// Whether the name was free.
    pub fn add_role(&mut self, role: Role) -> bool {
        self.roles.add(role)
    }

    /// # Errors
    /// Why the role stays. Its sessions end with it (sts.md 2, documented). That it is on an instance is no reason (ram.md 3, inferred).
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
    /// Why the policy stays: users first (inferred).
    pub fn remove_policy(&mut self, id: RamId) -> Result<ManagedPolicy, PolicyStays> {
        let account = self.policies.get(id).ok_or(PolicyStays::Unknown)?.account();
        let policy = PolicyRef::Custom(id);
        if self.users_with(account, policy).next().is_some() {
            return Err(PolicyStays::OnUsers);
        }
        if self.roles_with(account, policy).next().is_some() {
            return Err(PolicyStays::OnRoles);
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

    /// Whether it was not attached before. There is such a holder, and such a policy in its account.
    pub fn attach(&mut self, holder: Holder, policy: PolicyRef, now: Timestamp) -> bool {
        let exists = self.attached_policy(policy).is_some();
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

    /// The users who have a policy, by name, each with the time since when.
    pub fn users_with(&self, account: AccountId, policy: PolicyRef) -> impl Iterator<Item = (&User, Timestamp)> {
        self.users(account).filter_map(move |user| Some((user, user.policies.since(policy)?)))
    }

    /// The roles that have a policy, by name, each with the time since when.
    pub fn roles_with(&self, account: AccountId, policy: PolicyRef) -> impl Iterator<Item = (&Role, Timestamp)> {
        self.roles(account).filter_map(move |role| Some((role, role.policies.since(policy)?)))
    }
}
