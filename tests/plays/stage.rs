//! A stage for machines: no socket, no clock, no sleep. A play says who speaks; what does not happen as written
//! fails with the play up to there, and a play that is not ended fails too.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::sync::Arc;

use ftpsdiag::probe::{Input, Machine, Output, Where};
use ftpsdiag::transcript::clock::UnixMicros;
use ftpsdiag::transcript::{
    Clock, Close, Conn, ConnId, Entry, Fidelity, Layer, Micros, OpenFailure, Side, Transcript, What, dialogue,
};

pub fn ms(n: u64) -> Micros {
    Micros(n * 1_000)
}

/// 2026-11-21T01:00:00Z.
const ZERO: UnixMicros = UnixMicros(1_795_222_800_000_000);

pub struct Play {
    machine: Box<dyn Machine>,
    now: Micros,
    transcript: Transcript,
    /// What the machine did and the play has not asked about yet.
    did: VecDeque<Output>,
    conn: ConnId,
    servers: BTreeMap<ConnId, rustls::ServerConnection>,
    /// Into how small pieces the server's bytes are cut.
    pieces: usize,
    round_trips: u32,
    /// Whether the client has said something since the server last spoke.
    client_spoke: bool,
    checked: bool,
}

pub fn play(machine: impl Machine + 'static) -> Play {
    let mut p = Play {
        machine: Box::new(machine),
        now: Micros(0),
        transcript: Transcript { clock: Clock::Utc(ZERO), ..Transcript::default() },
        did: VecDeque::new(),
        conn: ConnId(0),
        servers: BTreeMap::new(),
        pieces: usize::MAX,
        round_trips: 0,
        client_spoke: false,
        checked: false,
    };
    p.handle(Input::Start);
    p
}

impl Play {
    #[track_caller]
    fn broken(&mut self, what: String) -> ! {
        self.checked = true;
        panic!("{what}\nthe play so far:\n{}pending: {:?}\n", dialogue::write(&self.transcript), self.did);
    }

    fn conn_mut(&mut self, ConnId(n): ConnId) -> &mut Conn {
        let n = usize::from(n);
        if self.transcript.conns.len() <= n {
            self.transcript.conns.resize(n + 1, Conn { host: Some("ftp.example.org".to_owned()), ..Conn::default() });
        }
        &mut self.transcript.conns[n]
    }

    fn record(&mut self, conn: ConnId, what: What) {
        self.conn_mut(conn);
        self.transcript.entries.push(Entry { at: Some(self.now), conn, what });
    }

    fn handle(&mut self, input: Input<'_>) {
        self.machine.handle(self.now, input);
        while let Some(output) = self.machine.poll() {
            match &output {
                Output::Open(conn, to, role, why) => {
                    let place = self.conn_mut(*conn);
                    (place.role, place.why) = (*role, why.clone());
                    if let Where::Address(a) = to {
                        place.peer = Some(*a);
                    }
                }
                Output::Send(conn, data) => {
                    let (data, conn) = (data.clone(), *conn);
                    self.client_spoke = true;
                    self.record(
                        conn,
                        What::Bytes { from: Side::Client, layer: Layer::Wire, data, fidelity: Fidelity::Exact },
                    );
                }
                Output::Note(conn, what) => {
                    self.record(*conn, what.clone());
                    continue;
                }
                Output::Because(conn, why) => {
                    self.conn_mut(*conn).why = why.clone();
                    continue;
                }
                Output::Close(conn) => {
                    let conn = *conn;
                    let closed = self.transcript.entries.iter().any(|e| {
                        e.conn == conn
                            && matches!(e.what, What::Closed { by: Side::Server, .. } | What::OpenFailed { .. })
                    });
                    if !closed {
                        self.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
                    }
                }
                Output::SendUnrecorded(conn, _) => {
                    let conn = *conn;
                    self.client_spoke = true;
                    self.record(conn, What::Gap { from: Side::Client, len: None });
                }
                Output::Listen(..) | Output::Shutdown(_) | Output::Done => {}
            }
            self.did.push_back(output);
        }
    }

    /// Cuts everything that the server sends into pieces of this size.
    pub fn in_pieces_of(mut self, n: usize) -> Self {
        self.pieces = n;
        self
    }

    /// The next words are about connection `n`.
    pub fn on(mut self, n: u16) -> Self {
        self.conn = ConnId(n);
        self
    }

    #[track_caller]
    pub fn dials(mut self, address: &str) -> Self {
        match self.did.pop_front() {
            Some(Output::Open(conn, Where::Address(a), ..)) if a.to_string() == address => {
                self.conn = conn;
                self
            }
            Some(Output::Open(conn, Where::Name(name, port), ..)) if format!("{name}:{port}") == address => {
                self.conn = conn;
                self
            }
            other => self.broken(format!("expected a connection to {address}, got {other:?}")),
        }
    }

    pub fn opens(mut self) -> Self {
        self.round_trips += 1;
        let conn = self.conn;
        self.record(conn, What::Opened);
        self.handle(Input::Opened(conn));
        // The greeting is waited for like an answer.
        self.client_spoke = true;
        self
    }

    pub fn fails_to_open(mut self, why: OpenFailure) -> Self {
        let conn = self.conn;
        self.record(conn, What::OpenFailed { why });
        self.handle(Input::OpenFailed(conn, why));
        self
    }

    /// Bytes of the server, as they are.
    pub fn server_bytes(mut self, bytes: &[u8]) -> Self {
        if self.client_spoke {
            self.round_trips += 1;
            self.client_spoke = false;
        }
        let conn = self.conn;
        for piece in bytes.chunks(self.pieces) {
            let data = piece.to_vec();
            self.record(conn, What::Bytes { from: Side::Server, layer: Layer::Wire, data, fidelity: Fidelity::Exact });
            self.handle(Input::Bytes(conn, piece));
        }
        self
    }

    /// A line of the server.
    pub fn server(self, line: &str) -> Self {
        self.server_bytes(format!("{line}\r\n").as_bytes())
    }

    /// What the client sent on this connection and nobody asked about.
    #[track_caller]
    fn sent(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        let on = self.conn;
        self.did.retain(|did| match did {
            Output::Send(conn, data) if *conn == on => {
                sent.extend_from_slice(data);
                false
            }
            _ => true,
        });
        sent
    }

    /// The client sends exactly this line, in clear.
    #[track_caller]
    pub fn client(mut self, line: &str) -> Self {
        let sent = self.sent();
        if sent != format!("{line}\r\n").as_bytes() {
            self.broken(format!("expected the client to say {line:?}, it said {:?}", String::from_utf8_lossy(&sent)));
        }
        self
    }

    /// The client sends a ClientHello and nothing else.
    #[track_caller]
    pub fn client_hello(mut self) -> Self {
        let sent = self.sent();
        if sent.first_chunk() != Some(&[22, 3, 1]) || sent.get(5) != Some(&1) {
            self.broken(format!("expected a ClientHello, got {sent:02x?}"));
        }
        self
    }

    /// The client says nothing.
    #[track_caller]
    pub fn silence(mut self) -> Self {
        if let Some(did) = self.did.front() {
            let did = format!("expected nothing, got {did:?}");
            self.broken(did);
        }
        self
    }

    /// The handshake with a real server, to its end.
    #[track_caller]
    pub fn handshake(mut self, config: &Arc<rustls::ServerConfig>) -> Self {
        let mut server = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
        server.set_buffer_limit(None);
        loop {
            let sent = self.sent();
            let quiet = sent.is_empty();
            feed(&mut server, &sent);
            let answer = take(&mut server);
            if quiet && answer.is_empty() {
                break;
            }
            if !answer.is_empty() {
                self = self.server_bytes(&answer);
            }
        }
        self.servers.insert(self.conn, server);
        self
    }

    /// The client says exactly this line inside TLS.
    #[track_caller]
    pub fn client_inside(mut self, line: &str) -> Self {
        let sent = self.sent();
        let conn = self.conn;
        let server = self.servers.get_mut(&conn).expect("a handshake came first");
        feed(server, &sent);
        let mut said = vec![0; 4096];
        let len = server.reader().read(&mut said).unwrap_or(0);
        said.truncate(len);
        if said != format!("{line}\r\n").as_bytes() {
            let said = String::from_utf8_lossy(&said).into_owned();
            self.broken(format!("expected the client to say {line:?} inside TLS, it said {said:?}"));
        }
        self
    }

    /// A line of the server inside TLS.
    pub fn server_inside(mut self, line: &str) -> Self {
        let conn = self.conn;
        let server = self.servers.get_mut(&conn).expect("a handshake came first");
        server.writer().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let records = take(server);
        self.server_bytes(&records)
    }

    /// Time passes and nothing happens.
    #[track_caller]
    pub fn nothing_for(mut self, Micros(wait): Micros) -> Self {
        let until = Micros(self.now.0 + wait);
        while let Some(due) = self.machine.deadline().filter(|d| *d <= until) {
            self.now = self.now.max(due);
            let before = self.transcript.entries.len();
            self.handle(Input::Deadline);
            let stands = self.machine.deadline().is_some_and(|d| d <= self.now);
            if stands && before == self.transcript.entries.len() && self.did.is_empty() {
                self.broken("a deadline that passed stays".to_owned());
            }
        }
        self.now = until;
        self
    }

    pub fn server_closes(mut self, how: Close) -> Self {
        let conn = self.conn;
        self.record(conn, What::Closed { by: Side::Server, how });
        self.handle(Input::Closed(conn, how));
        // That a closed connection is closed needs no word.
        self.did.retain(|did| *did != Output::Close(conn));
        self
    }

    pub fn hangs_up(self) -> Self {
        self.server_closes(Close::Fin)
    }

    /// The run's time is over.
    pub fn stop(mut self) -> Self {
        self.handle(Input::Stop);
        self
    }

    /// The client closes this connection; what it still sends (close_notify) does not matter.
    #[track_caller]
    pub fn client_closes(mut self) -> Self {
        let _ = self.sent();
        let conn = self.conn;
        match self.did.iter().position(|did| *did == Output::Close(conn)) {
            Some(at) => {
                self.did.remove(at);
                self
            }
            None => self.broken(format!("expected connection {} to be closed", conn.0)),
        }
    }

    /// So many round trips so far: the connection, the greeting, and each flight that was answered.
    #[track_caller]
    pub fn took(mut self, round_trips: u32) -> Self {
        if self.round_trips != round_trips {
            let got = self.round_trips;
            self.broken(format!("expected {round_trips} round trips, counted {got}"));
        }
        self
    }

    /// The run is over; returns what was seen.
    #[track_caller]
    pub fn ends(mut self) -> Transcript {
        let _ = self.sent();
        while matches!(self.did.front(), Some(Output::Close(_))) {
            self.did.pop_front();
        }
        match self.did.pop_front() {
            Some(Output::Done) if self.did.is_empty() => {}
            other => self.broken(format!("expected the end, got {other:?}")),
        }
        self.checked = true;
        std::mem::take(&mut self.transcript)
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        assert!(self.checked || std::thread::panicking(), "a play without `.ends()`");
    }
}

fn feed(server: &mut rustls::ServerConnection, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        if server.read_tls(&mut rest).unwrap_or(0) == 0 {
            break;
        }
        // A failure shows as the alert that is taken next.
        let _ = server.process_new_packets();
    }
}

fn take(server: &mut rustls::ServerConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut out).unwrap();
    }
    out
}
