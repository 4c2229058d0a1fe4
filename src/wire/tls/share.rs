//! Public keys for hand-built hellos: valid, and of no use to anybody.
//!
//! Whoever sends one does not know the secret behind it, or everybody does: a server that answers shows that it takes the group, and
//! the handshake goes no further.

/// secp256r1, secp384r1, secp521r1, and what is put together with them.
const P256: u16 = 0x0017;
const P384: u16 = 0x0018;
const P521: u16 = 0x0019;
const X25519: u16 = 0x001d;
const X448: u16 = 0x001e;
const FFDHE2048: u16 = 0x0100;
const FFDHE3072: u16 = 0x0101;
const FFDHE4096: u16 = 0x0102;
const P256_MLKEM768: u16 = 0x11eb;
/// X25519MLKEM768, the post-quantum group of today's clients.
pub const X25519_MLKEM768: u16 = 0x11ec;

/// The base points of the curves (FIPS 186-4, D.1.2), uncompressed, without the byte that says so.
const G256: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const G384: &str = "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
const G521: &str = "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650";

/// Bytes of the coefficients in a key of ML-KEM-768; 32 more are the seed of its matrix (FIPS 203).
const MLKEM768: usize = 1152;

/// A public key of a group; `None` for one of which none can be made here. `random` varies it where anything is a key.
pub fn share(group: u16, random: [u8; 32]) -> Option<Vec<u8>> {
    Some(match group {
        X25519 => random.to_vec(),
        X448 => random.iter().chain(&random).copied().take(56).collect(),
        P256 => point(G256),
        P384 => point(G384),
        P521 => point(G521),
        FFDHE2048 => four(256),
        FFDHE3072 => four(384),
        FFDHE4096 => four(512),
        X25519_MLKEM768 => [mlkem768(random), random.to_vec()].concat(),
        P256_MLKEM768 => [point(G256), mlkem768(random)].concat(),
        _ => return None,
    })
}

fn point(hex: &str) -> Vec<u8> {
    let mut out = vec![4];
    out.extend(hex::decode(hex).unwrap_or_default());
    out
}

/// The number 4 in so many bytes: a square, so that it lies in the subgroup of every safe prime.
fn four(len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    if let Some(last) = out.last_mut() {
        *last = 4;
    }
    out
}

/// Coefficients below the modulus (3329), twelve bits each: 1 and 16 in turn do.
fn mlkem768(random: [u8; 32]) -> Vec<u8> {
    let mut out: Vec<u8> = [1, 0, 1].into_iter().cycle().take(MLKEM768).collect();
    out.extend(random);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_lengths_of_their_groups() {
        for (group, len) in [
            (P256, 65),
            (P384, 97),
            (P521, 133),
            (X25519, 32),
            (X448, 56),
            (FFDHE2048, 256),
            (FFDHE3072, 384),
            (FFDHE4096, 512),
            (X25519_MLKEM768, 1216),
            (P256_MLKEM768, 1249),
        ] {
            assert_eq!(share(group, [7; 32]).map(|s| s.len()), Some(len), "{group:04x}");
        }
        assert_eq!(share(0x0001, [7; 32]), None);
    }
}
