//! Messages of z/OS FTP without their ids, as z/OS UNIX shows them, and which messages are FTP's at all.

use super::words::Word;

/// A message that is known by its text.
#[derive(Debug)]
pub(super) struct Bare {
    /// How it begins.
    pub text: &'static str,
    /// Empty where no source says it.
    pub id: &'static str,
    /// Whether more of it stands behind these words: an operation, an address, a number.
    pub more: bool,
    /// Whether nobody else writes these words; the others look like prose where no line of FTP is near.
    pub alone: bool,
}

const fn bare(text: &'static str, id: &'static str, more: bool, alone: bool) -> Bare {
    Bare { text, id, more, alone }
}

/// Messages that are worth reading even where z/OS UNIX left out their id. The third one is quoted by an APAR, which does not
/// say its id; of EZA2590E only the form with `recv` is confirmed.
pub(super) static BARE: [Bare; 15] = [
    bare("Authentication negotiation failed", "EZA2897I", false, true),
    bare("Unable to successfully negotiate required authentication", "EZA2898I", false, true),
    bare("TLS security mechanism negotiation failed", "", false, true),
    bare("Connection to server interrupted or timed out", "EZA2589E", true, false),
    bare("Server not responding, closing connection", "EZA1721W", true, false),
    bare("recv error from", "EZA2590E", true, false),
    bare("send error from", "EZA2590E", true, false),
    bare("connect error from", "EZA2590E", true, false),
    bare("*** I can't open a data-transfer connection", "EZA1636I", true, false),
    bare("Data connections for the client are firewall friendly", "EZA2818I", false, false),
    bare("Data connections for the client are not firewall friendly", "EZA2819I", false, false),
    bare("Std Return Code =", "EZA1735I", true, false),
    bare("Connecting to:", "EZA1554I", true, false),
    bare("IBM FTP CS V", "EZA1450I", true, false),
    bare("FTP: using", "EZA1466I", true, false),
];

/// The message without an id that begins at the first of these words.
pub(super) fn find(words: &[Word]) -> Option<usize> {
    BARE.iter().position(|b| begins_with(words, b.text))
}

/// Whether words begin with a text, which may end in the middle of the last one, or lack its full stop.
fn begins_with(words: &[Word], text: &str) -> bool {
    let mut wanted = text.split(' ').peekable();
    let mut words = words.iter().map(|w| w.text.as_str());
    while let Some(want) = wanted.next() {
        let Some(word) = words.next() else { return false };
        let is_last = wanted.peek().is_none();
        let ends = |rest: &str| rest.is_empty() || matches!(rest, "." | ":") || want.len() == 1;
        if !(word == want || is_last && word.strip_prefix(want).is_some_and(ends)) {
            return false;
        }
    }
    true
}

/// Where lines were joined, what follows a message with a known text is not part of it.
pub(super) fn known_extent(id: &str, text: &str) -> String {
    let known = BARE.iter().find(|b| !b.more && b.id == id && text.starts_with(b.text));
    known.map_or_else(|| text.to_owned(), |b| b.text.to_owned())
}

/// Messages behind which a client's connection is over: time-outs, and the codes with which it ends.
pub(super) const GIVES_UP: [&str; 4] = ["EZA2589E", "EZA1721W", "EZA1735I", "EZZ9830I"];

/// What happened to a step, as the system writes it into the job log.
pub(super) const STEP_ENDED: &str = "IEF142I";

/// Whether a message is one of FTP, or of the step that ran it, and not of the TCP/IP stack.
pub(super) fn is_of_ftp(id: &str) -> bool {
    const FTP: [&str; 6] = ["EZA1", "EZA2", "EZY2", "EZYFT", "EZZ98", STEP_ENDED];
    FTP.iter().any(|p| id.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    #[test]
    fn texts_of_messages() {
        let id = |line: &str| find(&split(line, 1, false)).and_then(|n| BARE.get(n)).map(|b| b.id);
        for (line, want) in [
            ("Authentication negotiation failed", Some("EZA2897I")),
            ("Connection to server interrupted or timed out. Waiting for reply", Some("EZA2589E")),
            ("Connection to server interrupted or timed out", Some("EZA2589E")),
            ("*** I can't open a data-transfer connection: EDC8128I Connection refused.", Some("EZA1636I")),
            ("Data connections for the client are not firewall friendly.", Some("EZA2819I")),
            ("Connecting to: ftp.example.org 192.0.2.7 port: 21.", Some("EZA1554I")),
            ("IBM FTP CS V2R5", Some("EZA1450I")),
            ("IBM FTP CS", None),
            ("Connecting to the server", None),
            ("Connection to server interrupted or timed outside", None),
            ("", None),
        ] {
            assert_eq!(id(line), want, "{line}");
        }
        assert_eq!(
            known_extent("EZA2897I", "Authentication negotiation failed SC1"),
            "Authentication negotiation failed"
        );
        assert_eq!(known_extent("EZA1450I", "IBM FTP CS V2R1"), "IBM FTP CS V2R1");
        assert!(is_of_ftp("EZA2589E") && is_of_ftp("EZYFT96I") && !is_of_ftp("EZZ4324I") && !is_of_ftp("EZAIN11I"));
    }
}
