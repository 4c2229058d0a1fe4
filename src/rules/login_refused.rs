//! TLS works, and the login does not.

use super::exchanges::{Exchange, refused};
use super::prelude::*;
use crate::transcript::Layer;

pub(super) static RULE: Rule = Rule {
    id: "login-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/login-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let Some(last) = all.iter().rfind(|x| is_login(x)) else { return in_clear(case, sink) };
    if last.is_accepted() || last.says(&["oops:"]) {
        return;
    }
    let (endpoint, code, verb) = (case.endpoint(), last.reply.code, last.verb);
    let headlines = |maybe: &str| {
        vec![
            format!("{endpoint} {maybe}refused the login: {code} {}", last.reply.text),
            format!("{endpoint} {maybe}refused the login ({code} to {verb})"),
            format!("the server {maybe}refused the login ({code} to {verb})"),
        ]
    };
    let mut f = refused(case, last, Party::Client, headlines, sink);
    f.set("command", verb);
    f.why.push("TLS works up to here: versions, ciphers and the server's certificate are not the fault.".to_owned());
    let act = |party: Party, text: &str| Some(Act { party, text: text.to_owned() });
    if code == 421 || last.says(&["too many", "maximum"]) {
        f.party = Party::Server;
        f.causes.push(causes::connection_limit("the words of the refusal are about room, not about the password"));
        f.act = act(Party::Server, "server: its connection limits; client: fewer connections, try again later");
    } else if code == 531 || last.says(&["client certificate", "tls verification failed"]) {
        let because = "the refusal asks for a client certificate, whatever the password";
        f.causes.push(causes::client_certificate_missing(Confidence::Likely, because));
        f.act = act(Party::Client, "client: present a certificate that the server accepts");
        f.advise("client-certificate", case.facts.client.as_ref().map_or("any", |c| c.id));
        if last.says(&["server requires client certificate"]) {
            f.advise("stop-requesting-client-certificate", "zos-ftp-server"); // its words (531-01)
        }
    } else {
        f.act = act(Party::Client, "client: user name and password; the server's log tells which of them");
        f.tell(
            Party::Client,
            AdviceKind::Check,
            "the user name letter by letter: upper case, domain, blanks at its end",
        );
        f.tell(Party::Client, AdviceKind::Leave, "do not let a job repeat it: servers ban addresses for that");
    }
    let when = case.second(last.answer).map_or_else(|| "of that moment".to_owned(), |s| format!("at {s}"));
    f.tell(
        Party::Server,
        AdviceKind::Check,
        format!("the server's log of logins {when} (not its TLS log) names the reason"),
    );
    sink.report(f);
}

fn is_login(x: &Exchange<'_>) -> bool {
    matches!(x.verb, "USER" | "PASS" | "ACCT")
}

/// Words by which a server asks for TLS instead.
const WANTS_TLS: [&str; 7] = ["auth", "encrypt", "non-anonymous", "protect", "secur", "ssl", "tls"];

/// A login without TLS that was refused: no fault of TLS, and worth a word.
fn in_clear(case: &Case<'_>, sink: &mut Sink<'_>) {
    let is_tls = |e: &Event| match &e.kind {
        Kind::Handshake(_) | Kind::TlsStarts { .. } | Kind::Opaque { .. } => true,
        _ => e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls),
    };
    if case.asked().is_some() || case.first(is_tls).is_some() || case.direction_is_assumed() {
        return;
    }
    let all = case.exchanges_on(Layer::Wire);
    let Some(last) = all.iter().rfind(|x| is_login(x)) else { return };
    if last.is_accepted() || !matches!(last.reply.code, 430 | 530) || last.says(&WANTS_TLS) || last.says(&["oops:"]) {
        return;
    }
    let (endpoint, code, verb) = (case.endpoint(), last.reply.code, last.verb);
    let headlines = |maybe: &str| {
        vec![
            format!("{endpoint} {maybe}refused a login in clear: {code} {}", last.reply.text),
            format!("the server {maybe}refused a login in clear ({code} to {verb})"),
        ]
    };
    let mut f = refused(case, last, Party::Client, headlines, sink);
    f.severity = Severity::Note;
    f.set("command", verb);
    f.why.push("No TLS was spoken before it: user name and password are the matter.".to_owned());
    f.act = Some(Act {
        party: Party::Client,
        text: "client: user name and password; the server's log tells which".to_owned(),
    });
    sink.report(f);
}
