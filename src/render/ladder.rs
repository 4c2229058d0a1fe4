//! Who said what, when: every event on a line.

use super::{text, wrap};
use crate::report::{EventOut, Report, arrow};

/// All events, and the findings that the first screen had no room for.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("\nLADDER  > from the client, < from the server\n");
    for event in &report.events {
        for (n, part) in wrap(&line(report, event), 76).into_iter().enumerate() {
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
            out.push_str(&format!("    {}\n", text::evidence(report, e)));
        }
    }
    out
}

/// One event: `01:49:34.383 > ClientHello: TLS 1.0 at most, 7 suites`.
pub(super) fn line(report: &Report, event: &EventOut) -> String {
    let time = event.at.map_or_else(String::new, |at| format!("{} ", report.transcript.clock.show(at)));
    let conn = if report.connections.len() > 1 { format!("[{}] ", event.conn) } else { String::new() };
    let from = event.from.map_or(' ', arrow);
    format!("{time}{conn}{from} {}", event.text)
}
