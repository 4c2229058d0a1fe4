//! PEM: blocks of base64 between lines of hyphens, with whatever people leave around them.

/// One block.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// What stands behind BEGIN, e.g. `CERTIFICATE`.
    pub(super) label: String,
    /// Whether its header says that it is encrypted.
    pub(super) is_encrypted: bool,
    /// The bytes; `None` when they are no base64, or there is no END.
    pub(super) bytes: Option<Vec<u8>>,
}

const BEGIN: &str = "-----BEGIN ";

/// All blocks of a text; empty when it is none.
pub(super) fn blocks(bytes: &[u8]) -> Vec<Block> {
    let text = String::from_utf8_lossy(bytes);
    let mut out = Vec::new();
    for part in text.split(BEGIN).skip(1) {
        let Some((label, rest)) = part.split_once("-----") else { continue };
        let body = rest.split_once("-----END ").map(|(body, _)| body);
        // Headers of old encrypted keys: `Proc-Type: 4,ENCRYPTED`.
        let lines: Vec<&str> = body.unwrap_or_default().lines().map(str::trim).collect();
        let is_encrypted = label.starts_with("ENCRYPTED") || lines.iter().any(|l| l.contains("ENCRYPTED"));
        let base64: String = lines.into_iter().filter(|l| !l.contains(':')).collect();
        out.push(Block { label: label.trim().to_owned(), is_encrypted, bytes: body.and_then(|_| decode(&base64)) });
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for b in digits.bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    (bits < 6).then_some(out)
}
