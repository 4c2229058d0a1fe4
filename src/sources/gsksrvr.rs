//! System SSL component trace, formatted by IPCS (`CTRACE COMP(GSKSRVR) FULL`).
//!
//! A record is: `sysname MESSAGE|DUMP entryid hh:mm:ss.uuuuuu SSL_desc`, then `Job j Process p Thread t function`,
//! then a text, and for a DUMP hex lines. Threads interleave, so everything is kept per (job, process, thread).
//! Handshake messages are dumped *without* their record header; only "SSL record header" dumps are record bytes.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

use super::gsk_dump::{GskDump, is_offset};
use super::words::{Word, is_hex};
use super::{Block, Piece};
use crate::error::InputError;
use crate::transcript::clock::TimeOfDay;
use crate::transcript::{Clock, Close, Code, ConnId, Entry, Fidelity, Layer, Micros, Side, What, speakers};
use crate::wire::tls::content;
use crate::wire::tls::handshake;
use crate::wire::tls::record::{HEADER_LEN, Header};

/// Longest text of a record, in words; what is longer is prose.
const LONGEST_TEXT: usize = 24;

/// How the texts of System SSL go (`#` a number, `@` an address), to know whether a line was broken.
const TEXTS: [&str; 9] = [
    "Sent V3 CLIENT-HELLO message",
    "V3 CLIENT-HELLO message",
    "Calling write routine for # bytes",
    "Calling read routine for # bytes",
    "# bytes written",
    "# bytes received",
    "Content Type # is not supported",
    "SSL V3 client handshake failed with @",
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
    let sysname = |w: &str| {
        w.len() <= 8 && w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"@#$".contains(&b))
    };
    (heading(1) && sysname(word(0))).then_some(1)
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
        }
    }

    /// Whether the record still waits for its second line.
    pub(super) fn awaits_job(&self) -> bool {
        matches!(self.stage, Stage::Heading(n) if n <= 4)
    }

    /// Takes the next word if it belongs to the record.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        let text = word.text.as_str();
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

    fn heading(&mut self, n: usize, text: &str) -> bool {
        let place = match n {
            0 => {
                self.is_dump = text == "DUMP";
                // What stands before MESSAGE or DUMP is the system's name.
                if !matches!(text, "MESSAGE" | "DUMP") {
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

/// All threads of a trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    threads: BTreeMap<(String, String, String), Thread>,
    /// The thread of the last record.
    last: (String, String, String),
    /// Finished connections with the line at which they began.
    done: Vec<(u64, Piece)>,
    pub(super) problems: Vec<InputError>,
}

#[derive(Debug, Default)]
struct Thread {
    piece: Piece,
    began: u64,
    /// The last moment, with the days that passed at midnight.
    last: Micros,
    /// `N bytes received`: how many, when.
    received: Option<(u64, Option<Micros>)>,
    /// A message that was dumped but not yet said to be written.
    unsent: Option<(Vec<u8>, Option<Micros>)>,
    hello_seen: bool,
    failed: bool,
}

impl Trace {
    /// Takes a finished record.
    pub(super) fn record(&mut self, record: Record) {
        let mut key = (record.job.clone(), record.process.clone(), record.thread.clone());
        if key.2.is_empty() {
            // Its second line is lost: most likely it is of the thread that wrote last.
            key = self.last.clone();
        }
        self.last.clone_from(&key);
        let thread = self.threads.entry(key).or_default();
        let at = record.at.map(|at| thread.moment(at));
        let text = record.text.join(" ");
        if text.contains("CLIENT-HELLO") && record.is_dump && thread.hello_seen || thread.failed {
            if let Some(piece) = thread.finish() {
                self.done.push((thread.began, piece));
            }
            *thread = Thread { last: thread.last, ..Thread::default() };
        }
        thread.start(record.line, at);
        if record.is_dump {
            thread.dump(&record, &text, at, &mut self.problems);
        } else {
            thread.message(&record, &text, at);
        }
    }

    /// The connections, in the order in which they began.
    pub(super) fn finish(&mut self) -> Vec<Block> {
        let mut done = std::mem::take(&mut self.done);
        for mut thread in std::mem::take(&mut self.threads).into_values() {
            if let Some(piece) = thread.finish() {
                done.push((thread.began, piece));
            }
        }
        done.sort_by_key(|(line, _)| *line);
        done.into_iter().map(|(_, piece)| Block::Tls(piece)).collect()
    }
}

impl Thread {
    /// Times of day go back at midnight only.
    fn moment(&mut self, at: Micros) -> Micros {
        let days = self.last.0 / Micros::DAY.0;
        let mut at = Micros(at.0 + days * Micros::DAY.0);
        if at.0 + Micros::DAY.0 / 2 < self.last.0 {
            at.0 += Micros::DAY.0;
        }
        self.last = self.last.max(at);
        at
    }

    fn push(&mut self, at: Option<Micros>, what: What) {
        self.piece.entries.push(Entry { at, conn: ConnId(0), what });
    }

    fn start(&mut self, line: u64, at: Option<Micros>) {
        if self.piece.entries.is_empty() {
            self.began = line;
            self.piece.clock = Clock::TimeOfDay;
            // A System SSL trace is of TLS from its first record on.
            self.push(at, What::TlsStarts { by: Side::Client });
        }
    }

    fn message(&mut self, record: &Record, text: &str, at: Option<Micros>) {
        let number = || record.text.iter().find_map(|w| w.parse::<u64>().ok());
        if text.ends_with("bytes received") {
            self.received = number().map(|n| (n, at));
        } else if text.ends_with("bytes written") {
            self.written(number(), at);
        } else if text.starts_with("Content Type") {
            let code = number().and_then(|n| u32::try_from(n).ok()).map(Code::ContentType);
            self.claim(record, at, code, text);
        } else if let Some(peer) = failed_with(text) {
            self.piece.conn.peer = Some(peer).or(self.piece.conn.peer);
            self.claim(record, at, None, text);
            self.failed = true;
        } else if text.starts_with("Socket closed by") {
            self.flush();
            self.push(at, What::Closed { by: Side::Server, how: Close::Unknown });
        } else if record.description == "SSL_ERROR" && !text.is_empty() {
            self.claim(record, at, None, text);
        }
    }

    fn claim(&mut self, record: &Record, at: Option<Micros>, code: Option<Code>, text: &str) {
        self.flush();
        let by = speakers::speaker(speakers::SYSTEM_SSL, None, &record.job);
        self.push(at, What::Claim { by, code, text: text.to_owned() });
    }

    fn dump(&mut self, record: &Record, text: &str, at: Option<Micros>, problems: &mut Vec<InputError>) {
        let bytes = &record.dump.bytes;
        if bytes.is_empty() {
            return;
        }
        if let Some(line) = record.dump.jump {
            let what = format!("lines of the dump \"{text}\" are missing here");
            problems.push(InputError::torn("", what, "paste the dump again, with every offset line").at_line(line));
            return;
        }
        if text.to_ascii_lowercase().contains("record header") {
            let at = self.received.filter(|(n, _)| *n == bytes.len() as u64).map_or(at, |(_, at)| at);
            self.flush();
            let what =
                What::Bytes { from: Side::Server, layer: Layer::Wire, data: bytes.clone(), fidelity: Fidelity::Exact };
            // The dump is written after the complaint about it; the bytes came before.
            let place = self.piece.entries.iter().rposition(|e| e.at <= at).map_or(0, |n| n + 1);
            self.piece.entries.insert(place, Entry { at, conn: ConnId(0), what });
            return;
        }
        let sent = record.function.contains("send") || record.function.contains("write");
        self.hello_seen |= text.contains("CLIENT-HELLO");
        if let Some((kind, len)) = handshake::header(bytes) {
            let missing = (handshake::HEADER_LEN + len).saturating_sub(bytes.len());
            if missing > 0 && missing < handshake::LONGEST {
                let name = handshake::type_name(kind);
                let what = format!(
                    "the dump of the {name} ends {missing} bytes early ({} of {} are there)",
                    bytes.len(),
                    handshake::HEADER_LEN + len
                );
                problems
                    .push(InputError::torn("", what, "paste the dump to its last offset line").at_line(record.line));
            }
        }
        self.flush();
        if sent {
            self.unsent = Some((bytes.clone(), at));
        } else {
            self.wrapped(Side::Server, bytes, at);
        }
    }

    /// `N bytes written` tells when a dumped message left, header included.
    fn written(&mut self, len: Option<u64>, at: Option<Micros>) {
        if let Some((bytes, dumped)) = self.unsent.take() {
            let left = if len == Some((bytes.len() + HEADER_LEN) as u64) { at } else { dumped };
            self.wrapped(Side::Client, &bytes, left);
        }
    }

    /// A message that was dumped leaves now: nothing says when.
    fn flush(&mut self) {
        if let Some((bytes, at)) = self.unsent.take() {
            self.wrapped(Side::Client, &bytes, at);
        }
    }

    /// A handshake message with the record header that must have been around it. The header is rebuilt: System
    /// SSL never dumps it. Its length is that of the whole message, so a torn dump stays torn.
    fn wrapped(&mut self, from: Side, message: &[u8], at: Option<Micros>) {
        let announced = handshake::header(message).map_or(message.len(), |(_, len)| handshake::HEADER_LEN + len);
        let len = u16::try_from(announced).unwrap_or(u16::MAX);
        let header = Header { content_type: content::HANDSHAKE, version: 0x0301, len };
        let bytes = |data: Vec<u8>, fidelity| What::Bytes { from, layer: Layer::Wire, data, fidelity };
        self.push(at, bytes(header.to_bytes().to_vec(), Fidelity::Rebuilt));
        self.push(at, bytes(message.to_vec(), Fidelity::Exact));
    }

    fn finish(&mut self) -> Option<Piece> {
        self.flush();
        let piece = std::mem::take(&mut self.piece);
        (!piece.entries.is_empty()).then_some(piece)
    }
}

/// The peer of `… handshake failed with ip.port.`
fn failed_with(text: &str) -> Option<SocketAddr> {
    let (_, address) = text.split_once("handshake failed with ")?;
    let (ip, port) = address.split_whitespace().next()?.trim_end_matches('.').rsplit_once('.')?;
    let ip: IpAddr = ip.parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}
