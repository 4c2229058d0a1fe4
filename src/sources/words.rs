//! Lines of a paste to words. Mail and ticket systems quote, wrap, join and collapse lines: records are
//! therefore read word by word, and line breaks are only hints.

use std::borrow::Cow;

use super::zos_words::without_hardcopy;

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

/// The line without what mail programs, ticket systems and listings put around lines: HTML, `=20`, sequence numbers in
/// columns 73 to 80, dates, line numbers, bullets. Nothing that a trace or a log begins or ends with looks like these.
pub(super) fn undressed(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line);
    if line.contains(['&', '<']) {
        let plain = [
            ("<br>", ""),
            ("<br/>", ""),
            ("<br />", ""),
            ("&nbsp;", " "),
            ("&gt;", ">"),
            ("&lt;", "<"),
            ("&quot;", "\""),
            ("&amp;", "&"),
        ];
        line = Cow::Owned(plain.iter().fold(line.into_owned(), |text, (from, to)| text.replace(from, to)));
    }
    let text = line.trim_end();
    let text = text.strip_suffix("=20").unwrap_or(text);
    let text = match text.split_at_checked(72) {
        // A number in a column of its own, and no value: `CONNID: 00000028` may end there.
        Some((body, number))
            if is_digits(number, 8)
                && body.ends_with(' ')
                && !body.trim_end().ends_with(':')
                && !is_bytes_up_to_there(body) =>
        {
            body
        }
        _ => text,
    };
    let kept = without_hardcopy(without_prefix(text));
    if kept.len() == line.len() { line } else { Cow::Owned(kept.to_owned()) }
}

/// Whether a line of hex goes on in column 73: bytes, and one blank behind them.
fn is_bytes_up_to_there(body: &str) -> bool {
    !body.ends_with("  ") && body.split_whitespace().all(|w| is_hex_group(w.trim_end_matches(':')))
}

/// Cuts a date and time, a line number or a bullet off the front.
fn without_prefix(line: &str) -> &str {
    let trimmed = line.trim_start_matches([' ', '\u{a0}']);
    let (word, rest) = trimmed.split_once([' ', '\t']).unwrap_or((trimmed, ""));
    let bare = word.trim_matches(['[', ']', '(', ')']);
    let is_date = |w: &str| {
        w.len() == 10
            && w.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() })
    };
    if let Some((date, time)) = bare.split_once('T')
        && is_date(date)
        && time.starts_with(|c: char| c.is_ascii_digit())
    {
        return rest;
    }
    if is_date(bare) {
        let (time, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        return if time.contains(':') { behind } else { rest };
    }
    let number = word.strip_suffix([':', '.', ')']).unwrap_or(word);
    let numbered = word.len() > number.len() || trimmed.get(word.len()..).is_some_and(|r| r.starts_with('\t'));
    // `00000000:` is an offset, not a line number; so is any number in front of bytes.
    let before_bytes = rest.split_whitespace().next().is_some_and(is_hex_group);
    if numbered && number.len() <= 5 && is_digits(number, number.len()) && !number.is_empty() && !before_bytes {
        return rest;
    }
    if matches!(word, "*" | "-" | "\u{2022}")
        && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '>')
    {
        return rest;
    }
    line
}

fn is_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| b.is_ascii_digit())
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
    fn what_others_put_around_lines_goes() {
        for dressed in [
            "2021-02-26 01:49:34 S0W1 MESSAGE",
            "[2021-02-26T01:49:34Z] S0W1 MESSAGE",
            "    12\tS0W1 MESSAGE",
            "12: S0W1 MESSAGE",
            "* S0W1 MESSAGE",
            "- S0W1 MESSAGE",
            "S0W1 MESSAGE<br>",
            "S0W1&nbsp;MESSAGE",
            "S0W1 MESSAGE=20",
        ] {
            assert_eq!(undressed(dressed).trim(), "S0W1 MESSAGE", "{dressed}");
        }
        let numbered = format!("{:<72}00000300", "EZA1701I >>> AUTH TLS");
        assert_eq!(undressed(&numbered).trim(), "EZA1701I >>> AUTH TLS");
        for value in ["EZD1286I TTLS Error CONNID:", "EZD1286I TTLS Error CONNID: 00000028 RC:"] {
            let line = format!("{value:<72}00000300");
            assert_eq!(undressed(&line), line);
            let line = format!("{:>71} 00000300", value);
            assert_eq!(undressed(&line), line);
        }
        let bytes = "16030100 ".repeat(8) + "00350100";
        assert_eq!(undressed(&bytes), bytes);
        let full = format!("{:x<72}00000300", "EZA1701I ");
        assert_eq!(undressed(&full), full);
        for plain in [
            "00000000: 35353020 54",
            "0010: 1603",
            "01:49:34 SC1234 x: y",
            "220-hello",
            "550 T",
            "- 5 items",
            "10: 16030100",
        ] {
            let kept = undressed(plain);
            assert!(kept == plain || plain == "- 5 items", "{plain}: {kept}");
        }
    }

    #[test]
    fn words_know_their_line() {
        let words = split("a > b 00000000:35353020 >>> AUTH", 7, false);
        let texts: Vec<_> = words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(texts, ["a", "b", "00000000:", "35353020", ">>>", "AUTH"]);
        assert!(words[0].first && !words[1].first && words[0].line == 7);
    }
}
