//! What is asked, and in which order: versions with their suites, then what depends on these.

use super::call::Ask;
use super::hellos::{self, SCHEMES, SSL3, TLS12, TLS13, VERSIONS};
use super::hunt::Hunt;
use super::list::List;
use super::visit::Errand;
use super::{Auditor, Part, Question, Visitor};
use crate::probe::TlsClient;
use crate::probe::engine::KeyKind;
use crate::probe::plan::ServerName;
use crate::transcript::{Mode, topics};
use crate::wire::tls::build::Crafted;

/// To see what a handshake shows.
const LOOK: Errand = Errand { smuggled: None, inside: None, looks: true };

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

    /// TLS 1.3 hides by what the server signs: each scheme is asked alone, with a key for a group that it takes. Whether there is more to ask.
    pub(super) fn follow_groups(&mut self) -> bool {
        let suites = self.suites(TLS13).to_vec();
        if !self.audit.parts.has(Part::Schemes) || suites.is_empty() || self.asks_each_scheme() {
            return false;
        }
        // One alone, with its key: who asks for another one says nothing of the scheme.
        let groups = self.lists.iter().find(|l| l.topic == topics::GROUPS && l.version == TLS13);
        let taken = groups.map_or(&[][..], |l| l.hunt.taken());
        let Some(group) = taken.iter().copied().find(|g| self.maker.has_key(*g)) else { return false };
        let groups = vec![group];
        let hunt = Hunt::each(hellos::schemes_of(TLS13), self.audit.parallel);
        self.lists.push(List { topic: topics::SCHEMES, version: TLS13, suites, groups, hunt });
        true
    }

    /// Where TLS 1.3 is signed by keys of several kinds, there are several certificates, which only a whole handshake shows. Whether there is
    /// more to ask.
    pub(super) fn follow_schemes(&mut self) -> bool {
        if core::mem::replace(&mut self.keys_asked, true) {
            return false;
        }
        let list = self.lists.iter().find(|l| l.topic == topics::SCHEMES && l.version == TLS13);
        let taken = list.map_or(&[][..], |l| l.hunt.taken());
        let kinds = KeyKind::ALL.into_iter().filter(|kind| taken.iter().any(|scheme| kind.signs(*scheme)));
        let kinds: Vec<KeyKind> = kinds.collect();
        if kinds.len() < 2 {
            return false;
        }
        for kind in kinds {
            if let Some(tls) = self.plan.tls.signed_by(kind) {
                let changed = vec![topics::KEYS.to_owned(), kind.name().to_owned()];
                let visitor = Visitor { tls, name: self.plan.server_name.clone() };
                self.questions.push_back((Question::Visit(changed, visitor, LOOK), 0));
            }
        }
        true
    }

    /// Whether the schemes of TLS 1.3 are being asked, or were.
    pub(super) fn asks_each_scheme(&self) -> bool {
        self.lists.iter().any(|l| l.topic == topics::SCHEMES && l.version == TLS13)
    }

    /// Hellos that are odd in one way, beside an ordinary one.
    fn ask_oddities(&mut self, version: u16, suites: &[u16]) {
        let ordinary = self.maker.ordinary(version, suites);
        let (behaviour, limits) = (self.audit.parts.has(Part::Extensions), self.audit.parts.has(Part::Intolerances));
        let mut odd: Vec<&'static str> = Vec::new();
        if behaviour || limits {
            odd.push(topics::CONTROL);
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
        if limits
            && version == TLS13
            && let Some(hello) = self.maker.post_quantum(suites)
        {
            self.ask(topics::POST_QUANTUM, hello.record());
        }
        if behaviour {
            self.ask_names(version, &ordinary);
        }
        self.ask_below_tls13(behaviour, limits);
    }

    /// What another name, none, or another protocol changes. Up to TLS 1.2 the answer shows the certificate; where there is nothing but
    /// TLS 1.3, our own engine has to look.
    fn ask_names(&mut self, highest: u16, ordinary: &Crafted) {
        let others = [topics::NO_NAME, topics::OTHER_NAME];
        let Some((version, suites)) = self.below_tls13() else {
            if let Some(hello) = self.maker.odd(topics::OTHER_ALPN, ordinary) {
                self.ask(topics::OTHER_ALPN, hello.record());
            }
            let usual = self.plan.server_name.clone();
            let has_name = usual != ServerName::Omit;
            let names = [usual, ServerName::Omit, ServerName::Send(hellos::OTHER_NAME.to_owned())];
            let tls = self.plan.tls.declining();
            for (topic, name) in core::iter::once(topics::CONTROL).chain(others).zip(names) {
                if topic != topics::NO_NAME || has_name {
                    let visitor = Visitor { tls: tls.clone(), name };
                    self.questions.push_back((Question::Visit(vec![topic.to_owned()], visitor, LOOK), 0));
                }
            }
            return;
        };
        let ordinary = self.maker.ordinary(version, &suites);
        let control = (version != highest).then_some(topics::CONTROL);
        for topic in control.into_iter().chain(others).chain([topics::OTHER_ALPN]) {
            if let Some(hello) = self.maker.odd(topic, &ordinary) {
                self.ask(topic, hello.record());
            }
        }
    }

    /// The highest version below TLS 1.3 that is taken, with its suites.
    fn below_tls13(&self) -> Option<(u16, Vec<u16>)> {
        let of = |v: u16| Some((v, self.suites(v).to_vec())).filter(|(_, s)| !s.is_empty());
        VERSIONS.into_iter().filter(|v| *v <= TLS12).find_map(of)
    }

    /// What shows in clear only below TLS 1.3, or can be asked only there.
    fn ask_below_tls13(&mut self, behaviour: bool, limits: bool) {
        let Some((version, suites)) = self.below_tls13() else { return };
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
            self.ask(topics::SSL2_FORMAT, self.maker.in_format_of_ssl2(version, &suites));
        }
    }

    /// What needs a whole handshake, or none; and clients that are imitated.
    fn ask_others(&mut self) {
        let name = self.plan.server_name.clone();
        let visit = |topic: &str, detail: Option<&str>, tls: &TlsClient, errand: Errand| {
            let changed = core::iter::once(topic).chain(detail).map(str::to_owned).collect();
            (Question::Visit(changed, Visitor { tls: tls.clone(), name: name.clone() }, errand), 0)
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
