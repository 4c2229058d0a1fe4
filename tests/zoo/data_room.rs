//! A machine and a whole server in one room: connections in both directions, and time that passes only when nobody has anything to
//! do.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use ftpsdiag::probe::behave::ftpd::{Behind, Deed, Door, Event, Ftpd, Line, Member, zoo};
use ftpsdiag::probe::{Identity, Input, Login, Machine, Output, Password, Plan, ServerName, Session, TlsClient, Where};
use ftpsdiag::transcript::bulk::Bulk;
use ftpsdiag::transcript::clock::UnixMicros;
use ftpsdiag::transcript::{
    Asked, Clock, Close, Conn, ConnId, Entry, Fidelity, Layer, Micros, Mode, OpenFailure, Role, Side, Transcript,
    Tried, What, Why,
};

use super::room::{HOST, identity, patience};

/// 2026-11-21T01:00:00Z.
const ZERO: UnixMicros = UnixMicros(1_795_222_800_000_000);
/// Where the server is, with its port for control connections.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
pub const PORT: u16 = 21;
/// Where the client is.
const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
/// Both where IPv6 is spoken.
const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
const CLIENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 9);

/// Another certificate for the same name.
pub fn other_identity() -> &'static Identity {
    static OTHER: OnceLock<Identity> = OnceLock::new();
    OTHER.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
        Identity { chain: vec![made.cert.der().to_vec()], key: made.signing_key.serialize_der() }
    })
}

/// The password, which nothing may show.
pub const PASSWORD: &str = "Sesame-1001-nights";

/// Milliseconds of patience for a step.
#[allow(dead_code, reason = "one of the tests that share this asks")]
pub fn patience_ms() -> u64 {
    patience().step.millis()
}

/// A server, and what the prober is to try with its login.
pub struct Visit {
    pub member: &'static Member,
    active: bool,
    ccc: bool,
    empty: bool,
    upload: bool,
    words: String,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Visit {
    /// Reads the name of a member, and what is tried besides listings: `active`, `ccc`, `empty` (a download), `upload`.
    pub fn parse(text: &str) -> Self {
        let (name, how) = text.split_once(' ').unwrap_or((text, ""));
        let member = zoo().find(|m| m.name == name).unwrap_or_else(|| panic!("there is no member {name}"));
        let words = ["active", "ccc", "empty", "upload"];
        assert!(how.split_whitespace().all(|w| words.contains(&w)), "{text}");
        let has = |word: &str| how.split_whitespace().any(|w| w == word);
        let (active, ccc, empty, upload) = (has("active"), has("ccc"), has("empty"), has("upload"));
        Self { member, active, ccc, empty, upload, words: text.to_owned() }
    }

    /// Whether a megabyte is sent.
    pub fn uploads(&self) -> bool {
        self.upload
    }

    pub fn asked(&self) -> Asked {
        let target = format!("{HOST}:{PORT}");
        let Self { active, ccc, empty: empty_file, upload, .. } = *self;
        let login = Some(Tried { active, ccc, empty_file, upload });
        Asked { target, mode: Mode::Explicit, any_certificate: true, login, ..Asked::default() }
    }

    /// The prober; sockets have another address than its name says.
    pub fn session(&self, address: SocketAddr) -> Session {
        Session::new(Plan {
            asked: self.asked(),
            host: HOST.to_owned(),
            port: PORT,
            to: Ok(vec![Where::Address(address)]),
            server_name: ServerName::Send(HOST.to_owned()),
            tls: TlsClient::new(None).unwrap(),
            patience: patience(),
            random: [7; 32],
            login: Some(Login {
                user: "acme".to_owned(),
                password: Password::new(PASSWORD.to_owned()),
                confides: None,
                active: self.active,
                ccc: self.ccc,
                empty_file: self.empty.then(|| "empty.txt".to_owned()),
                upload_to: self.upload.then(|| "in".to_owned()),
            }),
        })
    }
}

/// What may be different about a visit.
#[derive(Clone, Copy)]
pub struct Manner {
    /// The server's words come in pieces of at most so many bytes.
    pub pieces: usize,
    /// Behind so many deeds the server does nothing any more.
    pub deeds: usize,
    /// How many bytes a second go out on data connections; 0 for a line that takes all at once.
    pub rate: u64,
    /// Over IPv6.
    pub v6: bool,
}

impl Manner {
    fn server(&self) -> IpAddr {
        if self.v6 { SERVER6.into() } else { SERVER.into() }
    }

    fn client(&self) -> IpAddr {
        if self.v6 { CLIENT6.into() } else { CLIENT.into() }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self { pieces: usize::MAX, deeds: usize::MAX, rate: 0, v6: false }
    }
}

/// What will happen by itself.
enum Later {
    Wakes(Line),
    /// Nobody has answered the client's SYN.
    NotOpened(ConnId),
    /// The client's bytes have left it.
    Sent(ConnId),
}

/// A connection as both see it.
struct Wire {
    line: Line,
    /// Whose direction has ended.
    client_ended: bool,
    server_ended: bool,
}

struct Room<'a> {
    machine: &'a mut dyn Machine,
    server: Ftpd,
    manner: Manner,
    wires: BTreeMap<ConnId, Wire>,
    /// Ports of the server.
    doors: BTreeMap<u16, (Door, Behind)>,
    /// Ports of the client.
    listening: BTreeMap<SocketAddr, ConnId>,
    later: Vec<(Micros, Later)>,
    /// What of data connections is kept.
    bulk: BTreeMap<ConnId, Bulk>,
    t: Transcript,
    now: Micros,
    over: bool,
}

impl Room<'_> {
    fn conn(&mut self, ConnId(n): ConnId) -> &mut Conn {
        while self.t.conns.len() <= usize::from(n) {
            self.t.conns.push(Conn { host: Some(HOST.to_owned()), ..Conn::default() });
        }
        &mut self.t.conns[usize::from(n)]
    }

    fn record(&mut self, conn: ConnId, what: What) {
        self.conn(conn);
        self.t.entries.push(Entry { at: Some(self.now), conn, what });
    }

    fn bytes(&mut self, conn: ConnId, from: Side, data: &[u8]) {
        let is_data = self.conn(conn).role != Role::Control;
        let (layer, fidelity) = (Layer::Wire, Fidelity::Exact);
        let kept = match is_data {
            true => self.bulk.entry(conn).or_default().cut(from, data),
            false => vec![What::Bytes { from, layer, data: data.to_vec(), fidelity }],
        };
        kept.into_iter().for_each(|what| self.record(conn, what));
    }

    /// What the machine wants, done.
    fn obey(&mut self) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Open(conn, to, role, why) => self.open(conn, &to, role, why),
                Output::Listen(conn, role, why) => {
                    let address = SocketAddr::new(self.manner.client(), 40_000 + conn.0);
                    let place = self.conn(conn);
                    (place.role, place.why) = (role, why);
                    self.listening.insert(address, conn);
                    self.machine.handle(self.now, Input::Listening(conn, address));
                }
                Output::Send(conn, data) => {
                    let wire = self.wires.get(&conn).filter(|w| !w.server_ended && !w.client_ended);
                    if let Some(line) = wire.map(|w| w.line) {
                        self.bytes(conn, Side::Client, &data);
                        self.server.handle(Event::Bytes(line, &data));
                        let took = (data.len() as u64 * 1_000_000).checked_div(self.manner.rate).unwrap_or_default();
                        self.later.push((Micros(self.now.0 + took), Later::Sent(conn)));
                    }
                }
                Output::SendUnrecorded(conn, data) => {
                    if let Some(line) = self.wires.get(&conn).filter(|w| !w.client_ended).map(|w| w.line) {
                        self.record(conn, What::Gap { from: Side::Client, len: None });
                        self.server.handle(Event::Bytes(line, &data));
                    }
                }
                Output::Note(conn, what) => self.record(conn, what),
                Output::Because(conn, why) => self.conn(conn).why = why,
                Output::Shutdown(conn) => self.client_ends(conn),
                Output::Close(conn) => {
                    self.listening.retain(|_, c| *c != conn);
                    self.later.retain(|(_, what)| !matches!(what, Later::NotOpened(c) if *c == conn));
                    self.client_ends(conn);
                    self.wires.remove(&conn);
                }
                Output::Done => self.over = true,
            }
        }
    }

    fn open(&mut self, conn: ConnId, to: &Where, role: Role, why: Why) {
        let Where::Address(address) = to else { panic!("nobody resolves names here") };
        let now = self.now;
        let place = self.conn(conn);
        (place.role, place.why, place.peer) = (role, why, Some(*address));
        let door = self.doors.get(&address.port()).copied();
        let line = match (address.ip() == self.manner.server(), address.port(), door) {
            (true, PORT, _) => self.server.accept(None),
            (true, port, Some((door, Behind::Open))) => {
                self.doors.remove(&port);
                self.server.accept(Some(door))
            }
            (true, _, None | Some((_, Behind::Closed))) => return self.not_opened(conn, OpenFailure::Refused),
            // Dropped on the way, or sent to a stranger.
            (true, _, Some((_, Behind::Blocked))) | (false, ..) => {
                return self.later.push((Micros(now.0 + patience().step.0), Later::NotOpened(conn)));
            }
        };
        self.conn(conn).local = Some(SocketAddr::new(self.manner.client(), 30_000 + conn.0));
        self.opened(conn, line);
    }

    fn opened(&mut self, conn: ConnId, line: Line) {
        self.wires.insert(conn, Wire { line, client_ended: false, server_ended: false });
        self.record(conn, What::Opened);
        self.machine.handle(self.now, Input::Opened(conn));
    }

    fn not_opened(&mut self, conn: ConnId, why: OpenFailure) {
        self.record(conn, What::OpenFailed { why });
        self.machine.handle(self.now, Input::OpenFailed(conn, why));
    }

    /// The client's direction ends, if it has not.
    fn client_ends(&mut self, conn: ConnId) {
        let Some(wire) = self.wires.get_mut(&conn).filter(|w| !w.client_ended) else { return };
        wire.client_ended = true;
        let (line, known) = (wire.line, wire.server_ended);
        self.server.handle(Event::Closed(line, Close::Fin));
        if !known {
            self.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
        }
    }

    /// The client's number of a connection that the server may still use.
    fn conn_of(&self, line: Line) -> Option<ConnId> {
        self.wires.iter().find(|(_, w)| w.line == line && !w.server_ended).map(|(conn, _)| *conn)
    }

    /// One deed of the server; whether there was one.
    fn serve(&mut self) -> bool {
        if self.manner.deeds == 0 {
            return false;
        }
        let Some(deed) = self.server.poll() else { return false };
        self.manner.deeds -= 1;
        match deed {
            Deed::Send(line, data) => {
                for piece in data.chunks(self.manner.pieces) {
                    let Some(conn) = self.conn_of(line) else { break };
                    self.bytes(conn, Side::Server, piece);
                    self.machine.handle(self.now, Input::Bytes(conn, piece));
                    self.obey();
                }
            }
            Deed::Listen(door, behind) => {
                let port = 50_000 + u16::try_from(door.0).unwrap();
                self.doors.insert(port, (door, behind));
                self.server.handle(Event::Listening(door, port));
            }
            Deed::Connect(line, to) => match self.listening.remove(&to) {
                Some(conn) => {
                    let from = SocketAddr::new(self.manner.server(), PORT - 1);
                    let place = self.conn(conn);
                    (place.local, place.peer) = (Some(to), Some(from));
                    self.server.handle(Event::Connected(line));
                    self.opened(conn, line);
                }
                None => self.server.handle(Event::ConnectFailed(line)),
            },
            Deed::Wait(line, ms) => {
                self.later.push((Micros(self.now.0 + u64::from(ms) * 1_000), Later::Wakes(line)));
            }
            Deed::Close(line) => self.server_ends(line, Close::Fin),
            Deed::Reset(line) => self.server_ends(line, Close::Reset),
        }
        true
    }

    fn server_ends(&mut self, line: Line, how: Close) {
        let Some(conn) = self.conn_of(line) else { return };
        if let Some(wire) = self.wires.get_mut(&conn) {
            wire.server_ended = true;
        }
        self.record(conn, What::Closed { by: Side::Server, how });
        self.machine.handle(self.now, Input::Closed(conn, how));
    }

    /// Nobody has anything to do: the next that happens.
    fn wait(&mut self) {
        let due = self.machine.deadline();
        let next = self.later.iter().map(|(at, _)| *at).chain(due).min();
        self.now = next.expect("somebody waits for something").max(self.now);
        if let Some(at) = self.later.iter().position(|(at, _)| *at <= self.now) {
            match self.later.remove(at).1 {
                Later::Wakes(line) => self.server.handle(Event::Woke(line)),
                Later::Sent(conn) => self.machine.handle(self.now, Input::Sent(conn)),
                Later::NotOpened(conn) => self.not_opened(conn, OpenFailure::TimedOut),
            }
        } else if due.is_some_and(|d| d <= self.now) {
            self.machine.handle(self.now, Input::Deadline);
        }
    }
}

/// A machine's visit of a member; what was seen, and whether the server fell silent before its end.
pub fn run(machine: &mut dyn Machine, member: &Member, manner: Manner) -> (Transcript, bool) {
    let mut room = Room {
        machine,
        server: Ftpd::new(member.habits, identity(), other_identity(), SERVER).unwrap(),
        manner,
        wires: BTreeMap::new(),
        doors: BTreeMap::new(),
        listening: BTreeMap::new(),
        later: Vec::new(),
        bulk: BTreeMap::new(),
        t: Transcript { clock: Clock::Utc(ZERO), ..Transcript::default() },
        now: Micros(0),
        over: false,
    };
    room.machine.handle(room.now, Input::Start);
    for _ in 0..20_000 {
        room.obey();
        if room.over {
            break;
        }
        if !room.serve() {
            room.wait();
        }
    }
    assert!(room.over, "{}: the run ends", member.name);
    (room.t, room.manner.deeds == 0)
}

/// The prober's visit.
pub fn visit(who: &Visit, manner: Manner) -> (Transcript, bool) {
    let (mut t, silenced) = run(&mut who.session((manner.server(), PORT).into()), who.member, manner);
    t.origin.asked = Some(who.asked());
    (t, silenced)
}
