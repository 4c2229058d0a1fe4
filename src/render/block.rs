//! Blocks of lines, and how they make room for each other when a screen is too long.

use super::wrap;

/// Columns for what stands behind a label.
pub(super) const WIDTH: usize = 72;

/// Lines of a screen.
const LINES: usize = 25;

/// Lines of a unit on a screen; a longer one is cut and says so.
const LONGEST_UNIT: usize = 4;

/// A labelled block of units; a unit is shown whole or not at all. When the screen is too long, units go first where
/// most are over `keep`, then over `least`.
pub(super) struct Block {
    pub(super) label: &'static str,
    pub(super) units: Vec<Vec<String>>,
    keep: usize,
    least: usize,
    /// Of a block that gives way before others: what its units are made of, and how soon it goes.
    gives: Option<(Turn, Vec<List>)>,
}

/// Which blocks give way before all others, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// What was not looked at.
    First,
    /// What passed.
    Second,
}

/// Items in a row behind a few words; it is shortened by whole items, and says so.
#[derive(Clone, Debug)]
pub(super) struct List {
    head: String,
    items: Vec<String>,
    cut: bool,
}

impl List {
    pub(super) fn new(head: String, items: Vec<String>) -> Self {
        Self { head, items, cut: false }
    }

    fn lines(&self) -> Vec<String> {
        let more = match (self.cut, self.items.is_empty()) {
            (false, _) => "",
            (true, true) => " ...",
            (true, false) => ", ...",
        };
        wrap(&format!("{}{}{more}", self.head, self.items.join(", ")), WIDTH)
    }
}

impl Block {
    pub(super) fn new(label: &'static str, units: Vec<Vec<String>>, keep: usize, least: usize) -> Self {
        Self { label, units, keep, least, gives: None }
    }

    /// A block of lists that gives way before others.
    pub(super) fn giving_way(label: &'static str, turn: Turn, lists: Vec<List>) -> Self {
        let units = lists.iter().map(List::lines).collect();
        Self { gives: Some((turn, lists)), ..Self::new(label, units, usize::MAX, 1) }
    }

    /// Makes room by whole items; whether it could. What gains no line stays.
    fn give_way(&mut self) -> bool {
        let before = self.len();
        let Some((turn, lists)) = &self.gives else { return false };
        let (turn, mut lists) = (*turn, lists.clone());
        while let Some(last) = lists.last_mut() {
            if last.items.len() > 1 {
                last.items.pop();
                last.cut = true;
            } else if lists.len() > 1 {
                lists.pop();
                lists.last_mut().into_iter().for_each(|l| l.cut = true);
            } else {
                return false;
            }
            let units: Vec<Vec<String>> = lists.iter().map(List::lines).collect();
            if units.iter().map(Vec::len).sum::<usize>() < before {
                (self.units, self.gives) = (units, Some((turn, lists)));
                return true;
            }
        }
        false
    }

    /// A block that always stays whole.
    pub(super) fn whole(label: &'static str, lines: Vec<String>) -> Self {
        let units = if lines.is_empty() { Vec::new() } else { vec![lines] };
        Self::new(label, units, 1, 1)
    }

    /// Its lines.
    pub(super) fn len(&self) -> usize {
        self.units.iter().map(Vec::len).sum()
    }
}

/// Makes the screen fit: what was not looked at gives way first, then what passed, then units of the block that has most to
/// spare. Returns how many lines went.
pub(super) fn shorten(blocks: &mut [Block]) -> usize {
    // One blank line behind ACT, and MORE.
    let room = LINES - 2;
    let lines = |blocks: &[Block]| blocks.iter().map(Block::len).sum::<usize>();
    let whole = lines(blocks);
    let given = blocks.iter_mut().filter(|b| b.gives.is_none());
    for unit in given.flat_map(|b| &mut b.units).filter(|u| u.len() > LONGEST_UNIT) {
        unit.truncate(LONGEST_UNIT);
        if let Some(last) = unit.last_mut() {
            last.truncate(WIDTH - 4);
            last.push_str(" ...");
        }
    }
    for turn in [Turn::First, Turn::Second] {
        while lines(blocks) > room
            && blocks.iter_mut().filter(|b| b.gives.as_ref().is_some_and(|g| g.0 == turn)).any(Block::give_way)
        {
        }
    }
    for hard in [false, true] {
        let spare = |b: &Block| b.units.len().saturating_sub(if hard { b.least } else { b.keep });
        while lines(blocks) > room {
            let Some(block) = blocks.iter_mut().max_by_key(|b| spare(b)).filter(|b| spare(b) > 0) else { break };
            block.units.pop();
        }
    }
    whole.saturating_sub(lines(blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(open: usize, passed: usize) -> Vec<Block> {
        let named =
            |what: &str, n: usize| (1..=n).map(|k| format!("{what} of a rather long name, number {k}")).collect();
        let why = (1..=12).map(|n| vec![format!("fact {n}")]).collect();
        vec![
            Block::new("WHY", why, 6, 3),
            Block::giving_way("OK", Turn::Second, vec![List::new(String::new(), named("check", passed))]),
            Block::giving_way(
                "OPEN",
                Turn::First,
                vec![
                    List::new("not asked for: ".to_owned(), named("check", open)),
                    List::new("seen from elsewhere".to_owned(), Vec::new()),
                ],
            ),
        ]
    }

    #[test]
    fn what_was_not_looked_at_gives_way_first_and_says_so() {
        let mut blocks = screen(12, 8);
        let all = blocks.iter().map(Block::len).sum::<usize>();
        let cut = shorten(&mut blocks);
        assert_eq!(blocks.iter().map(Block::len).sum::<usize>(), all - cut);
        assert!(cut > 0 && all - cut <= LINES - 2, "{cut} of {all}");
        let lines = |n: usize| -> Vec<String> { blocks[n].units.concat() };
        assert_eq!((lines(0).len(), lines(1).len()), (12, 5));
        assert!(lines(2).last().unwrap().ends_with(", ..."), "{:?}", lines(2));
    }

    #[test]
    fn checks_go_whole_and_before_any_fact() {
        let mut blocks = screen(40, 40);
        shorten(&mut blocks);
        let lines = |n: usize| -> Vec<String> { blocks[n].units.concat() };
        assert_eq!((lines(0).len(), lines(2).len()), (12, 1));
        assert!(lines(2)[0].ends_with("number 1, ..."), "{:?}", lines(2));
        let last = lines(1).pop().unwrap();
        assert!(last.ends_with(", ...") && last.contains("number"), "{last}");
        assert!(blocks.iter().map(Block::len).sum::<usize>() <= LINES - 2);
    }
}
