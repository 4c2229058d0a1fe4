//! After the handshake the control connection ended without a reply.

use super::phase::{End, advise_server, probably};
use super::prelude::*;
use super::told::{How, Place};
use crate::transcript::{Close, Decrypted, Layer};
use crate::wire::tls::handshake::Message;

pub(super) static RULE: Rule = Rule {
    id: "control-connection-lost",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/control-connection-lost.md"),
    check,
};

/// What the session inside TLS waits for.
#[derive(Default)]
struct Waiting<'a> {
    established: bool,
    heard: bool,
    command: Option<(&'a Event, String)>,
    /// The mark (1yz) that came for it.
    begun: Option<(&'a Event, u16)>,
    /// QUIT, once all that went before was answered.
    quit: Option<&'a Event>,
    /// vsftpd's last words, inside TLS or in clear.
    oops: Option<String>,
    /// 421: the server's goodbye to a client that it has no room for.
    busy: Option<String>,
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let mut session = Waiting::default();
    let is_inside = |e: &Event| {
        let established = matches!(e.kind, Kind::Decrypted { seen: Decrypted::Established { .. }, .. });
        established || e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls)
    };
    let Some(conn) = case.first(is_inside).map(|e| e.conn) else { return told(case, sink) };
    for e in case.control().filter(|e| e.conn == conn) {
        let inside = e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
        match &e.kind {
            Kind::Decrypted { seen: Decrypted::Established { .. }, .. } => session.established = true,
            Kind::Command { verb, .. } if inside => {
                let last = session.oops.is_none();
                match verb.as_str() {
                    "QUIT" if last && session.command.is_none() && session.heard => session.quit = Some(e),
                    // After CCC the replies come in clear, and nobody waits for the last word.
                    "QUIT" | "CCC" if last => return,
                    _ => (session.command, session.begun) = (Some((e, verb.clone())), None),
                }
            }
            Kind::Reply(r) if inside && r.text.contains("OOPS:") => {
                session.heard = true;
                session.oops = Some(r.text.clone());
            }
            Kind::Reply(r) if inside && r.whole && r.code == 421 => {
                session.heard = true;
                session.busy = Some(r.text.clone());
            }
            Kind::TextInsteadOfTls { text, .. } if text.contains("OOPS:") => session.oops = Some(text.clone()),
            // Half a reply is one that did not come.
            Kind::Reply(r) if inside && r.whole && r.code != 221 => {
                if session.quit.is_some() {
                    return; // answered, if not as it should be
                }
                session.heard = true;
                session.begun = Some((e, r.code)).filter(|_| r.code < 200);
                session.command = session.command.filter(|_| r.code < 200);
            }
            // Who ends it himself, or is told goodbye, has lost nothing.
            Kind::Closed { by: Side::Client, .. } | Kind::TimedOut { waiting_for: Side::Client, .. } => return,
            Kind::Reply(r) if r.code == 221 && r.whole => return,
            _ => {
                if let Some(end) = End::of(e) {
                    return match session.quit {
                        Some(quit) => unfriendly(case, quit, (e, end), sink),
                        None => ended(case, e, end, &session, sink),
                    };
                }
            }
        }
    }
    told(case, sink);
}

/// The z/OS client says that the conversation broke off.
fn told(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(told) = case.told_of(Place::Session) else { return };
    let command = case.before(told.claim.event).filter(|e| matches!(e.kind, Kind::Command { .. })).last();
    let marked = |c: &Event| case.after(c).find(|e| matches!(e.kind, Kind::Reply(_)));
    let (mut verb, mut begun) = (None, None);
    if let Some(Event { kind: Kind::Command { verb: v, .. }, .. }) = command {
        match command.and_then(marked).map(|e| &e.kind) {
            // Answered: it was lost between two commands.
            Some(Kind::Reply(r)) if r.code >= 200 => {}
            Some(Kind::Reply(r)) => (verb, begun) = (Some(v.clone()), Some(r.code)),
            _ => verb = Some(v.clone()),
        }
    }
    let did = told.how.did();
    let behind = verb.as_ref().map_or_else(String::new, |v| format!(" behind {v}"));
    let headlines = [
        format!("the connection to {} {did}{behind}, says the z/OS client", case.endpoint()),
        format!("the control connection {did}{behind}, says the z/OS client"),
    ];
    let mut f = told.finding(sink, Party::Unknown, &headlines);
    f.set("command", verb).set("how", told.how.name()).set("waited_ms", serde_json::Value::Null).set("begun", begun);
    if f.data.get("command").is_some_and(|v| v == "QUIT") {
        f.severity = Severity::Warning;
        f.why.push("All that was sent before had been answered: what was transferred is not touched by it.".to_owned());
    }
    f.evidence.extend(command.and_then(|c| sink.evidence(c, "")));
    if told.how == How::TimedOut {
        f.causes.push(causes::slow_server(Confidence::Possible, "no reply came while the client waited"));
    }
    let between = "a firewall may have forgotten the connection while it stood idle, or during a long transfer";
    f.causes.push(causes::middlebox_closed(Confidence::Possible, between));
    f.act = Some(Act { party: Party::Server, text: "server: its log of that second names the reason".to_owned() });
    let when = case.second(told.claim.event).map_or_else(|| "of that moment".to_owned(), |s| format!("at {s}"));
    f.tell(Party::Server, AdviceKind::Check, format!("server and system log {when}: why did the session end?"));
    f.tell(Party::Client, AdviceKind::Check, "FTPKEEPALIVE in FTP.DATA; INACTTIME is the timer for replies");
    sink.report(f);
}

/// All was answered but QUIT. Many servers just close then, which is no fault; a reset or a silence some clients report.
fn unfriendly(case: &Case<'_>, quit: &Event, (e, end): (&Event, End), sink: &mut Sink<'_>) {
    if matches!(end, End::Closed(Close::Fin | Close::Unknown)) {
        return;
    }
    let confidence = if case.is_from_log(quit) { Confidence::Likely } else { end.confidence() };
    let (maybe, endpoint, did) = (probably(confidence), case.endpoint(), end.did());
    let headlines = [
        format!("{endpoint} {maybe}{did} behind QUIT, without 221"),
        format!("the server {maybe}{did} behind QUIT, without 221"),
    ];
    let mut f = sink.finding(confidence, Party::Server, &headlines);
    f.severity = Severity::Warning;
    f.set("command", "QUIT").set("how", end.name()).set("waited_ms", end.waited_ms()).set("begun", None::<u16>);
    f.evidence.extend(sink.evidence(quit, "never answered"));
    f.why.push("All that was sent before had been answered: what was transferred is not touched by it.".to_owned());
    f.act = Some(Act { party: Party::Client, text: "client: count transfers by their 226, not by the 221".to_owned() });
    f.tell(Party::Server, AdviceKind::Lasting, "answer QUIT with 221, then close");
    sink.shows_by(&mut f, e);
    sink.report(f);
}

fn ended(case: &Case<'_>, e: &Event, end: End, session: &Waiting<'_>, sink: &mut Sink<'_>) {
    let at_once = session.established && !session.heard;
    if session.command.is_none() && !at_once {
        return;
    }
    let from_log = session.command.as_ref().is_some_and(|(c, _)| case.is_from_log(c));
    let confidence = if from_log { Confidence::Likely } else { end.confidence() };
    let (maybe, endpoint, did) = (probably(confidence), case.endpoint(), end.did());
    let place = match (&session.command, session.begun) {
        (None, _) => "right after the TLS handshake".to_owned(),
        (Some((_, verb)), None) => format!("instead of answering {verb}"),
        (Some((_, verb)), Some((_, code))) => format!("behind its {code} to {verb}"),
    };
    let without = if session.begun.is_some() { "the final reply" } else { "a reply" };
    let by_421 = session.busy.as_ref().map(|_| format!("{endpoint} ended the session inside TLS with 421"));
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            by_421.unwrap_or_else(|| format!("{endpoint} {maybe}{did} {place}")),
            format!("the server {maybe}{did} {place}"),
            format!("the server {maybe}ended the session inside TLS without {without}"),
        ],
    );
    f.set("command", session.command.as_ref().map(|(_, v)| v.as_str())).set("how", end.name());
    f.set("waited_ms", end.waited_ms()).set("begun", session.begun.map(|(_, code)| code));
    if let Some((command, _)) = &session.command {
        let label = match (&session.busy, session.begun) {
            (Some(_), _) => "answered with 421".to_owned(),
            (None, Some((_, code))) => format!("answered with {code}, and no more"),
            (None, None) => "never answered".to_owned(),
        };
        f.evidence.extend(sink.evidence(command, &label));
        f.evidence.extend(session.begun.and_then(|(event, _)| sink.evidence(event, "")));
    }
    f.why.push("The TLS handshake itself had completed: version, cipher and the server's certificate work.".to_owned());
    explain(case, e, end, session, &mut f);
    f.act = Some(Act { party: Party::Server, text: "server: its log of that second names the reason".to_owned() });
    let when = case.second(e).map_or_else(|| "of that moment".to_owned(), |s| format!("at {s}"));
    f.tell(Party::Server, AdviceKind::Check, format!("server and system log {when}: why did the session end?"));
    sink.report(f);
}

fn explain(case: &Case<'_>, e: &Event, end: End, session: &Waiting<'_>, f: &mut Finding) {
    let at_once = session.established && !session.heard;
    // What the server has ended in order is not slow.
    let ended_tls = |b: &Event| {
        matches!(b.kind, Kind::Decrypted { from: Side::Server, seen: Decrypted::Alert { description: 0, .. } })
    };
    if let Some(oops) = &session.oops {
        let said = format!("its last words: \"{}\"", oops.trim_end_matches("\\n").trim_end_matches("\\r"));
        f.causes.push(causes::server_crashed_child(Confidence::Likely, said));
    } else if let Some(busy) = &session.busy {
        f.causes.push(causes::connection_limit(&format!("its last words: \"421 {busy}\"")));
    } else if matches!(end, End::Silent(_)) && case.before(e).any(ended_tls) {
        f.why.push("It had ended TLS in order (close_notify).".to_owned());
    } else if matches!(end, End::Silent(_)) {
        f.causes.push(causes::slow_server(Confidence::Possible, "the connection stands, but no reply comes"));
    } else {
        if causes::likely_server(case).is_some_and(|p| p.id == "vsftpd") {
            let because = "a server whose process dies closes without a word".to_owned();
            f.causes.push(causes::server_crashed_child(Confidence::Possible, because));
        }
        let asked = |e: &Event| {
            matches!(
                e.kind,
                Kind::Decrypted { seen: Decrypted::CertificateRequest { .. }, .. }
                    | Kind::Handshake(Message::CertificateRequest { .. })
            )
        };
        // In TLS 1.3 a request is encrypted: evidence of others does not show it.
        if at_once && (case.asked().is_none() || case.first(asked).is_some()) {
            let because = "a client without a certificate is sometimes sent away like this in TLS 1.3";
            f.causes.push(causes::client_certificate_missing(Confidence::Possible, because));
        }
        advise_server(case, f, "fix-sandbox");
    }
}
