//! The real binary against sockets that misbehave: ends, silences, floods, proxies. What real servers do is in servers.rs,
//! what the conversation does is in plays.rs; here it is the driver, its bounds, and the command line.
#![cfg(feature = "live")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use assert_cmd::Command;
use common::root;
use ftpsdiag::report::Report;

/// Longest that a scripted server waits for a client.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that handles each of `connections` connections by `serve`, one after the other.
struct Scripted {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

fn serve(connections: usize, serve: impl Fn(usize, TcpStream) + Send + 'static) -> Scripted {
    serve_on("127.0.0.1:0", connections, serve)
}

fn serve_on(at: &str, connections: usize, serve: impl Fn(usize, TcpStream) + Send + 'static) -> Scripted {
    let listener = TcpListener::bind(at).unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        for (n, stream) in listener.incoming().take(connections).enumerate() {
            let Ok(stream) = stream else { continue };
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_write_timeout(Some(PATIENCE)).unwrap();
            serve(n, stream);
        }
    });
    Scripted { address, thread: Some(thread) }
}

impl Scripted {
    /// Waits for the server's end: it has served everybody that it expected.
    fn finished(mut self) {
        self.thread.take().unwrap().join().expect("the scripted server");
    }
}

fn ftpsdiag(args: &[&str]) -> Output {
    Command::cargo_bin("ftpsdiag").unwrap().current_dir(root()).args(args).timeout(PATIENCE * 2).output().unwrap()
}

fn probe(address: SocketAddr, more: &[&str]) -> (Report, Output) {
    let target = address.to_string();
    let mut args = vec!["probe", &target, "--format", "json"];
    args.extend(more);
    let out = ftpsdiag(&args);
    let text = std::str::from_utf8(&out.stdout).unwrap();
    let report =
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}\n{}", String::from_utf8_lossy(&out.stderr)));
    (report, out)
}

/// Reads a line of the client; empty at its end.
fn line(stream: &TcpStream) -> String {
    let mut line = String::new();
    let mut byte = [0];
    let mut stream = stream;
    while let Ok(1) = stream.read(&mut byte) {
        line.push(char::from(byte[0]));
        if byte[0] == b'\n' {
            break;
        }
    }
    line
}

/// Waits until the client closes.
fn wait_for_end(mut stream: &TcpStream) {
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest), Ok(1..)) {}
}

/// Up to the ClientHello, which is read.
fn to_hello(mut stream: &TcpStream) {
    stream.write_all(b"220 ready\r\n").unwrap();
    assert_eq!(line(stream), "AUTH TLS\r\n");
    stream.write_all(b"234 go ahead\r\n").unwrap();
    let mut header = [0; 5];
    stream.read_exact(&mut header).unwrap();
    let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut hello).unwrap();
}

/// Closes so that the client gets an RST.
fn reset(stream: TcpStream) {
    // Unread bytes at a close make an RST on Linux, macOS and Windows.
    let mut byte = [0];
    let _ = stream.peek(&mut byte);
    drop(stream);
}

#[test]
fn the_text_that_every_library_throws_away() {
    let server = serve(4, |_, mut stream| {
        to_hello(&stream);
        let _ = stream.write_all(b"550 TLS handshake failed\r\n");
    });
    let (r, out) = probe(server.address, &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        common::verdict(&r).starts_with("fails plaintext-instead-of-tls certain server"),
        "{}",
        common::verdict(&r)
    );
    assert_eq!(r.findings[0].data["text"], "550 TLS handshake failed");
    // Three questions: TLS 1.2, old suites, old versions.
    assert_eq!((r.experiments.len(), r.cost.as_ref().map(|c| c.connections)), (3, Some(4)));
    assert!(r.started.is_some() && r.elapsed_ms.is_some() && r.complete);
    // Every byte is in the report: what we sent is what the server read.
    assert_eq!(
        r.cost.unwrap().bytes_in,
        4 * ("220 ready\r\n234 go ahead\r\n550 TLS handshake failed\r\n".len() as u64)
    );
    drop(server);
}

#[test]
fn a_reset_is_told_from_a_close() {
    let server = serve(1, |_, mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        reset(stream);
    });
    let (r, _) = probe(server.address, &[]);
    let ended = r.events.iter().find(|e| e.kind == "closed").map(|e| e.text.clone());
    assert_eq!(ended.as_deref(), Some("server resets (RST)"));
    server.finished();
    let server = serve(1, |_, mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        assert_eq!(line(&stream), "AUTH TLS\r\n");
    });
    let (r, _) = probe(server.address, &[]);
    let ended = r.events.iter().find(|e| e.kind == "closed").map(|e| e.text.clone());
    assert_eq!(ended.as_deref(), Some("server closes (FIN)"));
    server.finished();
}

#[test]
fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (r, out) = probe(address, &[]);
    assert_eq!((out.status.code(), r.verdict.by.as_deref()), (Some(1), Some("connect-failed")));
    assert_eq!(r.findings[0].data["why"], "refused");
}

#[test]
fn a_name_that_nobody_has() {
    let out = ftpsdiag(&["probe", "does-not-exist.invalid", "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), r.verdict.by.as_deref()), (Some(1), Some("connect-failed")));
    assert_eq!(r.findings[0].data["why"], "dns");
}

#[test]
fn the_patience_for_a_step_is_kept() {
    let server = serve(1, |_, mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        wait_for_end(&stream);
    });
    let (r, _) = probe(server.address, &["--timeout", "0.3"]);
    let silence = r.events.iter().find(|e| e.kind == "timed-out").map(|e| e.text.clone()).unwrap();
    assert!(silence.starts_with("nothing from the server for 30"), "{silence}");
    assert!(r.events.iter().any(|e| e.text == "220 ready"), "what came before is there");
    server.finished();
}

#[test]
fn the_time_for_a_run_is_kept_though_a_server_drips() {
    let server = serve(2, |_, mut stream| {
        // A byte whenever the client has said nothing for a while; it never does.
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut byte = [0];
        while stream.write_all(b"2").is_ok() && !matches!(stream.read(&mut byte), Ok(0)) {}
    });
    let (r, out) = probe(server.address, &["--timeout", "60", "--max-time", "1"]);
    assert!(!r.complete, "the run was cut off");
    assert_ne!(r.verdict.by.as_deref(), Some("silence-during-handshake"));
    assert_ne!(out.status.code(), Some(0));
    assert!(r.elapsed_ms.unwrap() < 20_000, "{:?}", r.elapsed_ms);
    assert!(r.cost.unwrap().bytes_in > 0);
    drop(server);
}

/// Whether a client took a whole gigabyte.
static ALL_WAS_READ: AtomicBool = AtomicBool::new(false);

/// Writes until the client has had enough.
fn flood(mut stream: &TcpStream, with: &[u8]) {
    let mut left = 1_u64 << 30;
    while left > 0 && stream.write_all(with).is_ok() {
        left = left.saturating_sub(with.len() as u64);
    }
    if left == 0 {
        // The probe may end while other connections stand: the test looks here, not at this thread.
        ALL_WAS_READ.store(true, Ordering::Relaxed);
    }
}

#[test]
fn floods_are_cut() {
    type Script = fn(&TcpStream);
    let scripts: [(&str, Script); 5] = [
        ("an endless line", |s| flood(s, &[b'x'; 16 * 1024])),
        ("endless lines", |s| flood(s, &b"220-hello\r\n".repeat(1000))),
        ("a greeting of zeros", |s| flood(s, &[0; 16 * 1024])),
        ("text behind the hello", |s| {
            to_hello(s);
            flood(s, &b"550 TLS handshake failed\r\n".repeat(500));
        }),
        ("records that are no answer", |s| {
            to_hello(s);
            flood(s, &[0x17, 3, 3, 0, 1, 0].repeat(2000));
        }),
    ];
    for (name, script) in scripts {
        let server = serve(4, move |_, stream| script(&stream));
        let (r, out) = probe(server.address, &[]);
        assert_ne!(out.status.code(), Some(0), "{name}");
        let cost = r.cost.unwrap();
        assert!(cost.bytes_in < 5 << 20, "{name}: {} bytes were kept", cost.bytes_in);
        drop(server);
    }
    assert!(!ALL_WAS_READ.load(Ordering::Relaxed), "a gigabyte was read");
}

#[test]
fn a_long_line_is_read_and_nothing_steers_the_terminal() {
    let server = serve(1, |_, mut stream| {
        let mut greeting = b"220-\x1b[2J\x1b]0;owned\x07\0 \xe2\x80\xae<script>\r\n220-".to_vec();
        greeting.extend(vec![b'y'; 64 * 1024 - 10]);
        greeting.extend(b"\r\n220 \x9b31mready\r\n");
        stream.write_all(&greeting).unwrap();
        assert_eq!(line(&stream), "AUTH TLS\r\n");
        stream.write_all(b"500 \x1b[31mno\x00\r\n").unwrap();
        assert_eq!(line(&stream), "AUTH SSL\r\n");
        stream.write_all(b"500 \x1b[31mno\x00\r\n").unwrap();
        wait_for_end(&stream);
    });
    let target = server.address.to_string();
    let out = ftpsdiag(&["probe", &target, "-v", "--color", "never", "--timeout", "1"]);
    for bytes in [&out.stdout, &out.stderr] {
        assert!(bytes.iter().all(|b| matches!(b, b'\n' | b' '..=b'~')), "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(out.status.code(), Some(1));
    server.finished();
}

#[test]
fn ipv6_and_a_source_address() {
    let serve_busy = |at: &str| {
        serve_on(at, 1, |_, mut stream| {
            stream.write_all(b"421 busy\r\n").unwrap();
            wait_for_end(&stream);
        })
    };
    let server = serve_busy("[::1]:0");
    let (r, _) = probe(server.address, &[]);
    assert_eq!(r.subject.address.as_deref(), Some(server.address.to_string().as_str()));
    assert_eq!(server.address.ip(), IpAddr::from(Ipv6Addr::LOCALHOST));
    server.finished();
    let server = serve_busy("127.0.0.1:0");
    let (r, _) = probe(server.address, &["--source", "127.0.0.9"]);
    assert_eq!(r.seen_from.unwrap().local.as_deref(), Some("127.0.0.9"));
    server.finished();
}

#[test]
fn every_address_of_a_name_gets_its_report() {
    let server = serve(2, |_, mut stream| {
        stream.write_all(b"421 busy\r\n").unwrap();
        wait_for_end(&stream);
    });
    let target = format!("localhost:{}", server.address.port());
    let out = ftpsdiag(&["probe", &target, "--all-addresses", "-4", "--format", "json"]);
    let reports: Vec<Report> =
        serde_json::Deserializer::from_slice(&out.stdout).into_iter().collect::<Result<_, _>>().unwrap();
    assert!(!reports.is_empty());
    for r in &reports {
        assert_eq!(r.connections[0].host.as_deref(), Some("localhost"));
        assert!(r.subject.address.as_deref().is_some_and(|a| a.starts_with("127.")));
    }
    let out =
        ftpsdiag(&["probe", "ftp.example.invalid:21", "--resolve", "127.0.0.1", "--timeout", "1", "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(r.subject.address.as_deref(), Some("127.0.0.1:21"));
    drop(server);
}

/// Copies both ways until both have ended.
fn splice(client: TcpStream, to: SocketAddr) {
    let server = TcpStream::connect(to).unwrap();
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        })
    };
    let there = copy(client.try_clone().unwrap(), server.try_clone().unwrap());
    let back = copy(server, client);
    there.join().unwrap();
    back.join().unwrap();
}

fn busy() -> Scripted {
    serve(1, |_, mut stream| {
        stream.write_all(b"421 busy\r\n").unwrap();
        wait_for_end(&stream);
    })
}

#[test]
fn through_a_socks5_proxy() {
    let server = busy();
    let to = server.address;
    let proxy = serve(1, move |_, mut stream| {
        let mut hello = [0; 4];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello, [5, 2, 0, 2]);
        stream.write_all(&[5, 2]).unwrap();
        let mut login = [0; 12];
        stream.read_exact(&mut login).unwrap();
        assert_eq!(&login, b"\x01\x02me\x07s3cr3t!");
        stream.write_all(&[1, 0]).unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        assert_eq!(request[..4], [5, 1, 0, 3], "the proxy resolves the name");
        let mut name = vec![0; usize::from(request[4]) + 2];
        stream.read_exact(&mut name).unwrap();
        assert_eq!(&name[..name.len() - 2], b"ftp.inside.example");
        stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 21]).unwrap();
        splice(stream, to);
    });
    let url = format!("socks5://me@{}", proxy.address);
    let out = Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["probe", "ftp.inside.example", "--proxy", &url, "--format", "json"])
        .env("FTPSDIAG_PROXY_PASSWORD", "s3cr3t!")
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let r: Report = serde_json::from_str(&text).unwrap();
    assert!(r.events.iter().any(|e| e.text == "421 busy"), "{text}");
    assert!(!text.contains("s3cr3t") && !text.contains(&hex::encode("s3cr3t")));
    proxy.finished();
    server.finished();
}

#[test]
fn through_an_http_proxy() {
    let server = busy();
    let to = server.address;
    let proxy = serve(1, move |_, stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        assert!(head.starts_with("CONNECT ftp.inside.example:21 HTTP/1.1\r\n"), "{head}");
        (&stream).write_all(b"HTTP/1.1 200 go\r\nVia: x\r\n\r\n").unwrap();
        splice(stream, to);
    });
    let url = format!("http://{}", proxy.address);
    let out = ftpsdiag(&["probe", "ftp.inside.example", "--proxy", &url, "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert!(r.events.iter().any(|e| e.text == "421 busy"));
    proxy.finished();
    server.finished();
}

#[test]
fn a_proxy_that_refuses_is_quoted() {
    let proxy = serve(1, |_, mut stream| {
        let mut head = [0; 16];
        let _ = stream.read(&mut head);
        stream.write_all(b"HTTP/1.1 403 Forbidden by \x1b[31mpolicy\r\n\r\n").unwrap();
        wait_for_end(&stream);
    });
    let url = format!("http://{}", proxy.address);
    let out = ftpsdiag(&["probe", "ftp.inside.example", "--proxy", &url, "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(r.verdict.by.as_deref(), Some("connect-failed"));
    assert!(r.events.iter().any(|e| e.text.contains("403 Forbidden by \\x1b[31mpolicy")), "{:?}", r.events);
    proxy.finished();
}

#[test]
fn a_dial_that_takes_too_long_is_reported_as_one() {
    let proxy = serve(1, |_, stream| wait_for_end(&stream));
    let url = format!("socks5://{}", proxy.address);
    let out = ftpsdiag(&["probe", "ftp.inside.example", "--proxy", &url, "--timeout", "0.3", "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), r.verdict.by.as_deref()), (Some(1), Some("connect-failed")));
    assert_eq!(r.findings[0].data["why"], "timed-out");
    proxy.finished();
}

#[test]
fn a_proxy_gets_no_password_that_it_was_not_offered() {
    let proxy = serve(1, |_, mut stream| {
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello, [5, 1, 0]);
        stream.write_all(&[5, 2]).unwrap();
        let mut more = Vec::new();
        let _ = stream.read_to_end(&mut more);
        assert_eq!(more, b"", "nothing more was said");
    });
    let url = format!("socks5://{}", proxy.address);
    let out = Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["probe", "ftp.inside.example", "--proxy", &url, "-q"])
        .env("FTPSDIAG_PROXY_PASSWORD", "s3cr3t!")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    proxy.finished();
}

#[test]
fn what_cannot_be_a_target_is_said_before_anything_is_connected() {
    for (args, word) in [
        (&["probe", "ftp://me:hunter2@127.0.0.1"][..], "password"),
        (&["probe", "http://127.0.0.1"], "no scheme of FTP"),
        (&["probe", "127.0.0.1:0"], "port"),
        (&["probe", "h", "--proxy", "http://me:hunter2@p"], "password"),
        (&["probe", "h", "--ca", "no-such-file.pem"], "no-such-file.pem"),
        (&["probe", "h", "--cert", "no-such-file.pem"], "no-such-file.pem"),
        (&["probe", "h", "--timeout", "0"], "seconds"),
        (&["probe", "sftp://me:hunter2@h"], "password"),
        (&["probe", "127.0.0.1", "-6"], "127.0.0.1"),
        (&["probe", "127.0.0.1", "--source", "::1"], "127.0.0.1"),
        (&["probe", "127.0.0.1", "--sni", "10.0.0.1"], "no host name"),
        (&["probe", "127.0.0.1", "--verify-name", ""], "no host name"),
        (&["probe", "h", "--mode", "ftps"], "one of auto, explicit"),
    ] {
        let out = ftpsdiag(args);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!((out.status.code(), out.stdout.len()), (Some(3), 0), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_bare_host_is_probed() {
    let server = busy();
    let out = ftpsdiag(&[&server.address.to_string(), "--format", "json"]);
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(serde_json::to_value(r.subject.kind).unwrap(), "probe");
    server.finished();
}

#[cfg(unix)]
#[test]
fn ctrl_c_reports_what_is_known() {
    let (told, asked) = std::sync::mpsc::channel();
    let server = serve(1, move |_, mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        assert_eq!(line(&stream), "AUTH TLS\r\n");
        told.send(()).unwrap();
        wait_for_end(&stream);
    });
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin("ftpsdiag"))
        .args(["probe", &server.address.to_string(), "--format", "json", "--timeout", "60"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    asked.recv_timeout(PATIENCE).expect("AUTH TLS was sent");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).output().unwrap().status.success());
    let out = child.wait_with_output().unwrap();
    let r: Report = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), r.complete), (Some(2), false));
    assert_eq!((r.verdict.outcome.name(), &r.verdict.by), ("inconclusive", &None), "{}", r.verdict.headline);
    assert!(r.events.iter().any(|e| e.text == "AUTH TLS"));
    server.finished();
}

/// On a terminal of its own, by `script` of util-linux.
#[cfg(target_os = "linux")]
#[test]
fn progress_goes_to_the_terminal_alone_and_steers_nothing() {
    let server = serve(2, |_, mut stream| {
        stream.write_all(b"421 \x1b[31mbusy\x07\r\n").unwrap();
        wait_for_end(&stream);
    });
    let binary = assert_cmd::cargo::cargo_bin("ftpsdiag");
    let run = |redirect: &str| {
        let line = format!("{} probe {} --color never {redirect}", binary.display(), server.address);
        let out = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm")
            .timeout(PATIENCE)
            .output()
            .expect("`script` of util-linux");
        String::from_utf8(out.stdout).unwrap()
    };
    let progress = run("> /dev/null");
    assert!(progress.contains(": < 421 \\x1b[31mbusy\\x07"), "{progress:?}");
    assert!(progress.ends_with("\r\x1b[K"), "the line is taken away: {progress:?}");
    assert!(!progress.contains("\x1b[31m") && !progress.contains('\x07'), "{progress:?}");
    let report = run("2> /dev/null");
    assert!(report.contains("FAILS") || report.contains("CANNOT TELL"), "{report:?}");
    assert!(!report.contains('\x1b'), "{report:?}");
    server.finished();
}

#[test]
fn a_saved_report_is_judged_again_alike() {
    let server = serve(4, |_, mut stream| {
        to_hello(&stream);
        let _ = stream.write_all(b"550 TLS handshake failed\r\n");
    });
    let (r, out) = probe(server.address, &[]);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe-again.json");
    std::fs::write(&file, &out.stdout).unwrap();
    let again = ftpsdiag(&["decode", file.to_str().unwrap(), "--format", "json"]);
    let again: Report = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&again.verdict, &again.findings), (&r.verdict, &r.findings));
    assert_eq!(again.transcript.entries, r.transcript.entries);
    drop(server);
}
