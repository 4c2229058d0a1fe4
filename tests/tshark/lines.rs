//! One reading of a capture as lines that two programs can be compared by.

use std::collections::BTreeMap;

/// Of every TCP connection, by its two ports in order: what each end said, by that end's port.
pub type Streams = BTreeMap<(u16, u16), BTreeMap<u16, Vec<String>>>;

/// `key=a,b`, or nothing where there is nothing.
pub fn list(key: &str, numbers: &[u64], hex: bool) -> String {
    let shown: Vec<String> = numbers.iter().map(|n| if hex { format!("{n:04x}") } else { n.to_string() }).collect();
    if shown.is_empty() { String::new() } else { format!(" {key}={}", shown.join(",")) }
}

/// ` key=text`, or nothing.
pub fn item(key: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {key}={text}") }
}

/// The lines of one reply as one line: `220 first / second`.
pub fn reply(lines: &[String]) -> String {
    let code = lines.first().and_then(|l| l.get(..3)).unwrap_or_default().to_owned();
    let text = |l: &String| match l.strip_prefix(&code) {
        Some(rest) if rest.is_empty() || rest.starts_with([' ', '-']) => rest.get(1..).unwrap_or_default().to_owned(),
        _ => l.clone(),
    };
    let text = |l: &String| text(l).trim_end().to_owned();
    format!("ftp {code} {}", lines.iter().map(text).collect::<Vec<_>>().join(" / ").trim_end())
}

/// A command, without a password.
pub fn command(line: &str) -> String {
    let (verb, _) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "PASS" => "ftp PASS ********".to_owned(),
        upper => format!("ftp {upper}{}", line.get(verb.len()..).unwrap_or_default()).trim_end().to_owned(),
    }
}
