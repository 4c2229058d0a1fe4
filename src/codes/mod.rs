//! What the numbers and wordings of this trade mean: one table a file (`*.tsv`), one look-up each.
//!
//! A table is text that people edit: the first line names the columns, `#` begins a comment, every row ends with its
//! `source` and with how far that source was read (`confirmed`), and `-` stands for "none". A table is taken apart once,
//! when it is first asked; its rows then never change. Unknown numbers are `None`; the caller prints the number.

mod client_print;
mod client_profile;
mod directive;
mod error_text;
mod fingerprint;
mod ftp;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod zos;

pub use client_print::{ClientPrint, HelloShape, OF_THE_SESSION, client_prints};
pub use client_profile::{ClientProfile, Form, Known, Listed, Taken, client_profiles};
pub use directive::{Directive, advise, directives, need};
pub use error_text::{ErrorText, error_texts, is_error_text};
pub use fingerprint::{Fingerprint, fingerprints, fingerprints_of};
pub use ftp::{FtpReply, ftp_replies, ftp_reply};
pub use table::Confirmed;
pub use tls::{
    Alert, CipherSuite, Number, SCHEMES_OF_TLS13, alert, alert_refuses, alerts, cipher_suite, cipher_suite_by_name,
    cipher_suites, extension, extensions, group, groups, signature_scheme, signature_schemes, version, versions,
};
pub use zos::{
    AttlsCode, CmsCode, FtpClientError, FtpSubcommand, GskCode, ZosCipherName, ZosMessage, attls, cms, cms_by_symbol,
    ftp_client_error, ftp_client_error_by_symbol, ftp_subcommand, gsk, gsk_by_symbol, zos_cipher_names, zos_message,
};
