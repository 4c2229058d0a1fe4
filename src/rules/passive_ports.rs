//! What findings about passive data connections share: the ports that were named, the range to ask for, and for whom it fails.

use core::net::IpAddr;

use super::addresses::Reach;
use super::arranging::{Fate, Way};
use super::finding::{AdviceKind, Finding, Party, Severity};
use super::{Case, Confidence, Sink, advise, causes};
use crate::facts::transfers::Answered;

/// Those who do as the reply to PASV says.
pub(super) const WHO_OBEY: &str = "clients that obey PASV";

/// A reply to PASV with an address that is not right.
pub(super) struct WrongAddress<'w, 'a> {
    /// The way that shows it.
    pub(super) way: &'w Way<'a>,
    /// The reply.
    pub(super) answer: Answered<'a>,
    /// Whether a client obeyed, and failed for good.
    pub(super) failed: bool,
    /// The address of the control connection.
    pub(super) in_use: Option<IpAddr>,
}

impl<'w, 'a> WrongAddress<'w, 'a> {
    /// Among the ways that are `bad`: the last, when it failed for good, which says more; else the first.
    pub(super) fn find(case: &Case<'_>, ways: &'w [Way<'a>], bad: impl Fn(&Way<'a>) -> bool) -> Option<Self> {
        let fell = |n: &usize| {
            ways.get(*n).is_some_and(|w| obeyed(case, w) != Some(false)) && case.fate(ways, *n, false) == Fate::Fell
        };
        let failed = ways.iter().rposition(&bad).filter(fell);
        let way = ways.get(failed.or_else(|| ways.iter().position(bad))?)?;
        let answer = way.arranged?.reply?;
        Some(Self { way, answer, failed: failed.is_some(), in_use: case.address_in_use(answer.event.conn) })
    }

    /// Its finding: a failure where a client failed over it, else a warning.
    pub(super) fn finding(
        &self,
        case: &Case<'_>,
        (ip, port): (IpAddr, u16),
        headlines: &[String],
        label: &str,
        sink: &mut Sink<'_>,
    ) -> Finding {
        let told = case.is_from_log(self.answer.event);
        let sure = if told { Confidence::Likely } else { Confidence::Certain };
        let mut f = sink.finding(sure, Party::Server, headlines);
        f.evidence.extend(sink.evidence(self.answer.event, label));
        f.set("address", ip.to_string()).set("port", port).set("for_whom", WHO_OBEY);
        f.set("server_address", self.in_use.map(|a| a.to_string()));
        match &self.way.unopened {
            Some(u) if self.failed => {
                case.settle(&mut f, u.shows, u.told);
                f.set("why", u.why.name());
                sink.shows_by(&mut f, u.shows);
                f.evidence.extend(sink.evidence(u.shows, "").filter(|_| u.shows.span != self.answer.event.span));
            }
            _ => f.severity = Severity::Warning,
        }
        f
    }
}

/// Puts the ports seen into the data, and says which range the firewalls need.
pub(super) fn range(case: &Case<'_>, f: &mut Finding) {
    let seen = case.ports_seen();
    if let Some(seen) = seen {
        f.set("ports_seen", serde_json::json!({ "lowest": seen.lowest, "highest": seen.highest, "count": seen.count }));
    }
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("passive-range", &product.id);
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, "set one fixed range of passive ports");
    }
    let named = seen.map_or_else(String::new, |s| format!("; seen: {}", s.describe()));
    let text = format!("let clients in to the server's passive range, TCP{named}");
    f.tell(Party::Between, AdviceKind::Lasting, text);
}

/// The outer address in the product's own directive.
pub(super) fn masquerade(case: &Case<'_>, f: &mut Finding, outer: Option<IpAddr>) {
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("masquerade-address", &product.id);
    }
    let own = outer.map(|ip| ip.to_canonical()).filter(|ip| Reach::of(*ip) == Reach::Public).map(|ip| ip.to_string());
    // The table's address is an example; the one that clients use is better.
    if let Some(ip) = &own {
        for a in f.advice.iter_mut().skip(before) {
            a.directive = a.directive.as_ref().map(|d| d.replace("203.0.113.7", ip));
        }
    }
    if f.advice.len() == before {
        let ip = own.unwrap_or_else(|| "the address that clients dial".to_owned());
        f.tell(Party::Server, AdviceKind::Lasting, format!("name {ip} as outer address in 227"));
    }
}

/// What clients can do about the address until the server is mended.
pub(super) fn without_address(case: &Case<'_>, f: &mut Finding) {
    let known = case.facts.client.as_ref().filter(|_| case.asked().is_none());
    if let Some(client) = known {
        f.advise("use-epsv", client.id).advise("passive-ignore-address", client.id);
    }
    if known.is_none_or(|c| !c.id.starts_with("zos")) {
        f.tell(Party::Client, AdviceKind::Tonight, "until then EPSV, or \"use the server's address\"");
    }
}

/// The facts that send people the wrong way.
pub(super) fn who_sees_it(f: &mut Finding, rewritten: bool) {
    f.why.push(
        "\"Works in FileZilla\": it uses the server's address then, as do curl 7.74+ and EPSV clients; many scripts do not."
            .to_owned(),
    );
    if rewritten {
        f.why.push("\"Works without TLS\": a router rewrites the 227 in clear; inside TLS it cannot.".to_owned());
    }
}

/// Whether the client went where the reply to PASV sent it: `None` when that is not in the evidence.
pub(super) fn obeyed(case: &Case<'_>, way: &Way<'_>) -> Option<bool> {
    let (ip, _) = way.arranged?.announced()?;
    let dialled = dialled(case, way)?.ip().to_canonical();
    Some(ip?.to_canonical() == dialled)
}

/// Where the client connected to, or tried to.
pub(super) fn dialled(case: &Case<'_>, way: &Way<'_>) -> Option<core::net::SocketAddr> {
    case.transcript.conn(way.transfer?.data.as_ref()?.conn)?.peer
}

/// The client's own advice for a need, as far as the evidence has another client than us.
pub(super) fn client(case: &Case<'_>, f: &mut Finding, need: &str) {
    match case.asked() {
        None => advise::client(case, f, need),
        Some(_) => drop(f.advise(need, "any")),
    }
}
