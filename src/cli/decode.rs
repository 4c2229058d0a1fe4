//! `decode`: files in, reports out.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;

use super::args::{Common, Decode};
use super::beside::Held;
use super::desk::{Desk, Gone, Judge, Room, Written};
use super::hash::{self, Hasher, PIECES};
use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::{Meter, State};
use super::{Status, complain, judges, term};
use crate::error::{Damage, InputError};
use crate::render::table::Around;
use crate::sources::{Block, Evidence, InputReader, Options, archive_of_several, weave};
use crate::transcript::redact::Level;
use crate::transcript::{Input, Transcript};
use crate::wire::printable_str;

/// Files up to this size are hashed before they are read, so that the first report has their hash.
const HASHED_FIRST: u64 = 64 << 20;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// The same of a packed input, where each byte may be a thousand.
const PACKED: usize = 4 * 1024;

pub(super) fn run(args: &Decode, common: &Common, command: &str) -> io::Result<Status> {
    let output = match Output::new(common) {
        Ok(output) => output,
        Err(error) => {
            complain(&error.to_string());
            return Ok(Status::Unreadable);
        }
    };
    let own = match judges::authorities(&args.ca) {
        Ok(own) => own,
        Err(error) => {
            complain(&term::safe(&error.to_string()));
            return Ok(Status::Unreadable);
        }
    };
    let room = Room::new(Judge::new(common, command, own, output.shape()), Meter::new(common.quiet));
    let (around, problems, interrupt) = (Around::default(), Vec::new(), Interrupt::new());
    let mut case = Case { args, around, problems, wanted: args.session, sessions: 0, interrupt };
    case.around.redacted = common.redact >= Level::Names;
    let written = thread::scope(|scope| {
        let mut desk = Desk::new(scope, &room, output)?;
        // Where nobody writes any more, the writer says why.
        let _ = case.read(&mut desk, &room);
        desk.close()
    })?;
    case.finish(written)
}

/// What is read, and what there is to say of it.
struct Case<'a> {
    args: &'a Decode,
    around: Around,
    problems: Vec<InputError>,
    wanted: Option<u32>,
    /// Sessions of all inputs.
    sessions: u32,
    interrupt: Interrupt,
}

impl Case<'_> {
    /// Reads all inputs, and lays their sessions on the desk.
    fn read(&mut self, desk: &mut Desk<'_>, room: &Room<'_>) -> Result<(), Gone> {
        let stdin = vec!["-".to_owned()];
        let files = if self.args.files.is_empty() { &stdin } else { &self.args.files };
        let (mut pastes, mut before, mut held) = (Vec::new(), 0u32, Held::of(files));
        let (mut others, mut long) = (false, Vec::new());
        for name in files {
            if self.interrupt.is_pressed() {
                break;
            }
            let only_session = self.wanted.map(|n| n.saturating_sub(before));
            let (from, ports) = (self.args.from.map(Into::into), self.args.ports.clone());
            let options = Options { from, only: self.args.source, ports, only_session };
            let wanted = self.wanted;
            let mut lay = |n: u32, session: Transcript| match wanted {
                Some(wanted) if wanted != before.saturating_add(n) => Ok(()),
                _ => held.lay(desk, before.saturating_add(n), session),
            };
            let mut evidence = read(name, &options, &self.interrupt, room, &mut lay)?;
            self.told(name, &mut evidence);
            if evidence.sessions == 0 {
                pastes.push(evidence);
                continue;
            }
            // Captures are sessions of their own; what the pastes of a case say is woven.
            for (n, block) in evidence.numbers.iter().zip(evidence.blocks) {
                if let Block::Session(session) = block {
                    lay(*n, session)?;
                }
            }
            others |= held.is_empty() && wanted.is_none();
            if !evidence.input.sources.is_empty() {
                long.extend(self.around.inputs.last().cloned());
            }
            before = before.saturating_add(evidence.sessions);
            self.problems.append(&mut evidence.problems);
        }
        let is_log = |block: &Block| matches!(block, Block::Log(_));
        if pastes.iter().flat_map(|e: &Evidence| &e.blocks).any(is_log) {
            let note = |name: String| format!("{name}: a long trace: what the log beside it says was not put to it");
            self.around.notes.extend(long.into_iter().map(note));
        }
        let mut reading = weave(pastes);
        self.around.notes.extend(held.put(&mut reading, others));
        if !others {
            held.put_log(&mut reading);
        }
        held.give(desk)?;
        self.sessions = before.saturating_add(u32::try_from(reading.sessions.len()).unwrap_or(u32::MAX));
        for (n, session) in (before.saturating_add(1)..).zip(reading.sessions) {
            if self.wanted.is_none_or(|wanted| wanted == n) {
                desk.session(n, session)?;
            }
        }
        self.problems.extend(reading.problems);
        Ok(())
    }

    /// What is to be said of an input behind all reports.
    fn told(&mut self, name: &str, evidence: &mut Evidence) {
        let n = self.around.inputs.len() + 1;
        let name = match (self.around.redacted, name) {
            (true, _) => format!("input-{n}"),
            (false, "-") => "standard input".to_owned(),
            (false, name) => printable_str(name),
        };
        let remarks = core::mem::take(&mut evidence.remarks);
        self.around.notes.extend(remarks.iter().map(|remark| format!("{name}: {}", printable_str(remark))));
        self.around.inputs.push(name);
        self.around.bytes = self.around.bytes.saturating_add(evidence.input.bytes);
    }

    /// Says what was wrong with the inputs.
    fn finish(mut self, written: Written) -> io::Result<Status> {
        let (mut status, decided, shown) = (written.status, written.decided, written.shown);
        let stopped = self.interrupt.is_pressed();
        if stopped {
            status = status.worse(Status::CannotTell);
            self.around.notes.push("Ctrl-C: this is what was read until then".to_owned());
            // That the end is missing was wanted.
            self.problems.retain(|problem| problem.damage != Damage::Torn);
        }
        written.end(self.around)?;
        for problem in &self.problems {
            complain(&term::safe(&problem.to_string()));
            // What is missing does not matter once the rest decides; what could not be read always does.
            if !stopped && (problem.damage == Damage::Unreadable || !decided) {
                status = Status::Unreadable;
            }
        }
        if shown == 0 && self.problems.is_empty() {
            complain(&no_such_session(self.sessions));
            status = if stopped { Status::CannotTell } else { Status::Unreadable };
        }
        Ok(status)
    }
}

/// What is said where the wanted session is not among so many.
fn no_such_session(sessions: u32) -> String {
    match sessions {
        0 => "there is no session in the input".to_owned(),
        1 => "there is no such session: the input has one".to_owned(),
        n => format!("there is no such session: the input has {n}"),
    }
}

/// Takes a session and its number in the input.
type Lay<'a> = dyn FnMut(u32, Transcript) -> Result<(), Gone> + 'a;

/// Reads one input in pieces, so that its size does not matter. Sessions that are ready before its end go to `lay`; what could not
/// be read is a problem of the input.
fn read(
    name: &str,
    options: &Options,
    interrupt: &Interrupt,
    room: &Room<'_>,
    lay: &mut Lay<'_>,
) -> Result<Evidence, Gone> {
    let mut pump = Pump { name, options, interrupt, room, lay };
    let result = if name == "-" {
        pump.pipe(io::stdin())
    } else {
        match open(name) {
            Ok(file) => pump.file(file),
            Err(error) => Ok(Err(error)),
        }
    }?;
    Ok(result.unwrap_or_else(|error| {
        let (what, advice) = match error.kind() {
            io::ErrorKind::NotFound => ("no such file", "check the name; a host is examined with ftpsdiag probe HOST"),
            io::ErrorKind::IsADirectory => {
                ("a directory; expected a file", "name the files in it: several files are one case")
            }
            io::ErrorKind::PermissionDenied => ("may not be read by you", "copy it to where you may, or pipe it in"),
            _ => ("could not be read", "copy it to a local disk first"),
        };
        let mut evidence = Evidence::default();
        evidence.input.name = printable_str(name);
        evidence.problems.push(InputError::unreadable(name, what, advice));
        evidence
    }))
}

fn open(name: &str) -> io::Result<File> {
    let file = File::open(name)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// One input on its way into a reader. The outer error says that nobody writes any more, the inner one that it could not be read.
struct Pump<'a> {
    name: &'a str,
    options: &'a Options,
    interrupt: &'a Interrupt,
    room: &'a Room<'a>,
    lay: &'a mut Lay<'a>,
}

/// Whether the rest of an input is of interest.
#[derive(PartialEq, Eq)]
enum Rest {
    Wanted,
    /// The one session that is wanted was there.
    Unwanted,
}

impl Pump<'_> {
    /// A file that is not large is hashed first.
    fn file(&mut self, file: File) -> Result<io::Result<Evidence>, Gone> {
        let meta = match file.metadata() {
            Ok(meta) => meta,
            Err(error) => return Ok(Err(error)),
        };
        match (meta.is_file(), meta.len()) {
            (false, _) => self.pipe(file),
            (true, len @ 0..=HASHED_FIRST) => self.whole(file, usize::try_from(len).unwrap_or_default()),
            (true, len) => self.stream(file, Some(len)),
        }
    }

    /// What comes as somebody writes it. An archive is read first: only its end shows whether it is of several files.
    fn pipe(&mut self, from: impl Read + Send + 'static) -> Result<io::Result<Evidence>, Gone> {
        let mut from = self.interrupt.ending(from);
        let mut head = Vec::new();
        if let Err(error) = from.by_ref().take(4).read_to_end(&mut head) {
            return Ok(Err(error));
        }
        let from = head.as_slice().chain(from);
        if head.starts_with(b"PK") { self.whole(from, 0) } else { self.stream(from, None) }
    }

    /// An input of about `len` bytes that is hashed before it is read, if it is not large.
    fn whole(&mut self, from: impl Read, len: usize) -> Result<io::Result<Evidence>, Gone> {
        let mut all = Vec::with_capacity(len);
        // It may be longer than was thought: then it is read as it comes.
        let mut part = from.take(HASHED_FIRST + 1);
        if let Err(error) = part.read_to_end(&mut all) {
            return Ok(Err(error));
        }
        if all.len() as u64 > HASHED_FIRST {
            return self.stream(all.as_slice().chain(part.into_inner()), None);
        }
        if let Some(refused) = archive_of_several(self.name, &all) {
            return Ok(Ok(refused));
        }
        let (sha256, len) = (hash::of(&all), all.len() as u64);
        let mut reader = InputReader::unhashed(self.name, self.options.clone());
        for (n, piece) in (1..).zip(all.chunks(PIECE)) {
            if self.interrupt.is_pressed() {
                break;
            }
            if self.feed(&mut reader, piece, Some((&sha256, len)))? == Rest::Unwanted {
                return Ok(Ok(self.enough()));
            }
            self.tell((n * PIECE as u64).min(len), Some(len));
        }
        Ok(Ok(finished(reader, &sha256)))
    }

    /// Anything else is hashed on its way, where anybody writes the hash: who gets a report before its end gets it without.
    fn stream(&mut self, mut from: impl Read, of: Option<u64>) -> Result<io::Result<Evidence>, Gone> {
        let mut reader = InputReader::unhashed(self.name, self.options.clone());
        let mut hasher = self.room.judge.wants_all().then(Hasher::new);
        let mut buffers: Vec<Arc<Vec<u8>>> = (0..PIECES).map(|_| Arc::new(vec![0; PIECE])).collect();
        let mut bytes = 0;
        for turn in (0..PIECES).cycle() {
            let Some(buffer) = buffers.get_mut(turn).filter(|_| !self.interrupt.is_pressed()) else { break };
            if Arc::get_mut(buffer).is_none() {
                *buffer = Arc::new(vec![0; PIECE]);
            }
            let room = Arc::get_mut(buffer).map(Vec::as_mut_slice).unwrap_or_default();
            let len = match from.read(room) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error)),
            };
            if let Some(hasher) = &mut hasher {
                hasher.update(buffer, len);
            }
            if self.feed(&mut reader, buffer.get(..len).unwrap_or_default(), None)? == Rest::Unwanted {
                return Ok(Ok(self.enough()));
            }
            bytes += len as u64;
            self.tell(bytes, of);
        }
        Ok(Ok(finished(reader, &hasher.map(Hasher::finish).unwrap_or_default())))
    }

    /// The next bytes, and the sessions that they end.
    fn feed(&mut self, reader: &mut InputReader, bytes: &[u8], whole: Option<(&str, u64)>) -> Result<Rest, Gone> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // The first bytes show whether it is packed.
            let step = if rest.len() == bytes.len() || reader.is_packed() { PACKED } else { PIECE };
            let (piece, behind) = rest.split_at_checked(step).unwrap_or((rest, &[]));
            reader.feed(piece);
            rest = behind;
            while let Some(mut session) = reader.ready() {
                if let Some((sha256, bytes)) = whole {
                    session.transcript.origin.inputs.iter_mut().for_each(|input| known(input, sha256, bytes));
                }
                (self.lay)(session.number, session.transcript)?;
                // Nothing else is wanted: the rest need not be read.
                if self.options.only_session == Some(session.number) {
                    return Ok(Rest::Unwanted);
                }
            }
        }
        Ok(Rest::Wanted)
    }

    /// What is left to say of an input of which one session was wanted.
    fn enough(&self) -> Evidence {
        Evidence { sessions: self.options.only_session.unwrap_or_default(), ..Evidence::default() }
    }

    fn tell(&self, bytes: u64, of: Option<u64>) {
        let Room { tally, meter, .. } = self.room;
        let (sessions, fails) = (tally.sessions.load(Ordering::Relaxed), tally.fails.load(Ordering::Relaxed));
        let state = State { input: self.name, bytes, of, sessions, fails };
        meter.lock().unwrap_or_else(PoisonError::into_inner).tell(&state);
    }
}

/// The end of an input whose hash is known.
fn finished(reader: InputReader, sha256: &str) -> Evidence {
    let mut evidence = reader.finish();
    evidence.input.sha256 = sha256.to_owned();
    // What stands in a saved report is of other inputs.
    if evidence.sessions > 0 {
        for block in &mut evidence.blocks {
            if let Block::Session(session) = block {
                let bytes = evidence.input.bytes;
                session.origin.inputs.iter_mut().for_each(|input| known(input, sha256, bytes));
            }
        }
    }
    evidence
}

/// What is known of an input when it was read to its end.
fn known(input: &mut Input, sha256: &str, bytes: u64) {
    input.sha256 = sha256.to_owned();
    input.bytes = bytes;
}
