//! What ftpsdiag and tshark read of the same packets, field by field: real clients at real servers, captured here
//! (root on Debian 12, which installs what is missing).

#[allow(dead_code, unused_imports, reason = "tests/servers.rs uses the rest")]
#[path = "servers/mod.rs"]
mod servers;

#[path = "tshark/json.rs"]
mod json;
#[path = "tshark/lines.rs"]
mod lines;
#[path = "tshark/ours.rs"]
mod ours;
#[path = "tshark/record.rs"]
mod record;
#[path = "tshark/table.rs"]
mod table;
#[path = "tshark/theirs.rs"]
mod theirs;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use lines::Streams;
use record::{INSIDE, Tools};
use table::ROWS;

#[test]
fn the_same_as_tshark() {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return record::record(Path::new(&folder));
    }
    let captured = record::capture("the_same_as_tshark");
    if let Some(copy) = std::env::var_os("FTPSDIAG_KEEP_CAPTURE") {
        std::fs::copy(&captured.file, copy).unwrap();
    }
    let implicit: Vec<u16> = captured.ports.iter().zip(ROWS).filter(|(_, r)| r.implicit).map(|(p, _)| *p).collect();
    let sessions = ours::sessions(&captured.file, &implicit);
    let (ours, theirs) = (ours::read(&sessions), theirs::read(&Tools::get(), &captured));
    let mut wrong = String::new();
    for (row, port) in ROWS.iter().zip(&captured.ports) {
        let said = all_lines(&ours, *port, &sessions);
        for part in row.holds.iter().filter(|p| !said.iter().any(|l| l.contains(**p))) {
            writeln!(wrong, "{} ({port}): {part:?} is not in it:\n{}", row.name, shortened(&said)).unwrap();
        }
    }
    let known = std::fs::read_to_string(record::support("differences.txt")).unwrap();
    let known: Vec<&str> = known.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let keys: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    for key in keys {
        let of = |all: &Streams, port| all.get(key).and_then(|e| e.get(&port)).cloned().unwrap_or_default();
        for port in [key.0, key.1] {
            let (lines, mine) = (of(&theirs, port), of(&ours, port));
            let name = captured.ports.iter().zip(ROWS).find(|(p, _)| **p == key.0 || **p == key.1).map(|(_, r)| r.name);
            for difference in compared(&lines, &mine) {
                let line = format!("{} {key:?} from {port}: {difference}", name.unwrap_or("data"));
                if !known.iter().any(|k| is_known(&line, k)) {
                    writeln!(wrong, "{line}").unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether the parts of a known difference stand in a line, in their order.
fn is_known(line: &str, known: &str) -> bool {
    let mut rest = Some(line);
    known.split('*').all(|part| {
        rest = rest.and_then(|r| r.split_once(part)).map(|(_, behind)| behind);
        rest.is_some()
    })
}

/// Of a row: what was said on its control connections and their data connections, with C or S in front.
fn all_lines(ours: &Streams, port: u16, sessions: &[ftpsdiag::transcript::Transcript]) -> Vec<String> {
    let mut out = Vec::new();
    for t in sessions.iter().filter(|t| t.conns.first().and_then(|c| c.peer).is_some_and(|p| p.port() == port)) {
        for conn in &t.conns {
            let (Some(local), Some(peer)) = (conn.local, conn.peer) else { continue };
            let (a, b) = (local.port(), peer.port());
            for (end, lines) in ours.get(&(a.min(b), a.max(b))).into_iter().flatten() {
                let who = if *end == a { 'C' } else { 'S' };
                out.extend(lines.iter().map(|l| format!("{who} {l}")));
            }
        }
    }
    out
}

fn shortened(lines: &[String]) -> String {
    lines.iter().map(|l| format!("    {}\n", l.chars().take(150).collect::<String>())).collect()
}

/// Where two readings differ: what stands between lines that both have.
fn compared(theirs: &[String], ours: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let (mut t, mut o) = (0, 0);
    for (next_t, next_o) in common(theirs, ours).into_iter().chain([(theirs.len(), ours.len())]) {
        for n in 0..(next_t - t).max(next_o - o) {
            let line = |all: &[String], from: usize, to: usize| all[from..to].get(n).cloned().unwrap_or("-".to_owned());
            out.push(difference(&line(theirs, t, next_t), &line(ours, o, next_o)));
        }
        (t, o) = (next_t + 1, next_o + 1);
    }
    out
}

/// The longest row of lines that both have, as places in both.
fn common(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] =
                if a[i] == b[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            out.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

/// Two lines without the words that are equal.
fn difference(theirs: &str, ours: &str) -> String {
    let (t, o): (Vec<&str>, Vec<&str>) = (theirs.split(' ').collect(), ours.split(' ').collect());
    let only = |a: &[&str], b: &[&str]| {
        let words = a.iter().enumerate().filter(|(n, w)| *n == 0 || !b.contains(w));
        words.map(|(_, w)| w.chars().take(90).collect::<String>()).collect::<Vec<_>>().join(" ")
    };
    match (only(&t, &o), only(&o, &t)) {
        (t, o) if t.trim() == o.trim() => format!("tshark: {theirs:?} | ftpsdiag: {ours:?}"),
        (t, o) => format!("tshark: {t} | ftpsdiag: {o}"),
    }
}
