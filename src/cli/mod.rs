//! The command line: the only place that touches files, prints, or reads arguments.

mod args;
#[cfg(feature = "live")]
mod audit;
mod beside;
mod decode;
mod desk;
mod explain;
mod generate;
mod hash;
mod interrupt;
mod judges;
#[cfg(feature = "live")]
mod login;
mod output;
#[cfg(feature = "live")]
mod probe;
mod progress;
#[cfg(feature = "live")]
mod target;
mod term;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::explain::{explain, is_name, page};
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
    let cli = match Cli::try_parse_from(arguments.iter().map(without_colon)) {
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

/// `-15:` as it stands in a pasted error is a number, and no option.
fn without_colon(argument: &OsString) -> OsString {
    let number = argument.to_str().and_then(|a| a.strip_suffix(':')).filter(|a| {
        a.strip_prefix('-').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    number.map_or_else(|| argument.clone(), OsString::from)
}

fn run(cli: &Cli, command: &str) -> io::Result<Status> {
    match &cli.command {
        #[cfg(feature = "live")]
        Some(Command::Probe(args)) => probe::run(args, &cli.common, command),
        #[cfg(feature = "live")]
        Some(Command::Audit(args)) => audit::run(args, &cli.common, command),
        Some(Command::Decode(decode)) => decode::run(decode, &cli.common, command),
        Some(Command::Explain { what }) => explain::run(what, cli.common.verbose),
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
    // A line of an error may hold a slash; a path that is not there and has a blank in it is rarer.
    let files = cli.what.iter().filter(|w| is_file(w) || (looks_like_path(w) && !w.contains(' '))).count();
    if files == cli.what.len() {
        return decode::run(&args::Decode::of_files(cli.what.clone()), &cli.common, command);
    }
    let words: Vec<&str> = cli.what.iter().map(String::as_str).collect();
    if !cli.what.iter().any(is_file) && is_explained(&words) {
        return explain::run(&cli.what, cli.common.verbose);
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

/// Whether bare words ask for an explanation. Where all of them could be hosts, only names that nothing else has do.
fn is_explained(words: &[&str]) -> bool {
    is_name(words)
        || words.iter().all(|w| page(w).is_some())
        || (!words.iter().all(|w| is_target(w)) && explain(words).is_some())
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

/// Lines on standard error, broken as those of a screen are.
fn complain(text: &str) {
    let text = if text.starts_with(' ') { text.to_owned() } else { format!("ftpsdiag: {text}") };
    for line in text.lines().flat_map(term::broken) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::is_explained;

    #[test]
    fn hosts_are_probed_and_names_explained() {
        for host in [
            &["ftp.example.org"][..],
            &["eof.example.org"],
            &["0A00010B.example.org"],
            &["wrong-version-number.example.org"],
            &["curl-35.example.org", "alert.example.org"],
            &["connection", "reset.example.org"],
            &["192.0.2.7"],
            &["2001:db8::1"],
            &["localhost:2121"],
            &["c030"],
            &["C02F"],
            &["cafe"],
            &["deadbeef"],
            &["eof"],
            &["eproto"],
            &["alert"],
            &["gsk"],
            &["x25519"],
            &["open"],
            &["production"],
            &["backup01", "backup02"],
            &["ftps://alert.example.org"],
        ] {
            assert!(!is_explained(host), "{host:?}");
        }
        for name in [
            &["plaintext-instead-of-tls"][..],
            &["banned"],
            &["EZA2897I"],
            &["410"],
            &["0810"],
            &["0A00010B"],
            &["0x80090326"],
            &["handshake_failure"],
            &["GSK_ERR_BAD_MESSAGE"],
            &["ERR_SSL_WRONG_VERSION_NUMBER"],
            &["ssl.SSLCertVerificationError"],
            &["AES256-SHA"],
            &["TLS_RSA_WITH_AES_256_CBC_SHA"],
            &["13021301C030C02F"],
            &["cipher", "c030"],
            &["alert", "handshake_failure"],
            &["wrong", "version", "number"],
            &["GnuTLS error -15: An unexpected TLS packet was received."],
            &["534 Policy requires SSL."],
            &["EZD1287I", "TTLS", "Error", "RC:", "5003"],
        ] {
            assert!(is_explained(name), "{name:?}");
        }
    }
}
