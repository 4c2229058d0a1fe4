//! The format of libpcap: a header of 24 bytes, then records.

use super::search::{Begins, Search};
use super::{Format, Frame, LONGEST, Log, Order, Step, Unit, format};

/// Length of the file header.
const HEADER: usize = 24;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// A reader at some place of a file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    unit: Unit,
    /// Length of a record header.
    head: usize,
    /// What the file header says; `None` before it.
    file: Option<Header>,
    /// Second of the last packet.
    last: Option<u32>,
    search: Option<Search>,
    /// Nothing more is read.
    stopped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    link: u32,
    /// Longest record that is believed.
    longest: u32,
    lengths: Lengths,
}

/// Old versions of libpcap wrote the two lengths of a record the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    AsTheyAre,
    Swapped,
    /// Version 2.3 did either.
    SmallerFirst,
}

/// The four numbers of a record header.
#[derive(Clone, Copy, Debug)]
struct Record {
    sec: u32,
    frac: u32,
    incl: u32,
    orig: u32,
}

/// A reader for a file that begins where a record is due: somebody wrote several of them into one pipe.
fn again(front: &[u8]) -> Option<Pcap> {
    let Format::Pcap { swapped, unit, modified } = format(front)? else { return None };
    let new = Pcap::new(swapped, unit, modified);
    // A record of 2055 has other numbers: the version, then no time zone and no accuracy.
    let numbers = (new.order.u16(front, 4)?, new.order.u16(front, 6)?, new.order.u32(front, 8)?);
    (matches!(numbers, (2, 0..=4, 0)) && new.order.u32(front, 12)? == 0).then_some(new)
}

impl Pcap {
    pub(super) fn new(little: bool, unit: Unit, modified: bool) -> Self {
        let head = if modified { 24 } else { 16 };
        Self { order: Order { little }, unit, head, file: None, last: None, search: None, stopped: false }
    }

    /// Reads what stands at the front.
    pub(super) fn step<'a>(&mut self, front: &'a [u8], at: u64, end: bool, log: &mut Log) -> Step<'a> {
        if let (Some(_), None, Some(next)) = (self.file, self.search, again(front)) {
            if front.len() < HEADER && !end {
                return Step::More(HEADER);
            }
            log.once(at, "several captures one behind the other: all of them are read");
            *self = next;
        }
        let Some(file) = self.file else {
            let Some(header) = front.get(..HEADER) else { return Step::More(HEADER) };
            self.file = self.header(header, log);
            return Step::Took(HEADER, None);
        };
        if self.stopped {
            return Step::Took(front.len(), None);
        }
        match self.search {
            Some(search) => self.search(file, search, front, at, end, log),
            None => self.next(file, front, at, log),
        }
    }

    fn header(&self, bytes: &[u8], log: &mut Log) -> Option<Header> {
        let version = (self.order.u16(bytes, 4)?, self.order.u16(bytes, 6)?);
        let snaplen = self.order.u32(bytes, 16)?;
        if self.order.u32(bytes, 8)? != 0 {
            log.say(8, None, "the header names a time zone; times are taken as UTC all the same".to_owned());
        }
        Some(Header {
            // The upper bits tell of the frame check sequence.
            link: self.order.u32(bytes, 20)? & 0xffff,
            longest: snaplen.max(262_144).saturating_add(64).min(LONGEST),
            lengths: match version {
                (2, 3) => Lengths::SmallerFirst,
                v if v < (2, 3) => Lengths::Swapped,
                _ => Lengths::AsTheyAre,
            },
        })
    }

    /// The record header at `at` of `front`.
    fn record(&self, file: Header, front: &[u8], at: usize) -> Option<Record> {
        let bytes = front.get(at..)?.get(..self.head)?;
        let word = |n| self.order.u32(bytes, n);
        let (sec, frac, a, b) = (word(0)?, word(4)?, word(8)?, word(12)?);
        let swapped = match file.lengths {
            Lengths::AsTheyAre => false,
            Lengths::Swapped => true,
            Lengths::SmallerFirst => a > b,
        };
        let (incl, orig) = if swapped { (b, a) } else { (a, b) };
        Some(Record { sec, frac, incl, orig })
    }

    /// What a second is divided into.
    fn parts(&self) -> u32 {
        if self.unit == Unit::Micro { 1_000_000 } else { 1_000_000_000 }
    }

    fn time(&self, record: Record) -> i64 {
        let frac = if record.frac < self.parts() { record.frac } else { 0 };
        i64::from(record.sec) * 1_000_000_000 + i64::from(frac) * i64::from(1_000_000_000 / self.parts())
    }

    fn next<'a>(&mut self, file: Header, front: &'a [u8], at: u64, log: &mut Log) -> Step<'a> {
        let Some(record) = self.record(file, front, 0) else { return Step::More(self.head) };
        let zeros = front.get(..self.head).is_some_and(|h| h.iter().all(|b| *b == 0));
        let far = self.last.is_some_and(|last| last.abs_diff(record.sec) > 2 * DAY) && record.incl > 0x1_0000;
        if zeros || record.incl > file.longest || far {
            self.search = Some(Search { from: at, zeros });
            return Step::Took(1, None);
        }
        let len = self.head + record.incl as usize;
        let Some(data) = front.get(self.head..len) else { return Step::More(len) };
        if record.frac >= self.parts() {
            log.once(at, "a time has a fraction of more than a second; the fraction is left out");
        }
        self.last = Some(record.sec);
        let frame = Frame { at: self.time(record), link: file.link, data, len: record.orig.max(record.incl) };
        Step::Took(len, Some(frame))
    }

    /// Whether two records in a row, or one that ends the file, stand at `at`.
    fn begins(&self, file: Header, front: &[u8], at: usize, end: bool) -> Begins {
        let likely = |r: Record, last: Option<u32>| {
            (1..=file.longest).contains(&r.incl)
                && r.incl <= r.orig
                && r.frac < self.parts()
                && last.is_none_or(|last| last.abs_diff(r.sec) <= DAY)
        };
        let need = |n| if end { Begins::No } else { Begins::Need(n) };
        let Some(first) = self.record(file, front, at) else { return need(at + self.head) };
        if !likely(first, self.last) {
            return Begins::No;
        }
        let behind = at + self.head + first.incl as usize;
        if end && behind == front.len() {
            return Begins::Yes;
        }
        match self.record(file, front, behind) {
            Some(second) if likely(second, Some(first.sec)) => Begins::Yes,
            Some(_) => Begins::No,
            None => need(behind + self.head),
        }
    }

    /// Looks for the next packet.
    fn search<'a>(
        &mut self,
        file: Header,
        mut s: Search,
        front: &'a [u8],
        at: u64,
        end: bool,
        log: &mut Log,
    ) -> Step<'a> {
        let found = s.look(front, at, "packet", log, |i| self.begins(file, front, i, end));
        match found.step(s, front, &mut self.search, &mut self.stopped) {
            Some(step) => step,
            None => self.next(file, front, at, log),
        }
    }

    /// The file ends behind `front`.
    pub(super) fn end<'a>(&mut self, front: &'a [u8], at: u64, log: &mut Log) -> Option<Frame<'a>> {
        let end = at + front.len() as u64;
        let Some(file) = self.file else {
            log.torn(at, "the file ends inside its header of 24 bytes".to_owned());
            return None;
        };
        Search::tail(self.search, self.stopped, end, log);
        if self.stopped || self.search.is_some() || front.is_empty() {
            return None;
        }
        let number = log.read.frames + 1;
        let Some(record) = self.record(file, front, 0) else {
            if front.iter().all(|b| *b == 0) {
                log.tail(at, end, true);
            } else {
                log.torn(at, format!("the file ends inside the header of packet {number}"));
            }
            return None;
        };
        let data = front.get(self.head..).unwrap_or_default();
        log.torn(at, format!("the file ends inside packet {number}; {} bytes of it are there", data.len()));
        Some(Frame { at: self.time(record), link: file.link, data, len: record.orig.max(record.incl) })
    }
}
