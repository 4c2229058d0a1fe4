//! What goes on, on a terminal's standard error, in one line that is taken away at the end.

use std::io::{self, IsTerminal, Write};

use crate::transcript::{Decrypted, Entry, Layer, Side, What};
use crate::wire::printable;

/// The width that every terminal has.
const WIDTH: usize = 79;

/// One line of progress.
pub(super) struct Progress {
    shown: bool,
    target: String,
}

impl Progress {
    /// For one target; silent when standard error is no terminal.
    pub(super) fn new(target: &str, quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
        let shown = io::stderr().is_terminal() && !quiet && !dumb;
        let progress = Self { shown, target: target.to_owned() };
        progress.say("connecting");
        progress
    }

    /// Tells an entry, if it is worth telling.
    pub(super) fn tell(&self, entry: &Entry) {
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

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn is_text(data: &[u8], layer: Layer) -> bool {
    layer == Layer::InsideTls || data.first().is_some_and(|b| b.is_ascii_digit() || b.is_ascii_alphabetic())
}
