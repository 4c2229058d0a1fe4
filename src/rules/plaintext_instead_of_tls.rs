//! Text where a TLS record was due: the server said yes to TLS, and then answered the handshake in FTP.
//!
//! This is what the tool exists for. The client reads the text as a record header, and every library reports the
//! misreading ("wrong version number", "Content Type 53") instead of the text.

use serde_json::Value;

use super::case::Claim;
use super::misreading::{misread_parts, misreading};
use super::prelude::*;
use super::{Evidence, by_words};
use crate::decode::Reply;
use crate::facts::SEALED_ALERT;
use crate::transcript::Mode;
use crate::transcript::speakers::{AT_TLS, SYSTEM_SSL, program_of};
use crate::wire::sniff::{Encoding, Speaker};
use crate::wire::tls::content;

pub(super) static RULE: Rule = Rule {
    id: "plaintext-instead-of-tls",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/plaintext-instead-of-tls.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let text_event = |e: &Event| e.from() == Some(Side::Server) && matches!(e.kind, Kind::TextInsteadOfTls { .. });
    let Some(event) = case.first(text_event) else { return at_server(case, sink) };
    let Kind::TextInsteadOfTls { reply, text, encoding } = &event.kind else { return };
    let alerted = case.before(event).any(|e| matches!(e.kind, Kind::Alert { level: 2, .. }));
    if alerted || case.handshake_completed_before(event) {
        return; // an alert said it first; behind the handshake the same text is another finding
    }
    if client_gave_up(case, event) {
        return; // the server only says that the client has left
    }
    // The beginning of a line may go on as anything, unless our own driver saw its end.
    let ended = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    let is_final = case.asked().is_some() && case.after(event).any(ended) && !text.contains("\\x");
    if reply.is_none() && !is_final && !text.ends_with("\\n") {
        return;
    }
    // What is no reply may be the client's as well.
    if reply.is_none() && case.direction_is_assumed() {
        return;
    }
    let from_log = case.is_from_log(event);
    let given_up = |e: &Event| matches!(&e.kind, Kind::Claim { code: Some(Code::Gsk(_) | Code::Message(_)), .. });
    if from_log && case.before(event).any(given_up) {
        return; // what a log quotes behind the client's failure belongs to whatever it did next
    }
    // Behind a ServerHello the handshake may have completed unseen.
    let answered = case.server_answered_before(event);
    let proved = reply.is_some() && !case.tls_due_is_assumed() && !from_log && !answered;
    let confidence = if proved { Confidence::Certain } else { Confidence::Likely };
    let sealed = sealed_alert(case, event);
    let (party, headlines) = match sealed {
        Some(_) => (Party::Unknown, refusals(case)),
        None => (Party::Server, headlines(case, confidence)),
    };
    let mut f = sink.finding(confidence, party, &headlines);
    let said = text.trim_end_matches("\\n").trim_end_matches("\\r").to_owned();
    let code = reply.as_ref().map(|r| r.code);
    f.set("code", code).set("text", said.as_str()).set("encoding", encoding.name());
    if let Some(hello) = case.client_hello()
        && let Some(offer) = &case.facts.offer
    {
        let summary = if case.whole { offer.summary() } else { String::new() };
        f.evidence.extend(sink.evidence(hello, &summary));
        f.set("client_hello", case.whole.then(|| offer.describe()));
    }
    if let Some(alert) = sealed {
        f.evidence.extend(sink.evidence(alert, "encrypted, and as short as an alert"));
        f.evidence.extend(sink.evidence(event, "the refusal in clear text"));
        after_sealed_alert(case, event, &mut f);
        open_questions(case, reply.as_ref(), sink);
        return sink.report(f);
    }
    f.evidence.extend(
        sink.evidence(event, "clear text, no TLS alert first").map(|e| Evidence { parts: misread_parts(&e.hex), ..e }),
    );
    misreading(case, event, &said, *encoding, &mut f);
    explain(case, event, reply.as_ref(), *encoding, &mut f);
    open_questions(case, reply.as_ref(), sink);
    sink.report(f);
}

/// What a trace taken at the server has: the client's text stands where its ClientHello was due.
fn at_server(case: &Case<'_>, sink: &mut Sink<'_>) {
    let is_text = |e: &Event| {
        matches!(e.kind, Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { speaker: Speaker::Http })
            && e.from() == Some(Side::Client)
    };
    // No client's own trace tells what reached the server.
    let is_tls = |c: &Claim<'_>| matches!(program_of(c.by), AT_TLS | SYSTEM_SSL) && c.is_of_server();
    let said = |event| case.after(event).filter_map(Claim::of).find(is_tls);
    let spoke = |e: &Event| e.from() == Some(Side::Client) && matches!(e.kind, Kind::Handshake(_) | Kind::Alert { .. });
    let seen = case.first(is_text).and_then(|event| Some((event, said(event)?)));
    let Some((event, claim)) = seen.filter(|(event, _)| !case.before(event).any(spoke)) else {
        return by_words(case, sink);
    };
    let (text, encoding, what) = match &event.kind {
        Kind::TextInsteadOfTls { text, encoding, .. } => (text.trim_end_matches("\\r\\n"), Some(*encoding), "FTP text"),
        _ => ("", None, "HTTP"),
    };
    let headlines = [format!("the client probably sent {what} where the server waited for TLS")];
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines);
    f.ended = true;
    f.set("code", Value::Null)
        .set("text", Some(text).filter(|t| !t.is_empty()))
        .set("encoding", encoding.map(Encoding::name));
    f.set("rc", by_words::rc_of(&claim)).set("by", claim.by).set("said", claim.text);
    f.evidence.extend(sink.evidence(event, "clear text of the client"));
    f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    if encoding.is_some() {
        f.causes = causes::of_clear_text(case, &claim);
    } else {
        f.causes.push(causes::wrong_port(Confidence::Likely, "a client of HTTP dialled this port"));
    }
    f.act = act_of(&mut f, true);
    sink.report(f);
}

/// Whether the text only follows the client's end behind a ServerHello: it left, and the server says that this was no handshake.
pub(super) fn client_gave_up(case: &Case<'_>, text: &Event) -> bool {
    let left = case.asked().is_none() && case.server_answered_before(text) && case.client_left_before(text);
    left && !refused_before_it_left(case, text)
}

/// Whether an encrypted record that may be the server's alert came before the client left, and the client had sent none itself.
fn refused_before_it_left(case: &Case<'_>, text: &Event) -> bool {
    let may_be_alert = |e: &Event| {
        let Kind::Opaque { content_type: content::APPLICATION_DATA, len } = e.kind else { return false };
        e.from() == Some(Side::Client) && SEALED_ALERT.contains(&len)
    };
    sealed_alert(case, text)
        .is_some_and(|alert| !case.client_left_before(alert) && !case.before(alert).any(may_be_alert))
}

/// The encrypted record of TLS 1.3 before a text, from the server behind the client's own ones, that may be an alert.
fn sealed_alert<'a>(case: &Case<'a>, text: &Event) -> Option<&'a Event> {
    let sealed = |e: &Event, side: Side| match e.kind {
        Kind::Opaque { content_type: content::APPLICATION_DATA, len } if e.from() == Some(side) => Some(len),
        _ => None,
    };
    let mut behind = case.before(text).skip_while(|e| sealed(e, Side::Client).is_none());
    let alert = behind.find(|e| sealed(e, Side::Server).is_some())?;
    let is_one = sealed(alert, Side::Server).is_some_and(|len| SEALED_ALERT.contains(&len));
    (case.server_answered_before(alert) && is_one).then_some(alert)
}

/// An empty Certificate in a record of TLS 1.3: 8 bytes, the type and a tag of 16.
const EMPTY_CERTIFICATE: u16 = 25;

/// What remains where both hellos fit, and the server refused what the client sent behind them.
fn after_sealed_alert(case: &Case<'_>, event: &Event, f: &mut Finding) {
    f.why.push("An encrypted record that may be an alert came first; the text says the same again.".to_owned());
    f.why.push("The ServerHello stands: version and cipher suite were agreed on.".to_owned());
    let first = case.before(event).find_map(|e| match e.kind {
        Kind::Opaque { content_type: content::APPLICATION_DATA, len } if e.from() == Some(Side::Client) => Some(len),
        _ => None,
    });
    let (sure, because) = match first {
        Some(EMPTY_CERTIFICATE) => (
            Confidence::Likely,
            "the client's first record has the length of an empty Certificate, and the server refused",
        ),
        _ => {
            (Confidence::Possible, "the server refused behind the client's answer, where a certificate may be missing")
        }
    };
    f.causes.push(causes::client_certificate_missing(sure, because));
    f.act = act(Party::Server, "server: does it want a client certificate? Its TLS log names the reason");
    f.advise("client-certificate", case.facts.client.as_ref().map_or("any", |c| c.id));
}

fn refusals(case: &Case<'_>) -> Vec<String> {
    let endpoint = case.endpoint();
    vec![
        format!("{endpoint} probably refused the client behind its ServerHello"),
        "the server probably refused the client behind its ServerHello".to_owned(),
    ]
}

/// AT-TLS says that clear text came (5003). The text itself is not in the evidence.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let (who, other) = if said.is_of_server() { ("the server", "the client") } else { ("the client", "the server") };
    let headlines = [
        format!("{who}'s AT-TLS says that {other} sent clear text, not TLS{}", said.code()),
        format!("{who}'s AT-TLS says that {other} sent clear text{}", said.code()),
    ];
    let mut f = said.finding(case, sink, Party::Unknown, &headlines);
    let null = || Value::Null;
    f.set("code", null()).set("text", null()).set("encoding", null());
    f.causes = causes::of_clear_text(case, &said.claim);
    f.act = act_of(&mut f, said.is_of_server());
    // Of a client that clear text came from nothing says that AT-TLS does its TLS.
    if !said.is_of_server() {
        f.advise("use-implicit", "zos-attls");
    }
    sink.untested("bytes", "the text that came", "not in the evidence");
    sink.report(f);
}

/// Who has to do what about clear text that the likeliest cause explains.
pub(super) fn act_of(f: &mut Finding, at_server: bool) -> Option<Act> {
    let is_possible = f.causes.first().is_some_and(|c| c.confidence == Confidence::Possible);
    match f.causes.first().map(|c| c.id.as_str()) {
        // The policy that was pasted along says it already.
        Some("attls-policy-missing") if at_server && is_possible => {
            act(Party::Server, "server: which TTLSRule matched (EZD1281I), and is the pasted policy in force?")
        }
        Some("attls-policy-missing") if at_server => {
            f.party = Party::Server;
            f.advise("attls-policy", "zos-ftp-server");
            act(Party::Server, "server: ApplicationControlled On, so that FTP itself says when TLS begins")
        }
        Some("attls-policy-missing") => {
            f.advise("attls-policy", "zos-attls");
            act(Party::Client, "client: ApplicationControlled On, so that FTP itself says when TLS begins")
        }
        Some("wrong-mode") => act(Party::Client, "client: port and mode: implicit meets explicit here"),
        Some("wrong-port") => act(Party::Client, "client: what dials this port, and is the port right?"),
        _ => act(Party::Unknown, "both: get the bytes: a packet trace shows the text that came"),
    }
}

fn headlines(case: &Case<'_>, confidence: Confidence) -> Vec<String> {
    let endpoint = case.endpoint();
    let probably = if confidence == Confidence::Certain { "" } else { "probably " };
    vec![
        format!("{endpoint} {probably}answered the TLS handshake with FTP text, not with TLS"),
        format!("{endpoint} {probably}answered the TLS handshake with FTP text"),
        format!("the server {probably}answered the TLS handshake with FTP text, not with TLS"),
    ]
}

fn explain(case: &Case<'_>, event: &Event, reply: Option<&Reply>, encoding: Encoding, f: &mut Finding) {
    let code = reply.map_or(0, |r| r.code);
    let words = reply.map(|r| r.text.to_ascii_lowercase()).unwrap_or_default();
    if code == 220 && case.auth().is_none() {
        f.causes.push(causes::wrong_mode("the text is the greeting of a server that waits for AUTH TLS"));
        f.act = act(Party::Client, "client: use explicit TLS (AUTH TLS), or the port for implicit TLS");
        return;
    }
    if case.asked() == Some(Mode::ImplicitAfterBanner) && code >= 400 {
        // A server that waits for AUTH reads our hello as a command.
        f.causes.push(causes::wrong_mode("the reply answers a ClientHello that was read as a command"));
        f.act = act(Party::Client, "client: is this mode right? Most servers want AUTH TLS (--mode explicit)");
        f.advise("use-explicit", "any");
        return;
    }
    let whole = reply.is_some_and(|r| r.whole);
    if code == 421 && whole && !["tls", "ssl", "handshake", "negotiat"].iter().any(|w| words.contains(w)) {
        f.causes.push(causes::connection_limit(
            "421 without a word of TLS: the service is not available to this client now",
        ));
        f.act = act(Party::Server, "server: its connection limits; client: fewer connections, try again later");
        causes::advise_server_log(case, f, event);
        return;
    }
    f.causes.extend(super::words::cause(case, event, &words).filter(|c| c.id != "client-tls-version-refused"));
    match causes::version_refused(case, event, false) {
        Some(cause) if f.causes.is_empty() => {
            f.causes.push(cause);
            let client = case.facts.client.as_ref().map_or_else(|| "the client".to_owned(), |c| c.called());
            f.act = act(Party::Client, &format!("either side can end it; quickest: {client} offers TLS 1.2"));
            causes::advise_version(case, f, event);
        }
        _ if super::parameters::advise(case, f) => causes::advise_server_log(case, f, event),
        _ => {
            f.act = act(Party::Server, "server: its TLS log of that second names the reason");
            causes::advise_server_log(case, f, event);
        }
    }
    if case.server_answered_before(event) {
        return; // one that has sent its hello has certificate and key
    }
    if f.causes.is_empty()
        && let Some(cause) = causes::version_unseen(case, event)
    {
        let likely = cause.confidence == Confidence::Likely;
        f.act = if likely { act(Party::Client, "client: switch TLS 1.2 on") } else { f.act.take() };
        f.causes.push(cause);
        super::zos_advice::offer_tls12(case, f);
    }
    let rank =
        if f.causes.is_empty() && case.client_hello().is_some() { Confidence::Likely } else { Confidence::Possible };
    if f.causes.iter().all(|c| c.id != "server-tls-not-initialised") {
        f.causes.push(causes::tls_not_initialised(case, event, rank));
    }
    if encoding == Encoding::Ebcdic {
        f.causes.push(causes::encoding_ebcdic(Confidence::Likely));
    }
    if let Some(product) = causes::likely_server(case) {
        f.advise("fix-certificate", &product.id.clone());
    }
}

fn act(party: Party, text: &str) -> Option<Act> {
    Some(Act { party, text: text.to_owned() })
}

fn open_questions(case: &Case<'_>, reply: Option<&Reply>, sink: &mut Sink<'_>) {
    if let Some(reply) = reply.filter(|r| !r.whole) {
        sink.untested("whole-text", &format!("rest of the {} line", reply.code), "not in the evidence");
    }
    if case.client_hello().is_none() {
        sink.untested("client-hello", "the client's hello", "not in the evidence");
    }
    if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos") && c.release.is_none()) {
        sink.untested("zos-release", "z/OS release (EZA1450I)", "not in the evidence");
    }
    if case.facts.servers.is_empty() {
        sink.untested("server-product", "the server's product (220, 234)", "not in the evidence");
    }
}
