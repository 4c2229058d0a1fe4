//! Lines of a System SSL trace as IPCS prints them, taken apart as bytes; what is not exactly so is none.

use crate::transcript::Micros;

/// A longer line may end in a sequence number (columns 73 to 80).
const LONGEST_LINE: usize = 79;

/// Most words of a text.
const MOST_WORDS: usize = 24;

/// Bytes of a line of a dump.
pub(super) const LINE: usize = 16;

/// A part of a line: where it begins and ends.
pub(super) type Part = (usize, usize);

/// The line without blanks at its end, if it is printable ASCII and not too long.
pub(super) fn printed(line: &str) -> Option<&str> {
    let text = line.trim_ascii_end();
    // To the end of the line, so that the processor looks at many bytes at once.
    let is_other = line.bytes().fold(false, |other, b| other | !(0x20..0x7f).contains(&b));
    (text.len() <= LONGEST_LINE && !is_other).then_some(text)
}

/// The words of a line with their places; `N` of them and no more.
fn words<const N: usize>(text: &str) -> Option<[(usize, &str); N]> {
    let mut out = [(0, ""); N];
    let mut at = 0;
    for place in &mut out {
        let rest = text.get(at..)?;
        let word = rest.trim_ascii_start();
        at += rest.len() - word.len();
        let len = word.bytes().position(|b| b == b' ').unwrap_or(word.len());
        if len == 0 {
            return None;
        }
        *place = (at, word.get(..len)?);
        at += len;
    }
    (at == text.len()).then_some(out)
}

/// `S0W1 MESSAGE 00000008 01:49:34.380195 SSL_INFO`
pub(super) fn heading(text: &str) -> Option<(bool, Micros, Part)> {
    let [(_, system), (_, kind), (_, id), (_, time), (at, description)] = words(text)?;
    let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"@#$".contains(&b);
    // Messages have such ids, and commands such names.
    let other = system.starts_with("EZ") || matches!(system, "PASS" | "ACCT");
    let is_system = system.len() <= 8 && system.bytes().all(is_name) && !other;
    let is_dump = kind == "DUMP";
    let known = is_dump || kind == "MESSAGE";
    let of_ssl = description.starts_with("SSL_") && description.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let whole = is_system && known && of_ssl && id.len() == 8 && number(id.as_bytes()).is_some();
    whole.then_some((is_dump, moment(time.as_bytes())?, (at, at + description.len())))
}

/// `Job SJP1 Process 0501028D Thread 00000001 send_v3_client_hello`
pub(super) fn job(text: &str) -> Option<[Part; 4]> {
    let [(_, j), job, (_, p), process, (_, t), thread, function] = words(text)?;
    let hex = |(_, w): (usize, &str)| w.len() == 8 && number(w.as_bytes()).is_some();
    let named = (j, p, t) == ("Job", "Process", "Thread") && hex(process) && hex(thread);
    named.then(|| [job, process, thread, function].map(|(at, w)| (at, at + w.len())))
}

/// Hex digits as a number.
pub(super) fn number(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0, |n, b| Some(n << 4 | char::from(*b).to_digit(16)? as usize))
}

/// `01:49:34.380195`, and no other precision.
fn moment(time: &[u8]) -> Option<Micros> {
    let [a, b, b':', c, d, b':', e, f, b'.', micros @ ..] = time else { return None };
    let number =
        |digits: &[u8]| digits.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(*b - b'0')));
    let (hours, minutes, seconds) = (number(&[*a, *b])?, number(&[*c, *d])?, number(&[*e, *f])?);
    let whole = micros.len() == 6 && minutes < 60 && seconds <= 60;
    let micros = number(micros)?;
    whole.then_some(Micros(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros))
}

/// Whether a gutter between asterisks holds nothing that looks like the beginning of a record, like a secret, or like its own end.
pub(super) fn is_plain_gutter(gutter: &[u8]) -> bool {
    let Some(inner) = gutter.strip_prefix(b"*").and_then(|g| g.strip_suffix(b"*")) else { return false };
    if inner.len() != LINE {
        return false;
    }
    let mut word = 0;
    let mut first = true;
    for (n, b) in inner.iter().enumerate() {
        match b {
            b' ' => {
                // A word in the middle: ids have six characters at least; and an asterisk behind it ends the gutter.
                let asterisk = n > 0 && inner.get(n - 1) == Some(&b'*');
                if asterisk || !first && word >= 6 {
                    return false;
                }
                (word, first) = (0, false);
            }
            b'"' | b'&' | b'<' => return false,
            _ => word += 1,
        }
    }
    // What a mask looks for.
    !inner.windows(3).any(|w| {
        let lower = [w.first(), w.get(1), w.get(2)].map(|b| b.map_or(0, u8::to_ascii_lowercase));
        matches!(&lower, b"pas" | b"acc" | b"pwd" | b"://" | b"psk" | b"ey:" | b"use" | [b'-', b'u', _])
    })
}

/// Whether a text is short enough, and has none of what another layout begins with.
pub(super) fn is_plain_text(text: &str) -> bool {
    let words = || text.split(' ').filter(|w| !w.is_empty());
    let counts = || words().count() == 3 && (text.ends_with(" bytes received") || text.ends_with(" bytes written"));
    let first = text.trim_start().as_bytes().first().copied().unwrap_or_default();
    words().count() <= MOST_WORDS && (first.is_ascii_alphabetic() || first.is_ascii_digit() && counts())
}
