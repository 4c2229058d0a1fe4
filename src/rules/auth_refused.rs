//! The server said no to AUTH.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "auth-refused",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client"],
    page: include_str!("../../docs/findings/auth-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    // A client may try AUTH SSL after AUTH TLS: the last answer counts.
    let asked = |e: &&Event| matches!(&e.kind, Kind::Command { verb, .. } if verb == "AUTH");
    let Some(auth) = case.control().filter(asked).last() else { return };
    let answer = case.after(auth).find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code >= 200 => Some((e, r)),
        _ => None,
    });
    let Some((event, reply)) = answer.filter(|(_, r)| r.code >= 400 && r.whole) else { return };
    let ended = case.is_closed();
    let confidence = if ended { Confidence::Certain } else { Confidence::Likely };
    let probably = if ended { "" } else { "probably " };
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{} {probably}refused AUTH: {} {}", case.endpoint(), reply.code, reply.text),
            format!("{} {probably}refused AUTH with {}", case.endpoint(), reply.code),
            format!("the server {probably}refused AUTH with {}", reply.code),
        ],
    );
    f.ended = ended
        || case.claims().any(|c| match c.code {
            Some(Code::Gsk(rc)) => *rc != 0,
            Some(Code::Message(id)) => matches!(id.as_str(), "EZA2897I" | "EZA2898I"),
            _ => false,
        });
    f.set("code", reply.code).set("text", reply.text.as_str());
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(event, ""));
    f.why.push("No TLS was spoken: versions, ciphers and certificates are not the fault.".to_owned());
    f.causes.push(if reply.code == 421 {
        causes::connection_limit("421 says that the service is not available to this client now")
    } else {
        causes::server_tls_disabled(format!("the server answers AUTH with {}", reply.code))
    });
    f.act = Some(Act { party: Party::Server, text: "server: switch TLS on for this address and port".to_owned() });
    if let Some(product) = causes::likely_server(case) {
        f.advise("enable-tls", &product.id.clone());
    }
    f.tell(Party::Server, AdviceKind::Check, "is TLS switched on, with a certificate, for this address and port?");
    f.tell(Party::Client, AdviceKind::Leave, "nothing to change while the server refuses AUTH");
    sink.report(f);
}
