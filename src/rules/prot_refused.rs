//! PROT P was refused: files would travel in clear, or not at all.

use super::exchanges::Exchange;
use super::phase::probably;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "prot-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-protection-required"],
    page: include_str!("../../docs/findings/prot-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let asks = |x: &&Exchange<'_>| x.verb == "PROT" && x.argument.eq_ignore_ascii_case("P");
    let Some(no) = all.iter().rfind(asks).filter(|x| !x.is_accepted()) else { return };
    if all.iter().filter(asks).any(|x| x.is_accepted()) {
        return; // it was accepted once, and holds
    }
    let mut f = refusal(case, no, "PROT P", sink);
    let early = no.reply.code == 503;
    let (party, text) = if early {
        (Party::Client, "client: PBSZ 0 before PROT P, both inside TLS; some servers want them again after the login")
    } else {
        (Party::Server, "server: switch TLS on for data connections as well")
    };
    f.party = party;
    f.act = Some(Act { party, text: text.to_owned() });
    let client = case.facts.client.as_ref().map_or("any", |c| c.id);
    f.advise("protect-data", if early { client } else { causes::likely_server(case).map_or("any", |p| &p.id) });
    sink.report(f);
}

/// The finding of a refused command.
pub(super) fn refusal(case: &Case<'_>, no: &Exchange<'_>, what: &str, sink: &mut Sink<'_>) -> Finding {
    let ended = case.is_closed();
    let confidence = if ended && !case.is_from_log(no.answer) { Confidence::Certain } else { Confidence::Likely };
    let (maybe, endpoint, code) = (probably(confidence), case.endpoint(), no.reply.code);
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}refused {what}: {code} {}", no.reply.text),
            format!("{endpoint} {maybe}refused {what} with {code}"),
            format!("the server {maybe}refused {what} with {code}"),
        ],
    );
    f.ended = ended;
    f.set("code", code).set("text", no.reply.text.as_str()).set("argument", no.argument);
    f.evidence.extend(sink.evidence(no.command, ""));
    f.evidence.extend(sink.evidence(no.answer, ""));
    f.why.push("The control connection is protected; this is about the data connections.".to_owned());
    f
}
