//! Names of the numbers in TLS messages. Source: the IANA registries "TLS Parameters" and "TLS Extensions".

use core::cmp::Ordering;

use super::table::{Cells, Confirmed, Record, Table};

pub(super) const ALERTS: &str = include_str!("tls_alerts.tsv");
pub(super) const VERSIONS: &str = include_str!("tls_versions.tsv");
pub(super) const SUITES: &str = include_str!("cipher_suites.tsv");
pub(super) const GROUPS: &str = include_str!("groups.tsv");
pub(super) const SCHEMES: &str = include_str!("signature_schemes.tsv");
pub(super) const EXTENSIONS: &str = include_str!("extensions.tsv");

pub(super) static ALERT_ROWS: Table<Alert> = Table::new(ALERTS, |a, b| a.code.cmp(&b.code));
pub(super) static SUITE_ROWS: Table<CipherSuite> = Table::new(SUITES, |a, b| a.id.cmp(&b.id));
pub(super) static VERSION_ROWS: Table<Number> = Table::new(VERSIONS, by_id);
pub(super) static GROUP_ROWS: Table<Number> = Table::new(GROUPS, by_id);
pub(super) static SCHEME_ROWS: Table<Number> = Table::new(SCHEMES, by_id);
pub(super) static EXTENSION_ROWS: Table<Number> = Table::new(EXTENSIONS, by_id);

fn by_id(a: &Number, b: &Number) -> Ordering {
    a.id.cmp(&b.id)
}

/// A TLS alert description. Source: the IANA "TLS Alerts" registry and the RFC of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The second byte of an alert message.
    pub code: u8,
    /// As the RFC spells it, e.g. `handshake_failure`.
    pub name: &'static str,
    /// What the sender complains about, in one plain sentence without a full stop.
    pub meaning: &'static str,
    /// The RFC that defines it.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for Alert {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            code: cells.decimal()?,
            name: cells.text()?,
            meaning: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

/// What an alert means.
#[must_use]
pub fn alert(code: u8) -> Option<Alert> {
    ALERT_ROWS.find(|a| a.code.cmp(&code)).copied()
}

/// Whether a fatal alert in answer to a hello says that nothing of what was offered is taken: handshake_failure, illegal_parameter,
/// protocol_version, insufficient_security, internal_error. Any other may have other reasons.
#[must_use]
pub fn alert_refuses(code: u8) -> bool {
    matches!(code, 40 | 47 | 70 | 71 | 80)
}

/// Signature schemes that a server may sign with in TLS 1.3 (RFC 8446, 4.2.3; RFC 8734; RFC 8998 and drafts of post-quantum ones aside).
pub const SCHEMES_OF_TLS13: [u16; 16] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x081a, 0x081b, 0x081c,
    0x0904, 0x0905,
];

/// All alerts, by number.
pub fn alerts() -> impl Iterator<Item = Alert> {
    ALERT_ROWS.rows().iter().copied()
}

/// A cipher suite. Source: the IANA "TLS Cipher Suites" registry; OpenSSL names from OpenSSL 3.0 and ciphers(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSuite {
    /// The two bytes of the ClientHello.
    pub id: u16,
    /// The IANA name, e.g. `TLS_RSA_WITH_AES_256_CBC_SHA`.
    pub name: &'static str,
    /// The name in OpenSSL, e.g. `AES256-SHA`; `-` where OpenSSL has none.
    pub openssl: &'static str,
    /// The 2-digit code of System SSL (`GSK_V3_CIPHER_SPECS`), e.g. `35`; `-` where only 4 digits can say it.
    pub gsk: &'static str,
    /// Key exchange: `RSA DHE ECDHE DH ECDH PSK SRP KRB5 GOST ECCPWD FORTEZZA TLS13`, or `NULL`. `DH` and `ECDH` are
    /// fixed keys, except where `auth` is `anon`.
    pub kx: &'static str,
    /// What authenticates the server: `RSA DSS ECDSA PSK …`, `anon` for nobody, `NULL` for a signalling value.
    pub auth: &'static str,
    /// The cipher with its mode, e.g. `AES-GCM`, `3DES-CBC`, `RC4`.
    pub enc: &'static str,
    /// Key length in bits; 0 = no encryption.
    pub bits: u16,
    /// What protects integrity: `MD5 SHA1 SHA256 SHA384 …`, or `AEAD`.
    pub mac: &'static str,
    /// The registry or document of the row.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
}

impl Record for CipherSuite {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self {
            id: cells.hex()?,
            name: cells.text()?,
            openssl: cells.text()?,
            gsk: cells.text()?,
            kx: cells.text()?,
            auth: cells.text()?,
            enc: cells.text()?,
            bits: cells.decimal()?,
            mac: cells.text()?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

impl CipherSuite {
    /// Whether a stolen server key leaves recorded sessions unreadable: ephemeral keys, anonymous ones included.
    #[must_use]
    pub fn forward_secret(&self) -> bool {
        matches!(self.kx, "DHE" | "ECDHE" | "TLS13" | "ECCPWD") || self.auth == "anon"
    }

    /// Whether the value says something about the client instead of naming a cipher (00FF, 5600).
    #[must_use]
    pub fn is_signal(&self) -> bool {
        self.name.ends_with("_SCSV")
    }
}

/// All cipher suites by number.
pub fn cipher_suites() -> impl Iterator<Item = CipherSuite> {
    SUITE_ROWS.rows().iter().copied()
}

/// The cipher suite of a number.
#[must_use]
pub fn cipher_suite(id: u16) -> Option<CipherSuite> {
    SUITE_ROWS.find(|s| s.id.cmp(&id)).copied()
}

/// The cipher suite of an IANA or OpenSSL name, in any case; `SSL_…` and the older OpenSSL `EDH-…` are understood.
#[must_use]
pub fn cipher_suite_by_name(name: &str) -> Option<CipherSuite> {
    let renamed = |old: &str, new: &str| match name.split_at_checked(old.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(old) => format!("{new}{rest}"),
        _ => name.to_owned(),
    };
    let (iana, openssl) = (renamed("SSL_", "TLS_"), renamed("EDH-", "DHE-"));
    let called = |own: &str, new: &str| own != "-" && (own.eq_ignore_ascii_case(name) || own.eq_ignore_ascii_case(new));
    cipher_suites().find(|s| called(s.name, &iana) || called(s.openssl, &openssl))
}

/// A number that only has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The two bytes on the wire.
    pub id: u16,
    /// As the registry spells it; another common name may stand behind it in brackets.
    pub name: &'static str,
}

impl Record for Number {
    fn read(cells: &mut Cells) -> Option<Self> {
        Some(Self { id: cells.hex()?, name: cells.text()? })
    }
}

fn name(table: &'static Table<Number>, id: u16) -> Option<&'static str> {
    table.find(|n| n.id.cmp(&id)).map(|n| n.name)
}

/// A protocol version as people write it: 0301 is `TLS 1.0`, 0300 `SSL 3.0`, 0002 `SSLv2`. Source: RFC 8446, 6101.
#[must_use]
pub fn version(id: u16) -> Option<&'static str> {
    name(&VERSION_ROWS, id)
}

/// A group (formerly "curve") of supported_groups and key_share. Source: IANA "TLS Supported Groups".
#[must_use]
pub fn group(id: u16) -> Option<&'static str> {
    name(&GROUP_ROWS, id)
}

/// A signature scheme, or a pair of hash and signature of TLS 1.2. Source: IANA "TLS SignatureScheme", RFC 5246.
#[must_use]
pub fn signature_scheme(id: u16) -> Option<&'static str> {
    name(&SCHEME_ROWS, id)
}

/// An extension type. Source: IANA "TLS ExtensionType Values".
#[must_use]
pub fn extension(id: u16) -> Option<&'static str> {
    name(&EXTENSION_ROWS, id)
}

/// All protocol versions.
pub fn versions() -> impl Iterator<Item = Number> {
    VERSION_ROWS.rows().iter().copied()
}

/// All groups.
pub fn groups() -> impl Iterator<Item = Number> {
    GROUP_ROWS.rows().iter().copied()
}

/// All signature schemes.
pub fn signature_schemes() -> impl Iterator<Item = Number> {
    SCHEME_ROWS.rows().iter().copied()
}

/// All extension types.
pub fn extensions() -> impl Iterator<Item = Number> {
    EXTENSION_ROWS.rows().iter().copied()
}
