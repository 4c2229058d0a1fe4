//! What servers write leads to the cause they mean: in clear instead of TLS, behind an alert, and in a refusal of AUTH.

mod common;

use ftpsdiag::report::Report;
use ftpsdiag::transcript::dialogue;

/// TLS 1.2 with ECDHE suites, two groups, three signature algorithms and a name: nothing in it explains a refusal.
const MODERN: &str = "160301005f0100005b0303603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d000004c030c0\
                      2f0100002e00000014001200000f6674702e6578616d706c652e6f7267000a00060004001d0017000d00080006040308040401";

/// TLS 1.0 alone.
const OLD: &str =
    "160301002f0100002b0301603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d000004 0035 002f 0100";

/// Words of servers and libraries, and what they mean.
const WORDS: &[(&str, &str)] = &[
    ("500 OOPS: error:0A0000C1:SSL routines::no shared cipher", "no-shared-cipher"),
    ("500 OOPS: error:1408A0C1:SSL routines:SSL3_GET_CLIENT_HELLO:no shared cipher", "no-shared-cipher"),
    ("550 error:0A000065:SSL routines::no suitable key share", "no-shared-group"),
    ("550 error:0A000076:SSL routines::no suitable signature algorithm", "missing-signature-algorithms"),
    ("550 error:0A000178:SSL routines::no shared signature algorithms", "missing-signature-algorithms"),
    ("550 error:0A000070:SSL routines::missing sigalgs extension", "missing-signature-algorithms"),
    ("421 Negotiation failed: dh key too small", "dh-too-small"),
    ("500 OOPS: error:0A0000C7:SSL routines::peer did not return a certificate", "client-certificate-missing"),
    ("431 Could not initialize SSL connection", "server-tls-not-initialised"),
    ("550 Cannot get a TLS config: no certificate", "server-tls-not-initialised"),
    ("500 OOPS: SSL: cannot load RSA private key", "server-tls-not-initialised"),
    ("421 TLS handshake timed out", "server-handshake-timeout"),
    ("550 TLS handshake failed", "server-tls-not-initialised"),
];

fn behind_hello(hello: &str, answer: &str) -> Report {
    let play = format!(
        "0 open\n5 S \"220 ready\\r\\n\"\n6 C \"AUTH TLS\\r\\n\"\n9 S \"234 go ahead\\r\\n\"\n10 C {hello}\n20 S {answer}\n21 S closes\n"
    );
    common::report(&dialogue::parse(&play).unwrap())
}

#[test]
fn words_instead_of_tls() {
    for (text, cause) in WORDS {
        let r = behind_hello(MODERN, &format!("\"{text}\\r\\n\""));
        assert_eq!(r.verdict.by.as_deref(), Some("plaintext-instead-of-tls"), "{text}");
        assert_eq!(r.verdict.cause.as_deref(), Some(*cause), "{text}");
    }
}

#[test]
fn words_behind_an_alert() {
    for (text, cause) in WORDS.iter().filter(|(text, _)| !text.ends_with("TLS handshake failed")) {
        let r = behind_hello(MODERN, &format!("15030300020250 \"{text}\\r\\n\""));
        assert_eq!(r.verdict.by.as_deref(), Some("fatal-alert"), "{text}");
        assert_eq!(r.verdict.cause.as_deref(), Some(*cause), "{text}");
    }
}

#[test]
fn words_about_versions_need_an_old_hello() {
    for text in ["550 unsupported protocol", "550 version too low", "500 OOPS: unknown protocol"] {
        let old = behind_hello(OLD, &format!("\"{text}\\r\\n\""));
        assert_eq!(old.verdict.cause.as_deref(), Some("client-tls-version-refused"), "{text}");
        let modern = behind_hello(MODERN, &format!("\"{text}\\r\\n\""));
        assert_ne!(modern.verdict.cause.as_deref(), Some("client-tls-version-refused"), "{text}");
    }
}

#[test]
fn words_of_a_refused_auth() {
    for (reply, cause) in [
        ("504 TLS handshaking failed!", "server-tls-not-initialised"),
        ("550 Cannot get a TLS config: open cert.pem", "server-tls-not-initialised"),
        ("431 Requested security mechanism not available at this time.", "server-tls-not-initialised"),
        ("502 TLS/SSL not configured", "server-tls-not-initialised"),
        ("534 Local policy on server does not allow TLS secure connections.", "server-policy"),
        ("530 Please login with USER and PASS.", "server-tls-disabled"),
        ("500 AUTH not understood", "server-tls-disabled"),
        ("421 Too many connections", "connection-limit"),
    ] {
        let play =
            format!("0 open\n5 S \"220 ready\\r\\n\"\n6 C \"AUTH TLS\\r\\n\"\n9 S \"{reply}\\r\\n\"\n10 S closes\n");
        let r = common::report(&dialogue::parse(&play).unwrap());
        assert_eq!(r.verdict.by.as_deref(), Some("auth-refused"), "{reply}");
        assert_eq!(r.verdict.cause.as_deref(), Some(cause), "{reply}");
    }
}

#[test]
fn alerts_of_the_hello_itself() {
    // Measured with OpenSSL 3.0: one thing changed in a hello that is let in, and the alert that came.
    let sha1_only = MODERN.replace("000d00080006040308040401", "000d00080006020102030202");
    let no_schemes = "16030100530100004f0303603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c\
                      56c20d000004c030c02f0100002200000014001200000f6674702e6578616d706c652e6f7267000a00060004001d0017"
        .to_owned();
    let odd_group = MODERN.replace("000a00060004001d0017", "000a0006000400130001");
    for (what, hello, alert, cause) in [
        ("SHA-1 alone", &sha1_only, 40, "missing-signature-algorithms"),
        ("no signature algorithms", &no_schemes, 40, "missing-signature-algorithms"),
        ("no signature algorithms, TLS 1.3's alert", &no_schemes, 109, "missing-signature-algorithms"),
        ("odd groups", &odd_group, 40, "no-shared-group"),
        ("nothing odd", &MODERN.to_owned(), 40, "no-shared-cipher"),
    ] {
        let r = behind_hello(hello, &format!("1503030002 02{alert:02x}"));
        assert_eq!(r.verdict.cause.as_deref(), Some(cause), "{what}: {}", r.verdict.headline);
    }
}

/// Return codes by themselves: who says them (`c`, `s`), what, and the verdict.
const RETURN_CODES: &[(&str, &str, &str)] = &[
    ("c", "gsk 202", "client-tls-not-initialised likely client <- key-ring-unusable likely"),
    ("s", "gsk 202", "handshake-refused-by-server likely server <- key-ring-unusable likely"),
    ("c", "gsk 428", "handshake-refused-by-client likely client <- private-key-unusable likely"),
    ("c", "gsk 456", "handshake-refused-by-client likely client <- private-key-unusable likely"),
    ("s", "gsk 456", "handshake-refused-by-server likely server <- private-key-unusable likely"),
    (
        "c",
        "at-tls 5006",
        "client-tls-not-initialised likely client <- key-ring-unusable possible, attls-policy-missing possible",
    ),
    (
        "s",
        "at-tls 5006",
        "handshake-refused-by-server likely server <- key-ring-unusable possible, attls-policy-missing possible",
    ),
    ("c", "at-tls 5018", "client-tls-not-initialised likely client <- attls-policy-missing likely"),
    ("s", "at-tls 5018", "handshake-refused-by-server likely server <- attls-policy-missing likely"),
    ("c", "message \"EZD2042I\"", "client-tls-not-initialised likely client <- attls-policy-missing likely"),
    ("s", "message \"EZD2042I\"", "handshake-refused-by-server likely server <- attls-policy-missing likely"),
    ("c", "gsk 402", "handshake-refused-by-client likely unknown <- no-shared-cipher likely"),
    ("s", "gsk 402", "handshake-refused-by-server likely unknown <- no-shared-cipher likely"),
    ("c", "gsk 412", "handshake-refused-by-client likely unknown <- client-tls-version-refused likely"),
    ("s", "gsk 446", "handshake-refused-by-server likely unknown <- client-tls-version-refused possible"),
    ("c", "gsk 406", "handshake-refused-by-client likely unknown <- middlebox-closed possible"),
    ("s", "gsk 406", "handshake-refused-by-server likely unknown"),
    ("c", "gsk 446", "handshake-refused-by-client likely unknown <- client-tls-version-refused possible"),
    ("s", "gsk 420", "handshake-refused-by-server likely unknown"),
    ("c", "gsk 438", "handshake-refused-by-client likely unknown"),
    ("s", "gsk 438", "handshake-refused-by-server likely client"),
    ("c", "gsk 8", "certificate-untrusted likely client <- unknown-ca possible"),
    ("c", "gsk 435", "certificate-untrusted likely client <- unknown-ca likely"),
    ("c", "cms 03353024", "certificate-untrusted likely client <- unknown-ca likely"),
    ("s", "gsk 435", "client-certificate-refused likely unknown <- client-certificate-issuer-unknown likely"),
    ("c", "gsk 401", "certificate-expired likely server <- clock-wrong possible"),
    ("s", "gsk 401", "client-certificate-refused likely unknown"),
    ("c", "gsk 431", "certificate-revoked likely server"),
    ("s", "gsk 431", "client-certificate-refused likely client"),
    ("c", "gsk 467", "handshake-refused-by-client likely client <- missing-signature-algorithms likely"),
    ("s", "gsk 468", "handshake-refused-by-server likely unknown <- missing-signature-algorithms likely"),
    ("c", "gsk 508", "certificate-weak likely server"),
    ("s", "gsk 508", "client-certificate-refused likely client"),
    ("s", "gsk 403", "client-certificate-required likely client <- client-certificate-missing likely"),
    ("s", "at-tls 5001", "client-certificate-required likely client <- client-certificate-missing likely"),
    ("s", "at-tls 5002", "client-certificate-refused likely client <- server-policy likely"),
    ("c", "at-tls 5003", "plaintext-instead-of-tls likely unknown <- attls-policy-missing likely, wrong-mode possible"),
    ("s", "at-tls 5003", "plaintext-instead-of-tls likely unknown <- wrong-mode likely"),
    ("c", "at-tls 5004", "silence-during-handshake likely unknown <- middlebox-closed possible, wrong-mode possible"),
    (
        "s",
        "at-tls 5004",
        "silence-during-handshake likely unknown <- attls-policy-missing possible, middlebox-closed possible",
    ),
    ("c", "gsk 4294967274", "closed-during-handshake likely unknown"),
    ("s", "gsk 4294967274", "closed-during-handshake likely unknown"),
];

#[test]
fn return_codes_say_something_else_at_each_end() {
    for (side, code, expected) in RETURN_CODES {
        let end = if *side == "c" { "client" } else { "server" };
        let play = format!("- \"AT-TLS at the {end}, job JOB1\" says {code} \"Initial Handshake\"\n");
        let r = common::report(&dialogue::parse(&play).unwrap());
        assert_eq!(common::verdict(&r), format!("fails {expected}"), "{end}: {code}");
        // The other end is never made to speak.
        let other = if *side == "c" { "handshake-refused-by-server" } else { "handshake-refused-by-client" };
        assert!(r.findings.iter().chain(&r.consequences).all(|f| f.id != other), "{end}: {code}");
        assert!(r.findings.iter().all(|f| f.confidence != ftpsdiag::rules::Confidence::Certain), "{end}: {code}");
    }
}

#[test]
fn codes_without_a_public_meaning_decide_nothing() {
    for rc in [5005, 5007, 5017, 5019, 5031, 6001, 6999] {
        for end in ["client", "server"] {
            let play = format!("- \"AT-TLS at the {end}, job JOB1\" says at-tls {rc} \"Initial Handshake\"\n");
            let r = common::report(&dialogue::parse(&play).unwrap());
            assert_eq!(common::verdict(&r), "inconclusive", "{end}: {rc}");
            assert!(r.verdict.headline.contains(&rc.to_string()), "{}", r.verdict.headline);
        }
    }
}

#[test]
fn words_give_way_to_a_handshake_that_completed() {
    for code in ["gsk 401", "gsk 435", "gsk 508", "at-tls 5003", "at-tls 5004", "gsk 4294967274", "at-tls 5001"] {
        for end in ["client", "server"] {
            let play = format!(
                "0 open\n1 S \"220 ready\\r\\n\"\n2 C \"AUTH TLS\\r\\n\"\n3 S \"234 go\\r\\n\"\n4 C starts-tls\n\
                 5 S* established 0303 C030\n6 C* \"QUIT\\r\\n\"\n7 S* \"221 bye\\r\\n\"\n\
                 8 \"AT-TLS at the {end}, job JOB1\" says {code} \"Connection Close\"\n9 C closes\n"
            );
            let r = common::report(&dialogue::parse(&play).unwrap());
            assert_eq!(common::verdict(&r), "works", "{end}: {code}");
        }
    }
}

#[test]
fn what_at_tls_says_of_later_is_no_handshake() {
    for code in ["gsk 406", "gsk 401", "gsk 435", "gsk 4294967274", "at-tls 5003", "at-tls 5004"] {
        for (end, event) in [("client", "Connection Close"), ("server", "Data Decryption")] {
            let play = format!("- \"AT-TLS at the {end}, job JOB1\" says {code} \"{event}\"\n");
            let r = common::report(&dialogue::parse(&play).unwrap());
            assert_eq!(common::verdict(&r), "inconclusive", "{end}: {code}");
        }
    }
}

#[test]
fn the_first_code_decides_and_echoes_do_not() {
    let verdict = |claims: &[&str]| {
        let play: String = claims.iter().map(|c| format!("- \"AT-TLS at the client, job JOB1\" says {c}\n")).collect();
        let r = common::report(&dialogue::parse(&play).unwrap());
        r.verdict.by.unwrap_or_default()
    };
    let (silent, io) = ("at-tls 5004 \"Initial Handshake\"", "gsk 406 \"Initial Handshake\"");
    assert_eq!(verdict(&[silent, io]), "silence-during-handshake");
    assert_eq!(verdict(&[io, silent]), "silence-during-handshake");
    assert_eq!(verdict(&[io]), "handshake-refused-by-client");
    let (ring, environment) = ("gsk 202 \"Environment Init\"", "at-tls 5006 \"Initial Handshake\"");
    assert_eq!(verdict(&[environment, ring]), "client-tls-not-initialised");
    // A refusal that came first is not made something else by what came of it.
    assert_eq!(verdict(&["gsk 402 \"Initial Handshake\"", silent]), "handshake-refused-by-client");
    assert_eq!(verdict(&["gsk 8 \"\"", "cms 03353041 \"revoked\""]), "certificate-revoked");
}
