//! The greeting is a refusal.

use super::phase::{advise_server, probably};
use super::prelude::*;
use crate::decode::Reply;
use crate::transcript::Layer;

pub(super) static RULE: Rule = Rule {
    id: "banner-refuses",
    severity: Severity::Failure,
    outranks: &["auth-refused", "tls-required-by-server"],
    page: include_str!("../../docs/findings/banner-refuses.md"),
    check,
};

fn is_inside(e: &Event) -> bool {
    e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls)
}

/// A word of FTP, from either side.
fn said(e: &Event) -> bool {
    matches!(e.kind, Kind::Command { .. } | Kind::Reply(_) | Kind::Text { .. })
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let greeting = case.control().find_map(|e| match &e.kind {
        Kind::Reply(r) if !case.came_before(e, Side::Client) && !case.came_before(e, Side::Server) => Some((e, r)),
        // With implicit TLS the greeting stands inside.
        Kind::Reply(r) if is_inside(e) && !case.before(e).any(said) => Some((e, r)),
        _ => None,
    });
    let Some((event, reply)) = greeting.filter(|(_, r)| r.code >= 400 && r.whole) else { return };
    let opened = case.opened_before(event);
    if !opened && (reply.code != 421 || !case.is_closed()) {
        return; // a log that begins in the middle
    }
    let confidence = if opened { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}greets with a refusal: {} {}", reply.code, reply.text),
            format!("{endpoint} {maybe}greets with a refusal ({})", reply.code),
            format!("the server {maybe}greets with a refusal ({})", reply.code),
        ],
    );
    f.set("code", reply.code).set("text", reply.text.as_str());
    f.evidence.extend(sink.evidence(event, "instead of 220"));
    f.why.push(
        if is_inside(event) {
            "The TLS handshake itself works; the server let nobody in, and the login was not reached."
        } else {
            "The server let nobody in: TLS, login and certificate were not reached."
        }
        .to_owned(),
    );
    advise(case, reply, &mut f);
    sink.report(f);
}

/// What the words of the greeting lead to.
fn advise(case: &Case<'_>, reply: &Reply, f: &mut Finding) {
    let words = reply.text.to_ascii_lowercase();
    let said = |any: &[&str]| any.iter().any(|w| words.contains(w));
    if said(&["banned", "not currently accepting", "blacklist", "blocked", "no connections allowed from your"]) {
        f.causes.push(causes::banned(Confidence::Likely, "the words of the greeting say so"));
        f.act = Some(Act {
            party: Party::Server,
            text: "server: why is the client's address banned? Then take it off the list".to_owned(),
        });
        f.tell(
            Party::Server,
            AdviceKind::Check,
            "the FTP server's own ban list (it answered itself, no packet filter did)",
        );
        f.tell(Party::Client, AdviceKind::Leave, "do not try again at once: that may prolong a ban");
    } else if reply.code == 421 || said(&["too many", "maximum", "limit", "no more connections"]) {
        f.causes.push(causes::connection_limit("421 says that the service is not available to this client now"));
        f.act = Some(Act {
            party: Party::Server,
            text: "server: its connection limits; client: fewer connections, try again later".to_owned(),
        });
        advise_server(case, f, "connection-limit");
        f.tell(Party::Client, AdviceKind::Tonight, "close idle and parallel connections, then try again");
    } else {
        f.act =
            Some(Act { party: Party::Server, text: "server: the words of the greeting say what is wrong".to_owned() });
        f.tell(Party::Server, AdviceKind::Check, "maintenance mode, access lists, and its log of that second");
    }
}
