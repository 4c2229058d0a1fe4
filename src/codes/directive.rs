//! Advice as data: who has to write what, where, in the product's own spelling, and what it weakens.

use std::sync::LazyLock;

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const DIRECTIVES: &str = include_str!("directives.tsv");
pub(super) static DIRECTIVE_ROWS: Table<Directive> =
    Table::new(DIRECTIVES, |a, b| (a.product, a.need).cmp(&(b.product, b.need)));

/// One piece of advice for one product. Source: the product's documentation or code, named in each row; nothing here
/// is from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Kebab-case id such as `zos-native` or `proftpd`; `any` = whatever the product.
    pub product: &'static str,
    /// Kebab-case id of what one wants to achieve; the head of the table explains each.
    pub need: &'static str,
    /// `client` or `server`.
    pub party: &'static str,
    /// `tonight` (quick), `lasting` (right), `check` (look first) or `leave` (do not touch).
    pub kind: &'static str,
    /// File, statement or dialog where it goes.
    pub place: &'static str,
    /// The exact spelling; `-` when there is nothing to write.
    pub directive: &'static str,
    /// What to do and how to see that it worked: imperative, ASCII, short.
    pub text: &'static str,
    /// What it weakens, with the word "weak"; `-` when nothing.
    pub risk: &'static str,
    /// Releases it needs; `-` when not limited.
    pub releases: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read; never `No`.
    pub confirmed: Confirmed,
}

impl Record for Directive {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            product: cells.text()?,
            need: cells.text()?,
            party: cells.text()?,
            kind: cells.text()?,
            place: cells.text()?,
            directive: cells.text()?,
            text: cells.text()?,
            risk: cells.text()?,
            releases: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// All advice, grouped by product.
pub fn directives() -> impl Iterator<Item = Directive> {
    DIRECTIVE_ROWS.rows().iter().copied()
}

/// Each need that the head of the table explains, with its meaning.
static NEEDS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let heads = DIRECTIVES.lines().filter_map(|l| l.strip_prefix("# ")).flat_map(|l| l.split("; "));
    let explained = heads.filter_map(|h| h.split_once(" = "));
    explained.flat_map(|(ids, meaning)| ids.split(", ").map(move |id| (id, meaning))).collect()
});

/// What a need of the table means, in the words of its head.
pub fn need(id: &str) -> Option<&'static str> {
    NEEDS.iter().find(|(need, _)| *need == id).map(|(_, meaning)| *meaning)
}

/// The advice for a need in a product, quickest first as the table has it; empty when the table knows none.
pub fn advise(need: &str, product: &str) -> impl Iterator<Item = Directive> {
    DIRECTIVE_ROWS.of(move |d| (d.product, d.need).cmp(&(product, need))).copied()
}
