//! Clear text on a data connection where the client had begun TLS.

use super::case::Claim;
use super::data_shake::{How, Shake, show};
use super::phase::probably;
use super::prelude::*;
use crate::facts::transfers::Data;
use crate::transcript::Layer;
use crate::wire::printable;

pub(super) static RULE: Rule = Rule {
    id: "data-plaintext-instead-of-tls",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake"],
    page: include_str!("../../docs/findings/data-plaintext-instead-of-tls.md"),
    check,
};

/// So much of what came is shown.
const SHOWN: usize = 60;

/// The FTP client of IBM i, when its data connection fails, with the two return codes that mean this.
const IBM_I: &str = "TCP3D2C";
const IBM_I_CODES: [&str; 2] = ["-11", "-16"];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let clear = |s: &&Shake<'_>| s.broke.is_some_and(|b| b.how == How::Clear) && s.began.is_some();
    let shakes = case.shakes();
    let all: Vec<&Shake<'_>> = shakes.iter().filter(clear).collect();
    let tries = case.tries(all.iter().map(|s| s.transfer));
    let Some(s) = tries.worst(&all, |s| s.transfer) else { return by_words(case, sink) };
    let Some(b) = s.broke else { return };
    let data = s.transfer.data.as_ref();
    let over = data.is_some_and(|d| d.end().is_some()) || s.transfer.reply.is_some() || case.is_closed();
    // Behind a ServerHello the handshake may have completed unseen.
    let proved = b.whole && s.answered.is_none() && !s.is_from_log(case) && !case.direction_is_assumed();
    let confidence = if proved { Confidence::Certain } else { Confidence::Likely };
    let confidence = tries.sure(s.transfer, confidence);
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    // Who was told to protect data and does not is at fault; else the client began what nobody had agreed on.
    let agreed = s.transfer.protected == Some(true);
    let party = if agreed { Party::Server } else { Party::Client };
    let headlines = [
        format!("{endpoint} {maybe}answered TLS on the data connection with clear text"),
        format!("the server {maybe}answered TLS on data with clear text"),
    ];
    let mut f = sink.finding(confidence, party, &headlines);
    f.ended = b.whole && over;
    show(sink, &mut f, s, "clear text on the data connection");
    sink.shows_by(&mut f, b.event);
    let bytes = b.event.span.map(|span| case.transcript.bytes(span)).unwrap_or_default();
    let said: String = printable(bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default());
    f.set("said", said.trim_end_matches("\\n").trim_end_matches("\\r")).set("protected", s.transfer.protected);
    explain(case, s, &said, &mut f);
    tries.settle(&mut f, s.transfer, &headlines);
    sink.report(f);
}

/// Content in clear beside an encrypted control connection, on a data connection where nobody began TLS: that is what PROT C means, and
/// whether anybody wants it, the encrypted commands do not show.
fn beside_encrypted_commands(case: &Case<'_>, sink: &mut Sink<'_>) {
    let is_clear = |d: &&Data<'_>| {
        let odd = |e: &Event| !matches!(e.kind, Kind::Opened | Kind::Skipped | Kind::Closed { .. });
        d.first(odd).is_none() && d.first(|e| e.kind == Kind::Skipped && e.from() == Some(Side::Server)).is_some()
    };
    if !case.commands_are_hidden() {
        return;
    }
    let hidden = case.session_transfers().filter(|t| t.command.is_none()).filter_map(|t| t.data.as_ref());
    let Some(shows) = hidden.filter(is_clear).find_map(|d| d.first(|e| e.kind == Kind::Skipped)) else { return };
    let headlines = [
        "a data connection was in clear, beside encrypted commands".to_owned(),
        "a data connection was in clear".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Client, &headlines);
    (f.severity, f.ended) = (Severity::Note, false);
    for key in ["command", "code", "text", "said", "protected"] {
        f.set(key, serde_json::Value::Null);
    }
    f.why.push("Nobody began TLS on it: so it is without PROT P, or behind PROT C.".to_owned());
    f.causes.push(super::Cause { confidence: Confidence::Possible, ..causes::prot_p_not_sent() });
    let text = "client: PBSZ 0 and PROT P behind the login, if files are to be encrypted";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    sink.shows_by(&mut f, shows);
    sink.report(f);
}

/// The client of IBM i says that it could not read the data connection as TLS, and the bytes are not there.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let is_code = |w: &str| IBM_I_CODES.contains(&w.trim_matches(|c: char| c != '-' && !c.is_ascii_digit()));
    let says = |c: &Claim<'_>| {
        matches!(c.code, Some(Code::Message(id)) if id == IBM_I) && c.text.split([' ', '=', ':']).any(is_code)
    };
    let Some(claim) = case.claims().find(says) else { return beside_encrypted_commands(case, sink) };
    let headlines = [
        format!("{} probably answered TLS on data with clear text", case.endpoint()),
        "the server probably answered TLS on data with clear text".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Server, &headlines);
    f.ended = true;
    for key in ["command", "code", "text", "protected"] {
        f.set(key, serde_json::Value::Null);
    }
    f.set("said", claim.text);
    sink.shows_by(&mut f, claim.event);
    f.why.push(format!("{}: {IBM_I} {}", claim.by, claim.text));
    f.why.push(
        "TCP3D2C with -11 or -16: what came on the data connection was no TLS. The bytes are not there.".to_owned(),
    );
    f.why
        .push("Implicit TLS covers data neither by RFC 4217 nor on IBM i: PROT P has to be sent and taken.".to_owned());
    let is_command = |e: &Event| matches!(e.kind, Kind::Command { .. });
    f.causes.push(match case.first(is_command) {
        Some(_) => causes::prot_p_not_sent(),
        None => causes::without_prot_p("data without PROT P are no TLS; whether it was sent is not in the evidence"),
    });
    f.act = Some(Act { party: Party::Client, text: "client: SECDATA P behind the login".to_owned() });
    super::advise::protect_data(case, &mut f);
    f.tell(Party::Client, AdviceKind::Check, "what was transferred went through the network in clear");
    sink.report(f);
}

fn explain(case: &Case<'_>, s: &Shake<'_>, said: &str, f: &mut Finding) {
    if is_in_clear(case) {
        f.why.push("The control connection is in clear: nobody had agreed on TLS.".to_owned());
        let text = "client: AUTH TLS first, then PBSZ 0 and PROT P; else no TLS on data either";
        f.act = Some(Act { party: Party::Client, text: text.to_owned() });
        f.tell(Party::Client, AdviceKind::Check, "what was transferred went through the network in clear");
        return;
    }
    f.why.push("The control connection is encrypted and works; this is about PROT.".to_owned());
    if said.contains("OOPS:") {
        f.party = Party::Server;
        let words = format!("its last words, on the data connection: \"{said}\"");
        f.causes.push(causes::server_crashed_child(Confidence::Likely, words));
        f.act = Some(Act { party: Party::Server, text: "server: mend what its last words name".to_owned() });
        return;
    }
    if s.transfer.protected == Some(true) {
        f.why.push("The server had said yes to PROT P.".to_owned());
        let text = "server: protect data connections when PROT P was accepted; its TLS log may say why not";
        f.act = Some(Act { party: Party::Server, text: text.to_owned() });
        if let Some(b) = s.broke {
            causes::advise_server_log(case, f, b.event);
        }
        return;
    }
    let how = match s.transfer.protected {
        Some(_) => "The last PROT that was accepted is not P.",
        None => "No PROT P was accepted before the transfer.",
    };
    f.why.push(how.to_owned());
    f.causes.push(causes::prot_p_not_sent());
    let text = "client: PBSZ 0 and PROT P behind the login";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    super::advise::protect_data(case, f);
    f.tell(Party::Client, AdviceKind::Check, "what was transferred went through the network in clear");
}

/// Whether commands were seen, and nothing of TLS beside them.
fn is_in_clear(case: &Case<'_>) -> bool {
    let wire = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::Wire);
    let is_tls = |e: &Event| match &e.kind {
        Kind::Opaque { .. } | Kind::Handshake(_) | Kind::TlsStarts { .. } | Kind::Decrypted { .. } => true,
        Kind::Gap { .. } | Kind::Claim { .. } => true,
        _ => e.span.is_some() && !wire(e),
    };
    case.first(|e| matches!(e.kind, Kind::Command { .. }) && wire(e)).is_some() && case.first(is_tls).is_none()
}
