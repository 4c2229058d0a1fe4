//! What is a connection? Its first bytes tell, whatever its port; the port speaks only where they do not.

use super::End;
use crate::wire::tls::hello::ClientHello;
use crate::wire::tls::record::HEADER_LEN;
use crate::wire::{ebcdic, ftp};

/// As much of either end as is looked at, in bytes.
pub(super) const LOOKED_AT: usize = 4096;

/// Ports of FTP (IANA): control, and control over TLS.
pub(super) const PORTS: [u16; 2] = [21, 990];

/// Ports of mail, whose replies look like those of FTP.
const MAIL: [u16; 4] = [25, 465, 587, 2525];

/// Codes of replies that FTP alone has.
const CODES: [u16; 30] = [
    125, 150, 213, 226, 227, 229, 230, 232, 234, 257, 331, 332, 350, 425, 426, 431, 521, 522, 530, 533, 534, 535, 536,
    537, 550, 551, 552, 553, 200, 221,
];

/// What is known of a connection that is to be recognised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// The first bytes of both ends.
    pub said: [&'a [u8]; 2],
    /// Who opened it; `None` when its beginning is missing.
    pub opener: Option<End>,
    /// The ports of both ends.
    pub ports: [u16; 2],
    /// Whether FTP is known to be served there.
    pub known: [bool; 2],
    /// Nothing more comes.
    pub over: bool,
}

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// More bytes may tell.
    Open,
    /// The control connection of a session.
    Control {
        /// Which end is the client of FTP.
        client: End,
        /// Whether that was only assumed.
        assumed: bool,
    },
    /// TLS from the first byte; of what, it does not say.
    Tls {
        /// Who sent the ClientHello.
        client: End,
    },
    /// Not the control connection of a session.
    Other,
}

fn index(end: End) -> usize {
    if end == End::One { 0 } else { 1 }
}

/// Recognises a connection.
pub(super) fn recognise(look: &Look<'_>) -> Kind {
    let both = [End::One, End::Two];
    let of = |end: End| look.said.get(index(end)).copied().unwrap_or_default();
    let answer = |client: End| {
        let server = client.other();
        let known = look.known.get(index(server)).is_some_and(|k| *k);
        let port = look.ports.get(index(server)).copied().unwrap_or_default();
        as_control(of(client), of(server), Place { known, port, over: look.over, begun: look.opener.is_some() })
    };
    if let Some(client) = look.opener {
        return match answer(client) {
            Kind::Control { .. } => Kind::Control { client, assumed: false },
            Kind::Tls { .. } => Kind::Tls { client },
            // Whoever was dialled may be the client of TLS: a data connection in active mode.
            _ if client_hello(of(client.other())).is_some() => Kind::Tls { client: client.other() },
            other => other,
        };
    }
    // Who replies, or answers a ClientHello, is the server; where nobody does, the port says it.
    let speaks = |client: End| {
        let (c, s) = (of(client), of(client.other()));
        code(s).is_some() || verb(c).is_some() || client_hello(c).is_some()
    };
    let answers = both.map(|client| (client, answer(client)));
    let control = answers.iter().filter(|(_, kind)| matches!(kind, Kind::Control { .. })).map(|(client, _)| *client);
    let mut control: Vec<End> = control.collect();
    control.sort_by_key(|client| !speaks(*client));
    if let Some(client) = control.first().copied() {
        return Kind::Control { client, assumed: !speaks(client) };
    }
    let tls =
        answers.iter().find(|(client, kind)| matches!(kind, Kind::Tls { .. }) && client_hello(of(*client)).is_some());
    match tls {
        Some((client, _)) => Kind::Tls { client: *client },
        None if answers.iter().all(|(_, kind)| *kind == Kind::Other) => Kind::Other,
        None => Kind::Open,
    }
}

/// The place of a connection that is looked at with one end as the client.
#[derive(Clone, Copy)]
struct Place {
    known: bool,
    port: u16,
    over: bool,
    begun: bool,
}

fn as_control(client: &[u8], server: &[u8], place: Place) -> Kind {
    let yes = Kind::Control { client: End::One, assumed: false };
    if place.known && !(client.is_empty() && server.is_empty()) {
        return yes;
    }
    let is_mail = MAIL.contains(&place.port) || says(server, b"SMTP") || begins_mail(client);
    let reply = code(server);
    if let Some(hello) = client_hello(client) {
        let protocols = hello.protocols();
        return match reply {
            _ if protocols.contains(&&b"ftp"[..]) => yes,
            Some(_) if !is_mail => yes,
            _ if !server.is_empty() || place.over || !protocols.is_empty() => Kind::Tls { client: End::One },
            _ => Kind::Open,
        };
    }
    if is_mail {
        return Kind::Other;
    }
    let greets = matches!(reply, Some(120 | 220 | 400..=599));
    match (verb(client), reply) {
        (Some(Verb::Ftp), Some(code)) if place.begun && greets || CODES.contains(&code) => yes,
        (Some(_), Some(_)) if says(server, b"FTP") => yes,
        (None, Some(_)) if client.is_empty() && place.over && greets && says(server, b"FTP") => yes,
        _ if place.over || client.len() >= LOOKED_AT || server.len() >= LOOKED_AT => Kind::Other,
        // Somebody said a whole line, and it is none of FTP.
        (None, _) if whole_line(client) => Kind::Other,
        (_, None) if whole_line(server) => Kind::Other,
        _ if is_binary(client) || is_binary(server) => Kind::Other,
        _ => Kind::Open,
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    let first = bytes.iter().take(8);
    let texty = |b: &u8| ftp::is_text(*b) || ebcdic::is_text(*b);
    // A ClientHello that is not whole yet may become one.
    !matches!(bytes.first(), Some(0x14..=0x18 | 0x80..=0xbf)) && first.into_iter().any(|b| !texty(b))
}

fn whole_line(bytes: &[u8]) -> bool {
    text(bytes).contains(&b'\n')
}

/// Text in ASCII; EBCDIC is decoded.
fn text(bytes: &[u8]) -> Vec<u8> {
    let is_ebcdic = bytes.first().is_some_and(|b| *b >= 0x81) && bytes.iter().take(64).all(|b| ebcdic::is_text(*b));
    if is_ebcdic { ebcdic::decode(bytes) } else { bytes.to_vec() }
}

fn first_line(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = text(bytes);
    let end = text.iter().position(|b| *b == b'\n')?;
    text.truncate(end);
    Some(text)
}

/// The code of the first reply. Four bytes show it; the line need not be whole.
fn code(bytes: &[u8]) -> Option<u16> {
    let text = text(bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default());
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if line.len() < 4 || line.iter().any(|b| !ftp::is_text(*b)) {
        return None;
    }
    ftp::reply_line(line).map(|r| r.code)
}

enum Verb {
    Ftp,
    /// Other protocols have it too.
    Shared,
}

fn verb(bytes: &[u8]) -> Option<Verb> {
    let line = first_line(bytes)?;
    let is_known = ftp::may_begin_command(&[&line[..], b"\n"].concat());
    let (verb, argument) = ftp::command(&line);
    let shared = matches!(verb.as_str(), "QUIT" | "NOOP" | "HELP" | "MODE" | "LIST" | "STAT")
        || verb == "AUTH" && !ftp::asks_for_tls(&format!("AUTH {}", String::from_utf8_lossy(argument)));
    is_known.then_some(if shared { Verb::Shared } else { Verb::Ftp })
}

fn begins_mail(client: &[u8]) -> bool {
    let verb = first_line(client).map(|line| ftp::command(&line).0).unwrap_or_default();
    matches!(verb.as_str(), "EHLO" | "HELO" | "LHLO" | "STARTTLS" | "MAIL" | "RCPT")
}

/// Whether the first lines of a server hold a word.
fn says(server: &[u8], word: &[u8]) -> bool {
    let text = text(server.get(..server.len().min(512)).unwrap_or_default()).to_ascii_uppercase();
    text.windows(word.len()).any(|w| w == word)
}

/// A ClientHello at the very beginning, as far as it is there.
pub(super) fn client_hello(bytes: &[u8]) -> Option<ClientHello> {
    let [22, 3, 0..=4, _, _, 1, _, _, _, ..] = bytes else { return None };
    ClientHello::parse(bytes.get(HEADER_LEN + 4..)?)
}
