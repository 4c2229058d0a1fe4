//! What is kept of one connection, and what its ends waited for in vain.

use super::expect::Watch;
use super::session::side;
use super::table::Facts;
use super::{End, Piece};
use crate::transcript::bulk::{Bulk, Fate};
use crate::transcript::{Close, Conn, Fidelity, Layer, Micros, OpenFailure, Side, What};

/// Bytes that are kept of a control connection, and of a data connection.
const KEPT: [usize; 2] = [1 << 20, 256 << 10];

/// Entries that are kept of one connection.
const NOTES: usize = 4096;

/// Bytes of one end within so many nanoseconds are one entry.
const TOGETHER: i64 = 1_000_000;

/// Silence of so many nanoseconds, and then the other end gives up.
const SILENCE: i64 = 5_000_000_000;

/// Silence of so many nanoseconds while the capture goes on.
const LONG_SILENCE: i64 = 60_000_000_000;

/// SYNs are repeated for so many nanoseconds before nobody answers.
const TRIED: i64 = 3_000_000_000;

/// So many SYNs, and those before the last one went unanswered, whatever comes to that.
const MANY_TRIES: u16 = 3;

/// An entry of a connection.
#[derive(Debug)]
pub(super) struct Note {
    /// Nanoseconds since 1970.
    pub at: i64,
    /// Its place in the session where times are equal.
    pub order: u32,
    /// What was seen.
    pub what: What,
}

/// One connection of a session.
#[derive(Debug)]
pub(super) struct Line {
    /// As the transcript has it.
    pub conn: Conn,
    /// What was seen, in order.
    pub notes: Vec<Note>,
    /// More passed than is kept.
    pub full: bool,
    /// What was last known of it.
    pub facts: Option<Facts>,
    client: End,
    bulk: Bulk,
    kept: usize,
    is_control: bool,
    /// Who sent bytes last, and when; before that, when it was opened.
    spoke: Option<(Option<Side>, i64)>,
    /// Content passed: the handshake, if there was one, is over.
    content: bool,
    /// Bytes are missing.
    torn: bool,
    fins: [bool; 2],
    reset: bool,
    failed: bool,
    gone: bool,
    /// An alert, or text where TLS was due.
    odd: bool,
}

impl Line {
    /// A connection whose FTP client is at this end.
    pub fn new(conn: Conn, client: End, is_control: bool) -> Self {
        let bulk = if is_control { Bulk::control() } else { Bulk::default() };
        let (notes, fins) = (Vec::new(), [false; 2]);
        let (full, content, torn, reset, failed, gone, odd) = (false, false, false, false, false, false, false);
        let (kept, spoke) = (0, None);
        Self {
            conn,
            notes,
            full,
            facts: None,
            client,
            bulk,
            kept,
            is_control,
            spoke,
            content,
            torn,
            fins,
            reset,
            failed,
            gone,
            odd,
        }
    }

    /// The time of its first entry.
    pub fn first(&self) -> Option<i64> {
        self.notes.first().map(|n| n.at)
    }

    /// Memory in bytes, roughly.
    pub fn weight(&self) -> usize {
        self.kept + self.notes.len() * size_of::<Note>()
    }

    /// Whether it ended, as far as the capture shows.
    pub fn is_over(&self) -> bool {
        self.gone || self.reset || self.failed || self.fins == [true; 2]
    }

    /// Whether nothing about it asks to be kept.
    pub fn went_well(&self) -> bool {
        self.fins == [true; 2] && !(self.reset || self.failed || self.odd || self.torn)
    }

    /// Whether its beginning is missing.
    pub fn begins_inside(&self) -> bool {
        matches!(self.notes.first().map(|n| &n.what), Some(What::Gap { len: None, .. }))
    }

    /// Something that has no bytes.
    pub fn note(&mut self, order: &mut u32, at: i64, what: What) {
        if matches!(what, What::Opened) {
            self.spoke = Some((None, at));
        }
        self.failed |= matches!(what, What::OpenFailed { .. });
        *order = order.saturating_add(1);
        self.notes.push(Note { at, order: *order, what });
    }

    /// What an end sent. `room` is what the session may still keep.
    #[allow(clippy::too_many_arguments, reason = "what a piece is, and where it goes")]
    pub fn piece(
        &mut self,
        order: &mut u32,
        room: usize,
        facts: &Facts,
        at: i64,
        end: End,
        piece: Piece<'_>,
        mut watch: Option<&mut Watch>,
    ) {
        let from = side(self.client, end);
        match piece {
            Piece::Bytes(bytes) => {
                self.spoke = Some((Some(from), at));
                let mut bulk = core::mem::take(&mut self.bulk);
                bulk.pass(from, bytes, |part, fate| {
                    if let Some(watch) = watch.as_deref_mut() {
                        watch.see(from, part, fate, at);
                    }
                    self.put(order, room, at, from, part, fate);
                });
                self.bulk = bulk;
            }
            Piece::Gap(len) => {
                self.torn = true;
                self.bulk.miss(from, len);
                if let Some(watch) = watch {
                    watch.miss(from);
                }
                self.gap(order, at, from, len);
            }
            Piece::Conflict { .. } | Piece::Late => {}
            Piece::Fin => {
                let done = self.fins.get_mut(usize::from(from == Side::Server));
                if done.is_some_and(|done| !core::mem::replace(done, true)) {
                    self.silence(order, at, from);
                    self.note(order, at, What::Closed { by: from, how: Close::Fin });
                }
            }
            Piece::Reset => self.reset(order, facts, at, end),
        }
    }

    /// An abort; the second one of a pair says nothing more. Before anything stood it is a refusal.
    fn reset(&mut self, order: &mut u32, facts: &Facts, at: i64, end: End) {
        let from = side(self.client, end);
        if core::mem::replace(&mut self.reset, true) {
            return;
        }
        let refused = !facts.opened && !facts.answered && facts.opener == Some(end.other()) && self.spoke.is_none();
        if refused {
            return self.note(order, at, What::OpenFailed { why: OpenFailure::Refused });
        }
        self.silence(order, at, from);
        self.note(order, at, What::Closed { by: from, how: Close::Reset });
    }

    /// Nobody reaches an end.
    pub fn unreachable(&mut self, order: &mut u32, facts: &Facts, at: i64) {
        if !facts.opened && !self.failed && self.spoke.is_none() {
            self.note(order, at, What::OpenFailed { why: OpenFailure::Unreachable });
        }
    }

    /// Nothing more comes. Says whether its failure to open is taken from what was tried alone: the capture ends with a try that
    /// nobody has had the time to answer.
    pub fn gone(&mut self, order: &mut u32, facts: &Facts, now: i64) -> bool {
        let waited = now.saturating_sub(facts.last);
        let mut last_try_open = false;
        if !self.is_over() {
            let asked = facts.opener.is_some() && !facts.opened && !facts.answered && self.spoke.is_none();
            let knocked = asked && facts.tries >= 2 && now.saturating_sub(facts.first) >= TRIED;
            last_try_open = knocked && waited == 0 && self.is_control && facts.tries >= MANY_TRIES;
            if knocked && waited > 0 || last_try_open {
                let at = facts.first.saturating_add(TRIED);
                self.note(order, at, What::OpenFailed { why: OpenFailure::TimedOut });
            } else if waited >= LONG_SILENCE && self.fins == [false; 2] {
                self.silence(order, now, Side::Client);
            }
        }
        self.gone = true;
        last_try_open
    }

    /// The client gives up: what the server owed it did not come. Whether a server waits for a command or for an answer is not
    /// seen, so it is never said to have waited in vain.
    fn silence(&mut self, order: &mut u32, at: i64, waiter: Side) {
        let Some((last, since)) = self.spoke else { return };
        let waited = at.saturating_sub(since);
        let owed = match last {
            Some(last) => last == Side::Client && (self.is_control || !self.content),
            None => self.is_control,
        };
        let others_end = self.fins.get(1).is_some_and(|f| *f);
        if waiter == Side::Client && owed && waited >= SILENCE && !self.torn && !others_end {
            let after = Micros((waited / 1000).unsigned_abs());
            self.note(order, at, What::TimedOut { waiting_for: Side::Server, after });
        }
    }

    fn gap(&mut self, order: &mut u32, at: i64, from: Side, len: Option<u64>) {
        if let (Some(Note { what: What::Gap { from: f, len: Some(n) }, .. }), Some(more)) = (self.notes.last_mut(), len)
            && *f == from
        {
            *n = n.saturating_add(more);
            return;
        }
        self.full |= self.notes.len() >= NOTES;
        if !self.full {
            self.note(order, at, What::Gap { from, len });
        }
    }

    fn put(&mut self, order: &mut u32, room: usize, at: i64, from: Side, part: &[u8], fate: Fate) {
        let len = part.len();
        self.content |= matches!(fate, Fate::Encrypted | Fate::Clear);
        self.odd |= fate == Fate::Kept && matches!(part.first(), Some(21));
        let most = KEPT.get(usize::from(!self.is_control)).copied().unwrap_or_default();
        let keeps = matches!(fate, Fate::Kept | Fate::Text);
        self.full |= keeps && (self.kept + len > most || len > room) || self.notes.len() >= NOTES;
        if self.full || fate == Fate::Unknown {
            // A last gap that stands for all that comes behind it.
            let is_first = !matches!(self.notes.last(), Some(Note { what: What::Gap { from: f, len: Some(_) }, .. }) if *f == from);
            if is_first && self.notes.len() < 2 * NOTES {
                self.note(order, at, What::Gap { from, len: Some(0) });
            }
            if let Some(Note { what: What::Gap { from: f, len: Some(n) }, .. }) = self.notes.last_mut()
                && *f == from
            {
                *n = n.saturating_add(len as u64);
            }
            return;
        }
        // Bytes are one entry with those before them unless something else happened in between; of what is only counted it is
        // enough that nothing happened on this connection.
        let is_last = self.notes.last().is_some_and(|n| n.order == *order);
        match (self.notes.last_mut().map(|n| (n.at, &mut n.what)), keeps) {
            (Some((then, What::Bytes { from: f, data, .. })), true)
                if *f == from && is_last && at - then < TOGETHER =>
            {
                data.extend_from_slice(part);
            }
            (Some((_, What::Skipped { from: f, len: n, .. })), false) if *f == from => {
                *n = n.saturating_add(len as u64)
            }
            (_, true) => {
                let (layer, fidelity, data) = (Layer::Wire, Fidelity::Exact, part.to_vec());
                self.note(order, at, What::Bytes { from, layer, data, fidelity });
            }
            (_, false) => {
                let (layer, sha256) = (Layer::Wire, String::new());
                self.note(order, at, What::Skipped { from, layer, len: len as u64, sha256 });
            }
        }
        self.kept += if keeps { len } else { 0 };
    }
}
