//! A client by script, which does everything as it should and writes down what it meets: so that a habit of a server can be seen
//! without the prober.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use ftpsdiag::probe::{Input, Machine, Output, Where};
use ftpsdiag::transcript::{Close, ConnId, Micros, Role, Why};
use ftpsdiag::wire::ftp;
use ftpsdiag::wire::tls::record::{Front, HEADER_LEN, front};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

use super::data_room::other_identity;
use super::room::{HOST, identity, patience};

/// One TCP connection at the client's end.
#[derive(Default)]
struct Pipe {
    tls: Option<ClientConnection>,
    heard: Vec<u8>,
    plain: Vec<u8>,
    /// close_notify came.
    ended: bool,
    failed: Option<String>,
}

impl Pipe {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while let Some(tls) = self.tls.as_mut().filter(|_| !self.ended && self.failed.is_none()) {
            let len = match front(&self.heard) {
                Front::Record(header) => HEADER_LEN + usize::from(header.len),
                Front::Undecided => return,
                _ => {
                    let text = String::from_utf8_lossy(&self.heard);
                    self.failed = Some(format!("text({})", text.get(..3).unwrap_or(&text)));
                    return;
                }
            };
            if self.heard.len() < len {
                return;
            }
            let record: Vec<u8> = self.heard.drain(..len).collect();
            let mut rest = &record[..];
            while !rest.is_empty() && self.failed.is_none() && tls.read_tls(&mut rest).is_ok_and(|n| n > 0) {
                match tls.process_new_packets() {
                    Ok(io) => self.ended |= io.peer_has_closed(),
                    Err(rustls::Error::AlertReceived(a)) => self.failed = Some(format!("alert-{}", u8::from(a))),
                    Err(e) => self.failed = Some(e.to_string()),
                }
                let _ = tls.reader().read_to_end(&mut self.plain);
            }
        }
        if self.tls.is_none() || self.ended {
            self.plain.append(&mut self.heard);
        }
    }

    fn output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(tls) = self.tls.as_mut().filter(|t| t.wants_write()) {
            tls.write_tls(&mut out).unwrap();
        }
        out
    }

    fn is_established(&self) -> bool {
        self.tls.as_ref().is_some_and(|t| !t.is_handshaking())
    }

    fn wrap(&mut self, words: &[u8]) -> Vec<u8> {
        match &mut self.tls {
            Some(tls) => {
                tls.writer().write_all(words).unwrap();
                self.output()
            }
            None => words.to_vec(),
        }
    }

    fn close_notify(&mut self) -> Vec<u8> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.output()
    }

    /// The code of a whole reply.
    fn reply(&mut self) -> Option<(u16, String)> {
        loop {
            let end = self.plain.iter().position(|b| *b == b'\n')?;
            let line: Vec<u8> = self.plain.drain(..=end).collect();
            if let Some(reply) = ftp::reply_line(&line).filter(|r| r.last) {
                return Some((reply.code, String::from_utf8_lossy(reply.text).into_owned()));
            }
        }
    }
}

/// One step of a script.
enum Step {
    Say(String),
    /// A command with a data connection.
    Transfer {
        arrange: &'static str,
        command: String,
        upload: Option<Vec<u8>>,
    },
}

/// A transfer that goes on.
struct Transfer {
    command: String,
    upload: Option<Vec<u8>>,
    conn: ConnId,
    pipe: Pipe,
    opened: bool,
    greeted: bool,
    sent: bool,
    bytes: usize,
    codes: Vec<u16>,
    events: Vec<String>,
    /// Its data connection ended.
    over: bool,
}

/// A client by script.
pub struct Visitor {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    steps: VecDeque<Step>,
    control: Pipe,
    /// What the reply answers that is due; `None` while a transfer goes on.
    command: Option<String>,
    /// The transfer that is being arranged.
    next: Option<(String, Option<Vec<u8>>)>,
    transfer: Option<Transfer>,
    private: bool,
    resumes: bool,
    conns: u16,
    /// The control connection was closed while a transfer went on.
    lost: bool,
    over: bool,
    out: VecDeque<Output>,
    deadline: Option<Micros>,
    /// What it met.
    pub log: Vec<String>,
    /// Replies to transfers with the state of the data connection in which they came, and what 227 announced.
    pub order: Vec<String>,
}

impl Visitor {
    /// A client that connects to this address and does what the script says: a line each. `PASV LIST`, `EPSV NLST x` and
    /// `PORT STOR x 100` are transfers, the last of so many bytes; `FULL` stands before those that
    /// resume no session; any other line is a command.
    pub fn new(address: SocketAddr, script: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for identity in [identity(), other_identity()] {
            roots.add(CertificateDer::from(identity.chain[0].clone())).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            address,
            config: Arc::new(config),
            steps: script.lines().map(str::trim).filter(|l| !l.is_empty()).map(step).collect(),
            control: Pipe::default(),
            command: Some("greeting".to_owned()),
            next: None,
            transfer: None,
            private: false,
            resumes: true,
            conns: 1,
            lost: false,
            over: false,
            out: VecDeque::new(),
            deadline: None,
            log: Vec::new(),
            order: Vec::new(),
        }
    }

    fn tls(&self, data: bool) -> ClientConnection {
        let mut config = (*self.config).clone();
        if data && !self.resumes {
            config.resumption = rustls::client::Resumption::disabled();
        }
        ClientConnection::new(Arc::new(config), ServerName::try_from(HOST).unwrap()).unwrap()
    }

    fn send(&mut self, conn: ConnId, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.out.push_back(Output::Send(conn, bytes));
        }
    }

    fn say(&mut self, command: &str) {
        let words = self.control.wrap(format!("{command}\r\n").as_bytes());
        self.send(ConnId(0), words);
    }

    fn finish(&mut self, word: &str) {
        if mem::replace(&mut self.over, true) {
            return;
        }
        if let Some(mut transfer) = self.transfer.take() {
            transfer.events.push(word.to_owned());
            self.log.push(transfer.told());
        } else {
            let command = self.command.take().unwrap_or_default();
            self.log.push(format!("{command} {word}"));
        }
        self.steps.clear();
        self.out.push_back(Output::Done);
        self.deadline = None;
    }

    /// The next step of the script.
    fn go_on(&mut self) {
        match self.steps.pop_front() {
            None => self.out.push_back(Output::Done),
            Some(Step::Say(word)) if word == "FULL" => {
                self.resumes = false;
                self.go_on();
            }
            Some(Step::Say(command)) => {
                self.say(&command);
                self.command = Some(command);
            }
            Some(Step::Transfer { arrange: "PORT", command, upload }) => {
                self.transfer = Some(Transfer::new(command, upload, ConnId(self.conns)));
                self.out.push_back(Output::Listen(ConnId(self.conns), Role::Data { of: ConnId(0) }, Why::Session));
                self.conns += 1;
            }
            Some(Step::Transfer { arrange, command, upload }) => {
                self.say(arrange);
                self.command = Some(arrange.to_owned());
                self.next = Some((command, upload));
            }
        }
    }

    fn replied(&mut self, code: u16, text: &str) {
        let Some(command) = self.command.clone() else {
            if let Some(transfer) = &mut self.transfer {
                transfer.codes.push(code);
                self.order.push(format!("{code}@{}", transfer.state()));
                if code >= 400 {
                    self.deadline = self.deadline.map(|d| Micros(d.0 - patience().step.0 + patience().last_words.0));
                }
                self.check();
            }
            return;
        };
        self.command = None;
        match (command.as_str(), code) {
            ("greeting", _) => self.log.push(format!("{code}")),
            ("AUTH TLS", 234) => {
                self.control.tls = Some(self.tls(false));
                let hello = self.control.output();
                return self.send(ConnId(0), hello);
            }
            ("PASV" | "EPSV", 227 | 229) => {
                let announced = text.split(' ').next_back().unwrap_or_default().trim_end_matches('.');
                self.order.extend((code == 227).then(|| announced.to_owned()));
                let port = match code {
                    227 => ftp::host_port(text).map(|a| a.port()),
                    _ => ftp::extended_port(text).map(|(_, port)| port),
                };
                let (command, upload) = self.next.take().unwrap();
                let Some(port) = port.filter(|p| *p > 0) else {
                    self.log.push(format!("{command} {code} unusable"));
                    return self.go_on();
                };
                let conn = ConnId(self.conns);
                self.conns += 1;
                let mut transfer = Transfer::new(command, upload, conn);
                transfer.codes.push(code);
                self.transfer = Some(transfer);
                let to = Where::Address(SocketAddr::new(self.address.ip(), port));
                return self.out.push_back(Output::Open(conn, to, Role::Data { of: ConnId(0) }, Why::Session));
            }
            ("PORT", 200) => {
                let command = self.transfer.as_ref().map(|t| t.command.clone()).unwrap();
                self.transfer.as_mut().unwrap().codes.push(code);
                return self.say(&command);
            }
            ("CCC", 200) => {
                self.log.push("CCC 200".to_owned());
                let goodbye = self.control.close_notify();
                self.send(ConnId(0), goodbye);
                return self.cleared();
            }
            (command, _) => {
                if let Some(p) = command.strip_prefix("PROT ").filter(|_| code == 200) {
                    self.private = p == "P";
                }
                let verb = command.split(' ').next().unwrap();
                let size = if code == 213 { format!(" {text}") } else { String::new() };
                self.log.push(format!("{verb} {code}{size}"));
                if let Some(transfer) = self.transfer.take() {
                    self.out.push_back(Output::Close(transfer.conn));
                }
                self.next = None;
            }
        }
        self.go_on();
    }

    /// CCC was accepted: the server's close_notify is due.
    fn cleared(&mut self) {
        if self.control.ended {
            self.control.tls = None;
            self.control.ended = false;
            self.go_on();
        } else {
            self.command = Some("close-notify".to_owned());
        }
    }

    fn control_bytes(&mut self, bytes: &[u8]) {
        let shaking = self.control.tls.is_some() && !self.control.is_established();
        self.control.hear(bytes);
        let out = self.control.output();
        self.send(ConnId(0), out);
        if shaking && self.control.is_established() {
            self.log.push("tls".to_owned());
            self.go_on();
        }
        if self.command.as_deref() == Some("close-notify") && self.control.ended {
            self.command = None;
            return self.cleared();
        }
        if let Some(why) = self.control.failed.take() {
            return self.finish(&why);
        }
        while let Some((code, text)) = self.control.reply() {
            self.replied(code, &text);
        }
    }

    /// The data connection stands: the command, and TLS at once.
    fn data_opened(&mut self) {
        let private = self.private;
        let tls = private.then(|| self.tls(true));
        let Some(transfer) = &mut self.transfer else { return };
        transfer.opened = true;
        let (command, conn) = (transfer.command.clone(), transfer.conn);
        transfer.pipe.tls = tls;
        let hello = transfer.pipe.output();
        // In active mode the command brought the connection about.
        if !transfer.codes.contains(&200) {
            self.say(&command);
        }
        self.send(conn, hello);
        self.data_bytes(&[]);
    }

    fn data_bytes(&mut self, bytes: &[u8]) {
        let Some(t) = &mut self.transfer else { return };
        let conn = t.conn;
        t.pipe.hear(bytes);
        t.bytes += mem::take(&mut t.pipe.plain).len();
        let out = t.pipe.output();
        self.send(conn, out);
        let Some(t) = &mut self.transfer else { return };
        if t.pipe.is_established() && !mem::replace(&mut t.greeted, true) {
            let tls = t.pipe.tls.as_ref().unwrap();
            let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
            let other = tls.peer_certificates().is_some_and(|c| c[0].as_ref() == other_identity().chain[0]);
            t.events.push(if resumed { "resumed" } else { "full" }.to_owned());
            t.events.extend(other.then(|| "other-certificate".to_owned()));
        }
        if let Some(why) = t.pipe.failed.take() {
            t.end(&why);
            self.out.push_back(Output::Close(conn));
        } else if t.upload.is_some() && (t.pipe.tls.is_none() || t.greeted) && !mem::replace(&mut t.sent, true) {
            let content = t.upload.clone().unwrap_or_default();
            let bytes = [t.pipe.wrap(&content), t.pipe.close_notify()].concat();
            self.send(conn, bytes);
            self.out.push_back(Output::Shutdown(conn));
        } else if t.pipe.ended && t.upload.is_none() && !mem::replace(&mut t.sent, true) {
            let goodbye = t.pipe.close_notify();
            self.send(conn, goodbye);
        }
        self.check();
    }

    fn data_ended(&mut self, word: &str) {
        if let Some(transfer) = &mut self.transfer {
            transfer.end(word);
            self.out.push_back(Output::Close(transfer.conn));
        }
        self.check();
    }

    /// Whether the transfer is over.
    fn check(&mut self) {
        if self.lost && self.transfer.as_ref().is_some_and(|t| t.over) {
            return self.finish("control closed");
        }
        let is_over = self.transfer.as_ref().is_some_and(|t| {
            let last = t.codes.last().copied().unwrap_or_default();
            t.over && t.codes.len() > 1 && last >= 200
        });
        if let Some(transfer) = self.transfer.take_if(|_| is_over) {
            self.log.push(transfer.told());
            self.go_on();
        }
    }
}

impl Transfer {
    fn new(command: String, upload: Option<Vec<u8>>, conn: ConnId) -> Self {
        Self {
            command,
            upload,
            conn,
            pipe: Pipe::default(),
            opened: false,
            greeted: false,
            sent: false,
            bytes: 0,
            codes: Vec::new(),
            events: Vec::new(),
            over: false,
        }
    }

    /// How far the data connection is.
    fn state(&self) -> &'static str {
        match (self.over || self.pipe.ended, self.greeted, self.opened) {
            (true, ..) => "ended",
            (_, true, _) => "established",
            (_, _, true) => "open",
            _ => "due",
        }
    }

    /// The data connection ended like this.
    fn end(&mut self, word: &str) {
        if !mem::replace(&mut self.over, true) {
            self.events.extend((self.bytes > 0).then(|| self.bytes.to_string()));
            self.events.extend(self.pipe.ended.then(|| "close-notify".to_owned()));
            self.events.push(word.to_owned());
        }
    }

    /// What came of it: the command, the codes, what was seen on the data connection.
    fn told(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(u16::to_string).collect();
        let verb = self.command.split(' ').next().unwrap();
        format!("{verb} {} | {}", codes.join(" "), self.events.join(" "))
    }
}

fn step(line: &str) -> Step {
    let transfer = |arrange, rest: &str| match rest.split(' ').collect::<Vec<_>>()[..] {
        ["STOR", name, len] => {
            let content = vec![b'x'; len.parse().unwrap()];
            Step::Transfer { arrange, command: format!("STOR {name}"), upload: Some(content) }
        }
        _ => Step::Transfer { arrange, command: rest.to_owned(), upload: None },
    };
    match line.split_once(' ') {
        Some(("PASV", rest)) => transfer("PASV", rest),
        Some(("EPSV", rest)) => transfer("EPSV", rest),
        Some(("PORT", rest)) => transfer("PORT", rest),
        _ => Step::Say(line.to_owned()),
    }
}

impl Machine for Visitor {
    fn handle(&mut self, now: Micros, input: Input<'_>) {
        self.deadline = Some(Micros(now.0 + patience().step.0));
        match input {
            Input::Start => {
                self.out.push_back(Output::Open(ConnId(0), Where::Address(self.address), Role::Control, Why::Session))
            }
            Input::Opened(ConnId(0)) | Input::Sent(_) => {}
            Input::Opened(_) => self.data_opened(),
            Input::Listening(_, at) => {
                let [a, b, c, d] = match at {
                    SocketAddr::V4(at) => at.ip().octets(),
                    SocketAddr::V6(_) => panic!("IPv4 only"),
                };
                let [high, low] = at.port().to_be_bytes();
                self.say(&format!("PORT {a},{b},{c},{d},{high},{low}"));
                self.command = Some("PORT".to_owned());
            }
            Input::OpenFailed(_, why) => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.events.push(format!("{why:?}").to_lowercase());
                    self.log.push(transfer.told());
                    self.transfer = None;
                }
                self.go_on();
            }
            Input::Bytes(ConnId(0), bytes) => self.control_bytes(bytes),
            Input::Bytes(conn, bytes) if self.transfer.as_ref().is_some_and(|t| t.conn == conn) => {
                self.data_bytes(bytes)
            }
            Input::Closed(ConnId(0), _) if self.transfer.is_some() => {
                self.lost = true;
                self.deadline = Some(Micros(now.0 + patience().last_words.0));
                self.check();
            }
            Input::Closed(ConnId(0), _) if !self.steps.is_empty() || self.command.is_some() => {
                self.finish("control closed");
            }
            Input::Closed(conn, how) if self.transfer.as_ref().is_some_and(|t| t.conn == conn) => {
                self.data_ended(if how == Close::Fin { "fin" } else { "rst" });
            }
            Input::Deadline
                if self.lost || self.transfer.as_ref().is_some_and(|t| t.codes.last().is_some_and(|c| *c >= 400)) =>
            {
                self.data_ended("left");
            }
            Input::Deadline | Input::Stop => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.end("open");
                }
                self.finish("silent");
            }
            Input::Bytes(..) | Input::Closed(..) => {}
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn deadline(&self) -> Option<Micros> {
        self.deadline
    }
}
