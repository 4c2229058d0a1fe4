//! The part of the conversation that travels inside TLS.

use super::super::Output;
use super::super::engine::{State as Tls, can_be_proved};
use super::super::replies::Heard;
use super::{Hello, Step, Talk, Turn};
use crate::transcript::{Decrypted, Der, Fidelity, Layer, Micros, Mode, Side, What};
use crate::wire::tls::record::{Front, HEADER_LEN, front};

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
            match &note {
                What::Decrypted { seen: Decrypted::Established { .. }, .. } => self.established = true,
                What::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain } } => self.judge(chain),
                _ => {}
            }
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
        if self.step == Step::Leaving && matches!(state, Tls::Closed | Tls::NotTls) {
            return self.leave_tls(now);
        }
        match state {
            // Tickets are given to whom the server has accepted.
            Tls::Established if verdict_due && self.step == Step::CertificateVerdict => self.after_handshake(now),
            Tls::Handshake | Tls::Established => {}
            Tls::Closed | Tls::NotTls | Tls::Failed => self.enter(Step::LastWords, now),
        }
    }

    fn judge(&mut self, chain: &[Der]) {
        let confides = self.login.as_ref().and_then(|l| l.confides.as_ref());
        self.confided = confides.is_some_and(|c| can_be_proved(chain) && c.tells(chain));
    }

    fn handshake_done(&mut self, now: Micros) {
        if self.login.as_ref().is_some_and(|l| l.confides.is_some()) && !self.confided {
            self.agenda.leave_out_login();
        }
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
            self.go_on(now);
        }
    }

    /// Replies inside TLS.
    fn inner_text(&mut self, plain: &[u8], now: Micros) {
        let shown = self.without_password(plain);
        if !shown.is_empty() {
            self.note(inside(Side::Server, shown));
        }
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

    /// A server that repeats the password does not put it into the evidence. What may be its beginning waits for the rest:
    /// it can come in two records.
    fn without_password(&mut self, plain: &[u8]) -> Vec<u8> {
        let secret = self.login.as_ref().map_or("", |l| l.password.reveal()).as_bytes();
        let mut text = core::mem::take(&mut self.withheld);
        text.extend_from_slice(plain);
        // What is shorter stands in every text.
        if secret.len() < SHORTEST_SECRET {
            return text;
        }
        let (shown, withheld) = masked(&text, secret);
        self.withheld = withheld;
        shown
    }

    /// What was withheld, at the end: whether it was the password's beginning nobody will know.
    pub(super) fn show_withheld(&mut self) {
        if !core::mem::take(&mut self.withheld).is_empty() {
            self.note(inside(Side::Server, MASK.to_vec()));
        }
    }

    pub(super) fn inner_reply(&mut self, code: u16, now: Micros) {
        match self.step {
            Step::InnerGreeting | Step::CertificateVerdict if code < 200 => {}
            Step::InnerGreeting | Step::CertificateVerdict if code < 400 => self.go_on(now),
            Step::InnerGreeting | Step::CertificateVerdict => self.enter(Step::LastWords, now),
            Step::Command | Step::Moving if code == 421 => self.enter(Step::LastWords, now),
            Step::Command if code < 200 => {}
            Step::Command => self.answered(code, now),
            Step::Moving => self.moving_replied(code, now),
            Step::Quit => {
                self.send_inside(None);
                self.enter(Step::Farewell, now);
            }
            _ => {}
        }
    }

    fn answered(&mut self, code: u16, now: Micros) {
        let Some(turn) = self.turn.take() else { return self.go_on(now) };
        self.agenda.answered(&turn, code);
        if turn == Turn::Say("CCC".to_owned()) && code < 300 {
            return self.enter(Step::Leaving, now);
        }
        self.go_on(now);
    }

    /// The next step, or QUIT behind the last.
    pub(super) fn go_on(&mut self, now: Micros) {
        match self.agenda.next() {
            None => {
                self.enter(Step::Quit, now);
                self.send_inside(Some("QUIT"));
            }
            Some(Turn::Move(task)) => self.begin_move(*task, now),
            Some(turn) => {
                self.enter(Step::Command, now);
                match &turn {
                    Turn::Say(line) => self.send_inside(Some(line)),
                    _ => self.send_password(),
                }
                self.turn = Some(turn);
            }
        }
    }

    /// The password, and nothing of it in the evidence. It never travels in clear.
    fn send_password(&mut self) {
        let (Hello::Engine(engine), Some(login), true) = (&mut self.hello, &self.login, self.inside) else {
            return self.end();
        };
        engine.write(format!("PASS {}\r\n", login.password.reveal()).as_bytes());
        let records = engine.take_output();
        self.note(inside(Side::Client, b"PASS ********\r\n".to_vec()));
        self.out.push_back(Output::SendUnrecorded(self.conn, records));
    }

    /// Behind CCC: both ends leave TLS, ours at the latest now.
    pub(super) fn leave_tls(&mut self, now: Micros) {
        self.send_inside(None);
        self.inside = false;
        let rest = match &mut self.hello {
            Hello::Engine(engine) => engine.take_rest(),
            Hello::Raw(_) => Vec::new(),
        };
        self.go_on(now);
        if !rest.is_empty() {
            self.clear_text(&rest, now);
        }
    }

    /// Whether TLS stood here, and was left in order.
    pub(super) fn has_left(&self) -> bool {
        self.established && !self.inside
    }

    /// The length of what the server had still to say in TLS, behind CCC; text may stand right behind it.
    pub(super) fn late_record(&self, bytes: &[u8]) -> Option<usize> {
        match front(bytes) {
            Front::Record(header) if self.has_left() => Some(bytes.len().min(HEADER_LEN + usize::from(header.len))),
            _ => None,
        }
    }

    pub(super) fn feed_late(&mut self, bytes: &[u8]) {
        if let Hello::Engine(engine) = &mut self.hello {
            engine.feed(bytes);
            let notes = engine.take_notes();
            notes.into_iter().for_each(|n| self.note(n));
        }
    }

    /// A command, inside TLS as long as it stands; `None` ends our direction.
    pub(super) fn send_inside(&mut self, command: Option<&str>) {
        if let (Some(command), true) = (command, self.has_left()) {
            return self.out.push_back(Output::Send(self.conn, format!("{command}\r\n").into_bytes()));
        }
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

/// A password of fewer bytes is not looked for in what a server says.
const SHORTEST_SECRET: usize = 4;

/// What stands in its place.
const MASK: &[u8] = b"********";

/// A text without a secret, and the end of it that may be the secret's beginning. What was written over is not read again:
/// a secret may be made of asterisks.
fn masked(text: &[u8], secret: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(secret.len()).position(|w| w == secret) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        out.extend_from_slice(MASK);
        rest = found.get(secret.len()..).unwrap_or_default();
    }
    let begins = |n: &usize| secret.get(..*n).is_some_and(|start| rest.ends_with(start));
    let withheld = (1..secret.len()).rev().find(begins).unwrap_or_default();
    let (shown, withheld) = rest.split_at_checked(rest.len() - withheld).unwrap_or((rest, &[]));
    out.extend_from_slice(shown);
    (out, withheld.to_vec())
}

fn inside(from: Side, data: Vec<u8>) -> What {
    What::Bytes { from, layer: Layer::InsideTls, data, fidelity: Fidelity::Exact }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_password_is_written_over() {
        let shown = |text: &str, secret: &str| {
            let (shown, withheld) = masked(text.as_bytes(), secret.as_bytes());
            (String::from_utf8(shown).unwrap(), String::from_utf8(withheld).unwrap())
        };
        let is = |shown: &str, withheld: &str| (shown.to_owned(), withheld.to_owned());
        assert_eq!(shown("230 hi sesame, sesame!\r\n", "sesame"), is("230 hi ********, ********!\r\n", ""));
        assert_eq!(shown("230 ****** ready\r\n", "****"), is("230 ********** ready\r\n", ""));
        assert_eq!(shown("230 hi ses", "sesame"), is("230 hi ", "ses"));
        assert_eq!(shown("sesame", "sesame"), is("********", ""));
        assert_eq!(shown("abab", "abac"), is("ab", "ab"));
    }
}
