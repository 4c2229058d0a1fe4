//! ClientHellos and words that give a client away. Numbers that depend on the session, not on the program, are left out
//! before a hello is compared; a hello that many programs share names their TLS library.

use super::table::{Cells, Confirmed, Record, Table};

/// Extensions that depend on the session: server_name, ALPN, padding, pre_shared_key, early_data, cookie.
pub const OF_THE_SESSION: [u16; 6] = [0, 16, 21, 41, 42, 44];

pub(super) const CLIENT_PRINTS: &str = include_str!("client_fingerprints.tsv");
pub(super) static PRINT_ROWS: Table<ClientPrint> = Table::new(CLIENT_PRINTS, |a, b| a.product.cmp(b.product));

/// One way in which one client shows itself. Source: recorded hellos, or what the row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPrint {
    /// As [`super::Directive`] spells it.
    pub product: &'static str,
    /// Releases that look so, in words; `-` when not limited.
    pub releases: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Whether many programs share it: then the product is their TLS library or runtime.
    pub library: bool,
    /// Some programs that use the library, or `-`.
    pub programs: &'static str,
    record: &'static str,
    session: &'static str,
    versions: List,
    suites: List,
    signal: &'static str,
    extensions: List,
    groups: List,
    schemes: List,
    /// What the client says: `ALPN` and a protocol, or a command; `-` when nothing is asked for.
    pub says: &'static str,
    /// Where it was read or recorded.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

/// The fields of a ClientHello that tell clients apart, without GREASE, signals and what the session decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelloShape {
    /// Version of the record, if its header is in the evidence.
    pub record: Option<u16>,
    /// Length of the session id.
    pub session: usize,
    /// Versions on offer, highest first.
    pub versions: Vec<u16>,
    /// Suites in order, without signals.
    pub suites: Vec<u16>,
    /// Where the renegotiation signal stands: `first`, `last`, `none`, or `inside`.
    pub signal: &'static str,
    /// Extensions in order, without those that depend on the session.
    pub extensions: Vec<u16>,
    /// Groups in order.
    pub groups: Vec<u16>,
    /// Signature schemes in order.
    pub schemes: Vec<u16>,
}

impl Record for ClientPrint {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            product: cells.text()?,
            releases: cells.text()?,
            name: cells.text()?,
            library: match cells.text()? {
                "library" => true,
                "program" => false,
                _ => return None,
            },
            programs: cells.text()?,
            record: cells.text()?,
            session: cells.text()?,
            versions: List::read(cells.text()?),
            suites: List::read(cells.text()?),
            signal: cells.text()?,
            extensions: List::read(cells.text()?),
            groups: List::read(cells.text()?),
            schemes: List::read(cells.text()?),
            says: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

impl ClientPrint {
    /// Whether the row describes a hello, not words alone.
    #[must_use]
    pub fn is_of_hello(&self) -> bool {
        let lists = [&self.versions, &self.suites, &self.extensions, &self.groups, &self.schemes];
        [self.record, self.session, self.signal].iter().any(|cell| *cell != "-") || lists.iter().any(|l| l.cell != "-")
    }

    /// Whether a hello fits every cell about hellos.
    #[must_use]
    pub fn fits(&self, hello: &HelloShape) -> bool {
        // The suites tell most of them apart.
        self.suites.fits(&hello.suites)
            && (self.record == "-" || number(self.record) == hello.record)
            && (self.session == "-" || self.session.parse() == Ok(hello.session))
            && (self.signal == "-" || self.signal == hello.signal)
            && self.versions.fits(&hello.versions)
            && self.extensions.fits(&hello.extensions)
            && self.groups.fits(&hello.groups)
            && self.schemes.fits(&hello.schemes)
    }

    /// Whether `said` (a command line, or `ALPN` and a protocol) is what the row asks for.
    #[must_use]
    pub fn is_said(&self, said: &str) -> bool {
        match self.says.strip_suffix('*') {
            Some(begin) => said.get(..begin.len()).is_some_and(|s| s.eq_ignore_ascii_case(begin)),
            None => said.eq_ignore_ascii_case(self.says),
        }
    }
}

/// All rows, grouped by product.
pub fn client_prints() -> impl Iterator<Item = &'static ClientPrint> {
    PRINT_ROWS.rows().iter()
}

fn number(word: &str) -> Option<u16> {
    u16::from_str_radix(word, 16).ok().filter(|_| word.len() == 4)
}

/// A cell that says what a list has to be: the head of the table explains how.
#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    cell: &'static str,
    any_order: bool,
    /// Whether any list fits.
    any: bool,
    /// Whether it holds a run of any numbers, so that lists of several lengths fit.
    open: bool,
    forbidden: Vec<u16>,
    /// `None` stands for any run of numbers.
    wanted: Vec<Option<u16>>,
}

impl List {
    fn read(cell: &'static str) -> Self {
        let set = cell.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let words = || set.unwrap_or(cell).split(' ').filter(|_| !matches!(cell, "-" | "none"));
        let wanted: Vec<Option<u16>> = words().filter(|w| !w.starts_with('!')).map(number).collect();
        Self {
            cell,
            any: cell == "-",
            any_order: set.is_some(),
            open: wanted.contains(&None),
            forbidden: words().filter_map(|w| w.strip_prefix('!').and_then(number)).collect(),
            wanted,
        }
    }

    /// Whether a list is as the cell wants it.
    fn fits(&self, list: &[u16]) -> bool {
        if self.any {
            return true;
        }
        // Most rows end here: a hello is compared with all of them.
        if !self.open && self.wanted.len() != list.len() {
            return false;
        }
        if let (false, Some(Some(first))) = (self.any_order, self.wanted.first())
            && list.first() != Some(first)
        {
            return false;
        }
        if self.forbidden.iter().any(|n| list.contains(n)) {
            return false;
        }
        if !self.any_order {
            return in_order(&self.wanted, list);
        }
        self.wanted.iter().flatten().all(|n| list.contains(n))
    }
}

/// Whether a list is as wanted. The last run of any numbers is what grows when something does not fit.
fn in_order(wanted: &[Option<u16>], list: &[u16]) -> bool {
    let (mut w, mut l) = (0, 0);
    let mut retry = None;
    while let Some(have) = list.get(l) {
        match wanted.get(w) {
            Some(Some(n)) if n == have => (w, l) = (w + 1, l + 1),
            Some(None) => {
                retry = Some((w, l));
                w += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                (w, l) = (star + 1, from + 1);
            }
        }
    }
    wanted.iter().skip(w).all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a cell is written as the head of the table says.
    fn is_list(cell: &str) -> bool {
        let inner = cell.strip_prefix('{').map_or(Some(cell), |rest| rest.strip_suffix('}'));
        let is_word = |word: &str| word == "*" || number(word.strip_prefix('!').unwrap_or(word)).is_some();
        matches!(cell, "-" | "none") || inner.is_some_and(|inner| !inner.is_empty() && inner.split(' ').all(is_word))
    }

    #[test]
    fn every_cell_can_be_compared() {
        for p in client_prints() {
            let row = format!("{} {}", p.product, p.releases);
            for list in [&p.versions, &p.suites, &p.extensions, &p.groups, &p.schemes] {
                assert!(is_list(list.cell), "{row}: {}", list.cell);
            }
            assert!(["-", "first", "last", "none"].contains(&p.signal), "{row}: {}", p.signal);
            assert!(p.record == "-" || number(p.record).is_some(), "{row}: {}", p.record);
            assert!(p.session == "-" || p.session.parse::<usize>().is_ok(), "{row}: {}", p.session);
        }
    }

    #[test]
    fn lists_fit_as_the_head_of_the_table_says() {
        for (cell, list, fits) in [
            ("-", &[1][..], true),
            ("none", &[], true),
            ("none", &[1], false),
            ("0001 0002", &[1, 2], true),
            ("0001 0002", &[2, 1], false),
            ("0001 0002", &[1, 2, 3], false),
            ("0001 0002", &[1], false),
            ("0001 *", &[1, 9, 9], true),
            ("* 0001", &[9, 1, 9, 1], true),
            ("* 0001", &[9, 1, 9], false),
            ("0001 * 0002 * 0003 *", &[1, 2, 2, 9, 3], true),
            ("0001 * 0002 * 0003 *", &[1, 3, 2], false),
            ("0001 * !0004", &[1, 4], false),
            ("{0001 0002}", &[2, 1], true),
            ("{0001 0002}", &[2, 1, 3], false),
            ("{0001 0002 *}", &[3, 2, 1], true),
            ("{0001 0002 * !0003}", &[3, 2, 1], false),
        ] {
            assert!(is_list(cell), "{cell}");
            assert_eq!(List::read(cell).fits(list), fits, "{cell} against {list:?}");
        }
        assert!(!is_list("") && !is_list("{0001") && !is_list("1") && !is_list("0001  0002") && !is_list("{}"));
    }

    #[test]
    fn long_lists_that_do_not_fit_are_soon_given_up() {
        let list = vec![0x0016; 32_000];
        assert!(!List::read("* 000b 000a * 0016 * 0017 *").fits(&list));
        assert!(!List::read("* 0016 * 0016 * 0017").fits(&list));
    }

    #[test]
    fn words_are_compared_without_case() {
        let said = |what: &str| client_prints().find(|p| p.is_said(what)).map(|p| p.product);
        assert_eq!(said("CLNT WinSCP-release-6.3.4"), Some("winscp"));
        assert_eq!(said("clnt lftp/4.9.2"), Some("lftp"));
        assert_eq!(said("ALPN x-filezilla-ftp"), Some("filezilla-client"));
        assert_eq!(said("AUTH SSL"), Some("curl"));
        assert_eq!(said("CLNT \u{fc}bertragung"), None);
        assert_eq!(said("AUTH TLS"), None);
        assert_eq!(said(""), None);
    }
}
