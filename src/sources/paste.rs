//! A paste: lines in, blocks out. Every word is offered to the record that is open, and every place is looked at as
//! the beginning of a new one, so wrapped, joined, quoted and collapsed lines read the same as whole ones.

mod fast;

use std::collections::VecDeque;

use super::gsk_fast::Fast;
use super::hex_secret::{HexSecret, without_hex};
use super::hexdump::Hex;
use super::packet_dump::without_text;
use super::source::{self, Place, Source};
use super::words::{FULL_LINE, Word, split, undressed, unquote};
use super::zos_words::{prefix, unglue};
use super::{Block, Evidence, Kind, Options};
use crate::error::InputError;
use crate::transcript::{Input, dialogue, secrets};
use crate::wire::printable_str;

/// A record's beginning is recognized by so many words: up to seven of what stands in front of it, and its own.
const LOOKAHEAD: usize = 14;

/// Lines that nobody understood are kept up to this number, and each up to this length.
const UNREAD_LINES: usize = 200;
const UNREAD_LENGTH: usize = 200;

/// Reads a paste line by line.
#[derive(Debug)]
pub(super) struct Paste {
    input: Input,
    options: Options,
    problems: Vec<InputError>,
    secrets: secrets::Lines,
    number: u64,
    last_length: usize,
    pending: VecDeque<Word>,
    lines: VecDeque<Line>,
    sources: Vec<Box<dyn Source>>,
    /// The source whose record is open.
    open: Option<usize>,
    dialogue: dialogue::Parser,
    /// Sessions of dialogues that are complete.
    sessions: Vec<Block>,
    hex: Hex,
    hidden: HexSecret,
    /// Absent only while it reads a line.
    fast: Option<Box<Fast>>,
    /// The input is a long trace and nothing else: its sessions are given out as they end; so many were.
    streams: bool,
    given: u32,
    /// Sources that claimed something.
    seen: [bool; Kind::ALL.len()],
}

/// A line whose words have not all been offered yet.
#[derive(Debug)]
struct Line {
    number: u64,
    text: String,
    claimed: bool,
}

impl Paste {
    pub(super) fn new(name: &str, options: Options) -> Self {
        Self {
            input: Input { name: name.to_owned(), ..Input::default() },
            problems: Vec::new(),
            secrets: secrets::Lines::default(),
            number: 0,
            last_length: 0,
            pending: VecDeque::new(),
            lines: VecDeque::new(),
            sources: source::all(&options),
            options,
            open: None,
            dialogue: dialogue::Parser::default(),
            sessions: Vec::new(),
            hex: Hex::default(),
            hidden: HexSecret::default(),
            fast: Some(Box::default()),
            streams: false,
            given: 0,
            seen: [false; Kind::ALL.len()],
        }
    }

    fn may(&self, kind: Kind) -> bool {
        self.options.only.is_none_or(|only| only == kind)
    }

    fn saw(&mut self, kind: Kind) {
        if let Some(seen) = Kind::ALL.iter().position(|k| *k == kind).and_then(|n| self.seen.get_mut(n)) {
            *seen = true;
        }
    }

    fn has_seen(&self, kind: Kind) -> bool {
        Kind::ALL.iter().zip(self.seen).any(|(k, seen)| *k == kind && seen)
    }

    /// Reads a line word by word.
    fn read_line(&mut self, raw: &str) {
        self.number += 1;
        // A dialogue is masked by its flows, where a secret may span entries.
        if self.may(Kind::Dialogue) && self.dialogue_line(unquote(raw.trim_end())) {
            return;
        }
        let masked = self.secrets.mask(&without_text(&undressed(raw)));
        let text = unquote(masked.trim_end());
        if text.trim().is_empty() {
            return;
        }
        self.input.lines += 1;
        let mut words = split(text, self.number, self.last_length >= FULL_LINE);
        unglue(&mut words);
        self.last_length = text.len();
        self.lines.push_back(Line { number: self.number, text: text.to_owned(), claimed: false });
        self.pending.extend(words);
        self.read(LOOKAHEAD);
    }

    fn end_dialogue(&mut self) {
        let transcript = std::mem::take(&mut self.dialogue).finish();
        if !transcript.conns.is_empty() {
            self.sessions.push(Block::Session(transcript));
        }
    }

    fn dialogue_line(&mut self, text: &str) -> bool {
        let comment = self.has_seen(Kind::Dialogue) && text.trim_start().starts_with('#');
        if !comment && !dialogue::looks_like(text) {
            return false;
        }
        self.saw(Kind::Dialogue);
        self.input.lines += 1;
        self.input.understood += 1;
        if self.dialogue.is_next_session(text) {
            self.end_dialogue();
        }
        if let Err(why) = self.dialogue.line(text) {
            self.problems.push(
                InputError::unreadable("", why, "ftpsdiag --format dialogue shows the notation").at_line(self.number),
            );
        }
        true
    }

    /// Reads words while more than `keep` of them are waiting.
    fn read(&mut self, keep: usize) {
        while self.pending.len() > keep {
            self.begin();
            let Some(word) = self.pending.pop_front() else { return };
            self.settle(word.line);
            let taken = self.open.and_then(|n| self.sources.get_mut(n)).is_some_and(|s| s.accept(&word));
            if taken {
                self.claim(word.line);
            } else {
                self.close();
            }
        }
    }

    /// Opens a record if one begins at the front.
    fn begin(&mut self) {
        let words = self.pending.make_contiguous();
        let prefix = prefix(words);
        let holds = self.open.and_then(|n| self.sources.get(n)).is_some_and(|s| s.holds_fast());
        let mut found = None;
        for (n, source) in self.sources.iter_mut().enumerate() {
            let kind = source.kind();
            if self.options.only.is_some_and(|only| only != kind) {
                continue;
            }
            let known = Kind::ALL.iter().zip(self.seen).any(|(k, seen)| *k == kind && seen);
            let place = Place { words, prefix: prefix.as_ref(), known };
            // An open record that is surely unfinished has what only looks like a beginning.
            if let Some(begins) = source.begins(&place).filter(|b| !(b.weak && holds && self.open != Some(n))) {
                found = Some((n, begins.before, kind));
                break;
            }
        }
        let Some((n, before, kind)) = found else {
            // Such a line is a new message, whether anybody knows it or not.
            if prefix.is_some_and(|p| p.sure) {
                self.close();
            }
            return;
        };
        self.close();
        self.saw(kind);
        let words = self.pending.make_contiguous();
        let front: Vec<Word> = words.get(..before).unwrap_or_default().to_vec();
        if let Some(source) = self.sources.get_mut(n) {
            source.open(&Place { words, prefix: prefix.as_ref(), known: true }, &front);
        }
        for word in &front {
            self.pending.pop_front();
            self.settle(word.line);
            self.claim(word.line);
        }
        self.open = Some(n);
    }

    fn close(&mut self) {
        if let Some(source) = self.open.take().and_then(|n| self.sources.get_mut(n)) {
            source.close();
        }
    }

    fn claim(&mut self, number: u64) {
        if let Some(line) = self.lines.iter_mut().find(|l| l.number == number) {
            line.claimed = true;
        }
    }

    /// All words before line `number` have been offered: what nobody claimed may be hex, or is unread.
    fn settle(&mut self, number: u64) {
        while self.lines.front().is_some_and(|l| l.number < number) {
            let Some(line) = self.lines.pop_front() else { return };
            let hex = !line.claimed && self.may(Kind::Hex) && self.hex.line(line.number, &line.text);
            if line.claimed || hex {
                self.input.understood += 1;
            } else if self.input.unread.len() < UNREAD_LINES {
                let text = printable_str(&self.hidden.mask(&line.text));
                self.input.unread.push(text.chars().take(UNREAD_LENGTH).collect());
            }
        }
    }

    /// Bytes that are no text.
    pub(super) fn raw(&mut self, bytes: Vec<u8>) {
        self.hex.raw(bytes);
    }

    /// A problem that was met before the lines reached here.
    pub(super) fn problem(&mut self, problem: InputError) {
        self.problems.push(problem);
    }

    /// What was taken for granted before the lines reached here.
    pub(super) fn assume(&mut self, what: String) {
        self.input.assumed.push(what);
    }

    /// Number of the line that was read last.
    pub(super) fn line_number(&self) -> u64 {
        self.number
    }

    /// The end of the input.
    pub(super) fn finish(mut self) -> Evidence {
        self.end_of_lines();
        self.read(0);
        self.close();
        self.settle(u64::MAX);
        self.end_dialogue();
        let mut blocks = std::mem::take(&mut self.sessions);
        for source in &mut self.sources {
            let found = source.finish();
            blocks.extend(found.blocks);
            self.problems.extend(found.problems);
            self.input.assumed.extend(found.assumed);
        }
        let alone = blocks.is_empty() && self.input.understood == self.input.lines;
        let (hex, refused) = self.hex.finish(&self.options, alone, &mut self.input.assumed);
        self.input.understood = self.input.understood.saturating_sub(refused);
        if let Some(block) = hex {
            self.saw(Kind::Hex);
            blocks.push(block);
        }
        if self.has_seen(Kind::PacketTrace) {
            self.input.unread.iter_mut().for_each(|line| *line = without_hex(line));
        }
        let seen = self.seen;
        self.input.sources =
            Kind::ALL.iter().zip(seen).filter(|(_, seen)| *seen).map(|(k, _)| k.name().to_owned()).collect();
        let mut problems = self.problems;
        problems.extend(self.hex.problems);
        for problem in &mut problems {
            problem.input.clone_from(&self.input.name);
        }
        problems.sort_by_key(|p| p.line);
        Evidence { input: self.input, blocks, problems, sessions: self.given, ..Evidence::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{Beginning, Found};
    use super::*;
    use crate::transcript::{Code, What};

    fn claims(lines: &[&str]) -> Vec<(String, Option<Code>, String, bool)> {
        let mut paste = Paste::new("x", Options::default());
        lines.iter().for_each(|l| paste.line(l));
        let blocks = paste.finish().blocks.into_iter();
        let pieces = blocks.filter_map(|b| match b {
            Block::Log(piece) | Block::Tls(piece) | Block::AtTls(piece) | Block::Settings(piece) => Some(piece),
            Block::Session(_) => None,
        });
        let entries = pieces.flat_map(|p| p.entries);
        entries
            .filter_map(|e| match e.what {
                What::Claim { by, code, text } => Some((by, code, text, e.at.is_some())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_prefix_gives_time_and_speaker_and_ends_what_was_open() {
        let id = |id: &str| Some(Code::Message(id.to_owned()));
        let said = |by: &str, code, text: &str| (by.to_owned(), code, text.to_owned(), true);
        let (client, server) = ("z/OS FTP client", "z/OS FTP server");
        // The first line is long enough to have been broken.
        let long = "SJP1 FTP failed - Cmd = 10(open) Reply = n/a EX CEE RC = 0810";
        let job = [
            format!("01.49.35 JOB01234  EZZ9830I {long}"),
            "01.49.35 JOB01234  IEF142I SJP1 FTP - STEP WAS EXECUTED - COND CODE 2042".to_owned(),
            "01.49.36 JOB01234 +EZA2897I Authentication negotiation failed".to_owned(),
        ];
        let job: Vec<&str> = job.iter().map(String::as_str).collect();
        let want = [
            said(client, id("EZZ9830I"), long),
            said("JCL", id("IEF142I"), "SJP1 FTP - STEP WAS EXECUTED - COND CODE 2042"),
            said(client, id("EZA2897I"), "Authentication negotiation failed"),
        ];
        assert_eq!(claims(&job), want);
        let daemon = [
            "Jun  1 08:12:31 zos1 ftpd[5]: EZYFT25I Using //'TCPIP.STANDARD.TCPXLBIN' for FTP translation tables",
            "Jun  1 08:12:32 zos1 sshd[6]: Accepted publickey for joe",
            "Jun  1 08:12:33 zos1 ftpd[5]: authClient: init failed with rc = 410 (GSK_ERR_BAD_MESSAGE)",
        ];
        let want = [
            said(server, id("EZYFT25I"), "Using //'TCPIP.STANDARD.TCPXLBIN' for FTP translation tables"),
            said(server, Some(Code::Gsk(410)), "GSK_ERR_BAD_MESSAGE"),
        ];
        assert_eq!(claims(&daemon), want);
        // The names of the functions are those of the other end.
        assert_eq!(claims(&["authServer: secure_socket_init failed with rc = 410 (x)"])[0].0, client);
        let trace = ["SC0001 authClient: init failed with rc = 406 (GSK_ERR_IO)"];
        assert_eq!(claims(&trace)[0].0, server);
    }

    /// Takes three words behind `EZD`, and holds fast until it has them.
    #[derive(Debug, Default)]
    struct Holding(Option<usize>, Vec<String>);

    impl Source for Holding {
        fn kind(&self) -> Kind {
            Kind::AtTls
        }
        fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
            (place.words.first()?.text == "EZD").then_some(Beginning { before: 0, weak: false })
        }
        fn open(&mut self, _: &Place<'_>, _: &[Word]) {
            self.0 = Some(0);
        }
        fn accept(&mut self, word: &Word) -> bool {
            let n = self.0.unwrap_or(4);
            self.0 = Some(n + 1);
            if n < 4 {
                self.1.push(word.text.clone());
            }
            n < 4
        }
        fn close(&mut self) {
            self.0 = None;
        }
        fn holds_fast(&self) -> bool {
            self.0.is_some_and(|n| n < 4)
        }
        fn finish(&mut self) -> Found {
            Found { assumed: vec![self.1.join(" ")], ..Found::default() }
        }
    }

    #[test]
    fn what_looks_like_a_reply_does_not_break_a_record_that_holds_fast() {
        let lines = ["EZA1701I >>> AUTH TLS", "EZD RC:", "431 Initial Handshake", "234 go"];
        let mut paste = Paste::new("x", Options::default());
        paste.sources.insert(0, Box::new(Holding::default()));
        lines.iter().for_each(|l| paste.line(l));
        let evidence = paste.finish();
        assert_eq!(evidence.input.assumed, ["EZD RC: 431 Initial"]);
        assert_eq!(evidence.input.sources, ["at-tls", "zos-ftp"]);
        let Some(Block::Log(log)) = evidence.blocks.first() else { panic!("{:?}", evidence.blocks) };
        let text = |e: &crate::transcript::Entry| match &e.what {
            What::Bytes { data, .. } => String::from_utf8_lossy(data).into_owned(),
            _ => String::new(),
        };
        assert_eq!(log.entries.iter().map(text).collect::<Vec<_>>(), ["AUTH TLS\r\n", "234 go\r\n"]);
    }
}
