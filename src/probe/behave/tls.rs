//! Answers to a ClientHello: alerts, ends, broken records, hellos that no client takes. Built by hand.

use super::Act::{Answer, Close, Flight, HalfClose, Mute, Pause, Record, Repeat, Reset, Say};
use super::phrases::{HELLO, TLS12, TLS13, YES, member};
use super::{Act, Member, Terms};

/// Members that answer with one alert of this level, and close.
macro_rules! alerts {
    ($name:literal, $level:literal: $($n:literal),+) => {
        &[$(member(concat!($name, stringify!($n)), &[HELLO, Say(&[21, 3, 3, 0, 2, $level, $n]), Close])),+]
    };
}

/// ECDHE_RSA_WITH_AES_128_GCM_SHA256, which everybody offers.
const COMMON: u16 = 0xc02f;

/// A handshake record around messages.
fn record(messages: &[&[u8]]) -> Vec<u8> {
    let body = messages.concat();
    let [high, low] = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[22, 3, 3, high, low][..], &body].concat()
}

/// A ServerHello message with this legacy_version, random, session id, and extensions.
fn hello(version: [u8; 2], random: [u8; 32], session: &[u8], suite: u16, extensions: &[u8]) -> Vec<u8> {
    let len = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_be_bytes();
    let session_len = u8::try_from(session.len()).unwrap_or(u8::MAX);
    let mut body = [&version[..], &random, &[session_len], session, &suite.to_be_bytes(), &[0]].concat();
    if !extensions.is_empty() {
        body.extend(len(extensions.len()));
        body.extend(extensions);
    }
    let [high, low] = len(body.len());
    [&[2, 0, high, low][..], &body].concat()
}

/// The session id of a ClientHello record, to be echoed.
fn session_of(client: &[u8]) -> &[u8] {
    let len = client.get(43).copied().map_or(0, usize::from);
    client.get(44..44 + len).unwrap_or_default()
}

/// A HelloRetryRequest (RFC 8446, 4.1.3) that asks for a share of this group.
fn retry(client: &[u8], group: u16) -> Vec<u8> {
    let random = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
        0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];
    let [high, low] = group.to_be_bytes();
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, high, low];
    record(&[&hello([3, 3], random, session_of(client), 0x1301, &extensions)])
}

fn retry_p256(client: &[u8]) -> Vec<u8> {
    retry(client, 0x0017)
}

/// ffdhe2048, which our client does not offer.
fn retry_ffdhe(client: &[u8]) -> Vec<u8> {
    retry(client, 0x0100)
}

/// A TLS 1.3 ServerHello without a key share.
fn tls13_without_share(client: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], session_of(client), 0x1301, &[0, 43, 0, 2, 3, 4])])
}

/// The same with a share that is no point of any curve.
fn tls13_bad_share(client: &[u8]) -> Vec<u8> {
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 5, 0, 0x1d, 0, 1, 0];
    record(&[&hello([3, 3], [7; 32], session_of(client), 0x1301, &extensions)])
}

fn tls12(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], &[], COMMON, &[])])
}

/// What RFC 8446 has a server write that could do more than the version it chooses.
fn tls12_downgraded(_: &[u8]) -> Vec<u8> {
    let mut random = [7; 32];
    random[24..].copy_from_slice(b"DOWNGRD\x01");
    record(&[&hello([3, 3], random, &[], COMMON, &[])])
}

fn version_of_tomorrow(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 5], [7; 32], &[], COMMON, &[])])
}

fn tls11(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 2], [7; 32], &[], 0xc013, &[])])
}

/// heartbeat, which our client does not offer.
fn unoffered_extension(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], &[], COMMON, &[0, 15, 0, 1, 1])])
}

fn extensions_longer_than_the_hello(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], &[], COMMON, &[0, 23, 0, 9])])
}

fn garbage_behind_the_hello(_: &[u8]) -> Vec<u8> {
    let mut message = hello([3, 3], [7; 32], &[], COMMON, &[0, 23, 0, 0]);
    message.extend([1, 2, 3]);
    if let Some(len) = message.get_mut(3) {
        *len += 3;
    }
    record(&[&message])
}

fn empty_certificate_list(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], &[], COMMON, &[]), &[11, 0, 0, 3, 0, 0, 0], &[14, 0, 0, 0]])
}

fn broken_certificate_list(_: &[u8]) -> Vec<u8> {
    record(&[&hello([3, 3], [7; 32], &[], COMMON, &[]), &[11, 0, 0, 4, 0, 0, 9, 1]])
}

/// DHE with a prime of 512 bits, signed by nobody.
fn small_prime(_: &[u8]) -> Vec<u8> {
    let mut exchange = vec![12, 0, 0, 64 + 2 + 3 + 66 + 4, 0, 64];
    exchange.extend([0xff; 64]);
    exchange.extend([0, 1, 2, 0, 64]);
    exchange.extend([0x55; 64]);
    exchange.extend([4, 1, 0, 0]);
    let certificate = [11, 0, 0, 3, 0, 0, 0];
    record(&[&hello([3, 3], [7; 32], &[], 0x0033, &[]), &certificate, &exchange, &[14, 0, 0, 0]])
}

/// Each byte in a record of its own.
fn hello_in_pieces(client: &[u8]) -> Vec<u8> {
    let whole = tls12(client);
    whole.iter().skip(5).flat_map(|b| [22, 3, 3, 0, 1, *b]).collect()
}

/// What the client said, back to it.
fn echo(client: &[u8]) -> Vec<u8> {
    client.to_vec()
}

fn hello_twice(client: &[u8]) -> Vec<u8> {
    [tls12(client), tls12(client)].concat()
}

pub(super) static MEMBERS: &[Member] = &[
    member("close-notify", &[HELLO, Say(&[21, 3, 3, 0, 2, 1, 0]), Close]),
    member("alert-40-reset", &[HELLO, Say(&[21, 3, 3, 0, 2, 2, 40]), Reset]),
    member("alert-40-two-segments", &[HELLO, Say(&[21, 3, 3]), Pause(50), Say(&[0, 2, 2, 40]), Close]),
    member("alert-40-half", &[HELLO, Say(&[21, 3, 3, 0, 2, 2]), Close]),
    member("alert-in-two-records", &[HELLO, Say(&[21, 3, 3, 0, 1, 2, 21, 3, 3, 0, 1, 40]), Close]),
    member("alerts-in-one-record", &[HELLO, Say(&[21, 3, 3, 0, 4, 1, 112, 2, 40]), Close]),
    member("alert-of-level-3", &[HELLO, Say(&[21, 3, 3, 0, 2, 3, 40]), Close]),
    member("alert-of-ssl3", &[HELLO, Say(&[21, 3, 0, 0, 2, 2, 40]), Close]),
    member("warnings-flood", &[HELLO, Repeat(200, &[Say(&[21, 3, 3, 0, 2, 1, 112])]), Close]),
    member("warning-112-then-alert-40", &[HELLO, Say(&[21, 3, 3, 0, 2, 1, 112]), Say(&[21, 3, 3, 0, 2, 2, 40]), Close]),
    // Ends and silences.
    member("hello-closes", &[HELLO, Close]),
    member("hello-resets", &[HELLO, Reset]),
    member("hello-mute", &[HELLO, Mute]),
    member("hello-half-closes", &[HELLO, HalfClose, Mute]),
    member("half-a-record", &[HELLO, Say(&[22, 3, 3, 0, 90, 2, 0, 0]), Close]),
    member("half-a-record-mute", &[HELLO, Say(&[22, 3, 3, 0, 90, 2, 0, 0]), Mute]),
    member("half-a-header", &[HELLO, Say(&[22, 3]), Close]),
    member("server-hello-closes", &[YES, Answer(tls12), Close]),
    member("server-hello-resets", &[YES, Answer(tls12), Reset]),
    member("server-hello-mute", &[YES, Answer(tls12), Mute]),
    member("server-hello-alert-40", &[YES, Answer(tls12), Say(&[21, 3, 3, 0, 2, 2, 40]), Close]),
    member("server-hello-in-pieces", &[YES, Answer(hello_in_pieces), Close]),
    // What breaks the rules of TLS.
    member("record-version-9", &[HELLO, Say(&[22, 3, 9, 0, 2, 2, 40]), Close]),
    member("record-version-2-0", &[HELLO, Say(&[22, 2, 0, 0, 2, 2, 40]), Close]),
    member("record-type-99", &[HELLO, Say(&[99, 3, 3, 0, 2, 2, 40]), Close]),
    member("record-too-long", &[HELLO, Say(&[22, 3, 3, 0xff, 0xff, 2, 0]), Close]),
    member("message-too-long", &[HELLO, Say(&[22, 3, 3, 0, 6, 2, 0xff, 0xff, 0xff, 3, 3]), Close]),
    member("message-cut-by-alert", &[HELLO, Say(&[22, 3, 3, 0, 6, 2, 0, 0, 38, 3, 3, 21, 3, 3, 0, 2, 2, 80]), Close]),
    member("empty-record", &[HELLO, Say(&[22, 3, 3, 0, 0]), Close]),
    member("empty-records-flood", &[HELLO, Repeat(40, &[Say(&[22, 3, 3, 0, 0])]), Close]),
    member("random-bytes", &[HELLO, Say(&[0x80, 0x01, 0x99, 0xfe, 0x00, 0x07]), Close]),
    member("random-bytes-mute", &[HELLO, Say(&[0x80, 0x01, 0x99, 0xfe, 0x00, 0x07]), Mute]),
    member("zeros", &[HELLO, Say(&[0; 64]), Close]),
    member("ones", &[HELLO, Say(&[0xff; 64]), Close]),
    member("heartbeat", &[HELLO, Say(&[24, 3, 3, 0, 3, 1, 0, 0]), Close]),
    member("application-data", &[HELLO, Say(&[23, 3, 3, 0, 4, 1, 2, 3, 4]), Close]),
    member("change-cipher-spec", &[HELLO, Say(&[20, 3, 3, 0, 1, 1]), Close]),
    member("change-cipher-spec-flood", &[HELLO, Repeat(100, &[Say(&[20, 3, 3, 0, 1, 1])]), Close]),
    member("sslv2-server-hello", &[HELLO, Say(b"\x80\x1f\x04\0\x01\0\x02\0\0\0\0\0\x10abcdefghijklmnop..."), Close]),
    member("sslv2-client-hello", &[HELLO, Say(b"\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10\0\0\x04\0\0\x05\0\0\x0a\0\0\x2f\0\0\x35\0\0\x39\0\0\xff0123456789abcdef"), Close]),
    // Messages out of place.
    member("hello-request", &[HELLO, Say(&[22, 3, 3, 0, 4, 0, 0, 0, 0]), Close]),
    member("finished-first", &[HELLO, Say(&[22, 3, 3, 0, 16, 20, 0, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), Close]),
    member("server-starts-as-client", &[HELLO, Say(CLIENT_HELLO), Close]),
    member("echo", &[Answer(echo), Mute]),
    member("hello-echoed", &[YES, Answer(echo), Close]),
    member("server-hello-twice", &[YES, Answer(hello_twice), Close]),
    // Answers that our client does not take.
    member("server-hello-tls10", &[HELLO, Say(b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close]),
    member("server-hello-ssl3", &[HELLO, Say(b"\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close]),
    member("suite-not-offered", &[HELLO, Say(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close]),
    member("compression", &[HELLO, Say(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xc0\x2f\x01"), Close]),
    member("server-hello-tls11", &[YES, Answer(tls11), Close]),
    member("server-hello-version-0305", &[YES, Answer(version_of_tomorrow), Close]),
    member("downgraded", &[YES, Answer(tls12_downgraded), Close]),
    member("unoffered-extension", &[YES, Answer(unoffered_extension), Close]),
    member("extensions-too-long", &[YES, Answer(extensions_longer_than_the_hello), Close]),
    member("garbage-behind-hello", &[YES, Answer(garbage_behind_the_hello), Close]),
    member("empty-certificate-list", &[YES, Answer(empty_certificate_list), Close]),
    member("broken-certificate-list", &[YES, Answer(broken_certificate_list), Close]),
    member("small-prime", &[YES, Answer(small_prime), Close]),
    member("tls13-without-share", &[YES, Answer(tls13_without_share), Close]),
    member("tls13-bad-share", &[YES, Answer(tls13_bad_share), Close]),
    member("retry-group-not-offered", &[YES, Answer(retry_ffdhe), Close]),
    member("retry-twice", &[YES, Answer(retry_p256), Record, Answer(retry_p256), Close]),
];

pub(super) static ALERTS: &[Member] = alerts!(
    "alert-", 2: 0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109,
    110, 111, 112, 113, 114, 115, 116, 117, 120, 121, 238
);

pub(super) static WARNINGS: &[Member] = alerts!("warning-", 1: 41, 42, 90, 100, 112);

/// A ClientHello of TLS 1.2 with one suite.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xc0\x2f\x01\0";

pub(super) static BOTH: &[[Member; 2]] = &[
    // Behind the server's first flight: in TLS 1.3 the client holds the handshake for complete by then.
    both!("flight-then-closes", T => YES, Flight(T), Record, Close),
    both!("flight-then-resets", T => YES, Flight(T), Record, Reset),
    both!("flight-then-mute", T => YES, Flight(T), Record, Mute),
];
