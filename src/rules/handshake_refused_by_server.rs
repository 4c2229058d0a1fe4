//! The server's own log says that it ended the handshake; the bytes are not in the evidence.

use super::by_words;
use super::case::Claim;
use super::client_tls_not_initialised::ENVIRONMENT;
use super::phase::is_auth;
use super::prelude::*;
use super::zos_advice;
use crate::transcript::speakers;

pub(super) static RULE: Rule = Rule {
    id: "handshake-refused-by-server",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/handshake-refused-by-server.md"),
    check,
};

/// GSK_ERR_BAD_MESSAGE: what came could not be read.
const BAD_MESSAGE: u32 = 410;

/// The partner ended it, says the server: GSK_ERR_IO, GSK_ERR_SOCKET_CLOSED, a connection that was ended, and an error that the
/// partner reported.
const ENDED_BY_PARTNER: [u32; 4] = [406, 420, 437, 438];

/// GSK_ERR_BAD_CERT, which comes of the partner's alert as well.
const BAD_CERTIFICATE: u32 = 414;

/// `TLS handshake failed`, from the z/OS FTP server.
const FAILED: &str = "EZYFT96I";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let claims = || case.claims().filter(Claim::is_of_server);
    let is_bare = |c: &Claim<'_>| matches!(c.code, Some(Code::Message(id)) if id == FAILED);
    // What only repeats that another message has the reason gives way to it.
    let has_code = |c: &Claim<'_>| by_words::rc_of(c).is_some();
    let coded = claims().filter(has_code).take(by_words::MOST).filter(|c| by_words::is_refusal(case, c));
    let coded = coded.min_by_key(|c| matches!(c.code, Some(Code::AtTls(5006))));
    let words = || claims().filter(causes::may_be_words).take(by_words::MOST);
    let denied = || words().find(|c| !causes::of_words(case, c).is_empty());
    let Some(claim) = coded.or_else(denied).or_else(|| claims().find(is_bare)) else { return };
    if case.handshake_completed_before(claim.event) {
        return;
    }
    let rc = by_words::rc_of(&claim);
    let server = if claim.by == speakers::ZOS_FTP_SERVER { "z/OS server" } else { "server" };
    let code = rc.map_or_else(String::new, |rc| format!(" (rc {})", by_words::shown(rc)));
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines(server, rc, &code));
    f.ended = true;
    f.set("rc", rc).set("by", claim.by).set("text", claim.text);
    if let Some(auth) = case.before(claim.event).filter(|e| is_auth(e)).last() {
        f.evidence.extend(sink.evidence(auth, ""));
    }
    f.evidence.extend(sink.evidence(claim.event, "the server's word"));
    f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    match rc {
        Some(rc) => f.why.push(format!("rc {rc}: {}.", meaning(&claim, rc))),
        None if !is_bare(&claim) => {}
        None => f.why.push("Its log names no reason: the return code stands in a line before this one.".to_owned()),
    }
    f.why.push("It is the server's word alone: what reached it, and what it sent, is not in the evidence.".to_owned());
    explain(case, &claim, rc, &mut f);
    let answered = |e: &Event| e.from() == Some(Side::Client) && !matches!(e.kind, Kind::Command { .. });
    if !case.before(claim.event).any(answered) {
        sink.untested("bytes", "the bytes that reached the server", "not in the evidence");
    }
    sink.report(f);
}

/// AT-TLS has numbers of its own above those of System SSL.
fn meaning(claim: &Claim<'_>, rc: u32) -> String {
    let known = match claim.code {
        Some(Code::AtTls(_)) => crate::codes::attls(rc).map(|c| c.meaning),
        _ => crate::codes::gsk(rc).map(|c| c.meaning),
    };
    known.map_or_else(|| claim.text.to_owned(), str::to_owned)
}

fn headlines(server: &str, rc: Option<u32>, code: &str) -> Vec<String> {
    match rc {
        Some(406) => vec![format!("the {server} says that the connection failed in the handshake{code}")],
        Some(rc) if ENDED_BY_PARTNER.contains(&rc) => {
            vec![format!("the {server} says that the client ended the handshake{code}")]
        }
        Some(rc) if ENVIRONMENT.contains(&rc) => vec![
            format!("the {server} probably could not start TLS: its environment failed{code}"),
            format!("the {server} probably could not start TLS{code}"),
        ],
        _ => vec![
            format!("the {server} says that it gave up the TLS handshake{code}"),
            format!("the {server} says that it gave up TLS{code}"),
        ],
    }
}

fn explain(case: &Case<'_>, claim: &Claim<'_>, rc: Option<u32>, f: &mut Finding) {
    let act = |party, text: &str| Some(Act { party, text: text.to_owned() });
    f.act = match rc {
        Some(406) => {
            f.tell(Party::Between, AdviceKind::Check, causes::FIREWALLS);
            act(Party::Client, "client: its own log of that second names the reason; else the network")
        }
        Some(rc) if ENDED_BY_PARTNER.contains(&rc) => {
            f.party = if rc == 438 { Party::Client } else { f.party };
            act(Party::Client, "client: its own log of that second names the reason")
        }
        Some(rc) if ENVIRONMENT.contains(&rc) => {
            f.party = Party::Server;
            f.causes.extend(causes::of_return_code(case, claim, rc));
            f.tell(Party::Client, AdviceKind::Leave, "nothing to change: the server could not have let anyone in");
            act(Party::Server, &format!("server: see rc {rc} below; it names the reason"))
        }
        Some(BAD_CERTIFICATE) => {
            act(Party::Client, "client: did it reject the server's certificate? Its log names the reason")
        }
        Some(BAD_MESSAGE) if !is_of_ftp(claim) => {
            act(Party::Unknown, "both: does the partner speak TLS to this port? Then a capture shows the bytes")
        }
        Some(BAD_MESSAGE) => {
            f.causes.extend(mode(case, claim));
            act(Party::Client, "client: port and mode; then get the bytes, by a capture at either end")
        }
        Some(402) => {
            f.causes.extend(causes::of_return_code(case, claim, 402));
            act(Party::Server, "server: compare its ciphers with those that the client offers")
        }
        Some(rc) => {
            f.causes.extend(causes::of_return_code(case, claim, rc));
            act(Party::Server, "server: the lines before this one in its log name the reason")
        }
        None if !causes::of_words(case, claim).is_empty() => {
            f.party = Party::Server;
            f.causes.extend(causes::of_words(case, claim));
            f.advise("attls-policy", "zos-ftp-server");
            act(Party::Server, "server: the AT-TLS policy has to cover this connection")
        }
        None => act(Party::Server, "server: the line before this one in its log has the return code"),
    };
    if let Some(rc) = rc.filter(|rc| !by_code(case, claim, *rc, f)) {
        let system = if matches!(claim.code, Some(Code::AtTls(_))) { "at-tls" } else { "gsk" };
        let look = format!("ftpsdiag explain {system} {rc}, and the lines before it in the log");
        f.tell(Party::Server, AdviceKind::Check, look);
    }
    if is_of_ftp(claim) {
        f.advise("see-tls-log", "zos-ftp-server");
    }
    f.tell(Party::Client, AdviceKind::Check, "the client's log of that minute: what did it see, and who ended it?");
}

/// Whether no other program is known to speak.
fn is_of_ftp(claim: &Claim<'_>) -> bool {
    let program = speakers::program_of(claim.by);
    !speakers::is_sibling(program) && program != speakers::TN3270_SERVER
}

/// What to write for the code.
fn by_code(case: &Case<'_>, claim: &Claim<'_>, rc: u32, f: &mut Finding) -> bool {
    let told = zos_advice::by_code(case, claim, rc, f);
    if let Some((party, text)) = zos_advice::act(rc, Party::Server).filter(|_| told) {
        f.act = Some(Act { party, text });
    }
    told
}

/// A server that cannot read the first message may have been met in the other mode. A log that shows no AUTH says little:
/// that of a server quotes no commands.
fn mode(case: &Case<'_>, claim: &Claim<'_>) -> Option<super::Cause> {
    // Nobody but FTP has two modes of TLS.
    if case.auth().is_some() || !is_of_ftp(claim) {
        return None;
    }
    let implicit = case.transcript.conn(claim.event.conn).and_then(|c| c.peer).is_some_and(|p| p.port() == 990);
    let because = match implicit {
        true => "port 990 is usually for implicit TLS, and the server could not read what came first",
        false => "no AUTH is in the evidence, and the server could not read what came first",
    };
    let mut cause = causes::wrong_mode(because);
    cause.confidence = if implicit { Confidence::Likely } else { Confidence::Possible };
    Some(cause)
}
