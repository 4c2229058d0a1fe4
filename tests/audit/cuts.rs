//! Audits that are cut: what a beginning of the evidence says of a server, the whole does not take back.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use ftpsdiag::decode::decode;
use ftpsdiag::facts::audited::{Answered, questions};
use ftpsdiag::report::{About, AuditOut, Outcome, Report, diagnose};
use ftpsdiag::rules::Confidence;
use ftpsdiag::transcript::{ConnId, Entry, Side, Transcript, What};
use ftpsdiag::{Format, Style};

use super::world::{Dial, Model, Says, alert, run};
use super::{Auditor, audit, ids, modern, plan, set};

/// Entries from one cut to the next, but for the small world: no multiple of what one connection has. With EVERY_EVENT=1 each,
/// which takes minutes.
const STEP: usize = 29;

/// JSON takes longer than the report itself: it is read back at every such cut.
const READ_BACK: usize = 8;

/// Bytes of a server that come at once.
const PIECE: usize = 40;

/// Cut at every event.
const SMALL: &str = "one suite, one group, one scheme";

const LONG: &str = "ends on long lists";

/// A world by its name: what is audited, and the server.
type World = (&'static str, &'static str, fn() -> Model);

fn refusing(refuses: fn() -> Says) -> Model {
    Model { versions: modern(), refuses, ..Model::default() }
}

/// A server from before 2008, with everything that was bad then.
fn old() -> Model {
    let suites = vec![0x0005, 0xc014, 0x0039, 0x0035, 0x002f, 0x000a, 0x0034, 0x0003, 0x0001];
    let versions = BTreeMap::from([(0x0300, suites.clone()), (0x0301, suites.clone()), (0x0302, suites)]);
    Model { versions, ..Model::default() }
}

const WORLDS: &[World] = &[
    ("the client's order", "", || Model { versions: modern(), ..Model::default() }),
    ("its own order", "", || Model {
        versions: modern(),
        own_order: true,
        groups: vec![0x0017, 0x001d, 0x0019],
        ..Model::default()
    }),
    ("TLS 1.1, TLS 1.0 and SSL 3", "", old),
    ("RSA key exchange first", "", || {
        let suites = vec![0x009d, 0x0035, 0xc030, 0xc014];
        let versions = BTreeMap::from([(0x0301, vec![0x0035]), (0x0303, suites)]);
        Model { versions, own_order: true, ..Model::default() }
    }),
    (SMALL, "versions,groups,schemes", || {
        let versions = BTreeMap::from([(0x0303, vec![0xc030])]);
        Model { versions, groups: vec![0x0017], schemes: vec![0x0804], asks_certificate: true, ..Model::default() }
    }),
    (LONG, "", || Model { versions: modern(), longest: 60, ..Model::default() }),
    ("refuses in text", "", || refusing(|| Says::Last(b"550 TLS handshake failed\r\n".to_vec()))),
    ("refuses by an alert and text", "", || refusing(|| Says::Last([alert(40), b"421 no\r\n".to_vec()].concat()))),
    ("ends where it refuses", "", || refusing(|| Says::Ends)),
    ("silent where it refuses", "", || refusing(|| Says::Nothing)),
    ("always the same suite", "", || Model { versions: modern(), stubborn: Some(0x0005), ..Model::default() }),
    ("two at a time", "", || Model {
        versions: modern(),
        dial: Box::new(|_, open, _| {
            Dial::Greets(if open < 2 { "220 ready\r\n" } else { "421 Too many connections\r\n" })
        }),
        ..Model::default()
    }),
    ("dies half way", "versions,suites", || Model {
        versions: modern(),
        dial: Box::new(|n, _, _| if n < 9 { Dial::Greets("220 ready\r\n") } else { Dial::Refuses }),
        ..Model::default()
    }),
];

/// The same where the words of servers come in pieces, so that cuts fall into the middle of them.
fn in_pieces(whole: Transcript) -> Transcript {
    let mut out = Transcript { entries: Vec::new(), ..whole.clone() };
    for entry in whole.entries {
        match &entry.what {
            What::Bytes { from: Side::Server, layer, data, fidelity } => {
                out.entries.extend(data.chunks(PIECE).map(|piece| {
                    let (from, layer, fidelity) = (Side::Server, *layer, *fidelity);
                    let what = What::Bytes { from, layer, data: piece.to_vec(), fidelity };
                    Entry { what, ..entry.clone() }
                }));
            }
            _ => out.entries.push(entry),
        }
    }
    out
}

/// A beginning of a transcript. All its connections stay: what was asked is known, and what came of it is not.
fn beginning(whole: &Transcript, entries: usize) -> Transcript {
    Transcript { entries: whole.entries[..entries].to_vec(), ..whole.clone() }
}

fn report(t: &Transcript) -> Report {
    diagnose(t.clone(), &About::default())
}

/// The questions that came to a hello and to its answer, in whatever words.
fn answered(t: &Transcript) -> BTreeSet<ConnId> {
    let timeline = decode(t);
    let all = questions(t, &timeline);
    all.iter().filter(|q| q.answer != Answered::NotAsked).map(|q| q.conn).collect()
}

fn certain(r: &Report) -> BTreeSet<&str> {
    let all = r.findings.iter().chain(&r.consequences);
    all.filter(|f| f.confidence == Confidence::Certain).map(|f| f.id.as_str()).collect()
}

/// Yes or no, by what it is about.
type Claims<'a> = BTreeMap<String, &'a str>;

/// What an audit says of versions and lists.
fn sets(audit: &AuditOut) -> Claims<'_> {
    let mut out = BTreeMap::new();
    for v in &audit.versions {
        out.insert(v.name.clone(), v.takes.as_str());
        for (what, list) in [("suites", &v.suites), ("groups", &v.groups), ("schemes", &v.schemes)] {
            let what = format!("{what} of {}", v.name);
            out.extend(list.taken.iter().map(|n| (format!("{what}: {}", n.name), "yes")));
            out.extend(list.order.iter().map(|order| (format!("{what} in the order of the {order}"), "yes")));
            // Of a list that is complete, all others are refused.
            out.extend(list.complete.then(|| (format!("{what} are {:x?}", set(&ids(list))), "yes")));
        }
    }
    out
}

fn habits(audit: &AuditOut) -> Claims<'_> {
    audit.habits.iter().map(|h| (h.id.clone(), h.has.as_str())).collect()
}

fn clients(audit: &AuditOut) -> Claims<'_> {
    audit.clients.iter().map(|c| (format!("client {} {}", c.name, c.releases), c.now.r#in.sign())).collect()
}

/// What a cut says and the whole does not.
fn taken_back(cut: &Claims<'_>, whole: &Claims<'_>) -> Vec<String> {
    let then = |what: &String| whole.get(what).copied().unwrap_or("nothing");
    let is_back =
        |what: &String, says: &str| says == "yes" && then(what) != "yes" || says == "no" && then(what) == "yes";
    let back = cut.iter().filter(|(what, says)| is_back(what, says));
    back.map(|(what, says)| format!("{what}: {says}, then {}", then(what))).collect()
}

/// Holds a cut against the whole.
fn wrong(cut: &Report, whole: &Report) -> Vec<String> {
    let mut out = Vec::new();
    if cut.verdict.outcome != Outcome::Inconclusive && cut.verdict.outcome != whole.verdict.outcome {
        out.push(format!("{} became {}", cut.verdict.outcome.name(), whole.verdict.outcome.name()));
    }
    out.extend(certain(cut).difference(&certain(whole)).map(|id| format!("{id} is certain, the whole is not")));
    let (Some(cut), Some(whole)) = (&cut.audit, &whole.audit) else { return out };
    out.extend(taken_back(&habits(cut), &habits(whole)));
    let of_sets = taken_back(&sets(cut), &sets(whole));
    // Who gets in follows from the sets: where these are wrong, it says nothing new.
    if of_sets.is_empty() {
        out.extend(taken_back(&clients(cut), &clients(whole)));
    }
    out.extend(of_sets);
    out
}

/// Whether a report is the same behind its JSON.
fn reads_back(r: &Report) -> bool {
    let text = ftpsdiag::render(r, Format::Json, Style::default());
    serde_json::from_str::<Report>(&text).is_ok_and(|back| back == *r)
}

/// What is wrong in a world, each with the cut at which it shows first.
fn broken((name, only, model): &World) -> BTreeMap<String, usize> {
    let step = if *name == SMALL || std::env::var_os("EVERY_EVENT").is_some() { 1 } else { STEP };
    let came = run(&mut Auditor::new(plan(), audit(only)), model());
    let mut whole = in_pieces(came.transcript);
    whole.origin.asked = Some(plan().asked);
    let (held, all) = (report(&whole), answered(&whole));
    let mut out = BTreeMap::new();
    for (n, entries) in (0..whole.entries.len()).step_by(step).enumerate() {
        let part = beginning(&whole, entries);
        let cut = report(&part);
        let mut found = wrong(&cut, &held);
        if n.is_multiple_of(READ_BACK) && !reads_back(&cut) {
            found.push("it does not read back".to_owned());
        }
        let misses = all.difference(&answered(&part)).count();
        if misses > 0 && (cut.complete || cut.audit.as_ref().is_some_and(|a| a.complete)) {
            found.push("complete, and questions are missing".to_owned());
        }
        for what in found {
            out.entry(what).or_insert(entries);
        }
    }
    out
}

#[test]
fn a_cut_takes_nothing_back() {
    let found: Vec<(&str, BTreeMap<String, usize>)> = thread::scope(|scope| {
        let worlds: Vec<_> = WORLDS.iter().map(|world| (world.0, scope.spawn(move || broken(world)))).collect();
        worlds.into_iter().map(|(name, found)| (name, found.join().unwrap())).collect()
    });
    let all = found.iter().flat_map(|(name, found)| found.iter().map(move |(what, at)| (*name, what, at)));
    let wrong: Vec<String> = all.map(|(name, what, at)| format!("{name}: {what} (first behind {at})")).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
