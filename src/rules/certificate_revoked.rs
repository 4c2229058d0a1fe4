//! The server's certificate has been revoked. This tool asks no revocation list; a client's word or alert tells.

use super::prelude::*;
use crate::transcript::Decrypted;
use crate::transcript::speakers::side_of;

pub(super) static RULE: Rule = Rule {
    id: "certificate-revoked",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-revoked.md"),
    check,
};

/// certificate_revoked.
const REVOKED: u8 = 44;

/// GSK_ERR_CERTIFICATE_REVOKED, and what certificate management services call it.
const GSK_REVOKED: u32 = 431;
const CMS_REVOKED: u32 = 0x0335_3041;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let told = |e: &Event| match &e.kind {
        Kind::Alert { level: 2, description: REVOKED } => e.from() == Some(Side::Client),
        Kind::Decrypted { from: Side::Client, seen: Decrypted::Alert { level: 2, description: REVOKED } } => true,
        Kind::Claim { by, code: Some(Code::Gsk(GSK_REVOKED) | Code::Cms(CMS_REVOKED)), .. } => {
            side_of(by) != Some(Side::Server)
        }
        _ => false,
    };
    let Some(event) = case.first(told) else { return };
    if case.handshake_completed_before(event) {
        return;
    }
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Server,
        &[
            format!("the client says that {}'s certificate is revoked", case.endpoint()),
            "the client says that the server's certificate is revoked".to_owned(),
        ],
    );
    let by = match &event.kind {
        Kind::Claim { by, code, .. } => {
            f.set("rc", if let Some(Code::Gsk(rc)) = code { Some(*rc) } else { None });
            crate::wire::printable_str(by)
        }
        _ => {
            f.set("alert", REVOKED);
            "the client's alert".to_owned()
        }
    };
    f.set("by", by);
    f.evidence.extend(sink.evidence(event, "revoked"));
    f.why.push("Its CA withdrew the certificate before its end; version and cipher were agreed on.".to_owned());
    f.why.push("This tool asks no revocation list: whether it is so, the CA's list or OCSP responder says.".to_owned());
    f.act = Some(Act { party: Party::Server, text: "server: install a new certificate with a new key".to_owned() });
    super::phase::advise_server(case, &mut f, "fix-certificate");
    f.tell(Party::Server, AdviceKind::Check, "ask the CA why and since when; a stolen key is the usual reason");
    f.tell(Party::Client, AdviceKind::Leave, "do not switch the check off: it did what it is for");
    sink.report(f);
}
