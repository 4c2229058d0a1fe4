//! The sender of the content ended its data connection with a bare FIN.

use super::endings::Ending;
use super::phase::probably;
use super::prelude::*;
use crate::transcript::Close;

pub(super) static RULE: Rule = Rule {
    id: "data-close-notify-missing",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-close-notify-missing.md"),
    check,
};

/// What clients write behind a download that ended so.
const BY_CLIENTS: [&str; 12] = [
    "non-properly terminated",
    "gnutls error -110",
    "server did not properly shut down tls",
    "unexpected eof while reading",
    "eof occurred in violation of protocol",
    "0a000126",
    "ssleoferror",
    "without sending tls close_notify",
    "close_notify alert missing",
    "missing close_notify",
    "received an unexpected eof or 0 bytes",
    "curl: (80)",
];

/// What servers write of an upload that ended so, in their logs.
const BY_SERVERS: [&str; 2] = ["client did not properly shut down tls", "terminated without ssl shutdown"];

/// What they answer: vsftpd with strict_ssl_read_eof=YES, FileZilla Server.
pub(super) const REPLIES: [&str; 2] = ["failure reading network stream", "error while transfering data: econnaborted"];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all: Vec<Ending<'_>> = case.session_endings().collect();
    let broken: Vec<_> = all.iter().filter_map(|x| Some((x, failed(x)?))).collect();
    let tries = case.tries(broken.iter().map(|(x, _)| x.transfer));
    if let Some((ending, by)) = tries.worst(&broken, |(x, _)| x.transfer) {
        let mut f = failure(case, ending, by, &all, sink);
        let headlines = [f.headline.clone()];
        tries.settle(&mut f, ending.transfer, &headlines);
        return sink.report(f);
    }
    if let Some(ending) = all.iter().find(|x| is_missing(x)) {
        warning(case, ending, &all, sink);
    }
}

/// Whether a transfer came to its end over TLS, and the sender left out close_notify.
pub(super) fn is_missing(ending: &Ending<'_>) -> bool {
    let Some(data) = ending.tls().filter(|_| ending.is_confirmed() && !ending.aborted) else { return false };
    let bare = data.end().is_some_and(|(_, by, how)| by == ending.sender() && how == Close::Fin);
    bare && data.said_goodbye(ending.sender()) == Some(false) && data.fatal_alert().is_none()
}

/// The words by which somebody failed over it: a program's, or the server's reply.
fn failed<'a>(ending: &Ending<'a>) -> Option<&'a Event> {
    let goodbye = ending.data().and_then(|d| d.said_goodbye(ending.sender()));
    if ending.aborted || goodbye == Some(true) || ending.reset().is_some() || ending.transfer.protected == Some(false) {
        return None;
    }
    if ending.sender() == Side::Server {
        // The same words stand where a handshake was refused: the reply tells the two apart.
        return ending.says(&BY_CLIENTS).map(|c| c.event).filter(|_| ending.is_confirmed());
    }
    let (answer, reply) = ending.reply()?;
    let refused = ending.is_answered(&REPLIES) && matches!(reply.code, 425 | 426);
    let told = ending.says(&BY_SERVERS).filter(|_| reply.code >= 400).map(|c| c.event);
    told.or(refused.then_some(answer))
}

/// How many of the session's protected transfers in this direction ended so, and of how many that can be told.
fn counts(ending: &Ending<'_>, all: &[Ending<'_>]) -> (usize, usize) {
    let same = all.iter().filter(|x| x.sender() == ending.sender() && x.is_confirmed() && x.tls().is_some());
    let told: Vec<bool> = same
        .filter(|x| x.tls().is_some_and(|d| d.said_goodbye(x.sender()).is_some() && d.end_of(x.sender()).is_some()))
        .map(is_missing)
        .collect();
    (told.iter().filter(|missing| **missing).count(), told.len())
}

fn warning(case: &Case<'_>, ending: &Ending<'_>, all: &[Ending<'_>], sink: &mut Sink<'_>) {
    let (missing, of) = counts(ending, all);
    let confidence = ending.confidence(case);
    let maybe = probably(confidence);
    let (who, verb) = (who(case, ending), ending.verb);
    let mut f = sink.finding(
        confidence,
        Party::from(ending.sender()),
        &[
            format!("{who} {maybe}ended {missing} of {of} data connections without close_notify"),
            format!("the server {maybe}ended {missing} of {of} data connections without close_notify"),
            format!("data of {verb} {maybe}ended without close_notify"),
        ],
    );
    f.severity = Severity::Warning;
    f.ended = true;
    f.why.push(format!(
        "{verb} was confirmed ({}): nothing shows that bytes are missing.",
        ending.code().unwrap_or(226)
    ));
    f.why.push("Without close_notify a whole file and one that was cut look alike.".to_owned());
    if ending.sender() == Side::Server {
        f.why.push("Clients on OpenSSL 3 and GnuTLS report it as an error (unexpected eof, -110).".to_owned());
    }
    finish(case, ending, (missing, of), &mut f, sink);
    if let Some((end, _)) = ending.tls().and_then(|d| d.end_of(ending.sender())) {
        sink.shows_by(&mut f, end);
    }
    sink.report(f);
}

fn failure(case: &Case<'_>, ending: &Ending<'_>, by: &Event, all: &[Ending<'_>], sink: &mut Sink<'_>) -> Finding {
    let verb = ending.verb;
    let headline = if ending.sender() == Side::Server {
        format!("the client failed {verb}: its data probably ended without close_notify")
    } else {
        let code = ending.code().unwrap_or_default();
        format!("the server failed {verb}: its data probably ended without close_notify ({code})")
    };
    let short = format!("the server failed {verb}: probably no close_notify at the end");
    let mut f = sink.finding(Confidence::Likely, Party::from(ending.sender()), &[headline, short]);
    f.ended = true;
    for claim in ending.said.iter().take(2) {
        f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    }
    if ending.is_confirmed() {
        f.why.push("The server confirmed the transfer: the file is mostly whole.".to_owned());
    } else {
        f.why.push("The content had been sent; the server misses the alert that says \"that was all\".".to_owned());
    }
    finish(case, ending, counts(ending, all), &mut f, sink);
    sink.shows_by(&mut f, by);
    f
}

fn finish(case: &Case<'_>, ending: &Ending<'_>, (missing, of): (usize, usize), f: &mut Finding, sink: &Sink<'_>) {
    f.set("command", ending.verb).set("by", Party::from(ending.sender()).name());
    f.set("code", ending.code()).set("text", ending.reply().map(|(_, r)| r.text.clone()));
    f.set("transfers", missing).set("of", of);
    f.evidence.extend(sink.evidence(ending.command, ""));
    if let Some((event, _)) = ending.reply() {
        f.evidence.extend(sink.evidence(event, ""));
    }
    habit(case, ending, (missing, of), f);
    if ending.sender() == Side::Client {
        f.act = act(Party::Client, "client: send close_notify before it closes the data connection (update it)");
        super::advise::client(case, f, "send-close-notify");
        f.advise("tolerate-missing-close-notify", causes::likely_server(case).map_or("vsftpd", |p| &p.id));
        return;
    }
    f.act = act(Party::Client, "compare sizes once; then server: an update that sends close_notify");
    f.tell(Party::Client, AdviceKind::Tonight, "compare sizes (SIZE, not in text mode); equal: the file is whole");
    f.tell(
        Party::Server,
        AdviceKind::Lasting,
        "update: vsftpd 2.0.7, ProFTPD (bug 3303) and pyftpdlib learnt close_notify",
    );
}

/// A habit shows on each transfer, an accident on some.
fn habit(case: &Case<'_>, ending: &Ending<'_>, (missing, of): (usize, usize), f: &mut Finding) {
    if missing < of {
        return;
    }
    let product = causes::likely_server(case).filter(|_| ending.sender() == Side::Server);
    let iis = product.filter(|p| p.id == "iis");
    let (confidence, because) = match (iis, of) {
        (Some(p), _) => (Confidence::Likely, format!("{} is known to leave it out", p.name)),
        (None, 2..) => (Confidence::Likely, format!("on each of {of} transfers")),
        _ => (Confidence::Possible, "nothing else was wrong with the transfer".to_owned()),
    };
    f.causes.push(causes::peer_ends_without_close_notify(confidence, because));
}

fn who(case: &Case<'_>, ending: &Ending<'_>) -> String {
    if ending.sender() == Side::Server { case.endpoint() } else { "the client".to_owned() }
}

fn act(party: Party, text: &str) -> Option<Act> {
    Some(Act { party, text: text.to_owned() })
}
