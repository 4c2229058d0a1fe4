//! The causes: why a finding came about. Each has a page; each is built in one place, from facts, with its reasons
//! and with the evidence that would settle it.

mod addresses;
mod connection;
mod ends;
mod handshake;
mod releases;
mod resumption;
mod zos;

pub(super) use addresses::*;
pub(super) use connection::*;
pub(super) use ends::*;
pub(super) use handshake::*;
pub(super) use releases::*;
pub(super) use resumption::*;
pub(super) use zos::*;

use super::finding::{Ask, Cause, Confidence, Party};
use super::{AdviceKind, Case, Finding};
use crate::decode::{Event, Kind};
use crate::facts::{Offer, Product, version_name};

/// The page of a cause.
#[derive(Debug)]
pub struct CausePage {
    /// Its id.
    pub id: &'static str,
    /// The page.
    pub page: &'static str,
}

/// All causes, in alphabetical order.
pub static ALL: &[CausePage] = &[
    page("attls-policy-missing", include_str!("../../docs/causes/attls-policy-missing.md")),
    page("banned", include_str!("../../docs/causes/banned.md")),
    page("certificate-crosscheck-after-ccc", include_str!("../../docs/causes/certificate-crosscheck-after-ccc.md")),
    page("client-certificate-issuer-unknown", include_str!("../../docs/causes/client-certificate-issuer-unknown.md")),
    page("client-certificate-missing", include_str!("../../docs/causes/client-certificate-missing.md")),
    page("client-does-not-resume", include_str!("../../docs/causes/client-does-not-resume.md")),
    page("client-hello-too-large", include_str!("../../docs/causes/client-hello-too-large.md")),
    page(
        "client-stumbles-over-certificate-request",
        include_str!("../../docs/causes/client-stumbles-over-certificate-request.md"),
    ),
    page("client-tls-version-refused", include_str!("../../docs/causes/client-tls-version-refused.md")),
    page("clock-wrong", include_str!("../../docs/causes/clock-wrong.md")),
    page("close-notify-not-recognised", include_str!("../../docs/causes/close-notify-not-recognised.md")),
    page("connection-limit", include_str!("../../docs/causes/connection-limit.md")),
    page("dh-too-small", include_str!("../../docs/causes/dh-too-small.md")),
    page("encoding-ebcdic", include_str!("../../docs/causes/encoding-ebcdic.md")),
    page("extension-intolerance", include_str!("../../docs/causes/extension-intolerance.md")),
    page("key-ring-unusable", include_str!("../../docs/causes/key-ring-unusable.md")),
    page("local-firewall-inspects-ftp", include_str!("../../docs/causes/local-firewall-inspects-ftp.md")),
    page("middlebox-closed", include_str!("../../docs/causes/middlebox-closed.md")),
    page("middlebox-rewrote-auth", include_str!("../../docs/causes/middlebox-rewrote-auth.md")),
    page("missing-signature-algorithms", include_str!("../../docs/causes/missing-signature-algorithms.md")),
    page("nat-without-masquerade", include_str!("../../docs/causes/nat-without-masquerade.md")),
    page("no-shared-cipher", include_str!("../../docs/causes/no-shared-cipher.md")),
    page("no-shared-group", include_str!("../../docs/causes/no-shared-group.md")),
    page("passive-ports-blocked", include_str!("../../docs/causes/passive-ports-blocked.md")),
    page("peer-ends-without-close-notify", include_str!("../../docs/causes/peer-ends-without-close-notify.md")),
    page("private-key-unusable", include_str!("../../docs/causes/private-key-unusable.md")),
    page("prot-p-not-sent", include_str!("../../docs/causes/prot-p-not-sent.md")),
    page("proxy-closes-empty-data", include_str!("../../docs/causes/proxy-closes-empty-data.md")),
    page("reset-after-close-notify", include_str!("../../docs/causes/reset-after-close-notify.md")),
    page("server-crashed-child", include_str!("../../docs/causes/server-crashed-child.md")),
    page("server-handshake-timeout", include_str!("../../docs/causes/server-handshake-timeout.md")),
    page("server-policy", include_str!("../../docs/causes/server-policy.md")),
    page("server-tls-disabled", include_str!("../../docs/causes/server-tls-disabled.md")),
    page("server-tls-not-initialised", include_str!("../../docs/causes/server-tls-not-initialised.md")),
    page("session-cache-not-shared", include_str!("../../docs/causes/session-cache-not-shared.md")),
    page("slow-server", include_str!("../../docs/causes/slow-server.md")),
    page("smc-d", include_str!("../../docs/causes/smc-d.md")),
    page("sni-rejected", include_str!("../../docs/causes/sni-rejected.md")),
    page("sni-required", include_str!("../../docs/causes/sni-required.md")),
    page("stacked-tls", include_str!("../../docs/causes/stacked-tls.md")),
    page("tls-inspection", include_str!("../../docs/causes/tls-inspection.md")),
    page("tls13-tickets-exhausted", include_str!("../../docs/causes/tls13-tickets-exhausted.md")),
    page("tls13-unread-tickets-reset", include_str!("../../docs/causes/tls13-unread-tickets-reset.md")),
    page("unknown-ca", include_str!("../../docs/causes/unknown-ca.md")),
    page("waits-for-close-notify", include_str!("../../docs/causes/waits-for-close-notify.md")),
    page("wrong-mode", include_str!("../../docs/causes/wrong-mode.md")),
    page("wrong-port", include_str!("../../docs/causes/wrong-port.md")),
    page("zos-defaults-removed", include_str!("../../docs/causes/zos-defaults-removed.md")),
];

const fn page(id: &'static str, page: &'static str) -> CausePage {
    CausePage { id, page }
}

/// TLS 1.1: what offers no more is refused by servers of today.
const TLS11: u16 = 0x0302;

/// A cause under construction.
pub(super) fn cause(id: &str, headline: impl Into<String>, confidence: Confidence) -> Cause {
    Cause { id: id.to_owned(), headline: headline.into(), confidence, because: Vec::new(), ask: Vec::new() }
}

impl Cause {
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.because.push(reason.into());
        self
    }

    pub(super) fn ask(mut self, party: Party, product: Option<&str>, how: &[String], settles: &str) -> Self {
        self.ask.push(Ask {
            party,
            product: product.map(str::to_owned),
            how: how.to_vec(),
            settles: settles.to_owned(),
        });
        self
    }
}

/// A cause that an experiment has shown.
pub(super) fn tried(id: &str, headline: String, because: &str, again: &str) -> Cause {
    let works = "if it then works, this was it";
    cause(id, headline, Confidence::Certain).because(because).ask(Party::Server, None, &[again.to_owned()], works)
}

/// The server refuses the highest version that the client offers. `None` when the client offers TLS 1.2 or more.
pub(super) fn version_refused(case: &Case<'_>, at: &Event, alert: bool) -> Option<Cause> {
    let offer = case.facts.offer.as_ref().filter(|o| o.highest() <= TLS11)?;
    let best = version_name(offer.highest());
    let mut c = cause("client-tls-version-refused", format!("the server refuses {best}"), Confidence::Likely)
        .because(format!("only {best} is offered"));
    if offer.ssl2.is_some() {
        c = c.because("the hello has the format of SSL 2, which many servers of today do not read");
    }
    if !alert {
        // A text, or an end without one; in a log that has neither nothing is known of alerts.
        let is_text = |e: &Event| matches!(e.kind, Kind::TextInsteadOfTls { .. });
        let what = if case.first(is_text).is_some() { "the text" } else { "the end" };
        c = c.because(format!("no alert before {what}: OpenSSL 1.0.2 and older drop a disabled version silently"));
    }
    if let Some(product) = likely_server(case) {
        c = c.because(wording(product));
    }
    c = ask_for_log(case, c, at, "unknown protocol", "unsupported protocol");
    let endpoint = match case.endpoint() {
        e if e == "the server" => "HOST:21".to_owned(),
        e => e,
    };
    let openssl = format!("openssl s_client -starttls ftp -connect {endpoint} -tls1_2");
    let again = "or the client's own step with TLS 1.2 switched on".to_owned();
    Some(c.ask(Party::Client, None, &[openssl, again], &format!("works with TLS 1.2, fails with {best}")))
}

/// The server's TLS never started: certificate or key unusable.
pub(super) fn tls_not_initialised(case: &Case<'_>, at: &Event, confidence: Confidence) -> Cause {
    let mut c = cause("server-tls-not-initialised", "the server's TLS never started", confidence)
        .because("a server whose certificate or key cannot be used does this to every client");
    if let Some(product) = likely_server(case).filter(|p| p.id == "proftpd") {
        c = c.because(format!("{} then answers without having read the hello", product.name));
    }
    ask_for_log(case, c, at, "null SSL_CTX", "certificate or key error")
}

/// No suite in common.
pub(super) fn no_shared_cipher(case: &Case<'_>, at: &Event, confidence: Confidence, because: &str) -> Cause {
    let mut c = cause("no-shared-cipher", "no cipher suite in common", confidence).because(because);
    if let Some(offer) = case.facts.offer.as_ref() {
        c = c.because(format!("the client offers {} suites{}", offer.suites.len(), key_exchange_note(offer)));
    }
    ask_for_log(case, c, at, "no shared cipher", "no shared cipher")
}

/// Implicit where explicit is due, or the other way round.
pub(super) fn wrong_mode(because: &str) -> Cause {
    cause("wrong-mode", "implicit TLS meets explicit", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &["port and mode in the client's profile: implicit is usually 990, explicit 21".to_owned()],
        "implicit TLS sends the ClientHello first, explicit waits for 220 and sends AUTH TLS",
    )
}

/// The server has no room for this client now.
pub(super) fn connection_limit(because: &str) -> Cause {
    cause("connection-limit", "a limit of the server, not TLS", Confidence::Likely).because(because).ask(
        Party::Server,
        None,
        &["the server's limits: connections in all, and for each address".to_owned()],
        "a limit that was reached at that moment",
    )
}

/// TLS is switched off, or its module is not loaded.
pub(super) fn server_tls_disabled(because: String) -> Cause {
    cause("server-tls-disabled", "TLS is off on the server", Confidence::Likely).because(because).ask(
        Party::Server,
        None,
        &["the server's configuration: is TLS switched on for this address and port?".to_owned()],
        "TLS off, or no certificate configured",
    )
}

/// vsftpd asks for a client certificate, and some z/OS levels cannot read the request.
pub(super) fn stumbles_over_certificate_request(product: &Product) -> Cause {
    cause(
        "client-stumbles-over-certificate-request",
        "the client stumbles over a CertificateRequest",
        Confidence::Likely,
    )
    .because(wording(product))
    .because(
        "vsftpd asks for a client certificate unless told not to; vsftpd.conf(5): \"IBM zOS seems to have issues\"",
    )
    .because("Red Hat solution 548573 describes this pair: rc 410 until ssl_request_cert=NO")
    .ask(
        Party::Client,
        Some("zos-native"),
        &["GSK_TRACE=0xFF for one run: the trace holds the bytes that the log leaves out".to_owned()],
        "a CertificateRequest message, or clear text, where the client stopped",
    )
}

/// Advice that goes with a lifted protocol version, on both sides.
pub(super) fn advise_version(case: &Case<'_>, f: &mut Finding, at: &Event) {
    if !case.whole {
        return;
    }
    match case.facts.client.as_ref() {
        Some(client) if client.id.starts_with("zos") => {
            if client.id == "zos-native" {
                f.advise("enable-tls12", "zos-native");
            }
            f.advise("enable-tls12", "zos-attls");
            f.advise_briefly("offer-ecdhe", "zos-attls", "still refused with TLS 1.2? It wants ECDHE: AT-TLS only");
        }
        _ => super::advise::offer_tls12(case, f),
    }
    advise_server_log(case, f, at);
    if let Some(product) = likely_server(case) {
        f.advise("allow-tls10", &product.id);
    }
}

/// Where the server's administrator finds the reason.
pub(super) fn advise_server_log(case: &Case<'_>, f: &mut Finding, at: &Event) {
    if !case.whole {
        return;
    }
    let when = case.second(at).map_or_else(|| "of that moment".to_owned(), |s| format!("at {s}"));
    let before = f.advice.len();
    match likely_server(case) {
        Some(product) if product.id == "proftpd" => {
            let brief = format!(
                "TLSLog {when}: \"unknown protocol\" = version refused; \"null SSL_CTX\" = certificate or key unusable"
            );
            f.advise_briefly("see-tls-log", "proftpd", brief);
        }
        Some(product) => {
            f.advise("see-tls-log", &product.id);
        }
        None => {}
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Check, format!("the server's TLS log {when} names the reason"));
    }
}

/// The product that the server's wording speaks for, if one does more than any other.
pub(super) fn likely_server<'a>(case: &Case<'a>) -> Option<&'a Product> {
    // Two products with the same words are none.
    let [first, others @ ..] = case.facts.servers.as_slice() else { return None };
    let alone = others.first().is_none_or(|second| second.weight < first.weight || !second.sure);
    Some(first).filter(|p| p.sure && alone)
}

/// `"234 AUTH TLS successful" with "550 T" is ProFTPD's wording up to 1.3.7`.
fn wording(product: &Product) -> String {
    let versions = if product.versions.is_empty() { String::new() } else { format!(" {}", product.versions) };
    format!("{} is {}'s wording{versions}", product.because.join(" with "), product.name)
}

fn ask_for_log(case: &Case<'_>, c: Cause, at: &Event, proftpd: &str, openssl: &str) -> Cause {
    if !case.whole {
        return c;
    }
    let when = case.second(at).map_or_else(|| "of that moment".to_owned(), |s| format!("of {s}"));
    match likely_server(case).filter(|p| p.id == "proftpd") {
        Some(_) => c.ask(
            Party::Server,
            Some("proftpd"),
            &[format!("the line {when} in the file that TLSLog names")],
            &format!("\"{proftpd}\""),
        ),
        None => c.ask(
            Party::Server,
            None,
            &[format!("the line {when} in the server's TLS log")],
            &format!("\"{openssl}\" or the like"),
        ),
    }
}

fn key_exchange_note(offer: &Offer) -> &'static str {
    let ecdhe = offer
        .suites
        .iter()
        .filter_map(|s| crate::codes::cipher_suite(*s))
        .any(|s| s.kx.starts_with("ECDHE") || s.kx == "TLS13");
    if ecdhe { "" } else { ", none with ECDHE" }
}
