//! One endpoint, one verdict: the session under examination, and the questions that its failure raises.
//!
//! Which connection is the session may show only afterwards: in mode `auto` the bytes overrule what port and scheme
//! suggest, and the connection that was spoilt by the wrong guess becomes a question with its answer.

mod logins;

use std::collections::VecDeque;

use super::plan::{IMPLICIT_PORT, Plan};
use super::questions::Question;
use super::talk::{Errand, Hello, Opening, Talk, Ways, Wish};
use super::{Input, Machine, Output, TlsClient, Where};
use crate::transcript::{ConnId, Micros, Mode, OpenFailure, Role, What, Why};

/// A probe of one endpoint.
pub struct Session {
    plan: Plan,
    talks: Vec<Talk>,
    /// Index of the connection that is the session.
    main: usize,
    mode: Mode,
    /// Which of the addresses is being used.
    address: usize,
    /// The connection that tries TLS at once while the session waits for its greeting.
    second: Option<usize>,
    /// The connection that tries TLS behind the greeting, as z/OS does it with SECUREIMPLICITZOS.
    after_banner: Option<usize>,
    questions: Option<VecDeque<Question>>,
    /// The question that is being asked.
    asking: Option<usize>,
    /// The question asked last.
    question: Option<Question>,
    /// The login that stands in for the session's, with the client that speaks what our usual one does not.
    instead: Option<(usize, TlsClient)>,
    /// Logins to come, once it is known which.
    errands: Option<VecDeque<Errand>>,
    /// The login that goes on.
    asking_login: Option<usize>,
    /// Of each connection, the index of the talk that it belongs to.
    owners: Vec<usize>,
    out: VecDeque<Output>,
    over: bool,
}

impl Session {
    /// A session as planned.
    pub fn new(plan: Plan) -> Self {
        let mode = plan.first_mode();
        Self {
            plan,
            talks: Vec::new(),
            main: 0,
            mode,
            address: 0,
            second: None,
            after_banner: None,
            questions: None,
            asking: None,
            question: None,
            instead: None,
            errands: None,
            asking_login: None,
            owners: Vec::new(),
            out: VecDeque::new(),
            over: false,
        }
    }

    /// How many connections it has had; and where and how TLS began, if it came to a hello.
    pub(super) fn way(&self) -> (usize, Option<(Where, Mode)>) {
        // A greeting where a ServerHello was due: no TLS is spoken this way.
        let spoke = |t: &Talk| t.hello_was_sent() && (!t.answer.not_tls || t.answer.refusal);
        let way = self.address().filter(|_| self.talks.get(self.main).is_some_and(spoke));
        (self.owners.len(), way.map(|to| (to, self.mode)))
    }

    fn start(&mut self, now: Micros) {
        match &self.plan.to {
            Ok(addresses) if !addresses.is_empty() => self.open_main(self.mode, now),
            Ok(_) => self.cannot_open(OpenFailure::Dns),
            Err(why) => self.cannot_open(*why),
        }
    }

    fn cannot_open(&mut self, why: OpenFailure) {
        self.out.push_back(Output::Note(ConnId(0), What::OpenFailed { why }));
        self.finish();
    }

    fn finish(&mut self) {
        if !self.over {
            self.over = true;
            self.out.push_back(Output::Done);
        }
    }

    /// The login under examination.
    fn examined(&self) -> Option<&Talk> {
        self.talks.get(self.instead.as_ref().map_or(self.main, |(n, _)| *n))
    }

    fn address(&self) -> Option<Where> {
        self.plan.to.as_ref().ok()?.get(self.address).cloned()
    }

    /// Opens a connection to learn one thing by this hello; `None` is that of our engine. Returns its index.
    fn open(&mut self, mode: Mode, why: Why, hello: Option<Vec<u8>>, now: Micros) -> Option<usize> {
        let errand = if hello.is_none() && self.plan.login.is_some() { Errand::Examine } else { Errand::Handshake };
        self.send_on(errand, mode, why, hello, now)
    }

    /// Opens a connection for an errand.
    fn send_on(&mut self, errand: Errand, mode: Mode, why: Why, hello: Option<Vec<u8>>, now: Micros) -> Option<usize> {
        let to = self.address()?;
        let client = self.instead.as_ref().map_or(&self.plan.tls, |(_, client)| client);
        let tls = match errand {
            Errand::Handshake => client.clone(),
            Errand::Tls12 => client.limited_to_tls12(),
            _ => client.for_a_login(),
        };
        let hello = match hello {
            Some(record) => Hello::Raw(record),
            None => Hello::Engine(Box::new(tls.engine(&self.plan.host, &self.plan.server_name)?)),
        };
        let n = self.talks.len();
        let conn = self.number(n)?;
        let ways = self.examined().map_or_else(Ways::default, |t| t.ways);
        // What stalls once is not waited for again with the same patience.
        let stalled = self.talks.iter().any(|t| t.stalled);
        let patience = if stalled { self.plan.patience.shortened() } else { self.plan.patience };
        let opening = Opening { conn, to, why, mode, hello, errand, tls, ways, patience };
        self.talks.push(Talk::open(opening, &self.plan, now));
        Some(n)
    }

    /// The number of a new connection that belongs to a talk.
    fn number(&mut self, talk: usize) -> Option<ConnId> {
        let conn = u16::try_from(self.owners.len()).ok()?;
        self.owners.push(talk);
        Some(ConnId(conn))
    }

    /// Opens the data connections that talks want.
    fn grant_wishes(&mut self, now: Micros) {
        for n in 0..self.talks.len() {
            let Some((talk, (wish, why))) = self.talks.get_mut(n).and_then(|t| t.take_wish().map(|w| (t.conn, w)))
            else {
                continue;
            };
            let Some(conn) = self.number(n) else { continue };
            let role = Role::Data { of: talk };
            self.out.push_back(match wish {
                Wish::Dial(place) => Output::Open(conn, place, role, why),
                Wish::Listen => Output::Listen(conn, role, why),
            });
            if let Some(talk) = self.talks.get_mut(n) {
                talk.number(conn, now);
            }
        }
    }

    fn open_main(&mut self, mode: Mode, now: Micros) {
        match self.open(mode, Why::Session, None, now) {
            Some(n) => {
                self.main = n;
                self.mode = mode;
            }
            None => self.finish(),
        }
    }

    /// Says that a connection was a question all along.
    fn becomes_question(&mut self, n: usize, changed: &str) {
        if let Some(talk) = self.talks.get(n) {
            let why = Why::Question { changed: vec![changed.to_owned()] };
            self.out.push_back(Output::Because(talk.conn, why));
        }
    }

    fn on(&mut self, ConnId(n): ConnId, act: impl FnOnce(&mut Talk)) {
        let talk = self.owners.get(usize::from(n)).and_then(|talk| self.talks.get_mut(*talk));
        if let Some(talk) = talk {
            act(talk);
        }
    }

    fn is_over(&self, n: usize) -> bool {
        self.talks.get(n).is_none_or(Talk::is_over)
    }

    /// Whether a ClientHello was answered in TLS.
    fn is_answered(&self, n: usize) -> bool {
        self.talks.get(n).is_some_and(|t| t.answer.tls)
    }

    fn stop(&mut self, n: usize, now: Micros) {
        if let Some(talk) = self.talks.get_mut(n) {
            talk.stop(now);
        }
    }

    /// What follows from what just happened; each step may lead to another.
    fn go_on(&mut self, now: Micros) {
        self.grant_wishes(now);
        if self.talks.is_empty() || self.over {
            return;
        }
        match self.second {
            None => self.watch_greeting(now),
            Some(second) => self.watch_second(second, now),
        }
        if !self.is_over(self.main) || self.second.is_some() || self.try_another_way(now) {
            return;
        }
        if self.asking.is_none_or(|n| self.is_over(n)) {
            self.ask(now);
        }
    }

    /// Whether TLS at once was not tried yet.
    fn may_try_tls(&self) -> bool {
        self.mode == Mode::Explicit && self.talks.len() == self.main + 1
    }

    /// Without a greeting, a second connection tries TLS at once while the first keeps waiting.
    fn watch_greeting(&mut self, now: Micros) {
        let Some(main) = self.talks.get(self.main) else { return };
        let waited = now.0.saturating_sub(main.since().0);
        if main.waits_for_greeting() && self.may_try_tls() && waited >= self.plan.patience.greeting.0 {
            let why = Why::Question { changed: vec!["TLS at once".to_owned()] };
            self.second = self.open(Mode::Implicit, why, None, now);
        }
    }

    /// Two connections wait: one for a greeting, one for an answer to its ClientHello.
    fn watch_second(&mut self, second: usize, now: Micros) {
        let Some(main) = self.talks.get(self.main) else { return };
        if self.is_answered(second) {
            self.second = None;
            self.stop(self.main, now);
            if self.plan.is_auto() {
                self.becomes_question(self.main, "waited for a greeting");
                self.becomes_session(second, Mode::Implicit);
            } else {
                self.stop(second, now);
            }
        } else if main.was_heard() || self.is_over(second) && main.is_over() {
            // The greeting came after all, or nobody waits any more. While the second still waits, a server that serves
            // one connection at a time may turn to it now.
            self.second = None;
            if let Some(talk) = self.talks.get_mut(second) {
                talk.cut_off();
            }
        }
    }

    /// Says that a connection is the session.
    fn becomes_session(&mut self, n: usize, mode: Mode) {
        if let Some(talk) = self.talks.get(n) {
            self.out.push_back(Output::Because(talk.conn, Why::Session));
            self.main = n;
            self.mode = mode;
        }
    }

    /// The session ended: was it the mode?
    fn try_another_way(&mut self, now: Micros) -> bool {
        let Some(main) = self.talks.get(self.main) else { return false };
        if self.asking.is_some() || self.questions.is_some() || !self.plan.is_auto() {
            return false;
        }
        if let Some(tried) = self.after_banner.take() {
            if !self.is_over(tried) {
                self.after_banner = Some(tried);
                return true;
            }
            if self.is_answered(tried) {
                self.becomes_question(self.main, "AUTH TLS");
                self.becomes_session(tried, Mode::ImplicitAfterBanner);
            }
            self.questions = Some(VecDeque::new());
            return false;
        }
        if self.plan.port == IMPLICIT_PORT && self.mode == Mode::Implicit && main.answer.not_tls {
            self.becomes_question(self.main, "TLS at once");
            self.open_main(Mode::Explicit, now);
            return true;
        }
        // The greeting came, and AUTH was not answered: some servers take for a ClientHello whatever comes then.
        if self.mode == Mode::Explicit && main.greeted && main.auth_sent && !main.auth_answered {
            let why = Why::Question { changed: vec!["TLS behind the greeting".to_owned()] };
            self.after_banner = self.open(Mode::ImplicitAfterBanner, why, None, now);
            return self.after_banner.is_some();
        }
        false
    }

    /// The next question, or the end.
    fn ask(&mut self, now: Micros) {
        if self.errands.is_some() || self.instead.is_some() {
            return self.next_login(now);
        }
        let Some(main) = self.talks.get(self.main) else { return self.finish() };
        if self.asking.take().and_then(|n| self.talks.get(n)).is_some_and(|t| t.answer.hello) {
            // One who is let in is answer enough.
            let beyond_us = self.question.is_some_and(Question::is_beyond_us);
            return if beyond_us { self.log_in_instead(now) } else { self.finish() };
        }
        if main.is_incompatible() && self.questions.is_none() {
            self.questions = Some(VecDeque::new());
            return self.log_in_instead(now);
        }
        let questions = self.questions.get_or_insert_with(|| {
            let refused = main.hello_was_sent() && !main.established;
            if refused { Question::after(&main.answer, &self.plan).into() } else { VecDeque::new() }
        });
        let Some(question) = questions.pop_front() else { return self.next_login(now) };
        self.question = Some(question);
        let why = Why::Question { changed: question.changed() };
        self.asking = self.open(self.mode, why, Some(question.hello(&self.plan)), now);
        if self.asking.is_none() {
            self.finish();
        }
    }
}

impl Machine for Session {
    fn handle(&mut self, now: Micros, input: Input<'_>) {
        if self.over {
            return;
        }
        match input {
            Input::Start => self.start(now),
            Input::Opened(conn) => self.on(conn, |t| t.opened(conn, now)),
            Input::OpenFailed(conn, _) => {
                self.on(conn, |t| t.open_failed(conn, now));
                let more = self.plan.to.as_ref().is_ok_and(|to| self.address + 1 < to.len());
                let is_main = self.talks.get(self.main).is_some_and(|t| t.conn == conn);
                if is_main && more && self.questions.is_none() {
                    self.becomes_question(self.main, "another address");
                    self.address += 1;
                    self.open_main(self.mode, now);
                }
            }
            Input::Listening(conn, address) => self.on(conn, |t| t.listening(address)),
            Input::Sent(conn) => self.on(conn, |t| t.sent(conn, now)),
            Input::Bytes(conn, bytes) => self.on(conn, |t| t.bytes(conn, bytes, now)),
            Input::Closed(conn, how) => self.on(conn, |t| t.server_closed(conn, how, now)),
            Input::Deadline => self.talks.iter_mut().for_each(|t| t.deadline_passed(now)),
            Input::Stop => {
                self.talks.iter_mut().for_each(Talk::cut_off);
                return self.finish();
            }
        }
        self.go_on(now);
    }

    fn poll(&mut self) -> Option<Output> {
        // What a connection still has to say comes before the end of the run.
        let said = self.talks.iter_mut().find_map(Talk::poll);
        said.or_else(|| self.out.pop_front())
    }

    fn deadline(&self) -> Option<Micros> {
        let greeting = self.talks.get(self.main).filter(|t| self.second.is_none() && t.waits_for_greeting());
        let greeting = greeting
            .filter(|_| self.may_try_tls())
            .map(|t| Micros(t.since().0.saturating_add(self.plan.patience.greeting.0)));
        self.talks.iter().filter_map(Talk::deadline).chain(greeting).min()
    }
}
