//! What the z/OS FTP client writes: messages (EZA…), commands (`>>>`), replies, and the lines of its trace
//! (`SC4502 getNextReply: …`). The number in a trace line is a source line that changes with every release, and
//! message ids vanish in z/OS UNIX: function and text are matched, never the number.

use super::words::{Word, is_verb};
use super::zos_bare::{self, BARE, GIVES_UP, STEP_ENDED, known_extent};
use super::zos_process::by_process;
use super::zos_reply::{is_final_behind, is_reply};
use super::zos_words::is_message_id;
use super::{Block, Piece};
use crate::transcript::speakers::{JCL, ZOS_FTP_CLIENT, ZOS_FTP_SERVER};
use crate::transcript::{Clock, Code, ConnId, DATA_HANDSHAKE, Entry, Fidelity, Layer, Micros, Side, What};

/// Most words of one record; a multi-line reply may have this many lines.
const LONGEST: usize = 400;

/// Functions of the FTP trace that are shown without module and line by older releases and by the server.
const FUNCTIONS: [&str; 7] =
    ["authServer:", "authClient:", "compareCertAttls:", "ftpAuth:", "tlsLevel:", "endSecureConn:", "endSecureEnv:"];

/// Those of them whose words are kept, whatever they say.
const WORTH: [&str; 5] =
    ["ftpAuth:", "compareCertAttls:", "tlsLevel: using", "authClient: cipherspecs", "authServer: cipherspecs"];

/// Functions that only a server has, and messages that only a server writes.
const SERVER_FUNCTIONS: [&str; 2] = ["authClient:", "compareCertAttls:"];
const SERVER_MESSAGES: [&str; 4] = ["EZY2697I", "EZYFT53E", "EZYFT54E", "EZYFT96I"];

/// What kind of record begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// `SC4502 function: text`, or a bare function.
    Trace,
    /// `EZA2897I text`.
    Message,
    /// `>>> AUTH TLS`
    Command,
    /// `234 text`
    Reply,
    /// A known message without its id; index into [`BARE`].
    Bare(usize),
}

/// One record while it is read.
#[derive(Debug)]
pub(super) struct Record {
    form: Form,
    at: Option<Micros>,
    /// syslogd says that the server speaks.
    server: bool,
    /// The number of its process.
    process: Option<u64>,
    words: Vec<Word>,
    open: i32,
    /// Code of a multi-line reply whose last line has not come.
    multi: Option<String>,
}

/// What is known of the place where a record may begin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'a> {
    /// Whether the paste is known to hold a log of z/OS FTP.
    pub known: bool,
    /// Whether one of its lines stands not far before.
    pub near: bool,
    /// The record that is open.
    pub inside: Option<&'a Record>,
    /// Whether a time or the like stands in front, on the same line.
    pub prefixed: bool,
}

/// The form of the record that begins at the first of these words.
pub(super) fn begins(words: &[Word], around: Around<'_>) -> Option<Form> {
    let line_start = around.prefixed || words.first()?.first;
    if let Some(form) = form(words, line_start, around.known, around.inside) {
        return Some(form);
    }
    let n = line_start.then(|| zos_bare::find(words)).flatten()?;
    let alone = BARE.get(n)?.alone;
    (alone || around.known && around.near || is_followed(words)).then_some(Form::Bare(n))
}

/// Whether one of the next lines is of FTP as well.
fn is_followed(words: &[Word]) -> bool {
    let next = words.iter().enumerate().skip(1).filter(|(_, w)| w.first);
    let mut lines = next.filter_map(|(n, _)| words.get(n..));
    lines.any(|line| form(line, true, true, None).is_some() || zos_bare::find(line).is_some())
}

fn form(words: &[Word], line_start: bool, known: bool, inside: Option<&Record>) -> Option<Form> {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    let first = word(0);
    let function = word(1);
    let goes_on = inside.is_some() || (line_start && known);
    if is_trace_id(first)
        && (function.ends_with(':') || (goes_on && function.starts_with(|c: char| c.is_ascii_alphabetic())))
    {
        return Some(Form::Trace);
    }
    // EZD messages are those of the stack (AT-TLS, IKE), EZZ60 those of TN3270.
    if is_message_id(first) && !first.starts_with("EZD") && !first.starts_with("EZZ60") {
        return Some(Form::Message);
    }
    // The end of a step is of interest where FTP ran in it.
    if first == STEP_ENDED && known && line_start {
        return Some(Form::Message);
    }
    let after_reply_call = inside.is_some_and(Record::awaits_reply);
    let joined = || inside.is_some_and(|r| r.form == Form::Reply && is_final_behind(&r.words, first, word(1)));
    if (line_start && known || after_reply_call) && is_reply(first, word(1)) || joined() {
        return Some(Form::Reply);
    }
    if !line_start {
        return None;
    }
    // A log that begins with the greeting of a z/OS server.
    if first.starts_with("220") && is_reply(first, word(1)) && has_in_a_row(words, ["IBM", "FTP", "CS"]) {
        return Some(Form::Reply);
    }
    if first == ">>>" && is_verb(word(1)) {
        return Some(Form::Command);
    }
    FUNCTIONS.contains(&first).then_some(Form::Trace)
}

/// Whether AT-TLS refused what FTP asked of it; the names of the functions that ask are not confirmed.
fn is_about_attls(text: &str) -> bool {
    text.contains("SIOCTTLSCTL") && text.contains("failed")
}

/// Whether three words stand in a row.
fn has_in_a_row(words: &[Word], wanted: [&str; 3]) -> bool {
    words.windows(3).any(|w| w.iter().zip(wanted).all(|(word, want)| word.text == want))
}

/// Two capitals and four digits: module and source line.
fn is_trace_id(word: &str) -> bool {
    word.len() == 6
        && word.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && word.bytes().skip(2).all(|b| b.is_ascii_digit())
}

impl Record {
    pub(super) fn new(form: Form, at: Option<Micros>, server: bool, process: Option<u64>) -> Self {
        Self { form, at, server, process, words: Vec::new(), open: 0, multi: None }
    }

    /// A trace line behind which a reply follows even when lines were joined.
    fn awaits_reply(&self) -> bool {
        self.form == Form::Trace && self.words.iter().any(|w| matches!(w.text.as_str(), "getNextReply:" | "getReply:"))
            || self.form == Form::Command
            || self.form == Form::Message && self.words.iter().any(|w| w.text == ">>>")
    }

    /// Takes the next word if it belongs to the record.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        if self.words.len() >= LONGEST {
            return false;
        }
        if let Some(code) = &self.multi {
            // The last line of a multi-line reply begins with the same code and a blank.
            if word.first && word.text == *code {
                self.multi = None;
            }
        } else if word.first && self.is_cut_number(&word.text) {
            if let Some(last) = self.words.last_mut() {
                last.text.push_str(&word.text);
            }
            return true;
        } else if word.first && !self.words.is_empty() {
            // A trace breaks its own lists: `security values: mech=TLS, …, sCC=C,`.
            let listed = self.form == Form::Trace && self.words.last().is_some_and(|w| w.text.ends_with(','));
            let wrapped = word.after_full_line || self.open > 0 || listed;
            if !wrapped {
                return false;
            }
        } else if self.form == Form::Reply && self.words.is_empty() && word.text.get(3..4) == Some("-") {
            self.multi = word.text.get(..3).map(str::to_owned);
        }
        self.open += word.text.matches('(').count() as i32 - word.text.matches(')').count() as i32;
        self.words.push(word.clone());
        true
    }

    /// Whether a return code goes on with this: a hard wrap cut it in two, for behind a whole one stand words.
    fn is_cut_number(&self, rest: &str) -> bool {
        let is_number = |w: &str| !w.is_empty() && w.len() <= 4 && w.bytes().all(|b| b.is_ascii_digit());
        match self.words.as_slice() {
            [.., rc, sign, number] => {
                self.form == Form::Trace
                    && (rc.text.as_str(), sign.text.as_str()) == ("rc", "=")
                    && is_number(&number.text)
                    && is_number(rest)
            }
            _ => false,
        }
    }

    /// Who speaks. `authClient` is the function by which a *server* authenticates its client, and only a server compares
    /// certificates.
    fn speaker(&self) -> &'static str {
        let word = |n: usize| self.words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
        let is_servers = |w: &str| SERVER_FUNCTIONS.contains(&w) || SERVER_MESSAGES.contains(&w);
        let connects = || word(1) == "ftpAuth:" && self.text_from(0).contains("connect as a server");
        if self.server || is_servers(word(0)) || is_servers(word(1)) && is_trace_id(word(0)) || connects() {
            return ZOS_FTP_SERVER;
        }
        if word(0) == STEP_ENDED { JCL } else { ZOS_FTP_CLIENT }
    }

    fn text_from(&self, n: usize) -> String {
        let words: Vec<&str> = self.words.iter().skip(n).map(|w| w.text.as_str()).collect();
        words.join(" ")
    }

    /// A reply as the server wrote it, line by line.
    fn reply_lines(&self) -> String {
        let mut out = String::new();
        let mut line = None;
        for word in &self.words {
            match line {
                Some(l) if l == word.line || word.after_full_line => out.push(' '),
                Some(_) => out.push_str("\r\n"),
                None => {}
            }
            line = Some(word.line);
            out.push_str(&word.text);
        }
        out.push_str("\r\n");
        out
    }
}

/// What the client writes to the log of the job, and how many messages of it may stand before a session.
const LOGGED: &str = "EZZ9830I";
const AHEAD: usize = 8;

/// All attempts of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    attempt: Piece,
    /// Of each entry of it: the process of the server that wrote it.
    processes: Vec<Option<u64>>,
    /// The process that writes the record at hand.
    process: Option<u64>,
    done: Vec<Piece>,
    auth_sent: bool,
    auth_refused: bool,
    /// The server agreed to TLS: what the log quotes from here on, it had decrypted.
    secured: bool,
    failed: bool,
    /// The client gave the connection up: what it connects to next is another one.
    gave_up: bool,
    /// Replies came inside TLS.
    inside: bool,
}

impl Log {
    /// Takes a finished record.
    pub(super) fn record(&mut self, record: &Record) {
        self.process = record.process;
        match record.form {
            Form::Reply => self.reply(record),
            Form::Command => self.command(record.at, &record.text_from(1)),
            Form::Bare(n) => {
                if let Some(bare) = BARE.get(n) {
                    self.message(record, bare.id, &record.text_from(0));
                }
            }
            Form::Message => {
                let id = record.words.first().map(|w| w.text.clone()).unwrap_or_default();
                let text = record.text_from(1);
                match text.strip_prefix(">>> ") {
                    Some(command) => self.command(record.at, command),
                    None => self.message(record, &id, &text),
                }
            }
            Form::Trace => {
                let skip = usize::from(record.words.first().is_some_and(|w| is_trace_id(&w.text)));
                self.trace(record, &record.text_from(skip));
            }
        }
    }

    fn push(&mut self, at: Option<Micros>, what: What) {
        if at.is_some() {
            self.attempt.clock = Clock::TimeOfDay;
        }
        self.attempt.entries.push(Entry { at, conn: ConnId(0), what });
        self.processes.push(self.process);
    }

    fn line(&mut self, at: Option<Micros>, from: Side, text: &str) {
        let data = text.as_bytes().to_vec();
        let layer = if self.secured && !self.failed { Layer::InsideTls } else { Layer::Wire };
        self.push(at, What::Bytes { from, layer, data, fidelity: Fidelity::Rebuilt });
    }

    fn reply(&mut self, record: &Record) {
        let text = record.reply_lines();
        if text.starts_with("220") && self.auth_sent {
            self.next_attempt();
        }
        self.line(record.at, Side::Server, &text);
        self.inside |= self.secured && !self.failed;
        // Behind a no, only AUTH once more leads to a yes.
        if self.auth_sent && !self.secured && !self.auth_refused {
            self.auth_refused = text.starts_with(['4', '5']);
            self.secured = text.starts_with(['2', '3']);
        }
    }

    fn command(&mut self, at: Option<Micros>, command: &str) {
        let is_auth = command.starts_with("AUTH");
        // AUTH SSL behind a refused AUTH TLS is still the same attempt.
        if is_auth && self.auth_sent && (self.failed || !self.auth_refused) {
            self.next_attempt();
        }
        (self.auth_sent, self.auth_refused) = (self.auth_sent || is_auth, self.auth_refused && !is_auth);
        self.line(at, Side::Client, &format!("{command}\r\n"));
    }

    fn message(&mut self, record: &Record, id: &str, text: &str) {
        if id == "EZA1554I" && (self.auth_sent || self.gave_up) {
            self.next_attempt();
        }
        // The log of the job stands before the output of its step.
        let is_ahead = id == LOGGED && self.attempt.conn.host.is_none() && self.attempt.entries.len() < AHEAD;
        let is_said = |e: &Entry| matches!(e.what, What::Bytes { .. });
        let is_ahead = is_ahead && !self.attempt.entries.iter().any(is_said);
        self.gave_up |= GIVES_UP.contains(&id) && !text.contains("data connection") && !is_ahead;
        if let Some(target) = text.strip_prefix("Connecting to: ") {
            self.connecting(target);
        }
        let text = known_extent(id, text);
        // Once the session goes on inside TLS, such words are about a data connection.
        self.failed |= !self.inside && matches!(id, "EZA2897I" | "EZA2898I");
        let code = (!id.is_empty()).then(|| Code::Message(id.to_owned()));
        self.push(record.at, What::Claim { by: record.speaker().to_owned(), code, text });
    }

    /// `Connecting to: ftp.example.org 192.0.2.7 port: 21.`
    fn connecting(&mut self, target: &str) {
        let mut words = target.split_whitespace();
        let Some(host) = words.next() else { return };
        self.attempt.conn.host = Some(host.trim_end_matches('.').to_owned());
        let ip = words.next().and_then(|w| w.parse().ok());
        let port = target.split_once("port: ").and_then(|(_, p)| p.trim_end_matches('.').parse().ok());
        if let (Some(ip), Some(port)) = (ip, port) {
            self.attempt.conn.peer = Some(core::net::SocketAddr::new(ip, port));
        }
    }

    fn trace(&mut self, record: &Record, text: &str) {
        let at = record.at;
        let claim = |code, text: &str| What::Claim { by: record.speaker().to_owned(), code, text: text.to_owned() };
        if let Some((_, rest)) = text.split_once("failed with rc = ") {
            let (code, words) = rest.split_once(' ').unwrap_or((rest, ""));
            let words = words.split_once(')').map_or(words, |(inside, _)| inside).trim_start_matches('(');
            self.failed |= !self.inside;
            let whole = !words.is_empty() || code.len() > 2; // a short number alone may be cut
            // With replies inside TLS, that of the control connection is over.
            let of = if self.inside && text.contains("secure_socket_init") { DATA_HANDSHAKE } else { "" };
            let words = &format!("{words}{of}");
            self.push(at, claim(code.parse().ok().filter(|_| whole).map(Code::Gsk), words));
        } else if let Some((_, code)) = text.split_once("SETCEC code = ") {
            let code = code.split_whitespace().next().and_then(|c| c.parse().ok());
            self.push(at, claim(code.map(Code::FtpClient), "SETCEC"));
        } else if text.starts_with("authServer: secure_socket_init()") {
            self.push(at, What::TlsStarts { by: Side::Client });
        } else if text.starts_with("authClient: secure_socket_init()") {
            self.push(at, What::TlsStarts { by: Side::Server });
        } else if WORTH.iter().any(|f| text.starts_with(f)) && !text.ends_with("entered") || is_about_attls(text) {
            self.push(at, claim(None, text));
        }
    }

    fn next_attempt(&mut self) {
        let (attempt, processes) = (std::mem::take(&mut self.attempt), std::mem::take(&mut self.processes));
        if !attempt.entries.is_empty() {
            self.done.extend(by_process(attempt, &processes));
        }
        (self.auth_sent, self.auth_refused, self.secured) = (false, false, false);
        (self.failed, self.inside, self.gave_up) = (false, false, false);
    }

    /// The attempts, in order.
    pub(super) fn finish(&mut self) -> Vec<Block> {
        self.next_attempt();
        std::mem::take(&mut self.done).into_iter().map(Block::Log).collect()
    }
}
