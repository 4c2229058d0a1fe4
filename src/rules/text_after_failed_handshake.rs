//! A hello was refused by text, alone or behind an alert.

use super::audit_checks::{act, finding, in_words, listed, once, show};
use super::prelude::*;
use crate::facts::audited::{Answered, Question};
use crate::transcript::topics;

pub(super) static RULE: Rule = Rule {
    id: "text-after-failed-handshake",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/text-after-failed-handshake.md"),
    check,
};

/// The check when all is well.
const CHECK: &str = "refusals";

/// A hello that was refused by text.
struct Refused<'a> {
    question: &'a Question<'a>,
    event: &'a Event,
    text: &'a str,
    behind_alert: bool,
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    // What was smuggled in is no hello.
    let hellos = || case.audit.iter().filter(|q| q.hello.is_some() && q.topic() != topics::SMUGGLED);
    let refused: Vec<Refused<'_>> = hellos().filter_map(refused).collect();
    if !refused.is_empty() {
        return found(case, sink, &refused);
    }
    if let Some(q) = hellos().find(|q| matches!(q.answer, Answered::Alert(_))) {
        sink.passed(CHECK, "hellos are refused without words", &format!("by {}", in_words(q.answer)));
    }
}

fn refused<'a>(question: &'a Question<'a>) -> Option<Refused<'a>> {
    if question.is_taken() {
        return None;
    }
    let mut behind_alert = false;
    question.events.iter().copied().find_map(|e| match &e.kind {
        Kind::Alert { level: 2, .. } if e.from() == Some(Side::Server) => {
            behind_alert = true;
            None
        }
        Kind::TextInsteadOfTls { text, .. } if e.from() == Some(Side::Server) => {
            Some(Refused { question, event: e, text, behind_alert })
        }
        _ => None,
    })
}

fn found(case: &Case<'_>, sink: &mut Sink<'_>, all: &[Refused<'_>]) {
    let alone = all.iter().find(|r| !r.behind_alert);
    let behind = all.iter().find(|r| r.behind_alert);
    let how: Vec<String> = [(alone, "alone"), (behind, "behind-alert")]
        .into_iter()
        .filter_map(|(r, how)| r.map(|_| how.to_owned()))
        .collect();
    let what = match (alone, behind) {
        (Some(_), Some(_)) => "refuses hellos by text, with and without an alert",
        (Some(_), None) => "refuses hellos by text, without an alert",
        _ => "refuses hellos by an alert and text behind it",
    };
    let mut f = finding(case, sink, Confidence::Certain, what);
    let texts = once(all.iter().map(|r| r.text.trim_end_matches("\\r\\n").to_owned()));
    f.set("how", how).set("said", texts.iter().take(MOST).cloned().collect::<Vec<_>>()).set("times", all.len());
    for r in [alone, behind].into_iter().flatten() {
        show(sink, &mut f, r.question, "refused");
        if !matches!(r.question.answer, Answered::Text) {
            f.evidence.extend(sink.evidence(r.event, "text where a TLS record was due"));
        }
    }
    if alone.is_some() {
        f.why.push("Where text stands alone, OpenSSL, curl and Python report \"wrong version number\".".to_owned());
        f.why.push("GnuTLS and FileZilla: \"An unexpected TLS packet was received\"; System SSL: rc 410.".to_owned());
    } else {
        f.why.push("Clients report the alert; the text behind it is lost, or read as a broken record.".to_owned());
    }
    if let Some(product) = causes::likely_server(case) {
        let words: Vec<String> = texts.iter().take(1).map(|t| format!("\"{t}\"")).collect();
        f.why.push(format!(
            "By its wording the server is {}: {} is its reply to any failed handshake.",
            product.name,
            listed(&words)
        ));
    }
    f.act = act("nothing has to be done; its TLS log has the reason that this text hides");
    super::phase::advise_server(case, &mut f, "see-tls-log");
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "\"wrong version number\" against this server: a hello that it refused, whatever for",
    );
    sink.report(f);
}

/// So many texts are kept: vsftpd quotes OpenSSL's reason, each time another one.
const MOST: usize = 4;
