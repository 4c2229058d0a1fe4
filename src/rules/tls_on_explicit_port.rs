//! The server waits for a ClientHello where a client with explicit TLS waits for the greeting: both wait.

use super::phase::End;
use super::prelude::*;
use crate::transcript::{Mode, Role};

pub(super) static RULE: Rule = Rule {
    id: "tls-on-explicit-port",
    severity: Severity::Failure,
    outranks: &["no-banner"],
    page: include_str!("../../docs/findings/tls-on-explicit-port.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(answer) = case.tls_at_once() else { return };
    let expects_greeting = match case.asked() {
        Some(Mode::Explicit) => true,
        Some(Mode::Auto) => !case.is_on_990(),
        Some(_) => false,
        // Evidence of others: only a question beside the session shows what was expected.
        None => !case.is_session(answer),
    };
    if !expects_greeting || !says_nothing(case, answer) {
        return;
    }
    let severity =
        if case.is_session(answer) && case.asked() == Some(Mode::Auto) { Severity::Note } else { Severity::Failure };
    // A greeting may still come as long as its connection stands.
    let waited = case.control().find(|e| e.conn != answer.conn && is_end(e));
    let same = case.control().any(|e| core::ptr::eq(e, answer)) && case.asked() == Some(Mode::Explicit);
    let proved = waited.is_some() || same || severity == Severity::Note;
    let confidence = if proved { Confidence::Certain } else { Confidence::Likely };
    let maybe = super::phase::probably(confidence);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Client,
        &[
            format!("{endpoint} {maybe}begins with TLS at once: implicit, not explicit TLS"),
            format!("{endpoint} {maybe}wants implicit TLS, not explicit"),
            format!("the server {maybe}wants implicit TLS, not explicit"),
        ],
    );
    f.severity = severity;
    f.ended = proved;
    f.set("waited_ms", waited.and_then(End::of).and_then(End::waited_ms));
    f.evidence.extend(sink.evidence(answer, "TLS, in answer to a ClientHello without AUTH"));
    f.why.push(
        "The server sends no greeting because it waits for a ClientHello; a client that waits for 220 waits for ever."
            .to_owned(),
    );
    f.why.push("No firewall, slow server or certificate is the fault.".to_owned());
    f.causes.push(causes::wrong_mode("no greeting came, and a ClientHello was answered in TLS"));
    f.act = Some(Act {
        party: Party::Client,
        text: "client: use implicit TLS for this port (--mode implicit here)".to_owned(),
    });
    f.tell(Party::Client, AdviceKind::Tonight, "set the profile to implicit TLS (FTPS) and leave the port as it is");
    if let Some(client) = &case.facts.client {
        f.advise("use-implicit", client.id);
    }
    f.tell(
        Party::Server,
        AdviceKind::Leave,
        "nothing to change, unless clients are meant to use explicit TLS on this port",
    );
    sink.report(f);
}

/// Whether no other control connection of the session heard a greeting before it ended.
fn says_nothing(case: &Case<'_>, answer: &Event) -> bool {
    let t = case.transcript;
    let control = |e: &&Event| t.conn(e.conn).is_some_and(|c| c.role == Role::Control);
    let others = || case.timeline.events.iter().filter(control).filter(|e| e.conn != answer.conn);
    let greeted = |e: &Event| e.from() == Some(Side::Server) && !case.before(e).any(is_end);
    let alone = t.conns.iter().filter(|c| c.role == Role::Control).count() < 2;
    if others().any(greeted) {
        return false;
    }
    others().any(|e| e.kind == Kind::Opened) || (alone && case.opened_before(answer))
}

fn is_end(e: &Event) -> bool {
    matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::OpenFailed { .. })
}
