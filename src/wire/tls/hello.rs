//! ClientHello and ServerHello, read by own code: every length has one home ([`Reader`]), and a lying
//! extension is kept and said instead of ending the reading silently.

use super::super::reader::{Reader, u16_list};

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746): the client knows secure renegotiation.
pub const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// TLS_FALLBACK_SCSV (RFC 7507): an earlier try of the client, with a higher version, came to nothing.
pub const FALLBACK_SCSV: u16 = 0x5600;

/// What stands among the suites and is none.
pub const SIGNALS: [u16; 2] = [RENEGOTIATION_SCSV, FALLBACK_SCSV];

/// The last bytes of the random of a server that speaks more than it chose (RFC 8446, section 4.1.3): TLS 1.3, and TLS 1.2.
const COULD_TLS13: &[u8] = b"DOWNGRD\x01";
const COULD_TLS12: &[u8] = b"DOWNGRD\x00";

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Whether a number is one of the GREASE values of RFC 8701.
pub fn is_grease(n: u16) -> bool {
    n & 0x0f0f == 0x0a0a && n >> 8 == n & 0xff
}

/// A ClientHello body (RFC 5246, section 7.4.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// legacy_version: the highest version offered, unless supported_versions says otherwise.
    pub version: u16,
    /// The 32 random bytes.
    pub random: [u8; 32],
    /// Session id; not empty when a session is to be resumed, or in the compatibility mode of TLS 1.3.
    pub session_id: Vec<u8>,
    /// Cipher suites in the order of preference, signals included.
    pub suites: Vec<u16>,
    /// Compression methods.
    pub compression: Vec<u8>,
    /// Extensions in order; `None` when the hello has no extension block at all.
    pub extensions: Option<Vec<Extension>>,
    /// Where the body broke its own lengths, if it did.
    pub broken: Option<&'static str>,
    /// All cipher specs of a hello in the format of SSL 2, three bytes each; `None` for one in the format of TLS.
    pub specs: Option<Vec<u32>>,
}

/// A ServerHello or HelloRetryRequest body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// legacy_version.
    pub version: u16,
    /// The 32 random bytes.
    pub random: [u8; 32],
    /// Session id.
    pub session_id: Vec<u8>,
    /// The suite that the server chose.
    pub suite: u16,
    /// The compression method that it chose.
    pub compression: u8,
    /// Extensions in order.
    pub extensions: Option<Vec<Extension>>,
    /// Where the body broke its own lengths, if it did.
    pub broken: Option<&'static str>,
}

/// One extension as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Extension type (IANA number).
    pub id: u16,
    /// Its content.
    pub data: Vec<u8>,
}

impl ClientHello {
    /// Reads a ClientHello body (without the four bytes of the handshake header).
    /// `None` when not even version and random are there.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let mut hello = Self { version: r.u16()?, random: r.take(32)?.try_into().ok()?, ..Self::default() };
        hello.broken = hello.read_rest(r).err();
        Some(hello)
    }

    fn read_rest(&mut self, mut r: Reader<'_>) -> Result<(), &'static str> {
        self.session_id = r.part8().ok_or("session id")?.to_vec();
        self.suites = r.part16().and_then(u16_list).ok_or("cipher suites")?;
        self.compression = r.part8().ok_or("compression methods")?.to_vec();
        self.extensions = read_extensions(&mut r)?;
        if r.is_empty() { Ok(()) } else { Err("bytes behind the extensions") }
    }

    /// The suites without signals and GREASE.
    pub fn real_suites(&self) -> Vec<u16> {
        self.suites.iter().copied().filter(|s| !SIGNALS.contains(s) && !is_grease(*s)).collect()
    }

    /// The content of extension `id`.
    pub fn extension(&self, id: u16) -> Option<&[u8]> {
        find(self.extensions.as_deref(), id)
    }

    /// Seconds since 1970 that the first four random bytes hold in many clients up to TLS 1.2
    /// (gmt_unix_time, RFC 5246). Others fill them at random: compare before you believe.
    pub fn unix_time(&self) -> u32 {
        let [a, b, c, d, ..] = self.random;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl ServerHello {
    /// Reads a ServerHello body (without the four bytes of the handshake header).
    /// `None` when not even version and random are there.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let mut hello = Self { version: r.u16()?, random: r.take(32)?.try_into().ok()?, ..Self::default() };
        hello.broken = hello.read_rest(r).err();
        Some(hello)
    }

    fn read_rest(&mut self, mut r: Reader<'_>) -> Result<(), &'static str> {
        self.session_id = r.part8().ok_or("session id")?.to_vec();
        self.suite = r.u16().ok_or("cipher suite")?;
        self.compression = r.u8().ok_or("compression method")?;
        self.extensions = read_extensions(&mut r)?;
        if r.is_empty() { Ok(()) } else { Err("bytes behind the extensions") }
    }

    /// The content of extension `id`.
    pub fn extension(&self, id: u16) -> Option<&[u8]> {
        find(self.extensions.as_deref(), id)
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    /// The version that the server says it could have spoken, when it chose a lower one (RFC 8446, 4.1.3).
    pub fn downgrade(&self) -> Option<u16> {
        match self.random.get(24..)? {
            COULD_TLS13 => Some(0x0304),
            COULD_TLS12 => Some(0x0303),
            _ => None,
        }
    }
}

fn find(extensions: Option<&[Extension]>, id: u16) -> Option<&[u8]> {
    extensions?.iter().find(|e| e.id == id).map(|e| e.data.as_slice())
}

fn read_extensions(r: &mut Reader<'_>) -> Result<Option<Vec<Extension>>, &'static str> {
    if r.is_empty() {
        return Ok(None);
    }
    let mut block = Reader::new(r.part16().ok_or("length of the extensions")?);
    let mut out = Vec::new();
    while !block.is_empty() {
        let (Some(id), Some(data)) = (block.u16(), block.part16()) else { return Err("length of an extension") };
        out.push(Extension { id, data: data.to_vec() });
    }
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const SEED: &str =
        "0301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100";

    #[test]
    fn the_hello_of_the_ibm_main_trace() {
        let body = hex::decode(SEED).unwrap();
        assert_eq!(body.len(), 53);
        let hello = ClientHello::parse(&body).unwrap();
        assert_eq!(hello.suites, [0x00ff, 0x35, 0x38, 0x39, 0x2f, 0x32, 0x33]);
        assert_eq!((hello.highest_version(), hello.extensions.clone(), hello.broken), (0x0301, None, None));
        assert_eq!(hello.unix_time(), 0x6038_53AE);
        for cut in 34..53 {
            assert!(ClientHello::parse(&body[..cut]).unwrap().broken.is_some(), "cut at {cut}");
        }
        assert_eq!(ClientHello::parse(&body[..33]), None);
    }

    #[test]
    fn grease_is_only_grease() {
        assert!(is_grease(0x0a0a) && is_grease(0xfafa));
        assert!(!is_grease(0x0a1a) && !is_grease(0x0035));
    }
}
