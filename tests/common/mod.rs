//! What pages, fixtures and mutations share: expectations, and the way from bytes to reports.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use ftpsdiag::report::{About, Report, diagnose, verdict_alone};
use ftpsdiag::rules::{Cause, Finding};
use ftpsdiag::transcript::Transcript;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn report(t: &Transcript) -> Report {
    judged(t, &About::default())
}

/// A report; and whoever asks for the verdict alone is told the same.
pub fn judged(t: &Transcript, about: &About) -> Report {
    let report = diagnose(t.clone(), about);
    assert_eq!(verdict_alone(t, about), report.verdict, "alone, and of a whole report");
    report
}

/// All reports of a case.
pub fn reports(inputs: &[(&str, &[u8])]) -> Vec<Report> {
    ftpsdiag::read(inputs).sessions.iter().map(report).collect()
}

/// The one report of a case.
pub fn only_report(name: &str, bytes: &[u8]) -> Report {
    let mut all = reports(&[(name, bytes)]);
    assert_eq!(all.len(), 1, "{name}: one session");
    all.remove(0)
}

/// Files below a folder, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

/// The name of a path below the project.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/")
}

/// Holds a report against expectations, a line each:
///
/// ```text
/// fails plaintext-instead-of-tls certain server <- client-tls-version-refused likely, server-tls-not-initialised possible
/// inconclusive
/// never fatal-alert          nowhere among findings and consequences
/// also closed-during-handshake
/// because clock-wrong        among the causes of any finding
/// never because clock-wrong
/// client java likely         its product, or - for none
/// says some words            in the reasons of a finding or of what is open
/// ```
/// The causes named must be the first ones, in this order.
pub fn expect(report: &Report, expectations: &str) -> Result<(), String> {
    for line in expectations.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let found: Vec<&Finding> = report.findings.iter().chain(&report.consequences).collect();
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_there = |id: &str| found.iter().any(|f| f.id == id);
        let is_cause = |id: &str| found.iter().any(|f| f.causes.iter().any(|c| c.id == id));
        let ok = match words[..] {
            ["never", id] => !is_there(id),
            ["also", id] => is_there(id),
            ["because", id] => is_cause(id),
            ["never", "because", id] => !is_cause(id),
            ["client", ..] => client(report) == line,
            ["says", ..] => {
                let open = report.checks.iter().filter_map(|c| c.why.as_ref());
                let said: Vec<&String> = found.iter().flat_map(|f| &f.why).chain(open).collect();
                said.iter().any(|w| w.contains(line.trim_start_matches("says ")))
            }
            _ => verdict(report).starts_with(line),
        };
        if !ok {
            let ids: Vec<&str> = found.iter().map(|f| f.id.as_str()).collect();
            let got = format!("`{}`, `{}`", verdict(report), client(report));
            return Err(format!("expected `{line}`\n     got {got}; findings {ids:?}"));
        }
    }
    Ok(())
}

/// The client in the notation of expectations.
pub fn client(report: &Report) -> String {
    let client = report.client.as_ref();
    let product = client.and_then(|c| c.product.as_deref()).unwrap_or("-");
    let sure = client.and_then(|c| c.confidence).map_or_else(String::new, |c| format!(" {}", c.name()));
    format!("client {product}{sure}")
}

/// The verdict in the notation of expectations.
pub fn verdict(report: &Report) -> String {
    let v = &report.verdict;
    let mut out = v.outcome.name().to_owned();
    let Some(by) = &v.by else { return out };
    out += &format!(" {by} {} {}", v.confidence.name(), v.party.name());
    let causes: &[Cause] = report.findings.first().map(|f| f.causes.as_slice()).unwrap_or_default();
    let causes: Vec<String> = causes.iter().map(|c| format!("{} {}", c.id, c.confidence.name())).collect();
    if !causes.is_empty() {
        out += &format!(" <- {}", causes.join(", "));
    }
    out
}

pub const SEED: &str = "fixtures/mail/ibm-main-msg108526.txt";

/// The mail of 2021-02-26 as it stands.
pub fn seed() -> String {
    fs::read_to_string(root().join(SEED)).unwrap()
}

/// A fixture of text.
pub fn fixture(name: &str) -> String {
    fs::read_to_string(root().join("fixtures").join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Lines as a mail program breaks them, between words.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split_inclusive(' ') {
            if column > 0 && column + word.trim_end().len() > width {
                out.push('\n');
                column = 0;
            }
            column += word.len();
            out.push_str(word);
        }
        out.push('\n');
    }
    out
}
