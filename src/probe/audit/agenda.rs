//! What is asked, and in which order: versions with their suites, then what depends on these.

use super::call::Ask;
use super::hellos::{self, SCHEMES, SSL3, TLS12, TLS13, VERSIONS};
use super::hunt::Hunt;
use super::list::List;
use super::visit::Errand;
use super::{Auditor, Part, Question};
use crate::probe::TlsClient;
use crate::transcript::{Mode, topics};
use crate::wire::tls::build::Crafted;

impl Auditor {
    /// What is taken of a version's suites.
    pub(super) fn suites(&self, version: u16) -> &[u16] {
        let list = self.lists.iter().find(|l| l.topic == topics::SUITES && l.version == version);
        list.map_or(&[], |l| l.hunt.taken())
    }

    /// Adds what depends on the suites.
    pub(super) fn follow(&mut self) {
        self.followed = true;
        let taken: Vec<(u16, Vec<u16>)> = VERSIONS
            .into_iter()
            .map(|v| (v, self.suites(v).to_vec()))
            .map(|(v, s)| if s.is_empty() && !self.audit.parts.has(Part::Versions) { (v, modern(v)) } else { (v, s) })
            .filter(|(_, suites)| !suites.is_empty())
            .collect();
        for (version, suites) in taken.iter().filter(|(v, _)| *v >= TLS12 || taken.first().is_some_and(|(h, _)| h == v))
        {
            let (groups, signed) = (hellos::with_groups(suites), hellos::with_signature(suites));
            if self.audit.parts.has(Part::Groups) && !groups.is_empty() {
                let hunt = Hunt::new(hellos::groups_to_ask(*version).to_vec(), vec![0x001d, 0x0017, 0x0018, 0x0100], 1);
                let (topic, version) = (topics::GROUPS, *version);
                self.lists.push(List { topic, version, suites: groups, groups: Vec::new(), hunt });
            }
            if self.audit.parts.has(Part::Schemes) && *version == TLS12 && !signed.is_empty() {
                let hunt = Hunt::new(SCHEMES.to_vec(), vec![0x0401, 0x0403, 0x0804], 1);
                let (topic, version) = (topics::SCHEMES, *version);
                self.lists.push(List { topic, version, suites: signed, groups: Vec::new(), hunt });
            }
        }
        if let Some((version, suites)) = taken.first() {
            self.ask_oddities(*version, suites);
        }
        self.ask_others();
    }

    /// TLS 1.3 hides by what the server signs: each scheme is asked alone, with a key for a group that it takes.
    pub(super) fn follow_groups(&mut self) {
        let done = |l: &List| l.topic == topics::SCHEMES && l.version == TLS13;
        let suites = self.suites(TLS13).to_vec();
        if !self.audit.parts.has(Part::Schemes) || suites.is_empty() || self.lists.iter().any(done) {
            return;
        }
        let groups = self.lists.iter().find(|l| l.topic == topics::GROUPS && l.version == TLS13);
        let groups = groups.map_or_else(|| vec![0x0017], |l| l.hunt.taken().to_vec());
        let hunt = Hunt::each(hellos::schemes_of(TLS13), self.audit.parallel);
        self.lists.push(List { topic: topics::SCHEMES, version: TLS13, suites, groups, hunt });
    }

    /// Hellos that are odd in one way, beside an ordinary one.
    fn ask_oddities(&mut self, version: u16, suites: &[u16]) {
        let ordinary = self.maker.ordinary(version, suites);
        let (behaviour, limits) = (self.audit.parts.has(Part::Extensions), self.audit.parts.has(Part::Intolerances));
        let mut odd: Vec<&'static str> = Vec::new();
        if behaviour || limits {
            odd.push(topics::CONTROL);
        }
        if behaviour {
            odd.extend([topics::NO_NAME, topics::OTHER_NAME, topics::OTHER_ALPN]);
        }
        if limits {
            odd.extend([topics::LONG, topics::UNKNOWN_EXTENSION, topics::GREASE, topics::RECORD_VERSION]);
        }
        for topic in odd {
            if let Some(hello) = self.maker.odd(topic, &ordinary) {
                self.ask(topic, hello.record());
            }
        }
        if limits && version >= TLS12 {
            let known: Vec<u16> = [TLS13, TLS12].into_iter().filter(|v| *v <= version).collect();
            let hello = self.maker.unknown_versions(&ordinary, &known);
            self.ask(topics::UNKNOWN_VERSIONS, hello.record());
        }
        self.ask_below_tls13(behaviour, limits);
    }

    /// What shows in clear only below TLS 1.3, or can be asked only there.
    fn ask_below_tls13(&mut self, behaviour: bool, limits: bool) {
        let below = |v: u16| Some((v, self.suites(v).to_vec())).filter(|(_, s)| !s.is_empty());
        let old = VERSIONS.into_iter().filter(|v| *v <= TLS12).find_map(below);
        let tls13 = self.suites(TLS13).to_vec();
        let Some((version, suites)) = old else { return };
        let ordinary = self.maker.hello(version, &suites, hellos::groups_of(version), hellos::schemes_of(version));
        // One below the highest: whether that is taken does not matter to who knows the signal.
        let highest = VERSIONS.iter().position(|v| !self.suites(*v).is_empty());
        let below = highest.and_then(|n| VERSIONS.get(n + 1)).filter(|v| **v > SSL3);
        let fallback = below.map(|below| {
            let suites = if *below == version { suites.clone() } else { hellos::common_suites(*below) };
            hellos::fallback(self.maker.ordinary(*below, &suites))
        });
        let mut add = |topic: &'static str, hello: Option<Crafted>| {
            if let Some(hello) = hello {
                self.questions.push_back((Question::Ask(vec![topic.to_owned()], Ask::Hello(hello.record())), 0));
            }
        };
        if behaviour {
            for topic in [topics::STAPLING, topics::COMPRESSION, topics::ALPN] {
                add(topic, self.maker.odd(topic, &ordinary));
            }
            add(topics::FALLBACK, fallback);
        }
        if limits {
            add(topics::FUTURE_VERSION, self.maker.odd(topics::FUTURE_VERSION, &ordinary));
            add(topics::NO_EXTENSIONS, self.maker.odd(topics::NO_EXTENSIONS, &ordinary));
            if !tls13.is_empty() {
                add(topics::POST_QUANTUM, self.maker.post_quantum(&tls13));
            }
        }
    }

    /// What needs a whole handshake, or none; and clients that are imitated.
    fn ask_others(&mut self) {
        let visit = |topic: &str, detail: Option<&str>, tls: &TlsClient, errand: Errand| {
            let changed = core::iter::once(topic).chain(detail).map(str::to_owned).collect();
            (Question::Visit(changed, tls.clone(), errand), 0)
        };
        let explicit = self.way.as_ref().is_some_and(|(_, mode)| *mode == Mode::Explicit);
        if self.audit.parts.has(Part::Security) && explicit {
            let smuggled = Errand { smuggled: Some("NOOP"), ..Errand::default() };
            let again = Errand { inside: Some("AUTH TLS"), ..Errand::default() };
            let alone = self.plan.tls.for_a_login();
            self.questions.push_back(visit(topics::SMUGGLED, None, &alone, smuggled));
            self.questions.push_back(visit(topics::SECOND_AUTH, None, &alone, again));
            let clear = Ask::Clear("USER ftpsdiag");
            self.questions.push_back((Question::Ask(vec![topics::CLEAR_LOGIN.to_owned()], clear), 0));
        }
        if self.audit.parts.has(Part::Resumption) {
            let none = Errand::default();
            self.questions.push_back(visit(topics::RESUMPTION, Some("as the session"), &self.plan.tls, none));
            let older = self.plan.tls.limited_to_tls12();
            self.questions.push_back(visit(topics::RESUMPTION, Some("TLS 1.2, first"), &older, none));
            self.questions.push_back(visit(topics::RESUMPTION, Some("TLS 1.2, again"), &older, none));
        }
        for (name, hello) in core::mem::take(&mut self.audit.clients) {
            let changed = vec![topics::CLIENT.to_owned(), name];
            self.questions.push_back((Question::Ask(changed, Ask::Hello(hello)), 0));
        }
    }
}

/// Suites for a version that was not asked for its suites.
fn modern(version: u16) -> Vec<u16> {
    if version >= TLS12 { hellos::common_suites(version) } else { Vec::new() }
}
