//! Wordings that give a server product away. The 234 line and the refusals are the better witnesses: any administrator
//! can change a banner, hardly anybody changes those. A wording of another product than the banner's is a middlebox's.

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const FINGERPRINTS: &str = include_str!("server_fingerprints.tsv");
pub(super) static FINGERPRINT_ROWS: Table<Fingerprint> = Table::new(FINGERPRINTS, |a, b| a.kind.cmp(b.kind));

/// One wording of one product. Source: the product's own code or real logs, named in each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// As people call it; in lower case with hyphens for blanks it is the product of [`super::Directive`].
    pub product: &'static str,
    /// Releases that use this wording, in words; `-` when not limited.
    pub versions: &'static str,
    /// Where it is said: `banner auth-ok auth-refused handshake-failed tls-required login-refused data-refused pbsz-prot oops`.
    pub kind: &'static str,
    /// The reply code it comes with; `None` = any.
    pub code: Option<u16>,
    /// The text after the code: exact; `text*` = begins so; `*text*` = contains it.
    pub text: &'static str,
    /// What it means for the diagnosis, or `-`.
    pub note: &'static str,
    /// Where the wording was read.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for Fingerprint {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            product: cells.text()?,
            versions: cells.text()?,
            kind: cells.text()?,
            code: cells.decimal_or_none()?,
            text: cells.text()?,
            note: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// How a wording is compared.
enum Pattern {
    Exact(&'static str),
    Begins(&'static str),
    Contains(&'static str),
}

impl Fingerprint {
    fn pattern(&self) -> Pattern {
        match (self.text.strip_prefix('*'), self.text.strip_suffix('*')) {
            (Some(rest), _) => Pattern::Contains(rest.trim_end_matches('*')),
            (None, Some(begin)) => Pattern::Begins(begin),
            (None, None) => Pattern::Exact(self.text),
        }
    }

    /// Whether a whole reply of this kind has this wording. `text` is one line after the code and its separator.
    #[must_use]
    pub fn matches(&self, kind: &str, code: u16, text: &str) -> bool {
        let text = text.trim_end_matches(['\r', '\n']);
        self.kind == kind
            && self.code.is_none_or(|own| own == code)
            && match self.pattern() {
                Pattern::Exact(all) => text == all,
                Pattern::Begins(begin) => text.starts_with(begin),
                Pattern::Contains(part) => text.contains(part),
            }
    }

    /// Whether a reply that was cut off after `text_prefix` could go on to this wording: `T` of code 550 could be
    /// "TLS handshake failed". A wording that is only known in part from its middle never could.
    #[must_use]
    pub fn could_begin(&self, code: u16, text_prefix: &str) -> bool {
        self.code.is_none_or(|own| own == code)
            && match self.pattern() {
                Pattern::Exact(all) => all.starts_with(text_prefix),
                Pattern::Begins(begin) => begin.starts_with(text_prefix) || text_prefix.starts_with(begin),
                Pattern::Contains(part) => text_prefix.contains(part),
            }
    }
}

/// All wordings, grouped by product.
pub fn fingerprints() -> impl Iterator<Item = Fingerprint> {
    FINGERPRINT_ROWS.rows().iter().copied()
}

/// The wordings of one kind, grouped by product.
pub fn fingerprints_of(kind: &str) -> impl Iterator<Item = &'static Fingerprint> {
    FINGERPRINT_ROWS.of(move |f| f.kind.cmp(kind))
}
