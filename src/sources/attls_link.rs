//! One connection, as the messages of AT-TLS tell of it.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeSet;

use super::Piece;
use super::attls::{Form, Key, Record};
use crate::transcript::{Clock, Code, Conn, ConnId, Entry, Fidelity, Layer, Micros, Side, What, speakers};

/// How requests of HTTP begin.
const REQUESTS: [&[u8]; 4] = [b"GET /", b"HEAD /", b"POST /", b"OPTIONS "];

/// Ports of FTP's control connections, and the one from which a server opens data connections.
const CONTROL: [u16; 2] = [21, 990];
const ACTIVE_DATA: u16 = 20;

/// Ports below this one are opened by servers.
const PRIVILEGED: u16 = 1024;

/// How z/OS names the jobs of its FTP server.
const SERVER_JOB: &str = "FTPD";

/// AT-TLS waited in vain; the error of the socket that follows is the same event.
const TIMED_OUT: u32 = 5004;
const SOCKET_ERROR: u32 = 406;

/// From here on codes are those of AT-TLS itself.
const OF_ATTLS: core::ops::RangeInclusive<u32> = 5000..=6999;

/// From here on a number has as many digits as codes of the handshake have.
const SHORTEST_WHOLE: u32 = 100;

/// So many messages are put in front of what they explain.
const MOST_REASONS: usize = 16;

/// Who speaks with whom: job, user, and the other end's address.
pub(super) type Partner = (String, String, IpAddr);

/// What a message says of its connection.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// Bytes; whether this end sent them.
    Bytes(bool, Vec<u8>),
    /// So many bytes that are not kept; whether this end sent them.
    Clear(bool, u64),
    /// Words.
    Claim(Option<Code>, String),
    /// TLS begins.
    Starts,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    id: String,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    /// The ports of both, even where their addresses are masked.
    ports: (Option<u16>, Option<u16>),
    job: String,
    user: String,
    /// Group and environment, when there are such.
    pub environment: Option<(String, String)>,
    said: Vec<(Option<Micros>, Said)>,
    /// Failures that were told: EZD1286I and EZD1287I tell of the same one.
    failures: BTreeSet<(u32, String)>,
    started: bool,
    reasons: usize,
    timed: bool,
}

impl Link {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// Whether its messages name the ports of both ends; one that was cut may have lost what shows its end.
    pub(super) fn has_both_ports(&self) -> bool {
        self.ports.0.is_some() && self.ports.1.is_some()
    }

    /// Whether a message with these addresses can be of this connection.
    pub(super) fn may_be(&self, local: Option<SocketAddr>, remote: Option<SocketAddr>) -> bool {
        let same = |a: Option<SocketAddr>, b: Option<SocketAddr>| a.zip(b).is_none_or(|(a, b)| a == b);
        !self.id.is_empty() && same(self.local, local) && same(self.remote, remote)
    }

    /// Takes a message.
    pub(super) fn take(&mut self, r: &Record) {
        self.local = self.local.or(r.address(Key::Local));
        self.remote = self.remote.or(r.address(Key::Remote));
        let (local, remote) = self.ports;
        self.ports = (local.or(r.port(Key::Local)), remote.or(r.port(Key::Remote)));
        for (place, key) in [(&mut self.job, Key::Job), (&mut self.user, Key::User)] {
            if let (true, Some(value)) = (place.is_empty(), r.field(key)) {
                value.clone_into(place);
            }
        }
        if let (None, Some(group), Some(of)) = (&self.environment, r.field(Key::Group), r.field(Key::Environment)) {
            self.environment = of.bytes().any(|b| b != b'0').then(|| (group.to_owned(), of.to_owned()));
        }
        match r.form {
            Form::Map => self.mapped(r),
            Form::Start | Form::Event | Form::Error => self.happened(r),
            Form::Flow => self.called(r),
            Form::Data => self.passed(r),
            Form::GroupFailed => self.put_first(Said::Claim(message(r), r.text.join(" "))),
            Form::Certificate => self.certificate(r),
        }
    }

    fn push(&mut self, at: Option<Micros>, said: Said) {
        self.timed |= at.is_some();
        self.said.push((at, said));
    }

    /// What explains the rest, whenever it was told.
    pub(super) fn put_first(&mut self, said: Said) {
        self.reasons += 1;
        if self.reasons > MOST_REASONS {
            return self.push(None, said);
        }
        let place = usize::from(matches!(self.said.first(), Some((_, Said::Starts))));
        self.said.insert(place, (None, said));
    }

    fn starts(&mut self, at: Option<Micros>) {
        if !self.started {
            self.started = true;
            self.push(at, Said::Starts);
        }
    }

    fn mapped(&mut self, r: &Record) {
        let rule = r.field(Key::Rule).map(|rule| format!("rule {rule}"));
        let status = r.field(Key::Status).map(str::to_owned);
        let words = (!r.text.is_empty()).then(|| r.text.join(" "));
        let text: Vec<String> = [rule, status, words].into_iter().flatten().collect();
        self.push(r.at, Said::Claim(message(r), text.join(", ")));
    }

    fn happened(&mut self, r: &Record) {
        let event = r.text.join(" ");
        // Without the event behind it, a short number may be the beginning of another one.
        let is_cut = |rc: u32| event.is_empty() && rc < SHORTEST_WHOLE;
        let rc = r.rc().filter(|rc| *rc != 0 && !is_cut(*rc));
        if event.starts_with("Initial Handshake") || event.starts_with("Connection Init") {
            self.starts(r.at);
        }
        match rc {
            Some(rc) if self.failures.insert((rc, event.clone())) => {
                let code = if OF_ATTLS.contains(&rc) { Code::AtTls(rc) } else { Code::Gsk(rc) };
                self.push(r.at, Said::Claim(Some(code), event));
            }
            Some(_) => {}
            // A failure without its code, or without anything: the message was cut.
            None if r.form == Form::Error => self.push(r.at, Said::Claim(message(r), event)),
            None if event.is_empty() => {}
            // Told apart from EZD1282I, which says that it begins.
            None if r.form == Form::Event && r.rc() == Some(0) => {
                self.push(r.at, Said::Claim(None, format!("RC: 0 {event}")));
            }
            None => self.push(r.at, Said::Claim(None, event)),
        }
    }

    fn called(&mut self, r: &Record) {
        let text = r.text.join(" ");
        let rc = r.rc().filter(|rc| *rc != 0);
        let code = rc.map(|rc| if OF_ATTLS.contains(&rc) { Code::AtTls(rc) } else { Code::Gsk(rc) });
        if let Some(rc) = rc
            && !self.failures.insert((rc, text.clone()))
        {
            return;
        }
        self.push(r.at, Said::Claim(code, text));
    }

    fn passed(&mut self, r: &Record) {
        let is = |word: &str| r.text.iter().any(|w| w == word);
        if is("CLEAR") {
            self.push(r.at, Said::Clear(is("SEND"), r.bytes.len() as u64));
        } else if !r.bytes.is_empty() {
            self.starts(r.at);
            self.push(r.at, Said::Bytes(is("SEND"), r.bytes.clone()));
        }
    }

    /// A certificate's fields stand in front of the failure that they explain.
    fn certificate(&mut self, r: &Record) {
        let d = &r.diagnostics;
        let mut told: Vec<Said> = Vec::new();
        if let Some(rc) = d.rc().filter(|rc| *rc != 0) {
            self.failures.insert((rc, d.description()));
            told.push(Said::Claim(Some(Code::Gsk(rc)), d.description()));
        } else if !d.description().is_empty() {
            told.push(Said::Claim(None, d.description()));
        }
        let certificate = d.certificate();
        if d.cms().is_some() || certificate.is_some() {
            told.push(Said::Claim(d.cms().map(Code::Cms), certificate.unwrap_or_default()));
        }
        self.reasons += 1;
        let failure = || self.said.iter().position(|(_, s)| is_failure(s, d.rc()));
        let place = (self.reasons <= MOST_REASONS).then(failure).flatten().unwrap_or(self.said.len());
        self.timed |= r.at.is_some();
        self.said.splice(place..place, told.into_iter().map(|s| (r.at, s)));
    }

    /// Whether a failure with this code was told.
    pub(super) fn has_failed(&self, rc: u32) -> bool {
        self.failures.range((rc, String::new())..).next().is_some_and(|(of, _)| *of == rc)
    }

    /// The codes of all failures.
    pub(super) fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        let mut last = None;
        self.failures.iter().map(|(rc, _)| *rc).filter(move |rc| last.replace(*rc) != Some(*rc))
    }

    /// The code of System SSL by which the environment failed.
    pub(super) fn reason(&self) -> Option<(u32, String)> {
        let of_environment = |(rc, event): &&(u32, String)| !OF_ATTLS.contains(rc) && event.starts_with("Environment");
        self.failures.iter().find(of_environment).cloned()
    }

    /// Joins what is one event: a time-out, and the error of the socket that it ends with, in whichever order they came.
    pub(super) fn settle(&mut self) {
        let of = |said: &Said, code: &Code| matches!(said, Said::Claim(Some(c), _) if c == code);
        let Some(waited) = self.said.iter().position(|(_, s)| of(s, &Code::AtTls(TIMED_OUT))) else { return };
        let (mut errors, mut rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.said)
            .into_iter()
            .enumerate()
            .partition(|(_, (_, s))| of(s, &Code::Gsk(SOCKET_ERROR)));
        for (_, (_, said)) in &mut errors {
            if let Said::Claim(code, text) = said {
                *code = None;
                *text = format!("RC: {SOCKET_ERROR} {text}").trim_end().to_owned();
            }
        }
        let place = rest.iter().position(|(n, _)| *n == waited).map_or(rest.len(), |n| n + 1);
        rest.splice(place..place, errors);
        self.said = rest.into_iter().map(|(_, said)| said).collect();
    }

    pub(super) fn has_bytes(&self) -> bool {
        self.said.iter().any(|(_, s)| matches!(s, Said::Bytes(..)))
    }

    /// The end at which AT-TLS ran: by the ports, by the name of the job, by what it sent.
    pub(super) fn side(&self) -> Option<Side> {
        let (local, remote) = self.ports;
        let is = |port: Option<u16>, one_of: &[u16]| port.is_some_and(|p| one_of.contains(&p));
        match (is(local, &CONTROL), is(remote, &CONTROL)) {
            (true, false) => return Some(Side::Server),
            (false, true) => return Some(Side::Client),
            _ if self.job.starts_with(SERVER_JOB) => return Some(Side::Server),
            _ => {}
        }
        let low = |port: Option<u16>| port.is_some_and(|p| p < PRIVILEGED);
        match (low(local), low(remote)) {
            (true, false) if remote.is_some() => Some(Side::Server),
            (false, true) if local.is_some() => Some(Side::Client),
            _ => self.side_by_bytes(),
        }
    }

    /// What it sent or received decides, where only one end says such a thing.
    fn side_by_bytes(&self) -> Option<Side> {
        self.said.iter().find_map(|(_, said)| {
            let Said::Bytes(sent, data) = said else { return None };
            let from = match data.get(..6)? {
                [0x16, 3, _, _, _, 1] => Side::Client,
                [0x16, 3, _, _, _, 2 | 11] => Side::Server,
                // No server begins so.
                _ if REQUESTS.iter().any(|r| data.starts_with(r)) => Side::Client,
                _ => return None,
            };
            Some(if *sent { from } else { from.other() })
        })
    }

    /// Whether it is a control connection, by its ports.
    pub(super) fn is_control(&self) -> bool {
        [self.ports.0, self.ports.1].into_iter().flatten().any(|port| CONTROL.contains(&port))
    }

    /// Whether it is a data connection that a server opened.
    pub(super) fn is_active_data(&self) -> bool {
        [self.ports.0, self.ports.1].into_iter().flatten().any(|port| port == ACTIVE_DATA)
    }

    /// By whom and with whom: what a data connection shares with its control connection.
    pub(super) fn partner(&self) -> Option<Partner> {
        let remote = self.remote?.ip();
        (!self.user.is_empty() || !self.job.is_empty()).then(|| (self.job.clone(), self.user.clone(), remote))
    }

    /// The entries, spoken by AT-TLS at its end.
    pub(super) fn into_piece(self, side: Option<Side>) -> Piece {
        let by = speakers::speaker(speakers::AT_TLS, side, &self.job);
        let here = side.unwrap_or(Side::Client);
        let from = |sent: bool| if sent { here } else { here.other() };
        let (local, peer) = match side {
            Some(Side::Client) => (self.local, self.remote),
            Some(Side::Server) => (self.remote, self.local),
            None => (None, None),
        };
        let known = side.is_some() || self.said.iter().any(|(_, s)| matches!(s, Said::Bytes(..)));
        let entries = self.said.into_iter().filter_map(|(at, said)| {
            let what = match said {
                Said::Bytes(sent, data) => {
                    What::Bytes { from: from(sent), layer: Layer::Wire, data, fidelity: Fidelity::Exact }
                }
                Said::Clear(sent, len) => {
                    What::Skipped { from: from(sent), layer: Layer::InsideTls, len, sha256: String::new() }
                }
                Said::Claim(code, text) => What::Claim { by: by.clone(), code, text },
                // Whose handshake failed stays open where the end is unknown.
                Said::Starts if !known => return None,
                Said::Starts => What::TlsStarts { by: Side::Client },
            };
            Some(Entry { at, conn: ConnId(0), what })
        });
        Piece {
            clock: if self.timed { Clock::TimeOfDay } else { Clock::Relative },
            conn: Conn { local, peer, ..Conn::default() },
            entries: entries.collect(),
            data: Vec::new(),
        }
    }
}

fn message(r: &Record) -> Option<Code> {
    (!r.id.is_empty()).then(|| Code::Message(r.id.clone()))
}

fn is_failure(said: &Said, rc: Option<u32>) -> bool {
    matches!(said, Said::Claim(Some(Code::Gsk(of)), _) if Some(*of) == rc)
}
