//! Errors as other programs print them: what they hide, and what to collect next.

use std::fmt::Write as _;

use super::layout::{more, sure};
use super::{pages, replies};
use crate::codes::{self, ErrorText};

/// How many rows of the table of error texts are shown.
const MOST: usize = 2;

/// How a row begins that only says to look at what stands beside it.
const VAGUE: [&str; 7] = [
    "the handshake failed; this line",
    "the TLS handshake failed; the text behind",
    "a fatal alert of the peer",
    "a reply of the server",
    "OpenSSL failed in",
    "this program refused the certificate",
    "lftp refused the certificate",
];

/// What an error text hides. Where an alert, a reply or a better row is `known`, the vague ones are left out.
pub(super) fn explained(text: &str, mut known: bool) -> Option<String> {
    let mut out = String::new();
    if let Some(characters) = characters(text) {
        let _ = writeln!(out, "Text was taken for a TLS record: its second and third character are \"{characters}\".");
        match characters.as_str() {
            "SH" => out.push_str("So it was perhaps SSH-2.0-...: an SSH (SFTP) server on that port.\n"),
            "TT" => out.push_str("So it was perhaps HTTP/1.1 ...: a web server or proxy on that port.\n"),
            _ => out.push_str(&replies::ending_in(&characters).unwrap_or_default()),
        }
    }
    let mut shown: Vec<ErrorText> = Vec::new();
    let is_vague = |row: &ErrorText| VAGUE.iter().any(|v| row.hides.starts_with(v));
    let mut found = codes::error_texts(text);
    found.sort_by_key(|(row, _)| is_vague(row));
    for (row, spelling) in found {
        let vague = known && is_vague(&row);
        // Several texts of one error say the same, and the short ones stand in the long ones.
        let said = shown.iter().any(|s| s.hides == row.hides || s.text.contains(spelling));
        if shown.len() < MOST && !said && !vague {
            out.push_str(&one(&row, spelling));
            shown.push(row);
            known = true;
        }
    }
    (!out.is_empty()).then_some(out)
}

fn one(row: &ErrorText, spelling: &str) -> String {
    // The pages stand in the row as its last sentence.
    let (hides, see) = row.hides.split_once(". See ").unwrap_or((row.hides, ""));
    let (see, rest) = see.split_once(". ").map_or((see, None), |(see, rest)| (see, Some(rest)));
    let mut out = format!("{}: \"{spelling}\"\n{}.\n", row.program, sure(hides, row.confirmed));
    if let Some(rest) = rest {
        let _ = writeln!(out, "{rest}.");
    }
    let stop = if row.collect.ends_with('?') { "" } else { "." };
    let _ = writeln!(out, "Collect next: {}{stop}", row.collect);
    let ids: Vec<&str> = see.split(", ").filter(|id| pages::ids().any(|known| known == *id)).collect();
    out + &more(&ids)
}

/// Java's `Unsupported record version Unknown-48.48` and GnuTLS's `SSL 48.48 packet received` hold two characters of what
/// came: `500 OOPS` has 48 and 48 behind its 5.
fn characters(text: &str) -> Option<String> {
    let (_, numbers) = text.split_once("Unknown-").or_else(|| text.split_once("SSL "))?;
    let (first, rest) = numbers.split_once('.')?;
    let second: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let character = |n: &str| n.parse::<u8>().ok().filter(|c| (b' '..=b'~').contains(c)).map(char::from);
    Some([character(first)?, character(&second)?].iter().collect())
}
