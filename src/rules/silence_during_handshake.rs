//! AUTH or the ClientHello was never answered, and somebody waited for it.

use super::by_words;
use super::phase::{Broken, End, advise_server, probably};
use super::prelude::*;
use super::told::{How, Place, Told};
use crate::transcript::Mode;

pub(super) static RULE: Rule = Rule {
    id: "silence-during-handshake",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/silence-during-handshake.md"),
    check,
};

/// X25519MLKEM768, whose key share alone has 1216 bytes.
const ML_KEM: u16 = 0x11ec;

/// More does not fit into one Ethernet packet: 1500 bytes without the headers of IP and TCP and a time stamp.
const ONE_PACKET: u64 = 1_448;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let silent = |b: &Broken<'_>| matches!(b.how, End::Silent(_));
    let Some(b) = case.broken_handshake().filter(silent) else { return by_words(case, sink) };
    let confidence = if b.from_log { Confidence::Likely } else { Confidence::Certain };
    let (endpoint, did, maybe) = (case.endpoint(), b.how.did(), probably(confidence));
    let to = match b.place {
        "auth" => "AUTH",
        "client-hello" => "the ClientHello",
        _ => "the rest of the handshake",
    };
    let mut f = sink.finding(
        confidence,
        Party::Unknown,
        &[
            format!("{endpoint} {maybe}{did} in answer to {to}"),
            format!("{endpoint} {maybe}did not answer {to}"),
            format!("the server {maybe}did not answer {to}"),
        ],
    );
    f.set("place", b.place).set("waited_ms", b.how.waited_ms());
    let label = case.facts.offer.as_ref().map(crate::facts::Offer::summary).filter(|_| b.place != "auth");
    f.evidence.extend(sink.evidence(b.asked, label.as_deref().unwrap_or("never answered")));
    f.why.push(
        "A server that refuses says so or closes; silence means that it hangs, or that the packets do not arrive."
            .to_owned(),
    );
    let large = case.facts.offer.as_ref().map(|o| o.wire_len).filter(|n| *n > ONE_PACKET && b.place == "client-hello");
    f.causes.extend(large.map(causes::client_hello_too_large));
    f.causes.push(causes::middlebox_closed(
        Confidence::Possible,
        "a firewall that inspects FTP may swallow what it cannot follow",
    ));
    f.causes.push(causes::slow_server(Confidence::Possible, "the process behind the port may hang"));
    let ordered = case.asked() == Some(Mode::ImplicitAfterBanner);
    if ordered {
        f.causes.insert(0, causes::wrong_mode("a server that waits for AUTH TLS says nothing to a ClientHello"));
    }
    f.act =
        Some(Act { party: Party::Server, text: "server: did it see the connection? That decides who acts".to_owned() });
    if ordered {
        let text = "client: is this mode right? Most servers want AUTH TLS after their greeting (--mode explicit)";
        f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    }
    advise_server(case, &mut f, "handshake-timeout");
    if large.is_some() {
        let text = match case.facts.offer.as_ref().is_some_and(|o| o.groups.contains(&ML_KEM)) {
            true => "leave post-quantum key shares (X25519MLKEM768) out: the hello then fits one packet",
            false => "a shorter hello that fits one packet: fewer suites and extensions, no padding",
        };
        f.tell(Party::Client, AdviceKind::Tonight, text);
    }
    super::closed_during_handshake::advise_log_or_network(case, &mut f, &b);
    sink.report(f);
}

/// AT-TLS says that its time ran out (5004); an I/O error on the same connection is the same event.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else {
        if let Some(told) = case.told_of(Place::Handshake).filter(|t| t.how == How::TimedOut)
            && !by_words::bytes_tell(case, told.claim.event, RULE.id)
        {
            by_ftp(case, &told, sink);
        }
        return;
    };
    let (who, other) = (said.who(), said.partner());
    let who = if said.is_of_unknown_end() { who.to_owned() } else { format!("{who}'s AT-TLS") };
    let headlines = [format!("{who} says that it waited for TLS from {other} in vain{}", said.code())];
    let mut f = said.finding(case, sink, Party::Unknown, &headlines);
    f.set("place", serde_json::Value::Null).set("waited_ms", serde_json::Value::Null);
    let swallowed = "a firewall that inspects FTP may swallow what it cannot follow";
    if said.is_of_server() {
        let because =
            "a policy that is not ApplicationControlled waits for TLS while the client waits for the greeting";
        f.causes.push(causes::attls_policy_missing(Confidence::Possible, because.to_owned()));
        f.causes.push(causes::middlebox_closed(Confidence::Possible, swallowed));
        f.advise("attls-policy", "zos-ftp-server");
    } else {
        f.causes.push(causes::middlebox_closed(Confidence::Possible, swallowed));
        let mode = causes::wrong_mode("a server that waits for AUTH TLS says nothing to a ClientHello");
        f.causes.push(super::Cause { confidence: Confidence::Possible, ..mode });
        f.advise("handshake-timeout", "zos-attls");
    }
    f.act = Some(Act {
        party: Party::Unknown,
        text: "both: which end was to speak first? Port, mode and HandshakeRole; then the network".to_owned(),
    });
    f.tell(Party::Between, AdviceKind::Check, "firewalls that inspect FTP: exempt this connection");
    sink.report(f);
}

/// The z/OS FTP client says that it waited in vain behind AUTH.
fn by_ftp(case: &Case<'_>, told: &Told<'_>, sink: &mut Sink<'_>) {
    let endpoint = case.endpoint();
    let headlines = [
        format!("{endpoint} did not answer behind AUTH, says the z/OS client"),
        "the server did not answer behind AUTH, says the z/OS client".to_owned(),
    ];
    let mut f = told.finding(sink, Party::Unknown, &headlines);
    let auth = case.auth();
    let answer = auth.and_then(|a| case.after(a).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code >= 200)));
    f.evidence.extend(auth.and_then(|e| sink.evidence(e, "")));
    f.evidence.extend(answer.and_then(|e| sink.evidence(e, "")));
    f.set("place", if answer.is_some() { "client-hello" } else { "auth" }).set("waited_ms", serde_json::Value::Null);
    f.causes.push(causes::middlebox_closed(
        Confidence::Possible,
        "a firewall that inspects FTP may swallow what it cannot follow",
    ));
    f.causes.push(causes::slow_server(Confidence::Possible, "the process behind the port may hang"));
    f.act =
        Some(Act { party: Party::Server, text: "server: did it see the connection? That decides who acts".to_owned() });
    advise_server(case, &mut f, "handshake-timeout");
    f.tell(Party::Between, AdviceKind::Check, "firewalls that inspect FTP: exempt this connection");
    super::advise::trace_tls(case, &mut f);
    sink.report(f);
}
