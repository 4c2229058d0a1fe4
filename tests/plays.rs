//! Every turn that the prober's conversation can take, as a play.
#![cfg(feature = "live")]

mod common;
#[path = "plays/stage.rs"]
mod stage;

use std::sync::Arc;

use ftpsdiag::probe::{Identity, Patience, Plan, ServerName, Session, TlsClient, Where};
use ftpsdiag::report::Report;
use ftpsdiag::transcript::{Asked, Close, ConnId, Decrypted, Mode, OpenFailure, Side, Transcript, What, Why, dialogue};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, SupportedProtocolVersion};
use stage::{ms, play};

const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn plan(mode: Mode, port: u16) -> Plan {
    let address = Where::Address(([192, 0, 2, 7], port).into());
    Plan {
        asked: Asked { target: format!("ftp.example.org:{port}"), mode, ..Asked::default() },
        host: "ftp.example.org".to_owned(),
        port,
        to: Ok(vec![address]),
        server_name: ServerName::Send("ftp.example.org".to_owned()),
        tls: TlsClient::new(None).unwrap(),
        patience: Patience::default(),
        random: [7; 32],
        login: None,
    }
}

fn explicit() -> Session {
    Session::new(plan(Mode::Explicit, 21))
}

fn auto(port: u16) -> Session {
    Session::new(plan(Mode::Auto, port))
}

/// A server's certificate, and what it demands of clients.
fn server(
    versions: &[&'static SupportedProtocolVersion],
    client_ca: Option<&CertificateDer<'static>>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["ftp.example.org".to_owned()]).unwrap().self_signed(&key).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(ca.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config =
        builder.with_single_cert(vec![cert.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    Arc::new(config.unwrap())
}

/// An authority, and a client certificate that it issued.
fn client_ca() -> (CertificateDer<'static>, Identity) {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["client".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let identity = Identity { chain: vec![cert.der().to_vec()], key: key.serialize_der() };
    (ca.der().clone(), identity)
}

fn report(mut t: Transcript, mode: Mode) -> Report {
    t.origin.asked = Some(Asked { target: "ftp.example.org:21".to_owned(), mode, ..Asked::default() });
    let report = common::report(&t);
    assert_eq!(dialogue::parse(&dialogue::write(&t)).unwrap().entries, t.entries, "the play reads back");
    report
}

fn seen(t: &Transcript) -> Vec<&Decrypted> {
    t.entries
        .iter()
        .filter_map(|e| match &e.what {
            What::Decrypted { seen, .. } => Some(seen),
            _ => None,
        })
        .collect()
}

#[test]
fn a_healthy_server_with_tls13() {
    let t = to_handshake(play(explicit()), &server(TLS13, None))
        .client_inside("FEAT")
        .server_inside("211-Features:\r\n PBSZ\r\n211 End")
        .client_inside("PBSZ 0")
        .server_inside("200 PBSZ=0")
        .client_inside("PROT P")
        .server_inside("200 Private")
        .client_inside("QUIT")
        .server_inside("221 Bye")
        .took(8)
        .hangs_up()
        .ends();
    assert!(matches!(
        seen(&t)[..],
        [Decrypted::Certificates { .. }, Decrypted::Established { version: 0x0304, .. }, ..]
    ));
}

/// From the greeting to the end of the handshake.
fn to_handshake(stage: stage::Play, config: &Arc<ServerConfig>) -> stage::Play {
    stage.dials("192.0.2.7:21").opens().server("220 ready").client("AUTH TLS").server("234 go ahead").handshake(config)
}

/// The rest of a healthy conversation.
fn to_the_end(stage: stage::Play) -> stage::Play {
    stage
        .client_inside("FEAT")
        .server_inside("211-Features:\r\n PBSZ\r\n211 End")
        .client_inside("PBSZ 0")
        .server_inside("200 PBSZ=0")
        .client_inside("PROT P")
        .server_inside("200 Private")
        .client_inside("QUIT")
        .server_inside("221 Bye")
}

/// A session whose hello went out.
fn to_hello() -> stage::Play {
    play(explicit())
        .dials("192.0.2.7:21")
        .opens()
        .server("220 ready")
        .client("AUTH TLS")
        .server("234 go ahead")
        .client_hello()
}

/// No question is answered: the connection is refused.
fn nobody_answers_questions(mut stage: stage::Play, questions: u32) -> Transcript {
    for _ in 0..questions {
        stage = stage.dials("192.0.2.7:21").fails_to_open(OpenFailure::Refused);
    }
    stage.ends()
}

#[test]
fn round_trips_of_tls12_and_tls13() {
    // TCP, greeting, AUTH, handshake (2 in TLS 1.2, 1 in TLS 1.3), FEAT, PBSZ, PROT, QUIT.
    for (versions, round_trips) in [(TLS12, 9), (TLS13, 8)] {
        let stage = to_handshake(play(explicit()), &server(versions, None));
        to_the_end(stage).took(round_trips).hangs_up().ends();
    }
}

#[test]
fn a_server_that_speaks_byte_by_byte() {
    for versions in [TLS12, TLS13] {
        let whole = to_the_end(to_handshake(play(explicit()), &server(versions, None))).hangs_up().ends();
        let cut = to_the_end(to_handshake(play(explicit()).in_pieces_of(1), &server(versions, None))).hangs_up().ends();
        let (whole, cut) = (report(whole, Mode::Explicit), report(cut, Mode::Explicit));
        assert_eq!(whole.verdict, cut.verdict);
        let kinds = |r: &Report| r.events.iter().map(|e| e.kind.clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&whole).len(), kinds(&cut).len());
    }
}

#[test]
fn a_greeting_of_two_hundred_lines() {
    let mut stage = play(explicit()).dials("192.0.2.7:21").opens();
    for n in 0..200 {
        stage = stage.server(&format!("220-line {n}")).silence();
    }
    stage.server("220 that was it").client("AUTH TLS").server("421 busy").hangs_up().ends();
}

#[test]
fn a_server_that_will_be_ready_in_a_minute() {
    play(explicit())
        .dials("192.0.2.7:21")
        .opens()
        .server("120 ready in 1 minute")
        .silence()
        .server("220 now")
        .client("AUTH TLS")
        .server("421 busy")
        .hangs_up()
        .ends();
}

#[test]
fn a_greeting_that_refuses_gets_no_command() {
    let t = play(explicit()).dials("192.0.2.7:21").opens().server("421 too many").silence().hangs_up().ends();
    assert!(!t.entries.iter().any(|e| matches!(e.what, What::Bytes { from: Side::Client, .. })));
}

#[test]
fn auth_ssl_after_auth_tls_was_refused() {
    play(explicit())
        .dials("192.0.2.7:21")
        .opens()
        .server("220 ready")
        .client("AUTH TLS")
        .server("504 what?")
        .client("AUTH SSL")
        .server("334 go ahead")
        .client_hello()
        .hangs_up()
        .dials("192.0.2.7:21")
        .fails_to_open(OpenFailure::Refused)
        .dials("192.0.2.7:21")
        .fails_to_open(OpenFailure::Refused)
        .dials("192.0.2.7:21")
        .fails_to_open(OpenFailure::Refused)
        .ends();
}

#[test]
fn auth_refused_twice_asks_for_feat_and_leaves() {
    let t = play(explicit())
        .dials("192.0.2.7:21")
        .opens()
        .server("220 ready")
        .client("AUTH TLS")
        .server("500 no")
        .client("AUTH SSL")
        .server("500 no")
        .client("FEAT")
        .server("211-Features\r\n AUTH TLS\r\n211 End")
        .client("QUIT")
        .server("221 Bye")
        .nothing_for(ms(500))
        .ends();
    assert_eq!(
        common::verdict(&report(t, Mode::Explicit)).split(" <-").next(),
        Some("fails auth-refused certain server")
    );
}

#[test]
fn a_server_without_room_is_left_alone() {
    play(explicit())
        .dials("192.0.2.7:21")
        .opens()
        .server("220 ready")
        .client("AUTH TLS")
        .server("421 too many connections")
        .silence()
        .nothing_for(ms(500))
        .client_closes()
        .ends();
}

#[test]
fn last_words_are_waited_for() {
    for pieces in [1, 3, 1000] {
        let stage = to_hello().in_pieces_of(pieces).server_bytes(b"55").silence().nothing_for(ms(400)).silence();
        let stage = stage.server_bytes(b"0 TLS handshake failed\r\n").nothing_for(ms(499)).silence().nothing_for(ms(1));
        let t = nobody_answers_questions(stage.client_closes(), 3);
        let r = report(t, Mode::Explicit);
        assert!(
            common::verdict(&r).starts_with("fails plaintext-instead-of-tls certain server"),
            "{}",
            common::verdict(&r)
        );
        assert_eq!(r.findings[0].data["text"], "550 TLS handshake failed");
    }
}

#[test]
fn words_without_end_are_not_waited_for() {
    let mut stage = to_hello().server("550 first");
    for _ in 0..24 {
        stage = stage.nothing_for(ms(400)).silence().server("550 and another");
    }
    // Ten seconds after the first byte that was no TLS the step is over.
    nobody_answers_questions(stage.nothing_for(ms(400)).client_closes(), 3);
}

#[test]
fn alert_and_text_may_share_a_segment_or_not() {
    for pieces in [2, 1000] {
        let stage =
            to_hello().in_pieces_of(pieces).server_bytes(b"\x15\x03\x03\x00\x02\x02\x28550 TLS handshake failed\r\n");
        let r = report(nobody_answers_questions(stage.hangs_up(), 5), Mode::Explicit);
        assert!(common::verdict(&r).starts_with("fails fatal-alert certain server"), "{}", common::verdict(&r));
        assert_eq!(r.findings[0].data["text"], "550 TLS handshake failed\\r\\n");
    }
}

#[test]
fn an_end_at_every_step_is_the_end() {
    for how in [Close::Fin, Close::Reset, Close::Unknown] {
        let opened = || play(explicit()).dials("192.0.2.7:21").opens();
        opened().server_closes(how).ends();
        opened().server_bytes(b"220 hal").server_closes(how).ends();
        opened().server("220 ready").client("AUTH TLS").server_closes(how).ends();
        nobody_answers_questions(to_hello().server_closes(how), 3);
        nobody_answers_questions(to_hello().server_bytes(b"\x16\x03").server_closes(how), 3);
        to_handshake(play(explicit()), &server(TLS12, None)).server_closes(how).ends();
        to_handshake(play(explicit()), &server(TLS13, None)).client_inside("FEAT").server_closes(how).ends();
    }
}

#[test]
fn silence_at_every_step_is_waited_for_once() {
    let long = ms(10_000);
    let silent = |t: &Transcript| {
        t.entries.iter().any(|e| matches!(e.what, What::TimedOut { after, .. } if after == ms(10_000)))
    };
    let opened = || play(explicit()).dials("192.0.2.7:21").opens();
    let t = opened().server("220 ready").client("AUTH TLS").nothing_for(long).client_closes().ends();
    assert!(silent(&t));
    let t = nobody_answers_questions(to_hello().nothing_for(long).client_closes(), 3);
    assert!(silent(&t));
    let stage = to_handshake(play(explicit()), &server(TLS12, None)).client_inside("FEAT");
    assert!(silent(&stage.nothing_for(long).client_closes().ends()));
}

#[test]
fn a_server_that_drips_gets_its_step_and_no_more() {
    let mut stage = play(explicit()).dials("192.0.2.7:21").opens();
    for _ in 0..9 {
        stage = stage.nothing_for(ms(1_100)).server_bytes(b"2").silence();
    }
    let t = stage.nothing_for(ms(100)).client_closes().ends();
    assert!(!t.entries.iter().any(|e| matches!(e.what, What::TimedOut { .. })), "it was not silent");
}

#[test]
fn an_endless_greeting_is_cut() {
    let stage = play(explicit()).dials("192.0.2.7:21").opens().server_bytes(&vec![b'x'; 256 * 1024]).silence();
    stage.server_bytes(b"xx").client_closes().ends();
    let stage = play(explicit()).dials("192.0.2.7:21").opens().in_pieces_of(100);
    let lines = "220-and so on\r\n".repeat(20_000);
    stage.server_bytes(lines.as_bytes()).client_closes().ends();
}

#[test]
fn the_end_of_the_run_says_what_was_seen() {
    let t = play(explicit()).dials("192.0.2.7:21").opens().server("220 ready").client("AUTH TLS").stop().ends();
    assert!(matches!(t.entries.last().map(|e| &e.what), Some(What::Closed { by: Side::Client, .. })));
    play(explicit()).dials("192.0.2.7:21").stop().ends();
}

#[test]
fn a_client_certificate_that_is_required() {
    let (ca, identity) = client_ca();
    for versions in [TLS12, TLS13] {
        // Without one: TLS 1.2 says so in the handshake, TLS 1.3 behind it.
        let stage = to_handshake(play(explicit()), &server(versions, Some(&ca)));
        let t = stage.hangs_up().ends();
        let notes = seen(&t);
        assert!(
            notes.iter().any(|d| matches!(d, Decrypted::CertificateRequest { authorities } if !authorities.is_empty()))
        );
        assert!(notes.iter().any(|d| matches!(d, Decrypted::Certificates { chain } if chain.is_empty())));
        if versions == TLS13 {
            assert!(notes.contains(&&Decrypted::Alert { level: 2, description: 116 }), "{notes:?}");
        }
        // With one: the session goes on when the server has accepted it.
        let tls = TlsClient::new(Some(Identity { chain: identity.chain.clone(), key: identity.key.clone() })).unwrap();
        let session = Session::new(Plan { tls, ..plan(Mode::Explicit, 21) });
        let t = to_the_end(to_handshake(play(session), &server(versions, Some(&ca)))).hangs_up().ends();
        assert!(seen(&t).iter().any(|d| matches!(d, Decrypted::Certificates { chain } if *chain == [
            ftpsdiag::transcript::Der(identity.chain[0].clone())
        ])));
    }
}

#[test]
fn implicit_tls_greets_inside() {
    let stage = play(Session::new(plan(Mode::Implicit, 990))).dials("192.0.2.7:990").opens();
    let stage = stage.handshake(&server(TLS13, None)).silence();
    to_the_end(stage.server_inside("220 ready")).took(7).hangs_up().ends();
}

#[test]
fn implicit_after_the_greeting() {
    let session = Session::new(plan(Mode::ImplicitAfterBanner, 990));
    let stage = play(session).dials("192.0.2.7:990").opens().server("220 ready").handshake(&server(TLS12, None));
    to_the_end(stage).hangs_up().ends();
}

#[test]
fn auto_meets_a_greeting_on_990_with_auth() {
    let stage = play(auto(990)).dials("192.0.2.7:990").opens().client_hello().server("220 ready").hangs_up();
    let stage = stage.dials("192.0.2.7:990").opens().server("220 ready").client("AUTH TLS").server("234 ok");
    let t = to_the_end(stage.handshake(&server(TLS13, None))).hangs_up().ends();
    assert_eq!(t.conns[0].why, Why::Question { changed: vec!["TLS at once".to_owned()] });
    assert_eq!(t.conns[1].why, Why::Session);
}

#[test]
fn auto_finds_implicit_tls_behind_the_greeting() {
    let stage = play(auto(990)).dials("192.0.2.7:990").opens().client_hello().server("220 ready").hangs_up();
    let stage = stage.dials("192.0.2.7:990").opens().server("220 ready").client("AUTH TLS").hangs_up();
    let stage = stage.dials("192.0.2.7:990").opens().server("220 ready").handshake(&server(TLS12, None));
    let t = to_the_end(stage).hangs_up().ends();
    let sessions: Vec<bool> = t.conns.iter().map(|c| c.why == Why::Session).collect();
    assert_eq!(sessions, [false, false, true]);
}

#[test]
fn auto_tries_tls_when_no_greeting_comes() {
    let stage = play(auto(2121)).dials("192.0.2.7:2121").opens().nothing_for(ms(2_999)).silence().nothing_for(ms(1));
    let stage = stage.dials("192.0.2.7:2121").opens().handshake(&server(TLS13, None));
    let stage = stage.on(0).client_closes().on(1).server_inside("220 ready");
    let t = to_the_end(stage).hangs_up().ends();
    assert_eq!(t.conns[0].why, Why::Question { changed: vec!["waited for a greeting".to_owned()] });
    assert_eq!(t.conns[1].why, Why::Session);
}

#[test]
fn a_server_that_serves_one_at_a_time_turns_to_the_second() {
    let stage = play(auto(2121)).dials("192.0.2.7:2121").opens().nothing_for(ms(3_000));
    let stage = stage.dials("192.0.2.7:2121").opens().on(0).nothing_for(ms(7_000)).client_closes();
    let t = to_the_end(stage.on(1).handshake(&server(TLS13, None)).server_inside("220 ready")).hangs_up().ends();
    assert_eq!(t.conns[1].why, Why::Session);
}

#[test]
fn a_refusal_or_junk_inside_is_no_success() {
    let stage = to_handshake(play(explicit()), &server(TLS13, None)).client_inside("FEAT");
    let r = report(stage.server_inside("421 too many connections").hangs_up().ends(), Mode::Explicit);
    assert_ne!(r.verdict.outcome.name(), "works", "{}", r.verdict.headline);
    let stage = to_handshake(play(explicit()), &server(TLS13, None)).client_inside("FEAT");
    let r = report(stage.server_inside(&"x".repeat(300_000)).client_closes().ends(), Mode::Explicit);
    assert_ne!(r.verdict.outcome.name(), "works", "{}", r.verdict.headline);
}

#[test]
fn a_late_greeting_ends_the_second_try() {
    let stage = play(auto(21)).dials("192.0.2.7:21").opens().nothing_for(ms(3_000));
    let stage = stage.dials("192.0.2.7:21").opens().client_hello().silence().on(0).server("220 slow");
    let stage = stage.client("AUTH TLS").on(1).client_closes().on(0).server("421 busy").hangs_up();
    let t = stage.ends();
    assert_eq!(t.conns[0].why, Why::Session);
}

#[test]
fn what_was_ordered_is_not_overruled() {
    // Explicit was ordered, TLS at once is answered: said, and not gone on with.
    let stage = play(explicit()).dials("192.0.2.7:21").opens().nothing_for(ms(3_000));
    let stage = stage.dials("192.0.2.7:21").opens().client_hello();
    let stage = stage.server_bytes(b"\x15\x03\x03\x00\x02\x02\x28").on(0).client_closes().on(1).client_closes();
    let t = stage.ends();
    assert_eq!(t.conns[0].why, Why::Session);
    assert!(matches!(t.conns[1].why, Why::Question { .. }));
    // Implicit was ordered, a greeting comes.
    let session = Session::new(plan(Mode::Implicit, 990));
    let stage = play(session).dials("192.0.2.7:990").opens().client_hello().server("220 ready").nothing_for(ms(500));
    let t = stage.client_closes().ends();
    assert_eq!((t.conns.len(), &t.conns[0].why), (1, &Why::Session));
}

#[test]
fn addresses_are_tried_in_order() {
    let to = Ok(vec![Where::Address(([192, 0, 2, 1], 21).into()), Where::Address(([192, 0, 2, 2], 21).into())]);
    let stage = play(Session::new(Plan { to: to.clone(), ..plan(Mode::Explicit, 21) }));
    let stage = stage.dials("192.0.2.1:21").fails_to_open(OpenFailure::Refused).dials("192.0.2.2:21").opens();
    let t = stage.server("421 busy").hangs_up().ends();
    assert_eq!((t.conns[0].why != Why::Session, &t.conns[1].why), (true, &Why::Session));
    let stage = play(Session::new(Plan { to, ..plan(Mode::Explicit, 21) }));
    let stage = stage.dials("192.0.2.1:21").fails_to_open(OpenFailure::Refused);
    let t = stage.dials("192.0.2.2:21").fails_to_open(OpenFailure::TimedOut).ends();
    assert_eq!(t.conns[1].why, Why::Session);
}

#[test]
fn a_name_without_address_is_a_finding() {
    let t = play(Session::new(Plan { to: Err(OpenFailure::Dns), ..plan(Mode::Explicit, 21) })).ends();
    assert!(matches!(t.entries[0].what, What::OpenFailed { why: OpenFailure::Dns }));
    assert_eq!(t.entries[0].conn, ConnId(0));
}

/// A ServerHello of version 3.`minor` with TLS_RSA_WITH_AES_128_CBC_SHA.
fn server_hello(minor: u8) -> Vec<u8> {
    [&[22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor][..], &[0; 32], &[0, 0, 0x2f, 0]].concat()
}

/// Connects to ask, up to the hello.
fn question(stage: stage::Play) -> stage::Play {
    stage.dials("192.0.2.7:21").opens().server("220 ready").client("AUTH TLS").server("234 go ahead").client_hello()
}

#[test]
fn who_would_be_let_in() {
    let changed = |t: &Transcript| -> Vec<String> {
        let why = t.conns.iter().map(|c| match &c.why {
            Why::Question { changed } => changed.join(", "),
            Why::Session => "session".to_owned(),
        });
        why.collect()
    };
    let alert = |n: u8| [0x15, 3, 3, 0, 2, 2, n];
    // Whatever the alert, the control comes first: TLS 1.2 with suites of today. A ServerHello is answer enough.
    let hello = server_hello(0x02);
    let stage = question(to_hello().server_bytes(&alert(70)).hangs_up());
    let t = stage.server_bytes(&hello).client_closes().ends();
    assert_eq!(changed(&t), ["session", "TLS 1.2 at most"]);
    // Then other groups (nothing in common may mean those), old suites, old versions; nobody is let in.
    let mut stage = to_hello().server_bytes(&alert(40)).hangs_up();
    for _ in 0..5 {
        stage = question(stage).server_bytes(&alert(40)).client_closes();
    }
    let t = stage.ends();
    let asked = [
        "session",
        "TLS 1.2 at most",
        "groups P-521, x448, brainpool, ffdhe",
        "signature algorithms P-521, SHA-1, DSA",
        "TLS 1.2 at most, static RSA, CBC and DHE suites",
        "TLS 1.1 at most",
    ];
    assert_eq!(changed(&t), asked);
    // Whoever is let in with other groups was refused for its groups, and not for what TLS 1.3 adds, nor for its suites.
    let stage = question(to_hello().server_bytes(&alert(40)).hangs_up()).server_bytes(&alert(40)).client_closes();
    let r = report(question(stage).server_bytes(&server_hello(0x03)).client_closes().ends(), Mode::Explicit);
    assert_eq!(r.verdict.cause.as_deref(), Some("no-shared-group"), "{}", r.verdict.headline);
    // The same of signature algorithms.
    let mut stage = to_hello().server_bytes(&alert(40)).hangs_up();
    for _ in 0..2 {
        stage = question(stage).server_bytes(&alert(40)).client_closes();
    }
    let r = report(question(stage).server_bytes(&server_hello(0x03)).client_closes().ends(), Mode::Explicit);
    assert_eq!(r.verdict.cause.as_deref(), Some("missing-signature-algorithms"), "{}", r.verdict.headline);
    // A session without a name asks with the name.
    let nameless = Session::new(Plan { server_name: ServerName::Omit, ..plan(Mode::Explicit, 21) });
    let stage = question(play(nameless)).server_bytes(&alert(112)).hangs_up();
    let stage = question(stage).server_bytes(&alert(112)).client_closes();
    let t = question(stage).server_bytes(&hello).client_closes().ends();
    assert_eq!(changed(&t), ["session", "TLS 1.2 at most", "TLS 1.2 at most, the server's name"]);
    let r = report(t, Mode::Explicit);
    assert_eq!(r.verdict.cause.as_deref(), Some("sni-required"), "{}", r.verdict.headline);
    // unrecognized_name: only the name is asked about, behind the control.
    let stage = question(to_hello().server_bytes(&alert(112)).hangs_up()).server_bytes(&alert(112)).client_closes();
    let t = question(stage).server_bytes(&hello).client_closes().ends();
    assert_eq!(changed(&t), ["session", "TLS 1.2 at most", "TLS 1.2 at most, no server name"]);
    let r = report(t, Mode::Explicit);
    assert_eq!(r.verdict.cause.as_deref(), Some("sni-rejected"), "{}", r.verdict.headline);
    // A warning about the name is no answer.
    let stage = question(to_hello().server_bytes(&alert(70)).hangs_up()).server_bytes(b"\x15\x03\x01\x00\x02\x01\x70");
    let t = stage.silence().server_bytes(&hello).client_closes().ends();
    assert_eq!(t.conns.len(), 2);
}

#[test]
fn a_tls13_hello_that_is_disliked_is_told_from_old_suites() {
    let stage = question(to_hello().hangs_up()).server_bytes(&server_hello(0x03)).client_closes();
    let r = report(stage.ends(), Mode::Explicit);
    assert_eq!(r.verdict.cause.as_deref(), Some("extension-intolerance"), "{}", r.verdict.headline);
}

#[test]
fn a_server_that_goes_back_to_tls10() {
    let t = to_hello().server_bytes(&server_hello(0x01)).hangs_up().ends();
    let r = report(t, Mode::Explicit);
    assert_eq!(common::verdict(&r), "fails fatal-alert certain server <- client-tls-version-refused certain");
    assert!(r.verdict.headline.contains("speaks TLS 1.0 at most"), "{}", r.verdict.headline);
}

#[test]
fn commands_that_need_a_login_are_not_insisted_on() {
    to_handshake(play(explicit()), &server(TLS13, None))
        .client_inside("FEAT")
        .server_inside("211 none")
        .client_inside("PBSZ 0")
        .server_inside("530 log in first")
        .client_inside("QUIT")
        .server_inside("221 Bye")
        .nothing_for(ms(500))
        .ends();
}

#[test]
fn text_inside_a_session_is_kept() {
    for versions in [TLS12, TLS13] {
        let stage = to_handshake(play(explicit()), &server(versions, None)).client_inside("FEAT");
        let stage = stage.server_bytes(b"500 OOPS: cannot change directory:/home\r\n").silence().hangs_up();
        let t = stage.ends();
        assert!(dialogue::write(&t).contains("500 OOPS"));
    }
}
