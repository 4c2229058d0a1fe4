//! What goes on, on a terminal's standard error, in one line that is taken away at the end.

use std::io::{self, IsTerminal, Write};

use crate::render::table::{size, thousands};
use crate::transcript::clock::UnixMicros;
#[cfg(feature = "live")]
use crate::transcript::{Decrypted, Entry, Layer, Side, What};
#[cfg(feature = "live")]
use crate::wire::printable;
use crate::wire::printable_str;
#[cfg(feature = "live")]
use crate::{live::Seen, probe};

/// The width that every terminal has.
const WIDTH: usize = 79;

/// The width of a bar.
#[cfg(feature = "live")]
const BAR: usize = 20;

/// Whether anybody sees what is said on the way.
fn is_seen(quiet: bool) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
    io::stderr().is_terminal() && !quiet && !dumb
}

/// How often a line of a [`Meter`] is written anew, in microseconds.
const EVERY: i64 = 200_000;

/// How far the reading of an input has come, in one line on a terminal.
pub(super) struct Meter {
    shown: bool,
    last: Option<UnixMicros>,
    /// Whether a line stands there.
    written: bool,
}

/// What a [`Meter`] tells.
pub(super) struct State<'a> {
    pub(super) input: &'a str,
    pub(super) bytes: u64,
    /// Length of the input, where it is known.
    pub(super) of: Option<u64>,
    pub(super) sessions: u64,
    pub(super) fails: u64,
}

impl Meter {
    /// Silent when standard error is no terminal, and where there is no clock.
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: now().is_some() && is_seen(quiet), last: None, written: false }
    }

    /// Tells how far it has come, if it is time to.
    pub(super) fn tell(&mut self, state: &State<'_>) {
        if self.shown && now().is_some_and(|now| self.is_due(now)) {
            let _ = write!(io::stderr(), "\r\x1b[K{}", state.line());
            let _ = io::stderr().flush();
            self.written = true;
        }
    }

    /// Takes its line away, so that something else can be written.
    pub(super) fn clear(&mut self) {
        if core::mem::take(&mut self.written) {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }

    /// Not at once, so that nothing flashes up where the input is short; then from time to time. A clock that was put back starts anew.
    fn is_due(&mut self, now: UnixMicros) -> bool {
        let since = self.last.map(|last| now.0.saturating_sub(last.0));
        if since.is_none_or(|since| !(0..EVERY).contains(&since)) {
            self.last = Some(now);
        }
        since.is_some_and(|since| since >= EVERY)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

impl State<'_> {
    fn line(&self) -> String {
        let of = self.of.map_or_else(String::new, |of| format!(" of {}", size(of)));
        let (sessions, fails) = (thousands(self.sessions), thousands(self.fails));
        let told = format!("{}{of}, {sessions} sessions, {fails} fail", size(self.bytes));
        let room = WIDTH.saturating_sub(told.len() + 2);
        let name: String = printable_str(self.input).chars().take(room).collect();
        format!("{name}: {told}")
    }
}

#[cfg(feature = "live")]
fn now() -> Option<UnixMicros> {
    Some(crate::live::now())
}

/// There is no clock without the network.
#[cfg(not(feature = "live"))]
fn now() -> Option<UnixMicros> {
    None
}

/// One line of progress.
#[cfg(feature = "live")]
pub(super) struct Progress {
    shown: bool,
    target: String,
    /// How much of the bar is full: what is left is a guess, and a bar that goes back tells nobody anything.
    full: usize,
    /// Whether there is a bar.
    has_bar: bool,
}

#[cfg(feature = "live")]
impl Progress {
    /// For one target; silent when standard error is no terminal.
    pub(super) fn new(target: &str, quiet: bool) -> Self {
        let progress = Self { shown: is_seen(quiet), target: target.to_owned(), full: 0, has_bar: false };
        progress.say("connecting");
        progress
    }

    /// Tells what is worth telling: entries, until there is a bar.
    pub(super) fn tell(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Entry(entry) if !self.has_bar => self.tell_entry(entry),
            Seen::Entry(_) => {}
            Seen::Progress(far) => {
                self.has_bar = true;
                self.full = self.full.max(BAR * far.done / (far.done + far.left).max(1));
                self.say(&bar(self.full, &far));
            }
        }
    }

    fn tell_entry(&self, entry: &Entry) {
        let text = match &entry.what {
            What::Opened => "connected, waiting for the greeting".to_owned(),
            What::Bytes { from, data, layer, .. } if is_text(data, *layer) => {
                let arrow = if *from == Side::Client { '>' } else { '<' };
                let line: Vec<u8> = data.iter().copied().take_while(|b| !matches!(b, b'\r' | b'\n')).collect();
                format!("{arrow} {}", printable(&line))
            }
            What::TlsStarts { .. } => "TLS handshake".to_owned(),
            What::Decrypted { seen: Decrypted::Established { .. }, .. } => "handshake completed".to_owned(),
            _ => return,
        };
        self.say(&text);
    }

    fn say(&self, text: &str) {
        if self.shown {
            let line: String = format!("{}: {text}", self.target).chars().take(WIDTH).collect();
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
            let _ = io::stderr().flush();
        }
    }
}

/// `[######..............] 30 of about 91: groups, TLS 1.3`
#[cfg(feature = "live")]
fn bar(full: usize, far: &probe::Progress) -> String {
    let of = far.done + far.left;
    format!("[{:.<BAR$}] {} of about {of}: {}", "#".repeat(full.min(BAR)), far.done, printable_str(&far.asking))
}

#[cfg(feature = "live")]
impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(feature = "live")]
fn is_text(data: &[u8], layer: Layer) -> bool {
    layer == Layer::InsideTls || data.first().is_some_and(|b| b.is_ascii_digit() || b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_moves_from_time_to_time_and_not_at_once() {
        let mut meter = Meter { shown: false, last: None, written: false };
        let told: Vec<bool> = [0, 100, 199, 200, 250, 399, 400, 1_000, 500, 600, 701]
            .map(|ms| meter.is_due(UnixMicros(ms * 1_000)))
            .to_vec();
        assert_eq!(told, [false, false, false, true, false, false, true, true, false, false, true]);
    }

    #[test]
    fn its_line_fits_and_is_plain() {
        let name = "\x1b]0;x\x07".to_owned() + &"long".repeat(40);
        let state = State { input: &name, bytes: 512_000_000, of: Some(1_200_000_000), sessions: 5_120, fails: 4_000 };
        let line = state.line();
        assert!(line.len() <= WIDTH && line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
        assert!(line.ends_with(": 512.0 MB of 1.2 GB, 5,120 sessions, 4,000 fail"), "{line}");
    }
}
