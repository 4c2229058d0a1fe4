//! Bytes that begin as TLS and break its rules.

use super::phase::probably;
use super::prelude::*;
use crate::decode::TLS_INSIDE_TLS;
use crate::transcript::{Decrypted, Layer};
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
        "handshake-refused-by-server",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/malformed-tls.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    if let Some(event) = case.first(|e| matches!(e.kind, Kind::Malformed { part: TLS_INSIDE_TLS })) {
        return stacked(case, event, sink);
    }
    if let Some(done) = case.completion() {
        return behind_handshake(case, done, sink);
    }
    let Some(event) = case.control().find(|e| is_broken(case, e)) else { return };
    let Some(from) = event.from() else { return };
    let (place, shown) = place_of(event);
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

fn is_broken(case: &Case<'_>, e: &Event) -> bool {
    match e.kind {
        Kind::Malformed { .. } | Kind::Handshake(Message::Broken { .. }) => true,
        // More bytes may make something of it: only what our own driver saw to its end is unknown for good.
        Kind::OtherInsteadOfTls { speaker: Speaker::Unknown | Speaker::SslV2 }
        | Kind::Handshake(Message::Ssl2ServerHello(_) | Message::Ssl2Error { .. }) => {
            let ended = |a: &Event| matches!(a.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
            case.asked().is_some() && e.from() == Some(Side::Server) && case.after(e).any(ended)
        }
        _ => false,
    }
}

/// Which part breaks the rules, and how the headline calls it.
fn place_of(event: &Event) -> (String, String) {
    match &event.kind {
        Kind::Malformed { part } => ((*part).to_owned(), (*part).to_owned()),
        Kind::Handshake(Message::Broken { kind, part }) => {
            (format!("{}: {part}", type_name(*kind)), type_name(*kind).to_owned())
        }
        _ => ("first bytes".to_owned(), "neither a record nor text".to_owned()),
    }
}

/// Bytes that are no record, or a record that our own engine could not read, where the session's words were due.
fn behind_handshake(case: &Case<'_>, done: &Event, sink: &mut Sink<'_>) {
    let goodbye = |e: &Event| match &e.kind {
        Kind::Command { verb, .. } => verb == "CCC" || verb == "QUIT",
        Kind::Decrypted { seen: Decrypted::Alert { description: 0, .. }, .. } => true,
        _ => false,
    };
    let broken = |e: &&Event| match &e.kind {
        Kind::Malformed { .. } | Kind::OtherInsteadOfTls { .. } => e.from() == Some(Side::Server),
        Kind::Claim { by, .. } => by == "rustls",
        _ => false,
    };
    if case.asked().is_none() {
        return; // evidence of others may have lost the beginning of a record
    }
    let Some(event) = case.after(done).find(broken) else { return };
    let ended = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    if case.client_left_before(event) || case.before(event).any(goodbye) || !case.after(event).any(ended) {
        return;
    }
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Server,
        &[
            format!("{endpoint} probably broke the TLS session: no client can read it"),
            "the server probably broke the TLS session: no client can read it".to_owned(),
        ],
    );
    f.set("where", "behind the handshake").set("from", "server");
    f.evidence.extend(sink.evidence(event, "where a record of the session was due"));
    for claim in case.claims().filter(|c| c.by == "rustls") {
        f.why.push(format!("rustls: \"{}\".", claim.text));
    }
    f.why.push("The handshake had completed: version, cipher and certificate are not the fault.".to_owned());
    f.act = Some(Act {
        party: Party::Server,
        text: "server: two processes on one connection, or something in between that changes bytes?".to_owned(),
    });
    f.tell(Party::Between, AdviceKind::Check, "a proxy or firewall that rewrites FTP: exempt this connection");
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
