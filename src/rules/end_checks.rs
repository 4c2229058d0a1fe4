//! What a live run with a login looked at when transfers ended: their farewells, uploads, CCC.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use super::ccc_breaks_data::{broken, transfers_fail};
use super::ccc_refused::asked;
use super::data_sessions::TLS12;
use super::endings::{Ending, OWN_FILE};
use super::finding::{Check, CheckResult};
use super::{Case, checks::check};
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::transcript::{ConnId, Side, Tried};

use super::data_truncated::{came_back_whole, is_broken_off, read_back};

/// Why something that takes an option was not looked at.
pub(super) const NOT_ASKED: &str = "not asked for";

/// The checks; none without a login.
pub(super) fn checks(case: &Case<'_>) -> Vec<Check> {
    let Some(tried) = case.transcript.origin.asked.as_ref().and_then(|a| a.login) else { return Vec::new() };
    let all: Vec<Ending<'_>> = case.session_endings().collect();
    let uploads = with_made_up(case);
    let mut out = vec![
        unless_refused_for_reuse(case, active(case, tried)),
        farewells(&all),
        ends(case, &all),
        unless_refused_for_reuse(case, upload(case, tried, &uploads)),
        ccc(case, tried),
    ];
    out.extend(left_behind(case));
    out
}

/// What failed beside transfers that were refused for want of a session to resume says nothing of its own.
fn unless_refused_for_reuse(case: &Case<'_>, check: Check) -> Check {
    let is_open = check.result == CheckResult::Failed && check.finding.is_none();
    if !is_open || !super::data_session_reuse_required::fails(case) {
        return check;
    }
    let what = if check.id == "active" { "active mode" } else { "uploads" };
    untested(&check.id, what, "no TLS session was left to resume")
}

/// How the session's transfers ended, and in place of its uploads that the login with TLS 1.2 made again, how those did.
fn with_made_up<'a>(case: &Case<'a>) -> Vec<Ending<'a>> {
    let (mut again, session): (Vec<Ending<'a>>, Vec<Ending<'a>>) = case
        .endings()
        .into_iter()
        .filter(|x| x.is_session(case) || x.is_with(case, TLS12))
        .partition(|x| x.is_with(case, TLS12));
    let names: BTreeSet<&str> = again.iter().filter(|x| x.is_own_test()).map(|x| x.argument).collect();
    let mut all: Vec<Ending<'a>> = session.into_iter().filter(|x| !names.contains(x.argument)).collect();
    all.append(&mut again);
    all
}

/// What the server said of a file of our own.
#[derive(Default)]
struct Stored {
    /// Whether it confirmed the upload.
    confirmed: bool,
    /// Whether it found the file afterwards.
    seen: bool,
    /// Whether it said that there is no such file.
    denied: bool,
    /// Whether it refused to delete it.
    kept: bool,
    /// Whether it is gone, or was never there.
    gone: bool,
}

/// Files of our own that were not seen to go.
fn left_behind(case: &Case<'_>) -> Option<Check> {
    let files = stored(case);
    let sure = |s: &Stored| if s.kept { s.seen } else { s.confirmed };
    let names = |is: bool| -> Vec<&str> {
        files.iter().filter(|(_, s)| !s.gone && sure(s) == is).map(|(name, _)| *name).collect()
    };
    let (left, may_be) = (names(true).join(", "), names(false).join(", "));
    let words = match (left.is_empty(), may_be.is_empty()) {
        (true, true) => return None,
        (false, true) => format!("left behind on the server: {left}"),
        (true, false) => format!("may be left behind on the server: {may_be}"),
        (false, false) => format!("left behind on the server: {left}; perhaps also {may_be}"),
    };
    Some(check("left-behind", &words, CheckResult::Failed, Some("delete it by hand")))
}

/// Of each name of our own: what came of it.
fn stored<'a>(case: &Case<'a>) -> BTreeMap<&'a str, Stored> {
    let mut files: BTreeMap<&str, Stored> = BTreeMap::new();
    let mut asked: BTreeMap<ConnId, &str> = BTreeMap::new();
    for e in &case.timeline.events {
        match &e.kind {
            Kind::Command { line, .. } => {
                asked.insert(e.conn, line);
            }
            Kind::Reply(r) if r.whole => {
                let Some((verb, name)) = asked.get(&e.conn).and_then(|l| l.split_once(' ')) else { continue };
                if verb == "STOR" && r.code < 300 && name.starts_with(OWN_FILE) {
                    *files.entry(name).or_default() = Stored { confirmed: r.code >= 200, ..Stored::default() };
                }
                let Some(file) = files.get_mut(name) else { continue };
                match (verb, r.code) {
                    ("SIZE" | "RETR", 550) => file.denied = true,
                    ("SIZE" | "RETR", 200..300) => file.seen = true,
                    ("DELE", ..300) => file.gone = true,
                    // Both say that there is none.
                    ("DELE", 550) if file.denied && !file.seen => file.gone = true,
                    ("DELE", 400..) => file.kept = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    files
}

/// The server connects to us.
fn active(case: &Case<'_>, tried: Tried) -> Check {
    if !tried.active {
        return untested("active", "active mode (--active)", NOT_ASKED);
    }
    let all: Vec<&Transfer<'_>> = case
        .session_transfers()
        .chain(case.transfers_with(TLS12))
        .filter(|t| t.arranged.is_some_and(|a| !a.is_passive()))
        .collect();
    let asks = |e: &Event| matches!(&e.kind, Kind::Command { verb, .. } if matches!(verb.as_str(), "PORT" | "EPRT"));
    if all.is_empty() && case.first(asks).is_none() {
        return untested("active", "active mode", "the run did not come to it");
    }
    let stranger = all.iter().find_map(|t| stranger(case, t));
    let from =
        stranger.map(|ip| format!("from {ip}, which is not the server's address: a NAT, a cluster, or somebody else"));
    match all.iter().any(|t| t.worked()) {
        true => check("active", "active mode: the server connected back", CheckResult::Passed, from.as_deref()),
        false => check("active", "active mode did not work", CheckResult::Failed, from.as_deref()),
    }
}

/// Who connected to us, when it was another address than the server's. Whoever comes first is let in.
fn stranger(case: &Case<'_>, t: &Transfer<'_>) -> Option<IpAddr> {
    let ip = |id: ConnId| case.transcript.conn(id)?.peer.map(|p| p.ip().to_canonical());
    let (came, server) = (ip(t.data.as_ref()?.conn)?, ip(t.control)?);
    (came != server).then_some(came)
}

/// close_notify on each download and listing.
fn farewells(all: &[Ending<'_>]) -> Check {
    let ended = |x: &&Ending<'_>| x.sender() == Side::Server && x.is_confirmed() && !x.aborted;
    let said: Vec<bool> =
        all.iter().filter(ended).filter_map(|x| x.tls().and_then(|d| d.said_goodbye(Side::Server))).collect();
    let (good, of) = (said.iter().filter(|s| **s).count(), said.len());
    let words = format!("close_notify {good} of {of}");
    match of {
        0 => untested("close-notify", "close_notify", "no transfer over TLS worked"),
        _ if good == of => check("close-notify", &words, CheckResult::Passed, None),
        _ => failed("close-notify", &words, "data-close-notify-missing"),
    }
}

/// Whether each transfer that began came to its end.
fn ends(case: &Case<'_>, all: &[Ending<'_>]) -> Check {
    let begun: Vec<&Ending<'_>> = all.iter().filter(|x| x.has_begun() && !x.aborted).collect();
    let hangs = begun.iter().filter(|x| super::data_end_hangs::hangs(case, x)).count();
    let resets = begun.iter().filter(|x| super::data_reset::is_reset(x)).count();
    let of = begun.len();
    // The others ended in a refusal, or only in words.
    let worked = begun.iter().filter(|x| x.transfer.is_moved()).count();
    let of_them = if worked == of { String::new() } else { format!(", {worked} worked") };
    let ended = format!("transfers ended {of} of {of}{of_them}");
    match (of, hangs, resets) {
        (0, ..) => untested("end-of-data", "ends of transfers", "no transfer began"),
        (_, 0, 0) if begun.iter().any(|x| waited_for_us(x)) => {
            let why = "226 and the end of TCP came only behind our own end, which was held back";
            check("end-of-data", &ended, CheckResult::Passed, Some(why))
        }
        (_, 0, 0) => check("end-of-data", &ended, CheckResult::Passed, None),
        (_, 0, n) => failed("end-of-data", &format!("{n} of {of} transfers ended with a reset"), "data-reset"),
        (_, n, _) => failed("end-of-data", &format!("{n} of {of} transfers did not end"), "data-end-hangs"),
    }
}

/// Whether a server said nothing more until we had said goodbye, although it had.
fn waited_for_us(x: &Ending<'_>) -> bool {
    let at = |e: Option<&Event>| e.and_then(|e| e.at).map(|at| at.0);
    let Some(data) = x.tls() else { return false };
    let (theirs, ours) = (at(data.close_notify(Side::Server)), at(data.close_notify(Side::Client)));
    let reply = at(x.reply().map(|(e, _)| e));
    // As long as ours was held back.
    matches!((theirs, ours, reply), (Some(t), Some(o), Some(r)) if o > t + HELD_BACK && r >= o)
}

/// Longer than our own end takes when nobody holds it back; in microseconds.
const HELD_BACK: u64 = 150_000;

/// Uploads that were read back and compared.
fn upload(case: &Case<'_>, tried: Tried, all: &[Ending<'_>]) -> Check {
    if !tried.upload {
        return untested("upload", "uploads (--write-test DIR)", NOT_ASKED);
    }
    let back = read_back(all);
    let mut lengths = Vec::new();
    let stores = all.iter().enumerate().filter(|(_, x)| x.is_own_test() && x.verb == "STOR");
    for (n, store) in stores {
        let length = store.data().and_then(|d| d.counted(Side::Client)).unwrap_or_default();
        let of = store.unsent_of().map_or_else(String::new, |of| format!(" of {of}"));
        let why = match (store.code(), back.get(&n).and_then(|m| all.get(*m))) {
            (Some(code), _) if code >= 400 && store.cut_short().is_some() => {
                return failed(
                    "upload",
                    &format!("an upload was reset behind {length}{of} bytes ({code})"),
                    "data-reset",
                );
            }
            (Some(code), _) if is_broken_off(store) => {
                let words = format!("an upload broke off behind {length}{of} bytes ({code})");
                return failed("upload", &words, "data-truncated");
            }
            // What a server does not allow is no fault of the way.
            (Some(code @ (450 | 532 | 550 | 552 | 553)), _) => {
                let text = store.reply().map_or("", |(_, r)| r.text.as_str());
                return untested("upload", "uploads", &format!("the server takes none there: {code} {text}"));
            }
            (Some(code), _) if code >= 400 => format!("an upload of {length} bytes was refused ({code})"),
            (None, _) => format!("an upload of {length} bytes was never confirmed"),
            (_, Some(download)) if came_back_whole(store, download) == Some(false) => {
                return failed("upload", &format!("{length} bytes did not come back as they went"), "data-truncated");
            }
            (_, None) => format!("{length} bytes were stored, and could not be read back"),
            _ => {
                lengths.push(length);
                continue;
            }
        };
        return check("upload", &why, CheckResult::Failed, None);
    }
    if lengths.is_empty() {
        let no = refused_directory(case);
        return untested("upload", "uploads", no.as_deref().unwrap_or("the run did not come to them"));
    }
    let lengths: Vec<String> = lengths.into_iter().map(spelt).collect();
    check("upload", &format!("uploads of {} bytes, read back equal", lengths.join(", ")), CheckResult::Passed, None)
}

/// Why the directory of `--write-test` could not be entered.
fn refused_directory(case: &Case<'_>) -> Option<String> {
    let all = case.exchanges();
    let no = all.iter().find(|x| x.verb == "CWD" && !x.is_accepted())?;
    Some(format!("its directory was refused: {} {}", no.reply.code, no.reply.text))
}

/// `1 M` for what a million bytes or a MiB is.
fn spelt(bytes: u64) -> String {
    if matches!(bytes, 1_000_000 | 1_048_576) { "1 M".to_owned() } else { bytes.to_string() }
}

/// CCC, and a transfer behind it.
fn ccc(case: &Case<'_>, tried: Tried) -> Check {
    if !tried.ccc {
        return untested("ccc", "CCC (--ccc)", NOT_ASKED);
    }
    let Some(asked) = asked(case) else { return untested("ccc", "CCC", "the run did not come to it") };
    let code = asked.reply.code;
    if code >= 400 {
        return failed("ccc", &format!("CCC was declined ({code})"), "ccc-refused");
    }
    match (broken(&asked.behind), transfers_fail(case, &asked)) {
        (None, Some(false)) => check("ccc", "CCC, and a transfer behind it", CheckResult::Passed, None),
        (None, None) => untested("ccc", "CCC was accepted", "no transfer was tried behind it"),
        _ => failed("ccc", "CCC was accepted, and broke what came behind it", "ccc-breaks-data"),
    }
}

fn untested(id: &str, headline: &str, why: &str) -> Check {
    check(id, headline, CheckResult::Untested, Some(why))
}

fn failed(id: &str, headline: &str, finding: &str) -> Check {
    Check { finding: Some(finding.to_owned()), ..check(id, headline, CheckResult::Failed, None) }
}
