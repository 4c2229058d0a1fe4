//! Takes a list apart: what of it does the server choose, and by whose order?
//!
//! What it chose is left out of the next hello, until it refuses what is left. A server that follows the client's order is asked in
//! several lots at a time; one with an order of its own is asked in a row, so that its order shows.

/// How many numbers make another lot worth its refusal.
const LOT: usize = 16;

/// For servers that end on long lists.
const PIECE: usize = 48;

/// What a list that was offered came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The server chose this.
    Chose(u16),
    /// It refused all.
    Refused,
    /// It ended without saying why.
    Unclear,
    /// It could not be asked.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The whole list.
    Whole,
    /// A short one, because the long one was ended without a word.
    Short,
    /// The whole list from behind; this was chosen from the front.
    Backwards(u16),
    /// What is left.
    Lots,
}

#[derive(Clone, Debug)]
struct Lot {
    list: Vec<u16>,
    asking: bool,
    /// It was ended without a word once, which may have had another reason.
    doubted: bool,
}

impl Lot {
    fn of(list: &[u16]) -> Self {
        Self { list: list.to_vec(), asking: false, doubted: false }
    }
}

/// The way through one list.
#[derive(Clone, Debug)]
pub(super) struct Hunt {
    all: Vec<u16>,
    /// Common ones, where the list is long.
    short: Vec<u16>,
    /// Lots at a time.
    most: usize,
    stage: Stage,
    lots: Vec<Lot>,
    taken: Vec<u16>,
}

impl Hunt {
    /// Through `all`; `short` are common ones among them. At most so many lots at a time.
    pub(super) fn new(all: Vec<u16>, short: Vec<u16>, most: usize) -> Self {
        let lots = if all.is_empty() { Vec::new() } else { vec![Lot::of(&all)] };
        Self { all, short, most, stage: Stage::Whole, lots, taken: Vec::new() }
    }

    /// Through `all` where each has to be asked alone, because the answer does not name it.
    pub(super) fn each(all: &[u16], most: usize) -> Self {
        let lots = all.iter().map(|n| Lot::of(&[*n])).collect();
        Self { all: all.to_vec(), short: Vec::new(), most, stage: Stage::Lots, lots, taken: Vec::new() }
    }

    /// Whether anything is taken, as far as it is known by now.
    pub(super) fn taken(&self) -> &[u16] {
        &self.taken
    }

    pub(super) fn is_over(&self) -> bool {
        self.lots.is_empty()
    }

    /// How many more connections that will be, as servers usually are: each lot ends with a refusal, and has some that are taken.
    pub(super) fn left(&self) -> usize {
        const SOME: usize = 12;
        let backwards = usize::from(self.stage == Stage::Whole && !self.is_over());
        backwards + self.lots.iter().map(|l| 1 + l.list.len() / SOME).sum::<usize>()
    }

    /// The next list to offer; `None` while all that is left is being asked.
    pub(super) fn next(&mut self) -> Option<Vec<u16>> {
        let asking = self.lots.iter().filter(|l| l.asking).count();
        if asking >= self.most {
            return None;
        }
        let lot = self.lots.iter_mut().find(|l| !l.asking)?;
        lot.asking = true;
        Some(lot.list.clone())
    }

    /// Takes the answer to a list.
    pub(super) fn take(&mut self, list: &[u16], reply: Reply) {
        let Some(at) = self.lots.iter().position(|l| l.asking && l.list == list) else { return };
        // Who chooses what was not offered does not choose.
        let reply = match reply {
            Reply::Chose(n) if !list.contains(&n) => Reply::Refused,
            reply => reply,
        };
        match (self.stage, reply) {
            (Stage::Whole, Reply::Chose(n)) => {
                self.taken.push(n);
                let backwards: Vec<u16> = self.all.iter().rev().copied().collect();
                self.stage = Stage::Backwards(n);
                self.lots = if backwards.len() > 1 { vec![Lot::of(&backwards)] } else { Vec::new() };
            }
            // Once more: shorter where it can be, for it may have been too long.
            (Stage::Whole, Reply::Unclear) => {
                let has_short = self.all.len() > self.short.len() && !self.short.is_empty();
                self.stage = Stage::Short;
                self.lots = vec![Lot::of(if has_short { &self.short } else { &self.all })];
            }
            (Stage::Short, Reply::Chose(_)) => self.go_on(self.all.len().div_ceil(PIECE)),
            (Stage::Backwards(first), Reply::Chose(n)) if n == first => self.go_on(1),
            (Stage::Backwards(_), Reply::Chose(n)) => {
                self.taken.push(n);
                let left = self.all.len().saturating_sub(2);
                self.go_on(left.div_ceil(LOT).clamp(1, self.most));
            }
            (Stage::Backwards(_), Reply::Refused | Reply::Unclear) => self.go_on(1),
            (Stage::Lots, Reply::Chose(n)) => {
                self.taken.push(n);
                if let Some(lot) = self.lots.get_mut(at) {
                    (lot.asking, lot.doubted) = (false, false);
                    lot.list.retain(|m| *m != n);
                }
                self.lots.retain(|l| !l.list.is_empty());
            }
            (Stage::Lots, Reply::Unclear) if self.lots.get(at).is_some_and(|l| !l.doubted) => {
                if let Some(lot) = self.lots.get_mut(at) {
                    (lot.asking, lot.doubted) = (false, true);
                }
            }
            (Stage::Lots, _) => drop(self.lots.remove(at)),
            _ => self.lots.clear(),
        }
    }

    /// What is left, in so many lots.
    fn go_on(&mut self, lots: usize) {
        let left: Vec<u16> = self.all.iter().copied().filter(|n| !self.taken.contains(n)).collect();
        let size = left.len().div_ceil(lots.max(1)).max(1);
        self.stage = Stage::Lots;
        self.lots = left.chunks(size).map(Lot::of).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a hunt against a server; how often it was asked.
    fn run(hunt: &mut Hunt, mut server: impl FnMut(&[u16]) -> Reply) -> usize {
        let mut asked = 0;
        while !hunt.is_over() {
            let mut open = Vec::new();
            while let Some(list) = hunt.next() {
                open.push(list);
            }
            assert!(!open.is_empty(), "it neither asks nor ends");
            for list in open {
                asked += 1;
                hunt.take(&list, server(&list));
            }
        }
        asked
    }

    fn numbers(n: u16) -> Vec<u16> {
        (1..=n).collect()
    }

    fn by_client(accepted: &[u16]) -> impl FnMut(&[u16]) -> Reply {
        move |list| list.iter().find(|n| accepted.contains(n)).map_or(Reply::Refused, |n| Reply::Chose(*n))
    }

    fn by_server(accepted: &[u16]) -> impl FnMut(&[u16]) -> Reply {
        move |list| accepted.iter().find(|n| list.contains(n)).map_or(Reply::Refused, |n| Reply::Chose(*n))
    }

    fn set_of(list: &[u16]) -> std::collections::BTreeSet<u16> {
        list.iter().copied().collect()
    }

    fn sorted(mut list: Vec<u16>) -> Vec<u16> {
        list.sort_unstable();
        list
    }

    #[test]
    fn the_clients_order_is_asked_in_lots() {
        let accepted: Vec<u16> = numbers(300).into_iter().step_by(11).collect();
        let mut hunt = Hunt::new(numbers(300), numbers(10), 4);
        let asked = run(&mut hunt, by_client(&accepted));
        assert_eq!(sorted(hunt.taken().to_vec()), accepted);
        assert_eq!(asked, accepted.len() + 4, "one each, and a refusal of each lot");
    }

    #[test]
    fn a_servers_order_shows() {
        let accepted = [250, 3, 77, 300, 12];
        let mut hunt = Hunt::new(numbers(300), numbers(10), 4);
        let asked = run(&mut hunt, by_server(&accepted));
        assert_eq!((hunt.taken(), asked), (&accepted[..], accepted.len() + 2));
    }

    #[test]
    fn nothing_one_and_all() {
        let ask = |accepted: Vec<u16>| {
            let mut hunt = Hunt::new(numbers(20), numbers(5), 4);
            let asked = run(&mut hunt, by_client(&accepted));
            (sorted(hunt.taken().to_vec()), asked)
        };
        assert_eq!(ask(vec![]), (vec![], 1));
        assert_eq!(ask(vec![9]), (vec![9], 3));
        assert_eq!(ask(numbers(20)).0, numbers(20));
        assert_eq!(run(&mut Hunt::new(vec![], vec![], 4), by_client(&[1])), 0);
        let mut each = Hunt::each(&numbers(9), 4);
        assert_eq!(run(&mut each, by_client(&[2, 7])), 9);
        assert_eq!(sorted(each.taken().to_vec()), [2, 7]);
    }

    #[test]
    fn a_server_that_ends_on_long_lists_is_asked_in_pieces() {
        let accepted = [2, 60, 190];
        let mut hunt = Hunt::new(numbers(200), numbers(10), 4);
        let mut server = by_client(&accepted);
        run(&mut hunt, |list| if list.len() > 64 { Reply::Unclear } else { server(list) });
        assert_eq!(sorted(hunt.taken().to_vec()), accepted);
        // One that ends without a word whatever comes is asked twice.
        let mut hunt = Hunt::new(numbers(200), numbers(10), 4);
        assert_eq!(run(&mut hunt, |_| Reply::Unclear), 2);
        assert!(hunt.taken().is_empty());
    }

    #[test]
    fn whoever_chooses_what_was_not_offered_ends_it() {
        let mut hunt = Hunt::new(numbers(50), numbers(10), 4);
        assert!(run(&mut hunt, |_| Reply::Chose(0x1301)) <= 2);
        let mut hunt = Hunt::new(numbers(50), numbers(10), 4);
        let mut asked = 0;
        run(&mut hunt, |list| {
            asked += 1;
            if asked > 5 { Reply::Chose(999) } else { by_client(&[3, 30, 31, 32, 33, 34, 35])(list) }
        });
        assert!(set_of(hunt.taken()).is_subset(&set_of(&[3, 30, 31, 32, 33, 34, 35])));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let mut hunt = Hunt::new(numbers(50), numbers(10), 4);
        let mut left = 5;
        run(&mut hunt, |list| {
            left -= 1;
            if left < 0 { Reply::Lost } else { by_client(&numbers(50))(list) }
        });
        assert!(hunt.taken().len() >= 4);
    }
}
