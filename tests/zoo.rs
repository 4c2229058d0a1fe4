//! Every member of the zoo against the prober: what it is said to be.
#![cfg(feature = "live")]

mod common;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ftpsdiag::probe::behave::{Deed, Endpoint, Member, ZOO};
use ftpsdiag::probe::{Input, Machine, Output, Patience, Plan, ServerName, Session, TlsClient, Where};
use ftpsdiag::report::Report;
use ftpsdiag::transcript::clock::UnixMicros;
use ftpsdiag::transcript::{
    Asked, Clock, Close, Conn, ConnId, Entry, Fidelity, Layer, Micros, Mode, Side, Transcript, What,
};

/// 2026-11-21T01:00:00Z.
const ZERO: UnixMicros = UnixMicros(1_795_222_800_000_000);

fn session() -> Session {
    Session::new(Plan {
        asked: Asked { target: "ftp.example.org:21".to_owned(), mode: Mode::Auto, ..Asked::default() },
        host: "ftp.example.org".to_owned(),
        port: 21,
        to: Ok(vec![Where::Address(([192, 0, 2, 7], 21).into())]),
        server_name: ServerName::Send("ftp.example.org".to_owned()),
        tls: TlsClient::new(None).unwrap(),
        patience: Patience::default(),
        random: [7; 32],
    })
}

/// Prober and member in one room: every deed is done at once, and time passes only when nobody has anything to do.
struct Room {
    machine: Session,
    endpoints: BTreeMap<ConnId, Endpoint>,
    t: Transcript,
    now: Micros,
    pieces: usize,
    over: bool,
}

impl Room {
    fn record(&mut self, conn: ConnId, what: What) {
        while self.t.conns.len() <= usize::from(conn.0) {
            self.t.conns.push(Conn { host: Some("ftp.example.org".to_owned()), ..Conn::default() });
        }
        self.t.entries.push(Entry { at: Some(self.now), conn, what });
    }

    fn bytes(&mut self, conn: ConnId, from: Side, data: &[u8]) {
        let (layer, fidelity) = (Layer::Wire, Fidelity::Exact);
        self.record(conn, What::Bytes { from, layer, data: data.to_vec(), fidelity });
    }

    /// What the machine wants, done.
    fn obey(&mut self, member: &Member) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Open(conn, _, why) => {
                    self.record(conn, What::Opened);
                    self.t.conns[usize::from(conn.0)].why = why;
                    self.endpoints.insert(conn, Endpoint::of(member));
                    self.machine.handle(self.now, Input::Opened(conn));
                }
                Output::Send(conn, data) => {
                    self.bytes(conn, Side::Client, &data);
                    if let Some(e) = self.endpoints.get_mut(&conn) {
                        e.hear(&data);
                    }
                }
                Output::Note(conn, what) => self.record(conn, what),
                Output::Because(conn, why) => self.t.conns[usize::from(conn.0)].why = why,
                Output::Close(conn) => {
                    if self.endpoints.remove(&conn).is_some() {
                        self.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
                    }
                }
                Output::Done => self.over = true,
            }
        }
    }

    /// One deed of some endpoint; whether there was one.
    fn serve(&mut self) -> bool {
        let Some((conn, deed)) = self.endpoints.iter_mut().find_map(|(c, e)| Some((*c, e.poll()?))) else {
            return false;
        };
        let how = match deed {
            Deed::Send(data) => {
                for piece in data.chunks(self.pieces) {
                    self.bytes(conn, Side::Server, piece);
                    self.machine.handle(self.now, Input::Bytes(conn, piece));
                }
                return true;
            }
            Deed::Close => Close::Fin,
            Deed::Reset => Close::Reset,
        };
        self.endpoints.remove(&conn);
        self.record(conn, What::Closed { by: Side::Server, how });
        self.machine.handle(self.now, Input::Closed(conn, how));
        true
    }
}

fn visit(member: &Member, pieces: usize) -> Transcript {
    let t = Transcript { clock: Clock::Utc(ZERO), ..Transcript::default() };
    let mut room = Room { machine: session(), endpoints: BTreeMap::new(), t, now: Micros(0), pieces, over: false };
    room.machine.handle(room.now, Input::Start);
    for _ in 0..10_000 {
        room.obey(member);
        if room.over {
            break;
        }
        if !room.serve() {
            let due = room.machine.deadline().unwrap_or_else(|| panic!("{}: waits for ever", member.name));
            room.now = room.now.max(due);
            room.machine.handle(room.now, Input::Deadline);
        }
    }
    assert!(room.over, "{}: the run ends", member.name);
    room.t.origin.asked = Some(Asked { target: "ftp.example.org:21".to_owned(), ..Asked::default() });
    room.t
}

fn told(r: &Report) -> String {
    let v = &r.verdict;
    let cause = v.cause.as_ref().map_or_else(String::new, |c| format!(" <- {c}"));
    let by = v.by.as_ref().map_or_else(String::new, |by| format!(" {by} {} {}", v.confidence.name(), v.party.name()));
    format!("{}{by}{cause}", v.outcome.name())
}

#[test]
fn every_member_is_known_for_what_it_is() {
    let table = include_str!("zoo/expected.txt");
    let expected: BTreeMap<&str, &str> =
        table.lines().filter(|l| !l.is_empty()).map(|l| l.split_once(": ").unwrap()).collect();
    let mut wrong = Vec::new();
    for member in ZOO {
        let r = common::report(&visit(member, usize::MAX));
        let told = told(&r);
        if expected.get(member.name) != Some(&told.as_str()) {
            wrong.push(format!("{}: {told}", member.name));
        }
        assert!(r.verdict.headline.len() <= 72 && r.verdict.headline.is_ascii(), "{}", r.verdict.headline);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert_eq!(expected.len(), ZOO.len());
}

#[test]
fn pieces_do_not_show() {
    for member in ZOO {
        let whole = told(&common::report(&visit(member, usize::MAX)));
        for pieces in [1, 2, 7] {
            assert_eq!(told(&common::report(&visit(member, pieces))), whole, "{} in pieces of {pieces}", member.name);
        }
    }
}

/// Law 5: a visit that is cut anywhere claims nothing for certain that the whole visit does not.
#[test]
fn nothing_certain_is_taken_back() {
    for member in ZOO {
        let whole = visit(member, usize::MAX);
        let certain = |r: &Report| -> Vec<String> {
            let all = r.findings.iter().chain(&r.consequences);
            let sure =
                all.filter(|f| f.severity == ftpsdiag::rules::Severity::Failure && f.confidence.name() == "certain");
            sure.map(|f| f.id.clone()).collect()
        };
        let held = certain(&common::report(&whole));
        for cut in 0..whole.entries.len() {
            let mut part = whole.clone();
            part.entries.truncate(cut);
            for id in certain(&common::report(&part)) {
                assert!(held.contains(&id), "{} cut at {cut}: {id} is certain, the whole holds {held:?}", member.name);
            }
        }
    }
}

/// One connection of a member on a real socket.
fn serve(member: &Member, mut stream: TcpStream) {
    let mut endpoint = Endpoint::of(member);
    let mut buffer = [0; 4096];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    loop {
        while let Some(deed) = endpoint.poll() {
            match deed {
                Deed::Send(data) if stream.write_all(data).is_ok() => {}
                Deed::Send(_) | Deed::Close => return,
                // A linger of zero makes a close an RST.
                Deed::Reset => return drop(socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))),
            }
        }
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => endpoint.hear(&buffer[..n]),
            _ => return,
        }
    }
}

fn probe(member: &'static Member) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(member, stream));
        }
    });
    let args = ["probe", &target, "--resolve", "127.0.0.1", "--timeout", "1.5", "--format", "json"];
    let out = assert_cmd::Command::cargo_bin("ftpsdiag").unwrap().args(args).timeout(Duration::from_secs(60)).output();
    serde_json::from_slice(&out.unwrap().stdout).unwrap()
}

/// The same members behind sockets. What stands before an RST may be lost on the way, and an RST at once may come before the
/// client knows that it is connected: those are left to the room.
#[test]
fn over_real_sockets_the_same() {
    let members: Vec<&Member> =
        ZOO.iter().filter(|m| !m.name.ends_with("-reset") && m.name != "resets-at-once").collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(member) = members.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let expected = told(&common::report(&visit(member, usize::MAX)));
                    let got = told(&probe(member));
                    if got != expected {
                        wrong.lock().unwrap().push(format!("{}: {got}, in the room {expected}", member.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
