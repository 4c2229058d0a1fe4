//! The command line: the only place that touches files, prints, or reads arguments.

mod args;
mod decode;
mod explain;
mod generate;
mod judges;
mod output;
#[cfg(feature = "live")]
mod probe;
#[cfg(feature = "live")]
mod progress;
#[cfg(feature = "live")]
mod target;
mod term;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::explain::page;
use crate::report::Outcome;
#[cfg(feature = "live")]
use crate::transcript::Mode;
use args::{Cli, Command};

/// What the program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0: works.
    Works,
    /// 1: fails.
    Fails,
    /// 2: cannot tell.
    CannotTell,
    /// 3: the input or the command line could not be read.
    Unreadable,
}

impl Status {
    fn code(self) -> u8 {
        match self {
            Status::Works => 0,
            Status::Fails => 1,
            Status::CannotTell => 2,
            Status::Unreadable => 3,
        }
    }

    /// What a verdict comes to.
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Works => Status::Works,
            Outcome::Fails => Status::Fails,
            Outcome::Inconclusive => Status::CannotTell,
        }
    }

    /// The worse of two: 3, 1, 2, 0.
    fn worse(self, other: Self) -> Self {
        let rank = |s: Self| {
            [Status::Works, Status::CannotTell, Status::Fails, Status::Unreadable].iter().position(|x| *x == s)
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let asked = !error.use_stderr();
            return ExitCode::from(if asked { 0 } else { Status::Unreadable.code() });
        }
    };
    let command = term::command_line(&arguments);
    match run(&cli, &command) {
        Ok(status) => ExitCode::from(status.code()),
        // The reader of a pipe went away: nobody is left to tell, and nothing is said to work.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(Status::CannotTell.code()),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(Status::Unreadable.code())
        }
    }
}

fn run(cli: &Cli, command: &str) -> io::Result<Status> {
    match &cli.command {
        #[cfg(feature = "live")]
        Some(Command::Probe(args)) => probe::run(args, &cli.common, command),
        Some(Command::Decode(decode)) => decode::run(decode, &cli.common, command),
        Some(Command::Explain { what }) => explain::run(what),
        Some(Command::Generate { what }) => generate::run(*what),
        None => bare(cli, command),
    }
}

/// No command: files and piped input are decoded, ids explained, hosts probed.
fn bare(cli: &Cli, command: &str) -> io::Result<Status> {
    if cli.what.is_empty() {
        if io::stdin().is_terminal() {
            let _ = Cli::command().print_help();
            return Ok(Status::Unreadable);
        }
        return decode::run(&args::Decode::of_files(vec!["-".to_owned()]), &cli.common, command);
    }
    let is_file = |w: &String| w == "-" || Path::new(w).exists();
    let files = cli.what.iter().filter(|w| is_file(w) || looks_like_path(w)).count();
    if files == cli.what.len() {
        return decode::run(&args::Decode::of_files(cli.what.clone()), &cli.common, command);
    }
    let words: Vec<&str> = cli.what.iter().map(String::as_str).collect();
    if crate::explain::explain(&words).is_some() || words.iter().all(|w| page(w).is_some()) {
        return explain::run(&cli.what);
    }
    let strange = cli.what.iter().find(|w| !is_file(w) && !is_target(w)).or(cli.what.iter().find(|w| !is_file(w)));
    let strange = strange.map(String::as_str).unwrap_or_default();
    #[cfg(feature = "live")]
    if files == 0 && cli.what.iter().all(|w| is_target(w)) {
        return probe::run(&args::Probe::of(&cli.what), &cli.common, command);
    }
    if is_target(strange) {
        complain(&format!("{}: no such file, and a host is not probed beside files or ids", term::safe(strange)));
    } else {
        complain(&format!("{}: neither a file nor something to explain nor a host", term::safe(strange)));
    }
    complain("  try: files that hold a trace, a log or hex; or hosts alone: host, host:port, ftp://host, ftps://host");
    Ok(Status::Unreadable)
}

/// Whether a bare word names an endpoint.
#[cfg(feature = "live")]
fn is_target(word: &str) -> bool {
    // A password in a URL is refused with the right words.
    word.contains("://") || target::Target::parse(word, Mode::Auto).is_ok()
}

#[cfg(not(feature = "live"))]
fn is_target(_: &str) -> bool {
    false
}

/// What looks like a path and is not there is a missing file, never a host.
fn looks_like_path(word: &str) -> bool {
    let ending = Path::new(word).extension().and_then(|e| e.to_str()).unwrap_or_default();
    word.contains(['/', '\\']) && !word.contains("://")
        || word.starts_with('.')
        || [
            "txt", "log", "trc", "trace", "json", "hex", "md", "pcap", "pcapng", "cap", "gz", "zip", "dialogue", "eml",
            "out",
        ]
        .contains(&ending)
}

/// A line on standard error.
fn complain(text: &str) {
    let _ =
        writeln!(io::stderr(), "{}", if text.starts_with(' ') { text.to_owned() } else { format!("ftpsdiag: {text}") });
}
