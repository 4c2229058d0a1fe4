//! What most scripts begin or end with.

use super::Act::{Close, CloseNotify, Line, Record, Repeat, Say};
use super::{Act, Member, Terms, Wanted};

/// A member that does the same on every connection.
pub(super) const fn member(name: &'static str, script: &'static [Act]) -> Member {
    Member { name, first: script, then: script }
}

/// The greeting, up to AUTH.
pub(super) const AUTH: Act = Repeat(1, &[Say(b"220 ready\r\n"), Line]);
/// The same, and a yes to it.
pub(super) const YES: Act = Repeat(1, &[AUTH, Say(b"234 go ahead\r\n")]);
/// The same, and the ClientHello is taken.
pub(super) const HELLO: Act = Repeat(1, &[YES, Record]);

/// What a healthy server says inside TLS, up to its goodbye.
pub(super) const SESSION: Act = Repeat(
    1,
    &[
        Line,
        Say(b"211 no features\r\n"),
        Line,
        Say(b"200 PBSZ=0\r\n"),
        Line,
        Say(b"200 Protection level set to P\r\n"),
        Line,
        Say(b"221 Goodbye\r\n"),
        CloseNotify,
        Close,
    ],
);
/// The same up to QUIT, which nobody has answered.
pub(super) const UP_TO_QUIT: Act =
    Repeat(1, &[Line, Say(b"211 no features\r\n"), Line, Say(b"200 PBSZ=0\r\n"), Line, Say(b"200 ok\r\n"), Line]);

/// The terms that most members have.
pub(super) const TLS12: Terms = Terms { tls13: false, client: Wanted::Nothing, authorities: &[], longest_record: None };
/// The same for TLS 1.3.
pub(super) const TLS13: Terms = Terms { tls13: true, ..TLS12 };
