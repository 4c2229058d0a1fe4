//! Lines that nobody understood are shown in reports. Hex in them may say a password, which no mask for text sees.

use crate::transcript::secrets::MASK;

/// `PASS` and `ACCT`, in ASCII and in EBCDIC.
const VERBS: [&str; 4] = ["50415353", "41434354", "D7C1E2E2", "C1C3C3E3"];

/// Fewest digits of a word that may be bytes.
const SHORTEST: usize = 4;

/// Digits of a line that are looked at together with the next one: one fewer than a verb has.
const TAIL: usize = 7;

/// Masks hex in lines, in order.
#[derive(Debug, Default)]
pub(super) struct HexSecret {
    /// A verb came: hex on the next lines is its argument.
    open: bool,
    tail: String,
}

impl HexSecret {
    /// The line as it may be shown.
    pub(super) fn mask(&mut self, line: &str) -> String {
        let is_hex = |w: &&str| w.len() >= SHORTEST && w.bytes().all(|b| b.is_ascii_hexdigit());
        let mut digits = core::mem::take(&mut self.tail);
        let before = digits.len();
        // An offset at the front is none of the bytes.
        let words: Vec<&str> = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_hex).collect();
        let bytes = words.iter().enumerate().filter(|(n, w)| *n > 0 || w.len() == 8 || words.len() == 1);
        digits.extend(bytes.map(|(_, w)| w.to_ascii_uppercase()));
        if words.is_empty() {
            self.open = false;
            return line.to_owned();
        }
        self.open |= VERBS.iter().any(|v| digits.contains(v));
        let from = digits.len().saturating_sub(TAIL).max(before.min(digits.len()));
        digits.get(from..).unwrap_or_default().clone_into(&mut self.tail);
        if !self.open {
            return line.to_owned();
        }
        words.iter().fold(line.to_owned(), |text, word| text.replace(word, MASK))
    }
}

/// A line of an input that holds packets, without any hex: a line that was cut may begin inside a password.
pub(super) fn without_hex(line: &str) -> String {
    let is_hex = |w: &&str| w.len() >= SHORTEST && w.bytes().all(|b| b.is_ascii_hexdigit());
    let words = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_hex);
    words.fold(line.to_owned(), |text, word| text.replace(word, MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_that_says_a_password_is_not_shown() {
        for lines in [
            &["Data : 20 000000 50415353 20733363 72657400 |x"][..],
            &["see 000000 55534552 20782050", "and 000010 41535320 73336372 65740D0A"],
            &["PASS in EBCDIC: D7C1E2E240A2F383", "then A2F38399"],
        ] {
            let mut secret = HexSecret::default();
            let shown: Vec<String> = lines.iter().map(|l| secret.mask(l)).collect();
            let last = shown.last().unwrap();
            assert!(last.contains(MASK) && !last.contains("7333") && !last.contains("A2F3"), "{shown:?}");
        }
        assert_eq!(without_hex("0415353 20733363  10.0.0.2-21"), format!("{MASK} {MASK}  10.0.0.2-21"));
        let mut secret = HexSecret::default();
        assert_eq!(secret.mask("CONNID: 00000028 RC: 0401"), "CONNID: 00000028 RC: 0401");
    }
}
