//! TLS sessions of data connections: offered, resumed, demanded; and what a login that declined to resume has shown.

use std::collections::BTreeSet;

use super::data_shake::{Shake, is_about_data, is_before};
use super::finding::{Cause, Confidence};
use super::{Case, causes};
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::facts::transfers::{Data, session_ids};
use crate::transcript::{ConnId, Decrypted, Side};
use crate::wire::tls::handshake::Message;

/// What a refusal says of resumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// It is about resumption and nothing else.
    Plain,
    /// vsftpd and ProFTPD say the same when the handshake failed for another reason.
    Perhaps,
}

/// vsftpd's words, which it adds to every failed handshake of a data connection while it demands resumption.
const VSFTPD: &str = "session reuse required";

/// EPERM in ProFTPD's words: TLS on the data connection was not to its taste.
const PROFTPD: &str = "unable to build data connection: operation not permitted";

/// Whether a text says that a data connection has to resume, or has not resumed, a session.
pub(super) fn reuse(text: &str) -> Option<Reuse> {
    let text = text.to_ascii_lowercase();
    if text.contains(VSFTPD) || text.contains(PROFTPD) {
        return Some(Reuse::Perhaps);
    }
    let session = text.contains("tls session") || text.contains("ssl session") || text.contains("data connection");
    let missing = [
        "not resumed",
        "not reuse",
        "no ssl session reuse",
        "no tls session reuse",
        "not been resumed",
        "resumption required",
        "resumption is required",
        "must be resumed",
    ];
    (session && missing.iter().any(|w| text.contains(w))).then_some(Reuse::Plain)
}

/// Whether the words are those that vsftpd adds to every failed handshake.
pub(super) fn is_vsftpd(text: &str) -> bool {
    text.to_ascii_lowercase().contains(VSFTPD)
}

/// What our own logins call the one that does not offer to resume.
pub(super) const DECLINED: &str = "resumption declined";

/// What they call the one that repeats the transfers with TLS 1.2.
pub(super) const TLS12: &str = "TLS 1.2 in this login";

/// pre_shared_key (RFC 8446): the ticket that a TLS 1.3 client offers.
const PRE_SHARED_KEY: u16 = 41;

/// TLS 1.3, where each ticket is meant for one use.
pub(super) const TLS13: u16 = 0x0304;

/// A data connection whose handshake shows whether a session was resumed.
#[derive(Clone, Copy)]
pub(super) struct DataSession<'a> {
    /// Its transfer.
    pub(super) transfer: &'a Transfer<'a>,
    /// Whether it was resumed.
    pub(super) resumed: bool,
    /// Whether the client offered that; `None` without its hello.
    pub(super) offered: Option<bool>,
    /// The protocol version.
    pub(super) version: Option<u16>,
}

impl DataSession<'_> {
    /// Whether the server then refused the transfer for its TLS: nothing passed, and the reply is about the data connection.
    pub(super) fn is_refused(&self) -> bool {
        self.transfer.refusal().is_some_and(|r| is_about_data(r.reply)) && !self.transfer.has_content()
    }

    /// Whether the server let it in: the transfer worked, or content passed.
    pub(super) fn is_accepted(&self) -> bool {
        self.transfer.worked() || self.transfer.has_content()
    }
}

/// The tickets of one login up to some transfer.
#[derive(Clone, Copy)]
pub(super) struct Tickets {
    /// Those that the server gave out; 0 also where they are encrypted, and nobody read them.
    pub(super) given: usize,
    /// Those that the client offered on data connections: a handshake that broke off spends one as well.
    pub(super) spent: usize,
}

impl Tickets {
    /// Why a client that resumed before, or could have, offers nothing more; `None` where it never had anything.
    pub(super) fn cause(
        self,
        case: &Case<'_>,
        offered: Option<bool>,
        version: Option<u16>,
        resumed: usize,
    ) -> Option<Cause> {
        if self.spent == 0 && resumed == 0 {
            return None;
        }
        if version.is_none_or(|v| v < TLS13) {
            let because = "resumed at first, and behind some time no longer";
            return Some(match offered {
                Some(false) => {
                    causes::client_does_not_resume(Confidence::Possible, "it did at first, and then no more")
                }
                _ => causes::session_cache_not_shared(Confidence::Possible, because),
            });
        }
        let because = match offered {
            Some(_) => "its ClientHello offers no ticket any more (no pre_shared_key)",
            None => "TLS 1.3: a ticket is meant for one use, and none may have been left",
        };
        let all = offered == Some(false) && (1..=self.spent).contains(&self.given);
        let tried = case.tls12_worked();
        let confidence = if all || tried { Confidence::Certain } else { Confidence::Likely };
        let mut cause = causes::tls13_tickets_exhausted(confidence, because);
        if tried {
            cause = cause.because("tried out: with TLS 1.2 the same transfers all worked");
        }
        Some(cause)
    }
}

impl<'a> Case<'a> {
    /// The session's data connections whose handshakes completed, in order.
    pub(super) fn data_sessions(&self) -> Vec<DataSession<'a>> {
        let ids = session_ids(self.transcript, self.timeline);
        let session = |s: &Shake<'a>| {
            let data = s.transfer.data.as_ref().filter(|_| s.done && s.broke.is_none())?;
            let offered = data.offers_resumption(&ids);
            Some(DataSession { transfer: s.transfer, resumed: data.resumed()?, offered, version: data.version() })
        };
        self.shakes().iter().filter_map(session).collect()
    }

    /// The tickets of a transfer's login that had been given out and spent before its data connection.
    pub(super) fn tickets(&self, t: &Transfer<'_>) -> Tickets {
        let Some(at) = t.data.as_ref().and_then(|d| d.events.first()) else { return Tickets { given: 0, spent: 0 } };
        let before = |d: &&Data<'_>| d.events.first().is_some_and(|e| is_before(e, at));
        let same = self.session_transfers().filter(|o| o.control == t.control);
        let earlier: Vec<&Data<'_>> = same.filter_map(|o| o.data.as_ref()).filter(before).collect();
        let spends = |d: &&&Data<'_>| match d.client_hello() {
            Some((_, hello)) => hello.extension(PRE_SHARED_KEY).is_some(),
            None => d.resumed() == Some(true),
        };
        let of: BTreeSet<ConnId> = earlier.iter().map(|d| d.conn).chain([t.control]).collect();
        let is_ticket = |e: &&Event| matches!(e.kind, Kind::Decrypted { from: Side::Server, seen: Decrypted::Ticket });
        let events = self.timeline.events.iter().take_while(|e| is_before(e, at));
        let given = events.filter(is_ticket).filter(|e| of.contains(&e.conn)).count();
        Tickets { given, spent: earlier.iter().filter(spends).count() }
    }

    /// Whether the login that spoke TLS 1.2 made its transfers, and resumed in each.
    fn tls12_worked(&self) -> bool {
        let mut all = self.transfers_with(TLS12).peekable();
        self.is_login_run() && all.peek().is_some() && all.all(|t| t.worked() && t.resumed() == Some(true))
    }

    /// Whether this is a run of ours with a login.
    pub(super) fn is_login_run(&self) -> bool {
        self.transcript.origin.asked.as_ref().is_some_and(|a| a.login.is_some())
    }

    /// What the login that did not offer to resume came to: its transfer, and whether it was refused or went through. `None`
    /// when it got to no data handshake, or was refused for another reason.
    pub(super) fn declined(&self) -> Option<(&'a Transfer<'a>, bool)> {
        if !self.is_login_run() {
            return None;
        }
        let began = |t: &&Transfer<'_>| t.data.as_ref().is_some_and(|d| d.first(begins).is_some());
        let last = self.transfers_with(DECLINED).filter(began).last()?;
        let lost = || {
            let closed = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Server, .. });
            last.aside.iter().any(|e| closed(e)) && !last.has_content()
        };
        match last.reply {
            Some(r) if r.reply.code < 400 => Some((last, false)),
            Some(r) => (is_about_data(r.reply) && !last.has_content()).then_some((last, true)),
            // Pure-FTPd's process ends, and so does the session.
            None => lost().then_some((last, true)),
        }
    }
}

/// Whether the client begins TLS.
fn begins(e: &Event) -> bool {
    matches!(e.kind, Kind::TlsStarts { by: Side::Client } | Kind::Handshake(Message::ClientHello(_)))
}

/// How many data connections were resumed, of how many.
pub(super) fn resumed_of(all: &[DataSession<'_>]) -> (usize, usize) {
    (all.iter().filter(|s| s.resumed).count(), all.len())
}

/// A data connection that was not resumed, behind such as were.
pub(super) struct Lapse<'s, 'a> {
    /// The first.
    pub(super) session: &'s DataSession<'a>,
    /// How many had been resumed before it.
    pub(super) before: usize,
    /// Whether later ones were resumed again.
    pub(super) came_back: bool,
}

/// The first data connection that was not resumed and yet let in, behind such as were.
pub(super) fn lapse<'s, 'a>(all: &'s [DataSession<'a>]) -> Option<Lapse<'s, 'a>> {
    let mut before = 0;
    for (n, session) in all.iter().enumerate() {
        if session.resumed {
            before += 1;
        } else if before > 0 && !session.is_refused() {
            let came_back = all.iter().skip(n).any(|s| s.resumed);
            return Some(Lapse { session, before, came_back });
        }
    }
    None
}

/// What a program says about a missing resumption, behind a transfer.
pub(super) fn claimed<'a>(t: &Transfer<'a>) -> Option<(&'a Event, &'a str)> {
    t.aside.iter().find_map(|e| match &e.kind {
        Kind::Claim { text, .. } if reuse(text) == Some(Reuse::Plain) => Some((*e, text.as_str())),
        _ => None,
    })
}
