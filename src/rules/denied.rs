//! What the security product refused (ICH408I): it settles why a key ring or a private key could not be used.

use super::Case;
use super::case::Claim;
use super::finding::{Act, Cause, Confidence, Finding, Party};
use crate::transcript::{Code, speakers};
use crate::wire::printable_str;

/// Classes of key rings, and of private keys with the services that use them.
const RINGS: [&str; 2] = ["RDATALIB", "FACILITY"];
const KEYS: [&str; 2] = ["CSFSERV", "CSFKEYS"];

/// So many refusals are looked at.
const MOST: usize = 16;

/// Names the user and the profile in the cause that the refusal is about.
pub(super) fn explain(case: &Case<'_>, f: &mut Finding) {
    let is_it = |c: &Claim<'_>| c.by == speakers::RACF && matches!(c.code, Some(Code::Message(_)));
    for claim in case.claims().filter(is_it).take(MOST) {
        let mut words = claim.text.split(' ');
        let (Some(user), Some(profile), Some(class)) = (words.next(), words.next(), words.next()) else { continue };
        let id = match class {
            c if RINGS.contains(&c) => "key-ring-unusable",
            c if KEYS.contains(&c) => "private-key-unusable",
            _ => continue,
        };
        let Some(n) = f.causes.iter().position(|c| c.id == id) else { continue };
        let mut cause: Cause = f.causes.remove(n);
        let (user, profile) = (printable_str(user), printable_str(profile));
        cause.confidence = cause.confidence.max(Confidence::Likely);
        cause.because.insert(0, format!("ICH408I: {user} may not use {profile} ({class})"));
        let party = cause.ask.first().map_or(Party::Client, |ask| ask.party);
        let how = [format!("is {user} the user id of the step, and {profile} what its ring or key needs?")];
        cause.ask.clear();
        let cause = cause.ask(party, None, &how, "once that is permitted, no ICH408I and no such return code");
        f.causes.insert(0, cause);
        f.act = Some(Act { party, text: format!("{}: let {user} use {profile} ({class})", party.name()) });
        return;
    }
}
