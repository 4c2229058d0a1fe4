//! Active mode: the server could not reach the client.

use super::addresses::Reach;
use super::arranging::{Fate, Way};
use super::data_connect_failed::is_dialled_back;
use super::prelude::*;
use super::unopened::{Unopened, Why};

pub(super) static RULE: Rule = Rule {
    id: "data-connect-back-failed",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-connect-back-failed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let active = |w: &Way<'_>| w.arranged.is_some_and(|a| !a.is_passive()) || is_dialled_back(case, w);
    let Some(n) = ways.iter().rposition(|w| w.unopened.is_some() && active(w)) else { return };
    let Some((way, u)) = ways.get(n).and_then(|w| Some((w, w.unopened?))) else { return };
    let asked = way.arranged;
    let fate = case.fate(&ways, n, false);
    // Our own run tries active mode beside passive mode.
    let beside = fate == Fate::Recovered && case.is_login_run();
    if !asked.is_none_or(|a| a.is_accepted()) || fate != Fate::Fell && !beside {
        return;
    }
    let mut f = sink.finding(Confidence::Likely, Party::Between, &[headline(u.why, "probably ")]);
    case.settle(&mut f, u.shows, u.told);
    if beside {
        f.severity = Severity::Warning;
        f.why.push("Passive mode works in the same session.".to_owned());
    }
    if asked.is_none() {
        f.confidence = Confidence::Likely;
        f.why.push("The commands are encrypted: address and time alone say that it was for a transfer.".to_owned());
    }
    if f.confidence == Confidence::Certain {
        f.headline = headline(u.why, "");
    }
    show(case, way, &u, &mut f, sink);
    let refused = |w: &Way<'_>| w.with("EPSV").is_some_and(|a| a.is_refused());
    explain(u.why, ways.iter().take(n).any(refused), &mut f);
    advise(case, &mut f);
    sink.report(f);
}

fn headline(why: Why, maybe: &str) -> String {
    match why {
        Why::Refused => format!("the server {maybe}was refused when it connected back to the client"),
        Why::AnotherAddress => format!("the server {maybe}connected back from another address"),
        Why::TimedOut | Why::Unreachable => format!("the server {maybe}could not reach the client in active mode"),
        Why::NotTold | Why::NotTaken => format!("the server {maybe}could not connect back to the client"),
    }
}

/// Where the client was to be found, and what came of it.
fn show(case: &Case<'_>, way: &Way<'_>, u: &Unopened<'_>, f: &mut Finding, sink: &Sink<'_>) {
    sink.shows_by(f, u.shows);
    let Some(asked) = way.arranged else { return unasked(case, way, u, f, sink) };
    f.evidence.extend(sink.evidence(asked.command.event, "where the client listens"));
    f.evidence.extend(sink.evidence(u.shows, ""));
    f.set("why", u.why.name()).set("command", asked.command.verb);
    if let Some(answer) = u.reply {
        f.set("code", answer.reply.code).set("text", answer.reply.text.as_str());
    }
    if let Some((ip, port)) = asked.announced() {
        f.set("address", ip.map(|a| a.to_string())).set("port", port);
        let used = case.address_in_use(asked.command.event.conn).map(Reach::of);
        if let Some(ip) = ip.filter(|a| Reach::of(*a).is_inner() && used == Some(Reach::Public)) {
            f.why.push(format!("{ip} is {}: a server outside cannot connect to it.", Reach::of(ip).source()));
        }
    }
}

/// The same where only the attempt was seen.
fn unasked(case: &Case<'_>, way: &Way<'_>, u: &Unopened<'_>, f: &mut Finding, sink: &Sink<'_>) {
    f.evidence.extend(sink.evidence(u.shows, ""));
    f.set("why", u.why.name()).set("command", None::<&str>);
    let conn = way.transfer.and_then(|t| t.data.as_ref()).and_then(|d| case.transcript.conn(d.conn));
    let at = conn.and_then(|c| c.local);
    f.set("address", at.map(|a| a.ip().to_canonical().to_string())).set("port", at.map(|a| a.port()));
    if let Some(at) = at {
        let at = core::net::SocketAddr::new(at.ip().to_canonical(), at.port());
        f.why
            .push(format!("The server tried to connect to {at}: the client probably had asked for that (PORT, EPRT)."));
    }
}

fn explain(why: Why, fell_back: bool, f: &mut Finding) {
    f.why.push(match why {
        Why::Refused => "The packets arrived: the client no longer listened, or its own firewall answered.".to_owned(),
        Why::TimedOut | Why::Unreachable => {
            "The packets were dropped on the way: NAT or a firewall before the client.".to_owned()
        }
        Why::AnotherAddress | Why::NotTold | Why::NotTaken => {
            "The reply does not tell refused from dropped.".to_owned()
        }
    });
    if fell_back {
        f.why.push("EPSV had been refused, and the client fell back to active mode.".to_owned());
    }
    f.why.push("\"Works without TLS\": routers follow PORT in clear; inside TLS they cannot.".to_owned());
}

fn advise(case: &Case<'_>, f: &mut Finding) {
    f.act = Some(Act { party: Party::Client, text: "client: passive mode (EPSV, else PASV)".to_owned() });
    super::passive_ports::client(case, f, "use-passive");
    super::passive_ports::client(case, f, "use-epsv");
    f.tell(
        Party::Between,
        AdviceKind::Lasting,
        "only if active mode has to stay: let the server in, from its port 20 to the client's ports from 1024 on",
    );
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change");
}
