//! What works today and will not for everybody: short keys, old hashes, version 1, a name in the CN alone.

use super::by_words;
use super::certificates::{advise_server, show};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "certificate-weak",
    severity: Severity::Warning,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-weak.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((j, (event, _))) = case.trust.zip(case.server_chain()) else { return by_words(case, sink) };
    let Some(first) = j.weak.first() else { return };
    let headlines = [
        format!("{} shows a weak certificate: {}", case.endpoint(), first.what),
        format!("the server shows a weak certificate: {}", first.what),
    ];
    let sure = if case.direction_is_assumed() { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(sure, Party::Server, &headlines);
    show(case, sink, event, &mut f);
    f.set("weak", j.weak.iter().map(|w| format!("{} {}", w.index + 1, w.what)).collect::<Vec<_>>());
    f.set("kinds", j.weak.iter().map(|w| w.kind).collect::<Vec<_>>());
    for w in &j.weak {
        let who = match w.kind {
            "key" => "OpenSSL from security level 2, Java and TLS 1.3 in System SSL (rc 508) refuse such keys",
            "signature" => "OpenSSL 3 and Java refuse such signatures (System SSL: rc 467)",
            "version" => "version 1 has no extensions: strict clients do not read it",
            _ => "Java and old clients look there, most others only into subjectAltName",
        };
        f.why.push(format!("Certificate {}: {}; {who}.", w.index + 1, w.what));
    }
    f.act = Some(Act {
        party: Party::Server,
        text: "server: a new certificate, at the next renewal at the latest".to_owned(),
    });
    advise_server(
        case,
        &mut f,
        "fix-certificate",
        "order the next one with RSA 2048 or P-256, SHA-256, version 3 and the name in subjectAltName",
    );
    sink.report(f);
}

/// The client refused the certificate for its short key (rc 508).
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let headlines = [
        format!("the client says that the key of {}'s certificate is too short", case.endpoint()),
        "the client says that the key of the server's certificate is too short".to_owned(),
    ];
    let mut f = said.finding(case, sink, Party::Server, &headlines);
    f.severity = Severity::Failure;
    f.set("weak", Vec::<String>::new()).set("kinds", vec!["key"]);
    f.act = Some(Act { party: Party::Server, text: "server: a new certificate with RSA 2048 or P-256".to_owned() });
    let otherwise = "a certificate with RSA 2048 or P-256, SHA-256, version 3 and the name in subjectAltName";
    advise_server(case, &mut f, "fix-certificate", otherwise);
    f.advise("peer-key-size", "zos-attls");
    sink.report(f);
}
