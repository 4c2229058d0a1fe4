//! Ways to a data connection, each with what became of it: the questions of the rules about addresses, ports and refusals.

use std::collections::BTreeMap;

use super::retrying::is_giving_up;
use super::unopened::{Unopened, by_claims, unopened};
use super::{Case, Confidence, Finding};
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::facts::transfers::{Arranged, arrangements};
use crate::transcript::Role;

/// One way to a data connection: how it was arranged, and the transfer that was to use it.
pub(super) struct Way<'a> {
    /// `None` where the evidence shows the transfer alone.
    pub(super) arranged: Option<Arranged<'a>>,
    /// `None` when nothing came of it.
    pub(super) transfer: Option<&'a Transfer<'a>>,
    /// Why it was not opened.
    pub(super) unopened: Option<Unopened<'a>>,
}

impl<'a> Way<'a> {
    /// With this command.
    pub(super) fn with(&self, verb: &str) -> Option<Arranged<'a>> {
        self.arranged.filter(|a| a.command.verb == verb)
    }

    /// Whether the data connection stood.
    pub(super) fn is_opened(&self) -> bool {
        let done = |t: &Transfer<'_>| {
            t.data.as_ref().is_some_and(|d| d.was_open()) || t.reply.is_some_and(|r| (200..300).contains(&r.reply.code))
        };
        self.unopened.is_none() && self.transfer.is_some_and(done)
    }

    fn is_passive(&self) -> bool {
        self.arranged.is_some_and(|a| a.is_passive())
    }

    /// What the evidence has of it first.
    fn first(&self) -> Option<*const Event> {
        let command = self.arranged.map(|a| a.command.event).or(self.transfer.and_then(|t| t.command).map(|c| c.event));
        let data = || self.transfer.and_then(|t| t.data.as_ref()).and_then(|d| d.events.first().copied());
        command.or_else(data).map(core::ptr::from_ref)
    }
}

/// What came of a way, and of the session behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It failed, and no later one stood.
    Fell,
    /// It failed, and a later one stood.
    Recovered,
    /// It did not fail, or that is not in the evidence.
    Other,
}

impl<'a> Case<'a> {
    /// The ways of the session, in order.
    pub(super) fn ways(&self) -> Vec<Way<'a>> {
        // Events stand in their order in one slice. What shows only behind the session's end changes nothing.
        let end = self.control().find(|e| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. }));
        let late = |u: &Unopened<'_>| end.is_some_and(|e| core::ptr::from_ref(u.shows) > core::ptr::from_ref(e));
        let failed = |t: &'a Transfer<'a>| unopened(t).filter(|u| u.told || !late(u));
        let arranged = arrangements(self.control());
        if arranged.is_empty() && self.transfers.is_empty() {
            return Vec::new();
        }
        let hidden = self.commands_are_hidden();
        let mut users: BTreeMap<*const Event, &'a Transfer<'a>> = BTreeMap::new();
        let mut ways: Vec<Way<'a>> = Vec::new();
        for t in self.session_transfers() {
            match t.arranged {
                Some(a) => drop(users.insert(core::ptr::from_ref(a.command.event), t)),
                // A connection alone, which nobody asked for, tells nothing where commands can be read.
                None if t.command.is_none() && !hidden => {}
                None => ways.push(Way { arranged: None, transfer: Some(t), unopened: failed(t) }),
            }
        }
        let last = arranged.len().saturating_sub(1);
        for (n, a) in arranged.into_iter().enumerate() {
            let transfer = users.get(&core::ptr::from_ref(a.command.event)).copied();
            let unopened = match transfer {
                Some(t) => failed(t),
                // A client that could not connect does not send the command.
                None if n == last && a.is_accepted() => by_claims(self.after(a.command.event)),
                None => None,
            };
            ways.push(Way { arranged: Some(a), transfer, unopened });
        }
        ways.sort_by_key(Way::first);
        ways
    }

    /// What came of the `n`-th way; `unusable` says that no client could have used it.
    pub(super) fn fate(&self, ways: &[Way<'_>], n: usize, unusable: bool) -> Fate {
        let (before, after) = ways.split_at(n.min(ways.len()));
        let Some((way, after)) = after.split_first() else { return Fate::Other };
        // Our own run asks for each way once, so that an earlier one counts.
        let ours = self.asked().is_some() && before.iter().any(Way::is_opened);
        if way.unopened.is_none() && (!unusable || way.is_opened()) {
            Fate::Other
        } else if ours || after.iter().any(Way::is_opened) {
            Fate::Recovered
        } else {
            Fate::Fell
        }
    }

    /// What came of a way that the server refused. Where another was agreed on behind it, that one counts, unless a client
    /// that was to connect waited to be connected to from then on, in vain.
    pub(super) fn fate_of_refusal(&self, ways: &[Way<'_>], n: usize) -> Fate {
        let after = ways.get(n + 1..).unwrap_or_default();
        let opened = |w: &Way<'_>| w.is_opened();
        if after.iter().any(opened) || self.asked().is_some() && ways.iter().any(opened) {
            return Fate::Recovered;
        }
        let agreed = |passive: bool| {
            after.iter().any(|w| w.is_passive() == passive && w.arranged.is_some_and(|a| a.is_accepted()))
        };
        let passive = ways.get(n).is_some_and(Way::is_passive);
        let in_vain = after
            .iter()
            .any(|w| !w.is_passive() && (w.unopened.is_some() || w.arranged.is_some_and(|a| a.is_refused())));
        match () {
            () if agreed(true) => Fate::Other,
            () if passive && in_vain => Fate::Fell,
            () if agreed(false) || !self.is_closed() => Fate::Other,
            () => Fate::Fell,
        }
    }

    /// How sure a failure is that the control connection outlived: the client may try again until that ends or it gives up, and
    /// what was only quoted or told is likely.
    pub(super) fn settle(&self, f: &mut Finding, proof: &Event, told: bool) {
        f.ended = told || self.is_closed() || self.claims().any(|c| c.code.is_some_and(is_giving_up));
        let proved = self.is_closed() && !told && !self.is_from_log(proof);
        f.confidence = if proved { Confidence::Certain } else { Confidence::Likely };
    }

    /// The ports of all passive replies: the lowest, the highest, and how many replies there were.
    pub(super) fn ports_seen(&self) -> Option<PortsSeen> {
        let t = self.transcript;
        let control = self.timeline.events.iter().filter(|e| t.conn(e.conn).is_some_and(|c| c.role == Role::Control));
        let asked = arrangements(control).into_iter().filter(Arranged::is_passive);
        let ports: Vec<u16> = asked.filter_map(|a| a.announced()).map(|(_, port)| port).filter(|p| *p > 0).collect();
        Some(PortsSeen { lowest: *ports.iter().min()?, highest: *ports.iter().max()?, count: ports.len() })
    }
}

/// Ports that a server named for passive data connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct PortsSeen {
    pub(super) lowest: u16,
    pub(super) highest: u16,
    /// How often one was named.
    pub(super) count: usize,
}

impl PortsSeen {
    /// `port 50123 in 1 ask`, `ports 61240 to 63911 in 5 asks`.
    pub(super) fn describe(&self) -> String {
        let asks = if self.count == 1 { "1 ask".to_owned() } else { format!("{} asks", self.count) };
        format!("{} in {asks}", self.range())
    }

    /// `port 50123`, `ports 61240 to 63911`.
    pub(super) fn range(&self) -> String {
        match self.lowest == self.highest {
            true => format!("port {}", self.lowest),
            false => format!("ports {} to {}", self.lowest, self.highest),
        }
    }
}

/// Whether the words of a reply are about TLS on the data connection, which other rules read.
pub(super) fn is_about_tls(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "tls",
        "ssl",
        "handshake",
        "resum",
        "session reuse",
        "operation not permitted",
        "protect",
        "encrypt",
        "prot p",
        "this prot",
        "certificate",
        "security",
    ];
    let text = text.to_ascii_lowercase();
    !text.contains("bad ip connecting") && WORDS.iter().any(|w| text.contains(w))
}

/// Whether a refusal is about the login or the order of commands, not about the way that was asked for.
pub(super) fn is_about_order(code: u16, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    matches!(code, 332 | 421 | 503 | 530..=534) || text.contains("log in") || text.contains("login")
}
