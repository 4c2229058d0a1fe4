//! Another protocol answers where a TLS record was due: a wrong port, or a proxy in between.

use super::prelude::*;
use crate::transcript::{Decrypted, Role, Why};
use crate::wire::sniff::{Speaker, sniff};

pub(super) static RULE: Rule = Rule {
    id: "not-ftp",
    severity: Severity::Failure,
    outranks: &[
        "auth-refused",
        "closed-during-handshake",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "malformed-tls",
        "no-banner",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/not-ftp.md"),
    check,
};

/// Another protocol, where it showed, and how sure that is.
struct Other<'a> {
    event: &'a Event,
    protocol: &'static str,
    name: &'static str,
    label: &'static str,
    confidence: Confidence,
    ended: bool,
}

/// Bytes of another protocol where a TLS record was due. The first bytes are unmistakable, but a flow may go on as anything
/// until its line ends.
fn instead_of_tls<'a>(case: &Case<'a>) -> Option<Other<'a>> {
    let other = |e: &Event| {
        e.from() == Some(Side::Server)
            && matches!(e.kind, Kind::OtherInsteadOfTls { speaker: Speaker::Ssh | Speaker::Http | Speaker::Telnet })
    };
    let in_session =
        case.first(other).filter(|e| !case.server_answered_before(e) && !case.handshake_completed_before(e));
    // What a question of ours met counts where the session met nothing until it ended.
    let heard = |e: &Event| e.from() == Some(Side::Server);
    let silent = || {
        let ended = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
        case.asked().is_some() && case.first(ended).is_some() && case.first(heard).is_none()
    };
    let in_question = || {
        let asked =
            |e: &&Event| case.transcript.conn(e.conn).is_some_and(|c| c.role == Role::Control && c.why != Why::Session);
        case.timeline.events.iter().filter(asked).find(|e| other(e)).filter(|_| silent())
    };
    let event = in_session.or_else(in_question)?;
    let (protocol, name) = match event.kind {
        Kind::OtherInsteadOfTls { speaker: Speaker::Ssh } => ("ssh", "SSH"),
        Kind::OtherInsteadOfTls { speaker: Speaker::Http } => ("http", "HTTP"),
        _ => ("telnet", "telnet"),
    };
    Some(Other {
        event,
        protocol,
        name,
        label: "where a TLS record was due",
        confidence: Confidence::Likely,
        ended: case.is_ended(),
    })
}

/// `SSH-2.0`, `HTTP/1.1`: the name of a protocol and the first digit of a version of it.
fn begins(text: &str, name: &str, digits: &str) -> bool {
    text.strip_prefix(name).and_then(|rest| rest.chars().next()).is_some_and(|c| digits.contains(c))
}

/// A first line that is another protocol's greeting.
fn greeting<'a>(case: &Case<'a>) -> Option<Other<'a>> {
    let event = case.first(|e| e.from() == Some(Side::Server))?;
    if case.client_left_before(event) || case.handshake_completed_before(event) {
        return None;
    }
    let (protocol, name, confidence) = match &event.kind {
        Kind::Reply(r) if r.whole && is_ebcdic(case, event) => ("ebcdic", "EBCDIC", Confidence::Certain),
        Kind::Text { text } if begins(text, "SSH-", "12") => ("ssh", "SSH", Confidence::Certain),
        Kind::Text { text } if begins(text, "HTTP/", "0123") => ("http", "HTTP", Confidence::Certain),
        Kind::Reply(r) if r.code == 220 && r.whole && r.text.contains("SMTP") => ("smtp", "SMTP", Confidence::Likely),
        // Without a line end, or no text at all.
        Kind::CutShort { .. } | Kind::Undecoded => match sniff(&case.transcript.bytes(event.span?)) {
            Speaker::Ssh => ("ssh", "SSH", Confidence::Certain),
            Speaker::Telnet => ("telnet", "telnet", Confidence::Likely),
            Speaker::MySql => ("mysql", "MySQL", Confidence::Likely),
            _ => return None,
        },
        _ => return None,
    };
    // A greeting proves little when the rest goes well.
    let refused = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.code >= 400);
    let goes_on = |e: &Event| {
        matches!(e.kind, Kind::Handshake(_) | Kind::TlsStarts { .. })
            || (!is_ebcdic(case, e) && matches!(e.kind, Kind::Reply(_)))
    };
    // Until its end: whoever goes on had understood it.
    let ended = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    // A word of the client's own program is the end of what it tried.
    let over = |e: &Event| match &e.kind {
        Kind::Claim { .. } => true,
        Kind::Alert { level, .. } | Kind::Decrypted { seen: Decrypted::Alert { level, .. }, .. } => *level == 2,
        _ => ended(e),
    };
    let was_over = case.before(event).any(over);
    let understood = !was_over && case.after(event).take_while(|e| !over(e)).any(goes_on);
    if understood && protocol != "smtp" {
        return None;
    }
    let confidence = match (protocol, case.after(event).any(ended)) {
        ("ebcdic", false) => return None,
        ("ebcdic", true) if case.is_from_log(event) => return None,
        (_, true) => confidence,
        (_, false) => Confidence::Likely,
    };
    if protocol == "smtp" && !case.after(event).any(refused) {
        return None;
    }
    let ended = was_over || case.after(event).any(over);
    Some(Other { event, protocol, name, label: "where an FTP greeting was due", confidence, ended })
}

/// Whether a reply's code is written in EBCDIC digits: no FTP client reads it.
fn is_ebcdic(case: &Case<'_>, event: &Event) -> bool {
    let first = event.span.and_then(|s| case.transcript.bytes(s).first().copied());
    matches!(event.kind, Kind::Reply(_)) && first.is_some_and(|b| (0xf1..=0xf5).contains(&b))
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(other) = greeting(case).or_else(|| instead_of_tls(case)) else { return };
    let Other { event, protocol, name, label, confidence, ended } = other;
    let maybe = super::phase::probably(confidence);
    let endpoint = case.endpoint();
    let or = if protocol == "ssh" { "a wrong port, or SFTP is meant" } else { "a wrong port, or a proxy" };
    let speaks = match protocol {
        "ebcdic" => "answers in EBCDIC: the translation to ASCII is missing".to_owned(),
        _ => format!("{maybe}speaks {name}, not FTP: {or}"),
    };
    let mut f =
        sink.finding(confidence, Party::Between, &[format!("{endpoint} {speaks}"), format!("the server {speaks}")]);
    f.ended = ended;
    f.set("protocol", protocol);
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(sink.evidence(event, &format!("{name} {label}")));
    f.why.push("FTP and TLS were not reached: versions, ciphers and certificates were not tested.".to_owned());
    f.act =
        Some(Act { party: Party::Client, text: "client: check host and port; then ask who answers there".to_owned() });
    if protocol != "ebcdic" {
        // A proxy answers in HTTP whatever port was dialled.
        let sure = if protocol == "http" { Confidence::Possible } else { Confidence::Likely };
        f.causes.push(causes::wrong_port(
            sure,
            match protocol {
                "ssh" => "SSH answers on that port: SFTP may be meant, which is another protocol than FTPS".to_owned(),
                _ => format!("{name} answers on that port"),
            }
            .as_str(),
        ));
    }
    if protocol == "ebcdic" {
        f.causes.push(causes::encoding_ebcdic(Confidence::Likely));
        f.party = Party::Server;
        f.act = Some(Act {
            party: Party::Server,
            text: "server: which program writes there without translation to ASCII?".to_owned(),
        });
    }
    let advice = match protocol {
        "ssh" => {
            "SFTP (SSH, port 22) is another protocol than FTPS: use an SFTP client, or the FTPS port (21 explicit, 990 implicit)"
        }
        "http" => "a web server or a proxy answers: check the port, and whether a proxy is in the way",
        "ebcdic" => "ask who answers on that port: FTP itself translates, an exit or a proxy may not",
        "smtp" => "a mail server answers: check host and port",
        "mysql" => "a database server answers: check host and port",
        _ => "a telnet server answers: check the port",
    };
    f.tell(Party::Client, AdviceKind::Check, advice);
    sink.report(f);
}
