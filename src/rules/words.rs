//! Servers that write their own library's error, in clear or behind an alert: it names the reason better than anything else.

use super::finding::{Cause, Confidence};
use super::{Case, causes};
use crate::decode::Event;

/// A cause for words of the server: OpenSSL's reasons as servers quote them, and the servers' own sentences.
/// `None` when the words name no reason.
pub(super) fn cause(case: &Case<'_>, at: &Event, text: &str) -> Option<Cause> {
    let words = text.to_ascii_lowercase();
    let quoted = |said: &[&'static str]| said.iter().copied().find(|w| words.contains(w));
    let because = |w: &str| format!("the server says so in its own words: \"{w}\"");
    if let Some(w) = quoted(&["did not return a certificate", "no certificate returned", "requires client certificate"])
    {
        return Some(causes::client_certificate_missing(Confidence::Likely, &because(w)));
    }
    if let Some(w) = quoted(&["no suitable key share", "no shared group", "no suitable groups"]) {
        return Some(causes::no_shared_group(case, at, Confidence::Likely, &because(w)));
    }
    if let Some(w) = quoted(&["no suitable signature algorithm", "no shared signature algorithms", "missing sigalgs"]) {
        return Some(causes::missing_signature_algorithms(case, at, &because(w)));
    }
    if let Some(w) = quoted(&["no shared cipher", "no ciphers available", "no supported cipher suites"]) {
        return Some(causes::no_shared_cipher(case, at, Confidence::Likely, &because(w)));
    }
    if let Some(w) = quoted(&["dh key too small"]) {
        return Some(causes::dh_too_small(Confidence::Likely, because(w)));
    }
    if let Some(w) = quoted(&["unsupported protocol", "unknown protocol", "version too low"]) {
        // An unknown protocol is also what text in place of a hello is; only an old hello makes it a version.
        return causes::version_refused(case, at, true).map(|c| c.because(because(w)));
    }
    if let Some(w) = quoted(&["handshake timed out", "handshake timeout", "tls timeout", "ssl timeout"]) {
        return Some(causes::server_handshake_timeout(because(w), false));
    }
    let broken = [
        "no certificate",
        "certificate was not configured",
        "key values mismatch",
        "cannot read rsa private key",
        "cannot load rsa",
        "could not initialize tls",
        "could not initialize ssl",
        "cannot get a tls config",
        "tls handshaking failed",
        "null ssl_ctx",
        "not configured",
        "security resource unavailable",
        "security mechanism not available",
    ];
    quoted(&broken).map(|w| causes::tls_not_initialised(case, at, Confidence::Likely).because(because(w)))
}
