//! Why a data connection was not opened: as the attempt itself shows, as the server's reply says, or as the client said.

use super::arranging::is_about_tls;
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::facts::transfers::{Answered, precedes};
use crate::transcript::{OpenFailure, Side};

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing answered.
    TimedOut,
    /// A reset answered.
    Refused,
    /// The network said that there is no way.
    Unreachable,
    /// It stood, and came from another address than the control connection.
    AnotherAddress,
    /// Anything else, or nobody said.
    NotTold,
    /// TCP stood, and the server says that it did not.
    NotTaken,
}

impl Why {
    /// As data spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Why::TimedOut => "timed-out",
            Why::Refused => "refused",
            Why::Unreachable => "unreachable",
            Why::AnotherAddress => "another-address",
            Why::NotTold => "not-told",
            Why::NotTaken => "not-taken",
        }
    }

    /// Whether something on the way keeps the packets back, as far as that shows.
    pub(super) fn is_blocked(self) -> bool {
        matches!(self, Why::TimedOut | Why::Unreachable)
    }
}

/// A data connection that was not opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unopened<'a> {
    pub(super) why: Why,
    /// The event by which it shows.
    pub(super) shows: &'a Event,
    /// The server's final reply.
    pub(super) reply: Option<Answered<'a>>,
    /// Whether the attempt itself is in the evidence.
    pub(super) observed: bool,
    /// Whether only a program's word says it.
    pub(super) told: bool,
}

/// Why the data connection of a transfer was not opened; `None` when it stood, or nothing says that it did not.
pub(super) fn unopened<'a>(t: &Transfer<'a>) -> Option<Unopened<'a>> {
    let reply = t.reply.filter(|r| r.reply.code >= 400);
    if let Some((shows, failure)) = t.data.as_ref().and_then(|d| d.open_failure()) {
        let why = match failure {
            OpenFailure::Refused => Why::Refused,
            OpenFailure::TimedOut => Why::TimedOut,
            OpenFailure::Unreachable => Why::Unreachable,
            OpenFailure::Dns | OpenFailure::Other => Why::NotTold,
        };
        return Some(Unopened { why, shows, reply, observed: true, told: false });
    }
    let stood = t.data.as_ref().is_some_and(|d| d.was_open());
    // TCP may stand although nobody took it up: the backlog of a listener accepts by itself.
    let taken = |until: &Event| {
        let said = |e: &Event| e.from() == Some(Side::Server) && precedes(e, until);
        t.data.as_ref().is_some_and(|d| d.first(said).is_some())
    };
    if let Some(answer) = reply
        && let Some(why) = said(answer.reply.code, &answer.reply.text, t.begun.is_some())
    {
        let why = if stood && why == Why::NotTold { Why::NotTaken } else { why };
        let fits = !taken(answer.event) || why == Why::AnotherAddress;
        let found = Unopened { why, shows: answer.event, reply, observed: false, told: false };
        return fits.then_some(found);
    }
    // What a client says behind a transfer that went well, or behind another refusal, is about something else.
    if stood || t.reply.is_some() {
        return None;
    }
    by_claims(t.aside.iter().copied()).filter(|_| t.command.is_some())
}

/// What programs said of it, up to the next command.
pub(super) fn by_claims<'a>(events: impl Iterator<Item = &'a Event>) -> Option<Unopened<'a>> {
    let until = events.take_while(|e| !matches!(e.kind, Kind::Command { .. }));
    let found = until.filter_map(|e| if let Kind::Claim { text, .. } = &e.kind { Some((e, text)) } else { None });
    found.filter_map(|(shows, text)| claimed(text).map(|why| (shows, why))).next().map(|(shows, why)| Unopened {
        why,
        shows,
        reply: None,
        observed: false,
        told: true,
    })
}

/// What a client's words say of a data connection that it could not open, or that nobody opened to it.
fn claimed(text: &str) -> Option<Why> {
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    // EZA1735I behind PASV or EPSV: FTP_CONNECT_FAILED is about what the reply had announced.
    let announced = || any(&["227, error code = 00008", "229, error code = 00008"]);
    if text.starts_with("std return code") && announced() {
        return Some(Why::NotTold);
    }
    if is_about_tls(&text) || !any(&["data connection", "data-transfer connection", "data channel", "data socket"]) {
        return None;
    }
    // EZA2589E says so where the server was to connect.
    let waited = any(&["waiting for data connection"]);
    let not_opened = any(&[
        "can't open",
        "cannot open",
        "could not open",
        "could not be opened",
        "could not be established",
        "failed to connect",
        "failed to open",
        "unable to connect",
        "unable to open",
    ]);
    match cause_in(&text) {
        Some(why) if waited || not_opened => Some(why),
        None if waited => Some(Why::TimedOut),
        None if not_opened => Some(Why::NotTold),
        _ => None,
    }
}

/// The network's verdict in somebody's words.
fn cause_in(text: &str) -> Option<Why> {
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match () {
        () if any(&["timed out", "timeout", "time-out", "etimedout", "edc8127i"]) => Some(Why::TimedOut),
        () if any(&["refused", "edc8128i"]) => Some(Why::Refused),
        () if any(&["unreachable", "no route", "edc8118i", "edc8130i"]) => Some(Why::Unreachable),
        () => None,
    }
}

/// What a server's final reply to a transfer says of the data connection; `begun`: whether it had announced the transfer.
pub(super) fn said(code: u16, text: &str, begun: bool) -> Option<Why> {
    const NOT_OPENED: [&str; 20] = [
        "bad ip connecting",
        "rejected data connection",
        "can't open data",
        "cannot open data",
        "can't open the data",
        "cannot open the data",
        "could not open data",
        "couldn't open data",
        "unable to open data",
        "unable to open the data",
        "failed to open data",
        "can't build data",
        "cannot build data",
        "unable to build data",
        "can't create data",
        "cannot create data",
        "establish connection",
        "establish data",
        "establish the data",
        "no data connection",
    ];
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if is_about_tls(&text) {
        return None;
    }
    match code {
        425 if any(&["bad ip connecting", "rejected data connection", "addresses of control and data"]) => {
            Some(Why::AnotherAddress)
        }
        425 if any(&NOT_OPENED) => Some(cause_in(&text).unwrap_or(Why::NotTold)),
        425 => cause_in(&text),
        // Behind its 150 a server may also tire of one that stands still.
        421 if !begun && cause_in(&text) == Some(Why::TimedOut) => Some(Why::TimedOut),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_servers() {
        for (code, text, why) in [
            (425, "Security: Bad IP connecting.", Some(Why::AnotherAddress)),
            (425, "Failed to establish connection.", Some(Why::NotTold)),
            (425, "Can't open data connection.", Some(Why::NotTold)),
            (425, "Can't build data connection: Connection refused.", Some(Why::Refused)),
            (425, "Unable to build data connection: Connection timed out", Some(Why::TimedOut)),
            (425, "Unable to build data connection: No route to host", Some(Why::Unreachable)),
            (421, "Timeout waiting for the data connection", Some(Why::TimedOut)),
            (425, "Unable to build data connection: Operation not permitted", None),
            (425, "Unable to build data connection: TLS session of data connection not resumed.", None),
            (425, "Server requires protected data connection", None),
            (425, "Use PORT or PASV first.", None),
            (421, "Too many connections", None),
            (550, "Can't open data connection", None),
            (426, "Connection timed out", None),
        ] {
            assert_eq!(said(code, text, false), why, "{code} {text}");
        }
        assert_eq!(said(421, "Data timeout. Reconnect. Sorry.", true), None);
    }

    #[test]
    fn words_of_clients() {
        for (text, why) in [
            ("Connection to server interrupted or timed out. Waiting for data connection", Some(Why::TimedOut)),
            ("*** I can't open a data-transfer connection: EDC8128I Connection refused.", Some(Why::Refused)),
            (
                "The data connection could not be established: ETIMEDOUT - Connection attempt timed out",
                Some(Why::TimedOut),
            ),
            ("Connection to server interrupted or timed out. Receiving data", None),
            ("data connection closed", None),
            ("Std Return Code = 27229, Error Code = 00008", Some(Why::NotTold)),
            ("Std Return Code = 27229, Error Code = 00002", None),
            ("Std Return Code = 14150, Error Code = 00008", None),
            ("TLS handshake on the data connection timed out", None),
            ("Connecting to: ftp.example.org 203.0.113.7 port: 21.", None),
        ] {
            assert_eq!(claimed(text), why, "{text}");
        }
    }
}
