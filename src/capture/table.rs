//! The connections of a capture: which packet belongs to which, what became of it, and what has to go when there are too many.
//!
//! Everything is decided by packets and their times, never by how a file is cut into pieces.

use std::collections::HashMap;

use core::net::SocketAddr;

use super::connection::Connection;
use super::facts::Key;
pub use super::facts::{Facts, Rank};
use super::{End, Piece};
use crate::wire::net::Segment;

/// Packets between two looks for connections that are idle.
const SWEEP: u64 = 65_536;

/// What the table holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections.
    pub connections: usize,
    /// Bytes that wait for their turn or are kept for comparison, over all connections.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 131_072, bytes: 32 << 20 }
    }
}

/// The number of a connection in the table; free again behind [`Event::Gone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Its first packet came: the slot is in use from here on.
    New,
    /// SYN, SYN ACK and something behind them were seen.
    Opened,
    /// Nobody answered the first SYN: the second came.
    Retried,
    /// What an end sent.
    Piece(End, Piece<'a>),
    /// Somebody says that this end cannot be reached.
    Unreachable(End),
    /// Nothing more will be told of it: it was idle, room was needed, its ports are used anew, or the capture ends.
    Gone,
}

/// An event, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The connection.
    pub slot: Slot,
    /// What is known of it.
    pub facts: &'a Facts,
    /// When, in nanoseconds since 1970; on one connection it never goes back.
    pub at: i64,
    /// What happened.
    pub event: Event<'a>,
}

/// What the table has seen, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// TCP segments.
    pub segments: u64,
    /// Connections.
    pub connections: u64,
    /// Segments without bytes of connections that nobody has seen begin.
    pub alone: u64,
    /// Segments that carry an earlier time than one before them.
    pub backwards: u64,
    /// Connections that had to go to make room.
    pub evicted: u64,
}

#[derive(Debug)]
struct Entry {
    facts: Facts,
    connection: Connection,
}

/// The connections that are open, or were a moment ago.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    /// Keys are chosen by strangers: the hasher of the standard library has a secret.
    index: HashMap<Key, u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// The connection of the last packet: bulk comes in rows.
    last: Option<(Key, u32)>,
    now: i64,
    /// What the connections hold, in bytes.
    bytes: usize,
    counts: Counts,
}

impl Table {
    /// A table without connections.
    pub fn new(limits: Limits) -> Self {
        let (index, entries, free) = (HashMap::new(), Vec::new(), Vec::new());
        Self { limits, index, entries, free, last: None, now: i64::MIN, bytes: 0, counts: Counts::default() }
    }

    /// The next segment of the capture, seen at `at` (nanoseconds since 1970); what it completes.
    pub fn segment(&mut self, s: &Segment<'_>, at: i64, each: &mut impl FnMut(Told<'_>)) {
        self.counts.segments += 1;
        self.counts.backwards += u64::from(at < self.now);
        self.now = self.now.max(at);
        if self.counts.segments.is_multiple_of(SWEEP) {
            self.sweep(each);
        }
        let (key, end) = Key::of(s.from, s.to);
        let Some(slot) = self.find(key, end, s, each) else { return };
        let now = self.now;
        let Some(Some(entry)) = self.entries.get_mut(slot as usize) else { return };
        let Entry { facts, connection } = entry;
        facts.last = now;
        if facts.rank == Rank::Other {
            return;
        }
        let before = connection.weight();
        facts.note(end, s);
        // A connection that stands is told before anything that passes on it.
        let behind = !s.flags.syn() && !s.flags.rst() || connection.waits();
        if facts.answered && !facts.opened && behind {
            facts.opened = true;
            each(Told { slot: Slot(slot), facts, at: connection.tell(now), event: Event::Opened });
        }
        if facts.tries == 2 && s.flags.syn() && !facts.answered {
            each(Told { slot: Slot(slot), facts, at: connection.tell(now), event: Event::Retried });
        }
        let facts = &*facts;
        let mut out = |at, end, piece: Piece<'_>| {
            each(Told { slot: Slot(slot), facts, at, event: Event::Piece(end, piece) });
        };
        connection.segment(end, s, now, &mut out);
        let after = connection.weight();
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if self.bytes > self.limits.bytes && after > 0 {
            connection.give_up(&mut out);
            connection.forget();
            self.bytes = self.bytes.saturating_sub(after).saturating_add(connection.weight());
        }
    }

    /// A router or host says that a segment of `from` cannot reach `to`.
    pub fn unreachable(&mut self, from: SocketAddr, to: SocketAddr, at: i64, each: &mut impl FnMut(Told<'_>)) {
        self.now = self.now.max(at);
        let (key, end) = Key::of(from, to);
        let Some(slot) = self.index.get(&key).copied() else { return };
        if let Some(Some(Entry { facts, connection })) = self.entries.get_mut(slot as usize) {
            let (at, event) = (connection.tell(self.now), Event::Unreachable(end.other()));
            each(Told { slot: Slot(slot), facts, at, event });
        }
    }

    /// The slot of a packet; a new one where it begins something.
    fn find(&mut self, key: Key, end: End, s: &Segment<'_>, each: &mut impl FnMut(Told<'_>)) -> Option<u32> {
        let known = match self.last {
            Some((last, slot)) if last == key => Some(slot),
            _ => self.index.get(&key).copied(),
        };
        let begins = s.flags.syn() && s.ack.is_none();
        if let Some(slot) = known {
            let entry = self.entries.get(slot as usize).and_then(Option::as_ref);
            let is_another = begins && entry.is_some_and(|e| e.is_another(end, s.seq));
            if !is_another {
                self.last = Some((key, slot));
                return Some(slot);
            }
            self.drop_entry(slot, each);
        }
        if !s.flags.syn() && s.payload.is_empty() && s.cut == 0 {
            self.counts.alone += 1;
            return None;
        }
        if self.index.len() >= self.limits.connections {
            self.make_room(each);
        }
        let (first, last) = (self.now, self.now);
        let facts =
            Facts { key, opener: None, tries: 0, answered: false, opened: false, first, last, rank: Rank::default() };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            (self.entries.len() - 1) as u32
        });
        let place = self.entries.get_mut(slot as usize)?;
        let entry = place.insert(Entry { facts, connection: Connection::default() });
        self.counts.connections += 1;
        self.index.insert(key, slot);
        self.last = Some((key, slot));
        each(Told { slot: Slot(slot), facts: &entry.facts, at: first, event: Event::New });
        Some(slot)
    }

    /// Tells what is left of a connection, and forgets it.
    fn drop_entry(&mut self, slot: u32, each: &mut impl FnMut(Told<'_>)) {
        let Some(Entry { facts, mut connection }) = self.entries.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        self.index.remove(&facts.key);
        self.free.push(slot);
        self.last = self.last.filter(|(_, s)| *s != slot);
        self.bytes = self.bytes.saturating_sub(connection.weight());
        let (slot, now) = (Slot(slot), self.now);
        if facts.rank != Rank::Other {
            connection.give_up(&mut |at, end, piece: Piece<'_>| {
                each(Told { slot, facts: &facts, at, event: Event::Piece(end, piece) });
            });
        }
        each(Told { slot, facts: &facts, at: now, event: Event::Gone });
    }

    /// Drops a sixteenth of the connections: what matters least, and of that what is idle for longest.
    fn make_room(&mut self, each: &mut impl FnMut(Told<'_>)) {
        let all = self.entries.iter().enumerate().filter_map(|(n, e)| Some((e.as_ref()?, n as u32)));
        let mut order: Vec<(Rank, i64, u32)> = all.map(|(e, n)| (e.worth(), e.facts.last, n)).collect();
        let count = (self.limits.connections / 16).max(1).min(order.len());
        order.select_nth_unstable(count.saturating_sub(1));
        order.truncate(count);
        order.sort_unstable();
        self.counts.evicted += order.len() as u64;
        for (.., slot) in order {
            self.drop_entry(slot, each);
        }
    }

    /// Drops connections that are idle, and gives up holes that have been open for too long.
    fn sweep(&mut self, each: &mut impl FnMut(Told<'_>)) {
        for n in 0..self.entries.len() {
            let (slot, now) = (n as u32, self.now);
            let Some(Some(Entry { facts, connection })) = self.entries.get_mut(n) else { continue };
            let patience = if connection.is_closed() { Rank::Other } else { facts.rank }.patience();
            if now.saturating_sub(facts.last) > patience {
                self.drop_entry(slot, each);
                continue;
            }
            let before = connection.weight();
            let facts = &*facts;
            connection.expire(now, &mut |at, end, piece: Piece<'_>| {
                each(Told { slot: Slot(slot), facts, at, event: Event::Piece(end, piece) });
            });
            self.bytes = self.bytes.saturating_sub(before).saturating_add(connection.weight());
        }
    }

    /// The capture ends: what waits is told, the oldest connection first.
    pub fn finish(&mut self, each: &mut impl FnMut(Told<'_>)) {
        let all = self.entries.iter().enumerate().filter_map(|(n, e)| Some((e.as_ref()?.facts.first, n as u32)));
        let mut order: Vec<(i64, u32)> = all.collect();
        order.sort_unstable();
        for (_, slot) in order {
            self.drop_entry(slot, each);
        }
    }

    /// Says what a connection is: `Other` is no longer followed, and of a control connection the end of both streams is kept
    /// to compare what comes twice, of a data connection nothing.
    pub fn rank(&mut self, slot: Slot, rank: Rank) {
        let Some(Some(Entry { facts, connection })) = self.entries.get_mut(slot.0 as usize) else { return };
        facts.rank = rank;
        let before = connection.weight();
        match rank {
            Rank::Other => connection.mute(),
            Rank::Data => connection.watch(false),
            Rank::Control => connection.watch(true),
            Rank::Undecided => {}
        }
        self.bytes = self.bytes.saturating_sub(before).saturating_add(connection.weight());
    }

    /// What is known of a connection.
    pub fn facts(&self, slot: Slot) -> Option<&Facts> {
        Some(&self.entries.get(slot.0 as usize)?.as_ref()?.facts)
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Memory in bytes, roughly.
    pub fn weight(&self) -> usize {
        let index = self.index.capacity() * (size_of::<Key>() + 8);
        self.bytes + index + self.entries.capacity() * size_of::<Option<Entry>>() + self.free.capacity() * 4
    }
}

impl Entry {
    fn is_another(&self, end: End, isn: u32) -> bool {
        self.connection.is_another(end, isn)
    }

    /// What is closed is worth nothing but to recognise what comes late.
    fn worth(&self) -> Rank {
        if self.connection.is_closed() { Rank::Other } else { self.facts.rank }
    }
}
