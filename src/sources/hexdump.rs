//! Bytes as hex in the dresses that people paste: one string, spaced, `xxd`, `hexdump -C`, Wireshark and tcpdump
//! columns, `\x16`, `0x16,` lists and C arrays. Offsets and gutters are cut off; the direction, which hex does not
//! have, is taken from a label, else from the content, else assumed and said.

use super::hex_line::{label, read_line, unwrapped};
use super::{Block, Options, Piece};
use crate::error::InputError;
use crate::transcript::{ASSUMED_DIRECTION, Clock, ConnId, Entry, Fidelity, Layer, Side, What};
use crate::wire::ftp;
use crate::wire::sniff::{Speaker, sniff};
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};
use crate::wire::tls::{content, handshake};

/// Collects hex lines into blocks.
#[derive(Debug, Default)]
pub(super) struct Hex {
    open: Option<Run>,
    /// A label on a line of its own belongs to the next bytes.
    label: Option<Side>,
    runs: Vec<Run>,
    pub(super) problems: Vec<InputError>,
}

/// Lines that belong together.
#[derive(Debug, Default)]
struct Run {
    label: Option<Side>,
    bytes: Vec<u8>,
    lines: u64,
}

impl Hex {
    /// Takes a line if it is hex. Whether it counts is decided when its block ends.
    pub(super) fn line(&mut self, number: u64, text: &str) -> bool {
        if let (Some(side), "") = label(unwrapped(text)) {
            self.end_run();
            self.label = Some(side);
            return true;
        }
        let expected = self.open.as_ref().map_or(0, |run| run.bytes.len() as u64);
        let Some(mut line) = read_line(text, expected, self.open.is_some() || self.label.is_some()) else {
            self.end_run();
            return self.inside_prose(text);
        };
        line.label = line.label.or(self.label.take());
        if line.odd {
            let what = "a group of hex digits has an odd length; its last digit was left out";
            self.problems.push(InputError::unreadable("", what, "copy the line again, whole").at_line(number));
        }
        let other_speaker = line.offset.is_none()
            && self.open.as_ref().is_some_and(|run| is_whole(&run.bytes))
            && !matches!(sniff(&line.bytes), Speaker::Unknown | Speaker::Text(_));
        let anew = line.label.is_some() || (line.offset == Some(0) && expected > 0) || other_speaker;
        if anew {
            self.end_run();
        } else if let (Some(offset), true) = (line.offset, expected > 0)
            && offset != expected
        {
            let what = format!("this line has offset {offset:x}, the lines before it end at {expected:x}");
            self.problems.push(InputError::torn("", what, "paste the dump again, with every line").at_line(number));
            self.end_run();
        }
        let run = self.open.get_or_insert_default();
        run.label = run.label.or(line.label);
        run.bytes.extend(line.bytes);
        run.lines += 1;
        true
    }

    /// A whole TLS record as one word of a line of prose.
    fn inside_prose(&mut self, text: &str) -> bool {
        let mut any = false;
        for word in text.split(|c: char| !c.is_ascii_hexdigit()).filter(|w| w.len() >= 14 && w.len() % 2 == 0) {
            let bytes = hex::decode(word).unwrap_or_default();
            let Front::Record(Header { len, .. }) = front(&bytes) else { continue };
            if usize::from(len) + 5 <= bytes.len() {
                self.runs.push(Run { label: None, bytes, lines: 0 });
                any = true;
            }
        }
        any
    }

    /// Bytes that are no text at all: a flow as a program wrote it into a file.
    pub(super) fn raw(&mut self, bytes: Vec<u8>) {
        self.runs.push(Run { bytes, ..Run::default() });
    }

    fn end_run(&mut self) {
        if let Some(run) = self.open.take() {
            self.runs.push(run);
        }
    }

    /// The bytes as a block, and how many lines of those that were taken proved to be none.
    /// `alone` says that the input holds nothing else.
    pub(super) fn finish(&mut self, options: &Options, alone: bool, assumed: &mut Vec<String>) -> (Option<Block>, u64) {
        self.end_run();
        let mut refused = 0;
        let mut piece = Piece { clock: Clock::Relative, ..Piece::default() };
        let mut before = None;
        for run in std::mem::take(&mut self.runs).into_iter().flat_map(Run::split) {
            let content = direction(&run.bytes);
            let known = !matches!(sniff(&run.bytes), Speaker::Unknown | Speaker::Text(_));
            if content.or(run.label).or(options.from).is_none()
                && !(known && (alone || before.is_some()))
                && !(alone && options.only.is_some())
            {
                refused += run.lines;
                continue;
            }
            let from = content.or(run.label).or(options.from).unwrap_or_else(|| {
                // An answer follows a question.
                let from = before.map_or(Side::Server, Side::other);
                let (who, other) = if from == Side::Server { ("server", "client") } else { ("client", "server") };
                assumed.push(format!("{ASSUMED_DIRECTION} were taken for the {who}'s (--from {other} says otherwise)"));
                from
            });
            before = Some(from);
            let mut push = |data: Vec<u8>, fidelity| {
                let what = What::Bytes { from, layer: Layer::Wire, data, fidelity };
                piece.entries.push(Entry { at: None, conn: ConnId(0), what });
            };
            if let Some(len) = bare_handshake(&run.bytes) {
                let len = u16::try_from(len).unwrap_or(u16::MAX);
                let header = Header { content_type: content::HANDSHAKE, version: 0x0301, len };
                push(header.to_bytes().to_vec(), Fidelity::Rebuilt);
                assumed.push("a handshake message without its record header: the header was rebuilt".to_owned());
            }
            push(run.bytes, Fidelity::Exact);
        }
        ((!piece.entries.is_empty()).then_some(Block::Tls(piece)), refused)
    }
}

impl Run {
    /// Two speakers in one string: records and what is glued to them that is none; a ClientHello and an alert, which
    /// answers it.
    fn split(self) -> Vec<Run> {
        let glued = behind_records(&self.bytes);
        let first = match front(&self.bytes) {
            Front::Record(h) => HEADER_LEN + usize::from(h.len),
            _ => return vec![self],
        };
        let is_hello = self.bytes.get(HEADER_LEN) == Some(&1) && self.bytes.first() == Some(&content::HANDSHAKE);
        let cut = if is_hello && self.bytes.get(first) == Some(&content::ALERT) && self.label.is_none() {
            first
        } else if glued.is_empty() || matches!(front(glued), Front::Record(_) | Front::Undecided) {
            return vec![self];
        } else {
            self.bytes.len() - glued.len()
        };
        let mut head = self;
        let tail = head.bytes.split_off(cut);
        vec![head, Run { label: None, bytes: tail, lines: 0 }]
    }
}

/// What follows the whole records at the front.
fn behind_records(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Front::Record(header) = front(rest) {
        match rest.get(HEADER_LEN + usize::from(header.len)..) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    rest
}

/// Whether bytes end where a message may end: behind a TLS record, or behind a line.
fn is_whole(bytes: &[u8]) -> bool {
    let rest = behind_records(bytes);
    rest.is_empty() || rest.ends_with(b"\n")
}

/// Who sends bytes that begin so.
fn direction(bytes: &[u8]) -> Option<Side> {
    let of_message = |kind: Option<&u8>| match kind {
        Some(1 | 16) => Some(Side::Client),
        Some(2 | 4 | 11..=14) => Some(Side::Server),
        _ => None,
    };
    match sniff(bytes) {
        Speaker::Tls if bytes.first() == Some(&content::HANDSHAKE) => of_message(bytes.get(5)),
        Speaker::SslV2 => Some(Side::Client),
        Speaker::FtpReply(_) | Speaker::Ssh => Some(Side::Server),
        Speaker::Http => Some(if bytes.starts_with(b"HTTP/") { Side::Server } else { Side::Client }),
        Speaker::Text(_) => {
            let (verb, _) = ftp::command(bytes.split(|b| *b == b'\n').next().unwrap_or_default());
            super::words::is_verb(&verb).then_some(Side::Client)
        }
        _ => bare_handshake(bytes).and_then(|_| of_message(bytes.first())),
    }
}

/// The length of a handshake message that stands without a record header, as System SSL dumps it.
fn bare_handshake(bytes: &[u8]) -> Option<usize> {
    let (kind, len) = handshake::header(bytes)?;
    let hello = matches!(kind, 1 | 2) && bytes.get(4) == Some(&3);
    let whole = handshake::HEADER_LEN + len;
    (hello && len >= 38 && whole <= 0x4000 && bytes.len() <= whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 20] =
        [0x16, 3, 1, 0, 0x39, 1, 0, 0, 0x35, 3, 1, 0x60, 0x38, 0x53, 0xae, 0xfe, 0xe4, 0x0e, 0x3f, 0xa5];

    fn read(text: &str) -> Vec<u8> {
        let mut hex = Hex::default();
        for (n, line) in text.lines().enumerate() {
            hex.line(n as u64 + 1, line);
        }
        hex.end_run();
        assert_eq!(hex.runs.len(), 1, "{text}");
        hex.runs.remove(0).bytes
    }

    #[test]
    fn every_usual_dress() {
        for text in [
            "16030100390100003503016038 53aefee40e3fa5",
            "16030100390100003503016038\n53aefee40e3fa5",
            "16 03 01 00 39 01 00 00 35 03 01 60 38 53 AE FE\nE4 0E 3F A5",
            "16:03:01:00:39:01:00:00:35:03:01:60:38:53:ae:fe:e4:0e:3f:a5",
            "00000000: 1603 0100 3901 0000 3503 0160 3853 aefe  ....9...5..`8S..\n00000010: e40e 3fa5                                ..?.",
            "00000000  16 03 01 00 39 01 00 00  35 03 01 60 38 53 ae fe  |....9...5..`8S..|\n00000010  e4 0e 3f a5                                       |..?.|\n00000014",
            "0000   16 03 01 00 39 01 00 00 35 03 01 60 38 53 ae fe   ....9...5..`8S..\n0010   e4 0e 3f a5                                       ..?.",
            "\t0x0000:  1603 0100 3901 0000 3503 0160 3853 aefe  ....9...5..`8S..\n\t0x0010:  e40e 3fa5                                ..?.",
            "+0000  16030100 39010000 35030160 3853AEFE \u{2502} ....9...5..`8S.. \u{2502}\n+0010  E40E3FA5 \u{2502} ..?. \u{2502}",
            "0000000 16 03 01 00 39 01 00 00 35 03 01 60 38 53 ae fe\n0000020 e4 0e 3f a5\n0000024",
            "\\x16\\x03\\x01\\x00\\x39\\x01\\x00\\x00\\x35\\x03\\x01\\x60\\x38\\x53\\xae\\xfe\\xe4\\x0e\\x3f\\xa5",
            "b = \"\\x16\\x03\\x01\\x00\\x39\\x01\\x00\\x00\\x35\\x03\"\n\"\\x01\\x60\\x38\\x53\\xae\\xfe\\xe4\\x0e\\x3f\\xa5\";",
            "0x16, 0x03, 0x01, 0x00, 0x39, 0x01, 0x00, 0x00, 0x35, 0x03,\n0x01, 0x60, 0x38, 0x53, 0xae, 0xfe, 0xe4, 0x0e, 0x3f, 0xa5",
            "unsigned char hello[] = {\n  0x16, 0x3, 0x1, 0x0, 0x39, 0x1, 0x0, 0x0, 0x35, 0x03, 0x01, 0x60,\n 0x38, 0x53, 0xae, 0xfe, 0xe4, 0x0e, 0x3f, 0xa5\n};",
            "client: 16030100390100003503016038 53aefee40e3fa5",
            "Client sent: 16030100390100003503016038 53aefee40e3fa5",
            "client:\n16030100390100003503016038 53aefee40e3fa5",
            "```\n16030100390100003503016038 53aefee40e3fa5\n```",
            "x'1603010039010000350301603853aefee40e3fa5'",
        ] {
            assert_eq!(read(text), BYTES, "{text}");
        }
    }

    #[test]
    fn prose_and_numbers_are_not_hex() {
        for text in ["dead beef", "I paid 1234 5678", "2021-02-26 01:49:34", "234 AUTH TLS", "face 12", "00000008"] {
            let mut hex = Hex::default();
            assert!(!hex.line(1, text), "{text}");
        }
    }

    #[test]
    fn odd_digits_are_said() {
        let mut hex = Hex::default();
        assert!(hex.line(3, "160301003901000035030160385"));
        assert_eq!(hex.problems[0].line, Some(3));
    }
}
