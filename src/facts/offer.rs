//! What the client offers in its ClientHello.

use serde_json::{Map, Value, json};

use crate::codes;
use crate::decode::Event;
use crate::transcript::Span;
use crate::wire::tls::handshake::HEADER_LEN;
use crate::wire::tls::hello::ClientHello;

/// What a ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Where it stands.
    pub span: Option<Span>,
    /// Length of the handshake message, without record headers.
    pub message_len: u64,
    /// Length on the wire, with record headers.
    pub wire_len: u64,
    /// Protocol versions, highest first.
    pub versions: Vec<u16>,
    /// Cipher suites in order, signals included.
    pub suites: Vec<u16>,
    /// How many extensions; `None` when there is no extension block.
    pub extensions: Option<usize>,
    /// Server name asked for, as printable ASCII.
    pub server_name: Option<String>,
    /// Groups in order.
    pub groups: Vec<u16>,
    /// Signature schemes in order.
    pub schemes: Vec<u16>,
    /// Suites of SSL 2, three bytes each, when the hello has the format of SSL 2; `None` for that of TLS.
    pub ssl2: Option<Vec<u32>>,
}

impl Offer {
    /// The offer of one ClientHello event.
    pub(super) fn of(event: &Event, hello: &ClientHello) -> Self {
        let body = 2 + 32 + 1 + hello.session_id.len() + 2 + hello.suites.len() * 2 + 1 + hello.compression.len();
        let extensions =
            hello.extensions.as_ref().map_or(0, |all| 2 + all.iter().map(|e| 4 + e.data.len()).sum::<usize>());
        let wire_len = event.span.map_or(0, |s| s.len());
        // Two bytes of length are all that SSL 2 puts around a hello.
        let is_ssl2 = hello.specs.is_some();
        let message_len = if is_ssl2 { wire_len.saturating_sub(2) } else { (HEADER_LEN + body + extensions) as u64 };
        let own = |specs: &Vec<u32>| specs.iter().copied().filter(|s| u16::try_from(*s).is_err()).collect();
        Self {
            span: event.span,
            message_len,
            wire_len,
            versions: hello.versions(),
            suites: hello.suites.clone(),
            extensions: hello.extensions.as_ref().map(Vec::len),
            server_name: hello.server_name().map(crate::wire::printable),
            groups: hello.groups(),
            schemes: hello.signature_schemes(),
            ssl2: hello.specs.as_ref().map(own),
        }
    }

    /// The highest version.
    pub fn highest(&self) -> u16 {
        self.versions.first().copied().unwrap_or_default()
    }

    /// Everything, by name, as reports hold it.
    pub fn describe(&self) -> Map<String, Value> {
        let suites: Vec<Value> =
            self.suites.iter().map(|s| json!({ "id": suite_id(*s), "name": suite_name(*s) })).collect();
        let named = |n: &u16, name: Option<&'static str>| name.map_or_else(|| format!("0x{n:04X}"), str::to_owned);
        let groups: Vec<String> = self.groups.iter().map(|g| named(g, codes::group(*g))).collect();
        let schemes: Vec<String> = self.schemes.iter().map(|s| named(s, codes::signature_scheme(*s))).collect();
        let mut out = Map::new();
        out.insert("message_bytes".to_owned(), self.message_len.into());
        out.insert("wire_bytes".to_owned(), self.wire_len.into());
        out.insert("highest_version".to_owned(), version_name(self.highest()).into());
        out.insert("versions".to_owned(), self.versions.iter().map(|v| version_name(*v)).collect());
        out.insert("suites".to_owned(), suites.into());
        out.insert("extensions".to_owned(), self.extensions.into());
        out.insert("server_name".to_owned(), self.server_name.clone().into());
        out.insert("groups".to_owned(), groups.into());
        out.insert("signature_schemes".to_owned(), schemes.into());
        if let Some(specs) = &self.ssl2 {
            out.insert("format".to_owned(), "SSLv2".into());
            out.insert("ssl2_suites".to_owned(), specs.iter().map(|s| format!("{s:06X}")).collect());
        }
        out
    }

    /// One line: `ClientHello 62 bytes: TLS 1.0 at most, 7 suites, no ext.`
    pub fn summary(&self) -> String {
        let extensions = self.extensions.map_or_else(|| "no ext.".to_owned(), |n| format!("{n} ext."));
        let format = if self.ssl2.is_some() { ", SSLv2 format" } else { "" };
        format!(
            "ClientHello {} bytes{format}: {} at most, {} suites, {extensions}",
            self.wire_len,
            version_name(self.highest()),
            self.suites.len() + self.ssl2.as_ref().map_or(0, Vec::len)
        )
    }
}

/// `TLS 1.0`, or the number when it has no name.
pub fn version_name(version: u16) -> String {
    codes::version(version).map_or_else(|| format!("version 0x{version:04X}"), str::to_owned)
}

/// The IANA name of a suite, or its number.
pub fn suite_name(suite: u16) -> String {
    codes::cipher_suite(suite).map_or_else(|| format!("0x{suite:04X}"), |s| s.name.to_owned())
}

/// Four digits, as tables and reports write a suite.
fn suite_id(suite: u16) -> String {
    let mut id = crate::wire::hex(&suite.to_be_bytes());
    id.make_ascii_uppercase();
    id
}
