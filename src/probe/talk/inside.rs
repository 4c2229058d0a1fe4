//! The part of the conversation that travels inside TLS.

use super::super::Output;
use super::super::engine::State as Tls;
use super::super::replies::Heard;
use super::{COMMANDS, Hello, Step, Talk};
use crate::transcript::{Decrypted, Fidelity, Layer, Micros, Mode, Side, What};

impl Talk {
    /// Bytes where TLS records are due.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Micros) {
        self.answer.look(bytes);
        let Hello::Engine(engine) = &mut self.hello else {
            // A hand-built hello wants to know one thing.
            if self.answer.not_tls {
                self.enter(Step::LastWords, now);
            } else if self.answer.tls {
                self.end();
            }
            return;
        };
        let verdict_due = self.step == Step::CertificateVerdict;
        engine.feed(bytes);
        let (notes, plain, output, state) =
            (engine.take_notes(), engine.take_plain(), engine.take_output(), engine.state());
        for note in notes {
            self.established |= matches!(note, What::Decrypted { seen: Decrypted::Established { .. }, .. });
            self.note(note);
        }
        if !output.is_empty() {
            self.out.push_back(Output::Send(self.conn, output));
        }
        if self.step == Step::Handshake && self.established {
            self.handshake_done(now);
        }
        if !plain.is_empty() {
            self.inner_text(&plain, now);
        }
        if matches!(self.step, Step::Ended | Step::Farewell) {
            return;
        }
        match state {
            // Tickets are given to whom the server has accepted.
            Tls::Established if verdict_due && self.step == Step::CertificateVerdict => self.after_handshake(now),
            Tls::Handshake | Tls::Established => {}
            Tls::Closed | Tls::NotTls | Tls::Failed => self.enter(Step::LastWords, now),
        }
    }

    fn handshake_done(&mut self, now: Micros) {
        let Hello::Engine(engine) = &self.hello else { return };
        if engine.is_tls13() && engine.asked_for_certificate() {
            return self.enter(Step::CertificateVerdict, now);
        }
        self.after_handshake(now);
    }

    pub(super) fn after_handshake(&mut self, now: Micros) {
        if self.mode == Mode::Implicit {
            self.enter(Step::InnerGreeting, now);
        } else {
            self.command(0, now);
        }
    }

    /// Replies inside TLS.
    fn inner_text(&mut self, plain: &[u8], now: Micros) {
        self.note(inside(Side::Server, plain.to_vec()));
        let mut rest = plain;
        while !rest.is_empty() {
            match self.replies.hear(rest) {
                Heard::More => return,
                Heard::TooMuch => return self.end(),
                Heard::Reply(code, len) => {
                    rest = rest.get(len..).unwrap_or_default();
                    self.inner_reply(code, now);
                }
            }
        }
    }

    fn inner_reply(&mut self, code: u16, now: Micros) {
        match self.step {
            Step::InnerGreeting | Step::CertificateVerdict if code < 200 => {}
            Step::InnerGreeting | Step::CertificateVerdict if code < 400 => self.command(0, now),
            Step::InnerGreeting | Step::CertificateVerdict => self.enter(Step::LastWords, now),
            Step::Command(_) if code == 421 => self.enter(Step::LastWords, now),
            // PBSZ before the login is refused by some servers, and PROT then with it.
            Step::Command(1) if code >= 400 => self.command(COMMANDS.len(), now),
            Step::Command(n) => self.command(n + 1, now),
            Step::Quit => {
                self.send_inside(None);
                self.enter(Step::Farewell, now);
            }
            _ => {}
        }
    }

    /// Sends the n-th command, or QUIT behind the last.
    fn command(&mut self, n: usize, now: Micros) {
        let (command, next) = COMMANDS.get(n).map_or(("QUIT", Step::Quit), |c| (*c, Step::Command(n)));
        self.enter(next, now);
        self.send_inside(Some(command));
    }

    /// A command inside TLS; `None` ends our direction.
    fn send_inside(&mut self, command: Option<&str>) {
        let Hello::Engine(engine) = &mut self.hello else { return };
        match command {
            Some(command) => {
                let line = format!("{command}\r\n").into_bytes();
                engine.write(&line);
                let note = inside(Side::Client, line);
                self.out.push_back(Output::Note(self.conn, note));
            }
            None => engine.close(),
        }
        let records = engine.take_output();
        if !records.is_empty() {
            self.out.push_back(Output::Send(self.conn, records));
        }
    }
}

fn inside(from: Side, data: Vec<u8>) -> What {
    What::Bytes { from, layer: Layer::InsideTls, data, fidelity: Fidelity::Exact }
}
