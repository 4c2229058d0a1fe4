//! A list that is taken apart, and what it is asked with.

use super::heard::{Came, Chosen};
use super::hellos::TLS13;
use super::hunt::{Hunt, Reply};
use crate::transcript::topics;

/// A list that is taken apart.
pub(super) struct List {
    pub(super) topic: &'static str,
    pub(super) version: u16,
    /// The suites with which groups and schemes are asked for.
    pub(super) suites: Vec<u16>,
    /// The groups with which schemes are asked for.
    pub(super) groups: Vec<u16>,
    pub(super) hunt: Hunt,
}

impl List {
    /// Takes the answer to a part.
    pub(super) fn take(&mut self, part: &[u16], came: Came) {
        let chosen = |c: Chosen| match self.topic {
            topics::GROUPS => c.group,
            // TLS 1.3 hides it, and one alone was offered.
            topics::SCHEMES if self.version == TLS13 => part.first().copied(),
            topics::SCHEMES => c.scheme,
            _ => Some(c.suite),
        };
        let reply = match came {
            // Another version than the one that was offered: this one is refused.
            // A flight that broke off before it shows the choice says nothing.
            Came::Chosen(c) if c.version == self.version => chosen(c).map_or(Reply::Unclear, Reply::Chose),
            Came::Chosen(_) | Came::Ssl2 => Reply::Refused,
            came if came.is_refusal() => Reply::Refused,
            Came::Busy | Came::NotAsked => Reply::Lost,
            _ => Reply::Unclear,
        };
        self.hunt.take(part, reply);
    }
}
