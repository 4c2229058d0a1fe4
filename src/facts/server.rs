//! The server's product, by its wording: the 234 first, then the banner; banners are changed, the 234 almost never.

use crate::codes;
use crate::decode::{Kind, Timeline};

/// A product whose wording was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// As directives spell it, e.g. `proftpd`.
    pub id: String,
    /// As people call it.
    pub name: &'static str,
    /// Releases that use this wording, or empty.
    pub versions: &'static str,
    /// The wordings that were seen, quoted.
    pub because: Vec<String>,
    /// Whether a whole wording was seen, not only the beginning of one.
    pub sure: bool,
    /// How much the kinds of wording weigh that agree.
    pub weight: u32,
}

/// Products by wording, surest first.
pub(super) fn products(timeline: &Timeline) -> Vec<Product> {
    let mut found: Vec<Product> = Vec::new();
    let mut answers_auth = false;
    for event in &timeline.events {
        let (kind, reply) = match &event.kind {
            Kind::Command { verb, .. } => {
                answers_auth = verb == "AUTH";
                continue;
            }
            Kind::Reply(r) if r.code == 234 => ("auth-ok", r),
            Kind::Reply(r) if r.code == 220 => ("banner", r),
            // The same words mean something else behind another command.
            Kind::Reply(r) if r.code >= 400 && answers_auth => ("auth-refused", r),
            Kind::Reply(r) if r.code >= 400 => ("tls-required", r),
            Kind::TextInsteadOfTls { reply: Some(r), .. } if r.code == 220 => ("banner", r),
            Kind::TextInsteadOfTls { reply: Some(r), .. } => ("handshake-failed", r),
            _ => continue,
        };
        // In clear a login is refused for want of TLS, or for another reason.
        let also = codes::fingerprints_of("login-refused").filter(|_| kind == "tls-required");
        for print in codes::fingerprints_of(kind).chain(also) {
            let matches = print.matches(print.kind, reply.code, &reply.text);
            if matches || (!reply.whole && print.could_begin(reply.code, &reply.text)) {
                note(&mut found, print, format!("\"{} {}\"", reply.code, reply.text), matches);
            }
        }
    }
    found.sort_by_key(|p| core::cmp::Reverse((p.sure, p.weight)));
    found
}

fn note(found: &mut Vec<Product>, print: &codes::Fingerprint, quote: String, sure: bool) {
    let id = print.product.to_ascii_lowercase().replace([' ', '.'], "-");
    let weight = match print.kind {
        "auth-ok" => 4,
        "handshake-failed" => 3,
        "auth-refused" => 2,
        _ => 1,
    };
    let versions = if print.versions == "-" { "" } else { print.versions };
    match found.iter_mut().find(|p| p.id == id) {
        Some(p) => {
            if !p.because.contains(&quote) {
                p.because.push(quote);
                p.weight += weight;
            }
            if p.versions.is_empty() {
                p.versions = versions;
            }
            p.sure |= sure;
        }
        None => found.push(Product { id, name: print.product, versions, because: vec![quote], sure, weight }),
    }
}
