//! One input in chunks of any size: what it is is decided from its beginning, and then it streams.

use sha2::{Digest, Sha256};

use super::charset::{Charset, detect, record_length};
use super::lines::Lines;
use super::paste::Paste;
use super::refuse::{known, refuse};
use super::unpack::{Packing, Unpack, packing};
use super::weave::{Reading, alone, weave};
use super::{Block, Evidence, Kind, Options};
use crate::capture::file::{foreign, format};
use crate::capture::{self, Capture, Session};
use crate::error::InputError;
use crate::transcript::{Clock, Input, Transcript};
use crate::wire::printable_str;
use crate::wire::sniff::{Speaker, sniff};

/// Decided from so many bytes, or from all when there are fewer.
const HEAD: usize = 4096;

/// Longest saved report, and longest raw flow.
const LONGEST_WHOLE: usize = 64 * 1024 * 1024;

/// Reads one input.
#[derive(Debug)]
pub struct InputReader {
    name: String,
    options: Options,
    /// `None` where the caller takes the hash.
    sha256: Option<Sha256>,
    bytes: u64,
    /// What unpacks the input, if it is packed.
    packed: Option<Box<Unpack>>,
    /// The last session that was given out.
    given: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    Lines(Box<Lines>),
    Report(Vec<u8>),
    Raw(Vec<u8>),
    Capture(Box<Capture>),
    Refused(InputError),
}

impl InputReader {
    /// A reader of the input that the user calls `name`.
    pub fn new(name: &str, options: Options) -> Self {
        Self { sha256: Some(Sha256::new()), ..Self::unhashed(name, options) }
    }

    /// The same without a hash of the input, which the caller takes where it is faster.
    pub fn unhashed(name: &str, options: Options) -> Self {
        let (name, state) = (name.to_owned(), State::Head(Vec::new()));
        Self { name, options, sha256: None, bytes: 0, packed: None, given: 0, state }
    }

    /// Whether the input is unpacked on its way: then a few bytes may be many, and are better fed in small pieces.
    pub fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        // The sessions of a capture are given out before its end, when no hash of it is known yet.
        if let Some(sha256) = self.sha256.as_mut().filter(|_| !matches!(self.state, State::Capture(_))) {
            sha256.update(bytes);
        }
        self.bytes += bytes.len() as u64;
        if self.packed.is_some() {
            return self.unpack(bytes);
        }
        if let State::Head(head) = &mut self.state {
            head.extend_from_slice(bytes);
            if let Some(packing) = packing(head) {
                let head = std::mem::take(head);
                self.packed = Some(Box::new(Unpack::new(&self.name, packing)));
                return self.unpack(&head);
            }
            return self.look();
        }
        self.pass_on(bytes);
    }

    fn unpack(&mut self, bytes: &[u8]) {
        let Some(mut unpack) = self.packed.take() else { return };
        unpack.feed(bytes, &mut |piece| match &mut self.state {
            State::Head(head) => {
                head.extend_from_slice(piece);
                self.look();
            }
            _ => self.pass_on(piece),
        });
        self.packed = Some(unpack);
    }

    /// Decides as soon as there is enough to look at.
    fn look(&mut self) {
        let State::Head(head) = &self.state else { return };
        // A capture shows at once, and is not held up.
        let is_capture = matches!(self.options.only, None | Some(Kind::Capture)) && format(head).is_some();
        if head.len() >= HEAD || is_capture {
            self.decide();
        }
    }

    fn decide(&mut self) {
        let State::Head(head) = &mut self.state else { return };
        let head = std::mem::take(head);
        // One packing was taken off before.
        let begun = match packing(&head) {
            Some(_) => {
                let advice = "unpack it until a capture or a text comes out";
                Err(InputError::unreadable(&self.name, "packed twice", advice))
            }
            None => begin(&self.name, &self.options, head.get(..HEAD).unwrap_or(&head)),
        };
        self.state = match begun {
            Ok(state) => state,
            Err(error) => State::Refused(error),
        };
        self.pass_on(&head);
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Lines(lines) => lines.feed(bytes),
            State::Report(all) | State::Raw(all) => {
                if all.len() + bytes.len() <= LONGEST_WHOLE {
                    all.extend_from_slice(bytes);
                } else {
                    let what = "longer than 64 MiB, which is no report and no single flow";
                    self.state =
                        State::Refused(InputError::unreadable(&self.name, what, "cut out the session that failed"));
                }
            }
            State::Capture(capture) => capture.feed(bytes),
            State::Head(_) | State::Refused(_) => {}
        }
    }

    /// The next session that has ended, of an input that gives out its sessions while it is read: a capture, or a long trace.
    pub fn ready(&mut self) -> Option<Session> {
        match &mut self.state {
            State::Capture(capture) => {
                let session = capture.ready()?;
                self.given = self.given.max(session.number);
                Some(session)
            }
            State::Lines(lines) => lines.ready(),
            _ => None,
        }
    }

    /// The end of the input.
    pub fn finish(mut self) -> Evidence {
        let packed = self.packed.take();
        let refused = packed.as_ref().is_some_and(|p| p.is_refused());
        let problems = packed.map(|p| p.finish()).unwrap_or_default();
        let is_empty = matches!(&self.state, State::Head(head) if head.is_empty());
        if refused || is_empty && !problems.is_empty() {
            return Evidence { problems, sessions: self.given, ..Evidence::default() };
        }
        if matches!(self.state, State::Head(_)) {
            self.decide();
        }
        let mut evidence = self.evidence();
        evidence.problems.extend(problems);
        evidence
    }

    /// What was read, as it stands.
    fn evidence(self) -> Evidence {
        let mut evidence = match self.state {
            State::Lines(lines) => lines.finish(),
            State::Raw(bytes) => {
                let mut paste = Paste::new(&self.name, self.options);
                paste.raw(bytes);
                paste.finish()
            }
            State::Report(bytes) => saved(&self.name, &bytes),
            State::Capture(capture) => return captured(&self.name, self.bytes, *capture),
            State::Refused(error) => Evidence { problems: vec![error], ..Evidence::default() },
            State::Head(_) => Evidence::default(),
        };
        evidence.input.name = printable_str(&self.name);
        evidence.input.bytes = self.bytes;
        evidence.input.sha256 = self.sha256.map_or_else(String::new, |hash| hex::encode(hash.finalize()));
        if evidence.sessions > 0 {
            return rest_of(evidence);
        }
        if evidence.blocks.is_empty() && evidence.problems.is_empty() {
            evidence.problems.push(nothing_known(&self.name, self.bytes, &evidence.input));
        }
        evidence
    }
}

/// An archive of several files, when an input that is all there is one: refused before a session of its first file is given out.
pub fn archive_of_several(name: &str, bytes: &[u8]) -> Option<Evidence> {
    let mut unpack = Unpack::new(name, packing(bytes).filter(|p| *p == Packing::Zip)?);
    bytes.chunks(HEAD).for_each(|piece| unpack.feed(piece, &mut |_| ()));
    unpack.is_refused().then(|| Evidence { problems: unpack.finish(), ..Evidence::default() })
}

/// Chooses by the beginning of the input.
fn begin(name: &str, options: &Options, head: &[u8]) -> Result<State, InputError> {
    let charset = detect(head);
    let captured = options.only == Some(Kind::Capture);
    if let Some(format) = format(head).filter(|_| captured || options.only.is_none()) {
        let options = capture::Options { ports: options.ports.clone(), only_session: options.only_session };
        return Ok(State::Capture(Box::new(Capture::new(name, format, options))));
    }
    if let Some(foreign) = foreign(head) {
        return Err(InputError::unreadable(name, foreign.name, foreign.advice));
    }
    if captured {
        return Err(InputError::unreadable(
            name,
            "neither pcap nor pcapng",
            "capture with tcpdump -w FILE, or leave --as out",
        ));
    }
    if let (None, false, Some((what, advice))) = (options.only, matches!(charset, Charset::Utf16 { .. }), known(head)) {
        return Err(InputError::unreadable(name, what, advice));
    }
    let report = options.only == Some(Kind::Report);
    if report
        || (options.only.is_none() && head.trim_ascii_start().starts_with(b"{\"schema\""))
        || looks_like_json(head)
    {
        return Ok(State::Report(Vec::new()));
    }
    if charset == Charset::Utf8 && is_binary(head) {
        if matches!(sniff(head), Speaker::Tls | Speaker::SslV2) {
            return Ok(State::Raw(Vec::new()));
        }
        return Err(refuse(name, head));
    }
    let record = record_length(head).filter(|_| charset == Charset::Ebcdic);
    Ok(State::Lines(Box::new(Lines::new(charset, record, Paste::new(name, options.clone())))))
}

fn looks_like_json(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    text.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"schema\""))
}

fn is_binary(head: &[u8]) -> bool {
    let control = head.iter().filter(|b| matches!(b, 0..=8 | 14..=26 | 28..=31)).count();
    head.contains(&0) || control * 20 > head.len()
}

fn nothing_known(name: &str, bytes: u64, input: &Input) -> InputError {
    if input.unread.iter().any(|l| l.starts_with("MORE    ") || l.starts_with("FAILS   ")) {
        let what = "a screen of this tool, which does not hold the evidence";
        return InputError::unreadable(name, what, "use the .json that -o wrote, or the evidence itself");
    }
    let advice = "paste a System SSL trace, the FTP client's output, or the bytes as hex";
    if bytes == 0 {
        return InputError::unreadable(name, "empty", advice);
    }
    let what = match input.lines {
        1 => "its only line is not of a trace, a log, a dialogue, or hex".to_owned(),
        n => format!("none of its {n} lines is of a trace, a log, a dialogue, or hex"),
    };
    InputError::unreadable(name, what, advice)
}

/// What is left of a trace whose first sessions were given out before its end, numbered behind them.
fn rest_of(mut evidence: Evidence) -> Evidence {
    let given = core::mem::take(&mut evidence.sessions);
    // A log goes with the first handshakes of a trace, and these are gone.
    for block in &mut evidence.blocks {
        if let Block::Tls(piece) = block
            && piece.clock != Clock::Relative
        {
            let mut session = alone(core::mem::take(piece), Input::default());
            session.origin.inputs.clear();
            *block = Block::Session(session);
        }
    }
    let remarks = core::mem::take(&mut evidence.remarks);
    let Reading { sessions, mut inputs, problems } = weave(vec![evidence]);
    let numbers: Vec<u32> = (given.saturating_add(1)..).take(sessions.len()).collect();
    Evidence {
        input: inputs.pop().unwrap_or_default(),
        sessions: numbers.last().copied().unwrap_or(given),
        blocks: sessions.into_iter().map(Block::Session).collect(),
        numbers,
        remarks,
        problems,
    }
}

/// The sessions of a capture that nobody has taken, and what was wrong with it.
fn captured(name: &str, bytes: u64, mut capture: Capture) -> Evidence {
    let summary = capture.finish();
    let mut evidence = Evidence { problems: summary.problems, sessions: summary.sessions, ..Evidence::default() };
    evidence.input.name = printable_str(name);
    evidence.input.bytes = bytes;
    evidence.remarks = summary.remarks;
    while let Some(session) = capture.ready() {
        evidence.blocks.push(Block::Session(session.transcript));
        evidence.numbers.push(session.number);
    }
    evidence
}

/// A saved report, or several, one a line: its evidence is diagnosed again.
fn saved(name: &str, bytes: &[u8]) -> Evidence {
    #[derive(serde::Deserialize)]
    struct Saved {
        transcript: Transcript,
    }
    let mut evidence = Evidence::default();
    evidence.input.sources.push(Kind::Report.name().to_owned());
    for report in serde_json::Deserializer::from_slice(bytes).into_iter::<Saved>() {
        match report {
            Ok(saved) => evidence.blocks.push(Block::Session(saved.transcript)),
            Err(error) => {
                let what = format!("not a report of this tool: {}", printable_str(&error.to_string()));
                let advice = "use the file that -o report.json wrote, unchanged";
                evidence.problems.push(InputError::unreadable(name, what, advice).at_line(error.line() as u64));
                break;
            }
        }
    }
    evidence
}
