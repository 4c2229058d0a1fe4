//! ClientHello and ServerHello, read by own code: every length has one home ([`Reader`]), and a lying
//! extension is kept and said instead of ending the reading silently.

use super::super::reader::{Reader, u16_list};

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746) and TLS_FALLBACK_SCSV (RFC 7507): signals, not suites.
pub const SIGNALS: [u16; 2] = [0x00ff, 0x5600];

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

    /// The protocol versions on offer, highest first: those of supported_versions, else legacy_version alone.
    pub fn versions(&self) -> Vec<u16> {
        let listed = self.extension(43).and_then(|d| Reader::new(d).part8()).and_then(u16_list);
        let mut versions = listed.unwrap_or_else(|| vec![self.version]);
        versions.retain(|v| !is_grease(*v));
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions
    }

    /// The highest protocol version on offer.
    pub fn highest_version(&self) -> u16 {
        self.versions().first().copied().unwrap_or(self.version)
    }

    /// The server name that the client asks for (RFC 6066), as bytes.
    pub fn server_name(&self) -> Option<&[u8]> {
        let mut list = Reader::new(Reader::new(self.extension(0)?).part16()?);
        (list.u8()? == 0).then(|| list.part16())?
    }

    /// The application protocols (ALPN, RFC 7301) in the order of preference, as bytes.
    pub fn protocols(&self) -> Vec<&[u8]> {
        let Some(mut list) = self.extension(16).and_then(|d| Reader::new(d).part16()).map(Reader::new) else {
            return Vec::new();
        };
        core::iter::from_fn(|| list.part8()).collect()
    }

    /// supported_groups, in the order of preference.
    pub fn groups(&self) -> Vec<u16> {
        self.extension(10).and_then(|d| Reader::new(d).part16()).and_then(u16_list).unwrap_or_default()
    }

    /// signature_algorithms, in the order of preference.
    pub fn signature_schemes(&self) -> Vec<u16> {
        self.extension(13).and_then(|d| Reader::new(d).part16()).and_then(u16_list).unwrap_or_default()
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

    /// The application protocol (ALPN) that the server chose, as bytes; in TLS 1.3 it travels encrypted.
    pub fn protocol(&self) -> Option<&[u8]> {
        Reader::new(Reader::new(self.extension(16)?).part16()?).part8()
    }

    /// The version that was negotiated: that of supported_versions, else legacy_version.
    pub fn negotiated(&self) -> u16 {
        self.extension(43).and_then(|d| Reader::new(d).u16()).unwrap_or(self.version)
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    /// The group of the server's key share (TLS 1.3), or the one that a HelloRetryRequest asks for.
    pub fn group(&self) -> Option<u16> {
        self.extension(51).and_then(|d| Reader::new(d).u16())
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
