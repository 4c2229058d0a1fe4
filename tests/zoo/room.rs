//! Prober and member in one room: every deed is done at once, and time passes only when nobody has anything to do.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::OnceLock;

use ftpsdiag::probe::behave::{Deed, Endpoint, Member, zoo};
use ftpsdiag::probe::{Identity, Input, Machine, Output, Patience, Plan, ServerName, Session, TlsClient, Where};
use ftpsdiag::transcript::clock::UnixMicros;
use ftpsdiag::transcript::{
    Asked, Clock, Close, Conn, ConnId, Entry, Fidelity, Layer, Micros, Mode, Side, Transcript, What,
};

/// 2026-11-21T01:00:00Z.
const ZERO: UnixMicros = UnixMicros(1_795_222_800_000_000);

/// The name that is dialled.
pub const HOST: &str = "ftp.example.org";

/// One member, and how it is visited.
pub struct Visit {
    pub member: &'static Member,
    mode: Mode,
    port: u16,
    sends_name: bool,
    has_certificate: bool,
    words: String,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Visit {
    /// Reads the name of a member and words on how it is visited: a mode, `990` for that port, `no-sni`, `certificate`.
    pub fn parse(text: &str) -> Self {
        let (name, how) = text.split_once(' ').unwrap_or((text, ""));
        let member = zoo().find(|m| m.name == name).unwrap_or_else(|| panic!("there is no member {name}"));
        let how: Vec<&str> = how.split_whitespace().collect();
        let mode = how.iter().find_map(|w| match *w {
            "explicit" => Some(Mode::Explicit),
            "implicit" => Some(Mode::Implicit),
            "after-banner" => Some(Mode::ImplicitAfterBanner),
            _ => None,
        });
        let has = |word| how.contains(&word);
        Self {
            member,
            mode: mode.unwrap_or(Mode::Auto),
            port: if has("990") { 990 } else { 21 },
            sends_name: !has("no-sni"),
            has_certificate: has("certificate"),
            words: text.to_owned(),
        }
    }

    /// Whether it sends more than is looked at byte by byte.
    pub fn is_flood(&self) -> bool {
        ["endless", "flood"].iter().any(|w| self.member.name.contains(w))
    }

    pub fn asked(&self) -> Asked {
        let target = format!("{HOST}:{}", self.port);
        Asked { target, mode: self.mode, any_certificate: true, ..Asked::default() }
    }

    /// The prober; sockets have another address than its name says.
    pub fn session(&self, address: SocketAddr) -> Session {
        Session::new(Plan {
            asked: self.asked(),
            host: HOST.to_owned(),
            port: self.port,
            to: Ok(vec![Where::Address(address)]),
            server_name: if self.sends_name { ServerName::Send(HOST.to_owned()) } else { ServerName::Omit },
            tls: TlsClient::new(self.has_certificate.then(|| identity().clone())).unwrap(),
            patience: patience(),
            random: [7; 32],
            login: None,
        })
    }
}

/// The same in the room and behind sockets, where every silence takes so long.
pub fn patience() -> Patience {
    let ms = |n: u64| Micros(n * 1_000);
    Patience { step: ms(1_200), greeting: ms(400), last_words: ms(300), verdict: ms(400) }
}

/// What servers show, and clients that are to show something.
pub fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
        Identity { chain: vec![made.cert.der().to_vec()], key: made.signing_key.serialize_der() }
    })
}

/// A connection's other end.
struct Other {
    endpoint: Endpoint,
    /// Its own direction is closed.
    closed: bool,
    /// It does nothing before.
    wakes: Micros,
    /// What comes behind words that were glued together.
    next: Option<Deed>,
}

impl Other {
    /// The next deed; words that follow one another without a pause in one piece, if so wanted.
    fn poll(&mut self, glued: bool) -> Option<Deed> {
        let mut deed = self.next.take().or_else(|| self.endpoint.poll())?;
        while let (Deed::Send(words), true) = (&mut deed, glued) {
            match self.endpoint.poll() {
                Some(Deed::Send(more)) => words.extend(more),
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        Some(deed)
    }
}

struct Room<'a> {
    visit: &'a Visit,
    machine: Session,
    others: BTreeMap<ConnId, Other>,
    opened: usize,
    t: Transcript,
    now: Micros,
    pieces: usize,
    /// Deeds until all endpoints fall silent.
    deeds_left: usize,
    over: bool,
}

impl Room<'_> {
    fn record(&mut self, conn: ConnId, what: What) {
        while self.t.conns.len() <= usize::from(conn.0) {
            self.t.conns.push(Conn { host: Some(HOST.to_owned()), ..Conn::default() });
        }
        self.t.entries.push(Entry { at: Some(self.now), conn, what });
    }

    fn bytes(&mut self, conn: ConnId, from: Side, data: &[u8]) {
        let (layer, fidelity) = (Layer::Wire, Fidelity::Exact);
        self.record(conn, What::Bytes { from, layer, data: data.to_vec(), fidelity });
    }

    /// What the machine wants, done.
    fn obey(&mut self) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Open(conn, _, _, why) => {
                    self.record(conn, What::Opened);
                    self.t.conns[usize::from(conn.0)].why = why;
                    let endpoint = Endpoint::of(self.visit.member, self.opened, identity());
                    self.opened += 1;
                    self.others.insert(conn, Other { endpoint, closed: false, wakes: self.now, next: None });
                    self.machine.handle(self.now, Input::Opened(conn));
                }
                Output::Send(conn, data) => {
                    self.bytes(conn, Side::Client, &data);
                    if let Some(other) = self.others.get_mut(&conn) {
                        other.endpoint.hear(&data);
                    }
                }
                Output::Note(conn, what) => self.record(conn, what),
                Output::Because(conn, why) => self.t.conns[usize::from(conn.0)].why = why,
                Output::Close(conn) => {
                    if self.others.remove(&conn).is_some_and(|o| !o.closed) {
                        self.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
                    }
                }
                Output::SendUnrecorded(..) | Output::Listen(..) | Output::Shutdown(_) => {}
                Output::Done => self.over = true,
            }
        }
    }

    /// One deed of some endpoint; whether there was one.
    fn serve(&mut self) -> bool {
        if self.deeds_left == 0 {
            return false;
        }
        let (now, glued) = (self.now, self.pieces == GLUED);
        let awake = self.others.iter_mut().filter(|(_, o)| o.wakes <= now);
        let Some((conn, deed)) = awake.into_iter().find_map(|(c, o)| Some((*c, o.poll(glued)?))) else {
            return false;
        };
        self.deeds_left -= 1;
        match deed {
            Deed::Send(_) if self.others[&conn].closed => {}
            Deed::Send(data) => {
                for piece in data.chunks(self.pieces) {
                    self.bytes(conn, Side::Server, piece);
                    self.machine.handle(self.now, Input::Bytes(conn, piece));
                }
            }
            Deed::Wait(ms) => {
                self.others.entry(conn).and_modify(|o| o.wakes = Micros(now.0 + u64::from(ms) * 1_000));
            }
            Deed::HalfClose => {
                self.others.entry(conn).and_modify(|o| o.closed = true);
                self.closed(conn, Close::Fin);
            }
            Deed::Close | Deed::Reset => {
                self.others.remove(&conn);
                self.closed(conn, if deed == Deed::Reset { Close::Reset } else { Close::Fin });
            }
        }
        true
    }

    fn closed(&mut self, conn: ConnId, how: Close) {
        self.record(conn, What::Closed { by: Side::Server, how });
        self.machine.handle(self.now, Input::Closed(conn, how));
    }

    /// Nobody has anything to do: the next that happens.
    fn wait(&mut self) {
        let now = self.now;
        let wakes = self.others.values().map(|o| o.wakes).filter(|w| *w > now && self.deeds_left > 0).min();
        let due = self.machine.deadline();
        self.now = due.into_iter().chain(wakes).min().unwrap_or_else(|| panic!("{}: waits for ever", self.visit));
        self.now = self.now.max(now);
        if due.is_some_and(|d| d <= self.now) {
            self.machine.handle(self.now, Input::Deadline);
        }
    }
}

/// Pieces that hold all that is said without a pause.
pub const GLUED: usize = usize::MAX;
/// Pieces as they are said.
pub const AS_SAID: usize = usize::MAX - 1;

/// A visit of a member whose words come in pieces of this size.
pub fn visit(who: &Visit, pieces: usize) -> Transcript {
    play(who, pieces, usize::MAX).0
}

/// A visit of a member that falls silent for ever behind so many deeds; and whether it did.
pub fn visit_silenced(who: &Visit, deeds: usize) -> (Transcript, bool) {
    play(who, AS_SAID, deeds)
}

fn play(who: &Visit, pieces: usize, deeds: usize) -> (Transcript, bool) {
    let mut room = Room {
        visit: who,
        machine: who.session(([192, 0, 2, 7], who.port).into()),
        others: BTreeMap::new(),
        opened: 0,
        t: Transcript { clock: Clock::Utc(ZERO), ..Transcript::default() },
        now: Micros(0),
        pieces,
        deeds_left: deeds,
        over: false,
    };
    room.machine.handle(room.now, Input::Start);
    for _ in 0..10_000 {
        room.obey();
        if room.over {
            break;
        }
        if !room.serve() {
            room.wait();
        }
    }
    assert!(room.over, "{who}: the run ends");
    room.t.origin.asked = Some(who.asked());
    (room.t, room.deeds_left == 0)
}
