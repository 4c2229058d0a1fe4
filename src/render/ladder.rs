//! Who said what, when: every event on a line.

use super::lines::{event, evidence};
use super::wrap;
use crate::report::Report;

/// All events, and the findings that the first screen had no room for.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("\nLADDER  > from the client, < from the server\n");
    for e in &report.events {
        indented(&mut out, "  ", &event(report, e));
    }
    let decisive = usize::from(report.verdict.by.is_some());
    let further = report.findings.iter().skip(decisive).chain(&report.consequences);
    for (n, f) in further.enumerate() {
        if n == 0 {
            out.push_str("\nALSO    further findings, and what the first one explains\n");
        }
        indented(&mut out, "  ", &format!("{} - {} ({})", f.headline, f.id, f.confidence.name()));
        for e in &f.evidence {
            indented(&mut out, "    ", &evidence(report, e));
        }
    }
    out
}

/// A text on lines of at most 80 columns; those behind the first one stand farther in.
fn indented(out: &mut String, indent: &str, text: &str) {
    for (n, part) in wrap(text, 76 - indent.len()).into_iter().enumerate() {
        out.push_str(indent);
        out.push_str(if n == 0 { "" } else { "    " });
        out.push_str(&part);
        out.push('\n');
    }
}
