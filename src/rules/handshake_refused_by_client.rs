//! The client gave up, and only its own words tell of it: the bytes that it could not read are not in the evidence.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "handshake-refused-by-client",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/handshake-refused-by-client.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let failed = case.claims().find_map(|claim| match claim.code {
        Some(Code::Gsk(rc)) if *rc != 0 => Some((claim.event, *rc, claim.by, claim.text)),
        _ => None,
    });
    let Some((event, rc, by, text)) = failed else { return };
    let starts = |e: &Event| match &e.kind {
        Kind::TlsStarts { .. } | Kind::Handshake(_) => true,
        Kind::Command { verb, .. } => verb == "AUTH",
        _ => false,
    };
    let started = case.before(event).any(starts);
    if !started || case.handshake_completed_before(event) {
        return;
    }
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines(case, rc));
    f.set("rc", rc).set("by", by).set("text", text.as_str());
    if let Some(auth) = case.auth() {
        f.evidence.extend(sink.evidence(auth, ""));
        let accepted = case.after(auth).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code < 400));
        f.evidence.extend(accepted.and_then(|e| sink.evidence(e, "")));
    }
    let meaning = crate::codes::gsk(rc).map_or(text, |c| c.meaning.to_owned());
    f.why.push(format!("rc {rc}: {meaning}."));
    f.why.push("The log does not hold the bytes that came, and different faults look the same here.".to_owned());
    explain(case, event, rc, &mut f);
    let answered = |e: &Event| e.from() == Some(Side::Server) && !matches!(e.kind, Kind::Reply(_));
    if !case.before(event).any(answered) {
        sink.untested("bytes", "the bytes that the client could not read", "not in the evidence");
    }
    sink.report(f);
}

fn headlines(case: &Case<'_>, rc: u32) -> Vec<String> {
    let client = case.facts.client.as_ref().map_or_else(|| "client".to_owned(), |c| format!("{} client", c.name));
    let server = causes::likely_server(case);
    let after = server.map_or_else(|| "the server's yes to AUTH".to_owned(), |p| format!("{}'s 234", p.name));
    vec![
        format!("the {client} probably gave up the TLS handshake after {after} (rc {rc})"),
        format!("the {client} probably gave up TLS after {after} (rc {rc})"),
        format!("the {client} probably gave up the TLS handshake (rc {rc})"),
    ]
}

fn explain(case: &Case<'_>, event: &Event, rc: u32, f: &mut Finding) {
    let act = |party, text: &str| Some(Act { party, text: text.to_owned() });
    f.act = act(Party::Client, "client: get the bytes, one run with a System SSL trace");
    if let Some(vsftpd) = case.facts.server_may_be("vsftpd").filter(|_| rc == 410) {
        f.causes.push(causes::stumbles_over_certificate_request(vsftpd));
        f.advise("stop-requesting-client-certificate", "vsftpd");
        f.act = act(Party::Server, "server (vsftpd): one setting; if that does not end it, get the bytes");
    }
    f.causes.extend(causes::version_refused(case, event, false));
    f.causes.push(causes::tls_not_initialised(case, event, Confidence::Possible));
    f.advise("trace-tls", "zos-native");
    causes::advise_server_log(case, f, event);
}
