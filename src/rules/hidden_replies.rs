//! What replies tell that nobody can read: how many there were to a command, and how long they are.

use super::Case;
use super::data_shake::{Shake, is_before};
use crate::codes::cipher_suite;
use crate::decode::{Event, Kind, is_sealed_alert};
use crate::transcript::Side;
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;

/// TLS 1.2 and 1.3.
const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// A record of the client, which holds a command, and those of the server up to the next.
pub(super) struct Exchange<'a> {
    /// The command.
    pub(super) asked: &'a Event,
    /// The replies, with the lengths of their records.
    pub(super) replies: Vec<(&'a Event, u16)>,
}

/// The conversation on the session's control connection, as its encrypted records show it.
pub(super) fn exchanges<'a>(case: &Case<'a>) -> Vec<Exchange<'a>> {
    let mut out: Vec<Exchange<'a>> = Vec::new();
    for e in case.control() {
        let Kind::Opaque { content_type: content_type @ content::APPLICATION_DATA, len } = e.kind else { continue };
        match e.from() {
            _ if is_sealed_alert(content_type, len) => {}
            Some(Side::Client) => out.push(Exchange { asked: e, replies: Vec::new() }),
            Some(Side::Server) => out.last_mut().into_iter().for_each(|x| x.replies.push((e, len))),
            None => {}
        }
    }
    out
}

/// Whether a transfer may have been refused for another reason than its data connection, before that ended: none of the commands
/// that may be its own got a mark (150) and a reply, as a transfer does that begins. False where the commands can be read.
pub(super) fn may_be_refused(case: &Case<'_>, s: &Shake<'_>, end: &Event) -> bool {
    let t = s.transfer;
    if t.command.is_some() || t.reply.is_some() || !case.commands_are_hidden() {
        return false;
    }
    // What is missing may have been the mark, or the reply.
    if case.control().any(|e| case.is_missing(e)) {
        return true;
    }
    let all = exchanges(case);
    let first = all.partition_point(|x| is_before(x.asked, end)).saturating_sub(1);
    let next =
        case.session_transfers().filter_map(|o| o.data.as_ref()?.events.first().copied()).find(|e| is_before(end, e));
    let own: Vec<&Exchange<'_>> =
        all.iter().skip(first).take_while(|x| next.is_none_or(|next| is_before(x.asked, next))).collect();
    // The last command of a session is its QUIT, whose answer may have several lines.
    let quits = next.is_none() && own.len() > 1;
    let counted = own.len() - usize::from(quits);
    let begun = own.iter().take(counted).any(|x| x.replies.len() > 1);
    !begun && own.iter().any(|x| !x.replies.is_empty())
}

/// Bytes that encryption adds to what a record holds, where all records of a connection add the same.
fn added(case: &Case<'_>) -> Option<u16> {
    let hello = case.control().find_map(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(hello)) => Some(hello),
        _ => None,
    })?;
    match hello.negotiated() {
        // The type, and a tag of 16.
        TLS13 => Some(17),
        TLS12 => match cipher_suite(hello.suite)?.enc {
            // A nonce of 8, and the tag.
            enc if enc.ends_with("GCM") => Some(24),
            enc if enc.starts_with("CHACHA20") => Some(16),
            _ => None,
        },
        _ => None,
    }
}

/// Which of these lines the first reply behind an event may be, as its length says; with the reply, and its bytes.
pub(super) fn as_long_as<'a>(
    case: &Case<'a>,
    mark: &Event,
    lines: &[&'static str],
) -> Option<(&'a Event, &'static str, usize)> {
    let added = usize::from(added(case)?);
    let sealed = case.control().filter(|e| is_before(mark, e)).filter_map(|e| match e.kind {
        Kind::Opaque { content_type: content_type @ content::APPLICATION_DATA, len } => {
            (!is_sealed_alert(content_type, len)).then_some((e, usize::from(len)))
        }
        _ => None,
    });
    let (reply, len) = sealed.take_while(|(e, _)| e.from() == Some(Side::Server)).next()?;
    let line = lines.iter().find(|l| l.len() + b"\r\n".len() + added == len)?;
    Some((reply, line, len - added))
}
