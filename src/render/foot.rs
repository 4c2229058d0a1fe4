//! The last lines of a screen: what was not looked at, and what else there is.

use super::block::{Block, List, Turn, WIDTH};
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
        units.push(List::new(format!("{reason}: "), of_reason.map(|c| c.headline.clone()).collect()));
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
        units.push(List::new(format!("seen from {local}{host}; {way}"), Vec::new()));
    }
    let inputs = report.subject.inputs.iter().filter(|i| i.understood < i.lines);
    units.extend(
        inputs.map(|i| List::new(format!("{}: {} of {} lines understood", i.name, i.understood, i.lines), Vec::new())),
    );
    Block::giving_way("OPEN", Turn::First, units)
}

/// What else can be asked for, and how: one line, of which the names of further findings go first.
pub(super) fn more(report: &Report, style: Style, cut: usize) -> Block {
    let file = report.reference.as_deref().map_or_else(|| "ticket".to_owned(), file_name);
    let file = format!("-o {file}.md");
    // The page of the cause has what each product needs.
    let explain = report.verdict.cause.as_ref().or(report.verdict.by.as_ref()).map(|id| format!("explain {id}"));
    let lines = match cut {
        0 => String::new(),
        1 => ", 1 line more".to_owned(),
        n => format!(", {n} lines more"),
    };
    let (named, counted) = further(report);
    let of = |what: &str, explain: Option<&String>| {
        let what = (!style.verbose).then(|| format!("-v bytes{what}"));
        let parts: Vec<String> = what.into_iter().chain(explain.cloned()).chain([file.clone()]).collect();
        parts.join(" | ")
    };
    let explain = explain.as_ref();
    let mut ways = vec![of(&format!("{lines}{named}"), explain)];
    if cut > 0 {
        ways.push(of(&format!("{lines}{counted}"), explain));
    }
    ways.extend([of(&format!("{lines}{named}"), None), of(&format!("{lines}{counted}"), None), of(&counted, None)]);
    let line = ways.into_iter().find(|w| w.len() <= WIDTH).unwrap_or(file);
    Block::whole("MORE", wrap(&line, WIDTH))
}

/// `, 1 more finding (malformed-tls)`, and the same without its name.
fn further(report: &Report) -> (String, String) {
    let first = report.findings.iter().skip(1).chain(&report.consequences);
    let ids: Vec<&str> = first.map(|f| f.id.as_str()).collect();
    let counted = match ids.len() {
        0 => return (String::new(), String::new()),
        1 => ", 1 more finding".to_owned(),
        n => format!(", {n} more findings"),
    };
    let names = ids.join(", ");
    let named = if ids.len() <= 2 && names.len() <= 40 { format!("{counted} ({names})") } else { counted.clone() };
    (named, counted)
}

fn file_name(reference: &str) -> String {
    reference.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(24).collect()
}
