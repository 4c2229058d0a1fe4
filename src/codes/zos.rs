//! Return codes and messages of z/OS: System SSL, its certificate services (CMS), AT-TLS, and the FTP client.

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const GSK: &str = include_str!("gsk_return_codes.tsv");
pub(super) const CMS: &str = include_str!("cms_codes.tsv");
pub(super) const ATTLS: &str = include_str!("attls_return_codes.tsv");
pub(super) const CLIENT_ERRORS: &str = include_str!("ftp_client_codes.tsv");
pub(super) const SUBCOMMANDS: &str = include_str!("ftp_subcommands.tsv");
pub(super) const CIPHER_NAMES: &str = include_str!("zos_cipher_names.tsv");
pub(super) const MESSAGES: &str = include_str!("zos_messages.tsv");

pub(super) static GSK_ROWS: Table<GskCode> = Table::new(GSK, |a, b| a.code.cmp(&b.code));
pub(super) static CMS_ROWS: Table<CmsCode> = Table::new(CMS, |a, b| a.code.cmp(&b.code));
// Ranges may hold each other: they have an order, and no key.
pub(super) static ATTLS_ROWS: Table<AttlsRange> = Table::new(ATTLS, |a, b| a.first.cmp(&b.first));
pub(super) static CLIENT_ERROR_ROWS: Table<FtpClientError> = Table::new(CLIENT_ERRORS, |a, b| a.code.cmp(&b.code));
pub(super) static SUBCOMMAND_ROWS: Table<FtpSubcommand> = Table::new(SUBCOMMANDS, |a, b| a.code.cmp(&b.code));
pub(super) static CIPHER_NAME_ROWS: Table<ZosCipherName> = Table::new(CIPHER_NAMES, |a, b| a.id.cmp(&b.id));
pub(super) static MESSAGE_ROWS: Table<ZosMessage> = Table::new(MESSAGES, |a, b| a.id.cmp(b.id));

/// A return code of System SSL (`gsk_…` functions). Source: z/OS System SSL Programming and the APARs of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GskCode {
    /// The code as it is written in decimal; negative for the deprecated API and for IBM i.
    pub code: i32,
    /// `GSK_ERR_BAD_MESSAGE`; `-` where no symbol is known.
    pub symbol: &'static str,
    /// Whether that symbol was read in z/OS material, not in a sibling product.
    pub symbol_confirmed: bool,
    /// What went wrong, in one sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far number and meaning were read there.
    pub confirmed: Confirmed,
}

impl Record for GskCode {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            code: cells.decimal()?,
            symbol: cells.text()?,
            symbol_confirmed: cells.flag()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What a return code of System SSL means. Also takes the forms that dumps show: a negative code as 32 bits
/// (`FFFFFFEA` is -22), and the internal form of `gsk_strerror` (`134CC19E` is 414).
#[must_use]
pub fn gsk(code: u32) -> Option<GskCode> {
    let code = if (0x134C_C001..=0x134C_CFFF).contains(&code) { code & 0xFFF } else { code }.cast_signed();
    GSK_ROWS.find(|g| g.code.cmp(&code)).copied()
}

/// The return code of a symbol such as `GSK_ERR_IO`, in any case; the form that server traces print.
#[must_use]
pub fn gsk_by_symbol(symbol: &str) -> Option<GskCode> {
    GSK_ROWS.rows().iter().find(|g| g.symbol != "-" && g.symbol.eq_ignore_ascii_case(symbol)).copied()
}

/// A status code of the certificate services, printed as 8 hexadecimal digits (`0335302F`). Source: System SSL
/// Programming, "CMS status codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CmsCode {
    /// The 32-bit code.
    pub code: u32,
    /// `CMSERR_…`; `-` where no symbol is known.
    pub symbol: &'static str,
    /// What went wrong, in one sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for CmsCode {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            code: cells.hex()?,
            symbol: cells.text()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What a CMS status code means.
#[must_use]
pub fn cms(code: u32) -> Option<CmsCode> {
    CMS_ROWS.find(|c| c.code.cmp(&code)).copied()
}

/// The status code of a symbol such as `CMSERR_NO_PRIVATE_KEY`, in any case.
#[must_use]
pub fn cms_by_symbol(symbol: &str) -> Option<CmsCode> {
    CMS_ROWS.rows().iter().find(|c| c.symbol != "-" && c.symbol.eq_ignore_ascii_case(symbol)).copied()
}

/// What z/OS calls a cipher suite where it does not use the registry's name. Source: the documents of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZosCipherName {
    /// `SSL_3DES_SHA`.
    pub name: &'static str,
    /// The number of the suite.
    pub id: u16,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for ZosCipherName {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self { name: cells.text()?, id: cells.hex()?, source: cells.text()?, confirmed: cells.confirmed()? })
    }
}

/// All names of suites that only z/OS uses.
pub fn zos_cipher_names() -> impl Iterator<Item = ZosCipherName> {
    CIPHER_NAME_ROWS.rows().iter().copied()
}

/// A return code of AT-TLS as in EZD1286I and EZD1287I. Source: IP Diagnosis Guide, "AT-TLS return codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttlsCode {
    /// The code that was asked for.
    pub code: u32,
    /// Whether the meaning is that of this very code; false = only that of its range.
    pub exact: bool,
    /// What went wrong, in one sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

/// A code or a range of codes.
#[derive(Clone, Copy)]
pub(super) struct AttlsRange {
    pub(super) first: u32,
    pub(super) last: u32,
    meaning: &'static str,
    source: &'static str,
    confirmed: Confirmed,
}

impl Record for AttlsRange {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            first: cells.decimal()?,
            last: cells.decimal()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What a return code of AT-TLS means; below 5000 it is one of System SSL, see [`gsk`].
#[must_use]
pub fn attls(code: u32) -> Option<AttlsCode> {
    // Single codes stand before the ranges that hold them.
    let row = ATTLS_ROWS.rows().iter().find(|r| (r.first..=r.last).contains(&code))?;
    let &AttlsRange { first, last, meaning, source, confirmed } = row;
    Some(AttlsCode { code, exact: first == last, meaning, source, confirmed })
}

/// An error code of the z/OS FTP client (EZA1735I, SETCEC). Source: IP User's Guide and Commands, "FTP client error
/// codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FtpClientError {
    /// 1 to 31.
    pub code: u32,
    /// `FTP_AUTHENTICATION`; `-` where the manual gives none.
    pub symbol: &'static str,
    /// What went wrong, in one sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for FtpClientError {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            code: cells.decimal()?,
            symbol: cells.text()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What an error code of the z/OS FTP client means.
#[must_use]
pub fn ftp_client_error(code: u32) -> Option<FtpClientError> {
    CLIENT_ERROR_ROWS.find(|e| e.code.cmp(&code)).copied()
}

/// The error code of a symbol such as `FTP_AUTHENTICATION`, in any case.
#[must_use]
pub fn ftp_client_error_by_symbol(symbol: &str) -> Option<FtpClientError> {
    CLIENT_ERROR_ROWS.rows().iter().find(|e| e.symbol != "-" && e.symbol.eq_ignore_ascii_case(symbol)).copied()
}

/// A subcommand of the z/OS FTP client: the thousands of a standard return code (10234 = 10 OPEN, last reply 234).
/// Source: IP User's Guide and Commands, "FTP subcommand codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FtpSubcommand {
    /// 0 to 49; higher codes exist and are not confirmed.
    pub code: u32,
    /// `OPEN`, `PUT`, …
    pub name: &'static str,
    /// Whether its failure ends a client that runs with EXIT; `None` where it depends.
    pub exits: Option<bool>,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for FtpSubcommand {
    fn read(cells: &mut Cells) -> Option<Self> {
        let (code, name) = (cells.decimal()?, cells.text()?);
        let exits = match cells.text()? {
            "yes" => Some(true),
            "no" => Some(false),
            "-" => None,
            _ => return None,
        };
        Some(Self { code, name, exits, source: cells.text()?, confirmed: cells.confirmed()? })
    }
}

/// The subcommand of a code.
#[must_use]
pub fn ftp_subcommand(code: u32) -> Option<FtpSubcommand> {
    SUBCOMMAND_ROWS.find(|s| s.code.cmp(&code)).copied()
}

/// A message of z/OS or IBM i that bears on FTPS. Source: IP Messages volumes and the samples of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZosMessage {
    /// `EZA2897I`, upper case.
    pub id: &'static str,
    /// The text as printed, variable parts in lower case; `-` where only the purpose is known.
    pub text: &'static str,
    /// What it tells, in one sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for ZosMessage {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            id: cells.text()?,
            text: cells.text()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What a message tells; the id in any case.
#[must_use]
pub fn zos_message(id: &str) -> Option<ZosMessage> {
    let id = id.to_ascii_uppercase();
    MESSAGE_ROWS.find(|m| m.id.cmp(&*id)).copied()
}
