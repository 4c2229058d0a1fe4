//! The part of the conversation in clear: greeting, AUTH, and what follows CCC.

use super::super::Output;
use super::super::replies::Heard;
use super::{Hello, Step, Talk};
use crate::transcript::{Micros, Mode, Side, What};

impl Talk {
    /// Text outside of TLS; returns how much of it was taken.
    pub(super) fn clear_text(&mut self, bytes: &[u8], now: Micros) -> usize {
        match self.replies.hear(bytes) {
            Heard::More => bytes.len(),
            Heard::TooMuch => {
                self.end();
                bytes.len()
            }
            Heard::Reply(code, len) => {
                // Behind CCC the conversation goes on as it was inside.
                if self.has_left() {
                    self.inner_reply(code, now)
                } else {
                    self.clear_reply(code, now)
                }
                len
            }
        }
    }

    pub(super) fn clear_reply(&mut self, code: u16, now: Micros) {
        match self.step {
            // "120 service ready in n minutes" announces the greeting.
            Step::Greeting if code < 200 => {}
            Step::Greeting => {
                self.greeted = true;
                match (code, self.mode) {
                    (400.., _) => self.enter(Step::LastWords, now),
                    (_, Mode::ImplicitAfterBanner) => self.begin_tls(now),
                    _ => {
                        self.auth_sent = true;
                        self.send_clear("AUTH TLS", Step::Auth { ssl: false }, now);
                    }
                }
            }
            Step::Auth { .. } if code < 200 => {}
            Step::Auth { .. } if !self.auth_answered => {
                self.auth_answered = true;
                self.clear_reply(code, now);
            }
            Step::Auth { .. } if code < 400 => self.begin_tls(now),
            // The service closes: no other command will be answered.
            Step::Auth { .. } if code == 421 => self.enter(Step::LastWords, now),
            Step::Auth { ssl: false } => self.send_clear("AUTH SSL", Step::Auth { ssl: true }, now),
            Step::Auth { ssl: true } => {
                self.send_clear("FEAT", Step::ClearFeat, now);
            }
            Step::ClearFeat => self.send_clear("QUIT", Step::Quit, now),
            _ => self.enter(Step::Farewell, now),
        }
    }

    pub(super) fn send_clear(&mut self, command: &str, next: Step, now: Micros) {
        self.out.push_back(Output::Send(self.conn, format!("{command}\r\n").into_bytes()));
        self.enter(next, now);
    }

    pub(super) fn begin_tls(&mut self, now: Micros) {
        self.note(What::TlsStarts { by: Side::Client });
        self.inside = true;
        self.enter(Step::Handshake, now);
        let hello = match &mut self.hello {
            Hello::Raw(record) => record.clone(),
            Hello::Engine(engine) => engine.take_output(),
        };
        self.out.push_back(Output::Send(self.conn, hello));
    }
}
