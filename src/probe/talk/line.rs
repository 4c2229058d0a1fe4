//! One data connection: what passes on it, and when our own direction ends.
//!
//! Our farewell is held back on purpose: only so it shows whether the server waits for it.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::super::Output;
use super::super::engine::{Engine, State};
use crate::transcript::{Close, ConnId, Decrypted, Layer, Micros, OpenFailure, Side, What};

/// As much of an upload as is sent at once. The next piece waits until the system has taken this one: so a slow line is
/// no silent one, and whoever refuses in the middle is heard.
const PIECE: usize = 16 * 1024;

/// Only there each ticket is meant for one use, and our client keeps to that.
const TLS13: u16 = 0x0304;

/// One data connection.
pub(super) struct Line {
    pub(super) conn: ConnId,
    /// `None` when nothing protects it.
    engine: Option<Box<Engine>>,
    upload: Option<Vec<u8>>,
    /// How much of it went out.
    uploaded: usize,
    /// How many words the system has not taken yet.
    waiting: usize,
    received: u64,
    hash: Sha256,
    /// When something last happened here.
    pub(super) heard: Micros,
    pub(super) opened: bool,
    pub(super) established: bool,
    /// TLS 1.3 was shaken hands on in full: no session was resumed.
    pub(super) in_full: bool,
    /// The server ended its direction of TLS, or of TCP.
    pub(super) ended: bool,
    /// TCP ended.
    pub(super) gone: bool,
    /// Something else than TLS came, or TLS failed.
    pub(super) failed: bool,
    /// We said that nothing more comes (close_notify).
    notified: bool,
    /// Our direction of TCP ended.
    finished: bool,
    over: bool,
    out: VecDeque<Output>,
}

impl Line {
    pub(super) fn new(conn: ConnId, engine: Option<Box<Engine>>, upload: Option<Vec<u8>>, now: Micros) -> Self {
        Self {
            conn,
            engine,
            upload,
            uploaded: 0,
            waiting: 0,
            received: 0,
            hash: Sha256::new(),
            heard: now,
            opened: false,
            established: false,
            in_full: false,
            ended: false,
            gone: false,
            failed: false,
            notified: false,
            finished: false,
            over: false,
            out: VecDeque::new(),
        }
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn opened(&mut self, now: Micros) {
        (self.opened, self.heard) = (true, now);
        match &mut self.engine {
            Some(engine) => {
                let hello = engine.take_output();
                self.note(What::TlsStarts { by: Side::Client });
                self.send(hello);
            }
            None => self.upload_more(),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], now: Micros) {
        self.heard = now;
        let Some(engine) = &mut self.engine else {
            self.received += bytes.len() as u64;
            return;
        };
        engine.feed(bytes);
        let (notes, plain, output) = (engine.take_notes(), engine.take_plain(), engine.take_output());
        let state = engine.state();
        self.received += plain.len() as u64;
        self.hash.update(&plain);
        let is_end = |what: &What| matches!(what, What::Decrypted { seen: Decrypted::Alert { .. }, .. });
        for note in notes {
            let mut established = false;
            if let What::Decrypted { seen: Decrypted::Established { version, resumed, .. }, .. } = &note {
                (established, self.in_full) = (true, *version == TLS13 && !*resumed);
            }
            // Content comes before the alert that ends it.
            if is_end(&note) {
                self.note_content();
            }
            self.note(note);
            self.established |= established;
        }
        if !output.is_empty() {
            self.send(output);
        }
        if self.established && self.uploaded == 0 {
            self.upload_more();
        }
        if matches!(state, State::Closed | State::NotTls | State::Failed) {
            self.note_content();
            self.failed |= state != State::Closed;
            self.ended = true;
        }
    }

    /// The system took what was to be sent.
    pub(super) fn sent(&mut self, now: Micros) {
        self.heard = now;
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 && self.uploaded > 0 {
            self.upload_more();
        }
    }

    pub(super) fn closed(&mut self, how: Close, now: Micros) {
        self.note_uploaded();
        self.note_content();
        (self.ended, self.gone, self.heard) = (true, true, now);
        self.failed |= how != Close::Fin;
    }

    /// The next piece of the upload; behind the last, the end of our direction of TLS. That of TCP waits.
    fn upload_more(&mut self) {
        let Some(rest) = self.upload.as_ref().and_then(|content| content.get(self.uploaded..)) else { return };
        let piece = rest.get(..PIECE).unwrap_or(rest);
        if piece.is_empty() {
            self.note_uploaded();
            return if self.engine.is_some() { self.say_goodbye() } else { self.finish() };
        }
        let data = match &mut self.engine {
            Some(engine) => {
                engine.write(piece);
                engine.take_output()
            }
            None => piece.to_vec(),
        };
        self.uploaded += piece.len();
        self.send(data);
    }

    /// Says once what went out, as a number and a hash; nothing more goes out.
    fn note_uploaded(&mut self) {
        let Some(content) = self.upload.take() else { return };
        let went_out = content.get(..self.uploaded).filter(|sent| self.engine.is_some() && !sent.is_empty());
        if let Some(sent) = went_out {
            let (from, layer, len) = (Side::Client, Layer::InsideTls, sent.len() as u64);
            self.note(What::Skipped { from, layer, len, sha256: hex::encode(Sha256::digest(sent)) });
        }
    }

    /// Ends our direction of TLS (close_notify).
    fn say_goodbye(&mut self) {
        let Some(engine) = self.engine.as_mut().filter(|_| self.established && !self.notified && !self.failed) else {
            return;
        };
        engine.close();
        let farewell = engine.take_output();
        self.notified = true;
        self.note(What::Decrypted { from: Side::Client, seen: Decrypted::Alert { level: 1, description: 0 } });
        self.send(farewell);
    }

    /// Ends our direction, of TLS and of TCP.
    pub(super) fn finish(&mut self) {
        if self.opened && !self.finished && !self.over {
            self.say_goodbye();
            self.finished = true;
            self.out.push_back(Output::Shutdown(self.conn));
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether our direction could end: the server's has, or we said that nothing more comes.
    pub(super) fn waits_to_finish(&self) -> bool {
        (self.ended || self.notified) && !self.finished
    }

    /// Nobody connected to us.
    pub(super) fn not_connected(&mut self) {
        self.note(What::OpenFailed { why: OpenFailure::TimedOut });
        self.close();
    }

    /// Nothing came for so long.
    pub(super) fn silent(&mut self, now: Micros) {
        let after = Micros(now.0.saturating_sub(self.heard.0));
        self.note_content();
        self.note(What::TimedOut { waiting_for: Side::Server, after });
    }

    /// Leaves the connection.
    pub(super) fn close(&mut self) {
        if !self.over {
            self.over = true;
            self.note_uploaded();
            self.note_content();
            self.out.push_back(Output::Close(self.conn));
        }
    }

    fn send(&mut self, data: Vec<u8>) {
        self.waiting += 1;
        self.out.push_back(Output::Send(self.conn, data));
    }

    fn note(&mut self, what: What) {
        self.out.push_back(Output::Note(self.conn, what));
    }

    /// Says once what came, as a number and a hash.
    fn note_content(&mut self) {
        if self.engine.is_none() || self.received == 0 {
            return;
        }
        let sha256 = hex::encode(core::mem::take(&mut self.hash).finalize());
        let len = core::mem::take(&mut self.received);
        self.note(What::Skipped { from: Side::Server, layer: Layer::InsideTls, len, sha256 });
    }
}
