//! The server keeps an intermediate certificate to itself that its clients need.

use super::certificates::{Doubt, advise_server, chain_lines, finding, short, tls_inspection};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "certificate-chain-incomplete",
    severity: Severity::Failure,
    outranks: &["certificate-untrusted", "fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-chain-incomplete.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(j) = case.trust.filter(|j| j.is_trusted() != Some(true) && !case.is_redacted()) else { return };
    let Some((missing, proved)) = j.missing.as_ref().and_then(|m| Some((m, m.ought_to_be_sent?))) else { return };
    // Without lists only what the certificate itself proves counts.
    if !proved && j.is_trusted().is_none() {
        return;
    }
    let probably = if proved { "" } else { "probably " };
    let headlines = [
        format!("{} {probably}does not send the issuer of its certificate", case.endpoint()),
        format!("the server {probably}does not send the issuer of its certificate"),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Issuer, Party::Server, &headlines) else { return };
    if !proved {
        f.confidence = f.confidence.min(Confidence::Likely);
    }
    f.set("issuer", missing.issuer.as_str()).set("url", missing.url.clone());
    f.why.extend(chain_lines(j));
    let why = match (proved, &missing.url) {
        (true, _) => "It is a publicly trusted certificate; roots do not issue those: the issuer is an intermediate.",
        (false, Some(_)) => "The certificate says where its issuer is to be fetched, and no list of ours knows it.",
        (false, None) => "The issuer's name is that of an intermediate, and no list of ours knows it.",
    };
    f.why.push(why.to_owned());
    f.why.push(
        "The fault is the server's. Clients that fetch or remember intermediates (browsers, Windows) see none."
            .to_owned(),
    );
    f.why.push(
        "OpenSSL: \"unable to get local issuer certificate\"; Java: \"PKIX path building failed\"; System SSL: rc 8."
            .to_owned(),
    );
    f.causes.extend(tls_inspection(j));
    f.act = Some(Act { party: Party::Server, text: "server: send the intermediate certificate too".to_owned() });
    let what = format!("put {} behind the certificate in the server's file, then restart", short(&missing.issuer));
    advise_server(case, &mut f, "complete-chain", &what);
    if let Some(url) = &missing.url {
        f.tell(Party::Server, AdviceKind::Check, format!("the missing certificate is at {url}"));
    }
    f.tell(Party::Client, AdviceKind::Tonight, "import that intermediate until then, after the partner confirmed it");
    sink.report(f);
}
