//! Beside the session's certificate the server has one for another kind of key, and clients refuse that.

use super::audit_checks::{finding, listed, once};
use super::case::OtherCertificate;
use super::certificates::{advise_server, moment, span};
use super::prelude::*;
use crate::trust::{Judgement, NameMatch, Timing, Usage};

pub(super) static RULE: Rule = Rule {
    id: "other-certificate-refused",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/other-certificate-refused.md"),
    check,
};

/// The check when all is well.
const CHECK: &str = "other-certificates";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let own = case.trust.map(problems).unwrap_or_default();
    let worse = |other: &OtherCertificate| problems(&other.judgement).into_iter().any(|p| !own.contains(&p));
    for other in case.others.iter().filter(|o| worse(o)) {
        report(case, sink, other, &own);
    }
    if !case.others.is_empty() && !case.others.iter().any(worse) {
        let kinds: Vec<String> = case.others.iter().map(|o| o.kind.clone()).collect();
        let good = "its certificates for other kinds of keys are no worse";
        sink.passed(CHECK, good, &listed(&once(kinds)));
    }
}

/// Why a verifying client refuses a certificate; each ends a sentence that begins with it.
fn problems(j: &Judgement) -> Vec<String> {
    let mut out = Vec::new();
    match (j.timing, j.at) {
        (Some(Timing::Expired { not_after, .. }), Some(at)) => {
            out.push(format!("expired {} ago", span(at - not_after)))
        }
        (Some(Timing::NotYet { .. }), _) => out.push("is not valid yet".to_owned()),
        _ => {}
    }
    if j.name == NameMatch::Differs {
        out.push(format!("is not for {}", j.asked));
    }
    if j.is_trusted() == Some(false) && !j.is_only_late() {
        out.push(match &j.missing {
            Some(missing) => format!("comes without its issuer, {}", missing.issuer),
            None => "leads to no CA that is known here".to_owned(),
        });
    }
    if let Usage::Wrong(why) = j.usage {
        out.push(format!("may not be a server's ({why})"));
    }
    out
}

fn report(case: &Case<'_>, sink: &mut Sink<'_>, other: &OtherCertificate, own: &[String]) {
    let (j, kind) = (&other.judgement, &other.kind);
    let problems: Vec<String> = problems(j).into_iter().filter(|p| !own.contains(p)).collect();
    let first = problems.first().cloned().unwrap_or_default();
    let mut f = finding(case, sink, Confidence::Certain, &format!("has a certificate for {kind} too, which {first}"));
    let leaf = j.leaf();
    f.set("kind", kind.clone()).set("problems", problems.clone());
    f.set("subject", leaf.map(|d| d.subject.clone())).set("not_after", leaf.map(|d| moment(d.not_after)));
    f.set("sha256", j.certificates.first().map(|c| c.sha256.clone()));
    let shown = case.timeline.events.iter().filter(|e| e.conn == other.conn);
    let shown = shown.filter(|e| e.from() == Some(Side::Server)).find(|e| matches!(e.kind, Kind::Handshake(_)));
    f.evidence.extend(shown.and_then(|e| sink.evidence(e, &format!("the answer to a hello for {kind}"))));
    if let Some(d) = leaf {
        f.why.push(format!("It is {}, until {}: it {}.", d.subject, moment(d.not_after), listed(&problems)));
    }
    f.why.push(
        "The session got another one, which is judged above. Which one a client gets hangs on its hello.".to_owned(),
    );
    f.act =
        Some(Act { party: Party::Server, text: format!("server: renew the {kind} certificate as well, or remove it") });
    let text = format!("renew the certificate for {kind} keys, or leave that key out of the configuration");
    advise_server(case, &mut f, "fix-certificate", &text);
    sink.report(f);
}
