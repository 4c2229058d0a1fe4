//! Certificate diagnostics of AT-TLS and System SSL: `SSLRetCode= 8 CMSRetCode= 0x0335302f Description= … SubjectDN= <…>`.
//!
//! Fields are `Key= value`, broken into lines anywhere. They tell of the partner's certificate, never of the own one.

use super::words::Word;

/// The first field.
const FIRST: &str = "SSLRetCode=";

/// Most words of a description, and of any other value outside of `<…>`.
const LONGEST_DESCRIPTION: usize = 40;
const LONGEST_VALUE: usize = 8;

/// Whether these fields begin with this word.
pub(super) fn begins(word: &str) -> bool {
    word.starts_with(FIRST)
}

/// The fields, in their order.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    fields: Vec<Field>,
    last_line: u64,
}

#[derive(Debug, Default)]
struct Field {
    key: String,
    words: Vec<String>,
    /// How many `<` are open.
    depth: i32,
}

impl Diagnostics {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether the last field has no value yet.
    pub(super) fn awaits(&self) -> bool {
        self.fields.last().is_some_and(|f| f.words.is_empty())
    }

    /// Whether the words that come are inside `<…>`, where anything may stand.
    pub(super) fn is_quoting(&self) -> bool {
        self.fields.last().is_some_and(|f| f.depth > 0)
    }

    /// Takes the next word if it is a field's name or part of its value.
    pub(super) fn accept(&mut self, text: &str, word: &Word) -> bool {
        let same = word.line == self.last_line;
        if !self.is_quoting()
            && let Some((key, value)) = key_in(text)
        {
            if self.fields.iter().any(|f| f.key == key) {
                return false;
            }
            self.fields.push(Field { key: key.to_owned(), ..Field::default() });
            self.last_line = word.line;
            return value.is_empty() || self.value(value);
        }
        let Some(field) = self.fields.last() else { return false };
        let longest = if field.key == "Description" { LONGEST_DESCRIPTION } else { LONGEST_VALUE };
        let room = field.depth > 0 || field.words.len() < longest;
        let belongs = field.words.is_empty() || field.depth > 0 || same || word.after_full_line;
        if !(room && belongs) {
            return false;
        }
        self.last_line = word.line;
        self.value(text)
    }

    fn value(&mut self, text: &str) -> bool {
        if let Some(field) = self.fields.last_mut() {
            field.depth += text.matches('<').count() as i32 - text.matches('>').count() as i32;
            field.words.push(text.to_owned());
        }
        true
    }

    fn of(&self, key: &str) -> Option<String> {
        let field = self.fields.iter().find(|f| f.key == key)?;
        let text = field.words.join(" ");
        let bare = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(&text);
        (!bare.is_empty()).then(|| bare.to_owned())
    }

    /// The return code of System SSL.
    pub(super) fn rc(&self) -> Option<u32> {
        self.of("SSLRetCode")?.parse().ok()
    }

    /// The code of the certificate services; 0 says nothing.
    pub(super) fn cms(&self) -> Option<u32> {
        let text = self.of("CMSRetCode")?;
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
        u32::from_str_radix(digits, 16).ok().filter(|cms| *cms != 0)
    }

    /// What was wrong.
    pub(super) fn description(&self) -> String {
        self.of("Description").unwrap_or_default()
    }

    /// Whose certificate, and by whom: `subject CN=a, issuer CN=b`.
    pub(super) fn certificate(&self) -> Option<String> {
        let named = |name: &str, key: &str| self.of(key).map(|value| format!("{name} {value}"));
        let parts = [
            named("subject", "SubjectDN"),
            named("issuer", "IssuerDN"),
            named("serial number", "SerialNumber"),
            named("from", "CertificateSource"),
            named("trusted by", "TrustedSource"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// A field's name, and what is glued to it.
fn key_in(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let is_name = key.len() >= 4
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.bytes().all(|b| b.is_ascii_alphanumeric())
        && key.bytes().any(|b| b.is_ascii_lowercase());
    let known = ["SSLRetCode", "CMSRetCode", "Description", "SubjectDN", "IssuerDN", "SerialNumber"];
    (is_name && (value.is_empty() || known.contains(&key))).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    fn read(text: &str) -> (Diagnostics, usize) {
        let mut out = Diagnostics::default();
        let mut length = 0;
        let words = text.lines().enumerate().flat_map(|(n, l)| {
            let words = split(l, n as u64 + 1, length >= super::super::words::FULL_LINE);
            length = l.len();
            words
        });
        let words: Vec<Word> = words.collect();
        let taken = words.iter().take_while(|w| out.accept(&w.text, w)).count();
        (out, taken)
    }

    #[test]
    fn values_run_to_the_next_name() {
        let text = "SSLRetCode= 8 CMSRetCode=\n0x0335302f Description= Self-signed certificate is not found in the\ntrusted key source SubjectDN= <CN=Root = x,O=A\nB Rule= c> IssuerDN= <CN=Root> SerialNumber= 07";
        let (d, _) = read(text);
        assert_eq!((d.rc(), d.cms()), (Some(8), Some(0x0335_302f)));
        assert_eq!(d.description(), "Self-signed certificate is not found in the trusted key source");
        assert_eq!(
            d.certificate().as_deref(),
            Some("subject CN=Root = x,O=A B Rule= c, issuer CN=Root, serial number 07")
        );
        // Glued, and what follows on a line of its own is not part of it.
        let (d, taken) = read("SSLRetCode=405 CMSRetCode=0x00000000 Description= no\nand then prose");
        assert_eq!((d.rc(), d.cms(), d.description().as_str(), taken), (Some(405), None, "no", 4));
        let (d, taken) = read("SSLRetCode= 8 SSLRetCode= 9");
        assert_eq!((d.rc(), taken), (Some(8), 2));
        assert!(read("prose = 1").0.is_empty());
        assert!(read("SSLRetCode=").0.awaits());
    }
}
