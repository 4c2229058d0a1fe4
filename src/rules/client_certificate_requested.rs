//! The server asked for a client certificate, got none, and went on all the same.

use super::client_auth::{Sent, read};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "client-certificate-requested",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/client-certificate-requested.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let story = read(case);
    let Some(request) = story.request else { return };
    // In TLS 1.3 only the first words inside tell that nothing was missing.
    if story.sent != Sent::Nothing || !story.accepted {
        return;
    }
    let mut f = sink.finding(
        Confidence::Certain,
        Party::Server,
        &["the server asks for a client certificate and goes on without one".to_owned()],
    );
    f.set("issuers", story.issuers.clone());
    f.evidence.extend(sink.evidence(request, "CertificateRequest"));
    f.why.push(story.wanted());
    f.why.push("Some clients stumble over the request alone (z/OS System SSL, rc 410).".to_owned());
    f.tell(
        Party::Client,
        AdviceKind::Leave,
        "nothing to do: the certificate is optional for the handshake; the login may still want it",
    );
    super::phase::advise_server(case, &mut f, "stop-requesting-client-certificate");
    sink.report(f);
}
