//! What each byte of a hello is, part by part: for people who want to see it in the hex.

use super::hello::is_grease;
use super::record::HEADER_LEN;
use crate::codes;
use crate::wire::reader::Reader;

/// A part of some bytes and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many bytes.
    pub len: usize,
    /// What they are.
    pub label: String,
}

/// The parts of one record that holds a ClientHello or ServerHello. `None` for anything else. The parts follow each
/// other without gaps; what the message does not explain is the last one.
pub fn hello(record: &[u8]) -> Option<Vec<Part>> {
    let mut out = Parts { left: record.len(), parts: Vec::new() };
    let mut r = Reader::new(record);
    let header = r.take(HEADER_LEN)?;
    let kind = r.u8()?;
    if header.first() != Some(&22) || !matches!(kind, 1 | 2) {
        return None;
    }
    let version = |v: u16| codes::version(v).map_or_else(|| format!("0x{v:04X}"), str::to_owned);
    out.push(1, "record type 22: handshake".to_owned());
    out.push(2, "record version".to_owned());
    out.push(2, "length of the record".to_owned());
    out.push(1, if kind == 1 { "ClientHello" } else { "ServerHello" }.to_owned());
    let len = r.u24()?;
    out.push(3, format!("{len} bytes follow"));
    let _ = body(&mut r, kind, &mut out, &version);
    out.rest();
    Some(out.parts)
}

fn body(r: &mut Reader<'_>, kind: u8, out: &mut Parts, version: &dyn Fn(u16) -> String) -> Option<()> {
    let v = r.u16()?;
    out.push(2, format!("version {}", version(v)));
    r.take(32)?;
    out.push(4, "random; a clock in many clients up to TLS 1.2".to_owned());
    out.push(28, "the rest of the random".to_owned());
    let id = r.part8()?;
    out.push(1 + id.len(), format!("session id, {} bytes", id.len()));
    if kind == 1 {
        let suites = r.part16()?;
        out.push(2, format!("{} cipher suites follow", suites.len() / 2));
        for pair in suites.chunks(2) {
            let n = pair.try_into().map_or(0, u16::from_be_bytes);
            let name = codes::cipher_suite(n).map_or(if is_grease(n) { "GREASE" } else { "unknown" }, |s| s.name);
            out.push(pair.len(), name.to_owned());
        }
        let methods = r.part8()?;
        out.push(1 + methods.len(), "compression methods".to_owned());
    } else {
        let n = r.u16()?;
        out.push(2, format!("cipher suite {}", codes::cipher_suite(n).map_or("unknown", |s| s.name)));
        r.u8()?;
        out.push(1, "compression method".to_owned());
    }
    r.u16()?;
    out.push(2, "length of the extensions".to_owned());
    while !r.is_empty() {
        let id = r.u16()?;
        let data = r.part16()?;
        out.push(4 + data.len(), format!("extension {id} {}", codes::extension(id).unwrap_or("unknown")));
    }
    Some(())
}

struct Parts {
    left: usize,
    parts: Vec<Part>,
}

impl Parts {
    fn push(&mut self, len: usize, label: String) {
        let len = len.min(self.left);
        if len > 0 {
            self.left -= len;
            self.parts.push(Part { len, label });
        }
    }

    fn rest(&mut self) {
        self.push(self.left, "not explained".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_every_byte() {
        let hello_of_the_seed = hex::decode(
            "1603010039010000350301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100",
        )
        .unwrap();
        for cut in 6..=hello_of_the_seed.len() {
            let Some(parts) = hello(&hello_of_the_seed[..cut]) else { continue };
            assert_eq!(parts.iter().map(|p| p.len).sum::<usize>(), cut, "cut at {cut}");
        }
        let parts = hello(&hello_of_the_seed).unwrap();
        assert!(parts.iter().any(|p| p.label == "TLS_RSA_WITH_AES_256_CBC_SHA"));
        assert!(parts.iter().all(|p| p.label != "not explained"));
    }
}
