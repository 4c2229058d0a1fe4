//! A world for an auditor: servers that are models, time that is a number, and no socket.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ftpsdiag::probe::{Auditor, Input, Machine, Output};
use ftpsdiag::transcript::clock::UnixMicros;
use ftpsdiag::transcript::{
    Clock, Close, Conn, ConnId, Entry, Fidelity, Layer, Micros, OpenFailure, Side, Transcript, What,
};
use ftpsdiag::wire::tls::extensions::ext;
use ftpsdiag::wire::tls::handshake::{Message, parse};
use ftpsdiag::wire::tls::hello::ClientHello;

/// Between a word and its answer.
const TRIP: u64 = 20_000;

/// 2026-11-21T01:00:00Z.
const ZERO: UnixMicros = UnixMicros(1_795_222_800_000_000);

/// What a model does with a connection.
pub enum Dial {
    Greets(&'static str),
    Refuses,
}

/// What it says to a hello.
pub enum Says {
    Bytes(Vec<u8>),
    /// The same, and then the end.
    Last(Vec<u8>),
    Ends,
    Nothing,
}

/// A server.
pub struct Model {
    /// By version, the suites in its own order.
    pub versions: BTreeMap<u16, Vec<u16>>,
    pub groups: Vec<u16>,
    pub schemes: Vec<u16>,
    /// It chooses by its own order.
    pub own_order: bool,
    /// Behind so many suites in a hello it ends without a word.
    pub longest: usize,
    /// It answers with this suite whatever is offered.
    pub stubborn: Option<u16>,
    /// Up to TLS 1.2 it asks for a client certificate.
    pub asks_certificate: bool,
    /// It says this to every hello, whatever it may be.
    pub anything: Option<Box<dyn FnMut() -> Says>>,
    /// How it refuses.
    pub refuses: fn() -> Says,
    /// Which dial it takes: by its number from 0, the connections that are open, the time.
    pub dial: Box<dyn FnMut(usize, usize, Micros) -> Dial>,
}

pub fn alert(description: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, description]
}

impl Default for Model {
    fn default() -> Self {
        Self {
            versions: BTreeMap::new(),
            groups: vec![0x001d, 0x0017],
            schemes: vec![0x0804, 0x0401],
            own_order: false,
            longest: usize::MAX,
            stubborn: None,
            asks_certificate: false,
            anything: None,
            refuses: || Says::Last(alert(40)),
            dial: Box::new(|_, _, _| Dial::Greets("220 ready\r\n")),
        }
    }
}

impl Model {
    fn hello(&self, hello: &ClientHello) -> Says {
        if hello.real_suites().len() > self.longest {
            return Says::Ends;
        }
        let versions = hello.versions();
        let known = self.versions.iter().rev().find(|(v, _)| {
            let below = **v < 0x0304 && hello.supported_versions().is_none() && **v <= versions[0];
            versions.contains(v) || below
        });
        let Some((version, accepted)) = known else { return (self.refuses)() };
        let first = |wanted: &[u16], offered: &[u16]| {
            let (a, b) = if self.own_order { (wanted, offered) } else { (offered, wanted) };
            a.iter().copied().find(|n| b.contains(n))
        };
        let suite = self.stubborn.or_else(|| first(accepted, &hello.real_suites()));
        let group = first(&self.groups, &hello.groups());
        let scheme = first(&self.schemes, &hello.signature_schemes());
        let needs_group = |s: u16| s >> 8 == 0xc0 || s >> 8 == 0x13;
        match (suite, group, scheme) {
            (Some(suite), Some(group), Some(scheme)) => self.answer(*version, suite, group, scheme, hello),
            (Some(suite), group, scheme) if !needs_group(suite) => {
                self.answer(*version, suite, group.unwrap_or(0x17), scheme.unwrap_or(0x0401), hello)
            }
            (Some(suite), Some(group), _) if *version < 0x0303 => self.answer(*version, suite, group, 0x0201, hello),
            _ => (self.refuses)(),
        }
    }

    fn answer(&self, version: u16, suite: u16, group: u16, scheme: u16, hello: &ClientHello) -> Says {
        let two = |n: u16| n.to_be_bytes().to_vec();
        if version == 0x0304 {
            let retry = hello.key_shares().is_none_or(|s| s.is_empty());
            let share = if retry { Vec::new() } else { [two(4), vec![9; 4]].concat() };
            let extensions = [
                extension(ext::SUPPORTED_VERSIONS, &two(version)),
                extension(ext::KEY_SHARE, &[two(group), share].concat()),
            ];
            return Says::Bytes(record(&server_hello(0x0303, suite, retry, &extensions.concat())));
        }
        // What a server confirms it confirms where it was offered.
        let mut confirmed =
            if hello.renegotiates_securely() { extension(ext::RENEGOTIATION_INFO, &[0]) } else { Vec::new() };
        for id in [ext::EXTENDED_MASTER_SECRET, ext::SESSION_TICKET] {
            confirmed.extend(hello.extension(id).map_or_else(Vec::new, |_| extension(id, &[])));
        }
        let hello = record(&server_hello(version, suite, false, &confirmed));
        let mut flight = Vec::new();
        if suite >> 8 == 0xc0 {
            let signed =
                if version >= 0x0303 { [two(scheme), two(1), vec![5]].concat() } else { [two(1), vec![5]].concat() };
            flight.extend(message(12, &[vec![3], two(group), vec![1, 4], signed].concat()));
        }
        if self.asks_certificate {
            // Any RSA key, by rsa_pss_rsae_sha256, of any authority.
            flight.extend(message(13, &[1, 1, 0, 2, 8, 4, 0, 0]));
        }
        flight.extend(message(14, &[]));
        // As OpenSSL writes it: the hello has a record of its own.
        Says::Bytes([hello, record(&flight)].concat())
    }
}

fn server_hello(version: u16, suite: u16, retry: bool, extensions: &[u8]) -> Vec<u8> {
    let random = if retry {
        hex::decode("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c").unwrap()
    } else {
        vec![7; 32]
    };
    let len = u16::try_from(extensions.len()).unwrap();
    let parts = [&version.to_be_bytes()[..], &random, &[0], &suite.to_be_bytes(), &[0], &len.to_be_bytes(), extensions];
    message(2, &parts.concat())
}

fn extension(id: u16, data: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &u16::try_from(data.len()).unwrap().to_be_bytes(), data].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &len[1..], body].concat()
}

fn record(payload: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &u16::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

/// What is on its way to the machine.
enum Due {
    Opened,
    Refused,
    Bytes(Vec<u8>),
    Closed(Close),
}

/// What came of a run.
pub struct Came {
    pub transcript: Transcript,
    /// Connections that were dialled.
    pub dialled: usize,
    /// The most that were open at once.
    pub at_once: usize,
    pub took: Micros,
}

/// Runs an auditor against a model.
pub fn run(machine: &mut Auditor, mut model: Model) -> Came {
    let mut world = World::default();
    world.transcript.clock = Clock::Utc(ZERO);
    machine.handle(Micros(0), Input::Start);
    for turn in 0.. {
        assert!(turn < 100_000, "it does not end");
        if world.obey(machine, &mut model) {
            break;
        }
        let event = world.due.iter().enumerate().min_by_key(|(_, (at, ..))| *at).map(|(n, (at, ..))| (n, *at));
        let deadline = machine.deadline();
        match (event, deadline) {
            (Some((n, at)), deadline) if deadline.is_none_or(|d| at <= d) => {
                let (_, conn, due) = world.due.remove(n).unwrap();
                world.now = world.now.max(at);
                world.happens(machine, conn, due);
            }
            (_, Some(deadline)) => {
                world.now = world.now.max(deadline);
                machine.handle(world.now, Input::Deadline);
            }
            _ => panic!("nobody waits for anything"),
        }
    }
    Came { transcript: world.transcript, dialled: world.dialled, at_once: world.at_once, took: world.now }
}

#[derive(Default)]
struct World {
    now: Micros,
    transcript: Transcript,
    due: VecDeque<(Micros, ConnId, Due)>,
    open: BTreeSet<ConnId>,
    dialled: usize,
    at_once: usize,
}

impl World {
    fn record(&mut self, conn: ConnId, what: What) {
        self.transcript.entries.push(Entry { at: Some(self.now), conn, what });
    }

    fn later(&mut self, conn: ConnId, due: Due) {
        self.due.push_back((Micros(self.now.0 + TRIP), conn, due));
    }

    fn happens(&mut self, machine: &mut Auditor, conn: ConnId, due: Due) {
        if !self.open.contains(&conn) && !matches!(due, Due::Refused) {
            return;
        }
        let bytes = |data| What::Bytes { from: Side::Server, layer: Layer::Wire, data, fidelity: Fidelity::Exact };
        match due {
            Due::Opened => {
                self.record(conn, What::Opened);
                machine.handle(self.now, Input::Opened(conn));
            }
            Due::Refused => {
                self.record(conn, What::OpenFailed { why: OpenFailure::Refused });
                machine.handle(self.now, Input::OpenFailed(conn, OpenFailure::Refused));
            }
            Due::Bytes(data) => {
                self.record(conn, bytes(data.clone()));
                machine.handle(self.now, Input::Bytes(conn, &data));
            }
            Due::Closed(how) => {
                self.record(conn, What::Closed { by: Side::Server, how });
                self.open.remove(&conn);
                machine.handle(self.now, Input::Closed(conn, how));
            }
        }
    }

    /// Does what the machine says; whether it is over.
    fn obey(&mut self, machine: &mut Auditor, model: &mut Model) -> bool {
        while let Some(output) = machine.poll() {
            match output {
                Output::Open(conn, _, role, why) => {
                    let n = usize::from(conn.0);
                    assert_eq!(n, self.transcript.conns.len(), "numbers without gaps");
                    let host = Some("ftp.example.org".to_owned());
                    self.transcript.conns.push(Conn { role, why, host, ..Conn::default() });
                    let open = self.open.len();
                    let dial = (model.dial)(self.dialled, open, self.now);
                    self.dialled += 1;
                    self.at_once = self.at_once.max(open + 1);
                    match dial {
                        Dial::Refuses => self.later(conn, Due::Refused),
                        Dial::Greets(text) => {
                            self.open.insert(conn);
                            self.later(conn, Due::Opened);
                            self.later(conn, Due::Bytes(text.as_bytes().to_vec()));
                        }
                    }
                }
                Output::Send(conn, data) => {
                    let (from, layer, fidelity) = (Side::Client, Layer::Wire, Fidelity::Exact);
                    self.record(conn, What::Bytes { from, layer, data: data.clone(), fidelity });
                    self.heard(conn, &data, model);
                }
                Output::Note(conn, what) => self.record(conn, what),
                Output::Because(conn, why) => self.transcript.conns[usize::from(conn.0)].why = why,
                Output::Close(conn) => {
                    if self.open.remove(&conn) {
                        self.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
                    }
                }
                Output::Done => return true,
                Output::Listen(..) | Output::SendUnrecorded(..) | Output::Shutdown(_) => {
                    panic!("no business of an audit")
                }
            }
        }
        false
    }

    /// What the server makes of it.
    fn heard(&mut self, conn: ConnId, data: &[u8], model: &mut Model) {
        let says = match data {
            [22, ..] | [0x80..=0xff, ..] if model.anything.is_some() => {
                model.anything.as_mut().map_or(Says::Nothing, |says| says())
            }
            [22, ..] => match parse(&data[5..], None) {
                Message::ClientHello(hello) => model.hello(&hello),
                _ => Says::Last(alert(50)),
            },
            [21 | 0x80..=0xff, ..] => Says::Last(alert(70)),
            _ if data.starts_with(b"AUTH TLS") => Says::Bytes(b"234 go ahead\r\n".to_vec()),
            _ if data.starts_with(b"USER") => Says::Last(b"530 TLS first\r\n".to_vec()),
            _ => Says::Last(b"221 bye\r\n".to_vec()),
        };
        let (bytes, ends) = match says {
            Says::Bytes(bytes) => (bytes, false),
            Says::Last(bytes) => (bytes, true),
            Says::Ends => (Vec::new(), true),
            Says::Nothing => return,
        };
        if !bytes.is_empty() {
            self.later(conn, Due::Bytes(bytes));
        }
        if ends {
            self.later(conn, Due::Closed(Close::Fin));
        }
    }
}
