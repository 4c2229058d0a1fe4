//! The server's share of an (EC)DHE key exchange up to TLS 1.2 (RFC 5246, 7.4.3; RFC 8422, 5.4; RFC 4279, RFC 5489).
//! What its bytes are, only the suite tells.

use super::super::reader::Reader;
use crate::codes;

/// TLS 1.2: from here on a signature names its scheme.
const TLS12: u16 = 0x0303;

/// Curves by name, the one form that is still in use.
const NAMED_CURVE: u8 = 3;

/// What a ServerKeyExchange says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyExchange {
    /// The group of ECDHE.
    pub group: Option<u16>,
    /// Bits of the prime of DHE.
    pub prime_bits: Option<usize>,
    /// The scheme of the server's signature; only in TLS 1.2, and not where nobody signs.
    pub scheme: Option<u16>,
}

impl KeyExchange {
    /// Reads the body of the message in a handshake with this suite and version. `None` for suites whose server has no share.
    pub fn read(params: &[u8], suite: u16, version: u16) -> Option<Self> {
        let suite = codes::cipher_suite(suite)?;
        let mut r = Reader::new(params);
        if suite.auth == "PSK" {
            r.part16()?; // the hint which key is meant
        }
        let mut out = Self::default();
        match (suite.kx, suite.auth) {
            ("ECDHE", _) | ("ECDH", "anon") => {
                out.group = named_group(r.rest());
                r.take(3)?;
                r.part8()?;
            }
            ("DHE", _) | ("DH", "anon") => {
                out.prime_bits = dh_prime_bits(r.rest());
                for _ in ["prime", "generator", "share"] {
                    r.part16()?;
                }
            }
            _ => return None,
        }
        let signed = !matches!(suite.auth, "anon" | "PSK") && version >= TLS12;
        out.scheme = signed.then(|| r.u16()).flatten().filter(|_| r.part16().is_some() && r.is_empty());
        Some(out)
    }
}

/// Bits of the Diffie-Hellman prime in the ServerKeyExchange of a DHE suite (RFC 5246, 7.4.3).
pub fn dh_prime_bits(params: &[u8]) -> Option<usize> {
    let (len, rest) = params.split_first_chunk::<2>()?;
    let prime = rest.get(..usize::from(u16::from_be_bytes(*len)))?;
    let zeros = prime.iter().take_while(|b| **b == 0).count();
    let first = prime.get(zeros)?;
    Some((prime.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// The group in the ServerKeyExchange of an ECDHE suite (RFC 8422, 5.4): named curves only.
pub fn named_group(params: &[u8]) -> Option<u16> {
    match params {
        [NAMED_CURVE, a, b, ..] => Some(u16::from_be_bytes([*a, *b])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECDHE_RSA: u16 = 0xc030;
    const DHE_RSA: u16 = 0x0033;

    #[test]
    fn a_prime_has_as_many_bits_as_its_first_one_says() {
        assert_eq!(dh_prime_bits(&[0, 2, 0x01, 0xff, 0, 1, 2]), Some(9));
        assert_eq!(dh_prime_bits(&[0, 3, 0, 0x80, 0]), Some(16));
        assert_eq!(dh_prime_bits(&[0, 9, 1]), None);
        assert_eq!(dh_prime_bits(&[0, 1, 0]), None);
        assert_eq!(named_group(&[3, 0, 0x1d, 32]), Some(0x1d));
    }

    #[test]
    fn the_signature_names_its_scheme_in_tls_1_2() {
        let params = [3, 0, 0x1d, 2, 9, 9, 8, 4, 0, 1, 7];
        let read = |version| KeyExchange::read(&params, ECDHE_RSA, version).unwrap();
        assert_eq!((read(0x0303).group, read(0x0303).scheme), (Some(0x1d), Some(0x0804)));
        assert_eq!((read(0x0302).group, read(0x0302).scheme), (Some(0x1d), None));
        assert_eq!(KeyExchange::read(&params[..10], ECDHE_RSA, 0x0303).unwrap().scheme, None, "cut");
        let dhe = [0, 1, 0x80, 0, 1, 2, 0, 1, 5, 4, 1, 0, 1, 7];
        let read = KeyExchange::read(&dhe, DHE_RSA, 0x0303).unwrap();
        assert_eq!((read.prime_bits, read.scheme), (Some(8), Some(0x0401)));
        assert_eq!(KeyExchange::read(&dhe, 0x0034, 0x0303).unwrap().scheme, None, "anonymous");
        assert_eq!(KeyExchange::read(&dhe, 0x002f, 0x0303), None, "RSA has none");
        let psk = [0, 0, 3, 0, 0x17, 1, 9];
        assert_eq!(KeyExchange::read(&psk, 0xc035, 0x0303).unwrap().group, Some(0x17));
    }
}
