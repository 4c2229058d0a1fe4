//! The server lets a data connection in only if it resumes the TLS session of the control connection.

use std::collections::BTreeSet;

use super::data_session_reuse_hidden;
use super::data_sessions::{Reuse, TLS13, claimed, is_vsftpd, reuse};
use super::data_shake::{Shake, is_about_data, show, show_reply};
use super::finding::Cause;
use super::phase::probably;
use super::prelude::*;
use super::retrying::Tries;
use crate::facts::transfers::session_ids;
use crate::facts::{Transfer, version_name};
use crate::transcript::Side;
use crate::wire::printable_str;

pub(super) static RULE: Rule = Rule {
    id: "data-session-reuse-required",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake", "data-fatal-alert"],
    page: include_str!("../../docs/findings/data-session-reuse-required.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let shakes = case.shakes();
    let all = all_refused(case, &shakes);
    let tries = case.tries(all.iter().map(|(s, _)| s.transfer));
    match tries.worst(&all, |(s, _)| s.transfer) {
        Some((s, no)) => refused(case, s, no, &tries, sink),
        None if case.is_login_run() => tried(case, sink),
        None => data_session_reuse_hidden::check(case, sink),
    }
}

/// Whether a transfer of the session was refused for it.
pub(super) fn fails(case: &Case<'_>) -> bool {
    !all_refused(case, &case.shakes()).is_empty()
}

/// What the transfers before came to.
#[derive(Clone, Copy, Default)]
struct Before {
    /// Those that worked, whatever is known of their TLS.
    worked: usize,
    /// Those that resumed.
    resumed: usize,
    /// Whether one was let in with a full handshake.
    lenient: bool,
    /// The last version of TLS on data.
    version: Option<u16>,
}

fn all_refused<'s, 'a>(case: &Case<'a>, shakes: &'s [Shake<'a>]) -> Vec<(&'s Shake<'a>, Demand<'a>)> {
    let ids = session_ids(case.transcript, case.timeline);
    let (mut out, mut before) = (Vec::new(), Before::default());
    for s in shakes {
        let t = s.transfer;
        before.version = t.data.as_ref().and_then(|d| d.version()).or(before.version);
        if let Some(no) = demanded(case, s, &ids, before) {
            out.push((s, no));
            continue;
        }
        before.worked += usize::from(t.worked() && t.protected != Some(false));
        before.resumed += usize::from(s.done && t.resumed() == Some(true));
        before.lenient |= t.worked() && t.resumed() == Some(false);
    }
    out
}

/// How a server's demand shows.
struct Demand<'a> {
    /// The words, and whose claim they are.
    claim: Option<(&'a Event, &'a str)>,
    /// How sure it is that the missing resumption was the reason.
    sure: Confidence,
    /// Whether the client offered to resume.
    offered: Option<bool>,
    /// What went before.
    before: Before,
}

/// Whether a transfer was refused because its data connection did not resume.
fn demanded<'a>(case: &Case<'a>, s: &Shake<'a>, ids: &BTreeSet<&[u8]>, before: Before) -> Option<Demand<'a>> {
    let t = s.transfer;
    let (claim, refusal) = (claimed(t), t.refusal());
    let (full, opened) = (t.resumed() == Some(false), t.data.is_some());
    let shown = s.done && full && s.broke.is_none() && !t.has_content();
    // Pure-FTPd's process ends, and so does the session: only who was let in while he resumed can be sure to see it.
    let lost = shown && before.resumed > 0 && is_lost(t);
    if t.worked() || refusal.is_none() && claim.is_none() && !lost {
        return None;
    }
    let offered = t.data.as_ref().and_then(|d| d.offers_resumption(ids));
    let words = refusal.and_then(|r| reuse(&r.reply.text));
    // A handshake that completed, and then a refusal of the data connection. 426 is also what a client gets that breaks off.
    let bare = shown
        && refusal.is_some_and(|r| match r.reply.code {
            425 | 522 if offered == Some(false) => true,
            426 => false,
            _ => (offered == Some(true) || before.resumed > 0) && is_about_data(r.reply),
        });
    let other = t.resumed() == Some(true) && s.done && s.broke.is_none() && before.worked == 0;
    let says = match words {
        Some(Reuse::Plain) => true,
        // Only where nothing else is known to have gone wrong before.
        Some(Reuse::Perhaps) => !opened || shown || other,
        None => claim.is_some() || bare || lost,
    };
    // Before the handshake completed, only plain words tell that an offer was not taken.
    let unclear = offered == Some(true) && t.resumed() != Some(true) && !shown && words != Some(Reuse::Plain);
    // Who let a full handshake in before does not demand anything.
    let lenient = before.lenient && words != Some(Reuse::Plain) && claim.is_none();
    if !says || unclear || lenient {
        return None;
    }
    let quoted = refusal.filter(|r| !case.is_from_log(r.event));
    let sure = quoted.is_some_and(|r| match offered {
        _ if words == Some(Reuse::Plain) => true,
        Some(true) => shown && !is_vsftpd(&r.reply.text),
        Some(false) => words.is_some() && shown,
        None => false,
    });
    // ProFTPD says the same when a client that had nothing to send never began TLS.
    let doubt = !opened && t.is_upload() && before.worked > 0 && words == Some(Reuse::Perhaps);
    let sure = match sure {
        true => Confidence::Certain,
        false if doubt && !refusal.is_some_and(|r| is_vsftpd(&r.reply.text)) => Confidence::Possible,
        false => Confidence::Likely,
    };
    Some(Demand { claim, sure, offered, before })
}

/// Whether the server ended the session instead of an answer.
fn is_lost(t: &Transfer<'_>) -> bool {
    let closed = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Server, .. });
    t.reply.is_none() && t.aside.iter().any(|e| closed(e))
}

fn refused(case: &Case<'_>, s: &Shake<'_>, no: &Demand<'_>, tries: &Tries<'_>, sink: &mut Sink<'_>) {
    let t = s.transfer;
    let why = reasons(case, t, no);
    let tried = why.iter().any(|c| c.id == SPENT && c.confidence == Confidence::Certain);
    let confidence = if tried && t.refusal().is_some() { no.sure.max(certain(case, t)) } else { no.sure };
    // Running out is the client's own fault, and ours uses each ticket once: clients that use one again are let in.
    let ours = case.is_login_run() && why.first().is_some_and(|c| c.id == SPENT);
    let confidence = if ours { confidence } else { tries.sure(t, confidence) };
    let party = match why.first().map(|c| c.id.as_str()) {
        Some(FORGOTTEN) => Party::Server,
        Some(SPENT) if t.resumed().is_none() => Party::Unknown,
        _ => Party::Client,
    };
    let headlines = headlines(case, t, no.before, probably(confidence));
    let mut f = sink.finding(confidence, party, &headlines);
    f.ended = true;
    if ours {
        (f.severity, f.ended) = (Severity::Warning, false);
        f.why.push(
            "Our client uses each ticket once; OpenSSL's clients (curl, Python) use one again and get in.".to_owned(),
        );
    }
    let version = t.data.as_ref().and_then(|d| d.version());
    f.set("offered", no.offered).set("tried", false).set("version", version.map(version_name));
    f.set("resumed", no.before.resumed).set("tickets", t.data.as_ref().map(|_| case.tickets(t).given));
    show(sink, &mut f, s, "");
    if let Some((event, text)) = no.claim {
        f.why.push(format!("The log says: \"{}\".", printable_str(text)));
        if t.reply.is_none() {
            sink.shows_by(&mut f, event);
        }
    } else if let Some(event) = t.aside.first().filter(|_| t.reply.is_none()) {
        f.why.push("The server ended the session without a word, as Pure-FTPd does.".to_owned());
        sink.shows_by(&mut f, event);
    }
    let text = t.refusal().map(|r| r.reply.text.as_str()).unwrap_or_default();
    words(text, confidence == Confidence::Certain, &mut f);
    f.causes = why;
    explain(case, t, no, &mut f);
    advise(case, &mut f);
    if !ours {
        tries.settle(&mut f, t, &headlines);
    }
    sink.report(f);
}

/// The cause by which all depends on the client's tickets, and the one of a server that does not know the session.
const SPENT: &str = "tls13-tickets-exhausted";
const FORGOTTEN: &str = "session-cache-not-shared";

/// How sure a refusal is when an experiment has settled the rest.
fn certain(case: &Case<'_>, t: &Transfer<'_>) -> Confidence {
    match t.refusal() {
        Some(r) if !case.is_from_log(r.event) => Confidence::Certain,
        _ => Confidence::Likely,
    }
}

/// Why it did not resume, the best explanation first.
fn reasons(case: &Case<'_>, t: &Transfer<'_>, no: &Demand<'_>) -> Vec<Cause> {
    let (before, resumed) = (no.before, t.resumed());
    if no.offered == Some(true) && resumed != Some(true) {
        let because = match before.resumed {
            0 => "the client offered a session, and the server did not take it",
            _ => "what the client offered was not recognized, although it had been before",
        };
        return vec![causes::session_cache_not_shared(Confidence::Likely, because)];
    }
    if resumed == Some(true) {
        let because = "it resumed a session, but not the one of the control connection";
        return vec![causes::client_does_not_resume(Confidence::Possible, because)];
    }
    // Without the bytes: transfers worked, and then one was refused.
    if t.data.as_ref().is_none_or(|d| d.events.is_empty()) && before.worked > 0 {
        let because = "the first transfers went through, and a later one was refused for want of a resumed session";
        return vec![
            causes::tls13_tickets_exhausted(Confidence::Likely, because),
            causes::session_cache_not_shared(Confidence::Possible, "a time-out of the cache looks the same"),
        ];
    }
    if let Some(cause) = case.tickets(t).cause(case, no.offered, before.version, before.resumed) {
        return vec![cause];
    }
    // Our own client offers whatever the server gave it.
    if case.is_login_run() && resumed == Some(false) {
        let because = "the server gave out nothing to resume, and one that keeps no sessions cannot resume them";
        return vec![causes::session_cache_not_shared(Confidence::Likely, because)];
    }
    match (no.offered, resumed) {
        (Some(false), _) | (_, Some(false)) => no_session(no.offered),
        _ => vec![causes::client_does_not_resume(Confidence::Likely, by_reply(t))],
    }
}

/// What the words of the refusal amount to.
fn by_reply(t: &Transfer<'_>) -> &'static str {
    let text = t.refusal().map_or_else(String::new, |r| r.reply.text.to_ascii_lowercase());
    match () {
        () if text.contains("resum") || text.contains("reuse") => "the server says that no session was resumed",
        () if text.contains("operation not permitted") => {
            "ProFTPD words it like this when a data connection resumes no session; others may mean another thing"
        }
        () => "the words of the refusal are those of servers that demand it",
    }
}

/// Why a handshake was a full one.
pub(super) fn no_session(offered: Option<bool>) -> Vec<Cause> {
    match offered {
        Some(false) => {
            let because = "its ClientHello on the data connection offers no session to resume";
            vec![causes::client_does_not_resume(Confidence::Certain, because)]
        }
        Some(true) => {
            let because = "the client offered a session, and the server did not take it";
            vec![causes::session_cache_not_shared(Confidence::Likely, because)]
        }
        None => {
            vec![causes::client_does_not_resume(Confidence::Likely, "the data connection made a full handshake")]
        }
    }
}

/// What the numbers say, and for whom.
fn explain(case: &Case<'_>, t: &Transfer<'_>, no: &Demand<'_>, f: &mut Finding) {
    match f.causes.first().map(|c| c.id.as_str()) {
        Some(SPENT) if t.resumed().is_some() => {
            f.set("for_whom", "clients that use each TLS 1.3 ticket once");
            let tickets = case.tickets(t);
            if tickets.given > 0 && no.before.version.is_some_and(|v| v >= TLS13) {
                f.why.push(format!("Tickets received until then: {}; offered: {}.", tickets.given, tickets.spent));
            }
        }
        Some(SPENT) => {
            f.why.push("Earlier transfers of this session were let in, so that the client does resume.".to_owned());
            if f.confidence == Confidence::Possible {
                f.why.push("An upload of nothing comes to the same words: was the file empty?".to_owned());
            }
        }
        Some(FORGOTTEN) if no.offered == Some(true) && t.resumed() == Some(false) => f.why.push(
            "The client offered to resume; the server made a full handshake, and then refused the transfer.".to_owned(),
        ),
        Some(FORGOTTEN) if case.is_login_run() => f.why.push(
            "The server gave out nothing to resume (no ticket, no session id), and refused a new session.".to_owned(),
        ),
        _ => {}
    }
}

/// Why a reply reads as it does.
fn words(text: &str, sure: bool, f: &mut Finding) {
    if is_vsftpd(text) && !sure {
        f.why.push(
            "vsftpd says so of every failed data handshake while it demands resumption; its log (debug_ssl) tells."
                .to_owned(),
        );
    } else if text.contains("Operation not permitted") {
        f.why.push("No file permission is meant: ProFTPD's TLS did not permit the data connection.".to_owned());
    }
}

fn headlines(case: &Case<'_>, t: &Transfer<'_>, before: Before, maybe: &str) -> Vec<String> {
    let (endpoint, verb) = (case.endpoint(), if t.verb().is_empty() { "data" } else { t.verb() });
    let code = t.refusal().map_or_else(String::new, |r| format!(" ({})", r.reply.code));
    let behind = match before.resumed {
        0 => {
            return vec![
                format!("{endpoint} {maybe}refused {verb}: the TLS session was not resumed{code}"),
                format!("the server {maybe}refused {verb}: the TLS session was not resumed{code}"),
                format!("{verb} was {maybe}refused: the TLS session was not resumed{code}"),
            ];
        }
        1 => "the first transfer".to_owned(),
        n => format!("{n} transfers"),
    };
    vec![
        format!("{endpoint} {maybe}refused {verb} behind {behind}: TLS was no longer resumed"),
        format!("{endpoint} {maybe}refused {verb}: TLS was no longer resumed"),
        format!("{verb} was {maybe}refused behind {behind}: TLS was no longer resumed"),
        format!("{verb} was {maybe}refused: TLS was no longer resumed"),
    ]
}

/// In a run of ours one login did not offer to resume, and that was all that it did differently.
fn tried(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((t, true)) = case.declined() else { return };
    let resumed = |t: &&Transfer<'_>| t.worked() && t.resumed() == Some(true);
    let Some(good) = case.session_transfers().find(resumed) else { return };
    let endpoint = case.endpoint();
    let headlines = [
        format!("{endpoint} refuses data connections that do not resume TLS"),
        "the server refuses data connections that do not resume TLS".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Certain, Party::Client, &headlines);
    f.severity = Severity::Note;
    f.ended = false;
    f.set("offered", false).set("tried", true).set("command", t.command.map(|c| c.verb));
    show_reply(sink, &mut f, t);
    let (verb, code) = (good.verb(), good.reply.map_or(0, |r| r.reply.code));
    f.why.push(format!("Tried out: {verb} with the TLS session resumed came to {code}; without, it was refused."));
    f.why.push("Clients that cannot resume fail here: Python's ftplib, Java, .NET, Sterling.".to_owned());
    let text = t.refusal().map(|r| r.reply.text.as_str()).unwrap_or_default();
    words(text, true, &mut f);
    if let Some(product) = causes::likely_server(case) {
        f.advise("resume-session", &product.id).advise("disable-session-reuse", &product.id);
    }
    sink.report(f);
}

/// Who does what.
pub(super) fn advise(case: &Case<'_>, f: &mut Finding) {
    let first = f.causes.first().map(|c| c.id.clone()).unwrap_or_default();
    let (party, text) = match first.as_str() {
        SPENT => (Party::Client, "client: keep the newest ticket, or use TLS 1.2 at most; the server may give more"),
        FORGOTTEN => {
            (Party::Server, "server: one node for control and data of a client, and a session cache that keeps")
        }
        _ => (Party::Client, "client: resume the control connection's TLS on data; else the server drops the demand"),
    };
    f.act = Some(Act { party, text: text.to_owned() });
    match first.as_str() {
        SPENT => super::advise::client(case, f, "limit-tls12"),
        FORGOTTEN => {}
        _ => resume(case, f),
    }
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        if first == SPENT || first == FORGOTTEN {
            f.advise("shared-session-cache", &product.id);
        }
        f.advise("disable-session-reuse", &product.id);
    }
    if f.advice.len() == before {
        if first == FORGOTTEN {
            let text = "a session cache that all nodes share, or one node for each client";
            f.tell(Party::Server, AdviceKind::Lasting, text);
        }
        f.tell(Party::Server, AdviceKind::Tonight, "do not demand resumption (weak against stolen data connections)");
    }
}

/// How the client comes to resume.
fn resume(case: &Case<'_>, f: &mut Finding) {
    let before = f.advice.len();
    if let Some(client) = case.facts.client.as_ref() {
        f.advise("resume-session", client.id);
    }
    if f.advice.len() == before {
        let text =
            "resume the TLS session of the control connection on data connections; FileZilla, WinSCP and lftp do";
        f.tell(Party::Client, AdviceKind::Lasting, text);
    }
}
