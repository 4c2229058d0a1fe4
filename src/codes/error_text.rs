//! What other programs print when TLS fails: what it hides, and what to collect next.

use std::sync::LazyLock;

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const TEXTS: &str = include_str!("error_texts.tsv");
pub(super) static TEXT_ROWS: Table<ErrorText> = Table::new(TEXTS, |a, b| a.program.cmp(b.program));

/// Each row with its spellings, and the words of each.
static SPELLINGS: LazyLock<Vec<(&ErrorText, Vec<Spelling>)>> = LazyLock::new(|| {
    let of = |row: &'static ErrorText| row.text.split('|').map(|text| Spelling { text, words: words(text) }).collect();
    TEXT_ROWS.rows().iter().map(|row| (row, of(row))).collect()
});

/// One spelling of an error.
struct Spelling {
    text: &'static str,
    words: Vec<String>,
}

/// An error text or code of some program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorText {
    /// Who prints it.
    pub program: &'static str,
    /// The words that recognise it: one or several spellings, `|` between them.
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

/// The rows of which a spelling stands in a pasted error, with that spelling, the most specific first.
#[must_use]
pub fn error_texts(pasted: &str) -> Vec<(ErrorText, &'static str)> {
    // Blanks around, so that a word is a whole word.
    let spaced = |words: &[String]| format!(" {} ", words.join(" "));
    let pasted = spaced(&words(pasted));
    let stands = |spelling: &&Spelling| pasted.contains(&spaced(&spelling.words));
    let longest = |all: &[Spelling]| all.iter().filter(stands).map(|s| s.text).max_by_key(|s| s.len());
    let mut found: Vec<(ErrorText, &'static str)> =
        SPELLINGS.iter().filter_map(|(row, all)| Some((**row, longest(all)?))).collect();
    found.sort_by_key(|(_, spelling)| core::cmp::Reverse(spelling.len()));
    found
}

/// Whether a word is nothing but a spelling of an error.
#[must_use]
pub fn is_error_text(word: &str) -> bool {
    let own = words(word);
    !own.is_empty() && SPELLINGS.iter().any(|(_, all)| all.iter().any(|s| s.words == own))
}

/// Words in lower case, taken apart at blanks, `_` and punctuation; a dot or a hyphen inside belongs to its word, so that a
/// host name stays one word.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "_()[]{}<>:;,\"`=?!#".contains(c));
    let parts = parts.map(|p| p.replace('\'', "").trim_matches('.').to_ascii_lowercase()).filter(|p| !p.is_empty());
    let mut out: Vec<String> = Vec::new();
    let mut behind_number_giver = false;
    for word in parts {
        // `curl error 35`, `curl: exit code 35` and `curl: (35)` are one.
        if behind_number_giver && ["error", "exit", "code", "rc", "status", "returned"].contains(&word.as_str()) {
            continue;
        }
        behind_number_giver = matches!(word.as_str(), "curl" | "gnutls");
        let otherwise = in_openssl_3(&word).or_else(|| in_hex(&word));
        out.push(word);
        out.extend(otherwise);
    }
    out
}

/// Up to OpenSSL 1.1 an error of libssl was 14, three digits for the function and three for the reason; the reasons stayed.
fn in_openssl_3(word: &str) -> Option<String> {
    let digits = word.strip_prefix("14").filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some(format!("0a000{}", digits.get(3..)?))
}

/// Windows codes that .NET shows as a negative number: -2146893018 is 0x80090326.
fn in_hex(word: &str) -> Option<String> {
    let code: i32 = word.strip_prefix('-').filter(|d| d.len() == 10).and_then(|_| word.parse().ok())?;
    Some(format!("{:08x}", code.cast_unsigned()))
}
