//! A line to words: bare ones and quoted texts; ` #` outside of quotes ends it.

use super::super::ConnId;

/// A word of a line: bare, or a quoted text.
#[derive(Debug, PartialEq)]
pub(super) enum Word<'a> {
    Bare(&'a str),
    Quoted(Vec<u8>),
    Broken,
}

/// Splits a line at blanks; ` #` outside of quotes ends it.
pub(super) struct Words<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() || self.rest.starts_with('#') {
            self.rest = "";
            return None;
        }
        if let Some(behind) = self.rest.strip_prefix('"') {
            let (word, rest) = quoted_word(behind);
            self.rest = rest;
            return Some(word);
        }
        // `host="…"`: the name is a word of its own, the text follows.
        let end = self.rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(Word::Bare(word))
    }

    pub(super) fn next_bare(&mut self) -> Option<&'a str> {
        match self.next() {
            Some(Word::Bare(word)) => Some(word),
            _ => None,
        }
    }

    pub(super) fn peek_bare(&self) -> Option<&'a str> {
        Words { rest: self.rest }.next_bare()
    }

    pub(super) fn text(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Word::Quoted(bytes)) => Ok(lossy(bytes)),
            _ => Err("a text in quotes is missing".to_owned()),
        }
    }

    /// `1> `: the connection, if the next word names one.
    pub(super) fn connection(&mut self) -> Option<ConnId> {
        let id = self.peek_bare()?.strip_suffix('>')?.parse().ok()?;
        self.next();
        Some(ConnId(id))
    }

    /// Quoted texts and hex words, in any mix.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut any = false;
        while let Some(word) = self.next() {
            any = true;
            match word {
                Word::Quoted(bytes) => out.extend(bytes),
                Word::Bare(hex) => {
                    out.extend(hex::decode(hex).map_err(|_| format!("`{}` is neither hex nor in quotes", clip(hex)))?);
                }
                Word::Broken => return Err("a text without a closing quote, or an unknown escape".to_owned()),
            }
        }
        if any { Ok(out) } else { Err("no bytes".to_owned()) }
    }
}

fn quoted_word(text: &str) -> (Word<'_>, &str) {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let byte = match c {
            '"' => return (Word::Quoted(out), chars.as_str()),
            '\\' => match chars.next() {
                Some('r') => Some(b'\r'),
                Some('n') => Some(b'\n'),
                Some('t') => Some(b'\t'),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2)
                }
                Some(c @ ('"' | '\\')) => u8::try_from(c).ok(),
                _ => None,
            },
            c => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        match byte {
            Some(b) => out.push(b),
            None => return (Word::Broken, ""),
        }
    }
    (Word::Broken, "")
}

/// Text of quoted bytes.
pub(super) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// A word for an error message: short, and printable.
pub(super) fn clip(word: &str) -> String {
    crate::wire::printable(word.as_bytes()).chars().take(24).collect()
}
