//! ClientHellos and words that give a client away. Numbers that depend on the session, not on the program, are left out
//! before a hello is compared; a hello that many programs share names their TLS library.

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const CLIENT_PRINTS: &str = include_str!("client_fingerprints.tsv");
pub(super) static PRINT_ROWS: Table<ClientPrint> = Table::new(CLIENT_PRINTS, |a, b| a.product.cmp(b.product));

/// One way in which one client shows itself. Source: recorded hellos, or what the row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    versions: &'static str,
    suites: &'static str,
    signal: &'static str,
    extensions: &'static str,
    groups: &'static str,
    schemes: &'static str,
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
            versions: cells.text()?,
            suites: cells.text()?,
            signal: cells.text()?,
            extensions: cells.text()?,
            groups: cells.text()?,
            schemes: cells.text()?,
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
        let numbers = [
            self.record,
            self.session,
            self.versions,
            self.suites,
            self.signal,
            self.extensions,
            self.groups,
            self.schemes,
        ];
        numbers.iter().any(|cell| *cell != "-")
    }

    /// Whether a hello fits every cell about hellos.
    #[must_use]
    pub fn fits(&self, hello: &HelloShape) -> bool {
        (self.record == "-" || number(self.record) == hello.record)
            && (self.session == "-" || self.session.parse() == Ok(hello.session))
            && (self.signal == "-" || self.signal == hello.signal)
            && list_fits(self.versions, &hello.versions)
            && list_fits(self.suites, &hello.suites)
            && list_fits(self.extensions, &hello.extensions)
            && list_fits(self.groups, &hello.groups)
            && list_fits(self.schemes, &hello.schemes)
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

/// Whether a list is as a cell wants it.
fn list_fits(cell: &str, list: &[u16]) -> bool {
    if cell == "-" {
        return true;
    }
    if cell == "none" {
        return list.is_empty();
    }
    let set = cell.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    // Most rows end here: a hello is compared with all of them.
    if set.is_none() && cell.get(..4).and_then(number).is_some_and(|n| list.first() != Some(&n)) {
        return false;
    }
    let words: Vec<&str> = set.unwrap_or(cell).split(' ').collect();
    let forbidden = words.iter().filter_map(|w| w.strip_prefix('!').and_then(number));
    if forbidden.into_iter().any(|n| list.contains(&n)) {
        return false;
    }
    // `None` stands for any run of numbers.
    let wanted: Vec<Option<u16>> = words.iter().filter(|w| !w.starts_with('!')).map(|w| number(w)).collect();
    match set {
        Some(_) => {
            let numbers = wanted.iter().flatten();
            let open = wanted.contains(&None);
            numbers.clone().all(|n| list.contains(n)) && (open || numbers.count() == list.len())
        }
        None => in_order(&wanted, list),
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
            for list in [p.versions, p.suites, p.extensions, p.groups, p.schemes] {
                assert!(is_list(list), "{row}: {list}");
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
            assert_eq!(list_fits(cell, list), fits, "{cell} against {list:?}");
        }
        assert!(!is_list("") && !is_list("{0001") && !is_list("1") && !is_list("0001  0002") && !is_list("{}"));
    }

    #[test]
    fn long_lists_that_do_not_fit_are_soon_given_up() {
        let list = vec![0x0016; 32_000];
        assert!(!list_fits("* 000b 000a * 0016 * 0017 *", &list));
        assert!(!list_fits("* 0016 * 0016 * 0017", &list));
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
