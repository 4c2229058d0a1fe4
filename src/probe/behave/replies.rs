//! Yes to AUTH in ways that clients do not expect, and then a handshake that works; and servers that are choosy about hellos.

use super::Act::{Close, Handshake, Hello, Line, Mute, Pause, Reset, Say, When};
use super::phrases::{AUTH, SESSION, TLS12, TLS13, YES, member};
use super::{Act, If, Member};

/// A member that says yes to AUTH like this, and whose handshake then works.
macro_rules! accepts {
    ($name:literal, $($reply:expr),+) => {
        member($name, &[AUTH, $(Say($reply)),+, Handshake(TLS13), SESSION])
    };
}

const ALERT_40: Act = Say(&[21, 3, 3, 0, 2, 2, 40]);
const ALERT_70: Act = Say(&[21, 3, 3, 0, 2, 2, 70]);
const ALERT_112: Act = Say(&[21, 3, 3, 0, 2, 2, 112]);
const SESSION_TLS12: &[Act] = &[Handshake(TLS12), SESSION];
const SESSION_TLS13: &[Act] = &[Handshake(TLS13), SESSION];

/// supported_versions, the extension that TLS 1.3 adds.
const VERSIONS: u16 = 43;

/// A ServerHello: this version and suite, no extensions.
const HELLO_DHE: Act = Say(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x9f\0");
const HELLO_ECDHE: Act = Say(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xc0\x2f\0");
const HELLO_TLS10: Act = Say(b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0");

pub(super) static MEMBERS: &[Member] = &[
    accepts!("yes-234", b"234 go ahead\r\n"),
    accepts!("yes-200", b"200 AUTH command ok; starting SSL connection...\r\n"),
    accepts!("yes-250", b"250 ok\r\n"),
    accepts!("yes-334", b"334 go on\r\n"),
    accepts!("yes-bare", b"234\r\n"),
    accepts!("yes-lf", b"234 go ahead\n"),
    accepts!("yes-multi-line", b"234-go\r\n or not\r\n234 ahead\r\n"),
    accepts!("yes-behind-text", b"one moment\r\n", b"234 go ahead\r\n"),
    accepts!("yes-behind-100", b"100 one moment\r\n", b"234 go ahead\r\n"),
    accepts!("yes-in-pieces", b"2", b"34 go ", b"ahead\r", b"\n"),
    member(
        "yes-to-ssl-only",
        &[AUTH, Say(b"504 no TLS\r\n"), Line, Say(b"234 go ahead\r\n"), Handshake(TLS12), SESSION],
    ),
    // The server name.
    member("sni-required-tls12", &[YES, When(If::Named, SESSION_TLS12, &[ALERT_112, Close])]),
    member("sni-required-tls13", &[YES, When(If::Named, SESSION_TLS13, &[ALERT_112, Close])]),
    member("sni-required-closes", &[YES, When(If::Named, SESSION_TLS13, &[Close])]),
    member("sni-refused-tls12", &[YES, When(If::Named, &[ALERT_112, Close], SESSION_TLS12)]),
    member("sni-refused-tls13", &[YES, When(If::Named, &[ALERT_112, Close], SESSION_TLS13)]),
    member("sni-refused-closes", &[YES, When(If::Named, &[Close], SESSION_TLS12)]),
    // Long hellos: ours is short, that of a client with post-quantum key shares is not.
    member("big-hello-resets", &[YES, When(If::Longer(1_400), &[Reset], SESSION_TLS13)]),
    member("big-hello-mute", &[YES, When(If::Longer(1_400), &[Mute], SESSION_TLS13)]),
    member("any-hello-too-big", &[YES, When(If::Longer(40), &[Reset], SESSION_TLS12)]),
    // What is offered.
    member("tls13-intolerant-closes", &[YES, When(If::Carries(VERSIONS), &[Close], &[Hello, HELLO_ECDHE, Close])]),
    member("tls13-intolerant-resets", &[YES, When(If::Carries(VERSIONS), &[Reset], &[Hello, HELLO_ECDHE, Close])]),
    member("tls13-intolerant-mute", &[YES, When(If::Carries(VERSIONS), &[Mute], &[Hello, HELLO_ECDHE, Close])]),
    member(
        "tls13-intolerant-alert-70",
        &[YES, When(If::Carries(VERSIONS), &[ALERT_70, Close], &[Hello, HELLO_ECDHE, Close])],
    ),
    member("old-suites-only", &[YES, When(If::Offers(0x009f), &[HELLO_DHE, Close], &[ALERT_40, Close])]),
    member("old-suites-only-closes", &[YES, When(If::Offers(0x009f), &[HELLO_DHE, Close], &[Close])]),
    member(
        "old-suites-only-text",
        &[YES, When(If::Offers(0x009f), &[HELLO_DHE, Close], &[Say(b"550 no shared cipher\r\n"), Close])],
    ),
    member(
        "tls10-only",
        &[
            YES,
            When(
                If::Offers(0x0005),
                &[When(If::Offers(0x009f), &[ALERT_70, Close], &[HELLO_TLS10, Close])],
                &[ALERT_70, Close],
            ),
        ],
    ),
    // One that answers a first connection only.
    Member {
        name: "limit-on-second-connection",
        first: &[YES, Hello, ALERT_40, Close],
        then: &[Say(b"421 Too many connections\r\n"), Close],
    },
    // A handshake that takes its time.
    member("handshake-late", &[YES, Hello, Pause(400), Handshake(TLS13), SESSION]),
    member("handshake-too-late", &[YES, Hello, Pause(2_000), Handshake(TLS13), SESSION]),
];
