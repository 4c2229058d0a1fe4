//! The reply to PASV names an address that clients cannot reach from where they are.

use core::net::IpAddr;

use super::addresses::{Named, Reach, named};
use super::arranging::Way;
use super::passive_ports::{WrongAddress, dialled, masquerade, obeyed, range, who_sees_it, without_address};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pasv-private-address",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-connect-failed"],
    page: include_str!("../../docs/findings/pasv-private-address.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let bad = |way: &Way<'_>| unreachable(case, way).is_some();
    let Some(wrong) = WrongAddress::find(case, &ways, bad) else { return };
    let Some((ip, port, reach)) = unreachable(case, wrong.way) else { return };
    let endpoint = case.endpoint();
    let what = match reach {
        Reach::Private | Reach::Shared => "private address",
        Reach::Loopback => "loopback address",
        Reach::LinkLocal => "link-local address",
        Reach::Public | Reach::Nowhere => "impossible address",
    };
    let headlines = [
        format!("{endpoint} gave out its {what} {ip} for data"),
        format!("the server gave out its {what} {ip} for data"),
        format!("the server gave out {ip} for data"),
    ];
    let mut f = wrong.finding(case, (ip, port), &headlines, "", sink);
    f.set("kind", reach.name());
    explain(case, wrong.way, &mut f, (ip, port, reach), wrong.in_use);
    sink.report(f);
}

/// The address of a reply to PASV, when the client cannot reach it.
fn unreachable(case: &Case<'_>, way: &Way<'_>) -> Option<(IpAddr, u16, Reach)> {
    let pasv = way.with("PASV")?;
    let (ip, port) = pasv.announced()?;
    let conn = pasv.command.event.conn;
    match named(ip?, case.address_in_use(conn)) {
        Named::Unreachable(reach) => Some((ip?, port, reach)),
        _ => None,
    }
}

fn explain(case: &Case<'_>, way: &Way<'_>, f: &mut Finding, at: (IpAddr, u16, Reach), in_use: Option<IpAddr>) {
    let (ip, port, reach) = at;
    let used = in_use.map(|a| a.to_canonical());
    let session = used.map_or_else(String::new, |a| format!("; the session came through {a}"));
    f.why.push(format!("{ip} (port {port}) is {}{session}.", reach.source()));
    match (obeyed(case, way), dialled(case, way), &way.unopened) {
        (Some(false), Some(at), None) if case.asked().is_some() && way.is_opened() => f.why.push(format!(
            "We used {}:{port} instead, and it opened: ports get through, only the address is wrong.",
            at.ip().to_canonical()
        )),
        (Some(true), Some(at), Some(u)) => f.why.push(format!("The client did as told: {at} {}.", ended(u.why))),
        _ => {}
    }
    who_sees_it(f, reach.is_inner());
    if reach.is_inner() {
        let epsv = case.ways().iter().any(|w| w.with("EPSV").is_some() && w.is_opened());
        let because = "inner address in the 227, public one in use".to_owned();
        let cause = causes::nat_without_masquerade(Confidence::Likely, because);
        f.causes.push(if epsv { cause.because("EPSV, whose reply has no address, works there") } else { cause });
    }
    let text = match reach {
        Reach::Loopback => "server: who connects from its own machine (a TLS wrapper, a proxy)? Name the outer address",
        _ => "server: one directive, the outer address for passive mode",
    };
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    masquerade(case, f, in_use);
    range(case, f);
    without_address(case, f);
}

/// How an attempt ended, in words.
fn ended(why: super::unopened::Why) -> &'static str {
    use super::unopened::Why;
    match why {
        Why::TimedOut => "never answered",
        Why::Refused => "refused",
        Why::Unreachable => "cannot be reached from there",
        Why::AnotherAddress | Why::NotTold | Why::NotTaken => "was not connected to",
    }
}
