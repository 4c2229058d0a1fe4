//! Evidence in, report out: decode, add up, run the rules, rank.

use sha2::{Digest, Sha256};

use super::certificates::{certificates, judged, others};
use super::events::{connections, events};
use super::rank::rank;
use super::verdict::{Ended, verdict};
use super::{
    ClientOut, ClockOut, Cost, Endpoint, Experiment, InputOut, ProductOut, Report, SCHEMA, SeenFrom, Subject,
    SubjectKind, Tool, Verdict,
};
use crate::decode::{Event, Kind, Timeline, decode};
use crate::facts::admits::Assume;
use crate::facts::audited::questions;
use crate::facts::transfers::transfers;
use crate::facts::{self, Facts, Sure, Transfer, gather};
use crate::rules::{self, Case, Confidence};
use crate::transcript::{Clock, Conn, Layer, Micros, Mode, Side, Transcript, What, Why};
use crate::trust::{Judgement, Stores};

/// What the caller knows of a run and the evidence does not.
#[derive(Clone, Debug)]
pub struct About {
    /// How the evidence came about.
    pub kind: SubjectKind,
    /// Number of the session, from 1.
    pub session: u32,
    /// Ticket number or the like.
    pub reference: Option<String>,
    /// The command line, secrets aside.
    pub command: String,
    /// Whether a live run came to its own end.
    pub complete: bool,
    /// The bytes at which a live run stopped itself, when the server sent more than that.
    pub too_much: Option<u64>,
    /// The machine that a live run looked from.
    pub seen_from: Option<String>,
    /// The lists of authorities that judge the server's certificate; without any, no path is judged.
    pub stores: Stores,
    /// The judgement on the chain, when it was made before the evidence was redacted.
    pub judgement: Option<Judgement>,
    /// Of an audit: what the server is assumed to refuse beyond what was measured.
    pub assume: Option<Assume>,
}

impl Default for About {
    fn default() -> Self {
        Self {
            kind: SubjectKind::Decode,
            session: 1,
            reference: None,
            command: String::new(),
            complete: true,
            too_much: None,
            seen_from: None,
            stores: Stores::default(),
            judgement: None,
            assume: None,
        }
    }
}

impl About {
    fn ended(&self) -> Ended {
        Ended { complete: self.complete, too_much: self.too_much }
    }
}

/// Judges one session. Depends on the evidence alone: the same transcript gives the same report, whenever it is read.
pub fn diagnose(transcript: Transcript, about: &About) -> Report {
    let timeline = decode(&transcript);
    let facts = gather(&transcript, &timeline);
    let transfers = transfers(&transcript, &timeline);
    let questions = questions(&transcript, &timeline);
    let case = Case { audit: &questions, ..case(&transcript, (&timeline, &facts, &transfers), true) };
    let judgement = about.judgement.clone().or_else(|| judged(&case, &about.stores));
    let others = others(&case, judgement.as_ref(), &about.stores);
    let case = Case { trust: judgement.as_ref(), others: &others, ..case };
    let (found, checks) = rules::run(&case);
    let ranked = rank(found);
    let verdict = verdict(&case, &ranked, about.ended());
    let conn = session_conn(&transcript);
    let asked = transcript.origin.asked.as_ref();
    let known = |s: String| (s != "the server").then_some(s);
    let connections = connections(&transcript, &timeline);
    let experiments = experiments(&facts);
    let audit = super::audit::audit(&transcript, &timeline, about.assume.as_ref());
    Report {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        started: started(&transcript),
        elapsed_ms: elapsed(&transcript),
        complete: about.complete && audit.as_ref().is_none_or(|a| a.complete),
        command: about.command.clone(),
        reference: about.reference.clone(),
        key: key(&transcript, &verdict),
        subject: Subject {
            kind: about.kind,
            target: asked.map(|a| a.target.clone()).or_else(|| known(case.endpoint())),
            address: conn.and_then(|c| c.peer).map(|a| a.to_string()),
            inputs: transcript.origin.inputs.iter().map(input).collect(),
            session: about.session,
            mode: mode(&case),
            sni: facts.offer.as_ref().and_then(|o| o.server_name.clone()),
        },
        seen_from: asked.map(|_| SeenFrom { host: about.seen_from.clone(), local: local(&transcript) }),
        cost: asked.map(|_| cost(&case)),
        verdict,
        findings: ranked.findings,
        consequences: ranked.consequences,
        checks,
        endpoint: endpoint(&facts, judgement.as_ref()),
        audit,
        client: client(&facts),
        experiments,
        connections,
        events: events(&transcript, &timeline),
        transcript,
    }
}

/// The verdict as [`diagnose`] comes to it, and nothing else: for sessions that are only counted.
pub fn verdict_alone(transcript: &Transcript, about: &About) -> Verdict {
    let timeline = decode(transcript);
    let facts = gather(transcript, &timeline);
    let transfers = transfers(transcript, &timeline);
    let questions = questions(transcript, &timeline);
    let case = Case { audit: &questions, ..case(transcript, (&timeline, &facts, &transfers), false) };
    let judgement = about.judgement.clone().or_else(|| judged(&case, &about.stores));
    let others = others(&case, judgement.as_ref(), &about.stores);
    let case = Case { trust: judgement.as_ref(), others: &others, ..case };
    verdict(&case, &rank(rules::run(&case).0), about.ended())
}

/// The judgement on the chain of the session, as [`diagnose`] makes it.
pub fn judgement(transcript: &Transcript, stores: &Stores) -> Option<Judgement> {
    let timeline = decode(transcript);
    let facts = gather(transcript, &timeline);
    judged(&case(transcript, (&timeline, &facts, &[]), false), stores)
}

/// A case of which the chain is not judged yet, without an audit.
fn case<'a>(t: &'a Transcript, all: (&'a Timeline, &'a Facts, &'a [Transfer<'a>]), whole: bool) -> Case<'a> {
    let (timeline, facts, transfers) = all;
    Case { transcript: t, timeline, facts, transfers, audit: &[], trust: None, others: &[], whole }
}

/// Equal for the same problem at the same endpoint: neither time nor port goes in.
fn key(t: &Transcript, verdict: &Verdict) -> String {
    let host = session_conn(t).and_then(|c| c.host.clone().or(c.peer.map(|p| p.ip().to_string()))).unwrap_or_default();
    let by = verdict.by.as_deref().unwrap_or(verdict.outcome.name());
    let cause = verdict.cause.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("{host}\n{by}\n{cause}"));
    hex::encode(digest.get(..8).unwrap_or_default())
}

/// The connection that is the session under examination.
fn session_conn(t: &Transcript) -> Option<&Conn> {
    t.conns.iter().find(|c| c.why == Why::Session).or(t.conns.first())
}

/// When a live run began; evidence of others keeps its own times.
fn started(t: &Transcript) -> Option<String> {
    match (&t.origin.asked, t.clock) {
        (Some(_), Clock::Utc(zero)) => Some(zero.rfc3339()),
        _ => None,
    }
}

fn elapsed(t: &Transcript) -> Option<u64> {
    t.origin.asked.as_ref()?;
    Some(t.entries.last().and_then(|e| e.at).map_or(0, Micros::millis))
}

fn local(t: &Transcript) -> Option<String> {
    session_conn(t).and_then(|c| c.local).map(|a| a.ip().to_string())
}

fn cost(case: &Case<'_>) -> Cost {
    let (t, timeline) = (case.transcript, case.timeline);
    let mut cost = Cost::default();
    for entry in &t.entries {
        match &entry.what {
            What::Opened => cost.connections += 1,
            What::Bytes { from, layer: Layer::Wire, data, .. } => count(&mut cost, *from, data.len() as u64),
            What::Skipped { from, layer: Layer::Wire, len, .. } => count(&mut cost, *from, *len),
            _ => {}
        }
    }
    for e in &timeline.events {
        match &e.kind {
            Kind::Reply(r) if r.code == 230 && r.whole => cost.logged_in += 1,
            _ => {}
        }
    }
    cost.written = case.transfers.iter().filter(|x| x.is_upload() && (x.begun.is_some() || x.worked())).count() as u64;
    cost
}

fn count(cost: &mut Cost, from: Side, len: u64) {
    match from {
        Side::Client => cost.bytes_out = cost.bytes_out.saturating_add(len),
        Side::Server => cost.bytes_in = cost.bytes_in.saturating_add(len),
    }
}

/// How TLS began on the session's connection.
fn mode(case: &Case<'_>) -> Option<String> {
    let greeted = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.code == 220);
    let begun =
        case.first(|e| matches!(e.kind, Kind::TlsStarts { by: Side::Client }) || facts::client_hello(e).is_some());
    let mode = match (case.auth(), begun) {
        (Some(_), _) => Mode::Explicit,
        (None, Some(begun)) if case.before(begun).any(greeted) => Mode::ImplicitAfterBanner,
        (None, Some(_)) => Mode::Implicit,
        (None, None) => case.transcript.origin.asked.as_ref().map(|a| a.mode).filter(|m| *m != Mode::Auto)?,
    };
    Some(mode.name().to_owned())
}

fn input(i: &crate::transcript::Input) -> InputOut {
    InputOut {
        name: i.name.clone(),
        sha256: Some(i.sha256.clone()).filter(|h| !h.is_empty()),
        bytes: Some(i.bytes).filter(|_| !i.sha256.is_empty()),
        source: i.sources.join("+"),
        lines: i.lines,
        understood: i.understood,
        assumed: i.assumed.clone(),
    }
}

fn experiments(facts: &Facts) -> Vec<Experiment> {
    let out = |a: &facts::Answer| Experiment { conn: a.conn.0, changed: a.changed.clone(), answer: a.describe() };
    facts.answers.iter().map(out).collect()
}

fn endpoint(facts: &Facts, judgement: Option<&Judgement>) -> Option<Endpoint> {
    let products: Vec<ProductOut> = facts
        .servers
        .iter()
        .map(|p| ProductOut {
            id: p.id.clone(),
            name: p.name.to_owned(),
            versions: (!p.versions.is_empty()).then(|| p.versions.to_owned()),
            because: p.because.clone(),
        })
        .collect();
    let certificates = certificates(judgement);
    (!products.is_empty() || !certificates.is_empty()).then_some(Endpoint { products, certificates })
}

fn client(facts: &Facts) -> Option<ClientOut> {
    let client = facts.client.as_ref().or(facts.guess.as_ref());
    if client.is_none() && facts.offer.is_none() {
        return None;
    }
    Some(ClientOut {
        product: client.map(|c| c.id.to_owned()),
        name: client.map(|c| c.name.to_owned()),
        job: client.and_then(|c| c.job.clone()),
        release: client.and_then(|c| c.release.clone()),
        because: client.map(|c| c.because.clone()).unwrap_or_default(),
        confidence: client.map(|c| match c.sure {
            Sure::Possible => Confidence::Possible,
            Sure::Likely => Confidence::Likely,
            Sure::Certain => Confidence::Certain,
        }),
        offer: facts.offer.as_ref().map(crate::facts::Offer::describe),
        clock: facts.clock.map(|c| ClockOut { utc: c.utc.date_and_time(), zone_minutes: c.zone }),
    })
}
