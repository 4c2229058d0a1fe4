//! One record of a System SSL component trace, formatted by IPCS (`CTRACE COMP(GSKSRVR) FULL`), word by word.
//!
//! A record is: `sysname MESSAGE|DUMP entryid hh:mm:ss.uuuuuu SSL_desc`, then `Job j Process p Thread t function`,
//! then a text, and for a DUMP hex lines. Manuals number the three parts (`1 C01 MESSAGE …`, `2   Job …`, `3   text`).

use super::gsk_dump::{GskDump, is_offset};
use super::words::{Word, is_hex};
use crate::transcript::Micros;
use crate::transcript::clock::TimeOfDay;

/// Longest text of a record, in words; what is longer is prose.
const LONGEST_TEXT: usize = 24;

/// What a record says, however it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact<'a> {
    pub is_dump: bool,
    /// The time of day.
    pub at: Option<Micros>,
    /// `SSL_INFO`, `SSL_ERROR`, `SSL_EXIT` …
    pub description: &'a str,
    pub job: &'a str,
    pub process: &'a str,
    pub thread: &'a str,
    pub function: &'a str,
    /// Its words, a blank between each.
    pub text: &'a str,
    /// The bytes of a dump.
    pub bytes: &'a [u8],
    /// The line at which an offset of the dump jumped.
    pub jump: Option<u64>,
    /// The line of the heading.
    pub line: u64,
}

/// How the texts of System SSL go (`#` a number, `@` an address), to know whether a line was broken.
const TEXTS: [&str; 15] = [
    "Sent V3 CLIENT-HELLO message",
    "V3 CLIENT-HELLO message",
    "Sent V3 SERVER-HELLO message",
    "Received V3 CLIENT-HELLO message",
    "V3 SERVER-HELLO message",
    "Received V3 SERVER-HELLO message",
    "Calling write routine for # bytes",
    "Calling read routine for # bytes",
    "# bytes written",
    "# bytes received",
    "Content Type # is not supported",
    "SSL V3 client handshake failed with @",
    "SSL V3 server handshake failed with @",
    "Socket closed by @",
    "SSL record header",
];

/// One record while it is read.
#[derive(Debug)]
pub(super) struct Record {
    is_dump: bool,
    at: Option<Micros>,
    description: String,
    job: String,
    process: String,
    thread: String,
    function: String,
    text: Vec<String>,
    text_line: u64,
    dump: GskDump,
    line: u64,
    stage: Stage,
    /// The number of the manual in front of the part that was read last.
    callout: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// Words of the heading that must come next, by position.
    Heading(usize),
    Text,
    Dump,
}

/// Whether a record begins at the first of these words, and how many words in front of `MESSAGE` or `DUMP` it has.
pub(super) fn begins(words: &[Word]) -> Option<usize> {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    let heading = |n: usize| {
        matches!(word(n), "MESSAGE" | "DUMP") && is_hex(word(n + 1), 8) && TimeOfDay::parse(word(n + 2)).is_some()
    };
    if heading(0) {
        return Some(0);
    }
    let same_line = || words.first().map(|w| w.line) == words.get(1).map(|w| w.line);
    // Behind other words of its line it is a group of a dump.
    let leads = words.first().is_some_and(|w| w.first);
    if leads && callout(word(0)).is_some() && heading(2) && is_sysname(word(1)) && same_line() {
        return Some(2);
    }
    (heading(1) && is_sysname(word(0))).then_some(1)
}

fn is_sysname(w: &str) -> bool {
    w.len() <= 8 && w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"@#$".contains(&b))
}

/// A number of one or two digits, as manuals put it in front of a line that they explain.
fn callout(word: &str) -> Option<u8> {
    word.parse().ok().filter(|n| (1..100).contains(n) && word.len() <= 2)
}

/// Whether the second line of a record begins here (its heading is lost).
pub(super) fn begins_without_heading(words: &[Word]) -> bool {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    word(0) == "Job" && word(2) == "Process" && is_hex(word(3), 8) && word(4) == "Thread" && is_hex(word(5), 8)
}

impl Record {
    /// An empty record; its words come through [`accept`](Self::accept).
    pub(super) fn new(line: u64, headless: bool) -> Self {
        Self {
            is_dump: false,
            at: None,
            description: String::new(),
            job: String::new(),
            process: String::new(),
            thread: String::new(),
            function: String::new(),
            text: Vec::new(),
            text_line: 0,
            dump: GskDump::default(),
            line,
            stage: Stage::Heading(if headless { 4 } else { 0 }),
            callout: None,
        }
    }

    /// A record whose heading another layout gave whole; its text comes through [`accept`](Self::accept).
    pub(super) fn headed(line: u64, at: Option<Micros>, description: String, thread: String, function: String) -> Self {
        Self { at, description, thread, function, stage: Stage::Text, ..Self::new(line, false) }
    }

    /// What it says; its words are joined in `text`.
    pub(super) fn fact<'a>(&'a self, text: &'a mut String) -> Fact<'a> {
        *text = self.text.join(" ");
        Fact {
            is_dump: self.is_dump,
            at: self.at,
            description: &self.description,
            job: &self.job,
            process: &self.process,
            thread: &self.thread,
            function: &self.function,
            text,
            bytes: &self.dump.bytes,
            jump: self.dump.jump,
            line: self.line,
        }
    }

    /// Whether the record still waits for its second line.
    pub(super) fn awaits_job(&self) -> bool {
        matches!(self.stage, Stage::Heading(n) if n <= 4)
    }

    /// Whether words of its heading are still to come.
    pub(super) fn is_heading(&self) -> bool {
        matches!(self.stage, Stage::Heading(_))
    }

    /// Takes the next word if it belongs to the record.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        let text = word.text.as_str();
        if word.first && self.is_next_callout(text) {
            return true;
        }
        match self.stage {
            Stage::Heading(n) => self.heading(n, text),
            Stage::Dump => self.dump.accept(word),
            Stage::Text if is_offset(text) => {
                self.is_dump = true;
                self.stage = Stage::Dump;
                self.dump.accept(word)
            }
            Stage::Text => {
                if self.text.is_empty() {
                    self.text_line = word.line;
                }
                let same_line = word.line == self.text_line;
                let wrapped = word.after_full_line || self.is_unfinished();
                if self.text.len() >= LONGEST_TEXT || !(same_line || wrapped) {
                    return false;
                }
                self.text_line = word.line;
                self.text.push(text.to_owned());
                true
            }
        }
    }

    /// Whether a word numbers the next part, as the heading of this record was numbered.
    fn is_next_callout(&mut self, text: &str) -> bool {
        let begins = self.stage == Stage::Heading(4) || self.stage == Stage::Text && self.text.is_empty();
        let next = self.callout.map(|n| n + 1).filter(|n| begins && callout(text) == Some(*n));
        self.callout = next.or(self.callout);
        next.is_some()
    }

    fn heading(&mut self, n: usize, text: &str) -> bool {
        let place = match n {
            0 => {
                self.is_dump = text == "DUMP";
                // What stands before MESSAGE or DUMP is the system's name, and before that a number of the manual.
                if !matches!(text, "MESSAGE" | "DUMP") {
                    self.callout = self.callout.or(callout(text));
                    return true;
                }
                None
            }
            1 => None,
            2 => {
                self.at = TimeOfDay::parse(text).map(|t| t.0);
                None
            }
            3 => Some(&mut self.description),
            4 | 6 | 8 => {
                let label = if n == 4 {
                    "Job"
                } else if n == 6 {
                    "Process"
                } else {
                    "Thread"
                };
                if text != label {
                    return false;
                }
                None
            }
            5 => Some(&mut self.job),
            7 => Some(&mut self.process),
            9 => Some(&mut self.thread),
            _ => Some(&mut self.function),
        };
        if let Some(place) = place {
            text.clone_into(place);
        }
        self.stage = if n >= 10 { Stage::Text } else { Stage::Heading(n + 1) };
        true
    }

    /// Whether the text is the beginning of a known one and not yet whole.
    fn is_unfinished(&self) -> bool {
        TEXTS.iter().any(|known| {
            let known: Vec<&str> = known.split(' ').collect();
            let fits = known.iter().zip(&self.text).all(|(k, w)| match *k {
                "#" => w.parse::<u64>().is_ok(),
                "@" => true,
                k => k == w,
            });
            fits && self.text.len() < known.len()
        }) || self.text.is_empty()
    }
}
