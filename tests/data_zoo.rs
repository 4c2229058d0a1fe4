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
        data_room::visit(&who, Manner { pieces: 5, ..Manner::default() });
        for deeds in (0..).step_by(7) {
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

fn processors() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

fn in_room(who: &Visit) -> Report {
    common::report(&data_room::visit(who, Manner::default()).0)
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
        let other = [1, 7, 1_000].map(|pieces| {
            let (t, _) = data_room::visit(who, Manner { pieces, ..Manner::default() });
            (pieces, told(&common::report(&t)))
        });
        let other = other.into_iter().filter(|(_, t)| *t != whole);
        other.map(|(n, t)| format!("{who} in pieces of {n}: {t}, whole {whole}")).collect()
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
        let step = (whole.entries.len() / 40).max(1);
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
