//! The five laws, over plays and over arbitrary bytes.

mod common;

use std::collections::BTreeMap;

use ftpsdiag::decode::{Kind, decode};
use ftpsdiag::report::Outcome;
use ftpsdiag::rules::{Confidence, Severity};
use ftpsdiag::sources::{InputReader, Options, weave};
use ftpsdiag::transcript::*;
use proptest::prelude::*;

/// Plays that between them reach every kind of event.
fn corpus() -> Vec<Transcript> {
    let mut all: Vec<Transcript> = ftpsdiag::rules::ALL
        .iter()
        .flat_map(|rule| {
            rule.page.split("```transcript\n").skip(1).map(|b| dialogue::parse(b.split("```").next().unwrap()).unwrap())
        })
        .collect();
    all.extend(ftpsdiag::read(&[("seed", common::seed().as_bytes())]).sessions);
    for play in [
        // several messages in a record, one message over several records, then encryption
        "0 C 1603010029 0100002503 03 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c2 1603010006 0d 00 00 02 0035\n1 S 16030300 31 0200002d 0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 0035 00 0005 ff01000100 1603030004 0e000000 1403030001 01 1603030008 0011223344556677\n2 C 1403030001 01 1703030003 aabbcc\n",
        "0 S \"220-hi\\r\\nthere\\r\\n220 ready\\r\\n\" ff00 \"x\\n\"\n1 S skipped 12 \"\"\n2 S \"500 x\\r\\n\"\n3 S gap 4\n4 S \"221 \"\n",
        "conn 1 data-of=0\n0 1> S \"drwxr-xr-x\\r\\n\"\n1 1> C 16030100\n2 C* \"USER x\\r\\n\"\n3 S* \"331 go\\r\\n\"\n",
        "0 C 802e010301 001500000010\n1 S \"HTTP/1.1 400 Bad\\r\\n\"\n",
        "0 C starts-tls\n1 S f5f5f040e3d3e2150000\n",
        "0 C 1603010000 16030900 \"x\"\n",
        "conn 1 data-of=0\n0 S* established 0303 C030\n1 C \"RETR a\\r\\n\"\n2 C silent 10\n3 1> C* alert 2 40\n",
        "0 S gap\n1 C starts-tls\n2 C* alert 2 40\n3 C \"220 ready\\r\\n\"\n",
        "0 C 15030300020228\n1 C gap\n2 C \"RETR a\\r\\n\"\n",
        "conn 1 data-of=0\n0 1> C 1603010000\n1 1> C starts-tls\n2 C silent 10\n3 C~ \"RETR a\\r\\n\"\n",
        // bytes missing: inside a record, over a header, inside a line; what follows proves its place, or does not
        "0 S 1703030008 0102\n1 S gap 3\n2 S aabbcc 1703030002 1122\n3 S gap 4\n4 S 031703 1703030002 3344 1503030002 0228\n5 S closes\n",
        "0 C gap\n0 S gap\n1 S \"dy\\r\\n230 in\\r\\n55\"\n2 C \"cret\\r\\nLIST\\r\\nPA\"\n3 C gap 2\n4 C \"S x\\r\\n\" 1603010006 0d00\n",
    ] {
        all.push(dialogue::parse(play).unwrap());
    }
    all
}

/// Packet traces as they are printed.
const PRINTED: [&str; 5] = [
    include_str!("../fixtures/packet-trace/summary-550.txt"),
    include_str!("../fixtures/packet-trace/dump-data-syn.txt"),
    include_str!("../fixtures/packet-trace/dump-reset.txt"),
    include_str!("../fixtures/packet-trace/format-only.txt"),
    include_str!("../fixtures/packet-trace/data-trace-550.txt"),
];

/// 300 cases, or as many as PROPTEST_CASES asks for.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { cases: config.cases.max(300), ..config }
}

fn kinds(t: &Transcript) -> Vec<(Option<Span>, Kind)> {
    decode(t).events.into_iter().map(|e| (e.span, e.kind)).collect()
}

/// The same bytes in pieces.
fn chunked(t: &Transcript, size: usize) -> Transcript {
    let mut out = Transcript { entries: Vec::new(), ..t.clone() };
    for entry in &t.entries {
        match &entry.what {
            What::Bytes { from, layer, data, fidelity } if !data.is_empty() => {
                for piece in data.chunks(size) {
                    let what = What::Bytes { from: *from, layer: *layer, data: piece.to_vec(), fidelity: *fidelity };
                    out.entries.push(Entry { what, ..entry.clone() });
                }
            }
            _ => out.entries.push(entry.clone()),
        }
    }
    out
}

/// Law 1: every byte is in exactly one event.
fn every_byte_once(t: &Transcript) {
    let mut next: BTreeMap<Flow, u64> = BTreeMap::new();
    let mut spans: Vec<Span> = decode(t).events.into_iter().filter_map(|e| e.span).collect();
    spans.sort_by_key(|s| (s.flow, s.start));
    for span in spans {
        let at = next.entry(span.flow).or_insert(0);
        assert_eq!(span.start, *at, "a hole or an overlap in {:?}\n{}", span.flow, dialogue::write(t));
        assert!(span.end > span.start);
        *at = span.end;
    }
    let mut lengths: BTreeMap<Flow, u64> = BTreeMap::new();
    for e in &t.entries {
        let (from, layer, len) = match &e.what {
            What::Bytes { from, layer, data, .. } => (from, layer, data.len() as u64),
            What::Skipped { from, layer, len, .. } => (from, layer, *len),
            _ => continue,
        };
        *lengths.entry(Flow { conn: e.conn, layer: *layer, from: *from }).or_insert(0) += len;
    }
    lengths.retain(|_, n| *n > 0);
    assert_eq!(next, lengths, "bytes without an event\n{}", dialogue::write(t));
}

/// Law 2: chunking does not show.
fn chunks_do_not_show(t: &Transcript, size: usize) {
    assert_eq!(kinds(t), kinds(&chunked(t, size)), "chunks of {size}\n{}", dialogue::write(t));
}

/// Law 5: a beginning of the evidence never says for certain what the whole denies.
fn cutting_is_safe(t: &Transcript) -> Result<(), String> {
    cutting_at_is_safe(t, 1)
}

/// The same, cut behind each piece of so many bytes.
fn cutting_at_is_safe(t: &Transcript, size: usize) -> Result<(), String> {
    let whole = common::report(t);
    let bytewise = chunked(t, size);
    for cut in 0..bytewise.entries.len() {
        let report = common::report(&Transcript { entries: bytewise.entries[..cut].to_vec(), ..bytewise.clone() });
        let told = |what: String| Err(format!("{what}, cut after {cut} of\n{}", dialogue::write(t)));
        let outcome = report.verdict.outcome;
        if outcome != Outcome::Inconclusive && outcome != whole.verdict.outcome {
            return told(format!("{} became {}", common::verdict(&report), common::verdict(&whole)));
        }
        if let Some(id) = certain_failures(&report).iter().find(|id| !certain_failures(&whole).contains(id)) {
            return told(format!("certain of {id}, the whole is not"));
        }
    }
    Ok(())
}

fn certain_failures(r: &ftpsdiag::report::Report) -> Vec<String> {
    let all = r.findings.iter().chain(&r.consequences);
    let certain = all.filter(|f| f.severity == Severity::Failure && f.confidence == Confidence::Certain);
    certain.map(|f| f.id.clone()).collect()
}

/// With any one piece of the bytes missing, nothing fails for certain that does not with all of them.
fn holes_are_safe(t: &Transcript) -> Result<(), String> {
    let whole = common::report(t);
    for (n, entry) in t.entries.iter().enumerate() {
        let What::Bytes { from, layer: Layer::Wire, data, .. } = &entry.what else { continue };
        for len in [Some(data.len() as u64), None] {
            let mut holed = t.clone();
            holed.entries[n].what = What::Gap { from: *from, len };
            let report = common::report(&holed);
            if let Some(id) = certain_failures(&report).iter().find(|id| !certain_failures(&whole).contains(id)) {
                return Err(format!("certain of {id} without entry {n} of\n{}", dialogue::write(t)));
            }
        }
    }
    Ok(())
}

#[test]
fn a_hole_makes_nothing_certain() {
    let mut told: Vec<String> = corpus().iter().filter_map(|t| holes_are_safe(t).err()).collect();
    for path in common::files(&common::root().join("fixtures/dialogue")) {
        if path.extension().is_some_and(|x| x == "dialogue") {
            let text = std::fs::read_to_string(path).unwrap();
            told.extend(holes_are_safe(&dialogue::parse(&text).unwrap()).err());
        }
    }
    assert!(told.is_empty(), "{}: {}", told.len(), told.join("\n"));
}

#[test]
fn the_laws_hold_for_the_corpus() {
    for t in corpus() {
        every_byte_once(&t);
        for size in 1..8 {
            chunks_do_not_show(&t, size);
        }
        assert_eq!(dialogue::parse(&dialogue::write(&t)).unwrap().entries, t.entries, "round trip");
        cutting_is_safe(&t).unwrap();
    }
}

const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03\x60\x38\x53\xae\xfe\xe4\x0e\x3f\xa5\xc1\x73\x8d\x11\x74\x97\xb1\x1a\x6c\x48\xd5\x0a\x52\x9e\xd8\xc9\xf6\x19\xaf\x4c\x56\xc2\x0d\x00\x00\x04\x00\x35\x00\x2f\x01\x00";
const SERVER_HELLO: &[u8] = b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03\x60\x38\x53\xae\xfe\xe4\x0e\x3f\xa5\xc1\x73\x8d\x11\x74\x97\xb1\x1a\x6c\x48\xd5\x0a\x52\x9e\xd8\xc9\xf6\x19\xaf\x4c\x56\xc2\x0d\x00\x00\x35\x00\x00\x05\xff\x01\x00\x01\x00";

/// Of SSL 2, with TLS 1.0 on offer.
const SSL2_HELLO: &[u8] =
    b"\x80\x22\x01\x03\x01\x00\x09\x00\x00\x00\x10\x00\x00\x0a\x00\x00\x2f\x00\x00\x350123456789abcdef";

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&[u8]; 39] = [
        b"220 ready\r\n",
        b"AUTH TLS\r\n",
        b"234 ok\r\n",
        b"550 T",
        b"220-",
        b"\r\n",
        b"PASS x\r\n",
        b"\x16\x03\x01",
        b"\x00\x05\x01\x00\x00\x01\x00",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x14\x03\x03\x00\x01\x01",
        b"\xf5\xf5\xf0\x40",
        b"\x17\x03\x03\x00\x02ab",
        b"\x15",
        b"SSH-2.0\r\n",
        b"\x80\x2e\x01\x03",
        SSL2_HELLO,
        b"\x80\x10\x04\x00\x01\x00\x02\x00\x02\x00\x03\x00\x00\x0a\x0b\x01\x00\x80",
        b"\x80\x03\x00\x00\x01",
        b"\xff\xf4\xff\xf2ABOR\r\n",
        b"\xe4\xe2\xc5\xd9\x40\x82\x15\xd7\xc1\xe2\xe2\x40\xa2\x15",
        CLIENT_HELLO,
        SERVER_HELLO,
        b"530 TLS required\r\n",
        b"RETR a\r\n",
        b"STOR a\r\n",
        b"150 Opening (0 bytes)\r\n",
        b"226 ok\r\n",
        b"425 Unable to build data connection: Operation not permitted\r\n",
        b"522 SSL connection failed; session reuse required\r\n",
        b"FEAT\r\n",
        b"PASV\r\n",
        b"227 (192,168,1,2,4,1)\r\n",
        b"EPSV\r\n",
        b"229 (|||5000|)\r\n",
        b"PORT 10,1,1,1,4,5\r\n",
        b"LIST\r\n",
        b"425 Can't open data connection.\r\n",
        b"226 done\r\n",
    ];
    let text = proptest::sample::select(&PIECES[..]);
    prop_oneof![3 => text.prop_map(<[u8]>::to_vec), 1 => proptest::collection::vec(any::<u8>(), 0..24)]
}

fn some_what() -> impl Strategy<Value = What> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    let layer = prop_oneof![4 => Just(Layer::Wire), 1 => Just(Layer::InsideTls)];
    let fidelity = prop_oneof![Just(Fidelity::Exact), Just(Fidelity::Rebuilt)];
    let bytes = (side.clone(), layer.clone(), some_bytes(), fidelity)
        .prop_map(|(from, layer, data, fidelity)| What::Bytes { from, layer, data, fidelity });
    prop_oneof![
        12 => bytes,
        1 => Just(What::Opened),
        1 => proptest::sample::select(&[OpenFailure::Refused, OpenFailure::Dns][..]).prop_map(|why| What::OpenFailed { why }),
        1 => (side.clone(), any::<bool>()).prop_map(|(by, fin)| What::Closed { by, how: if fin { Close::Fin } else { Close::Reset } }),
        1 => (side.clone(), proptest::sample::select(&[0u8, 40, 42, 48, 112, 116][..])).prop_map(|(from, description)| What::Decrypted {
            from, seen: Decrypted::Alert { level: 2, description } }),
        1 => Just(What::Decrypted { from: Side::Server, seen: Decrypted::CertificateRequest { authorities: vec![Der(vec![0x30, 0])] } }),
        1 => proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5).prop_map(Der), 0..2)
            .prop_map(|chain| What::Decrypted { from: Side::Client, seen: Decrypted::Certificates { chain } }),
        1 => side.clone().prop_map(|by| What::TlsStarts { by }),
        1 => (side.clone(), 0..100_000u64).prop_map(|(waiting_for, n)| What::TimedOut { waiting_for, after: Micros(n) }),
        1 => (side.clone(), proptest::option::of(0..99u64)).prop_map(|(from, len)| What::Gap { from, len }),
        1 => (side.clone(), layer, 0..40u64, ".{0,6}").prop_map(|(from, layer, len, sha256)| What::Skipped { from, layer, len, sha256 }),
        1 => (side, any::<u16>(), any::<u16>(), any::<bool>()).prop_map(|(from, version, suite, resumed)| What::Decrypted {
            from, seen: Decrypted::Established { version, suite, group: Some(suite), alpn: Some("ftp \"x\"".into()), resumed } }),
        1 => (".{0,20}", ".{0,20}", any::<u32>()).prop_map(|(by, text, n)| What::Claim { by, code: Some(Code::Gsk(n)), text }),
        1 => (".{0,9}", ".{0,9}").prop_map(|(by, id)| What::Claim { by, code: Some(Code::Message(id)), text: String::new() }),
    ]
}

fn some_transcript() -> impl Strategy<Value = Transcript> {
    let entry = (proptest::option::of(0..90_000_000_000u64), 0..2u16, some_what()).prop_map(|(at, conn, what)| Entry {
        at: at.map(Micros),
        conn: ConnId(conn),
        what,
    });
    let clock = prop_oneof![
        Just(Clock::Relative),
        Just(Clock::TimeOfDay),
        Just(Clock::Utc(clock::UnixMicros(1_614_304_174_000_000)))
    ];
    (proptest::collection::vec(entry, 0..12), clock).prop_map(|(entries, clock)| Transcript {
        clock,
        conns: vec![
            Conn::default(),
            Conn { role: Role::Data { of: ConnId(0) }, host: Some("h\"é\n".into()), ..Conn::default() },
        ],
        entries,
        ..Transcript::default()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn laws_1_and_2_hold_for_any_transcript(t in some_transcript(), size in 1..9usize) {
        every_byte_once(&t);
        chunks_do_not_show(&t, size);
    }

    #[test]
    fn law_3_the_dialogue_round_trips(t in some_transcript()) {
        prop_assert_eq!(dialogue::parse(&dialogue::write(&t)).unwrap(), t);
    }

    #[test]
    fn law_4_nothing_panics_on_any_transcript(t in some_transcript()) {
        let report = common::report(&t);
        for format in ftpsdiag::Format::ALL {
            let shown = ftpsdiag::render(&report, format, ftpsdiag::Style { verbose: true, ..Default::default() });
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{format}: a control character in {shown:?}");
            if format == ftpsdiag::Format::Json {
                let back: ftpsdiag::report::Report = serde_json::from_str(&shown).unwrap();
                prop_assert_eq!(&back, &report);
            }
        }
        prop_assert!(report.verdict.headline.len() <= 72 && report.verdict.headline.is_ascii());
    }

    #[test]
    fn law_4_nothing_panics_on_any_input(bytes in proptest::collection::vec(some_bytes(), 0..30), size in 1..64usize) {
        let bytes = bytes.concat();
        let mut reader = InputReader::new("x", Options::default());
        for piece in bytes.chunks(size) {
            reader.feed(piece);
        }
        for session in weave(vec![reader.finish()]).sessions {
            common::report(&session);
        }
    }

    #[test]
    fn law_4_nothing_panics_on_any_mutation_of_the_mail(cut in 0..5200usize, len in 0..80usize, noise in some_bytes()) {
        let mut bytes = common::seed().into_bytes();
        let cut = cut.min(bytes.len());
        bytes.splice(cut..(cut + len).min(bytes.len()), noise);
        for session in ftpsdiag::read(&[("x", &bytes)]).sessions {
            common::report(&session);
        }
    }

    #[test]
    fn law_4_nothing_panics_on_any_packet_trace(
        lines in proptest::collection::vec((0..12usize, 0..700usize, 0..90usize, some_bytes()), 1..60),
    ) {
        let mut bytes = Vec::new();
        for (file, n, cut, noise) in lines {
            let text = PRINTED.get(file % PRINTED.len()).copied().unwrap_or_default();
            let line = text.lines().cycle().nth(n).unwrap_or_default();
            // Lines of any report in any order, now and then with something inside.
            let (front, back) = line.split_at_checked(cut).unwrap_or((line, ""));
            bytes.extend([front.as_bytes(), if cut < 8 { &noise } else { b"" }, back.as_bytes(), b"\n"].concat());
        }
        let mut reader = InputReader::new("x", Options::default());
        reader.feed(&bytes);
        let evidence = reader.finish();
        prop_assert!(evidence.input.unread.len() <= 200 && evidence.input.assumed.len() <= 100);
        prop_assert!(evidence.input.understood <= evidence.input.lines);
        for session in weave(vec![evidence]).sessions {
            let kept: usize = session.entries.iter().map(|e| if let What::Bytes { data, .. } = &e.what { data.len() } else { 0 }).sum();
            // Two digits are a byte; a mask has a length of its own.
            prop_assert!(kept <= bytes.len() + 4096, "{kept} of {}", bytes.len());
            common::report(&session);
        }
    }

    #[test]
    fn law_5_cutting_is_safe(t in some_transcript()) {
        cutting_is_safe(&t).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_password_survives(t in some_transcript(), password in "[a-z0-9]{6,12}") {
        let mut t = t;
        let secret = format!("PASS Geheim{password}\r\n").into_bytes();
        t.entries.insert(0, Entry { at: None, conn: ConnId(0), what: What::Bytes { from: Side::Client, layer: Layer::Wire, data: secret, fidelity: Fidelity::Exact } });
        secrets::mask_flows(&mut t);
        let shown = ftpsdiag::render(&common::report(&t), ftpsdiag::Format::Json, Default::default());
        prop_assert!(!shown.contains("Geheim") && !shown.contains(&hex::encode("Geheim")));
    }
}

proptest! {
    #![proptest_config(config())]

    /// Whatever of the command is missing, the rest of its argument shows nowhere.
    #[test]
    fn no_half_of_a_password_survives_a_gap(
        lost in (10..40usize, 0..20usize), size in 1..50usize, told in any::<bool>(), noise in any::<bool>()
    ) {
        let mut bytes = b"USER joe\r\nPASS Geheimnis-Wortlaut\r\nLIST\r\n".to_vec();
        let (from, to) = (lost.0.min(33), (lost.0 + lost.1).min(34));
        let mut behind = bytes.split_off(to.max(from));
        bytes.truncate(from);
        if noise {
            behind.splice(0..0, *b"\x00\xffPASS ");
        }
        let mut t = Transcript { conns: vec![Conn::default()], ..Transcript::default() };
        let says = |data: &[u8]| What::Bytes {
            from: Side::Client, layer: Layer::Wire, data: data.to_vec(), fidelity: Fidelity::Exact };
        let len = told.then_some((to.max(from) - from) as u64);
        let gap = What::Gap { from: Side::Client, len };
        let all = bytes.chunks(size).map(says).chain([gap]).chain(behind.chunks(size).map(says));
        t.entries.extend(all.map(|what| Entry { at: None, conn: ConnId(0), what }));
        secrets::mask_flows(&mut t);
        let shown: Vec<u8> = t.entries.iter().flat_map(|e| match &e.what {
            What::Bytes { data, .. } => data.clone(),
            _ => Vec::new(),
        }).collect();
        let shown = String::from_utf8_lossy(&shown).into_owned();
        for part in b"Geheimnis-Wortlaut".windows(3) {
            prop_assert!(!shown.contains(std::str::from_utf8(part).unwrap()), "{shown:?}");
        }
    }
}

/// Where nobody reads the commands, more depends on what comes later than elsewhere.
#[test]
fn cutting_what_is_hidden_is_safe() {
    let mut told = Vec::new();
    for path in common::files(&common::root().join("fixtures/dialogue")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".dialogue") && ["ccc-unread", "clear-", "hidden-"].iter().any(|w| name.starts_with(w)) {
            let text = std::fs::read_to_string(&path).unwrap();
            told.extend(cutting_at_is_safe(&dialogue::parse(&text).unwrap(), 16).err().map(|e| format!("{name}: {e}")));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// A text that begins on data before the client's alert, and ends behind it: the alert answers it, whole or cut.
#[test]
fn a_text_around_an_alert_stays_what_broke_the_handshake() {
    let play = "conn 0 control\nconn 1 data-of=0\n0 S* established 0303 0035\n1 C* \"LIST\\r\\n\"\n2 1> C starts-tls\n\
                3 1> S \"500 no\"\n4 1> C 15030300020232\n5 1> S \"thing\\r\\n\"\n";
    for play in [play.to_owned(), format!("{play}6 1> S closes\n7 C closes\n")] {
        cutting_is_safe(&dialogue::parse(&play).unwrap()).unwrap();
    }
}

/// That commands are hidden may show only behind the silence.
#[test]
fn a_silence_on_data_before_anything_hidden_is_not_certain() {
    let play = "conn 0 control\nconn 1 data-of=0\n- C* established 0304 1302\n- 1> C silent 0\n- C 17030300026162\n";
    cutting_is_safe(&dialogue::parse(play).unwrap()).unwrap();
}

/// What the fuzzer found, kept: an alert record cut by bytes that were not kept, so that one byte of it is left.
#[test]
fn an_alert_with_one_byte_left() {
    let play = "0 S 1503010003\n1 S skipped 2 \"\"\n2 S ff1503\n";
    let t = dialogue::parse(play).unwrap();
    every_byte_once(&t);
    chunks_do_not_show(&t, 1);
}
