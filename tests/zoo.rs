//! Every member of the zoo against the prober: what it is said to be.
#![cfg(feature = "live")]

mod common;

#[path = "zoo/audits.rs"]
mod audits;
#[path = "zoo/room.rs"]
mod room;
#[path = "zoo/sockets.rs"]
mod sockets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ftpsdiag::decode::{Event, Kind, Timeline, decode};
use ftpsdiag::probe::behave::zoo;
use ftpsdiag::report::Report;
use ftpsdiag::rules::Severity;
use ftpsdiag::transcript::{Transcript, What, Why};
use ftpsdiag::wire::tls::record::{Front, HEADER_LEN, front};
use room::{AS_SAID, GLUED, Visit, visit, visit_silenced};

/// Visits whose right answer the tool does not give yet: what it says, and why that is wrong.
const KNOWN_WRONG: &[(&str, &str, &str)] = &[
    ("inner-flood-tls12", "inconclusive", "256 KiB without a reply to FEAT: our own driver had read enough"),
    ("inner-flood-tls13", "inconclusive", "256 KiB without a reply to FEAT: our own driver had read enough"),
];

/// A line of the table: a member, how it is visited, and the right answer.
fn table() -> Vec<(Visit, &'static str)> {
    let lines = include_str!("zoo/expected.txt").lines();
    lines.map(|l| l.split_once(": ").unwrap()).map(|(who, told)| (Visit::parse(who), told)).collect()
}

/// Outcome, finding, confidence, party and first cause.
fn told(r: &Report) -> String {
    let v = &r.verdict;
    let cause = v.cause.as_ref().map_or_else(String::new, |c| format!(" <- {c}"));
    let by = v.by.as_ref().map_or_else(String::new, |by| format!(" {by} {} {}", v.confidence.name(), v.party.name()));
    format!("{}{by}{cause}", v.outcome.name())
}

/// The ids of what a report holds for certain failures.
fn certain(r: &Report) -> BTreeSet<String> {
    let all = r.findings.iter().chain(&r.consequences);
    let sure = all.filter(|f| f.severity == Severity::Failure && f.confidence.name() == "certain");
    sure.map(|f| f.id.clone()).collect()
}

/// Does something with every visit, on every processor; what is wrong is said of all together.
fn with_all(threads: usize, check: impl Fn(&Visit, &str) -> Vec<String> + Sync) {
    let table = table();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((visit, told)) = table.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = check(visit, told);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn processors() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

#[test]
fn every_member_is_in_the_table() {
    let names: BTreeSet<&str> = zoo().map(|m| m.name).collect();
    assert_eq!(names.len(), zoo().count(), "names are unique");
    let visited: BTreeSet<&str> = table().iter().map(|(v, _)| v.member.name).collect();
    assert_eq!(names, visited);
    assert!(names.len() >= 90);
}

#[test]
fn every_member_is_known_for_what_it_is() {
    let known: BTreeMap<&str, &str> = KNOWN_WRONG.iter().map(|(who, says, _)| (*who, *says)).collect();
    with_all(processors(), |who, right| {
        let r = common::report(&visit(who, AS_SAID));
        let told = told(&r);
        let headline = &r.verdict.headline;
        assert!(headline.len() <= 72 && headline.is_ascii(), "{headline}");
        match known.get(who.to_string().as_str()) {
            Some(_) if told == right => vec![format!("{who} is right now: take it off the list")],
            Some(says) if told != *says => vec![format!("{who}: {told}, known wrong as {says}")],
            None if told != right => vec![format!("{who}: {told}\n    right: {right}")],
            _ => Vec::new(),
        }
    });
}

#[test]
fn pieces_do_not_show() {
    with_all(processors(), |who, _| {
        let whole = told(&common::report(&visit(who, AS_SAID)));
        let sizes: &[usize] = if who.is_flood() { &[1_000, 4_095, GLUED] } else { &[1, 2, 7, GLUED] };
        let other = sizes.iter().map(|n| (n, told(&common::report(&visit(who, *n))))).filter(|(_, t)| *t != whole);
        other.map(|(n, t)| format!("{who} in pieces of {n}: {t}, whole {whole}")).collect()
    });
}

/// Law 5: a visit that is cut anywhere, in the middle of bytes as well, claims nothing for certain that the whole does not.
#[test]
fn nothing_certain_is_taken_back() {
    with_all(processors(), |who, _| {
        let whole = visit(who, AS_SAID);
        let held = certain(&common::report(&whole));
        let mut wrong = BTreeMap::new();
        let mut before = Timeline::default();
        cuts(&whole, if who.is_flood() { 50_021 } else { 1 }, |n, part| {
            // Most bytes change nothing: a record that is not whole stays one.
            let timeline = decode(part);
            if !is_same(&before, &timeline) {
                for id in certain(&common::report(part)).difference(&held) {
                    wrong.entry(id.clone()).or_insert(n);
                }
            }
            before = timeline;
        });
        wrong
            .into_iter()
            .map(|(id, n)| format!("{who}: {id} is certain at entry {n}, the whole holds {held:?}"))
            .collect()
    });
}

/// A transcript up to each of its entries, and up to every `step`th byte within; each with the number of the entry. Deep within
/// a TLS record, and of what questions say, only some: with EVERY_BYTE=1 all, which takes minutes.
fn cuts(whole: &Transcript, step: usize, mut see: impl FnMut(usize, &Transcript)) {
    let every_byte = std::env::var_os("EVERY_BYTE").is_some();
    let mut part = Transcript { entries: Vec::new(), ..whole.clone() };
    for (n, entry) in whole.entries.iter().enumerate() {
        see(n, &part);
        part.entries.push(entry.clone());
        let What::Bytes { data: all, .. } = &entry.what else { continue };
        let asks = whole.conn(entry.conn).is_some_and(|c| c.why != Why::Session);
        for bytes in (1..all.len())
            .step_by(step)
            .filter(|at| every_byte || is_telling(all, *at) && (!asks || at.is_multiple_of(53)))
        {
            if let Some(What::Bytes { data, .. }) = part.entries.last_mut().map(|e| &mut e.what) {
                all[..bytes].clone_into(data);
            }
            see(n, &part);
        }
        part.entries[n] = entry.clone();
    }
}

/// Whether a byte is not deep within a TLS record: where one begins or ends, and each 29th.
fn is_telling(bytes: &[u8], at: usize) -> bool {
    let mut rest = bytes;
    let mut at = at;
    while let Front::Record(header) = front(rest) {
        let len = HEADER_LEN + usize::from(header.len);
        if at < len {
            return at < 12 || at + 2 > len || at.is_multiple_of(29);
        }
        at -= len;
        rest = rest.get(len..).unwrap_or_default();
    }
    true
}

/// Whether two timelines differ in nothing but how much is there of what is cut short.
fn is_same(a: &Timeline, b: &Timeline) -> bool {
    let same = |(a, b): (&Event, &Event)| match (&a.kind, &b.kind) {
        (Kind::CutShort { what: x, .. }, Kind::CutShort { what: y, .. }) => x == y && a.conn == b.conn,
        // The words of a reply count when they are whole.
        (Kind::Reply(x), Kind::Reply(y)) if !x.whole && !y.whole => x.code == y.code && a.conn == b.conn,
        _ => a == b,
    };
    a.events.len() == b.events.len() && a.events.iter().zip(&b.events).all(same)
}

/// What a session may be called whose endpoint falls silent in the middle of what it does; the last, when it has said no to AUTH
/// TLS and then nothing to AUTH SSL.
const SILENCES: [&str; 4] = ["control-connection-lost", "no-banner", "silence-during-handshake", "auth-refused"];

#[test]
fn an_endpoint_that_falls_silent_ends_the_run() {
    with_all(processors(), |who, _| {
        let whole = common::report(&visit(who, AS_SAID));
        let held = certain(&whole);
        let mut wrong = Vec::new();
        for deeds in (0..).step_by(if who.is_flood() { 37 } else { 1 }) {
            let (t, was_silenced) = visit_silenced(who, deeds);
            let r = common::report(&t);
            let new: Vec<String> =
                certain(&r).difference(&held).filter(|id| !SILENCES.contains(&id.as_str())).cloned().collect();
            if !new.is_empty() {
                wrong.push(format!("{who} silent behind {deeds}: {new:?}, the whole holds {held:?}"));
            }
            if !was_silenced {
                break;
            }
        }
        wrong
    });
}

/// The same visits behind sockets. An RST waits until the client has everything that came before it: what it overtakes may
/// be lost.
#[test]
fn over_real_sockets_the_same() {
    with_all(48, |who, _| {
        let expected = told(&common::report(&visit(who, AS_SAID)));
        let got = told(&common::report(&sockets::visit(who)));
        if got == expected { Vec::new() } else { vec![format!("{who}: {got}, in the room {expected}")] }
    });
}
