//! The arguments. What is not built is not listed.

#[cfg(feature = "live")]
use core::{net::IpAddr, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "live")]
use crate::facts::admits::Assume;
#[cfg(feature = "live")]
use crate::probe::Parts;
use crate::render::Format;
use crate::sources::Kind;
#[cfg(feature = "live")]
use crate::transcript::Mode;
use crate::transcript::{Side, redact::Level};

const AFTER: &str = "Exit status: 0 works, 1 fails, 2 cannot tell, 3 the input or the command line could not be read.\n\
    Several reports: the worst of them (3, 1, 2, 0).";

/// Why does an FTPS handshake fail, and who has to do what?
///
/// Without a command, existing files and piped input are decoded, ids are explained, and anything else is probed.
#[derive(Debug, Parser)]
#[command(name = "ftpsdiag", version, about, after_help = AFTER, args_conflicts_with_subcommands = false)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Files to decode (several are one case; `-` is standard input), an id to explain, or hosts to probe.
    #[arg(value_name = "WHAT")]
    pub(super) what: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connects to an endpoint, tries the TLS handshake, and says why it fails; with a login it examines data connections too.
    #[cfg(feature = "live")]
    Probe(Box<Probe>),
    /// Asks an endpoint for everything that it accepts: versions, suites, groups, schemes, and what it does with odd hellos.
    #[cfg(feature = "live")]
    Audit(Box<Audit>),
    /// Says what a pasted trace, log or hex comes to; several files are one case.
    Decode(Decode),
    /// Explains a finding or cause id (-v: its whole page), a code (`gsk 410`, `alert 40`, `ftp 534`, `cipher 2F`, EZA2897I), or
    /// a pasted line: the error of another program, a reply of a server, a message of z/OS.
    Explain {
        /// The id, a table and a value, or the line.
        #[arg(required = true, allow_negative_numbers = true)]
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
    /// Authorities that judge certificates in the evidence: PEM, DER or PKCS#7. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Vec<String>,
    /// Report only session N of the input (from 1).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) session: Option<u32>,
    /// In a capture, take this port of a server for FTP whatever shows there. Repeatable.
    #[arg(long = "port", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) ports: Vec<u16>,
}

impl Decode {
    pub(super) fn of_files(files: Vec<String>) -> Self {
        Self { files, ..Self::default() }
    }
}

#[cfg(feature = "live")]
#[derive(Clone, Debug, Args)]
pub(super) struct Probe {
    /// host | host:port | [v6]:port | ftp:// ftpes:// ftps://host[:port]; one report each.
    #[arg(value_name = "TARGET", required = true)]
    pub(super) targets: Vec<String>,
    #[command(flatten)]
    pub(super) dial: Dial,
    #[command(flatten)]
    pub(super) login: LoginArgs,
}

#[cfg(feature = "live")]
#[derive(Clone, Debug, Args)]
pub(super) struct Audit {
    /// host | host:port | [v6]:port | ftp:// ftpes:// ftps://host[:port].
    #[arg(value_name = "TARGET")]
    pub(super) target: String,
    /// What to ask about: versions and their suites (one part, by either name, or as ciphers), groups, schemes, extensions, resumption,
    /// intolerances, security; several with commas, all of it by default. All but the last and resumption need the suites, and ask
    /// for them as well.
    #[arg(long, value_name = "PARTS", value_parser = parts)]
    pub(super) only: Option<Parts>,
    /// Connections at a time, at most: 1 to 16.
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(super) parallel: u8,
    /// One connection at a time, with a pause between two.
    #[arg(long, conflicts_with = "parallel")]
    pub(super) gentle: bool,
    /// Send the hellos of known clients as well, and say how the server answers each.
    #[arg(long)]
    pub(super) simulate: bool,
    /// Who would stop working if the server took less: tls12 (that or later), tls13, no-tls10, no-tls11, no-rsa-kx, no-cbc, no-sha1,
    /// no-3des, no-rc4, no-dhe, forward-secrecy, aead; several with commas.
    #[arg(long, value_name = "WHAT", value_parser = Assume::parse)]
    pub(super) assume: Option<Assume>,
    /// Say what would be asked, and connect to nobody. Options and files are read as for the real run; nothing is written.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) dial: Dial,
}

/// How an endpoint is reached, and who we are there.
#[cfg(feature = "live")]
#[derive(Clone, Debug, Args)]
pub(super) struct Dial {
    /// How TLS begins: auto (port 990 is implicit, and the bytes overrule), explicit, implicit, implicit-after-banner.
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub(super) mode: Mode,
    /// Patience for each step; fractions allowed.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// For one whole run.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(super) max_time: Duration,
    /// Server name to send in the ClientHello instead of the host.
    #[arg(long, value_name = "NAME", conflicts_with = "no_sni")]
    pub(super) sni: Option<String>,
    /// Send no server name.
    #[arg(long)]
    pub(super) no_sni: bool,
    /// Name that the certificate has to hold instead of the host.
    #[arg(long, value_name = "NAME")]
    pub(super) verify_name: Option<String>,
    /// Authorities to trust instead of the system's and Mozilla's: PEM, DER or PKCS#7. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Vec<String>,
    /// A certificate that a verifying client refuses is a warning only, and the password is sent all the same.
    #[arg(long)]
    pub(super) accept_any_certificate: bool,
    /// Client certificate: PEM, DER, or PKCS#12 (its password from FTPSDIAG_CERT_PASSWORD).
    #[arg(long, value_name = "FILE")]
    pub(super) cert: Option<String>,
    /// Its private key, when it is in another file.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<String>,
    /// Connect to this address instead of those of the name.
    #[arg(long, value_name = "ADDR")]
    pub(super) resolve: Option<IpAddr>,
    /// Connect from this address of our own.
    #[arg(long, value_name = "ADDR")]
    pub(super) source: Option<IpAddr>,
    /// Through a proxy: socks5://[USER@]HOST[:PORT] or http://[USER@]HOST[:PORT] (password from FTPSDIAG_PROXY_PASSWORD).
    #[arg(long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// IPv4 addresses only.
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(super) ipv4: bool,
    /// IPv6 addresses only.
    #[arg(short = '6', long)]
    pub(super) ipv6: bool,
    /// Every address of the name, one report each, instead of the first that answers.
    #[arg(long)]
    pub(super) all_addresses: bool,
}

/// Logging in, inside TLS, to examine data connections.
#[cfg(feature = "live")]
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Login and data connections")]
pub(super) struct LoginArgs {
    /// Log in as this user, inside TLS, and examine data connections. The password comes from --password-file,
    /// FTPSDIAG_PASSWORD, --netrc, or is asked for.
    #[arg(long, value_name = "NAME", group = "who", conflicts_with = "anonymous")]
    pub(super) user: Option<String>,
    /// The same as `anonymous`.
    #[arg(long, group = "who")]
    pub(super) anonymous: bool,
    /// The first line of this file is the password; `-` is standard input.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(super) password_file: Option<String>,
    /// The password of this user at this host from ~/.netrc, or the file that NETRC names.
    #[arg(long, requires = "user")]
    pub(super) netrc: bool,
    /// Active mode too: the server connects to this machine (PORT, EPRT).
    #[arg(long, requires = "who")]
    pub(super) active: bool,
    /// Leave TLS on the control connection (CCC) in a login of its own, then list: that login goes on in clear.
    #[arg(long, requires = "who")]
    pub(super) ccc: bool,
    /// Download this file, which has no content.
    #[arg(long, value_name = "PATH", requires = "who")]
    pub(super) empty_file: Option<String>,
    /// Upload files of 0 bytes, 1 byte and 1 MB into this directory, read them back, and delete them.
    #[arg(long, value_name = "DIR", requires = "who")]
    pub(super) write_test: Option<String>,
    /// Keep what passes on data connections (encrypted, as it passes) in the report.
    #[arg(long, requires = "who")]
    pub(super) keep_data: bool,
}

#[cfg(feature = "live")]
impl Probe {
    /// Of bare words, everything else as usual.
    pub(super) fn of(targets: &[String]) -> Self {
        let dial = Dial {
            mode: Mode::Auto,
            timeout: Duration::from_secs(10),
            max_time: Duration::from_secs(120),
            sni: None,
            no_sni: false,
            verify_name: None,
            ca: Vec::new(),
            accept_any_certificate: false,
            cert: None,
            key: None,
            resolve: None,
            source: None,
            proxy: None,
            ipv4: false,
            ipv6: false,
            all_addresses: false,
        };
        Self { targets: targets.to_vec(), dial, login: LoginArgs::default() }
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// How the report is shown: text, json, markdown or dialogue.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", value_parser = format)]
    pub(super) format: Format,
    /// Also write the report to FILE; its ending is the format (.txt .json .md .dialogue; .pem is the
    /// chain as the server sent it). Repeatable.
    #[arg(short, long = "output", global = true, value_name = "FILE")]
    pub(super) output: Vec<String>,
    /// Show the ladder of events and the annotated bytes as well; of many sessions, a row for each.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Show the verdict only; of many sessions, the table only.
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

#[cfg(feature = "live")]
fn mode(text: &str) -> Result<Mode, String> {
    let names: Vec<&str> = Mode::ALL.iter().map(|m| m.name()).collect();
    Mode::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

#[cfg(feature = "live")]
fn parts(text: &str) -> Result<Parts, String> {
    let names = || Parts::words().collect::<Vec<_>>().join(", ");
    Parts::parse(text).map_err(|word| format!("`{word}` is none of {}", names()))
}

/// A day is patience enough; more would overflow clocks.
#[cfg(feature = "live")]
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "seconds above 0 and up to 86400, e.g. 2.5".to_owned();
    let n: f64 = text.parse().map_err(|_| wrong())?;
    if n > 0.0 && n <= 86_400.0 { Duration::try_from_secs_f64(n).map_err(|_| wrong()) } else { Err(wrong()) }
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
