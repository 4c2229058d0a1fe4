//! The server lets a data connection in only if it resumes the TLS session of the control connection.

use std::collections::BTreeSet;

use super::data_sessions::{Reuse, claimed, is_vsftpd, reuse};
use super::data_shake::{Shake, show, show_reply};
use super::phase::probably;
use super::prelude::*;
use crate::facts::Transfer;
use crate::facts::transfers::session_ids;
use crate::wire::printable_str;

pub(super) static RULE: Rule = Rule {
    id: "data-session-reuse-required",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake", "data-fatal-alert"],
    page: include_str!("../../docs/findings/data-session-reuse-required.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    if case.is_login_run() {
        return tried(case, sink);
    }
    let shakes = case.shakes();
    let ids = session_ids(case.transcript, case.timeline);
    let mut worked = false;
    for s in &shakes {
        // Who was let in before has resumed, or nobody asked for it: what changed then is another finding.
        if !worked && let Some(no) = demanded(case, s, &ids) {
            return refused(case, s, &no, sink);
        }
        worked |= s.transfer.worked() && s.transfer.resumed() != Some(false);
    }
}

/// How a server's demand shows.
struct Demand<'a> {
    /// The words, and whose claim they are.
    claim: Option<(&'a Event, &'a str)>,
    /// Whether the words, or the hello and the refusal, leave no doubt.
    sure: bool,
    /// Whether the client offered to resume.
    offered: Option<bool>,
}

/// Whether a transfer was refused because its data connection did not resume.
fn demanded<'a>(case: &Case<'a>, s: &Shake<'a>, ids: &BTreeSet<&[u8]>) -> Option<Demand<'a>> {
    let t = s.transfer;
    let claim = claimed(t);
    let refusal = t.refusal();
    if t.worked() || refusal.is_none() && claim.is_none() {
        return None;
    }
    let offered = t.data.as_ref().and_then(|d| d.offers_resumption(ids));
    let (full, opened) = (t.resumed() == Some(false), t.data.is_some());
    let words = refusal.and_then(|r| reuse(&r.reply.text));
    // A handshake that completed without an offer, and then a refusal of the data connection.
    let bare = full && offered == Some(false) && refusal.is_some_and(|r| matches!(r.reply.code, 425 | 522));
    let shown = s.done && full && s.broke.is_none() && !t.has_content();
    let says = match words {
        Some(Reuse::Plain) => true,
        // Only where nothing else is known to have gone wrong before.
        Some(Reuse::Perhaps) => !opened || shown || t.resumed() == Some(true) && s.done && s.broke.is_none(),
        None => claim.is_some() || bare && shown,
    };
    // Whose offer was not taken has another fault; before the handshake completed, only plain words tell.
    let misunderstood = offered == Some(true) && t.resumed() != Some(true);
    if !says || misunderstood && (shown || words != Some(Reuse::Plain)) {
        return None;
    }
    let quoted = refusal.is_some_and(|r| !case.is_from_log(r.event));
    let sure = quoted && (words == Some(Reuse::Plain) || words.is_some() && shown && offered == Some(false));
    Some(Demand { claim, sure, offered })
}

fn refused(case: &Case<'_>, s: &Shake<'_>, no: &Demand<'_>, sink: &mut Sink<'_>) {
    let t = s.transfer;
    let confidence = if no.sure { Confidence::Certain } else { Confidence::Likely };
    let mut f = sink.finding(confidence, Party::Client, &headlines(case, t, probably(confidence)));
    f.ended = true;
    f.set("offered", no.offered).set("tried", false);
    show(sink, &mut f, s, "");
    if let Some((event, text)) = no.claim {
        f.why.push(format!("The log says: \"{}\".", printable_str(text)));
        if t.reply.is_none() {
            sink.shows_by(&mut f, event);
        }
    }
    let text = t.refusal().map(|r| r.reply.text.as_str()).unwrap_or_default();
    words(text, no.sure, &mut f);
    let (sure, because) = match (no.offered, t.resumed()) {
        (Some(false), _) => (Confidence::Certain, "its ClientHello on the data connection offers no session to resume"),
        (Some(true), None) => (Confidence::Likely, "the client offered a session, and the server did not take it"),
        (_, Some(true)) => (Confidence::Possible, "it resumed a session, but not the one of the control connection"),
        (_, Some(false)) => (Confidence::Likely, "the data connection made a full handshake"),
        _ => (Confidence::Likely, "the server says that no session was resumed"),
    };
    f.causes.push(match no.offered {
        Some(true) if t.resumed() != Some(true) => causes::session_cache_not_shared(sure, because),
        _ => causes::client_does_not_resume(sure, because),
    });
    advise(case, &mut f);
    sink.report(f);
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

fn headlines(case: &Case<'_>, t: &Transfer<'_>, maybe: &str) -> Vec<String> {
    let (endpoint, verb) = (case.endpoint(), if t.verb().is_empty() { "data" } else { t.verb() });
    let code = t.refusal().map_or_else(String::new, |r| format!(" ({})", r.reply.code));
    vec![
        format!("{endpoint} {maybe}refused {verb}: the TLS session was not resumed{code}"),
        format!("the server {maybe}refused {verb}: the TLS session was not resumed{code}"),
        format!("{verb} was {maybe}refused: the TLS session was not resumed{code}"),
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

fn advise(case: &Case<'_>, f: &mut Finding) {
    let text = "client: resume the control connection's TLS on data; else the server drops the demand";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    let before = f.advice.len();
    if let Some(client) = case.facts.client.as_ref() {
        f.advise("resume-session", client.id);
    }
    if f.advice.len() == before {
        let text =
            "resume the TLS session of the control connection on data connections; FileZilla, WinSCP and lftp do";
        f.tell(Party::Client, AdviceKind::Lasting, text);
    }
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("disable-session-reuse", &product.id);
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Tonight, "do not demand resumption (weak against stolen data connections)");
    }
}
