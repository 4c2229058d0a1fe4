//! Fewer bytes arrived than were sent, and the transfer was confirmed all the same.

use std::collections::BTreeMap;

use super::endings::{Ending, Size, precedes};
use super::phase::probably;
use super::prelude::*;
use super::retrying::Tries;
use crate::decode::Reply;
use crate::facts::transfers::Data;
use crate::transcript::Close;

pub(super) static RULE: Rule = Rule {
    id: "data-truncated",
    severity: Severity::Failure,
    outranks: &["data-close-notify-missing", "data-end-hangs", "data-reset"],
    page: include_str!("../../docs/findings/data-truncated.md"),
    check,
};

/// What was expected, and what came.
struct Short<'e, 'a> {
    /// The transfer whose content is not whole.
    ending: &'e Ending<'a>,
    /// Where the other number stands: 150, SIZE, or the command that read the file back.
    by: &'a Event,
    /// How it was found out: `size`, `reply` or `read-back`.
    how: &'static str,
    expected: u64,
    got: u64,
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all: Vec<Ending<'_>> = case.session_endings().collect();
    let back = read_back(&all);
    let short = all.iter().enumerate().find_map(|(n, x)| short(x, back.get(&n).and_then(|m| all.get(*m))));
    match short {
        Some(short) => report(case, &short, sink),
        None if case.is_login_run() => {
            let broken: Vec<&Ending<'_>> = all.iter().filter(|x| is_broken_off(x)).collect();
            let tries = case.tries_as_large(&broken.iter().map(|x| x.transfer).collect::<Vec<_>>());
            if let Some(x) = tries.worst(&broken, |x| x.transfer) {
                broken_off(case, x, &tries, sink);
            }
        }
        None => {}
    }
}

/// Whether the server broke a transfer of ours off that had begun, and said so.
pub(super) fn is_broken_off(x: &Ending<'_>) -> bool {
    let Some(data) = x.tls().filter(|_| matches!(x.code(), Some(426 | 451 | 452 | 552))) else { return false };
    let cut = || data.counted(Side::Client).is_some_and(|n| n > 0) && x.cut_short().is_none();
    match x.sender() {
        _ if x.aborted => false,
        Side::Server => {
            let ended = data.end().is_some_and(|(_, by, how)| by == Side::Server && how == Close::Fin);
            ended && data.close_notify(Side::Server).is_none()
        }
        Side::Client if data.close_notify(Side::Client).is_some() => true,
        Side::Client => x.is_own_test() && data.end().is_some_and(|(_, by, _)| by == Side::Server) && cut(),
    }
}

/// Whether a refusal is about room on the server (RFC 959).
fn is_storage(code: u16) -> bool {
    matches!(code, 452 | 552)
}

fn broken_off(case: &Case<'_>, x: &Ending<'_>, tries: &Tries<'_>, sink: &mut Sink<'_>) {
    let (endpoint, verb, code) = (case.endpoint(), x.verb, x.code().unwrap_or_default());
    let confidence = tries.sure(x.transfer, Confidence::Certain);
    let maybe = probably(confidence);
    let got = x.data().and_then(|d| d.counted(x.sender()));
    let expected = x.unsent_of();
    let how = match (got, expected) {
        (Some(got), Some(expected)) => format!("behind {got} of {expected} bytes ({code})"),
        _ => format!("on its way, and said so ({code})"),
    };
    let headlines =
        [format!("{endpoint} {maybe}broke {verb} off {how}"), format!("the server {maybe}broke {verb} off {how}")];
    let mut f = sink.finding(confidence, Party::Server, &headlines);
    f.ended = true;
    f.set("command", verb).set("expected", expected).set("got", got).set("how", "reply").set("code", code);
    f.evidence.extend(sink.evidence(x.command, ""));
    f.evidence.extend(x.reply().and_then(|(e, _)| sink.evidence(e, "")));
    f.why.push(match x.sender() {
        Side::Server => "The server ended the data connection without close_notify.".to_owned(),
        Side::Client if x.data().is_some_and(|d| d.close_notify(Side::Client).is_some()) => {
            "Everything had been sent, close_notify included.".to_owned()
        }
        Side::Client => "The server ended the data connection while we were sending.".to_owned(),
    });
    let text = match is_storage(code) {
        true => {
            f.why.push(format!("{code} is about storage: disk or quota of the server, not TLS, not the network."));
            "server: make room (disk, quota of this user); the client can do nothing"
        }
        false => "server: its log of that second (disk, quota, scanner, TLS library); the client can do nothing",
    };
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    if !is_storage(code) {
        causes::advise_server_log(case, &mut f, x.command);
    }
    tries.settle(&mut f, x.transfer, &headlines);
    sink.report(f);
}

/// Of each upload of our own: the download that read it back.
pub(super) fn read_back(all: &[Ending<'_>]) -> BTreeMap<usize, usize> {
    let (mut stored, mut out) = (BTreeMap::new(), BTreeMap::new());
    for (n, ending) in all.iter().enumerate().filter(|(_, x)| x.is_own_test()) {
        match ending.verb {
            "STOR" if ending.is_confirmed() => {
                stored.insert((ending.transfer.control, ending.argument), n);
            }
            "RETR" if ending.is_confirmed() => {
                if let Some(upload) = stored.remove(&(ending.transfer.control, ending.argument)) {
                    out.insert(upload, n);
                }
            }
            _ => {}
        }
    }
    out
}

/// Whether an upload of our own came back as other bytes; `None` where that does not show.
pub(super) fn came_back_whole(upload: &Ending<'_>, download: &Ending<'_>) -> Option<bool> {
    let (there, back) = (counted(upload)?, counted(download)?);
    // Whoever leaves before the end has not seen all of it.
    let data = download.data()?;
    let left = data.end().is_some_and(|(_, by, _)| by == Side::Client) && data.close_notify(Side::Server).is_none();
    if left {
        return None;
    }
    let same = match (upload.digest, download.digest) {
        _ if there == 0 => true,
        (Some(a), Some(b)) => a == b,
        _ => return (there != back).then_some(false),
    };
    Some(there == back && same)
}

/// Bytes of content, where they are known.
fn counted(ending: &Ending<'_>) -> Option<u64> {
    ending.data()?.counted(ending.sender())
}

/// `BINARY mode data connection for x (1234 bytes).`
fn announced(reply: &Reply) -> Option<u64> {
    // A name that stands before it may hold anything.
    let before = reply.text.rsplit_once(" bytes")?.0;
    before.rsplit_once('(')?.1.parse().ok()
}

fn short<'e, 'a>(ending: &'e Ending<'a>, back: Option<&'e Ending<'a>>) -> Option<Short<'e, 'a>> {
    if ending.aborted || ending.offset || !ending.is_confirmed() {
        return None;
    }
    let found = |by, how, expected, got| Some(Short { ending, by, how, expected, got });
    let counted = counted(ending)?;
    if let Some(back) = back.filter(|b| came_back_whole(ending, b) == Some(false)) {
        let came = self::counted(back)?;
        return match ending.size_after {
            // All of it is there: what came back short was cut on its way back.
            Some(s) if s.bytes == counted && came < counted => {
                Some(Short { ending: back, by: s.event, how: "size", expected: counted, got: came })
            }
            Some(s) if s.bytes < counted => found(s.event, "size", counted, s.bytes),
            _ => found(back.command, "read-back", counted, came),
        };
    }
    // In text mode line ends and code pages change the length.
    if !ending.binary && !ending.is_own_test() {
        return None;
    }
    if ending.sender() == Side::Client {
        let size = ending.size_after.filter(|s| s.bytes < counted)?;
        return found(size.event, "size", counted, size.bytes);
    }
    // A client that has read enough may go, and says so first.
    let enough = |d: &Data<'_>, end: &Event| d.close_notify(Side::Client).is_some_and(|bye| precedes(bye, end));
    let ended = ending.data().is_some_and(|d| match (d.close_notify(Side::Server), d.end()) {
        (Some(bye), _) => !enough(d, bye),
        (None, Some((end, by, _))) => by == Side::Server && !enough(d, end),
        (None, None) => false,
    });
    let by_mark = ending.transfer.begun.and_then(|b| Some(Size { bytes: announced(b.reply)?, event: b.event }));
    let by_size = ending.size_before.map(|s| (s, "size"));
    let (size, how) = by_mark.map(|s| (s, "reply")).or(by_size).filter(|(s, _)| ended && counted < s.bytes)?;
    found(size.event, how, size.bytes, counted)
}

fn report(case: &Case<'_>, short: &Short<'_, '_>, sink: &mut Sink<'_>) {
    let Short { ending, by, how, expected, got } = *short;
    let (endpoint, verb) = (case.endpoint(), ending.verb);
    let confidence = ending.confidence(case);
    let maybe = probably(confidence);
    let up = ending.sender() == Side::Client;
    let code = ending.code().unwrap_or(226);
    let headlines = match (up, got < expected) {
        // Without SIZE, who lost the rest stays open.
        (true, true) if how == "read-back" => vec![
            format!("{endpoint} {maybe}stored or read back short: {got} of {expected} bytes"),
            format!("{maybe}stored or read back short: {got} of {expected} bytes of {verb}"),
        ],
        (true, true) => vec![
            format!("{endpoint} {maybe}kept {got} of {expected} bytes of {verb}, and said {code}"),
            format!("the server {maybe}kept {got} of {expected} bytes of {verb}, and said {code}"),
        ],
        (true, false) => vec![
            format!("{endpoint} {maybe}gave back other bytes than {verb} had sent"),
            format!("the server {maybe}gave back other bytes than {verb} had sent"),
        ],
        (false, _) => vec![format!("{maybe}{got} of {expected} bytes of {verb} came, and the server said {code}")],
    };
    let tickets = up && ending.data().and_then(|d| d.version()).is_some_and(|v| v >= 0x0304) && ending.digest.is_none();
    let party = if ending.reset().is_some() { Party::from(ending.sender()) } else { Party::Server };
    let mut f = sink.finding(confidence, party, &headlines);
    f.ended = true;
    f.set("command", verb).set("expected", expected).set("got", got).set("how", how).set("code", code);
    f.evidence.extend(sink.evidence(ending.command, ""));
    if let Some((event, _)) = ending.reply() {
        f.evidence.extend(sink.evidence(event, "success, all the same"));
    }
    f.evidence.extend(sink.evidence(by, ""));
    f.why.push(match how {
        "read-back" => format!("{expected} bytes were stored and {got} came back; their SHA-256 differ."),
        "size" if up => format!("{expected} bytes were sent; SIZE says {got} behind it."),
        "size" => format!("SIZE had said {expected} bytes; {got} came."),
        _ => format!("The mark at the beginning said {expected} bytes; {got} came."),
    });
    let reset = ending.reset().is_some();
    if reset {
        f.why.push("The data connection ended with a reset: what was under way is lost.".to_owned());
    }
    if tickets {
        let confidence = if reset { super::Confidence::Likely } else { super::Confidence::Possible };
        let because = "an upload under TLS 1.3 came out short".to_owned();
        f.causes.push(causes::tls13_unread_tickets_reset(confidence, because));
        super::advise::client(case, &mut f, "limit-tls12");
    }
    f.act = Some(match tickets {
        true => Act {
            party: Party::Client,
            text: "client: TLS 1.2 at most until mended, and send the file again".to_owned(),
        },
        false if !up => Act {
            party: Party::Unknown,
            text: "fetch the file again, and compare its size with SIZE; the 226 is worth nothing here".to_owned(),
        },
        false => Act {
            party: Party::Unknown,
            text: "send the file again, then compare sizes; the 226 is worth nothing here".to_owned(),
        },
    });
    f.tell(Party::Client, AdviceKind::Lasting, "upload under another name, compare sizes, then rename");
    sink.shows_by(&mut f, by);
    sink.report(f);
}
