//! Advice to the client, in the words of its product when that is known.

use super::Case;
use super::case::Claim;
use super::finding::{AdviceKind, Finding, Party};
use crate::transcript::{Side, speakers};

/// What the tables have for the client's product, else what holds for any client.
pub(super) fn client(case: &Case<'_>, f: &mut Finding, need: &str) {
    if !product(case, f, need) {
        f.advise(need, "any");
    }
}

/// How the client comes to protect data connections, where who acts first is told to send PBSZ 0 and PROT P already.
pub(super) fn protect_data(case: &Case<'_>, f: &mut Finding) {
    if !product(case, f, "protect-data") {
        f.advise_briefly("protect-data", "any", "tonight: both behind the login; go on only with 200 to each");
    }
}

/// How the client comes to offer TLS 1.2.
pub(super) fn offer_tls12(case: &Case<'_>, f: &mut Finding) {
    if !product(case, f, "enable-tls12") {
        f.tell(Party::Client, AdviceKind::Lasting, "let the client offer TLS 1.2 or later");
    }
}

/// How the client's TLS is traced, by who does it there. GSK_TRACE must never be set under AT-TLS.
pub(super) fn trace_tls(case: &Case<'_>, f: &mut Finding) {
    match tracing(case) {
        Tracing::AtTls => _ = f.advise("trace-tls", "zos-attls"),
        Tracing::SystemSsl => _ = f.advise("trace-tls", "zos-native"),
        Tracing::Done | Tracing::Other => {}
    }
}

/// How the bytes are to be had that the client could not read.
pub(super) fn bytes_of_client(case: &Case<'_>) -> &'static str {
    match tracing(case) {
        Tracing::AtTls => "get the bytes, one run with Trace 255 in the AT-TLS policy",
        Tracing::SystemSsl => "get the bytes, one run with a System SSL trace",
        Tracing::Done => "get the bytes: the whole trace of this handshake, or a packet trace",
        Tracing::Other => "get the bytes, by a packet trace of one run",
    }
}

/// What traces TLS at the client.
enum Tracing {
    AtTls,
    SystemSsl,
    /// A trace of System SSL is in the evidence already.
    Done,
    /// Neither FTP nor AT-TLS speaks: Db2 and its like.
    Other,
}

fn tracing(case: &Case<'_>) -> Tracing {
    let settings = &case.facts.settings;
    let program = |c: &Claim<'_>| speakers::program_of(c.by).to_owned();
    let is_stack = |c: &Claim<'_>| program(c) == speakers::AT_TLS || speakers::job_of(c.by) == Some("TCPIP");
    let attls = settings.traced("tlsmech").or_else(|| settings.ftp_data("TLSMECHANISM", Side::Client));
    match () {
        () if case.claims().any(|c| program(&c) == speakers::SYSTEM_SSL) => Tracing::Done,
        () if attls.is_some_and(|s| s.is("ATTLS")) || case.claims().any(|c| is_stack(&c)) => Tracing::AtTls,
        () if case.claims().any(|c| speakers::is_sibling(&program(&c))) => Tracing::Other,
        () => Tracing::SystemSsl,
    }
}

/// Whether the tables have anything for the client's product.
fn product(case: &Case<'_>, f: &mut Finding, need: &str) -> bool {
    let before = f.advice.len();
    if let Some(client) = &case.facts.client {
        f.advise(need, client.id);
    }
    f.advice.len() > before
}
