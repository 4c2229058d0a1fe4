//! When a hole is given up, and what is told of it.

use super::super::half::{BULK, Place};
use super::super::{End, Piece};
use super::{Connection, Held, Sink};

/// Packets of this connection for which a hole stays open.
const PATIENCE: u32 = 32;

/// Nanoseconds for which it does.
const LONGEST_WAIT: i64 = 1_000_000_000;

/// Where packets come late, a hole stays open for so many times as long as the latest one was late.
const LATE: u32 = 8;

/// Packets for which it stays open at most.
const MOST_PATIENCE: u32 = 512;

/// Packets of one direction that wait.
const MOST_HELD: u16 = 256;

/// Bytes of one direction that wait.
const MOST_BYTES: u32 = 256 * 1024;

impl Connection {
    /// Gives up holes that have been open for long enough. Called with every packet, and with the time of others now and then.
    pub(in crate::capture) fn expire(&mut self, now: i64, out: &mut impl Sink) {
        loop {
            let (packets, wait) = self.patience();
            let old = |h: &&Held| self.packets.wrapping_sub(h.number) >= packets || now.saturating_sub(h.at) >= wait;
            // They stand in the order of their arrival.
            let count = self.held.iter().take_while(old).count();
            let Some(index) = (0..count).find(|i| self.may_give_up(*i)) else { return };
            // Where packets are out of order by so much, what did not come may come later still.
            if self.lateness.0 >= PATIENCE || self.lateness.1 >= LONGEST_WAIT {
                self.contradict(self.told, self.held.get(index).map_or(End::One, |h| h.end), out);
            }
            self.force(index, out);
            self.drain(out);
        }
    }

    /// Packets and nanoseconds for which a hole stays open.
    fn patience(&self) -> (u32, i64) {
        if self.one.offset().saturating_add(self.two.offset()) > BULK {
            return (PATIENCE, LONGEST_WAIT);
        }
        let (packets, time) = self.lateness;
        let packets = packets.saturating_mul(LATE).clamp(PATIENCE, MOST_PATIENCE);
        (packets, time.saturating_mul(LATE.into()).max(LONGEST_WAIT))
    }

    /// Gives up holes of a direction until no more waits than may.
    pub(super) fn limit(&mut self, end: End, out: &mut impl Sink) {
        while self.half(end).held.0 > MOST_HELD || self.half(end).held.1 > MOST_BYTES {
            let Some(index) = self.held.iter().position(|h| h.end == end) else { return };
            self.force(index, out);
            self.drain(out);
        }
    }

    /// Delivers what waits, and tells what is missing: nothing more will come.
    pub(in crate::capture) fn give_up(&mut self, out: &mut impl Sink) {
        self.drain(out);
        while !self.held.is_empty() {
            self.force(0, out);
            self.drain(out);
        }
        for end in [End::One, End::Two] {
            // One number alone is a FIN that was not seen.
            let unseen = self.half(end).unseen();
            if unseen > 1 && !self.half(end).is_over() {
                self.miss(end, unseen, self.told, out);
            }
        }
    }

    /// Whether what a packet waits for will not come any more.
    fn may_give_up(&self, index: usize) -> bool {
        let Some(h) = self.held.get(index) else { return false };
        let me = self.half(h.end);
        if !me.started || me.place(h.seq) == Place::Due {
            return true;
        }
        let other = self.half(h.end.other());
        self.first_held(h.end).is_none_or(|first| me.has_acknowledged(first)) || !other.heard || other.absent
    }

    /// The lowest number of what waits in a direction.
    fn first_held(&self, end: End) -> Option<u32> {
        let mut numbers = self.held.iter().filter(|h| h.end == end && !h.flags.rst()).map(|h| h.seq);
        let first = numbers.next()?;
        Some(numbers.fold(first, |low, n| if n.wrapping_sub(low).cast_signed() < 0 { n } else { low }))
    }

    fn miss(&mut self, end: End, len: u32, at: i64, out: &mut impl Sink) {
        self.told = self.told.max(at);
        let told = self.told;
        self.half_mut(end).misses(len);
        self.half_mut(end).gap(len, &mut |piece: Piece<'_>| out(told, end, piece));
    }

    /// Takes away one thing for which a packet waits.
    fn force(&mut self, index: usize, out: &mut impl Sink) {
        let Some(h) = self.held.get(index) else { return };
        let (end, seq, ack, at, is_reset) = (h.end, h.seq, h.ack, h.at, h.flags.rst());
        let first = self.first_held(end).unwrap_or(seq);
        let other = end.other();
        if !self.half(end).started {
            return self.start_anywhere(at, out);
        }
        if let Place::Ahead(_) = self.half(end).place(seq) {
            return match self.half(end).place(first) {
                _ if is_reset && first == seq => self.hand_held(index, out),
                Place::Ahead(len) => self.miss(end, len, at, out),
                // Before it stands something that waits for the other direction.
                Place::Due => self.free(end, first),
                Place::Stray => self.hand_held(index, out),
            };
        }
        if !self.half(other).started && self.half(other).held.0 > 0 {
            return self.start_anywhere(at, out);
        }
        if !self.half(other).started && !self.half(other).absent {
            self.half_mut(other).absent = true;
            return;
        }
        let missing = match ack.map(|a| self.half(other).place(a)) {
            Some(Place::Ahead(n)) if !is_reset && !self.half(other).is_over() => n,
            _ => return self.hand_held(index, out),
        };
        match self.first_held(other).map(|first| self.half(other).place(first)) {
            // Each waits for the other: acknowledgments that lie.
            Some(Place::Due) => self.hand_held(index, out),
            Some(Place::Ahead(len)) => self.miss(other, len.min(missing), at, out),
            // One number may be a FIN that was not seen.
            _ if missing == 1 => self.half_mut(other).step_over(),
            _ => self.miss(other, missing, at, out),
        }
    }

    /// Directions whose beginning was not seen begin with the first byte that was.
    fn start_anywhere(&mut self, at: i64, out: &mut impl Sink) {
        self.told = self.told.max(at);
        for end in [End::One, End::Two] {
            if self.half(end).started || self.half(end).held.0 == 0 {
                continue;
            }
            let any = self.held.iter().find(|h| h.end == end).map(|h| h.seq);
            if let Some(first) = self.first_held(end).or(any) {
                self.half_mut(end).start_anywhere(first);
                out(self.told, end, Piece::Gap(None));
            }
        }
    }

    /// Hands on a packet whatever it waits for.
    fn hand_held(&mut self, index: usize, out: &mut impl Sink) {
        if let Some(h) = self.remove(index) {
            self.hand(h.end, h.part(), out);
        }
    }

    /// What stands at `seq` no longer waits for the other direction.
    fn free(&mut self, end: End, seq: u32) {
        self.held.iter_mut().filter(|h| h.end == end && h.seq == seq).for_each(|h| h.ack = None);
    }
}
