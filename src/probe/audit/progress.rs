//! How far an audit has come. What is left is a guess: nobody knows how much a server takes before it was asked.

use super::list::List;
use super::{Auditor, Part, Question, version_name};
use crate::probe::Progress;
use crate::transcript::topics;

/// What parts come to that have not begun, in connections: what ordinary servers need.
const USUAL: [(Part, usize); 6] = [
    (Part::Groups, 16),
    (Part::Schemes, 6 + TLS13_SCHEMES),
    (Part::Extensions, 8),
    (Part::Resumption, 3),
    (Part::Intolerances, 8),
    (Part::Security, 3),
];

/// Schemes of TLS 1.3, which are asked one by one.
const TLS13_SCHEMES: usize = 16;

impl Auditor {
    /// How far it has come, once it asks.
    pub(super) fn so_far(&self) -> Option<Progress> {
        self.first?;
        let asking = self.lines.last().map_or_else(String::new, |line| self.words(&line.question));
        Some(Progress { done: self.dialled.saturating_sub(self.lines.len()), left: self.left(), asking })
    }

    fn left(&self) -> usize {
        let hunts: usize = self.lists.iter().map(|l| l.hunt.left()).sum();
        let others = self.lines.iter().filter(|l| !matches!(l.question, Question::Part(..))).count();
        let begun = hunts + others + self.questions.len();
        let has = |part: Part| self.audit.parts.has(part);
        if !self.followed {
            let usual = USUAL.iter().filter(|(part, _)| has(*part)).map(|(_, n)| n);
            return begun + usual.sum::<usize>() + self.audit.clients.len();
        }
        let each = has(Part::Schemes) && !self.asks_each_scheme() && !self.suites(0x0304).is_empty();
        begun + if each { TLS13_SCHEMES } else { 0 }
    }

    /// What a question is about, for people.
    fn words(&self, question: &Question) -> String {
        let of_list = |list: &List| format!("{}, {}", topics::words(list.topic), version_name(list.version));
        match question {
            Question::Part(n, _) => self.lists.get(*n).map(of_list).unwrap_or_default(),
            Question::Ask(changed, _) | Question::Visit(changed, ..) => {
                changed.iter().map(|c| topics::words(c)).collect::<Vec<_>>().join(", ")
            }
        }
    }
}
