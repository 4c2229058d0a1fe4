//! One connection that needs a whole handshake, with our own engine: what the server says inside TLS, and whether it resumes.

use std::collections::VecDeque;

use super::super::engine::{Engine, State};
use super::super::plan::Patience;
use super::super::replies::{Heard, Replies};
use super::super::{Output, Where};
use crate::transcript::{Close, ConnId, Decrypted, Fidelity, Layer, Micros, Mode, Role, Side, What, Why};

/// What a visit does beside its handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Errand {
    /// A command in the same segment as AUTH TLS, which has no business inside TLS.
    pub(super) smuggled: Option<&'static str>,
    /// A command inside TLS.
    pub(super) inside: Option<&'static str>,
    /// Nothing but the handshake: all that is wanted is in it.
    pub(super) looks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Dialling,
    Greeting,
    Auth,
    Handshake,
    /// The greeting inside (implicit TLS), or what nobody asked for.
    Listening,
    Inside,
    Quit,
    LastWords,
    Over,
}

/// One connection.
pub(super) struct Visit {
    pub(super) conn: ConnId,
    mode: Mode,
    engine: Box<Engine>,
    errand: Errand,
    patience: Patience,
    step: Step,
    since: Micros,
    deadline: Option<Micros>,
    clear: Replies,
    inner: Replies,
    established: bool,
    busy: bool,
    out: VecDeque<Output>,
}

impl Visit {
    /// Dials.
    pub(super) fn open(
        (conn, to, mode, why): (ConnId, Where, Mode, Why),
        engine: Engine,
        errand: Errand,
        patience: Patience,
    ) -> Self {
        Self {
            conn,
            mode,
            engine: Box::new(engine),
            errand,
            patience,
            step: Step::Dialling,
            since: Micros(0),
            deadline: None,
            clear: Replies::default(),
            inner: Replies::default(),
            established: false,
            busy: false,
            out: VecDeque::from([Output::Open(conn, to, Role::Control, why)]),
        }
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        self.deadline
    }

    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Whether the server had no time for it.
    pub(super) fn was_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn opened(&mut self, now: Micros) {
        match self.mode {
            Mode::Implicit => self.begin_tls(now),
            _ => self.enter(Step::Greeting, now),
        }
    }

    pub(super) fn open_failed(&mut self) {
        self.busy = true;
        self.end();
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], now: Micros) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.step {
                Step::Greeting | Step::Auth => match self.clear.hear(rest) {
                    Heard::More => return,
                    Heard::TooMuch => return self.end(),
                    Heard::Reply(code, len) => {
                        rest = rest.get(len..).unwrap_or_default();
                        self.clear_reply(code, now);
                    }
                },
                Step::Dialling | Step::LastWords | Step::Over => return,
                _ => return self.feed(rest, now),
            }
        }
    }

    fn clear_reply(&mut self, code: u16, now: Micros) {
        match (self.step, code) {
            (_, ..200) => {}
            (Step::Greeting, 400..) | (Step::Auth, 421) => {
                self.busy = true;
                self.enter(Step::LastWords, now);
            }
            (Step::Greeting, _) if self.mode == Mode::ImplicitAfterBanner => self.begin_tls(now),
            (Step::Greeting, _) => {
                let mut segment = b"AUTH TLS\r\n".to_vec();
                segment.extend(self.errand.smuggled.into_iter().flat_map(|c| format!("{c}\r\n").into_bytes()));
                self.out.push_back(Output::Send(self.conn, segment));
                self.enter(Step::Auth, now);
            }
            (Step::Auth, ..400) => self.begin_tls(now),
            _ => self.enter(Step::LastWords, now),
        }
    }

    fn begin_tls(&mut self, now: Micros) {
        self.note(What::TlsStarts { by: Side::Client });
        let hello = self.engine.take_output();
        self.out.push_back(Output::Send(self.conn, hello));
        self.enter(Step::Handshake, now);
    }

    fn feed(&mut self, bytes: &[u8], now: Micros) {
        self.engine.feed(bytes);
        for note in self.engine.take_notes() {
            self.established |= matches!(&note, What::Decrypted { seen: Decrypted::Established { .. }, .. });
            self.note(note);
        }
        let (plain, output) = (self.engine.take_plain(), self.engine.take_output());
        if !output.is_empty() {
            self.out.push_back(Output::Send(self.conn, output));
        }
        if self.step == Step::Handshake && self.established {
            if self.errand.looks {
                return self.leave();
            }
            self.enter(Step::Listening, now);
        }
        self.inner_text(&plain, now);
        if matches!(self.engine.state(), State::Closed | State::NotTls | State::Failed) && self.step != Step::Over {
            self.enter(Step::LastWords, now);
        }
    }

    fn inner_text(&mut self, plain: &[u8], now: Micros) {
        if plain.is_empty() {
            return;
        }
        self.note(inside(Side::Server, plain.to_vec()));
        let mut rest = plain;
        loop {
            let (code, len) = match self.inner.hear(rest) {
                Heard::Reply(code, len) => (code, len),
                Heard::More => return,
                Heard::TooMuch => return self.end(),
            };
            rest = rest.get(len..).unwrap_or_default();
            match self.step {
                _ if code < 200 => {}
                Step::Listening if self.mode == Mode::Implicit => self.speak(now),
                Step::Inside => self.quit(now),
                Step::Quit => return self.enter(Step::LastWords, now),
                _ => {}
            }
        }
    }

    /// Goes on behind the silence, or the greeting.
    fn speak(&mut self, now: Micros) {
        match self.errand.inside {
            Some(command) => self.say(command, Step::Inside, now),
            None => self.quit(now),
        }
    }

    /// Ends TLS in order, and the connection.
    fn leave(&mut self) {
        self.engine.close();
        let output = self.engine.take_output();
        self.out.push_back(Output::Send(self.conn, output));
        self.end();
    }

    fn quit(&mut self, now: Micros) {
        self.say("QUIT", Step::Quit, now);
    }

    fn say(&mut self, command: &str, next: Step, now: Micros) {
        let line = format!("{command}\r\n").into_bytes();
        self.engine.write(&line);
        self.note(inside(Side::Client, line));
        let output = self.engine.take_output();
        self.out.push_back(Output::Send(self.conn, output));
        self.enter(next, now);
    }

    pub(super) fn closed(&mut self, _how: Close) {
        self.busy |= matches!(self.step, Step::Dialling | Step::Greeting | Step::Auth);
        self.end();
    }

    pub(super) fn deadline_passed(&mut self, now: Micros) {
        if self.deadline.is_none_or(|due| due > now) {
            return;
        }
        match self.step {
            // Nothing came that nobody had asked for: so it should be.
            Step::Listening if self.mode != Mode::Implicit => self.speak(now),
            Step::LastWords => self.end(),
            _ => {
                let after = Micros(now.0.saturating_sub(self.since.0));
                self.note(What::TimedOut { waiting_for: Side::Server, after });
                self.busy |= matches!(self.step, Step::Dialling | Step::Greeting | Step::Auth);
                self.end();
            }
        }
    }

    /// The run is over.
    pub(super) fn cut_off(&mut self) {
        self.end();
    }

    fn end(&mut self) {
        if self.step != Step::Over {
            (self.step, self.deadline) = (Step::Over, None);
            self.out.push_back(Output::Close(self.conn));
        }
    }

    fn enter(&mut self, step: Step, now: Micros) {
        let quiet = step == Step::LastWords || step == Step::Listening && self.mode != Mode::Implicit;
        // Who has nothing to wait for goes on at once.
        let patience = match step {
            Step::Listening if quiet && self.errand.smuggled.is_none() => Micros(0),
            _ if quiet => self.patience.last_words,
            _ => self.patience.step,
        };
        (self.step, self.since) = (step, now);
        self.deadline = Some(Micros(now.0.saturating_add(patience.0)));
    }

    fn note(&mut self, what: What) {
        self.out.push_back(Output::Note(self.conn, what));
    }
}

fn inside(from: Side, data: Vec<u8>) -> What {
    What::Bytes { from, layer: Layer::InsideTls, data, fidelity: Fidelity::Exact }
}
