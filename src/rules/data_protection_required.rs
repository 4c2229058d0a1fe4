//! A transfer was refused because it would have gone over a data connection in clear.

use super::exchanges::{Exchange, refused};
use super::prelude::*;
use crate::facts::Transfer;
use crate::transcript::Layer;

pub(super) static RULE: Rule = Rule {
    id: "data-protection-required",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake"],
    page: include_str!("../../docs/findings/data-protection-required.md"),
    check,
};

/// Commands that open a data connection.
const TRANSFERS: [&str; 8] = ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU", "SITE"];

/// What servers write; `522` alone may be about session reuse, or about IPv6.
pub(super) const WORDS: [&str; 10] = [
    "policy requires ssl",
    "must be encrypted",
    "required on the data",
    "prot p required",
    "this prot setting",
    "protected data connection",
    "encrypted data connection",
    "required on the data channel",
    "transfer: tls is required",
    "tls connection is required on the data",
];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    in_clear(case, sink);
    let all = case.exchanges();
    let turned_away = |x: &&Exchange<'_>| TRANSFERS.contains(&x.verb) && !x.is_accepted() && x.says(&WORDS);
    let cut = in_cut(case);
    let Some(no) = all.iter().rfind(turned_away).or(cut.as_ref()) else { return };
    let again = all.iter().any(|x| x.verb == no.verb && x.is_accepted());
    if again || all.iter().any(|x| x.verb == "PROT" && x.argument.eq_ignore_ascii_case("P") && x.is_accepted()) {
        return; // protected, so that the words mean something else; or it went through in the end
    }
    let (endpoint, verb, code) = (case.endpoint(), no.verb, no.reply.code);
    let headlines = |maybe: &str| {
        vec![
            format!("{endpoint} {maybe}refused {verb} in clear: PROT P is missing ({code})"),
            format!("the server {maybe}refused {verb} in clear: PROT P is missing ({code})"),
        ]
    };
    let mut f = refused(case, no, Party::Client, headlines, sink);
    f.set("command", verb);
    let inside = no.answer.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
    let session = if inside { "The session is inside TLS; the" } else { "The words are about data connections: the" };
    f.why.push(format!("{session} file would have gone over a data connection in clear."));
    f.causes.push(causes::prot_p_not_sent());
    f.act = Some(Act { party: Party::Client, text: "client: PBSZ 0 and PROT P behind the login".to_owned() });
    super::advise::protect_data(case, &mut f);
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: the policy protects the files");
    sink.report(f);
}

/// A transfer worked behind a login inside TLS, its commands can be read, and none of them is PROT P: without that the data are in
/// clear by RFC 4217. No failure, and what few expect of a session with TLS.
fn in_clear(case: &Case<'_>, sink: &mut Sink<'_>) {
    let hidden = |e: &Event| case.is_missing(e) || matches!(e.kind, Kind::Opaque { .. } | Kind::Undecoded);
    if case.asked().is_some() || case.auth().is_none() || !case.is_logged_in() || case.first(hidden).is_some() {
        return;
    }
    let inside = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
    let bare = |t: &Transfer<'_>| {
        let of_tls = t.data.as_ref().is_some_and(|d| d.is_established());
        t.worked() && t.protected != Some(true) && !of_tls && t.command.is_some_and(|c| inside(c.event))
    };
    if case.session_transfers().any(bare) {
        let setting = case.facts.settings.ftp_data("SECURE_DATACONN", Side::Client).filter(|s| s.is("CLEAR"));
        let why = setting.map_or_else(|| "PROT P is what protects them".to_owned(), |s| s.quoted());
        sink.failed("data-protection", "no PROT P shows: the data probably went in clear", &why);
    }
}

/// The same in an excerpt that begins behind the login: nothing shows that its session is inside TLS, and the words that the
/// data connection is not.
pub(super) fn in_cut<'a>(case: &Case<'a>) -> Option<Exchange<'a>> {
    let begins = |e: &Event| match &e.kind {
        Kind::Command { verb, .. } => matches!(verb.as_str(), "AUTH" | "USER" | "PASS" | "PROT"),
        Kind::Reply(r) => r.code == 220,
        _ => e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls),
    };
    if case.first(begins).is_some() {
        return None;
    }
    // Whoever came through in the end was not turned away.
    let last = case.session_transfers().last()?;
    let (line, no) = (last.command?, last.refusal()?);
    let (command, verb, argument) = (line.event, line.verb, line.argument);
    Some(Exchange { command, verb, argument, answer: no.event, reply: no.reply }).filter(|x| x.says(&WORDS))
}
