//! Every PASV, EPSV, PORT and EPRT with its answer, whether or not a transfer came of it.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use super::{Answered, Line};
use crate::decode::{Event, Kind};
use crate::transcript::ConnId;
use crate::wire::ftp::{extended_port, host_port};

/// How a data connection was arranged: PASV, EPSV, PORT or EPRT, with the answer.
#[derive(Clone, Copy, Debug)]
pub struct Arranged<'a> {
    /// The command.
    pub command: Line<'a>,
    /// The answer.
    pub reply: Option<Answered<'a>>,
}

impl Arranged<'_> {
    /// Whether the client was to connect (PASV, EPSV).
    pub fn is_passive(&self) -> bool {
        matches!(self.command.verb, "PASV" | "EPSV")
    }

    /// Whether the server said yes.
    pub fn is_accepted(&self) -> bool {
        self.reply.is_some_and(|r| (200..300).contains(&r.reply.code))
    }

    /// Whether the server said no.
    pub fn is_refused(&self) -> bool {
        self.reply.is_some_and(|r| r.reply.code >= 400)
    }

    /// Address and port as announced; EPSV has no address. `None` when refused, or when it cannot be read.
    pub fn announced(&self) -> Option<(Option<IpAddr>, u16)> {
        let v4 = |a: core::net::SocketAddrV4| (Some(IpAddr::V4(*a.ip())), a.port());
        let reply = self.reply.filter(|_| self.is_accepted()).map(|r| r.reply.text.as_str());
        match self.command.verb {
            "PASV" => host_port(reply?).map(v4),
            "EPSV" => extended_port(reply?),
            "PORT" => host_port(self.command.argument).map(v4),
            _ => extended_port(self.command.argument),
        }
    }
}

/// All of them among these events of control connections, in order. EPSV ALL is none: it arranges nothing.
pub fn arrangements<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<Arranged<'a>> {
    let mut out: Vec<Arranged<'a>> = Vec::new();
    // Of each connection: the one without an answer, and whether no other command is without one.
    let mut open: BTreeMap<ConnId, (usize, bool)> = BTreeMap::new();
    // Connections on which a reply is due.
    let mut due: BTreeSet<ConnId> = BTreeSet::new();
    for e in events {
        match &e.kind {
            Kind::Command { verb, line } if matches!(verb.as_str(), "PASV" | "EPSV" | "PORT" | "EPRT") => {
                let argument = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
                let alone = due.insert(e.conn);
                if argument.eq_ignore_ascii_case("ALL") {
                    open.remove(&e.conn);
                    continue;
                }
                open.insert(e.conn, (out.len(), alone));
                out.push(Arranged { command: Line { event: e, verb, argument }, reply: None });
            }
            Kind::Command { .. } => {
                due.insert(e.conn);
                if let Some((_, alone)) = open.get_mut(&e.conn) {
                    *alone = false;
                }
            }
            Kind::Reply(reply) if reply.whole && reply.code >= 200 => {
                due.remove(&e.conn);
                let answers = |alone: bool| alone || matches!(reply.code, 227 | 229);
                let Some((n, _)) = open.get(&e.conn).copied().filter(|(_, alone)| answers(*alone)) else { continue };
                open.remove(&e.conn);
                if let Some(arranged) = out.get_mut(n) {
                    arranged.reply = Some(Answered { event: e, reply });
                }
            }
            _ => {}
        }
    }
    out
}
