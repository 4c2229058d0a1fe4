//! Transcript to text.

use std::fmt::Write as _;

use super::super::clock::TimeOfDay;
use super::super::*;

/// The whole transcript, one entry a line.
pub fn write(t: &Transcript) -> String {
    let mut out = String::new();
    match t.clock {
        Clock::Relative => {}
        Clock::TimeOfDay => out.push_str("clock time-of-day\n"),
        Clock::Utc(zero) => {
            let _ = writeln!(out, "clock utc {}", zero.rfc3339());
        }
    }
    if let Some(asked) = &t.origin.asked {
        let _ = write!(out, "asked {} {}", quoted(asked.target.as_bytes()), asked.mode.name());
        if let Some(name) = &asked.verify_name {
            let _ = write!(out, " verify={}", quoted(name.as_bytes()));
        }
        out.push_str(if asked.any_certificate { " any-certificate" } else { "" });
        if let Some(login) = asked.login {
            out.push_str(" login");
            let tried = [
                (login.active, " active"),
                (login.ccc, " ccc"),
                (login.empty_file, " empty-file"),
                (login.upload, " upload"),
            ];
            tried.iter().filter(|(yes, _)| *yes).for_each(|(_, word)| out.push_str(word));
        }
        out.push('\n');
    }
    for (n, conn) in t.conns.iter().enumerate() {
        connection(&mut out, n, conn);
    }
    for entry in &t.entries {
        time(&mut out, t.clock, entry.at);
        if entry.conn != ConnId(0) {
            let _ = write!(out, "{}> ", entry.conn.0);
        }
        event(&mut out, &entry.what);
        out.push('\n');
    }
    out
}

fn connection(out: &mut String, n: usize, conn: &Conn) {
    let _ = write!(out, "conn {n}");
    match conn.role {
        Role::Control => out.push_str(" control"),
        Role::Data { of } => {
            let _ = write!(out, " data-of={}", of.0);
        }
    }
    if let Some(tied) = conn.tied {
        let _ = write!(out, " {}", tied.name());
    }
    if conn.active {
        out.push_str(" active");
    }
    if let Why::Question { changed } = &conn.why {
        if changed.is_empty() {
            out.push_str(" question");
        }
        for what in changed {
            let _ = write!(out, " question={}", quoted(what.as_bytes()));
        }
    }
    if let Some(host) = &conn.host {
        let _ = write!(out, " host={}", quoted(host.as_bytes()));
    }
    if let Some(peer) = conn.peer {
        let _ = write!(out, " peer={peer}");
    }
    if let Some(local) = conn.local {
        let _ = write!(out, " local={local}");
    }
    out.push('\n');
}

fn time(out: &mut String, clock: Clock, at: Option<Micros>) {
    let _ = match (at, clock) {
        (None, _) => write!(out, "- "),
        (Some(at), Clock::TimeOfDay) => write!(out, "{} ", TimeOfDay(at)),
        (Some(Micros(at)), _) if at % 1_000 == 0 => write!(out, "{} ", at / 1_000),
        (Some(Micros(at)), _) => write!(out, "{}.{:03} ", at / 1_000, at % 1_000),
    };
}

fn event(out: &mut String, what: &What) {
    let _ = match what {
        What::Opened => write!(out, "open"),
        What::OpenFailed { why } => write!(out, "failed {}", failure(*why)),
        What::Bytes { from, layer, data, fidelity } => {
            let rebuilt = if *fidelity == Fidelity::Rebuilt { "~" } else { "" };
            write!(out, "{}{rebuilt} {}", who(*from, *layer), payload(data))
        }
        What::Skipped { from, layer, len, sha256 } => {
            write!(out, "{} skipped {len} {}", who(*from, *layer), quoted(sha256.as_bytes()))
        }
        What::Gap { from, len } => match len {
            Some(len) => write!(out, "{} gap {len}", who(*from, Layer::Wire)),
            None => write!(out, "{} gap", who(*from, Layer::Wire)),
        },
        What::Closed { by, how } => {
            let how = match how {
                Close::Fin => "closes",
                Close::Reset => "resets",
                Close::Unknown => "ends",
            };
            write!(out, "{} {how}", who(*by, Layer::Wire))
        }
        What::TimedOut { waiting_for, after } => {
            write!(out, "{} silent {}", who(*waiting_for, Layer::Wire), milliseconds(*after))
        }
        What::TlsStarts { by } => write!(out, "{} starts-tls", who(*by, Layer::Wire)),
        What::Decrypted { from, seen } => {
            let _ = write!(out, "{} ", who(*from, Layer::InsideTls));
            decrypted(out, seen);
            Ok(())
        }
        What::Claim { by, code, text } => {
            let code = code.as_ref().map_or_else(String::new, |c| format!("{} ", code_text(c)));
            write!(out, "{} says {code}{}", quoted(by.as_bytes()), quoted(text.as_bytes()))
        }
    };
}

fn milliseconds(Micros(n): Micros) -> String {
    if n % 1_000 == 0 { format!("{}", n / 1_000) } else { format!("{}.{:03}", n / 1_000, n % 1_000) }
}

fn who(side: Side, layer: Layer) -> &'static str {
    match (side, layer) {
        (Side::Client, Layer::Wire) => "C",
        (Side::Client, Layer::InsideTls) => "C*",
        (Side::Server, Layer::Wire) => "S",
        (Side::Server, Layer::InsideTls) => "S*",
    }
}

fn failure(why: OpenFailure) -> &'static str {
    match why {
        OpenFailure::Dns => "dns",
        OpenFailure::Refused => "refused",
        OpenFailure::Unreachable => "unreachable",
        OpenFailure::TimedOut => "timed-out",
        OpenFailure::Other => "other",
    }
}

fn code_text(code: &Code) -> String {
    match code {
        Code::Gsk(n) => format!("gsk {n}"),
        Code::AtTls(n) => format!("at-tls {n}"),
        Code::Cms(n) => format!("cms {n:08X}"),
        Code::FtpClient(n) => format!("ftp-client {n}"),
        Code::ContentType(n) => format!("content-type {n}"),
        Code::Message(id) => format!("message {}", quoted(id.as_bytes())),
    }
}

fn decrypted(out: &mut String, seen: &Decrypted) {
    let _ = match seen {
        Decrypted::Established { version, suite, group, alpn, resumed } => {
            let _ = write!(out, "established {version:04X} {suite:04X}");
            if let Some(group) = group {
                let _ = write!(out, " group={group:04X}");
            }
            if let Some(alpn) = alpn {
                let _ = write!(out, " alpn={}", quoted(alpn.as_bytes()));
            }
            write!(out, "{}", if *resumed { " resumed" } else { "" })
        }
        Decrypted::Certificates { chain } => write!(out, "certificates{}", hex_words(chain)),
        Decrypted::CertificateRequest { authorities } => write!(out, "certificate-request{}", hex_words(authorities)),
        Decrypted::Ticket => write!(out, "ticket"),
        Decrypted::Alert { level, description } => write!(out, "alert {level} {description}"),
    };
}

fn hex_words(parts: &[Der]) -> String {
    parts
        .iter()
        .map(|Der(bytes)| if bytes.is_empty() { " -".to_owned() } else { format!(" {}", hex::encode(bytes)) })
        .collect()
}

/// A text in quotes, with everything that is not printable ASCII escaped.
pub fn quoted(data: &[u8]) -> String {
    let mut out = String::from("\"");
    for &b in data {
        match b {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..0x7f => out.push(char::from(b)),
            _ => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out.push('"');
    out
}

fn payload(data: &[u8]) -> String {
    let texty = data.iter().all(|b| matches!(b, b'\r' | b'\n' | b'\t' | 0x20..0x7f));
    if texty { quoted(data) } else { hex::encode(data) }
}
