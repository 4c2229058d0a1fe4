//! The only loop with a socket.
//!
//! It asks the machine, does as told, and writes down what it did; it reads the sockets, writes down what came, and tells
//! the machine. So a machine cannot lose a byte, and the driver cannot misread one.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep_until, timeout};

use super::dial::{self, Way};
use super::limits::Limits;
use super::recorder::{Recorder, Watch};
use super::tcp::{self, Failure};
use crate::probe::{Input, Machine, Output, Where};
use crate::transcript::bulk::Bulk;
use crate::transcript::{Close, ConnId, Fidelity, Layer, Micros, OpenFailure, Role, Side, Transcript, What, Why};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Finished,
    /// Its time was used up.
    Exhausted,
    /// The server sent more than this number of bytes, and the run stopped itself.
    TooMuch(u64),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// Runs a machine against the network; returns what was seen, and how the run ended.
pub fn probe(
    machine: &mut dyn Machine,
    host: Option<&str>,
    way: &Way,
    limits: Limits,
    watch: Watch<'_>,
) -> std::io::Result<(Transcript, Ended)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async { Drive::new(host, way, limits, watch).run(machine).await });
    // A name look-up of the system cannot be called off; nobody waits for it.
    runtime.shutdown_background();
    Ok(result)
}

/// What a task of a connection reports.
enum Report {
    Opened(ConnId, TcpStream),
    Failed(ConnId, Failure),
    Bytes(ConnId, Vec<u8>),
    Closed(ConnId, Close),
}

/// One open connection.
struct Line {
    conn: ConnId,
    write: OwnedWriteHalf,
    reader: JoinHandle<()>,
    closed: bool,
    /// Our direction has ended.
    ended: bool,
    /// The system takes no more bytes.
    stuck: bool,
    /// What of a data connection is kept.
    bulk: Option<Bulk>,
    /// How writing failed: the reader may see only an end where the writer saw the reset.
    broken: Option<Close>,
}

struct Drive<'a> {
    way: &'a Way,
    limits: Limits,
    recorder: Recorder<'a>,
    lines: Vec<Line>,
    dialling: Vec<(ConnId, JoinHandle<()>)>,
    reports: (Sender<Report>, Receiver<Report>),
    /// Whose bytes the system took; the machine is told when nobody else speaks.
    sent: VecDeque<ConnId>,
}

impl<'a> Drive<'a> {
    fn new(host: Option<&'a str>, way: &'a Way, limits: Limits, watch: Watch<'a>) -> Self {
        Self {
            way,
            limits,
            recorder: Recorder::new(host, limits, watch),
            lines: Vec::new(),
            dialling: Vec::new(),
            // Few chunks may wait: a flood stays in the network, not in memory.
            reports: mpsc::channel(4),
            sent: VecDeque::new(),
        }
    }

    async fn run(mut self, machine: &mut dyn Machine) -> (Transcript, Ended) {
        let end = self.recorder.zero + self.limits.time;
        let mut ended = Ended::Finished;
        machine.handle(self.recorder.now(), Input::Start);
        let mut interrupted = Box::pin(tokio::signal::ctrl_c());
        loop {
            if self.obey(machine).await {
                return (self.recorder.transcript, ended);
            }
            let due =
                machine.deadline().map_or(end, |Micros(at)| self.recorder.zero + Duration::from_micros(at)).min(end);
            tokio::select! {
                biased;
                report = self.reports.1.recv() => {
                    if let Some(report) = report {
                        self.take(report, machine);
                    }
                }
                // What the other end says meanwhile comes first: it may make the rest of an upload pointless.
                () = yield_now(), if !self.sent.is_empty() => {
                    if let Some(conn) = self.sent.pop_front() {
                        machine.handle(self.recorder.now(), Input::Sent(conn));
                    }
                }
                _ = &mut interrupted, if ended == Ended::Finished => ended = Ended::Interrupted,
                () = sleep_until(due), if self.sent.is_empty() => {
                    let now = self.recorder.now();
                    machine.handle(now, Input::Deadline);
                }
            }
            self.recorder.tell(machine.progress());
            if ended == Ended::Finished && Instant::now() >= end {
                ended = Ended::Exhausted;
            } else if ended == Ended::Finished {
                ended = self.recorder.too_much().map_or(ended, Ended::TooMuch);
            }
            if ended != Ended::Finished {
                machine.handle(self.recorder.now(), Input::Stop);
            }
        }
    }

    /// Does what the machine says until it has nothing more to say; whether the run is over.
    async fn obey(&mut self, machine: &mut dyn Machine) -> bool {
        while let Some(output) = machine.poll() {
            match output {
                Output::Open(conn, to, role, why) => self.open(conn, to, role, why),
                Output::Listen(conn, role, why) => self.listen(conn, role, why, machine),
                Output::Send(conn, data) => self.send(conn, data).await,
                Output::SendUnrecorded(conn, data) => {
                    if self.pass_on(conn, &data).await {
                        self.recorder.record(conn, What::Gap { from: Side::Client, len: None });
                    }
                }
                Output::Note(conn, what) => self.recorder.record(conn, what),
                Output::Because(conn, why) => {
                    if let Some(place) = self.recorder.reach(conn) {
                        place.why = why;
                    }
                }
                Output::Shutdown(conn) => self.shut_down(conn).await,
                Output::Close(conn) => self.close(conn).await,
                Output::Done => {
                    for n in 0..self.recorder.transcript.conns.len() {
                        self.close(ConnId(u16::try_from(n).unwrap_or(u16::MAX))).await;
                    }
                    return true;
                }
            }
        }
        false
    }

    fn open(&mut self, conn: ConnId, to: Where, role: Role, why: Why) {
        let peer = match &to {
            Where::Address(address) => Some(*address),
            Where::Name(..) => None,
        };
        if let Some(place) = self.recorder.reach(conn) {
            (place.role, place.why, place.peer) = (role, why, peer);
        }
        let (way, patience, reports) = (self.way.clone(), self.limits.step, self.reports.0.clone());
        let task = tokio::spawn(async move {
            let dialled = timeout(patience, dial::dial(&to, &way)).await;
            let report = match dialled {
                Ok(Ok(stream)) => Report::Opened(conn, stream),
                Ok(Err(failure)) => Report::Failed(conn, failure),
                Err(_) => Report::Failed(conn, Failure::of(OpenFailure::TimedOut)),
            };
            let _ = reports.send(report).await;
        });
        self.dialling.push((conn, task));
    }

    /// Waits for one connection of the server, at the address from which the control connection goes out.
    fn listen(&mut self, conn: ConnId, role: Role, why: Why, machine: &mut dyn Machine) {
        let home = match role {
            Role::Data { of } => self.recorder.reach(of).and_then(|c| c.local).map(|a| a.ip()),
            Role::Control => None,
        };
        if let Some(place) = self.recorder.reach(conn) {
            (place.role, place.why) = (role, why);
        }
        // Behind a proxy the server cannot reach us.
        let listener = home.filter(|_| self.way.proxy.is_none()).and_then(|ip| tcp::listen(ip).ok());
        let Some((listener, address)) = listener else {
            self.recorder.record(conn, What::OpenFailed { why: OpenFailure::Other });
            return machine.handle(self.recorder.now(), Input::OpenFailed(conn, OpenFailure::Other));
        };
        let reports = self.reports.0.clone();
        let task = tokio::spawn(async move {
            let report = match listener.accept().await {
                Ok((stream, _)) => Report::Opened(conn, stream),
                Err(e) => Report::Failed(conn, e.into()),
            };
            let _ = reports.send(report).await;
        });
        self.dialling.push((conn, task));
        machine.handle(self.recorder.now(), Input::Listening(conn, address));
    }

    fn take(&mut self, report: Report, machine: &mut dyn Machine) {
        match report {
            Report::Opened(conn, stream) => self.opened(conn, stream, machine),
            Report::Failed(conn, failure) => {
                if !self.was_awaited(conn) {
                    return;
                }
                if let Some((by, text)) = failure.said {
                    self.recorder.record(conn, What::Claim { by: by.to_owned(), code: None, text });
                }
                self.recorder.record(conn, What::OpenFailed { why: failure.why });
                machine.handle(self.recorder.now(), Input::OpenFailed(conn, failure.why));
            }
            Report::Bytes(conn, data) => {
                self.recorder.received += data.len() as u64;
                if self.line(conn).is_some_and(|l| !l.closed) {
                    self.record_bytes(conn, Side::Server, data.clone());
                    machine.handle(self.recorder.now(), Input::Bytes(conn, &data));
                }
            }
            Report::Closed(conn, how) => {
                let Some(line) = self.line(conn).filter(|l| !l.closed) else { return };
                line.closed = true;
                let how = if how == Close::Fin { line.broken.unwrap_or(how) } else { how };
                // Behind a FIN our own direction still stands.
                line.broken = line.broken.or(Some(how)).filter(|how| *how != Close::Fin);
                self.recorder.record(conn, What::Closed { by: Side::Server, how });
                machine.handle(self.recorder.now(), Input::Closed(conn, how));
            }
        }
    }

    /// Whether a connection was still to be opened, and not called off.
    fn was_awaited(&mut self, conn: ConnId) -> bool {
        let before = self.dialling.len();
        self.dialling.retain(|(c, _)| *c != conn);
        self.dialling.len() < before
    }

    fn line(&mut self, conn: ConnId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|l| l.conn == conn)
    }

    fn opened(&mut self, conn: ConnId, stream: TcpStream, machine: &mut dyn Machine) {
        if !self.was_awaited(conn) {
            return;
        }
        // Small commands must not wait for a full segment.
        let _ = stream.set_nodelay(true);
        let (local, peer) = (stream.local_addr().ok(), stream.peer_addr().ok());
        let proxied = self.way.proxy.is_some();
        if let Some(place) = self.recorder.reach(conn) {
            place.local = local;
            // A proxy's address is not the server's.
            place.peer = place.peer.or(peer.filter(|_| !proxied));
        }
        let (mut read, write) = stream.into_split();
        let reports = self.reports.0.clone();
        let reader = tokio::spawn(async move {
            loop {
                let report = match tcp::next(&mut read).await {
                    Ok(data) => Report::Bytes(conn, data),
                    Err(how) => Report::Closed(conn, how),
                };
                let is_end = matches!(report, Report::Closed(..));
                if reports.send(report).await.is_err() || is_end {
                    return;
                }
            }
        });
        let role = self.recorder.reach(conn).map(|c| c.role).unwrap_or_default();
        let bulk = (role != Role::Control && !self.limits.keep_data).then(Bulk::default);
        self.lines.push(Line { conn, write, reader, closed: false, ended: false, stuck: false, bulk, broken: None });
        self.recorder.record(conn, What::Opened);
        machine.handle(self.recorder.now(), Input::Opened(conn));
    }

    /// A failure to send shows as the end that the reader sees.
    async fn send(&mut self, conn: ConnId, data: Vec<u8>) {
        if self.pass_on(conn, &data).await {
            self.record_bytes(conn, Side::Client, data);
            self.sent.push_back(conn);
        }
    }

    /// Hands bytes to the system; whether it took them. Where it did not, nothing more is sent.
    async fn pass_on(&mut self, conn: ConnId, data: &[u8]) -> bool {
        let patience = self.limits.step;
        let Some(line) = self.line(conn).filter(|l| l.broken.is_none() && !l.ended && !l.stuck) else { return false };
        let sent = timeout(patience, line.write.write_all(data)).await;
        line.broken = match &sent {
            Ok(Err(e)) if e.kind() == ErrorKind::ConnectionReset => Some(Close::Reset),
            Ok(Err(_)) => Some(Close::Unknown),
            _ => None,
        };
        line.stuck = sent.is_err();
        matches!(sent, Ok(Ok(())))
    }

    /// Writes bytes down: of data connections only what is no content.
    fn record_bytes(&mut self, conn: ConnId, from: Side, data: Vec<u8>) {
        let cut = match self.line(conn).and_then(|l| l.bulk.as_mut()) {
            Some(bulk) => bulk.cut(from, &data),
            None => vec![What::Bytes { from, layer: Layer::Wire, data, fidelity: Fidelity::Exact }],
        };
        cut.into_iter().for_each(|what| self.recorder.record(conn, what));
    }

    /// Ends our direction and goes on reading.
    async fn shut_down(&mut self, conn: ConnId) {
        let Some(line) = self.line(conn).filter(|l| !l.ended) else { return };
        line.ended = true;
        let closed = line.closed;
        let _ = line.write.shutdown().await;
        if !closed {
            self.recorder.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
        }
    }

    async fn close(&mut self, conn: ConnId) {
        if let Some(at) = self.dialling.iter().position(|(c, _)| *c == conn) {
            self.dialling.swap_remove(at).1.abort();
        }
        let Some(at) = self.lines.iter().position(|l| l.conn == conn) else { return };
        let mut line = self.lines.swap_remove(at);
        let _ = line.write.shutdown().await;
        line.reader.abort();
        if !line.closed && !line.ended {
            self.recorder.record(conn, What::Closed { by: Side::Client, how: Close::Fin });
        }
    }
}
