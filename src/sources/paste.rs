//! A paste: lines in, blocks out. Every word is offered to the record that is open, and every place is looked at as
//! the beginning of a new one, so wrapped, joined, quoted and collapsed lines read the same as whole ones.

use std::collections::VecDeque;

use super::hexdump::Hex;
use super::words::{FULL_LINE, Word, split, undressed, unquote};
use super::{Block, Evidence, Kind, Options, gsksrvr, zos_ftp};
use crate::error::InputError;
use crate::transcript::{Input, dialogue, secrets};
use crate::wire::printable_str;

/// A record's beginning is recognized by so many words.
const LOOKAHEAD: usize = 8;

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
    open: Option<Open>,
    trace: gsksrvr::Trace,
    log: zos_ftp::Log,
    dialogue: dialogue::Parser,
    /// Sessions of dialogues that are complete.
    sessions: Vec<Block>,
    hex: Hex,
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

#[derive(Debug)]
enum Open {
    Gsk(Box<gsksrvr::Record>),
    Zos(zos_ftp::Record),
}

impl Paste {
    pub(super) fn new(name: &str, options: Options) -> Self {
        Self {
            input: Input { name: name.to_owned(), ..Input::default() },
            options,
            problems: Vec::new(),
            secrets: secrets::Lines::default(),
            number: 0,
            last_length: 0,
            pending: VecDeque::new(),
            lines: VecDeque::new(),
            open: None,
            trace: gsksrvr::Trace::default(),
            log: zos_ftp::Log::default(),
            dialogue: dialogue::Parser::default(),
            sessions: Vec::new(),
            hex: Hex::default(),
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

    /// Takes the next line, without its line end.
    pub(super) fn line(&mut self, raw: &str) {
        self.number += 1;
        // A dialogue is masked by its flows, where a secret may span entries.
        if self.may(Kind::Dialogue) && self.dialogue_line(unquote(raw.trim_end())) {
            return;
        }
        let masked = self.secrets.mask(&undressed(raw));
        let text = unquote(masked.trim_end());
        if text.trim().is_empty() {
            return;
        }
        self.input.lines += 1;
        let words = split(text, self.number, self.last_length >= FULL_LINE);
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
            let taken = match &mut self.open {
                Some(Open::Gsk(record)) => record.accept(&word),
                Some(Open::Zos(record)) => record.accept(&word),
                None => false,
            };
            if taken {
                self.claim(word.line);
            } else {
                self.close();
            }
        }
    }

    /// Opens a record if one begins at the front.
    fn begin(&mut self) {
        let (gsk, zos) = (self.may(Kind::Gsksrvr), self.may(Kind::ZosFtp));
        let known = self.has_seen(Kind::ZosFtp);
        let words = self.pending.make_contiguous();
        let mut record = if let Some(before) = gsksrvr::begins(words).filter(|_| gsk) {
            let line = words.first().map_or(0, |w| w.line);
            self.close();
            self.saw(Kind::Gsksrvr);
            // The system's name would otherwise hide the beginning that it belongs to.
            let record = Open::Gsk(Box::new(gsksrvr::Record::new(line, false)));
            (record, before)
        } else if gsksrvr::begins_without_heading(words)
            && !matches!(&self.open, Some(Open::Gsk(r)) if r.awaits_job())
            && gsk
        {
            let line = words.first().map_or(0, |w| w.line);
            self.close();
            self.saw(Kind::Gsksrvr);
            (Open::Gsk(Box::new(gsksrvr::Record::new(line, true))), 0)
        } else if zos {
            let inside = match &self.open {
                Some(Open::Zos(record)) => Some(record),
                _ => None,
            };
            let Some((form, before)) = zos_ftp::begins(words, known, inside) else { return };
            let at = words
                .first()
                .filter(|_| before > 0)
                .and_then(|w| crate::transcript::clock::TimeOfDay::parse(&w.text))
                .map(|t| t.0);
            self.close();
            self.saw(Kind::ZosFtp);
            (Open::Zos(zos_ftp::Record::new(form, at)), before)
        } else {
            return;
        };
        for _ in 0..record.1 {
            if let Some(word) = self.pending.pop_front() {
                self.settle(word.line);
                self.claim(word.line);
                if let Open::Gsk(r) = &mut record.0 {
                    r.accept(&word);
                }
            }
        }
        self.open = Some(record.0);
    }

    fn close(&mut self) {
        match self.open.take() {
            Some(Open::Gsk(record)) => self.trace.record(*record),
            Some(Open::Zos(record)) => self.log.record(&record),
            None => {}
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
                self.input.unread.push(printable_str(&line.text).chars().take(UNREAD_LENGTH).collect());
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

    /// Number of the line that was read last.
    pub(super) fn line_number(&self) -> u64 {
        self.number
    }

    /// The end of the input.
    pub(super) fn finish(mut self) -> Evidence {
        self.read(0);
        self.close();
        self.settle(u64::MAX);
        let mut blocks = self.trace.finish();
        blocks.splice(0..0, self.log.finish());
        self.end_dialogue();
        blocks.splice(0..0, std::mem::take(&mut self.sessions));
        let alone = blocks.is_empty() && self.input.understood == self.input.lines;
        let (hex, refused) = self.hex.finish(&self.options, alone, &mut self.input.assumed);
        self.input.understood = self.input.understood.saturating_sub(refused);
        if let Some(block) = hex {
            self.saw(Kind::Hex);
            blocks.push(block);
        }
        let seen = self.seen;
        self.input.sources =
            Kind::ALL.iter().zip(seen).filter(|(_, seen)| *seen).map(|(k, _)| k.name().to_owned()).collect();
        let mut problems = self.problems;
        problems.extend(self.trace.problems);
        problems.extend(self.hex.problems);
        for problem in &mut problems {
            problem.input.clone_from(&self.input.name);
        }
        problems.sort_by_key(|p| p.line);
        Evidence { input: self.input, blocks, problems }
    }
}
