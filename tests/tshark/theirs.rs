//! What tshark reads.

use std::collections::BTreeMap;
use std::path::Path;

use super::json::Node;
use super::lines::{Streams, command, item, list, reply};
use super::record::{Captured, Tools};
use super::table::ROWS;

/// Reads the capture twice: with FTP at the ports of the servers, and with TLS there. tshark 4.0 begins TLS behind `AUTH TLS` alone;
/// behind `AUTH SSL` it takes records for lines of text.
pub fn read(tools: &Tools, captured: &Captured) -> Streams {
    let mut streams = Streams::new();
    let tls = frames(tools, &captured.file, &captured.ports, "tls");
    let mut first = BTreeMap::new();
    for frame in &tls {
        let Some(at) = place(frame) else { continue };
        let lines = tls_lines(frame);
        if !lines.is_empty() {
            first.entry(at.0).or_insert(at.2);
            streams.entry(at.0).or_default().entry(at.1).or_default().extend(lines);
        }
    }
    let clear: Vec<u16> = captured.ports.iter().zip(ROWS).filter(|(_, r)| !r.implicit).map(|(p, _)| *p).collect();
    let mut text: BTreeMap<_, Vec<(u16, String)>> = BTreeMap::new();
    for frame in &frames(tools, &captured.file, &clear, "ftp") {
        let Some(at) = place(frame) else { continue };
        if first.get(&at.0).is_none_or(|tls| at.2 < *tls) {
            text.entry(at.0).or_default().extend(ftp_lines(frame).into_iter().map(|l| (at.1, l)));
        }
    }
    for (key, said) in text {
        for (port, lines) in joined(said, &clear) {
            streams.entry(key).or_default().entry(port).or_default().splice(0..0, lines);
        }
    }
    streams
}

/// Lines of each end; those of one reply become one.
fn joined(said: Vec<(u16, String)>, servers: &[u16]) -> BTreeMap<u16, Vec<String>> {
    let mut out: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut open: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (port, line) in said {
        if !servers.contains(&port) {
            out.entry(port).or_default().push(command(&line));
            continue;
        }
        let lines = open.entry(port).or_default();
        lines.push(line.clone());
        let code = lines[0].get(..3).unwrap_or_default().to_owned();
        if line.strip_prefix(&code).is_some_and(|rest| !rest.starts_with('-')) {
            out.entry(port).or_default().push(reply(&open.remove(&port).unwrap()));
        }
    }
    out
}

/// All frames in which tshark sees `protocol`, which it is told to look for at these ports.
fn frames(tools: &Tools, file: &Path, ports: &[u16], protocol: &str) -> Vec<Node> {
    let mut command = tools.program("tshark");
    command.args(["-n", "-r"]).arg(file).args(["-T", "json", "-Y", protocol]);
    // The port of a data connection may be that of X11.
    command.args(["-o", "tcp.try_heuristic_first:TRUE"]);
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},{protocol}")]);
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "tshark: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The connection, the sender's port, and the number of the frame.
fn place(frame: &Node) -> Option<((u16, u16), u16, u64)> {
    let layers = layers(frame)?;
    let port = |key: &str| u16::try_from(layers.number(key)).ok();
    let (from, to) = (port("tcp.srcport")?, port("tcp.dstport")?);
    Some(((from.min(to), from.max(to)), from, layers.number("frame.number")))
}

/// Its lines: the label of a line is the line.
fn ftp_lines(frame: &Node) -> Vec<String> {
    let mut out = Vec::new();
    for layer in layers(frame).into_iter().flat_map(|l| l.each("ftp")) {
        let lines = layer.entries().filter_map(|(label, _)| label.strip_suffix("\\r\\n"));
        out.extend(lines.map(str::to_owned));
    }
    out
}

fn layers(frame: &Node) -> Option<&Node> {
    frame.get("_source")?.get("layers")
}

fn tls_lines(frame: &Node) -> Vec<String> {
    let mut out = Vec::new();
    for record in layers(frame).into_iter().flat_map(|l| l.each("tls")).flat_map(|l| l.each("tls.record")) {
        record_lines(record, &mut out);
    }
    out
}

fn record_lines(record: &Node, out: &mut Vec<String>) {
    let len = record.number("tls.record.length");
    if !record.numbers("tls.record.opaque_type").is_empty() {
        return out.push(format!("opaque 23 {len}"));
    }
    match record.numbers("tls.record.content_type").first() {
        Some(20) => out.push("ccs".to_owned()),
        Some(21) => {
            match (record.numbers("tls.alert_message.level").first(), record.numbers("tls.alert_message.desc").first())
            {
                (Some(level), Some(description)) => out.push(format!("alert {level} {description}")),
                _ => out.push(format!("opaque 21 {len}")),
            }
        }
        Some(22) => {
            for message in record.each("tls.handshake") {
                match message {
                    Node::Map(_) => out.extend(handshake(message)),
                    _ => out.push(format!("opaque 22 {len}")),
                }
            }
        }
        Some(23) => out.push(format!("opaque 23 {len}")),
        _ => out.push(ssl2(record)),
    }
}

fn handshake(m: &Node) -> Option<String> {
    let kind = m.numbers("tls.handshake.type").first().copied()?;
    let first = |key: &str| m.number(key);
    let hello = |name: &str| {
        format!(
            "{name} version={:04x} random={}{}",
            first("tls.handshake.version"),
            m.hex("tls.handshake.random"),
            item("sid", &m.hex("tls.handshake.session_id")),
        )
    };
    let suites = m.numbers("tls.handshake.ciphersuite");
    let extensions = list("extensions", &m.numbers("tls.handshake.extension.type"), false);
    let versions = m.numbers("tls.handshake.extensions.supported_version");
    let alpn = item("alpn", &m.texts("tls.handshake.extensions_alpn_str").join(","));
    Some(match kind {
        1 => {
            hello("hello")
                + &list("suites", &suites, true)
                + &list("compression", &m.numbers("tls.handshake.comp_method"), false)
                + &extensions
                + &list("versions", &versions, true)
                + &list("groups", &m.numbers("tls.handshake.extensions_supported_group"), true)
                + &list("schemes", &m.numbers("tls.handshake.sig_hash_alg"), true)
                + &item("sni", &m.texts("tls.handshake.extensions_server_name").join(","))
                + &alpn
                + &list("shares", &m.numbers("tls.handshake.extensions_key_share_group"), false)
                + &list("psk", &some(m.texts("tls.handshake.extensions.psk.identity.identity").len()), false)
        }
        2 => {
            // Of a HelloRetryRequest the group has another key.
            let retry = m.hex("tls.handshake.random").starts_with("cf21ad74e59a6111");
            let mut group = m.numbers("tls.handshake.extensions_key_share_group");
            group.extend(m.numbers("tls.handshake.extensions_key_share_selected_group"));
            let negotiated = versions.first().copied().unwrap_or(first("tls.handshake.version"));
            hello(if retry { "retry" } else { "server-hello" })
                + &list("suite", &suites, true)
                + &list("compression", &m.numbers("tls.handshake.comp_method"), false)
                + &extensions
                + &list("negotiated", &[negotiated], true)
                + &list("group", &group, false)
                + &list("selected-psk", &m.numbers("tls.handshake.extensions.psk.identity.selected"), false)
                + &alpn
        }
        4 => format!(
            "ticket{}{}",
            list("lifetime", &m.numbers("tls.handshake.session_ticket_lifetime_hint"), false),
            list("len", &m.numbers("tls.handshake.session_ticket_length"), false)
        ),
        11 => format!("certificate {}", m.texts("tls.handshake.certificate").join(" ").replace(':', "")),
        12 => format!(
            "server-key-exchange{}{}{}",
            list("curve", &m.numbers("tls.handshake.server_named_curve"), false),
            list("prime", &m.numbers("tls.handshake.p_len"), false),
            list("scheme", &m.numbers("tls.handshake.sig_hash_alg"), true)
        ),
        13 => format!(
            "certificate-request{}{}{}",
            list("types", &m.numbers("tls.handshake.cert_type"), false),
            list("schemes", &m.numbers("tls.handshake.sig_hash_alg"), true),
            list("names", &m.numbers("tls.handshake.dname_len"), false)
        ),
        14 => "ServerHelloDone".to_owned(),
        15 => format!("certificate-verify{}", list("scheme", &m.numbers("tls.handshake.sig_hash_alg"), true)),
        16 => format!("client-key-exchange{}", list("len", &m.numbers("tls.handshake.length"), false)),
        n => format!("handshake {n}"),
    })
}

fn some(n: usize) -> Vec<u64> {
    if n == 0 { Vec::new() } else { vec![n as u64] }
}

fn ssl2(record: &Node) -> String {
    format!(
        "ssl2-hello version={:04x}{}",
        record.number("tls.handshake.version"),
        list("suites", &record.numbers("tls.handshake.cipherspec"), true),
    )
}
