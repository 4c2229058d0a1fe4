//! Lines, commands and replies, in ASCII or EBCDIC.

use super::event::{Kind, Reply};
use super::{Link, clearing, is_server};
use crate::transcript::Side;
use crate::wire::sniff::{Encoding, Speaker, sniff};
use crate::wire::{ebcdic, ftp, printable};

/// Longest reply that is read as one.
const LONGEST_REPLY: usize = 256 * 1024;

/// What was found at the front of a flow of text.
pub(super) enum Unit {
    Is(usize, Kind),
    Needs,
    NotText(Kind),
}

/// How far the front of a flow has been looked at.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Bytes that hold whole lines of a reply that goes on, or no line end.
    scanned: usize,
    /// Lines up to here belong to the reply.
    lines_end: usize,
    /// Code of the multi-line reply that is open.
    open: Option<u16>,
}

impl State {
    /// Whether a multi-line reply is open: what follows belongs to it, whatever it looks like.
    pub(super) fn is_begun(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn unit(&mut self, bytes: &[u8], from: Side, tls_due: bool, link: &mut Link) -> Unit {
        let Some(encoding) = encoding_of(bytes, from) else { return Unit::Needs };
        loop {
            let unseen = bytes.get(self.scanned..).unwrap_or_default();
            let longest = self.lines_end + ftp::LONGEST_LINE;
            let end = unseen.iter().position(|b| ends_line(*b, encoding)).map(|n| self.scanned + n + 1);
            let Some(end) = end.filter(|end| *end <= longest) else {
                if bytes.len() >= longest {
                    return self.take(bytes, longest, from, tls_due, encoding, false, link);
                }
                self.scanned = bytes.len();
                return Unit::Needs;
            };
            let line = as_ascii(bytes.get(self.lines_end..end).unwrap_or_default(), encoding);
            self.scanned = end;
            self.lines_end = end;
            let reply = ftp::reply_line(&line).filter(|_| is_server(from));
            let whole = match (self.open, reply) {
                (None, Some(r)) if !r.last => {
                    self.open = Some(r.code);
                    false
                }
                (Some(code), Some(r)) => r.last && r.code == code,
                (Some(_), None) => false,
                (None, _) => true,
            };
            if whole || end >= LONGEST_REPLY {
                return self.take(bytes, end, from, tls_due, encoding, whole, link);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, and all of it is the state of one line")]
    fn take(
        &mut self,
        bytes: &[u8],
        len: usize,
        from: Side,
        tls_due: bool,
        encoding: Encoding,
        whole: bool,
        link: &mut Link,
    ) -> Unit {
        *self = Self::default();
        let ascii = as_ascii(bytes.get(..len).unwrap_or_default(), encoding);
        let is_reply = is_server(from) && ftp::reply_line(&ascii).is_some();
        if !is_reply && !reads_as_text(&ascii) {
            let speaker = sniff(bytes);
            return Unit::NotText(if tls_due { Kind::OtherInsteadOfTls { speaker } } else { Kind::Undecoded });
        }
        let is_clear = tls_due && whole && !link.is_read && clearing::is_clear(&link.sealed, from, &ascii);
        if is_clear {
            (link.tls_due, link.cleared) = (false, true);
        }
        let kind = kind_of(&ascii, from, tls_due && !is_clear, encoding, whole);
        match &kind {
            Kind::Command { verb, line } => {
                link.auth_asked = ftp::asks_for_tls(line);
                link.ccc_asked = verb == "CCC";
            }
            Kind::Reply(r) if r.code >= 200 && link.auth_asked => {
                link.auth_asked = false;
                // 234 is the reply of RFC 4217; 200 and 334 are seen in the wild and mean the same.
                if r.code < 400 {
                    (link.tls_due, link.cleared) = (true, false);
                }
            }
            Kind::Reply(r) if r.code >= 200 && link.ccc_asked => {
                link.ccc_asked = false;
                if r.code < 400 {
                    (link.tls_due, link.cleared) = (false, true);
                }
            }
            _ => {}
        }
        Unit::Is(len, kind)
    }

    /// What remains when nothing more comes.
    pub(super) fn cut_short(&mut self, rest: &[u8], from: Side, tls_due: bool) -> Kind {
        let encoding = encoding_of(rest, from).unwrap_or(Encoding::Ascii);
        let ascii = as_ascii(rest, encoding);
        *self = Self::default();
        let begins_reply = is_server(from) && reply_of(&ascii, false).is_some();
        if !begins_reply && !reads_as_text(&ascii) {
            return if tls_due { Kind::OtherInsteadOfTls { speaker: sniff(rest) } } else { Kind::Undecoded };
        }
        if tls_due || begins_reply {
            return kind_of(&ascii, from, tls_due, encoding, false);
        }
        Kind::CutShort { what: if is_server(from) { "reply" } else { "command" }, missing: None }
    }
}

/// Text of any character set has something of ASCII in it.
fn reads_as_text(ascii: &[u8]) -> bool {
    let foreign = !ascii.is_empty() && ascii.iter().all(|b| *b >= 0x80);
    !foreign && ascii.iter().all(|b| ftp::is_text(*b))
}

fn kind_of(ascii: &[u8], from: Side, tls_due: bool, encoding: Encoding, whole: bool) -> Kind {
    let reply = is_server(from).then(|| reply_of(ascii, whole)).flatten();
    match reply {
        reply if tls_due => match sniff(ascii) {
            speaker @ (Speaker::Ssh | Speaker::Http) => Kind::OtherInsteadOfTls { speaker },
            _ => Kind::TextInsteadOfTls { reply, text: printable(ascii), encoding },
        },
        Some(reply) => Kind::Reply(reply),
        None if is_server(from) => Kind::Text { text: printable(ftp::without_line_end(ascii)) },
        None => {
            let line = ftp::without_telnet(ascii);
            let (verb, _) = ftp::command(line);
            Kind::Command { verb: crate::wire::printable_str(&verb), line: printable(ftp::without_line_end(line)) }
        }
    }
}

/// The reply that these lines are.
fn reply_of(ascii: &[u8], whole: bool) -> Option<Reply> {
    // `550` alone may go on as `5503`: a code is one when a blank, a hyphen or the line's end follows.
    if !whole && ascii.len() < 4 {
        return None;
    }
    let mut lines = ascii.split_inclusive(|b| *b == b'\n');
    let first = ftp::reply_line(lines.next()?)?;
    let mut text = printable(first.text);
    for line in lines {
        let words = match ftp::reply_line(line) {
            Some(r) if r.code == first.code => r.text,
            _ => ftp::without_line_end(line),
        };
        text.push_str(" / ");
        text.push_str(&printable(words));
    }
    Some(Reply { code: first.code, text, whole })
}

/// A digit in EBCDIC is F0 to F9: the first byte of a server decides. A client's line is EBCDIC when it then begins with a verb
/// that is known. `None` while the verb is not whole, so that chunks cannot show.
fn encoding_of(bytes: &[u8], from: Side) -> Option<Encoding> {
    if is_server(from) {
        let is_digit = matches!(bytes.first(), Some(0xf0..=0xf9));
        return Some(if is_digit { Encoding::Ebcdic } else { Encoding::Ascii });
    }
    let line = ftp::without_telnet(bytes);
    let begin = line.get(..=ftp::LONGEST_VERB).unwrap_or(line);
    if ftp::telnet_command(line).is_some() {
        return None;
    }
    if begin.first().is_none_or(|b| *b < 0x80) {
        return Some(Encoding::Ascii);
    }
    let verb = ebcdic::decode(begin);
    let is_whole = verb.len() > ftp::LONGEST_VERB || verb.iter().any(|b| matches!(b, b' ' | b'\r' | b'\n'));
    match (ftp::may_begin_command(&verb), is_whole) {
        (false, _) => Some(Encoding::Ascii),
        (true, true) => Some(Encoding::Ebcdic),
        (true, false) => None,
    }
}

fn ends_line(b: u8, encoding: Encoding) -> bool {
    b == b'\n' || (encoding == Encoding::Ebcdic && ebcdic::to_latin1(b) == b'\n')
}

fn as_ascii(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Ascii => bytes.to_vec(),
        Encoding::Ebcdic => ebcdic::decode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::transcript::dialogue;

    fn commands(play: &str) -> Vec<String> {
        let events = decode(&dialogue::parse(play).unwrap()).events;
        events
            .into_iter()
            .map(|e| if let Kind::Command { line, .. } = e.kind { line } else { format!("{:?}", e.kind) })
            .collect()
    }

    #[test]
    fn interrupts_of_telnet_come_before_a_command() {
        for before in ["fff4fff2", "fff4 f2", "fff2", "f2"] {
            assert_eq!(commands(&format!("0 C {before} \"ABOR\\r\\n\"")), ["ABOR"], "{before}");
        }
        let bytewise: String = b"\xff\xf4\xff\xf2abor\r\n".iter().map(|b| format!("0 C {b:02x}\n")).collect();
        assert_eq!(commands(&bytewise), ["abor"]);
    }

    #[test]
    fn commands_in_ebcdic() {
        // USER bob<CR><LF>, PWD<NEL>
        let line = "e4e2c5d940829682 0d25 d7e6c415";
        assert_eq!(commands(&format!("0 C {line}")), ["USER bob", "PWD"]);
        let bytewise: String = line
            .replace(' ', "")
            .as_bytes()
            .chunks(2)
            .map(|b| format!("0 C {}\n", str::from_utf8(b).unwrap()))
            .collect();
        assert_eq!(commands(&bytewise), ["USER bob", "PWD"]);
        // A name in Latin-1 where a verb should be stays what it is.
        assert_eq!(commands("0 C e4e2c541 0d0a"), ["\\xe4\\xe2\\xc5A"]);
    }
}
