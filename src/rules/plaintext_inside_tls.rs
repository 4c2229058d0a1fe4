//! Text where a TLS record was due, after the handshake: vsftpd's `500 OOPS` from a process without the TLS state.

use super::phase::{advise_server, probably};
use super::prelude::*;
use crate::transcript::Decrypted;

pub(super) static RULE: Rule = Rule {
    id: "plaintext-inside-tls",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "plaintext-instead-of-tls"],
    page: include_str!("../../docs/findings/plaintext-inside-tls.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let text_event = |e: &&Event| e.from() == Some(Side::Server) && matches!(e.kind, Kind::TextInsteadOfTls { .. });
    let Some(event) = case.control().filter(text_event).find(|e| case.handshake_completed_before(e)) else { return };
    let Kind::TextInsteadOfTls { reply, text, .. } = &event.kind else { return };
    // Behind CCC, or behind close_notify, clear text is what was agreed on.
    let agreed = |e: &Event| match &e.kind {
        Kind::Command { verb, .. } => verb == "CCC",
        Kind::Decrypted { seen: Decrypted::Alert { description: 0, .. }, .. } => true,
        Kind::Reply(r) => r.code == 221 && r.whole,
        _ => false,
    };
    // In a segment with the text, they are written down behind its bytes.
    let ours = case.asked().is_some();
    if case.before(event).any(agreed)
        || ours && case.after(event).any(agreed)
        || case.client_left_before(event)
        || (reply.is_none() && !text.ends_with("\\n"))
    {
        return;
    }
    let sure = reply.is_some() && !case.is_from_log(event) && !case.direction_is_assumed();
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let said = text.trim_end_matches("\\n").trim_end_matches("\\r").to_owned();
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}wrote clear text into TLS: {said}"),
            format!("{endpoint} {maybe}wrote clear text into the TLS session"),
            format!("the server {maybe}wrote clear text into the TLS session"),
        ],
    );
    f.set("code", reply.as_ref().map(|r| r.code)).set("text", said.as_str());
    let command = case.before(event).filter_map(|e| match &e.kind {
        Kind::Command { verb, .. } => Some(verb.clone()),
        _ => None,
    });
    f.set("after", command.last());
    f.evidence.extend(sink.evidence(event, "clear text, where a TLS record was due"));
    f.why.push("The handshake had completed: no cipher, certificate, password or firewall is the fault.".to_owned());
    f.why.push(
        "Clients report a broken TLS packet (GnuTLS -15, wrong version number, Unknown-48.48) and hide the text."
            .to_owned(),
    );
    explain(case, event, &said, &mut f);
    sink.report(f);
}

fn explain(case: &Case<'_>, event: &Event, said: &str, f: &mut Finding) {
    let act = |text: &str| Some(Act { party: Party::Server, text: text.to_owned() });
    let vsftpd = said.contains("OOPS");
    if !vsftpd {
        f.act = act("server: its log of that second names the reason");
        causes::advise_server_log(case, f, event);
        return;
    }
    let (need, what) = match said {
        s if s.contains("writable root") => {
            ("fix-writable-root", "server (vsftpd): the user's home is writable: chmod a-w, or allow it")
        }
        s if s.contains("cannot change directory") => {
            ("fix-missing-home", "server (vsftpd): create the user's home directory, or correct local_root")
        }
        s if s.contains("child died") || s.contains("priv_sock") => {
            ("fix-sandbox", "server (vsftpd): its process was killed; the sandbox is the usual reason")
        }
        _ => ("see-tls-log", "server (vsftpd): the text behind OOPS names the reason"),
    };
    let because = format!("vsftpd writes \"500 OOPS:\" from a process that has no TLS: \"{said}\"");
    let mut cause = causes::server_crashed_child(Confidence::Likely, because);
    if need != "see-tls-log" {
        // The text names the reason: only the change is left to be tried.
        cause.ask.clear();
        cause = cause.ask(Party::Client, None, &["log in again after the change".to_owned()], "the login works");
    }
    f.causes.push(cause);
    f.act = act(what);
    f.advise(need, "vsftpd");
    advise_rest(case, f);
}

/// When the text names nothing known: what usually is.
fn advise_rest(case: &Case<'_>, f: &mut Finding) {
    if f.advice.is_empty() {
        advise_server(case, f, "see-tls-log");
    }
    f.tell(Party::Client, AdviceKind::Leave, "nothing to change: the client cannot end it");
}
