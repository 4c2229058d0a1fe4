//! USER without TLS is taken: a client that does not ask for TLS sends its password in clear.

use super::audit_checks::{act, finding};
use super::certificates::advise_server;
use super::prelude::*;
use crate::transcript::topics;

pub(super) static RULE: Rule = Rule {
    id: "login-in-clear-offered",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/login-in-clear-offered.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "login-in-clear";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let mut asked = case.audit.iter().filter(|q| q.topic() == topics::CLEAR_LOGIN).peekable();
    if asked.peek().is_none() {
        return;
    }
    let is_user = |e: &Event| matches!(&e.kind, Kind::Command { verb, .. } if verb == "USER");
    let answer = asked.find_map(|q| {
        let mut behind = q.events.iter().skip_while(|e| !is_user(e));
        let user = *behind.next()?;
        behind.find_map(|e| match &e.kind {
            Kind::Reply(r) if r.whole && r.code >= 200 => Some((user, *e, r)),
            _ => None,
        })
    });
    let Some((user, event, reply)) = answer else {
        return sink.untested(CHECK, "a login without TLS", "no reply to USER came");
    };
    let said = format!("{} {}", reply.code, reply.text);
    match reply.code {
        230 | 232 | 331 | 332 => {}
        400.. => return sink.passed(CHECK, "a user's login without TLS is refused", &said),
        _ => return sink.untested(CHECK, "a login without TLS", &format!("USER was answered {said}")),
    }
    let mut f = finding(case, sink, Confidence::Certain, "lets clients log in without TLS");
    f.set("reply", reply.code).set("said", reply.text.clone());
    f.evidence.extend(sink.evidence(user, "in clear; no password was sent"));
    f.evidence.extend(sink.evidence(event, "the reply"));
    f.why.push(match reply.code {
        230 | 232 => "It took the user without any password.".to_owned(),
        _ => "It asks for the password. Should it refuse then, the password has already travelled in clear.".to_owned(),
    });
    f.why.push("A client that forgets AUTH TLS, or is kept from it, does not notice.".to_owned());
    f.act = act("refuse USER before TLS, once no client needs it any more");
    advise_server(case, &mut f, "require-tls", "refuse logins in clear; its manual calls it forced or required TLS");
    f.tell(Party::Client, AdviceKind::Check, "clients: TLS required, not only preferred (curl --ssl-reqd)");
    sink.report(f);
}
