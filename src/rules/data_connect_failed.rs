//! Passive mode: the connection to the announced port did not come about.

use core::net::IpAddr;

use super::addresses::{Named, Reach, named};
use super::arranging::{Fate, Way};
use super::passive_ports::{dialled, obeyed, range};
use super::prelude::*;
use super::unopened::{Unopened, Why};
use crate::transcript::ConnId;

pub(super) static RULE: Rule = Rule {
    id: "data-connect-failed",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-connect-failed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let passive = |w: &Way<'_>| {
        w.unopened.is_some()
            && w.arranged.is_none_or(|a| a.is_passive() && a.is_accepted())
            && !is_dialled_back(case, w)
    };
    let Some(n) = ways.iter().rposition(passive) else { return good(case, &ways, sink) };
    let Some((way, u)) = ways.get(n).and_then(|w| Some((w, w.unopened?))) else { return };
    let fate = case.fate(&ways, n, false);
    // What a reply alone says of an attempt that was made up for is not worth a word.
    if fate != Fate::Fell && !u.observed {
        return;
    }
    let named_port = way.arranged.and_then(|a| a.announced()).map(|(_, port)| port);
    let dialled = dialled(case, way);
    let port = dialled.map(|at| at.port()).filter(|p| *p > 0).or(named_port);
    let mut f = sink.finding(Confidence::Likely, party(u.why), &headlines(&case.endpoint(), u.why, port, "probably "));
    if fate == Fate::Fell {
        case.settle(&mut f, u.shows, u.told);
    } else {
        f.severity = Severity::Warning;
        f.confidence = if u.told { Confidence::Likely } else { Confidence::Certain };
        f.why.push("Other data connections of this session stood.".to_owned());
    }
    if is_unasked(way) {
        f.confidence = f.confidence.min(Confidence::Likely);
        f.why.push("The commands are encrypted: address and time alone say that it was for a transfer.".to_owned());
    }
    if f.confidence == Confidence::Certain {
        f.headline = super::sink::fitting(&headlines(&case.endpoint(), u.why, port, ""));
    }
    sink.shows_by(&mut f, u.shows);
    let answer = way.arranged.and_then(|a| a.reply);
    f.evidence.extend(answer.and_then(|a| sink.evidence(a.event, "")));
    f.evidence.extend(u.reply.and_then(|r| sink.evidence(r.event, "")));
    f.set("why", u.why.name()).set("port", port).set("address", dialled.map(|at| at.ip().to_canonical().to_string()));
    if let Some(answer) = u.reply {
        f.set("code", answer.reply.code).set("text", answer.reply.text.as_str());
    }
    f.why.extend(attempt(&u, dialled));
    explain(case, way, &u, &mut f);
    sink.report(f);
}

/// Whether neither command nor arrangement was seen.
fn is_unasked(way: &Way<'_>) -> bool {
    way.arranged.is_none() && way.transfer.is_some_and(|t| t.command.is_none())
}

/// Whether the server dialled where nothing but the connection is seen: by the packets, or from a port of its own.
pub(super) fn is_dialled_back(case: &Case<'_>, way: &Way<'_>) -> bool {
    let data = way.transfer.and_then(|t| t.data.as_ref());
    is_unasked(way) && data.is_some_and(|d| was_dialled_by_server(case, d.conn))
}

/// Whether the server opened a data connection: by the packets, or from a port of its own.
pub(super) fn was_dialled_by_server(case: &Case<'_>, conn: ConnId) -> bool {
    let from_data_port = |p: core::net::SocketAddr| DATA_PORTS.contains(&p.port());
    case.transcript.conn(conn).is_some_and(|c| c.active || c.peer.is_some_and(from_data_port))
}

/// Ports from which servers connect back: ftp-data, ftps-data (IANA).
const DATA_PORTS: [u16; 2] = [20, 989];

fn party(why: Why) -> Party {
    match why {
        Why::TimedOut | Why::Unreachable | Why::NotTold => Party::Between,
        Why::Refused | Why::NotTaken => Party::Server,
        Why::AnotherAddress => Party::Client,
    }
}

fn headlines(endpoint: &str, why: Why, port: Option<u16>, maybe: &str) -> Vec<String> {
    let port = port.map_or_else(|| "the data port".to_owned(), |p| format!("data port {p}"));
    let what = match why {
        Why::TimedOut => format!("{port} {maybe}did not answer"),
        Why::Unreachable => format!("{port} {maybe}could not be reached"),
        Why::Refused => format!("{port} {maybe}refused the connection"),
        Why::AnotherAddress => format!("the data connection {maybe}came from another address"),
        Why::NotTold => format!("{port} {maybe}was never connected to"),
        Why::NotTaken => format!("the server {maybe}did not take up the connection to {port}"),
    };
    vec![format!("{endpoint}: {what}"), what]
}

/// What the attempt itself came to.
fn attempt(u: &Unopened<'_>, dialled: Option<core::net::SocketAddr>) -> Option<String> {
    let at = dialled.filter(|_| u.observed).map(|at| core::net::SocketAddr::new(at.ip().to_canonical(), at.port()))?;
    let how = match u.why {
        Why::TimedOut => "timed out",
        Why::Unreachable => "ended in \"unreachable\"",
        Why::Refused => "was refused at once",
        Why::AnotherAddress | Why::NotTold | Why::NotTaken => "failed",
    };
    Some(format!("The attempt to connect to {at} {how}."))
}

fn explain(case: &Case<'_>, way: &Way<'_>, u: &Unopened<'_>, f: &mut Finding) {
    let seen = case.ports_seen().map(|s| s.range());
    untold_address(case, way, f);
    let (party, act) = match u.why {
        Why::TimedOut | Why::Unreachable | Why::NotTold => {
            if u.why.is_blocked() {
                f.why.push("Nothing of TLS was sent on it: addresses, ports and firewalls, not ciphers.".to_owned());
            }
            f.why.push(
                "\"Works without TLS\": a firewall opens the port by reading the reply; inside TLS it cannot."
                    .to_owned(),
            );
            let sure = if u.why.is_blocked() { Confidence::Likely } else { Confidence::Possible };
            let because = match u.why {
                Why::NotTold if u.told => "the client could not open it; why is not said".to_owned(),
                Why::NotTold => "the server waited for a connection that never came".to_owned(),
                _ => "the control connection passes, the data port does not answer".to_owned(),
            };
            f.causes.push(causes::passive_ports_blocked(sure, because, seen));
            (Party::Between, "server and firewalls together: one fixed range of ports, open in both")
        }
        Why::Refused => {
            f.why.push("Somebody answered: nothing listens there, or a firewall rejects.".to_owned());
            f.why.push(
                "The address may be another machine's (load balancer, NAT), or the server had given up.".to_owned(),
            );
            let because = "a firewall that rejects (not drops) looks the same".to_owned();
            f.causes.push(causes::passive_ports_blocked(Confidence::Possible, because, seen));
            (Party::Server, "server: does the machine that answers this address listen on that port?")
        }
        Why::NotTaken => {
            f.why.push("TCP stood, and the server says that it had no data connection.".to_owned());
            (Party::Server, "server: its own log of that second; a firewall that answers in its place, or another node")
        }
        Why::AnotherAddress => {
            f.why.push("The server lets only the address of the control connection in.".to_owned());
            (Party::Client, "client: all connections of a session through one address")
        }
    };
    f.act = Some(Act { party, text: act.to_owned() });
    if u.why == Why::AnotherAddress {
        f.tell(
            Party::Client,
            AdviceKind::Check,
            "two lines to the Internet, a proxy, or provider NAT in front of the client",
        );
        super::phase::advise_server(case, f, "allow-foreign-data-address");
        return;
    }
    if u.why == Why::Refused {
        f.tell(Party::Server, AdviceKind::Check, "behind a load balancer: one machine for all connections of a client");
    }
    range(case, f);
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "the client's own firewall: outgoing to that range, not only to 21 or 990",
    );
}

/// An inner address in the reply to PASV, where nothing tells in which network the client is, or which is another than the one in
/// use: between two inner networks addresses are translated, too.
fn untold_address(case: &Case<'_>, way: &Way<'_>, f: &mut Finding) {
    let Some((Some(ip), _)) = way.with("PASV").and_then(|a| a.announced()) else { return };
    let conn = way.arranged.map_or(ConnId(0), |a| a.command.event.conn);
    let in_use = case.address_in_use(conn).map(|used| used.to_canonical());
    let inner = |ip: IpAddr| Reach::of(ip).is_inner();
    let another = in_use.filter(|used| *used != ip && used.is_ipv4() && inner(*used) && inner(ip));
    if let Some(used) = another.filter(|_| obeyed(case, way) != Some(false)) {
        f.why.push(format!("The reply names {ip}, and the session runs to {used}: both inner addresses."));
        let because = format!("{ip} is not the address in use, {used}; routers between may translate it");
        f.causes.push(causes::nat_without_masquerade(Confidence::Possible, because));
    }
    if named(ip, in_use) == Named::Untold {
        f.why.push(format!("The reply names {ip}, a private address: right only inside that network."));
        let because = format!("{ip} is private; a client outside that network cannot reach it");
        f.causes.push(causes::nat_without_masquerade(Confidence::Possible, because));
    }
}

/// In a run of ours with a login: that every data connection stood, and on which ports.
fn good(case: &Case<'_>, ways: &[Way<'_>], sink: &mut Sink<'_>) {
    let login = case.transcript.origin.asked.as_ref().is_some_and(|a| a.login.is_some());
    if !login || !ways.iter().any(Way::is_opened) {
        return;
    }
    if let Some(seen) = case.ports_seen() {
        sink.passed("passive-ports", &seen.describe(), "every data connection of the session stood");
    }
}
