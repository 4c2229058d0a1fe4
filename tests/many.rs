//! Many sessions of one input, through the real binary: the first ones whole, then a table.

mod common;
#[path = "captures/wire.rs"]
mod wire;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use common::root;
use serde_json::Value;
use wire::{Link, Order, Packet, Talk, Unit, Who, Wire};

const SECOND: i64 = 1_000_000_000;
const T0: i64 = 1_614_304_174 * SECOND;

/// The program, with pipes for what it reads and what it prints.
fn started(args: &[&str], stderr: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ftpsdiag"))
        .current_dir(root())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = started(args, Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let out = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    out
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("many");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// What a session comes to; its number decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    AuthRefused,
    Alert,
    Plain,
    Nothing,
    Works,
}

fn comes(n: u32) -> Comes {
    match n % 10 {
        0..4 => Comes::AuthRefused,
        4..6 => Comes::Alert,
        6 => Comes::Plain,
        7 => Comes::Nothing,
        _ => Comes::Works,
    }
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    record(22, &[&[kind], &len[1..], body].concat())
}

/// Session `n`, a hundredth of a second behind the one before.
fn session(n: u32) -> Talk {
    use Who::{Client, Server};
    let client = format!("10.{}.{}.1:{}", n >> 8 & 255, n & 255, 40_000 + (n >> 16));
    let server = if n % 20 < 10 { "10.200.0.2:21" } else { "10.200.0.3:2121" };
    let greeted = Talk::new(&client, server).at(T0 + i64::from(n) * SECOND / 100).open().says(Server, b"220 ready\r\n");
    let asked = |t: Talk| t.says(Client, b"AUTH TLS\r\n").says(Server, b"234 go\r\n");
    let hello = handshake(1, &[&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat());
    let finished = [record(20, &[1]), record(22, &[0x5a; 40])].concat();
    match comes(n) {
        Comes::AuthRefused => greeted.says(Client, b"AUTH TLS\r\n").says(Server, b"500 what?\r\n"),
        Comes::Alert => asked(greeted).says(Client, &hello).says(Server, &record(21, &[2, 40])),
        Comes::Plain => greeted
            .says(Client, b"USER joe\r\n")
            .says(Server, b"230 in\r\n")
            .says(Client, b"PWD\r\n")
            .says(Server, b"257 \"/\"\r\n"),
        Comes::Nothing => asked(greeted)
            .says(Client, &hello)
            .says(Server, &handshake(2, &[&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0]].concat())),
        Comes::Works => asked(greeted)
            .says(Client, &hello)
            .says(
                Server,
                &[handshake(2, &[&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0]].concat()), handshake(14, b"")].concat(),
            )
            .says(Client, &[handshake(16, &[1; 66]), finished.clone()].concat())
            .says(Server, &finished)
            .says(Client, &record(23, &[3; 40]))
            .says(Server, &record(23, &[4; 60])),
    }
    .close()
}

/// A capture of so many sessions, a few of which overlap.
fn capture(sessions: u32) -> Vec<u8> {
    let mut packets: Vec<Packet> = (0..sessions).flat_map(|n| session(n).packets).collect();
    packets.sort_by_key(|p| p.at);
    Wire::new(Link::Ethernet, Order::Little, Unit::Micro).pcap(&packets)
}

fn reports(out: &Output) -> Vec<Value> {
    text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Numbers of the table's groups.
fn counted(table: &str) -> u64 {
    let is_count = |w: &str| w.bytes().all(|b| b.is_ascii_digit() || b == b',');
    let rows = table.lines().skip_while(|l| !l.trim_start().starts_with("COUNT")).skip(1);
    let counts = rows.map_while(|l| (!l.starts_with("NOTE") && !l.starts_with("MORE")).then_some(l));
    let first =
        counts.filter_map(|l| l.split_whitespace().next().filter(|w| is_count(w) && !l.starts_with(&" ".repeat(20))));
    first.map(|w| w.replace(',', "").parse::<u64>().unwrap()).sum()
}

#[test]
fn the_table_is_a_screen() {
    let out = run(&["decode", "-q"], &capture(60));
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(1), ""));
    insta::assert_snapshot!(text(&out.stdout));
}

#[test]
fn counts_equal_the_sum_of_ten_thousand_sessions() {
    let all = capture(10_000);
    let out = run(&["decode", "-q", "-"], &all);
    let table = text(&out.stdout);
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(1), ""));
    assert!(
        table.starts_with("10,000 FTP sessions in standard input: 6,000 fail, 1,000 cannot tell, 1,000"),
        "{table}"
    );
    let head = table.replace('\n', " ");
    assert!(head.contains("1,000 plain FTP, 2,000 work"), "{table}");
    assert_eq!(counted(table), 10_000, "{table}");
    assert!(table.lines().all(|l| l.len() <= 80), "{table}");
}

#[test]
fn the_first_three_are_shown_whole_and_behind_them_rows() {
    let shown = |n: u32, args: &[&str]| {
        let out = run(&[&["decode", "-"], args].concat(), &capture(n));
        text(&out.stdout).to_owned()
    };
    let screens = |text: &str| {
        text.lines().filter(|l| ["FAILS ", "WORKS ", "CANNOT TELL "].iter().any(|w| l.starts_with(w))).count()
    };
    let (three, four) = (shown(3, &[]), shown(4, &[]));
    assert_eq!((screens(&three), three.contains("COUNT")), (3, false));
    assert!(screens(&four) == 3 && four.starts_with(&three), "{four}");
    assert_eq!(counted(&four), 4, "{four}");
    // Only the verdicts, or only the table.
    let quiet = shown(3, &["-q"]);
    assert_eq!((screens(&quiet), quiet.contains("COUNT")), (3, false), "{quiet}");
    let quiet = shown(4, &["-q"]);
    assert_eq!((screens(&quiet), quiet.lines().next().unwrap().starts_with("4 FTP sessions")), (0, true), "{quiet}");
    // A row for each.
    let rows = shown(12, &["-v"]);
    assert_eq!(rows.lines().filter(|l| l.contains(" > 10.200.0.")).count(), 12, "{rows}");
    assert!(screens(&rows) == 3 && counted(&rows) == 12, "{rows}");
    // Whoever asks for JSON gets reports and nothing else.
    assert_eq!(reports(&run(&["decode", "-", "--format", "json"], &capture(7))).len(), 7);
    let markdown = shown(5, &["--format", "markdown"]);
    assert_eq!((markdown.matches("\n# ").count(), markdown.contains("COUNT")), (4, false));
}

#[test]
fn a_file_gets_the_table_as_well() {
    let txt = file("out.txt", b"");
    let json = file("out.json", b"");
    let out = run(&["decode", "-q", "-", "-o", txt.to_str().unwrap(), "-o", json.to_str().unwrap()], &capture(20));
    assert_eq!(counted(text(&out.stdout)), 20);
    let txt = fs::read_to_string(txt).unwrap();
    assert!(counted(&txt) == 20 && txt.starts_with("FAILS "), "{txt}");
    assert_eq!(fs::read_to_string(json).unwrap().lines().count(), 20);
}

#[test]
fn one_session_is_the_one_of_the_stream() {
    let path = file("forty.pcap", &capture(40));
    let name = path.to_str().unwrap();
    let mut all = reports(&run(&["decode", name, "--format", "json"], b""));
    assert_eq!(all.len(), 40);
    // Whoever judges them: their order is that in which they ended.
    let order = |all: &[Value]| all.iter().map(|r| r["subject"]["session"].as_u64()).collect::<Vec<_>>();
    assert_eq!(order(&reports(&run(&["decode", "--format", "json"], &capture(40)))), order(&all));
    all.sort_by_key(|r| r["subject"]["session"].as_u64());
    for n in [1u32, 2, 17, 40] {
        let one = run(&["decode", name, "--format", "json", "--session", &n.to_string()], b"");
        let mut one = reports(&one).remove(0);
        let whole = &mut all[n as usize - 1];
        for report in [&mut one, &mut *whole] {
            report["command"] = Value::Null;
        }
        assert_eq!(&one, whole, "session {n}");
    }
    let screen = run(&["decode", name, "--session", "17"], b"");
    assert!(text(&screen.stdout).starts_with("CANNOT TELL") && !text(&screen.stdout).contains("COUNT"));
}

#[test]
fn half_a_capture_in_a_pipe_already_gives_its_first_report() {
    // Half of it has room in a pipe.
    let all = capture(40);
    for format in ["json", "text"] {
        let mut child = started(&["decode", "--format", format, "-"], Stdio::null());
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (head, tail) = all.split_at(all.len() / 2);
        stdin.write_all(head).unwrap();
        stdin.flush().unwrap();
        let mut line = String::new();
        // It waits for ever where nothing comes before the end.
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(if format == "json" { "{\"schema\"" } else { "FAILS " }), "{line}");
        // Both pipes are short.
        let tail = tail.to_vec();
        let feeder = std::thread::spawn(move || stdin.write_all(&tail).unwrap());
        let lines = stdout.lines().map(Result::unwrap);
        let last = lines.last().unwrap();
        assert!(last.starts_with(if format == "json" { "{\"schema\"" } else { "MORE    decode --session" }), "{last}");
        feeder.join().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}

#[test]
fn who_gets_a_report_before_the_end_gets_it_without_the_hash() {
    // The last session does not end, and is given out at the end of the input.
    let mut packets: Vec<Packet> = (0..5).flat_map(|n| session(n).packets).collect();
    let last = session(5).packets;
    packets.extend_from_slice(&last[..last.len() - 3]);
    packets.sort_by_key(|p| p.at);
    let bytes = Wire::new(Link::Ethernet, Order::Little, Unit::Micro).pcap(&packets);
    let hashes = |out: &Output| -> Vec<bool> {
        let all = reports(out);
        let with = all.iter().filter(|r| r["subject"]["inputs"][0]["sha256"].is_string());
        assert!(with.clone().all(|r| r["subject"]["inputs"][0]["bytes"] == bytes.len()));
        all.iter().map(|r| r["subject"]["inputs"][0]["sha256"].is_string()).collect()
    };
    let piped = hashes(&run(&["decode", "--format", "json"], &bytes));
    assert_eq!(piped, [false, false, false, false, false, true]);
    let path = file("hashed.pcap", &bytes);
    assert_eq!(hashes(&run(&["decode", "--format", "json", path.to_str().unwrap()], b"")), [true; 6]);
}

#[test]
fn names_are_taken_out_of_the_table_too() {
    for args in [&["-q"][..], &[], &["-v"]] {
        let out = run(&[&["decode", "-", "--redact", "names"], args].concat(), &capture(20));
        let text = text(&out.stdout);
        assert!(!text.contains("10.200.") && !text.contains("10.0."), "{text}");
        assert!(text.contains("192.0.2.1:21") && text.contains("192.0.2.2:2121") || args == ["-v"], "{text}");
        assert_eq!(counted(text), 20, "{text}");
    }
}

#[test]
fn a_trace_of_many_threads_is_a_table_as_well() {
    let one = fs::read_to_string(root().join("fixtures/gsksrvr/ibm-main-trace.txt")).unwrap();
    let all: String = (1..=100).map(|n| one.replace("Thread 00000001", &format!("Thread {n:08}"))).collect();
    let out = run(&["decode"], all.as_bytes());
    let text = text(&out.stdout);
    assert_eq!(text.matches("\nFAILS ").count() + usize::from(text.starts_with("FAILS ")), 3, "{text}");
    assert!(counted(text) == 100 && text.contains("100 FTP sessions in standard input: 100 fail"), "{text}");
}

#[test]
fn what_is_said_of_a_whole_capture_is_printed_behind_it() {
    let hello = handshake(1, &[&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat());
    let mut packets = session(0).packets;
    for n in 0..2 {
        let other = Talk::new(&format!("10.0.0.1:{}", 50_000 + n), "10.0.0.9:8443").at(T0 + SECOND);
        packets.extend(other.open().says(Who::Client, &hello).says(Who::Server, &record(21, &[2, 40])).close().packets);
    }
    packets.sort_by_key(|p| p.at);
    let bytes = Wire::new(Link::Ethernet, Order::Little, Unit::Micro).cut(120).pcap(&packets);
    let out = run(&["decode"], &bytes);
    let shown = text(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let unclaimed =
        "standard input: 2 TLS connections to 10.0.0.9:8443 are not known to be FTP: --port 8443 takes them";
    assert!(shown.contains(unclaimed), "{shown}");
    assert_eq!(text(&out.stderr), "");
    let out = run(&["decode", "--format", "json"], &bytes);
    let said = text(&out.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("ftpsdiag: {unclaimed}")), "{said}");
    assert_eq!(reports(&out).len(), 1);
    let out = run(&["decode", "--redact", "names"], &bytes);
    assert!(!text(&out.stdout).contains("10.0.0.9") && text(&out.stdout).contains("8443"), "{}", text(&out.stdout));
    assert_eq!(text(&run(&["decode", "-q"], &bytes).stdout).lines().count(), 2);
}

#[test]
fn a_packed_capture_is_read_like_the_capture() {
    let bytes = capture(30);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&bytes).unwrap();
    let packed = gz.finish().unwrap();
    let verdicts = |out: &Output| -> Vec<Value> { reports(out).iter().map(|r| r["verdict"].clone()).collect() };
    let plain = run(&["decode", "--format", "json"], &bytes);
    let unpacked = run(&["decode", "--format", "json"], &packed);
    assert_eq!((verdicts(&unpacked), text(&unpacked.stderr)), (verdicts(&plain), ""));
    // What came of it is used, and said to be a part.
    let cut = run(&["decode", "--format", "json"], &packed[..packed.len() / 2]);
    assert!(verdicts(&cut).len() > 3 && text(&cut.stderr).contains("ends in the middle"), "{}", text(&cut.stderr));
    let trace = fs::read(root().join("fixtures/gsksrvr/ibm-main-trace.txt")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&trace).unwrap();
    let out = run(&["decode", "-q"], &gz.finish().unwrap());
    assert!(text(&out.stdout).starts_with("FAILS ") && text(&out.stderr).is_empty());
}

#[test]
fn what_a_capture_lacks_is_said() {
    let w = Wire::new(Link::Ethernet, Order::Little, Unit::Micro);
    let other = w.block(1, &[&w.u16(127)[..], &[0; 2], &w.u32(0)].concat());
    let mut bytes = [w.section(), w.interface(), other].concat();
    for p in session(0).packets {
        let frame = p.frame(Link::Ethernet);
        bytes.extend(w.enhanced(0, (p.at / 1000) as u64, &frame, frame.len() as u32));
    }
    let ticks = (T0 / 1000) as u64;
    bytes.extend([w.enhanced(1, ticks, &[0; 40], 40), w.enhanced(1, ticks, &[0; 40], 40)].concat());
    let lost = [w.words(&[0, 0, 0]), w.option(5, &7u64.to_le_bytes()), vec![0; 4]].concat();
    bytes.extend(w.block(5, &lost));
    let out = run(&["decode", "--format", "json"], &bytes);
    for said in ["lost 7 packets", "2 packets of link type 127, which is not read"] {
        assert!(text(&out.stderr).contains(said), "{}", text(&out.stderr));
    }
    // It took nothing away from what is there.
    assert_eq!((out.status.code(), reports(&out).len()), (Some(1), 1));
}

/// A zip archive of stored files, without its directory's details.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let len = (bytes.len() as u32).to_le_bytes();
        out.extend([b"PK\x03\x04".as_slice(), &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
        out.extend([crc.sum().to_le_bytes(), len, len].concat());
        out.extend([&(name.len() as u16).to_le_bytes()[..], &[0, 0], name.as_bytes(), bytes].concat());
    }
    out.extend([b"PK\x05\x06".as_slice(), &[0; 18]].concat());
    out
}

#[test]
fn an_archive_of_several_files_is_refused_with_their_names() {
    let bytes = capture(5);
    let one = run(&["decode", "--format", "json"], &zip(&[("a.pcap", &bytes)]));
    assert_eq!((reports(&one).len(), text(&one.stderr)), (5, ""));
    let path = file("two.zip", &zip(&[("a.pcap", &bytes), ("b.pcap", &bytes)]));
    let two = run(&["decode", path.to_str().unwrap()], b"");
    let said = text(&two.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("2 files (a.pcap, b.pcap)") && said.contains("unzip -p"), "{said}");
    assert_eq!((two.status.code(), text(&two.stdout)), (Some(3), ""));
    // In a pipe the second one shows when the first one has been read.
    let two = run(&["decode"], &zip(&[("a.pcap", &bytes), ("b.pcap", &bytes)]));
    assert!(two.status.code() == Some(3) && text(&two.stderr).contains("2 files"), "{}", text(&two.stderr));
}

#[test]
fn an_archive_of_several_files_in_a_pipe_is_refused_and_nothing_else() {
    let bytes = capture(5);
    for args in [&["decode", "-q", "-"][..], &["decode", "-"]] {
        let two = run(args, &zip(&[("a.pcap", &bytes), ("b.pcap", &bytes)]));
        assert!(text(&two.stderr).contains("2 files (a.pcap, b.pcap)"), "{}", text(&two.stderr));
        assert_eq!((two.status.code(), text(&two.stdout)), (Some(3), ""));
    }
}

#[test]
fn captures_one_behind_the_other_are_all_read() {
    let w = Wire::new(Link::Ethernet, Order::Little, Unit::Micro);
    let mut packets: Vec<Packet> = (0..12).flat_map(|n| session(n).packets).collect();
    packets.sort_by_key(|p| p.at);
    // Files of a ring: a session goes on in the next one.
    let ring: Vec<u8> = packets.chunks(packets.len() / 3 + 1).flat_map(|part| w.pcap(part)).collect();
    let out = run(&["decode", "-"], &ring);
    let shown = text(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text(&out.stderr), "");
    assert!(shown.contains("12 FTP sessions in standard input"), "{shown}");
    assert!(shown.contains("several captures one behind the other: all of them are read"), "{shown}");
    // In pieces, and in the other byte order too.
    let big = Wire::new(Link::Ethernet, Order::Big, Unit::Nano).pcap(&session(1).packets);
    let mixed = [w.pcap(&session(0).packets), big].concat();
    assert_eq!(reports(&run(&["decode", "--format", "json"], &mixed)).len(), 2);
}

#[test]
fn a_capture_without_tcp_is_said_to_hold_what_it_holds() {
    let w = Wire::new(Link::Ethernet, Order::Little, Unit::Micro);
    let out = run(&["decode", "-"], &w.pcap(&[]));
    assert!(text(&out.stderr).contains("a capture without packets"), "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains("--port"), "{}", text(&out.stderr));
    // GRE in IPv4 in Ethernet.
    let ip = [0x45, 0, 0, 24, 0, 1, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 8, 0];
    let frame = [&[2; 12][..], &[8, 0], &ip, &[0; 22]].concat();
    let mut bytes = [w.section(), w.interface()].concat();
    for n in 0..3 {
        bytes.extend(w.enhanced(0, (T0 / 1000) as u64 + n, &frame, frame.len() as u32));
    }
    let out = run(&["decode", "-"], &bytes);
    let said = text(&out.stderr);
    assert!(said.contains("no TCP connection among its 3 packets: 3 of GRE") && said.contains("tunnel"), "{said}");
    assert!(!said.contains("--port"), "{said}");
}

#[test]
fn a_session_that_is_not_there_is_said_with_how_many_there_are() {
    let out = run(&["decode", "--session", "6", "-"], &capture(5));
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(3), ""));
    assert_eq!(text(&out.stderr), "ftpsdiag: there is no such session: the input has 5\n");
    for args in [["decode", "--session", "0"], ["decode", "--port", "0"]] {
        let out = run(&args, b"");
        assert_eq!((out.status.code(), text(&out.stdout)), (Some(3), ""), "{args:?}");
        assert!(text(&out.stderr).contains("invalid value '0'"), "{}", text(&out.stderr));
    }
}

/// Ctrl-C while a pipe stays open behind these bytes, of which most have been read: what is printed, and the exit status.
#[cfg(all(unix, feature = "live"))]
fn interrupted(args: &[&str], bytes: &[u8]) -> (String, Option<i32>) {
    let mut child = started(args, Stdio::null());
    let mut stdin = child.stdin.take().unwrap();
    // A pipe holds a part of it only: when this is done, it is being read.
    stdin.write_all(bytes).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    drop(stdin);
    (text(&out.stdout).to_owned(), out.status.code())
}

#[cfg(all(unix, feature = "live"))]
#[test]
fn ctrl_c_ends_the_reading_and_reports_what_was_read() {
    let all = capture(800);
    for args in [&["decode", "-q", "-"][..], &["decode", "-"]] {
        let (shown, status) = interrupted(args, &all);
        assert!(shown.contains(" FTP sessions in standard input: ") && counted(&shown) > 100, "{shown}");
        assert_eq!(shown.contains("Ctrl-C: this is what was read until then"), args.len() == 2, "{shown}");
        assert_eq!(status, Some(1), "some of them fail");
    }
    let works = (0..4_000).filter(|n| comes(*n) == Comes::Works).flat_map(|n| session(n).packets);
    let works = Wire::new(Link::Ethernet, Order::Little, Unit::Micro).pcap(&works.collect::<Vec<_>>());
    let (shown, status) = interrupted(&["decode", "-q", "-"], &works);
    assert!(status == Some(2) && shown.contains(": ") && shown.contains(" work ("), "{status:?} {shown}");
}

/// Nobody takes what it prints, so that the first one cannot end it.
#[cfg(all(unix, feature = "live"))]
#[test]
fn the_second_ctrl_c_ends_the_program() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"))
        .args(["decode", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&capture(800)).is_ok());
    let mut stdout = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut stdout, &mut [0]).unwrap();
    // Two that come at once are one.
    let status = (0..10_000).find_map(|_| {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        child.try_wait().unwrap()
    });
    assert_eq!(status.and_then(|s| s.code()), Some(2));
    drop(stdout);
    writer.join().unwrap();
}

#[test]
fn what_a_capture_does_not_have_of_a_session_is_on_its_screen() {
    let all = session(8).packets;
    let shown = |packets: &[Packet]| {
        let bytes = Wire::new(Link::Ethernet, Order::Little, Unit::Micro).pcap(packets);
        text(&run(&["decode", "-"], &bytes).stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let of = |server: bool| -> Vec<Packet> {
        all.iter().filter(|p| (p.from.to_string() == "10.200.0.2:21") == server).cloned().collect()
    };
    assert!(!shown(&all).contains("NOTE"), "{}", shown(&all));
    for (server, who) in [(true, "client"), (false, "server")] {
        let said = shown(&of(server));
        assert!(said.contains(&format!("NOTE nothing of the {who} was captured: one direction alone")), "{said}");
    }
    let longest = all.iter().filter(|p| p.from.port() == 21).max_by_key(|p| p.payload.len()).unwrap().clone();
    let lost: Vec<Packet> = all.iter().filter(|p| p.payload != longest.payload).cloned().collect();
    let (said, len) = (shown(&lost), longest.payload.len());
    assert!(said.contains(&format!("NOTE bytes are missing: {len} of the server")), "{said}");
}
