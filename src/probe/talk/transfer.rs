//! One transfer: the data connection is arranged and opened, the command given, and both connections are followed to their
//! ends at once. Some servers say 150 before the handshake on data and some behind it, so nobody may wait for the other.

use super::super::Where;
use super::errand::{Task, Way};
use super::line::Line;
use crate::probe::plan::Patience;
use crate::transcript::{Close, ConnId, Micros};
use crate::wire::ftp::{extended_port, host_port};

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The reply to PASV, EPSV, PORT or EPRT is due.
    Arranging,
    /// A number for the data connection is due, then the connection.
    Dialling,
    /// The command was given.
    Running,
    /// Nothing more is to come.
    Over,
}

/// What came of a transfer, as far as it decides what is tried next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct Outcome {
    /// The data connection stood.
    pub(in crate::probe) opened: bool,
    /// The server said that it begins.
    pub(in crate::probe) begun: bool,
    /// The server said that all went well, or that there is nothing of this name.
    pub(in crate::probe) worked: bool,
    /// The control connection does not answer any more.
    pub(in crate::probe) stalled: bool,
    /// It was to resume, and nothing was left to resume with, or the server did not take it.
    pub(in crate::probe) in_full: bool,
}

impl Outcome {
    /// Whether the server did not even begin.
    pub(super) fn is_refused(self) -> bool {
        !self.begun && !self.worked && !self.stalled
    }
}

/// Replies about a file, not about its way (RFC 959).
const NOTHING_THERE: [u16; 2] = [450, 550];

/// One transfer.
pub(super) struct Transfer {
    pub(super) task: Task,
    pub(super) stage: Stage,
    pub(super) line: Option<Line>,
    /// The final reply.
    reply: Option<u16>,
    /// When the control connection last spoke, or was spoken to.
    heard: Micros,
    /// The data connection was left; the control connection may still say why it came to nothing.
    given_up: bool,
    /// The control connection is gone; the data connection may still say why.
    alone: bool,
    outcome: Outcome,
}

/// What the talk has to do for its transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A data connection to this place.
    Dial(Where),
    /// The command of the task goes out.
    Command,
    /// It is over.
    Over,
    /// The control connection stays silent although its reply is due.
    Stalled,
    /// The control connection is gone, and the data connection has said what it had to say.
    Lost,
}

impl Transfer {
    pub(super) fn new(task: Task, now: Micros) -> Self {
        let outcome = Outcome::default();
        Self {
            task,
            stage: Stage::Arranging,
            line: None,
            reply: None,
            heard: now,
            given_up: false,
            alone: false,
            outcome,
        }
    }

    /// The control connection ended. Its last words on data may come later.
    pub(super) fn control_gone(&mut self, now: Micros) -> Option<Need> {
        if self.line.as_ref().is_none_or(|l| !l.opened || l.ended || self.given_up) {
            return Some(Need::Lost);
        }
        (self.alone, self.heard) = (true, now);
        None
    }

    /// How long the control connection has said nothing.
    pub(super) fn silence(&self, now: Micros) -> Micros {
        Micros(now.0.saturating_sub(self.heard.0))
    }

    pub(super) fn outcome(&self) -> Outcome {
        let in_full = self.task.resumes && self.line.as_ref().is_some_and(|l| l.in_full);
        Outcome { in_full, ..self.outcome }
    }

    /// A final or preliminary reply on the control connection; `text` is its last line.
    pub(super) fn replied(&mut self, code: u16, text: &str, to: &Where, now: Micros) -> Option<Need> {
        self.heard = now;
        match self.stage {
            Stage::Arranging if code < 200 => None,
            Stage::Arranging if code >= 300 => self.over(),
            Stage::Arranging if self.task.way == Way::Active => {
                self.stage = Stage::Running;
                Some(Need::Command)
            }
            Stage::Arranging => {
                let port = match self.task.way {
                    Way::Pasv => host_port(text).map(|a| a.port()),
                    _ => extended_port(text).map(|(_, port)| port),
                };
                // The server's own address, whatever its reply names: nobody is sent to a third party.
                match port.filter(|p| *p != 0).map(|p| at_port(to, p)) {
                    Some(place) => {
                        self.stage = Stage::Dialling;
                        Some(Need::Dial(place))
                    }
                    None => self.over(),
                }
            }
            Stage::Dialling | Stage::Over => None,
            Stage::Running => {
                self.outcome.begun |= code < 200;
                if code >= 200 {
                    self.reply = Some(code);
                    self.outcome.worked = code < 300 || NOTHING_THERE.contains(&code);
                }
                self.settle()
            }
        }
    }

    pub(super) fn opened(&mut self, now: Micros) -> Option<Need> {
        let line = self.line.as_mut()?;
        line.opened(now);
        self.outcome.opened = true;
        if self.stage != Stage::Dialling {
            return None;
        }
        (self.stage, self.heard) = (Stage::Running, now);
        Some(Need::Command)
    }

    pub(super) fn open_failed(&mut self) -> Option<Need> {
        // In active mode the server still has its say.
        if self.stage == Stage::Running { None } else { self.over() }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], now: Micros) -> Option<Need> {
        self.line.as_mut()?.bytes(bytes, now);
        self.settle()
    }

    pub(super) fn sent(&mut self, conn: ConnId, now: Micros) -> Option<Need> {
        self.line.as_mut().filter(|l| l.conn == conn)?.sent(now);
        None
    }

    pub(super) fn closed(&mut self, how: Close, now: Micros) -> Option<Need> {
        self.line.as_mut()?.closed(how, now);
        self.settle()
    }

    /// Both ends have spoken: is that all?
    fn settle(&mut self) -> Option<Need> {
        let reply = self.reply;
        let Some(line) = self.line.as_mut().filter(|l| l.opened) else {
            return if reply.is_some() { self.over() } else { None };
        };
        if line.gone || line.waits_to_finish() && (reply.is_some() || !self.task.holds) {
            line.finish();
        }
        if self.alone {
            return line.ended.then_some(Need::Lost);
        }
        let refused = reply.is_some_and(|code| code >= 400);
        // Where there is nothing of this name, the data connection has nothing to say.
        // Nor has one without TLS that was refused.
        let pointless = reply.is_some_and(|code| NOTHING_THERE.contains(&code)) || refused && !self.task.private;
        let done = line.gone || refused && line.ended || pointless || self.given_up;
        if reply.is_some() && done { self.over() } else { None }
    }

    fn over(&mut self) -> Option<Need> {
        self.stage = Stage::Over;
        if let Some(line) = &mut self.line {
            line.close();
        }
        Some(Need::Over)
    }

    /// When something is due, if nothing happens before.
    pub(super) fn deadline(&self, patience: Patience) -> Option<Micros> {
        let after = |from: Micros, wait: Micros| Some(Micros(from.0.saturating_add(wait.0)));
        let last = self.line.as_ref().map_or(self.heard, |l| l.heard.max(self.heard));
        match (self.stage, &self.line) {
            // The end of a dial is told by whoever dials.
            (Stage::Dialling | Stage::Over, _) => None,
            _ if self.given_up || self.alone => after(self.heard, patience.last_words),
            (Stage::Running, Some(line)) if line.opened => match self.reply {
                // Last words, and farewells.
                Some(400..) => after(last, patience.last_words),
                Some(_) if line.ended || !line.is_finished() => after(last, patience.last_words),
                None if line.waits_to_finish() => after(last, patience.hold()),
                _ => after(last, patience.step),
            },
            _ => after(last, patience.step),
        }
    }

    /// The deadline passed.
    pub(super) fn waited(&mut self, now: Micros) -> Option<Need> {
        if self.alone {
            return Some(Need::Lost);
        }
        let Some(line) = self.line.as_mut().filter(|l| l.opened && self.stage == Stage::Running) else {
            return match (self.stage, self.reply, &mut self.line) {
                (Stage::Running, Some(_), _) => self.over(),
                // In active mode nobody connected. The control connection may still say why.
                (Stage::Running, None, Some(line)) if !self.given_up => {
                    line.not_connected();
                    (self.given_up, self.heard) = (true, now);
                    None
                }
                _ => self.stall(),
            };
        };
        match self.reply {
            Some(400..) => self.over(),
            Some(_) if line.ended => self.over(),
            // Does it wait for our farewell?
            Some(_) if !line.is_finished() => {
                line.finish();
                line.heard = now;
                None
            }
            Some(_) => {
                line.silent(now);
                self.over()
            }
            // The wait for the reply began before.
            None if line.waits_to_finish() => {
                line.finish();
                None
            }
            None if line.ended || self.given_up => self.stall(),
            // Neither end says anything: the data connection goes first, and the control connection may explain it.
            None => {
                line.silent(now);
                line.close();
                (self.given_up, self.heard) = (true, now);
                None
            }
        }
    }

    fn stall(&mut self) -> Option<Need> {
        self.outcome.stalled = true;
        self.stage = Stage::Over;
        if let Some(line) = &mut self.line {
            line.close();
        }
        Some(Need::Stalled)
    }
}

fn at_port(to: &Where, port: u16) -> Where {
    match to {
        Where::Address(address) => Where::Address(core::net::SocketAddr::new(address.ip(), port)),
        Where::Name(name, _) => Where::Name(name.clone(), port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        step: Micros(10_000_000),
        greeting: Micros(3_000_000),
        last_words: Micros(500_000),
        verdict: Micros(1_000_000),
    };

    fn to() -> Where {
        Where::Address(([192, 0, 2, 7], 21).into())
    }

    fn transfer(way: Way) -> Transfer {
        let command = "LIST".to_owned();
        Transfer::new(
            Task { way, command, upload: None, private: false, holds: false, resumes: true, anyway: false },
            Micros(0),
        )
    }

    /// A transfer whose data connection stands, and whose command was given at 0.
    fn running(way: Way, reply: &str) -> Transfer {
        let mut t = transfer(way);
        let place = Where::Address(([192, 0, 2, 7], 5001).into());
        assert_eq!(t.replied(227, reply, &to(), Micros(0)), Some(Need::Dial(place)));
        t.line = Some(Line::new(ConnId(1), None, None, Micros(0)));
        assert_eq!(t.opened(Micros(0)), Some(Need::Command));
        t
    }

    #[test]
    fn the_servers_own_address_is_dialled_whatever_it_names() {
        running(Way::Pasv, "Entering Passive Mode (10,1,2,3,19,137).");
        running(Way::Epsv, "Entering Extended Passive Mode (|||5001|)");
    }

    #[test]
    fn what_names_no_port_is_over() {
        for (way, reply) in
            [(Way::Pasv, "(1,2,3,4,0,0)"), (Way::Pasv, "ok"), (Way::Epsv, "(|||0|)"), (Way::Epsv, "(|||)")]
        {
            let mut t = transfer(way);
            assert_eq!(t.replied(227, reply, &to(), Micros(0)), Some(Need::Over), "{reply}");
            assert!(!t.outcome().opened);
        }
        assert_eq!(transfer(Way::Epsv).replied(500, "no", &to(), Micros(0)), Some(Need::Over));
    }

    #[test]
    fn reply_and_data_end_in_any_order() {
        for reply_first in [false, true] {
            let mut t = running(Way::Epsv, "(|||5001|)");
            assert_eq!(t.replied(150, "here", &to(), Micros(1)), None);
            assert_eq!(t.bytes(b"x", Micros(2)), None);
            if reply_first {
                assert_eq!(t.replied(226, "done", &to(), Micros(3)), None);
                assert_eq!(t.closed(Close::Fin, Micros(4)), Some(Need::Over));
            } else {
                assert_eq!(t.closed(Close::Fin, Micros(3)), None);
                assert_eq!(t.replied(226, "done", &to(), Micros(4)), Some(Need::Over));
            }
            assert!(t.outcome().worked && t.outcome().opened && !t.outcome().stalled);
        }
    }

    #[test]
    fn a_silent_data_connection_is_left_and_the_reply_is_still_heard() {
        let mut t = running(Way::Epsv, "(|||5001|)");
        assert_eq!(t.deadline(PATIENCE), Some(PATIENCE.step));
        assert_eq!(t.waited(PATIENCE.step), None);
        let last = Micros(PATIENCE.step.0 + PATIENCE.last_words.0);
        assert_eq!(t.deadline(PATIENCE), Some(last));
        assert_eq!(t.replied(426, "timed out", &to(), Micros(last.0 - 1)), Some(Need::Over));
    }

    #[test]
    fn a_transfer_without_any_answer_costs_one_patience_and_a_little() {
        let mut t = running(Way::Epsv, "(|||5001|)");
        assert_eq!(t.waited(PATIENCE.step), None);
        assert_eq!(t.waited(Micros(PATIENCE.step.0 + PATIENCE.last_words.0)), Some(Need::Stalled));
        assert!(t.outcome().stalled);
    }

    #[test]
    fn a_refusal_waits_for_last_words_on_data() {
        let mut t = running(Way::Epsv, "(|||5001|)");
        t.task.private = true;
        assert_eq!(t.replied(425, "no", &to(), Micros(7)), None);
        assert_eq!(t.deadline(PATIENCE), Some(Micros(7 + PATIENCE.last_words.0)));
        assert_eq!(t.waited(Micros(7 + PATIENCE.last_words.0)), Some(Need::Over));
        assert!(!t.outcome().worked);
        let mut t = running(Way::Epsv, "(|||5001|)");
        assert_eq!(t.replied(522, "PROT P first", &to(), Micros(7)), Some(Need::Over), "clear data has none");
        let mut t = running(Way::Epsv, "(|||5001|)");
        assert_eq!(t.replied(550, "no such file", &to(), Micros(7)), Some(Need::Over));
        assert!(t.outcome().worked, "that there is nothing of this name is no fault of the way");
    }
}
