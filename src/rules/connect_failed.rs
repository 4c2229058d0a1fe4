//! The connection could not be opened: nothing of FTP or TLS was reached.

use super::phase::advise_server;
use super::prelude::*;
use super::told::{How, Place};
use super::zos_codes;
use crate::transcript::{ASSUMED_UNANSWERED, OpenFailure};

pub(super) static RULE: Rule = Rule {
    id: "connect-failed",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/connect-failed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(event) = case.first(|e| matches!(e.kind, Kind::OpenFailed { .. })) else { return told(case, sink) };
    let began = case.before(event).any(|e| !matches!(e.kind, Kind::Claim { .. }));
    // A second address that answers makes up for a first one that does not.
    if began || case.control().any(|e| e.conn != event.conn && e.kind == Kind::Opened) {
        return;
    }
    let Kind::OpenFailed { why } = event.kind else { return };
    let (name, party, long, short) = match why {
        OpenFailure::Dns => {
            ("dns", Party::Client, "has no address: the name was not found in DNS", "has no address in DNS")
        }
        OpenFailure::Refused => (
            "refused",
            Party::Server,
            "refused the connection: no service there, or a firewall",
            "refused the connection",
        ),
        OpenFailure::Unreachable => {
            ("unreachable", Party::Between, "cannot be reached: there is no way to that network", "cannot be reached")
        }
        OpenFailure::TimedOut => {
            ("timed-out", Party::Between, "did not answer the attempt to connect", "did not answer")
        }
        OpenFailure::Other => ("other", Party::Unknown, "could not be connected to", "could not be connected to"),
    };
    let endpoint = case.endpoint();
    let headlines = [format!("{endpoint} {long}"), format!("{endpoint} {short}"), format!("the server {short}")];
    // The last try may be answered yet.
    let assumed = |a: &String| a == ASSUMED_UNANSWERED;
    let open = case.transcript.origin.inputs.iter().flat_map(|i| &i.assumed).any(assumed);
    let confidence = if open { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(confidence, party, &headlines);
    f.set("why", name);
    f.why.push("FTP and TLS were not reached: versions, ciphers and certificates were not tested.".to_owned());
    for a in case.facts.answers.iter().filter(|a| a.changes("another address")) {
        let address = case.transcript.conn(a.conn).and_then(|c| c.peer).map_or_else(String::new, |p| format!(" {p}"));
        f.why.push(format!("another address{address}: {}", a.describe()));
    }
    for claim in case.claims().filter(|c| matches!(c.by, "proxy" | "operating system")) {
        f.why.insert(0, format!("the {}: {}", claim.by, claim.text));
    }
    advise(why, case, &mut f);
    sink.report(f);
}

/// The z/OS client says so: a socket call failed before anything was said, a proxy did not let it through, or its return code
/// means that there was no connection.
fn told(case: &Case<'_>, sink: &mut Sink<'_>) {
    let word = case.told().filter(|t| match t.place {
        Place::Proxy => true,
        Place::Opening => t.edc.is_some() && t.how != How::Reset,
        _ => false,
    });
    let code =
        || zos_codes::ended(case).filter(|e| e.is_before_anything(case) && e.error == Some(zos_codes::NO_CONNECTION));
    let (mut why, mut proxied) = (OpenFailure::Other, false);
    let headlines = |how: &str| {
        let endpoint = case.endpoint();
        [format!("{endpoint} {how}, says the z/OS client"), format!("the server {how}, says the z/OS client")]
    };
    let mut f = if let Some(told) = word {
        proxied = told.place == Place::Proxy;
        why = match told.how {
            _ if proxied => OpenFailure::Other,
            How::Refused => OpenFailure::Refused,
            How::Unreachable => OpenFailure::Unreachable,
            How::TimedOut => OpenFailure::TimedOut,
            How::Reset | How::Lost => OpenFailure::Other,
        };
        let how = match why {
            OpenFailure::Refused => "refused the connection",
            OpenFailure::Unreachable => "cannot be reached",
            OpenFailure::TimedOut => "did not answer",
            _ if proxied => "was not reached through the SOCKS server",
            _ => "could not be connected to",
        };
        told.finding(sink, Party::Unknown, &headlines(how))
    } else if let Some(ended) = code() {
        let (party, how) = match unknown_host(case) {
            true => (Party::Client, "has no address: the name was not found"),
            false => (Party::Unknown, "could not be connected to"),
        };
        why = if party == Party::Client { OpenFailure::Dns } else { why };
        let mut f = ended.finding(sink, party, &headlines(how));
        f.set("said", ended.claim.text);
        f
    } else {
        return;
    };
    let name = match why {
        OpenFailure::Dns => "dns",
        OpenFailure::Refused => "refused",
        OpenFailure::Unreachable => "unreachable",
        OpenFailure::TimedOut => "timed-out",
        _ => "other",
    };
    f.set("why", name);
    advise(why, case, &mut f);
    if proxied {
        let text = "proxy: SOCKSCONFIGFILE names it; its log of that second".to_owned();
        f.act = Some(Act { party: Party::Between, text });
    } else if why == OpenFailure::Other {
        let text = "client: does the name resolve there, and is there a way to host and port?".to_owned();
        f.act = Some(Act { party: Party::Client, text });
    }
    sink.report(f);
}

/// `EZA1551I Unknown Host: ftp.example.org`, from the client.
fn unknown_host(case: &Case<'_>) -> bool {
    let is_it = |c: &super::case::Claim<'_>| matches!(c.code, Some(Code::Message(id)) if id == "EZA1551I");
    let mut said = case.claims().filter(|c| !c.is_of_server() && is_it(c));
    said.any(|c| c.text.to_ascii_lowercase().starts_with("unknown host"))
}

fn advise(why: OpenFailure, case: &Case<'_>, f: &mut Finding) {
    let act = |party: Party, text: &str| Some(Act { party, text: text.to_owned() });
    match why {
        OpenFailure::Dns => {
            f.act = act(Party::Client, "client: check the name; does it resolve on this machine?");
            f.tell(
                Party::Client,
                AdviceKind::Check,
                "spelling of the host name, and the DNS server that this machine asks",
            );
            f.tell(
                Party::Client,
                AdviceKind::Tonight,
                if case.asked().is_some() {
                    "use the server's address until the name resolves (--resolve here)"
                } else {
                    "use the server's address until the name resolves"
                },
            );
        }
        OpenFailure::Refused => {
            f.why.push("Something on the way to that address answered; packets do get through.".to_owned());
            f.causes.push(causes::wrong_port(Confidence::Likely, "nothing listens on that port"));
            f.act = act(Party::Server, "both: are host and port right? Then server: is the service up?");
            f.tell(Party::Client, AdviceKind::Check, "host and port: 21 is usual for explicit TLS, 990 for implicit");
            f.tell(
                Party::Server,
                AdviceKind::Check,
                "the service runs and listens on this address, not only on 127.0.0.1",
            );
            f.tell(Party::Between, AdviceKind::Check, "a firewall that rejects (not drops) this client looks the same");
            if case.is_on_990() {
                advise_server(case, f, "enable-implicit");
                f.advise("use-explicit", "any");
            }
        }
        OpenFailure::Unreachable => {
            f.act = act(Party::Between, "network: no route, or a router said no; check VPN, routes and IPv6");
            f.tell(Party::Client, AdviceKind::Check, "routes and VPN of this machine; with IPv6 addresses also try -4");
        }
        OpenFailure::TimedOut => {
            f.why.push("Nothing came back: the packets are dropped on the way, or the machine is down.".to_owned());
            f.act = act(Party::Between, "network: who drops the packets? Then: is the machine up?");
            f.tell(
                Party::Between,
                AdviceKind::Check,
                "firewalls on both sides: is this client's address let through to this port?",
            );
            f.tell(Party::Server, AdviceKind::Check, "the machine is up, and the address is still its own");
        }
        OpenFailure::Other => {
            let proxied = case.claims().any(|c| c.by == "proxy");
            f.act = if proxied {
                act(Party::Between, "proxy: it did not connect; its own words stand below")
            } else {
                act(Party::Client, "client: mend what the operating system says below")
            };
        }
    }
}
