//! One line for one thing: a piece of evidence, an event. Every renderer shows them alike.

use crate::report::{EventOut, Report, arrow};
use crate::rules::Evidence;

/// `01:49:34.467 < 35 35 30 20 54  "550 T": clear text, no TLS alert first`
pub(super) fn evidence(report: &Report, e: &Evidence) -> String {
    let time = e.at.map_or_else(String::new, |at| format!("{} ", report.transcript.clock.show(at)));
    let text = e.text.trim_end_matches("\\n").trim_end_matches("\\r");
    // A line of text is one also where some of its characters had to be escaped.
    let is_line = e.text.ends_with("\\n") && !text.starts_with("\\x");
    let is_text = (is_line || !text.contains("\\x")) && !text.is_empty();
    let what = match (e.end - e.start, is_text) {
        (_, true) if e.label.is_empty() => text.to_owned(),
        (0..=8, true) => format!("{}  \"{text}\": {}", spaced(&e.hex), e.label),
        (0..=8, false) => format!("{}  {}", spaced(&e.hex), e.label),
        (_, true) => format!("\"{text}\": {}", e.label),
        (_, false) => e.label.clone(),
    };
    format!("{time}{} {what}", arrow(e.from))
}

fn spaced(hex: &str) -> String {
    let pairs: Vec<&str> = (0..hex.len() / 2).filter_map(|n| hex.get(n * 2..n * 2 + 2)).collect();
    pairs.join(" ")
}

/// One event: `01:49:34.383 > ClientHello: TLS 1.0 at most, 7 suites`.
pub(super) fn event(report: &Report, e: &EventOut) -> String {
    let time = e.at.map_or_else(String::new, |at| format!("{} ", report.transcript.clock.show(at)));
    let conn = if report.connections.len() > 1 { format!("[{}] ", e.conn) } else { String::new() };
    let from = e.from.map_or(' ', arrow);
    format!("{time}{conn}{from} {}", e.text)
}

/// The same for a screen: of a text that goes on and on, the beginning.
pub(super) fn short_event(report: &Report, e: &EventOut) -> String {
    const ENOUGH: usize = 200;
    let mut line = event(report, e);
    if line.len() > ENOUGH {
        line.truncate(ENOUGH);
        line.push_str("...");
    }
    line
}
