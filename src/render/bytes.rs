//! The bytes of the evidence, taken apart.

use super::wrap;
use crate::report::{Report, arrow};
use crate::rules::Evidence;

/// Bytes on a line.
const ROW: usize = 12;

/// All evidence of all findings, once each.
pub(super) fn render(report: &Report) -> String {
    let mut seen: Vec<(u16, u64, u64, char)> = Vec::new();
    let mut out = String::new();
    for e in report.findings.iter().chain(&report.consequences).flat_map(|f| &f.evidence) {
        let key = (e.conn, e.start, e.end, arrow(e.from));
        if !seen.contains(&key) {
            seen.push(key);
            out.push_str(&one(e));
        }
    }
    out
}

fn one(e: &Evidence) -> String {
    let len = e.end - e.start;
    let seen = match e.rebuilt {
        0 => String::new(),
        n if n == len => "put together again from the log".to_owned(),
        n => format!("{} of {len} bytes are in the evidence, {n} must have been there", len - n),
    };
    let label: Vec<&str> = [e.label.as_str(), seen.as_str()].into_iter().filter(|s| !s.is_empty()).collect();
    let mut out = String::from("\n");
    for (n, line) in wrap(&format!("{} {}", arrow(e.from), label.join("; ")), 72).into_iter().enumerate() {
        out.push_str(if n == 0 { "BYTES   " } else { "        " });
        out.push_str(&line);
        out.push('\n');
    }
    let bytes = hex::decode(&e.hex).unwrap_or_default();
    let mut rest = bytes.as_slice();
    for part in &e.parts {
        let (head, tail) = rest.split_at_checked(part.len).unwrap_or((rest, &[]));
        rows(&mut out, head, &part.label);
        rest = tail;
    }
    if e.parts.is_empty() {
        rows(&mut out, rest, "");
    }
    out
}

/// `  16 03 01 …   ..5   label`, the label on the first row only.
fn rows(out: &mut String, bytes: &[u8], label: &str) {
    for (n, row) in bytes.chunks(ROW).enumerate() {
        let hex: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
        let text: String = row.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '.' }).collect();
        let label = if n == 0 { label } else { "" };
        let line = format!("  {:<36} {text:<13}{label}", hex.join(" "));
        out.push_str(line.trim_end());
        out.push('\n');
    }
}
