//! PBSZ 0 was refused, and no PROT P behind it was accepted.

use super::prelude::*;
use super::prot_refused::refusal;

pub(super) static RULE: Rule = Rule {
    id: "pbsz-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "prot-refused"],
    page: include_str!("../../docs/findings/pbsz-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let Some(no) = all.iter().rfind(|x| x.verb == "PBSZ").filter(|x| !x.is_accepted()) else { return };
    if all.iter().any(|x| x.verb == "PROT" && x.is_accepted()) {
        return;
    }
    let mut f = refusal(case, no, "PBSZ", sink);
    let (party, text) = if no.argument == "0" {
        (Party::Server, "server: TLS is not set up where this reply comes from (virtual host, proxy)")
    } else {
        (Party::Client, "client: send PBSZ 0; with TLS no other number makes sense")
    };
    f.party = party;
    f.act = Some(Act { party, text: text.to_owned() });
    causes::advise_server_log(case, &mut f, no.answer);
    sink.report(f);
}
