//! Advice that is of no use any more: what the settings that were pasted along have already, and what the release of a z/OS does
//! not know yet. What stands there instead is said.

use super::finding::{Act, Advice, AdviceKind, Finding, Party};
use super::{Case, zos_advice};
use crate::codes;
use crate::facts::settings::{Place, Setting};
use crate::transcript::Side;

/// Takes such advice away, and says why.
pub(super) fn leave_out(case: &Case<'_>, f: &mut Finding) {
    let mut why: Vec<String> = Vec::new();
    let say = |why: &mut Vec<String>, text: String| {
        if !why.contains(&text) {
            why.push(text);
        }
    };
    let (mut behind, mut settled) = (false, Vec::<String>::new());
    let told = core::mem::take(&mut f.advice);
    for advice in told {
        if let Some((needs, has)) = too_new(case, &advice) {
            let what = advice.directive.as_deref().unwrap_or_default();
            let name = what.split([' ', '=']).next().unwrap_or_default();
            say(&mut why, format!("{name} came with {}; this is {}.", release(needs), release(has)));
            behind |= advice.party == Party::Client;
        } else if let Some(set) = stands_already(case, &advice) {
            settled.extend(set.iter().map(|s| s.name.to_ascii_uppercase()));
            let quoted = set.iter().map(|s| s.quoted()).collect::<Vec<_>>().join(", ");
            let read = match set.first().map(|s| s.place) {
                Some(Place::Policy) => "is that the policy in force",
                _ => "is that what the step reads",
            };
            say(&mut why, format!("{quoted}: so it is set already; {read}?"));
        } else {
            f.advice.push(advice);
        }
    }
    // Whoever has the value needs not look whether the statement is there.
    let is_settled =
        |a: &Advice| a.kind == AdviceKind::Check && a.directive.as_ref().is_some_and(|d| settled.contains(d));
    f.advice.retain(|a| !is_settled(a));
    f.why.extend(why);
    let asks_client = f.act.as_ref().is_some_and(|a| a.party == Party::Client);
    if behind && asks_client && f.id == "data-session-reuse-required" {
        let text = "server: see below; the client's release cannot do its part".to_owned();
        f.act = Some(Act { party: Party::Server, text });
    }
}

fn release(n: u32) -> String {
    format!("V{}R{}", n / 100, n % 100)
}

/// The release that an advice needs, and the older one that is there.
fn too_new(case: &Case<'_>, advice: &Advice) -> Option<(u32, u32)> {
    let product = advice.product.as_deref().filter(|p| p.starts_with("zos"))?;
    let has = case.zos_release(side_of(advice)?)?;
    let row = codes::directives().find(|d| d.product == product && d.text == advice.text)?;
    let needs = since(row.releases)?;
    (has < needs && advice.directive.is_some()).then_some((needs, has))
}

/// `z/OS V2R2 and later`: 202.
fn since(releases: &str) -> Option<u32> {
    let (front, _) = releases.split_once(" and later")?;
    let (version, release) = front.rsplit_once('V')?.1.split_once('R')?;
    Some(version.parse::<u32>().ok()? * 100 + release.parse::<u32>().ok()?)
}

fn side_of(advice: &Advice) -> Option<Side> {
    match advice.party {
        Party::Client => Some(Side::Client),
        Party::Server => Some(Side::Server),
        _ => None,
    }
}

/// The pasted settings that have what the advice wants; `None` where one is missing or differs.
fn stands_already<'a>(case: &'a Case<'_>, advice: &Advice) -> Option<Vec<&'a Setting>> {
    advice.product.as_deref().filter(|p| p.starts_with("zos"))?;
    let side = side_of(advice)?;
    let wanted = advice.directive.as_deref()?;
    if advice.kind == AdviceKind::Leave {
        return None;
    }
    wanted.split(" and ").map(|pair| stands(case, side, pair)).collect()
}

fn stands<'a>(case: &'a Case<'_>, side: Side, pair: &str) -> Option<&'a Setting> {
    let settings = &case.facts.settings;
    let pair = pair.strip_prefix("ENVAR(\"").map_or(pair, |rest| rest.trim_end_matches("\")"));
    let of_policy = zos_advice::policy_side(case).is_none_or(|of| of == side);
    let is_there = |s: &&Setting| match s.place {
        Place::FtpData(_) => s.side.is_none_or(|of| of == side),
        Place::Job => side == Side::Client,
        Place::Policy => of_policy,
        Place::Trace => false,
    };
    let (name, value) = pair.split_once([' ', '='])?;
    let mut all = settings.named_here(name).filter(is_there);
    let first = all.next().filter(|s| s.is(value))?;
    all.all(|s| s.is(value)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_a_statement_needs() {
        assert_eq!(since("z/OS V2R2 and later; older cannot resume across ports"), Some(202));
        assert_eq!(since("V2R3 and later"), Some(203));
        assert_eq!(since("z/OS V2R2 and later, TLSMECHANISM FTP only"), Some(202));
        for none in
            ["-", "TLSv1.2 is Off by default, V2R1 to V3R1", "default is TLS 1.0 only, V2R2 to V2R5", "V and later"]
        {
            assert_eq!(since(none), None, "{none}");
        }
    }
}
