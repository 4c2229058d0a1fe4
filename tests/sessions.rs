//! Captures to sessions: what packets come to, whatever happened to them on their way into a file.

mod common;
#[path = "captures/shuffled.rs"]
mod shuffled;
#[path = "captures/wire.rs"]
mod wire;

use common::{only_report, reports};
use ftpsdiag::capture::Capture;
use ftpsdiag::report::{Outcome, Report};
use ftpsdiag::rules::{Confidence, Severity};
use ftpsdiag::sources::{Block, InputReader, Options};
use ftpsdiag::transcript::{ConnId, OpenFailure, Role, Side, Tied, Transcript, What, dialogue};
use proptest::prelude::*;
use wire::{Link, Order, Packet, Talk, Unit, Who, Wire};

/// The ClientHello of the mail of 2021-02-26, in its record.
fn hello() -> Vec<u8> {
    let text = common::seed();
    let t = ftpsdiag::read(&[("seed", text.as_bytes())]).sessions.remove(0);
    let mut out = Vec::new();
    for e in &t.entries {
        match &e.what {
            What::Bytes { from: Side::Client, data, .. } if !out.is_empty() || data.first() == Some(&22) => {
                out.extend_from_slice(data);
            }
            _ => {}
        }
    }
    assert_eq!(out.len(), 62, "a hello in the seed");
    out
}

fn ethernet() -> Wire {
    Wire::new(Link::Ethernet, Order::Little, Unit::Micro)
}

/// AUTH TLS is accepted, and what answers the hello is a reply in clear.
fn plaintext() -> Talk {
    Talk::new("10.0.0.1:40000", "10.0.0.2:21")
        .open()
        .says(Who::Server, b"220 ready\r\n")
        .says(Who::Client, b"AUTH TLS\r\n")
        .says(Who::Server, b"234 go\r\n")
        .says(Who::Client, &hello())
        .says(Who::Server, b"550 TLS is not available\r\n")
        .close()
}

/// A TLS record.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// A handshake message in its record.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    record(22, &[&[kind], &len[1..], body].concat())
}

/// A ServerHello of TLS 1.2 with this session id.
fn server_hello(id: &[u8]) -> Vec<u8> {
    handshake(2, &[&[3, 3][..], &[9; 32], &[id.len() as u8], id, &[0xc0, 0x2f, 0]].concat())
}

/// A ClientHello of TLS 1.2 with this session id.
fn client_hello(id: &[u8]) -> Vec<u8> {
    handshake(1, &[&[3, 3][..], &[7; 32], &[id.len() as u8], id, &[0, 2, 0xc0, 0x2f, 1, 0]].concat())
}

/// The same with an ALPN protocol.
fn client_hello_for(protocol: &[u8]) -> Vec<u8> {
    let n = protocol.len() as u8;
    let alpn = [&[0, 16, 0, n + 3, 0, n + 1, n], protocol].concat();
    let extensions = [&(alpn.len() as u16).to_be_bytes()[..], &alpn].concat();
    handshake(1, &[&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0], &extensions].concat())
}

/// ChangeCipherSpec and Finished.
fn finished() -> Vec<u8> {
    [record(20, &[1]), record(22, &[0x5a; 40])].concat()
}

const ID: [u8; 32] = [0x1d; 32];
const SECOND: i64 = 1_000_000_000;
const T0: i64 = 1_614_304_174 * SECOND;

/// A control connection with TLS that is used and stays open.
fn encrypted(client: &str, at: i64) -> Talk {
    encrypted_at("10.0.0.2:21", client, at)
}

fn encrypted_at(server: &str, client: &str, at: i64) -> Talk {
    Talk::new(client, server)
        .at(at)
        .open()
        .says(Who::Server, b"220 ready\r\n")
        .says(Who::Client, b"AUTH TLS\r\n")
        .says(Who::Server, b"234 go\r\n")
        .says(Who::Client, &client_hello(b""))
        .says(Who::Server, &[server_hello(&ID), handshake(14, b"")].concat())
        .says(Who::Client, &[handshake(16, &[1; 66]), finished()].concat())
        .says(Who::Server, &finished())
        .says(Who::Client, &record(23, &[3; 40]))
        .says(Who::Server, &record(23, &[4; 60]))
}

/// A data connection on which the server refuses the handshake.
fn refused_data(client: &str, server: &str, at: i64, id: &[u8]) -> Talk {
    Talk::new(client, server)
        .at(at)
        .open()
        .says(Who::Client, &client_hello(id))
        .says(Who::Server, &record(21, &[2, 40]))
        .fin(Who::Server)
        .fin(Who::Client)
}

/// Plain FTP with a listing over an announced address.
fn plain(announcement: &[(Who, &str)]) -> Talk {
    let talk = Talk::new("10.0.0.1:40000", "10.0.0.2:21")
        .open()
        .says(Who::Server, b"220 ready\r\n")
        .says(Who::Client, b"USER joe\r\n")
        .says(Who::Server, b"331 password\r\n")
        .says(Who::Client, b"PASS s3cret\r\n")
        .says(Who::Server, b"230 in\r\n");
    announcement.iter().fold(talk, |t, (who, text)| t.says(*who, text.as_bytes()))
}

/// Packets of several connections in the order of their times.
fn merged(talks: &[Talk]) -> Vec<Packet> {
    let mut all: Vec<Packet> = talks.iter().flat_map(|t| t.packets.clone()).collect();
    all.sort_by_key(|p| p.at);
    all
}

fn sessions(packets: &[Packet]) -> Vec<Transcript> {
    ftpsdiag::read(&[("x.pcap", &ethernet().pcap(packets))]).sessions
}

fn report(packets: &[Packet]) -> Report {
    only_report("x.pcap", &ethernet().pcap(packets))
}

fn by(r: &Report) -> String {
    common::verdict(r).split(" <- ").next().unwrap_or_default().to_owned()
}

#[test]
fn a_reply_in_clear_instead_of_tls() {
    let r = report(&plaintext().packets);
    assert_eq!(by(&r), "fails plaintext-instead-of-tls certain server");
    assert_eq!(r.subject.inputs[0].source, "pcap");
    assert_eq!(r.connections[0].peer.as_deref(), Some("10.0.0.2:21"));
    assert_eq!(r.connections[0].local.as_deref(), Some("10.0.0.1:40000"));
}

#[test]
fn what_is_encrypted_to_its_end_is_not_said_to_have_failed() {
    use Who::{Client, Server};
    let tls13 = [0, 6, 0, 43, 0, 2, 3, 4];
    let hello = handshake(2, &[&[3, 3][..], &[9; 32], &[0, 0x13, 1, 0], &tls13].concat());
    // The server has nothing to say behind the client's Finished but what may be an alert.
    let talk = Talk::new("10.0.0.1:40000", "10.0.0.2:990")
        .open()
        .says(Client, &client_hello(b""))
        .says(Server, &[hello, record(20, &[1]), record(23, &[4; 800])].concat())
        .says(Client, &[record(23, &[3; 69]), record(23, &[3; 19])].concat())
        .says(Server, &record(23, &[4; 19]));
    let v = report(&talk.clone().close().packets).verdict;
    assert_eq!(v.headline, "all behind the hellos is encrypted; whether it failed does not show");
    assert_eq!(v.outcome, Outcome::Inconclusive);
    let v = report(&talk.reset(Server).packets).verdict;
    assert!(!v.headline.contains("behind the hellos"), "{}", v.headline);
}

#[test]
fn what_is_not_known_to_have_failed_is_not_said_to_have() {
    let ends = |said: &[(Who, &str)]| report(&plain(said).close().packets).verdict.headline;
    let refused = [(Who::Client, "ADAT abc\r\n"), (Who::Server, "503 no\r\n")];
    assert_eq!(ends(&refused), "a command was refused (503); whether that mattered is not seen");
    let greeting =
        Talk::new("10.0.0.1:40000", "10.0.0.2:21").open().says(Who::Server, &[b"220 ", &[b'x'; 90_000][..]].concat());
    assert_eq!(report(&greeting.close().packets).verdict.headline, "it ended in the middle of a reply");
}

#[test]
fn what_bytes_make_likely_is_not_said_to_stand_in_a_log() {
    let used = encrypted("10.0.0.1:40000", T0).says(Who::Server, &record(23, &[4; 60])).close();
    let screen = |r: &Report| ftpsdiag::render(r, ftpsdiag::Format::Text, Default::default());
    let mut r = report(&used.packets);
    assert_eq!(r.verdict.outcome, Outcome::Works);
    for (sure, words) in [(Confidence::Certain, "        tested: "), (Confidence::Likely, "        likely; tested: ")] {
        r.verdict.confidence = sure;
        assert!(screen(&r).contains(words), "{}", screen(&r));
    }
}

#[test]
fn any_port_will_do_where_the_bytes_are_ftp() {
    let packets: Vec<Packet> = plaintext().packets;
    let moved = |p: &Packet| {
        let port = |a: std::net::SocketAddr| if a.port() == 21 { (a.ip(), 8021).into() } else { a };
        Packet { from: port(p.from), to: port(p.to), ..p.clone() }
    };
    let r = report(&packets.iter().map(moved).collect::<Vec<_>>());
    assert_eq!(by(&r), "fails plaintext-instead-of-tls certain server");
}

#[test]
fn implicit_tls_shows_by_port_by_alpn_and_by_what_answers() {
    let talk = |server: &str, hello: &[u8], answer: &[u8]| {
        Talk::new("10.0.0.1:40000", server).open().says(Who::Client, hello).says(Who::Server, answer).close().packets
    };
    let alert = record(21, &[2, 40]);
    let hello = client_hello(b"");
    assert_eq!(by(&report(&talk("10.0.0.2:990", &hello, &alert))), "fails fatal-alert certain server");
    assert_eq!(
        by(&report(&talk("10.0.0.2:8990", &client_hello_for(b"ftp"), &alert))),
        "fails fatal-alert certain server"
    );
    let r = report(&talk("10.0.0.2:8990", &hello, b"220 ready\r\n"));
    assert_eq!(r.verdict.outcome.name(), "fails", "{}", by(&r));
    // It may be anything else.
    for not in [talk("10.0.0.2:8443", &hello, &alert), talk("10.0.0.2:990", &[], &[])] {
        assert_eq!(sessions(&not), []);
    }
    let bytes = ethernet().pcap(&talk("10.0.0.2:8443", &hello, &alert));
    let options = Options { ports: vec![8443], ..Options::default() };
    let mut reader = InputReader::new("x.pcap", options);
    reader.feed(&bytes);
    assert_eq!(reader.finish().blocks.len(), 1);
}

#[test]
fn ftp_through_an_http_proxy_is_recognised_by_its_bytes() {
    use Who::{Client, Server};
    let proxied = |to: &str, answer: &str| {
        let ask = format!("CONNECT {to} HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0LXNlY3JldA==\r\n\r\n");
        Talk::new("10.0.0.1:40000", "10.0.0.9:3128").open().says(Client, ask.as_bytes()).says(Server, answer.as_bytes())
    };
    let agreed = "HTTP/1.1 200 Connection established\r\n\r\n";
    for (greeting, port) in [("220 ready\r\n", 21), ("220 FTP ready\r\n", 2121)] {
        let talk = proxied(&format!("ftp.example.org:{port}"), agreed)
            .says(Server, greeting.as_bytes())
            .says(Client, b"AUTH TLS\r\n")
            .says(Server, b"234 go\r\n")
            .says(Client, &hello())
            .says(Server, b"550 TLS is not available\r\n");
        // What follows to the same proxy is no FTP.
        let web = Talk::new("10.0.0.1:40001", "10.0.0.9:3128").at(T0 + SECOND).open();
        let ask = b"CONNECT www.example.org:443 HTTP/1.1\r\n\r\n";
        let web = web.says(Client, ask).says(Server, agreed.as_bytes()).says(Client, &client_hello(b"")).close();
        let r = report(&merged(&[talk.close(), web]));
        assert_eq!(by(&r), "fails plaintext-instead-of-tls certain server");
        let assumed = &r.subject.inputs[0].assumed;
        assert!(assumed.iter().any(|a| a.contains(&format!("ftp.example.org:{port} through"))), "{assumed:?}");
        assert!(!dialogue::write(&r.transcript).contains("c2VjcmV0"), "no secret of the proxy");
    }
    for talk in [
        proxied("ftp.example.org:21", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        proxied("www.example.org:443", agreed).says(Client, &client_hello(b"")).says(Server, &server_hello(&ID)),
        proxied("irc.example.org:6667", agreed).says(Client, b"NICK joe\r\n"),
    ] {
        assert!(sessions(&talk.close().packets).is_empty());
    }
}

#[test]
fn what_is_no_ftp_is_no_session() {
    let talk = |server: &str, lines: &[(Who, &str)]| {
        let talk = Talk::new("10.0.0.1:40000", server).open();
        lines.iter().fold(talk, |t, (who, text)| t.says(*who, text.as_bytes())).close().packets
    };
    use Who::{Client, Server};
    for lines in [
        &[(Server, "220 mx.example.org ESMTP\r\n"), (Client, "EHLO x\r\n"), (Server, "250 STARTTLS\r\n")][..],
        &[(Server, "220 mx.example.org\r\n"), (Client, "EHLO x\r\n"), (Server, "250 STARTTLS\r\n")],
        &[(Server, "220 mx.example.org\r\n"), (Client, "QUIT\r\n"), (Server, "221 bye\r\n")],
        &[(Server, "+OK\r\n"), (Client, "USER x\r\n"), (Server, "+OK\r\n")],
        &[(Server, "200 news\r\n"), (Client, "MODE READER\r\n"), (Server, "200 go\r\n")],
        &[(Client, "GET / HTTP/1.1\r\n\r\n"), (Server, "HTTP/1.1 200 OK\r\n")],
        &[(Server, "SSH-2.0-x\r\n"), (Client, "SSH-2.0-y\r\n")],
    ] {
        assert_eq!(sessions(&talk("10.0.0.2:2525", lines)), [], "{lines:?}");
        assert_eq!(sessions(&talk("10.0.0.2:7777", lines)), [], "{lines:?}");
    }
}

#[test]
fn announced_data_connections_are_certain() {
    use Who::{Client, Server};
    let passive = [(Client, "PASV\r\n"), (Server, "227 Entering Passive Mode (10,0,0,2,195,80)\r\n")];
    let nat = [(Client, "PASV\r\n"), (Server, "227 Entering Passive Mode (192,168,7,7,195,80)\r\n")];
    let extended = [(Client, "EPSV\r\n"), (Server, "229 Extended (|||50000|)\r\n")];
    let active = [(Client, "PORT 10,0,0,1,195,80\r\n"), (Server, "200 ok\r\n")];
    let eprt = [(Client, "EPRT |1|10.0.0.1|50000|\r\n"), (Server, "200 ok\r\n")];
    for (announcement, from, to) in [
        (&passive, "10.0.0.1:41000", "10.0.0.2:50000"),
        (&nat, "10.0.0.1:41000", "10.0.0.2:50000"),
        (&extended, "10.0.0.1:41000", "10.0.0.2:50000"),
        (&active, "10.0.0.2:20", "10.0.0.1:50000"),
        (&eprt, "10.0.0.2:20", "10.0.0.1:50000"),
    ] {
        let control = plain(announcement).says(Client, b"LIST\r\n").says(Server, b"150 here\r\n");
        let data = Talk::new(from, to).at(T0 + SECOND).open().says(Server, b"-rw-r--r-- secret\r\n").close();
        let control = control.wait(2 * SECOND).says(Server, b"226 done\r\n").close();
        let all = sessions(&merged(&[control, data]));
        assert_eq!(all.len(), 1, "{announcement:?}");
        let data = &all[0].conns[1];
        assert_eq!((data.role, data.tied), (Role::Data { of: ConnId(0) }, Some(Tied::Certain)));
        assert_eq!(data.local.map(|a| a.ip().to_string()).as_deref(), Some("10.0.0.1"), "the client of FTP");
        let text = dialogue::write(&all[0]);
        assert!(
            text.contains("conn 1 data-of=0 certain") && !text.contains("secret") && !text.contains("s3cret"),
            "{text}"
        );
        assert!(text.contains("skipped 19"), "{text}");
        assert_eq!(dialogue::parse(&text).unwrap().conns, all[0].conns);
    }
}

#[test]
fn an_announced_port_that_refuses() {
    use Who::{Client, Server};
    let announcement = [(Client, "EPSV\r\n"), (Server, "229 Extended (|||50000|)\r\n")];
    let control = plain(&announcement).wait(3 * SECOND).says(Server, b"425 no\r\n").close();
    let mut data = Talk::new("10.0.0.1:41000", "10.0.0.2:50000").at(T0 + SECOND).syn();
    let syn = data.packets[0].clone();
    let (ack, at) = (Some(syn.seq.wrapping_add(1)), syn.at + 5);
    data.packets.push(Packet { at, from: syn.to, to: syn.from, seq: 0, ack, flags: wire::RST, payload: Vec::new() });
    let t = sessions(&merged(&[control, data])).remove(0);
    assert!(t.entries.iter().any(|e| e.what == What::OpenFailed { why: OpenFailure::Refused }), "{t:?}");
}

#[test]
fn behind_encryption_address_and_time_make_likely_and_an_id_certain() {
    let control = |close: bool| {
        let t = encrypted("10.0.0.1:40000", T0).wait(20 * SECOND).says(Who::Server, &record(23, &[4; 60]));
        if close { t.close() } else { t }
    };
    let data = refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + SECOND, b"");
    let r = report(&merged(&[control(true), data]));
    assert_eq!(by(&r), "fails data-fatal-alert likely server");
    let finding = &r.findings[0];
    assert!(finding.why.iter().any(|w| w.contains("by address and time alone")), "{:?}", finding.why);
    assert_eq!(r.connections[1].tied, Some(Tied::Likely));
    // The session that the control connection gave out.
    let data = refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + SECOND, &ID);
    let r = report(&merged(&[control(true), data]));
    assert_eq!(by(&r), "fails data-fatal-alert certain server");
    // The server dials.
    let active = Talk::new("10.0.0.2:20", "10.0.0.1:41000").at(T0 + SECOND).open();
    let active = active.says(Who::Server, &client_hello(b"")).says(Who::Client, &record(21, &[2, 40])).close();
    let r = report(&merged(&[control(true), active]));
    assert_eq!(by(&r), "fails data-fatal-alert likely server");
    assert_eq!(r.connections[1].local.as_deref(), Some("10.0.0.1:41000"));
    // Too late, another host, a web server, another protocol.
    for not in [
        refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + 15 * SECOND, b""),
        refused_data("10.0.0.9:41000", "10.0.0.2:50000", T0 + SECOND, b""),
        refused_data("10.0.0.1:41000", "10.0.0.2:443", T0 + SECOND, b""),
    ] {
        assert_eq!(sessions(&merged(&[control(true), not]))[0].conns.len(), 1);
    }
}

#[test]
fn behind_encryption_what_nobody_answers_is_told() {
    let tries = |port: u16| {
        let mut t = Talk::new("10.0.0.1:41000", &format!("10.0.0.2:{port}")).at(T0 + SECOND).syn();
        for wait in [1, 2, 4] {
            let last = t.packets.last().unwrap().clone();
            t.packets.push(Packet { at: last.at + wait * SECOND, ..last });
        }
        t
    };
    // The session goes on, and is over before anything else is seen of that port.
    let control = || encrypted("10.0.0.1:40000", T0).wait(20 * SECOND).says(Who::Server, &record(23, &[4; 60])).close();
    let r = report(&merged(&[control(), tries(50_000)]));
    assert_eq!(by(&r), "fails data-connect-failed likely between");
    // Another service of that host.
    assert_eq!(sessions(&merged(&[control(), tries(445)]))[0].conns.len(), 1);
    // What the server had said last is too short to have named a port: another program dials.
    let over =
        encrypted("10.0.0.1:40000", T0).says(Who::Server, &[record(23, &[4; 40]), record(23, &[4; 41])].concat());
    let goodbye = |t: Talk| t.wait(20 * SECOND).says(Who::Server, &record(23, &[4; 31])).close();
    for other in [
        tries(50_000),
        tries(50_000).reset(Who::Server),
        refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + SECOND, b""),
    ] {
        let r = report(&merged(&[goodbye(over.clone()), other]));
        assert_eq!(r.verdict.outcome, Outcome::Works, "{:?}", r.verdict);
        assert!(r.findings.iter().all(|f| f.severity == Severity::Warning), "{:?}", r.findings);
    }
    // Nor is an ident one.
    let ident = Talk::new("10.0.0.2:45799", "10.0.0.1:113").at(T0 + SECOND).syn().reset(Who::Server);
    assert_eq!(sessions(&merged(&[goodbye(over), ident]))[0].conns.len(), 1);
    // One host at both ends: the port from which servers dial tells the sides.
    let control = encrypted("10.0.0.2:40000", T0).wait(20 * SECOND).says(Who::Server, &record(23, &[4; 60])).close();
    let dialled = Talk::new("10.0.0.2:20", "10.0.0.2:41000").at(T0 + SECOND).open().wait(6 * SECOND);
    let r = report(&merged(&[control, dialled.fin(Who::Server).fin(Who::Client)]));
    assert_eq!(by(&r), "inconclusive data-silence-during-handshake likely unknown");
    assert_eq!(r.connections[1].local.as_deref(), Some("10.0.0.2:41000"));
}

/// The server dials, and nobody answers, or a reset does.
#[test]
fn behind_encryption_active_mode_that_fails_is_told() {
    for from in ["10.0.0.2:20", "10.0.0.2:45799", "[fd00::2]:45799"] {
        let (client, to, server) = match from.starts_with('[') {
            true => ("[fd00::1]:40000", "[fd00::1]:41000", "[fd00::2]:21"),
            false => ("10.0.0.1:40000", "10.0.0.1:41000", "10.0.0.2:21"),
        };
        let control = encrypted_at(server, client, T0);
        let dials = || Talk::new(from, to).at(T0 + SECOND).syn();
        let mut tries = dials();
        for wait in [1, 2, 4, 8, 16] {
            let last = tries.packets.last().unwrap().clone();
            tries.packets.push(Packet { at: last.at + wait * SECOND, ..last });
        }
        // The session is over long before the server stops to try.
        let other = |at: i64| Talk::new("10.0.0.8:40000", "10.0.0.9:80").at(at).open().close();
        let over = merged(&[control.clone().wait(5 * SECOND).close(), tries, other(T0 + 90 * SECOND)]);
        assert_eq!(by(&report(&over)), "fails data-connect-back-failed likely between", "{from}");
        let refused = merged(&[control.wait(5 * SECOND).close(), dials().reset(Who::Server)]);
        let r = report(&refused);
        assert_eq!(by(&r), "fails data-connect-back-failed likely between", "{from}");
        assert!(r.connections[1].active && r.connections[1].local.as_deref() == Some(to));
    }
}

/// CCC and its answer are encrypted; what is announced in clear behind them ties as in any session in clear.
#[test]
fn behind_a_ccc_that_nobody_read_announcements_count_again() {
    let control = encrypted("10.0.0.1:40000", T0)
        .says(Who::Client, &record(23, &[5; 29]))
        .says(Who::Server, &record(23, &[6; 60]))
        .says(Who::Client, &record(21, &[7; 26]))
        .says(Who::Server, &record(21, &[8; 26]))
        .wait(30 * SECOND)
        .says(Who::Client, b"PASV\r\n")
        .says(Who::Server, b"227 Entering Passive Mode (10,0,0,2,195,80)\r\n")
        .says(Who::Client, b"LIST\r\n");
    let at = control.packets.last().unwrap().at;
    let data = Talk::new("10.0.0.1:41000", "10.0.0.2:50000").at(at + SECOND).open().close();
    let control = control
        .wait(2 * SECOND)
        .says(Who::Server, b"150 here\r\n")
        .says(Who::Server, b"226 done\r\n")
        .says(Who::Client, b"QUIT\r\n")
        .says(Who::Server, b"221 bye\r\n")
        .close();
    let r = report(&merged(&[control, data]));
    assert_eq!(by(&r).split(' ').next(), Some("works"));
    assert_eq!(r.connections[1].tied, Some(Tied::Certain));
}

#[test]
fn sessions_from_one_address_are_told_apart_by_their_ids() {
    let other = [0x2e; 32];
    let mut talks = Vec::new();
    for n in 0..8i64 {
        let id = if n == 5 { ID } else { other.map(|b| b + n as u8) };
        let client = format!("10.0.0.1:{}", 40_000 + n);
        let mut t = encrypted(&client, T0 + n * 1000).wait(20 * SECOND).close();
        for p in &mut t.packets {
            if let Some(at) = p.payload.windows(32).position(|w| w == ID) {
                p.payload[at..at + 32].copy_from_slice(&id);
            }
        }
        talks.push(t);
    }
    talks.push(refused_data("10.0.0.1:50001", "10.0.0.2:50000", T0 + SECOND, &ID));
    talks.push(refused_data("10.0.0.1:50002", "10.0.0.2:50000", T0 + SECOND, b""));
    let all = sessions(&merged(&talks));
    assert_eq!(all.len(), 8);
    let owner = |port: u16| {
        let has = |t: &&Transcript| t.conns.iter().any(|c| c.local.is_some_and(|a| a.port() == port));
        let found: Vec<&Transcript> = all.iter().filter(has).collect();
        assert_eq!(found.len(), 1);
        found[0].clone()
    };
    let sure = owner(50_001);
    assert_eq!(sure.conns[0].local.unwrap().port(), 40_005);
    assert_eq!(sure.conns[1].tied, Some(Tied::Certain));
    let guess = owner(50_002);
    let assumed = &guess.origin.inputs[0].assumed;
    assert!(assumed.iter().any(|a| a.contains("one of 7 other sessions")), "{assumed:?}");
}

#[test]
fn nobody_answers_and_nobody_greets() {
    let syns = |n: usize| {
        let mut t = Talk::new("10.0.0.1:40000", "10.0.0.2:21").syn();
        for _ in 1..n {
            let last = t.packets.last().unwrap().clone();
            t.packets.push(Packet { at: last.at + 3 * SECOND, ..last });
        }
        t
    };
    // The capture goes on.
    let noise = Talk::new("10.0.0.5:1", "10.0.0.6:2").at(T0 + 70 * SECOND).open();
    let t = sessions(&merged(&[syns(3), noise.clone()])).remove(0);
    assert_eq!(t.entries[0].what, What::OpenFailed { why: OpenFailure::TimedOut });
    // It ends with a try that may be answered yet; those before were not.
    assert!(
        by(&report(&syns(3).packets)).starts_with("fails connect-failed likely"),
        "{}",
        by(&report(&syns(3).packets))
    );
    assert_eq!(report(&syns(2).packets).verdict.outcome, Outcome::Inconclusive);
    assert_eq!(sessions(&syns(1).packets), [], "one SYN at the end of a capture is nothing");
    let silent = Talk::new("10.0.0.1:40000", "10.0.0.2:21").open().wait(30 * SECOND).close();
    let r = report(&silent.packets);
    assert!(by(&r).starts_with("fails no-banner"), "{}", by(&r));
    let gave_no_answer = Talk::new("10.0.0.1:40000", "10.0.0.2:21").open().says(Who::Server, b"220 x\r\n");
    let gave_no_answer = gave_no_answer.says(Who::Client, b"AUTH TLS\r\n").says(Who::Server, b"234 go\r\n");
    let gave_no_answer = gave_no_answer.says(Who::Client, &hello()).wait(30 * SECOND).close();
    let r = report(&gave_no_answer.packets);
    assert!(by(&r).starts_with("fails silence-during-handshake"), "{} of\n{}", by(&r), dialogue::write(&r.transcript));
    // A capture that stops is no silence.
    let stops = Talk::new("10.0.0.1:40000", "10.0.0.2:21").open();
    assert_eq!(sessions(&stops.packets), []);
}

#[test]
fn sessions_come_before_the_capture_ends() {
    let first = plaintext().packets;
    let second = encrypted("10.0.0.1:40001", T0 + 100 * SECOND).packets;
    let head = ethernet().pcap(&first);
    let whole = ethernet().pcap(&[first, second].concat());
    let mut reader = InputReader::new("x.pcap", Options::default());
    reader.feed(&whole[..head.len()]);
    let ready = reader.ready().expect("the first session, at once");
    assert_eq!((ready.number, reader.ready().is_none()), (1, true));
    reader.feed(&whole[head.len()..]);
    assert!(reader.ready().is_none());
    let evidence = reader.finish();
    assert_eq!((evidence.numbers, evidence.sessions), (vec![2], 2));
    // One alone.
    let mut reader = InputReader::new("x.pcap", Options { only_session: Some(2), ..Options::default() });
    reader.feed(&whole);
    assert!(reader.ready().is_none());
    assert_eq!(reader.finish().numbers, [2]);
}

/// Sessions that show much.
fn samples() -> Vec<Vec<Packet>> {
    use Who::{Client, Server};
    let announcement = [(Client, "PASV\r\n"), (Server, "227 Entering Passive Mode (10,0,0,2,195,80)\r\n")];
    let data = Talk::new("10.0.0.1:41000", "10.0.0.2:50000").at(T0 + SECOND).open();
    let data = (0..4).fold(data, |t, _| t.says(Server, b"x")).close();
    let plain = plain(&announcement).wait(2 * SECOND).says(Server, b"226 done\r\n").close();
    let control = encrypted("10.0.0.1:40000", T0).wait(5 * SECOND).says(Server, &record(23, &[4; 60])).close();
    vec![
        plaintext().packets,
        merged(&[control, refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + SECOND, &ID)]),
        merged(&[plain, data]),
    ]
}

/// Law 5: what is missing makes no outcome, and nothing certain.
fn weaker(part: &Report, whole: &Report, how: &str) {
    let (p, w) = (part.verdict.outcome, whole.verdict.outcome);
    let sure = |r: &Report| -> Vec<String> {
        let all = r.findings.iter().chain(&r.consequences);
        let sure = all.filter(|f| f.confidence == Confidence::Certain && f.severity == Severity::Failure);
        sure.map(|f| f.id.clone()).collect()
    };
    let more: Vec<String> = sure(part).into_iter().filter(|id| !sure(whole).contains(id)).collect();
    assert!(more.is_empty(), "{how}: certain of {more:?}");
    // Without a data connection what works is the handshake, and no more is said.
    let stays = p == w || p != Outcome::Fails;
    assert!(stays || part.verdict.confidence != Confidence::Certain, "{how}: {} of {}", by(part), by(whole));
}

#[test]
fn packets_that_are_missing_make_nothing_certain() {
    for (n, packets) in samples().into_iter().enumerate() {
        let whole = report(&packets);
        let check = |part: &[Packet], how: String, lost_end: bool| {
            let bytes = ethernet().pcap(part);
            for r in reports(&[("x.pcap", &bytes)]) {
                // Of an end that is missing nothing is seen: the other end seems to have been the first.
                if !lost_end {
                    weaker(&r, &whole, &how);
                }
                let json = serde_json::to_string(&r).unwrap();
                assert!(!json.contains("s3cret") && !json.contains(&hex::encode("s3cret")), "{how}");
                assert!(!json.contains(&hex::encode("cret")), "{how}");
            }
        };
        for k in 0..packets.len() {
            check(&packets[k..], format!("{n}: from packet {k}"), false);
            check(&packets[..k], format!("{n}: the first {k} packets"), false);
            let is_end = packets[k].flags & wire::FIN != 0;
            check(&[&packets[..k], &packets[k + 1..]].concat(), format!("{n}: without packet {k}"), is_end);
        }
        let without = |flag: u8| packets.iter().filter(|p| p.flags & flag == 0).cloned().collect::<Vec<_>>();
        check(&without(wire::SYN), format!("{n}: without SYN"), false);
        check(&without(wire::FIN), format!("{n}: without FIN"), false);
    }
}

#[test]
fn a_snap_length_is_never_malformed_tls() {
    let whole = report(&plaintext().packets);
    for snaplen in 54..280 {
        for r in reports(&[("x.pcap", &ethernet().cut(snaplen).pcap(&plaintext().packets))]) {
            weaker(&r, &whole, &format!("cut at {snaplen}"));
            assert!(!by(&r).contains("malformed"), "cut at {snaplen}: {}", by(&r));
        }
    }
}

/// A transcript without chunks: what was said by each end of each connection, and how it ended.
fn joined(t: &Transcript) -> Vec<String> {
    // Of two connections only the order in each of them is told: which bytes are neighbours is a matter of one alone.
    let mut entries: Vec<_> = t.entries.iter().collect();
    entries.sort_by_key(|e| e.conn);
    let mut out: Vec<(ConnId, Option<Side>, String)> = Vec::new();
    for e in entries {
        let (from, text) = match &e.what {
            What::Bytes { from, data, .. } => (Some(*from), hex::encode(data)),
            What::Skipped { from, len, .. } => (Some(*from), "..".repeat(*len as usize)),
            other => (None, format!("{other:?}")),
        };
        match out.last_mut() {
            Some((conn, f, before)) if *conn == e.conn && *f == from && from.is_some() => before.push_str(&text),
            _ => out.push((e.conn, from, text)),
        }
    }
    out.into_iter().map(|(conn, from, text)| format!("{} {from:?} {text}", conn.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_session_whatever_happens_to_its_packets(
        which in 0..3usize,
        link in 0..wire::LINKS.len(),
        (ng, big, nano) in any::<(bool, bool, bool)>(),
        size in 1..300usize,
        moves in proptest::collection::vec((0..8usize, proptest::option::of(0..8usize)), 64),
    ) {
        let packets = samples().remove(which);
        let wanted: Vec<Vec<String>> = sessions(&packets).iter().map(joined).collect();
        let seen = |bytes: &[u8]| {
            let mut reader = InputReader::new("x.pcap", Options::default());
            bytes.chunks(size).for_each(|b| reader.feed(b));
            let mut all = Vec::new();
            while let Some(s) = reader.ready() {
                all.push(s.transcript);
            }
            all.extend(reader.finish().blocks.into_iter().map(|b| match b {
                Block::Session(t) => t,
                other => panic!("{other:?}"),
            }));
            all.iter().map(joined).collect::<Vec<_>>()
        };
        let w = Wire::new(wire::LINKS[link], if big { Order::Big } else { Order::Little }, if nano { Unit::Nano } else { Unit::Micro });
        let file = |packets: &[Packet]| if ng { w.pcapng(packets) } else { w.pcap(packets) };
        prop_assert_eq!(&seen(&file(&packets)), &wanted, "as it is");
        // Each connection's packets up to eight places later, some of them twice. Times stay with their places.
        let mut moved = Vec::new();
        for (n, p) in packets.iter().enumerate() {
            let (later, twice) = moves[n % moves.len()];
            moved.push((n + later, p.clone()));
            moved.extend(twice.map(|later| (n + later, p.clone())));
        }
        moved.sort_by_key(|(place, _)| *place);
        let moved: Vec<Packet> =
            moved.into_iter().zip(0..).map(|((_, p), n)| Packet { at: T0 + n * 1_000_000, ..p }).collect();
        prop_assert_eq!(&seen(&file(&moved)), &wanted, "shuffled and doubled");
    }

    #[test]
    fn any_packets_are_read(payloads in proptest::collection::vec((any::<bool>(), 0..4u16, proptest::collection::vec(any::<u8>(), 0..90)), 0..40)) {
        let mut talks: Vec<Talk> = [21u16, 990, 5000, 50_000].iter().map(|port| Talk::new("10.0.0.1:40000", &format!("10.0.0.2:{port}")).open()).collect();
        for (client, n, bytes) in payloads {
            let who = if client { Who::Client } else { Who::Server };
            let t = talks.remove(usize::from(n));
            talks.insert(usize::from(n), t.says(who, &bytes));
        }
        for r in reports(&[("x.pcap", &ethernet().pcap(&merged(&talks)))]) {
            serde_json::to_string(&r).unwrap();
        }
    }
}

/// The sum law: every byte of a connection is kept, counted, or stands as missing.
#[test]
fn no_byte_is_lost() {
    for packets in samples() {
        let sent: usize = packets.iter().map(|p| p.payload.len()).sum();
        let mut seen = 0;
        for e in sessions(&packets).iter().flat_map(|t| &t.entries) {
            seen += match &e.what {
                What::Bytes { data, .. } => data.len(),
                What::Skipped { len, .. } => *len as usize,
                _ => 0,
            };
        }
        // The argument of PASS is as long as its mask here, or shorter.
        assert!(seen == sent || seen == sent + 2, "{seen} of {sent}");
    }
}

#[test]
fn floods_have_a_bound() {
    let mut capture =
        Capture::new("x.pcap", ftpsdiag::capture::file::format(&ethernet().pcap_header()).unwrap(), Default::default());
    capture.feed(&ethernet().pcap_header());
    let feed = |capture: &mut Capture, packets: &[Packet]| {
        for p in packets {
            let frame = p.frame(Link::Ethernet);
            capture.feed(&ethernet().record(p.at, &frame, frame.len() as u32));
        }
    };
    let mut most = 0;
    for n in 0..4_000u32 {
        let client = format!("10.{}.{}.1:40000", n >> 8 & 255, n & 255);
        // Sessions that are left in the middle, and halves of words.
        let talk = Talk::new(&client, if n % 2 == 0 { "192.0.2.1:21" } else { "192.0.2.1:4321" })
            .at(T0 + i64::from(n) * 1000)
            .open();
        feed(&mut capture, &talk.says(Who::Server, &[b'2'; 1400]).says(Who::Client, &[b'U'; 1400]).packets);
        if n % 64 == 0 {
            most = most.max(capture.weight());
        }
        while capture.ready().is_some() {}
    }
    assert!(most < 30 << 20, "{most}");
    assert_eq!(capture.finish().sessions, 2_000);
}

/// The fixtures that this file writes (BLESS=1): names and bytes.
fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let control = encrypted("10.0.0.1:40000", T0).wait(5 * SECOND).says(Who::Server, &record(23, &[4; 60])).close();
    let data = merged(&[control, refused_data("10.0.0.1:41000", "10.0.0.2:50000", T0 + SECOND, b"")]);
    let big = Wire::new(Link::Sll2, Order::Big, Unit::Nano);
    vec![
        ("plaintext-550.pcap", ethernet().pcap(&plaintext().packets)),
        (
            "plaintext-550-cut-at-100.pcap",
            Wire::new(Link::Raw, Order::Big, Unit::Micro).cut(100).pcap(&plaintext().packets),
        ),
        ("begins-behind-auth.pcapng", big.pcapng(&plaintext().packets[8..])),
        ("data-alert-by-time.pcapng", big.pcapng(&data)),
    ]
}

#[test]
fn fixtures_are_what_is_written_here() {
    for (name, bytes) in fixtures() {
        let path = common::root().join("fixtures/capture").join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap_or_default(), bytes, "{name}: BLESS=1 writes it");
    }
}

#[test]
fn extended_master_secret_explains_only_what_it_ended() {
    let hello = |id: u8, ems: &[u8]| {
        let id = [&[32][..], &[id; 32]].concat();
        handshake(1, &[&[3, 3][..], &[7; 32], &id, &[0, 2, 0xc0, 0x2f, 1, 0], ems].concat())
    };
    let answer = handshake(2, &[&[3, 3][..], &[9; 32], &[32], &ID, &[0xc0, 0x2f, 0, 0, 4, 0, 23, 0, 0]].concat());
    let says = |offer: Vec<u8>, alert_from: &str| {
        let (offer, answer) = (hex::encode(offer), hex::encode(&answer));
        let play = format!(
            "conn 0 control peer=203.0.113.7:21\nconn 1 data-of=0 peer=203.0.113.7:50123\n2 S {answer}\n\
             9 S* established 0303 C02F\n20 C* \"LIST\\r\\n\"\n24 1> open\n25 1> C {offer}\n\
             31 1> {alert_from} 15030300020228\n32 1> {alert_from} closes\n33 S* \"425 no\\r\\n\"\n43 C closes\n"
        );
        let r = common::report(&dialogue::parse(&play).unwrap());
        assert_eq!(r.verdict.by.as_deref(), Some("data-fatal-alert"), "{play}");
        r.findings[0].why.iter().any(|w| w.contains("extended_master_secret"))
    };
    assert!(says(hello(0x1d, &[]), "S"));
    // The same on both, another session, and another end that closed.
    assert!(!says(hello(0x1d, &[0, 4, 0, 23, 0, 0]), "S"));
    assert!(!says(hello(0x2e, &[]), "S"));
    assert!(!says(hello(0x1d, &[]), "C"));
}
