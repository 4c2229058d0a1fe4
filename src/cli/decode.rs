//! `decode`: files in, reports out.

use core::cell::LazyCell;
use std::fs::File;
use std::io::{self, Read};

use super::args::{Common, Decode};
use super::output::Output;
use super::{Status, complain, judges, term};
use crate::error::{Damage, InputError};
use crate::report::{About, Outcome, diagnose, judgement};
use crate::sources::{Block, Evidence, InputReader, Options, weave};
use crate::transcript::redact::{Level, redact};
use crate::transcript::{Authorities, Transcript};
use crate::trust::{Judgement, Stores};

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
    let mut desk = Desk {
        common,
        command,
        of_evidence: judges::stores_for_evidence(&own),
        of_this_machine: LazyCell::new(|| judges::stores(&[])),
        own,
        output,
        wanted: args.session,
        status: Status::Works,
        decided: false,
        shown: 0,
    };
    let stdin = vec!["-".to_owned()];
    let files = if args.files.is_empty() { &stdin } else { &args.files };
    let (mut pastes, mut problems, mut before) = (Vec::new(), Vec::new(), 0);
    for name in files {
        let only_session = args.session.map(|n| n.saturating_sub(before));
        let options =
            Options { from: args.from.map(Into::into), only: args.source, ports: args.ports.clone(), only_session };
        let mut evidence = read(name, &options, |n, session| desk.session(before + n, session))?;
        if evidence.sessions == 0 {
            pastes.push(evidence);
            continue;
        }
        // Captures are sessions of their own; what the pastes of a case say is woven.
        for (n, block) in evidence.numbers.iter().zip(evidence.blocks) {
            if let Block::Session(session) = block {
                desk.session(before + n, session)?;
            }
        }
        before = before.saturating_add(evidence.sessions);
        problems.append(&mut evidence.problems);
    }
    let reading = weave(pastes);
    for (n, session) in (before + 1..).zip(reading.sessions) {
        desk.session(n, session)?;
    }
    problems.extend(reading.problems);
    desk.finish(&problems)
}

/// Where sessions become reports.
struct Desk<'a, F> {
    common: &'a Common,
    command: &'a str,
    own: Vec<Authorities>,
    of_evidence: Stores,
    of_this_machine: LazyCell<Stores, F>,
    output: Output,
    wanted: Option<u32>,
    status: Status,
    decided: bool,
    shown: u32,
}

impl<F: FnOnce() -> Stores> Desk<'_, F> {
    /// Diagnoses session `n` and writes its report, if it is wanted.
    fn session(&mut self, n: u32, mut session: Transcript) -> io::Result<()> {
        if self.wanted.is_some_and(|wanted| wanted != n) {
            return Ok(());
        }
        let judged_by = match &session.origin.asked {
            Some(asked) if self.own.is_empty() && asked.authorities.is_empty() => self.of_this_machine.clone(),
            Some(asked) if self.own.is_empty() => judges::stores(&asked.authorities),
            _ => self.of_evidence.clone(),
        };
        let hides = self.common.redact >= Level::Names;
        let judgement = hides.then(|| judgement(&session, &judged_by)).flatten();
        redact(&mut session, self.common.redact);
        let command = if hides { "ftpsdiag decode (redacted)" } else { self.command };
        let about = About {
            session: n,
            reference: self.common.reference.as_deref().map(term::masked),
            command: command.to_owned(),
            stores: judged_by,
            judgement: judgement.map(Judgement::without_names),
            ..About::default()
        };
        let report = diagnose(session, &about);
        self.decided |= report.verdict.outcome != Outcome::Inconclusive;
        self.status = self.status.worse(Status::of(report.verdict.outcome));
        self.shown += 1;
        self.output.report(&report)
    }

    /// Says what was wrong with the inputs.
    fn finish(mut self, problems: &[InputError]) -> io::Result<Status> {
        self.output.finish()?;
        for problem in problems {
            complain(&term::safe(&problem.to_string()));
            // What is missing does not matter once the rest decides; what could not be read always does.
            if problem.damage == Damage::Unreadable || !self.decided {
                self.status = Status::Unreadable;
            }
        }
        if self.shown == 0 && problems.is_empty() {
            complain("there is no such session in the input");
            self.status = Status::Unreadable;
        }
        Ok(self.status)
    }
}

/// Reads one input in pieces, so that its size does not matter. Sessions that are ready before its end go to `each`; what could not
/// be read is a problem of the input, what could not be written an error.
fn read(
    name: &str,
    options: &Options,
    mut each: impl FnMut(u32, Transcript) -> io::Result<()>,
) -> io::Result<Evidence> {
    let result = if name == "-" {
        pump(name, io::stdin().lock(), options, &mut each)
    } else {
        match open(name) {
            Ok(file) => pump(name, file, options, &mut each),
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
        evidence.input.name = crate::wire::printable_str(name);
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

/// The outer error is one of writing, the inner one of reading.
fn pump(
    name: &str,
    mut from: impl Read,
    options: &Options,
    each: &mut impl FnMut(u32, Transcript) -> io::Result<()>,
) -> io::Result<io::Result<Evidence>> {
    let mut reader = InputReader::new(name, options.clone());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(Ok(reader.finish())),
            Ok(n) => reader.feed(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
        while let Some(session) = reader.ready() {
            each(session.number, session.transcript)?;
            // Nothing else is wanted: the rest need not be read.
            if options.only_session == Some(session.number) {
                let sessions = session.number;
                return Ok(Ok(Evidence { sessions, ..Evidence::default() }));
            }
        }
    }
}
