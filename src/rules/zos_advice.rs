//! What z/OS can change about a return code, in the words of whoever does TLS at the end that gave it: FTP itself, or AT-TLS.

use super::Case;
use super::case::Claim;
use super::finding::{Advice, AdviceKind, Finding, Party};
use crate::facts::settings::{Place, Setting};
use crate::transcript::{Code, Side, speakers};

/// Key ring or database, password, label.
const RING: [u32; 12] = [6, 7, 102, 103, 106, 109, 202, 204, 407, 408, 416, 5006];

/// The private key, and the services that hold it.
pub(super) const KEY: [u32; 5] = [428, 455, 456, 457, 465];

/// A key database without its stash file.
const STASH: u32 = 201;

/// No suite in common; no version in common, or one that is switched off.
const NO_CIPHERS: u32 = 402;
const VERSION: u32 = 412;

/// The extensions do not match, as where the client offers more than the server has.
const EXTENSIONS: u32 = 446;
const BAD_V2_HEADER: u32 = 429;

/// A certificate may not be used for this.
const KEY_USAGE: u32 = 440;

/// The group of AT-TLS failed.
const POLICY_MAPPING: u32 = 5018;

/// Says what to write for a return code; whether there was anything to say.
pub(super) fn by_code(case: &Case<'_>, claim: &Claim<'_>, rc: u32, f: &mut Finding) -> bool {
    let Some(product) = product(case, claim) else { return false };
    let server = product == "zos-ftp-server";
    let before = f.advice.len();
    match rc {
        NO_CIPHERS => {
            f.advise("choose-suites", product).advise("enable-tls12", product);
        }
        VERSION | BAD_V2_HEADER => {
            f.advise("enable-tls12", product);
        }
        EXTENSIONS => {
            let server = "which TLS versions are switched on there? It may lack the one that the client offers";
            f.tell(Party::Server, AdviceKind::Check, server);
            let client = "one try with no higher version than the server has: does it work then?";
            f.tell(Party::Client, AdviceKind::Check, client);
        }
        STASH => {
            f.advise("stash-file", if product == "zos-attls" { "zos-native" } else { product });
        }
        KEY_USAGE => {
            f.advise("certificate-usage", if server { product } else { "zos-attls" });
        }
        POLICY_MAPPING => {
            f.advise("refresh-policy", if server { product } else { "zos-attls" });
        }
        // The client's own ring is another rule's.
        _ if server && RING.contains(&rc) => {
            f.advise("set-key-ring", product);
        }
        _ if server && KEY.contains(&rc) => {
            f.advise("fix-certificate", product);
        }
        _ => {}
    }
    if speakers::program_of(claim.by) == speakers::AT_TLS {
        leave_out_of_ftp(f, before);
    }
    if f.causes.iter().any(|c| c.id == "zos-defaults-removed") && rc != NO_CIPHERS {
        f.advise("allow-sslv3", product);
    }
    f.advice.len() > before
}

/// How the z/OS client comes to offer TLS 1.2, by who does its TLS.
pub(super) fn offer_tls12(case: &Case<'_>, f: &mut Finding) {
    let (before, product) = (f.advice.len(), of_client(case));
    f.advise("enable-tls12", product);
    if product == "zos-attls" {
        leave_out_of_ftp(f, before);
    }
}

/// Where AT-TLS itself speaks, it does TLS already, and what sets FTP's own up is nothing to it.
fn leave_out_of_ftp(f: &mut Finding, from: usize) {
    let of_ftp = |a: &Advice| {
        let native = a.place.as_deref().is_some_and(|p| p.starts_with("//"));
        native || a.directive.as_deref() == Some("TLSMECHANISM ATTLS")
    };
    let told = f.advice.split_off(from.min(f.advice.len()));
    f.advice.extend(told.into_iter().filter(|a| !of_ftp(a)));
}

/// The code that a message stands for: EZD2042I is told in front of 5018.
pub(super) fn of_message(claim: &Claim<'_>) -> Option<u32> {
    matches!(claim.code, Some(Code::Message(id)) if id == "EZD2042I").then_some(POLICY_MAPPING)
}

/// Who acts on a code that names settings of both ends, where the product at this end is known.
pub(super) fn act(rc: u32, party: Party) -> Option<(Party, String)> {
    let what = match rc {
        NO_CIPHERS => "suites and versions below; the partner has to have one of each",
        VERSION | BAD_V2_HEADER => "switch TLS 1.2 on; the partner has to have it too",
        EXTENSIONS => "compare the TLS versions of both ends; the client's may be the higher one",
        STASH => "the stash file beside the key database, or a key ring",
        KEY_USAGE => "look at the extended key usage of the certificates, its own first",
        _ => return None,
    };
    Some((party, format!("{}: {what}", party.name())))
}

/// What switches TLS 1.2 on or off at the z/OS client, where settings were pasted along; `None` where they disagree.
pub(super) fn tls12_of_client<'a>(case: &Case<'a>) -> Option<&'a Setting> {
    let (name, place) = match of_client(case) {
        "zos-attls" => ("TLSv1.2", Place::Policy),
        _ => ("GSK_PROTOCOL_TLSV1_2", Place::Job),
    };
    let mut said = case.facts.settings.named(name).filter(|s| s.place == place);
    let first = said.next()?;
    let is_other = place == Place::Policy && policy_side(case) == Some(Side::Server);
    (!is_other && said.all(|s| s.is(&first.value))).then_some(first)
}

/// The end that a pasted AT-TLS policy is for: by what it says itself, else by the end at which AT-TLS speaks.
pub(super) fn policy_side(case: &Case<'_>) -> Option<Side> {
    let settings = &case.facts.settings;
    let of = |s: &Setting| match () {
        () if s.is("Client") || s.is("Outbound") => Some(Side::Client),
        () if s.is("Server") || s.is("ServerWithClientAuth") || s.is("Inbound") => Some(Side::Server),
        () => None,
    };
    let stated = || settings.named("HandshakeRole").chain(settings.named("Direction")).filter_map(of);
    let speaks = || case.claims().filter(|c| speakers::program_of(c.by) == speakers::AT_TLS).filter_map(|c| c.side);
    let one = |mut sides: Box<dyn Iterator<Item = Side> + '_>| {
        let first = sides.next()?;
        sides.all(|s| s == first).then_some(first)
    };
    match stated().next() {
        Some(_) => one(Box::new(stated())),
        None => one(Box::new(speaks())),
    }
}

/// Who does TLS at the end that speaks.
fn product(case: &Case<'_>, claim: &Claim<'_>) -> Option<&'static str> {
    let attls = speakers::program_of(claim.by) == speakers::AT_TLS;
    if claim.is_of_server() {
        return (attls || claim.by == speakers::ZOS_FTP_SERVER).then_some("zos-ftp-server");
    }
    let ftp = speakers::program_of(claim.by) == speakers::SYSTEM_SSL || claim.by == speakers::ZOS_FTP_CLIENT;
    (attls || ftp).then(|| of_client(case))
}

/// The z/OS client by who does its TLS.
pub(super) fn of_client(case: &Case<'_>) -> &'static str {
    let settings = &case.facts.settings;
    let said = settings.traced("tlsmech").or_else(|| settings.ftp_data("TLSMECHANISM", Side::Client));
    let is_stack = |c: &Claim<'_>| {
        let at_tls = speakers::program_of(c.by) == speakers::AT_TLS;
        !c.is_of_server() && (at_tls || speakers::job_of(c.by) == Some("TCPIP"))
    };
    let attls = said.map_or_else(|| case.claims().any(|c| is_stack(&c)), |s| s.is("ATTLS"));
    if attls { "zos-attls" } else { "zos-native" }
}
