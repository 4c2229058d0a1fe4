//! The bytes of the evidence, taken apart.

use super::wrap;
use crate::report::{Report, arrow};
use crate::rules::Evidence;

/// Bytes on a line.
const ROW: usize = 8;

/// What is left of 80 columns beside them: the longest name of a cipher suite fits.
const LABEL: usize = 45;

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

/// `  16 03 01 …  ..5  label`, the label beside the first rows.
fn rows(out: &mut String, bytes: &[u8], label: &str) {
    let mut labels = wrap(label, LABEL).into_iter();
    let mut rows = bytes.chunks(ROW);
    // What stands at the end of a label has rows of its own where the bytes are few.
    for n in 0.. {
        let (row, label) = (rows.next(), labels.next());
        if row.is_none() && (n == 0 || label.is_none()) {
            return;
        }
        let row = row.unwrap_or_default();
        let hex: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
        let text: String = row.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '.' }).collect();
        let line = format!("  {:<23} {text:<ROW$} {}", hex.join(" "), label.unwrap_or_default());
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_eighty_columns_at_most() {
        let mut out = String::new();
        rows(&mut out, &[0xcc, 0xa9], "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
        rows(&mut out, b"0123456789", "random; a clock in many clients up to TLS 1.2, and more");
        rows(&mut out, &[], "nothing");
        assert_eq!(
            out,
            "  cc a9                   ..       TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n  \
             30 31 32 33 34 35 36 37 01234567 random; a clock in many clients up to TLS\n  \
             38 39                   89       1.2, and more\n"
        );
        assert!(out.lines().all(|l| l.len() <= 80), "{out}");
    }
}
