//! One TCP connection at the server's end: in clear, inside TLS, and in clear again.

use super::super::super::engine::Server;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// Longest line, and most content, that is kept of a client.
const MOST: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Pipe {
    tls: Option<Server>,
    /// What came and was not read yet.
    heard: Vec<u8>,
    /// What came inside TLS.
    inner: Vec<u8>,
    /// TLS is being left: what is no record any more is text.
    leaving: bool,
    /// The client's direction is closed.
    pub(super) closed: bool,
}

impl Pipe {
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        if self.heard.len() < MOST && self.inner.len() < MOST {
            self.heard.extend_from_slice(bytes);
            self.pump();
        }
    }

    /// From here on TLS is due; what came since the last line belongs to it.
    pub(super) fn start(&mut self, tls: Option<Server>) {
        self.tls = tls;
        self.pump();
    }

    /// Gives TLS what came, a whole record at a time: behind a close_notify there may be text.
    fn pump(&mut self) {
        while let Some(tls) = &mut self.tls {
            if self.leaving && tls.has_ended() {
                self.tls = None;
                return;
            }
            let len = match front(&self.heard) {
                Front::Undecided => return,
                Front::Record(header) => HEADER_LEN + usize::from(header.len),
                _ if self.leaving => {
                    self.tls = None;
                    return;
                }
                _ => self.heard.len(),
            };
            if self.heard.len() < len {
                return;
            }
            let record: Vec<u8> = self.heard.drain(..len).collect();
            tls.feed(&record);
            self.inner.extend(tls.take_plain());
        }
    }

    /// Whether TLS stands, or is to stand.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some() && !self.leaving
    }

    /// Whether the handshake completed.
    pub(super) fn is_established(&self) -> bool {
        self.tls.as_ref().is_some_and(|t| t.is_done() && !t.has_failed())
    }

    pub(super) fn has_failed(&self) -> bool {
        self.tls.as_ref().is_some_and(Server::has_failed)
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.tls.as_ref().is_some_and(Server::is_resumed)
    }

    /// Whether the client sent close_notify.
    pub(super) fn has_ended(&self) -> bool {
        self.tls.as_ref().is_some_and(Server::has_ended)
    }

    /// Whether a whole record lies there that nobody has read.
    pub(super) fn has_record(&self) -> bool {
        matches!(front(&self.heard), Front::Record(h) if self.heard.len() >= HEADER_LEN + usize::from(h.len))
    }

    /// What TLS has to say of itself.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        self.tls.as_mut().map(Server::take_output).unwrap_or_default()
    }

    /// Words as they travel: inside TLS where it stands.
    pub(super) fn wrap(&mut self, words: &[u8]) -> Vec<u8> {
        match self.tls.as_mut().filter(|_| !self.leaving) {
            Some(tls) => {
                tls.write(words);
                tls.take_output()
            }
            None => words.to_vec(),
        }
    }

    /// Ends our direction of TLS; the record that says so.
    pub(super) fn close_notify(&mut self) -> Vec<u8> {
        if let Some(tls) = &mut self.tls {
            tls.close();
        }
        self.take_output()
    }

    /// What comes from here on may be text.
    pub(super) fn leave(&mut self) {
        self.leaving = true;
        self.pump();
    }

    /// A whole line of the client.
    pub(super) fn take_line(&mut self) -> Option<Vec<u8>> {
        let from = if self.tls.is_some() || !self.inner.is_empty() { &mut self.inner } else { &mut self.heard };
        let end = from.iter().position(|b| *b == b'\n')?;
        Some(from.drain(..=end).collect())
    }

    /// Everything that the client said.
    pub(super) fn take_all(&mut self) -> Vec<u8> {
        let from = if self.tls.is_some() { &mut self.inner } else { &mut self.heard };
        core::mem::take(from)
    }
}
