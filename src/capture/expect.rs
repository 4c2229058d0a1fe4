//! What a control connection announces in clear: where its data connections will be.

use core::net::{IpAddr, SocketAddr};

use super::ties::id;
use crate::transcript::Side;
use crate::transcript::bulk::Fate;
use crate::wire::reader::Reader;
use crate::wire::{ebcdic, ftp};

/// Longest line that is read.
const LONGEST: usize = 1024;

/// An address at which a data connection is expected. `ip` is `None` where the reply names none: that of the control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// Who listens there.
    pub listener: Side,
    /// The address.
    pub ip: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Reads along.
#[derive(Debug, Default)]
pub(super) struct Watch {
    lines: [Vec<u8>; 2],
    /// What a PORT or EPRT named that was not answered yet.
    asked: Option<Announced>,
    /// What is announced and was not taken yet.
    announced: Vec<Announced>,
    /// Ids and tickets of TLS sessions that the server gave out in clear and that were not taken yet.
    ids: Vec<Vec<u8>>,
    /// When something encrypted last passed.
    pub encrypted: Option<i64>,
    /// When the server last sent something encrypted.
    pub answered: Option<i64>,
}

impl Watch {
    /// The next bytes, and what becomes of them.
    pub fn see(&mut self, from: Side, part: &[u8], fate: Fate, at: i64) {
        if fate == Fate::Encrypted {
            self.encrypted = Some(at);
            if from == Side::Server {
                self.answered = Some(at);
            }
        }
        if fate == Fate::Kept && from == Side::Server {
            self.ids.extend(given_out(part));
        }
        if fate != Fate::Text {
            return;
        }
        for line in part.split_inclusive(|b| *b == b'\n' || *b == 0x15 || *b == 0x25) {
            let Some(held) = self.lines.get_mut(usize::from(from == Side::Server)) else { return };
            held.extend(line.iter().take(LONGEST.saturating_sub(held.len())));
            // An EBCDIC line ends otherwise, and its first byte shows that it is one.
            let is_ebcdic = held.first().is_some_and(|b| *b >= 0x81);
            let ends = |b: &u8| *b == b'\n' || is_ebcdic && matches!(*b, 0x15 | 0x25);
            if line.last().is_some_and(ends) {
                let line = core::mem::take(held);
                self.line(from, &if is_ebcdic { ebcdic::decode(&line) } else { line });
            }
        }
    }

    /// Bytes are missing: a line is not whole.
    pub fn miss(&mut self, from: Side) {
        if let Some(held) = self.lines.get_mut(usize::from(from == Side::Server)) {
            held.clear();
        }
        self.asked = None;
    }

    /// What was announced since the last time.
    pub fn take(&mut self) -> Vec<Announced> {
        core::mem::take(&mut self.announced)
    }

    /// The ids of TLS sessions that were given out since the last time.
    pub fn ids(&mut self) -> Vec<Vec<u8>> {
        core::mem::take(&mut self.ids)
    }

    fn line(&mut self, from: Side, line: &[u8]) {
        match from {
            Side::Client => self.asked = active(line),
            Side::Server => {
                let Some(reply) = ftp::reply_line(line).filter(|r| r.last) else { return };
                let asked = self.asked.take();
                let text = String::from_utf8_lossy(reply.text);
                let listener = Side::Server;
                match reply.code {
                    227 => self.announced.extend(ftp::host_port(&text).map(|a| {
                        let ip = Some(IpAddr::from(*a.ip())).filter(|ip| !ip.is_unspecified());
                        Announced { listener, ip, port: a.port() }
                    })),
                    229 => self.announced.extend(ftp::extended_port(&text).map(|(ip, port)| Announced {
                        listener,
                        ip,
                        port,
                    })),
                    200..=299 => self.announced.extend(asked),
                    _ => {}
                }
            }
        }
    }
}

/// The id in a ServerHello, or the ticket in a NewSessionTicket (RFC 5077), at the front of a record's content.
fn given_out(content: &[u8]) -> Option<Vec<u8>> {
    let mut r = Reader::new(content);
    let kind = r.u8()?;
    r.u24()?;
    match kind {
        2 => {
            r.take(34)?;
            id(r.part8()?)
        }
        4 => {
            r.take(4)?;
            id(r.part16()?)
        }
        _ => None,
    }
}

/// Where a client listens that says PORT or EPRT.
fn active(line: &[u8]) -> Option<Announced> {
    let (verb, argument) = ftp::command(line);
    let argument = String::from_utf8_lossy(argument);
    let (ip, port) = match verb.as_str() {
        "PORT" => ftp::host_port(&argument).map(|a| (Some(IpAddr::from(*a.ip())), a.port()))?,
        "EPRT" => ftp::extended_port(&argument)?,
        _ => return None,
    };
    Some(Announced { listener: Side::Client, ip, port })
}

/// Where a data connection is expected, with the address to be dialled.
pub(super) fn places(announced: Announced, client: IpAddr, server: IpAddr) -> [Option<SocketAddr>; 2] {
    let own = if announced.listener == Side::Server { server } else { client };
    // Behind a translation of addresses it is that of the control connection.
    let named = announced.ip.map(|ip| SocketAddr::new(ip.to_canonical(), announced.port));
    [Some(SocketAddr::new(own, announced.port)), named]
}
