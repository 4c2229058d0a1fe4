//! Lines of a paste to words. Mail and ticket systems quote, wrap, join and collapse lines: records are
//! therefore read word by word, and line breaks are only hints.

/// One word of a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// Line of the input, from 1.
    pub line: u64,
    /// Whether it is the first of its line.
    pub first: bool,
    /// Whether the line before was so long that a mail program may have broken it here.
    pub after_full_line: bool,
}

/// A line this long, or longer, may have been wrapped by a mail program.
pub(super) const FULL_LINE: usize = 58;

/// FTP commands that z/OS shows behind `>>>`; tells them from triple quoting.
const VERBS: [&str; 43] = [
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "CCC", "CDUP", "CLNT", "CWD", "DELE", "EPRT", "EPSV", "FEAT",
    "HELP", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MKD", "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS", "PASS",
    "PASV", "PBSZ", "PORT", "PROT", "PWD", "QUIT", "RETR", "SITE", "SIZE", "STOR", "STRU", "SYST", "TYPE", "USER",
    "XPWD",
];

/// Whether a word is an FTP command.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// The line without the marks of quoting in front of it. `>>> AUTH TLS` is no quoting.
pub(super) fn unquote(line: &str) -> &str {
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\u{a0}']);
        if let Some(command) = trimmed.strip_prefix(">>> ")
            && command.split_whitespace().next().is_some_and(is_verb)
        {
            return trimmed;
        }
        match trimmed.strip_prefix(['>', '|']) {
            Some(behind) => rest = behind,
            None => return if rest.len() == line.len() { line } else { rest.strip_prefix(' ').unwrap_or(rest) },
        }
    }
}

/// Splits an unquoted line into words. Lone quoting marks in the middle (joined lines) are dropped, and an offset
/// glued to what follows is cut off.
pub(super) fn split(line: &str, number: u64, after_full_line: bool) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut words = line.split(|c: char| c.is_whitespace() || c == '\u{a0}').filter(|w| !w.is_empty()).peekable();
    while let Some(text) = words.next() {
        if text.bytes().all(|b| b == b'>') && !words.peek().is_some_and(|next| is_verb(next) && text == ">>>") {
            continue;
        }
        let mut push = |text: &str| {
            out.push(Word { text: text.to_owned(), line: number, first: out.is_empty(), after_full_line });
        };
        match text.split_once(':') {
            Some((offset, behind)) if !behind.is_empty() && is_hex(offset, 8) && is_hex_group(behind) => {
                push(&format!("{offset}:"));
                push(behind);
            }
            _ => push(text),
        }
    }
    out
}

/// Exactly `len` hex digits.
pub(super) fn is_hex(word: &str, len: usize) -> bool {
    word.len() == len && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Hex digits for one to sixteen whole bytes.
pub(super) fn is_hex_group(word: &str) -> bool {
    (2..=32).contains(&word.len()) && word.len().is_multiple_of(2) && word.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_goes_and_commands_stay() {
        assert_eq!(unquote("> > SC2852 sendCmd: entered"), "SC2852 sendCmd: entered");
        assert_eq!(unquote(">>> SC2852 sendCmd: entered"), "SC2852 sendCmd: entered");
        assert_eq!(unquote("> >>> AUTH TLS"), ">>> AUTH TLS");
        assert_eq!(unquote(">>> AUTH TLS"), ">>> AUTH TLS");
        assert_eq!(unquote("  indented"), "  indented");
        assert_eq!(unquote(">   00000000: 35"), "  00000000: 35");
    }

    #[test]
    fn words_know_their_line() {
        let words = split("a > b 00000000:35353020 >>> AUTH", 7, false);
        let texts: Vec<_> = words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(texts, ["a", "b", "00000000:", "35353020", ">>>", "AUTH"]);
        assert!(words[0].first && !words[1].first && words[0].line == 7);
    }
}
