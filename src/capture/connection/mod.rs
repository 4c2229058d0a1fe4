//! Both directions of one connection, in the order in which their ends saw them.
//!
//! A capture may show packets in another order than the one in which they passed: taps merge two directions, cards have several
//! queues. So a packet is handed on when its place in its own direction is reached, and what it acknowledges of the other one has
//! been handed on; until then a copy of it waits. What never comes is a gap: once the other end has acknowledged it (it passed,
//! and the capture lacks it) and 32 more packets or a second have gone by, or when there is no room to wait, or at the end. A packet
//! that comes behind its acknowledgment shows a file that lost the order of its packets: there, holes stay open far longer, and when
//! what was told is contradicted all the same, that is told too.

mod holes;

use super::half::{Half, NEAR, Place};
use super::{End, Piece};
use crate::wire::net::{Flags, Segment};

/// Takes what a connection delivers: when it was seen, who sent it, what it is.
pub(super) trait Sink: FnMut(i64, End, Piece<'_>) {}
impl<F: FnMut(i64, End, Piece<'_>)> Sink for F {}

/// A packet, or what is left of it, that waits for its turn.
#[derive(Debug)]
struct Held {
    end: End,
    seq: u32,
    ack: Option<u32>,
    flags: Flags,
    cut: u32,
    data: Vec<u8>,
    /// The number of the packet on this connection.
    number: u32,
    at: i64,
}

/// A packet that is handed on.
#[derive(Clone, Copy)]
struct Part<'a> {
    seq: u32,
    data: &'a [u8],
    cut: u32,
    flags: Flags,
    at: i64,
}

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    one: Half,
    two: Half,
    /// In the order in which they arrived.
    held: Vec<Held>,
    packets: u32,
    /// The latest time that was told.
    told: i64,
    /// How much later than what waited for them, in packets and nanoseconds, those came that had been acknowledged before.
    lateness: (u32, i64),
    /// What was told was contradicted by what came later.
    contradicted: bool,
}

impl Connection {
    pub(super) fn half(&self, end: End) -> &Half {
        match end {
            End::One => &self.one,
            End::Two => &self.two,
        }
    }

    pub(super) fn half_mut(&mut self, end: End) -> &mut Half {
        match end {
            End::One => &mut self.one,
            End::Two => &mut self.two,
        }
    }

    /// Memory for what waits and what is kept, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.one.weight() + self.two.weight() + self.held.capacity() * size_of::<Held>()
    }

    /// Something was told of it at this time: what follows is not told at an earlier one.
    pub(super) fn tell(&mut self, at: i64) -> i64 {
        self.told = self.told.max(at);
        self.told
    }

    /// Whether packets wait for their turn.
    pub(super) fn waits(&self) -> bool {
        !self.held.is_empty()
    }

    /// Keeps the ends of both streams for comparison, or nothing of them.
    pub(super) fn watch(&mut self, watched: bool) {
        self.one.watch(watched);
        self.two.watch(watched);
    }

    /// Forgets what is kept for comparison.
    pub(super) fn forget(&mut self) {
        self.one.forget();
        self.two.forget();
    }

    /// Nobody follows it any more: nothing waits and nothing is kept.
    pub(super) fn mute(&mut self) {
        self.held = Vec::new();
        (self.one.held, self.two.held) = ((0, 0), (0, 0));
        self.watch(false);
    }

    /// Whether both ends have ended it, or one has aborted it.
    pub(super) fn is_closed(&self) -> bool {
        self.one.reset || self.two.reset || self.one.finished && self.two.finished
    }

    /// Whether a SYN with this number, of this end, begins another connection between the same ports.
    pub(super) fn is_another(&self, end: End, isn: u32) -> bool {
        let (me, other) = (self.half(end), self.half(end.other()));
        match me.isn {
            Some(known) if known == isn => false,
            None if me.is_begun_by(isn) => false,
            Some(known) => self.is_closed() || known.wrapping_sub(isn).cast_signed().unsigned_abs() >= NEAR,
            // It stands in front of what was seen of this end: it only comes late.
            None if me.started => self.is_closed() || me.begins_behind(isn).is_none_or(|d| d >= NEAR),
            None => other.offset() > 0 || other.is_over(),
        }
    }

    /// The next packet of `end`; what it completes goes to `out`.
    pub(super) fn segment(&mut self, end: End, s: &Segment<'_>, at: i64, out: &mut impl Sink) {
        self.packets = self.packets.wrapping_add(1);
        self.look_at_order(end, s, at, out);
        self.half_mut(end).heard = true;
        if let Some(ack) = s.ack.filter(|_| !s.flags.rst()) {
            self.half_mut(end.other()).acknowledge(ack);
        }
        if s.flags.syn() {
            self.begin(end, s);
            self.drain(out);
        }
        let seq = s.seq.wrapping_add(u32::from(s.flags.syn()));
        // Data in a RST is text for people (RFC 9293, 3.5.3).
        let (data, cut) = if s.flags.rst() { (&[][..], 0) } else { (s.payload, s.cut) };
        if !data.is_empty() || cut > 0 || s.flags.fin() || s.flags.rst() {
            let part = Part { seq, data, cut, flags: s.flags, at };
            if self.is_old(end, part) || self.is_due(end, part, s.ack) && !self.is_taken(end, part) {
                self.hand(end, part, out);
                self.drain(out);
            } else if self.is_for_us(end, part) {
                self.hold(end, part, s.ack);
                self.drain(out);
                self.limit(end, out);
            }
        }
        self.expire(at, out);
    }

    /// Whether a packet shows that the file has lost the order of its packets: it comes behind one that acknowledges it, or when it
    /// had been told as missing.
    fn look_at_order(&mut self, end: End, s: &Segment<'_>, at: i64, out: &mut impl Sink) {
        let me = self.half(end);
        let len = s.payload.len() as u32;
        let behind = s.seq.wrapping_add(len);
        let is_new = !me.started || matches!(me.place(behind), Place::Ahead(_));
        let is_late = if s.flags.syn() {
            me.isn.is_none() && (me.heard || me.has_acknowledged(behind.wrapping_add(1)))
        } else {
            len > 0 && is_new && me.has_acknowledged(behind)
        };
        if let Some(first) = self.held.first().filter(|_| is_late) {
            let (packets, time) = (self.packets.wrapping_sub(first.number), at.saturating_sub(first.at));
            self.lateness = (self.lateness.0.max(packets), self.lateness.1.max(time));
        }
        let me = self.half(end);
        // The beginning counts as a byte before the first.
        let (seq, len) = if s.flags.syn() { (s.seq, 2) } else { (s.seq, len) };
        if !s.flags.rst() && me.was_told_missing(seq, len) {
            self.contradict(at, end, out);
        }
    }

    /// Says once that what was told is not in order.
    fn contradict(&mut self, at: i64, end: End, out: &mut impl Sink) {
        if !core::mem::replace(&mut self.contradicted, true) {
            out(self.tell(at), end, Piece::Late);
        }
    }

    /// A SYN: the place of the first byte, and by what it acknowledges that of the other end.
    fn begin(&mut self, end: End, s: &Segment<'_>) {
        let me = self.half_mut(end);
        if me.isn.is_none() {
            me.isn = Some(s.seq);
            if !me.started {
                me.start(s.seq.wrapping_add(1));
            }
        }
        let other = self.half_mut(end.other());
        if let Some(ack) = s.ack.filter(|_| !other.started) {
            other.start(ack);
        }
    }

    /// Whether the turn of a packet has come.
    fn is_due(&self, end: End, part: Part<'_>, ack: Option<u32>) -> bool {
        let (me, other) = (self.half(end), self.half(end.other()));
        let Some(ack) = ack else { return self.is_in_place(me, other, part, None) };
        if !self.is_in_place(me, other, part, Some(ack)) {
            return false;
        }
        if other.started {
            !matches!(other.place(ack), Place::Ahead(_))
        } else {
            // After a SYN of its own the SYN of the other end is awaited.
            other.held.0 == 0 && (me.isn.is_none() || other.absent)
        }
    }

    fn is_in_place(&self, me: &Half, other: &Half, part: Part<'_>, ack: Option<u32>) -> bool {
        if me.started {
            return me.place(part.seq) == Place::Due;
        }
        // RST instead of SYN ACK: the end that refuses has no numbers of its own.
        part.flags.rst() && other.started && ack.is_none_or(|a| other.place(a) == Place::Due)
    }

    /// Whether a packet says nothing but what was said before.
    fn is_old(&self, end: End, part: Part<'_>) -> bool {
        let me = self.half(end);
        let behind = part.seq.wrapping_add(part.data.len() as u32).wrapping_add(part.cut);
        part.flags.0 & (Flags::FIN | Flags::RST) == 0
            && me.started
            && me.place(part.seq) == Place::Due
            && me.place(behind) == Place::Due
    }

    /// Whether something that arrived earlier has a claim on bytes of a packet that is due.
    fn is_taken(&self, end: End, part: Part<'_>) -> bool {
        self.held.iter().any(|h| h.end == end && is_within(h.seq, part.seq, part.data.len()))
    }

    /// Whether a packet that is not due will be.
    fn is_for_us(&self, end: End, part: Part<'_>) -> bool {
        let me = self.half(end);
        match me.started {
            false => true,
            true if part.flags.rst() => !me.reset && me.believes_reset(part.seq),
            true => !me.is_over() && me.place(part.seq) != Place::Stray,
        }
    }

    fn hand(&mut self, end: End, part: Part<'_>, out: &mut impl Sink) {
        self.told = self.told.max(part.at);
        let told = self.told;
        let me = self.half_mut(end);
        let out = &mut |piece: Piece<'_>| out(told, end, piece);
        if part.flags.rst() {
            if !me.started || me.believes_reset(part.seq) {
                me.abort(out);
            }
            return;
        }
        if !matches!(me.place(part.seq), Place::Due) {
            return;
        }
        me.take(part.seq, part.data, part.cut, out);
        if part.flags.fin() {
            me.finish(part.seq.wrapping_add(part.data.len() as u32).wrapping_add(part.cut), out);
        }
    }

    fn hold(&mut self, end: End, part: Part<'_>, ack: Option<u32>) {
        // A whole packet replaces one of which the capture has a part.
        let longer = |h: &&mut Held| h.end == end && h.seq == part.seq && h.cut > 0 && h.data.len() < part.data.len();
        if let Some(h) = self.held.iter_mut().find(longer) {
            let more = part.data.len() - h.data.len();
            (h.data, h.cut) = (part.data.to_vec(), part.cut);
            self.half_mut(end).held.1 += more as u32;
            return;
        }
        let Part { seq, data, cut, flags, at } = part;
        let flags = Flags(flags.0 & (Flags::FIN | Flags::RST));
        self.held.push(Held { end, seq, ack, flags, cut, data: data.to_vec(), number: self.packets, at });
        let held = &mut self.half_mut(end).held;
        *held = (held.0.saturating_add(1), held.1.saturating_add(data.len() as u32));
    }

    fn remove(&mut self, index: usize) -> Option<Held> {
        if index >= self.held.len() {
            return None;
        }
        let h = self.held.remove(index);
        let held = &mut self.half_mut(h.end).held;
        *held = (held.0.saturating_sub(1), held.1.saturating_sub(h.data.len() as u32));
        Some(h)
    }

    /// Hands on whatever has its turn, first come, first served.
    fn drain(&mut self, out: &mut impl Sink) {
        loop {
            let turn = |h: &Held| self.is_due(h.end, h.part(), h.ack) || !self.is_for_us(h.end, h.part());
            let Some(index) = self.held.iter().position(turn) else { break };
            let Some(mut h) = self.remove(index) else { break };
            if !self.is_for_us(h.end, h.part()) {
                continue;
            }
            // As far as the next byte that came earlier; the rest is compared with that.
            let claims =
                self.held.iter().take(index).filter(|o| o.end == h.end && is_within(o.seq, h.seq, h.data.len()));
            if let Some(len) = claims.map(|o| o.seq.wrapping_sub(h.seq) as usize).min() {
                let rest = h.data.split_off(len.min(h.data.len()));
                let first = Part { cut: 0, flags: Flags(0), ..h.part() };
                self.hand(h.end, first, out);
                let part = Part { seq: h.seq.wrapping_add(len as u32), data: &rest, ..h.part() };
                self.reinsert(index, &h, part);
            } else {
                self.hand(h.end, h.part(), out);
            }
        }
        if self.held.is_empty() && self.held.capacity() > 0 {
            self.held = Vec::new();
        }
    }

    fn reinsert(&mut self, index: usize, h: &Held, part: Part<'_>) {
        let Part { seq, data, cut, flags, at } = part;
        let rest = Held { end: h.end, seq, ack: h.ack, flags, cut, data: data.to_vec(), number: h.number, at };
        self.held.insert(index.min(self.held.len()), rest);
        let held = &mut self.half_mut(h.end).held;
        *held = (held.0.saturating_add(1), held.1.saturating_add(data.len() as u32));
    }
}

impl Held {
    fn part(&self) -> Part<'_> {
        Part { seq: self.seq, data: &self.data, cut: self.cut, flags: self.flags, at: self.at }
    }
}

/// Whether `seq` lies behind the first of `len` bytes from `start`.
fn is_within(seq: u32, start: u32, len: usize) -> bool {
    (1..len).contains(&(seq.wrapping_sub(start) as usize))
}
