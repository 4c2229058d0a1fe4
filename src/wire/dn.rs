//! Distinguished names in DER, for people: `CN=ca, O=Example, C=US`. Only what a name needs; anything else is `None`.

use std::fmt::Write as _;

use super::reader::Reader;
use super::{printable, printable_str};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const INTEGER: u8 = 0x02;
const BMP_STRING: u8 = 0x1e;
const UTF8_STRING: u8 = 0x0c;
/// `[0] EXPLICIT`, which holds the version of a certificate.
const CONTEXT_0: u8 = 0xa0;

/// Issuer and subject of a certificate, as DER names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    /// Who signed it.
    pub issuer: &'a [u8],
    /// Whose it is.
    pub subject: &'a [u8],
}

/// The two names of a certificate (RFC 5280, section 4.1).
pub fn names(certificate: &[u8]) -> Option<Names<'_>> {
    let mut outer = Reader::new(inner(&mut Reader::new(certificate), SEQUENCE)?);
    let mut tbs = Reader::new(inner(&mut outer, SEQUENCE)?);
    let mut ahead = tbs;
    if inner(&mut ahead, CONTEXT_0).is_some() {
        tbs = ahead;
    }
    inner(&mut tbs, INTEGER)?;
    inner(&mut tbs, SEQUENCE)?;
    let issuer = whole(&mut tbs, SEQUENCE)?;
    inner(&mut tbs, SEQUENCE)?;
    Some(Names { issuer, subject: whole(&mut tbs, SEQUENCE)? })
}

/// A name as people write it, most particular part first; printable ASCII.
pub fn show(name: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut sets = Reader::new(inner(&mut Reader::new(name), SEQUENCE)?);
    while !sets.rest().is_empty() {
        let mut set = Reader::new(inner(&mut sets, SET)?);
        let mut together = Vec::new();
        while !set.rest().is_empty() {
            let mut pair = Reader::new(inner(&mut set, SEQUENCE)?);
            let oid = inner(&mut pair, OID)?;
            let (tag, value) = any(&mut pair)?;
            together.push(format!("{}={}", attribute(oid), text(tag, value)));
        }
        parts.push(together.join("+"));
    }
    parts.reverse();
    Some(parts.join(", "))
}

/// Short names of RFC 4514 and of OpenSSL.
fn attribute(oid: &[u8]) -> String {
    let short = match oid {
        [0x55, 0x04, 3] => "CN",
        [0x55, 0x04, 5] => "serialNumber",
        [0x55, 0x04, 6] => "C",
        [0x55, 0x04, 7] => "L",
        [0x55, 0x04, 8] => "ST",
        [0x55, 0x04, 10] => "O",
        [0x55, 0x04, 11] => "OU",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "emailAddress",
        _ => {
            return oid.iter().fold("oid:".to_owned(), |mut all, b| {
                let _ = write!(all, "{b:02x}");
                all
            });
        }
    };
    short.to_owned()
}

fn text(tag: u8, value: &[u8]) -> String {
    match tag {
        UTF8_STRING => printable_str(&String::from_utf8_lossy(value)),
        BMP_STRING => {
            let units: Vec<u16> =
                value.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_be_bytes)).collect();
            printable_str(&String::from_utf16_lossy(&units))
        }
        _ => printable(value),
    }
}

/// The content of the next element when it has this tag.
fn inner<'a>(r: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    let mut ahead = *r;
    let (found, content) = any(&mut ahead)?;
    if found != tag {
        return None;
    }
    *r = ahead;
    Some(content)
}

/// The next element with its header.
fn whole<'a>(r: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    let all = r.rest();
    inner(r, tag)?;
    all.get(..all.len() - r.rest().len())
}

/// Tag and content of the next element. Lengths above 16 MiB are none.
fn any<'a>(r: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = r.u8()?;
    let len = match r.u8()? {
        n if n < 0x80 => usize::from(n),
        0x81 => usize::from(r.u8()?),
        0x82 => usize::from(r.u16()?),
        0x83 => r.u24()? as usize,
        _ => return None,
    };
    Some((tag, r.take(len)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_people_write_it() {
        let name = hex::decode("301c310b3009060355040613025553310d300b06035504030c0465d7e4fc").unwrap();
        // UTF-8 that is none is replaced, and what is not ASCII is escaped.
        assert!(show(&name).unwrap().starts_with("CN=e\\x"));
        assert!(show(&name).unwrap().ends_with(", C=US"));
        for cut in 0..name.len() {
            assert_eq!(show(&name[..cut]), None, "{cut}");
        }
        assert_eq!(show(&[0x30, 0]), Some(String::new()));
    }

    #[test]
    fn a_certificate_names_its_issuer() {
        let made = rcgen::generate_simple_self_signed(vec!["ftp.example.org".to_owned()]).unwrap();
        let names = names(made.cert.der()).unwrap();
        assert_eq!(show(names.issuer).as_deref(), Some("CN=rcgen self signed cert"));
        assert_eq!(names.issuer, names.subject);
    }
}
