//! What only a run of ours can say: what was agreed on, and what it cost.

use crate::report::Report;
use crate::rules::CheckResult;

/// Characters of a server's words that are quoted where they only name its product.
const LONGEST_QUOTE: usize = 100;

/// What client and server agreed on, and who the server said it is.
pub(super) fn agreed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let session = report.connections.iter().find(|c| c.why == "session");
    if let Some(tls) = session.and_then(|c| c.tls.as_ref()) {
        let mode = report.subject.mode.as_deref().unwrap_or("TLS");
        let group = tls.group.as_deref().map_or_else(String::new, |g| format!(", {g}"));
        lines.push(format!("{mode}: {}, {}{group}", tls.version, tls.cipher.name));
    }
    let certificates = report.endpoint.iter().flat_map(|e| &e.certificates);
    for (n, c) in (1..).zip(certificates).take(4) {
        let until: String = c.not_after.iter().flat_map(|t| t.chars().take(10)).collect();
        let subject = c.subject.as_deref().unwrap_or("a certificate that cannot be read");
        lines.push(format!("{n} {subject}, until {until}"));
    }
    let products = report.endpoint.iter().flat_map(|e| &e.products).take(1);
    lines.extend(products.map(|p| {
        let quotes: Vec<String> = p.because.iter().map(|q| quoted(q)).collect();
        format!("{} by its wording: {}", p.name, quotes.join(", "))
    }));
    lines
}

/// A quote with its marks, of which a long one shows the beginning.
fn quoted(quote: &str) -> String {
    match quote.get(..LONGEST_QUOTE) {
        Some(begin) if quote.len() > LONGEST_QUOTE + 4 => format!("{}...\"", begin.trim_end()),
        _ => quote.to_owned(),
    }
}

/// What it cost.
pub(super) fn cost(report: &Report) -> Option<String> {
    report.cost.as_ref().map(|c| {
        let connections = if c.connections == 1 { "connection" } else { "connections" };
        let bytes = c.bytes_in + c.bytes_out;
        let bytes = if bytes < 1_000 { format!("{bytes} B") } else { format!("{:.1} kB", bytes as f64 / 1e3) };
        let time = match report.elapsed_ms {
            None => String::new(),
            Some(ms @ 0..1_000) => format!(", {ms} ms"),
            Some(ms) => format!(", {:.1} s", ms as f64 / 1e3),
        };
        let cut = if report.complete { "" } else { "; stopped before its end" };
        let started = report.started.as_deref().and_then(|s| s.get(..19)).unwrap_or_default().replace('T', " ");
        let when = if started.is_empty() { String::new() } else { format!("; {started} UTC") };
        let data = report.connections.iter().filter(|c| c.role == "data").count();
        let data = if data == 0 { String::new() } else { format!(" ({data} data)") };
        let logins = match c.logged_in {
            0 => "nothing was logged in or changed".to_owned(),
            1 => format!("1 login{}", written(c.written)),
            n => format!("{n} logins{}", written(c.written)),
        };
        format!("{} {connections}{data}, {bytes}{time}; {logins}{cut}{when}", c.connections)
    })
}

fn written(files: u64) -> String {
    match files {
        0 => ", nothing written".to_owned(),
        1 => ", 1 file written".to_owned(),
        n => format!(", {n} files written"),
    }
}

/// Why no upload worked.
pub(super) fn no_uploads(report: &Report) -> String {
    let asked = report.transcript.origin.asked.as_ref().and_then(|a| a.login).is_some_and(|l| l.upload);
    let check = report.checks.iter().find(|c| c.id == "upload").filter(|_| asked);
    match check.map(|c| (c.result, c.headline.as_str(), c.why.as_deref().unwrap_or_default())) {
        None => "no uploads (--write-test)".to_owned(),
        // The server's words stand behind what they are about.
        Some((CheckResult::Untested, _, why)) => match why.split_once(": ") {
            Some((_, words)) => format!("uploads were refused: {words}"),
            None => format!("no uploads: {why}"),
        },
        Some((_, words, _)) => words.to_owned(),
    }
}
