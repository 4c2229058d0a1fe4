//! One line of hex: offset, label and gutter are cut off, whatever the dress.

use crate::transcript::Side;

/// Bytes of a line with an offset.
const LINE: usize = 16;

/// Fewest bytes that begin a block; shorter runs of hex digits are words.
const SHORTEST: usize = 5;

/// One line that is hex.
#[derive(Debug, PartialEq)]
pub(super) struct HexLine {
    pub offset: Option<u64>,
    pub label: Option<Side>,
    pub bytes: Vec<u8>,
    /// A group had an odd number of digits; its last digit was dropped.
    pub odd: bool,
}

/// Reads one line; `expected` is the offset that would go on with the block, `goes_on` whether there is one.
pub(super) fn read_line(text: &str, expected: u64, goes_on: bool) -> Option<HexLine> {
    let (label, text) = label(unwrapped(text));
    let text = unwrapped(text);
    let (bytes, odd, offset) = if text.contains("\\x") {
        (escapes(text)?, false, None)
    } else if text.contains("0x") && !starts_with_offset(text) {
        (list(text)?, false, None)
    } else if goes_on && matches!(text, "};" | "}" | "\"" | "\";") {
        (Vec::new(), false, None)
    } else {
        columns(text, expected)?
    };
    let enough = bytes.len() >= SHORTEST || goes_on || offset.is_some();
    enough.then_some(HexLine { offset, label, bytes, odd })
}

/// `client:`, `Server reply:`, `recv =` and the like in front of the bytes.
pub(super) fn label(text: &str) -> (Option<Side>, &str) {
    let Some((words, rest)) = text.split_once([':', '=']) else { return (None, text) };
    let words = words.trim().to_ascii_lowercase();
    let any = |of: &[&str]| words.split([' ', '_', '-', '>']).any(|w| of.contains(&w));
    let side = if words.split_whitespace().count() > 4 || is_number(&words) {
        return (None, text);
    } else if any(&["reply", "response", "answer", "received", "recv", "read", "in", "s", "serverhello"]) {
        Side::Server
    } else if any(&["sent", "send", "write", "out", "c", "clienthello"]) {
        if any(&["server"]) { Side::Server } else { Side::Client }
    } else if any(&["server"]) && !words.starts_with("client") {
        Side::Server
    } else if any(&["client"]) {
        Side::Client
    } else {
        return (None, text);
    };
    (Some(side), rest.trim())
}

/// Hex digits are an offset, not a label, whatever letters they make.
fn is_number(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A line without backticks around it, and `x'3535'` without its dress.
pub(super) fn unwrapped(text: &str) -> &str {
    let text = text.trim().trim_matches('`').trim();
    let constant = text.strip_prefix(['x', 'X']).and_then(|t| t.strip_prefix('\'')).and_then(|t| t.strip_suffix('\''));
    constant.unwrap_or(text)
}

/// `"\x16\x03"`, possibly with an assignment in front and quotes around.
fn escapes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut parts = text.split("\\x");
    let front = parts.next()?;
    if front.split_whitespace().count() > 6 {
        return None;
    }
    for part in parts {
        let digits = part.get(..2)?;
        bytes.extend(hex::decode(digits).ok()?);
        if part.get(2..)?.trim_matches(['"', '\'', ';', ',', ')', '+', '\\', ' ']).len() > 12 {
            return None;
        }
    }
    Some(bytes)
}

/// `0x16, 0x03`, or a line of a C array.
fn list(text: &str) -> Option<Vec<u8>> {
    let body = text.split_once('{').map_or(text, |(_, body)| body);
    let mut bytes = Vec::new();
    for token in body.split([' ', ',', ';', '}', ')', '(', '[', ']', '\t']).filter(|t| !t.is_empty()) {
        let digits = token.strip_prefix("0x").or_else(|| token.strip_prefix("0X"))?;
        let padded = if digits.len() == 1 { format!("0{digits}") } else { digits.to_owned() };
        bytes.extend(hex::decode(padded).ok()?);
    }
    (!bytes.is_empty() || text.contains('{')).then_some(bytes)
}

fn starts_with_offset(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|w| w.starts_with("0x") && w.ends_with(':'))
}

/// Groups of hex digits, behind an offset or not, with a gutter or not.
fn columns(text: &str, expected: u64) -> Option<(Vec<u8>, bool, Option<u64>)> {
    // z/OS draws its bars too: `+0000  35353020 │ 550  │`.
    let without_gutter =
        text.split_once(['|', '\u{2502}']).filter(|(hex, _)| !hex.trim().is_empty()).map_or(text, |(hex, _)| hex);
    let (offset, hex) = offset(without_gutter, expected);
    let hex = if offset.is_some() { hex.trim_start().split("   ").next().unwrap_or_default() } else { hex };
    let limit = if offset.is_some() { LINE } else { usize::MAX };
    // Colons and hyphens separate single bytes; with longer groups they are dates and times.
    let separated = hex.contains([':', '-']) && offset.is_none();
    let (mut bytes, mut odd, mut width) = (Vec::new(), false, None);
    for token in hex.split(|c: char| c.is_whitespace() || c == ',' || c == ':' || c == '-').filter(|t| !t.is_empty()) {
        let is_hex = token.bytes().all(|b| b.is_ascii_hexdigit());
        let ended = width.is_some_and(|w| token.len() > w) || bytes.len() + token.len() / 2 > limit;
        if offset.is_some() && (!is_hex || ended || token.len() % 2 == 1) {
            break; // the gutter
        }
        if !is_hex || (separated && token.len() != 2) {
            return None;
        }
        width = width.or(Some(token.len()));
        let even = token.get(..token.len() - token.len() % 2)?;
        odd |= token.len() % 2 == 1;
        bytes.extend(hex::decode(even).ok()?);
    }
    // A single short word, or several odd ones, are prose or numbers rather than bytes.
    let plausible = !odd || bytes.len() >= 8;
    let nothing = bytes.is_empty() && !(offset.is_some() && expected > 0);
    (plausible && !nothing).then_some((bytes, odd, offset))
}

/// The offset in front of a line: with a colon, or equal to what is expected (hex as `hexdump -C` and Wireshark write
/// it, octal as `od` does).
fn offset(text: &str, expected: u64) -> (Option<u64>, &str) {
    let trimmed = text.trim_start();
    let end = trimmed.find([' ', '\t', ':']).unwrap_or(trimmed.len());
    let Some((word, rest)) = trimmed.split_at_checked(end) else { return (None, text) };
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix('+')).unwrap_or(word);
    if !(4..=8).contains(&digits.len()) {
        return (None, text);
    }
    let hexadecimal = u64::from_str_radix(digits, 16).ok();
    let octal = (digits.len() == 7).then(|| u64::from_str_radix(digits, 8).ok()).flatten();
    if let (Some(rest), Some(offset)) = (rest.strip_prefix(':'), hexadecimal)
        && rest.starts_with([' ', '\t'])
    {
        return (Some(offset), rest);
    }
    // A new dump begins at 0.
    match [octal, hexadecimal].into_iter().flatten().find(|o| *o == expected || *o == 0) {
        Some(offset) => (Some(offset), rest),
        None => (None, text),
    }
}
