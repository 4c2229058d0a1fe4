//! `decode`: files in, reports out.

use core::cell::LazyCell;
use std::fs::File;
use std::io::{self, Read};

use super::args::{Common, Decode};
use super::output::Output;
use super::{Status, complain, judges, term};
use crate::error::{Damage, InputError};
use crate::report::{About, Outcome, diagnose, judgement};
use crate::sources::{Evidence, InputReader, Options, weave};
use crate::transcript::redact::{Level, redact};
use crate::trust::Judgement;

pub(super) fn run(args: &Decode, common: &Common, command: &str) -> io::Result<Status> {
    let mut output = match Output::new(common) {
        Ok(output) => output,
        Err(error) => {
            complain(&error.to_string());
            return Ok(Status::Unreadable);
        }
    };
    let stdin = vec!["-".to_owned()];
    let files = if args.files.is_empty() { &stdin } else { &args.files };
    let options = Options { from: args.from.map(Into::into), only: args.source };
    let evidence = files.iter().map(|name| read(name, &options)).collect();
    let reading = weave(evidence);
    let own = match judges::authorities(&args.ca) {
        Ok(own) => own,
        Err(error) => {
            complain(&term::safe(&error.to_string()));
            return Ok(Status::Unreadable);
        }
    };

    let of_evidence = judges::stores_for_evidence(&own);
    let of_this_machine = LazyCell::new(|| judges::stores(&[]));
    let mut status = Status::Works;
    let mut decided = false;
    let mut shown = 0;
    for (n, mut session) in (1..).zip(reading.sessions) {
        if args.session.is_some_and(|wanted| wanted != n) {
            continue;
        }
        let judged_by = match &session.origin.asked {
            Some(asked) if own.is_empty() && asked.authorities.is_empty() => of_this_machine.clone(),
            Some(asked) if own.is_empty() => judges::stores(&asked.authorities),
            _ => of_evidence.clone(),
        };
        let judgement = (common.redact >= Level::Names).then(|| judgement(&session, &judged_by)).flatten();
        redact(&mut session, common.redact);
        let command = if common.redact >= Level::Names { "ftpsdiag decode (redacted)" } else { command };
        let about = About {
            session: n,
            reference: common.reference.as_deref().map(term::masked),
            command: command.to_owned(),
            stores: judged_by,
            judgement: judgement.map(Judgement::without_names),
            ..About::default()
        };
        let report = diagnose(session, &about);
        decided |= report.verdict.outcome != Outcome::Inconclusive;
        status = status.worse(Status::of(report.verdict.outcome));
        output.report(&report)?;
        shown += 1;
    }
    output.finish()?;
    for problem in &reading.problems {
        complain(&term::safe(&problem.to_string()));
        // What is missing does not matter once the rest decides; what could not be read always does.
        if problem.damage == Damage::Unreadable || !decided {
            status = Status::Unreadable;
        }
    }
    if shown == 0 && reading.problems.is_empty() {
        complain("there is no such session in the input");
        status = Status::Unreadable;
    }
    Ok(status)
}

/// Reads one input in pieces, so that its size does not matter.
fn read(name: &str, options: &Options) -> Evidence {
    let result = if name == "-" {
        pump(name, io::stdin().lock(), options)
    } else {
        open(name).and_then(|f| pump(name, f, options))
    };
    result.unwrap_or_else(|error| {
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
    })
}

fn open(name: &str) -> io::Result<File> {
    let file = File::open(name)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

fn pump(name: &str, mut from: impl Read, options: &Options) -> io::Result<Evidence> {
    let mut reader = InputReader::new(name, options.clone());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(reader.finish()),
            Ok(n) => reader.feed(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
