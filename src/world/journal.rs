//! The journal of a space: its latest requests, and how each was answered.
//!
//! Records are written on the path of every call. Their texts stand one behind the other in one ring of bytes, because
//! memory that is written to in its order costs a fraction of as much memory in many places; a journal that is full takes no
//! more, and asks for none but for what a refusal says.

use std::collections::VecDeque;
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

/// How many bytes the ring of texts may have room for, however few there are.
const ROOM: usize = 1 << 20;

/// How many bytes of what a refusal says a record keeps.
pub const MOST_DETAIL_BYTES: usize = 8192;

/// The latest requests of a space, at most so many. With the bounds above, a record takes at most 21 KiB, and one of
/// an ordinary call less than 1 KiB; the ring of texts can have room for twice as many.
#[derive(Debug)]
pub struct Journal {
    most: usize,
    kept: Mutex<Kept>,
}

/// What a journal holds, to look at.
#[derive(Debug, Default)]
pub struct Kept {
    /// Oldest first, without their texts.
    ring: VecDeque<Record>,
    /// Their texts.
    texts: VecDeque<u8>,
    /// Where texts are put together.
    draft: Vec<u8>,
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
    /// How many bytes of texts there are.
    length: u32,
    /// All texts, one behind the other, then the parameters: each a [`PairHead`], the name and the value.
    text: Vec<u8>,
    /// Where each of the texts ends.
    ends: [u16; TEXTS],
}

/// The texts that every record has room for, before its parameters.
const TEXTS: usize = 10;

/// What stands before a parameter: how long its name is, how much of its value is kept, and how long that was.
struct PairHead {
    name: u16,
    kept: u16,
    bytes: u32,
}

impl PairHead {
    const SIZE: usize = 8;

    fn to_bytes(&self) -> [u8; Self::SIZE] {
        (u64::from(self.name) | u64::from(self.kept) << 16 | u64::from(self.bytes) << 32).to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let number = u64::from_le_bytes(bytes);
        Self { name: number as u16, kept: (number >> 16) as u16, bytes: (number >> 32) as u32 }
    }
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
        if kept.ring.len() >= self.most {
            kept.drop_oldest();
        }
        if self.most > 0 {
            kept.push(entry, parameters, details);
        }
    }

    /// The records, to look at; whoever calls waits meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.lock())
    }

    /// Forgets all records; how many there were. Numbers go on.
    pub fn clear(&self) -> usize {
        let mut kept = self.kept.lock();
        let (ring, texts) = (std::mem::take(&mut kept.ring), std::mem::take(&mut kept.texts));
        // Whoever empties it asks no more for what was before.
        kept.dropped_through = 0;
        drop(kept);
        drop(texts);
        ring.len()
    }
}

impl Kept {
    /// Oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record> {
        let mut end = 0;
        let place = |record: &Record| {
            let start = end;
            end += record.length as usize;
            start..end
        };
        let places: Vec<_> = self.ring.iter().map(place).collect();
        let whole =
            |(record, place)| Record { text: self.texts.range(place).copied().collect(), ..Record::clone(record) };
        self.ring.iter().zip(places).map(whole)
    }

    /// Makes room for another.
    fn drop_oldest(&mut self) {
        self.dropped += 1;
        // Of a journal that keeps none, it is the one that has just come.
        let oldest = self.ring.pop_front();
        self.dropped_through = oldest.as_ref().map_or(self.seen, |oldest| oldest.seq);
        self.texts.drain(..oldest.map_or(0, |oldest| oldest.length as usize));
        if self.texts.capacity() > ROOM && self.texts.capacity() / 4 > self.texts.len() {
            self.texts.shrink_to(self.texts.len() * 2);
        }
    }

    fn push<'p>(
        &mut self,
        entry: &Entry<'_>,
        parameters: impl Iterator<Item = (&'p str, &'p str)>,
        details: Option<Box<Details>>,
    ) {
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
        ];
        let (draft, mut ends) = (&mut self.draft, [0; TEXTS]);
        draft.clear();
        for (text, end) in texts.into_iter().zip(&mut ends) {
            draft.extend_from_slice(beginning(text, LONGEST_TEXT).as_bytes());
            *end = draft.len() as u16;
        }
        let (mut room, mut count, mut left_out) = (MOST_PARAMETER_BYTES, 0, 0);
        for (name, value) in parameters {
            let kept = beginning(value, LONGEST_VALUE);
            let fits = name.len() + kept.len() <= room && name.len() <= LONGEST_TEXT;
            if !fits || count == MOST_PARAMETERS {
                left_out += 1;
                continue;
            }
            (room, count) = (room - name.len() - kept.len(), count + 1);
            let head = PairHead { name: name.len() as u16, kept: kept.len() as u16, bytes: value.len() as u32 };
            draft.extend_from_slice(&head.to_bytes());
            draft.extend_from_slice(name.as_bytes());
            draft.extend_from_slice(kept.as_bytes());
        }
        self.texts.extend(&*draft);
        self.ring.push_back(Record {
            seq: self.seen,
            at: entry.at,
            duration: entry.duration,
            request_id: entry.request_id,
            style: entry.style,
            product: entry.product,
            format: entry.format,
            caller: entry.caller.clone(),
            status: entry.status,
            batch: entry.batch,
            peer: entry.peer,
            passed: entry.passed,
            details,
            parameters_left_out: left_out,
            length: draft.len() as u32,
            text: Vec::new(),
            ends,
        });
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
    fn text(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.between(start.into(), self.ends[place].into())
    }

    /// Texts are kept whole, so that none is no text.
    fn between(&self, start: usize, end: usize) -> &str {
        std::str::from_utf8(&self.text[start..end]).unwrap_or_default()
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
        let mut at = usize::from(self.ends[TEXTS - 1]);
        std::iter::from_fn(move || {
            let head = PairHead::from_bytes(*self.text.get(at..)?.first_chunk()?);
            let name_start = at + PairHead::SIZE;
            let name_end = name_start + usize::from(head.name);
            at = name_end + usize::from(head.kept);
            let (name, value) = (self.between(name_start, name_end), self.between(name_end, at));
            Some(Parameter { name, value, bytes: head.bytes as usize })
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
        assert_eq!(journal.look(Kept::dropped_through), 1);
        assert_eq!((journal.clear(), journal.clear()), (2, 0));
        assert_eq!(journal.look(Kept::dropped_through), 0);
        assert!(seqs(&journal).is_empty());
        (0..2).for_each(|_| record(&journal, &[]));
        assert_eq!((seqs(&journal), journal.look(Kept::dropped)), (vec![4, 5], 1));
    }

    #[test]
    fn none_is_kept_where_none_may_be() {
        let journal = Journal::new(0);
        record(&journal, &[("a", "b")]);
        assert_eq!(journal.look(|kept| (kept.ring.capacity(), kept.texts.capacity(), kept.seen())), (0, 0, 1));
        assert_eq!(journal.look(|kept| (kept.dropped(), kept.dropped_through())), (1, 1));
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
                let record = all.records().next().expect("a record");
                assert_eq!((record.parameters().count(), record.parameters_left_out as usize), (kept, left_out));
                let most = TEXTS * LONGEST_TEXT + MOST_PARAMETER_BYTES + MOST_PARAMETERS * PairHead::SIZE;
                assert!(record.text.len() <= most && all.texts.len() == record.text.len());
                let refusal = record.refusal().expect("a refusal");
                let values = refusal.facts.iter().map(|(_, value)| value.capacity()).sum::<usize>();
                assert!(refusal.message.capacity() + values <= MOST_DETAIL_BYTES && refusal.facts.len() == 1);
                assert!(refusal.message.ends_with("v…"), "it is cut with a mark");
            });
        }
    }

    #[test]
    fn a_full_journal_takes_no_more_and_one_that_was_large_gives_back() {
        let journal = Journal::new(4);
        let room = || journal.look(|kept| (kept.ring.capacity(), kept.texts.capacity(), kept.draft.capacity()));
        (0..8).for_each(|_| record(&journal, &[("RegionId", "cn-hangzhou")]));
        let first = room();
        (0..100).for_each(|_| record(&journal, &[("RegionId", "cn-beijing")]));
        assert_eq!(room(), first);
        let journal = Journal::new(400);
        let texts = || journal.look(|kept| (kept.texts.capacity(), kept.texts.len()));
        let value = "v".repeat(LONGEST_VALUE);
        (0..400).for_each(|_| record(&journal, &[("A", &value), ("B", &value[..4000])]));
        assert!(texts().0 > 3 * ROOM);
        (0..400).for_each(|_| record(&journal, &[("A", "v")]));
        assert!(texts().0 <= ROOM && texts().1 < ROOM, "{:?}", texts());
        let seqs = seqs(&journal);
        assert_eq!((seqs[0], seqs.len()), (401, 400));
        journal.look(|kept| assert!(kept.records().all(|record| record.parameter("A").is_some_and(|a| a.was("v")))));
    }
}
