//! One control connection: greeting, AUTH, handshake, a few harmless commands, QUIT.
//!
//! A command is sent when the reply to the one before it is whole; nothing is pipelined. Whatever goes wrong, the other
//! end gets time for last words: an alert and the text that explains it may come in several segments.

mod clear;
mod errand;
mod inside;
mod line;
mod moves;
mod transfer;

use std::collections::VecDeque;

use super::answer::Answer;
use super::engine::Engine;
use super::plan::{Login, Patience, Plan, ServerName};
use super::replies::Replies;
use super::{Output, TlsClient, Where};
use crate::transcript::{Close, ConnId, Micros, Mode, Role, Side, What, Why};
pub(super) use errand::Errand;
use errand::{Agenda, Turn};
pub(super) use moves::{Ways, Wish};
use transfer::Transfer;

/// What a hostile server may send behind a failure.
const MOST_LAST_WORDS: usize = 64 * 1024;

/// What is sent as the ClientHello.
pub(super) enum Hello {
    /// That of our TLS engine, which goes on with the handshake.
    Engine(Box<Engine>),
    /// A record built by hand; the first answer ends the connection.
    Raw(Vec<u8>),
}

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Not open yet.
    Dialling,
    /// The greeting is due.
    Greeting,
    /// The reply to AUTH TLS or AUTH SSL is due.
    Auth { ssl: bool },
    /// AUTH was refused: does FEAT list it all the same?
    ClearFeat,
    /// The handshake goes on.
    Handshake,
    /// It completed; in TLS 1.3 the verdict on a client certificate comes only now.
    CertificateVerdict,
    /// Implicit TLS: the greeting is due inside.
    InnerGreeting,
    /// The reply to a command is due.
    Command,
    /// A transfer goes on.
    Moving,
    /// CCC was accepted: the server's close_notify is due.
    Leaving,
    /// The reply to QUIT is due.
    Quit,
    /// QUIT was answered; the server closes.
    Farewell,
    /// Something failed: what else does the server say?
    LastWords,
    /// Over.
    Ended,
}

/// What a control connection is opened with.
pub(super) struct Opening {
    pub(super) conn: ConnId,
    pub(super) to: Where,
    pub(super) why: Why,
    pub(super) mode: Mode,
    pub(super) hello: Hello,
    pub(super) errand: Errand,
    /// The client whose sessions data connections resume.
    pub(super) tls: TlsClient,
    pub(super) ways: Ways,
    pub(super) patience: Patience,
}

/// One control connection.
pub(super) struct Talk {
    pub(super) conn: ConnId,
    mode: Mode,
    hello: Hello,
    step: Step,
    /// When the step began.
    since: Micros,
    deadline: Option<Micros>,
    patience: Patience,
    replies: Replies,
    /// The end of what the server said last, where the password may begin with it.
    withheld: Vec<u8>,
    last_words: usize,
    heard_any: bool,
    /// When the last byte came.
    heard: Micros,
    /// Whether TLS has begun, so that commands go inside.
    inside: bool,
    pub(super) greeted: bool,
    pub(super) auth_answered: bool,
    pub(super) auth_sent: bool,
    pub(super) established: bool,
    pub(super) answer: Answer,
    to: Where,
    why: Why,
    login: Option<Login>,
    /// The server's certificates are such that it is told the password.
    confided: bool,
    agenda: Agenda,
    /// What was said last inside TLS.
    turn: Option<Turn>,
    transfer: Option<Transfer>,
    wish: Option<Wish>,
    tls: TlsClient,
    host: String,
    name: ServerName,
    /// Which ways to a data connection have worked, of this login and those before.
    pub(super) ways: Ways,
    /// Whether a transfer came to nothing although its data connection stood.
    pub(super) failed_to_move: bool,
    /// Whether a transfer worked whose TLS session was resumed.
    has_resumed: bool,
    /// Whether a command or a transfer ended in silence.
    pub(super) stalled: bool,
    out: VecDeque<Output>,
}

impl Talk {
    /// Opens a connection.
    pub(super) fn open(opening: Opening, plan: &Plan, now: Micros) -> Self {
        let Opening { conn, to, why, mode, hello, errand, tls, ways, patience } = opening;
        let mut talk = Self {
            conn,
            mode,
            hello,
            step: Step::Dialling,
            since: now,
            deadline: None,
            patience,
            replies: Replies::default(),
            withheld: Vec::new(),
            last_words: 0,
            heard_any: false,
            heard: now,
            inside: false,
            greeted: false,
            auth_answered: false,
            auth_sent: false,
            established: false,
            answer: Answer::default(),
            to: to.clone(),
            why: why.clone(),
            login: plan.login.clone(),
            confided: false,
            agenda: Agenda::of(errand, plan),
            turn: None,
            transfer: None,
            wish: None,
            tls,
            host: plan.host.clone(),
            name: plan.server_name.clone(),
            ways,
            failed_to_move: false,
            has_resumed: false,
            stalled: false,
            out: VecDeque::from([Output::Open(conn, to, Role::Control, why)]),
        };
        talk.enter(Step::Dialling, now);
        talk
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        let moving = self.transfer.as_ref().filter(|_| self.step == Step::Moving);
        self.deadline.into_iter().chain(moving.and_then(|t| t.deadline(self.patience))).min()
    }

    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Ended
    }

    /// Whether it waits for a greeting, and has heard nothing yet.
    pub(super) fn waits_for_greeting(&self) -> bool {
        self.step == Step::Greeting && !self.heard_any
    }

    /// Whether a byte came.
    pub(super) fn was_heard(&self) -> bool {
        self.heard_any
    }

    /// Whether a ClientHello went out.
    pub(super) fn hello_was_sent(&self) -> bool {
        self.inside
    }

    /// When the present step began.
    pub(super) fn since(&self) -> Micros {
        self.since
    }

    pub(super) fn opened(&mut self, conn: ConnId, now: Micros) {
        if conn != self.conn {
            return self.data_opened(now);
        }
        match self.mode {
            Mode::Implicit => self.begin_tls(now),
            _ => self.enter(Step::Greeting, now),
        }
    }

    pub(super) fn open_failed(&mut self, conn: ConnId, now: Micros) {
        if conn != self.conn {
            return self.data_not_opened(now);
        }
        self.step = Step::Ended;
        self.deadline = None;
    }

    pub(super) fn bytes(&mut self, conn: ConnId, bytes: &[u8], now: Micros) {
        if conn != self.conn {
            return self.data_bytes(bytes, now);
        }
        // SSH speaks first as FTP does, and says nothing more.
        if self.step == Step::Greeting && !self.heard_any && bytes.starts_with(b"SSH-") {
            self.enter(Step::LastWords, now);
        }
        self.heard_any = true;
        self.heard = now;
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.step {
                Step::LastWords | Step::Farewell => {
                    self.last_words += rest.len();
                    if self.step == Step::LastWords {
                        self.listen_on(now);
                    } else if self.inside {
                        self.feed(rest, now);
                    }
                    rest.len()
                }
                Step::Dialling | Step::Ended => rest.len(),
                _ if self.inside => {
                    self.feed(rest, now);
                    rest.len()
                }
                _ => match self.late_record(rest) {
                    Some(len) => {
                        self.feed_late(rest.get(..len).unwrap_or(rest));
                        len
                    }
                    None => self.clear_text(rest, now),
                },
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// The system took what was sent on a connection: only a data connection has more to send.
    pub(super) fn sent(&mut self, conn: ConnId, now: Micros) {
        if conn != self.conn {
            self.data_sent(conn, now);
        }
    }

    pub(super) fn server_closed(&mut self, conn: ConnId, how: Close, now: Micros) {
        if conn != self.conn {
            return self.data_closed(how, now);
        }
        if self.step == Step::Moving && self.transfer.is_some() {
            return self.control_gone(now);
        }
        self.end();
    }

    pub(super) fn deadline_passed(&mut self, now: Micros) {
        if self.step == Step::Moving {
            return self.moving_waited(now);
        }
        if self.deadline.is_none_or(|d| d > now) {
            return;
        }
        match self.step {
            // Nobody has to say anything here.
            Step::Farewell => {}
            Step::CertificateVerdict => return self.after_handshake(now),
            Step::Leaving => return self.leave_tls(now),
            Step::LastWords => self.note_silence(now),
            // Who goes on talking is not silent, and yet gets no more than this.
            _ if now.0.saturating_sub(self.heard.0) < self.patience.last_words.0.min(self.patience.step.0) => {}
            _ => self.note_silence(now),
        }
        self.end();
    }

    /// The run is over: whatever is waited for was not waited for long enough to say that it did not come.
    pub(super) fn cut_off(&mut self) {
        self.end();
    }

    /// Ends the conversation, whatever it waits for.
    pub(super) fn stop(&mut self, now: Micros) {
        if !matches!(self.step, Step::Ended | Step::Farewell | Step::LastWords) {
            self.note_silence(now);
        }
        self.end();
    }

    fn note_silence(&mut self, now: Micros) {
        self.stalled |= matches!(self.step, Step::Command | Step::Quit);
        let after = match self.step {
            Step::LastWords => self.patience.last_words,
            _ => Micros(now.0.saturating_sub(self.since.max(self.heard).0)),
        };
        self.note(What::TimedOut { waiting_for: Side::Server, after });
    }

    fn end(&mut self) {
        if self.step != Step::Ended {
            self.step = Step::Ended;
            self.deadline = None;
            self.show_withheld();
            self.leave_data();
            self.out.push_back(Output::Close(self.conn));
        }
    }

    fn enter(&mut self, step: Step, now: Micros) {
        let patience = match step {
            Step::LastWords | Step::Farewell | Step::Leaving => self.patience.last_words,
            Step::CertificateVerdict => self.patience.verdict.min(self.patience.step),
            _ => self.patience.step,
        };
        if step == Step::LastWords {
            self.leave_data();
        }
        self.step = step;
        self.since = now;
        // The end of a dial is told by whoever dials.
        self.deadline =
            (!matches!(step, Step::Dialling | Step::Moving)).then(|| Micros(now.0.saturating_add(patience.0)));
    }

    /// Each word prolongs the silence to come, up to the patience for one step.
    fn listen_on(&mut self, now: Micros) {
        let silence = now.0.saturating_add(self.patience.last_words.0);
        let most = self.since.0.saturating_add(self.patience.step.0);
        self.deadline = Some(Micros(silence.min(most)));
        if self.last_words > MOST_LAST_WORDS {
            self.end();
        }
    }

    fn note(&mut self, what: What) {
        self.out.push_back(Output::Note(self.conn, what));
    }
}
