//! The client gave up, and only its own words tell of it: the bytes that it could not read are not in the evidence.

use super::advise;
use super::by_words;
use super::case::Claim;
use super::client_tls_not_initialised as not_initialised;
use super::phase::is_auth;
use super::prelude::*;
use super::{zos_advice, zos_codes};
use crate::facts::Product;
use crate::transcript::speakers;

pub(super) static RULE: Rule = Rule {
    id: "handshake-refused-by-client",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/handshake-refused-by-client.md"),
    check,
};

/// GSK_ERR_BAD_MESSAGE: what came could not be read.
const BAD_MESSAGE: u32 = 410;

/// GSK_ERR_IO: reading or writing failed, by the partner's doing or the network's.
const IO: u32 = 406;

/// Codes that come of what the peer did: no common suite, closed, reset, alert, version.
const PEER_CODES: [u32; 9] = [402, 406, 412, 414, 415, 420, 437, 438, 446];

/// Whether the client's end may have said it. AT-TLS runs at servers as well: where its end is unknown it speaks for nobody,
/// unless it names a setting of clients.
fn is_of_client(c: &Claim<'_>) -> bool {
    let is_nobody = c.side.is_none() && speakers::program_of(c.by) == speakers::AT_TLS;
    !c.is_of_server() && (!is_nobody || c.text.contains("GSK_CLIENT_"))
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let has_code = |c: &Claim<'_>| by_words::rc_of(c).is_some() && is_of_client(c);
    let failed = case.claims().filter(has_code).take(by_words::MOST).find_map(|claim| match claim.code {
        Some(Code::Gsk(rc)) if by_words::is_refusal(case, &claim) => Some((*rc, claim)),
        _ => None,
    });
    let Some((rc, claim)) = failed else {
        without_a_code(case, sink);
        return gave_up(case, sink);
    };
    // What never began was not given up.
    if not_initialised::ENVIRONMENT.contains(&rc) && not_initialised::is_told_by_code(case) {
        return;
    }
    let event = claim.event;
    let starts = |e: &Event| match &e.kind {
        Kind::TlsStarts { .. } | Kind::Handshake(_) => true,
        Kind::Command { verb, .. } => verb == "AUTH",
        _ => false,
    };
    // What does TLS for others speaks of nothing else; and on the port for implicit TLS nothing comes before it.
    let of_tls =
        speakers::program_of(claim.by) == speakers::AT_TLS || speakers::is_sibling(speakers::program_of(claim.by));
    let at_once = case.is_on_990() && case.auth().is_none();
    // One line of a trace of FTP, pasted alone: it does not give such a code of anything but a handshake.
    let is_alone = claim.by == speakers::ZOS_FTP_CLIENT && !case.before(event).any(|e| e.from().is_some());
    let started = of_tls || at_once || is_alone || case.before(event).any(starts);
    if !started || case.handshake_completed_before(event) {
        return;
    }
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines(case, &claim, rc));
    f.set("rc", rc).set("by", claim.by).set("text", claim.text);
    if let Some(auth) = case.auth() {
        f.evidence.extend(sink.evidence(auth, ""));
        let accepted = case.after(auth).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code < 400));
        f.evidence.extend(accepted.and_then(|e| sink.evidence(e, "")));
    }
    let meaning = crate::codes::gsk(rc).map_or_else(|| claim.text.to_owned(), |c| c.meaning.to_owned());
    f.why.push(format!("rc {}: {meaning}.", by_words::shown(rc)));
    if rc == BAD_MESSAGE {
        f.why.push("The log does not hold the bytes that came, and different faults look the same here.".to_owned());
    }
    explain(case, &claim, rc, &mut f);
    let unread = rc == BAD_MESSAGE || PEER_CODES.contains(&rc);
    let answered = |e: &Event| e.from() == Some(Side::Server) && !matches!(e.kind, Kind::Reply(_));
    if unread && !case.before(event).any(answered) {
        let what = if rc == BAD_MESSAGE { "the bytes that the client could not read" } else { "the handshake's bytes" };
        sink.untested("bytes", what, "not in the evidence");
    }
    sink.report(f);
}

/// The z/OS client says that it failed, and its log was not asked for the reason.
fn without_a_code(case: &Case<'_>, sink: &mut Sink<'_>) {
    let says = |id: &str| matches!(id, "EZA2897I" | "EZA2898I");
    let is_it = |c: &Claim<'_>| !c.is_of_server() && matches!(c.code, Some(Code::Message(id)) if says(id));
    let Some(claim) = case.claims().find(is_it) else { return by_return_code(case, sink) };
    // Its words alone do not say where it was; the return code of the step may.
    let Some(auth) = case.before(claim.event).filter(|e| is_auth(e)).last() else { return by_return_code(case, sink) };
    let answer = case.after(auth).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code >= 200));
    let Some(yes) = answer.filter(|e| matches!(&e.kind, Kind::Reply(r) if r.code < 400)) else { return };
    let hello = |e: &Event| matches!(e.kind, Kind::Handshake(_) | Kind::TextInsteadOfTls { .. });
    if case.first(hello).is_some() || case.handshake_completed_before(claim.event) {
        return; // the bytes say more
    }
    let server = known_server(case).map_or("the server", |p| p.name);
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Unknown,
        &[
            format!("the z/OS client probably gave up TLS after {server}'s yes to AUTH"),
            "the z/OS client probably gave up TLS after the server's yes to AUTH".to_owned(),
        ],
    );
    f.set("rc", serde_json::Value::Null).set("by", claim.by).set("text", claim.text);
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(yes, ""));
    f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    f.why.push("The log names no reason: neither the return code of System SSL nor the bytes are in it.".to_owned());
    if let Some(vsftpd) = case.facts.server_may_be("vsftpd") {
        f.causes.push(causes::stumbles_over_certificate_request(vsftpd));
        f.advise("stop-requesting-client-certificate", "vsftpd");
    }
    f.causes.push(causes::tls_not_initialised(case, claim.event, Confidence::Possible));
    let text = "client: run the step once more with DEBUG SEC; or probe the server from here";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    f.advise("trace-ftp", "zos-native");
    advise::trace_tls(case, &mut f);
    f.tell(Party::Client, AdviceKind::Check, "ftpsdiag probe HOST, from a machine that reaches the server as well");
    causes::advise_server_log(case, &mut f, claim.event);
    sink.untested("return-code", "the return code of System SSL", "not in the evidence");
    sink.report(f);
}

/// Nothing but the return code of the step is left: OPEN failed behind a 234, which only the handshake follows.
fn by_return_code(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(ended) = zos_codes::ended(case).filter(|e| e.is_behind_auth(case)) else { return };
    let headlines = ["the z/OS client probably gave up TLS after the server's yes to AUTH".to_owned()];
    let mut f = ended.finding(sink, Party::Unknown, &headlines);
    f.set("rc", serde_json::Value::Null).set("by", ended.claim.by).set("text", ended.claim.text);
    f.why.push("OPEN failed, and the last reply was 234: what follows that is the handshake.".to_owned());
    f.why.push("The log names no reason: neither the return code of System SSL nor the bytes are in it.".to_owned());
    let text = "client: run the step once more with DEBUG SEC; or probe the server from here";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    f.advise("trace-ftp", "zos-native");
    f.tell(Party::Client, AdviceKind::Check, "ftpsdiag probe HOST, from a machine that reaches the server as well");
    sink.untested("return-code", "the return code of System SSL", "not in the evidence");
    sink.report(f);
}

/// A client of ours whose engine gave up; its alert may have been encrypted.
fn gave_up(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(claim) = case.claims().find(|c| c.by == "rustls" && case.asked().is_some()) else { return };
    if case.handshake_completed_before(claim.event) {
        return;
    }
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Server,
        &[
            format!("{endpoint} probably broke a rule of TLS: our own client gave up"),
            "the server probably broke a rule of TLS: our own client gave up".to_owned(),
        ],
    );
    f.set("rc", serde_json::Value::Null).set("by", claim.by).set("text", claim.text);
    f.why.push(format!("rustls: \"{}\".", claim.text));
    f.act = Some(Act {
        party: Party::Server,
        text: "server: its TLS log of that second; another client may agree".to_owned(),
    });
    causes::advise_server_log(case, &mut f, claim.event);
    sink.report(f);
}

/// The server, where more tells than a yes in the words of the command, which anybody may use.
fn known_server<'a>(case: &Case<'a>) -> Option<&'a Product> {
    causes::likely_server(case).filter(|p| p.because.iter().any(|words| !words.starts_with("\"234 AUTH ")))
}

/// Whether the code says that the connection ended, and no more.
fn rc_of_an_end(rc: u32) -> bool {
    matches!(rc, IO | 420 | 437)
}

/// ` after ProFTPD's 234`, as far as AUTH and the yes to it were seen.
fn behind_auth(case: &Case<'_>, event: &Event) -> String {
    let yes = |e: &Event| matches!(&e.kind, Kind::Reply(r) if (200..400).contains(&r.code));
    let auth = case.before(event).filter(|e| is_auth(e)).last();
    match auth.filter(|auth| case.after(auth).find(|e| matches!(e.kind, Kind::Reply(_))).is_some_and(yes)) {
        Some(_) => known_server(case)
            .map_or_else(|| " after the yes to AUTH".to_owned(), |p| format!(" after {}'s 234", p.name)),
        None => String::new(),
    }
}

fn headlines(case: &Case<'_>, claim: &Claim<'_>, rc: u32) -> Vec<String> {
    let event = claim.event;
    let client = case.facts.client.as_ref().map_or_else(|| "client".to_owned(), |c| format!("{} client", c.name));
    if rc == IO && claim.side.is_none() && claim.by == speakers::CICS {
        // It calls and is called.
        return vec![format!("CICS says that the connection failed in the handshake (rc {rc})")];
    }
    if rc == IO {
        return vec![
            format!("the {client} says that the connection failed in the handshake (rc {rc})"),
            format!("the {client} says that the connection failed (rc {rc})"),
        ];
    }
    if rc_of_an_end(rc) {
        // The partner closed: it says so of the partner.
        return vec![
            format!("the {client} says that the server ended the handshake (rc {rc})"),
            format!("the client says that the server ended the handshake (rc {rc})"),
        ];
    }
    let after = behind_auth(case, event);
    vec![
        format!("the {client} probably gave up the TLS handshake{after} (rc {rc})"),
        format!("the {client} probably gave up TLS{after} (rc {rc})"),
        format!("the {client} probably gave up the TLS handshake (rc {rc})"),
    ]
}

fn explain(case: &Case<'_>, claim: &Claim<'_>, rc: u32, f: &mut Finding) {
    let event = claim.event;
    let act = |party, text: &str| Some(Act { party, text: text.to_owned() });
    if rc != BAD_MESSAGE {
        let is_of_services = zos_advice::KEY.contains(&rc);
        // Other codes name their own reason; the server's log has nothing to say to a key ring that cannot be opened.
        f.act = match (PEER_CODES.contains(&rc), crate::codes::gsk(rc)) {
            (true, _) if rc == IO => {
                act(Party::Unknown, "server: is this connection in its TLS log? It names the reason; else the network")
            }
            (true, _) => act(Party::Server, "server: its TLS log of that second names the reason"),
            (false, _) if rc == 428 => act(Party::Client, "client: the certificate's private key, and ICSF"),
            (false, _) if is_of_services => act(Party::Client, "client: ICSF, and what the user id may use of it"),
            (false, Some(_)) => act(Party::Client, &format!("client: see rc {rc} below; it names the reason")),
            (false, None) => act(Party::Client, &format!("client: look rc {rc} up in the manual of its release")),
        };
        f.causes.extend(causes::of_return_code(case, claim, rc));
        f.causes.extend(causes::version_refused(case, event, false).filter(|_| PEER_CODES.contains(&rc)));
        if is_of_services {
            f.advise("icsf-access", zos_advice::of_client(case));
        }
        if rc == IO || rc_of_an_end(rc) && case.auth().is_some() {
            let because = "the partner, or a firewall in between, ended it; the code does not say which";
            f.causes.push(causes::middlebox_closed(Confidence::Possible, because));
            f.tell(Party::Between, AdviceKind::Check, causes::FIREWALLS);
        }
        if zos_advice::by_code(case, claim, rc, f) {
            f.act =
                zos_advice::act(rc, Party::Client).map(|(party, text)| Act { party, text }).or_else(|| f.act.take());
        } else {
            let look = format!("ftpsdiag explain gsk {rc}, and the messages before it in the log");
            f.tell(Party::Client, AdviceKind::Check, look);
        }
        advise::trace_tls(case, f);
        if PEER_CODES.contains(&rc) {
            causes::advise_server_log(case, f, event);
        } else {
            f.party = Party::Client;
        }
        return;
    }
    f.act = act(Party::Client, &format!("client: {}", advise::bytes_of_client(case)));
    if let Some(rule) = causes::begins_at_once(case, claim) {
        // Who begins with the first byte meets the greeting; nothing is said of the server's TLS.
        f.causes.push(rule);
        f.party = Party::Client;
        f.act = act(Party::Client, "client: ApplicationControlled On, so that FTP itself says when TLS begins");
        f.advise("use-implicit", "zos-attls");
        return;
    }
    let mut known = false;
    if let Some(stacked) = causes::both_do_tls(case) {
        known = true;
        f.causes.push(stacked);
        f.party = Party::Client;
        f.act = act(Party::Client, "client: take one of its two layers of TLS away: AT-TLS, or FTP's own");
        f.advise("exempt-attls", "zos-attls");
    }
    if let Some(mode) = causes::implicit_on_990(case) {
        known = true;
        f.causes.push(mode);
        f.act = act(Party::Client, &format!("client: port and mode; then {}", advise::bytes_of_client(case)));
        f.advise("use-explicit", case.facts.client.as_ref().map_or("any", |c| c.id));
        if claim.by == speakers::ZOS_FTP_CLIENT {
            f.tell(Party::Client, AdviceKind::Check, causes::GREETS_FIRST);
        }
    }
    if let Some(empty) = causes::empty_certificate_request(case, event) {
        f.causes.push(empty);
        super::phase::advise_server(case, f, "stop-requesting-client-certificate");
    } else if let Some(vsftpd) = case.facts.server_may_be("vsftpd") {
        f.causes.push(causes::stumbles_over_certificate_request(vsftpd));
        f.advise("stop-requesting-client-certificate", "vsftpd");
        f.act = act(Party::Server, "server (vsftpd): one setting; if that does not end it, get the bytes");
    }
    f.causes.extend(causes::version_refused(case, event, false));
    if speakers::is_sibling(speakers::program_of(claim.by)) {
        f.causes.push(causes::no_tls_there(claim));
        f.tell(Party::Client, AdviceKind::Check, "is the port that it calls the one for TLS at the partner?");
    }
    f.causes.push(causes::tls_not_initialised(case, event, Confidence::Possible));
    if !known {
        version_unseen(case, event, f);
    }
    advise::trace_tls(case, f);
    causes::advise_server_log(case, f, event);
}

/// What z/OS offers by default may be too old for the server, where no hello shows it.
fn version_unseen(case: &Case<'_>, event: &Event, f: &mut Finding) {
    let Some(cause) = causes::version_unseen(case, event) else { return };
    // Where something else is likelier, that is to be tried first.
    let likely = cause.confidence == Confidence::Likely;
    let first = likely || f.causes.iter().all(|c| c.confidence < Confidence::Likely);
    if likely {
        let text = "client: switch TLS 1.2 on; if that does not end it, get the bytes".to_owned();
        f.act = Some(Act { party: Party::Client, text });
    }
    if first {
        f.causes.insert(0, cause);
        zos_advice::offer_tls12(case, f);
    } else {
        f.causes.push(cause);
    }
}
