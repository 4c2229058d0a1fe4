//! Formatted packet traces of z/OS: the same packets as a capture lead to the same evidence, whatever was done to the text.

mod common;
#[path = "captures/print.rs"]
mod print;
#[path = "captures/wire.rs"]
mod wire;

use std::fs;

use common::{only_report, root, verdict};
use ftpsdiag::transcript::{Clock, Transcript, What};
use ftpsdiag::{Format, Style, render};
use print::{Print, TEXTS, Text, report, summary};
use wire::{Link, Order, Packet, Talk, Unit, Who, Wire};

const CLIENT: &str = "10.0.0.1:40000";
const SERVER: &str = "10.0.0.2:21";

/// TLS is accepted, and what answers the hello is a reply in clear.
fn plaintext() -> Talk {
    let hello = [&[22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1][..], &[7; 32], &[0, 0, 2, 0, 0x35, 1, 0]].concat();
    Talk::new(CLIENT, SERVER)
        .open()
        .says(Who::Server, b"220-hello | there *\r\n220 ready\r\n")
        .says(Who::Client, b"AUTH TLS\r\n")
        .says(Who::Server, b"234 go\r\n")
        .says(Who::Client, &hello)
        .says(Who::Server, b"550 TLS is not available: | FACEFACE 000010 |\r\n")
        .fin(Who::Server)
        .fin(Who::Client)
        .acks(Who::Server)
}

/// A login, a listing over an announced address, and a second one to which nobody answers.
fn listing() -> Vec<Packet> {
    let control = |t: Talk| {
        t.open()
            .says(Who::Server, b"220 ready\r\n")
            .says(Who::Client, b"USER joe\r\n")
            .says(Who::Server, b"331 password\r\n")
            .says(Who::Client, b"PASS s3cretgeheim\r\n")
            .says(Who::Server, b"230 in\r\n")
            .says(Who::Client, b"PASV\r\n")
            .says(Who::Server, b"227 Entering (10,0,0,2,195,80)\r\n")
            .says(Who::Client, b"LIST\r\n")
            .wait(50_000_000)
            .says(Who::Server, b"150 here\r\n")
            .says(Who::Server, b"226 done\r\n")
            .close()
    };
    let data = Talk::new("10.0.0.1:40001", "10.0.0.2:50000")
        .at(1_614_304_174_030_000_000)
        .open()
        .mss(536)
        .says(Who::Server, &[b'x'; 2000])
        .fin(Who::Server)
        .fin(Who::Client);
    let mut all = [control(Talk::new(CLIENT, SERVER)).packets, data.packets].concat();
    all.sort_by_key(|p| p.at);
    all
}

/// Packets in the wrong order, and some twice.
fn disturbed(mut packets: Vec<Packet>) -> Vec<Packet> {
    for n in (4..packets.len().saturating_sub(2)).step_by(3) {
        packets.swap(n, n + 1);
    }
    for n in (2..packets.len()).step_by(5) {
        let again = packets[n].clone();
        packets.insert(n + 1, again);
    }
    packets
}

fn capture(packets: &[Packet]) -> Transcript {
    let file = Wire::new(Link::Raw, Order::Big, Unit::Micro).pcap(packets);
    ftpsdiag::read(&[("x.pcap", &file)]).sessions.remove(0)
}

fn read(text: &str) -> Transcript {
    let mut reading = ftpsdiag::read(&[("trace", text.as_bytes())]);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    assert_eq!(reading.sessions.len(), 1, "{text}");
    reading.sessions.remove(0)
}

fn same(a: &Transcript, b: &Transcript, about: &str) {
    assert_eq!((a.clock, &a.conns), (b.clock, &b.conns), "{about}");
    assert_eq!(a.entries, b.entries, "{about}");
}

#[test]
fn a_dump_is_read_as_the_capture_itself() {
    let local = CLIENT.parse::<std::net::SocketAddr>().unwrap().ip();
    let v6 = Talk::new("[2001:db8::1]:40000", "[2001:db8::2]:21")
        .open()
        .says(Who::Server, b"421 FTP is too busy\r\n")
        .close();
    for packets in [plaintext().packets, listing(), disturbed(plaintext().packets), disturbed(listing()), v6.packets] {
        let want = capture(&packets);
        for text in TEXTS {
            for format in [false, true] {
                if format && packets[0].from.is_ipv6() {
                    continue;
                }
                let print = Print { format, dump: Some(text) };
                same(&read(&report(&packets, local, print)), &want, &format!("{print:?}"));
            }
        }
    }
}

#[test]
fn a_summary_is_a_capture_that_cuts_behind_eight_bytes() {
    let local = CLIENT.parse::<std::net::SocketAddr>().unwrap().ip();
    let t = read(&summary(&plaintext().packets, local));
    let whole = capture(&plaintext().packets);
    assert_eq!(t.conns, whole.conns);
    let lengths = |t: &Transcript| {
        let mut all = [0u64; 2];
        for e in &t.entries {
            match &e.what {
                What::Bytes { from, data, .. } => all[*from as usize] += data.len() as u64,
                What::Gap { from, len } => all[*from as usize] += len.unwrap(),
                _ => {}
            }
        }
        all
    };
    assert_eq!(lengths(&t), lengths(&whole), "every byte is there or known to be missing");
    assert!(t.origin.inputs[0].assumed.iter().any(|a| a.contains("shows 8 bytes")), "{:?}", t.origin.inputs[0].assumed);
    let fields = read(&report(&plaintext().packets, local, Print { format: true, dump: None }));
    assert_eq!(lengths(&fields), lengths(&whole));
    assert!(fields.origin.inputs[0].assumed.iter().any(|a| a.contains("OPTIONS((DUMP))")));
}

#[test]
fn days_and_midnights() {
    let local = CLIENT.parse::<std::net::SocketAddr>().unwrap().ip();
    let midnight = 1_614_384_000_000_000_000;
    let late =
        Talk::new(CLIENT, SERVER).at(midnight - 3_500_000).open().says(Who::Server, b"421 FTP is closed\r\n").close();
    let want = capture(&late.packets);
    // The date of the first page stands; the clock goes on behind midnight.
    let text = summary(&late.packets, local);
    assert_eq!(read(&text).clock, want.clock);
    assert_eq!(read(&text).entries.last().unwrap().at, want.entries.last().unwrap().at);
    let dump = Print { format: false, dump: Some(Text::Both) };
    let undated: String = report(&late.packets, local, dump)
        .lines()
        .filter(|l| !l.contains("2021/"))
        .map(|l| l.to_owned() + "\n")
        .collect();
    let t = read(&undated);
    assert_eq!(t.clock, Clock::TimeOfDay);
    let (first, last) = (t.entries.first().unwrap().at.unwrap(), t.entries.last().unwrap().at.unwrap());
    assert_eq!(t.clock.show(first), "23:59:59.998");
    assert_eq!(t.clock.show(last), "00:00:00.002");
    assert!(last > first);
}

/// What tickets and mails do to lines.
fn dressed(text: &str) -> Vec<(String, String)> {
    let each = |change: &dyn Fn(&str) -> String| text.lines().map(|l| change(l) + "\n").collect::<String>();
    let lines: Vec<&str> = text.lines().collect();
    let mut all = vec![
        ("quoted".to_owned(), each(&|l| format!("> {l}"))),
        ("quoted three times".to_owned(), each(&|l| format!(">>> {l}"))),
        ("CRLF".to_owned(), text.replace('\n', "\r\n")),
        ("CR".to_owned(), text.replace('\n', "\r")),
        ("double spacing".to_owned(), text.replace('\n', "\n\n")),
        ("blanks collapsed".to_owned(), each(&|l| l.split_whitespace().collect::<Vec<_>>().join(" "))),
        ("leading blanks gone".to_owned(), each(&|l| l.trim_start().to_owned())),
        ("trailing blanks".to_owned(), each(&|l| format!("{l}    "))),
        ("indented".to_owned(), each(&|l| format!("      {l}"))),
        ("timestamps".to_owned(), each(&|l| format!("2021-02-27 09:15:00 {l}"))),
        ("line numbers".to_owned(), lines.iter().enumerate().map(|(n, l)| format!("{:6}\t{l}\n", n + 1)).collect()),
        ("HTML".to_owned(), each(&|l| format!("{}<br>", l.replace("  ", "&nbsp; ").replace('>', "&gt;")))),
        ("joined".to_owned(), lines.chunks(2).map(|l| l.join(" ") + "\n").collect()),
        ("joined by five".to_owned(), lines.chunks(5).map(|l| l.join(" ") + "\n").collect()),
        ("all in one line".to_owned(), lines.join(" ")),
        ("with prose".to_owned(), format!("Hi all,\nthe trace:\n\n{text}\nWhat is wrong here?\nRegards, Joe\n")),
    ];
    for width in [76, 72, 66, 60] {
        all.push((format!("wrapped at {width}"), common::wrapped(text, width)));
    }
    all
}

#[test]
fn whatever_mail_does_to_it() {
    let local = CLIENT.parse::<std::net::SocketAddr>().unwrap().ip();
    let packets = plaintext().packets;
    let mut texts = vec![("summary".to_owned(), summary(&packets, local))];
    for (format, dump) in
        [(true, None), (true, Some(Text::Both)), (false, Some(Text::Ascii)), (false, Some(Text::None))]
    {
        texts.push((format!("{format} {dump:?}"), report(&packets, local, Print { format, dump })));
    }
    let mut wrong = Vec::new();
    for (name, text) in texts {
        let want = read(&text);
        for (dress, changed) in dressed(&text) {
            let reading = ftpsdiag::read(&[("trace", changed.as_bytes())]);
            if reading.sessions.len() != 1 || reading.sessions[0].entries != want.entries {
                wrong.push(format!("{name}, {dress}: {} sessions", reading.sessions.len()));
            }
        }
        let ebcdic: Vec<u8> = text
            .bytes()
            .map(|b| (0..=255).rev().find(|e| ftpsdiag::wire::ebcdic::to_latin1(*e) == b).unwrap_or(0x6f))
            .collect();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (charset, bytes) in [("EBCDIC", ebcdic), ("UTF-16", utf16)] {
            let reading = ftpsdiag::read(&[("trace", &bytes)]);
            if reading.sessions.len() != 1 || reading.sessions[0].entries != want.entries {
                wrong.push(format!("{name}, {charset}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_password_is_nowhere() {
    let local = CLIENT.parse::<std::net::SocketAddr>().unwrap().ip();
    let packets = listing();
    let mut texts = vec![summary(&packets, local)];
    for dump in TEXTS {
        texts.push(report(&packets, local, Print { format: true, dump: Some(dump) }));
    }
    let secrets = ["s3c", "geheim", "733363", "67656865", "696D0D0A"];
    for text in texts {
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.iter().position(|l| l.contains("50415353")).unwrap();
        // From anywhere in the record on, and from the middle of the line itself.
        let mut all: Vec<String> = (from.saturating_sub(24)..=from).step_by(2).map(|n| lines[n..].join("\n")).collect();
        all.extend((0..30).step_by(3).map(|n| lines[from..].join("\n").get(n..).unwrap_or_default().to_owned()));
        all.push(lines[from.saturating_sub(2)..].join(" "));
        if !text.contains("Tod Clock") || text.contains(" PASS s3c") {
            all.extend(dressed(&text).into_iter().map(|(_, t)| t));
        }
        for text in all {
            let reading = ftpsdiag::read(&[("trace", text.as_bytes())]);
            let mut shown = format!("{:?} {:?}", reading.inputs, reading.problems);
            for session in &reading.sessions {
                let r = common::report(session);
                for format in [Format::Json, Format::Text] {
                    shown += &render(&r, format, Style { verbose: true, ..Style::default() });
                }
            }
            for secret in secrets {
                let leaks = shown.to_ascii_uppercase().contains(&secret.to_ascii_uppercase());
                assert!(!leaks, "{secret} of\n{}\nin\n{shown}", text.get(..400).unwrap_or(&text));
            }
        }
    }
}

#[test]
fn what_is_no_session_says_so() {
    let udp = "    3 MVSJ     PACKET   00000001 23:39:11.873541 Packet Trace
  Tod Clock        : 2002/02/12 23:39:11.873539
  Source Port      : 1025             Dest Port: 53    Asid: 001E TCB: 007F62C0
  IpHeader: Version : 4                Header Length: 20
  Packet Length    : 56               ID Number: 000E
   TTL              : 64            Protocol: UDP         CheckSum: A6FB FFFF
  Source           : 9.67.113.65
  Destination      : 9.37.80.3
";
    let reading = ftpsdiag::read(&[("udp", udp.as_bytes())]);
    assert!(reading.sessions.is_empty());
    assert!(
        format!("{:?}", reading.problems).contains("no TCP connection among its 1 packets: 1 of UDP"),
        "{:?}",
        reading.problems
    );
    assert!(format!("{:?}", reading.inputs[0].assumed).contains("no TCP: UDP"), "{:?}", reading.inputs[0].assumed);
    assert_eq!(reading.inputs[0].lines, reading.inputs[0].understood, "{:?}", reading.inputs[0].unread);
}

#[test]
fn a_trace_cut_anywhere_never_says_more() {
    let text = fs::read_to_string(root().join("fixtures/packet-trace/dump-unknown-ca.txt")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for end in (20..lines.len()).step_by(37) {
        let reading = ftpsdiag::read(&[("cut", lines[..end].join("\n").as_bytes())]);
        for session in &reading.sessions {
            let verdict = verdict(&common::report(session));
            let known = ["fails fatal-alert certain client", "inconclusive", "works"];
            assert!(known.iter().any(|k| verdict.starts_with(k)), "{end}: {verdict}");
        }
    }
    assert!(verdict(&only_report("whole", text.as_bytes())).starts_with("fails fatal-alert certain client"));
}
