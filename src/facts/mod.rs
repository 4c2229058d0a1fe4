//! What the events of a case add up to: who the two ends are, what the client offers, how its clock runs.
//!
//! Facts rank causes and pick directives; they prove nothing by themselves.

pub mod accepted;
pub mod accepts;
pub mod admits;
mod agreed;
mod answers;
pub mod audited;
pub mod behaviour;
mod client;
mod clock;
mod control;
mod hello;
mod offer;
mod server;
pub mod settings;
mod shake;
pub mod transfers;

pub use agreed::{Agreed, Retry, Rounds, agreed};
pub use answers::{Answer, Came};
pub use client::{Client, Sure};
pub use clock::HelloClock;
pub use offer::{Offer, suite_name, version_name};
pub use server::Product;
pub use settings::Settings;
pub use shake::{Completion, SEALED_ALERT, resumed};
pub use transfers::Transfer;

use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::transcript::{ConnId, Role, Transcript, Why};
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::ClientHello;
use crate::wire::tls::key_exchange::dh_prime_bits as dh_prime_len;

/// The facts of a case.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Places in the timeline of what the session's control connection tells, in order.
    pub control: Vec<usize>,
    /// What the server's wording tells of its product, surest first.
    pub servers: Vec<Product>,
    /// The client, when it is known at least as likely.
    pub client: Option<Client>,
    /// What the client could be, when nothing better is known; no advice follows it.
    pub guess: Option<Client>,
    /// What the first ClientHello of the control connection offers.
    pub offer: Option<Offer>,
    /// What that hello's clock says.
    pub clock: Option<HelloClock>,
    /// Bits of the Diffie-Hellman prime that the server sent.
    pub dh_prime_bits: Option<usize>,
    /// What questions to the endpoint came to.
    pub answers: Vec<Answer>,
    /// What the ends are told to do, as far as that was pasted along.
    pub settings: Settings,
}

/// Adds up.
pub fn gather(t: &Transcript, timeline: &Timeline) -> Facts {
    let hello = timeline.events.iter().find_map(|e| match &e.kind {
        Kind::Handshake(Message::ClientHello(hello)) if is_session_control(t, e.conn) => Some((e, hello.as_ref())),
        _ => None,
    });
    let (client, guess) = match client::client(t, timeline, hello) {
        Some(client) if client.sure == Sure::Possible => (None, Some(client)),
        client => (client, None),
    };
    Facts {
        control: control::control(t, timeline),
        servers: server::products(timeline),
        client,
        guess,
        offer: hello.map(|(event, hello)| Offer::of(event, hello)),
        clock: hello.and_then(|(event, hello)| clock::of(t.clock, event, hello)),
        dh_prime_bits: dh_prime_bits(t, timeline),
        answers: answers::answers(t, timeline),
        settings: Settings::of(timeline),
    }
}

/// The prime in the ServerKeyExchange, when the chosen suite is one with DHE.
fn dh_prime_bits(t: &Transcript, timeline: &Timeline) -> Option<usize> {
    let mut messages = timeline.events.iter().filter(|e| is_session_control(t, e.conn)).filter_map(|e| match &e.kind {
        Kind::Handshake(message) => Some(message),
        _ => None,
    });
    let suite = messages.find_map(|m| if let Message::ServerHello(h) = m { Some(h.suite) } else { None })?;
    codes::cipher_suite(suite).filter(|s| matches!(s.kx, "DH" | "DHE"))?;
    messages.find_map(|m| if let Message::ServerKeyExchange { params } = m { dh_prime_len(params) } else { None })
}

/// Whether a connection is the control connection of the session under examination.
pub fn is_session_control(t: &Transcript, id: ConnId) -> bool {
    t.conn(id).is_some_and(|c| c.role == Role::Control && c.why == Why::Session)
}

/// Whether a control connection was opened to learn something: what was changed there.
pub fn changed(t: &Transcript, id: ConnId) -> &[String] {
    match t.conn(id).map(|c| &c.why) {
        Some(Why::Question { changed }) => changed,
        _ => &[],
    }
}

impl Facts {
    /// Whether the server's wording is that of `product`.
    pub fn server_may_be(&self, product: &str) -> Option<&Product> {
        self.servers.iter().find(|p| p.id == product)
    }
}

/// A ClientHello event's message.
pub fn client_hello(event: &Event) -> Option<&ClientHello> {
    match &event.kind {
        Kind::Handshake(Message::ClientHello(hello)) => Some(hello),
        _ => None,
    }
}
