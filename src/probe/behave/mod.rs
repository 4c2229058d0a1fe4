//! The zoo: endpoints that misbehave, each as a script without socket or clock. Tests drive them as plays and over real sockets.
//!
//! A script is a list of [`Act`]s. An [`Endpoint`] is one connection of a [`Member`]: it is told what the client sent and says
//! what to do ([`Deed`]). Waiting, ends and sockets are the driver's.

// A member twice: with the terms of TLS 1.2 and with those of TLS 1.3.
macro_rules! both {
    ($name:literal, $terms:ident => $($act:expr),+ $(,)?) => {
        [
            {
                const $terms: Terms = TLS12;
                const SCRIPT: &[Act] = &[$($act),+];
                member(concat!($name, "-tls12"), SCRIPT)
            },
            {
                const $terms: Terms = TLS13;
                const SCRIPT: &[Act] = &[$($act),+];
                member(concat!($name, "-tls13"), SCRIPT)
            },
        ]
    };
}

mod auth;
pub mod ftpd;
mod greetings;
mod inside;
mod phrases;
mod replies;
mod text;
mod tls;

use std::collections::VecDeque;

use super::engine::Server;
pub use super::engine::{Identity, Terms, Wanted};
use crate::wire::tls::handshake::{self, Message};
use crate::wire::tls::hello::ClientHello;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// One step of an endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Says this: inside TLS when TLS stands, else in clear.
    Say(&'static [u8]),
    /// Sends these bytes as they are, past TLS.
    Clear(&'static [u8]),
    /// Waits for a whole TLS record of the client, and answers it.
    Answer(fn(&[u8]) -> Vec<u8>),
    /// Waits for a line of the client. A whole TLS record in clear is as good as one.
    Line,
    /// Waits for a whole TLS record of the client.
    Record,
    /// The same, and leaves it for a handshake.
    Hello,
    /// Does the server's side of a handshake until it completes or fails; from here on commands travel inside.
    Handshake(Terms),
    /// Answers the ClientHello as a handshake does, and reads no further.
    Flight(Terms),
    /// Ends its direction of TLS in order.
    CloseNotify,
    /// Does nothing for so many milliseconds.
    Pause(u32),
    /// Does this so many times.
    Repeat(u32, &'static [Act]),
    /// Waits until it is known whether this is so; then does the one or the other.
    When(If, &'static [Act], &'static [Act]),
    /// Closes its own direction (FIN) and goes on reading.
    HalfClose,
    /// Closes (FIN).
    Close,
    /// Resets (RST).
    Reset,
    /// Says nothing more, and leaves the connection open.
    Mute,
}

/// What an endpoint may ask of the client's first bytes. Nothing is taken from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum If {
    /// They are TLS.
    Tls,
    /// The ClientHello names a server (SNI).
    Named,
    /// Its record is longer than so many bytes, header included.
    Longer(usize),
    /// It offers this cipher suite.
    Offers(u16),
    /// It carries this extension.
    Carries(u16),
}

/// An endpoint that misbehaves.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What it does on its first connection.
    pub first: &'static [Act],
    /// What it does on all others.
    pub then: &'static [Act],
}

/// All members.
pub fn zoo() -> impl Iterator<Item = &'static Member> {
    let single =
        [greetings::MEMBERS, auth::MEMBERS, replies::MEMBERS, text::MEMBERS, tls::ALERTS, tls::WARNINGS, tls::MEMBERS];
    let both = [text::BOTH, tls::BOTH, inside::BOTH];
    single.into_iter().flatten().chain(both.into_iter().flatten().flatten())
}

/// What an endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It sends.
    Send(Vec<u8>),
    /// It waits for so many milliseconds.
    Wait(u32),
    /// It closes its own direction (FIN) and goes on reading.
    HalfClose,
    /// It closes (FIN).
    Close,
    /// It resets (RST).
    Reset,
}

/// A list of acts that is being done.
#[derive(Clone, Copy, Debug)]
struct Frame {
    rest: &'static [Act],
    whole: &'static [Act],
    /// How many times it is done again.
    again: u32,
}

/// One connection of a member.
#[derive(Debug)]
pub struct Endpoint {
    frames: Vec<Frame>,
    identity: Identity,
    heard: Vec<u8>,
    tls: Option<Server>,
    /// What the client said inside TLS.
    inner: VecDeque<u8>,
}

/// Longest line or record that is waited for; a client of ours sends no longer one.
const LONGEST: usize = 64 * 1024;

/// What became of an act.
enum Done {
    /// It is done.
    Yes,
    /// It is done with this deed.
    With(Deed),
    /// It goes on behind this deed.
    GoesOn(Deed),
    /// It waits for the client.
    Waits,
}

impl Endpoint {
    /// The `nth` connection, from 0, that was accepted. A handshake shows `identity`; with one that cannot be used it stays silent.
    pub fn of(member: &Member, nth: usize, identity: &Identity) -> Self {
        let script = if nth == 0 { member.first } else { member.then };
        let frames = vec![Frame { rest: script, whole: script, again: 0 }];
        Self { frames, identity: identity.clone(), heard: Vec::new(), tls: None, inner: VecDeque::new() }
    }

    /// Takes what the client sent.
    pub fn hear(&mut self, bytes: &[u8]) {
        if self.heard.len() < LONGEST {
            self.heard.extend_from_slice(bytes);
        }
    }

    /// What it does next, until it waits again.
    pub fn poll(&mut self) -> Option<Deed> {
        loop {
            match self.perform(self.next()?) {
                Done::Yes => self.advance(),
                Done::With(deed) => {
                    self.advance();
                    return Some(deed);
                }
                Done::GoesOn(deed) => return Some(deed),
                Done::Waits => return None,
            }
        }
    }

    fn next(&self) -> Option<Act> {
        self.frames.last()?.rest.first().copied()
    }

    /// Behind the present act; a list at its end is done again, or left.
    fn advance(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            frame.rest = frame.rest.get(1..).unwrap_or_default();
            if frame.rest.is_empty() && frame.again > 0 {
                frame.again -= 1;
                frame.rest = frame.whole;
            }
            if !frame.rest.is_empty() {
                return;
            }
            self.frames.pop();
        }
    }

    /// Puts a list in the place of the present act.
    fn descend(&mut self, acts: &'static [Act], times: u32) -> Done {
        if acts.is_empty() || times == 0 {
            return Done::Yes;
        }
        // The present act stands until its list is done: `advance` leaves both.
        self.frames.push(Frame { rest: acts, whole: acts, again: times - 1 });
        self.perform_first()
    }

    fn perform_first(&mut self) -> Done {
        match self.next() {
            Some(act) => self.perform(act),
            None => Done::Yes,
        }
    }

    fn perform(&mut self, act: Act) -> Done {
        match act {
            Act::Say(bytes) => Done::With(Deed::Send(self.wrapped(bytes))),
            Act::Clear(bytes) => Done::With(Deed::Send(bytes.to_vec())),
            Act::Answer(to) => self.take_record().map_or(Done::Waits, |r| Done::With(Deed::Send(to(&r)))),
            Act::Record => self.take_record().map_or(Done::Waits, |_| Done::Yes),
            Act::Hello => self.record_len().map_or(Done::Waits, |_| Done::Yes),
            Act::Line => self.line(),
            Act::Handshake(terms) => self.handshake(terms),
            Act::Flight(terms) => self.flight(terms),
            Act::CloseNotify => {
                let Some(tls) = &mut self.tls else { return Done::Yes };
                tls.close();
                Done::With(Deed::Send(tls.take_output()))
            }
            Act::Pause(ms) => Done::With(Deed::Wait(ms)),
            Act::Repeat(times, acts) => self.descend(acts, times),
            Act::When(what, yes, no) => match self.is_so(what) {
                None => Done::Waits,
                Some(so) => self.descend(if so { yes } else { no }, 1),
            },
            Act::HalfClose => Done::With(Deed::HalfClose),
            Act::Close | Act::Reset => {
                self.frames.clear();
                Done::With(if matches!(act, Act::Close) { Deed::Close } else { Deed::Reset })
            }
            Act::Mute => Done::Waits,
        }
    }

    /// Inside TLS where it stands.
    fn wrapped(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.tls.as_mut().filter(|tls| !tls.has_failed()) {
            Some(tls) => {
                tls.write(bytes);
                tls.take_output()
            }
            None => bytes.to_vec(),
        }
    }

    /// Gives TLS what came; what TLS has to say to it.
    fn pump(&mut self) -> Option<Deed> {
        let tls = self.tls.as_mut()?;
        tls.feed(&core::mem::take(&mut self.heard));
        self.inner.extend(tls.take_plain());
        Some(tls.take_output()).filter(|out| !out.is_empty()).map(Deed::Send)
    }

    fn handshake(&mut self, terms: Terms) -> Done {
        if self.tls.is_none() {
            self.tls = Server::new(terms, &self.identity);
        }
        if let Some(deed) = self.pump() {
            return Done::GoesOn(deed);
        }
        if self.tls.as_ref().is_some_and(Server::is_done) { Done::Yes } else { Done::Waits }
    }

    fn flight(&mut self, terms: Terms) -> Done {
        let Some(record) = self.take_record() else { return Done::Waits };
        let Some(mut tls) = Server::new(terms, &self.identity) else { return Done::Waits };
        tls.feed(&record);
        Done::With(Deed::Send(tls.take_output()))
    }

    fn line(&mut self) -> Done {
        if let Some(deed) = self.pump() {
            return Done::GoesOn(deed);
        }
        if self.tls.as_ref().is_some_and(Server::has_failed) {
            // Nobody hears another word behind a failed handshake.
            return self.perform(Act::Close);
        }
        if self.tls.is_some() {
            let Some(end) = self.inner.iter().position(|b| *b == b'\n') else { return Done::Waits };
            self.inner.drain(..=end);
        } else if self.is_tls() {
            return self.take_record().map_or(Done::Waits, |_| Done::Yes);
        } else {
            let Some(end) = self.heard.iter().position(|b| *b == b'\n') else { return Done::Waits };
            self.heard.drain(..=end);
        }
        Done::Yes
    }

    fn is_tls(&self) -> bool {
        matches!(front(&self.heard), Front::Record(_) | Front::Undecided)
    }

    /// Length of the record at the front, when it is whole.
    fn record_len(&self) -> Option<usize> {
        let Front::Record(header) = front(&self.heard) else { return None };
        Some(HEADER_LEN + usize::from(header.len)).filter(|len| self.heard.len() >= *len)
    }

    fn take_record(&mut self) -> Option<Vec<u8>> {
        self.record_len().map(|len| self.heard.drain(..len).collect())
    }

    fn is_so(&self, what: If) -> Option<bool> {
        if self.heard.is_empty() {
            return None;
        }
        if what == If::Tls || !self.is_tls() {
            return Some(self.is_tls());
        }
        let record = self.heard.get(..self.record_len()?)?;
        let Message::ClientHello(hello) = handshake::parse(record.get(HEADER_LEN..)?, None) else { return Some(false) };
        Some(match what {
            If::Tls => true,
            If::Named => hello.server_name().is_some(),
            If::Longer(len) => record.len() > len,
            If::Offers(suite) => hello.suites.contains(&suite),
            If::Carries(id) => ClientHello::extension(&hello, id).is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Act::{Close, HalfClose, Line, Pause, Record, Repeat, Reset, Say, When};
    use super::*;

    fn endpoint(script: &'static [Act]) -> Endpoint {
        Endpoint::of(&phrases::member("x", script), 0, &Identity { chain: Vec::new(), key: Vec::new() })
    }

    fn send(text: &str) -> Option<Deed> {
        Some(Deed::Send(text.as_bytes().to_vec()))
    }

    #[test]
    fn scripts_play() {
        let mut e = endpoint(&[Say(b"a"), Line, Record, Say(b"b"), Reset, Say(b"never")]);
        assert_eq!((e.poll(), e.poll()), (send("a"), None));
        e.hear(b"AUTH TLS\r\n\x16\x03\x01\x00");
        assert_eq!(e.poll(), None);
        e.hear(b"\x01\x00");
        assert_eq!((e.poll(), e.poll(), e.poll()), (send("b"), Some(Deed::Reset), None));
    }

    #[test]
    fn lists_are_done_again_and_left() {
        let mut e = endpoint(&[Repeat(2, &[Say(b"a"), Repeat(0, &[Close]), Pause(7)]), HalfClose, Repeat(1, &[Close])]);
        let deeds: Vec<Deed> = core::iter::from_fn(|| e.poll()).collect();
        let (a, wait) = (Deed::Send(b"a".to_vec()), Deed::Wait(7));
        assert_eq!(deeds, [a.clone(), wait.clone(), a, wait, Deed::HalfClose, Deed::Close]);
    }

    #[test]
    fn the_clients_first_bytes_decide() {
        const SCRIPT: &[Act] = &[When(If::Named, &[Say(b"named")], &[When(If::Tls, &[Say(b"tls")], &[Say(b"text")])])];
        let mut e = endpoint(SCRIPT);
        assert_eq!(e.poll(), None);
        e.hear(b"AUTH TLS\r\n");
        assert_eq!(e.poll(), send("text"));
        let mut e = endpoint(SCRIPT);
        e.hear(b"\x16\x03\x01\x00\x02\x01");
        assert_eq!(e.poll(), None, "a hello that is not whole says nothing of names");
        e.hear(b"\x00");
        assert_eq!(e.poll(), send("tls"));
    }

    #[test]
    fn another_script_for_other_connections() {
        let member = Member { name: "x", first: &[Say(b"a")], then: &[Say(b"b")] };
        let identity = Identity { chain: Vec::new(), key: Vec::new() };
        let said: Vec<_> = (0..3).map(|n| Endpoint::of(&member, n, &identity).poll()).collect();
        assert_eq!(said, [send("a"), send("b"), send("b")]);
    }
}
