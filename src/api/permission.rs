//! What a caller must be allowed to do, what policies say about it, and how a refusal looks.

use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;

use compact_str::{CompactString, ToCompactString, format_compact};

use super::action::{Caller, Ctx, Identity};
use super::error::{ApiError, Code, Facts};
use super::station::Station;
use crate::policy::{Assumer, Context, Decision, Layer, Request, Resource, decide, key};
use crate::world::{AccountId, Arn, Holder, InstanceId, Policy, Region, Role, RoleName, World};

/// What becomes of a call that policies do not allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RamMode {
    /// It is refused
    #[default]
    Strict,
    /// It passes; the log and header x-ecsim-would-deny say what would have been refused
    Soft,
    /// Nothing is asked: everybody may do everything
    Off,
}

/// One thing to be allowed: an action on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub action: &'static str,
    /// The resource's ARN.
    pub resource: String,
    /// The instance that the resource is, whose tags policies may ask for.
    pub instance: Option<InstanceId>,
}

impl Permission {
    pub fn new(action: &'static str, resource: String) -> Self {
        Self { action, resource, instance: None }
    }

    /// On `acs:ecs:{region}:{account}:instance/{id}` (ecs-instance-ram-role.md 5.8, documented).
    pub fn on_instance(ctx: &Ctx<'_>, action: &'static str, region: &Region, id: &InstanceId) -> Self {
        let resource = ["acs:ecs:", region.id, ":", ctx.caller.account.as_str(), ":instance/", id.as_str()].concat();
        Self { action, resource, instance: Some(id.clone()) }
    }

    /// On `acs:ram:{region}:{account}:role/{name}` (ecs-instance-ram-role.md 5.8, documented), spelled as the role is,
    /// so that another case does not slip past a policy.
    pub fn on_role(ctx: &Ctx<'_>, action: &'static str, region: &Region, name: &str, world: &World) -> Self {
        let name = world.role(ctx.caller.account, name).map_or(name, |role| role.name().as_str());
        Self::on_role_spelled(ctx, action, region, name)
    }

    fn on_role_spelled(ctx: &Ctx<'_>, action: &'static str, region: &Region, name: &str) -> Self {
        Self::new(action, ["acs:ram:", region.id, ":", ctx.caller.account.as_str(), ":role/", name].concat())
    }
}

/// Where a statement that decided stands.
#[derive(Clone, Copy, Debug)]
enum Source<'w> {
    /// A policy of the user or role.
    Attached(Policy<'w>),
    /// The policy that the session was opened with.
    Session,
    /// The trust policy of the role that is assumed.
    Trust,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached(policy) => write!(f, "{} policy {}", policy.policy_type().name(), policy.name()),
            Self::Session => f.write_str("the session's policy"),
            Self::Trust => f.write_str("the role's trust policy"),
        }
    }
}

/// A permission that policies do not grant, to whom, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub action: &'static str,
    /// The resource's ARN.
    pub resource: String,
    pub principal: Principal,
    /// Never `Allowed`; of an explicit denial, the policy by its type and name.
    pub decision: Decision<String>,
}

/// The one whom policies refuse, as `AccessDeniedDetail` names it (ram.md 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub kind: &'static str,
    pub account: AccountId,
    pub display_name: CompactString,
}

/// How the permissions of one call are decided, and what was let pass.
#[derive(Debug)]
pub struct Guard {
    pub mode: RamMode,
    /// Whether taking a role off an instance needs `ram:PassRole` (decision 6).
    pub detach_passes_role: bool,
    /// What the product answers without permission (ram.md 6).
    pub refusal: Code,
    /// The address that the call came from; a Unix socket has none.
    pub source: Option<IpAddr>,
    waived: RefCell<Vec<Denial>>,
}

impl Guard {
    pub fn new(mode: RamMode, detach_passes_role: bool, refusal: Code, source: Option<IpAddr>) -> Self {
        Self { mode, detach_passes_role, refusal, source, waived: RefCell::default() }
    }

    /// What would have been refused but for the mode, the first of each action.
    pub fn into_waived(self) -> Vec<Denial> {
        self.waived.into_inner()
    }
}

impl Denial {
    /// The words of `NoPermissionType` (ram.md 6).
    pub fn no_permission_type(&self) -> &'static str {
        match self.decision {
            Decision::ExplicitDeny(_) => "ExplicitDeny",
            Decision::ImplicitDeny(_) | Decision::Allowed(_) => "ImplicitDeny",
        }
    }

    /// What was asked, of whom, and what policies say.
    pub fn facts(&self) -> Facts {
        let Self { action, resource, principal, decision } = self;
        let mut facts = vec![
            ("action", (*action).to_owned()),
            ("resource", resource.clone()),
            ("principal_type", principal.kind.to_owned()),
            ("principal", principal.display_name.to_string()),
            ("decision", self.no_permission_type().to_owned()),
            ("policy_type", self.policy_type().to_owned()),
            ("reason", decision.to_string()),
        ];
        if let Decision::Allowed(ground) | Decision::ExplicitDeny(ground) = decision {
            facts.push(("policy", ground.policy.clone()));
            facts.push(("statement", (ground.statement + 1).to_string()));
        }
        facts
    }

    /// The words of `PolicyType` (ram.md 6); there are no resource groups here.
    pub fn policy_type(&self) -> &'static str {
        match self.decision.layer() {
            Layer::Session | Layer::Attachment => "SessionPolicy",
            Layer::Identity => "AccountLevelIdentityBasedPolicy",
            Layer::Trust => "AssumeRolePolicy",
        }
    }
}

/// What was asked, and why the answer is no, for people.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, principal, decision } = self;
        write!(f, "{action} on {resource} for {} {}: {decision}", principal.kind, principal.display_name)
    }
}

impl Ctx<'_> {
    /// Decides on what an action needs; the first thing that is denied is the answer.
    ///
    /// # Errors
    /// That the key has gone since it signed; the product's refusal.
    pub(super) fn authorize(&self, world: &World, needs: impl FnOnce() -> Vec<Permission>) -> Result<(), ApiError> {
        if let Some(signer) = self.signer {
            self.stations.enter(Station::Key);
            signer.still_signs(world).map_err(|code| signer.refused(code))?;
        }
        // `needs` is only worked out where somebody looks at it: policies, or a log at level trace.
        if self.is_free() {
            if tracing::enabled!(tracing::Level::TRACE) {
                for Permission { action, resource, .. } in needs() {
                    tracing::trace!(rid = %self.request_id, action, resource, "allowed without asking");
                }
            }
            return Ok(());
        }
        self.stations.enter(Station::Permission);
        let context = self.context();
        needs().into_iter().try_for_each(|permission| {
            let decision = self.decide(world, &permission, &context);
            self.settle(permission, decision, self.guard.refusal)
        })
    }

    /// Whether the caller may hand a role, by its name as RAM spells it, to a service: a dependent permission, asked
    /// by the action where the documents put it.
    ///
    /// # Errors
    /// `InvalidUser.PassRoleForbidden`.
    pub fn may_pass(&self, world: &World, region: &Region, role: &RoleName, service: &str) -> Result<(), ApiError> {
        if self.is_free() {
            return Ok(());
        }
        let permission = Permission::on_role_spelled(self, "ram:PassRole", region, role.as_str());
        let decision = self.decide(world, &permission, &self.context().with(key::SERVICE, service));
        self.settle(permission, decision, Code::PassRoleForbidden)
    }

    /// Whether the caller may take on a role: its own policies and the role's trust policy must both allow it
    /// (sts.md 4, documented). Of a role that does not exist only the former are asked.
    ///
    /// # Errors
    /// The product's refusal.
    pub fn may_assume(
        &self,
        world: &World,
        arn: String,
        role: Option<&Role>,
        external_id: Option<&str>,
    ) -> Result<(), ApiError> {
        if self.is_free() {
            return Ok(());
        }
        let permission = Permission::new("sts:AssumeRole", arn);
        let context = self.context();
        let mut decision = self.decide(world, &permission, &context);
        if let Some(role) = role {
            let context = match external_id {
                Some(id) => context.with(key::EXTERNAL_ID, id),
                None => context,
            };
            let assumer = self.caller.ram_arn(world).map(|arn| arn.to_string()).unwrap_or_default();
            decision = decision.and(role.trust.decide(Source::Trust, Assumer::Ram(&assumer), &context));
        }
        self.settle(permission, decision, self.guard.refusal)
    }

    /// No policy applies to the owner (ecs-instance-ram-role.md 5.8).
    fn is_free(&self) -> bool {
        matches!(self.caller.identity, Identity::Owner) || self.guard.mode == RamMode::Off
    }

    /// What conditions can ask of every call. There is no TLS here, and no sign-in with a second factor.
    fn context(&self) -> Context<'_> {
        let context = Context::default()
            .with(key::CURRENT_TIME, self.now)
            .with(key::SECURE_TRANSPORT, false)
            .with(key::MFA_PRESENT, false);
        match self.guard.source {
            Some(address) => context.with(key::SOURCE_IP, address),
            None => context,
        }
    }

    fn decide<'w>(&self, world: &'w World, permission: &Permission, context: &Context<'_>) -> Decision<Source<'w>> {
        let resource = Resource::new(permission.resource.as_str());
        let instance = permission.instance.as_ref().and_then(|id| world.instance(id.as_str()));
        let resource = match instance.filter(|instance| instance.account == self.caller.account) {
            Some(instance) => resource.with_tags(&instance.spec.tags),
            None => resource,
        };
        let request = Request { action: permission.action, resource: &resource, context };
        let by_identity = |holder| {
            let attached = world.policies_of(holder).map(|(policy, document)| (Source::Attached(policy), document));
            decide(Layer::Identity, attached, &request)
        };
        match &self.caller.identity {
            // Is never asked; has no policies either.
            Identity::Owner => Decision::ImplicitDeny(Layer::Identity),
            Identity::User(user) => by_identity(Holder::User(*user)),
            Identity::RoleSession(session) => {
                let by_role = || by_identity(Holder::Role(session.role));
                match &session.policy {
                    None => by_role(),
                    Some((layer, policy)) => decide(*layer, [(Source::Session, policy)], &request).then(by_role),
                }
            }
        }
    }

    /// Refuses what was not allowed, or, softly, notes it.
    fn settle(&self, permission: Permission, decision: Decision<Source<'_>>, refusal: Code) -> Result<(), ApiError> {
        let Permission { action, resource, .. } = permission;
        tracing::debug!(rid = %self.request_id, action, resource, decision = %decision, "decided");
        if decision.is_allowed() {
            return Ok(());
        }
        let decision = decision.map(|source| source.to_string());
        let denial = Denial { action, resource, principal: Principal::of(self.caller), decision };
        if self.guard.mode == RamMode::Strict {
            self.stations.enter(Station::Permission);
            return Err(refusal.denying(denial));
        }
        let mut waived = self.guard.waived.borrow_mut();
        if waived.iter().all(|earlier| earlier.action != action) {
            waived.push(denial);
        }
        Ok(())
    }
}

impl Caller {
    /// By which trust policies know it: of a session the role's (ram.md 2); `None` of a user or role who is gone, which no
    /// caller is.
    fn ram_arn<'w>(&self, world: &'w World) -> Option<Arn<'w>> {
        let account = self.account;
        Some(match &self.identity {
            Identity::Owner => Arn::Root(account),
            Identity::User(id) => Arn::User(account, world.user_by_id(*id)?.name()),
            Identity::RoleSession(session) => Arn::Role(account, world.role_by_id(session.role)?.name().as_str()),
        })
    }
}

impl Principal {
    /// A user is shown by its id, a session by `<RoleName>:<session>` (ram.md 6).
    pub fn of(caller: &Caller) -> Self {
        let (kind, display_name) = match &caller.identity {
            Identity::Owner => ("Account", caller.account.as_str().into()),
            Identity::User(id) => ("SubUser", id.to_compact_string()),
            Identity::RoleSession(session) => {
                ("AssumedRoleUser", format_compact!("{}:{}", session.role_name, session.name))
            }
        };
        Self { kind, account: caller.account, display_name }
    }
}
