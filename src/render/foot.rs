//! The last lines of a screen: what was not looked at, and what else there is.

use super::text::{Block, WIDTH};
use super::{Style, wrap};
use crate::report::Report;
use crate::rules::CheckResult;

/// What was not tested, and from where it was seen.
pub(super) fn open(report: &Report) -> Block {
    let untested: Vec<_> = report.checks.iter().filter(|c| c.result == CheckResult::Untested).collect();
    let mut reasons: Vec<&str> = Vec::new();
    for why in untested.iter().filter_map(|c| c.why.as_deref()) {
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    let mut units = Vec::new();
    for reason in reasons {
        let of_reason = untested.iter().filter(|c| c.why.as_deref() == Some(reason));
        let names: Vec<&str> = of_reason.map(|c| c.headline.as_str()).collect();
        units.push(wrap(&format!("{reason}: {}", names.join(", ")), WIDTH));
    }
    if let Some(from) = &report.seen_from
        && let Some(local) = &from.local
    {
        let host = from.host.as_deref().map_or_else(String::new, |h| format!(" ({h})"));
        let way = if report.subject.address.as_deref().is_some_and(|a| a.starts_with(local.as_str())) {
            "the server's own machine: the way to it was not tested"
        } else {
            "from elsewhere other firewalls may be in the way"
        };
        units.push(wrap(&format!("seen from {local}{host}; {way}"), WIDTH));
    }
    let inputs = report.subject.inputs.iter().filter(|i| i.understood < i.lines);
    units.extend(inputs.map(|i| wrap(&format!("{}: {} of {} lines understood", i.name, i.understood, i.lines), WIDTH)));
    Block::new("OPEN", units, 1, 1)
}

/// What else can be asked for, and how.
pub(super) fn more(report: &Report, style: Style, cut: usize) -> Block {
    let mut parts = Vec::new();
    if !style.verbose {
        let further = report.consequences.len() + report.findings.len().saturating_sub(1);
        let mut what = "-v bytes".to_owned();
        if further > 0 {
            what += &further_findings(report, further);
        } else if cut > 0 {
            what += &format!(", {cut} {} more", if cut == 1 { "line" } else { "lines" });
        }
        parts.push(what);
    }
    let width = |parts: &[String]| parts.join(" | ").len();
    let file = report.reference.as_deref().map_or_else(|| "ticket".to_owned(), file_name);
    let file = format!("-o {file}.md");
    // The page of the cause has what each product needs.
    if let Some(explain) =
        report.verdict.cause.as_ref().or(report.verdict.by.as_ref()).map(|id| format!("explain {id}"))
        && width(&parts) + explain.len() + file.len() + 6 <= WIDTH
    {
        parts.push(explain);
    }
    parts.push(file);
    Block::whole("MORE", wrap(&parts.join(" | "), WIDTH))
}

/// `, 1 more finding (malformed-tls)`
fn further_findings(report: &Report, further: usize) -> String {
    let first = report.findings.iter().skip(1).chain(&report.consequences);
    let ids: Vec<&str> = first.map(|f| f.id.as_str()).collect();
    let word = if further == 1 { "finding" } else { "findings" };
    match ids.join(", ") {
        ids if further <= 2 && ids.len() <= 40 => format!(", {further} more {word} ({ids})"),
        _ => format!(", {further} more {word}"),
    }
}

fn file_name(reference: &str) -> String {
    reference.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(24).collect()
}
