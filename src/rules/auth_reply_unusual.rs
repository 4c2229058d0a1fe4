//! AUTH was accepted in a way that strict clients do not take for a yes.

use super::phase::is_auth;
use super::prelude::*;
use crate::decode::Reply;

pub(super) static RULE: Rule = Rule {
    id: "auth-reply-unusual",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/auth-reply-unusual.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let mut refused: Option<(&Event, &Reply)> = None;
    for auth in case.control().filter(|e| is_auth(e)) {
        let Some((event, reply)) = answer(case, auth) else { return };
        let argument = mechanism(auth);
        if reply.code >= 400 {
            refused = Some((event, reply)).filter(|_| argument.starts_with("TLS"));
            continue;
        }
        if reply.code != 234 && (argument.starts_with("TLS") || argument.starts_with("SSL")) {
            warning(case, auth, event, reply, sink);
        } else if let (Some(no), true) = (refused, argument.starts_with("SSL")) {
            note(auth, no, event, reply, sink);
        }
        return;
    }
}

/// The final reply to a command.
fn answer<'a>(case: &Case<'a>, command: &Event) -> Option<(&'a Event, &'a Reply)> {
    case.after(command).find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code >= 200 && r.whole => Some((e, r)),
        _ => None,
    })
}

fn mechanism(auth: &Event) -> String {
    match &auth.kind {
        Kind::Command { line, .. } => line.split_whitespace().nth(1).unwrap_or_default().to_ascii_uppercase(),
        _ => String::new(),
    }
}

fn warning(case: &Case<'_>, auth: &Event, event: &Event, reply: &Reply, sink: &mut Sink<'_>) {
    let mut f = sink.finding(
        Confidence::Certain,
        Party::Server,
        &[
            format!("{} accepts AUTH with {} instead of 234: strict clients give up", case.endpoint(), reply.code),
            format!("AUTH is accepted with {} instead of 234: strict clients give up", reply.code),
        ],
    );
    f.set("code", reply.code).set("text", reply.text.as_str()).set("tls_refused", false);
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(event, "234 is the reply of RFC 4217"));
    f.why.push(
        "suppaftp and Go's jlaffaye/ftp take 234 only, curl 234 or 334; Python's ftplib takes any 2xx.".to_owned(),
    );
    f.act = Some(Act {
        party: Party::Server,
        text: "server: answer AUTH with 234 (a newer release, or the vendor)".to_owned(),
    });
    f.tell(Party::Server, AdviceKind::Lasting, "ask the vendor for a release that answers AUTH TLS with 234");
    f.tell(Party::Client, AdviceKind::Check, "does the client take this code for a yes? Else use another client");
    sink.report(f);
}

fn note(auth: &Event, no: (&Event, &Reply), event: &Event, reply: &Reply, sink: &mut Sink<'_>) {
    let mut f = sink.finding(
        Confidence::Certain,
        Party::Server,
        &["the server accepts AUTH SSL but not AUTH TLS, the name of the standard".to_owned()],
    );
    f.severity = Severity::Note;
    f.set("code", reply.code).set("text", reply.text.as_str()).set("tls_refused", true);
    f.evidence.extend(sink.evidence(no.0, "to AUTH TLS"));
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(event, "to AUTH SSL"));
    f.tell(Party::Client, AdviceKind::Check, "clients that send AUTH TLS only need a setting for AUTH SSL here");
    sink.report(f);
}
