//! The talk's transfers: data connections are asked for, and what happens on them is passed on.

use super::super::engine::Engine;
use super::errand::{Task, Undone, Way};
use super::line::Line;
use super::transfer::{Need, Transfer};
use super::{Plan, Step, Talk, Where};
use crate::transcript::{Close, ConnId, Micros, Side, What, Why};

/// Which ways to a data connection worked; `None` for what was not tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct Ways {
    pub(in crate::probe) pasv: Option<bool>,
    pub(in crate::probe) epsv: Option<bool>,
}

impl Ways {
    /// Whether data connections can be opened, as far as that was tried.
    pub(in crate::probe) fn any(self) -> bool {
        self.pasv != Some(false) || self.epsv != Some(false)
    }

    fn usual(self) -> Way {
        if self.epsv == Some(false) { Way::Pasv } else { Way::Epsv }
    }
}

/// A data connection that a talk wants; whoever counts connections opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Wish {
    /// To this place.
    Dial(Where),
    /// From the server to us.
    Listen,
}

impl Talk {
    pub(super) fn begin_move(&mut self, task: Task, now: Micros) {
        let v6 = matches!(&self.to, Where::Address(a) if a.is_ipv6());
        let usual = task.way == Way::Usual || task.anyway && v6;
        let way = if usual { self.ways.usual() } else { task.way };
        // PASV has no room for an address of IPv6 (RFC 2428); and where nothing opens, nothing more is tried.
        if way == Way::Pasv && v6 || way != Way::Active && !self.ways.any() {
            return self.go_on(now);
        }
        self.enter(Step::Moving, now);
        match way {
            Way::Active => self.wish = Some(Wish::Listen),
            Way::Pasv => self.send_inside(Some("PASV")),
            Way::Epsv | Way::Usual => self.send_inside(Some("EPSV")),
        }
        self.transfer = Some(Transfer::new(Task { way, ..task }, now));
    }

    /// A data connection that is wanted now.
    pub(in crate::probe) fn take_wish(&mut self) -> Option<(Wish, Why)> {
        self.wish.take().map(|wish| (wish, self.why.clone()))
    }

    /// The data connection has a number.
    pub(in crate::probe) fn number(&mut self, conn: ConnId, now: Micros) {
        let Some(transfer) = &mut self.transfer else { return };
        let task = &mut transfer.task;
        let engine: Option<Engine> = task.private.then_some(()).and_then(|()| {
            let declining = (!task.resumes).then(|| self.tls.declining());
            declining.as_ref().unwrap_or(&self.tls).engine(&self.host, &self.name)
        });
        transfer.line = Some(Line::new(conn, engine.map(Box::new), task.upload.clone(), now));
    }

    /// The server can connect to us there.
    pub(in crate::probe) fn listening(&mut self, address: core::net::SocketAddr) {
        let port = address.port();
        let command = match address.ip() {
            core::net::IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                let [high, low] = port.to_be_bytes();
                format!("PORT {a},{b},{c},{d},{high},{low}")
            }
            core::net::IpAddr::V6(ip) => format!("EPRT |2|{ip}|{port}|"),
        };
        self.send_inside(Some(&command));
    }

    pub(super) fn data_opened(&mut self, now: Micros) {
        self.with_transfer(now, |t, _| t.opened(now));
    }

    pub(super) fn data_not_opened(&mut self, now: Micros) {
        self.with_transfer(now, |t, _| t.open_failed());
    }

    pub(super) fn data_bytes(&mut self, bytes: &[u8], now: Micros) {
        self.with_transfer(now, |t, _| t.bytes(bytes, now));
    }

    pub(super) fn data_sent(&mut self, conn: ConnId, now: Micros) {
        self.with_transfer(now, |t, _| t.sent(conn, now));
    }

    pub(super) fn data_closed(&mut self, how: Close, now: Micros) {
        self.with_transfer(now, |t, _| t.closed(how, now));
    }

    /// The control connection ended during a transfer.
    pub(super) fn control_gone(&mut self, now: Micros) {
        self.with_transfer(now, |t, _| t.control_gone(now));
    }

    pub(super) fn moving_replied(&mut self, code: u16, now: Micros) {
        let line = self.replies.last_line();
        self.with_transfer(now, |t, to| t.replied(code, &line, to, now));
    }

    pub(super) fn moving_waited(&mut self, now: Micros) {
        let patience = self.patience;
        let due = |t: &Transfer| t.deadline(patience).is_some_and(|d| d <= now);
        self.with_transfer(now, |t, _| if due(t) { t.waited(now) } else { None });
    }

    /// Lets the transfer go on, writes down what it did, and does what it needs.
    fn with_transfer(&mut self, now: Micros, act: impl FnOnce(&mut Transfer, &Where) -> Option<Need>) {
        let Some(transfer) = &mut self.transfer else { return };
        let need = act(transfer, &self.to);
        if need == Some(Need::Command) {
            let command = transfer.task.command.clone();
            self.send_inside(Some(&command));
        }
        self.drain();
        match need {
            None | Some(Need::Command) => {}
            Some(Need::Dial(place)) => self.wish = Some(Wish::Dial(place)),
            Some(Need::Over) => {
                self.moved();
                self.go_on(now);
            }
            Some(Need::Lost) => self.end(),
            Some(Need::Stalled) => {
                let after = self.transfer.as_ref().map_or(self.patience.step, |t| t.silence(now));
                self.moved();
                self.note(What::TimedOut { waiting_for: Side::Server, after });
                self.end();
            }
        }
    }

    /// What the data connection says, behind what was said before.
    fn drain(&mut self) {
        let Some(line) = self.transfer.as_mut().and_then(|t| t.line.as_mut()) else { return };
        while let Some(output) = line.poll() {
            self.out.push_back(output);
        }
    }

    /// What the transfer that is over tells for those to come.
    fn moved(&mut self) {
        let Some(transfer) = self.transfer.take() else { return };
        let outcome = transfer.outcome();
        self.agenda.moved(&transfer.task, outcome);
        match transfer.task.way {
            Way::Pasv => self.ways.pasv = Some(outcome.opened),
            Way::Epsv | Way::Usual => self.ways.epsv = Some(outcome.opened),
            Way::Active => {}
        }
        if transfer.task.anyway && !outcome.opened && !outcome.stalled {
            self.agenda.again(transfer.task.clone());
        }
        self.failed_to_move |= outcome.opened && !outcome.worked;
        // What worked as long as there were tickets is not tried without.
        if self.has_resumed && outcome.in_full && !outcome.worked {
            self.agenda.set_aside(&transfer.task);
        }
        self.has_resumed |= outcome.worked && !outcome.in_full;
        self.stalled |= outcome.stalled;
    }

    /// The control connection ends: so does what hangs on it.
    pub(super) fn leave_data(&mut self) {
        self.wish = None;
        if let Some(line) = self.transfer.as_mut().and_then(|t| t.line.as_mut()) {
            line.close();
        }
        self.drain();
        self.transfer = None;
    }

    /// Names of uploads that are still on the server, and what the server thinks of the login.
    pub(in crate::probe) fn left_behind(&self) -> &[String] {
        self.agenda.left_behind()
    }

    /// Whether the server took the login.
    pub(in crate::probe) fn is_logged_in(&self) -> bool {
        self.agenda.logged_in
    }

    /// What was not tried for want of a session to resume.
    pub(in crate::probe) fn undone(&self) -> &Undone {
        self.agenda.undone()
    }

    /// Tries what an earlier login could not.
    pub(in crate::probe) fn make_up_for(&mut self, undone: &Undone, plan: &Plan) {
        self.agenda.make_up_for(undone, plan);
    }

    /// Deletes what an earlier login had to leave behind.
    pub(in crate::probe) fn clean_up(&mut self, directory: &str, names: &[String]) {
        self.agenda.clean_up(directory, names);
    }

    /// Whether the server wants what our engine does not speak.
    pub(in crate::probe) fn is_incompatible(&self) -> bool {
        matches!(&self.hello, super::Hello::Engine(engine) if engine.is_incompatible())
    }

    /// Whether TLS 1.3 is spoken.
    pub(in crate::probe) fn is_tls13(&self) -> bool {
        matches!(&self.hello, super::Hello::Engine(engine) if engine.is_tls13())
    }
}
