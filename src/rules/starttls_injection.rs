//! What was sent before TLS was carried out inside it (CVE-2011-0411).

use super::audit_checks::{act, finding};
use super::phase::is_auth;
use super::prelude::*;
use crate::facts::audited::Question;
use crate::transcript::{Decrypted, Layer, topics};

pub(super) static RULE: Rule = Rule {
    id: "starttls-injection",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/starttls-injection.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "starttls-injection";

/// The words of the check when nothing can be told.
const OPEN: &str = "commands sent before TLS, answered inside it";

/// A greeting: some servers say it again inside TLS, unasked.
const GREETING: u16 = 220;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(q) = case.answered(topics::SMUGGLED) else { return };
    let good = "commands sent before TLS are not answered inside it";
    if let Some(event) = q.spoke_unasked_inside() {
        return match &event.kind {
            Kind::Reply(r) if r.code != GREETING => found(case, sink, q, event),
            _ => sink.untested(CHECK, OPEN, "the server speaks inside TLS first, whatever was sent before"),
        };
    }
    let established =
        q.events.iter().position(|e| matches!(e.kind, Kind::Decrypted { seen: Decrypted::Established { .. }, .. }));
    let goes_on = |e: &&Event| is_inside(e, Side::Client);
    let replies: Vec<u16> = q.events.iter().skip_while(|e| !is_auth(e)).filter_map(|e| whole_reply(e)).collect();
    match (established, replies.as_slice()) {
        (Some(place), _) if q.events.iter().skip(place).any(goes_on) => {
            sink.passed(CHECK, good, "a NOOP in the segment of AUTH TLS was not answered inside");
        }
        (None, [code, ..]) if *code >= 400 => {
            sink.passed(CHECK, good, &format!("AUTH TLS with a NOOP behind it was refused: {code}"));
        }
        // The session shows that the same handshake comes to its end without the NOOP.
        (None, [_, others @ ..]) if (!others.is_empty() || gave_up(q)) && case.handshake_completed() => {
            sink.passed(CHECK, good, "the server took the NOOP behind AUTH TLS for TLS, and gave up");
        }
        _ => sink.untested(CHECK, OPEN, "the handshake behind AUTH TLS and NOOP did not come to its end"),
    }
}

/// The code of a reply in clear.
fn whole_reply(e: &Event) -> Option<u16> {
    match &e.kind {
        Kind::Reply(r) if r.whole && !is_inside(e, Side::Server) => Some(r.code),
        _ => None,
    }
}

fn is_inside(e: &Event, from: Side) -> bool {
    e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls && s.flow.from == from)
}

/// Whether the server ended the handshake by words or an alert.
fn gave_up(q: &Question<'_>) -> bool {
    q.events.iter().any(|e| {
        let is_no = matches!(e.kind, Kind::Alert { level: 2, .. } | Kind::TextInsteadOfTls { .. });
        is_no && e.from() == Some(Side::Server)
    })
}

fn found(case: &Case<'_>, sink: &mut Sink<'_>, q: &Question<'_>, event: &Event) {
    let Kind::Reply(reply) = &event.kind else { return };
    let mut f = finding(case, sink, Confidence::Certain, "carries out inside TLS what was sent before it");
    let auth = q.events.iter().find(|e| is_auth(e));
    let smuggled = q.events.iter().skip_while(|e| !is_auth(e)).skip(1).find_map(|e| match &e.kind {
        Kind::Command { line, .. } => Some((*e, line.clone())),
        _ => None,
    });
    f.set("reply", reply.code).set("said", reply.text.clone());
    f.set("command", smuggled.as_ref().map(|(_, line)| line.clone()));
    f.evidence.extend(auth.and_then(|e| sink.evidence(e, "the client asks for TLS")));
    f.evidence.extend(smuggled.and_then(|(e, _)| sink.evidence(e, "in the same segment, in clear")));
    f.evidence.extend(sink.evidence(event, "its answer, inside TLS; the client had said nothing there"));
    f.why.push(
        "Who stands in between can put commands of his own in front of a session; no check of certificates shows it."
            .to_owned(),
    );
    f.act = act("update it; a sound one throws away what came before the handshake");
    f.tell(Party::Server, AdviceKind::Lasting, "update: Pure-FTPd 1.0.30, ProFTPD 1.3.4 and later are sound");
    let before = f.advice.len();
    super::phase::advise_server(case, &mut f, "enable-implicit");
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Tonight, "until then implicit TLS (port 990), which has no phase in clear");
    }
    sink.report(f);
}
