//! Many sessions of one run: a row for each, and groups of those that come to the same. Nothing else of a session is kept.

use std::collections::BTreeMap;

use super::plain::{is_left, is_plain};
use super::{Outcome, Report, Verdict};
use crate::rules::Confidence;
use crate::transcript::{Clock, Transcript, Why};
use crate::wire::printable_str;

/// Groups that are kept. What comes behind them is counted by its outcome alone.
const GROUPS: usize = 10_000;

/// Longest name of an endpoint that is kept.
const LONGEST_NAME: usize = 255;

/// The two ends of a session, as evidence names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Host or address of the server, and port.
    pub server: Option<String>,
    /// Address and port of the client.
    pub client: Option<String>,
}

impl Ends {
    /// The ends of a session's control connection.
    pub fn of(t: &Transcript) -> Self {
        let Some(conn) = t.conns.iter().find(|c| c.why == Why::Session).or(t.conns.first()) else {
            return Self::default();
        };
        let server = match (conn.host.as_deref(), conn.peer) {
            (Some(host), Some(peer)) => Some(format!("{}:{}", printable_str(host), peer.port())),
            (Some(host), None) => Some(printable_str(host)),
            (None, peer) => peer.map(|p| p.to_string()),
        };
        let server = server.map(|name| name.chars().take(LONGEST_NAME).collect());
        Self { server, client: conn.local.map(|a| a.to_string()) }
    }
}

/// A moment, in microseconds: since 1970 (UTC), or since a midnight whose date is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Whether the date is known.
    pub dated: bool,
    /// Microseconds.
    pub micros: i64,
}

impl Moment {
    /// When a session began; `None` where its times count from anywhere.
    fn of(t: &Transcript) -> Option<Self> {
        let at = t.entries.iter().find_map(|e| e.at)?;
        let at = i64::try_from(at.0).unwrap_or(i64::MAX);
        match t.clock {
            Clock::Utc(zero) => Some(Self { dated: true, micros: zero.0.saturating_add(at) }),
            Clock::TimeOfDay => Some(Self { dated: false, micros: at }),
            Clock::Relative => None,
        }
    }
}

/// The first and the last of some moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub first: Moment,
    /// The last one.
    pub last: Moment,
}

/// Takes a moment into a span. Times with and without a date are not compared: the first kind stays.
fn stretch(span: &mut Option<Span>, at: Option<Moment>) {
    let Some(at) = at else { return };
    match span {
        None => *span = Some(Span { first: at, last: at }),
        Some(s) if s.first.dated == at.dated => *s = Span { first: s.first.min(at), last: s.last.max(at) },
        Some(_) => {}
    }
}

/// What sessions have in common that come to the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether nobody asked for TLS: neither a failure, nor what works.
    pub plain: bool,
    /// Whether the client hung up without a byte, as a check of the port does.
    pub left: bool,
    /// The finding that decides.
    pub by: Option<String>,
    /// Its first cause.
    pub cause: Option<String>,
    /// The server.
    pub server: Option<String>,
}

/// One session in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub session: u32,
    /// What it comes to.
    pub kind: Kind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The client.
    pub client: Option<String>,
    /// When it began.
    pub at: Option<Moment>,
}

impl Row {
    /// The row of a report. The ends are given apart: where names are taken out of a report, they are those of the evidence, so that
    /// two servers stay two; whoever shows them takes the names out.
    pub fn of(report: &Report, ends: Ends) -> Self {
        Self::new(report.subject.session, &report.verdict, &report.transcript, ends)
    }

    /// The same, of a session that got no report.
    pub fn new(session: u32, v: &Verdict, transcript: &Transcript, ends: Ends) -> Self {
        let open = v.outcome == Outcome::Inconclusive && v.by.is_none();
        let (plain, left) = (open && is_plain(v), open && is_left(v));
        let kind =
            Kind { outcome: v.outcome, plain, left, by: v.by.clone(), cause: v.cause.clone(), server: ends.server };
        let at = Moment::of(transcript);
        Self { session, kind, confidence: v.confidence, client: ends.client, at }
    }
}

/// Sessions that come to the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// The number of the first one.
    pub example: u32,
    /// How sure the surest is.
    pub confidence: Confidence,
    /// When they began.
    pub span: Option<Span>,
    /// Servers whose names are known.
    pub servers: u64,
}

impl Group {
    /// Worst first; that nobody asked for TLS is no news.
    fn rank(&self) -> u8 {
        match (self.kind.outcome, self.confidence) {
            (Outcome::Fails, Confidence::Certain) => 0,
            (Outcome::Fails, Confidence::Likely) => 1,
            (Outcome::Fails, Confidence::Possible) => 2,
            (Outcome::Inconclusive, _) if self.kind.by.is_some() => 3,
            (Outcome::Inconclusive, _) if self.kind.left => 7,
            (Outcome::Inconclusive, _) if self.kind.plain => 6,
            (Outcome::Inconclusive, _) => 4,
            (Outcome::Works, _) => 5,
        }
    }

    /// Takes in the sessions of another one.
    fn join(&mut self, other: &Group) {
        self.kind.server = None;
        self.count += other.count;
        self.example = self.example.min(other.example);
        self.confidence = self.confidence.max(other.confidence);
        for at in other.span.iter().flat_map(|s| [s.first, s.last]) {
            stretch(&mut self.span, Some(at));
        }
        self.servers += other.servers;
    }
}

/// How many sessions came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that fail.
    pub fail: u64,
    /// Those of which it cannot be told.
    pub open: u64,
    /// Those in which nobody asked for TLS.
    pub plain: u64,
    /// Those in which the client sent nothing.
    pub left: u64,
    /// Those that work.
    pub work: u64,
}

/// What many sessions come to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    groups: BTreeMap<Kind, Group>,
    /// How many sessions came to what.
    pub counts: Counts,
    /// When they began.
    pub span: Option<Span>,
}

impl Summary {
    /// Takes in one session.
    pub fn add(&mut self, row: &Row) {
        let count = match row.kind.outcome {
            Outcome::Fails => &mut self.counts.fail,
            Outcome::Inconclusive if row.kind.plain => &mut self.counts.plain,
            Outcome::Inconclusive if row.kind.left => &mut self.counts.left,
            Outcome::Inconclusive => &mut self.counts.open,
            Outcome::Works => &mut self.counts.work,
        };
        *count += 1;
        stretch(&mut self.span, row.at);
        let mut kind = row.kind.clone();
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&kind) {
            kind = Kind { by: None, cause: None, server: None, ..kind };
        }
        let (example, confidence) = (row.session, row.confidence);
        let servers = u64::from(kind.server.is_some());
        let new = || Group { kind: kind.clone(), count: 0, example, confidence, span: None, servers };
        let group = self.groups.entry(kind.clone()).or_insert_with(new);
        group.count += 1;
        group.example = group.example.min(row.session);
        group.confidence = group.confidence.max(row.confidence);
        stretch(&mut group.span, row.at);
    }

    /// Sessions that were taken in.
    pub fn sessions(&self) -> u64 {
        let c = self.counts;
        c.fail + c.open + c.plain + c.left + c.work
    }

    /// The groups, worst first, then the largest, then in order of their first sessions.
    pub fn groups(&self) -> Vec<Group> {
        sorted(self.groups.values().cloned().collect())
    }

    /// The same, where groups that only their servers tell apart are one.
    pub fn without_servers(&self) -> Vec<Group> {
        let mut all: BTreeMap<Kind, Group> = BTreeMap::new();
        for one in self.groups.values() {
            let kind = Kind { server: None, ..one.kind.clone() };
            match all.get_mut(&kind) {
                Some(group) => group.join(one),
                None => drop(all.insert(kind, one.clone())),
            }
        }
        sorted(all.into_values().collect())
    }
}

fn sorted(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|g| (g.rank(), core::cmp::Reverse(g.count), g.example));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(session: u32, outcome: Outcome, by: Option<&str>, server: &str, at: i64) -> Row {
        let kind = Kind {
            outcome,
            plain: false,
            left: false,
            by: by.map(str::to_owned),
            cause: None,
            server: Some(server.to_owned()),
        };
        let at = Some(Moment { dated: true, micros: at });
        Row { session, kind, confidence: Confidence::Certain, client: None, at }
    }

    #[test]
    fn the_worst_stands_first_and_the_largest_of_it() {
        let mut s = Summary::default();
        s.add(&row(1, Outcome::Works, None, "a", 5));
        s.add(&row(2, Outcome::Inconclusive, None, "a", 6));
        s.add(&row(7, Outcome::Fails, Some("x"), "a", 9));
        s.add(&row(4, Outcome::Fails, Some("y"), "a", 8));
        s.add(&row(3, Outcome::Fails, Some("y"), "a", 10));
        s.add(&Row { confidence: Confidence::Likely, ..row(5, Outcome::Fails, Some("z"), "a", 8) });
        let mut plain = row(6, Outcome::Inconclusive, None, "a", 1);
        plain.kind.plain = true;
        s.add(&plain);
        let mut left = row(8, Outcome::Inconclusive, None, "a", 1);
        left.kind.left = true;
        s.add(&left);
        let shown: Vec<(u32, u64)> = s.groups().iter().map(|g| (g.example, g.count)).collect();
        assert_eq!(shown, [(3, 2), (7, 1), (5, 1), (2, 1), (1, 1), (6, 1), (8, 1)]);
        assert_eq!(s.counts, Counts { fail: 4, open: 1, plain: 1, left: 1, work: 1 });
        let span = s.span.unwrap();
        assert_eq!((span.first.micros, span.last.micros, s.sessions()), (1, 10, 8));
    }

    #[test]
    fn groups_have_a_bound_and_nothing_goes_uncounted() {
        let mut s = Summary::default();
        for n in 0..30_000u32 {
            let outcome = if n % 2 == 0 { Outcome::Fails } else { Outcome::Works };
            s.add(&row(n, outcome, None, &n.to_string(), 0));
        }
        let groups = s.groups();
        assert!(groups.len() <= GROUPS + 2, "{}", groups.len());
        assert_eq!(groups.iter().map(|g| g.count).sum::<u64>(), 30_000);
        assert_eq!((s.counts.fail, s.counts.work), (15_000, 15_000));
    }

    #[test]
    fn times_without_a_date_are_not_compared_with_those_that_have_one() {
        let mut span = None;
        stretch(&mut span, Some(Moment { dated: true, micros: 50 }));
        stretch(&mut span, Some(Moment { dated: false, micros: 1 }));
        stretch(&mut span, Some(Moment { dated: true, micros: 60 }));
        let span = span.unwrap();
        assert_eq!((span.first.micros, span.last.micros), (50, 60));
    }
}
