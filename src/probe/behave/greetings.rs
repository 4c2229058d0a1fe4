//! Before TLS: greetings that refuse, never come, never end, or are another protocol's.

use super::Act::{Close, CloseNotify, Handshake, Line, Mute, Pause, Record, Repeat, Reset, Say, When};
use super::phrases::{SESSION, TLS12, TLS13, YES, member};
use super::{Act, If, Member};

/// A block of a flood without line ends.
const BLOCK: &[u8] = &[b'x'; 4096];

macro_rules! eight {
    ($text:expr) => {
        concat!($text, $text, $text, $text, $text, $text, $text, $text)
    };
}

/// A block of whole lines.
const LINES: &[u8] = eight!(eight!("220-welcome, there is more to say to you, and then some more\r\n")).as_bytes();

/// A greeting and a session, for TLS 1.2 and a client that does all as it should.
const GREETED: Act = Repeat(1, &[YES, Handshake(TLS12), SESSION]);

pub(super) static MEMBERS: &[Member] = &[
    member("closes-at-once", &[Close]),
    member("resets-at-once", &[Reset]),
    member("never-greets", &[Mute]),
    // Refusals.
    member("greeting-421", &[Say(b"421 Too many connections\r\n"), Close]),
    member("greeting-421-mute", &[Say(b"421 Too many connections\r\n"), Mute]),
    member("greeting-421-reset", &[Say(b"421 Too many connections\r\n"), Reset]),
    member("greeting-530", &[Say(b"530 Your IP is banned\r\n"), Close]),
    member("greeting-431", &[Say(b"431 Could not initialize SSL connection\r\n"), Close]),
    member("greeting-oops", &[Say(b"500 OOPS: no such thing\r\n"), Close]),
    member("limit-vsftpd", &[Say(b"421 There are too many connected users, please try later.\r\n"), Close]),
    member("limit-vsftpd-address", &[Say(b"421 There are too many connections from your internet address.\r\n"), Close]),
    member("limit-filezilla", &[Say(b"421 Too many users are connected, please try again later.\r\n"), Close]),
    member("limit-proftpd", &[Say(b"530 Sorry, the maximum number of connections (2) for your host are already connected.\r\n"),
        Close]),
    member("ban-cerberus", &[Say(b"421-Not currently accepting logins at this address. Try back\r\n421 later\r\n"), Close]),
    member("ban-crushftp", &[Say(b"421 Your IP is banned, no further requests will be processed from this IP (192.0.2.1).\r\n"), Close]),
    // Greetings that take their time, or do not end.
    member("greeting-without-end", &[Say(b"220-hello\r\n220-and so on\r\n"), Mute]),
    member("greeting-cut", &[Say(b"220 read"), Close]),
    member("greeting-blank", &[Say(b"\r\n"), Mute]),
    member("greeting-no-reply", &[Say(b"Welcome to our server\r\n"), Mute]),
    member("greeting-endless-lines", &[Repeat(100, &[Say(LINES)]), Mute]),
    member("greeting-endless-line", &[Repeat(100, &[Say(BLOCK)]), Mute]),
    member("greeting-in-pieces", &[Say(b"22"), Pause(100), Say(b"0 re"), Pause(100), Say(b"ady\r\n"), Line, Say(b"234 go ahead\r\n"), Handshake(TLS12), SESSION]),
    member("greeting-late", &[Pause(800), GREETED]),
    member("greeting-too-late", &[Pause(2_000), GREETED]),
    member("greeting-announced", &[Say(b"120 ready in a moment\r\n"), Pause(100), GREETED]),
    member("greeting-ebcdic", &[Say(b"\xf2\xf2\xf0\x40\x99\x85\x81\x84\xa8\x0d\x25"), Mute]),
    Member { name: "second-connection-only", first: &[Mute], then: &[GREETED] },
    // Other protocols.
    member("ssh", &[Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Mute]),
    member("ssh-without-line-end", &[Say(b"SSH-2.0-OpenSSH_9.2"), Mute]),
    member("http", &[Record, Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close]),
    member("http-at-once", &[Say(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), Close]),
    member("smtp", &[Say(b"220 mail ESMTP\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"221 bye\r\n"), Close]),
    member("smtp-postfix", &[Say(b"220 mail.example.org ESMTP Postfix\r\n"),
        Repeat(3, &[Line, Say(b"502 5.5.2 Error: command not recognized\r\n")]),
        Line,
        Say(b"221 2.0.0 Bye\r\n"),
        Close]),
    member("telnet-at-once", &[Say(&[0xff, 0xfd, 0x18, 0xff, 0xfd, 0x20, 0xff, 0xfd, 0x23, 0xff, 0xfd, 0x27]), Mute]),
    member("mysql", &[Say(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0AbCdEfGh\0\xff\xf7\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0IjKlMnOpQrSt\0caching_sha2_password\0"), Mute]),
    // TLS at once, or behind the greeting.
    member("implicit-tls12", &[Handshake(TLS12), Say(b"220 ready\r\n"), SESSION]),
    member("implicit-tls13", &[Handshake(TLS13), Say(b"220 ready\r\n"), SESSION]),
    member("implicit-never-greets-tls12", &[Handshake(TLS12), Mute]),
    member("implicit-never-greets-tls13", &[Handshake(TLS13), Mute]),
    member("implicit-421-tls12", &[Handshake(TLS12), Say(b"421 Too many connections\r\n"), CloseNotify, Close]),
    member("implicit-421-tls13", &[Handshake(TLS13), Say(b"421 Too many connections\r\n"), CloseNotify, Close]),
    member("explicit", &[Say(b"220 ready\r\n"),
        When(If::Tls, &[Mute], &[Line, Say(b"234 go ahead\r\n"), Handshake(TLS13), SESSION])]),
    member("zos-after-banner-tls12", &[Say(b"220 ready\r\n"),
        When(If::Tls, &[Handshake(TLS12), SESSION], &[Mute])]),
    member("zos-after-banner-tls13", &[Say(b"220 ready\r\n"),
        When(If::Tls, &[Handshake(TLS13), SESSION], &[Mute])]),
];
