//! Reply codes of the FTP dialogue.

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const REPLIES: &str = include_str!("ftp_replies.tsv");
pub(super) static REPLY_ROWS: Table<FtpReply> = Table::new(REPLIES, |a, b| a.code.cmp(&b.code));

/// The meaning of a reply code. Source: RFC 959, 2228, 2428 and 4217; codes that only products use name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FtpReply {
    /// The three digits, 100 to 699.
    pub code: u16,
    /// What the server means by it, in one sentence without a full stop.
    pub meaning: &'static str,
    /// The RFCs that define it, e.g. `RFC 2228, RFC 4217`; `-` when no RFC does.
    pub rfc: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for FtpReply {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            code: cells.decimal()?,
            meaning: cells.text()?,
            rfc: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What a reply code means.
#[must_use]
pub fn ftp_reply(code: u16) -> Option<FtpReply> {
    REPLY_ROWS.find(|r| r.code.cmp(&code)).copied()
}

/// All reply codes, in order.
pub fn ftp_replies() -> impl Iterator<Item = FtpReply> {
    REPLY_ROWS.rows().iter().copied()
}
