//! How transfers ended: each with its replies, its data connection, its counts, and what programs said of it.

use std::collections::BTreeMap;

use super::case::Claim;
use super::{Case, Confidence};
use crate::decode::{Event, Kind, Reply};
pub(super) use crate::facts::transfers::precedes;
use crate::facts::transfers::{Data, TRANSFERS, Transfer};
use crate::facts::{Product, is_session_control};
use crate::transcript::{Close, Code, ConnId, Decrypted, Layer, Role, Side, What};
use crate::wire::tls::handshake::Message;

/// How the names of the files begin that our own runs store.
pub(super) const OWN_FILE: &str = "FTPSDIAG.R";

/// How the name of the largest of them ends, and its length.
const OWN_LARGE: (&str, u64) = (".T3", 1_000_000);

/// Fewer bytes than this may be a hello of SSL 2 that is not whole.
const HELLO: u64 = 512;

/// A transfer to its end.
pub(super) struct Ending<'a> {
    /// The transfer.
    pub(super) transfer: &'a Transfer<'a>,
    /// Its command.
    pub(super) command: &'a Event,
    /// The verb, in upper case.
    pub(super) verb: &'a str,
    /// What stands behind the verb.
    pub(super) argument: &'a str,
    /// What programs said of it: between its command and the next one, and on its data connection.
    pub(super) said: Vec<Claim<'a>>,
    /// Whether the client stopped it on purpose (ABOR).
    pub(super) aborted: bool,
    /// Whether bytes travel as they are (TYPE I, MODE S, STRU F).
    pub(super) binary: bool,
    /// Whether it began in the middle of the file (REST).
    pub(super) offset: bool,
    /// The answer to SIZE for the same name before it, with nothing in between that changes the file.
    pub(super) size_before: Option<Size<'a>>,
    /// The first answer to SIZE behind an upload.
    pub(super) size_after: Option<Size<'a>>,
    /// Length and SHA-256 of the content, where they were noted.
    pub(super) digest: Option<(u64, &'a str)>,
    /// The end of the control connection, or the silence on it, that came in place of the last reply.
    pub(super) given_up: Option<&'a Event>,
}

/// A length that the server gave.
#[derive(Clone, Copy)]
pub(super) struct Size<'a> {
    /// In bytes.
    pub(super) bytes: u64,
    /// Where it says so.
    pub(super) event: &'a Event,
}

impl<'a> Ending<'a> {
    /// Who sends the content.
    pub(super) fn sender(&self) -> Side {
        if matches!(self.verb, "STOR" | "STOU" | "APPE") { Side::Client } else { Side::Server }
    }

    /// The last reply, unless the conversation had ended before it.
    pub(super) fn reply(&self) -> Option<(&'a Event, &'a Reply)> {
        let answer = self.transfer.reply.as_ref()?;
        let late = self.given_up.is_some_and(|end| precedes(end, answer.event));
        (!late).then_some((answer.event, answer.reply))
    }

    /// The code of the last reply.
    pub(super) fn code(&self) -> Option<u16> {
        self.reply().map(|(_, r)| r.code)
    }

    /// Whether the server said that all went well.
    pub(super) fn is_confirmed(&self) -> bool {
        self.code().is_some_and(|c| (200..300).contains(&c))
    }

    /// Whether one of these words stands in the last reply, in any case.
    pub(super) fn is_answered(&self, words: &[&str]) -> bool {
        self.reply().is_some_and(|(_, r)| has(&r.text, words))
    }

    /// Whether it got under way: a mark (1yz), success, or content.
    pub(super) fn has_begun(&self) -> bool {
        let content = self.data().is_some_and(|d| d.content(self.sender()) > 0);
        self.transfer.begun.is_some() || self.is_confirmed() || content
    }

    /// Its data connection, once it stood for content: behind the handshake, or without TLS where none was due.
    pub(super) fn data(&self) -> Option<&'a Data<'a>> {
        let data = self.transfer.data.as_ref()?;
        let clear = || {
            let tls = |e: &Event| matches!(e.kind, Kind::TlsStarts { .. } | Kind::Handshake(_));
            self.transfer.protected != Some(true) && data.was_open() && data.first(tls).is_none()
        };
        (data.is_established() || clear()).then_some(data)
    }

    /// The same, protected by TLS.
    pub(super) fn tls(&self) -> Option<&'a Data<'a>> {
        self.data().filter(|d| d.is_established())
    }

    /// The first thing that a program said with one of these words, in any case.
    pub(super) fn says(&self, words: &[&str]) -> Option<&Claim<'a>> {
        self.said.iter().find(|c| has(c.text, words))
    }

    /// Whether it is one of the uploads by which our own runs try a server.
    pub(super) fn is_own_test(&self) -> bool {
        let name = self.argument.rsplit('/').next().unwrap_or_default();
        name.starts_with(OWN_FILE)
    }

    /// Whether it belongs to a login in which this was changed.
    pub(super) fn is_with(&self, case: &Case<'_>, change: &str) -> bool {
        case.is_changed(self.transfer.control, change)
    }

    /// The length of the file that one of our own uploads was to bring, where less of it was sent.
    pub(super) fn unsent_of(&self) -> Option<u64> {
        let sent = self.data()?.counted(Side::Client)?;
        let large = self.is_own_test() && self.verb == "STOR" && self.argument.ends_with(OWN_LARGE.0);
        (large && sent < OWN_LARGE.1).then_some(OWN_LARGE.1)
    }

    /// Whether it belongs to the session under examination.
    pub(super) fn is_session(&self, case: &Case<'_>) -> bool {
        is_session_control(case.transcript, self.transfer.control)
    }

    /// A reset of the data connection that was its first end, by whoever sent content: the other side may have lost interest.
    pub(super) fn reset(&self) -> Option<&'a Event> {
        let (event, by, how) = self.data()?.end()?;
        (how == Close::Reset && by == self.sender()).then_some(event)
    }

    /// A reset by which the server cut one of our own uploads short: nobody else gave it up, and it says so.
    pub(super) fn cut_short(&self) -> Option<&'a Event> {
        let (event, by, how) = self.data().filter(|_| self.is_own_test() && self.sender() == Side::Client)?.end()?;
        let said = matches!(self.code(), Some(426 | 451));
        (how == Close::Reset && by == Side::Server && said).then_some(event)
    }

    /// How sure of what the wire shows, where the words around it may have been put together from a log.
    pub(super) fn confidence(&self, case: &Case<'_>) -> Confidence {
        // What a client began to send in clear may become a hello of SSL 2.
        let may_be_hello = |d: &Data<'_>| !d.is_established() && (1..HELLO).contains(&d.content(Side::Client));
        let begun = case.asked().is_none() && self.data().is_some_and(may_be_hello);
        if begun || case.is_from_log(self.command) { Confidence::Likely } else { Confidence::Certain }
    }
}

/// Whether one of these words stands in a text, in any case.
pub(super) fn has(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|w| text.contains(w))
}

/// One control connection while its events pass.
#[derive(Default)]
struct Walk<'a> {
    /// The command whose reply is due.
    open: Option<(&'a str, &'a str)>,
    /// Whether it was sent before another one was answered: then it is not known which of them a reply is to.
    crossed: bool,
    /// The transfer that what follows is about.
    last: Option<usize>,
    /// The transfer whose last reply is due.
    running: Option<usize>,
    image: bool,
    odd: bool,
    offset: bool,
    /// Of each name: its length as the server gave it.
    sizes: BTreeMap<&'a str, Size<'a>>,
    /// Of each name: the last upload.
    stored: BTreeMap<&'a str, usize>,
}

impl<'a> Case<'a> {
    /// All transfers whose command was seen, in order: those of the session, and those of logins that were opened to learn
    /// something.
    pub(super) fn endings(&self) -> Vec<Ending<'a>> {
        let begin = |t: &'a Transfer<'a>| Some((core::ptr::from_ref(t.command?.event), t));
        let by_command: BTreeMap<*const Event, &'a Transfer<'a>> = self.transfers.iter().filter_map(begin).collect();
        if by_command.is_empty() {
            return Vec::new();
        }
        let mut out: Vec<Ending<'a>> = Vec::new();
        let mut walks: BTreeMap<ConnId, Walk<'a>> = BTreeMap::new();
        for e in &self.timeline.events {
            if self.transcript.conn(e.conn).is_some_and(|c| c.role == Role::Control) {
                let transfer = by_command.get(&core::ptr::from_ref(e)).copied();
                walks.entry(e.conn).or_default().take(e, transfer, &mut out);
            }
        }
        let digests = self.digests();
        for ending in &mut out {
            let Some(data) = &ending.transfer.data else { continue };
            ending.said.extend(data.events.iter().filter_map(|e| Claim::of(e)));
            ending.digest = digests.get(&(data.conn, ending.sender())).copied().flatten();
        }
        out
    }

    /// Of each data connection and side: length and SHA-256 of the content, where it was noted as one piece.
    fn digests(&self) -> BTreeMap<(ConnId, Side), Option<(u64, &'a str)>> {
        let mut out = BTreeMap::new();
        for entry in &self.transcript.entries {
            let What::Skipped { from, layer: Layer::InsideTls, len, sha256 } = &entry.what else { continue };
            let whole = Some((*len, sha256.as_str())).filter(|_| !sha256.is_empty());
            out.entry((entry.conn, *from)).and_modify(|noted| *noted = None).or_insert(whole);
        }
        out
    }

    /// The version of TLS on the session's control connection.
    pub(super) fn tls_version(&self) -> Option<u16> {
        self.control().find_map(|e| match &e.kind {
            Kind::Handshake(Message::ServerHello(hello)) => Some(hello.negotiated()),
            Kind::Decrypted { seen: Decrypted::Established { version, .. }, .. } => Some(*version),
            _ => None,
        })
    }

    /// Those of the session.
    pub(super) fn session_endings(&self) -> impl Iterator<Item = Ending<'a>> {
        self.endings().into_iter().filter(|e| e.is_session(self))
    }

    /// The release of a z/OS at one end, by its greeting or by its own words: 104 is V1R4.
    pub(super) fn zos_release(&self, side: Side) -> Option<u32> {
        let release = |text: &str| {
            let (version, release) = text.split_once("IBM FTP CS V")?.1.split_once('R')?;
            let digits = |s: &str| -> Option<u32> {
                s.chars().take_while(char::is_ascii_digit).take(2).collect::<String>().parse().ok()
            };
            Some(digits(version)? * 100 + digits(release)?)
        };
        self.control().find_map(|e| match &e.kind {
            Kind::Reply(r) if side == Side::Server && r.code == 220 => release(&r.text),
            Kind::Claim { side: by, code: Some(Code::Message(_)), text, .. } if by.unwrap_or(Side::Client) == side => {
                release(text)
            }
            _ => None,
        })
    }

    /// Whether one end is a z/OS: the client by its own words, the server by its wording.
    pub(super) fn is_zos(&self, side: Side) -> bool {
        match side {
            Side::Client => self.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")),
            Side::Server => self.facts.server_may_be("zos-ftp-server").is_some_and(|p: &Product| p.sure),
        }
    }
}

impl<'a> Walk<'a> {
    fn take(&mut self, e: &'a Event, transfer: Option<&'a Transfer<'a>>, out: &mut Vec<Ending<'a>>) {
        match &e.kind {
            Kind::Command { verb, line } => {
                let argument = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
                self.command(e, (verb, argument), transfer, out);
            }
            Kind::Reply(reply) if reply.whole && reply.code >= 200 => self.reply(e, reply, out),
            Kind::Claim { .. } => {
                let last = self.last.and_then(|n| out.get_mut(n));
                if let (Some(ending), Some(claim)) = (last, Claim::of(e)) {
                    ending.said.push(claim);
                }
            }
            Kind::Closed { .. } | Kind::TimedOut { waiting_for: Side::Server, .. } => {
                if let Some(ending) = self.running.take().and_then(|n| out.get_mut(n)) {
                    ending.given_up = Some(e);
                }
                self.open = None;
            }
            _ => {}
        }
    }

    fn command(
        &mut self,
        e: &'a Event,
        (verb, argument): (&'a str, &'a str),
        transfer: Option<&'a Transfer<'a>>,
        out: &mut Vec<Ending<'a>>,
    ) {
        match verb {
            "ABOR" => {
                if let Some(ending) = self.last.and_then(|n| out.get_mut(n)) {
                    // Whoever has waited in vain, or hung up, no longer stops it on purpose.
                    let silence = ending.data().and_then(|d| d.silence(Side::Server));
                    ending.aborted |= ending.given_up.is_none() && silence.is_none_or(|s| precedes(e, s));
                }
                return;
            }
            "NOOP" | "STAT" if self.running.is_some() => return,
            _ => {}
        }
        let due = self.open.replace((verb, argument));
        self.crossed = due.is_some();
        due.into_iter().for_each(|(verb, _)| self.forget(verb));
        self.last = None;
        let Some(transfer) = transfer.filter(|_| TRANSFERS.contains(&verb)) else { return };
        let n = out.len();
        out.push(Ending {
            transfer,
            command: e,
            verb,
            argument,
            said: Vec::new(),
            aborted: false,
            binary: self.image && !self.odd,
            offset: std::mem::take(&mut self.offset),
            // Once read it is used up: until the next time the file may change.
            size_before: self.sizes.remove(argument).filter(|_| self.image),
            size_after: None,
            digest: None,
            given_up: None,
        });
        (self.last, self.running) = (Some(n), Some(n));
        if out.last().is_some_and(|x| x.sender() == Side::Client) {
            self.sizes.remove(argument);
            self.stored.insert(argument, n);
        }
    }

    /// The answer to this command is not known.
    fn forget(&mut self, verb: &str) {
        match verb {
            "TYPE" => self.image = false,
            "MODE" | "STRU" => self.odd = true,
            "REST" | "RANG" => self.offset = true,
            "CWD" | "CDUP" | "XCUP" | "XCWD" | "DELE" | "REIN" | "RNTO" | "STOU" | "USER" => self.forget_names(),
            _ if TRANSFERS.contains(&verb) => self.running = None,
            _ => {}
        }
    }

    fn forget_names(&mut self) {
        self.sizes.clear();
        self.stored.clear();
    }

    fn reply(&mut self, e: &'a Event, reply: &'a Reply, out: &mut [Ending<'a>]) {
        let Some((verb, argument)) = self.open.take() else { return };
        if self.crossed {
            return self.forget(verb);
        }
        let accepted = reply.code < 400;
        let is = |what: &str| argument.eq_ignore_ascii_case(what);
        match verb {
            "TYPE" if accepted => self.image = is("I") || is("L 8"),
            "MODE" if accepted => self.odd |= !is("S"),
            "STRU" if accepted => self.odd |= !is("F"),
            "REST" => self.offset = reply.code == 350 && !is("0"),
            "RANG" => self.offset = accepted,
            // In text mode it is the length of another text.
            "SIZE" if reply.code == 213 && self.image => {
                let Some(bytes) = reply.text.split_whitespace().next().and_then(|n| n.parse().ok()) else { return };
                let size = Size { bytes, event: e };
                self.sizes.insert(argument, size);
                if let Some(ending) = self.stored.get(argument).and_then(|n| out.get_mut(*n)) {
                    ending.size_after.get_or_insert(size);
                }
            }
            "CWD" | "CDUP" | "XCUP" | "XCWD" | "DELE" | "REIN" | "RNTO" | "STOU" | "USER" => self.forget_names(),
            _ => {}
        }
        if TRANSFERS.contains(&verb) {
            self.running = None;
        }
    }
}
