//! Masks what a client sends as PASS and ACCT on a control connection, byte by byte, also where bytes are missing.

use std::collections::BTreeMap;

use super::mask_echo::{Typed, mask_echoes};
use super::secrets::{MASK, SECRET_VERBS};
use super::{ConnId, Flow, Layer, Role, Side, Transcript, What};
use crate::wire::tls::record::{Front, HEADER_LEN, front};
use crate::wire::tls::ssl2;
use crate::wire::{ebcdic, ftp};

/// Masks the arguments of PASS and ACCT in the client's bytes of every control connection.
/// TLS records are stepped over, so encrypted bytes that look like a command stay as they are.
/// Behind a gap a line of text that no other command begins may be the rest of a password, and is masked whole.
pub fn mask_flows(t: &mut Transcript) {
    let mut flows: BTreeMap<Flow, Mask> = BTreeMap::new();
    let mut typed: BTreeMap<ConnId, Typed> = BTreeMap::new();
    let conns = &t.conns;
    for (n, entry) in t.entries.iter_mut().enumerate() {
        let role = conns.get(usize::from(entry.conn.0)).map(|c| c.role).unwrap_or_default();
        let flow = |layer| Flow { conn: entry.conn, layer, from: Side::Client };
        match &mut entry.what {
            What::Bytes { from: Side::Client, layer, data, .. } if role == Role::Control => {
                let typed = typed.entry(entry.conn).or_insert_with(|| Typed::at(n));
                *data = flows.entry(flow(*layer)).or_default().filter(data, *layer, typed);
            }
            What::Gap { from: Side::Client, len } => flows.entry(flow(Layer::Wire)).or_default().miss(*len),
            // What was not kept is missing here too.
            What::Skipped { from: Side::Client, layer, len, .. } if role == Role::Control => {
                flows.entry(flow(*layer)).or_default().miss(Some(*len));
            }
            _ => {}
        }
    }
    mask_echoes(t, &mut typed);
}

/// Where in a flow of commands a byte stands.
#[derive(Debug, Default)]
enum Mask {
    /// At the beginning of a line; holds the bytes of it so far.
    #[default]
    LineStart,
    Begun(Vec<u8>),
    InLine,
    Secret,
    /// The same in a line of EBCDIC, which ends otherwise.
    InEbcdic,
    EbcdicSecret,
    /// Inside a TLS record, or a hello of SSL 2: this many bytes to go.
    Record(usize),
    /// Behind missing bytes: perhaps inside a password. Whether a part of it has been masked.
    Torn(bool),
    /// Behind missing bytes, and not in text: the last bytes, among which a command may begin anywhere.
    Noise(Vec<u8>),
}

impl Mask {
    fn filter(&mut self, data: &[u8], layer: Layer, typed: &mut Typed) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        let rest = match std::mem::take(self) {
            Mask::Torn(masked) => self.behind_gap(masked, data, &mut out),
            state => {
                *self = state;
                data
            }
        };
        let mut rest = rest;
        while let Some((&b, behind)) = rest.split_first() {
            // Most of a flow is inside records.
            if let Mask::Record(left) = self
                && *left > 1
                && let Some((inside, behind)) = rest.split_at_checked((*left - 1).min(rest.len()))
            {
                *left -= inside.len();
                out.extend_from_slice(inside);
                rest = behind;
                continue;
            }
            rest = behind;
            let state = std::mem::take(self);
            let was_secret = matches!(state, Mask::Secret | Mask::EbcdicSecret);
            *self = self.step(state, b, layer, &mut out);
            match self {
                Mask::Secret | Mask::EbcdicSecret if was_secret => typed.byte(b),
                _ if was_secret => typed.end(),
                _ => {}
            }
        }
        out
    }

    /// Bytes are missing. A secret stays one; a record of which more is left than that goes on.
    fn miss(&mut self, len: Option<u64>) {
        let len = len.and_then(|len| usize::try_from(len).ok());
        *self = match (std::mem::take(self), len) {
            (Mask::Record(left), Some(len)) if len < left => Mask::Record(left - len),
            (Mask::Record(left), Some(len)) if len == left => Mask::LineStart,
            (Mask::Secret | Mask::EbcdicSecret | Mask::Torn(true), _) => Mask::Torn(true),
            _ => Mask::Torn(false),
        };
    }

    /// Decides what the first bytes behind a gap are, and gives back those that are still to be read.
    fn behind_gap<'d>(&mut self, masked: bool, data: &'d [u8], out: &mut Vec<u8>) -> &'d [u8] {
        let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
        let (line, rest) = data.split_at_checked(end).unwrap_or((data, &[]));
        if data.is_empty() {
            *self = Mask::Torn(masked);
        } else if matches!(data.first(), Some(20..=24)) || (!masked && begins_with_verb(data)) {
            *self = Mask::LineStart;
        } else if let Some((line, rest)) = ebcdic_line(data) {
            if !masked && !line.is_empty() {
                out.extend(MASK.bytes().map(|_| EBCDIC_ASTERISK));
            }
            *self = if rest.is_empty() { Mask::Torn(true) } else { Mask::InEbcdic };
            return rest;
        } else if line.iter().any(|b| !ftp::is_text(*b)) {
            *self = Mask::Noise(Vec::new());
        } else {
            if !masked && !ftp::without_line_end(line).is_empty() {
                out.extend_from_slice(MASK.as_bytes());
            }
            out.extend(line.last().filter(|b| **b == b'\r'));
            *self = if rest.is_empty() { Mask::Torn(true) } else { Mask::InLine };
            return rest;
        }
        data
    }

    fn step(&self, state: Mask, b: u8, layer: Layer, out: &mut Vec<u8>) -> Mask {
        let shown = match state {
            Mask::Secret => matches!(b, b'\r' | b'\n'),
            Mask::EbcdicSecret => b == b'\r' || ends_ebcdic(b),
            _ => true,
        };
        out.extend(shown.then_some(b));
        match state {
            Mask::Record(left) if left > 1 => Mask::Record(left - 1),
            Mask::Record(_) => Mask::LineStart,
            Mask::Noise(last) => Self::noise(last, b, out),
            // The length in a record header may hold a line end.
            Mask::Begun(line) if matches!(line.first(), Some(20..=24 | 0x80..=0xff)) => {
                Self::begin(line, b, layer, out)
            }
            Mask::InEbcdic | Mask::EbcdicSecret if ends_ebcdic(b) => Mask::LineStart,
            Mask::EbcdicSecret if b != b'\r' => Mask::EbcdicSecret,
            Mask::InEbcdic | Mask::EbcdicSecret => Mask::InEbcdic,
            Mask::Secret | Mask::InLine | Mask::Begun(_) if b == b'\n' => Mask::LineStart,
            Mask::Secret if b != b'\r' => Mask::Secret,
            Mask::Secret | Mask::InLine => Mask::InLine,
            Mask::LineStart | Mask::Torn(_) => Self::begin(Vec::new(), b, layer, out),
            Mask::Begun(line) => Self::begin(line, b, layer, out),
        }
    }

    /// Where nobody knows whether a line begins, a verb with a blank begins a secret wherever it stands.
    fn noise(mut last: Vec<u8>, b: u8, out: &mut Vec<u8>) -> Mask {
        let is_secret = b == b' ' && SECRET_VERBS.iter().any(|v| v.as_bytes().eq_ignore_ascii_case(&last));
        if is_secret {
            out.extend_from_slice(MASK.as_bytes());
            return Mask::Secret;
        }
        if last.len() == ftp::LONGEST_VERB {
            last.remove(0);
        }
        last.push(b);
        Mask::Noise(last)
    }

    fn begin(mut line: Vec<u8>, b: u8, layer: Layer, out: &mut Vec<u8>) -> Mask {
        line.push(b);
        if layer == Layer::Wire && matches!(line.first(), Some(20..=24)) {
            return match front(&line) {
                Front::Record(header) if header.len > 0 => Mask::Record(usize::from(header.len)),
                Front::Record(_) => Mask::LineStart,
                Front::Undecided if line.len() < HEADER_LEN => Mask::Begun(line),
                _ => Mask::InLine,
            };
        }
        // Interrupts of telnet come before an ABOR (RFC 959, 4.1.3).
        if let Some(len) = ftp::telnet_command(&line) {
            return if line.len() < len { Mask::Begun(line) } else { Mask::LineStart };
        }
        if layer == Layer::Wire {
            match ssl2::front(&line, ssl2::Sender::Client) {
                ssl2::Front::Message(len) => return Mask::Record(len - line.len()),
                ssl2::Front::Undecided => return Mask::Begun(line),
                ssl2::Front::Not => {}
            }
        }
        let is_ebcdic = line.first().is_some_and(|b| *b >= 0x80);
        let ascii = if is_ebcdic { ebcdic::decode(&line) } else { line.clone() };
        let is_blank = matches!(ascii.last(), Some(b' ' | b'\t'));
        let blank = usize::from(is_blank);
        let known = |whole: bool| {
            let verb = ascii.get(..ascii.len().saturating_sub(if whole { blank } else { 0 })).unwrap_or_default();
            SECRET_COMMANDS.iter().any(|v| {
                let v = v.as_bytes();
                if whole {
                    verb.eq_ignore_ascii_case(v)
                } else {
                    v.len() >= verb.len() && v.iter().zip(verb).all(|(a, b)| a.eq_ignore_ascii_case(b))
                }
            })
        };
        if is_blank && known(true) {
            if is_ebcdic {
                out.extend(MASK.bytes().map(|_| EBCDIC_ASTERISK));
                return Mask::EbcdicSecret;
            }
            out.extend_from_slice(MASK.as_bytes());
            return Mask::Secret;
        }
        match is_ebcdic {
            _ if known(false) => Mask::Begun(line),
            true if ends_ebcdic(b) => Mask::LineStart,
            true => Mask::InEbcdic,
            false => Mask::InLine,
        }
    }
}

/// Commands of which all that follows is a secret: those of RFC 959, and the change of a password.
const SECRET_COMMANDS: [&str; 4] = ["PASS", "ACCT", "SITE PSWD", "SITE PASSWORD"];

/// `*` in EBCDIC.
const EBCDIC_ASTERISK: u8 = 0x5c;

/// Whether a byte ends a line of EBCDIC.
fn ends_ebcdic(b: u8) -> bool {
    b == b'\n' || ebcdic::to_latin1(b) == b'\n'
}

/// The line of EBCDIC that these bytes begin, and what stands behind it, its end first.
fn ebcdic_line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = data.iter().position(|b| *b == b'\r' || ends_ebcdic(*b)).unwrap_or(data.len());
    let (line, rest) = data.split_at_checked(len)?;
    let is_text = line.iter().all(|b| (b' '..=b'~').contains(&ebcdic::to_latin1(*b)));
    (is_text && line.iter().any(|b| *b >= 0x80)).then_some((line, rest))
}

/// Whether these bytes begin with a verb that is known, and whole.
fn begins_with_verb(data: &[u8]) -> bool {
    let front = data.get(..=ftp::LONGEST_VERB).unwrap_or(data);
    let is_whole = |front: &[u8]| front.iter().any(|b| matches!(b, b' ' | b'\r' | b'\n'));
    match front.first() {
        // Once only: there are bytes that lead back to themselves when they are decoded again and again.
        Some(0x80..) => {
            let decoded = ebcdic::decode(front).to_ascii_uppercase();
            is_whole(&decoded) && ftp::may_begin_command(&decoded)
        }
        _ => is_whole(front) && ftp::may_begin_command(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::dialogue;

    fn masked(play: &str) -> String {
        let mut t = dialogue::parse(play).unwrap();
        mask_flows(&mut t);
        let mut out = Vec::new();
        for e in t.entries {
            if let What::Bytes { data, .. } = e.what {
                out.extend(data);
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn every_byte_may_begin_what_is_left_of_a_line() {
        for first in 0..=255u8 {
            for behind in [&b""[..], b"ASS x\r\n", &[0xff; 40], &[first; 40]] {
                begins_with_verb(&[&[first], behind].concat());
            }
        }
        assert!(begins_with_verb(b"USER joe\r\n") && begins_with_verb(&[0xe4, 0xe2, 0xc5, 0xd9, 0x40, 0x91]));
    }

    #[test]
    fn a_password_is_masked_however_it_is_cut() {
        let want = "USER joe\r\nPASS ********\r\nLIST\r\n";
        assert_eq!(masked("0 C \"USER joe\\r\\nPASS s3cret\\r\\nLIST\\r\\n\""), want);
        let bytewise: String =
            "USER joe\r\npAsS s3cret\r\nLIST\r\n".bytes().map(|b| format!("0 C {b:02x}\n")).collect();
        assert_eq!(masked(&bytewise), want.replace("PASS", "pAsS"));
        assert_eq!(masked("0 C \"PASS ********\\r\\n\""), "PASS ********\r\n");
        assert_eq!(masked("0 C* \"PASS x\""), "PASS ********");
        assert_eq!(masked("0 C \"PASSIVE x\\r\\nPASS\\r\\n\""), "PASSIVE x\r\nPASS\r\n");
    }

    #[test]
    fn records_are_stepped_over_and_clear_text_behind_them_is_not() {
        let play = "0 C \"AUTH TLS\\r\\n\" 1603010006 \"PASS x\" \"PASS y\\r\\n\"";
        assert_eq!(masked(play), "AUTH TLS\r\n\u{16}\u{3}\u{1}\0\u{6}PASS xPASS ********\r\n");
    }

    #[test]
    fn what_stands_before_a_command_hides_none() {
        assert_eq!(masked("0 C fff4fff2 \"PASS x\\r\\n\"").as_bytes().last_chunk(), Some(b"PASS ********\r\n"));
        // PASS s<NEL>PWD<NEL> in EBCDIC.
        let mut t = dialogue::parse("0 C d7c1e2e240 a2 15 d7e6c415 \"PASS x\\r\\n\"").unwrap();
        mask_flows(&mut t);
        let What::Bytes { data, .. } = &t.entries[0].what else { panic!() };
        assert_eq!(
            data[..],
            [b"\xd7\xc1\xe2\xe2\x40\\\\\\\\\\\\\\\\\x15\xd7\xe6\xc4\x15PASS ********\r\n".as_slice()].concat()
        );
        // A hello of SSL 2 with a line end and a PASS in its challenge.
        let hello = "802201030100090000001000000a00002f000035 0a \"PASS secret\" 00000000";
        let play = format!("0 C {hello} \"PASS x\\r\\n\"");
        assert!(masked(&play).ends_with("PASS secret\0\0\0\0PASS ********\r\n"), "{:?}", masked(&play));
    }

    #[test]
    fn half_a_password_behind_a_gap_is_masked() {
        // Its verb is missing, or a part of it is.
        for play in [
            "0 C gap\n1 C \"s3cret\\r\\nLIST\\r\\n\"",
            "0 C \"USER joe\\r\\nPA\"\n1 C gap 4\n2 C \"cret\\r\\nLIST\\r\\n\"",
            "0 C \"PASS s\"\n1 C gap\n2 C \"cret\\r\\nLIST\\r\\n\"",
            "0 C \"PASS s\"\n1 C gap 2\n2 C \"cr\"\n3 C \"et\\r\\nLIST\\r\\n\"",
            "0 C gap\n1 C \"PASS s\"\n2 C gap\n3 C \"cret\\r\\nLIST\\r\\n\"",
        ] {
            let shown = masked(play);
            assert!(!shown.contains("cr") && shown.ends_with("********\r\nLIST\r\n"), "{play}: {shown:?}");
        }
        // In EBCDIC: s3cret<NEL>LIST<NEL>.
        let mut t = dialogue::parse("0 C gap\n1 C a2f383998585a3 15 d3c9e2e315\n2 C gap\n3 C d3c9e2e315").unwrap();
        mask_flows(&mut t);
        let bytes = t.entries.iter().filter_map(|e| match &e.what {
            What::Bytes { data, .. } => Some(data.as_slice()),
            _ => None,
        });
        let list = b"\xd3\xc9\xe2\xe3\x15".as_slice();
        assert_eq!(bytes.collect::<Vec<_>>(), [&[[EBCDIC_ASTERISK; 8].as_slice(), b"\x15", list].concat(), list]);
        // What another command begins is none; nor is what is no text.
        assert_eq!(masked("0 C gap\n1 C \"STOR cret\\r\\nPASS x\\r\\n\""), "STOR cret\r\nPASS ********\r\n");
        assert_eq!(masked("0 C gap\n1 C 1503030002 0228"), "\u{15}\u{3}\u{3}\0\u{2}\u{2}(");
    }

    #[test]
    fn what_was_not_kept_is_stepped_over() {
        let play = "0 C 1703030008\n1 C skipped 8 \"\"\n2 C \"PASS s3cret\\r\\n\"";
        assert!(masked(play).ends_with("PASS ********\r\n"));
        let play = "0 C 1703030008\n1 C skipped 99 \"\"\n2 C \"cret\\r\\nNOOP\\r\\n\"";
        assert!(masked(play).ends_with("********\r\nNOOP\r\n"));
    }

    #[test]
    fn records_behind_a_gap_stay_as_they_are() {
        let play = "0 C 17030300 0a 0102\n1 C gap 4\n2 C 414243 0a 1503030002 0228";
        assert_eq!(masked(play), "\u{17}\u{3}\u{3}\0\n\u{1}\u{2}ABC\n\u{15}\u{3}\u{3}\0\u{2}\u{2}(");
        // Where the place is lost, a command in clear is found wherever it stands.
        let play = "0 C gap\n1 C 4142004344 1703030001 55 \"PASS x\\r\\nNOOP\\r\\n\"";
        let shown = masked(play);
        assert!(shown.starts_with("AB\0CD\u{17}") && shown.ends_with("UPASS ********\r\nNOOP\r\n"), "{shown:?}");
    }
}
