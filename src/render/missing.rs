//! What of a session the evidence does not have.

use super::table::thousands;
use crate::report::{InputOut, Report, SubjectKind};
use crate::transcript::{Close, ConnId, Side, What, Why};

/// One end of the session's connection, as far as it was seen.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Whether anything of it is there.
    anything: bool,
    /// Bytes that are known to be missing.
    missing: u64,
}

/// That one direction alone was captured, or how many bytes are missing; nothing of a run of ours, which misses none.
pub(super) fn missing(report: &Report) -> Option<String> {
    let t = &report.transcript;
    let full = |input: &InputOut| input.assumed.iter().any(|a| a.starts_with("more passed than is kept"));
    if report.subject.kind != SubjectKind::Decode || report.subject.inputs.iter().any(full) {
        return None;
    }
    let conn = t.conns.iter().position(|c| c.why == Why::Session).unwrap_or_default();
    let captured = t.origin.inputs.iter().flat_map(|i| &i.sources).any(|s| s.starts_with("pcap"));
    // Who was asked and never answered, and still was spoken to, did answer.
    let (mut begun, mut opened) = (captured, false);
    let (mut client, mut server) = (Seen::default(), Seen::default());
    for entry in t.entries.iter().filter(|e| e.conn == ConnId(u16::try_from(conn).unwrap_or(u16::MAX))) {
        let (side, missing) = match &entry.what {
            What::Bytes { from, .. } | What::Skipped { from, .. } => (*from, None),
            What::Closed { by, how: Close::Fin | Close::Reset } => (*by, None),
            What::Gap { from, len: Some(len) } => (*from, Some(*len)),
            What::Gap { len: None, .. } => {
                begun = false;
                continue;
            }
            What::Opened => {
                opened = true;
                continue;
            }
            _ => continue,
        };
        let seen = if side == Side::Client { &mut client } else { &mut server };
        seen.anything |= missing.is_none();
        seen.missing = seen.missing.saturating_add(missing.unwrap_or_default());
    }
    let of = |seen: Seen, who: &str| (seen.missing > 0).then(|| format!("{} of the {who}", thousands(seen.missing)));
    match (client.anything, server.anything) {
        (true, false) if server.missing > 0 || begun && !opened => {
            Some("nothing of the server was captured: one direction alone, or packets cut short".to_owned())
        }
        (false, true) if client.missing > 0 => {
            Some("nothing of the client was captured: one direction alone, or packets cut short".to_owned())
        }
        _ => {
            let parts: Vec<String> = [of(client, "client"), of(server, "server")].into_iter().flatten().collect();
            (!parts.is_empty()).then(|| format!("bytes are missing: {}", parts.join(", ")))
        }
    }
}
