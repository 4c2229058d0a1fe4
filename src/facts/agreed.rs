//! What the messages of a handshake agree on, beside version and suite.

use super::shake::resumed;
use crate::decode::{Event, Kind};
use crate::transcript::{Decrypted, Side};
use crate::wire::tls::content;
use crate::wire::tls::extensions::ext;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::{ClientHello, ServerHello};
use crate::wire::tls::key_exchange::KeyExchange;

/// TLS 1.3: what comes behind the ServerHello is encrypted.
const TLS13: u16 = 0x0304;

/// What a connection's handshake agreed on, as its messages show it: `None` where they do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Protocol version.
    pub version: u16,
    /// Cipher suite (IANA number).
    pub suite: u16,
    /// Key exchange group.
    pub group: Option<u16>,
    /// Bits of the Diffie-Hellman prime.
    pub prime_bits: Option<usize>,
    /// Scheme of the server's signature; hidden in TLS 1.3, and without a name below TLS 1.2.
    pub scheme: Option<u16>,
    /// Application protocol; hidden in TLS 1.3.
    pub alpn: Option<Vec<u8>>,
    /// Whether an earlier session was resumed.
    pub resumed: Option<bool>,
    /// extended_master_secret (RFC 7627); part of TLS 1.3.
    pub extended_master_secret: Option<bool>,
    /// Secure renegotiation (RFC 5746); TLS 1.3 has no renegotiation.
    pub secure_renegotiation: Option<bool>,
    /// Seconds for which the server's ticket is good; hidden in TLS 1.3.
    pub ticket_lifetime: Option<u32>,
    /// The group that a HelloRetryRequest asked for.
    pub retry: Option<Retry>,
    /// Whether the server asked for a client certificate; hidden in TLS 1.3, and when a session is resumed.
    pub certificate_requested: Option<bool>,
    /// How many certificates the client sent; 0 for an empty list.
    pub client_certificates: Option<usize>,
    /// The version that the server says it could have spoken instead.
    pub could: Option<u16>,
    /// Whether a second handshake began inside the connection.
    pub renegotiated: bool,
}

/// A HelloRetryRequest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// The group that it asks for; `None` when it asks for something else.
    pub group: Option<u16>,
}

/// Adds up the events of one connection, in order. `None` when the server chose nothing.
pub fn agreed<'e>(events: impl Iterator<Item = &'e Event> + Clone) -> Option<Agreed> {
    let mut seen = Seen::default();
    for e in events.clone() {
        seen.takes(e);
    }
    let mut out = seen.out?;
    out.resumed = out.resumed.or_else(|| resumed(events));
    out.retry = seen.retry;
    if out.version < TLS13 && out.resumed == Some(false) && seen.server_done {
        out.certificate_requested = out.certificate_requested.or(Some(false));
    }
    Some(out)
}

#[derive(Default)]
struct Seen<'e> {
    out: Option<Agreed>,
    hello: Option<&'e ClientHello>,
    retry: Option<Retry>,
    /// ServerHelloDone.
    server_done: bool,
    rounds: Rounds,
}

impl<'e> Seen<'e> {
    fn takes(&mut self, e: &'e Event) {
        let from = e.from();
        if self.rounds.takes(e)
            && let Some(out) = &mut self.out
        {
            out.renegotiated = out.version < TLS13;
        }
        match &e.kind {
            Kind::Handshake(Message::ClientHello(hello)) => self.hello = Some(hello),
            Kind::Handshake(Message::HelloRetryRequest(hello)) => self.retry = Some(Retry { group: hello.group() }),
            Kind::Handshake(Message::ServerHello(hello)) => self.out = Some(chosen(hello, self.hello)),
            Kind::Handshake(message) => {
                self.server_done |= matches!(message, Message::Other { kind: SERVER_HELLO_DONE });
                if let Some(out) = &mut self.out {
                    out.takes(message, from);
                }
            }
            Kind::Decrypted { from, seen } => self.decrypted(*from, seen),
            _ => {}
        }
    }

    /// What our own engine saw has the word.
    fn decrypted(&mut self, from: Side, seen: &Decrypted) {
        let out = match (seen, &mut self.out) {
            (Decrypted::Established { .. }, out) => out.get_or_insert_with(Agreed::default),
            (_, Some(out)) => out,
            (_, None) => return,
        };
        match seen {
            Decrypted::Established { version, suite, group, alpn, resumed } => {
                (out.version, out.suite, out.resumed) = (*version, *suite, Some(*resumed));
                out.group = group.or(out.group);
                out.alpn = alpn.as_ref().map(|name| name.clone().into());
            }
            Decrypted::CertificateRequest { .. } => out.certificate_requested = Some(true),
            Decrypted::Certificates { chain } if from == Side::Client => out.client_certificates = Some(chain.len()),
            _ => {}
        }
    }
}

/// Which handshake of a connection an encrypted message belongs to, up to TLS 1.2.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rounds {
    /// ChangeCipherSpec of client and server.
    switched: [bool; 2],
    /// Their Finished.
    finished: [bool; 2],
}

impl Rounds {
    /// Takes an event of the connection; whether it belongs to a second handshake: behind its Finished an end sends handshake
    /// messages only to begin another one. Says nothing of TLS 1.3.
    pub fn takes(&mut self, e: &Event) -> bool {
        let Some(from) = e.from() else { return false };
        let n = if from == Side::Client { 0 } else { 1 };
        let (Some(switched), Some(finished)) = (self.switched.get_mut(n), self.finished.get_mut(n)) else {
            return false;
        };
        match e.kind {
            Kind::ChangeCipherSpec => *switched = true,
            Kind::Opaque { content_type: content::HANDSHAKE, .. } if *switched => {
                return core::mem::replace(finished, true);
            }
            _ => {}
        }
        false
    }
}

/// ServerHelloDone.
const SERVER_HELLO_DONE: u8 = 14;

/// What a ServerHello says, held against the hello that it answers.
fn chosen(server: &ServerHello, client: Option<&ClientHello>) -> Agreed {
    let version = server.negotiated();
    let old = version < TLS13;
    Agreed {
        version,
        suite: server.suite,
        group: server.group(),
        alpn: server.protocol().map(<[u8]>::to_vec),
        extended_master_secret: old.then(|| server.has(ext::EXTENDED_MASTER_SECRET)),
        secure_renegotiation: old
            .then(|| server.renegotiation().is_some() && client.is_none_or(ClientHello::renegotiates_securely)),
        could: server.downgrade(),
        ..Agreed::default()
    }
}

impl Agreed {
    /// A message behind the ServerHello, up to TLS 1.2.
    fn takes(&mut self, message: &Message, from: Option<Side>) {
        match message {
            Message::ServerKeyExchange { params } => {
                let read = KeyExchange::read(params, self.suite, self.version).unwrap_or_default();
                self.group = self.group.or(read.group);
                (self.prime_bits, self.scheme) = (read.prime_bits, read.scheme);
            }
            Message::NewSessionTicket { lifetime, .. } => self.ticket_lifetime = Some(*lifetime),
            Message::CertificateRequest { .. } => self.certificate_requested = Some(true),
            Message::Certificate { chain } if from == Some(Side::Client) => {
                self.client_certificates = Some(chain.len());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::transcript::dialogue;

    const RANDOM: &str = "603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d";

    fn record(head: &str, kind: &str, body: &str) -> String {
        let len = body.len() / 2;
        format!("{head} 160303{:04x} {kind}{len:06x} {body}\n", len + 4)
    }

    fn play(random: &str, extensions: &str) -> String {
        let tail = format!("{:04x}{extensions}", extensions.len() / 2);
        record("0 C", "01", &format!("0303{RANDOM}000004c03000ff0100"))
            + &record("1 S", "02", &format!("0303{random}00c03000{tail}"))
    }

    fn read(play: &str) -> Option<Agreed> {
        agreed(decode(&dialogue::parse(play).unwrap()).events.iter())
    }

    #[test]
    fn messages_behind_the_server_hello() {
        let hellos = play(RANDOM, "ff01000100 00170000".replace(' ', "").as_str());
        assert_eq!(read(&record("0 C", "01", &format!("0303{RANDOM}000002c0300100"))), None);
        let begun = read(&hellos).unwrap();
        assert_eq!((begun.extended_master_secret, begun.secure_renegotiation), (Some(true), Some(true)));
        assert_eq!((begun.certificate_requested, begun.resumed), (None, None));
        let share = record("1 S", "0c", "03001d01aa0804000155");
        let asks = record("1 S", "0d", "010100020401 0000".replace(' ', "").as_str());
        let done = "1 S 16030300040e000000\n".to_owned() + &record("2 C", "0b", "000000");
        let all = read(&(hellos.clone() + &share + &asks + &done)).unwrap();
        assert_eq!((all.group, all.scheme), (Some(0x1d), Some(0x0804)));
        assert_eq!((all.certificate_requested, all.client_certificates), (Some(true), Some(0)));
        let plain = read(&(hellos.clone() + &share + "1 S 16030300040e000000\n")).unwrap();
        assert_eq!((plain.certificate_requested, plain.resumed), (Some(false), Some(false)));
        let ticket = read(&(hellos + &record("2 S", "04", "00001c20000101"))).unwrap();
        assert_eq!(ticket.ticket_lifetime, Some(7200));
    }

    #[test]
    fn a_server_that_could_do_better_says_so() {
        let random = format!("{}444f574e47524401", &RANDOM[..48]);
        assert_eq!(read(&play(&random, "")).unwrap().could, Some(0x0304));
        assert_eq!(read(&play(&random, "")).unwrap().secure_renegotiation, Some(false));
        assert_eq!(read(&play(RANDOM, "")).unwrap().could, None);
    }

    #[test]
    fn a_second_handshake_shows_by_its_records() {
        let switch = |n, side| format!("{n} {side} 140303000101 16030300 04 01020304\n");
        let once = play(RANDOM, "") + &switch(2, "C") + &switch(3, "S");
        assert!(!read(&once).unwrap().renegotiated);
        assert!(read(&(once.clone() + "4 S 1603030004 01020304\n")).unwrap().renegotiated);
        // In TLS 1.3 such a record would be none of a handshake.
        assert!(!read(&(play(RANDOM, "002b00020304") + &switch(2, "C") + &switch(3, "S"))).unwrap().renegotiated);
    }
}
