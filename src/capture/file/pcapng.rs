//! pcapng: blocks that name their length at both ends (draft-ietf-opsawg-pcapng).

use super::search::{Begins, Search};
use super::{Frame, LONGEST, Log, Order, Step};

/// First four bytes of a section header, the same in both orders.
const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED: u32 = 6;
const SECRETS: u32 = 10;

/// Longest block that is believed: a packet with its options.
const LONGEST_BLOCK: u32 = LONGEST + 0x1_0000;

/// Interfaces of one section that are kept.
const INTERFACES: usize = 4096;

/// A reader at some place of a file.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
    /// Time of the last packet: simple packets have none.
    last: i64,
    search: Option<Search>,
    /// Nothing more is read.
    stopped: bool,
}

/// An interface of the current section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snaplen: u32,
    /// Ticks of a second: with bit 7 a power of 2, else of 10.
    resolution: u8,
    /// Seconds that are added.
    offset: i64,
    /// Packets that it lost, by its last statistics.
    dropped: u64,
}

impl Default for Pcapng {
    fn default() -> Self {
        Self { order: Order { little: false }, interfaces: Vec::new(), last: 0, search: None, stopped: false }
    }
}

/// Whether these bytes begin a section.
pub(super) fn begins(head: &[u8]) -> bool {
    section(head).is_some()
}

/// The byte order of the section that begins so.
fn section(head: &[u8]) -> Option<Order> {
    if !head.starts_with(&SECTION) {
        return None;
    }
    match head.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order { little: false }),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order { little: true }),
        _ => None,
    }
}

/// A length that a block can have.
fn is_length(len: u32) -> bool {
    len.is_multiple_of(4) && (12..=LONGEST_BLOCK).contains(&len)
}

impl Pcapng {
    /// Reads what stands at the front.
    pub(super) fn step<'a>(&mut self, front: &'a [u8], at: u64, end: bool, log: &mut Log) -> Step<'a> {
        if self.stopped {
            return Step::Took(front.len(), None);
        }
        match self.search {
            Some(search) => self.search(search, front, at, end, log),
            None => self.next(front, at, log),
        }
    }

    fn next<'a>(&mut self, front: &'a [u8], at: u64, log: &mut Log) -> Step<'a> {
        if front.len() < 12 {
            return Step::More(12);
        }
        let is_section = front.starts_with(&SECTION);
        let order = if is_section { section(front) } else { Some(self.order) };
        let len = order.and_then(|o| o.u32(front, 4)).filter(|len| is_length(*len));
        let (Some(order), Some(len)) = (order, len) else {
            self.search = Some(Search { from: at, zeros: front.first() == Some(&0) });
            return Step::Took(1, None);
        };
        let len = len as usize;
        let Some(block) = front.get(..len) else { return Step::More(len) };
        if order.u32(block, len - 4) != Some(len as u32) {
            log.torn(at, format!("the two lengths of the block at byte {at} differ; the first is taken"));
        }
        let body = block.get(8..len - 4).unwrap_or_default();
        if is_section {
            self.begin_section(order, body, at, log);
            return Step::Took(len, None);
        }
        let kind = order.u32(block, 0).unwrap_or_default();
        Step::Took(len, self.block(kind, body, at, log))
    }

    fn begin_section(&mut self, order: Order, body: &[u8], at: u64, log: &mut Log) {
        self.count_lost(log);
        self.order = order;
        if order.u16(body, 4) != Some(1) {
            log.once(at, "a section says that it has another version than 1; it is read as version 1");
        }
    }

    /// What the interfaces of the section that ends say they lost.
    fn count_lost(&mut self, log: &mut Log) {
        let lost = self.interfaces.drain(..).fold(0u64, |n, i| n.saturating_add(i.dropped));
        log.read.dropped = log.read.dropped.saturating_add(lost);
    }

    fn block<'a>(&mut self, kind: u32, body: &'a [u8], at: u64, log: &mut Log) -> Option<Frame<'a>> {
        match kind {
            INTERFACE => self.interface(body, at, log),
            STATISTICS => self.statistics(body),
            SECRETS => log.once(at, "the file brings TLS secrets along; they are neither used nor kept"),
            PACKET | SIMPLE | ENHANCED => {
                let frame = self.packet(kind, body, at, log);
                if frame.is_none() {
                    log.read.frames += 1;
                    log.once(at, "packets of interfaces that the file does not describe are left out");
                }
                return frame;
            }
            // Names, custom blocks, a journal: nothing that passed on a wire.
            _ => {}
        }
        None
    }

    fn interface(&mut self, body: &[u8], at: u64, log: &mut Log) {
        let (Some(link), Some(snaplen)) = (self.order.u16(body, 0), self.order.u32(body, 4)) else {
            return log.torn(at, format!("the description of an interface at byte {at} ends too early"));
        };
        if self.interfaces.len() >= INTERFACES {
            return;
        }
        let mut it = Interface { link, snaplen, resolution: 6, offset: 0, dropped: 0 };
        self.options(body.get(8..).unwrap_or_default(), |code, value| match (code, value) {
            (9, [resolution, ..]) => it.resolution = *resolution,
            (14, _) => it.offset = self.order.u64(value, 0).map_or(0, u64::cast_signed),
            _ => {}
        });
        self.interfaces.push(it);
    }

    fn statistics(&mut self, body: &[u8]) {
        let mut lost = 0u64;
        self.options(body.get(12..).unwrap_or_default(), |code, value| {
            // What the interface lost, and what the system did.
            if matches!(code, 5 | 7) {
                lost = lost.saturating_add(self.order.u64(value, 0).unwrap_or_default());
            }
        });
        let number = self.order.u32(body, 0).unwrap_or(u32::MAX) as usize;
        if let Some(it) = self.interfaces.get_mut(number) {
            it.dropped = lost;
        }
    }

    /// Options as far as they can be read.
    fn options<'a>(&self, bytes: &'a [u8], mut each: impl FnMut(u16, &'a [u8])) {
        let mut rest = bytes;
        while let (Some(code @ 1..), Some(len)) = (self.order.u16(rest, 0), self.order.u16(rest, 2)) {
            let len = usize::from(len);
            let Some(value) = rest.get(4..).and_then(|r| r.get(..len)) else { return };
            each(code, value);
            rest = rest.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// The packet of a block; `None` when its interface is not known. A body that ends early gives what is there.
    fn packet<'a>(&mut self, kind: u32, body: &'a [u8], at: u64, log: &mut Log) -> Option<Frame<'a>> {
        let word = |n| self.order.u32(body, n);
        let (number, head) = match kind {
            SIMPLE => (0, 4),
            PACKET => (usize::from(self.order.u16(body, 0)?), 20),
            _ => (word(0)? as usize, 20),
        };
        let it = *self.interfaces.get(number)?;
        let rest = body.get(head..)?;
        let (captured, len) = match kind {
            SIMPLE => {
                let len = word(0)?;
                (if it.snaplen == 0 { len } else { len.min(it.snaplen) }, len)
            }
            _ => (word(12)?, word(16)?),
        };
        if kind == PACKET {
            let lost = self.order.u16(body, 2).filter(|n| *n != u16::MAX);
            log.read.dropped = log.read.dropped.saturating_add(lost.unwrap_or_default().into());
        }
        if kind != SIMPLE {
            self.last = it.time(u64::from(word(4)?) << 32 | u64::from(word(8)?));
        }
        let data = rest.get(..captured as usize).unwrap_or_else(|| {
            log.once(at, "a packet is shorter than its length says; what is there is used");
            rest
        });
        Some(Frame { at: self.last, link: it.link.into(), data, len: len.max(captured) })
    }

    /// Whether a block whose two lengths agree, or a section, stands at `at`.
    fn begins(&self, front: &[u8], at: usize, aligned: bool, end: bool) -> Begins {
        let need = |n| if end { Begins::No } else { Begins::Need(n) };
        let Some(head) = front.get(at..).and_then(|f| f.get(..12)) else { return need(at + 12) };
        let order = match section(head) {
            Some(order) => order,
            None if aligned => self.order,
            None => return Begins::No,
        };
        let known = begins(head) || matches!(order.u32(head, 0), Some(1..=6 | 9 | SECRETS | 0xbad | 0x4000_0bad));
        let Some(len) = order.u32(head, 4).filter(|len| known && is_length(*len)) else { return Begins::No };
        match order.u32(front, at + len as usize - 4) {
            Some(again) if again == len => Begins::Yes,
            Some(_) => Begins::No,
            None => need(at + len as usize),
        }
    }

    /// Looks for the next block where blocks would be aligned, and for a section anywhere.
    fn search<'a>(&mut self, mut s: Search, front: &'a [u8], at: u64, end: bool, log: &mut Log) -> Step<'a> {
        let since = at - s.from;
        let is_aligned = |i: usize| (since + i as u64).is_multiple_of(4);
        let found = s.look(front, at, "block", log, |i| self.begins(front, i, is_aligned(i), end));
        match found.step(s, front, &mut self.search, &mut self.stopped) {
            Some(step) => step,
            None => self.next(front, at, log),
        }
    }

    /// The file ends behind `front`.
    pub(super) fn end<'a>(&mut self, front: &'a [u8], at: u64, log: &mut Log) -> Option<Frame<'a>> {
        let end = at + front.len() as u64;
        let frame = self.last_packet(front, at, end, log);
        self.count_lost(log);
        frame
    }

    fn last_packet<'a>(&mut self, front: &'a [u8], at: u64, end: u64, log: &mut Log) -> Option<Frame<'a>> {
        Search::tail(self.search, self.stopped, end, log);
        if self.stopped || self.search.is_some() || front.is_empty() {
            return None;
        }
        if front.iter().all(|b| *b == 0) {
            log.tail(at, end, true);
            return None;
        }
        let kind = self.order.u32(front, 0).filter(|k| matches!(*k, PACKET | SIMPLE | ENHANCED));
        let head = if kind == Some(SIMPLE) { 12 } else { 28 };
        let (Some(kind), Some(there)) = (kind, front.len().checked_sub(head)) else {
            log.torn(at, "the file ends inside a block".to_owned());
            return None;
        };
        let number = log.read.frames + 1;
        let body = front.get(8..).unwrap_or_default();
        let mut quiet = Log::default();
        let Some(frame) = self.packet(kind, body, at, &mut quiet) else {
            log.torn(at, "the file ends inside a block".to_owned());
            return None;
        };
        let there = there.min(frame.data.len());
        log.torn(at, format!("the file ends inside packet {number}; {there} bytes of it are there"));
        Some(frame)
    }
}

impl Interface {
    /// Ticks as nanoseconds since 1970.
    fn time(&self, ticks: u64) -> i64 {
        let nanos = u128::from(ticks) * 1_000_000_000;
        let power = u32::from(self.resolution & 0x7f);
        let nanos = if self.resolution & 0x80 == 0 {
            10u128.checked_pow(power).map_or(0, |unit| nanos / unit)
        } else {
            nanos >> power
        };
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        nanos.saturating_add(self.offset.saturating_mul(1_000_000_000))
    }
}
