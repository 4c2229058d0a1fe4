//! CCC was declined: the control connection stays encrypted.

use super::phase::{advise_server, probably};
use super::prelude::*;
use crate::decode::Reply;
use crate::facts::{changed, is_session_control};
use crate::transcript::{ConnId, Role};

pub(super) static RULE: Rule = Rule {
    id: "ccc-refused",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/ccc-refused.md"),
    check,
};

/// What a z/OS server says of CCC on its port for implicit TLS.
const ON_SECURE_PORT: &str = "not allowed for connection to secure port";

/// CCC on one control connection, with the answer, and what the client did then.
pub(super) struct Asked<'a> {
    /// The connection.
    pub(super) conn: ConnId,
    /// The command.
    pub(super) command: &'a Event,
    /// The final reply.
    pub(super) answer: &'a Event,
    /// The same, read.
    pub(super) reply: &'a Reply,
    /// What came behind the reply, up to the first end.
    pub(super) behind: Vec<&'a Event>,
}

/// CCC in the session, or in the login that was opened to try it.
pub(super) fn asked<'a>(case: &Case<'a>) -> Option<Asked<'a>> {
    let mut open: Option<&Event> = None;
    let mut found: Option<Asked<'a>> = None;
    let mut over = false;
    for e in &case.timeline.events {
        let control = case.transcript.conn(e.conn).is_some_and(|c| c.role == Role::Control);
        let t = case.transcript;
        if !control || !is_session_control(t, e.conn) && !changed(t, e.conn).iter().any(|c| c == "CCC") {
            continue;
        }
        match (&mut found, &e.kind) {
            (Some(asked), kind) if asked.conn == e.conn && !over => {
                asked.behind.push(e);
                over = matches!(kind, Kind::Closed { .. } | Kind::TimedOut { .. });
            }
            (None, Kind::Command { verb, .. }) => open = (verb == "CCC").then_some(e),
            (None, Kind::Reply(reply)) if reply.whole && reply.code >= 200 => {
                let Some(command) = open.take().filter(|c| c.conn == e.conn) else { continue };
                found = Some(Asked { conn: e.conn, command, answer: e, reply, behind: Vec::new() });
            }
            _ => {}
        }
    }
    found
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(asked) = asked(case).filter(|a| a.reply.code >= 400) else { return };
    let (endpoint, reply) = (case.endpoint(), asked.reply);
    let further = |e: &&&Event| matches!(&e.kind, Kind::Command { verb, .. } if verb != "QUIT");
    let closed = |e: &&&Event| match &e.kind {
        Kind::Closed { .. } | Kind::TimedOut { .. } => true,
        Kind::Reply(r) => r.code == 221 && r.whole,
        _ => false,
    };
    // A client that goes on has what it needs.
    let stopped = case.asked().is_none()
        && asked.behind.iter().find(further).is_none()
        && asked.behind.iter().any(|e| closed(&e));
    let secure_port = reply.text.to_ascii_lowercase().contains(ON_SECURE_PORT);
    // On a log that ends with it, this is what the reader asks about.
    let last = secure_port && case.asked().is_none() && asked.behind.iter().find(further).is_none();
    let confidence = if case.is_from_log(asked.answer) { Confidence::Likely } else { Confidence::Certain };
    let maybe = probably(confidence);
    let party = if stopped { Party::Client } else { Party::Server };
    let mut f = sink.finding(
        confidence,
        party,
        &[
            format!("{endpoint} {maybe}declined CCC: {} {}", reply.code, reply.text),
            format!("{endpoint} {maybe}declined CCC ({})", reply.code),
            format!("the server {maybe}declined CCC ({})", reply.code),
        ],
    );
    f.severity = if stopped || last { Severity::Failure } else { Severity::Note };
    f.ended = stopped || case.is_closed();
    f.set("code", reply.code).set("text", reply.text.as_str()).set("stopped", stopped);
    f.evidence.extend(sink.evidence(asked.command, ""));
    f.evidence.extend(sink.evidence(asked.answer, ""));
    f.why.push("The control connection stays encrypted; transfers do not need CCC.".to_owned());
    if stopped {
        f.why.push("The client went no further: it is set to insist on CCC.".to_owned());
    }
    let text = match secure_port {
        true => "client: AUTH TLS on the normal port, if CCC has to be; or do without CCC",
        false => "client: do without CCC; EPSV and a fixed port range at the server do what CCC was for",
    };
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    if secure_port {
        f.why.push("z/OS says so of a connection to its TLSPORT: there CCC is never allowed.".to_owned());
        super::advise::client(case, &mut f, "use-explicit");
    }
    super::advise::client(case, &mut f, "use-epsv");
    advise_server(case, &mut f, "passive-range");
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: it keeps names and replies readable to nobody");
    sink.report(f);
}
