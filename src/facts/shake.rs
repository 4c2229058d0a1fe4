//! How far a handshake came, as its records show from outside.

use crate::decode::{Event, Kind};
use crate::transcript::{Decrypted, Layer, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::ServerHello;

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// pre_shared_key (RFC 8446).
const PRE_SHARED_KEY: u16 = 41;

/// Lengths of an encrypted record of TLS 1.3 that may be an alert: two bytes, its type and a tag of 16 make 19, and who pads may add
/// a little. Without padding an empty EncryptedExtensions has 23, and so has QUIT.
pub const SEALED_ALERT: core::ops::RangeInclusive<u16> = 19..=24;

/// What of a handshake was seen so far.
#[derive(Debug, Default)]
pub struct Completion {
    ours: bool,
    answered: bool,
    established: bool,
    version: Option<u16>,
    client: Sender,
    server: Sender,
}

/// What one side sent.
#[derive(Clone, Copy, Debug, Default)]
struct Sender {
    /// ChangeCipherSpec.
    switched: bool,
    /// What only an end sends that is through with its part: up to TLS 1.2 an encrypted Finished or data, in TLS 1.3 what is
    /// no alert, and of the server what stands behind the client's Finished.
    done: bool,
}

impl Completion {
    /// Of a connection of which nothing was seen. In a run of ours (`ours`) our own engine has the word: an encrypted alert
    /// looks like data.
    pub fn new(ours: bool) -> Self {
        Self { ours, ..Self::default() }
    }

    /// Takes an event of the connection, in order; whether the handshake has completed with it.
    pub fn takes(&mut self, e: &Event) -> bool {
        match (&e.kind, e.from()) {
            (Kind::Decrypted { seen: Decrypted::Established { .. }, .. }, _) => {
                self.established = true;
                return true;
            }
            // Who quotes what the server said inside TLS had a handshake.
            (Kind::Reply(_), _) if e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls) => return true,
            // The answer may be among what is missing.
            (Kind::Gap { from: Side::Server, .. } | Kind::Handshake(Message::HelloRetryRequest(_)), _) => {
                self.answered = true;
            }
            (Kind::Handshake(Message::ServerHello(hello)), _) => {
                (self.answered, self.version) = (true, Some(hello.negotiated()));
            }
            (Kind::ChangeCipherSpec, Some(from)) => self.sender(from).switched = true,
            (Kind::Opaque { content_type: content::HANDSHAKE, .. }, Some(from)) => {
                let sender = self.sender(from);
                sender.done |= sender.switched;
            }
            (Kind::Opaque { content_type: content::APPLICATION_DATA, len }, Some(from)) => {
                let is_old = self.version.is_some_and(|v| v < TLS13);
                let behind = if from == Side::Client { self.answered } else { self.client.done };
                self.sender(from).done |= is_old || (!SEALED_ALERT.contains(len) && behind);
            }
            _ => {}
        }
        self.answered && self.client.done && self.server.done && !self.ours
    }

    /// Whether that is proof: our own engine saw it, or the records of TLS 1.2 and below. In TLS 1.3 the server's first record
    /// behind the client's Finished may have crossed it.
    pub fn is_proved(&self) -> bool {
        self.established || self.version.is_some_and(|v| v < TLS13)
    }

    fn sender(&mut self, side: Side) -> &mut Sender {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}

/// Whether an earlier session was resumed on a connection, as its messages show: TLS 1.3 answers with pre_shared_key; TLS 1.2
/// repeats the session id of the client, or ends the handshake without a certificate. `None` where it does not show.
pub fn resumed<'e>(events: impl Iterator<Item = &'e Event>) -> Option<bool> {
    let (mut offered, mut chosen, mut is_full, mut lacks): (&[u8], Option<&ServerHello>, bool, bool) =
        (&[], None, false, false);
    for e in events {
        match (&e.kind, e.from()) {
            (Kind::Handshake(Message::ClientHello(hello)), _) => offered = &hello.session_id,
            (Kind::Handshake(Message::ServerHello(hello)), _) if hello.negotiated() >= TLS13 => {
                return Some(hello.extension(PRE_SHARED_KEY).is_some());
            }
            (Kind::Handshake(Message::ServerHello(hello)), _) => chosen = Some(hello),
            // ServerHelloDone ends what only a full handshake has.
            (Kind::Handshake(Message::Certificate { .. } | Message::ServerKeyExchange { .. }), Some(Side::Server))
            | (Kind::Handshake(Message::Other { kind: 14 }), Some(Side::Server)) => is_full = true,
            (Kind::Gap { from: Side::Server, .. }, _) => lacks = true,
            (Kind::ChangeCipherSpec, Some(Side::Server)) => {
                // Behind a HelloRetryRequest it means nothing (RFC 8446, appendix D.4).
                let Some(hello) = chosen else { continue };
                let repeated = !offered.is_empty() && offered == hello.session_id;
                return match (is_full, repeated || !lacks) {
                    (true, _) => Some(false),
                    (false, resumed) => resumed.then_some(true),
                };
            }
            _ => {}
        }
    }
    is_full.then_some(false).filter(|_| chosen.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::transcript::dialogue;

    const RANDOM: &str = "603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d";

    /// A handshake up to the server's answer, with this session id in both hellos.
    fn begun(version: &str, id: &str, extension: &str) -> String {
        let id = format!("{:02x}{id}", id.len() / 2);
        let record = |head: &str, kind: &str, body: String| {
            let len = body.len() / 2;
            format!("{head} 160303{:04x} {kind}{len:06x} {body}\n", len + 4)
        };
        let tail = if extension.is_empty() { String::new() } else { format!("{:04x}{extension}", extension.len() / 2) };
        record("0 C", "01", format!("0303{RANDOM}{id}0002c0300100"))
            + &record("1 S", "02", format!("{version}{RANDOM}{id}c03000{tail}"))
    }

    fn asked<T>(play: &str, ask: impl Fn(&[Event]) -> T) -> T {
        ask(&decode(&dialogue::parse(play).unwrap()).events)
    }

    fn is_resumed(play: &str) -> Option<bool> {
        asked(play, |events| resumed(events.iter()))
    }

    fn completes(play: &str) -> Option<bool> {
        asked(play, |events| {
            let mut seen = Completion::new(false);
            events.iter().any(|e| seen.takes(e)).then(|| seen.is_proved())
        })
    }

    const SWITCH: &str = "2 S 140303000101\n";
    const FINISHED: &str =
        "1603030028 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677";

    #[test]
    fn what_is_resumed_shows_without_certificate() {
        assert_eq!(is_resumed(&begun("0303", "aa", "")), None);
        assert_eq!(is_resumed(&(begun("0303", "aa", "") + SWITCH)), Some(true));
        assert_eq!(is_resumed(&(begun("0303", "", "") + SWITCH)), Some(true));
        assert_eq!(is_resumed(&(begun("0303", "aa", "") + "1 S 16030300040e000000\n" + SWITCH)), Some(false));
        // The certificate may be what is missing; the repeated id is there.
        assert_eq!(is_resumed(&(begun("0303", "", "") + "1 S gap 9\n" + SWITCH)), None);
        assert_eq!(is_resumed(&(begun("0303", "aa", "") + "1 S gap 9\n" + SWITCH)), Some(true));
        assert_eq!(is_resumed(&begun("0303", "aa", "002b00020304")), Some(false));
        assert_eq!(is_resumed(&begun("0303", "aa", "002b00020304002900020000")), Some(true));
    }

    #[test]
    fn a_finished_of_both_sides_completes() {
        let old = begun("0303", "", "");
        let both = format!("{old}2 C 140303000101 {FINISHED}\n3 S 140303000101 {FINISHED}\n");
        assert_eq!(completes(&both), Some(true));
        assert_eq!(completes(&format!("{old}2 C 140303000101 {FINISHED}\n3 S 140303000101\n")), None);
        assert_eq!(completes(&format!("{old}2 C 140303000101 {FINISHED}\n3 S 15030300020228\n")), None);
        let late = format!("0 C gap\n0 S gap\n2 C 140303000101 {FINISHED}\n3 S 140303000101 {FINISHED}\n");
        assert_eq!(completes(&late), Some(false));
    }

    #[test]
    fn what_may_be_an_alert_completes_nothing() {
        let new = begun("0303", "", "002b00020304");
        let (long, short) = (format!("1703030035 {}", "11".repeat(53)), format!("1703030013 {}", "22".repeat(19)));
        assert_eq!(completes(&format!("{new}2 S {long}\n3 C {long}\n4 S {long}\n")), Some(false));
        assert_eq!(completes(&format!("{new}2 S {long}\n3 C {long}\n4 S {short}\n")), None);
        assert_eq!(completes(&format!("{new}2 S {long}\n3 C {short}\n")), None);
        assert_eq!(completes(&format!("{new}2 S {long}\n3 C {long}\n")), None);
    }
}
