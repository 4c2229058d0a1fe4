//! The server insists on a client certificate, and got none.

use super::by_words;
use super::client_auth::{OUTRANKED, Refusal, Sent, read};
use super::phase::{advise_server, probably};
use super::prelude::*;
use crate::codes;

pub(super) static RULE: Rule = Rule {
    id: "client-certificate-required",
    severity: Severity::Failure,
    outranks: OUTRANKED,
    page: include_str!("../../docs/findings/client-certificate-required.md"),
    check,
};

const CERTIFICATE_REQUIRED: u8 = 116;

/// handshake_failure, no_certificate, bad_certificate, certificate_unknown, unknown_ca, access_denied: what servers send
/// when the answer to their request is an empty list (TLS 1.2 and below have no alert of its own for it).
const AFTER_AN_EMPTY_LIST: [u8; 6] = [40, 41, 42, 46, 48, 49];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let story = read(case);
    let Some((event, refusal)) = &story.refusal else { return by_words(case, sink) };
    let asked = story.request.is_some();
    let proof = match (&story.sent, refusal) {
        (Sent::Nothing | Sent::Unknown, Refusal::Alert(CERTIFICATE_REQUIRED)) => Confidence::Certain,
        (Sent::Nothing, Refusal::Alert(n)) if asked && AFTER_AN_EMPTY_LIST.contains(n) => Confidence::Certain,
        (Sent::Unknown, Refusal::Alert(n)) if asked && AFTER_AN_EMPTY_LIST.contains(n) => Confidence::Likely,
        (Sent::Nothing, Refusal::Text(t)) if asked && t.contains("did not return a certificate") => Confidence::Certain,
        (Sent::Nothing, Refusal::Text(_)) if asked => Confidence::Likely,
        _ => return,
    };
    let guessed = case.direction_is_assumed() || case.is_from_log(event);
    let confidence = if guessed { Confidence::Likely } else { proof };
    let maybe = probably(confidence);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Client,
        &[
            format!("{endpoint} {maybe}wants a client certificate, and none was sent"),
            format!("{endpoint} {maybe}wants a client certificate"),
            format!("the server {maybe}wants a client certificate, and none was sent"),
        ],
    );
    let alert = if let Refusal::Alert(n) = refusal { Some(*n) } else { None };
    let text = if let Refusal::Text(t) = refusal { Some((*t).to_owned()) } else { None };
    f.set("issuers", story.issuers.clone()).set("alert", alert).set("text", text);
    f.evidence.extend(story.request.and_then(|e| sink.evidence(e, "CertificateRequest")));
    if story.sent == Sent::Nothing {
        f.evidence.extend(story.answer.and_then(|e| sink.evidence(e, "an empty list of certificates")));
    }
    let said = alert.map_or_else(
        || "the refusal".to_owned(),
        |n| format!("fatal alert {n} {}", codes::alert(n).map_or("unknown", |a| a.name)),
    );
    f.evidence.extend(sink.evidence(event, &said));
    if event.span.is_none() {
        let when = case.second(event).map_or_else(String::new, |t| format!(" at {t}"));
        f.why.push(format!("Inside TLS the server sent {said}{when}; our own engine decrypted it."));
    }
    explain(case, &story.wanted(), alert, asked, &mut f);
    sink.report(f);
}

/// The server's own program says that it wanted one and got none.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let headlines = [format!("the server says that the client sent no certificate{}", said.code())];
    let mut f = said.finding(case, sink, Party::Client, &headlines);
    let null = || serde_json::Value::Null;
    f.set("issuers", Vec::<String>::new()).set("alert", null()).set("text", null());
    f.causes.push(causes::client_certificate_missing(Confidence::Likely, "the server's own return code says so"));
    f.act =
        Some(Act { party: Party::Client, text: "client: present a certificate that the server accepts".to_owned() });
    super::advise::client(case, &mut f, "client-certificate");
    let text = "if no client certificate is meant to be required here: ClientAuthType in its policy";
    f.tell(Party::Server, AdviceKind::Check, text);
    sink.report(f);
}

fn explain(case: &Case<'_>, wanted: &str, alert: Option<u8>, asked: bool, f: &mut Finding) {
    if asked {
        f.why.push(wanted.to_owned());
    }
    if case.asked().is_some() {
        f.why.push("This run sent none; whether your client sends one was not seen.".to_owned());
    }
    match alert {
        Some(CERTIFICATE_REQUIRED) => {
            f.why.push(
                "Alert 116 certificate_required: in TLS 1.3 it comes after the client believes the handshake done."
                    .to_owned(),
            );
        }
        Some(n) => {
            f.why.push(format!("Alert {n} names no cipher here: suites were agreed on before the request came."))
        }
        None => {}
    }
    f.why.push("The server's certificate, the versions and the ciphers are not the fault.".to_owned());
    let because = if asked { "the server asked, and the answer was empty" } else { "the alert says so" };
    f.causes.push(causes::client_certificate_missing(Confidence::Likely, because));
    // Only a run of our own can be told so.
    let here = if case.asked().is_some() { " (--cert here)" } else { "" };
    f.act = Some(Act {
        party: Party::Client,
        text: format!("client: present a certificate that the server accepts{here}"),
    });
    super::advise::client(case, f, "client-certificate");
    f.tell(
        Party::Client,
        AdviceKind::Lasting,
        "present a client certificate with its key, from an authority that the server accepts",
    );
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "if no client certificate is meant to be required here, do not insist on one",
    );
    advise_server(case, f, "accept-no-client-certificate");
}
