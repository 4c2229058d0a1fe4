//! A pasted text as words, and the numbers that stand behind labels in it.

/// The words of a text in lower case, without the punctuation around them. A minus, a dot or an underscore inside stays.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "()[]{}<>:;,\"'`=|".contains(c));
    parts.map(|p| p.trim_matches(['.', '!', '?']).to_ascii_lowercase()).filter(|p| !p.is_empty()).collect()
}

/// The words behind every place where a label stands; the label's words follow each other.
pub(super) fn behind<'a>(words: &'a [String], label: &'a [&str]) -> impl Iterator<Item = &'a [String]> {
    let at = move |i: &usize| {
        words.get(*i..).is_some_and(|rest| rest.len() > label.len() && rest.iter().zip(label).all(|(w, l)| w == l))
    };
    (0..words.len()).filter(at).filter_map(move |i| words.get(i + label.len()..))
}

/// A whole hexadecimal number of 8 digits at most, with or without `0x`.
pub(super) fn hexadecimal(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    let fits = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// A whole decimal number, perhaps negative.
pub(super) fn decimal(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let fits = (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| word.parse().ok())?
}
