//! The server issued its certificate itself: nobody vouches for it.

use super::certificates::{Doubt, advise_server, advise_trust, finding, tls_inspection};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "certificate-self-signed",
    severity: Severity::Failure,
    outranks: &["certificate-untrusted", "fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-self-signed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(j) = case.trust.filter(|j| j.is_self_signed && j.is_trusted() != Some(true) && !j.is_only_late()) else {
        return;
    };
    let (Some(leaf), Some(first)) = (j.leaf(), j.certificates.first()) else { return };
    let headlines = [
        format!("{} shows a self-signed certificate", case.endpoint()),
        "the server shows a self-signed certificate".to_owned(),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Issuer, Party::Server, &headlines) else { return };
    f.set("subject", leaf.subject.as_str()).set("sha256", first.sha256.as_str());
    f.why.push(format!("Subject and issuer are both {}, and its own key signed it.", leaf.subject));
    f.why.push(format!("SHA-256 {}", first.sha256));
    if leaf.is_ca == Some(true) {
        f.why.push(
            "It calls itself a CA: rustls and others say \"CA used as end entity\" of the same thing.".to_owned(),
        );
    }
    f.why.push(
        "OpenSSL: \"self-signed certificate\"; Java: \"PKIX path building failed\"; System SSL: rc 8, CMS 0335302F."
            .to_owned(),
    );
    f.causes.extend(tls_inspection(j));
    f.act = Some(Act {
        party: Party::Server,
        text: "server: install a certificate of a CA; client, until then: trust this one".to_owned(),
    });
    let pin = "trust this very certificate, after the partner confirmed its SHA-256 by another way; renewed, it has to be trusted anew";
    f.tell(Party::Client, AdviceKind::Tonight, pin);
    if case.asked().is_some() {
        f.tell(Party::Client, AdviceKind::Check, "here: -o chain.pem writes it down, --ca chain.pem trusts it");
    }
    advise_trust(case, &mut f, "trust the CA of the certificate that replaces it");
    advise_server(case, &mut f, "fix-certificate", "get a certificate of a CA that your partners know");
    sink.report(f);
}
