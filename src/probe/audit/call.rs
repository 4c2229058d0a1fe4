//! One connection that asks one thing: greeting, AUTH TLS, a hello built by hand, and the first answer.

use std::collections::VecDeque;

use super::super::plan::Patience;
use super::super::replies::{Heard as Line, Replies};
use super::super::{Output, Where};
use super::heard::{Came, Heard};
use crate::transcript::{Close, ConnId, Micros, Mode, Role, Side, What, Why};

/// What a call is to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// How the server answers this hello.
    Hello(Vec<u8>),
    /// How it answers this command in clear, without any TLS.
    Clear(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Dialling,
    Greeting,
    Auth,
    Hello,
    /// The reply to a command in clear is due.
    Clear,
    /// Something ended it: what else does the server say?
    LastWords,
    Over,
}

/// One connection.
pub(super) struct Call {
    pub(super) conn: ConnId,
    mode: Mode,
    ask: Ask,
    patience: Patience,
    step: Step,
    since: Micros,
    deadline: Option<Micros>,
    replies: Replies,
    heard: Heard,
    came: Option<Came>,
    out: VecDeque<Output>,
}

impl Call {
    /// Dials.
    pub(super) fn open(conn: ConnId, to: Where, mode: Mode, why: Why, ask: Ask, patience: Patience) -> Self {
        Self {
            conn,
            mode,
            ask,
            patience,
            step: Step::Dialling,
            since: Micros(0),
            deadline: None,
            replies: Replies::default(),
            heard: Heard::default(),
            came: None,
            out: VecDeque::from([Output::Open(conn, to, Role::Control, why)]),
        }
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        self.deadline
    }

    /// What it came to, once it is over.
    pub(super) fn came(&self) -> Option<Came> {
        (self.step == Step::Over).then(|| self.came.unwrap_or(Came::NotAsked))
    }

    pub(super) fn opened(&mut self, now: Micros) {
        match self.mode {
            Mode::Implicit => self.say_hello(now),
            _ => self.enter(Step::Greeting, now),
        }
    }

    pub(super) fn open_failed(&mut self) {
        self.end(Came::Busy);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], now: Micros) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.step {
                Step::Hello => {
                    self.heard.look(rest);
                    if self.heard.is_over() {
                        self.answered(now);
                    }
                    return;
                }
                Step::Greeting | Step::Auth | Step::Clear => match self.replies.hear(rest) {
                    Line::More => return,
                    Line::TooMuch => return self.end(Came::NotAsked),
                    Line::Reply(code, len) => {
                        rest = rest.get(len..).unwrap_or_default();
                        self.reply(code, now);
                    }
                },
                Step::Dialling | Step::LastWords | Step::Over => return,
            }
        }
    }

    fn reply(&mut self, code: u16, now: Micros) {
        match (self.step, code) {
            (_, ..200) => {}
            (Step::Greeting, 400..) => self.last_words(Came::Busy, now),
            (Step::Greeting, _) if self.mode == Mode::ImplicitAfterBanner => self.say_hello(now),
            (Step::Greeting, _) => match self.ask {
                Ask::Clear(command) => self.send(command, Step::Clear, now),
                Ask::Hello(_) => self.send("AUTH TLS", Step::Auth, now),
            },
            (Step::Auth, ..400) => self.say_hello(now),
            (Step::Auth, 421) => self.last_words(Came::Busy, now),
            (Step::Auth, _) => self.end(Came::NotAsked),
            (Step::Clear, _) => {
                self.send("QUIT", Step::LastWords, now);
                self.came = Some(Came::NotTls);
            }
            _ => {}
        }
    }

    fn send(&mut self, command: &str, next: Step, now: Micros) {
        self.out.push_back(Output::Send(self.conn, format!("{command}\r\n").into_bytes()));
        self.enter(next, now);
    }

    fn say_hello(&mut self, now: Micros) {
        let Ask::Hello(record) = &self.ask else { return self.end(Came::NotAsked) };
        let record = record.clone();
        self.out.push_back(Output::Note(self.conn, What::TlsStarts { by: Side::Client }));
        self.out.push_back(Output::Send(self.conn, record));
        self.enter(Step::Hello, now);
    }

    /// The answer is there. Who was let in leaves at once; who was refused waits for the words behind it.
    fn answered(&mut self, now: Micros) {
        match self.heard.came() {
            Some(came @ (Came::Chosen(_) | Came::Ssl2)) => self.end(came),
            Some(came) => self.last_words(came, now),
            None => self.end(Came::Ended),
        }
    }

    fn last_words(&mut self, came: Came, now: Micros) {
        self.came = Some(came);
        self.enter(Step::LastWords, now);
    }

    pub(super) fn closed(&mut self, _how: Close) {
        let came = match self.step {
            Step::Hello => self.heard.came().unwrap_or(Came::Ended),
            Step::LastWords | Step::Over => return self.end(self.came.unwrap_or(Came::NotAsked)),
            Step::Dialling | Step::Greeting | Step::Auth | Step::Clear => Came::Busy,
        };
        self.end(came);
    }

    pub(super) fn deadline_passed(&mut self, now: Micros) {
        if self.deadline.is_none_or(|due| due > now) {
            return;
        }
        let after = Micros(now.0.saturating_sub(self.since.0));
        self.out.push_back(Output::Note(self.conn, What::TimedOut { waiting_for: Side::Server, after }));
        match self.step {
            Step::Hello => self.end(self.heard.came().unwrap_or(Came::Silence)),
            Step::LastWords | Step::Over => self.end(self.came.unwrap_or(Came::NotAsked)),
            Step::Dialling | Step::Greeting | Step::Auth | Step::Clear => self.end(Came::Busy),
        }
    }

    /// The run is over.
    pub(super) fn cut_off(&mut self) {
        self.end(self.came.or(self.heard.came()).unwrap_or(Came::NotAsked));
    }

    fn end(&mut self, came: Came) {
        if self.step != Step::Over {
            (self.step, self.deadline, self.came) = (Step::Over, None, Some(came));
            self.out.push_back(Output::Close(self.conn));
        }
    }

    fn enter(&mut self, step: Step, now: Micros) {
        let patience = if step == Step::LastWords { self.patience.last_words } else { self.patience.step };
        (self.step, self.since) = (step, now);
        self.deadline = Some(Micros(now.0.saturating_add(patience.0)));
    }
}
