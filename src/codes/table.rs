//! The one reader of the tables: lines become rows, cells become values. A row that does not fit its type is left out
//! here and fails the tests, so it cannot be shipped.

use std::str::{FromStr, Split};

/// How far a row may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Read in the named source.
    Yes,
    /// The statement was read; its values or releases only in part.
    Part,
    /// Follows from confirmed facts.
    Derived,
    /// From memory or from a sibling product: show it as unconfirmed, never as fact.
    No,
}

impl Confirmed {
    /// The word of the tables: `yes`, `part`, `derived` or `no`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Part => "part",
            Self::Derived => "derived",
            Self::No => "no",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Yes, Self::Part, Self::Derived, Self::No].into_iter().find(|c| c.as_str() == word)
    }
}

/// A row type of one or several tables.
pub(super) trait Record: Sized {
    /// Takes the cells in the order of the columns; `None` when one does not fit.
    fn read(cells: &mut Cells) -> Option<Self>;
}

/// The cells of one row, left to right.
pub(super) struct Cells(Split<'static, char>);

impl Cells {
    /// The next cell as it stands; never empty.
    pub(super) fn text(&mut self) -> Option<&'static str> {
        self.0.next().filter(|cell| !cell.is_empty())
    }

    /// The next cell as a decimal number.
    pub(super) fn decimal<T: FromStr>(&mut self) -> Option<T> {
        self.text()?.parse().ok()
    }

    /// The next cell as a hexadecimal number without prefix.
    pub(super) fn hex<T: TryFrom<u32>>(&mut self) -> Option<T> {
        T::try_from(u32::from_str_radix(self.text()?, 16).ok()?).ok()
    }

    /// The next cell as a decimal number, or `-`.
    pub(super) fn decimal_or_none<T: FromStr>(&mut self) -> Option<Option<T>> {
        match self.text()? {
            "-" => Some(None),
            number => number.parse().ok().map(Some),
        }
    }

    /// The next cell as `yes` or `no`.
    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.text()? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// The next cell as the word for trust.
    pub(super) fn confirmed(&mut self) -> Option<Confirmed> {
        Confirmed::parse(self.text()?)
    }
}

/// The lines of a table that hold rows.
pub(super) fn lines(tsv: &'static str) -> impl Iterator<Item = &'static str> {
    tsv.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The rows whose first cells are `key`, top down. Only they are taken apart: a look-up reads its table once, quickly.
pub(super) fn rows_of<R: Record>(tsv: &'static str, key: &[&str]) -> impl Iterator<Item = R> + use<R> {
    let prefix = key.join("\t") + "\t";
    let of_key = lines(tsv).filter(move |line| line.starts_with(&prefix));
    of_key.filter_map(|line| R::read(&mut Cells(line.split('\t'))))
}

/// The rows of a table, top down.
pub(super) fn rows<R: Record>(tsv: &'static str) -> impl Iterator<Item = R> {
    lines(tsv).filter_map(|line| R::read(&mut Cells(line.split('\t'))))
}
