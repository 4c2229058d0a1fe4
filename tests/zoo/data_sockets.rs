//! The same servers behind real sockets. A port that a firewall drops cannot be had on one machine without changing it: that
//! member is visited in the room only.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ftpsdiag::live::{self, Limits, Way};
use ftpsdiag::probe::Machine;
use ftpsdiag::probe::behave::ftpd::{Behind, Deed, Door, Event, Ftpd, Line, Member};
use ftpsdiag::transcript::{Close, Entry, Layer, Side, Transcript, What};

use super::data_room::{Visit, other_identity};
use super::room::{HOST, identity, patience};

/// Longer than any wait of the prober: a test that hangs fails.
const FOREVER: Duration = Duration::from_secs(60);
/// How often a reader looks whether its connection is to be reset.
const TICK: Duration = Duration::from_millis(5);

/// Whether a member can be had behind sockets.
pub fn can_be_had(member: &Member) -> bool {
    member.habits.behind != Behind::Blocked
}

/// What happens to the server.
enum News {
    Accepted(Option<Door>, TcpStream),
    Connected(Line, TcpStream),
    ConnectFailed(Line),
    Bytes(Line, Vec<u8>),
    Closed(Line, Close),
    Over,
}

/// How many bytes the client has seen, of all its connections: what an RST overtakes may be lost.
#[derive(Default)]
struct Seen {
    bytes: Mutex<usize>,
    changed: Condvar,
}

impl Seen {
    fn tells(&self, entry: &Entry) {
        if let What::Bytes { from: Side::Server, layer: Layer::Wire, data, .. } = &entry.what {
            *self.bytes.lock().unwrap() += data.len();
            self.changed.notify_all();
        }
    }

    /// Waits until the client has so many bytes. One who has closed a connection will never have those of it.
    fn has(&self, bytes: usize) {
        let patience = Duration::from_millis(300);
        drop(self.changed.wait_timeout_while(self.bytes.lock().unwrap(), patience, |seen| *seen < bytes));
    }
}

/// A connection, with the thread that reads it.
struct Socket {
    stream: Arc<TcpStream>,
    gone: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

struct Host {
    server: Ftpd,
    sockets: BTreeMap<Line, Socket>,
    wakes: Vec<(Instant, Line)>,
    news: (Sender<News>, Receiver<News>),
    seen: Arc<Seen>,
    sent: usize,
}

impl Host {
    /// Serves until the visit is over.
    fn run(mut self) {
        loop {
            while let Some(deed) = self.server.poll() {
                self.perform(deed);
            }
            let next = self.wakes.iter().map(|(at, _)| *at).min();
            let patience = next.map_or(FOREVER, |at| at.saturating_duration_since(Instant::now()));
            match self.news.1.recv_timeout(patience) {
                Ok(News::Accepted(door, stream)) => {
                    let line = self.server.accept(door);
                    self.keep(line, stream);
                }
                Ok(News::Connected(line, stream)) => {
                    self.keep(line, stream);
                    self.server.handle(Event::Connected(line));
                }
                Ok(News::ConnectFailed(line)) => self.server.handle(Event::ConnectFailed(line)),
                Ok(News::Bytes(line, bytes)) => self.server.handle(Event::Bytes(line, &bytes)),
                Ok(News::Closed(line, how)) => self.server.handle(Event::Closed(line, how)),
                Err(RecvTimeoutError::Timeout) if next.is_some() => {
                    let now = Instant::now();
                    if let Some(at) = self.wakes.iter().position(|(at, _)| *at <= now) {
                        let (_, line) = self.wakes.swap_remove(at);
                        self.server.handle(Event::Woke(line));
                    }
                }
                Ok(News::Over) | Err(_) => return,
            }
        }
    }

    /// Reads a connection from here on.
    fn keep(&mut self, line: Line, stream: TcpStream) {
        let _ = (stream.set_read_timeout(Some(TICK)), stream.set_nodelay(true));
        let (stream, gone) = (Arc::new(stream), Arc::new(AtomicBool::new(false)));
        let (from, is_gone, news) = (Arc::clone(&stream), Arc::clone(&gone), self.news.0.clone());
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !is_gone.load(Ordering::Relaxed) {
                let told = match (&*from).read(&mut buffer) {
                    Ok(0) => News::Closed(line, Close::Fin),
                    Ok(n) => News::Bytes(line, buffer[..n].to_vec()),
                    Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                    Err(_) => News::Closed(line, Close::Reset),
                };
                let is_end = matches!(told, News::Closed(..));
                if news.send(told).is_err() || is_end {
                    return;
                }
            }
        });
        self.sockets.insert(line, Socket { stream, gone, reader });
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Send(line, data) => {
                let socket = self.sockets.get(&line);
                if socket.is_some_and(|s| (&*s.stream).write_all(&data).is_ok()) {
                    self.sent += data.len();
                }
            }
            Deed::Listen(door, behind) => self.listen(door, behind),
            Deed::Connect(line, to) => {
                let told = match TcpStream::connect(to) {
                    Ok(stream) => News::Connected(line, stream),
                    Err(_) => News::ConnectFailed(line),
                };
                let _ = self.news.0.send(told);
            }
            Deed::Wait(line, ms) => self.wakes.push((Instant::now() + Duration::from_millis(ms.into()), line)),
            Deed::Close(line) => {
                // Bytes that nobody reads would make an RST of the end: the reader goes on.
                if let Some(socket) = self.sockets.get(&line) {
                    let _ = socket.stream.shutdown(Shutdown::Write);
                }
            }
            Deed::Reset(line) => {
                self.seen.has(self.sent);
                if let Some(socket) = self.sockets.remove(&line) {
                    // A linger of zero makes a close an RST.
                    let _ = socket2::SockRef::from(&*socket.stream).set_linger(Some(Duration::ZERO));
                    socket.gone.store(true, Ordering::Relaxed);
                    let _ = socket.reader.join();
                }
            }
        }
    }

    fn listen(&mut self, door: Door, behind: Behind) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        match behind {
            Behind::Open => {
                let news = self.news.0.clone();
                thread::spawn(move || {
                    if let Ok((stream, _)) = listener.accept() {
                        let _ = news.send(News::Accepted(Some(door), stream));
                    }
                });
            }
            Behind::Closed => drop(listener),
            Behind::Blocked => panic!("nobody drops packets here"),
        }
        self.server.handle(Event::Listening(door, port));
    }
}

/// A machine's visit of a member; the machine is made for the address.
pub fn run<M: Machine>(member: &Member, machine: impl FnOnce(SocketAddr) -> M) -> (M, Transcript) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let news = mpsc::channel();
    let (door, end) = (news.0.clone(), news.0.clone());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if door.send(News::Accepted(None, stream)).is_err() {
                return;
            }
        }
    });
    let seen = Arc::new(Seen::default());
    let host = Host {
        server: Ftpd::new(member.habits, identity(), other_identity(), Ipv4Addr::LOCALHOST).unwrap(),
        sockets: BTreeMap::new(),
        wakes: Vec::new(),
        news,
        seen: Arc::clone(&seen),
        sent: 0,
    };
    let served = thread::spawn(move || host.run());
    let mut machine = machine(address);
    let step = Duration::from_micros(patience().step.0);
    let limits = Limits { time: FOREVER, step, bytes: 16 * 1024 * 1024, keep_data: false };
    let mut watch = |told: live::Seen<'_>| {
        if let live::Seen::Entry(entry) = told {
            seen.tells(entry);
        }
    };
    let (t, _) = live::probe(&mut machine, Some(HOST), &Way::default(), limits, &mut watch).unwrap();
    let _ = end.send(News::Over);
    served.join().unwrap();
    // Whoever still waits for a control connection learns that there is none.
    drop(TcpStream::connect(address));
    (machine, t)
}

/// The prober's visit.
pub fn visit(who: &Visit) -> Transcript {
    let (_, mut t) = run(who.member, |address| who.session(address));
    t.origin.asked = Some(who.asked());
    t
}
