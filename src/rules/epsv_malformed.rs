//! The reply to EPSV holds no port as RFC 2428 writes it.

use super::arranging::{Fate, Way};
use super::pasv_bad_port::is_masked;
use super::prelude::*;
use crate::wire::ftp::host_port;

pub(super) static RULE: Rule = Rule {
    id: "epsv-malformed",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-connect-failed"],
    page: include_str!("../../docs/findings/epsv-malformed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    // Whoever found the port behind an address got in; others will not.
    let odd = |w: &Way<'_>| fault(case, w).filter(|kind| *kind == "address" || !w.is_opened());
    let bad = |w: &Way<'_>| odd(w).is_some() && !w.is_opened();
    let Some(n) = ways.iter().rposition(bad).or_else(|| ways.iter().position(|w| odd(w).is_some())) else { return };
    let Some((way, kind)) = ways.get(n).and_then(|w| odd(w).map(|k| (w, k))) else { return };
    let Some(answer) = way.arranged.and_then(|a| a.reply) else { return };
    let endpoint = case.endpoint();
    let what = match kind {
        "port-0" => "a port of 0",
        "address" => "an address that RFC 2428 leaves out",
        _ => "no port as RFC 2428 writes it",
    };
    let headlines = [format!("{endpoint} answered EPSV with {what}"), format!("the server answered EPSV with {what}")];
    let certain = if case.is_from_log(answer.event) { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(certain, Party::Server, &headlines);
    f.evidence.extend(sink.evidence(answer.event, ""));
    f.set("kind", kind).set("code", answer.reply.code).set("text", answer.reply.text.as_str());
    f.set("for_whom", "clients that use EPSV");
    // A client takes it for a refusal, and goes on in another way.
    let went_on = ways.get(n + 1..).unwrap_or_default().iter().any(|w| w.arranged.is_some_and(|a| a.is_accepted()));
    // Who dialled port 0 has shown what it came to.
    let dialled = way.unopened.as_ref().filter(|_| kind == "port-0");
    let over = case.is_closed() || dialled.is_some();
    if !way.is_opened() && !went_on && over && case.fate(&ways, n, true) == Fate::Fell {
        case.settle(&mut f, dialled.map_or(answer.event, |u| u.shows), dialled.is_some_and(|u| u.told));
    } else {
        f.severity = Severity::Warning;
    }
    f.why.push(
        "It ends in (|||PORT|): three delimiters, the port, one delimiter, nothing between the first.".to_owned(),
    );
    if way.is_opened() {
        f.why.push("This client found the port behind the address, and got in.".to_owned());
    } else if went_on {
        f.why.push("The client took it for a refusal, and went on in another way.".to_owned());
    }
    let text = "server, or the proxy that ends TLS before it: compare the 229 at the server itself";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    f.tell(Party::Server, AdviceKind::Check, "the reply at the server itself beside the one that arrives");
    f.advise(
        "use-passive",
        if case.asked().is_none() { case.facts.client.as_ref().map_or("curl", |c| c.id) } else { "curl" },
    );
    sink.report(f);
}

fn fault(case: &Case<'_>, way: &Way<'_>) -> Option<&'static str> {
    let epsv = way.with("EPSV").filter(|a| a.is_accepted())?;
    let answer = epsv.reply?;
    match epsv.announced() {
        Some((_, 0)) => Some("port-0"),
        // Clients find the port behind the address; strict ones do not take it.
        Some((Some(_), _)) => Some("address"),
        Some((None, _)) => None,
        None if is_masked(&answer.reply.text, case.is_from_log(answer.event)) => None,
        None if host_port(&answer.reply.text).is_some() => Some("as-227"),
        None => Some("malformed"),
    }
}
