//! extended_master_secret (RFC 7627) on a data connection that resumes the control connection's session: both ends have to abort
//! where it comes or goes with the resumption (5.3).

use super::data_shake::Shake;
use super::prelude::*;
use crate::facts::transfers::session_ids;
use crate::wire::tls::handshake::Message;

/// The extension.
const EXTENDED_MASTER_SECRET: u16 = 23;

/// session_ticket (RFC 5077).
const SESSION_TICKET: u16 = 35;

/// TLS 1.3, which has no need of it.
const TLS13: u16 = 0x0304;

/// Says beside a data handshake that `by` ended what the two hellos of the session show of it, where that explains the end.
pub(super) fn explain(case: &Case<'_>, s: &Shake<'_>, by: Side, f: &mut Finding) {
    let Some(data) = s.transfer.data.as_ref() else { return };
    let Some((_, offer)) = data.client_hello() else { return };
    let first = case.first(|e| matches!(&e.kind, Kind::Handshake(Message::ServerHello(_))));
    let Some(Kind::Handshake(Message::ServerHello(control))) = first.map(|e| &e.kind) else { return };
    if control.negotiated() >= TLS13 || control.broken.is_some() || offer.broken.is_some() {
        return;
    }
    let agreed = control.extension(EXTENDED_MASTER_SECRET).is_some();
    let answer = data.events.iter().find_map(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(hello)) if hello.broken.is_none() => Some(hello),
        _ => None,
    });
    let known = session_ids(case.transcript, case.timeline).contains(offer.session_id.as_slice());
    let ticket = offer.extension(SESSION_TICKET).is_some_and(|t| !t.is_empty());
    let offered = offer.extension(EXTENDED_MASTER_SECRET).is_some();
    match (by, answer) {
        (Side::Server, None) if agreed && !offered && (known || ticket) => {
            f.why.push(
                "Only the control connection has extended_master_secret: servers abort such a resumption (RFC 7627, 5.3)."
                    .to_owned(),
            );
            let text =
                "its TLS library leaves extended_master_secret out where it resumes: a newer one, or no resumption";
            f.tell(Party::Client, AdviceKind::Check, text);
        }
        (Side::Client, Some(hello))
            if data.resumed() == Some(true)
                && hello.negotiated() < TLS13
                && hello.extension(EXTENDED_MASTER_SECRET).is_some() != agreed =>
        {
            let (which, other) = if agreed { ("control", "data") } else { ("data", "control") };
            f.why.push(format!(
                "The server has extended_master_secret on the {which} connection, not on the {other} connection that is \
                 of the same session: clients abort that (RFC 7627, 5.3)."
            ));
            let text = "its TLS library resumes a session with another extended_master_secret: a newer one";
            f.tell(Party::Server, AdviceKind::Check, text);
        }
        _ => {}
    }
}
