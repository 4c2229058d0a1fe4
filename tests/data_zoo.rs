//! Every server with a habit of its data connections against the prober's examination of a login.
#![cfg(feature = "live")]

mod common;

#[path = "zoo/data_room.rs"]
mod data_room;
#[path = "zoo/data_sockets.rs"]
mod data_sockets;
#[path = "zoo/room.rs"]
#[allow(dead_code, reason = "names and patience are shared")]
mod room;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use data_room::{Manner, Visit};
use ftpsdiag::probe::behave::ftpd::{Pasv, zoo};
use ftpsdiag::report::Report;
use ftpsdiag::rules::Severity;
use ftpsdiag::transcript::Transcript;
use ftpsdiag::transcript::redact::{Level, redact};

/// Visits whose right answer the tool does not give yet: what it says, and why that is wrong.
const KNOWN_WRONG: &[(&str, &str, &str)] = &[];

/// A line of the table: a server, what is tried, and the right answer.
fn table() -> Vec<(Visit, &'static str)> {
    let lines = include_str!("zoo/data_expected.txt").lines().filter(|l| !l.starts_with('#'));
    lines.map(|l| l.split_once(": ").unwrap()).map(|(who, told)| (Visit::parse(who), told)).collect()
}

/// The ids that a right answer names.
fn ids(told: &str) -> impl Iterator<Item = &str> {
    let words = told.split([' ', ';']).filter(|w| !w.is_empty());
    words.filter(|w| !["works", "fails", "inconclusive", "also", "<-"].contains(w))
}

#[test]
fn every_server_is_in_the_table() {
    let names: BTreeSet<&str> = zoo().map(|m| m.name).collect();
    assert_eq!(names.len(), zoo().count(), "names are unique");
    let visited: BTreeSet<&str> = table().iter().map(|(v, _)| v.member.name).collect();
    assert_eq!(names, visited);
    let known: BTreeSet<&str> = include_str!("pages/contract.txt").lines().collect();
    for (who, told) in table() {
        assert!(ids(told).all(|id| known.contains(id)), "{who}: {told}");
    }
}

/// Each visit ends by itself, however the server's words are cut, and wherever it falls silent.
#[test]
fn every_visit_ends() {
    for (who, _) in table() {
        for deeds in (0..).step_by(if thorough() { 3 } else { 23 }) {
            if !data_room::visit(&who, Manner { deeds, ..Manner::default() }).1 {
                break;
            }
        }
    }
}

/// Outcome, finding and first cause.
fn told(r: &Report) -> String {
    let v = &r.verdict;
    let by = v.by.as_ref().map_or_else(String::new, |by| format!(" {by}"));
    let cause = v.cause.as_ref().map_or_else(String::new, |c| format!(" <- {c}"));
    format!("{}{by}{cause}", v.outcome.name())
}

/// Everything that was found, each with its first cause.
fn found(r: &Report) -> Vec<String> {
    let all = r.findings.iter().chain(&r.consequences);
    let with_cause = |(id, cause): (&String, Option<String>)| id.clone() + &cause.unwrap_or_default();
    all.map(|f| (&f.id, f.causes.first().map(|c| format!(" <- {}", c.id)))).map(with_cause).collect()
}

/// Whether an answer is as the table says; a cause that the table does not name may be any.
fn is_right(r: &Report, right: &str) -> bool {
    let as_said =
        |got: &str, right: &str| got == right || !right.contains("<-") && got.starts_with(&format!("{right} <-"));
    let mut parts = right.split("; also ");
    let main = parts.next().unwrap_or_default();
    let is_main = if main == "works" { r.verdict.outcome.name() == "works" } else { as_said(&told(r), main) };
    is_main && parts.all(|also| found(r).iter().any(|f| as_said(f, also)))
}

/// Does something with every visit, on several threads; what is wrong is said of all together.
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

/// Whether to look everywhere: `EVERY_BYTE=1` takes minutes.
fn thorough() -> bool {
    std::env::var_os("EVERY_BYTE").is_some()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

fn in_room(who: &Visit) -> Report {
    let t = data_room::visit(who, Manner::default()).0;
    let report = common::report(&t);
    let shown = ftpsdiag::transcript::dialogue::write(&t) + &serde_json::to_string(&report).unwrap();
    assert!(!shown.contains(data_room::PASSWORD), "{who}: the password is shown");
    report
}

/// With everything that can be tried, the numbers that the documents promise.
#[test]
fn a_healthy_server_costs_no_more_than_promised() {
    for version in ["tls12", "tls13"] {
        let who = Visit::parse(&format!("healthy-{version} active ccc empty upload"));
        let r = in_room(&who);
        let data = r.connections.iter().filter(|c| c.role == "data").count();
        let logins = r.connections.len() - data;
        assert!(data <= 16 && logins == 4, "{data} data connections, {logins} logins");
        assert_eq!(r.elapsed_ms, Some(0), "nobody waits for anything but the other end");
    }
}

/// A server that says nothing more, whatever it was asked last, costs one patience and a little: last words, and a login that deletes
/// what was left behind.
#[test]
fn a_stall_costs_one_patience_and_what_was_seen_is_reported() {
    let who = Visit::parse("healthy-tls13 active ccc empty upload");
    let most = data_room::patience_ms() * 3 / 2;
    for deeds in (0..).step_by(if thorough() { 1 } else { 11 }) {
        let (t, silenced) = data_room::visit(&who, Manner { deeds, ..Manner::default() });
        let r = common::report(&t);
        assert!(r.elapsed_ms <= Some(most), "silent behind {deeds} deeds: {:?} ms", r.elapsed_ms);
        if !silenced {
            break;
        }
    }
}

/// In active mode whoever connects first is let in, and named where it is not the server.
#[test]
fn whoever_connects_from_elsewhere_is_named() {
    let mut t = data_room::visit(&Visit::parse("healthy-tls13 active"), Manner::default()).0;
    let why = |t: &Transcript| common::report(t).checks.into_iter().find(|c| c.id == "active").unwrap().why;
    assert_eq!(why(&t), None);
    let from_server = Some((data_room::SERVER, data_room::PORT - 1).into());
    for conn in t.conns.iter_mut().filter(|c| c.peer == from_server) {
        conn.peer = Some(([203, 0, 113, 4], 20).into());
    }
    assert!(why(&t).is_some_and(|why| why.starts_with("from 203.0.113.4, which is not")));
}

/// PASV has no room for an address of IPv6; everything else is as with IPv4.
#[test]
fn over_ipv6_the_same() {
    for version in ["tls12", "tls13"] {
        let who = Visit::parse(&format!("healthy-{version} active ccc empty upload"));
        let (t, _) = data_room::visit(&who, Manner { v6: true, ..Manner::default() });
        let r = common::report(&t);
        assert_eq!((told(&r).as_str(), found(&r)), ("works", vec!["certificate-self-signed".to_owned()]));
        let result = |id: &str| r.checks.iter().find(|c| c.id == id).map(|c| format!("{:?}", c.result));
        assert_eq!(
            ["epsv", "active", "upload", "ccc"].map(result),
            [const { Some("Passed") }; 4].map(|p| p.map(str::to_owned))
        );
        assert!(result("pasv").is_none_or(|r| r == "Untested"), "{:?}", result("pasv"));
        assert!(ftpsdiag::transcript::dialogue::write(&t).contains("EPRT |2|2001:db8:1::9|"));
    }
}

/// A line that takes minutes for a megabyte is slow; nobody is silent.
#[test]
fn a_slow_line_is_no_silence() {
    for version in ["tls12", "tls13"] {
        let who = Visit::parse(&format!("healthy-{version} upload"));
        let (t, _) = data_room::visit(&who, Manner { rate: 20_000, ..Manner::default() });
        let r = common::report(&t);
        assert!(r.elapsed_ms > Some(20 * data_room::patience_ms()), "{:?} ms", r.elapsed_ms);
        assert_eq!((told(&r).as_str(), found(&r)), ("works", vec!["certificate-self-signed".to_owned()]));
    }
}

#[test]
fn every_server_is_known_for_what_it_is() {
    let known: BTreeMap<&str, &str> = KNOWN_WRONG.iter().map(|(who, says, _)| (*who, *says)).collect();
    with_all(processors(), |who, right| {
        let r = in_room(who);
        let (told, is_right) = (told(&r), is_right(&r, right));
        match known.get(who.to_string().as_str()) {
            Some(_) if is_right => vec![format!("{who} is right now: take it off the list")],
            Some(says) if told != *says => vec![format!("{who}: {told}, known wrong as {says}")],
            None if !is_right => vec![format!("{who}: {told}; found {:?}\n    right: {right}", found(&r))],
            _ => Vec::new(),
        }
    });
}

#[test]
fn pieces_do_not_show() {
    with_all(processors(), |who, _| {
        let whole = told(&in_room(who));
        // A megabyte goes up and down again in an upload.
        let sizes: &[usize] = match (thorough(), who.uploads()) {
            (true, _) => &[1, 7, 1_000],
            (false, true) => &[1_000],
            (false, false) => &[7],
        };
        let other = sizes.iter().map(|pieces| {
            let (t, _) = data_room::visit(who, Manner { pieces: *pieces, ..Manner::default() });
            (pieces, told(&common::report(&t)))
        });
        let other = other.filter(|(_, t)| *t != whole);
        other.map(|(n, t)| format!("{who} in pieces of {n}: {t}, whole {whole}")).collect()
    });
}

/// Names are taken out, and what happened stays: also where bytes were not kept.
#[test]
fn redaction_changes_no_verdict() {
    with_all(processors(), |who, _| {
        let mut t = data_room::visit(who, Manner::default()).0;
        let whole = told(&common::report(&t));
        redact(&mut t, Level::All);
        let redacted = told(&common::report(&t));
        if redacted == whole { Vec::new() } else { vec![format!("{who}: {redacted}, before {whole}")] }
    });
}

/// The ids of what a report holds for certain failures.
fn certain(r: &Report) -> BTreeSet<String> {
    let all = r.findings.iter().chain(&r.consequences);
    let sure = all.filter(|f| f.severity == Severity::Failure && f.confidence.name() == "certain");
    sure.map(|f| f.id.clone()).collect()
}

/// Law 5: a visit that is cut claims nothing for certain that the whole does not. A long one is cut in some forty places.
#[test]
fn nothing_certain_is_taken_back() {
    with_all(processors(), |who, _| {
        let (whole, _) = data_room::visit(who, Manner::default());
        let held = certain(&common::report(&whole));
        let mut part = Transcript { entries: Vec::new(), ..whole.clone() };
        let mut wrong = BTreeMap::new();
        let step = (whole.entries.len() / if thorough() { 100 } else { 12 }).max(1);
        for (n, entry) in whole.entries.iter().enumerate() {
            if n % step == 0 {
                for id in certain(&common::report(&part)).difference(&held) {
                    wrong.entry(id.clone()).or_insert(n);
                }
            }
            part.entries.push(entry.clone());
        }
        let told = wrong.into_iter();
        told.map(|(id, n)| format!("{who}: {id} is certain at entry {n}, the whole holds {held:?}")).collect()
    });
}

/// The same visits behind sockets, but for ports that a firewall drops and addresses that are compared with the server's own:
/// there it has a private one itself.
#[test]
fn over_real_sockets_the_same() {
    with_all(24, |who, _| {
        if !data_sockets::can_be_had(who.member) || matches!(who.member.habits.pasv, Pasv::Address(_)) {
            return Vec::new();
        }
        let (expected, got) = (told(&in_room(who)), told(&common::report(&data_sockets::visit(who))));
        if got == expected { Vec::new() } else { vec![format!("{who}: {got}, in the room {expected}")] }
    });
}
