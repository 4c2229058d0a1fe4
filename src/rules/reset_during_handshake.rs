//! The connection was reset between AUTH or the ClientHello and any answer to it.

use super::closed_during_handshake::ended;
use super::phase::{Broken, End};
use super::prelude::*;
use crate::transcript::Close;

pub(super) static RULE: Rule = Rule {
    id: "reset-during-handshake",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/reset-during-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let reset = |b: &Broken<'_>| b.how == End::Closed(Close::Reset);
    if let Some(broken) = case.broken_handshake().filter(reset) {
        let fact = "A reset comes from a process that died, from one that left bytes unread, or from a firewall.";
        ended(case, &broken, fact, sink);
    }
}
