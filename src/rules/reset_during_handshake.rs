//! The connection was reset between AUTH or the ClientHello and any answer to it.

use super::by_words::bytes_tell;
use super::closed_during_handshake::ended;
use super::phase::{Broken, End};
use super::prelude::*;
use super::told::{How, Place, Told};
use crate::transcript::Close;

pub(super) static RULE: Rule = Rule {
    id: "reset-during-handshake",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/reset-during-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let reset = |b: &Broken<'_>| b.how == End::Closed(Close::Reset);
    let told = || case.told_of(Place::Handshake).filter(|t| t.how != How::TimedOut);
    if let Some(told) = told().filter(|t| !bytes_tell(case, t.claim.event, RULE.id)) {
        by_words(case, &told, sink);
    } else if let Some(broken) = case.broken_handshake().filter(reset) {
        let fact = "A reset comes from a process that died, from one that left bytes unread, or from a firewall.";
        ended(case, &broken, fact, sink);
    }
}

/// The z/OS FTP client says that a socket call failed behind AUTH.
fn by_words(case: &Case<'_>, told: &Told<'_>, sink: &mut Sink<'_>) {
    let did = told.how.did();
    let headlines = [
        format!("the connection to {} {did} behind AUTH, says the z/OS client", case.endpoint()),
        format!("the connection {did} behind AUTH, says the z/OS client"),
    ];
    let mut f = told.finding(sink, Party::Unknown, &headlines);
    let auth = case.auth();
    let answer = auth.and_then(|a| case.after(a).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code >= 200)));
    f.evidence.extend(auth.and_then(|e| sink.evidence(e, "")));
    f.evidence.extend(answer.and_then(|e| sink.evidence(e, "")));
    f.set("place", if answer.is_some() { "client-hello" } else { "auth" });
    let inspection = "firewalls that inspect FTP end what they cannot follow";
    f.causes.push(causes::middlebox_closed(Confidence::Possible, inspection));
    f.causes.push(causes::tls_not_initialised(case, told.claim.event, Confidence::Possible));
    let text = "server: is this connection in its TLS log? It names the reason; else the network";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    f.tell(Party::Between, AdviceKind::Check, causes::FIREWALLS);
    super::advise::trace_tls(case, &mut f);
    causes::advise_server_log(case, &mut f, told.claim.event);
    sink.report(f);
}
