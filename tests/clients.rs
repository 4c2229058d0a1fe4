//! Which client it was: recorded and described hellos, what is almost one of them, and words that outrank them.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{files, relative, root};
use ftpsdiag::codes;
use ftpsdiag::decode::{Kind, decode};
use ftpsdiag::facts::accepts::{Accepts, OfVersion, Order, Set, Takes};
use ftpsdiag::facts::admits::{Admission, Keys, Why, admits};
use ftpsdiag::facts::gather;
use ftpsdiag::report::Report;
use ftpsdiag::transcript::{Asked, Mode, Transcript, dialogue};
use ftpsdiag::wire::tls::handshake::{Message, parse};
use ftpsdiag::wire::tls::hello::{ClientHello, Extension};
use ftpsdiag::wire::tls::simulate::hello_of;

fn part8(out: &mut Vec<u8>, data: &[u8]) {
    out.push(u8::try_from(data.len()).unwrap());
    out.extend(data);
}

fn part16(out: &mut Vec<u8>, data: &[u8]) {
    out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    out.extend(data);
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// A hello in one record, as hex.
fn record(version: u16, hello: &ClientHello) -> String {
    let mut body = hello.version.to_be_bytes().to_vec();
    body.extend(hello.random);
    part8(&mut body, &hello.session_id);
    part16(&mut body, &numbers(&hello.suites));
    part8(&mut body, &hello.compression);
    if let Some(all) = &hello.extensions {
        let mut block = Vec::new();
        for e in all {
            block.extend(e.id.to_be_bytes());
            part16(&mut block, &e.data);
        }
        part16(&mut body, &block);
    }
    let mut message = vec![1, 0];
    part16(&mut message, &body);
    let mut out = vec![22];
    out.extend(version.to_be_bytes());
    part16(&mut out, &message);
    hex::encode(out)
}

/// A conversation up to the hello: `AUTH TLS`, or what the client says instead.
fn conversation(said: &[&str], hello: &str) -> Transcript {
    let mut play = "0 S \"220 ready\\r\\n\"\n".to_owned();
    for (n, command) in said.iter().enumerate() {
        play += &format!("{} C \"{command}\\r\\n\"\n{} S \"234 go ahead\\r\\n\"\n", 2 * n + 1, 2 * n + 2);
    }
    play += &format!("90 C {hello}\n");
    dialogue::parse(&play).unwrap()
}

/// The product that the facts tell, with how sure they are.
fn told(said: &[&str], hello: &str) -> String {
    let t = conversation(said, hello);
    let facts = gather(&t, &decode(&t));
    let client = facts.client.or(facts.guess);
    client.map_or_else(|| "-".to_owned(), |c| format!("{} {}", c.id, format!("{:?}", c.sure).to_lowercase()))
}

/// Lines of `tests/clients/described.txt`: name, what it is told for, and the hello.
fn described() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(root().join("tests/clients/described.txt")).unwrap();
    text.lines().filter(|l| !l.starts_with('#')).map(described_one).collect()
}

fn described_one(line: &str) -> (String, String, String) {
    let cells: Vec<&str> = line.split(" | ").collect();
    let [name, told, head, versions, suites, extensions, groups, schemes] = cells[..] else { panic!("{line}") };
    let list = |cell: &str| -> Vec<u16> {
        cell.split(' ').filter(|w| *w != "-").map(|w| u16::from_str_radix(w, 16).unwrap()).collect()
    };
    let mut head = head.split(' ');
    let mut next = || head.next().unwrap();
    let (record_version, version) = (list(next())[0], list(next())[0]);
    let content = |id: u16| {
        let mut data = Vec::new();
        match id {
            10 => part16(&mut data, &numbers(&list(groups))),
            13 => part16(&mut data, &numbers(&list(schemes))),
            43 => part8(&mut data, &numbers(&list(versions))),
            _ => {}
        }
        Extension { id, data }
    };
    let hello = ClientHello {
        version,
        random: [7; 32],
        session_id: vec![9; next().parse().unwrap()],
        suites: list(suites),
        compression: vec![0],
        extensions: (extensions != "-").then(|| list(extensions).into_iter().map(content).collect()),
        broken: None,
        specs: None,
    };
    (name.to_owned(), told.to_owned(), record(record_version, &hello))
}

#[test]
fn described_hellos_are_told_for_what_they_are() {
    let all = described();
    assert!(all.len() > 40);
    for (name, expected, hello) in all {
        assert_eq!(told(&["AUTH TLS"], &hello), expected, "{name}");
    }
}

/// A recorded conversation: its name, its transcript, its hello and the version of its record.
struct Recorded {
    name: String,
    transcript: Transcript,
    hello: ClientHello,
    version: u16,
    report: Report,
}

fn recorded() -> Vec<Recorded> {
    let dialogues = files(&root().join("fixtures/hellos")).into_iter().filter(|p| p.extension().unwrap() == "dialogue");
    let mut all: Vec<(String, Transcript)> =
        dialogues.map(|p| (relative(&p), dialogue::parse(&fs::read_to_string(&p).unwrap()).unwrap())).collect();
    // The System SSL trace alone: no words of the FTP client.
    let trace = fs::read(root().join("fixtures/gsksrvr/ibm-main-trace.txt")).unwrap();
    all.push(("the System SSL trace".to_owned(), ftpsdiag::read(&[("trace", &trace)]).sessions.remove(0)));
    all.into_iter().map(recorded_one).collect()
}

fn recorded_one((name, transcript): (String, Transcript)) -> Recorded {
    let events = decode(&transcript).events;
    let (span, hello) = events
        .iter()
        .find_map(|e| match &e.kind {
            Kind::Handshake(Message::ClientHello(h)) => Some((e.span.unwrap(), h.as_ref().clone())),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{name}: no hello"));
    let bytes = transcript.bytes(span);
    let version = u16::from_be_bytes([bytes[1], bytes[2]]);
    let report = common::report(&transcript);
    Recorded { name, transcript, hello, version, report }
}

/// Hellos with one suite removed, and with one moved to the other end.
fn near_misses(hello: &ClientHello) -> Vec<ClientHello> {
    let mut out = Vec::new();
    for n in 0..hello.suites.len() {
        let mut removed = hello.suites.clone();
        let suite = removed.remove(n);
        let mut moved = removed.clone();
        if n < hello.suites.len() / 2 {
            moved.push(suite)
        } else {
            moved.insert(0, suite)
        }
        out.push(ClientHello { suites: removed, ..hello.clone() });
        out.push(ClientHello { suites: moved, ..hello.clone() });
    }
    out
}

#[test]
fn what_is_almost_a_known_hello_names_a_library_at_most() {
    let library: BTreeMap<&str, bool> = codes::client_prints().map(|p| (p.product, p.library)).collect();
    let mut count = 0;
    for r in recorded() {
        let ours = r.report.client.as_ref().unwrap().product.clone().unwrap();
        for hello in near_misses(&r.hello) {
            let auth = if r.name.contains("curl") { "AUTH SSL" } else { "AUTH TLS" };
            let got = told(&[auth], &record(r.version, &hello));
            let product = got.split(' ').next().unwrap();
            // FileZilla names itself in ALPN, whatever its suites.
            let names_itself = ours == "filezilla-client" && product == ours;
            let its_library = match ours.as_str() {
                "python" | "node" | "curl" => "openssl",
                other => other,
            };
            let may_be = product == "-" || (product == its_library && library[product]);
            assert!(names_itself || may_be, "{}: {got} with suites {:04x?}", r.name, hello.suites);
            count += 1;
        }
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn filezilla_without_its_protocol_is_gnutls() {
    let mut all = recorded();
    let r = all.iter_mut().find(|r| r.name.contains("filezilla")).unwrap();
    r.hello.extensions.as_mut().unwrap().retain(|e| e.id != 16);
    assert_eq!(told(&["AUTH TLS"], &record(r.version, &r.hello)), "gnutls likely");
}

#[test]
fn curl_without_its_habit_is_openssl() {
    let all = recorded();
    let r = all.iter().find(|r| r.name.contains("curl-7.88.1.")).unwrap();
    let hello = record(r.version, &r.hello);
    assert_eq!(told(&["AUTH SSL"], &hello), "curl likely");
    assert_eq!(told(&["AUTH TLS", "AUTH SSL"], &hello), "openssl likely", "it begins with AUTH SSL");
    assert_eq!(told(&[], &hello), "openssl likely");
}

#[test]
fn grease_names_and_padding_do_not_matter() {
    for r in recorded() {
        let mut hello = r.hello.clone();
        hello.suites.insert(0, 0x2a2a);
        if let Some(all) = &mut hello.extensions {
            all.retain(|e| ![0, 21].contains(&e.id));
            all.insert(0, Extension { id: 0x4a4a, data: Vec::new() });
            all.push(Extension { id: 41, data: vec![0; 40] });
        }
        let auth = if r.name.contains("curl") { "AUTH SSL" } else { "AUTH TLS" };
        let client = r.report.client.unwrap();
        let got = told(&[auth], &record(r.version, &hello));
        assert_eq!(got.split(' ').next(), client.product.as_deref(), "{}", r.name);
    }
}

#[test]
fn our_own_hello_is_nobodys() {
    for r in recorded() {
        let mut t = r.transcript;
        t.origin.asked = Some(Asked { target: "h:21".to_owned(), mode: Mode::Explicit, ..Asked::default() });
        if r.name.contains("System SSL") {
            continue;
        }
        assert_eq!(common::client(&common::report(&t)), "client -", "{}", r.name);
    }
}

/// TLS 1.2 with suites that no row knows.
const UNKNOWN: &str =
    "160301002f0100002b0303603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d0000040035002f0100";

#[test]
fn a_hello_of_unknown_make_stays_unknown() {
    assert_eq!(told(&["AUTH TLS"], UNKNOWN), "-");
    let pasted = common::only_report("x", format!("{UNKNOWN}\n").as_bytes());
    let client = pasted.client.unwrap();
    assert_eq!((client.product, client.confidence, client.because.len()), (None, None, 0));
    assert!(client.offer.is_some());
}

#[test]
fn words_outrank_the_hello_and_agree_with_it() {
    let all = recorded();
    let hello = |part: &str| {
        let r = all.iter().find(|r| r.name.contains(part)).unwrap();
        record(r.version, &r.hello)
    };
    assert_eq!(told(&["CLNT WinSCP-release-6.3.4", "AUTH TLS"], &hello("openssl-3.0.7")), "winscp likely");
    assert_eq!(told(&["clnt lftp/4.9.2", "AUTH TLS"], &hello("lftp")), "lftp likely");
    assert_eq!(told(&["CLNT FileZilla", "AUTH TLS"], &hello("filezilla")), "filezilla-client certain");
    assert_eq!(told(&["CLNT Unheard-of 1.0", "AUTH TLS"], &hello("java-17.0.15.")), "java likely");
    assert_eq!(told(&["CLNT WinSCP", "AUTH TLS"], UNKNOWN), "winscp likely");
    // As a log quotes it, from inside TLS.
    let mut t = conversation(&["AUTH TLS"], &hello("openssl-3.0.7"));
    t.entries.extend(dialogue::parse("95 C* \"CLNT WinSCP-release-6.3.4\\r\\n\"\n").unwrap().entries);
    assert_eq!(common::client(&common::report(&t)), "client winscp likely");
}

#[test]
fn zos_is_told_by_its_words_by_its_hello_and_by_both() {
    let client = |report: &Report| report.client.clone().unwrap();
    let mail = client(&common::only_report(common::SEED, common::seed().as_bytes()));
    assert_eq!(mail.product.as_deref(), Some("zos-native"));
    assert_eq!(
        common::client(&common::only_report(common::SEED, common::seed().as_bytes())),
        "client zos-native certain"
    );
    assert!(mail.because.iter().any(|b| b.contains("z/OS FTP client")), "{:?}", mail.because);
    assert!(mail.because.iter().any(|b| b.contains("V2R2 to V2R5")), "{:?}", mail.because);
    let all = recorded();
    let trace = all.iter().find(|r| r.name.contains("System SSL")).unwrap();
    assert_eq!(told(&["AUTH TLS"], &record(trace.version, &trace.hello)), "zos-native likely");
    let log = fs::read(root().join("fixtures/zos-ftp/ibm-main-client.txt")).unwrap();
    assert_eq!(common::client(&common::only_report("log", &log)), "client zos-native likely");
}

/// System SSL with TLS 1.3 as its documentation describes it; nobody recorded one.
fn at_tls() -> String {
    let line = "AT-TLS | - | 0301 0303 0 | 0304 0303 | 1302 1301 c030 c02f | 000a 000d 002b 002d 0033 | 0017 0018 | \
                0601 0603 0501 0503 0401 0403 0402 0301 0303 0302 0201 0203 0202 0806 0805 0804";
    described_one(line).2
}

#[test]
fn what_is_only_derived_is_possible_and_advises_nothing() {
    assert_eq!(told(&["AUTH TLS"], &at_tls()), "zos-attls possible");
    let mut t = conversation(&["AUTH TLS"], &at_tls());
    t.entries.extend(dialogue::parse("95 S 15030300020228\n96 S closes\n").unwrap().entries);
    let report = common::report(&t);
    assert!(report.findings[0].advice.iter().all(|a| a.product.is_none()), "{:?}", report.findings[0].advice);
}

/// An alert behind a hello.
fn refused(said: &[&str], hello: &str) -> Report {
    let mut t = conversation(said, hello);
    t.entries.extend(dialogue::parse("95 S 15030100020246\n96 S closes\n").unwrap().entries);
    common::report(&t)
}

#[test]
fn old_clients_are_advised_in_their_products_words() {
    let described: BTreeMap<String, String> = described().into_iter().map(|(name, _, hello)| (name, hello)).collect();
    let recorded = recorded();
    let of = |part: &str| {
        let r = recorded.iter().find(|r| r.name.contains(part)).unwrap();
        record(r.version, &r.hello)
    };
    // Java 8 that offers only TLS 1.0 sends what Java 7 does; later updates of 8 do as 17.
    for (hello, auth, expected) in [
        (described["Java 7u25"].clone(), "AUTH TLS", "-Djdk.tls.client.protocols=TLSv1.2"),
        (of("java-17.0.15-tls10"), "AUTH TLS", "-Djdk.tls.client.protocols=TLSv1.2"),
        (described["IE 8-10 Win 7"].clone(), "AUTH TLS", "SchUseStrongCrypto=1"),
        (of("curl-7.88.1-tls10"), "AUTH SSL", "--tlsv1.2"),
        (of("System SSL"), "AUTH TLS", "GSK_PROTOCOL_TLSV1_2=ON"),
    ] {
        let report = refused(&[auth], &hello);
        let screen = ftpsdiag::render(&report, ftpsdiag::Format::Text, ftpsdiag::Style::default());
        assert_eq!(report.verdict.by.as_deref(), Some("fatal-alert"));
        assert!(screen.contains(expected), "{expected}\n{screen}");
        assert!(screen.lines().count() <= 25, "{screen}");
    }
    let winscp = refused(&["CLNT WinSCP", "AUTH TLS"], &of("openssl-3.0.22-tls10"));
    let advice: Vec<_> = winscp.findings[0].advice.iter().filter_map(|a| a.directive.as_deref()).collect();
    assert!(advice.contains(&"MaxTlsVersion=12"), "{advice:?}");
    let unknown = UNKNOWN.replacen("0303", "0301", 1);
    let general = refused(&["AUTH TLS"], &unknown).findings[0].advice.clone();
    assert!(general.iter().any(|a| a.text == "let the client offer TLS 1.2 or later"), "{general:?}");
}

#[test]
fn who_it_was_changes_no_verdict() {
    let recorded = recorded();
    let tls10 = |r: &&Recorded| r.name.contains("tls10") || r.name.contains("System SSL");
    let mut seen: Option<(String, String)> = None;
    let mut count = 0;
    for r in recorded.iter().filter(tls10) {
        for said in [&["AUTH TLS"][..], &["AUTH SSL"], &["CLNT FileZilla", "AUTH TLS"], &["CLNT lftp/1", "AUTH TLS"]] {
            let report = refused(said, &record(r.version, &r.hello));
            let verdict = (common::verdict(&report), report.verdict.headline.clone());
            assert_eq!(seen.get_or_insert_with(|| verdict.clone()), &verdict, "{}", r.name);
            count += 1;
        }
    }
    assert!(count >= 24, "{count}");
}

/// Rows of the profiles with the recorded conversation that each has to be like.
const RECORDED_AS: [(&str, &str, &str); 26] = [
    ("curl", "7.88.1", "curl-7.88.1"),
    ("filezilla-client", "3.63.0", "filezilla-3.63.0"),
    ("ftp-ssl", "0.17", "ftp-ssl-0.17"),
    ("gnutls", "3.7.9", "gnutls-cli-3.7.9"),
    ("go", "1.19.8", "go-1.19.8"),
    ("java", "17.0.15", "java-17.0.15"),
    ("java", "25.0.3", "java-25.0.3"),
    ("lftp", "4.9.2", "lftp-4.9.2"),
    ("node", "20", "node-20.20.2"),
    ("openssl", "1.0.2", "openssl-1.0.2q"),
    ("openssl", "1.1.0", "openssl-1.1.0i"),
    ("openssl", "1.1.1", "openssl-1.1.1w"),
    ("openssl", "3.0", "openssl-3.0.7"),
    ("openssl", "3.1", "openssl-3.1.4"),
    ("openssl", "3.2", "openssl-3.2.2"),
    ("openssl", "3.4", "openssl-3.4.1"),
    ("openssl", "3.5", "openssl-3.5.2"),
    ("perl", "5.36 with IO::Socket::SSL 2.081", "perl-5.36"),
    ("python", "2.7 with OpenSSL 3.0", "python-2.7.18"),
    ("python", "3.6 with OpenSSL 3.0", "python-3.6.15"),
    ("python", "3.8 with OpenSSL 3.0", "python-3.8.18"),
    ("python", "3.11", "python-3.11.7"),
    ("python", "3.13", "python-3.13.0"),
    ("rustls", "0.23", "rustls-0.23.46"),
    ("wget", "1.21.3", "wget-1.21.3"),
    ("zos-native", "V2R2 with OA51519", "the System SSL trace"),
];

/// What a profile sends is what was recorded, byte for byte but for the session id, the keys, and the order of rustls's extensions.
#[test]
fn simulated_hellos_are_those_that_were_recorded() {
    let recorded = recorded();
    for (product, releases, name) in RECORDED_AS {
        let row = |p: &&codes::ClientProfile| p.product == product && p.releases == releases;
        let profile = codes::client_profiles().find(row).unwrap_or_else(|| panic!("{product} {releases}"));
        let is = |r: &&Recorded| r.name == name || r.name == format!("fixtures/hellos/{name}.dialogue");
        let real = recorded.iter().find(is).unwrap_or_else(|| panic!("{name}"));
        let server = real.hello.server_name().map(|n| str::from_utf8(n).unwrap());
        let built = hello_of(profile, server, real.hello.random).unwrap_or_else(|| panic!("{name}: not whole"));
        assert_eq!(u16::from_be_bytes([built[1], built[2]]), real.version, "{name}");
        let Message::ClientHello(built) = parse(&built[5..], None) else { panic!("{name}: no ClientHello") };
        let comparable = |hello: &ClientHello| {
            let mut hello = ClientHello { session_id: vec![0; hello.session_id.len()], ..hello.clone() };
            let shares: Vec<u8> = hello.key_shares().into_iter().flatten().flat_map(|s| numbers(&[s.group])).collect();
            for e in hello.extensions.iter_mut().flatten().filter(|e| e.id == 51) {
                e.data = [shares.clone(), numbers(&[u16::try_from(e.data.len()).unwrap()])].concat();
            }
            if product == "rustls" {
                hello.extensions.iter_mut().for_each(|all| all.sort_by_key(|e| e.id));
            }
            // That build of 1.0.2 also offered zlib, which depends on how it is built.
            hello.compression.retain(|c| *c == 0);
            hello
        };
        assert_eq!(comparable(&built), comparable(&real.hello), "{name}");
    }
    let confirmed =
        |p: &&codes::ClientProfile| p.confirmed == codes::Confirmed::Yes && p.source.starts_with("recorded");
    assert_eq!(codes::client_profiles().filter(confirmed).count() + 1, RECORDED_AS.len(), "all that were recorded");
}

/// A server of `tests/clients/admitted.txt`: what it takes, its keys, and what it answered to each client.
struct Server {
    accepts: Accepts,
    keys: Keys,
    answers: Vec<(String, String, String)>,
}

fn servers() -> Vec<Server> {
    let text = fs::read_to_string(root().join("tests/clients/admitted.txt")).unwrap();
    let mut out: Vec<(Order, Server)> = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let cells: Vec<&str> = line.trim_start_matches(['=', '@', ' ']).split(" | ").collect();
        if line.starts_with('=') {
            let order = if cells[0] == "server" { Order::Server } else { Order::Client };
            let keys = if cells[1] == "rsa" { (Some(2048), None) } else { (None, Some(0x0017)) };
            let keys = Keys { rsa: keys.0, ecdsa: keys.1 };
            out.push((order, Server { accepts: Accepts::default(), keys, answers: Vec::new() }));
            continue;
        }
        let (order, server) = out.last_mut().unwrap();
        if line.starts_with('@') {
            server.accepts.versions.push(of_version(&cells, *order));
        } else {
            server.answers.push((cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned()));
        }
    }
    let not = |version| OfVersion { version, takes: Takes::No, ..OfVersion::default() };
    for (_, server) in &mut out {
        for version in [0x0304, 0x0303, 0x0302, 0x0301, 0x0300] {
            if server.accepts.of(version).is_none() {
                server.accepts.versions.push(not(version));
            }
        }
    }
    out.into_iter().map(|(_, server)| server).collect()
}

fn of_version(cells: &[&str], order: Order) -> OfVersion {
    let set = |cell: &str| {
        let taken: Vec<u16> = cell.split(' ').map(|w| u16::from_str_radix(w, 16).unwrap()).collect();
        let refused = (0..=u16::MAX).filter(|n| !taken.contains(n)).collect();
        Set { taken, refused, order: Some(order), complete: true }
    };
    let version = u16::from_str_radix(cells[0], 16).unwrap();
    let (suites, groups, schemes) = (set(cells[1]), set(cells[2]), set(cells[3]));
    OfVersion { version, takes: Takes::Yes, suites, groups, schemes }
}

/// Who gets in is what a real server answered: version, suite and, where one is named, group.
#[test]
fn who_gets_in_is_what_a_real_server_let_in() {
    let (mut answers, mut groups) = (0, 0);
    for server in servers() {
        for (product, releases, answer) in &server.answers {
            let row = |p: &&codes::ClientProfile| p.product == product && p.releases == releases;
            let profile = codes::client_profiles().find(row).unwrap_or_else(|| panic!("{product} {releases}"));
            answers += 1;
            let told = match admits(profile, &server.accepts, &server.keys) {
                // OpenSSL 3 offers what it does not take; how it ends shows behind the answer of the server.
                Admission::Out(Why::OldSignature(_)) => continue,
                Admission::Out(_) => "out".to_owned(),
                Admission::In { version, suite, group, sure: true } => {
                    groups += usize::from(group.is_some());
                    let named = group.map_or_else(|| answer[answer.len() - 4..].to_owned(), |g| format!("{g:04x}"));
                    format!("in {version:04x} {suite:04x} {named}")
                }
                other => panic!("{product} {releases}: {other:?}"),
            };
            let answer = if answer.starts_with("out") { "out" } else { answer };
            assert_eq!(told, answer, "{product} {releases}");
        }
    }
    assert!(answers == 300 && groups > 200, "{answers} answers, {groups} groups");
}
