//! TLS sessions of data connections: offered, resumed, demanded; and what a login that declined to resume has shown.

use super::Case;
use super::data_shake::{Shake, is_about_data};
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::facts::transfers::session_ids;
use crate::transcript::{Decrypted, Side};
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
}

impl<'a> Case<'a> {
    /// The session's data connections whose handshakes completed, in order.
    pub(super) fn data_sessions(&self) -> Vec<DataSession<'a>> {
        let ids = session_ids(self.transcript, self.timeline);
        let session = |s: &Shake<'a>| {
            let data = s.transfer.data.as_ref().filter(|_| s.done && s.broke.is_none())?;
            let offered = data.offers_resumption(&ids);
            Some(DataSession { transfer: s.transfer, resumed: data.resumed()?, offered, version: version(s.transfer) })
        };
        self.shakes().iter().filter_map(session).collect()
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

/// The version that a data connection came to.
fn version(t: &Transfer<'_>) -> Option<u16> {
    t.data.as_ref()?.events.iter().find_map(|e| match &e.kind {
        Kind::Decrypted { seen: Decrypted::Established { version, .. }, .. } => Some(*version),
        Kind::Handshake(Message::ServerHello(hello)) => Some(hello.negotiated()),
        _ => None,
    })
}

/// What a program says about a missing resumption, behind a transfer.
pub(super) fn claimed<'a>(t: &Transfer<'a>) -> Option<(&'a Event, &'a str)> {
    t.aside.iter().find_map(|e| match &e.kind {
        Kind::Claim { text, .. } if reuse(text) == Some(Reuse::Plain) => Some((*e, text.as_str())),
        _ => None,
    })
}
