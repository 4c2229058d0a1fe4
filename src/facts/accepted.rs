//! What the answers to an audit's questions add up to: the sets that the endpoint accepts.

use std::collections::BTreeSet;

use super::accepts::{Accepts, OfVersion, Order, SSL2, Set, Takes};
use super::audited::{Answered, Question};
use crate::codes;
use crate::transcript::topics;
use crate::wire::tls::hello::{ClientHello, ServerHello};

/// TLS 1.3, which hides by what the server signs.
const TLS13: u16 = 0x0304;

/// The sets that an audit measured; `None` without one.
pub fn accepts(questions: &[Question<'_>]) -> Option<Accepts> {
    if questions.is_empty() {
        return None;
    }
    let versions = [TLS13, 0x0303, 0x0302, 0x0301, 0x0300].into_iter();
    let mut versions: Vec<OfVersion> = versions.filter_map(|version| of_version(questions, version)).collect();
    let ssl2 = questions.iter().find(|q| q.topic() == topics::SSL2).map(|q| q.answer);
    if let Some(answer) = ssl2 {
        let takes = if answer == Answered::Ssl2 { Takes::Yes } else { Takes::Unknown };
        versions.push(OfVersion { version: SSL2, takes, ..OfVersion::default() });
    }
    // Whatever was asked: a ServerHello of a version says that it is taken.
    for v in &mut versions {
        let chose = |q: &Question<'_>| matches!(q.answer, Answered::Chose(h) if h.negotiated() == v.version);
        if v.takes == Takes::Unknown && v.version != SSL2 && questions.iter().any(chose) {
            (v.takes, v.suites) = (Takes::Yes, Set::default());
        }
    }
    // Only where something is taken, a refusal is one of what was offered.
    if versions.iter().any(|v| v.takes == Takes::Yes) {
        let refused = |v: &OfVersion| v.suites.complete || v.version == SSL2 && ssl2.is_some_and(Answered::is_refusal);
        for v in versions.iter_mut().filter(|v| v.takes == Takes::Unknown && refused(v)) {
            v.takes = Takes::No;
        }
    }
    let prime_bits = questions.iter().filter_map(|q| q.exchange()?.prime_bits).max();
    Some(Accepts { versions, ssl2_format: ssl2_format(questions), prime_bits })
}

/// What is taken in a version; `None` where its suites were not asked.
fn of_version(questions: &[Question<'_>], version: u16) -> Option<OfVersion> {
    let of = |topic: &str| -> Vec<&Question<'_>> {
        let is = |q: &&Question<'_>| q.topic() == topic && q.hello.is_some_and(|h| h.versions() == [version]);
        questions.iter().filter(is).collect()
    };
    let suites = of(topics::SUITES);
    if suites.is_empty() {
        return None;
    }
    let suites =
        set(&suites, ClientHello::real_suites, |_, h| Some(h.suite).filter(|_| h.negotiated() == version).or(ANOTHER));
    let group = |q: &Question<'_>, h: &ServerHello| h.group().or_else(|| q.exchange()?.group);
    let scheme = |q: &Question<'_>, h: &ServerHello| match version {
        TLS13 if h.is_retry() => None,
        TLS13 => q.hello?.signature_schemes().first().copied(),
        _ => q.exchange()?.scheme,
    };
    let groups = set(&of(topics::GROUPS), ClientHello::groups, group);
    let mut schemes = set(&of(topics::SCHEMES), ClientHello::signature_schemes, scheme);
    if version == TLS13 {
        // Each is asked alone: what was not asked yet is in no list.
        schemes.complete &= codes::SCHEMES_OF_TLS13.iter().all(|n| schemes.takes(*n) != Takes::Unknown);
    }
    let takes = if suites.taken.is_empty() { Takes::Unknown } else { Takes::Yes };
    Some(OfVersion { version, takes, suites, groups, schemes })
}

/// A choice that is in no list, whatever the list: 0 is reserved, or never offered, in all of them.
const ANOTHER: Option<u16> = Some(0);

/// What one question about a list came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It chose this.
    Chose(u16),
    /// It refused all, or chose what was not in the list.
    Refused,
    /// It ended without saying why: perhaps the list was too long, perhaps it had other reasons.
    Ended,
    /// No answer, or none that shows the choice.
    Nothing,
}

impl Came {
    fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::Ended)
    }
}

/// What is taken of a list, by the questions about it. `chose` reads the choice from a ServerHello and what follows it.
fn set<'a>(
    questions: &[&Question<'a>],
    offered: impl Fn(&ClientHello) -> Vec<u16>,
    chose: impl Fn(&Question<'a>, &ServerHello) -> Option<u16>,
) -> Set {
    let came = |q: &Question<'a>, list: &[u16]| match q.answer {
        Answered::Chose(hello) => match chose(q, hello) {
            Some(n) if list.contains(&n) => Came::Chose(n),
            Some(_) => Came::Refused,
            None => Came::Nothing,
        },
        Answered::Alert(n) if !codes::alert_refuses(n) => Came::Ended,
        Answered::Ssl2 | Answered::Alert(_) | Answered::Text => Came::Refused,
        Answered::Ended(_) | Answered::Silence => Came::Ended,
        Answered::NotAsked => Came::Nothing,
    };
    let asked = questions.iter().filter_map(|q| Some((*q, offered(q.hello?))));
    let asked: Vec<(Vec<u16>, Came)> = asked.map(|(q, list)| (came(q, &list), list)).map(|(c, l)| (l, c)).collect();
    let mut out = Set::default();
    for (n, (list, came)) in asked.iter().enumerate() {
        match came {
            Came::Chose(n) if !out.taken.contains(n) => out.taken.push(*n),
            Came::Refused => out.refused.extend(list),
            Came::Ended if is_confirmed(&asked, n) => out.refused.extend(list),
            _ => {}
        }
    }
    out.refused.retain(|n| !out.taken.contains(n));
    let all: BTreeSet<u16> = asked.iter().flat_map(|(list, _)| list.iter().copied()).collect();
    out.complete = !all.is_empty() && all.iter().all(|n| out.takes(*n) != Takes::Unknown);
    out.order = order(&asked, &out.taken).filter(|_| out.taken.len() > 1);
    if let (Some((first, _)), false) = (asked.first(), out.order == Some(Order::Server)) {
        let place = |n: &u16| first.iter().position(|m| m == n).unwrap_or(usize::MAX);
        out.taken.sort_by_key(place);
    }
    out
}

/// Whether an end without a word says no: once the same list, or a part of it, was asked again and refused, and none was taken.
fn is_confirmed(asked: &[(Vec<u16>, Came)], at: usize) -> bool {
    let Some((whole, _)) = asked.get(at) else { return false };
    let whole: BTreeSet<u16> = whole.iter().copied().collect();
    let parts = asked.iter().enumerate().filter(|(n, (list, _))| *n != at && list.iter().all(|m| whole.contains(m)));
    let mut parts = parts.map(|(_, (_, came))| *came).peekable();
    parts.peek().is_some() && parts.all(Came::is_refusal)
}

/// The same list from the front and from behind: the same choice is the server's. Another one is the client's where each is the first of
/// those that are taken.
fn order(asked: &[(Vec<u16>, Came)], taken: &[u16]) -> Option<Order> {
    let (first, Came::Chose(choice)) = asked.first()? else { return None };
    let backwards: Vec<u16> = first.iter().rev().copied().collect();
    let (_, other) = asked.iter().skip(1).find(|(list, _)| *list == backwards && list.len() > 1)?;
    let Came::Chose(other) = other else { return None };
    if choice == other {
        return Some(Order::Server);
    }
    let is_first = |(list, came): &(Vec<u16>, Came)| match came {
        Came::Chose(choice) => list.iter().find(|n| taken.contains(n)) == Some(choice),
        _ => true,
    };
    Some(if asked.iter().all(is_first) { Order::Client } else { Order::Mixed })
}

/// Whether hellos of TLS are taken in the format of SSL 2. It has no extensions, and a refusal may be for want of these.
fn ssl2_format(questions: &[Question<'_>]) -> Takes {
    let answer = |topic: &str| {
        let mut asked = questions.iter().filter(|q| q.topic() == topic).map(|q| q.answer);
        asked.find(|a| *a != Answered::NotAsked)
    };
    match (answer(topics::SSL2_FORMAT), answer(topics::NO_EXTENSIONS)) {
        (Some(Answered::Chose(_)), _) => Takes::Yes,
        (Some(refusal), Some(Answered::Chose(_))) if refusal.is_refusal() => Takes::No,
        _ => Takes::Unknown,
    }
}
