//! An event field by field, for programs. The keys stand at [`super::EventOut::data`].

use serde_json::{Map, Value, json};

use super::messages::{Link, group_name, number, scheme_name};
use crate::codes;
use crate::decode::{Event, Kind};
use crate::facts::{suite_name, version_name};
use crate::transcript::{Span, Transcript};
use crate::wire::tls::extensions::{KeyShare, ext};
use crate::wire::tls::handshake::{Message, type_name};
use crate::wire::tls::hello::{ClientHello, Extension, FALLBACK_SCSV, ServerHello};
use crate::wire::tls::record::{Front, HEADER_LEN, front};
use crate::wire::tls::ssl2;
use crate::wire::{dn, hex, printable};

/// Longest list that is shown.
const LONGEST_LIST: usize = 256;

/// The fields of an event.
pub(super) fn fields(t: &Transcript, e: &Event, link: &Link<'_>) -> Map<String, Value> {
    let mut out = Fields::default();
    match &e.kind {
        Kind::Handshake(message) => {
            if matches!(message, Message::ClientHello(_) | Message::ServerHello(_) | Message::HelloRetryRequest(_)) {
                out.some("record_version", record_version(t, e).map(version_name));
            }
            out.message(message, link);
        }
        Kind::Alert { level, description } => {
            out.set("level", *level).set("description", *description);
            out.some("name", codes::alert(*description).map(|a| a.name));
        }
        Kind::Opaque { content_type, len } => {
            out.set("content_type", *content_type).set("bytes", *len);
            out.some("renegotiation", link.again.then_some(true));
        }
        Kind::Reply(r) => {
            out.set("code", r.code).set("whole", r.whole);
        }
        Kind::TextInsteadOfTls { reply: Some(r), .. } => {
            out.set("code", r.code).set("whole", r.whole);
        }
        Kind::Command { verb, .. } => {
            out.set("verb", verb.as_str());
        }
        Kind::Gap { len, .. } => out.some("bytes", *len),
        Kind::CutShort { missing, .. } => out.some("missing", *missing),
        _ => {}
    }
    out.0
}

/// The version in the header of the record that a hello begins.
fn record_version(t: &Transcript, e: &Event) -> Option<u16> {
    let span = e.span?;
    match front(&t.bytes(Span { end: span.start.saturating_add(HEADER_LEN as u64), ..span })) {
        Front::Record(header) => Some(header.version),
        _ => None,
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// What is true stands there; what is not does not.
    fn flag(&mut self, key: &str, is: bool) {
        self.some(key, is.then_some(true));
    }

    /// The first items of a list, and how many more there are.
    fn list<T>(&mut self, key: &str, items: &[T], show: impl Fn(&T) -> Value) {
        self.set(key, items.iter().take(LONGEST_LIST).map(show).collect::<Vec<_>>());
        let more = items.len().saturating_sub(LONGEST_LIST);
        self.some(&format!("{key}_more"), (more > 0).then_some(more));
    }

    fn names(&mut self, key: &str, numbers: &[u16], name: impl Fn(u16) -> String) {
        self.list(key, numbers, |n| name(*n).into());
    }

    fn shares(&mut self, key: &str, shares: &[KeyShare]) {
        self.list(key, shares, |s| json!({ "group": group_name(s.group), "bytes": s.len }));
    }

    fn authorities<T: AsRef<[u8]>>(&mut self, names: &[T]) {
        self.list("authorities", names, |name| {
            dn::show(name.as_ref()).unwrap_or_else(|| "(unreadable name)".to_owned()).into()
        });
    }

    fn message(&mut self, message: &Message, link: &Link<'_>) {
        match message {
            Message::ClientHello(h) => self.client_hello(h),
            Message::ServerHello(h) => self.server_hello(h, link),
            Message::HelloRetryRequest(h) => {
                self.server_hello(h, link);
                if let Some(hello) = link.hello {
                    self.names("offered_groups", &hello.groups(), group_name);
                    self.shares("offered_key_shares", &hello.key_shares().unwrap_or_default());
                }
            }
            Message::Certificate { chain } => {
                self.set("count", chain.len());
                self.list("bytes", chain, |der| der.len().into());
            }
            Message::CertificateRequest { types, schemes, authorities } => {
                self.list("types", types, |n| (*n).into());
                if let Some(schemes) = schemes {
                    self.names("signature_schemes", schemes, scheme_name);
                }
                self.authorities(authorities);
            }
            Message::Ssl2ServerHello(h) => {
                self.set("resumed", h.hit).set("certificate_bytes", h.certificate.len());
                self.list("ssl2_suites", &h.specs, |s| spec(*s));
            }
            Message::Ssl2Error { code } => {
                self.set("code", *code);
                self.some("name", ssl2::error_name(*code));
            }
            other => self.other(other, link),
        }
    }

    fn other(&mut self, message: &Message, link: &Link<'_>) {
        let kind = match message {
            Message::ServerKeyExchange { params } => {
                let read = link.key_exchange(params).unwrap_or_default();
                self.some("group", read.group.map(group_name));
                self.some("prime_bits", read.prime_bits);
                self.some("signature_scheme", read.scheme.map(scheme_name));
                12
            }
            Message::NewSessionTicket { lifetime, len } => {
                self.set("lifetime_s", *lifetime).set("ticket_bytes", *len);
                4
            }
            Message::CertificateVerify { scheme } => {
                self.some("signature_scheme", scheme.map(scheme_name));
                15
            }
            Message::CertificateStatus { kind, len } => {
                self.set("status_type", *kind).set("bytes", *len);
                22
            }
            Message::ClientKeyExchange { len } => {
                self.set("bytes", *len);
                16
            }
            Message::Other { kind } | Message::Broken { kind, .. } => *kind,
            _ => return,
        };
        self.set("type", kind).set("name", type_name(kind));
    }

    fn client_hello(&mut self, h: &ClientHello) {
        self.set("version", version_name(h.version))
            .set("random", hex(&h.random))
            .set("session_id", hex(&h.session_id));
        let versions = h.supported_versions().unwrap_or_else(|| vec![h.version]);
        self.names("versions", &versions, version_name);
        self.names("suites", &h.suites, suite_name);
        self.list("compression", &h.compression, |n| (*n).into());
        self.flag("fallback", h.suites.contains(&FALLBACK_SCSV));
        self.flag("secure_renegotiation", h.renegotiates_securely());
        if let Some(specs) = &h.specs {
            self.set("format", "SSLv2");
            self.list("ssl2_suites", specs, |s| spec(*s));
        }
        let Some(extensions) = &h.extensions else { return };
        self.extensions(extensions);
        self.some("server_name", h.server_name().map(printable));
        if h.has(ext::ALPN) {
            self.list("alpn", &h.protocols(), |name| printable(name).into());
        }
        if h.has(ext::SUPPORTED_GROUPS) {
            self.names("groups", &h.groups(), group_name);
        }
        if h.has(ext::SIGNATURE_ALGORITHMS) {
            self.names("signature_schemes", &h.signature_schemes(), scheme_name);
        }
        if let Some(schemes) = h.certificate_schemes() {
            self.names("certificate_schemes", &schemes, scheme_name);
        }
        if let Some(shares) = h.key_shares() {
            self.shares("key_shares", &shares);
        }
        if let Some(names) = h.authorities() {
            self.authorities(&names);
        }
        self.some("point_formats", h.point_formats().map(<[u8]>::to_vec));
        self.some("psk_modes", h.psk_modes().map(<[u8]>::to_vec));
        self.some("psk_identities", h.psk_identities());
        self.some("ticket_bytes", h.ticket());
        self.some("cookie_bytes", h.cookie());
        self.some("renegotiation_bytes", h.renegotiation());
        self.flag("extended_master_secret", h.has(ext::EXTENDED_MASTER_SECRET));
        self.flag("encrypt_then_mac", h.has(ext::ENCRYPT_THEN_MAC));
        self.flag("early_data", h.has(ext::EARLY_DATA));
        self.flag("status_request", h.has(ext::STATUS_REQUEST));
    }

    fn server_hello(&mut self, h: &ServerHello, link: &Link<'_>) {
        self.set("version", version_name(h.version)).set("negotiated", version_name(h.negotiated()));
        self.set("random", hex(&h.random)).set("session_id", hex(&h.session_id));
        let asked = link.hello.filter(|hello| !hello.session_id.is_empty());
        self.some("session_id_repeated", asked.map(|hello| hello.session_id == h.session_id));
        self.set("suite", suite_name(h.suite));
        self.set("compression", h.compression);
        self.some("could", h.downgrade().map(version_name));
        let Some(extensions) = &h.extensions else { return };
        self.extensions(extensions);
        self.some("group", h.group().map(group_name));
        self.some("alpn", h.protocol().map(printable));
        self.some("psk", h.psk());
        self.some("cookie_bytes", h.cookie());
        self.some("renegotiation_bytes", h.renegotiation());
        self.flag("ticket", h.has(ext::SESSION_TICKET));
        self.flag("extended_master_secret", h.has(ext::EXTENDED_MASTER_SECRET));
        self.flag("encrypt_then_mac", h.has(ext::ENCRYPT_THEN_MAC));
    }

    fn extensions(&mut self, extensions: &[Extension]) {
        let name = |e: &Extension| codes::extension(e.id).map_or_else(|| number(e.id), str::to_owned).into();
        self.list("extensions", extensions, name);
    }
}

/// A suite of SSL 2.
fn spec(n: u32) -> Value {
    format!("{n:06X}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::transcript::dialogue;

    /// The fields of all events of a play.
    fn data(play: &str) -> Vec<Map<String, Value>> {
        let t = dialogue::parse(play).unwrap();
        let timeline = decode(&t);
        let mut link = Link::default();
        let mut of = Vec::new();
        for e in &timeline.events {
            link.takes(e);
            of.push(fields(&t, e, &link));
        }
        of
    }

    #[test]
    fn long_lists_end_and_say_so() {
        let suites = "002f".repeat(300);
        let body = format!("0303{}00{:04x}{suites}0100", "11".repeat(32), suites.len() / 2);
        let len = body.len() / 2;
        let hello = &data(&format!("0 C 160301{:04x} 01{len:06x}{body}", len + 4))[0];
        assert_eq!((hello["suites"].as_array().unwrap().len(), &hello["suites_more"]), (256, &json!(44)));
        assert_eq!((&hello["record_version"], &hello["versions"]), (&json!("TLS 1.0"), &json!(["TLS 1.2"])));
        assert!(!hello.contains_key("extensions") && !hello.contains_key("fallback"));
    }

    #[test]
    fn small_events_have_theirs() {
        let all = data("0 S \"220-a\\r\\n220 b\\r\\n\"\n1 C \"AUTH TLS\\r\\n\"\n2 S gap 7\n3 S 15030300020228");
        assert_eq!(all[0]["code"], json!(220));
        assert_eq!(all[1]["verb"], json!("AUTH"));
        assert_eq!(all[2]["bytes"], json!(7));
        assert_eq!((&all[3]["level"], &all[3]["name"]), (&json!(2), &json!("handshake_failure")));
    }
}
