//! What stands in the extensions of hellos (RFC 8446, section 4.2; RFC 6066, 7301, 7627, 5746, 5077). A reader that meets
//! lengths that lie gives back nothing, or what came before.

use super::super::reader::{Reader, u16_list};
use super::hello::{ClientHello, RENEGOTIATION_SCSV, ServerHello, is_grease};

/// Extension numbers (IANA TLS ExtensionType Values).
pub mod ext {
    /// server_name.
    pub const SERVER_NAME: u16 = 0;
    /// max_fragment_length.
    pub const MAX_FRAGMENT_LENGTH: u16 = 1;
    /// status_request.
    pub const STATUS_REQUEST: u16 = 5;
    /// supported_groups.
    pub const SUPPORTED_GROUPS: u16 = 10;
    /// ec_point_formats.
    pub const EC_POINT_FORMATS: u16 = 11;
    /// signature_algorithms.
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// application_layer_protocol_negotiation.
    pub const ALPN: u16 = 16;
    /// encrypt_then_mac.
    pub const ENCRYPT_THEN_MAC: u16 = 22;
    /// extended_master_secret.
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    /// record_size_limit.
    pub const RECORD_SIZE_LIMIT: u16 = 28;
    /// session_ticket.
    pub const SESSION_TICKET: u16 = 35;
    /// pre_shared_key.
    pub const PRE_SHARED_KEY: u16 = 41;
    /// early_data.
    pub const EARLY_DATA: u16 = 42;
    /// supported_versions.
    pub const SUPPORTED_VERSIONS: u16 = 43;
    /// cookie.
    pub const COOKIE: u16 = 44;
    /// psk_key_exchange_modes.
    pub const PSK_MODES: u16 = 45;
    /// certificate_authorities.
    pub const CERTIFICATE_AUTHORITIES: u16 = 47;
    /// post_handshake_auth.
    pub const POST_HANDSHAKE_AUTH: u16 = 49;
    /// signature_algorithms_cert.
    pub const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    /// key_share.
    pub const KEY_SHARE: u16 = 51;
    /// renegotiation_info.
    pub const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// A key that a client has made ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShare {
    /// Its group.
    pub group: u16,
    /// Its length in bytes.
    pub len: usize,
}

impl ClientHello {
    /// The protocol versions on offer, highest first: those of supported_versions, else legacy_version alone.
    pub fn versions(&self) -> Vec<u16> {
        let mut versions = self.supported_versions().unwrap_or_else(|| vec![self.version]);
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
        let mut list = Reader::new(Reader::new(self.extension(ext::SERVER_NAME)?).part16()?);
        (list.u8()? == 0).then(|| list.part16())?
    }

    /// The application protocols (ALPN, RFC 7301) in the order of preference, as bytes.
    pub fn protocols(&self) -> Vec<&[u8]> {
        let Some(mut list) = self.extension(ext::ALPN).and_then(|d| Reader::new(d).part16()).map(Reader::new) else {
            return Vec::new();
        };
        core::iter::from_fn(|| list.part8()).collect()
    }

    /// supported_groups, in the order of preference.
    pub fn groups(&self) -> Vec<u16> {
        self.extension(ext::SUPPORTED_GROUPS)
            .and_then(|d| Reader::new(d).part16())
            .and_then(u16_list)
            .unwrap_or_default()
    }

    /// signature_algorithms, in the order of preference.
    pub fn signature_schemes(&self) -> Vec<u16> {
        self.extension(ext::SIGNATURE_ALGORITHMS)
            .and_then(|d| Reader::new(d).part16())
            .and_then(u16_list)
            .unwrap_or_default()
    }

    /// Whether an extension is there.
    pub fn has(&self, id: u16) -> bool {
        self.extension(id).is_some()
    }

    /// supported_versions as it stands, GREASE included; `None` below TLS 1.3.
    pub fn supported_versions(&self) -> Option<Vec<u16>> {
        self.extension(ext::SUPPORTED_VERSIONS).and_then(|d| Reader::new(d).part8()).and_then(u16_list)
    }

    /// signature_algorithms_cert: what certificates may be signed with, where that differs.
    pub fn certificate_schemes(&self) -> Option<Vec<u16>> {
        self.extension(ext::SIGNATURE_ALGORITHMS_CERT).and_then(|d| Reader::new(d).part16()).and_then(u16_list)
    }

    /// The keys that the client has made ahead, in order; `None` without key_share.
    pub fn key_shares(&self) -> Option<Vec<KeyShare>> {
        let mut list = Reader::new(Reader::new(self.extension(ext::KEY_SHARE)?).part16()?);
        Some(core::iter::from_fn(|| Some(KeyShare { group: list.u16()?, len: list.part16()?.len() })).collect())
    }

    /// How a pre-shared key may be used: 0 alone, 1 with a key exchange.
    pub fn psk_modes(&self) -> Option<&[u8]> {
        Reader::new(self.extension(ext::PSK_MODES)?).part8()
    }

    /// How many pre-shared keys (sessions, in TLS 1.3) are offered.
    pub fn psk_identities(&self) -> Option<usize> {
        let mut list = Reader::new(Reader::new(self.extension(ext::PRE_SHARED_KEY)?).part16()?);
        Some(core::iter::from_fn(|| list.part16().and_then(|_| list.take(4))).count())
    }

    /// Length of the session ticket (up to TLS 1.2); 0 asks for one.
    pub fn ticket(&self) -> Option<usize> {
        self.extension(ext::SESSION_TICKET).map(<[u8]>::len)
    }

    /// The certificate authorities that the client trusts, DER.
    pub fn authorities(&self) -> Option<Vec<&[u8]>> {
        let mut list = Reader::new(Reader::new(self.extension(ext::CERTIFICATE_AUTHORITIES)?).part16()?);
        Some(core::iter::from_fn(|| list.part16()).collect())
    }

    /// Length of the data that binds a second handshake to the first one; 0 in a first handshake.
    pub fn renegotiation(&self) -> Option<usize> {
        renegotiation(self.extension(ext::RENEGOTIATION_INFO))
    }

    /// Whether the client knows secure renegotiation (RFC 5746): by the extension, or by the signal among its suites.
    pub fn renegotiates_securely(&self) -> bool {
        self.renegotiation().is_some() || self.suites.contains(&RENEGOTIATION_SCSV)
    }

    /// Point formats of elliptic curves.
    pub fn point_formats(&self) -> Option<&[u8]> {
        Reader::new(self.extension(ext::EC_POINT_FORMATS)?).part8()
    }

    /// Length of the cookie that a HelloRetryRequest handed out.
    pub fn cookie(&self) -> Option<usize> {
        cookie(self.extension(ext::COOKIE))
    }
}

impl ServerHello {
    /// The application protocol (ALPN) that the server chose, as bytes; in TLS 1.3 it travels encrypted.
    pub fn protocol(&self) -> Option<&[u8]> {
        Reader::new(Reader::new(self.extension(ext::ALPN)?).part16()?).part8()
    }

    /// The version that was negotiated: that of supported_versions, else legacy_version.
    pub fn negotiated(&self) -> u16 {
        self.extension(ext::SUPPORTED_VERSIONS).and_then(|d| Reader::new(d).u16()).unwrap_or(self.version)
    }

    /// The group of the server's key share (TLS 1.3), or the one that a HelloRetryRequest asks for.
    pub fn group(&self) -> Option<u16> {
        self.extension(ext::KEY_SHARE).and_then(|d| Reader::new(d).u16())
    }

    /// Whether an extension is there.
    pub fn has(&self, id: u16) -> bool {
        self.extension(id).is_some()
    }

    /// Length of the data that binds a second handshake to the first one; 0 in a first handshake.
    pub fn renegotiation(&self) -> Option<usize> {
        renegotiation(self.extension(ext::RENEGOTIATION_INFO))
    }

    /// The pre-shared key that was chosen, by its place in the client's list.
    pub fn psk(&self) -> Option<u16> {
        Reader::new(self.extension(ext::PRE_SHARED_KEY)?).u16()
    }

    /// Length of the cookie of a HelloRetryRequest.
    pub fn cookie(&self) -> Option<usize> {
        cookie(self.extension(ext::COOKIE))
    }
}

fn renegotiation(data: Option<&[u8]>) -> Option<usize> {
    Reader::new(data?).part8().map(<[u8]>::len)
}

fn cookie(data: Option<&[u8]>) -> Option<usize> {
    Reader::new(data?).part16().map(<[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of OpenSSL 3.0, which resumes a session of TLS 1.3: `-servername -alpn -status -requestCAfile -groups -sigalgs`.
    const CLIENT: &str = "0303abe7708797e8fd96b8f9f5e01a0aea14b5676d8fca834359eed946b1e2a7ec75208220ca708813c38ac2060b6c64d6f0\
         53d8056f9e0a077f5a685ea1a7c07066a800061302c02b00ff010001c300000014001200000f6674702e6578616d706c652e\
         6f7267000b000403000102000a00060004001d00170023000000050005010000000000100006000403667470001600000017\
         0000000d0006000404030804002b0009080304030303020301002d00020101003300260024001d0020ea813bf2bcdc65e225\
         cc3cff267ed47449b3f8ab34f1191b55a17cf1cd34617d002f0020001e001c301a3118301606035504030c0f6674702e6578\
         616d706c652e6f72670029010b00d600d0606378a00d295ef0c384ceee509b521d3abfe5c4b592c0c1bf5c3021600d17ad72\
         9419682be2edb208d0c55794e7c0e6cbb2a83f9d0ed28df2482733dd8324b3dfd8daa632ac2a83393e288823cd2bf280b20e\
         342e1f49b1549050971d162492e1448c71483223ccb3d0a1a0edca3f8a177c75cc40e68f183511029897477aa051bddb44c4\
         235842ef88ac03a662e8246eeb9f11f1c9b9e95fa6115dc3cb2cc3827116c45c2b5faeaae6b23b74bb44afbc65d2d157f0e8\
         d128a891c237a892a24475c95ea6c491fa781f172738e277b7c95d42ba00313092dac7cae7c7286ffe55924f598bf637f893\
         b4bc3f9932f6e666a4462d5b4e6d46ca81868d4a33af224af6cc12713f20";
    /// The answer.
    const SERVER: &str = "030312dcbb0219c6aab2a426fce25dbafe62442cb9346c74cd5059f3447d584f5f4b208220ca708813c38ac2060b6c64d6f0\
         53d8056f9e0a077f5a685ea1a7c07066a81302000034002b0002030400330024001d00203b99db48cc699fbfe65eaa0db2ee\
         675117f991d94e17196afd9094ca37af301c002900020000";

    /// Everything that can be asked of a hello.
    fn read_all(hello: &ClientHello) -> usize {
        let lists = hello.versions().len() + hello.groups().len() + hello.signature_schemes().len();
        let parts = hello.protocols().len() + hello.authorities().unwrap_or_default().len();
        let keys = hello.key_shares().unwrap_or_default().iter().map(|s| s.len).sum::<usize>();
        let rest = [hello.psk_identities(), hello.ticket(), hello.cookie(), hello.renegotiation()];
        let small = hello.psk_modes().unwrap_or_default().len() + hello.point_formats().unwrap_or_default().len();
        let more =
            hello.certificate_schemes().unwrap_or_default().len() + hello.server_name().unwrap_or_default().len();
        lists + parts + keys + small + more + rest.into_iter().flatten().sum::<usize>()
    }

    #[test]
    fn a_hello_that_resumes() {
        let hello = ClientHello::parse(&hex::decode(CLIENT).unwrap()).unwrap();
        assert_eq!(hello.broken, None);
        assert_eq!(hello.supported_versions(), Some(vec![0x0304, 0x0303, 0x0302, 0x0301]));
        assert_eq!(hello.server_name(), Some(&b"ftp.example.org"[..]));
        assert_eq!((hello.protocols(), hello.groups()), (vec![&b"ftp"[..]], vec![0x1d, 0x17]));
        assert_eq!(hello.signature_schemes(), [0x0403, 0x0804]);
        assert_eq!(hello.key_shares(), Some(vec![KeyShare { group: 0x1d, len: 32 }]));
        assert_eq!((hello.psk_modes(), hello.psk_identities()), (Some(&[1][..]), Some(1)));
        assert_eq!((hello.ticket(), hello.authorities().map(|a| a.len())), (Some(0), Some(1)));
        assert!(
            hello.has(ext::STATUS_REQUEST) && hello.has(ext::EXTENDED_MASTER_SECRET) && !hello.has(ext::EARLY_DATA)
        );
        assert!(hello.renegotiates_securely() && hello.renegotiation().is_none());
        let answer = ServerHello::parse(&hex::decode(SERVER).unwrap()).unwrap();
        assert_eq!((answer.negotiated(), answer.group(), answer.psk()), (0x0304, Some(0x1d), Some(0)));
        assert_eq!((&answer.session_id, answer.protocol()), (&hello.session_id, None));
    }

    #[test]
    fn no_byte_makes_a_reader_go_astray() {
        let whole = hex::decode(CLIENT).unwrap();
        let most = whole.len();
        for at in 0..most {
            assert!(ClientHello::parse(&whole[..at]).is_none_or(|h| read_all(&h) <= most), "cut at {at}");
            for byte in [0, 1, 0x7f, 0xff, whole[at] ^ 1] {
                let mut other = whole.clone();
                other[at] = byte;
                let hello = ClientHello::parse(&other).unwrap();
                assert!(read_all(&hello) <= most, "{byte} at {at}");
            }
        }
    }
}
