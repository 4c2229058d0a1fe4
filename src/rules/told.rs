//! What the z/OS FTP client says of a connection that failed under it: a time-out (EZA2589E, EZA1721W), or an error of a socket
//! call (EZA2590E, EZA2592E). Where in the session that was decides which finding it speaks for.

use super::case::Claim;
use super::ccc_refused;
use super::finding::{Confidence, Finding, Party};
use super::phase::is_auth;
use super::{Case, Sink};
use crate::codes;
use crate::decode::{Event, Kind};
use crate::facts::transfers::TRANSFERS;
use crate::transcript::{Code, Side};

/// A time-out with the operation that waited; its sibling without one.
const TIMED_OUT: [&str; 2] = ["EZA2589E", "EZA1721W"];

/// An error of a socket call. Of the second one no text is confirmed.
const SOCKET_ERROR: [&str; 2] = ["EZA2590E", "EZA2592E"];

/// So many of them are looked at: each asks for what went before.
const MOST: usize = 16;

/// Where in the session it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before anything was said.
    Opening,
    /// At a SOCKS server on the way.
    Proxy,
    /// Behind the yes to AUTH, or behind AUTH itself.
    Handshake,
    /// Behind the yes to CCC.
    Ccc,
    /// In the conversation.
    Session,
    /// On a data connection that stood.
    Data,
}

/// How the connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    TimedOut,
    Reset,
    Refused,
    Unreachable,
    /// Anything else.
    Lost,
}

impl How {
    /// As data spell the end of a connection.
    pub(super) fn name(self) -> &'static str {
        match self {
            How::TimedOut => "silence",
            How::Reset => "reset",
            _ => "ended",
        }
    }

    /// `was reset`, for a headline about the connection.
    pub(super) fn did(self) -> &'static str {
        match self {
            How::TimedOut => "timed out",
            How::Reset => "was reset",
            _ => "was lost",
        }
    }
}

/// The client's word that decides.
pub(super) struct Told<'a> {
    pub(super) claim: Claim<'a>,
    pub(super) place: Place,
    pub(super) how: How,
    /// The error of the call: `EDC8121I`, and errno2 as eight hexadecimal digits.
    pub(super) edc: Option<String>,
    pub(super) errno2: Option<String>,
}

impl<'a> Case<'a> {
    /// The first such word that is not about opening a data connection.
    pub(super) fn told(&self) -> Option<Told<'a>> {
        let is_it = |c: &Claim<'_>| match c.code {
            Some(Code::Message(id)) => TIMED_OUT.contains(&id.as_str()) || SOCKET_ERROR.contains(&id.as_str()),
            _ => false,
        };
        self.claims().filter(is_it).take(MOST).find_map(|claim| told(self, claim))
    }

    /// The same, about one place.
    pub(super) fn told_of(&self, place: Place) -> Option<Told<'a>> {
        self.told().filter(|t| t.place == place)
    }
}

fn told<'a>(case: &Case<'a>, claim: Claim<'a>) -> Option<Told<'a>> {
    if claim.side != Some(Side::Client) {
        return None;
    }
    let Some(Code::Message(id)) = claim.code else { return None };
    let is = |ids: &[&str]| ids.contains(&id.as_str());
    if !is(&TIMED_OUT) && !is(&SOCKET_ERROR) {
        return None;
    }
    let text = claim.text.to_ascii_lowercase();
    let (edc, errno2) = errors(claim.text);
    let place = if is(&TIMED_OUT) {
        place_of_timeout(case, claim.event, &text)?
    } else {
        place_of_error(case, claim.event, &text)?
    };
    let how = match edc.as_deref() {
        _ if is(&TIMED_OUT) => How::TimedOut,
        Some("EDC8127I") => How::TimedOut,
        Some("EDC8121I") => How::Reset,
        Some("EDC8128I") => How::Refused,
        Some("EDC8118I" | "EDC8130I") => How::Unreachable,
        _ => How::Lost,
    };
    Some(Told { claim, place, how, edc, errno2 })
}

/// Of EZA2589E: behind the text stands the operation that waited.
fn place_of_timeout(case: &Case<'_>, at: &Event, text: &str) -> Option<Place> {
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match () {
        () if any(&["socks"]) => Some(Place::Proxy),
        // The server was to connect: another rule reads it.
        () if any(&["waiting for data connection"]) => None,
        () if any(&["receiving data", "sending data"]) => Some(Place::Data),
        () if any(&["initial connection", "initial ipv6 connection"]) => {
            is_silent_before(case, at).then_some(Place::Opening)
        }
        () => Some(place_by_state(case, at)),
    }
}

/// Of EZA2590E: the routine stands in front of the reason.
fn place_of_error(case: &Case<'_>, at: &Event, text: &str) -> Option<Place> {
    let routine = text.split(" - ").next().unwrap_or_default();
    let state = place_by_state(case, at);
    match () {
        () if state == Place::Ccc && !is_transfer_open(case, at) => Some(state),
        // Behind the last reply, too, such a routine is about data.
        () if routine.contains("_data") || is_transfer_open(case, at) => Some(Place::Data),
        // Behind PASV or EPSV it is the data connection that could not be opened.
        () if routine.starts_with("connect") && state == Place::Session => None,
        () => Some(state),
    }
}

/// Where the conversation stood.
fn place_by_state(case: &Case<'_>, at: &Event) -> Place {
    if is_silent_before(case, at) {
        return Place::Opening;
    }
    let is_reply = |e: &&Event| matches!(&e.kind, Kind::Reply(r) if r.code >= 200);
    let before = |e: &Event| core::ptr::from_ref(e) < core::ptr::from_ref(at);
    let ccc = ccc_refused::asked(case).filter(|a| a.reply.code < 400 && before(a.answer));
    if let Some(asked) = ccc {
        let heard = asked.behind.iter().copied().take_while(|e| before(e)).any(|e| is_reply(&e));
        return if heard { Place::Session } else { Place::Ccc };
    }
    let Some(auth) = case.before(at).filter(|e| is_auth(e)).last() else {
        let at_once = case.before(at).any(|e| matches!(e.kind, Kind::TlsStarts { .. } | Kind::Handshake(_)));
        return if at_once && !case.handshake_completed_before(at) { Place::Handshake } else { Place::Session };
    };
    let answer = case.after(auth).take_while(|e| before(e)).find(is_reply);
    let refused = matches!(answer.map(|e| &e.kind), Some(Kind::Reply(r)) if r.code >= 400);
    // Whoever sends commands behind the yes has TLS.
    let went_on =
        answer.is_some_and(|a| case.after(a).take_while(|e| before(e)).any(|e| matches!(e.kind, Kind::Command { .. })));
    let done = went_on || refused || case.handshake_completed_before(at);
    if done { Place::Session } else { Place::Handshake }
}

/// Whether nobody had said anything before.
fn is_silent_before(case: &Case<'_>, at: &Event) -> bool {
    !case.before(at).any(|e| e.from().is_some() || matches!(e.kind, Kind::TlsStarts { .. }))
}

/// Whether a transfer was under way: announced (1yz), and not answered.
fn is_transfer_open(case: &Case<'_>, at: &Event) -> bool {
    let (mut open, mut transfer) = (false, false);
    for e in case.before(at) {
        match &e.kind {
            Kind::Command { verb, .. } => (transfer, open) = (TRANSFERS.contains(&verb.as_str()), false),
            Kind::Reply(r) => open = transfer && r.code < 200,
            _ => {}
        }
    }
    open
}

/// `EDC8121I` and `errno2=0x74520442` of a message.
pub(super) fn errors(text: &str) -> (Option<String>, Option<String>) {
    let is_edc = |w: &&str| w.len() == 8 && w.starts_with("EDC") && w.ends_with('I');
    let digits = |w: &&str| w.bytes().filter(u8::is_ascii_digit).count() == 4;
    let edc = text.split([' ', ':', '(', ')']).filter(is_edc).find(digits).map(str::to_owned);
    let errno2 = text.split_once("errno2=").map(|(_, rest)| rest.trim_start_matches("0x"));
    let errno2 = errno2.and_then(|rest| rest.get(..8)).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    (edc, errno2.map(str::to_ascii_uppercase))
}

impl Told<'_> {
    /// A finding that rests on this word alone: never more than likely.
    pub(super) fn finding(&self, sink: &mut Sink<'_>, party: Party, headlines: &[String]) -> Finding {
        let mut f = sink.finding(Confidence::Likely, party, headlines);
        f.ended = true;
        f.set("said", self.claim.text).set("edc", self.edc.as_deref()).set("errno2", self.errno2.as_deref());
        sink.shows_by(&mut f, self.claim.event);
        f.why.push(format!("{}: \"{}\"", self.claim.by, self.claim.text));
        if let Some(known) = self.edc.as_deref().and_then(codes::zos_message) {
            f.why.push(format!("{}: {}.", known.id, known.meaning));
        }
        f.why.push("It is the client's word alone: the packets are not in the evidence.".to_owned());
        f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_socket_call() {
        let of = |text: &str| {
            let (edc, errno2) = errors(text);
            (edc.unwrap_or_default(), errno2.unwrap_or_default())
        };
        let real = "recv error from receive_data - EDC8121I Connection reset. (errno2=0x74520442)";
        assert_eq!(of(real), ("EDC8121I".to_owned(), "74520442".to_owned()));
        assert_eq!(of("EDC8127I Connection timed out."), ("EDC8127I".to_owned(), String::new()));
        assert_eq!(of("errno2=0x7452"), (String::new(), String::new()));
        assert_eq!(of("errno2=0x745Z0442 EDC812"), (String::new(), String::new()));
    }
}
