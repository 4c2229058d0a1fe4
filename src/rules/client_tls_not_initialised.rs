//! The client never began TLS: its own environment failed, or nobody on its side does TLS.

use super::by_words;
use super::case::Claim;
use super::phase::probably;
use super::prelude::*;
use super::zos_advice;
use crate::transcript::{Close, speakers};
use crate::wire::tls::handshake::Message;

pub(super) static RULE: Rule = Rule {
    id: "client-tls-not-initialised",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "fatal-alert",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/client-tls-not-initialised.md"),
    check,
};

/// System SSL and AT-TLS before the first byte of a handshake: key ring or database, password, label, key, environment.
pub(super) const ENVIRONMENT: [u32; 19] =
    [6, 7, 102, 103, 106, 109, 201, 202, 204, 407, 408, 416, 428, 455, 456, 457, 465, 5006, 5018];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let hello = |e: &Event| matches!(e.kind, Kind::Handshake(Message::ClientHello(_)));
    if case.asked().is_some() || case.first(hello).is_some() || case.handshake_completed() {
        return;
    }
    by_its_words(case, sink);
    by_its_bytes(case, sink);
}

/// The code of an environment that never came up.
fn of_code(claim: &Claim<'_>) -> Option<u32> {
    match claim.code {
        Some(Code::Gsk(rc) | Code::AtTls(rc)) if ENVIRONMENT.contains(rc) && !is_in_handshake(claim, *rc) => Some(*rc),
        _ => None,
    }
}

/// Whether a service failed that a handshake needs on its way: then it may have begun. AT-TLS says so where it was the environment.
fn is_in_handshake(claim: &Claim<'_>, rc: u32) -> bool {
    let attls = speakers::program_of(claim.by) == speakers::AT_TLS;
    let began = if attls { !claim.text.contains("Environment") } else { claim.text.contains("secure_socket_init") };
    zos_advice::KEY.contains(&rc) && began
}

/// The client's word that decides.
fn told<'a>(case: &Case<'a>) -> Option<Claim<'a>> {
    // AT-TLS runs at servers as well: where its end is unknown, it speaks for nobody.
    let of_nobody = |c: &Claim<'_>| c.side.is_none() && speakers::program_of(c.by) == speakers::AT_TLS;
    // 5006 says that another message has the reason, wherever that stands.
    let claims = case.claims().filter(|c| !c.is_of_server() && !of_nobody(c));
    claims
        .filter(|c| of_code(c).is_some() || causes::may_be_words(c))
        .take(by_words::MOST)
        .filter(|c| of_code(c).is_some() || !causes::of_words(case, c).is_empty())
        .min_by_key(|c| of_code(c) == Some(5006))
}

/// Whether its own code says that TLS never started, and no hello says otherwise.
pub(super) fn is_told_by_code(case: &Case<'_>) -> bool {
    case.client_hello().is_none() && told(case).is_some_and(|c| of_code(&c).is_some())
}

/// Its own program says why.
fn by_its_words(case: &Case<'_>, sink: &mut Sink<'_>) -> Option<()> {
    let claim = told(case)?;
    let rc = of_code(&claim);
    let client = case.facts.client.as_ref().map_or_else(|| "client".to_owned(), |c| format!("{} client", c.name));
    let what = rc.map_or_else(|| claim.text.to_owned(), |rc| format!("rc {rc}"));
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Client,
        &[
            format!("the {client} probably never started TLS: {what}"),
            "the client probably never started TLS: its environment failed".to_owned(),
        ],
    );
    f.ended = true;
    f.set("rc", rc).set("text", claim.text).set("instead", serde_json::Value::Null);
    f.evidence.extend(sink.evidence(claim.event, ""));
    f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    f.why.push(
        "No ClientHello is in the evidence: the partner, its versions, ciphers and certificate are not the fault."
            .to_owned(),
    );
    f.causes = match rc {
        Some(rc) => causes::of_return_code(case, &claim, rc),
        None => causes::of_words(case, &claim),
    };
    let id = f.causes.first().map(|c| c.id.clone()).unwrap_or_default();
    let (text, need) = match id.as_str() {
        "private-key-unusable" => ("client: the certificate's private key, and ICSF", "icsf-access"),
        "attls-policy-missing" => ("client: the AT-TLS policy; look at the message before this one", "attls-policy"),
        _ => ("client: name a key ring that its user id can read", "set-key-ring"),
    };
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    let product = case.facts.client.as_ref().map_or("zos-native", |c| c.id);
    if let Some(rc) = rc.or_else(|| zos_advice::of_message(&claim))
        && zos_advice::by_code(case, &claim, rc, &mut f)
        && let Some((party, text)) = zos_advice::act(rc, Party::Client)
    {
        f.act = Some(Act { party, text });
    }
    // Who asks AT-TLS for it is no other product than its policy.
    let of_policy = id == "attls-policy-missing" && product.starts_with("zos");
    f.advise(need, if of_policy { "zos-attls" } else { product });
    if id == "key-ring-unusable" && product == "zos-native" {
        f.tell(
            Party::Client,
            AdviceKind::Check,
            "is AT-TLS meant to do it? Then TLSMECHANISM ATTLS in FTP.DATA, and the ring in the policy",
        );
    }
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: no TLS reached the server");
    sink.report(f);
    Some(())
}

/// The server said yes, and what came from the client was no TLS, or nothing until it left.
fn by_its_bytes(case: &Case<'_>, sink: &mut Sink<'_>) -> Option<()> {
    let auth = case.auth()?;
    let yes = case.after(auth).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code >= 200 && r.whole))?;
    if !matches!(&yes.kind, Kind::Reply(r) if r.code < 400) {
        return None;
    }
    // Whatever comes first: bytes that are missing, and a server that speaks again, leave the client's reason open.
    let next = case.after(yes).next()?;
    let text = match &next.kind {
        Kind::TextInsteadOfTls { text, .. } if next.from() == Some(Side::Client) => {
            Some(text.trim_end_matches("\\n").trim_end_matches("\\r").to_owned())
        }
        // Who sent a reset does not show.
        Kind::Closed { by: Side::Client, how: Close::Fin | Close::Unknown } => None,
        _ => return None,
    };
    let told = matches!(next.kind, Kind::Closed { how: Close::Unknown, .. });
    let sure = !told && !case.is_from_log(next) && !case.is_from_log(yes) && !case.direction_is_assumed();
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let headline = match &text {
        Some(_) => format!("the client {maybe}went on in clear text after the yes to AUTH, without TLS"),
        None => format!("the client {maybe}left after the yes to AUTH and never started TLS"),
    };
    let mut f = sink.finding(confidence, Party::Client, &[headline]);
    f.ended = true;
    f.set("rc", serde_json::Value::Null).set("text", serde_json::Value::Null).set("instead", text.as_deref());
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(yes, "the server waits for a ClientHello"));
    f.evidence.extend(sink.evidence(next, "no TLS"));
    f.why
        .push("The server had agreed to TLS; no ClientHello came, so nothing of TLS can have been refused.".to_owned());
    f.act = Some(Act { party: Party::Client, text: "client: its own log names why TLS did not start".to_owned() });
    who_does_tls(case, text.is_some(), &mut f);
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: no TLS reached the server");
    sink.report(f);
    Some(())
}

/// Why a client that was let go ahead did not: another layer was to do it, or its own could not begin.
fn who_does_tls(case: &Case<'_>, went_on: bool, f: &mut Finding) {
    let zos = case.facts.client.as_ref().filter(|c| c.id.starts_with("zos"));
    match (zos, went_on) {
        (Some(_), true) => {
            let because = "the FTP client believes TLS done, as one does whose TLS another layer does";
            f.causes.push(causes::attls_policy_missing(Confidence::Likely, because.to_owned()));
            f.advise("attls-policy", "zos-attls");
        }
        (Some(client), false) => {
            let because = "System SSL starts no TLS without a key ring".to_owned();
            f.causes.push(causes::key_ring_unusable(because));
            f.advise("set-key-ring", client.id);
        }
        (None, true) => {
            let because = "the client believes TLS done, as one does whose TLS another layer does (AT-TLS, a proxy)";
            f.causes.push(causes::attls_policy_missing(Confidence::Possible, because.to_owned()));
            f.tell(
                Party::Client,
                AdviceKind::Check,
                "who is to do TLS on this side: the program, AT-TLS on z/OS, a proxy?",
            );
        }
        (None, false) => {
            let text = "switch the client's debug output on: it left before its own ClientHello";
            f.tell(Party::Client, AdviceKind::Check, text);
        }
    }
}
