//! What a release of z/OS has by default, and what a new one took out of it.

use super::super::case::Claim;
use super::super::finding::{Cause, Confidence, Party};
use super::super::zos_advice;
use super::{Case, ask_for_log, cause};
use crate::decode::Event;
use crate::transcript::Side;

/// SSL 2 and SSL 3 are off by default since V2R2; weak suites are out of the default list since V2R3.
const NO_SSL: u32 = 202;
const NO_WEAK_SUITES: u32 = 203;

/// The codes that IBM's migration workflows name for it: no suite, no version, a hello in the format of SSL 2.
const NO_CIPHERS: u32 = 402;
const UNSUPPORTED: u32 = 412;
const BAD_V2_HEADER: u32 = 429;

/// A partner that only has what the release no longer offers by itself. Never more than possible: whether it worked before is
/// not in the evidence.
pub(in crate::rules) fn defaults_removed(case: &Case<'_>, claim: &Claim<'_>, rc: u32) -> Option<Cause> {
    let side = if claim.is_of_server() { Side::Server } else { Side::Client };
    let release = case.zos_release(side).filter(|r| *r >= NO_SSL)?;
    let suites = "since V2R3 (OA48868, OA51519) DES, 3DES, RC4, export, NULL and fixed DH are not in the default list";
    let versions = "since V2R2 SSL 2 and SSL 3 are off by default";
    let mut because = Vec::new();
    match rc {
        NO_CIPHERS if release >= NO_WEAK_SUITES => because.extend([suites, versions]),
        NO_CIPHERS | UNSUPPORTED | BAD_V2_HEADER => because.push(versions),
        _ => return None,
    }
    let is = format!(
        "this is V{}R{}; if it worked before a migration, this is the first suspect",
        release / 100,
        release % 100
    );
    let mut c = cause("zos-defaults-removed", "the partner has only what z/OS no longer offers", Confidence::Possible);
    c = because.into_iter().fold(c, Cause::because).because(is);
    let how = ["did it work on the release before? Which versions and suites does the partner have?".to_owned()];
    Some(c.ask(Party::Client, None, &how, "it worked before, and the partner has nothing but these"))
}

/// The version of a hello that is not in the evidence: z/OS offers TLS 1.2 only where it is told to.
pub(in crate::rules) fn version_unseen(case: &Case<'_>, at: &Event) -> Option<Cause> {
    case.facts.client.as_ref().filter(|c| c.id.starts_with("zos"))?;
    let setting = zos_advice::tls12_of_client(case);
    let native = zos_advice::of_client(case) == "zos-native";
    let by_default = native && case.zos_release(Side::Client).is_some_and(|r| r >= TLS12_BY_DEFAULT);
    let (confidence, because) = match setting {
        _ if case.facts.offer.is_some() => return None,
        Some(set) if set.is("On") || set.is("1") => return None,
        Some(off) => (Confidence::Likely, format!("{}: no more than TLS 1.1 is offered", off.quoted())),
        None if by_default => return None,
        None if native => {
            (Confidence::Possible, "the hello is not in the evidence; by default it is TLS 1.0".to_owned())
        }
        None => {
            (Confidence::Possible, "the hello is not in the evidence; by default the policy has TLSv1.2 Off".to_owned())
        }
    };
    let c = cause("client-tls-version-refused", "the server may refuse TLS 1.0 and 1.1", confidence).because(because);
    let again = ["one run of the client's step with TLS 1.2 switched on".to_owned()];
    let c = c.ask(Party::Client, None, &again, "works with TLS 1.2");
    Some(ask_for_log(case, c, at, "unknown protocol", "unsupported protocol"))
}

/// The first release whose System SSL offers TLS 1.2 by itself: V3R1.
const TLS12_BY_DEFAULT: u32 = 301;
