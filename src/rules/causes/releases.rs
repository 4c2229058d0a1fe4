//! What a new release of z/OS took out of its defaults.

use super::super::case::Claim;
use super::super::finding::{Cause, Confidence, Party};
use super::{Case, cause};
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
