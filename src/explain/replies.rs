//! FTP replies: what a code means by the RFCs, and what it means from which product.

use std::fmt::Write as _;

use super::layout::{LINES, more, sure, wrapped};
use crate::codes::{self, Fingerprint};
use crate::rules;

/// Lines of a screen that products may not take: the heading, and names without their words.
const OTHER_LINES: usize = 7;
/// A cut reply has to show so much before a product is named.
const LEAST_TEXT: usize = 10;

/// A wording with everybody who says it so.
struct Wording {
    row: Fingerprint,
    products: Vec<&'static str>,
    /// How many other wordings of its product stand before it.
    rank: usize,
}

impl Wording {
    fn line(&self) -> String {
        let note = if self.row.note == "-" { String::new() } else { format!(" - {}", self.row.note) };
        let text = self.row.text.replace('*', "...");
        format!("  {}, {}: \"{text}\"{note}", self.products.join(" / "), place(self.row.kind))
    }
}

/// `ftp 534`: the code by itself.
pub(super) fn code(code: u16) -> Option<String> {
    let mut out = meaning(code)?;
    let all = wordings(code);
    // The first wording of each product before the second of any; then in the order of the table.
    let mut by_rank: Vec<usize> = (0..all.len()).collect();
    by_rank.sort_by_key(|i| all.get(*i).map(|w| (w.rank, w.rank > 0 && w.row.note == "-")));
    let (mut shown, mut lines) = (Vec::new(), 0);
    for i in by_rank {
        let height = all.get(i).map_or(0, |w| wrapped(&w.line()).len());
        if lines + height <= LINES - OTHER_LINES {
            lines += height;
            shown.push(i);
        }
    }
    let of = |shown: bool, is: &[usize]| -> Vec<&Wording> {
        all.iter().enumerate().filter(|(i, _)| is.contains(i) == shown).map(|(_, w)| w).collect()
    };
    let (inside, outside) = (of(true, &shown), of(false, &shown));
    if !inside.is_empty() {
        out.push_str("Who says it how:\n");
        inside.iter().for_each(|w| {
            let _ = writeln!(out, "{}", w.line());
        });
    }
    let mut left: Vec<&str> = outside.iter().flat_map(|w| &w.products).copied().collect();
    left.retain(|p| !inside.iter().any(|w| w.products.contains(p)));
    left.dedup();
    if !left.is_empty() {
        let _ = writeln!(out, "  and in other words: {}", left.join(", "));
    }
    Some(out)
}

/// The wordings of a code, those of several products once.
fn wordings(code: u16) -> Vec<Wording> {
    let mut all: Vec<Wording> = Vec::new();
    for row in codes::fingerprints().filter(|f| f.code == Some(code)) {
        match all.iter_mut().find(|w| w.row.text == row.text && w.row.kind == row.kind) {
            Some(same) => {
                // "X has the same words" is said by naming both.
                if same.row.note == "-" || same.row.note.contains("same words") {
                    same.row.note = if row.note.contains("same words") { "-" } else { row.note };
                }
                same.products.push(row.product);
            }
            None => {
                let rank = all.iter().filter(|w| w.products.contains(&row.product)).count();
                all.push(Wording { row, products: vec![row.product], rank });
            }
        }
    }
    all
}

/// What the RFCs say.
fn meaning(code: u16) -> Option<String> {
    let r = codes::ftp_reply(code)?;
    let rfc = if r.rfc == "-" { "in no RFC" } else { r.rfc };
    Some(format!("FTP reply {}  ({rfc})\n{}\n", r.code, sure(r.meaning, r.confirmed)))
}

/// Where in the dialogue a wording stands.
fn place(kind: &str) -> &'static str {
    match kind {
        "banner" => "greeting",
        "auth-ok" | "auth-refused" => "to AUTH",
        "handshake-failed" => "handshake failed",
        "tls-required" => "wants TLS first",
        "login-refused" => "to the login",
        "data-refused" => "for data",
        "pbsz-prot" => "to PBSZ or PROT",
        _ => "at any time",
    }
}

/// A reply line as it was pasted, perhaps with something before it: `ftplib.error_perm: 530 ...`, `< 534 ...`.
pub(super) fn line(text: &str) -> Option<String> {
    let (code, text) = reply_in(text)?;
    let mut out = meaning(code)?;
    let whole: Vec<Fingerprint> = codes::fingerprints().filter(|f| f.matches(f.kind, code, text)).collect();
    let (rows, how) = if whole.is_empty() {
        let begun = text.trim_end_matches(['.', ' ']);
        let could = |f: &Fingerprint| f.code == Some(code) && begun.len() >= LEAST_TEXT && f.could_begin(code, begun);
        (codes::fingerprints().filter(could).collect(), "Begins like the words of")
    } else {
        (whole, "The words of")
    };
    let mut seen: Vec<Fingerprint> = Vec::new();
    for f in rows {
        // The same product says some words twice in the dialogue; what they mean there differs.
        if !seen.iter().any(|s: &Fingerprint| s.product == f.product && s.note == f.note) {
            seen.push(f);
        }
    }
    if seen.is_empty() {
        out.push_str("The words belong to no product that is known here.\n");
    }
    for f in seen.iter().take(4) {
        let note = if f.note == "-" { String::new() } else { format!(": {}", f.note) };
        let versions = if f.versions == "-" { String::new() } else { format!(" {}", f.versions) };
        let _ = writeln!(out, "{how} {}{versions} ({}){note}", f.product, place(f.kind));
    }
    let about_data = rules::data_reply(code, text);
    if let Some(data) = about_data.as_ref().filter(|d| !d.note.is_empty()) {
        let _ = writeln!(out, "{}", data.note);
    }
    let mut pages: Vec<&str> = about_data.iter().map(|d| d.finding).collect();
    pages.extend(seen.iter().filter_map(|f| page(f.kind, code)));
    pages.dedup();
    out.push_str(&more(pages.get(..2).unwrap_or(&pages)));
    Some(out)
}

/// The page of what a wording is a sign of.
fn page(kind: &str, code: u16) -> Option<&'static str> {
    match kind {
        "auth-refused" if code >= 400 => Some("auth-refused"),
        "auth-ok" if code != 234 => Some("auth-reply-unusual"),
        "handshake-failed" => Some("plaintext-instead-of-tls"),
        "tls-required" => Some("tls-required-by-server"),
        "login-refused" => Some("login-refused"),
        "oops" => Some("plaintext-inside-tls"),
        "banner" if code >= 400 => Some("banner-refuses"),
        _ => None,
    }
}

/// The code and the text of a reply; it begins the line, or stands behind a mark such as `:`, `<` or a quote.
fn reply_in(text: &str) -> Option<(u16, &str)> {
    let mut from = 0;
    for word in text.split(' ') {
        let at = from;
        from += word.len() + 1;
        let opened = word.trim_start_matches(['"', '\'', '<', '(', '[']);
        let marked = opened.len() < word.len() || text.get(..at)?.trim_end().ends_with([':', '<', '>', '=', '-', '|']);
        let code = opened.get(..3).filter(|c| c.bytes().all(|b| b.is_ascii_digit()));
        let end = opened.get(3..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if (at == 0 || marked)
            && end
            && let Some(code) = code.and_then(|c| c.parse().ok()).filter(|c| codes::ftp_reply(*c).is_some())
        {
            let rest = text.get(at + (word.len() - opened.len()) + 4..)?.trim();
            let rest = rest.trim_end_matches(['"', '\'', '>', ')', ']']);
            // A number alone is asked for as one.
            return (!rest.is_empty()).then_some((code, rest));
        }
    }
    None
}

/// What servers say in clear text where a TLS record is due, for the two characters that Java and GnuTLS show of it.
pub(super) fn ending_in(characters: &str) -> Option<String> {
    let ending: u16 = characters.parse().ok().filter(|_| characters.len() == 2)?;
    let said = |code: u16| {
        let kinds = ["handshake-failed", "oops", "tls-required", "login-refused"];
        let mut rows = codes::fingerprints().filter(|f| f.code == Some(code) && kinds.contains(&f.kind));
        rows.next().map(|f| format!("{} says so: \"{}\"", f.product, f.text.replace('*', "...")))
    };
    let mut candidates: Vec<(bool, String)> = codes::ftp_replies()
        .filter(|r| r.code % 100 == ending && r.code >= 200)
        .map(|r| match said(r.code) {
            Some(words) => (false, format!("  {}  {}; {words}", r.code, r.meaning)),
            None => (true, format!("  {}  {}", r.code, r.meaning)),
        })
        .collect();
    candidates.sort_by_key(|(rare, _)| *rare);
    let lines: Vec<String> = candidates.into_iter().map(|(_, line)| line).take(5).collect();
    (!lines.is_empty()).then(|| format!("So it was an FTP reply, one of:\n{}\n", lines.join("\n")))
}
