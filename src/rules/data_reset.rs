//! The data connection was reset: seen on the wire, told by a program, or met by the server.

use super::endings::{Ending, has};
use super::phase::probably;
use super::prelude::*;
use super::retrying::Tries;
use super::told::errors;
use crate::facts::transfers::{Data, precedes};
use crate::transcript::Close;
use crate::wire::tls::content;

pub(super) static RULE: Rule = Rule {
    id: "data-reset",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-reset.md"),
    check,
};

/// What programs write when they met one.
const WORDS: [&str; 6] = [
    "connection reset",
    "econnreset",
    "10054",
    "forcibly closed by the remote host",
    "edc8121i",
    "connectionreseterror",
];

/// What servers answer to an upload that ended so for them.
pub(super) const REPLIES: [&str; 3] =
    ["transfer aborted due to receive error", "link to file server lost", "connection reset"];

/// Where AT-TLS on z/OS takes a reset behind close_notify for an error (PI62054).
const ERRNO2: &str = "74520442";

/// Newest release that PI62054 names: V2R2.
const LAST_OF_PI62054: u32 = 202;

/// Newest release that PQ72957 names: V1R4.
const LAST_OF_PQ72957: u32 = 104;

/// How it shows.
#[derive(Clone, Copy)]
enum Shown<'a> {
    /// The RST itself.
    Wire(&'a Event),
    /// A program's words.
    Told(&'a Event),
    /// The server's last reply.
    Answered(&'a Event),
}

/// A reset of one transfer.
struct Reset<'e, 'a> {
    ending: &'e Ending<'a>,
    shown: Shown<'a>,
    /// Whether the sender had said close_notify; `None` where it would not show.
    goodbye: Option<bool>,
    severity: Severity,
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all: Vec<Ending<'_>> = case.session_endings().collect();
    let found: Vec<Reset<'_, '_>> = all.iter().filter_map(reset_of).collect();
    let (failed, harmless): (Vec<_>, Vec<_>) = found.iter().partition(|r| r.severity == Severity::Failure);
    let tries = case.tries_as_large(&failed.iter().map(|r| r.ending.transfer).collect::<Vec<_>>());
    let worst = tries.worst(&failed, |r| r.ending.transfer).or(harmless.first());
    match worst {
        Some(reset) => report(case, reset, &tries, found.len(), sink),
        None => behind_hidden_commands(case, sink),
    }
}

/// A record of so many bytes is content: handshakes and tickets are shorter.
const CONTENT: u16 = 1_024;

/// Where nobody can read the commands: the server had sent content, and its reset came right behind it, without an alert.
fn behind_hidden_commands(case: &Case<'_>, sink: &mut Sink<'_>) {
    if !case.commands_are_hidden() {
        return;
    }
    let hidden = case.session_transfers().filter(|t| t.command.is_none()).filter_map(|t| t.data.as_ref());
    let cut: Vec<&Event> = hidden.filter(|d| d.is_established()).filter_map(cut_behind_content).collect();
    let Some(rst) = cut.first() else { return };
    let headlines = [
        format!("{} reset a data connection behind content, without goodbye", case.endpoint()),
        "the server reset a data connection behind content, without goodbye".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Server, &headlines);
    (f.severity, f.ended) = (Severity::Warning, false);
    for key in ["command", "close_notify", "code", "text", "edc", "errno2"] {
        f.set(key, serde_json::Value::Null);
    }
    f.set("by", Party::Server.name()).set("transfers", cut.len());
    f.why.push("No close_notify came before the RST; commands and replies are encrypted.".to_owned());
    f.act = Some(Act { party: Party::Server, text: "server: its log: did this transfer come to its end?".to_owned() });
    sink.shows_by(&mut f, rst);
    sink.report(f);
}

/// The server's reset of a connection whose last record is content of its own.
fn cut_behind_content<'a>(d: &Data<'a>) -> Option<&'a Event> {
    let (rst, by, how) = d.end()?;
    let says = |e: &&&Event| precedes(e, rst) && (e.from().is_some() || matches!(e.kind, Kind::Gap { .. }));
    let last = d.events.iter().filter(says).rfind(|e| !matches!(e.kind, Kind::Skipped))?;
    let is_content = |len| len >= CONTENT && last.from() == Some(Side::Server);
    let sent = matches!(last.kind, Kind::Opaque { content_type: content::APPLICATION_DATA, len } if is_content(len));
    (sent && by == Side::Server && how == Close::Reset).then_some(rst)
}

/// The reset of a transfer, if there was one.
pub(super) fn is_reset(ending: &Ending<'_>) -> bool {
    reset_of(ending).is_some()
}

fn reset_of<'e, 'a>(ending: &'e Ending<'a>) -> Option<Reset<'e, 'a>> {
    if ending.aborted || !ending.has_begun() && !ending.is_answered(&REPLIES) {
        return None;
    }
    let data = ending.data();
    let goodbye = data.and_then(|d| d.said_goodbye(ending.sender()));
    let told = ending.said.iter().find(|c| has(c.text, &WORDS)).map(|c| c.event);
    if let (Some(rst), Some(data)) = (ending.reset(), data) {
        let confirmed = ending.is_confirmed();
        // A server that turns a handshake down may do it like this: its reply says so.
        let sent = confirmed || goodbye == Some(true) || data.counted(ending.sender()).is_some_and(|n| n > 0);
        // Whoever had said goodbye, or can only be guessed to, has harmed nobody yet.
        let harmless = confirmed && told.is_none() && (goodbye != Some(false) || ending.sender() == Side::Client);
        let severity = if harmless { Severity::Warning } else { Severity::Failure };
        return sent.then_some(Reset { ending, shown: Shown::Wire(rst), goodbye, severity });
    }
    if let Some(rst) = ending.cut_short() {
        return Some(Reset { ending, shown: Shown::Wire(rst), goodbye, severity: Severity::Failure });
    }
    // What the wire shows needs no words; a handshake that was refused is another matter.
    let in_order = data.is_some_and(|d| d.end_of(ending.sender()).is_some() && goodbye == Some(true));
    let met = ending.sender() == Side::Client && ending.is_answered(&REPLIES);
    let about_the_end = ending.code().is_none_or(|c| c < 300 || matches!(c, 426 | 450 | 451));
    let shown = match (told, ending.reply()) {
        (Some(event), _) if !in_order && about_the_end => Shown::Told(event),
        (_, Some((event, reply))) if met && reply.code >= 400 => Shown::Answered(event),
        _ => return None,
    };
    Some(Reset { ending, shown, goodbye, severity: Severity::Failure })
}

fn report(case: &Case<'_>, reset: &Reset<'_, '_>, tries: &Tries<'_>, count: usize, sink: &mut Sink<'_>) {
    let Reset { ending, shown, goodbye, severity } = *reset;
    let over = ending.code().is_some() || ending.given_up.is_some();
    let confidence = match shown {
        Shown::Wire(_) if over => ending.confidence(case),
        _ => Confidence::Likely,
    };
    let confidence = if severity == Severity::Failure { tries.sure(ending.transfer, confidence) } else { confidence };
    let party = match shown {
        Shown::Wire(rst) => Party::from(sender_of(ending, rst)),
        _ => Party::Unknown,
    };
    let headlines = headlines(case, reset, confidence);
    let mut f = sink.finding(confidence, party, &headlines);
    f.severity = severity;
    f.ended = over || matches!(shown, Shown::Told(_));
    f.set("command", ending.verb).set("close_notify", goodbye).set("transfers", count);
    f.set("by", matches!(shown, Shown::Wire(_)).then_some(party.name()));
    f.set("code", ending.code()).set("text", ending.reply().map(|(_, r)| r.text.clone()));
    let (edc, errno2) = ending.says(&WORDS).map_or((None, None), |c| errors(c.text));
    f.set("edc", edc).set("errno2", errno2);
    f.evidence.extend(sink.evidence(ending.command, ""));
    if let Some((event, _)) = ending.reply() {
        f.evidence.extend(sink.evidence(event, ""));
    }
    why(case, reset, &mut f);
    let (Shown::Wire(place) | Shown::Told(place) | Shown::Answered(place)) = shown;
    sink.shows_by(&mut f, place);
    if ending.cut_short().is_some() {
        let text = "server: its log of that second (quota, scanner, crash), or what stands before it".to_owned();
        f.act = Some(Act { party: Party::Server, text });
    } else {
        explain(case, reset, &mut f);
        advise(case, reset, &mut f);
    }
    if severity == Severity::Failure {
        tries.settle(&mut f, ending.transfer, &headlines);
    }
    sink.report(f);
}

fn headlines(case: &Case<'_>, reset: &Reset<'_, '_>, confidence: Confidence) -> Vec<String> {
    let (maybe, verb, endpoint) = (probably(confidence), reset.ending.verb, case.endpoint());
    let code = reset.ending.code().unwrap_or_default();
    match reset.shown {
        Shown::Wire(rst) => {
            let by_server = sender_of(reset.ending, rst) == Side::Server;
            let who = if by_server { endpoint } else { "the client".to_owned() };
            let when = if reset.goodbye == Some(true) { " behind close_notify" } else { "" };
            vec![
                format!("{who} {maybe}reset the data connection of {verb}{when}"),
                format!("the server {maybe}reset the data connection of {verb}{when}"),
            ]
        }
        Shown::Told(_) => vec![format!("the data connection of {verb} was {maybe}reset")],
        Shown::Answered(_) if is_in_order(reset) || is_old(case, reset.ending) => {
            vec![format!("the server {maybe}took the proper end of {verb} for an error ({code})")]
        }
        Shown::Answered(_) => vec![format!("the server {maybe}met a reset on the data connection of {verb} ({code})")],
    }
}

/// Who sent an RST.
fn sender_of(ending: &Ending<'_>, rst: &Event) -> Side {
    match rst.kind {
        Kind::Closed { by, .. } => by,
        _ => ending.sender(),
    }
}

/// Whether the receiver is a z/OS that needs PQ72957.
fn is_old(case: &Case<'_>, ending: &Ending<'_>) -> bool {
    case.zos_release(ending.sender().other()).is_some_and(|r| r <= LAST_OF_PQ72957)
}

/// Whether the evidence shows that the sender ended as it ought to.
fn is_in_order(reset: &Reset<'_, '_>) -> bool {
    let ended = |d: &Data<'_>| d.end_of(reset.ending.sender()).is_some();
    reset.goodbye == Some(true) && reset.ending.data().is_some_and(ended)
}

fn why(case: &Case<'_>, reset: &Reset<'_, '_>, f: &mut Finding) {
    let ending = reset.ending;
    if ending.transfer.protected == Some(true) || ending.tls().is_some() {
        f.why.push("TLS, login and PROT P had worked, and the transfer had begun.".to_owned());
    }
    if let Some(n) = ending.data().and_then(|d| d.counted(ending.sender())).filter(|n| *n > 0) {
        let of = ending.unsent_of().map_or_else(String::new, |of| format!(" of {of}"));
        f.why.push(format!("{n}{of} bytes of content had been sent."));
    }
    match (reset.shown, reset.goodbye) {
        (Shown::Wire(_), Some(true)) => {
            f.why.push("close_notify came before the RST: everything had been sent, and said to be.".to_owned());
        }
        (Shown::Wire(_), Some(false)) => {
            f.why.push("No close_notify came before the RST: the end of the file may be missing.".to_owned());
        }
        _ => {}
    }
    let told: Vec<_> = ending.said.iter().filter(|c| has(c.text, &WORDS)).collect();
    for claim in told.iter().take(2) {
        f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    }
    if told.iter().any(|c| c.text.contains(ERRNO2)) {
        f.why.push("That is message and errno2 of APAR PI62054, word for word.".to_owned());
    }
    if case.is_zos(ending.sender().other()) && told.is_empty() && !matches!(reset.shown, Shown::Wire(_)) {
        f.why.push("z/OS words it so when receiving on the data connection failed.".to_owned());
    }
}

fn explain(case: &Case<'_>, reset: &Reset<'_, '_>, f: &mut Finding) {
    let ending = reset.ending;
    let receiver = ending.sender().other();
    let on_wire = matches!(reset.shown, Shown::Wire(_));
    let zos = case.is_zos(receiver) || ending.is_answered(&REPLIES[..1]);
    let release = case.zos_release(receiver);
    if on_wire && reset.goodbye == Some(true) && !zos {
        let because = "its close_notify came before the RST".to_owned();
        f.causes.push(causes::reset_after_close_notify(Confidence::Likely, because));
        return;
    }
    tickets(case, reset, f);
    if !zos || on_wire && reset.goodbye == Some(false) {
        if receiver == Side::Client && reset.goodbye != Some(true) {
            let because = "nothing shows that everything had been sent";
            f.causes.push(causes::middlebox_closed(Confidence::Possible, because));
        }
        return;
    }
    if is_old(case, ending) || is_in_order(reset) && release.is_none() {
        let because = match release {
            Some(r) => format!("z/OS V{}R{} needs PQ72957 to know a close_notify", r / 100, r % 100),
            None => "the sender ended with close_notify and FIN, and no RST".to_owned(),
        };
        let sure = if release.is_some() { Confidence::Likely } else { Confidence::Possible };
        f.causes.push(causes::close_notify_not_recognised(sure, because));
        return;
    }
    if is_in_order(reset) {
        return;
    }
    let late = release.filter(|r| *r > LAST_OF_PI62054);
    let because = match late {
        Some(r) => format!("the APARs name z/OS 1.13 to 2.2, and this is V{}R{}", r / 100, r % 100),
        None if ending.said.iter().any(|c| c.text.contains(ERRNO2)) => "message and errno2 of PI62054".to_owned(),
        None => "AT-TLS up to z/OS 2.2 reports a reset behind close_notify as an error".to_owned(),
    };
    let sure = if late.is_some() { Confidence::Possible } else { Confidence::Likely };
    f.causes.push(causes::reset_after_close_notify(sure, because));
    let partner = causes::likely_server(case).filter(|_| receiver == Side::Client);
    if partner.is_none_or(|p| p.id == "zos-ftp-server") {
        let because = "only if both ends are z/OS on one machine; the symptom is the same".to_owned();
        f.causes.push(causes::smc_d(because));
    }
    if !on_wire {
        let because = "the words do not tell whether everything had come";
        f.causes.push(causes::middlebox_closed(Confidence::Possible, because));
    }
}

/// In TLS 1.3 an uploading client that never reads leaves tickets behind, and its close becomes a reset.
fn tickets(case: &Case<'_>, reset: &Reset<'_, '_>, f: &mut Finding) {
    let ending = reset.ending;
    let version = ending.data().and_then(|d| d.version()).or_else(|| case.tls_version());
    if ending.sender() == Side::Server || version.is_none_or(|v| v < 0x0304) {
        return;
    }
    let seen = ending.data().is_some_and(|d| d.has_tickets());
    let on_wire = matches!(reset.shown, Shown::Wire(_));
    let sure = if on_wire { Confidence::Likely } else { Confidence::Possible };
    let because =
        if seen { "an upload under TLS 1.3, with tickets behind the handshake" } else { "an upload under TLS 1.3" };
    f.causes.push(causes::tls13_unread_tickets_reset(sure, because.to_owned()));
}

fn advise(case: &Case<'_>, reset: &Reset<'_, '_>, f: &mut Finding) {
    let ending = reset.ending;
    let act = |party, text: &str| Some(Act { party, text: text.to_owned() });
    let first = f.causes.first().map(|c| c.id.clone()).unwrap_or_default();
    match first.as_str() {
        "tls13-unread-tickets-reset" => {
            f.act = act(Party::Client, "client: read to the server's end before closing; until then TLS 1.2");
            super::advise::client(case, f, "limit-tls12");
        }
        "close-notify-not-recognised" => {
            let zos = Party::from(ending.sender().other());
            f.act = act(zos, "z/OS: PQ72957; the file may be whole, look at its last record");
            f.advise("recognise-close-notify", if zos == Party::Server { "zos-ftp-server" } else { "zos-native" });
        }
        "reset-after-close-notify" => {
            let receiver = ending.sender().other();
            let late = case.zos_release(receiver).is_some_and(|r| r > LAST_OF_PI62054);
            let text = match late {
                true => "look at the last record: the file may be whole. z/OS: is SMC-D on for it?",
                false => "look at the last record: the file may be whole. z/OS under AT-TLS: PI62054",
            };
            f.act = act(Party::from(receiver), text);
            f.advise("tolerate-reset", "zos-attls");
            // A release behind the fix has it.
            f.advice.retain(|a| !late || a.directive.as_deref().is_none_or(|d| !d.starts_with("PI62054")));
        }
        _ => f.act = act(Party::Unknown, "compare sizes first; then both ends' logs of that second"),
    }
    if first != "reset-after-close-notify" && f.causes.iter().any(|c| c.id == "smc-d") {
        f.advise("tolerate-reset", "zos-attls");
    }
    if first == "reset-after-close-notify" || reset.goodbye == Some(true) {
        let party = Party::from(ending.sender());
        f.tell(party, AdviceKind::Lasting, "end data connections with close_notify and FIN, not with a reset");
    }
    if case.is_zos(Side::Client) || case.is_zos(Side::Server) {
        let keep = "CONDDISP CATLG in FTP.DATA: DELETE discards a file that may be good";
        f.tell(Party::from(ending.sender().other()), AdviceKind::Check, keep);
    }
}
