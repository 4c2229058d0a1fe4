//! Handshake messages and encrypted records in words: what in them decides.

use super::events::content_name;
use crate::codes;
use crate::decode::{Event, Kind, is_sealed_alert};
use crate::facts::{Rounds, suite_name, version_name};
use crate::wire::tls::content;
use crate::wire::tls::handshake::{Message, type_name};
use crate::wire::tls::hello::{ClientHello, FALLBACK_SCSV, ServerHello};
use crate::wire::tls::key_exchange::KeyExchange;
use crate::wire::tls::ssl2;
use crate::wire::{dn, printable};

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// How many names or groups are shown one by one.
const SHOWN: usize = 3;

/// What is known of a connection while its events are told.
#[derive(Debug, Default)]
pub(super) struct Link<'a> {
    /// The last ClientHello.
    pub(super) hello: Option<&'a ClientHello>,
    /// Version and suite, once the server has chosen.
    pub(super) chosen: Option<(u16, u16)>,
    /// Whether the event belongs to a second handshake.
    pub(super) again: bool,
    rounds: Rounds,
}

impl<'a> Link<'a> {
    /// Takes the next event of the connection, before it is told.
    pub(super) fn takes(&mut self, e: &'a Event) {
        self.again = self.rounds.takes(e) && self.chosen.is_some_and(|(version, _)| version < TLS13);
        match &e.kind {
            Kind::Handshake(Message::ClientHello(hello)) => self.hello = Some(hello),
            Kind::Handshake(Message::ServerHello(hello)) => self.chosen = Some((hello.negotiated(), hello.suite)),
            _ => {}
        }
    }

    /// What a ServerKeyExchange says here.
    pub(super) fn key_exchange(&self, params: &[u8]) -> Option<KeyExchange> {
        let (version, suite) = self.chosen?;
        KeyExchange::read(params, suite, version)
    }
}

/// Name of a group, or its number.
pub(super) fn group_name(group: u16) -> String {
    codes::group(group).map_or_else(|| number(group), str::to_owned)
}

/// Name of a signature scheme, or its number.
pub(super) fn scheme_name(scheme: u16) -> String {
    codes::signature_scheme(scheme).map_or_else(|| number(scheme), str::to_owned)
}

/// A number that has no name.
pub(super) fn number(n: u16) -> String {
    format!("0x{n:04X}")
}

/// Kind and words of a handshake message.
pub(super) fn handshake(message: &Message, link: &Link<'_>) -> (&'static str, String) {
    match message {
        Message::ClientHello(h) => ("client-hello", client_hello(h)),
        Message::ServerHello(h) => ("server-hello", server_hello(h, link)),
        Message::HelloRetryRequest(h) => ("hello-retry-request", retry(h, link)),
        Message::Certificate { chain } => ("certificate", format!("Certificate: {} in the chain", chain.len())),
        Message::CertificateRequest { authorities, .. } => {
            ("certificate-request", format!("CertificateRequest: {}", names(authorities)))
        }
        Message::ServerKeyExchange { params } => ("handshake", key_exchange(link.key_exchange(params))),
        Message::NewSessionTicket { lifetime, .. } => ("handshake", format!("NewSessionTicket: good for {lifetime} s")),
        Message::CertificateVerify { scheme: Some(scheme) } => {
            ("handshake", format!("CertificateVerify: {}", scheme_name(*scheme)))
        }
        Message::CertificateVerify { scheme: None } => ("handshake", type_name(15).to_owned()),
        Message::CertificateStatus { .. } => ("handshake", type_name(22).to_owned()),
        Message::ClientKeyExchange { .. } => ("handshake", type_name(16).to_owned()),
        Message::Ssl2ServerHello(h) => ("ssl2-server-hello", format!("ServerHello of SSL 2: {} suites", h.specs.len())),
        Message::Ssl2Error { code } => {
            let name = ssl2::error_name(*code).unwrap_or("unknown");
            ("ssl2-error", format!("error {code} of SSL 2: {name}"))
        }
        Message::Other { kind } => ("handshake", type_name(*kind).to_owned()),
        Message::Broken { kind, part } => ("malformed", format!("{} breaks its own lengths: {part}", type_name(*kind))),
    }
}

fn client_hello(h: &ClientHello) -> String {
    let format = if h.specs.is_some() { " in SSLv2 format" } else { "" };
    let suites = h.specs.as_ref().map_or(h.suites.len(), Vec::len);
    let mut out = format!("ClientHello{format}: {} at most, {suites} suites", version_name(h.highest_version()));
    if let Some(name) = h.server_name() {
        out += &format!(", for {}", printable(name));
    }
    if h.suites.contains(&FALLBACK_SCSV) {
        out += ", a fallback";
    }
    if h.psk_identities().is_some() || h.ticket().is_some_and(|len| len > 0) {
        out += ", offers to resume";
    }
    out
}

fn server_hello(h: &ServerHello, link: &Link<'_>) -> String {
    let mut out = format!("ServerHello: {}, {}", version_name(h.negotiated()), suite_name(h.suite));
    if let Some(group) = h.group() {
        out += &format!(", {}", group_name(group));
    }
    if h.psk().is_some() {
        out += ", resumes";
    }
    let offered = |version| link.hello.is_some_and(|hello| hello.versions().contains(&version));
    if let Some(could) = h.downgrade().filter(|v| offered(*v)) {
        out += &format!("; it says that it knows {}, which was offered", version_name(could));
    }
    out
}

/// What the server asks for, and what the client had sent.
fn retry(h: &ServerHello, link: &Link<'_>) -> String {
    let Some(group) = h.group() else { return "HelloRetryRequest".to_owned() };
    let mut out = format!("HelloRetryRequest: asks for {}", group_name(group));
    if let Some(hello) = link.hello {
        let shares: Vec<u16> = hello.key_shares().unwrap_or_default().iter().map(|s| s.group).collect();
        out += &match shares.is_empty() {
            true => ", the client sent no key".to_owned(),
            false => format!(", the client sent a key for {}", list(&shares)),
        };
        if !hello.groups().contains(&group) {
            out += " and does not offer it";
        }
    }
    out
}

fn list(groups: &[u16]) -> String {
    let mut shown: Vec<String> = groups.iter().take(SHOWN).map(|g| group_name(*g)).collect();
    if groups.len() > SHOWN {
        shown.push(format!("{} more", groups.len() - SHOWN));
    }
    shown.join(", ")
}

fn names(authorities: &[Vec<u8>]) -> String {
    let of = match authorities.len() {
        0 => return "any authority".to_owned(),
        1 => "1 name".to_owned(),
        n => format!("{n} names"),
    };
    let first = authorities.first().and_then(|name| dn::show(name));
    first.map_or(of.clone(), |name| format!("{of} ({name}{})", if authorities.len() > 1 { ", ..." } else { "" }))
}

fn key_exchange(read: Option<KeyExchange>) -> String {
    let mut out = type_name(12).to_owned();
    let read = read.unwrap_or_default();
    let parts = [
        read.group.map(group_name),
        read.prime_bits.map(|bits| format!("prime of {bits} bits")),
        read.scheme.map(scheme_name),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        out += &format!(": {}", parts.join(", "));
    }
    out
}

/// An encrypted record: what its type tells, and in TLS 1.3, where all are data, what its length allows.
pub(super) fn opaque(content_type: u8, len: u16, link: &Link<'_>) -> String {
    match (content_type, link.chosen) {
        (content::ALERT, _) => "encrypted alert; which one does not show".to_owned(),
        (content::HANDSHAKE, _) if link.again => "encrypted handshake: a second one (renegotiation)".to_owned(),
        (content::APPLICATION_DATA, Some((TLS13.., _))) if is_sealed_alert(content_type, len) => {
            format!("encrypted record of {len} bytes: perhaps an alert")
        }
        _ => format!("encrypted {}", content_name(content_type)),
    }
}
