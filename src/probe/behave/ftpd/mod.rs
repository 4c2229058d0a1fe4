//! An FTPS server that is healthy but for one habit of its data connections.
//!
//! [`Ftpd`] is one server with all its connections. It has no socket and no clock: it is told what happened ([`Event`]) and says
//! what to do ([`Deed`]). The driver numbers nothing: connections and listeners get their numbers here.

mod commands;
mod control;
mod files;
mod habits;
mod members;
mod pipe;
mod transfer;

use core::net::{Ipv4Addr, SocketAddr};
use std::collections::{BTreeMap, VecDeque};

pub use self::habits::{
    Active, Begins, Behind, Ccc, End, HEALTHY, Habits, Last, Login, Pasv, Protection, Start, Upload,
};
pub use self::members::{Member, zoo};
pub use super::super::engine::Sessions;
use super::super::engine::{Keeper, Server};
use super::{Identity, Terms};
use control::Control;
use files::Files;
use transfer::Data;

/// A connection of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub usize);

/// A port on which the server waits for one data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Door(pub usize);

/// What happened to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It listens on this port.
    Listening(Door, u16),
    /// A connection that it wanted to open stands.
    Connected(Line),
    /// It could not be opened.
    ConnectFailed(Line),
    /// The client sent bytes.
    Bytes(Line, &'a [u8]),
    /// The client closed (FIN), or reset.
    Closed(Line, super::super::Close),
    /// A wait is over.
    Woke(Line),
}

/// What a server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It sends.
    Send(Line, Vec<u8>),
    /// It listens on a port of the driver's choice, to be told by [`Event::Listening`]; or lets it look so.
    Listen(Door, Behind),
    /// It opens a connection.
    Connect(Line, SocketAddr),
    /// It is to be woken after so many milliseconds; until then it goes on with everything else.
    Wait(Line, u32),
    /// It closes (FIN). What the client still sends is nobody's.
    Close(Line),
    /// It resets (RST).
    Reset(Line),
}

/// A server.
#[derive(Debug)]
pub struct Ftpd {
    controls: BTreeMap<Line, Control>,
    shared: Shared,
}

/// What all connections of a server share.
#[derive(Debug)]
struct Shared {
    habits: Habits,
    keeper: Keeper,
    /// Of data connections, when they have their own.
    other: Option<Keeper>,
    address: Ipv4Addr,
    files: Files,
    /// Open listeners, with the control connection that asked for them.
    doors: BTreeMap<Door, Line>,
    datas: BTreeMap<Line, Data>,
    lines: usize,
    next_door: usize,
    deeds: VecDeque<Deed>,
}

impl Shared {
    fn next_line(&mut self) -> Line {
        self.lines += 1;
        Line(self.lines - 1)
    }

    fn do_(&mut self, deed: Deed) {
        self.deeds.push_back(deed);
    }

    fn send(&mut self, line: Line, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.do_(Deed::Send(line, bytes));
        }
    }

    /// TLS of a control connection.
    fn control_tls(&self) -> Option<Server> {
        self.keeper.server(Sessions { taken: true, ..self.habits.sessions })
    }

    /// TLS of a data connection.
    fn data_tls(&self) -> Option<Server> {
        let sessions = self.habits.sessions;
        match &self.other {
            Some(other) => other.server(Sessions { taken: false, ..sessions }),
            None => self.keeper.server(sessions),
        }
    }

    /// Closes a data connection and forgets it.
    fn close_data(&mut self, line: Line) {
        if self.datas.remove(&line).is_some_and(|d| d.stands) {
            self.do_(Deed::Close(line));
        }
    }
}

impl Ftpd {
    /// A server at this address that shows `identity`, and `other` where it shows another one. `None` when one of them cannot be
    /// used.
    pub fn new(habits: Habits, identity: &Identity, other: &Identity, address: Ipv4Addr) -> Option<Self> {
        let terms = Terms { tls13: habits.tls13, ..Terms::default() };
        let other = match habits.start {
            Start::OtherCertificate => Some(Keeper::new(terms, other)?),
            _ => None,
        };
        let shared = Shared {
            habits,
            keeper: Keeper::new(terms, identity)?,
            other,
            address,
            files: Files::new(),
            doors: BTreeMap::new(),
            datas: BTreeMap::new(),
            lines: 0,
            next_door: 0,
            deeds: VecDeque::new(),
        };
        Some(Self { controls: BTreeMap::new(), shared })
    }

    /// A client connected: to the port for control connections, or to that of a door.
    pub fn accept(&mut self, door: Option<Door>) -> Line {
        let line = self.shared.next_line();
        let Some(door) = door else {
            self.controls.insert(line, Control::greet(line, &mut self.shared));
            return line;
        };
        let of = self.shared.doors.remove(&door);
        match of.and_then(|of| self.controls.get_mut(&of)).filter(|c| c.awaits(door)) {
            Some(control) => {
                self.shared.datas.insert(line, Data::passive(control.line));
                control.data_stands(line, &mut self.shared);
            }
            // Its time is over.
            None => self.shared.do_(Deed::Close(line)),
        }
        line
    }

    /// Takes what happened.
    pub fn handle(&mut self, event: Event<'_>) {
        let shared = &mut self.shared;
        match event {
            Event::Listening(door, port) => {
                if let Some(control) = shared.doors.get(&door).and_then(|of| self.controls.get_mut(of)) {
                    control.listening(door, port, shared);
                }
            }
            Event::Connected(line) => self.on_data(line, |control, shared| control.connected(line, shared)),
            Event::ConnectFailed(line) => self.on_data(line, Control::not_connected),
            Event::Bytes(line, bytes) => match self.controls.get_mut(&line) {
                Some(control) => control.hear(bytes, shared),
                None => {
                    if let Some(data) = shared.datas.get_mut(&line) {
                        data.pipe.hear(bytes);
                    }
                    self.on_data(line, Control::advance);
                }
            },
            Event::Closed(line, how) => match self.controls.remove(&line) {
                Some(control) => control.forget(shared),
                None => {
                    if let Some(data) = shared.datas.get_mut(&line) {
                        data.pipe.closed = true;
                        data.reset = how != super::super::Close::Fin;
                    }
                    self.on_data(line, Control::advance);
                }
            },
            Event::Woke(line) => {
                if let Some(control) = self.controls.get_mut(&line) {
                    control.woke(shared);
                }
            }
        }
        let over: Vec<Line> = self.controls.iter().filter(|(_, c)| c.is_over()).map(|(line, _)| *line).collect();
        for line in over {
            if let Some(control) = self.controls.remove(&line) {
                control.forget(&mut self.shared);
            }
        }
    }

    /// The control connection of a data connection.
    fn on_data(&mut self, line: Line, act: impl FnOnce(&mut Control, &mut Shared)) {
        let of = self.shared.datas.get(&line).map(|d| d.of);
        if let Some(control) = of.and_then(|of| self.controls.get_mut(&of)) {
            act(control, &mut self.shared);
        }
    }

    /// What it does next.
    pub fn poll(&mut self) -> Option<Deed> {
        self.shared.deeds.pop_front()
    }
}
