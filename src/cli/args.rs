//! The arguments. What is not built is not listed.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::render::Format;
use crate::sources::Kind;
use crate::transcript::{Side, redact::Level};

const AFTER: &str = "Exit status: 0 works, 1 fails, 2 cannot tell, 3 the input or the command line could not be read.\n\
    Several reports: the worst of them (3, 1, 2, 0).";

/// Why does an FTPS handshake fail, and who has to do what?
///
/// Without a command, existing files and piped input are decoded, and ids are explained.
#[derive(Debug, Parser)]
#[command(name = "ftpsdiag", version, about, after_help = AFTER, args_conflicts_with_subcommands = false)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Files to decode (several are one case; `-` is standard input), or an id to explain.
    #[arg(value_name = "WHAT")]
    pub(super) what: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says what a pasted trace, log or hex comes to; several files are one case.
    Decode(Decode),
    /// Explains a finding or cause id, or a code: `gsk 410`, `alert 40`, `ftp 534`, `cipher 0035`, EZA2897I.
    Explain {
        /// The id, or a table and a value.
        #[arg(required = true)]
        what: Vec<String>,
    },
    /// Writes the man page, shell completions, or the schema of the JSON report.
    #[command(hide = true)]
    Generate {
        /// Which of them.
        what: Generated,
    },
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct Decode {
    /// Files; `-` or nothing is standard input.
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Read the input as this and nothing else.
    #[arg(long = "as", value_name = "SOURCE", value_parser = source)]
    pub(super) source: Option<Kind>,
    /// Who sent bytes whose direction their content does not tell.
    #[arg(long, value_enum, value_name = "END")]
    pub(super) from: Option<End>,
    /// Report only session N of the input (from 1).
    #[arg(long, value_name = "N")]
    pub(super) session: Option<u32>,
}

impl Decode {
    pub(super) fn of_files(files: Vec<String>) -> Self {
        Self { files, ..Self::default() }
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// How the report is shown: text, json, markdown or dialogue.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", value_parser = format)]
    pub(super) format: Format,
    /// Also write the report to FILE; its ending is the format (.txt .json .md .dialogue). Repeatable.
    #[arg(short, long = "output", global = true, value_name = "FILE")]
    pub(super) output: Vec<String>,
    /// Show the ladder of events and the annotated bytes as well.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Show the verdict only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Colour on standard output.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
    /// Indent JSON also when it does not go to a terminal.
    #[arg(long, global = true)]
    pub(super) pretty: bool,
    /// Replace names by stable placeholders, also in the hex: none, users, names or all.
    #[arg(long, global = true, value_name = "WHAT", default_value = "none", value_parser = level)]
    pub(super) redact: Level,
    /// Ticket number or the like, carried through into the report.
    #[arg(long = "ref", global = true, value_name = "TEXT")]
    pub(super) reference: Option<String>,
}

/// The end that sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum End {
    Client,
    Server,
}

impl From<End> for Side {
    fn from(end: End) -> Self {
        match end {
            End::Client => Side::Client,
            End::Server => Side::Server,
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

/// What `generate` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Generated {
    Man,
    Schema,
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

fn source(text: &str) -> Result<Kind, String> {
    let names: Vec<&str> = Kind::ALL.iter().map(|k| k.name()).collect();
    Kind::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn format(text: &str) -> Result<Format, String> {
    let names: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
    Format::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn level(text: &str) -> Result<Level, String> {
    let levels = [Level::None, Level::Users, Level::Names, Level::All];
    levels.into_iter().find(|l| l.name() == text).ok_or_else(|| "one of none, users, names, all".to_owned())
}
