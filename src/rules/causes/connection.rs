//! Causes of what goes wrong around the handshake: the way to the server, its limits, client certificates.

use super::super::finding::{Cause, Confidence, Party};
use super::{Case, cause, likely_server};

/// The server starts its answer late.
pub(in crate::rules) fn slow_server(confidence: Confidence, because: &str) -> Cause {
    cause("slow-server", "the server is slow, or hangs", confidence).because(because).ask(
        Party::Server,
        None,
        &["reverse DNS and ident look-ups at the start of a connection; load; a longer --timeout".to_owned()],
        "an answer that comes after more patience",
    )
}

/// Somebody else listens there, or nobody.
pub(in crate::rules) fn wrong_port(confidence: Confidence, because: &str) -> Cause {
    cause("wrong-port", "wrong host or port", confidence).because(because).ask(
        Party::Server,
        None,
        &["ask whoever runs the FTP service for host and port".to_owned()],
        "settled when they differ from those that were dialled",
    )
}

/// The server keeps this address out.
pub(in crate::rules) fn banned(confidence: Confidence, because: &str) -> Cause {
    cause("banned", "the server bans this address", confidence).because(because).ask(
        Party::Server,
        None,
        &["the ban list, for the client's address (behind NAT: its outer address)".to_owned()],
        "either it is on the list, or another address gets in",
    )
}

/// What to look for in firewalls that end an FTP session with TLS.
pub(in crate::rules) const FIREWALLS: &str = "firewalls that inspect FTP: exempt this connection, and demand no NL at the \
     end of each packet of it (Check Point: sk9930)";

/// A firewall ends what it cannot read.
pub(in crate::rules) fn middlebox_closed(confidence: Confidence, because: &str) -> Cause {
    cause("middlebox-closed", "a firewall in between cut it off", confidence).because(because).ask(
        Party::Between,
        None,
        &["the same probe from a machine beside the server".to_owned(), "the server's log of that moment".to_owned()],
        "it works from there, or the server's log shows that the client went away",
    )
}

/// A firewall answers in the server's place.
pub(in crate::rules) fn middlebox_rewrote_auth(because: String) -> Cause {
    cause("middlebox-rewrote-auth", "a firewall in between answered AUTH", Confidence::Possible).because(because).ask(
        Party::Between,
        None,
        &[
            "the same probe from a machine beside the server".to_owned(),
            "the server's log: did it see AUTH?".to_owned(),
        ],
        "AUTH is accepted there, or never reached the server",
    )
}

/// A firewall near the client answers in the server's place.
pub(in crate::rules) fn local_firewall_inspects_ftp(because: String) -> Cause {
    cause("local-firewall-inspects-ftp", "a firewall near the client answered AUTH", Confidence::Likely)
        .because(because)
        .ask(
            Party::Between,
            None,
            &["the same probe from another network, or from a machine beside the server".to_owned()],
            "AUTH is accepted there",
        )
}

/// The server can do TLS, but not with what it has.
pub(in crate::rules) fn security_resource_missing(case: &Case<'_>, code: u16) -> Cause {
    let c = cause("server-tls-not-initialised", "the server has no usable certificate or key", Confidence::Likely)
        .because(format!("{code} says that what TLS needs is not available: certificate, key, or its password"));
    let product = likely_server(case).map(|p| p.id.clone());
    c.ask(
        Party::Server,
        product.as_deref(),
        &["certificate and key of this address and port: configured, readable, and a pair?".to_owned()],
        "a load error in the server's log at start",
    )
}

/// None was sent where one is due.
pub(in crate::rules) fn client_certificate_missing(confidence: Confidence, because: &str) -> Cause {
    cause("client-certificate-missing", "the client sent no certificate", confidence).because(because).ask(
        Party::Client,
        None,
        &["which client certificate does the profile name, and does its key load?".to_owned()],
        "none configured, or none of an authority that the server names",
    )
}

/// It was sent, and its issuer means nothing to the server.
pub(in crate::rules) fn client_certificate_issuer_unknown(confidence: Confidence, because: String) -> Cause {
    cause("client-certificate-issuer-unknown", "the issuer of the client certificate", confidence).because(because).ask(
        Party::Server,
        None,
        &["the list of authorities for client certificates, beside the issuer shown above".to_owned()],
        "the issuer is missing, or an intermediate is",
    )
}

/// The process that serves the login died.
pub(in crate::rules) fn server_crashed_child(confidence: Confidence, because: String) -> Cause {
    cause("server-crashed-child", "vsftpd ended this login by itself", confidence).because(because).ask(
        Party::Server,
        None,
        &["the text after \"500 OOPS:\"; where there is none, the system log of that second".to_owned()],
        "a home directory, a sandbox, or a missing permission",
    )
}

/// The server does not serve the name that was asked for.
pub(in crate::rules) fn sni_rejected(name: Option<&str>) -> Cause {
    let asked = name
        .map_or_else(|| "the alert is about the name (SNI)".to_owned(), |n| format!("the hello asks for {n} (SNI)"));
    cause("sni-rejected", "the server does not serve the name asked for", Confidence::Likely).because(asked).ask(
        Party::Client,
        None,
        &["the same without SNI, or with the name in the server's certificate".to_owned()],
        "works without the name",
    )
}

/// The hello needs more than one packet.
pub(in crate::rules) fn client_hello_too_large(wire_len: u64) -> Cause {
    cause("client-hello-too-large", "the ClientHello is too large for the path (MTU)", Confidence::Possible)
        .because(format!("the hello has {wire_len} bytes: more than one packet"))
        .ask(
            Party::Client,
            None,
            &["the same with a hello of less than 1400 bytes (no post-quantum key shares, no padding)".to_owned()],
            "the short one is answered",
        )
}
