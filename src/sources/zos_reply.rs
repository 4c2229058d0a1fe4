//! Where a reply of the server begins in a log of z/OS FTP.

use super::words::Word;
use crate::codes;

/// What servers answer behind 125 or 150.
const FINAL: [&str; 15] =
    ["226", "250", "421", "425", "426", "450", "451", "452", "522", "530", "534", "550", "551", "552", "553"];

/// Whether two words are the beginning of a reply: `234 AUTH`, `220-Welcome`.
pub(super) fn is_reply(word: &str, next: &str) -> bool {
    let Some((digits, behind)) = word.split_at_checked(3) else { return false };
    let code = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten();
    let separated = behind.starts_with('-') || (behind.is_empty() && !next.is_empty());
    separated && code.is_some_and(|c| (100..660).contains(&c) && codes::ftp_reply(c).is_some())
}

/// Whether behind a preliminary reply (`150 Ok to send data.`) the final one begins that was joined with it; no command stands between
/// these two. The sentence before has ended, and a code that may follow stands before a capital: else it is a name or a number.
pub(super) fn is_final_behind(reply: &[Word], word: &str, next: &str) -> bool {
    let is_preliminary = reply.first().is_some_and(|w| matches!(w.text.as_str(), "125" | "150"));
    let ended = reply.len() > 1 && reply.last().is_some_and(|w| w.text.ends_with('.'));
    is_preliminary && ended && FINAL.contains(&word) && next.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::paste::Paste;
    use super::super::{Block, Options};
    use crate::transcript::What;

    /// The replies to STOR in a log of one line.
    fn replies(said: &str) -> Vec<String> {
        let mut paste = Paste::new("x", Options::default());
        paste.line(&format!("EZA1701I >>> AUTH TLS 234 Proceed. EZA1701I >>> STOR a {said} EZA1460I Command:"));
        let pieces =
            paste.finish().blocks.into_iter().filter_map(|b| if let Block::Log(p) = b { Some(p) } else { None });
        let bytes = pieces.flat_map(|p| p.entries).filter_map(|e| match e.what {
            What::Bytes { data, .. } => Some(String::from_utf8_lossy(&data).trim().to_owned()),
            _ => None,
        });
        bytes.filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).skip(1).collect()
    }

    #[test]
    fn a_final_reply_that_was_joined_to_a_preliminary_one() {
        let two = ["150 Ok to send data.", "425 Can't open data connection."];
        assert_eq!(replies(&two.join("  ")), two);
        for one in [
            "150 Opening data connection for a 425 b.",
            "150 Ok to send data. 425 bytes are expected.",
            "150 Ok to send data. 220 Ready",
            "226 Transfer complete. 425 Can't open data connection.",
        ] {
            assert_eq!(replies(one), [one]);
        }
    }
}
