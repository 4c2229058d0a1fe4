//! CCC was accepted, and behind it the session or its transfers failed.

use super::ccc_refused::{Asked, asked};
use super::ccc_unseen;
use super::endings::{Ending, has};
use super::phase::{End, probably};
use super::prelude::*;
use super::told::{Place, Told};
use super::zos_advice;
use crate::facts::is_session_control;
use crate::transcript::{ConnId, Decrypted, Layer};

pub(super) static RULE: Rule = Rule {
    id: "ccc-breaks-data",
    severity: Severity::Failure,
    outranks: &[
        "control-connection-lost",
        "data-closed-before-handshake",
        "data-end-hangs",
        "data-fatal-alert",
        "data-reset",
        "data-silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/ccc-breaks-data.md"),
    check,
};

/// The words of a z/OS server that compares certificates, and of its trace.
pub(super) const Z_OS: [&str; 1] = ["tls negotiation failed"];
const TRACE: &str = "comparecertattls";

/// Replies about the data connection, not about the file.
const ABOUT_DATA: [u16; 6] = [425, 426, 435, 522, 534, 535];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(asked) = asked(case) else { return ccc_unseen::check(case, sink) };
    if asked.reply.code >= 400 {
        return;
    }
    match broken(&asked.behind) {
        Some((by, how)) => session(case, &asked, by, &how, sink),
        None => match case.told_of(Place::Ccc) {
            Some(told) => by_words(case, &asked, &told, sink),
            None => transfers(case, &Behind::of(&asked), sink),
        },
    }
}

/// What came behind CCC, read or not.
pub(super) struct Behind<'e, 'a> {
    /// The connection.
    pub(super) conn: ConnId,
    /// CCC itself, where it was read.
    pub(super) asked: Option<&'e Asked<'a>>,
    /// What came behind it, up to the first end.
    pub(super) events: &'e [&'a Event],
}

impl<'e, 'a> Behind<'e, 'a> {
    fn of(asked: &'e Asked<'a>) -> Self {
        Self { conn: asked.conn, asked: Some(asked), events: &asked.behind }
    }
}

/// Whether transfers behind CCC failed; `None` when there was none.
pub(super) fn transfers_fail(case: &Case<'_>, asked: &Asked<'_>) -> Option<bool> {
    let all = case.endings();
    let behind: Vec<&Ending<'_>> = behind(&all, asked.conn).collect();
    (!behind.is_empty()).then(|| !behind.iter().any(|x| x.is_confirmed()))
}

/// What came in place of a conversation in clear: an end, or bytes that are none of it.
pub(super) fn broken<'a>(behind: &[&'a Event]) -> Option<(&'a Event, String)> {
    let mut answered = true; // whether nobody waits for a reply
    let mut heard = false;
    for e in behind {
        match &e.kind {
            Kind::Command { verb, .. } if verb == "QUIT" => return None,
            Kind::Command { .. } => answered = false,
            Kind::Reply(r) => {
                heard = true;
                answered |= r.whole && r.code >= 200;
                if r.code == 221 || r.code == 421 {
                    return None;
                }
            }
            // The client may leave whenever it likes.
            Kind::Closed { by: Side::Client, .. } | Kind::TimedOut { waiting_for: Side::Client, .. } => return None,
            Kind::Undecoded | Kind::Malformed { .. } if e.from() == Some(Side::Server) && !heard => {
                return Some((e, "wrote what is neither TLS nor FTP".to_owned()));
            }
            _ => {
                if let Some(end) = End::of(e) {
                    return (!heard || !answered).then(|| (*e, end.did()));
                }
            }
        }
    }
    None
}

fn session(case: &Case<'_>, asked: &Asked<'_>, by: &Event, how: &str, sink: &mut Sink<'_>) {
    let end = End::of(by);
    let from_log = case.is_from_log(asked.answer);
    let confidence = if from_log { Confidence::Likely } else { end.map_or(Confidence::Certain, End::confidence) };
    let (maybe, endpoint, code) = (probably(confidence), case.endpoint(), asked.reply.code);
    let goodbye = |side: Side| {
        asked.behind.iter().any(|e| match &e.kind {
            Kind::Decrypted { from, seen: Decrypted::Alert { description: 0, .. } } => *from == side,
            _ => false,
        })
    };
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}{how} behind its {code} to CCC"),
            format!("the server {maybe}{how} behind its {code} to CCC"),
        ],
    );
    f.ended = true;
    start(case, asked, &mut f, sink);
    how_it_ended(&mut f, end);
    let (mine, yours) = (goodbye(Side::Client), goodbye(Side::Server));
    f.evidence.extend(sink.evidence(by, ""));
    sink.shows_by(&mut f, by);
    f.why.push("Login and TLS had worked; CCC was accepted.".to_owned());
    goodbyes(&mut f, (mine, yours), ("", ""));
    if !mine && !yours {
        f.party = Party::Unknown;
    }
    finish(case, &mut f);
    sink.shows_by(&mut f, by);
    sink.report(f);
}

/// How a session ended behind CCC, as data.
pub(super) fn how_it_ended(f: &mut Finding, end: Option<End>) {
    f.set("how", end.map_or("garbage", End::name)).set("waited_ms", end.and_then(End::waited_ms));
}

/// Which end said close_notify before the clear text of CCC: client and server; `seems` and `seem` where that is not sure.
pub(super) fn goodbyes(f: &mut Finding, (mine, yours): (bool, bool), (seems, seem): (&str, &str)) {
    f.set("close_notify", serde_json::json!({ "client": mine, "server": yours }));
    f.why.push(match (mine, yours) {
        (false, false) => "No close_notify was seen from either end: each may wait for the other's.".to_owned(),
        (true, false) => format!("The client {seems}said close_notify; the server did not answer it."),
        (false, true) => format!("The server {seems}said close_notify; the client went on without its own."),
        (true, true) => format!("Both ends {seem}said close_notify."),
    });
}

/// The z/OS client says that the connection failed right behind the yes to CCC.
fn by_words(case: &Case<'_>, asked: &Asked<'_>, told: &Told<'_>, sink: &mut Sink<'_>) {
    let (did, code, endpoint) = (told.how.did(), asked.reply.code, case.endpoint());
    let headlines = [
        format!("the connection to {endpoint} {did} behind the {code} to CCC"),
        format!("the connection {did} behind the {code} to CCC, says the z/OS client"),
    ];
    let mut f = told.finding(sink, Party::Unknown, &headlines);
    start(case, asked, &mut f, sink);
    f.set("how", told.how.name())
        .set("waited_ms", serde_json::Value::Null)
        .set("close_notify", serde_json::Value::Null);
    f.why.push("Login and TLS had worked; CCC was accepted.".to_owned());
    f.why.push("Both ends have to agree on how TLS ends there: TLSRFCLEVEL on z/OS.".to_owned());
    finish(case, &mut f);
    sink.report(f);
}

fn behind<'e, 'a>(all: &'e [Ending<'a>], conn: ConnId) -> impl Iterator<Item = &'e Ending<'a>> {
    all.iter().filter(move |x| x.transfer.control == conn && x.transfer.after_ccc && !x.aborted)
}

/// Transfers behind it fail, and did not before.
pub(super) fn transfers(case: &Case<'_>, ccc: &Behind<'_, '_>, sink: &mut Sink<'_>) {
    let all = case.endings();
    let behind: Vec<&Ending<'_>> = behind(&all, ccc.conn).collect();
    if behind.iter().any(|x| x.is_confirmed()) {
        return;
    }
    let Some(no) = behind.iter().rfind(|x| about_data(x)) else { return };
    let Some((answer, reply)) = no.reply() else { return };
    let before = all.iter().any(|x| !x.transfer.after_ccc && x.is_session(case) && x.is_confirmed());
    let traced = no.said.iter().find(|c| has(c.text, &[TRACE]));
    let z_os = no.is_answered(&Z_OS) || traced.is_some();
    if !before && !z_os {
        return; // nothing shows that they ever worked
    }
    // Until the client gives up, another try may work.
    let over = ccc.events.iter().any(|e| match &e.kind {
        Kind::Command { verb, .. } => verb == "QUIT",
        Kind::Claim { .. } => true,
        _ => matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. }),
    });
    let confidence = if before && over && ccc.asked.is_some() { no.confidence(case) } else { Confidence::Likely };
    let (maybe, endpoint, verb, code) = (probably(confidence), case.endpoint(), no.verb, reply.code);
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}fails transfers behind CCC: {verb} got {code}"),
            format!("the server {maybe}fails transfers behind CCC: {verb} got {code}"),
        ],
    );
    f.ended = over;
    if let Some(asked) = ccc.asked {
        start(case, asked, &mut f, sink);
    }
    f.set("command", verb).set("code", code).set("text", reply.text.as_str());
    f.evidence.extend(sink.evidence(no.command, ""));
    f.evidence.extend(sink.evidence(answer, ""));
    if before {
        f.why.push("The same login did transfers before CCC, and none behind it.".to_owned());
    }
    if let Some(claim) = traced {
        f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    }
    if z_os {
        let because = match traced {
            Some(_) => "compareCertAttls in the server's trace",
            None => "this 534, and only behind CCC: APAR PI18664, word for word",
        };
        f.why.push("Neither ciphers nor certificates are at fault, whatever the 534 suggests.".to_owned());
        f.causes.push(causes::certificate_crosscheck_after_ccc(because.to_owned()));
        f.advise("certificate-cross-check", "zos-ftp-server");
    }
    finish(case, &mut f);
    sink.shows_by(&mut f, answer);
    sink.report(f);
}

/// Whether it failed on its data connection: a file that is not there says nothing of CCC.
fn about_data(ending: &Ending<'_>) -> bool {
    ending.code().is_some_and(|c| ABOUT_DATA.contains(&c))
}

fn start(case: &Case<'_>, asked: &Asked<'_>, f: &mut Finding, sink: &Sink<'_>) {
    if !is_session_control(case.transcript, asked.conn) {
        // A login that was opened to try CCC: the session does without.
        f.severity = Severity::Warning;
    }
    let layer = asked.answer.span.map(|s| s.flow.layer);
    let label = if layer == Some(Layer::InsideTls) { "the last word inside TLS" } else { "" };
    f.evidence.extend(sink.evidence(asked.command, ""));
    f.evidence.extend(sink.evidence(asked.answer, label));
}

/// Who does what.
pub(super) fn finish(case: &Case<'_>, f: &mut Finding) {
    let text = "client: leave CCC out; with EPSV and a port range at the server it is not needed";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    // The level has its part in what the PTF mends; elsewhere both ends have to agree on it.
    if f.causes.is_empty() {
        if case.is_zos(Side::Client) {
            f.advise("rfc-level", zos_advice::of_client(case));
        }
        if case.is_zos(Side::Server) {
            f.advise("rfc-level", "zos-ftp-server");
        }
    }
    f.tell(Party::Client, AdviceKind::Tonight, "the same transfer without CCC: if it works, CCC was it");
}
