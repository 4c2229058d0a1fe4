//! The one reader of the tables: lines become rows, cells become values. A row that does not fit its type is left out
//! here and fails the tests, so it cannot be shipped.

use core::cmp::Ordering;
use std::str::{FromStr, Split};
use std::sync::OnceLock;

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

/// The rows of a table, top down.
fn rows<R: Record>(tsv: &'static str) -> impl Iterator<Item = R> {
    lines(tsv).filter_map(|line| R::read(&mut Cells(line.split('\t'))))
}

/// A table that is taken apart once, when somebody first asks for a row of it.
pub(super) struct Table<R: 'static> {
    tsv: &'static str,
    order: fn(&R, &R) -> Ordering,
    read: OnceLock<Read<R>>,
}

/// The rows top down, and their places in the order of the key; rows of one key stay top down.
struct Read<R> {
    rows: Vec<R>,
    sorted: Vec<usize>,
}

impl<R: Record> Table<R> {
    /// A table whose key is what `order` compares.
    pub(super) const fn new(tsv: &'static str, order: fn(&R, &R) -> Ordering) -> Self {
        Self { tsv, order, read: OnceLock::new() }
    }

    /// All rows, top down.
    pub(super) fn rows(&'static self) -> &'static [R] {
        &self.read().rows
    }

    /// The rows of one key, top down. `to_key` says where a row stands in the order, seen from that key.
    pub(super) fn of(&'static self, to_key: impl Fn(&R) -> Ordering) -> impl Iterator<Item = &'static R> {
        let Read { rows, sorted } = self.read();
        let begin = sorted.partition_point(|n| rows.get(*n).is_some_and(|row| to_key(row).is_lt()));
        let behind = sorted.iter().skip(begin).filter_map(|n| rows.get(*n));
        behind.take_while(move |row| to_key(row).is_eq())
    }

    /// The first row of a key.
    pub(super) fn find(&'static self, to_key: impl Fn(&R) -> Ordering) -> Option<&'static R> {
        self.of(to_key).next()
    }

    fn read(&'static self) -> &'static Read<R> {
        self.read.get_or_init(|| {
            let rows: Vec<R> = rows(self.tsv).collect();
            let mut sorted: Vec<(usize, &R)> = rows.iter().enumerate().collect();
            sorted.sort_by(|(_, a), (_, b)| (self.order)(a, b));
            let sorted = sorted.into_iter().map(|(n, _)| n).collect();
            Read { rows, sorted }
        })
    }
}
