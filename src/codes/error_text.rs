//! What other programs print when TLS fails: what it hides, and what to collect next.

use super::table::{Cells, Confirmed, Record, rows};

pub(super) const TEXTS: &str = include_str!("error_texts.tsv");

/// An error text or code of some program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorText {
    /// Who prints it.
    pub program: &'static str,
    /// The part that recognises it.
    pub text: &'static str,
    /// What lies behind it.
    pub hides: &'static str,
    /// What to collect next.
    pub collect: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for ErrorText {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            program: cells.text()?,
            text: cells.text()?,
            hides: cells.text()?,
            collect: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// The rows whose text stands in a pasted error, the most specific first. Case and brackets do not matter:
/// `curl: (35)` is `curl 35`.
pub fn error_texts(pasted: &str) -> Vec<ErrorText> {
    let kept = |c: char| if "():\"'`,;[]".contains(c) { ' ' } else { c.to_ascii_lowercase() };
    let words: String = pasted.chars().map(kept).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let stands = |row: &ErrorText| {
        let text = row.text.to_ascii_lowercase().replace('\'', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.match_indices(&text).any(|(at, found)| {
            // A code is a whole word: -1 is not in -15.
            let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
            ends(words.get(..at).and_then(|w| w.chars().next_back()))
                && ends(words.get(at + found.len()..).and_then(|w| w.chars().next()))
        })
    };
    let mut found: Vec<ErrorText> = rows(TEXTS).filter(stands).collect();
    found.sort_by_key(|row| core::cmp::Reverse(row.text.len()));
    found
}
