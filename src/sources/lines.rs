//! The lines of a text, whatever its charset and however it was cut into pieces.

use super::Evidence;
use super::charset::{Charset, decode};
use super::paste::Paste;
use crate::capture::Session;
use crate::error::InputError;
use crate::wire::ebcdic;

/// Longest line, in bytes. What is longer is left out and said.
const LONGEST: usize = 1024 * 1024;

/// A text that is handed on line by line.
#[derive(Debug)]
pub(super) struct Lines {
    charset: Charset,
    /// Records of this length have no line ends.
    record: Option<usize>,
    /// The line that has begun.
    line: Vec<u8>,
    /// More of it came than is kept.
    too_long: bool,
    paste: Paste,
}

impl Lines {
    /// `record` is the length of records without line ends.
    pub(super) fn new(charset: Charset, record: Option<usize>, mut paste: Paste) -> Self {
        if let Some(length) = record {
            paste.assume(format!("a text without line ends was cut into records of {length} characters"));
        }
        Self { charset, record, line: Vec::new(), too_long: false, paste }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.charset == Charset::Utf8 {
            return self.feed_utf8(bytes);
        }
        if let Some(length) = self.record {
            return self.feed_records(bytes, length);
        }
        let wide = matches!(self.charset, Charset::Utf16 { .. });
        let charset = self.charset;
        for piece in bytes.split_inclusive(|b| may_end(charset, *b)) {
            self.append(piece);
            let odd_half = wide && self.line.len() % 2 == 1 && !self.too_long;
            let ended = piece.last().is_some_and(|b| may_end(charset, *b));
            if ended && !odd_half && (!wide || self.too_long || ends_utf16(charset, &self.line)) {
                self.end();
            }
        }
    }

    /// ASCII or UTF-8. A line that is whole is not copied.
    fn feed_utf8(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (whole, rest) = bytes.split_at_checked(end + 1).unwrap_or((bytes, &[]));
            bytes = rest;
            if self.line.is_empty() && whole.len() <= LONGEST {
                each_part(Charset::Utf8, whole, &mut self.paste);
                continue;
            }
            self.append(whole);
            self.end();
        }
        self.append(bytes);
    }

    fn feed_records(&mut self, mut bytes: &[u8], length: usize) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at_checked(length.saturating_sub(self.line.len())).unwrap_or((bytes, &[]));
            self.line.extend_from_slice(piece);
            bytes = rest;
            if self.line.len() >= length {
                self.end();
            }
        }
    }

    /// As much as a line may have.
    fn append(&mut self, piece: &[u8]) {
        let room = LONGEST.saturating_sub(self.line.len());
        self.too_long |= piece.len() > room;
        self.line.extend_from_slice(piece.get(..piece.len().min(room)).unwrap_or_default());
    }

    fn end(&mut self) {
        each_part(self.charset, &self.line, &mut self.paste);
        if std::mem::take(&mut self.too_long) {
            let what = "this line is longer than 1 MiB; what comes behind that was left out";
            let problem = InputError::unreadable("", what, "break the line, or paste only the part around the failure");
            self.paste.problem(problem.at_line(self.paste.line_number()));
        }
        self.line.clear();
    }

    /// The next session that has ended, of a long trace.
    pub(super) fn ready(&mut self) -> Option<Session> {
        self.paste.ready()
    }

    /// The end of the text.
    pub(super) fn finish(mut self) -> Evidence {
        if !self.line.is_empty() {
            self.end();
        }
        self.paste.finish()
    }
}

/// Whether a byte may be the last of a line end.
fn may_end(charset: Charset, b: u8) -> bool {
    match charset {
        Charset::Utf8 => b == b'\n',
        Charset::Utf16 { big_endian: true } => b == b'\n',
        Charset::Utf16 { big_endian: false } => b == 0,
        Charset::Ebcdic => ebcdic::to_latin1(b) == b'\n',
    }
}

fn ends_utf16(charset: Charset, line: &[u8]) -> bool {
    let newline: [u8; 2] = if charset == (Charset::Utf16 { big_endian: true }) { [0, b'\n'] } else { [b'\n', 0] };
    line.ends_with(&newline)
}

/// A carriage return breaks lines too: CRLF, and messages that were joined by it.
fn each_part(charset: Charset, line: &[u8], paste: &mut Paste) {
    let text = decode(charset, line);
    let text = text.trim_end_matches(['\n', '\r']);
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return paste.line(text);
    }
    text.split('\r').for_each(|part| paste.line(part));
}
