//! One control connection.

use core::net::SocketAddr;

use super::pipe::Pipe;
use super::transfer::Transfer;
use super::{Active, Ccc, Data, Deed, Door, Line, Login, Pasv, Shared};

/// How long it waits for a data connection, in milliseconds.
const PATIENCE: u32 = 700;

/// How a data connection was arranged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arranged {
    /// The client is to come.
    Passive(Door),
    /// It is to be fetched.
    Active(SocketAddr),
}

/// A control connection.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) line: Line,
    pub(super) pipe: Pipe,
    pub(super) user: bool,
    pub(super) logged_in: bool,
    pub(super) pbsz: bool,
    pub(super) private: bool,
    pub(super) binary: bool,
    pub(super) cwd: String,
    pub(super) after_ccc: bool,
    pub(super) arranged: Option<Arranged>,
    /// A door whose port is not known yet; whether it is for EPSV.
    pub(super) opening: Option<(Door, bool)>,
    /// The data connection that stands.
    pub(super) data: Option<Line>,
    pub(super) transfer: Option<Transfer>,
    /// Waits that are not over.
    waits: usize,
    /// It does nothing any more.
    pub(super) mute: bool,
    over: bool,
}

impl Control {
    pub(super) fn greet(line: Line, shared: &mut Shared) -> Self {
        shared.send(line, b"220 ready\r\n".to_vec());
        Self {
            line,
            pipe: Pipe::default(),
            user: false,
            logged_in: false,
            pbsz: false,
            private: false,
            binary: false,
            cwd: "/".to_owned(),
            after_ccc: false,
            arranged: None,
            opening: None,
            data: None,
            transfer: None,
            waits: 0,
            mute: false,
            over: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn awaits(&self, door: Door) -> bool {
        matches!(self.arranged, Some(Arranged::Passive(d)) if d == door)
    }

    /// Bytes of the client.
    pub(super) fn hear(&mut self, bytes: &[u8], shared: &mut Shared) {
        if self.mute || self.over {
            return;
        }
        self.pipe.hear(bytes);
        self.flush(shared);
        self.go_on(shared);
    }

    fn flush(&mut self, shared: &mut Shared) {
        let out = self.pipe.take_output();
        shared.send(self.line, out);
    }

    /// Commands, as long as none is being worked at.
    pub(super) fn go_on(&mut self, shared: &mut Shared) {
        while !self.mute && !self.over && self.transfer.is_none() && self.opening.is_none() {
            let Some(line) = self.pipe.take_line() else { break };
            self.command(&line, shared);
        }
        if self.pipe.has_failed() {
            self.close(shared);
        } else if self.pipe.has_ended() && self.pipe.is_tls() && self.transfer.is_none() && !self.mute {
            let goodbye = self.pipe.close_notify();
            shared.send(self.line, goodbye);
            self.close(shared);
        }
    }

    pub(super) fn say(&mut self, reply: &str, shared: &mut Shared) {
        if !self.mute && !self.over {
            let words = self.pipe.wrap(format!("{reply}\r\n").as_bytes());
            shared.send(self.line, words);
        }
    }

    /// Closes the connection.
    pub(super) fn close(&mut self, shared: &mut Shared) {
        if !self.over {
            self.over = true;
            shared.do_(Deed::Close(self.line));
        }
    }

    /// The client is gone: so is everything that belongs to it.
    pub(super) fn forget(mut self, shared: &mut Shared) {
        self.close(shared);
        shared.doors.retain(|_, of| *of != self.line);
        let datas: Vec<Line> = shared.datas.iter().filter(|(_, d)| d.of == self.line).map(|(line, _)| *line).collect();
        for line in datas {
            shared.close_data(line);
        }
    }

    /// AUTH was accepted.
    pub(super) fn begin_tls(&mut self, shared: &mut Shared) {
        self.pipe.start(shared.control_tls());
        self.flush(shared);
    }

    /// PASS came.
    pub(super) fn log_in(&mut self, shared: &mut Shared) {
        match shared.habits.login {
            Login::Refuses(reply) => return self.say(reply, shared),
            Login::Crashes(text) => {
                shared.send(self.line, format!("{text}\r\n").into_bytes());
                return self.close(shared);
            }
            Login::Forgets => (self.pbsz, self.private) = (false, false),
            Login::Anybody | Login::First => {}
        }
        self.logged_in = true;
        self.say("230 Login successful.", shared);
    }

    /// CCC came.
    pub(super) fn clear(&mut self, shared: &mut Shared) {
        let habit = shared.habits.ccc;
        if let Ccc::Refuses(reply) = habit {
            return self.say(reply, shared);
        }
        self.say("200 Control connection in clear", shared);
        self.after_ccc = true;
        if matches!(habit, Ccc::Clears | Ccc::Breaks(_)) {
            let goodbye = self.pipe.close_notify();
            shared.send(self.line, goodbye);
        }
        self.mute = habit == Ccc::Mute;
        self.pipe.leave();
    }

    /// PASV or EPSV came.
    pub(super) fn passive(&mut self, extended: bool, shared: &mut Shared) {
        self.disarrange(shared);
        let said = match shared.habits.pasv {
            Pasv::Says(reply) if !extended => Some(reply),
            _ if extended => shared.habits.epsv,
            _ => None,
        };
        if let Some(reply) = said {
            return self.say(reply, shared);
        }
        if let (Pasv::Port(port), false) = (shared.habits.pasv, extended) {
            return self.announce(port, false, shared);
        }
        let door = Door(shared.next_door);
        shared.next_door += 1;
        shared.doors.insert(door, self.line);
        self.opening = Some((door, extended));
        let behind = shared.habits.behind;
        shared.do_(Deed::Listen(door, behind));
    }

    /// A door has its port.
    pub(super) fn listening(&mut self, door: Door, port: u16, shared: &mut Shared) {
        let Some((_, extended)) = self.opening.take_if(|(d, _)| *d == door) else { return };
        self.arranged = Some(Arranged::Passive(door));
        self.announce(port, extended, shared);
        self.go_on(shared);
    }

    fn announce(&mut self, port: u16, extended: bool, shared: &mut Shared) {
        if extended {
            return self.say(&format!("229 Entering Extended Passive Mode (|||{port}|)"), shared);
        }
        let [a, b, c, d] = match shared.habits.pasv {
            Pasv::Address(address) => address,
            _ => shared.address.octets(),
        };
        let [high, low] = port.to_be_bytes();
        self.say(&format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low})."), shared);
    }

    /// PORT or EPRT came; `None` is an address that cannot be read.
    pub(super) fn active(&mut self, to: Option<SocketAddr>, shared: &mut Shared) {
        self.disarrange(shared);
        if let Active::Refuses(reply) = shared.habits.active {
            return self.say(reply, shared);
        }
        match to.filter(|to| to.port() >= 1024) {
            None => self.say("500 Illegal PORT command.", shared),
            Some(to) => {
                self.arranged = Some(Arranged::Active(to));
                self.say("200 PORT command successful. Consider using PASV.", shared);
            }
        }
    }

    /// Whatever was arranged is void.
    fn disarrange(&mut self, shared: &mut Shared) {
        if let Some(Arranged::Passive(door)) = self.arranged.take() {
            shared.doors.remove(&door);
        }
        if let Some(line) = self.data.take() {
            shared.close_data(line);
        }
    }

    /// The data connection does not stand yet: fetches it, or waits for it.
    pub(super) fn await_data(&mut self, shared: &mut Shared) {
        if self.data.is_some() {
            return;
        }
        self.waits += 1;
        shared.do_(Deed::Wait(self.line, PATIENCE));
        if let (Some(Arranged::Active(to)), true) = (self.arranged, shared.habits.active != Active::Stays) {
            let line = shared.next_line();
            shared.datas.insert(line, Data::active(self.line));
            shared.do_(Deed::Connect(line, to));
        }
    }

    pub(super) fn woke(&mut self, shared: &mut Shared) {
        self.waits = self.waits.saturating_sub(1);
        if self.waits == 0 && self.data.is_none() {
            self.not_connected(shared);
        }
    }

    /// The data connection cannot be had.
    pub(super) fn not_connected(&mut self, shared: &mut Shared) {
        if self.data.is_none() && self.transfer.take().is_some() {
            shared.datas.retain(|_, d| d.of != self.line);
            self.disarrange(shared);
            self.say("425 Failed to establish connection.", shared);
            self.go_on(shared);
        }
    }

    /// The connection that it opened stands.
    pub(super) fn connected(&mut self, line: Line, shared: &mut Shared) {
        if let Some(data) = shared.datas.get_mut(&line) {
            data.stands = true;
        }
        self.data_stands(line, shared);
    }

    /// The data connection stands.
    pub(super) fn data_stands(&mut self, line: Line, shared: &mut Shared) {
        self.data = Some(line);
        self.advance(shared);
    }
}
