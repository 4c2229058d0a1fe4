//! The answer to AUTH: no with every code, and no in words that are no reply.

use super::Act::{Close, Line, Mute, Reset, Say};
use super::Member;
use super::phrases::{AUTH, member};

/// A member that greets and answers AUTH TLS, AUTH SSL, and then FEAT and QUIT like this.
macro_rules! refuses_auth {
    ($name:literal, $reply:literal) => {
        member(
            $name,
            &[AUTH, Say($reply), Line, Say($reply), Line, Say(b"211 none\r\n"), Line, Say(b"221 bye\r\n"), Close],
        )
    };
}

pub(super) static MEMBERS: &[Member] = &[
    member("auth-closes", &[AUTH, Close]),
    member("auth-resets", &[AUTH, Reset]),
    member("auth-mute", &[AUTH, Mute]),
    refuses_auth!("auth-421", b"421 closing\r\n"),
    refuses_auth!("auth-431", b"431 Necessary security resource unavailable\r\n"),
    refuses_auth!("auth-500", b"500 AUTH not understood\r\n"),
    refuses_auth!("auth-501", b"501 Syntax error in parameters\r\n"),
    refuses_auth!("auth-502", b"502 Command not implemented\r\n"),
    refuses_auth!("auth-503", b"503 Bad sequence of commands\r\n"),
    refuses_auth!("auth-504", b"504 Security mechanism not implemented\r\n"),
    refuses_auth!("auth-522", b"522 no TLS here\r\n"),
    refuses_auth!("auth-530", b"530 Please login with USER and PASS.\r\n"),
    refuses_auth!("auth-533", b"533 not protected enough\r\n"),
    refuses_auth!("auth-534", b"534 Local policy on server does not allow TLS secure connections.\r\n"),
    refuses_auth!("auth-535", b"535 failed security check\r\n"),
    refuses_auth!("auth-536", b"536 not at this level\r\n"),
    refuses_auth!("auth-550", b"550 Permission denied\r\n"),
    refuses_auth!("auth-500-multi-line", b"500-AUTH not understood\r\n and will not be\r\n500 sorry\r\n"),
    refuses_auth!("auth-overwritten", b"500 'XXXX XXX': command not understood\r\n"),
    member("auth-421-closes", &[AUTH, Say(b"421 Too many users\r\n"), Close]),
    member("auth-500-closes", &[AUTH, Say(b"500 AUTH not understood\r\n"), Close]),
    member("auth-500-resets", &[AUTH, Say(b"500 AUTH not understood\r\n"), Reset]),
    member("auth-500-mute", &[AUTH, Say(b"500 AUTH not understood\r\n"), Mute]),
    member("auth-100-mute", &[AUTH, Say(b"100 one moment\r\n"), Mute]),
    // A yes that never becomes one.
    member("auth-234-without-end", &[AUTH, Say(b"234-go\r\n"), Mute]),
    member("auth-234-last-line-without-code", &[AUTH, Say(b"234-go\r\nahead\r\n"), Mute]),
    member("auth-234-other-number", &[AUTH, Say(b"234-go\r\n250 ahead\r\n"), Mute]),
    member("auth-234-glued", &[AUTH, Say(b"234go ahead\r\n"), Mute]),
    member("auth-234-cut", &[AUTH, Say(b"234 go"), Mute]),
    member("auth-234-cut-closes", &[AUTH, Say(b"234 go"), Close]),
];
