//! Real handshakes, between a rustls client and a rustls server in memory: what the decoder says of their bytes is what
//! the two ends say of themselves.

mod common;

use std::sync::Arc;

use ftpsdiag::report::{Outcome, Report};
use ftpsdiag::rules::Severity;
use ftpsdiag::transcript::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

type Versions = &'static [&'static SupportedProtocolVersion];

const TLS12: Versions = &[&rustls::version::TLS12];
const TLS13: Versions = &[&rustls::version::TLS13];

/// A session: AUTH TLS in clear, then whatever the two ends write, in pieces of `cut` bytes.
struct Play {
    entries: Vec<Entry>,
    cut: usize,
}

impl Play {
    fn say(&mut self, from: Side, data: &[u8]) {
        for piece in data.chunks(self.cut) {
            let what = What::Bytes { from, layer: Layer::Wire, data: piece.to_vec(), fidelity: Fidelity::Exact };
            self.entries.push(Entry { at: None, conn: ConnId(0), what });
        }
    }

    fn end(&mut self, by: Side) {
        self.entries.push(Entry { at: None, conn: ConnId(0), what: What::Closed { by, how: Close::Fin } });
    }

    fn report(self) -> Report {
        let t = Transcript { conns: vec![Conn::default()], entries: self.entries, ..Transcript::default() };
        common::report(&t)
    }
}

fn ends(client: Versions, server: Versions) -> (ClientConnection, ServerConnection) {
    let made = rcgen::generate_simple_self_signed(vec!["ftp.example.org".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(client)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(server)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let name = ServerName::try_from("ftp.example.org").unwrap();
    (ClientConnection::new(Arc::new(client), name).unwrap(), ServerConnection::new(Arc::new(server)).unwrap())
}

/// Lets both ends talk until neither has anything to say; `true` when no end failed.
fn talk(client: &mut ClientConnection, server: &mut ServerConnection, play: &mut Play) -> bool {
    for _ in 0..10 {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        play.say(Side::Client, &flight);
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
        }
        let server_ok = server.process_new_packets().is_ok();
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        play.say(Side::Server, &flight);
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
        }
        let client_ok = client.process_new_packets().is_ok();
        if !(server_ok && client_ok) {
            return false;
        }
    }
    true
}

fn session(client: Versions, server: Versions, cut: usize) -> (Report, ClientConnection) {
    let (mut client, mut server) = ends(client, server);
    let mut play = Play { entries: Vec::new(), cut };
    play.say(Side::Server, b"220 ready\r\n");
    play.say(Side::Client, b"AUTH TLS\r\n");
    play.say(Side::Server, b"234 go ahead\r\n");
    if talk(&mut client, &mut server, &mut play) {
        use std::io::Write;
        client.writer().write_all(b"USER joe\r\n").unwrap();
        server.writer().write_all(b"331 go on\r\n").unwrap();
        talk(&mut client, &mut server, &mut play);
    }
    play.end(Side::Server);
    (play.report(), client)
}

#[test]
fn a_good_handshake_works_and_is_read_as_it_was() {
    for versions in [TLS12, TLS13] {
        for cut in [1, 7, usize::MAX] {
            let (report, client) = session(versions, versions, cut);
            assert_eq!(report.verdict.outcome, Outcome::Works, "{:?}", common::verdict(&report));
            // In TLS 1.2 the chain is in clear; the client of this play trusts it all the same.
            let ids: Vec<&str> = report.findings.iter().map(|f| f.id.as_str()).collect();
            let expected = if versions == TLS12 { &["certificate-self-signed"][..] } else { &[] };
            assert_eq!((ids.as_slice(), report.consequences.len()), (expected, 0));
            assert!(report.findings.iter().all(|f| f.severity == Severity::Warning));
            let tls = report.connections[0].tls.as_ref().unwrap();
            let suite = client.negotiated_cipher_suite().unwrap().suite();
            assert_eq!(tls.cipher.id, format!("{:04X}", u16::from(suite)));
            let version = u16::from(client.protocol_version().unwrap());
            assert_eq!(Some(tls.version.as_str()), ftpsdiag::codes::version(version));
            // TLS 1.2 shows the chain; in TLS 1.3 it is encrypted, and said to be.
            assert_eq!(tls.certificates.len(), usize::from(version == 0x0303));
            assert!(report.events.iter().any(|e| e.kind == "opaque"));
            assert!(
                report.events.iter().all(|e| !matches!(e.kind.as_str(), "undecoded" | "malformed" | "cut-short")),
                "{:?}",
                report.events
            );
            assert_eq!(report.subject.sni.as_deref(), Some("ftp.example.org"));
        }
    }
}

#[test]
fn versions_that_do_not_meet_end_in_an_alert() {
    // A client that offers TLS 1.3 alone is the one that can change it at once.
    let only_new = "fails fatal-alert certain client <- client-tls-version-refused likely";
    for (client, server, expected) in [(TLS12, TLS13, "fails fatal-alert certain server"), (TLS13, TLS12, only_new)] {
        for cut in [1, usize::MAX] {
            let (report, _) = session(client, server, cut);
            common::expect(&report, expected).unwrap();
            assert_eq!(report.findings[0].data["alert"], 70, "protocol_version");
        }
    }
}

#[test]
fn every_cut_of_a_good_session_stays_good_or_open() {
    let (mut client, mut server) = ends(TLS13, TLS13);
    let mut play = Play { entries: Vec::new(), cut: 16 };
    play.say(Side::Client, b"AUTH TLS\r\n");
    play.say(Side::Server, b"234 go ahead\r\n");
    assert!(talk(&mut client, &mut server, &mut play));
    for cut in 0..play.entries.len() {
        let part = Play { entries: play.entries[..cut].to_vec(), cut: 1 };
        assert_eq!(part.report().verdict.outcome, Outcome::Inconclusive, "cut after {cut} pieces");
    }
}
