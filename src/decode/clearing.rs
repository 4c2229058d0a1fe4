//! A CCC that nobody could read: the session goes on in clear behind encrypted records (RFC 4217, section 6).

use crate::decode::{Event, Kind};
use crate::transcript::{ConnId, Layer, Side};
use crate::wire::ftp;
use crate::wire::tls::content;

/// Encrypted records that each end has sent at least, where CCC was asked for and granted: up to TLS 1.2 Finished and the words
/// themselves; in TLS 1.3 the last flight of the handshake and the words.
const CONVERSED: u8 = 2;

/// Length of an alert that TLS 1.3 encrypts without padding: two bytes, the type and a tag of 16. No line of FTP is as short.
const SEALED_ALERT: u16 = 19;

/// Replies that a server sends without being asked: it ends the session.
const GOODBYES: [u16; 2] = [221, 421];

/// What was seen of the encrypted records of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sealed {
    /// How many of client and server, up to [`CONVERSED`].
    records: [u8; 2],
    /// How often the server answered the client, up to [`CONVERSED`]: with its Finished or its tickets first, then with replies.
    answers: u8,
    /// The last one was the client's.
    asked: bool,
    /// The last one of the server may be an alert.
    goodbye: bool,
}

impl Sealed {
    /// Takes what an end sent.
    pub(super) fn takes(&mut self, from: Side, kind: &Kind) {
        let Kind::Opaque { content_type, len } = kind else { return };
        let is_alert = is_sealed_alert(*content_type, *len);
        if from == Side::Server {
            self.goodbye = is_alert;
        }
        if !is_alert {
            self.passes(from);
        }
    }

    /// Records passed of which nothing was kept.
    pub(super) fn skips(&mut self, from: Side) {
        self.goodbye &= from == Side::Client;
        self.passes(from);
    }

    fn passes(&mut self, from: Side) {
        let [client, server] = &mut self.records;
        let records = if from == Side::Client { client } else { server };
        *records = CONVERSED.min(*records + 1);
        if from == Side::Server && self.asked {
            self.answers = CONVERSED.min(self.answers + 1);
        }
        self.asked = from == Side::Client;
    }
}

/// Whether an encrypted record is an alert, as its type (up to TLS 1.2) or its length (TLS 1.3) says.
pub fn is_sealed_alert(content_type: u8, len: u16) -> bool {
    content_type == content::ALERT || content_type == content::APPLICATION_DATA && len == SEALED_ALERT
}

/// Whether a whole line of text, where a TLS record was due, shows that TLS was given up in agreement: a command that is known, from
/// a client that had conversed with the server inside TLS, or the goodbye of a server behind its close_notify. What else a server
/// says in clear may come of a process that has lost its TLS.
pub(super) fn is_clear(sealed: &Sealed, from: Side, line: &[u8]) -> bool {
    let conversed = sealed.records == [CONVERSED; 2];
    match from {
        Side::Client => conversed && line.ends_with(b"\n") && ftp::may_begin_command(ftp::without_telnet(line)),
        // Behind a handshake that the server refuses the same stands: it has to have answered more than that.
        Side::Server => {
            let answered = sealed.goodbye && sealed.answers == CONVERSED;
            answered && ftp::reply_line(line).is_some_and(|r| GOODBYES.contains(&r.code))
        }
    }
}

/// The first words in clear behind encrypted records on a connection: where a CCC shows that nobody could read. `None` where what was
/// said inside TLS is known.
pub fn first_clear<'e>(events: impl Iterator<Item = &'e Event>, conn: ConnId) -> Option<&'e Event> {
    let mut sealed = false;
    for e in events.filter(|e| e.conn == conn) {
        match (&e.kind, e.span.map(|s| s.flow.layer)) {
            (Kind::Opaque { .. }, _) => sealed = true,
            (Kind::Decrypted { .. }, _) | (_, Some(Layer::InsideTls)) => return None,
            (Kind::Command { .. } | Kind::Reply(_), Some(Layer::Wire)) if sealed => return Some(e),
            _ => {}
        }
    }
    None
}
