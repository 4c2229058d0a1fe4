//! Bytes that begin as TLS and break its rules.

use super::phase::probably;
use super::prelude::*;
use crate::decode::TLS_INSIDE_TLS;
use crate::transcript::Layer;
use crate::wire::sniff::Speaker;
use crate::wire::tls::handshake::{Message, type_name};

pub(super) static RULE: Rule = Rule {
    id: "malformed-tls",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "control-connection-lost",
        "fatal-alert",
        "handshake-refused-by-client",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/malformed-tls.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let broken = |e: &&Event| match e.kind {
        Kind::Malformed { .. } | Kind::Handshake(Message::Broken { .. }) => true,
        // More bytes may make something of it: only what our own driver saw to its end is unknown for good.
        Kind::OtherInsteadOfTls { speaker: Speaker::Unknown | Speaker::SslV2 } => {
            let ended = |a: &Event| matches!(a.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
            case.asked().is_some() && e.from() == Some(Side::Server) && case.after(e).any(ended)
        }
        _ => false,
    };
    if let Some(event) = case.first(|e| matches!(e.kind, Kind::Malformed { part: TLS_INSIDE_TLS })) {
        return stacked(case, event, sink);
    }
    let Some(event) = case.control().find(broken) else { return };
    let Some(from) = event.from() else { return };
    let (place, shown) = match &event.kind {
        Kind::Malformed { part } => ((*part).to_owned(), (*part).to_owned()),
        Kind::Handshake(Message::Broken { kind, part }) => {
            (format!("{}: {part}", type_name(*kind)), type_name(*kind).to_owned())
        }
        _ => ("first bytes".to_owned(), "neither a record nor text".to_owned()),
    };
    let unknown = matches!(event.kind, Kind::OtherInsteadOfTls { .. });
    // What stands behind an alert, a text or another protocol is only what is left of it.
    let said = |e: &Event| {
        matches!(e.kind, Kind::Alert { level: 2, .. } | Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { .. })
    };
    if case.before(event).any(said) || case.handshake_completed_before(event) {
        return;
    }
    // Bytes of a hello that a log or a mail has cut look broken too.
    let sure = !unknown
        && !case.is_from_log(event)
        && !case.direction_is_assumed()
        && !case.tls_due_is_assumed()
        && case.opened_or_asked();
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let who = if from == Side::Server { case.endpoint() } else { "the client".to_owned() };
    let side = Party::from(from);
    let mut f = sink.finding(
        confidence,
        side,
        &[
            format!("{who} {maybe}sent TLS that breaks its own rules ({shown})"),
            format!("the {} {maybe}sent TLS that breaks its own rules ({shown})", side.name()),
            format!("the {} {maybe}sent TLS that breaks its own rules", side.name()),
        ],
    );
    f.set("where", place.as_str()).set("from", side.name());
    f.evidence.extend(sink.evidence(event, &format!("breaks the rules at: {place}")));
    f.why.push(if unknown {
        "It is neither TLS nor text, and no protocol that is known here.".to_owned()
    } else {
        "It begins like a TLS record, so it is no clear text; but no TLS stack can read it.".to_owned()
    });
    f.act =
        Some(Act { party: side, text: format!("{}: which program wrote this? Not a matter of settings", side.name()) });
    f.tell(
        Party::Between,
        AdviceKind::Check,
        "something in between that changes bytes: a proxy, a translation of character sets",
    );
    causes::advise_server_log(case, &mut f, event);
    sink.report(f);
}

/// A TLS record inside TLS.
fn stacked(case: &Case<'_>, event: &Event, sink: &mut Sink<'_>) {
    let Some(from) = event.from().filter(|_| !case.client_left_before(event)) else { return };
    let ours = case.asked().is_some() && event.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
    let confidence = if ours && from == Side::Server { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let who = if from == Side::Server { case.endpoint() } else { "the client".to_owned() };
    let side = Party::from(from);
    let headlines =
        [format!("{who} {maybe}speaks TLS inside TLS"), format!("the {} {maybe}speaks TLS inside TLS", side.name())];
    let mut f = sink.finding(confidence, side, &headlines);
    f.set("where", TLS_INSIDE_TLS).set("from", side.name());
    f.evidence.extend(sink.evidence(event, "a TLS record, after one layer of TLS was taken off"));
    f.why.push("The handshake completed; where a line of FTP was due, another TLS record came.".to_owned());
    f.causes.push(causes::stacked_tls(confidence, "a TLS record arrived inside the TLS session"));
    let text = format!("{}: two of its layers do TLS; take one away", side.name());
    f.act = Some(Act { party: side, text });
    match case.facts.client.as_ref().filter(|c| from == Side::Client && c.id.starts_with("zos")) {
        Some(_) => {
            f.advise("exempt-attls", "zos-attls");
        }
        None => {
            let text = "one of: the program's own TLS, AT-TLS, a TLS proxy in front; only one of them may do it";
            f.tell(side, AdviceKind::Tonight, text);
        }
    }
    sink.report(f);
}
