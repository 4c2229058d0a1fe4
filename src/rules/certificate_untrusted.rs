//! The chain leads to no authority of the lists that judge it.

use super::by_words;
use super::certificates::{
    Doubt, advise_trust, chain_lines, finding, list, short, tls_inspection, top, trusted_elsewhere, unknown_ca,
};
use super::prelude::*;
use crate::trust::{Judgement, Path, Usage};

pub(super) static RULE: Rule = Rule {
    id: "certificate-untrusted",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-untrusted.md"),
    check,
};

/// GSK_ERR_CERT_VALIDATION.
const VALIDATION: u32 = 8;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(j) = case.trust.filter(|j| !j.certificates.is_empty()) else { return by_words(case, sink) };
    if j.leaf().is_none() {
        return unreadable(case, j, sink);
    }
    match j.is_trusted() {
        Some(true) => {
            sink.passed("certificate-chain", "certificate chain is trusted", &by_whom(j));
            // By our lists; the client has its own.
            return by_words(case, sink);
        }
        None if case.is_redacted() => {
            return sink.untested("certificate-chain", "who issued the certificate", "names are redacted");
        }
        None if j.is_self_signed => return,
        None => {
            sink.untested("certificate-chain", "who issued the certificate", "no list of CAs was given");
            return by_words(case, sink);
        }
        Some(false) => {}
    }
    // Others say it better: the time, a missing intermediate, a certificate of its own making, a wrong usage.
    let incomplete = j.missing.as_ref().is_some_and(|m| m.ought_to_be_sent.is_some());
    if j.is_only_late() || incomplete || j.is_self_signed || j.usage != Usage::Allowed {
        return;
    }
    let lists: Vec<String> = j.deciding().map(list).collect();
    let whose = lists.first().cloned().unwrap_or_default();
    let headlines = [
        format!("{} shows a certificate that {whose} does not trust", case.endpoint()),
        format!("{} shows a certificate of an unknown CA", case.endpoint()),
        "the server shows a certificate of an unknown CA".to_owned(),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Issuer, Party::Client, &headlines) else { return };
    let issuer = j.missing.as_ref().map_or_else(|| top(j), |m| m.issuer.clone());
    let refused = j.deciding().find_map(|o| match o.path {
        Path::Refused { why } => Some(why),
        _ => None,
    });
    f.set("issuer", issuer.as_str()).set("stores", lists).set("refused", refused);
    f.set("trusted_by", trusted_elsewhere(j).map(|(list, _)| list));
    f.why.extend(chain_lines(j));
    explain(j, &issuer, refused, &mut f);
    f.causes.extend(tls_inspection(j));
    if refused.is_none() {
        f.causes.push(unknown_ca(j));
    }
    f.act = Some(Act {
        party: Party::Client,
        text: "client: import one root CA, after the partner has confirmed it".to_owned(),
    });
    let root = "import the root CA, not the server's certificate, which changes with every renewal";
    advise_trust(case, &mut f, root);
    let confirm = "tell the partner which root CA it is, and its SHA-256, by another way than this connection";
    f.tell(Party::Server, AdviceKind::Tonight, confirm);
    sink.report(f);
}

/// The client's program says that its key ring leads nowhere, or a server's that the client rejected what it was shown.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let mut headlines =
        vec![format!("{} says that {} certificate is not trusted{}", said.who(), said.whose(), said.code())];
    if !said.is_of_unknown_end() {
        let named = format!("{} says that {}'s certificate is not trusted{}", said.who(), case.endpoint(), said.code());
        headlines.insert(0, named);
    }
    let mut f = said.finding(case, sink, Party::Client, &headlines);
    let words = format!("{}: \"{}\"", said.claim.by, said.claim.text);
    // A validation fails for other reasons as well, unless certificate services name this one.
    let sure = !said.is_of_server() && (said.cms.is_some() || said.rc != Some(VALIDATION));
    let confidence = if sure { Confidence::Likely } else { Confidence::Possible };
    f.causes.push(causes::ca_not_in_ring(confidence, words));
    f.act = Some(Act {
        party: Party::Client,
        text: "client: connect the partner's root CA to the ring, after the partner has confirmed it".to_owned(),
    });
    let root = "import the root CA, not the server's certificate, which changes with every renewal";
    advise_trust(case, &mut f, root);
    let sent = "does it send its intermediates? Then the root is enough at the client";
    f.tell(Party::Server, AdviceKind::Check, sent);
    sink.report(f);
}

/// Whose fault it is, as far as that shows, and what others call it.
fn explain(j: &Judgement, issuer: &str, refused: Option<&'static str>, f: &mut Finding) {
    match (refused, trusted_elsewhere(j)) {
        (Some(why), _) => f.why.push(format!("The chain leads to a known CA, but {why}.")),
        (None, Some((list, root))) => {
            f.why.push(format!(
                "{list} has its root ({}): the server's chain is right, your list lacks it.",
                short(&root)
            ));
        }
        (None, None) => f
            .why
            .push(format!("{} is in none of your lists. A CA of the partner's own, or one of a proxy.", short(issuer))),
    }
    if j.missing.as_ref().is_some_and(|m| m.below == 0) {
        f.why.push(
            "Only one certificate was sent. If its issuer is an intermediate, the server has to send that too."
                .to_owned(),
        );
    }
    f.why.push(
        "OpenSSL: \"unable to get local issuer certificate\"; Java: \"PKIX path building failed\"; System SSL: rc 8 or 435.".to_owned(),
    );
}

/// The certificate breaks its own structure: no client can trust that.
fn unreadable(case: &Case<'_>, j: &Judgement, sink: &mut Sink<'_>) {
    let Some(Err(part)) = j.certificates.first().map(|c| c.read.as_deref()) else { return };
    let headlines = [
        format!("{} shows a certificate that cannot be read", case.endpoint()),
        "the server shows a certificate that cannot be read".to_owned(),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Issuer, Party::Server, &headlines) else { return };
    f.set("unreadable", *part);
    f.why.push(format!("Its DER is broken: {part}."));
    f.act = Some(Act { party: Party::Server, text: "server: install the certificate again".to_owned() });
    f.tell(Party::Server, AdviceKind::Check, "openssl x509 -in FILE -noout -text must read the file");
    sink.report(f);
}

fn by_whom(j: &Judgement) -> String {
    let trusting = j.opinions.iter().find(|o| o.path.is_trusted());
    trusting.map_or_else(String::new, |o| match &o.path {
        Path::Trusted { root, .. } => format!("{}: {}", list(o), short(root)),
        _ => format!("{} holds this very certificate", list(o)),
    })
}
