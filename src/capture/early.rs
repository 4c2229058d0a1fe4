//! A connection that is not recognised yet: what was told of it so far, bounded.

use super::kind::{LOOKED_AT, Look, PORTS};
use super::table::{Event, Facts};
use super::tunnel::Tunnel;
use super::{End, Piece};

/// Happenings that are kept of a connection that is not recognised.
const MOST: usize = 128;

/// What was told, without the bytes themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Opened,
    Bytes(End, usize),
    Gap(End, Option<u64>),
    Conflict(End),
    Late(End),
    Fin(End),
    Reset(End),
    Unreachable(End),
}

/// What was told of a connection.
#[derive(Debug, Default)]
pub(super) struct Early {
    told: Vec<(i64, Told)>,
    said: [Vec<u8>; 2],
    /// More came than is kept.
    pub full: bool,
    /// What is known of the connection, as last told.
    pub facts: Option<Facts>,
    /// What its session is to say of it.
    pub remark: Option<String>,
}

impl Early {
    /// A connection of which nothing was told yet.
    pub fn of(facts: &Facts) -> Self {
        Self { facts: Some(*facts), ..Self::default() }
    }

    /// What happens next.
    pub fn note(&mut self, facts: &Facts, at: i64, event: Event<'_>) {
        self.facts = Some(*facts);
        let told = match event {
            Event::New | Event::Retried | Event::Gone => return,
            Event::Opened => Told::Opened,
            Event::Unreachable(end) => Told::Unreachable(end),
            Event::Piece(end, Piece::Gap(len)) => Told::Gap(end, len),
            Event::Piece(end, Piece::Conflict { .. }) => Told::Conflict(end),
            Event::Piece(end, Piece::Late) => Told::Late(end),
            Event::Piece(end, Piece::Fin) => Told::Fin(end),
            Event::Piece(end, Piece::Reset) => Told::Reset(end),
            Event::Piece(end, Piece::Bytes(bytes)) => {
                let [one, two] = &mut self.said;
                let said = if end == End::One { one } else { two };
                self.full |= said.len() + bytes.len() > LOOKED_AT;
                // As they came: what is recognised by them is recorded from them.
                said.extend_from_slice(bytes);
                Told::Bytes(end, bytes.len())
            }
        };
        self.full |= self.told.len() >= MOST;
        self.told.push((at, told));
    }

    /// Memory for bytes.
    pub fn weight(&self) -> usize {
        self.said.iter().map(Vec::len).sum::<usize>() + self.told.len() * size_of::<(i64, Told)>()
    }

    /// Whether nobody said anything.
    pub fn is_silent(&self) -> bool {
        self.said.iter().all(Vec::is_empty)
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        let has = |wanted: Told| self.told.iter().any(|(_, t)| *t == wanted);
        let reset = self.told.iter().any(|(_, t)| matches!(t, Told::Reset(_) | Told::Unreachable(_)));
        reset || has(Told::Fin(End::One)) && has(Told::Fin(End::Two))
    }

    /// Who ended it first.
    pub fn ended_by(&self) -> Option<End> {
        self.told.iter().find_map(|(_, t)| match t {
            Told::Fin(end) | Told::Reset(end) => Some(*end),
            _ => None,
        })
    }

    /// What recognises it. `known` says whether FTP is served at an end.
    pub fn look(&self, facts: &Facts, known: [bool; 2], over: bool) -> Look<'_> {
        let ports = [End::One, End::Two].map(|end| facts.address(end).port());
        let [one, two] = &self.said;
        let known = [0, 1].map(|n| {
            let is_known = known.get(n).is_some_and(|k| *k);
            is_known || ports.get(n).is_some_and(|p| PORTS.contains(p))
        });
        Look { said: [one, two], opener: facts.opener, ports, known, over: over || self.full }
    }

    /// Leaves out what was said to a proxy, and says that there is one.
    pub fn leave(&mut self, tunnel: &Tunnel) {
        let mut left = tunnel.lens;
        for (said, len) in self.said.iter_mut().zip(left) {
            said.drain(..len.min(said.len()));
        }
        for (_, told) in &mut self.told {
            if let Told::Bytes(end, len) = told
                && let Some(left) = left.get_mut(usize::from(*end == End::Two))
            {
                let out = (*left).min(*len);
                (*left, *len) = (*left - out, *len - out);
            }
        }
        self.told.retain(|(_, told)| !matches!(told, Told::Bytes(_, 0)));
        let to = &tunnel.to;
        self.remark = Some(format!("the client reached {to} through an HTTP proxy, whose address stands for it"));
    }

    /// What was told, with the bytes.
    pub fn replay(&self, mut each: impl FnMut(i64, Event<'_>)) {
        let mut done = [0usize; 2];
        for (at, told) in &self.told {
            let event = match *told {
                Told::Opened => Event::Opened,
                Told::Unreachable(end) => Event::Unreachable(end),
                Told::Gap(end, len) => Event::Piece(end, Piece::Gap(len)),
                Told::Conflict(end) => Event::Piece(end, Piece::Conflict { at: 0, len: 0 }),
                Told::Late(end) => Event::Piece(end, Piece::Late),
                Told::Fin(end) => Event::Piece(end, Piece::Fin),
                Told::Reset(end) => Event::Piece(end, Piece::Reset),
                Told::Bytes(end, len) => {
                    let n = usize::from(end == End::Two);
                    let (Some(start), Some(said)) = (done.get_mut(n), self.said.get(n)) else { continue };
                    let bytes = said.get(*start..start.saturating_add(len)).unwrap_or_default();
                    *start = start.saturating_add(len);
                    Event::Piece(end, Piece::Bytes(bytes))
                }
            };
            each(*at, event);
        }
    }

    /// The first bytes of an end.
    pub fn said(&self, end: End) -> &[u8] {
        let [one, two] = &self.said;
        if end == End::One { one } else { two }
    }

    /// When it began.
    pub fn began(&self) -> Option<i64> {
        self.told.first().map(|(at, _)| *at)
    }
}
