//! Ids, codes and error texts to words: the pages of findings and causes, the rows of the code tables, and lines as they
//! are pasted. An answer is one screen of ASCII; what is not known stays unknown.

mod alerts;
mod ciphers;
mod layout;
mod messages;
mod numbers;
mod pages;
mod replies;
mod tables;
mod texts;
mod words;
mod zos;

pub use pages::{ids, page};

use crate::codes;

/// More of a pasted text is not looked at.
const MOST_TEXT: usize = 8 * 1024;
/// A list of suites so long is no host name.
const LONG_LIST: usize = 16;

/// What is known of an id or a code: `plaintext-instead-of-tls`, `gsk 410`, `alert 40`, `ftp 534`, `cipher 2F`, `EZA2897I`;
/// of a value alone (`410`, `AES256-SHA`), with every table that knows it; or of a line as another program prints it: `GnuTLS
/// error -15`, `0A00010B`, `534 Policy requires SSL.`, `EZD1287I TTLS Error RC: 5003`. Case and quoting do not matter.
pub fn explain(words: &[&str]) -> Option<String> {
    let whole = words.join(" ");
    let end = whole.char_indices().map(|(at, _)| at).take_while(|at| *at <= MOST_TEXT).last().unwrap_or_default();
    let text = if whole.len() <= MOST_TEXT { whole.as_str() } else { whole.get(..end)? };
    let words: Vec<&str> = text.split_whitespace().collect();
    let answer = match words.as_slice() {
        [word] => alone(word),
        [table, values @ ..] => tables::asked(table, values),
        [] => None,
    };
    let text = words.join(" ");
    answer.or_else(|| pasted(&text)).map(|text| layout::screen(&text))
}

/// A word by itself.
fn alone(word: &str) -> Option<String> {
    let page = pages::summary(&word.to_ascii_lowercase());
    page.or_else(|| tables::listed(word, tables::alone(word))).or_else(|| pages::statement(word))
}

/// A line or more, as somebody copied it.
fn pasted(text: &str) -> Option<String> {
    let record = alerts::record(text);
    let clear = clear_text(text);
    let of_zos = messages::in_text(text);
    let reply = if of_zos.is_none() { replies::line(text) } else { None };
    // What a record or a message id says needs no guess from words.
    let alert = if record.is_none() { alerts::in_text(text) } else { None };
    let alert = alert.map(|a| {
        let collect = "Collect next: what the other end wants (ftpsdiag probe HOST), and its log of that second.";
        format!("The other end sent an alert.\n{}{collect}\n", alerts::explained(a))
    });
    let known = reply.is_some() || alert.is_some();
    // The words of System SSL are not those of another library.
    let hidden = if of_zos.is_none() { texts::explained(text, known) } else { None };
    let ended = text.split_once("COND CODE ").filter(|_| text.contains("IEF142I"));
    let ended = ended.and_then(|(_, cc)| zos::condition(cc.split(' ').next()?.parse().ok()?));
    let parts: Vec<String> = [record, clear, of_zos, ended, reply, alert, hidden].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Hex that is the beginning of an FTP reply: what a client took for a record header.
fn clear_text(text: &str) -> Option<String> {
    let parts = text.split([' ', ':', ',']).filter(|p| !p.is_empty());
    let digits: String = parts.map(|p| p.strip_prefix("0x").unwrap_or(p)).collect();
    if !(8..=400).contains(&digits.len()) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(core::str::from_utf8(two).ok()?, 16).ok()).collect();
    let shown: String = bytes?.into_iter().filter(|b| !matches!(b, b'\r' | b'\n')).map(char::from).collect();
    let printable = shown.chars().all(|c| (' '..='~').contains(&c));
    let code = shown.get(..3).filter(|_| printable)?.parse().ok().and_then(codes::ftp_reply)?;
    shown.get(3..4).filter(|c| [" ", "-"].contains(c))?;
    let more = layout::more(&["plaintext-instead-of-tls"]);
    Some(format!("These bytes are clear text, no TLS: \"{shown}\", FTP reply {}.\n{}\n{more}", code.code, code.meaning))
}

/// Whether words can only be meant for [`explain`], although each of them could be the name of a host: the id of a page or a
/// message, a code with its table, an error exactly as it is spelled. A name with a dot inside is a host's.
#[must_use]
pub fn is_name(words: &[&str]) -> bool {
    let words: Vec<&str> = words.iter().flat_map(|w| w.split_whitespace()).collect();
    match words.as_slice() {
        [] => false,
        [word] => {
            // A short word such as `eof`, `x25519` or `c030` may well be somebody's machine.
            let odd = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '.';
            let spelled = word.contains('_') || (word.len() >= 8 && word.contains(odd));
            let digits = word.bytes().all(|b| b.is_ascii_hexdigit());
            page(&word.to_ascii_lowercase()).is_some()
                || codes::zos_message(word).is_some()
                || (spelled && codes::is_error_text(word))
                || (spelled && (!digits || word.len() >= LONG_LIST) && !tables::alone(word).is_empty())
        }
        [table, values @ ..] => {
            let dotted = words.iter().any(|w| w.trim_end_matches('.').contains('.'));
            tables::asked(table, values).is_some() || (!dotted && explain(&words).is_some())
        }
    }
}
