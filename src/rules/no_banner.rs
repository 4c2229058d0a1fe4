//! The connection stands, and no greeting came.

use super::phase::{End, advise_server, probably, seconds};
use super::prelude::*;
use super::told::{How, Place};
use super::zos_codes;
use crate::facts::Came;
use crate::transcript::{Close, Why};

pub(super) static RULE: Rule = Rule {
    id: "no-banner",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/no-banner.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let silent = case.control().find_map(|e| {
        let end = End::of(e).filter(|_| !case.client_left_before(e))?;
        let quiet = !case.came_before(e, Side::Server) && !case.came_before(e, Side::Client);
        let started = case.before(e).any(|b| matches!(b.kind, Kind::TlsStarts { .. } | Kind::Decrypted { .. }));
        (quiet && !started && case.opened_before(e)).then_some((e, end))
    });
    let Some((event, end)) = silent else {
        told(case, sink);
        return endless(case, sink);
    };
    if answered_as_session(case, event) {
        return;
    }
    let confidence = end.confidence();
    let maybe = probably(confidence);
    let (endpoint, did) = (case.endpoint(), end.did());
    let headlines = match end {
        End::Silent(after) if waits_for_client(case, event) => {
            let waited = seconds(after);
            [
                format!("{endpoint}: neither end said a word for {waited}, where the client speaks first"),
                format!("neither end said a word for {waited}, where the client speaks first"),
                "neither end said a word, where the client speaks first".to_owned(),
            ]
        }
        End::Silent(_) => [
            format!("{endpoint} {did}: no FTP greeting came"),
            format!("{endpoint} sent no FTP greeting"),
            "the connection stands, but no FTP greeting came".to_owned(),
        ],
        End::Closed(_) => [
            format!("{endpoint} {maybe}{did} at once, without a greeting"),
            format!("{endpoint} {maybe}{did} without a greeting"),
            format!("the server {maybe}{did} without a greeting"),
        ],
    };
    let party = if waits_for_client(case, event) { Party::Client } else { Party::Server };
    let mut f = sink.finding(confidence, party, &headlines);
    f.set("how", end.name()).set("waited_ms", end.waited_ms());
    f.why.push("TLS was not reached: versions, ciphers and certificates were not tested.".to_owned());
    match end {
        End::Silent(_) if waits_for_client(case, event) => mute_client(case, &mut f),
        End::Silent(_) => silence(case, &mut f),
        End::Closed(how) => closed(case, how, &mut f),
    }
    sink.report(f);
}

/// The z/OS client says that its first connection timed out: it was not opened, or no greeting came; the message does not say.
fn told(case: &Case<'_>, sink: &mut Sink<'_>) {
    let word = case.told_of(Place::Opening).filter(|t| t.how == How::TimedOut && t.edc.is_none());
    let code = || zos_codes::ended(case).filter(|e| e.is_before_anything(case) && e.error == Some(zos_codes::TIMEOUT));
    let mut f = None;
    let headlines = || {
        let long = format!("no greeting came from {} in time, says the z/OS client", case.endpoint());
        [long, "no greeting came in time, says the z/OS client".to_owned()]
    };
    if let Some(told) = word {
        f = Some(told.finding(sink, Party::Unknown, &headlines()));
    } else if let Some(ended) = code() {
        let mut by_code = ended.finding(sink, Party::Unknown, &headlines());
        by_code.set("said", ended.claim.text);
        f = Some(by_code);
    }
    let Some(mut f) = f else { return };
    f.set("how", "silence").set("waited_ms", serde_json::Value::Null);
    f.why.push(
        "The same message stands for a connection that was not opened, and for one on which nothing came.".to_owned(),
    );
    if case.is_on_990() {
        let because = "on port 990 a server says nothing before it has a ClientHello, and some greet first";
        f.causes.push(super::Cause { confidence: Confidence::Possible, ..causes::wrong_mode(because) });
        // Against a server that waits for a ClientHello, a client that waits for its 220 waits for ever.
        f.advise("implicit-after-banner", "zos-native").advise("use-explicit", "zos-native");
    }
    f.causes.push(causes::middlebox_closed(Confidence::Possible, "a firewall may drop what goes to that port"));
    f.causes.push(causes::slow_server(Confidence::Possible, "reverse DNS look-ups delay a greeting by 5 to 30 s"));
    let text = "both: can this system reach host and port? Then server: did it see the connection?";
    f.act = Some(Act { party: Party::Unknown, text: text.to_owned() });
    f.tell(Party::Client, AdviceKind::Check, "MYOPENTIME in FTP.DATA is the timer that ran out");
    f.tell(Party::Between, AdviceKind::Check, "firewalls: is this system let through to that port?");
    sink.report(f);
}

/// A greeting that began and did not end. Our own driver waited, or had read enough.
fn endless(case: &Case<'_>, sink: &mut Sink<'_>) {
    if case.asked().is_none() {
        return;
    }
    let ends = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    let Some(end) = case.first(ends) else { return };
    let whole = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.whole && r.code >= 200);
    let bytes: u64 =
        case.before(end).filter(|e| e.from() == Some(Side::Server)).filter_map(|e| e.span).map(|s| s.len()).sum();
    let spoke =
        |e: &Event| matches!(&e.kind, Kind::Text { text } if ["SSH-", "HTTP/"].iter().any(|p| text.starts_with(p)));
    if case.before(end).any(spoke) {
        return; // a line of another protocol is a greeting, of another kind
    }
    if bytes == 0 || case.came_before(end, Side::Client) || case.before(end).any(whole) {
        return;
    }
    let size = if bytes < 1_000 { format!("{bytes} bytes") } else { format!("{} kB", bytes / 1_000) };
    let endpoint = case.endpoint();
    let line = case.before(end).find_map(|e| match &e.kind {
        Kind::Text { text } => Some(text.clone()),
        _ => None,
    });
    let mut headlines = vec![
        format!("{endpoint} began a greeting and did not end it ({size})"),
        format!("the server began a greeting and did not end it ({size})"),
    ];
    if let Some(line) = &line {
        headlines = vec![
            format!("{endpoint} greets with a line that is no FTP: {line}"),
            format!("{endpoint} greets with a line that is no FTP"),
            "the server greets with a line that is no FTP".to_owned(),
        ];
    }
    let mut f = sink.finding(Confidence::Certain, Party::Server, &headlines);
    f.set("how", "unfinished").set("waited_ms", serde_json::Value::Null);
    f.evidence.extend(case.first(|e| e.from() == Some(Side::Server)).and_then(|e| sink.evidence(e, "")).map(shortened));
    f.why.push("TLS was not reached: versions, ciphers and certificates were not tested.".to_owned());
    f.why.push("A greeting ends with a line of 220 and a blank; 220 with a hyphen says that more follows.".to_owned());
    why_unfinished(case, end, bytes, &mut f);
    f.act = Some(if line.is_some() {
        Act { party: Party::Client, text: "client: are host and port right? What answers there is no FTP".to_owned() }
    } else {
        Act { party: Party::Server, text: "server: what writes this greeting? Make it short, and end it".to_owned() }
    });
    f.tell(Party::Client, AdviceKind::Check, "host and port; then wait longer (--timeout 60)");
    sink.report(f);
}

/// Slow, cut off, without end, or no FTP at all.
fn why_unfinished(case: &Case<'_>, end: &Event, bytes: u64, f: &mut Finding) {
    let begun = |e: &Event| matches!(&e.kind, Kind::Reply(_)) || matches!(e.kind, Kind::CutShort { .. });
    let speaks_ftp = case.first(|e| e.from() == Some(Side::Server)).is_some_and(begun) && bytes < LONGEST_GREETING
        || case.first(|e| matches!(e.kind, Kind::Reply(_))).is_some();
    if !speaks_ftp {
        f.causes.push(causes::wrong_port(Confidence::Possible, "what speaks there may not be FTP"));
    }
    match End::of(end) {
        Some(End::Silent(_)) => {
            let because = "the greeting comes slower than it was waited for";
            f.causes.push(causes::slow_server(Confidence::Possible, because));
        }
        Some(End::Closed(_)) => {
            let because = "closed in the middle of the greeting";
            let cause = causes::connection_limit(because);
            f.causes.push(super::Cause { confidence: Confidence::Possible, ..cause });
        }
        // Our own driver had read enough.
        None => {}
    }
}

/// No greeting is longer.
const LONGEST_GREETING: u64 = 64 * 1024;

/// The beginning of a long evidence is enough to recognise it.
fn shortened(mut e: super::Evidence) -> super::Evidence {
    const ENOUGH: usize = 60;
    if e.text.len() > ENOUGH {
        e.text.truncate(ENOUGH);
        e.text.push_str("...");
    }
    e
}

/// Whether another connection of the same session was answered in TLS before this one ended: then the silence is no
/// fault, only the manner of implicit TLS.
fn answered_as_session(case: &Case<'_>, end: &Event) -> bool {
    let mark = core::ptr::from_ref(end);
    let Some(answer) = case.tls_at_once() else { return false };
    let answer_at = core::ptr::from_ref(answer);
    let earlier =
        case.timeline.events.iter().take_while(|e| !core::ptr::eq(*e, mark)).any(|e| core::ptr::eq(e, answer_at));
    earlier && case.is_session(answer) && case.asked() != Some(crate::transcript::Mode::Explicit)
}

/// Whether the session met the port of implicit TLS, where it is the client's turn to speak, and no ClientHello was tried there.
fn waits_for_client(case: &Case<'_>, end: &Event) -> bool {
    let on_990 = case.transcript.conn(end.conn).and_then(|c| c.peer).is_some_and(|p| p.port() == IMPLICIT_PORT);
    let asked = case.transcript.conns.iter().any(|c| matches!(c.why, Why::Question { .. }));
    on_990 && !asked && matches!(end.kind, Kind::TimedOut { .. })
}

/// The port of implicit TLS.
const IMPLICIT_PORT: u16 = 990;

/// A server of implicit TLS waits for a ClientHello, and the client waited for a greeting.
fn mute_client(case: &Case<'_>, f: &mut Finding) {
    f.causes.push(causes::wrong_mode("on port 990 the client speaks first, and it sent no ClientHello"));
    let because = "a server may greet first on port 990 as well, and hang";
    f.causes.push(causes::slow_server(Confidence::Possible, because));
    let text = "client: use implicit TLS on port 990, or explicit TLS on port 21".to_owned();
    f.act = Some(Act { party: Party::Client, text });
    f.advise("use-implicit", "any");
    f.tell(Party::Client, AdviceKind::Check, "whoever only opens the port and waits, as a monitor may, sees the same");
    f.tell(Party::Server, AdviceKind::Check, "a client with implicit TLS gets in? Then nothing is wrong here");
    advise_server(case, f, "slow-banner");
}

fn silence(case: &Case<'_>, f: &mut Finding) {
    let asked = case.transcript.conns.iter().any(|c| matches!(c.why, Why::Question { .. }));
    let act = |party: Party, text: &str| Some(Act { party, text: text.to_owned() });
    f.causes.push(causes::slow_server(Confidence::Likely, "the connection was accepted, and then nothing came"));
    if asked {
        f.why.push(
            match case.facts.answers.iter().find(|a| a.changes("TLS at once")).map(|a| (&a.came, a.describe())) {
                Some((Came::Silence | Came::NotAsked, _)) | None => {
                    "A ClientHello on a second connection was not answered either.".to_owned()
                }
                Some((_, answer)) => format!("A ClientHello on a second connection: {answer}."),
            },
        );
        f.causes.push(causes::wrong_port(Confidence::Possible, "neither FTP nor TLS answers there"));
    } else {
        f.causes.push(super::Cause {
            confidence: Confidence::Possible,
            ..causes::wrong_mode("a server with implicit TLS says nothing before it has a ClientHello")
        });
    }
    f.act = act(Party::Server, "server: is the FTP service behind this port alive? Else: more patience");
    advise_server(case, f, "slow-banner");
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "wait longer (--timeout 60): reverse DNS look-ups delay a greeting by 5 to 30 s",
    );
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "reverse DNS and ident look-ups before the greeting; load; a hanging process",
    );
    if !asked {
        f.advise("use-implicit", "any");
    }
}

fn closed(case: &Case<'_>, how: Close, f: &mut Finding) {
    let because = "closed before the first word: TCP wrappers and limits on connections do so";
    f.causes.push(causes::connection_limit(because));
    f.causes.push(causes::banned(Confidence::Possible, "a ban list closes in the same way"));
    if how == Close::Reset {
        f.causes.push(causes::middlebox_closed(Confidence::Possible, "a firewall may have sent the reset"));
    }
    f.act =
        Some(Act { party: Party::Server, text: "server: limits, hosts.deny and ban lists for this client".to_owned() });
    advise_server(case, f, "connection-limit");
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "limits per address, hosts.allow and hosts.deny, fail2ban; its log of that second",
    );
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "other connections of this machine to the server: close them, and try again later",
    );
}
