//! Active mode, and the server will not connect to where the client listens.

use super::addresses::Reach;
use super::arranging::{Fate, Way, is_about_order, is_about_tls};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "port-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/port-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let Some(n) = ways.iter().rposition(refused) else { return };
    let Some(asked) = ways.get(n).and_then(|w| w.arranged) else { return };
    let Some(answer) = asked.reply else { return };
    let fate = case.fate_of_refusal(&ways, n);
    let (endpoint, code, verb) = (case.endpoint(), answer.reply.code, asked.command.verb);
    let headlines = [
        format!("{endpoint} refused active mode: {code} {}", answer.reply.text),
        format!("{endpoint} refused active mode ({code} to {verb})"),
        format!("the server refused active mode ({code} to {verb})"),
    ];
    let certain = if case.is_from_log(answer.event) { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(certain, Party::Client, &headlines);
    f.evidence.extend(sink.evidence(asked.command.event, "where the client listens"));
    f.evidence.extend(sink.evidence(answer.event, ""));
    f.set("command", verb).set("code", code).set("text", answer.reply.text.as_str());
    match fate {
        Fate::Fell => case.settle(&mut f, answer.event, false),
        Fate::Recovered | Fate::Other => f.severity = Severity::Note,
    }
    if let Some((ip, port)) = asked.announced() {
        f.set("address", ip.map(|a| a.to_string())).set("port", port);
        let used = case.address_in_use(asked.command.event.conn).map(Reach::of);
        if let Some(ip) = ip.filter(|a| Reach::of(*a).is_inner() && used == Some(Reach::Public)) {
            f.why.push(format!("{ip} is {}; the server sees the client at another address.", Reach::of(ip).source()));
            f.why
                .push("\"Worked until TLS came\": the router rewrites PORT in clear; inside TLS it cannot.".to_owned());
        }
    }
    f.why.push("Servers take only the client's own address and ports from 1024 on; that is right so.".to_owned());
    f.act = Some(Act { party: Party::Client, text: "client: passive mode (EPSV, else PASV)".to_owned() });
    super::passive_ports::client(case, &mut f, "use-passive");
    super::passive_ports::client(case, &mut f, "use-epsv");
    f.tell(
        Party::Server,
        AdviceKind::Leave,
        "nothing to change: the check keeps others from being attacked through it",
    );
    sink.report(f);
}

fn refused(way: &Way<'_>) -> bool {
    let Some(asked) = way.arranged.filter(|a| !a.is_passive() && a.is_refused()) else { return false };
    asked.reply.is_some_and(|r| !is_about_tls(&r.reply.text) && !is_about_order(r.reply.code, &r.reply.text))
}
