//! The same members behind real sockets.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use ftpsdiag::live::{self, Limits, Way};
use ftpsdiag::probe::behave::{Deed, Endpoint, Member};
use ftpsdiag::transcript::{Entry, Layer, Side, Transcript, What};

use super::room::{HOST, Visit, identity, patience};

/// Longer than any wait of the prober: a test that hangs fails.
const FOREVER: Duration = Duration::from_secs(60);

/// What the client has seen of each connection.
#[derive(Clone, Copy, Default)]
struct Seen {
    opened: bool,
    bytes: usize,
    closed: bool,
}

/// What the client tells of itself, so that nobody has to guess how long bytes travel.
#[derive(Default)]
struct Client {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
}

impl Client {
    fn tells(&self, entry: &Entry) {
        let mut seen = self.seen.lock().unwrap();
        let n = usize::from(entry.conn.0);
        if seen.len() <= n {
            seen.resize(n + 1, Seen::default());
        }
        match &entry.what {
            What::Opened => seen[n].opened = true,
            What::Bytes { from: Side::Server, layer: Layer::Wire, data, .. } => seen[n].bytes += data.len(),
            What::Closed { .. } => seen[n].closed = true,
            _ => {}
        }
        self.changed.notify_all();
    }

    /// Waits until it knows of the connection and has so many bytes of it, or has left.
    fn has(&self, conn: usize, bytes: usize) {
        let has_not = |seen: &mut Vec<Seen>| {
            let s = seen.get(conn).copied().unwrap_or_default();
            !(s.closed || s.opened && s.bytes >= bytes)
        };
        let (_seen, timeout) = self.changed.wait_timeout_while(self.seen.lock().unwrap(), FOREVER, has_not).unwrap();
        assert!(!timeout.timed_out(), "the client sees what it was sent");
    }
}

/// The `nth` connection of a member. Before a reset it waits until the client has so many bytes.
fn serve(member: &Member, nth: usize, mut stream: TcpStream, client_has: impl Fn(usize)) {
    let mut endpoint = Endpoint::of(member, nth, identity());
    let mut buffer = [0; 4096];
    let mut sent = 0;
    let _ = (stream.set_read_timeout(Some(FOREVER)), stream.set_nodelay(true));
    loop {
        while let Some(deed) = endpoint.poll() {
            match deed {
                Deed::Send(data) if stream.write_all(&data).is_ok() => sent += data.len(),
                Deed::Send(_) => break,
                Deed::Wait(ms) => thread::sleep(Duration::from_millis(ms.into())),
                Deed::HalfClose | Deed::Close => drop(stream.shutdown(Shutdown::Write)),
                Deed::Reset => {
                    client_has(sent);
                    // A linger of zero makes a close an RST.
                    return drop(socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)));
                }
            }
        }
        // Bytes that nobody reads would make an RST of the end.
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => endpoint.hear(&buffer[..n]),
            _ => return,
        }
    }
}

/// A member that serves whoever connects, until the tests are over. None that resets: a stranger does not tell what it has.
pub fn listen(member: &'static Member) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (nth, stream) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || serve(member, nth, stream, |_| panic!("{}: it resets", member.name)));
        }
    });
    address
}

/// A visit of a member behind a socket.
pub fn visit(who: &Visit) -> Transcript {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = Arc::new(Client::default());
    let (member, watched) = (who.member, Arc::clone(&client));
    // Connections are opened one after the other, so that the nth accepted is the client's nth.
    thread::spawn(move || {
        for (nth, stream) in listener.incoming().flatten().enumerate() {
            let client = Arc::clone(&watched);
            thread::spawn(move || serve(member, nth, stream, |bytes| client.has(nth, bytes)));
        }
    });
    let mut session = who.session(address);
    let step = Duration::from_micros(patience().step.0);
    let limits = Limits { time: FOREVER, step, bytes: 4 * 1024 * 1024, keep_data: false };
    let mut watch = |told: live::Seen<'_>| {
        if let live::Seen::Entry(entry) = told {
            client.tells(entry);
        }
    };
    let (mut t, _) = live::probe(&mut session, Some(HOST), &Way::default(), limits, &mut watch).unwrap();
    t.origin.asked = Some(who.asked());
    t
}
