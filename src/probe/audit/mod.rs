//! An audit of one endpoint: first the session as a probe has it, then everything that the server accepts, one question a connection.
//!
//! Nearly all of it by hellos that are built by hand: a ServerHello or a refusal is answer enough, and servers are read that no library
//! of today can talk to. No crash tests, no guesses, no floods.

mod agenda;
mod call;
mod heard;
mod hellos;
mod hunt;
mod line;
mod list;
mod pace;
mod parts;
mod progress;
mod visit;

use std::collections::VecDeque;

use super::plan::{Plan, ServerName};
use super::{Input, Machine, Output, Progress, Session, TlsClient, Where};
use crate::transcript::{ConnId, Micros, Mode, Why, topics};
use crate::wire::tls::build::Crafted;
use call::{Ask, Call};
use heard::Came;
use hellos::{Maker, TLS12, TLS13, VERSIONS};
use hunt::Hunt;
use line::{Line, Talk};
use list::List;
use pace::Pace;
pub use parts::{Part, Parts};
use visit::{Errand, Visit};

/// So often a question is asked again that the server had no time for.
const TRIES: u32 = 6;

/// What an audit is to find out, and how.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What is asked about.
    pub parts: Parts,
    /// Connections at a time.
    pub parallel: usize,
    /// One connection at a time, with pauses.
    pub gentle: bool,
    /// Hellos of known clients, each with the client's name.
    pub clients: Vec<(String, Vec<u8>)>,
}

/// The audit of one endpoint.
pub struct Auditor {
    session: Session,
    plan: Plan,
    audit: Audit,
    maker: Maker,
    pace: Pace,
    /// Where the session's connections end and those of the audit begin, once it does.
    first: Option<usize>,
    way: Option<(Where, Mode)>,
    lines: Vec<Line>,
    lists: Vec<List>,
    questions: VecDeque<(Question, u32)>,
    /// Whether what depends on the suites was added.
    followed: bool,
    /// Whether the certificates of TLS 1.3 were asked for, or there is but one.
    keys_asked: bool,
    /// Connections so far.
    dialled: usize,
    now: Micros,
    out: VecDeque<Output>,
    over: bool,
    /// The end is still to be said.
    ending: bool,
}

/// One thing to find out.
#[derive(Clone)]
enum Question {
    /// What the server takes of this part of a list.
    Part(usize, Vec<u16>),
    /// How it answers.
    Ask(Vec<String>, Ask),
    /// What it says to our own engine.
    Visit(Vec<String>, Visitor, Errand),
}

/// Our own engine, and the name that it sends.
#[derive(Clone)]
struct Visitor {
    tls: TlsClient,
    name: ServerName,
}

impl Auditor {
    /// An audit as planned.
    pub fn new(plan: Plan, audit: Audit) -> Self {
        let server_name = match &plan.server_name {
            ServerName::Send(name) => Some(name.clone()),
            ServerName::Omit => None,
        };
        Self {
            session: Session::new(plan.clone()),
            maker: Maker { server_name, random: plan.random },
            pace: Pace::new(audit.parallel, audit.gentle),
            plan,
            audit,
            first: None,
            way: None,
            lines: Vec::new(),
            lists: Vec::new(),
            questions: VecDeque::new(),
            followed: false,
            keys_asked: false,
            dialled: 0,
            now: Micros(0),
            out: VecDeque::new(),
            over: false,
            ending: false,
        }
    }

    /// The session is over: the questions begin, if there was TLS at all.
    fn begin(&mut self) {
        let (connections, way) = self.session.way();
        self.first = Some(connections);
        self.way = way;
        if self.way.is_none() {
            return self.finish();
        }
        if self.audit.parts.has(Part::Versions) {
            for version in VERSIONS {
                let all = hellos::suites_of(version);
                let hunt = Hunt::new(all, hellos::common_suites(version), self.audit.parallel);
                let (suites, groups) = (Vec::new(), Vec::new());
                self.lists.push(List { topic: topics::SUITES, version, suites, groups, hunt });
            }
            self.ask(topics::SSL2, self.maker.ssl2());
        }
    }

    fn ask(&mut self, topic: &str, hello: Vec<u8>) {
        self.questions.push_back((Question::Ask(vec![topic.to_owned()], Ask::Hello(hello)), 0));
    }

    fn finish(&mut self) {
        if !self.over {
            (self.over, self.ending) = (true, true);
        }
    }

    /// The next thing to ask, with how often it was asked already.
    fn next(&mut self) -> Option<(Question, u32)> {
        let is_visit = |q: &Question| matches!(q, Question::Visit(..));
        if let Some(at) = self.questions.iter().position(|(q, _)| !is_visit(q)) {
            return self.questions.remove(at);
        }
        for n in 0..self.lists.len() {
            if let Some(list) = self.lists.get_mut(n).and_then(|l| l.hunt.next()) {
                return Some((Question::Part(n, list), 0));
            }
        }
        // A whole handshake holds up a server that serves one connection at a time: nobody else is to wait for an answer meanwhile.
        if self.lines.iter().any(|l| !is_visit(&l.question)) {
            return None;
        }
        // A session is offered again only when the one before it is over.
        let resumes =
            |q: &Question| matches!(q, Question::Visit(c, ..) if c.first().is_some_and(|t| t == topics::RESUMPTION));
        let waits =
            self.questions.front().is_some_and(|(q, _)| resumes(q)) && self.lines.iter().any(|l| resumes(&l.question));
        if waits { None } else { self.questions.pop_front() }
    }

    fn go_on(&mut self) {
        if self.over || self.first.is_none() {
            return;
        }
        self.settle();
        if self.pace.is_given_up() {
            return self.finish();
        }
        while self.pace.may_dial(self.lines.len(), self.now) {
            let Some((question, tries)) = self.next() else { break };
            if !self.dial(question, tries) {
                return self.finish();
            }
        }
        if !self.lines.is_empty() || !self.questions.is_empty() || self.lists.iter().any(|l| !l.hunt.is_over()) {
            return;
        }
        if !self.followed {
            self.follow();
            return self.go_on();
        }
        if self.follow_groups() || self.follow_schemes() { self.go_on() } else { self.finish() }
    }

    /// Opens a connection for a question.
    fn dial(&mut self, question: Question, tries: u32) -> bool {
        let Some((to, mode)) = self.way.clone() else { return false };
        let Ok(conn) = u16::try_from(self.first.unwrap_or_default() + self.dialled) else { return false };
        let (conn, patience) = (ConnId(conn), self.plan.patience);
        self.dialled += 1;
        let (changed, ask) = match &question {
            Question::Part(n, list) => {
                let Some(of) = self.lists.get(*n) else { return false };
                let changed = vec![of.topic.to_owned(), version_name(of.version).to_owned()];
                (changed, Ask::Hello(self.hello(of, list).record()))
            }
            Question::Ask(changed, ask) => (changed.clone(), ask.clone()),
            Question::Visit(changed, by, errand) => {
                let Some(engine) = by.tls.engine(&self.plan.host, &by.name) else { return false };
                let why = Why::Question { changed: changed.clone() };
                let talk = Talk::Visit(Box::new(Visit::open((conn, to, mode, why), engine, *errand, patience)));
                self.lines.push(Line { question, tries, talk });
                self.pace.dialled(self.now);
                return true;
            }
        };
        let why = Why::Question { changed };
        let talk = Talk::Call(Box::new(Call::open(conn, to, mode, why, ask, patience)));
        self.lines.push(Line { question, tries, talk });
        self.pace.dialled(self.now);
        true
    }

    /// The hello that offers a part of a list.
    fn hello(&self, of: &List, part: &[u16]) -> Crafted {
        let (groups, schemes) = (hellos::groups_of(of.version), hellos::schemes_of(of.version));
        match of.topic {
            topics::GROUPS => self.maker.hello(of.version, &of.suites, part, schemes),
            topics::SCHEMES if of.version == TLS13 => {
                let hello = self.maker.hello(of.version, &of.suites, &of.groups, part);
                self.maker.with_key(hello, &of.groups)
            }
            topics::SCHEMES => self.maker.hello(of.version, &of.suites, groups, part),
            _ => self.maker.hello(of.version, part, groups, schemes),
        }
    }

    /// Takes what connections came to that are over.
    fn settle(&mut self) {
        let lines = core::mem::take(&mut self.lines);
        for mut line in lines {
            let came = match &line.talk {
                Talk::Call(call) => call.came(),
                Talk::Visit(visit) => visit.is_over().then(|| if visit.was_busy() { Came::Busy } else { Came::NotTls }),
            };
            let Some(came) = came else {
                self.lines.push(line);
                continue;
            };
            while let Some(output) = line.poll() {
                self.out.push_back(output);
            }
            self.take(line, came);
        }
    }

    fn take(&mut self, line: Line, came: Came) {
        if came == Came::Busy {
            self.pace.busy(self.now);
            if line.tries + 1 < TRIES {
                return self.questions.push_front((line.question, line.tries + 1));
            }
        } else {
            self.pace.answered();
        }
        if let Question::Part(n, part) = line.question
            && let Some(list) = self.lists.get_mut(n)
        {
            list.take(&part, came);
        }
    }
}

/// As people write it.
fn version_name(version: u16) -> &'static str {
    match version {
        TLS13 => "TLS 1.3",
        TLS12 => "TLS 1.2",
        0x0302 => "TLS 1.1",
        0x0301 => "TLS 1.0",
        _ => "SSL 3",
    }
}

impl Machine for Auditor {
    fn handle(&mut self, now: Micros, input: Input<'_>) {
        if self.over {
            return;
        }
        self.now = now;
        let of = match input {
            Input::Opened(c) | Input::Listening(c, _) | Input::OpenFailed(c, _) | Input::Sent(c) => Some(c),
            Input::Bytes(c, _) | Input::Closed(c, _) => Some(c),
            Input::Start | Input::Deadline | Input::Stop => None,
        };
        if self.first.is_none_or(|first| of.is_some_and(|c| usize::from(c.0) < first)) {
            return self.session.handle(now, input);
        }
        for line in &mut self.lines {
            if of.is_none_or(|c| c == line.conn()) {
                line.handle(now, input);
            }
        }
        if input == Input::Stop {
            return self.finish();
        }
        self.go_on();
    }

    fn poll(&mut self) -> Option<Output> {
        if self.first.is_none() {
            match self.session.poll() {
                Some(Output::Done) => {
                    self.begin();
                    self.go_on();
                }
                said => return said,
            }
        }
        // Connections that are over close before others are opened; and all is said before the end of the run.
        let said = self.out.pop_front().or_else(|| self.lines.iter_mut().find_map(Line::poll));
        said.or_else(|| core::mem::take(&mut self.ending).then_some(Output::Done))
    }

    fn progress(&self) -> Option<Progress> {
        self.so_far()
    }

    fn deadline(&self) -> Option<Micros> {
        if self.first.is_none() {
            return self.session.deadline();
        }
        let due = self.pace.due(self.lines.len(), self.now);
        self.lines.iter().filter_map(Line::deadline).chain(due).min()
    }
}
