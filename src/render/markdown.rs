//! For tickets and mail: plain headings, one fenced block, and a part for each party that can be cut out and mailed alone.

use std::fmt::Write as _;

use super::lines::evidence;
use super::{audit, text};
use crate::report::{ClientOut, Outcome, Report};
use crate::rules::{Advice, AdviceKind, CheckResult, Finding, Party};

/// The ticket.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let outcome = match report.verdict.outcome {
        Outcome::Fails => "FAILS",
        Outcome::Works => "WORKS",
        Outcome::Inconclusive => "CANNOT TELL",
    };
    let _ = writeln!(out, "# {outcome}: {}\n", escaped(&report.verdict.headline));
    facts(report, &mut out);
    let screen = text::for_ticket(report);
    let _ = writeln!(out, "\n## What happened\n\n```text\n{}```\n", screen.replace('`', "'"));
    out += &audit::for_ticket(report);
    if let Some(f) = report.findings.first().filter(|f| Some(&f.id) == report.verdict.by.as_ref()) {
        causes(f, &mut out);
        for party in [Party::Client, Party::Server, Party::Between] {
            for_party(report, f, party, &mut out);
        }
    }
    let open: Vec<&str> =
        report.checks.iter().filter(|c| c.result == CheckResult::Untested).map(|c| c.headline.as_str()).collect();
    if !open.is_empty() {
        let _ = writeln!(out, "## Not known\n");
        for item in open {
            let _ = writeln!(out, "- {}", escaped(item));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "Written by {} {}; problem key {}.", report.tool.name, report.tool.version, report.key);
    out
}

fn facts(report: &Report, out: &mut String) {
    if let Some(reference) = &report.reference {
        let _ = writeln!(out, "- Ticket: {}", escaped(&crate::wire::printable_str(reference)));
    }
    if let Some(id) = &report.verdict.by {
        let _ = writeln!(out, "- Finding: {id} ({})", report.verdict.confidence.name());
    }
    if let Some(who) = &report.verdict.for_whom {
        let _ = writeln!(out, "- Concerns: {}", escaped(who));
    }
    if let Some(target) = &report.subject.target {
        let _ = writeln!(out, "- Endpoint: {}", escaped(target));
    }
    if let Some(address) = &report.subject.address {
        let _ = writeln!(out, "- Address: {}", escaped(address));
    }
    if let Some(started) = &report.started {
        let _ = writeln!(out, "- When: {started} (UTC; the times below as well)");
    }
    if let Some(local) = report.seen_from.as_ref().and_then(|s| s.local.as_ref()) {
        let _ = writeln!(out, "- Seen from: {}", escaped(local));
    }
    if let Some(clock) = report.client.as_ref().and_then(|c| c.clock.as_ref()) {
        let _ = writeln!(out, "- When: {} UTC", clock.utc);
    }
    if let Some(ClientOut { name: Some(name), confidence: Some(sure), because, .. }) = &report.client {
        let _ = writeln!(out, "- Client: {} ({}): {}", escaped(name), sure.name(), escaped(&because.join("; ")));
    }
    if let Some(act) = &report.verdict.act {
        let _ = writeln!(out, "- First step: {}", escaped(&act.text));
    }
}

fn causes(f: &Finding, out: &mut String) {
    if f.causes.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Causes\n");
    for cause in &f.causes {
        let _ = writeln!(out, "- {}: {} ({})", cause.confidence.name(), escaped(&cause.headline), cause.id);
        for because in &cause.because {
            let _ = writeln!(out, "  - because {}", escaped(because));
        }
        for ask in &cause.ask {
            let how: Vec<String> = ask.how.iter().map(|h| escaped(h)).collect();
            let _ = writeln!(out, "  - to settle it: {}: {}", how.join("; "), escaped(&ask.settles));
        }
    }
    out.push('\n');
}

/// Everything that one party needs, so that the part can be mailed alone.
fn for_party(report: &Report, f: &Finding, party: Party, out: &mut String) {
    let advice: Vec<&Advice> = f.advice.iter().filter(|a| a.party == party).collect();
    if advice.is_empty() {
        return;
    }
    let who = match party {
        Party::Client => "client's",
        Party::Server => "server's",
        Party::Between | Party::Unknown => "network's",
    };
    let _ = writeln!(out, "## For the {who} side\n");
    let clock = report.client.as_ref().and_then(|c| c.clock.as_ref()).map(|c| format!(" ({} UTC)", c.utc));
    let live = || {
        let local = report.seen_from.as_ref().and_then(|s| s.local.as_ref());
        let from = local.map_or_else(String::new, |l| format!(", client {l}"));
        let to = report.subject.address.as_ref().map_or_else(String::new, |a| format!(", server {a}"));
        report.started.as_ref().map(|s| format!(" ({s}{from}{to})"))
    };
    let when = clock.or_else(live).unwrap_or_default();
    let _ = writeln!(out, "{}{when}. Evidence:\n", escaped(&report.verdict.headline));
    for e in &f.evidence {
        let _ = writeln!(out, "- {}", escaped(&evidence(report, e)));
    }
    // What was decrypted has no bytes of its own.
    for fact in f.why.iter().take(if f.evidence.is_empty() { 4 } else { 0 }) {
        let _ = writeln!(out, "- {}", escaped(fact));
    }
    out.push('\n');
    if let Some(cause) = f.causes.first() {
        let because: Vec<String> = cause.because.iter().map(|b| escaped(b)).collect();
        let sure = capital(cause.confidence.name());
        let _ = writeln!(out, "{sure} cause: {}, because {}.\n", escaped(&cause.headline), because.join("; "));
    }
    // Look first, change then.
    let (checks, changes): (Vec<&Advice>, Vec<&Advice>) = advice.into_iter().partition(|a| a.kind == AdviceKind::Check);
    for a in checks.into_iter().chain(changes) {
        let _ = writeln!(out, "- {}", step(a));
    }
    out.push('\n');
}

fn step(a: &Advice) -> String {
    let kind = match a.kind {
        AdviceKind::Tonight => "Tonight",
        AdviceKind::Lasting => "Lasting",
        AdviceKind::Check => "Check",
        AdviceKind::Leave => "Leave alone",
    };
    let place = a.place.as_ref().map_or_else(String::new, |p| format!(" In {}:", escaped(p)));
    let directive = a.directive.as_ref().map_or_else(String::new, |d| format!(" `{}`.", d.replace('`', "'")));
    let risk = a.risk.as_ref().map_or_else(String::new, |r| format!(" Risk: {}.", escaped(r.trim_end_matches('.'))));
    let text = a.brief.as_ref().filter(|_| a.kind == AdviceKind::Check).unwrap_or(&a.text);
    format!("{kind}:{place}{directive} {}{risk}", escaped(text))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

/// Text that Markdown and HTML take literally.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
