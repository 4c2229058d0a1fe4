//! Who said what, when: every event on a line.

use super::lines::{event, evidence};
use super::wrap;
use crate::report::Report;

/// All events, and the findings that the first screen had no room for.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("\nLADDER  > from the client, < from the server\n");
    for e in &report.events {
        for (n, part) in wrap(&event(report, e), 76).into_iter().enumerate() {
            out.push_str(if n == 0 { "  " } else { "      " });
            out.push_str(&part);
            out.push('\n');
        }
    }
    let decisive = usize::from(report.verdict.by.is_some());
    let further = report.findings.iter().skip(decisive).chain(&report.consequences);
    for (n, f) in further.enumerate() {
        if n == 0 {
            out.push_str("\nALSO    further findings, and what the first one explains\n");
        }
        out.push_str(&format!("  {} - {} ({})\n", f.headline, f.id, f.confidence.name()));
        for e in &f.evidence {
            out.push_str(&format!("    {}\n", evidence(report, e)));
        }
    }
    out
}
