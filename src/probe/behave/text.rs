//! Text where TLS is due.

use super::Act::{Clear, Close, Flight, Handshake, Hello, Mute, Pause, Record, Reset, Say};
use super::phrases::{AUTH, HELLO, TLS12, TLS13, YES, member};
use super::{Act, Member, Terms};

pub(super) static MEMBERS: &[Member] = &[
    member("text-550", &[HELLO, Say(b"550 TLS handshake failed\r\n"), Close]),
    member("text-550-reset", &[HELLO, Say(b"550 TLS handshake failed\r\n"), Reset]),
    member("text-550-mute", &[HELLO, Say(b"550 TLS handshake failed\r\n"), Mute]),
    member("text-550-two-segments", &[HELLO, Say(b"550 TLS hand"), Pause(50), Say(b"shake failed\r\n"), Close]),
    member("text-550-half", &[HELLO, Say(b"550 TLS hand"), Close]),
    member("text-550-lf", &[HELLO, Say(b"550 TLS handshake failed\n"), Close]),
    member("text-421", &[HELLO, Say(b"421 TLS handshake failed\r\n"), Close]),
    member("text-421-limit", &[HELLO, Say(b"421 Too many users\r\n"), Close]),
    member(
        "text-400",
        &[HELLO, Say(b"400 Sorry, cleartext sessions and weak ciphers are not accepted on this server.\r\n"), Close],
    ),
    member("text-multi-line", &[HELLO, Say(b"550-TLS handshake failed\r\n550 ask somebody\r\n"), Close]),
    member(
        "text-multi-line-segments",
        &[HELLO, Say(b"550-TLS handshake failed\r\n"), Pause(50), Say(b"550 ask somebody\r\n"), Close],
    ),
    member("text-oops", &[HELLO, Say(b"500 OOPS: error:0A0000C1:SSL routines::no shared cipher\r\n"), Close]),
    member("text-220", &[HELLO, Say(b"220 welcome\r\n"), Mute]),
    member("text-ebcdic", &[HELLO, Say(b"\xf5\xf5\xf0\x40\xe3\xd3\xe2\x40\x86\x81\x89\x93\x85\x84\x0d\x25"), Close]),
    member("text-ebcdic-nl", &[HELLO, Say(b"\xf5\xf5\xf0\x40\xe3\xd3\xe2\x40\x86\x81\x89\x93\x85\x84\x15"), Close]),
    member(
        "text-ebcdic-multi-line",
        &[HELLO, Say(b"\xf5\xf5\xf0\x60\xe3\xd3\xe2\x0d\x25\xf5\xf5\xf0\x40\x86\x81\x89\x93\x85\x84\x0d\x25"), Close],
    ),
    member("text-without-code", &[HELLO, Say(b"TLS handshake failed\r\n"), Close]),
    member("text-without-line-end", &[HELLO, Say(b"TLS handshake failed"), Close]),
    member("text-550-with-234", &[AUTH, Say(b"234 go ahead\r\n550 TLS failed\r\n"), Close]),
    // Alert and text.
    member("alert-40-and-text", &[HELLO, Say(&[21, 3, 3, 0, 2, 2, 40]), Say(b"550 TLS handshake failed\r\n"), Close]),
    member(
        "alert-40-and-text-at-once",
        &[HELLO, Say(b"\x15\x03\x03\0\x02\x02\x28550 TLS handshake failed\r\n"), Close],
    ),
    member("text-and-alert-40", &[HELLO, Say(b"550 TLS handshake failed\r\n"), Say(&[21, 3, 3, 0, 2, 2, 40]), Close]),
    member("alert-40-and-nothing", &[HELLO, Say(&[21, 3, 3, 0, 2, 2, 40]), Mute]),
    member(
        "close-notify-and-text",
        &[HELLO, Say(&[21, 3, 3, 0, 2, 1, 0]), Say(b"550 TLS handshake failed\r\n"), Close],
    ),
    // Other protocols.
    member("telnet", &[HELLO, Say(&[0xff, 0xfb, 1, 0xff, 0xfb, 3]), Close]),
    member("http-behind-hello", &[HELLO, Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close]),
    member("ssh-behind-hello", &[HELLO, Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Close]),
];

pub(super) static BOTH: &[[Member; 2]] = &[
    // Between the 234 and the server's handshake.
    both!("extra-text", T => YES, Say(b"220 welcome\r\n"), Handshake(T)),
    both!("extra-text-with-234", T => AUTH, Say(b"234 go ahead\r\n220 welcome\r\n"), Handshake(T)),
    both!("extra-text-behind-hello", T => YES, Hello, Say(b"220 welcome\r\n"), Handshake(T)),
    both!("extra-text-many", T => YES, Hello, Say(b"220-wel"), Pause(50), Say(b"come\r\n220 to you\r\n"), Handshake(T)),
    both!("extra-234", T => AUTH, Say(b"234 go ahead\r\n234 go ahead\r\n"), Handshake(T)),
    both!("extra-blank-line", T => AUTH, Say(b"234 go ahead\r\n\r\n"), Handshake(T)),
    // Behind the server's first flight.
    both!("flight-then-text", T => YES, Flight(T), Record, Clear(b"550 TLS handshake failed\r\n"), Close),
];
