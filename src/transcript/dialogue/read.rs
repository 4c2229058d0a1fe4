//! Text to transcript.

use super::super::clock::{TimeOfDay, UnixMicros};
use super::super::*;
use super::words::{Word, Words, clip, lossy};
use crate::error::InputError;

/// What a line may hold; said when it holds something else.
const EXPECTED: &str =
    "a time (31, 01:49:34.5 or -), then: open | C or S and \"text\" or hex | S closes | \"program\" says \"text\"";

/// Reads a whole dialogue.
///
/// # Errors
/// The first line that is none of the notation, with its number.
pub fn parse(text: &str) -> Result<Transcript, InputError> {
    let mut parser = Parser::default();
    for (n, line) in text.lines().enumerate() {
        parser.line(line).map_err(|why| {
            InputError::unreadable(
                "dialogue",
                format!("{why}; expected {EXPECTED}"),
                "ftpsdiag --format dialogue shows the notation",
            )
            .at_line(n as u64 + 1)
        })?;
    }
    Ok(parser.finish())
}

/// Whether a line has the shape of an entry or a heading of the notation.
pub fn looks_like(line: &str) -> bool {
    let mut words = Words { rest: line };
    let Some(first) = words.next_bare() else { return false };
    match first {
        "clock" => return matches!(words.next_bare(), Some("utc" | "time-of-day")),
        "conn" => {
            let numbered = words.next_bare().is_some_and(|w| w.parse::<u16>().is_ok());
            return numbered && words.next_bare().is_some_and(|w| w == "control" || w.starts_with("data-of="));
        }
        "asked" => return matches!(words.next(), Some(Word::Quoted(_))) && words.next_bare().and_then(mode).is_some(),
        _ => {}
    }
    if time(first).is_none() {
        return false;
    }
    words.connection();
    match words.next() {
        Some(Word::Bare("open")) => words.next().is_none(),
        Some(Word::Bare("failed")) => words.next_bare().is_some_and(|w| failure(w).is_some()),
        Some(Word::Quoted(_)) => words.next_bare() == Some("says"),
        Some(Word::Bare(who)) if side(who).is_some() => match words.next() {
            Some(Word::Quoted(_)) => true,
            Some(Word::Bare(w)) => {
                matches!(
                    w,
                    "closes"
                        | "resets"
                        | "ends"
                        | "starts-tls"
                        | "silent"
                        | "gap"
                        | "skipped"
                        | "established"
                        | "certificates"
                        | "certificate-request"
                        | "ticket"
                        | "alert"
                ) || (w.len() >= 2 && w.len() % 2 == 0 && w.bytes().all(|b| b.is_ascii_hexdigit()))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Reads a dialogue line by line.
#[derive(Debug, Default)]
pub struct Parser {
    transcript: Transcript,
}

impl Parser {
    /// Reads one line; blank lines and comments are nothing.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn line(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words { rest: line };
        match words.next() {
            None => Ok(()),
            Some(Word::Bare("clock")) => self.clock(words),
            Some(Word::Bare("conn")) => self.conn(words),
            Some(Word::Bare("asked")) => self.asked(words),
            Some(Word::Bare(word)) => {
                let at = time(word).ok_or_else(|| format!("`{}` is no time", clip(word)))?;
                let conn = words.connection().unwrap_or_default();
                let what = event(&mut words)?;
                self.reach(conn);
                self.transcript.entries.push(Entry { at, conn, what });
                Ok(())
            }
            Some(_) => Err("no time at the beginning".to_owned()),
        }
    }

    /// Whether a line begins another session: a heading behind entries.
    pub fn is_next_session(&self, line: &str) -> bool {
        let mut words = Words { rest: line };
        let heading = match words.next_bare() {
            Some("clock" | "asked") => true,
            Some("conn") => words.next_bare() == Some("0"),
            _ => false,
        };
        heading && !self.transcript.entries.is_empty()
    }

    /// The transcript of all lines so far.
    pub fn finish(self) -> Transcript {
        self.transcript
    }

    fn reach(&mut self, ConnId(n): ConnId) -> Option<&mut Conn> {
        let n = usize::from(n);
        if self.transcript.conns.len() <= n {
            self.transcript.conns.resize(n + 1, Conn::default());
        }
        self.transcript.conns.get_mut(n)
    }

    fn clock(&mut self, mut words: Words<'_>) -> Result<(), String> {
        self.transcript.clock = match (words.next_bare(), words.next_bare()) {
            (Some("time-of-day"), None) => Clock::TimeOfDay,
            (Some("utc"), Some(zero)) => Clock::Utc(
                UnixMicros::parse_rfc3339(zero)
                    .ok_or("the clock needs a date and time such as 2021-02-26T00:00:00Z")?,
            ),
            _ => return Err("the clock is `utc DATE` or `time-of-day`".to_owned()),
        };
        Ok(())
    }

    fn asked(&mut self, mut words: Words<'_>) -> Result<(), String> {
        let target = words.text()?;
        let mode =
            words.next_bare().and_then(mode).ok_or("asked: explicit, implicit, implicit-after-banner or auto")?;
        let mut asked = Asked { target, mode, ..Asked::default() };
        while let Some(word) = words.next_bare() {
            match word {
                "verify=" => asked.verify_name = Some(words.text()?),
                "any-certificate" => asked.any_certificate = true,
                "login" => asked.login = asked.login.or(Some(Tried::default())),
                "active" => asked.login.get_or_insert_default().active = true,
                "ccc" => asked.login.get_or_insert_default().ccc = true,
                "empty-file" => asked.login.get_or_insert_default().empty_file = true,
                "upload" => asked.login.get_or_insert_default().upload = true,
                _ => return Err(format!("`{}` says nothing about what was asked", clip(word))),
            }
        }
        self.transcript.origin.asked = Some(asked);
        Ok(())
    }

    fn conn(&mut self, mut words: Words<'_>) -> Result<(), String> {
        let id = words.next_bare().and_then(|w| w.parse().ok()).ok_or("a connection has a number")?;
        let mut conn = Conn::default();
        let mut changed = None::<Vec<String>>;
        while let Some(word) = words.next() {
            let Word::Bare(key) = word else { return Err("a quoted text without a name".to_owned()) };
            if let Some(of) = key.strip_prefix("data-of=") {
                conn.role = Role::Data { of: ConnId(of.parse().map_err(|_| "data-of needs a number")?) };
                continue;
            }
            let address = |v: &str| v.parse().map(Some).map_err(|_| format!("`{}` is no address and port", clip(v)));
            match key.split_once('=').unwrap_or((key, "")) {
                ("control", "") => {}
                ("certain", "") => conn.tied = Some(Tied::Certain),
                ("likely", "") => conn.tied = Some(Tied::Likely),
                ("active", "") => conn.active = true,
                ("question", "") if words.rest.starts_with('"') => changed.get_or_insert_default().push(words.text()?),
                ("question", "") => changed = Some(Vec::new()),
                ("host", "") => conn.host = Some(words.text()?),
                ("peer", v) => conn.peer = address(v)?,
                ("local", v) => conn.local = address(v)?,
                _ => return Err(format!("`{}` says nothing about a connection", clip(key))),
            }
        }
        if let Some(changed) = changed {
            conn.why = Why::Question { changed };
        }
        if let Some(place) = self.reach(ConnId(id)) {
            *place = conn;
        }
        Ok(())
    }
}

fn event(words: &mut Words<'_>) -> Result<What, String> {
    match words.next() {
        Some(Word::Bare("open")) => Ok(What::Opened),
        Some(Word::Bare("failed")) => {
            let why =
                words.next_bare().and_then(failure).ok_or("failed: dns, refused, unreachable, timed-out or other")?;
            Ok(What::OpenFailed { why })
        }
        Some(Word::Quoted(by)) => {
            if words.next_bare() != Some("says") {
                return Err("a program `says` something".to_owned());
            }
            claim(by, words)
        }
        Some(Word::Bare(who)) => {
            let (from, layer, fidelity) = side(who).ok_or_else(|| format!("`{}` is neither C nor S", clip(who)))?;
            side_event(from, layer, fidelity, words)
        }
        Some(Word::Broken) => Err("a text without a closing quote, or an unknown escape".to_owned()),
        None => Err("nothing behind the time".to_owned()),
    }
}

fn claim(by: Vec<u8>, words: &mut Words<'_>) -> Result<What, String> {
    let by = lossy(by);
    let code = match words.peek_bare() {
        None => None,
        Some(system) => {
            words.next();
            Some(code(system, words)?)
        }
    };
    Ok(What::Claim { by, code, text: words.text()? })
}

fn code(system: &str, words: &mut Words<'_>) -> Result<Code, String> {
    if system == "message" {
        return Ok(Code::Message(words.text()?));
    }
    let value = words.next_bare().ok_or("a code needs its number")?;
    let radix = if system == "cms" { 16 } else { 10 };
    let value = u32::from_str_radix(value, radix).map_err(|_| format!("`{}` is no code", clip(value)))?;
    match system {
        "gsk" => Ok(Code::Gsk(value)),
        "at-tls" => Ok(Code::AtTls(value)),
        "cms" => Ok(Code::Cms(value)),
        "ftp-client" => Ok(Code::FtpClient(value)),
        "content-type" => Ok(Code::ContentType(value)),
        _ => Err(format!("`{}` is no system of codes", clip(system))),
    }
}

fn side_event(from: Side, layer: Layer, fidelity: Fidelity, words: &mut Words<'_>) -> Result<What, String> {
    let number = |word: Option<&str>| word.and_then(|w| w.parse::<u64>().ok());
    let Some(word) = words.peek_bare() else { return Ok(What::Bytes { from, layer, data: words.bytes()?, fidelity }) };
    let closed = |how| Ok(What::Closed { by: from, how });
    let mut rest = Words { rest: words.rest };
    rest.next();
    let (seen, after) = match word {
        "closes" => (closed(Close::Fin), rest),
        "resets" => (closed(Close::Reset), rest),
        "ends" => (closed(Close::Unknown), rest),
        "starts-tls" => (Ok(What::TlsStarts { by: from }), rest),
        "silent" => {
            let after = rest.next_bare().and_then(milliseconds).ok_or("silent for how many milliseconds?")?;
            (Ok(What::TimedOut { waiting_for: from, after }), rest)
        }
        "gap" => (Ok(What::Gap { from, len: number(rest.next_bare()) }), rest),
        "skipped" => {
            let len = number(rest.next_bare()).ok_or("skipped how many bytes?")?;
            let sha256 = if rest.rest.trim().is_empty() { String::new() } else { rest.text()? };
            (Ok(What::Skipped { from, layer, len, sha256 }), rest)
        }
        "established" | "certificates" | "certificate-request" | "ticket" | "alert" => {
            let seen = decrypted(word, &mut rest)?;
            (Ok(What::Decrypted { from, seen }), rest)
        }
        _ => return Ok(What::Bytes { from, layer, data: words.bytes()?, fidelity }),
    };
    *words = after;
    seen
}

fn decrypted(word: &str, words: &mut Words<'_>) -> Result<Decrypted, String> {
    let hex16 = |w: Option<&str>| w.and_then(|w| u16::from_str_radix(w, 16).ok()).ok_or("four hex digits are missing");
    Ok(match word {
        "ticket" => Decrypted::Ticket,
        "alert" => {
            let mut byte =
                || words.next_bare().and_then(|w| w.parse().ok()).ok_or("an alert has level and description");
            Decrypted::Alert { level: byte()?, description: byte()? }
        }
        "established" => {
            let (version, suite) = (hex16(words.next_bare())?, hex16(words.next_bare())?);
            let (mut group, mut alpn, mut resumed) = (None, None, false);
            while let Some(key) = words.next_bare() {
                match key.split_once('=').unwrap_or((key, "")) {
                    ("group", v) => group = Some(hex16(Some(v))?),
                    ("alpn", "") => alpn = Some(words.text()?),
                    ("resumed", "") => resumed = true,
                    _ => return Err(format!("`{}` says nothing about a handshake", clip(key))),
                }
            }
            Decrypted::Established { version, suite, group, alpn, resumed }
        }
        _ => {
            let mut parts = Vec::new();
            while let Some(word) = words.next_bare() {
                let der =
                    if word == "-" { Vec::new() } else { hex::decode(word).map_err(|_| "DER is hex".to_owned())? };
                parts.push(Der(der));
            }
            if word == "certificates" {
                Decrypted::Certificates { chain: parts }
            } else {
                Decrypted::CertificateRequest { authorities: parts }
            }
        }
    })
}

/// `-`, milliseconds with decimals, or a time of day.
fn time(word: &str) -> Option<Option<Micros>> {
    match word {
        "-" => Some(None),
        w if w.contains(':') => TimeOfDay::parse(w).map(|t| Some(t.0)),
        w => milliseconds(w).map(Some),
    }
}

fn milliseconds(word: &str) -> Option<Micros> {
    let (whole, decimals) = word.split_once('.').unwrap_or((word, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let micros = decimals.bytes().chain(std::iter::repeat(b'0')).take(3).fold(0, |n, d| n * 10 + u64::from(d - b'0'));
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(micros).map(Micros)
}

fn mode(word: &str) -> Option<Mode> {
    Mode::ALL.into_iter().find(|m| m.name() == word)
}

fn failure(word: &str) -> Option<OpenFailure> {
    Some(match word {
        "dns" => OpenFailure::Dns,
        "refused" => OpenFailure::Refused,
        "unreachable" => OpenFailure::Unreachable,
        "timed-out" => OpenFailure::TimedOut,
        "other" => OpenFailure::Other,
        _ => return None,
    })
}

fn side(word: &str) -> Option<(Side, Layer, Fidelity)> {
    let (who, flags) = word.split_at_checked(1)?;
    let from = match who {
        "C" => Side::Client,
        "S" => Side::Server,
        _ => return None,
    };
    let (layer, fidelity) = match flags {
        "" => (Layer::Wire, Fidelity::Exact),
        "*" => (Layer::InsideTls, Fidelity::Exact),
        "~" => (Layer::Wire, Fidelity::Rebuilt),
        "*~" => (Layer::InsideTls, Fidelity::Rebuilt),
        _ => return None,
    };
    Some((from, layer, fidelity))
}
