//! What has happened to the roles of instances, and when who reads them learns of it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::{Attachment, Instance, InstanceId, InstanceIndex, RoleName, World};

/// How many changes a world remembers at most; beyond, the oldest is forgotten, and every view has learned of it. Each takes about 150 bytes, and the text of
/// the policy that it took off.
pub const MOST_ROLE_CHANGES: usize = 4096;

/// Where the roles of instances are read. Real services may be told of a change at different times; no source says
/// how late (imds.md 8), so it can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The metadata service, and the credentials that it hands out.
    Metadata,
    /// `DescribeInstanceRamRole`.
    Describe,
}

impl View {
    pub const ALL: [Self; 2] = [Self::Metadata, Self::Describe];
}

/// When a view shows a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// Once this much of the world's time has passed; a clock that has gone back behind the change shows it.
    Time(SignedDuration),
    /// After this many reads that ask the view for the role of the instance, and are still told what was before.
    Reads(u32),
}

impl Propagation {
    /// At once.
    pub const IMMEDIATE: Self = Self::Time(SignedDuration::ZERO);

    fn is_immediate(self) -> bool {
        matches!(self, Self::IMMEDIATE | Self::Reads(0))
    }
}

impl Default for Propagation {
    fn default() -> Self {
        Self::IMMEDIATE
    }
}

/// `0s`, `1m 30s`, `3reads`: as it is read again.
impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(delay) => write!(f, "{delay:#}"),
            Self::Reads(count) => write!(f, "{count}reads"),
        }
    }
}

/// One change of what an instance carries. What it carries since is before the next one, or what it carries now.
#[derive(Clone, Debug)]
pub struct RoleChange {
    /// The world's time.
    pub at: Timestamp,
    /// Whose role it was.
    pub instance: InstanceId,
    /// What it carried until then, if anything.
    pub before: Option<Attachment>,
    /// How often each view has been read since.
    pub(super) reads: [Reads; View::ALL.len()],
}

impl RoleChange {
    pub(super) fn new(at: Timestamp, instance: InstanceId, before: Option<Attachment>) -> Self {
        Self { at, instance, before, reads: Default::default() }
    }

    pub(super) fn reads_of(&self, view: View) -> &Reads {
        &self.reads[view as usize]
    }

    fn reads_of_mut(&mut self, view: View) -> &mut Reads {
        &mut self.reads[view as usize]
    }
}

/// A count that grows while the world is only read.
#[derive(Debug, Default)]
pub(super) struct Reads(AtomicU32);

impl Reads {
    /// Enough for every propagation.
    const ALL: u32 = u32::MAX;

    pub(super) fn of(count: u32) -> Self {
        Self(AtomicU32::new(count))
    }

    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    fn add_one(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
    }
}

impl Clone for Reads {
    fn clone(&self) -> Self {
        Self::of(self.get())
    }
}

/// The latest changes of a world, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RoleChanges {
    kept: VecDeque<RoleChange>,
    /// How many were forgotten; so each change has a number of its own, of which this is the first.
    dropped: u64,
}

impl RoleChanges {
    /// In the order in which they happened.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &RoleChange> {
        self.kept.iter()
    }

    /// How many older ones were forgotten.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Up to here it is counted what was forgotten: a number that every reader of JSON keeps.
    pub(super) const MOST_DROPPED: u64 = 1 << 53;

    pub(super) fn push(&mut self, change: RoleChange) {
        if self.kept.len() == MOST_ROLE_CHANGES {
            self.kept.pop_front();
            self.note_dropped(1);
        }
        self.kept.push_back(change);
    }

    /// Says that older ones were forgotten.
    pub(super) fn note_dropped(&mut self, count: u64) {
        self.dropped = self.dropped.saturating_add(count).min(Self::MOST_DROPPED);
    }

    fn get(&self, number: u64) -> Option<&RoleChange> {
        self.kept.get(usize::try_from(number.checked_sub(self.dropped)?).ok()?)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut RoleChange> {
        self.kept.get_mut(usize::try_from(number.checked_sub(self.dropped)?).ok()?)
    }
}

/// Where an attachment stands that a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On the instance.
    Now,
    /// Before the change of this number, which the view has not learned of.
    Before(u64),
}

/// What a view shows of one instance.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'w> {
    /// What it is shown to carry, if anything.
    pub attachment: Option<&'w Attachment>,
    /// Where that stands.
    pub standing: Standing,
}

impl<'w> Seen<'w> {
    /// The name of the role that it is shown to carry.
    pub fn role(&self) -> Option<&'w RoleName> {
        self.attachment.map(|attached| &attached.role)
    }
}

/// The roles of instances as one view shows them during one read.
#[derive(Debug)]
pub struct RolesSeen<'w> {
    changes: &'w RoleChanges,
    view: View,
    propagation: Propagation,
    /// The numbers of the changes that the view has not learned of, by instance, oldest first; empty where every one
    /// shows at once, without a look at them.
    unseen: HashMap<&'w str, Vec<u64>>,
}

impl<'w> RolesSeen<'w> {
    /// What is shown of an instance of the world.
    pub fn of(&self, id: &InstanceId, instance: &'w Instance) -> Seen<'w> {
        let first = self.unseen.get(id.as_str()).and_then(|numbers| numbers.first().copied());
        match first.and_then(|number| Some((number, self.changes.get(number)?))) {
            Some((number, change)) => Seen { attachment: change.before.as_ref(), standing: Standing::Before(number) },
            None => Seen { attachment: instance.attachment(), standing: Standing::Now },
        }
    }

    /// Counts, if reads do, that somebody has asked for the role of an instance. Of reads at the same time, each may show what the
    /// first of them does.
    pub fn note_read(&self, id: &InstanceId) {
        if !matches!(self.propagation, Propagation::Reads(_)) {
            return;
        }
        for number in self.unseen.get(id.as_str()).into_iter().flatten() {
            if let Some(change) = self.changes.get(*number) {
                change.reads_of(self.view).add_one();
            }
        }
    }
}

impl World {
    /// The latest changes of the roles of instances, at most [`MOST_ROLE_CHANGES`].
    pub fn role_changes(&self) -> &RoleChanges {
        &self.role_changes
    }

    /// What a view shows of the roles at a time.
    pub fn roles_seen(&self, view: View, propagation: Propagation, now: Timestamp) -> RolesSeen<'_> {
        let changes = &self.role_changes;
        let mut unseen = HashMap::<_, Vec<_>>::new();
        if !propagation.is_immediate() {
            let is_unseen = |change: &RoleChange| match propagation {
                Propagation::Time(delay) => {
                    let ago = now.duration_since(change.at);
                    !ago.is_negative() && ago < delay
                }
                Propagation::Reads(bound) => change.reads_of(view).get() < bound,
            };
            for (number, change) in (changes.dropped..).zip(changes.iter()).filter(|(_, change)| is_unseen(change)) {
                unseen.entry(change.instance.as_str()).or_default().push(number);
            }
        }
        RolesSeen { changes, view, propagation, unseen }
    }

    /// Makes a view show every change so far, if it goes by reads: those before it did were not counted.
    pub fn show_changes(&mut self, view: View) {
        for change in &mut self.role_changes.kept {
            *change.reads_of_mut(view) = Reads::of(Reads::ALL);
        }
    }

    /// Puts a role on an instance, which is there and has none, or this one.
    ///
    /// Attaching the same role again keeps its policy unless a new one is given
    /// (ecs-instance-ram-role.md 5.5, inferred); with the policy that it has, nothing changes.
    pub fn attach_role(&mut self, now: Timestamp, id: &str, role: RoleName, policy: Option<Box<str>>) {
        if let Some(index) = self.instance_index(id) {
            self.attach_role_at(now, index, role, policy);
        }
    }

    /// The same, where the instance has been found already.
    pub fn attach_role_at(&mut self, now: Timestamp, index: InstanceIndex, role: RoleName, policy: Option<Box<str>>) {
        let Some((id, instance)) = self.instance_at_mut(index) else { return };
        let same = instance.role().filter(|attached| attached.is(role.as_str()));
        let attached = instance.attachment().and_then(|attached| attached.policy.as_ref());
        if same.is_some() && policy.as_ref().is_none_or(|policy| Some(policy) == attached) {
            return;
        }
        let role = same.cloned().unwrap_or(role);
        let before = instance.replace_attachment(Some(Attachment::new(role, policy)));
        let change = RoleChange::new(now, id.clone(), before);
        self.role_changes.push(change);
    }

    /// Takes the role off an instance, whatever it is; its policy goes with it. Whether it had one.
    pub fn detach_role(&mut self, now: Timestamp, id: &str) -> bool {
        self.instance_index(id).is_some_and(|index| self.detach_role_at(now, index))
    }

    /// The same, where the instance has been found already.
    pub fn detach_role_at(&mut self, now: Timestamp, index: InstanceIndex) -> bool {
        let Some((id, instance)) = self.instance_at_mut(index) else { return false };
        let Some(before) = instance.replace_attachment(None) else { return false };
        let change = RoleChange::new(now, id.clone(), Some(before));
        self.role_changes.push(change);
        true
    }

    /// An attachment where a view has shown it, to change what was handed out for it.
    pub(super) fn attachment_mut(&mut self, id: &str, standing: Standing) -> Option<&mut Attachment> {
        match standing {
            Standing::Now => self.instance_mut(id)?.attachment_mut(),
            Standing::Before(number) => {
                self.role_changes.get_mut(number).filter(|change| change.instance.as_str() == id)?.before.as_mut()
            }
        }
    }

    /// The same, to look at.
    pub(super) fn attachment_at(&self, id: &str, standing: Standing) -> Option<&Attachment> {
        match standing {
            Standing::Now => self.instance(id)?.attachment(),
            Standing::Before(number) => {
                self.role_changes.get(number).filter(|change| change.instance.as_str() == id)?.before.as_ref()
            }
        }
    }
}
