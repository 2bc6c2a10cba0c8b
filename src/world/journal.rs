//! The journal of a space: its latest requests, and how each was answered.
//!
//! Records are written on the path of every call. They stand in a ring whose places are used again with the buffers
//! that they have, so that a journal which is full takes no more memory, and asks for none but for what a refusal says.

use std::net::IpAddr;
use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;

use super::sync::Mutex;
use super::{AccountId, RequestId};

/// How many bytes of a parameter's value a record keeps; what is longer is cut, and said to be.
pub const LONGEST_VALUE: usize = 4096;

/// How many bytes of names and values of parameters a record keeps; what does not fit is left out, and counted.
pub const MOST_PARAMETER_BYTES: usize = 8192;

/// How many parameters a record keeps.
pub const MOST_PARAMETERS: usize = 256;

/// How many bytes of any other text that a client wrote a record keeps; a parameter with a longer name is left out.
pub const LONGEST_TEXT: usize = 256;

/// How many bytes of what a refusal says a record keeps.
pub const MOST_DETAIL_BYTES: usize = 8192;

/// The latest requests of a space, at most so many. With the bounds above, a record takes at most 21 KiB, and one of
/// an ordinary call about 1 KiB.
#[derive(Debug)]
pub struct Journal {
    most: usize,
    kept: Mutex<Kept>,
}

/// What a journal holds, to look at.
#[derive(Debug, Default)]
pub struct Kept {
    /// From `first` round to the one before it.
    ring: Vec<Record>,
    /// The place of the oldest.
    first: usize,
    seen: u64,
    dropped: u64,
    dropped_through: u64,
}

/// What is to be recorded of one request, as whoever answers it has it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The world's time when it was looked at.
    pub at: Timestamp,
    /// How long the answer took, by the machine's clock.
    pub duration: Duration,
    pub request_id: Option<RequestId>,
    pub method: &'a str,
    pub path: &'a str,
    /// How it is signed.
    pub style: Option<&'static str>,
    pub product: Option<&'static str>,
    pub version: Option<&'a str>,
    pub action: Option<&'a str>,
    pub format: Option<&'static str>,
    pub access_key_id: Option<&'a str>,
    /// Who calls: account, kind and name.
    pub caller: Option<Who>,
    /// The instance that asks for its metadata.
    pub instance: Option<&'a str>,
    pub status: u16,
    pub code: &'a str,
    /// What somebody had go wrong with it.
    pub fault: Option<&'a str>,
    /// How many parts a batch had, and how many failed.
    pub batch: Option<(u32, u32)>,
    pub peer: Option<IpAddr>,
    pub user_agent: Option<&'a str>,
    pub trace_parent: Option<&'a str>,
    /// The checks that it has passed, a bit each, as whoever records numbers them.
    pub passed: u32,
}

impl Entry<'_> {
    /// The header that `trace_parent` comes in.
    pub const TRACE_PARENT: &'static str = "traceparent";
}

/// Who has made a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub account: AccountId,
    pub kind: &'static str,
    pub name: CompactString,
}

/// What a record has beyond what every record has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of a request that was refused.
    pub refusal: Option<Refusal>,
    /// What was let pass that policies do not allow.
    pub waived: Vec<String>,
}

/// Why a request was refused, in plain values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The number of the check that refused it.
    pub station: u8,
    /// The number of the row of its code; of one that somebody has asked for, there is none.
    pub row: Option<u16>,
    /// What the caller reads, without what nobody else may.
    pub message: String,
    /// What was compared, by name.
    pub facts: Vec<(&'static str, String)>,
}

/// One request and how it was answered.
#[derive(Clone, Debug)]
pub struct Record {
    /// Counted from 1 since the space was made.
    pub seq: u64,
    /// The world's time when it was looked at.
    pub at: Timestamp,
    /// How long the answer took, by the machine's clock.
    pub duration: Duration,
    pub request_id: Option<RequestId>,
    /// How it is signed.
    pub style: Option<&'static str>,
    pub product: Option<&'static str>,
    pub format: Option<&'static str>,
    pub caller: Option<Who>,
    pub status: u16,
    /// How many parts a batch had, and how many failed.
    pub batch: Option<(u32, u32)>,
    /// Without one, it came by a Unix socket, or was refused before anybody looked who sends it.
    pub peer: Option<IpAddr>,
    /// The checks that it has passed, a bit each.
    pub passed: u32,
    pub details: Option<Box<Details>>,
    /// How many parameters are not kept.
    pub parameters_left_out: u32,
    /// All texts, one behind the other.
    text: String,
    /// Where each of them ends.
    ends: [u16; TEXTS],
    parameters: Vec<Pair>,
}

/// The texts that every record has room for, before its parameters.
const TEXTS: usize = 10;

/// How many bytes of texts a record keeps, parameters among them.
const MOST_TEXT_BYTES: usize = TEXTS * LONGEST_TEXT + MOST_PARAMETER_BYTES;

/// Where name and value of a parameter end, and how many bytes the value had.
#[derive(Clone, Copy, Debug)]
struct Pair {
    name_end: u16,
    end: u16,
    bytes: u32,
}

/// A parameter of a recorded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'r> {
    pub name: &'r str,
    /// The whole of it, or its beginning.
    pub value: &'r str,
    /// How long the value was.
    pub bytes: usize,
}

impl Parameter<'_> {
    /// Whether `value` is only the beginning.
    pub fn is_cut(&self) -> bool {
        self.bytes > self.value.len()
    }

    /// Whether it was this value, as far as it is kept: of one that is cut, beginning and length tell.
    pub fn was(&self, value: &str) -> bool {
        self.bytes == value.len() && value.starts_with(self.value)
    }
}

impl Journal {
    /// Keeps the latest `most` records; 0 keeps none.
    pub fn new(most: u32) -> Self {
        Self { most: most as usize, kept: Mutex::default() }
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// Keeps a record; if there are as many as there may be, in the place of the oldest. Parameters come in their order,
    /// without what nobody may read.
    pub fn record<'p>(
        &self,
        entry: &Entry<'_>,
        parameters: impl Iterator<Item = (&'p str, &'p str)>,
        mut details: Option<Box<Details>>,
    ) {
        if let Some(details) = &mut details {
            details.fit();
        }
        let mut kept = self.kept.lock();
        kept.seen += 1;
        if self.most == 0 {
            kept.dropped += 1;
            kept.dropped_through = kept.seen;
            return;
        }
        let seq = kept.seen;
        let place = if kept.ring.len() < self.most {
            kept.ring.push(Record::new(entry));
            kept.ring.len() - 1
        } else {
            let place = kept.first;
            kept.first = if place + 1 == self.most { 0 } else { place + 1 };
            kept.dropped += 1;
            kept.dropped_through = kept.ring[place].seq;
            place
        };
        kept.ring[place].write(seq, entry, parameters, details);
    }

    /// The records, to look at; whoever calls waits meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.lock())
    }

    /// Forgets all records; how many there were. Numbers go on.
    pub fn clear(&self) -> usize {
        let mut kept = self.kept.lock();
        let ring = std::mem::take(&mut kept.ring);
        kept.first = 0;
        drop(kept);
        ring.len()
    }
}

impl Kept {
    /// Oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
        let (newer, older) = self.ring.split_at(self.first);
        older.iter().chain(newer)
    }

    /// How many requests there were since the space was made.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many of them newer ones have displaced.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The number of the latest that was displaced; 0 if none was.
    pub fn dropped_through(&self) -> u64 {
        self.dropped_through
    }
}

impl Record {
    fn new(entry: &Entry<'_>) -> Self {
        Self {
            seq: 0,
            at: entry.at,
            duration: entry.duration,
            request_id: None,
            style: None,
            product: None,
            format: None,
            caller: None,
            status: 0,
            batch: None,
            peer: None,
            passed: 0,
            details: None,
            parameters_left_out: 0,
            text: String::new(),
            ends: [0; TEXTS],
            parameters: Vec::new(),
        }
    }

    fn write<'p>(
        &mut self,
        seq: u64,
        entry: &Entry<'_>,
        parameters: impl Iterator<Item = (&'p str, &'p str)>,
        details: Option<Box<Details>>,
    ) {
        (self.seq, self.at, self.duration, self.request_id) = (seq, entry.at, entry.duration, entry.request_id);
        (self.style, self.product, self.format) = (entry.style, entry.product, entry.format);
        self.caller.clone_from(&entry.caller);
        (self.status, self.batch) = (entry.status, entry.batch);
        (self.peer, self.passed, self.details) = (entry.peer, entry.passed, details);

        let texts: [&str; TEXTS] = [
            entry.method,
            entry.path,
            entry.version.unwrap_or_default(),
            entry.action.unwrap_or_default(),
            entry.access_key_id.unwrap_or_default(),
            entry.instance.unwrap_or_default(),
            entry.user_agent.unwrap_or_default(),
            entry.trace_parent.unwrap_or_default(),
            entry.code,
            entry.fault.unwrap_or_default(),
        ]
        .map(|text| beginning(text, LONGEST_TEXT));
        self.text.clear();
        self.parameters.clear();
        for (text, end) in texts.into_iter().zip(&mut self.ends) {
            self.text.push_str(text);
            *end = self.text.len() as u16;
        }
        let (mut room, mut left_out) = (MOST_PARAMETER_BYTES, 0);
        for (name, value) in parameters {
            let kept = beginning(value, LONGEST_VALUE);
            let fits = name.len() + kept.len() <= room && name.len() <= LONGEST_TEXT;
            if !fits || self.parameters.len() == MOST_PARAMETERS {
                left_out += 1;
                continue;
            }
            room -= name.len() + kept.len();
            self.text.push_str(name);
            let name_end = self.text.len() as u16;
            self.text.push_str(kept);
            self.parameters.push(Pair { name_end, end: self.text.len() as u16, bytes: value.len() as u32 });
        }
        self.parameters_left_out = left_out;
        // A buffer doubles when it grows, which may be beyond the bound.
        self.text.shrink_to(MOST_TEXT_BYTES);
        self.parameters.shrink_to(MOST_PARAMETERS);
    }

    fn text(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[usize::from(start)..usize::from(self.ends[place])]
    }

    fn told(&self, place: usize) -> Option<&str> {
        Some(self.text(place)).filter(|text| !text.is_empty())
    }

    pub fn method(&self) -> &str {
        self.text(0)
    }

    pub fn path(&self) -> &str {
        self.text(1)
    }

    pub fn version(&self) -> Option<&str> {
        self.told(2)
    }

    /// In the vendor's spelling, if the action is known; else as it was written.
    pub fn action(&self) -> Option<&str> {
        self.told(3)
    }

    pub fn access_key_id(&self) -> Option<&str> {
        self.told(4)
    }

    /// The instance that has asked for its metadata.
    pub fn instance(&self) -> Option<&str> {
        self.told(5)
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.told(6)
    }

    pub fn trace_parent(&self) -> Option<&str> {
        self.told(7)
    }

    /// `OK` if it was not refused.
    pub fn code(&self) -> &str {
        self.text(8)
    }

    /// The id of the fault or limit that it met.
    pub fn fault(&self) -> Option<&str> {
        self.told(9)
    }

    /// Those that are kept, by name.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        let mut start = usize::from(self.ends[TEXTS - 1]);
        self.parameters.iter().map(move |pair| {
            let (name_end, end) = (usize::from(pair.name_end), usize::from(pair.end));
            let name = &self.text[std::mem::replace(&mut start, end)..name_end];
            Parameter { name, value: &self.text[name_end..end], bytes: pair.bytes as usize }
        })
    }

    pub fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        self.parameters().find(|parameter| parameter.name == name)
    }

    pub fn refusal(&self) -> Option<&Refusal> {
        self.details.as_ref()?.refusal.as_ref()
    }
}

impl Details {
    /// Cuts what is beyond the bound, with a mark.
    fn fit(&mut self) {
        let mut room = MOST_DETAIL_BYTES;
        let mut fit = |text: &mut String| {
            const MARK: &str = "…";
            let most = room.min(LONGEST_VALUE);
            if most < MARK.len() {
                return false;
            }
            if text.len() > most {
                text.truncate(text.floor_char_boundary(most - MARK.len()));
                text.push_str(MARK);
            }
            text.shrink_to_fit();
            room -= text.len();
            true
        };
        if let Some(Refusal { message, facts, .. }) = &mut self.refusal {
            fit(message);
            facts.retain_mut(|(_, value)| fit(value));
            facts.shrink_to_fit();
        }
        self.waived.retain_mut(fit);
        self.waived.shrink_to_fit();
    }
}

fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { &text[..text.floor_char_boundary(most)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            at: Timestamp::UNIX_EPOCH,
            duration: Duration::from_micros(8),
            request_id: None,
            method: "GET",
            path: "/",
            style: Some("V1"),
            product: None,
            version: None,
            action: Some("DescribeRegions"),
            format: None,
            access_key_id: Some("test"),
            caller: None,
            instance: None,
            status: 200,
            code: "OK",
            fault: None,
            batch: None,
            peer: None,
            user_agent: None,
            trace_parent: None,
            passed: 0,
        }
    }

    fn record(journal: &Journal, parameters: &[(&str, &str)]) {
        journal.record(&entry(), parameters.iter().copied(), None);
    }

    fn seqs(journal: &Journal) -> Vec<u64> {
        journal.look(|kept| kept.records().map(|record| record.seq).collect())
    }

    #[test]
    fn the_latest_stay_oldest_first_and_the_others_are_counted() {
        let journal = Journal::new(3);
        for round in 0..8_u64 {
            assert_eq!(seqs(&journal), (round.saturating_sub(2).max(1)..=round).collect::<Vec<_>>());
            record(&journal, &[]);
        }
        let (seen, dropped, through) = journal.look(|kept| (kept.seen(), kept.dropped(), kept.dropped_through()));
        assert_eq!((seen, dropped, through), (8, 5, 5));
    }

    #[test]
    fn numbers_go_on_when_it_is_emptied_and_that_drops_nothing() {
        let journal = Journal::new(2);
        (0..3).for_each(|_| record(&journal, &[]));
        assert_eq!((journal.clear(), journal.clear()), (2, 0));
        assert!(seqs(&journal).is_empty());
        (0..2).for_each(|_| record(&journal, &[]));
        assert_eq!((seqs(&journal), journal.look(Kept::dropped)), (vec![4, 5], 1));
    }

    #[test]
    fn none_is_kept_where_none_may_be() {
        let journal = Journal::new(0);
        record(&journal, &[("a", "b")]);
        assert_eq!(journal.look(|kept| (kept.ring.capacity(), kept.seen(), kept.dropped())), (0, 1, 1));
    }

    #[test]
    fn a_record_has_what_was_given_and_nothing_of_the_one_whose_place_it_takes() {
        let journal = Journal::new(1);
        let long = Entry { user_agent: Some("agent"), trace_parent: Some("00-1"), instance: Some("i-1"), ..entry() };
        let details = Details { waived: vec!["x".to_owned()], ..Details::default() };
        journal.record(&long, [("A", "1"), ("B", "")].into_iter(), Some(Box::new(details)));
        journal.look(|kept| {
            let record = kept.records().next().expect("a record");
            let parameters: Vec<_> = record.parameters().map(|p| (p.name, p.value, p.is_cut())).collect();
            assert_eq!(parameters, [("A", "1", false), ("B", "", false)]);
            let texts = [record.user_agent(), record.trace_parent(), record.instance(), record.version()];
            assert_eq!(texts, [Some("agent"), Some("00-1"), Some("i-1"), None]);
        });
        record(&journal, &[("C", "ä")]);
        journal.look(|kept| {
            let record = kept.records().next().expect("a record");
            let texts = [record.user_agent(), record.trace_parent(), record.instance()];
            assert_eq!((record.seq, texts, record.details.is_none()), (2, [None; 3], true));
            assert_eq!((record.method(), record.path(), record.action()), ("GET", "/", Some("DescribeRegions")));
            assert_eq!((record.parameter("C").map(|p| p.value), record.parameter("A")), (Some("ä"), None));
        });
    }

    #[test]
    fn what_is_long_is_cut_between_two_characters_and_said_to_be() {
        let journal = Journal::new(1);
        let long = "ä".repeat(LONGEST_VALUE / 2) + "b";
        record(&journal, &[("Short", "v"), ("Text", &format!("a{long}"))]);
        journal.look(|kept| {
            let record = kept.records().next().expect("a record");
            let text = record.parameter("Text").expect("it is kept");
            assert_eq!((text.value.len(), text.bytes, text.is_cut()), (LONGEST_VALUE - 1, LONGEST_VALUE + 2, true));
            assert!(text.was(&format!("a{long}")) && !text.was(&long) && !text.was(text.value));
            let short = record.parameter("Short").expect("it is kept");
            assert!(short.was("v") && !short.was("") && !short.was("w"));
        });
    }

    #[test]
    fn a_record_never_takes_more_than_its_bound_whatever_comes() {
        let journal = Journal::new(1);
        let (name, value) = ("n".repeat(LONGEST_TEXT + 1), "v".repeat(1 << 20));
        let names: Vec<_> = (0..5000).map(|n| n.to_string()).collect();
        let small: Vec<_> = names.iter().map(|name| (&**name, "")).collect();
        let large: Vec<_> = names.iter().map(|name| (&**name, &*value)).collect();
        for (parameters, kept, left_out) in
            [(vec![(&*name, "v")], 0, 1), (small, MOST_PARAMETERS, 5000 - MOST_PARAMETERS), (large, 1, 4999)]
        {
            let facts = (0..100).map(|_| ("fact", value.clone())).collect();
            let refusal = Refusal { message: value.clone(), facts, ..Refusal::default() };
            let details = Details { refusal: Some(refusal), waived: vec![value.clone()] };
            let entry = Entry { user_agent: Some(&value), path: &value, action: Some(&value), ..entry() };
            journal.record(&entry, parameters.into_iter(), Some(Box::new(details)));
            journal.look(|all| {
                let record = &all.ring[0];
                assert_eq!((record.parameters().count(), record.parameters_left_out as usize), (kept, left_out));
                assert!(record.text.capacity() <= MOST_TEXT_BYTES);
                assert!(record.parameters.capacity() <= MOST_PARAMETERS);
                let refusal = record.refusal().expect("a refusal");
                let values = refusal.facts.iter().map(|(_, value)| value.capacity()).sum::<usize>();
                assert!(refusal.message.capacity() + values <= MOST_DETAIL_BYTES && refusal.facts.len() == 1);
                assert!(refusal.message.ends_with("v…"), "it is cut with a mark");
            });
        }
    }

    #[test]
    fn a_full_journal_uses_its_buffers_again() {
        let journal = Journal::new(4);
        let buffers = || journal.look(|kept| kept.ring.iter().map(|r| r.text.as_ptr()).collect::<Vec<_>>());
        (0..4).for_each(|_| record(&journal, &[("RegionId", "cn-hangzhou")]));
        let first = buffers();
        (0..9).for_each(|_| record(&journal, &[("RegionId", "cn-beijing")]));
        assert_eq!(buffers(), first);
    }
}
