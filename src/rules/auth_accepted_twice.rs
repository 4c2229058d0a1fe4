//! AUTH inside TLS was accepted.

use super::audit_checks::{act, finding};
use super::prelude::*;
use crate::transcript::{Layer, topics};

pub(super) static RULE: Rule = Rule {
    id: "auth-accepted-twice",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/auth-accepted-twice.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "second-auth";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(q) = case.answered(topics::SECOND_AUTH) else { return };
    let inside = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
    let is_auth = |e: &Event| matches!(&e.kind, Kind::Command { verb, .. } if verb == "AUTH");
    let asked = q.events.iter().position(|e| inside(e) && is_auth(e));
    let answer = asked.and_then(|n| Some((q.events.get(n)?, q.events.get(n..)?)));
    let answer = answer.and_then(|(asked, behind)| {
        let reply = behind.iter().find_map(|e| match &e.kind {
            Kind::Reply(r) if inside(e) && r.whole && r.code >= 200 => Some((*e, r)),
            _ => None,
        });
        Some((*asked, reply?))
    });
    let Some((asked, (event, reply))) = answer else {
        let why = if asked.is_some() { "no reply came" } else { "it did not come to that" };
        return sink.untested(CHECK, "AUTH inside TLS", why);
    };
    if reply.code >= 400 {
        return sink.passed(CHECK, "AUTH inside TLS is refused", &format!("{} {}", reply.code, reply.text));
    }
    let mut f =
        finding(case, sink, Confidence::Certain, &format!("accepts AUTH a second time, inside TLS ({})", reply.code));
    f.set("reply", reply.code).set("said", reply.text.clone());
    f.evidence.extend(sink.evidence(asked, "inside TLS"));
    f.evidence.extend(sink.evidence(event, "the reply, inside TLS"));
    f.why.push("Behind that reply neither end knows whether TLS starts anew, inside TLS or instead of it.".to_owned());
    f.why.push("Clients do not ask twice, so no transfer fails by it.".to_owned());
    f.act = act("nothing tonight; its maker should have it answer 503");
    f.tell(Party::Server, AdviceKind::Lasting, "tell its maker: behind AUTH the right answer to AUTH is 503");
    sink.report(f);
}
