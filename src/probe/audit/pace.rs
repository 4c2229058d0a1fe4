//! How many connections at a time, and when the next one: never more than allowed, and fewer where the server complains.

use crate::transcript::Micros;

/// The first pause behind a complaint, and the longest.
const SHORTEST: u64 = 500_000;
const LONGEST: u64 = 8_000_000;

/// So many connections in a row that a server had no time for are the end of the audit.
const ENOUGH: u32 = 10;

/// How fast questions are asked.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Connections at a time.
    limit: usize,
    /// Between one dial and the next.
    between: Micros,
    /// No dial before this.
    not_before: Micros,
    /// The pause behind the last complaint.
    pause: u64,
    complaints: u32,
}

impl Pace {
    /// At most so many connections at a time. Who is gentle asks one at a time, with a pause between two.
    pub(super) fn new(parallel: usize, gentle: bool) -> Self {
        let (limit, between) = if gentle { (1, Micros(300_000)) } else { (parallel.max(1), Micros(0)) };
        Self { limit, between, not_before: Micros(0), pause: 0, complaints: 0 }
    }

    /// Whether another one may be dialled beside so many.
    pub(super) fn may_dial(&self, open: usize, now: Micros) -> bool {
        open < self.limit && now >= self.not_before
    }

    /// When the next dial is allowed, if a pause is what keeps it back.
    pub(super) fn due(&self, open: usize, now: Micros) -> Option<Micros> {
        (open < self.limit && now < self.not_before).then_some(self.not_before)
    }

    pub(super) fn dialled(&mut self, now: Micros) {
        self.not_before = Micros(now.0.saturating_add(self.between.0));
    }

    /// The server had no time. Complaints that come together are one.
    pub(super) fn busy(&mut self, now: Micros) {
        self.complaints += 1;
        if now < self.not_before && self.pause > 0 {
            return;
        }
        self.limit = (self.limit / 2).max(1);
        self.pause = (self.pause * 2).clamp(SHORTEST, LONGEST);
        self.not_before = Micros(now.0.saturating_add(self.pause));
    }

    /// A question was answered.
    pub(super) fn answered(&mut self) {
        (self.complaints, self.pause) = (0, self.pause / 2);
    }

    /// Whether to go on makes no sense any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.complaints >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_make_it_slower_and_end_it() {
        let mut pace = Pace::new(4, false);
        assert!(pace.may_dial(3, Micros(0)) && !pace.may_dial(4, Micros(0)));
        pace.busy(Micros(0));
        pace.busy(Micros(10));
        assert_eq!((pace.limit, pace.due(0, Micros(10))), (2, Some(Micros(SHORTEST))));
        pace.busy(Micros(SHORTEST));
        assert_eq!((pace.limit, pace.due(0, Micros(SHORTEST))), (1, Some(Micros(3 * SHORTEST))));
        pace.answered();
        assert!(
            !pace.is_given_up() && pace.may_dial(0, Micros(3 * SHORTEST)) && !pace.may_dial(1, Micros(3 * SHORTEST))
        );
        let mut now = 0;
        for _ in 0..ENOUGH {
            assert!(!pace.is_given_up());
            now += LONGEST;
            pace.busy(Micros(now));
        }
        assert!(pace.is_given_up() && now <= u64::from(ENOUGH) * LONGEST);
    }

    #[test]
    fn who_is_gentle_asks_one_at_a_time() {
        let mut pace = Pace::new(4, true);
        pace.dialled(Micros(5));
        assert!(
            !pace.may_dial(0, Micros(6)) && pace.may_dial(0, Micros(300_005)) && !pace.may_dial(1, Micros(300_005))
        );
    }
}
