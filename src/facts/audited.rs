//! The questions of an audit with their answers, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use super::accepts::{Accepts, OfVersion, Order, SSL2, Set, Takes};
use super::client_hello;
use crate::decode::{Event, Kind, Timeline};
use crate::transcript::{Close, ConnId, Decrypted, Layer, Side, Transcript, Why, topics};
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::{ClientHello, ServerHello};
use crate::wire::tls::key_exchange::KeyExchange;

/// TLS 1.3, which hides by what the server signs.
const TLS13: u16 = 0x0304;

/// How a server answered one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered<'a> {
    /// It chose, by a ServerHello or a HelloRetryRequest.
    Chose(&'a ServerHello),
    /// It speaks SSL 2.
    Ssl2,
    /// A fatal alert.
    Alert(u8),
    /// Text, or what is no TLS.
    Text,
    /// The connection ended.
    Ended(Close),
    /// Nothing.
    Silence,
    /// It did not come to a hello.
    NotAsked,
}

impl Answered<'_> {
    /// Whether it says no, in whatever way.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Alert(_) | Self::Text | Self::Ended(_) | Self::Silence)
    }
}

/// One question with its answer.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Its connection.
    pub conn: ConnId,
    /// What it was about, one of [`topics`], and in detail.
    pub changed: &'a [String],
    /// What was offered; `None` where it did not come to that, or the format is that of SSL 2.
    pub hello: Option<&'a ClientHello>,
    /// What came.
    pub answer: Answered<'a>,
    /// All events of its connection.
    pub events: Vec<&'a Event>,
}

impl<'a> Question<'a> {
    /// Its topic.
    pub fn topic(&self) -> &'a str {
        self.changed.first().map_or("", String::as_str)
    }

    /// The event that shows the answer, or else its last.
    pub fn shows(&self) -> Option<&'a Event> {
        self.events.iter().copied().find(|e| answer_of(e).is_some()).or(self.events.last().copied())
    }

    /// The key exchange of the server, up to TLS 1.2.
    pub fn exchange(&self) -> Option<KeyExchange> {
        let Answered::Chose(hello) = self.answer else { return None };
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Handshake(Message::ServerKeyExchange { params }) => {
                KeyExchange::read(params, hello.suite, hello.negotiated())
            }
            _ => None,
        })
    }

    /// The end entity's certificate: shown in clear, or to our own engine.
    pub fn certificate(&self) -> Option<&'a [u8]> {
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Handshake(Message::Certificate { chain }) if e.from() == Some(Side::Server) => {
                chain.first().map(Vec::as_slice)
            }
            Kind::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain } } => {
                chain.first().map(|der| der.0.as_slice())
            }
            _ => None,
        })
    }

    /// Whether a client would have been let in.
    pub fn is_taken(&self) -> bool {
        matches!(self.answer, Answered::Chose(_) | Answered::Ssl2)
    }

    /// Whether the server spoke inside TLS before it was spoken to.
    pub fn spoke_unasked_inside(&self) -> Option<&'a Event> {
        let inside = |e: &&&Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
        let first = self.events.iter().find(inside)?;
        (first.from() == Some(Side::Server)).then_some(*first)
    }

    /// Whether the session was resumed, once it stood.
    pub fn resumed(&self) -> Option<bool> {
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Decrypted { seen: Decrypted::Established { resumed, .. }, .. } => Some(*resumed),
            _ => None,
        })
    }
}

/// All questions of the audit, in the order in which they were asked. Empty without an audit.
pub fn questions<'a>(t: &'a Transcript, timeline: &'a Timeline) -> Vec<Question<'a>> {
    let mut out: BTreeMap<ConnId, Question<'a>> = BTreeMap::new();
    for (n, conn) in t.conns.iter().enumerate() {
        let (Why::Question { changed }, Ok(n)) = (&conn.why, u16::try_from(n)) else { continue };
        if topics::is_audit(changed) {
            let conn = ConnId(n);
            let (hello, answer, events) = (None, Answered::NotAsked, Vec::new());
            out.insert(conn, Question { conn, changed, hello, answer, events });
        }
    }
    if out.is_empty() {
        return Vec::new();
    }
    for e in &timeline.events {
        if let Some(question) = out.get_mut(&e.conn) {
            question.events.push(e);
        }
    }
    let mut out: Vec<Question<'a>> = out.into_values().collect();
    for question in &mut out {
        question.hello = question.events.iter().find_map(|e| client_hello(e));
        let asked = question.events.iter().position(|e| matches!(e.kind, Kind::TlsStarts { .. }));
        let behind = asked.map(|n| question.events.iter().skip(n));
        question.answer = behind.and_then(|mut events| events.find_map(|e| answer_of(e))).unwrap_or(question.answer);
    }
    out
}

/// What an event says in answer to a hello.
fn answer_of(e: &Event) -> Option<Answered<'_>> {
    let server = e.from() == Some(Side::Server);
    match &e.kind {
        Kind::Handshake(Message::ServerHello(h) | Message::HelloRetryRequest(h)) => Some(Answered::Chose(h)),
        Kind::Handshake(Message::Ssl2ServerHello(_)) => Some(Answered::Ssl2),
        Kind::Alert { level: 2, description } if server => Some(Answered::Alert(*description)),
        Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { .. } | Kind::Malformed { .. } if server => {
            Some(Answered::Text)
        }
        Kind::Closed { by: Side::Server, how } => Some(Answered::Ended(*how)),
        Kind::TimedOut { .. } => Some(Answered::Silence),
        _ => None,
    }
}

/// The sets that an audit measured; `None` without one.
pub fn accepts(questions: &[Question<'_>]) -> Option<Accepts> {
    if questions.is_empty() {
        return None;
    }
    let mut versions: Vec<OfVersion> = Vec::new();
    for version in [TLS13, 0x0303, 0x0302, 0x0301, 0x0300] {
        let of = |topic: &str| -> Vec<&Question<'_>> {
            let is = |q: &&Question<'_>| q.topic() == topic && q.hello.is_some_and(|h| h.versions() == [version]);
            questions.iter().filter(is).collect()
        };
        let suites = of(topics::SUITES);
        if suites.is_empty() {
            continue;
        }
        let chose = |h: &ServerHello| (h.negotiated() == version).then_some(h.suite);
        let offered = |h: &ClientHello| h.real_suites();
        let suites = set(&suites, offered, |q| chosen(q, chose));
        let takes = if suites.taken.is_empty() { Takes::Unknown } else { Takes::Yes };
        let group = |q: &Question<'_>| chosen(q, |h| h.group()).or_else(|| q.exchange().and_then(|x| x.group));
        let scheme = |q: &Question<'_>| match q.answer {
            Answered::Chose(_) if version == TLS13 => q.hello?.signature_schemes().first().copied(),
            _ => q.exchange().and_then(|x| x.scheme),
        };
        let groups = set(&of(topics::GROUPS), |h| h.groups(), group);
        let schemes = set(&of(topics::SCHEMES), |h| h.signature_schemes(), scheme);
        versions.push(OfVersion { version, takes, suites, groups, schemes });
    }
    let ssl2 = questions.iter().find(|q| q.topic() == topics::SSL2).map(|q| q.answer);
    if let Some(answer) = ssl2 {
        let takes = if answer == Answered::Ssl2 { Takes::Yes } else { Takes::Unknown };
        versions.push(OfVersion { version: SSL2, takes, ..OfVersion::default() });
    }
    // Only where something is taken, a refusal is one of what was offered.
    if versions.iter().any(|v| v.takes == Takes::Yes) {
        let refused = |v: &OfVersion| v.suites.complete || v.version == SSL2 && ssl2.is_some_and(Answered::is_refusal);
        for v in versions.iter_mut().filter(|v| v.takes == Takes::Unknown && refused(v)) {
            v.takes = Takes::No;
        }
    }
    Some(Accepts { versions, ssl2_format: ssl2_format(questions) })
}

/// Whether hellos of TLS are taken in the format of SSL 2. It has no extensions, and a refusal may be for want of these.
fn ssl2_format(questions: &[Question<'_>]) -> Takes {
    let answer = |topic: &str| {
        let asked = questions.iter().filter(|q| q.topic() == topic).map(|q| q.answer);
        asked.into_iter().find(|a| *a != Answered::NotAsked)
    };
    match (answer(topics::SSL2_FORMAT), answer(topics::NO_EXTENSIONS)) {
        (Some(Answered::Chose(_)), _) => Takes::Yes,
        (Some(refusal), Some(Answered::Chose(_))) if refusal.is_refusal() => Takes::No,
        _ => Takes::Unknown,
    }
}

fn chosen(q: &Question<'_>, of: impl Fn(&ServerHello) -> Option<u16>) -> Option<u16> {
    match q.answer {
        Answered::Chose(hello) => of(hello),
        _ => None,
    }
}

/// What is taken of a list, by the questions about it.
fn set(
    questions: &[&Question<'_>],
    offered: impl Fn(&ClientHello) -> Vec<u16>,
    chose: impl Fn(&Question<'_>) -> Option<u16>,
) -> Set {
    let mut out = Set::default();
    let mut all: BTreeSet<u16> = BTreeSet::new();
    let mut asked: Vec<(Vec<u16>, Option<u16>)> = Vec::new();
    for q in questions {
        let Some(list) = q.hello.map(&offered) else { continue };
        all.extend(&list);
        let choice = chose(q).filter(|n| list.contains(n));
        match choice {
            Some(n) if !out.taken.contains(&n) => out.taken.push(n),
            None if q.answer.is_refusal() || q.is_taken() => out.refused.extend(&list),
            _ => {}
        }
        asked.push((list, choice));
    }
    out.refused.retain(|n| !out.taken.contains(n));
    out.complete = !all.is_empty() && all.iter().all(|n| out.takes(*n) != Takes::Unknown);
    out.order = order(&asked, &out.taken).filter(|_| out.taken.len() > 1);
    if let (Some((first, _)), false) = (asked.first(), out.order == Some(Order::Server)) {
        let place = |n: &u16| first.iter().position(|m| m == n).unwrap_or(usize::MAX);
        out.taken.sort_by_key(place);
    }
    out
}

/// The same list from the front and from behind: the same choice is the server's. Another one is the client's where each is the first of
/// those that are taken.
fn order(asked: &[(Vec<u16>, Option<u16>)], taken: &[u16]) -> Option<Order> {
    let (first, choice) = asked.first()?;
    let backwards: Vec<u16> = first.iter().rev().copied().collect();
    let (_, other) = asked.iter().skip(1).find(|(list, _)| *list == backwards && list.len() > 1)?;
    if (*choice)? == (*other)? {
        return Some(Order::Server);
    }
    let is_first = |(list, choice): &(Vec<u16>, Option<u16>)| {
        choice.is_none() || list.iter().find(|n| taken.contains(n)).copied() == *choice
    };
    Some(if asked.iter().all(is_first) { Order::Client } else { Order::Mixed })
}
