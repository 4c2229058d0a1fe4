//! One screen: at most 25 lines of 80 columns, labels at the line's start, absent when empty, always in the same order.
//! People paste it into tickets unchanged, so it is plain ASCII and says in its last lines what it does not know.

use colored::{Color, Colorize};

use super::block::{Block, List, Turn, WIDTH, shorten};
use super::foot::{more, open};
use super::lines::{evidence, short_event};
use super::missing::missing;
use super::{Style, audit, bytes, ladder, live, wrap};
use crate::report::{Outcome, Report, SubjectKind};
use crate::rules::{Advice, AdviceKind, CheckResult, Confidence, Finding, Party, Severity};
use crate::transcript::{Entry, Fidelity, Layer, What};

/// Columns for labels.
const LABEL: usize = 8;

/// The screen.
pub(super) fn render(report: &Report, style: Style) -> String {
    let cost = Block::whole("COST", live::cost(report).map(|l| wrap(&l, WIDTH)).unwrap_or_default());
    let mut blocks = vec![headline(report), act(report)];
    if style.quiet {
        blocks.truncate(1);
        return print(report, &blocks, style);
    }
    blocks.extend([why(report), causes(report)]);
    blocks.extend(advice(report, style.verbose));
    blocks.extend([prove(report), next(report), notes(report), passed(report), open(report), cost]);
    let cut = if style.verbose { 0 } else { shorten(&mut blocks) };
    blocks.push(more(report, style, cut));
    let mut out = print(report, &blocks, style);
    out.push_str(&audit::render(report, style.verbose));
    if style.verbose {
        out.push_str(&ladder::render(report));
        out.push_str(&bytes::render(report));
    }
    out
}

/// The screen as a ticket holds it: without what only a person at the terminal can type.
pub(super) fn for_ticket(report: &Report) -> String {
    let screen = render(report, Style::default());
    screen.lines().take_while(|l| !l.starts_with("MORE    ")).map(|l| format!("{l}\n")).collect()
}

fn decisive(report: &Report) -> Option<&Finding> {
    report.findings.first().filter(|f| Some(&f.id) == report.verdict.by.as_ref())
}

fn headline(report: &Report) -> Block {
    let label = match report.verdict.outcome {
        Outcome::Fails => "FAILS",
        Outcome::Works => "WORKS",
        Outcome::Inconclusive => "CANNOT TELL",
    };
    let sure = match report.verdict.confidence {
        // A name without address, a refused connection, a silence: what was observed has no bytes to show.
        Confidence::Certain if decisive(report).is_some_and(is_observed) => "observed",
        Confidence::Certain => "proved by the bytes",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    };
    let how = match &report.verdict.by {
        Some(id) if report.verdict.outcome == Outcome::Inconclusive => {
            format!("{id} - {} so far; what came of it is not in the evidence", report.verdict.confidence.name())
        }
        Some(id) => format!("{id} - {sure}{}{}", for_whom(report), unnamed(report)),
        None if report.subject.kind == SubjectKind::Probe && report.verdict.outcome == Outcome::Works => tested(report),
        None if report.verdict.outcome == Outcome::Works && report.verdict.scope.iter().any(|s| s == "login") => {
            tested(report)
        }
        None if report.verdict.outcome == Outcome::Works => {
            let by = match report.verdict.confidence {
                Confidence::Certain => "",
                _ if holds_bytes(report) => "likely; ",
                _ => "likely, by a log alone; ",
            };
            // What came behind a CCC that nobody could read was read.
            let behind =
                if report.checks.iter().any(|c| c.id == "ccc") { "what came behind CCC" } else { "nothing behind it" };
            format!("{by}tested: the TLS handshake, {behind}")
        }
        None => format!("no finding{}", unnamed(report)),
    };
    let reference =
        report.reference.as_ref().map_or_else(String::new, |r| format!(" - {}", crate::wire::printable_str(r)));
    let mut lines = vec![report.verdict.headline.clone()];
    if label.len() > LABEL {
        // The one label that is longer than its column.
        lines = wrap(&report.verdict.headline, WIDTH - (label.len() + 1 - LABEL));
    }
    lines.extend(wrap(&format!("{how}{reference}"), WIDTH));
    Block::whole(label, lines)
}

/// Whether bytes of the wire are in the evidence, and not only what a program wrote of them.
fn holds_bytes(report: &Report) -> bool {
    let exact = |e: &Entry| matches!(e.what, What::Bytes { layer: Layer::Wire, fidelity: Fidelity::Exact, .. });
    report.transcript.entries.iter().any(exact)
}

/// For which clients, when not for all.
fn for_whom(report: &Report) -> String {
    report.verdict.for_whom.as_ref().map_or_else(String::new, |who| format!(" - for {who}"))
}

/// The endpoint, when the headline had no room for its name.
fn unnamed(report: &Report) -> String {
    let host = |t: &str| t.rsplit_once(':').map_or(t, |(host, _)| host).to_owned();
    let target = report.subject.target.as_deref().filter(|t| !report.verdict.headline.contains(&host(t)));
    target.map_or_else(String::new, |t| format!(" - {t}"))
}

fn act(report: &Report) -> Block {
    let lines = report.verdict.act.as_ref().map(|a| wrap(&a.text, WIDTH)).unwrap_or_default();
    Block::whole("ACT", lines)
}

fn why(report: &Report) -> Block {
    let mut units = Vec::new();
    if let Some(clock) = report.client.as_ref().and_then(|c| c.clock.as_ref()) {
        let zone = match clock.zone_minutes {
            0 => "UTC".to_owned(),
            m => format!("UTC{}{:02}:{:02}", if m < 0 { '-' } else { '+' }, m.abs() / 60, m.abs() % 60),
        };
        let date: String = clock.utc.chars().take(10).collect();
        units.push(vec![format!("{date} (clock in the client's hello; the trace's times are {zone})")]);
    }
    if let Some(f) = decisive(report) {
        units.extend(f.evidence.iter().map(|e| wrap(&evidence(report, e), WIDTH)));
        units.extend(f.why.iter().map(|w| wrap(w, WIDTH)));
    } else if report.verdict.outcome == Outcome::Works && report.transcript.origin.asked.is_some() {
        // A run of ours, also when its report is read again.
        units.extend(live::agreed(report).into_iter().map(|l| wrap(&l, WIDTH)));
    } else {
        let shows = report.verdict.shows.iter().filter_map(|n| report.events.get(usize::try_from(*n).ok()?));
        units.extend(shows.map(|e| wrap(&short_event(report, e), WIDTH)));
    }
    Block::new("WHY", units, 6, 3)
}

/// The first cause with its reasons, the others as long as there is room.
fn causes(report: &Report) -> Block {
    let all = decisive(report).map(|f| f.causes.as_slice()).unwrap_or_default();
    let mut units = Vec::new();
    for (n, cause) in all.iter().enumerate() {
        let room = WIDTH.saturating_sub(10 + cause.headline.len());
        let mut unit = if cause.id.len() + 2 <= room {
            vec![format!("{:<10}{}{:>room$}", cause.confidence.name(), cause.headline, cause.id)]
        } else {
            vec![format!("{:<10}{}", cause.confidence.name(), cause.headline), format!("{:10}{}", "", cause.id)]
        };
        if n == 0 {
            unit.extend(wrap(&cause.because.join("; "), WIDTH - 10).into_iter().map(|l| format!("{:10}{l}", "")));
        }
        units.push(unit);
    }
    Block::new("CAUSE", units, 2, 1)
}

/// A block for each party, so that none loses all its lines to another.
fn advice(report: &Report, verbose: bool) -> Vec<Block> {
    let all = decisive(report).map(|f| f.advice.as_slice()).unwrap_or_default();
    let mut blocks: Vec<Block> = Vec::new();
    // Whose turn it is stands first.
    let turn = report.verdict.act.as_ref().map_or(Party::Unknown, |a| a.party);
    let mut parties = [Party::Client, Party::Server, Party::Between, Party::Unknown];
    parties.sort_by_key(|p| *p != turn);
    for party in parties {
        let mut texts: Vec<(AdviceKind, String)> = Vec::new();
        for a in all.iter().filter(|a| a.party == party) {
            let text = instruction(a, verbose);
            let rest = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            let joins = a.kind != AdviceKind::Check && a.brief.is_none() && !verbose;
            // Two short ones of a kind share a line.
            match texts
                .last_mut()
                .filter(|(kind, last)| joins && *kind == a.kind && last.len() + rest.len() + 2 <= WIDTH - 10)
            {
                Some((_, last)) => {
                    last.push_str("; ");
                    last.push_str(rest);
                }
                None => texts.push((a.kind, text)),
            }
        }
        let mut units: Vec<Vec<String>> = Vec::new();
        for (_, text) in texts {
            let name = if units.is_empty() { called(party) } else { "" };
            let lines = wrap(&text, WIDTH - 10).into_iter().enumerate();
            units.push(lines.map(|(n, l)| format!("{:<10}{l}", if n == 0 { name } else { "" })).collect());
        }
        if !units.is_empty() {
            let (label, keep) = if blocks.is_empty() { ("DO", 3) } else { ("", 2) };
            blocks.push(Block::new(label, units, keep, 1));
        }
    }
    blocks
}

/// A party as people call it.
fn called(party: Party) -> &'static str {
    if party == Party::Between { "network" } else { party.name() }
}

/// `tonight: //CEEOPTS DD *  ENVAR("…")`
fn instruction(a: &Advice, verbose: bool) -> String {
    let kind = match a.kind {
        _ if a.brief.is_some() && !verbose => String::new(),
        AdviceKind::Leave if a.text.starts_with("nothing") || a.text.starts_with("do not") => String::new(),
        kind => format!("{}: ", kind.name()),
    };
    let weak = if a.risk.is_some() { " (risk)" } else { "" };
    let named = match (&a.place, &a.directive) {
        // A DD statement ends its line: what belongs to it is the next one.
        (Some(place), Some(directive)) if place.starts_with("//") => Some(format!("{place}, line {directive}{weak}")),
        (Some(place), Some(directive)) => Some(format!("{place} {directive}{weak}")),
        _ => None,
    };
    if verbose {
        let named = named.map_or_else(String::new, |n| format!("{n} - "));
        let brief = a.brief.as_ref().map_or_else(String::new, |b| format!(" {b}."));
        let risk = a.risk.as_ref().map_or_else(String::new, |r| format!(" Risk: {r}."));
        return format!("{kind}{named}{}{brief}{risk}", a.text);
    }
    match (&a.brief, named, a.kind) {
        (Some(brief), ..) => brief.clone(),
        (None, Some(named), AdviceKind::Check) => format!("{named}: {}", a.text),
        (None, Some(named), AdviceKind::Tonight | AdviceKind::Lasting) => format!("{kind}{named}"),
        _ => format!("{kind}{}", a.text),
    }
}

/// How the first cause is settled, a way a line.
fn prove(report: &Report) -> Block {
    let asks = decisive(report).and_then(|f| f.causes.first()).map(|c| c.ask.as_slice()).unwrap_or_default();
    let ways = asks.iter().rev().flat_map(|a| {
        let last = a.how.len().saturating_sub(1);
        let way = move |(n, how): (usize, &String)| match how.strip_suffix('?') {
            _ if n < last => how.clone(),
            Some(question) => format!("{question}? Settled by: {}", a.settles),
            None => format!("{how}: {}", a.settles),
        };
        a.how.iter().enumerate().map(way)
    });
    Block::new("PROVE", ways.map(|w| wrap(&w, WIDTH)).collect(), 1, 0)
}

/// The wall behind this one: what would fail next, though nothing of this finding explains it.
fn next(report: &Report) -> Block {
    let certificate = report.consequences.iter().find(|f| f.id.starts_with("certificate-"));
    let line = certificate.map(|f| wrap(&format!("{} ({})", f.headline, f.id), WIDTH)).unwrap_or_default();
    Block::whole("NEXT", line)
}

fn notes(report: &Report) -> Block {
    let further = report.findings.iter().skip(usize::from(decisive(report).is_some()));
    let mut notes: Vec<String> = missing(report).into_iter().collect();
    notes.extend(further.filter(|f| f.severity < Severity::Failure).map(|f| f.headline.clone()));
    let failed = report.checks.iter().filter(|c| c.result == CheckResult::Failed && c.finding.is_none());
    notes.extend(failed.map(|c| {
        let why = c.why.as_deref().map_or_else(String::new, |w| format!(" ({w})"));
        format!("{}{why}", c.headline)
    }));
    let of_checks = report.checks.iter().filter_map(|c| c.data.get("note")?.as_str());
    notes.extend(of_checks.map(str::to_owned));
    notes.extend(report.subject.inputs.iter().flat_map(|i| &i.assumed).map(|a| format!("assumed: {a}")));
    notes.extend(
        report.transcript.origin.redacted.iter().map(|what| format!("redacted: {what} (the bytes in hex as well)")),
    );
    Block::new("NOTE", notes.iter().map(|n| wrap(n, WIDTH)).collect(), 2, 1)
}

fn passed(report: &Report) -> Block {
    let passed = report.checks.iter().filter(|c| c.result == CheckResult::Passed);
    let names: Vec<String> = passed.map(|c| c.headline.clone()).collect();
    let list = (!names.is_empty()).then(|| List::new(String::new(), names));
    Block::giving_way("OK", Turn::Second, list.into_iter().collect())
}

/// Whether what decides is an end or a failed attempt: they were seen, and have no bytes to show.
fn is_observed(f: &Finding) -> bool {
    const ENDS: [&str; 5] = [
        "closed-during-handshake",
        "control-connection-lost",
        "data-connect-failed",
        "reset-during-handshake",
        "silence-during-handshake",
    ];
    f.evidence.is_empty() || ENDS.contains(&f.id.as_str())
}

fn print(report: &Report, blocks: &[Block], style: Style) -> String {
    let mut out = String::new();
    let heading = if blocks.iter().any(|b| b.label == "ACT" && b.len() > 0) { 2 } else { 1 };
    let shown = blocks.iter().filter(|b| b.len() > 0);
    for (place, block) in (1..).zip(shown) {
        for (n, line) in block.units.iter().flatten().enumerate() {
            let label = if n == 0 { block.label } else { "" };
            let label = format!("{label:<LABEL$}{}", if label.len() >= LABEL { " " } else { "" });
            out.push_str(&if style.colour { painted(report, &label, n) } else { label });
            out.push_str(line.trim_end());
            out.push('\n');
        }
        if place == heading && !style.quiet {
            out.push('\n');
        }
    }
    out
}

fn painted(report: &Report, label: &str, line: usize) -> String {
    let colour = match (label.trim(), report.verdict.outcome) {
        ("FAILS", _) => Color::Red,
        ("WORKS" | "OK", _) => Color::Green,
        ("CANNOT TELL" | "OPEN", _) => Color::Yellow,
        _ => Color::Cyan,
    };
    if line == 0 { label.color(colour).bold().to_string() } else { label.to_owned() }
}

/// How far a run of ours came.
fn tested(report: &Report) -> String {
    let is = |what: &str| report.verdict.scope.iter().any(|s| s == what);
    let words = match (is("upload"), is("data"), is("login")) {
        (true, ..) => "tested: control connection, login, listings, uploads",
        (_, true, _) => return format!("tested: control connection, login, listings; {}", live::no_uploads(report)),
        (.., true) if is("transfer-replies") => {
            "tested: control connection and login; transfers by their replies alone"
        }
        (.., true) => "tested: control connection and login; nothing was transferred",
        _ => "tested: the control connection up to QUIT; not login and transfers",
    };
    words.to_owned()
}
