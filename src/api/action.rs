//! What an action is: its name, its input, its reply, what its caller must be allowed to do, and
//! whether it reads or writes the world.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::error::{ApiError, Code};
use super::params::Params;
use super::permission::Guard;
pub use super::permission::Permission;
use super::render::{self, Format, Rendered};
use super::station::{Station, Stations};
use crate::world::chaos::InjectedError;
use crate::world::{
    AccessKey, AccountId, Ids, InstanceId, KeyStatus, Propagation, RamId, RequestId, RoleSession, Store, World,
};

/// One action of a product. Its file holds, top to bottom: the action, its input, its reply, its rules.
pub trait Action {
    /// The vendor's spelling; calls may use any case (decision 27).
    const NAME: &'static str;
    /// Whether it does something to each of several instances, of which one can fail by itself.
    const IS_BATCH: bool = false;
    type Input: FromParams;
    type Reply: Reply;

    /// What the caller must be allowed to do, on which resources; decided before `call`.
    fn needs(ctx: &Ctx<'_>, input: &Self::Input, world: &World) -> Vec<Permission>;
}

/// An action that changes nothing.
pub trait Read: Action {
    /// # Errors
    /// The first mistake in documented order.
    fn call(ctx: &Ctx<'_>, world: &World, input: Self::Input) -> Result<Self::Reply, ApiError>;
}

/// An action that changes the world, or on an error leaves it as it was.
pub trait Write: Action {
    /// # Errors
    /// The first mistake in documented order; nothing has changed then.
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Self::Input) -> Result<Self::Reply, ApiError>;
}

/// The typed input of an action.
pub trait FromParams: Sized {
    /// Reads what the action takes: required parameters first, then the region, then the syntax of
    /// each, so that the first error is always the same one (protocol.md 12, step 12).
    ///
    /// # Errors
    /// The first mistake in that order.
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError>;
}

/// What an action answers; where `RequestId` stands is the reply's own affair (decision 25).
pub trait Reply: Serialize {
    /// How many parts a batch had and how many failed, for the log.
    fn batch(&self) -> Option<Batch> {
        None
    }
}

/// The sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub total: usize,
    pub fail: usize,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: AccountId,
    pub identity: Identity,
}

/// As whom: whose key has signed.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The account itself, to which no policy applies (ecs-instance-ram-role.md 5.8).
    Owner,
    User(RamId),
    RoleSession(Arc<RoleSession>),
}

/// The key that has signed a call, and the id that it was found under.
#[derive(Clone, Debug)]
pub struct Signer<'a> {
    pub id: Cow<'a, str>,
    pub key: Arc<AccessKey>,
}

impl<'a> Signer<'a> {
    /// # Errors
    /// `InvalidAccessKeyId.NotFound`, `InvalidAccessKeyId.Inactive`.
    pub fn find(world: &World, id: Cow<'a, str>) -> Result<Self, Code> {
        let key = Arc::clone(active_key(world, &id)?);
        Ok(Self { id, key })
    }

    /// What a refusal of the key says.
    pub(super) fn refused(&self, code: Code) -> ApiError {
        ApiError::from(code).because([("access_key_id", self.id.to_string())])
    }

    /// Looks again: between the signature and the lock somebody may have deleted, deactivated or replaced the key.
    ///
    /// # Errors
    /// Those of [`Signer::find`].
    pub(super) fn still_signs(&self, world: &World) -> Result<(), Code> {
        // A change of the status copies a key that is in use; its secret stays the same one.
        let is_the_same = Arc::ptr_eq(&active_key(world, &self.id)?.secret, &self.key.secret);
        if is_the_same { Ok(()) } else { Err(Code::AccessKeyNotFound) }
    }
}

fn active_key<'w>(world: &'w World, id: &str) -> Result<&'w Arc<AccessKey>, Code> {
    let key = world.key(id).ok_or(Code::AccessKeyNotFound)?;
    match key.status {
        KeyStatus::Active => Ok(key),
        KeyStatus::Inactive => Err(Code::AccessKeyInactive),
    }
}

/// What an action knows of its call beside its input.
#[derive(Clone, Debug)]
pub struct Ctx<'a> {
    pub caller: &'a Caller,
    /// `None` if nobody looked at signatures.
    pub signer: Option<&'a Signer<'a>>,
    pub request_id: RequestId,
    /// How far the call has come.
    pub stations: &'a Stations,
    /// The address that the client called, `host:port`.
    pub authority: &'a str,
    /// The world's time.
    pub now: Timestamp,
    /// Where new ids, keys and secrets come from.
    pub ids: &'a Ids,
    pub guard: &'a Guard,
    /// Whether a role that comes off an instance takes with it the credentials that the instance got for it.
    pub detach_revokes: bool,
    /// When `DescribeInstanceRamRole` shows a change.
    pub describe_propagation: Propagation,
    /// What a fault has a part of the batch fail with.
    pub partial: Option<Partial<'a>>,
}

/// A part of a batch that fails because somebody has asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Partial<'a> {
    /// Without one, the first of the call.
    pub instance: Option<&'a InstanceId>,
    pub error: &'a Arc<InjectedError>,
}

/// Which lock an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

impl Access {
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// An answered call.
#[derive(Debug)]
pub struct Done {
    pub body: Rendered,
    pub batch: Option<Batch>,
}

type Perform = fn(&Ctx<'_>, &Store, &Params<'_>, Format) -> Result<Done, ApiError>;

/// A row of a product's table: an action with its types erased.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub access: Access,
    /// [`Action::IS_BATCH`].
    pub is_batch: bool,
    perform: Perform,
}

impl Entry {
    /// Input from parameters, then one closure under one lock, then the rendering outside it.
    ///
    /// # Errors
    /// The first mistake of the call.
    pub fn perform(&self, ctx: &Ctx<'_>, store: &Store, params: &Params<'_>, format: Format) -> Result<Done, ApiError> {
        (self.perform)(ctx, store, params, format)
    }
}

/// The row of an action that reads.
pub const fn reads<A: Read>() -> Entry {
    Entry {
        name: A::NAME,
        access: Access::Read,
        is_batch: A::IS_BATCH,
        perform: |ctx, store, params, format| {
            ctx.stations.enter(Station::Parameters);
            let input = A::Input::from_params(params)?;
            let reply = store.read(|world| {
                ctx.authorize(world, || A::needs(ctx, &input, world))?;
                ctx.stations.enter(Station::Rules);
                A::call(ctx, world, input)
            })?;
            done(format, A::NAME, &reply)
        },
    }
}

/// The row of an action that writes.
pub const fn writes<A: Write>() -> Entry {
    Entry {
        name: A::NAME,
        access: Access::Write,
        is_batch: A::IS_BATCH,
        perform: |ctx, store, params, format| {
            ctx.stations.enter(Station::Parameters);
            let input = A::Input::from_params(params)?;
            let reply = store.write(|world| {
                ctx.authorize(world, || A::needs(ctx, &input, world))?;
                ctx.stations.enter(Station::Rules);
                A::call(ctx, world, input)
            })?;
            done(format, A::NAME, &reply)
        },
    }
}

/// About as long as the text of most replies is, and as what each part of a batch adds to it.
const USUAL_LENGTH: usize = 512;
const USUAL_LENGTH_OF_PART: usize = 224;

fn done<R: Reply>(format: Format, action: &str, reply: &R) -> Result<Done, ApiError> {
    let batch = reply.batch();
    let room = USUAL_LENGTH + batch.map_or(0, |batch| batch.total * USUAL_LENGTH_OF_PART);
    match render::success(format, action, reply, room) {
        Ok(body) => Ok(Done { body, batch }),
        Err(error) => {
            tracing::error!(action, error, "a reply that cannot be rendered");
            Err(Code::Internal.into())
        }
    }
}

/// A product of the vendor, told by the version of its API (decision 26).
#[derive(Debug)]
pub struct Product {
    pub name: &'static str,
    pub version: &'static str,
    pub actions: &'static [Entry],
    /// What it answers without permission (ram.md 6).
    pub refusal: Code,
    /// What it answers when something of ours fails.
    pub failure: Code,
    /// The vendor's action names, one a line; lines with `#` say where they are from.
    pub vendor_names: &'static str,
}

impl Product {
    /// The row of an action, its name in any case (decision 27).
    pub fn entry(&self, name: &str) -> Option<&'static Entry> {
        self.actions.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The vendor's spelling of an action that it has, whether it is emulated or not.
    pub fn vendor_name(&self, name: &str) -> Option<&'static str> {
        self.known_names().find(|known| known.eq_ignore_ascii_case(name))
    }

    /// The actions that it has: the emulated ones, and the vendor's where they are known.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.actions.iter().map(|entry| entry.name).chain(self.not_emulated())
    }

    /// The vendor's actions that are not emulated.
    pub fn not_emulated(&self) -> impl Iterator<Item = &'static str> {
        self.known_names().filter(|name| self.entry(name).is_none())
    }

    fn known_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.vendor_names.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    }
}

/// For tests below the gateway: looks at what a call of the default account's owner knows.
#[cfg(test)]
pub(crate) fn by_owner<T>(signer: Option<&Signer>, look: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let caller = Caller { account: AccountId::DEFAULT, identity: Identity::Owner };
    let ids = Ids::seeded(1);
    let guard = Guard::new(super::permission::RamMode::Strict, true, Code::ForbiddenRam, None);
    look(&Ctx {
        caller: &caller,
        signer,
        request_id: ids.call().0,
        stations: &Stations::default(),
        authority: "h",
        now: crate::world::parse_utc("2026-11-24T02:07:22Z").expect("a time"),
        ids: &ids,
        guard: &guard,
        detach_revokes: false,
        describe_propagation: Propagation::IMMEDIATE,
        partial: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{KeyOwner, parse_utc};

    /// What somebody else does in between; another key of the same owner and secret is at hand.
    type Change = fn(&mut World, AccessKey);

    #[test]
    fn a_key_that_goes_between_the_signature_and_the_lock_does_nothing_more() {
        let now = parse_utc("2026-11-24T02:07:22Z").expect("a time");
        let key = || AccessKey::new(AccountId::DEFAULT, KeyOwner::Account, "s", now);
        let gone = Err(Code::AccessKeyNotFound);
        let changes: [(Change, Result<(), Code>); 5] = [
            (|_, _| {}, Ok(())),
            (|world, _| drop(world.remove_key("k")), gone),
            (|world, _| assert!(world.set_key_status("k", KeyStatus::Inactive)), Err(Code::AccessKeyInactive)),
            (|world, _| assert!(world.set_key_status("k", KeyStatus::Active)), Ok(())),
            (|world, other| assert!(world.remove_key("k").is_some() && world.add_key("k", other)), gone),
        ];
        for (number, (change, expected)) in changes.into_iter().enumerate() {
            let mut world = World::default();
            assert!(world.add_key("k", key()));
            let signer = Signer::find(&world, "k".into()).expect("an active key");
            change(&mut world, key());
            let authorized = by_owner(Some(&signer), |ctx| ctx.authorize(&world, Vec::new)).map_err(|error| error.code);
            assert_eq!(authorized, expected, "change {number}");
        }
    }
}
