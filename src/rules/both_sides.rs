//! What the two ends offer and choose, held against each other: versions, suites, groups and signatures. Of the server only
//! what its messages in this evidence show.

use serde_json::{Map, Value};

use super::Finding;
use crate::codes;
use crate::decode::{Event, Kind};
use crate::facts::{suite_name, version_name};
use crate::transcript::Side;
use crate::wire::dn;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::{ClientHello, FALLBACK_SCSV, ServerHello, is_grease};
use crate::wire::tls::key_exchange::KeyExchange;

/// Longest list in the data of a finding.
const LONGEST_LIST: usize = 64;

/// Longest list that a server may well have nothing of.
const FEW: usize = 3;

/// How many are named in a sentence.
const NAMED: usize = 4;

/// What both ends of one handshake said.
#[derive(Default)]
pub(super) struct Sides<'a> {
    hello: Option<&'a ClientHello>,
    retry: Option<&'a ServerHello>,
    chosen: Option<&'a ServerHello>,
    key_exchange: Option<KeyExchange>,
    request: Option<Request<'a>>,
}

/// What the server's CertificateRequest says.
#[derive(Clone, Copy)]
struct Request<'a> {
    schemes: Option<&'a [u16]>,
    authorities: &'a [Vec<u8>],
}

impl<'a> Sides<'a> {
    /// Of the events of one connection, in order.
    pub(super) fn of(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut out = Self::default();
        for e in events {
            let Kind::Handshake(message) = &e.kind else { continue };
            match (message, e.from()) {
                (Message::ClientHello(hello), Some(Side::Client)) => out.hello = Some(hello),
                (Message::HelloRetryRequest(hello), Some(Side::Server)) => out.retry = Some(hello),
                (Message::ServerHello(hello), Some(Side::Server)) => out.chosen = Some(hello),
                (Message::ServerKeyExchange { params }, Some(Side::Server)) => {
                    let read = |hello: &ServerHello| KeyExchange::read(params, hello.suite, hello.negotiated());
                    out.key_exchange = out.chosen.and_then(read);
                }
                (Message::CertificateRequest { schemes, authorities, .. }, Some(Side::Server)) => {
                    out.request = Some(Request { schemes: schemes.as_deref(), authorities });
                }
                _ => {}
            }
        }
        out
    }

    /// Writes down what the client offers and what the server's messages say that it takes.
    pub(super) fn note(&self, f: &mut Finding) {
        let Some(hello) = self.hello else { return };
        let mut offered = Map::new();
        list(&mut offered, "versions", &hello.versions(), version_name);
        list(&mut offered, "suites", &hello.real_suites(), suite_name);
        list(&mut offered, "groups", &real(hello.groups()), group_name);
        list(&mut offered, "signature_schemes", &real(hello.signature_schemes()), scheme_name);
        f.set("offered", offered);
        let mut accepted = Map::new();
        let mut one = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                accepted.insert(key.to_owned(), value.into());
            }
        };
        one("version", self.chosen.map(|h| version_name(h.negotiated())));
        one("suite", self.chosen.or(self.retry).map(|h| suite_name(h.suite)));
        one("group", self.group().map(group_name));
        one("signature_scheme", self.key_exchange.and_then(|k| k.scheme).map(scheme_name));
        if let Some(request) = self.request {
            list(&mut accepted, "client_signature_schemes", request.schemes.unwrap_or_default(), scheme_name);
            let names: Vec<Value> = request.authorities.iter().take(LONGEST_LIST).map(|n| name(n).into()).collect();
            accepted.insert("client_authorities".to_owned(), names.into());
        }
        if !accepted.is_empty() {
            f.set("accepted", accepted);
        }
        f.why.extend(self.clash());
    }

    fn group(&self) -> Option<u16> {
        let of = |h: &ServerHello| h.group();
        self.chosen.and_then(of).or(self.key_exchange.and_then(|k| k.group)).or(self.retry.and_then(of))
    }

    /// Where they do not meet, in one line.
    fn clash(&self) -> Option<String> {
        let hello = self.hello?;
        let (groups, schemes) = (real(hello.groups()), real(hello.signature_schemes()));
        if let Some(group) = self.group().filter(|g| !groups.is_empty() && !groups.contains(g)) {
            let asks = if self.chosen.is_some() { "uses" } else { "asks for" };
            return Some(format!(
                "Groups: the server {asks} {}, the client offers {}.",
                group_name(group),
                named(&groups, group_name)
            ));
        }
        let scheme = self.key_exchange.and_then(|k| k.scheme);
        if let Some(scheme) = scheme.filter(|s| !schemes.is_empty() && !schemes.contains(s)) {
            let (server, client) = (scheme_name(scheme), named(&schemes, scheme_name));
            return Some(format!("Signatures: the server signs with {server}, the client offers {client}."));
        }
        let chosen = self.chosen?;
        if !hello.suites.contains(&chosen.suite) {
            return Some(format!("Suites: the server chose {}, which was not offered.", suite_name(chosen.suite)));
        }
        let (version, versions) = (chosen.negotiated(), hello.versions());
        if hello.supported_versions().is_some() && !versions.contains(&version) {
            let (server, client) = (version_name(version), named(&versions, version_name));
            return Some(format!("Versions: the server chose {server}, the client offers {client}."));
        }
        let could = chosen.downgrade().filter(|v| versions.contains(v))?;
        let (server, could) = (version_name(version), version_name(could));
        Some(format!(
            "The server chose {server} and says that it knows {could}, which was offered: a hello was changed."
        ))
    }

    /// What the client offers, where it names few groups or signatures: a server may have none of them.
    pub(super) fn narrow(&self) -> Option<String> {
        let hello = self.hello?;
        let (groups, schemes) = (real(hello.groups()), real(hello.signature_schemes()));
        let few = |list: &[u16]| (1..=FEW).contains(&list.len());
        let parts = [
            few(&groups).then(|| format!("no groups but {}", named(&groups, group_name))),
            few(&schemes).then(|| format!("no signatures but {}", named(&schemes, scheme_name))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("The client offers {}.", parts.join("; ")))
    }

    /// The old version that the server chose, where the client breaks off for it: what is older than TLS 1.2, and below its best.
    pub(super) fn too_old(&self) -> Option<u16> {
        let best = self.hello?.highest_version();
        self.chosen.map(ServerHello::negotiated).filter(|v| *v < TLS12 && best >= TLS12)
    }

    /// Whether the client says that an earlier try with a higher version came to nothing.
    pub(super) fn is_fallback(&self) -> bool {
        self.hello.is_some_and(|h| h.suites.contains(&FALLBACK_SCSV))
    }

    /// Whether the first ServerHello holds what only that of a second handshake may: there it binds both together (RFC 5746).
    pub(super) fn binds_to_another_handshake(&self) -> bool {
        self.chosen.is_some_and(|h| h.renegotiation().is_some_and(|len| len > 0))
    }

    /// Whether the server chose a version below TLS 1.3, and does not know secure renegotiation.
    pub(super) fn lacks_secure_renegotiation(&self) -> bool {
        self.chosen.is_some_and(|h| h.negotiated() < TLS13 && h.renegotiation().is_none())
    }
}

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// TLS 1.3: it has no renegotiation.
const TLS13: u16 = 0x0304;

fn real(numbers: Vec<u16>) -> Vec<u16> {
    numbers.into_iter().filter(|n| !is_grease(*n)).collect()
}

fn list(out: &mut Map<String, Value>, key: &str, numbers: &[u16], name: impl Fn(u16) -> String) {
    let names: Vec<Value> = numbers.iter().take(LONGEST_LIST).map(|n| name(*n).into()).collect();
    out.insert(key.to_owned(), names.into());
}

fn named(numbers: &[u16], name: impl Fn(u16) -> String) -> String {
    let mut shown: Vec<String> = numbers.iter().take(NAMED).map(|n| name(*n)).collect();
    if numbers.len() > NAMED {
        shown.push(format!("{} more", numbers.len() - NAMED));
    }
    shown.join(", ")
}

fn name(der: &[u8]) -> String {
    dn::show(der).unwrap_or_else(|| "(unreadable name)".to_owned())
}

fn group_name(n: u16) -> String {
    codes::group(n).map_or_else(|| format!("0x{n:04X}"), str::to_owned)
}

fn scheme_name(n: u16) -> String {
    codes::signature_scheme(n).map_or_else(|| format!("0x{n:04X}"), str::to_owned)
}
