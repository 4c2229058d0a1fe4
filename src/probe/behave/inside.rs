//! Behind the handshake: ends, clear text, client certificates, sessions that are none.

use super::Act::{
    Clear, Close, CloseNotify, Flight, HalfClose, Handshake, Hello, Line, Mute, Pause, Record, Repeat, Reset, Say,
};
use super::phrases::{SESSION, TLS12, TLS13, UP_TO_QUIT, YES, member};
use super::{Act, Member, Terms, Wanted};

/// The authorities that a request may name.
const AUTHORITIES: &[&str] = &["Partner Root", "Old Partner Root"];

const OOPS: &[u8] = b"500 OOPS: vsftpd: refusing to run with writable root inside chroot()\r\n";
const NO_CERTIFICATE: &[u8] =
    b"500 OOPS: error:1417C0C7:SSL routines:tls_process_client_certificate:peer did not return a certificate\r\n";

/// A TLS alert record, as a program writes it that believes to begin TLS.
const INNER_ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 10];
const INNER_CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xc0\x2f\x01\0";
const INNER_SERVER_HELLO: &[u8] = b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xc0\x2f\0";

/// A member that greets, says yes to AUTH, does the handshake on these terms, and then this.
macro_rules! inside {
    ($name:literal, $terms:ident => $with:expr; $($act:expr),* $(,)?) => {
        both!($name, $terms => YES, Handshake($with), $($act),*)
    };
}

pub(super) static BOTH: &[[Member; 2]] = &[
    inside!("healthy", T => T; SESSION),
    inside!("small-records", T => Terms { longest_record: Some(64), ..T }; SESSION),
    // Behind a warning the handshake goes on.
    both!("warned", T => YES, Hello, Say(&[21, 3, 3, 0, 2, 1, 112]), Handshake(T), SESSION),
    both!("warned-user-canceled", T => YES, Hello, Say(&[21, 3, 3, 0, 2, 1, 90]), Handshake(T), SESSION),
    // Ends.
    inside!("inside-closes", T => T; Close),
    inside!("inside-resets", T => T; Reset),
    inside!("inside-mute", T => T; Mute),
    inside!("inside-half-closes", T => T; HalfClose, Line, Mute),
    inside!("inside-close-notify", T => T; CloseNotify, Close),
    inside!("inside-close-notify-mute", T => T; CloseNotify, Mute),
    inside!("feat-closes", T => T; Line, Close),
    inside!("feat-resets", T => T; Line, Reset),
    inside!("feat-mute", T => T; Line, Mute),
    inside!("feat-half", T => T; Line, Say(b"211-Features\r\n AUTH TLS\r\n"), Mute),
    inside!("pbsz-closes", T => T; Line, Say(b"211 none\r\n"), Line, Close),
    inside!("reply-late", T => T; Line, Pause(400), Say(b"211 none\r\n"), Line, Say(b"200 ok\r\n"), Line, Say(b"200 ok\r\n"), Line, Say(b"221 bye\r\n"), CloseNotify, Close),
    inside!("reply-too-late", T => T; Line, Pause(2_000), Say(b"211 none\r\n"), Mute),
    // Goodbyes.
    inside!("quit-without-close-notify", T => T; UP_TO_QUIT, Say(b"221 bye\r\n"), Close),
    inside!("quit-closes", T => T; UP_TO_QUIT, Close),
    inside!("quit-resets", T => T; UP_TO_QUIT, Reset),
    inside!("quit-mute", T => T; UP_TO_QUIT, Mute),
    inside!("text-behind-goodbye", T => T; UP_TO_QUIT, Say(b"221 bye\r\n"), CloseNotify, Clear(OOPS), Close),
    // Refusals inside.
    inside!("everything-refused", T => T; Line, Say(b"500 no\r\n"), Line, Say(b"503 no\r\n"), Line, Say(b"500 no\r\n"), Close),
    inside!("prot-refused", T => T; Line, Say(b"211 none\r\n"), Line, Say(b"200 ok\r\n"), Line, Say(b"534 no\r\n"), Line, Say(b"221 bye\r\n"), CloseNotify, Close),
    inside!("inside-421", T => T; Line, Say(b"421 Too many connections\r\n"), CloseNotify, Close),
    // Clear text.
    inside!("oops", T => T; Clear(OOPS), Close),
    inside!("oops-mute", T => T; Clear(OOPS), Mute),
    inside!("oops-behind-feat", T => T; Line, Clear(OOPS), Close),
    inside!("oops-behind-pbsz", T => T; Line, Say(b"211 none\r\n"), Line, Clear(OOPS), Close),
    inside!("oops-in-two-segments", T => T; Line, Clear(b"500 OOPS: vsftpd: refusing"), Pause(50), Clear(b" to run\r\n"), Close),
    inside!("oops-inside", T => T; Line, Say(OOPS), Close),
    inside!("oops-inside-behind-pbsz", T => T; Line, Say(b"211 none\r\n"), Line, Say(OOPS), Close),
    inside!("oops-behind-close-notify", T => T; Line, CloseNotify, Clear(OOPS), Close),
    inside!("clear-reply", T => T; Line, Clear(b"211 none\r\n"), Mute),
    inside!("clear-alert", T => T; Line, Clear(&[21, 3, 3, 0, 2, 2, 80]), Close),
    inside!("bad-record", T => T; Line, Clear(b"\x17\x03\x03\0\x20................................"), Close),
    inside!("bad-bytes", T => T; Line, Clear(&[0x80, 0, 1, 2, 3, 4]), Close),
    // TLS in TLS, as when two layers both do it.
    inside!("stacked-alert", T => T; Line, Say(INNER_ALERT), Close),
    inside!("stacked-client-hello", T => T; Say(INNER_CLIENT_HELLO), Mute),
    inside!("stacked-server-hello", T => T; Line, Say(INNER_SERVER_HELLO), Close),
    inside!("stacked-mute", T => T; Line, Say(INNER_ALERT), Mute),
    inside!("inner-bytes", T => T; Line, Say(&[0x80, 0, 1, 2, 3, 4]), Mute),
    inside!("inner-flood", T => T; Line, Repeat(100, &[Say(&[b'x'; 4096])]), Mute),
    // Client certificates.
    inside!("client-certificate-asked", T => Terms { client: Wanted::Asked, ..T }; SESSION),
    inside!("client-certificate-asked-listed", T => Terms { client: Wanted::Asked, authorities: AUTHORITIES, ..T }; SESSION),
    inside!("client-certificate-required", T => Terms { client: Wanted::Required, ..T }; SESSION),
    inside!("client-certificate-required-listed", T => Terms { client: Wanted::Required, authorities: AUTHORITIES, ..T }; SESSION),
    inside!("client-certificate-refused", T => Terms { client: Wanted::Refused, ..T }; Close),
    inside!("client-certificate-refused-listed", T => Terms { client: Wanted::Refused, authorities: AUTHORITIES, ..T }; Close),
    inside!("client-certificate-refused-text", T => Terms { client: Wanted::Refused, ..T }; Clear(b"550 TLS handshake failed\r\n"), Close),
    both!("client-certificate-closes", T => YES, Flight(Terms { client: Wanted::Required, ..T }), Record, Close),
    both!("client-certificate-mute", T => YES, Flight(Terms { client: Wanted::Required, ..T }), Record, Mute),
    both!("client-certificate-oops", T => YES, Flight(Terms { client: Wanted::Required, ..T }), Record, Clear(NO_CERTIFICATE), Close),
    inside!("client-certificate-530", T => Terms { client: Wanted::Asked, ..T }; Line, Say(b"530 TLS verification failed\r\n"), CloseNotify, Close),
];
