//! A client certificate was sent, and the server does not take it.

use super::by_words;
use super::client_auth::{ClientAuth, OUTRANKED, Refusal, Sent, read};
use super::phase::{End, advise_server, probably};
use super::prelude::*;
use crate::codes;
use crate::wire::dn;

pub(super) static RULE: Rule = Rule {
    id: "client-certificate-refused",
    severity: Severity::Failure,
    outranks: OUTRANKED,
    page: include_str!("../../docs/findings/client-certificate-refused.md"),
    check,
};

/// Alerts about a certificate; from a server that was shown one they can mean nothing else.
const ABOUT_CERTIFICATES: [u8; 7] = [42, 43, 44, 45, 46, 48, 49];

/// Alerts that servers send for it as well.
const OTHERS: [u8; 4] = [40, 51, 80, 116];

const CERTIFICATE_EXPIRED: u8 = 45;
const UNKNOWN_CA: u8 = 48;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let story = read(case);
    let (Sent::Certificate(der), Some((event, refusal))) = (&story.sent, &story.refusal) else {
        return by_words(case, sink);
    };
    let proof = match refusal {
        Refusal::Alert(n) if ABOUT_CERTIFICATES.contains(n) => Confidence::Certain,
        Refusal::Alert(n) if OTHERS.contains(n) => Confidence::Likely,
        Refusal::Text(_) | Refusal::End(End::Closed(_)) => Confidence::Likely,
        Refusal::Alert(_) | Refusal::End(End::Silent(_)) => return,
    };
    let confidence = if case.direction_is_assumed() { Confidence::Likely } else { proof };
    let maybe = probably(confidence);
    let alert = if let Refusal::Alert(n) = refusal { Some(*n) } else { None };
    let name = alert.and_then(codes::alert).map_or("no alert", |a| a.name);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Client,
        &[
            format!("{endpoint} {maybe}refused the client certificate ({name})"),
            format!("the server {maybe}refused the client certificate ({name})"),
            format!("the server {maybe}refused the client certificate"),
        ],
    );
    let names = dn::names(der);
    let issuer = names.and_then(|n| dn::show(n.issuer));
    let subject = names.and_then(|n| dn::show(n.subject));
    f.set("issuers", story.issuers.clone()).set("issuer", issuer.clone()).set("subject", subject.clone());
    f.set("alert", alert).set("text", if let Refusal::Text(t) = refusal { Some(*t) } else { None });
    f.evidence.extend(story.request.and_then(|e| sink.evidence(e, "CertificateRequest")));
    f.evidence.extend(story.answer.and_then(|e| sink.evidence(e, "the client's certificate")));
    f.evidence.extend(
        sink.evidence(event, &alert.map_or_else(|| "the refusal".to_owned(), |n| format!("fatal alert {n} {name}"))),
    );
    if let (Some(subject), Some(issuer)) = (subject, &issuer) {
        f.why.push(format!("The client sent {subject}, issued by {issuer}."));
    }
    explain(case, &story, alert, issuer.as_deref(), &mut f);
    sink.report(f);
}

/// The server's own program says why it took none, or the client's that its own was rejected.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let open = is_open_whose(case, &said);
    let headlines = match open {
        true => {
            vec![format!("the server says that a certificate was refused: the client's, or its own{}", said.code())]
        }
        false => vec![
            format!("{} says that the server refused the client certificate{}", said.who(), said.code()),
            format!("{} says that the client certificate was refused{}", said.who(), said.code()),
        ],
    };
    let mut f = said.finding(case, sink, if open { Party::Unknown } else { Party::Client }, &headlines);
    if open {
        f.why.push("Nothing shows that the server asked for a client certificate: it may be its own.".to_owned());
        f.tell(
            Party::Server,
            AdviceKind::Check,
            "does its policy ask clients for certificates? If not, look at its own",
        );
    }
    let null = || serde_json::Value::Null;
    f.set("issuers", Vec::<String>::new()).set("issuer", null()).set("subject", null());
    f.set("alert", null()).set("text", null());
    f.causes = match said.rc {
        // The server's word for what it does not know; the rejected client does not learn the reason.
        Some(rc) if said.is_of_server() || rc > 5000 => causes::of_return_code(case, &said.claim, rc),
        Some(_) => {
            let because = "alert 46 names no reason; an authority that the server does not know is the usual one";
            vec![causes::client_certificate_issuer_unknown(Confidence::Possible, because.to_owned())]
        }
        None => Vec::new(),
    };
    let text = match open {
        true => "server: whose certificate is it? One that asks clients for none means its own",
        false => "both: agree on an authority for client certificates; the server's log says what it dislikes",
    };
    f.act = Some(Act { party: if open { Party::Server } else { Party::Unknown }, text: text.to_owned() });
    super::advise::client(case, &mut f, "client-certificate");
    advise_server(case, &mut f, "trust-client-ca");
    sink.report(f);
}

/// Whether a server's code leaves open whose certificate it means: nothing shows that it asked for one.
fn is_open_whose(case: &Case<'_>, said: &by_words::Said<'_>) -> bool {
    // A server that checks its own certificate finds a date or an issuer; certificate services describe the one they mean.
    let may_be_own = said.is_of_server() && said.cms.is_none() && matches!(said.rc, Some(401 | 435));
    let settings = &case.facts.settings;
    let asks = |name| settings.named(name).any(|s| !s.is("NO_CLIENT_AUTH") && !s.is("PassThru"));
    let by_policy = settings.named("HandshakeRole").any(|s| s.is("ServerWithClientAuth"));
    may_be_own && read(case).request.is_none() && !asks("SECURE_LOGIN") && !asks("ClientAuthType") && !by_policy
}

fn explain(case: &Case<'_>, story: &ClientAuth<'_>, alert: Option<u8>, issuer: Option<&str>, f: &mut Finding) {
    if story.request.is_some() {
        f.why.push(story.wanted());
    }
    f.why.push("The server's own certificate, the versions and the ciphers are not the fault.".to_owned());
    let unlisted = issuer.filter(|i| !story.issuers.is_empty() && !story.issuers.iter().any(|n| n == i));
    let act = |party: Party, text: &str| Some(Act { party, text: text.to_owned() });
    match (alert, unlisted) {
        (Some(UNKNOWN_CA), _) => {
            let because = "alert 48 unknown_ca: the issuer leads to no authority that the server trusts".to_owned();
            f.causes.push(causes::client_certificate_issuer_unknown(Confidence::Likely, because));
            f.act = act(Party::Unknown, "both: agree on an authority for client certificates");
        }
        (_, Some(issuer)) => {
            let because =
                format!("{issuer} is none of the authorities that the server names; the chain may still lead there");
            let rank = if alert == Some(CERTIFICATE_EXPIRED) { Confidence::Possible } else { Confidence::Likely };
            f.causes.push(causes::client_certificate_issuer_unknown(rank, because));
            f.act = act(Party::Unknown, "both: agree on an authority for client certificates");
        }
        _ => f.act = act(Party::Server, "server: its TLS log of that second says what it dislikes"),
    }
    if alert == Some(CERTIFICATE_EXPIRED) {
        f.act = act(Party::Client, "client: renew its certificate; server: check the clock");
        f.tell(
            Party::Client,
            AdviceKind::Lasting,
            "renew the client certificate; when it is still valid, compare the clocks of both ends",
        );
    }
    if !f.causes.is_empty() {
        super::advise::client(case, f, "client-certificate");
        f.tell(
            Party::Client,
            AdviceKind::Lasting,
            "present a certificate from an authority that the server names, with its intermediates",
        );
        advise_server(case, f, "trust-client-ca");
    }
    let event = story.refusal.as_ref().map(|(e, _)| *e);
    if let Some(event) = event {
        causes::advise_server_log(case, f, event);
    }
}
