//! PROT C was refused: the server insists on protected data connections.

use super::exchanges::Exchange;
use super::prelude::*;
use super::prot_refused::refusal;

pub(super) static RULE: Rule = Rule {
    id: "prot-clear-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/prot-clear-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let asks = |x: &&Exchange<'_>| x.verb == "PROT" && x.argument.eq_ignore_ascii_case("C");
    let Some(no) = all.iter().rfind(asks).filter(|x| !x.is_accepted()) else { return };
    if all.iter().any(|x| x.verb == "PROT" && x.is_accepted()) {
        return; // another level was agreed on
    }
    let mut f = refusal(case, no, "PROT C", sink);
    f.party = Party::Client;
    f.act =
        Some(Act { party: Party::Client, text: "client: PROT P instead; the server wants data protected".to_owned() });
    f.advise("protect-data", case.facts.client.as_ref().map_or("any", |c| c.id));
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: the policy protects the files");
    sink.report(f);
}
