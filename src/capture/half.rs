//! One direction of one connection: which byte of the stream a sequence number is, and what was delivered already.
//!
//! Numbers are compared by their distance as a signed 32-bit number, so that a stream may wrap any number of times.

use super::Piece;

/// Farther from the next byte than this a number belongs to something else.
const WINDOW: i32 = 1 << 30;

/// Bytes of the end of a stream that are kept, to compare what comes twice.
const KEPT: usize = 2048;

/// Behind so many bytes a direction is bulk: nothing more is kept, unless somebody asked for it.
pub(super) const BULK: u64 = 65_536;

/// A first number farther than this from the stream is that of another one.
pub(super) const NEAR: u32 = 1 << 20;

/// Gaps of a direction that may be contradicted.
const MISSED: usize = 16;

/// Where a sequence number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the next byte or before it.
    Due,
    /// So many bytes behind the next one.
    Ahead(u32),
    /// Nowhere near.
    Stray,
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Number of the byte that comes next; counts once `started`.
    next: u32,
    /// The highest number that the other end acknowledged.
    acked: Option<u32>,
    /// Number of its SYN, where that was seen.
    pub(super) isn: Option<u32>,
    /// Bytes delivered or known to be missing.
    offset: u64,
    /// The last bytes delivered.
    kept: Vec<u8>,
    /// Whether they are kept however long the stream becomes, or never; `None` for its beginning.
    watched: Option<bool>,
    /// Whether the place of the first byte is known.
    pub(super) started: bool,
    /// Its FIN was delivered.
    pub(super) finished: bool,
    /// Its RST was.
    pub(super) reset: bool,
    /// A packet of this end was seen.
    pub(super) heard: bool,
    /// Nobody waits for its packets any more: the capture has the other direction alone.
    pub(super) absent: bool,
    /// One number was acknowledged that nobody saw: a FIN, or one byte.
    phantom: bool,
    /// Packets and bytes that wait.
    pub(super) held: (u16, u32),
    /// Number of the first byte.
    first: u32,
    /// The beginning was not seen.
    anywhere: bool,
    /// What was told as missing, and may come after all: numbers of the first byte and of the one behind the last.
    missed: Vec<(u32, u32)>,
}

impl Half {
    /// The first byte has this number.
    pub(super) fn start(&mut self, next: u32) {
        (self.next, self.first, self.started) = (next, next, true);
        // What was acknowledged of an earlier connection does not count.
        self.acked = self.acked.filter(|a| self.distance(*a).unsigned_abs() <= WINDOW.unsigned_abs());
    }

    /// The first byte that was seen has this number; there may have been others before it.
    pub(super) fn start_anywhere(&mut self, first: u32) {
        self.start(first);
        self.anywhere = true;
    }

    /// Whether a SYN with this number is that of this stream, which only comes late: it stands right before the first byte, or
    /// near it where that was only taken for the first; or near what was acknowledged, where nothing was taken so far.
    pub(super) fn is_begun_by(&self, isn: u32) -> bool {
        let behind = |n: u32| n.wrapping_sub(isn.wrapping_add(1));
        match self.started {
            true => behind(self.first) < if self.anywhere { NEAR } else { 1 },
            false => self.acked.is_some_and(|acked| behind(acked) < NEAR),
        }
    }

    /// Notes that the next `len` bytes are told as missing, though no packet says that the file lacks them.
    pub(super) fn misses(&mut self, len: u32) {
        if self.missed.len() < MISSED && self.offset <= BULK {
            self.missed.push((self.next, self.next.wrapping_add(len)));
        }
    }

    /// Whether bytes that were told as missing, or stand before what was taken for the beginning, are among `len` from `seq`.
    pub(super) fn was_told_missing(&self, seq: u32, len: u32) -> bool {
        let before = |a: u32, b: u32| a.wrapping_sub(b).cast_signed() < 0;
        let behind = seq.wrapping_add(len);
        let gap = |(from, to): &(u32, u32)| before(seq, *to) && before(*from, behind);
        // One byte before the next one asks whether the other end is alive.
        len > 0 && self.missed.iter().any(gap) || len > 1 && self.anywhere && before(seq, self.first)
    }

    /// How far behind the next byte a number stands; negative before it.
    fn distance(&self, seq: u32) -> i32 {
        seq.wrapping_sub(self.next).cast_signed()
    }

    /// Where a number stands.
    pub(super) fn place(&self, seq: u32) -> Place {
        match self.distance(seq) {
            d if d.unsigned_abs() > WINDOW.unsigned_abs() => Place::Stray,
            d @ 1.. => Place::Ahead(d.unsigned_abs()),
            _ => Place::Due,
        }
    }

    /// Whether a RST with this number is believed (RFC 9293, 3.10.7; one before the next byte is that of a FIN).
    pub(super) fn believes_reset(&self, seq: u32) -> bool {
        (-1..=WINDOW).contains(&self.distance(seq))
    }

    /// How far before the next byte a first number stands; `None` when it cannot be the number in front of this stream.
    pub(super) fn begins_behind(&self, isn: u32) -> Option<u32> {
        let d = self.distance(isn.wrapping_add(1));
        (d <= 0 && d > -WINDOW).then_some(d.unsigned_abs())
    }

    /// The other end has received everything before `ack`.
    pub(super) fn acknowledge(&mut self, ack: u32) {
        let newer = self.acked.is_none_or(|old| ack.wrapping_sub(old).cast_signed() > 0);
        if newer && (!self.started || self.distance(ack).unsigned_abs() <= WINDOW.unsigned_abs()) {
            self.acked = Some(ack);
        }
    }

    /// Whether the other end has received everything before `seq`.
    pub(super) fn has_acknowledged(&self, seq: u32) -> bool {
        self.acked.is_some_and(|a| a.wrapping_sub(seq).cast_signed() >= 0)
    }

    /// Bytes that were acknowledged and not delivered.
    pub(super) fn unseen(&self) -> u32 {
        let ahead = self.acked.map_or(0, |a| self.distance(a));
        if self.started { ahead.max(0).unsigned_abs() } else { 0 }
    }

    /// Bytes delivered or known to be missing.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether everything that it said was delivered.
    pub(super) fn is_over(&self) -> bool {
        self.finished || self.reset
    }

    /// Keeps the end of the stream however long it becomes, or keeps nothing.
    pub(super) fn watch(&mut self, watched: bool) {
        self.watched = Some(watched);
        if !watched {
            self.kept = Vec::new();
        }
    }

    /// Memory for what is kept, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.kept.capacity() + self.held.1 as usize
    }

    /// Forgets what is kept.
    pub(super) fn forget(&mut self) {
        self.kept = Vec::new();
    }

    /// Bytes from `seq`, which is due, and `cut` bytes behind them that are not in the file: delivers what is new.
    ///
    /// What came before stays, whatever these bytes say; a difference is told.
    pub(super) fn take(&mut self, seq: u32, data: &[u8], cut: u32, out: &mut impl FnMut(Piece<'_>)) {
        if self.phantom && !self.is_over() && (data.len() as u64 + u64::from(cut)) > 0 {
            self.lay_phantom(seq, data.len() as u32, out);
        }
        let edge = self.next.wrapping_sub(u32::from(self.finished || self.phantom));
        let back = seq.wrapping_sub(edge).cast_signed().min(0).unsigned_abs();
        let (old, new) = data.split_at(data.len().min(back as usize));
        // One byte before the next one asks whether the other end is alive.
        if !old.is_empty() && (back, data.len()) != (1, 1) {
            self.compare(back, old, out);
        }
        if self.is_over() {
            return;
        }
        if !new.is_empty() {
            out(Piece::Bytes(new));
            self.offset += new.len() as u64;
            self.next = self.next.wrapping_add(new.len() as u32);
            self.keep(new);
        }
        let end = seq.wrapping_add(data.len() as u32).wrapping_add(cut);
        if cut > 0
            && let Place::Ahead(missing) = self.place(end)
        {
            self.gap(missing, out);
        }
    }

    /// More bytes of a stream whose FIN was thought to be seen by the other end: the number was that of a byte.
    fn lay_phantom(&mut self, seq: u32, len: u32, out: &mut impl FnMut(Piece<'_>)) {
        let (begins, ends) = (self.distance(seq), self.distance(seq.wrapping_add(len)));
        if begins < 0 && ends >= 0 {
            // Here it is, late.
            (self.next, self.phantom) = (self.next.wrapping_sub(1), false);
        } else if begins >= 0 {
            (self.next, self.phantom) = (self.next.wrapping_sub(1), false);
            self.gap(1, out);
        }
    }

    /// The next `len` bytes are missing.
    pub(super) fn gap(&mut self, len: u32, out: &mut impl FnMut(Piece<'_>)) {
        if len == 0 || self.is_over() {
            return;
        }
        let len = len + u32::from(self.phantom);
        self.next = self.next.wrapping_sub(u32::from(core::mem::take(&mut self.phantom)));
        out(Piece::Gap(Some(len.into())));
        self.next = self.next.wrapping_add(len);
        self.offset += u64::from(len);
        self.kept.clear();
    }

    /// One number was acknowledged behind the last byte, and nobody saw what it was.
    pub(super) fn step_over(&mut self) {
        (self.next, self.phantom) = (self.next.wrapping_add(1), true);
    }

    /// A FIN stands at `seq`.
    pub(super) fn finish(&mut self, seq: u32, out: &mut impl FnMut(Piece<'_>)) {
        let distance = self.distance(seq);
        if self.is_over() || !(distance == 0 || distance == -1 && self.phantom) {
            return;
        }
        if distance == 0 && self.phantom {
            (self.next, self.phantom) = (self.next.wrapping_sub(1), false);
            self.gap(1, out);
        }
        self.finished = true;
        self.next = seq.wrapping_add(1);
        out(Piece::Fin);
    }

    /// The connection is gone.
    pub(super) fn abort(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        if !self.reset {
            self.reset = true;
            out(Piece::Reset);
        }
    }

    fn keep(&mut self, new: &[u8]) {
        if !self.watched.unwrap_or(self.offset <= BULK) {
            self.kept = Vec::new();
            return;
        }
        self.kept.extend_from_slice(new.get(new.len().saturating_sub(KEPT)..).unwrap_or(new));
        if self.kept.len() > 2 * KEPT {
            self.kept.drain(..self.kept.len() - KEPT);
        }
    }

    /// Compares bytes that begin `back` before the next one with those that were delivered, as far as they are kept.
    fn compare(&self, back: u32, old: &[u8], out: &mut impl FnMut(Piece<'_>)) {
        let back = back as usize;
        let skip = back.saturating_sub(self.kept.len());
        let (Some(again), Some(first)) = (old.get(skip..), self.kept.get(self.kept.len().saturating_sub(back)..))
        else {
            return;
        };
        let mut differ = again.iter().zip(first).enumerate().filter(|(_, (a, b))| a != b).map(|(n, _)| n);
        if let Some(from) = differ.next() {
            let to = differ.next_back().unwrap_or(from);
            let at = self.offset - (back - skip - from) as u64;
            out(Piece::Conflict { at, len: (to - from + 1) as u32 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a direction delivered, as text.
    fn told(half: &mut Half, seq: u32, data: &[u8], cut: u32) -> String {
        let mut out = String::new();
        half.take(seq, data, cut, &mut |p| out += &format!("{p:?}"));
        out
    }

    fn begun(next: u32) -> Half {
        let mut half = Half::default();
        half.start(next);
        half
    }

    #[test]
    fn only_what_is_new_is_delivered() {
        let mut half = begun(u32::MAX - 1);
        assert_eq!(told(&mut half, u32::MAX - 1, b"abcd", 0), "Bytes([97, 98, 99, 100])");
        assert_eq!((half.next, half.offset()), (2, 4));
        assert_eq!(told(&mut half, u32::MAX - 1, b"abcd", 0), "");
        assert_eq!(told(&mut half, 0, b"cde", 0), "Bytes([101])");
        assert_eq!(told(&mut half, 2, b"", 0), "");
        assert_eq!(half.place(4), Place::Ahead(1));
        assert_eq!(half.place(0x9000_0000), Place::Stray);
    }

    #[test]
    fn the_first_bytes_stay() {
        let mut half = begun(100);
        told(&mut half, 100, b"abcdef", 0);
        assert_eq!(told(&mut half, 101, b"bXdYf!", 0), "Conflict { at: 2, len: 3 }Bytes([33])");
        assert_eq!(told(&mut half, 105, b"f!?", 0), "Bytes([63])");
        // A question whether the other end is alive has any byte.
        assert_eq!(told(&mut half, 107, b"\0", 0), "");
        // What is no longer kept cannot be compared.
        half.forget();
        assert_eq!(told(&mut half, 101, b"XXXX", 0), "");
        told(&mut half, 108, b"gh", 0);
        assert_eq!(told(&mut half, 101, b"XXXXXXXgX", 0), "Conflict { at: 9, len: 1 }");
    }

    #[test]
    fn what_the_snap_length_took_is_a_gap() {
        let mut half = begun(0);
        assert_eq!(told(&mut half, 0, b"ab", 10), "Bytes([97, 98])Gap(Some(10))");
        assert_eq!(half.offset(), 12);
        assert_eq!(told(&mut half, 0, b"XX", 10), "", "bytes before a gap are not kept");
        assert_eq!(told(&mut half, 5, b"XX", 10), "Gap(Some(5))");
    }

    #[test]
    fn one_number_that_nobody_saw_is_a_fin_until_more_comes() {
        let phantom = || {
            let mut half = begun(0);
            told(&mut half, 0, b"ab", 0);
            half.step_over();
            half
        };
        let fin = |seq| {
            let mut out = String::new();
            phantom().finish(seq, &mut |p| out += &format!("{p:?}"));
            out
        };
        assert_eq!((fin(2), fin(3)), ("Fin".to_owned(), "Gap(Some(1))Fin".to_owned()));
        assert_eq!(told(&mut phantom(), 3, b"d", 0), "Gap(Some(1))Bytes([100])");
        assert_eq!(told(&mut phantom(), 2, b"cd", 0), "Bytes([99, 100])");
        assert_eq!(told(&mut phantom(), 0, b"ab", 0), "");
    }

    #[test]
    fn bulk_is_not_kept() {
        let mut half = begun(0);
        for n in 0..100u32 {
            told(&mut half, n * 1000, &[7; 1000], 0);
            assert!(half.weight() < 16_384);
        }
        assert_eq!(half.weight(), 0);
    }

    #[test]
    fn a_fin_counts_at_its_place_only() {
        let mut half = begun(0);
        let mut fins = 0;
        for seq in [5, 1, 0, 0] {
            half.finish(seq, &mut |_| fins += 1);
        }
        assert_eq!((fins, half.next), (1, 1));
        assert_eq!(told(&mut half, 1, b"behind", 0), "");
    }
}
