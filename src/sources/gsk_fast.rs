//! Well-formed records of a System SSL trace, matched line by line as bytes. A trace may have a gigabyte; read word by word it would
//! take minutes.
//!
//! This is a short cut and nothing else: what is taken here is exactly what the reader of words would make of the same lines, and
//! whatever is not surely so is left to it, record by record. A record is complete only where the next one begins.

use std::collections::HashMap;

use super::gsk_line::{LINE, Part, heading, is_plain_gutter, job, number, printed};
use super::gsk_record::Fact;
use crate::transcript::Micros;

/// So many lines are remembered as plain ones.
const REMEMBERED: usize = 4096;

/// What a line is to the record that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Took {
    /// It belongs to the record.
    Kept,
    /// The record before it is complete, and the next one begins.
    Complete,
    /// Neither: the lines that were kept, and this one, are for the reader of words.
    No,
}

/// What comes next in a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Job,
    Text,
    Rest,
}

/// A record while its lines come.
#[derive(Debug, Default)]
struct Shape {
    /// Its lines as they came, each with a line feed.
    lines: String,
    count: u64,
    /// Lines that are not blank, and the length of the last of them.
    filled: u64,
    length: usize,
    is_dump: bool,
    at: Micros,
    description: Part,
    job: [Part; 4],
    text: Part,
    /// The text with one blank between its words, where it has more.
    joined: String,
    bytes: Vec<u8>,
    /// Whether a line of the dump came that was not full.
    ended: bool,
}

/// Reads records as they are printed.
#[derive(Debug, Default)]
pub(super) struct Fast {
    stage: Stage,
    open: Shape,
    complete: Shape,
    /// Lines of which the reader of words makes nothing else than this one does.
    plain: HashMap<String, bool>,
}

impl Fast {
    /// Whether no record is open.
    pub(super) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Takes a line. `is_plain` says whether the reader of words would find nothing in it but words of a System SSL record.
    pub(super) fn take(&mut self, line: &str, is_plain: impl FnMut(&str) -> bool) -> Took {
        let bytes = line.as_bytes();
        if self.stage == Stage::Idle {
            // Nearly all other lines are told apart by what they begin with.
            if !bytes.first().is_some_and(u8::is_ascii_uppercase) || !self.begin(line) {
                return Took::No;
            }
            return Took::Kept;
        }
        let Some(text) = printed(line) else { return Took::No };
        if text.is_empty() {
            self.open.keep(line, 0);
            return Took::Kept;
        }
        let kept = match self.stage {
            Stage::Idle => false,
            Stage::Job => self.job(text, is_plain),
            Stage::Text => self.text(text, is_plain),
            Stage::Rest => {
                if bytes.first().is_some_and(u8::is_ascii_uppercase) {
                    core::mem::swap(&mut self.open, &mut self.complete);
                    if self.begin(line) {
                        return Took::Complete;
                    }
                    core::mem::swap(&mut self.open, &mut self.complete);
                    return Took::No;
                }
                self.open.hex(text).is_some()
            }
        };
        if !kept {
            return Took::No;
        }
        self.open.keep(line, text.len());
        Took::Kept
    }

    fn begin(&mut self, line: &str) -> bool {
        let Some(text) = printed(line) else { return false };
        let Some((is_dump, at, description)) = heading(text) else { return false };
        self.open.clear();
        (self.open.is_dump, self.open.at, self.open.description) = (is_dump, at, description);
        self.open.keep(line, text.len());
        self.stage = Stage::Job;
        true
    }

    fn is_plain(&mut self, text: &str, mut is_plain: impl FnMut(&str) -> bool) -> bool {
        if let Some(plain) = self.plain.get(text) {
            return *plain;
        }
        let plain = is_plain(text);
        if self.plain.len() >= REMEMBERED {
            self.plain.clear();
        }
        self.plain.insert(text.to_owned(), plain);
        plain
    }

    fn job(&mut self, text: &str, is_plain: impl FnMut(&str) -> bool) -> bool {
        let start = self.open.lines.len();
        let Some(parts) = job(text).filter(|_| self.is_plain(text, is_plain)) else { return false };
        self.open.job = parts.map(|(from, to)| (start + from, start + to));
        self.stage = Stage::Text;
        true
    }

    fn text(&mut self, text: &str, is_plain: impl FnMut(&str) -> bool) -> bool {
        if !self.is_plain(text, is_plain) {
            return false;
        }
        let start = self.open.lines.len();
        let words = text.trim_start();
        self.open.text = (start + text.len() - words.len(), start + text.len());
        if words.as_bytes().windows(2).any(|w| w == b"  ") {
            words.split(' ').filter(|w| !w.is_empty()).for_each(|w| {
                let blank = if self.open.joined.is_empty() { "" } else { " " };
                self.open.joined.push_str(blank);
                self.open.joined.push_str(w);
            });
        }
        self.stage = Stage::Rest;
        true
    }

    /// The record that is complete; `before` lines were read before it.
    pub(super) fn fact(&self, before: u64) -> Fact<'_> {
        let r = &self.complete;
        let part = |(from, to): Part| r.lines.get(from..to).unwrap_or_default();
        let [job, process, thread, function] = r.job.map(part);
        Fact {
            is_dump: r.is_dump || !r.bytes.is_empty(),
            at: Some(r.at),
            description: part(r.description),
            job,
            process,
            thread,
            function,
            text: if r.joined.is_empty() { part(r.text) } else { &r.joined },
            bytes: &r.bytes,
            jump: None,
            line: before + 1,
        }
    }

    /// Of the record that is complete: its lines, those of them that are not blank, and the length of the last of these.
    pub(super) fn counts(&self) -> (u64, u64, usize) {
        (self.complete.count, self.complete.filled, self.complete.length)
    }

    /// The lines of the heading and of the job of the record that is complete.
    pub(super) fn front(&self) -> impl Iterator<Item = &str> {
        self.complete.lines.lines().filter(|l| !l.trim().is_empty()).take(2)
    }

    /// The lines that were kept for nothing.
    pub(super) fn give_back(&mut self) -> String {
        self.stage = Stage::Idle;
        core::mem::take(&mut self.open.lines)
    }
}

impl Shape {
    fn clear(&mut self) {
        self.lines.clear();
        self.joined.clear();
        self.bytes.clear();
        (self.count, self.filled, self.length, self.ended) = (0, 0, 0, false);
    }

    fn keep(&mut self, line: &str, length: usize) {
        self.lines.push_str(line);
        self.lines.push('\n');
        self.count += 1;
        if length > 0 {
            self.filled += 1;
            self.length = length;
        }
    }

    /// One line of a dump: the offset that is due, groups of four bytes of which the last may be shorter, and a gutter that ends.
    fn hex(&mut self, text: &str) -> Option<()> {
        let rest = text.trim_start().as_bytes();
        let (offset, rest) = rest.split_at_checked(8)?;
        let rest = rest.strip_prefix(b":")?;
        let due = self.bytes.len();
        if self.ended || number(offset)? != due {
            return None;
        }
        let (mut rest, mut count) = (rest, 0);
        loop {
            let group = rest.trim_ascii_start();
            if group.is_empty() || group.first() == Some(&b'*') || group.len() == rest.len() {
                rest = group;
                break;
            }
            let len = group.iter().position(|b| *b == b' ').unwrap_or(group.len());
            let (digits, behind) = group.split_at_checked(len)?;
            if count == LINE || count % 4 != 0 || !matches!(len, 2 | 4 | 6 | 8) {
                return None;
            }
            for pair in digits.chunks_exact(2) {
                self.bytes.push(u8::try_from(number(pair)?).ok()?);
            }
            (rest, count) = (behind, count + len / 2);
        }
        self.ended = count < LINE;
        (count > 0 && (rest.is_empty() || is_plain_gutter(rest))).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: [&str; 5] = [
        "S0W1      DUMP      00000020  01:49:34.380878  SSL_ASCII_DUMP",
        "  Job SJP1      Process 0501028D  Thread 00000001  send_v3_client_hello",
        "  V3 CLIENT-HELLO message",
        "    00000000: 01000035 03016038 53AEFEE4 0E3FA5C1   *...5...8S....?..*",
        "    00000010: 738D11                                *s..             *",
    ];

    #[test]
    fn a_record_is_complete_where_the_next_begins() {
        let mut fast = Fast::default();
        for line in RECORD {
            assert_eq!(fast.take(line, |_| true), Took::Kept, "{line}");
        }
        assert_eq!(fast.take("", |_| true), Took::Kept);
        assert_eq!(fast.take(RECORD[0], |_| true), Took::Complete);
        let fact = fast.fact(7);
        assert_eq!((fact.job, fact.process, fact.thread), ("SJP1", "0501028D", "00000001"));
        assert_eq!((fact.function, fact.text, fact.line), ("send_v3_client_hello", "V3 CLIENT-HELLO message", 8));
        assert_eq!((fact.bytes.len(), fact.is_dump, fact.description), (19, true, "SSL_ASCII_DUMP"));
        assert_eq!(fast.counts(), (6, 5, RECORD[4].len()));
        assert_eq!(fast.give_back(), format!("{}\n", RECORD[0]));
    }

    #[test]
    fn what_is_not_surely_so_goes_word_by_word() {
        for (n, line) in [
            (0, "  S0W1 DUMP 00000020 01:49:34.380878 SSL_ASCII_DUMP"),
            (0, "S0W1 DUMP 00000020 01:49:34 SSL_ASCII_DUMP"),
            (0, "S0W1 DUMP 00000020 01:49:34.380878 SSL_ASCII_DUMP x"),
            (0, "EZD1286I DUMP 00000020 01:49:34.380878 SSL_ASCII_DUMP"),
            (1, "  Job SJP1 Process 0501028D Thread 00000001"),
            (1, "> Job SJP1 Process 0501028D Thread 00000001 x"),
            (3, "    00000010: 01000035"),
            (3, "    00000000: 0100003"),
            (3, "    00000000: 01000035 03016038 53AEFEE4 0E3FA5C1 01"),
            (3, "    00000000: 01000035 *...5            "),
            (3, "    00000000: 01000035 *..* x           *"),
            (3, "    00000000: 01000035 *PASS geheim     *"),
            (3, "    00000000: 01000035 *a TCP3D2C b     *"),
            (3, "  another line of text"),
        ] {
            let mut fast = Fast::default();
            for before in RECORD.iter().take(n) {
                fast.take(before, |_| true);
            }
            assert_eq!(fast.take(line, |_| true), Took::No, "{line}");
        }
    }
}
