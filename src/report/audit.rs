//! What an audit found: the sets that the endpoint accepts, and its habits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admissions::{AdmissionOut, admissions, keys_of};
use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::facts::accepted::accepts;
use crate::facts::accepts::{Accepts, OfVersion, Order, SSL2, Set, Takes};
use crate::facts::admits::Assume;
use crate::facts::audited::{Answered, Question, questions};
use crate::facts::behaviour::{authorities, habits};
use crate::facts::version_name;
use crate::transcript::clock::UnixMicros;
use crate::transcript::{Decrypted, Side, Transcript, topics};
use crate::trust::Certificate;
use crate::wire::dn;

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditOut {
    /// The versions that were asked, highest first.
    pub versions: Vec<VersionOut>,
    /// The certificates that were seen, by the kind of key.
    pub keys: Vec<KeyOut>,
    /// The authorities whose client certificates it asks for, by their distinguished names.
    #[serde(default)]
    pub authorities: Vec<String>,
    /// What the endpoint does beside choosing.
    pub habits: Vec<HabitOut>,
    /// How each known client fares, by what is accepted.
    #[serde(default)]
    pub clients: Vec<AdmissionOut>,
    /// What was assumed beyond that (`--assume`), in the words of the command line.
    #[serde(default)]
    pub assumed: Vec<String>,
    /// Whether everything that was asked has an answer.
    pub complete: bool,
    /// Connections that asked something.
    pub questions: u32,
    /// Those for which the server had no time: refused, ended before AUTH, 421.
    pub busy: u32,
    /// The reply or event by which it said so first; null when it never did.
    pub complaint: Option<String>,
}

/// What is accepted in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionOut {
    /// As people write it: `TLS 1.2`.
    pub name: String,
    /// The number on the wire, in hex; 0002 for SSL 2.
    pub id: String,
    /// Whether it is accepted: `yes`, `no`, or `unknown`.
    pub takes: String,
    /// Cipher suites.
    pub suites: ListOut,
    /// Groups of the key exchange.
    pub groups: ListOut,
    /// Signature schemes.
    pub schemes: ListOut,
}

/// What of a list is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListOut {
    /// In the order of the server where it has one, else as it was offered.
    pub taken: Vec<NumberOut>,
    /// By whose order the server chooses: `client`, `server`, `mixed` (its own for some, the client's among others); null where fewer than
    /// two are taken or it was not asked.
    pub order: Option<String>,
    /// Whether everything that was asked has an answer; false also where nothing was asked.
    pub complete: bool,
}

/// A number with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberOut {
    /// In hex.
    pub id: String,
    /// The name in the registry; the number where it has none.
    pub name: String,
    /// Of a suite, its name in OpenSSL; null where there is none.
    #[serde(default)]
    pub openssl: Option<String>,
}

/// A certificate by which the server proves itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyOut {
    /// The kind of its key: `RSA`, `ECDSA`, `Ed25519`, `DSA`.
    pub auth: String,
    /// Distinguished name of the subject; null when the certificate cannot be read.
    #[serde(default)]
    pub subject: Option<String>,
    /// Its last second.
    #[serde(default)]
    pub not_after: Option<String>,
    /// SHA-256 of the certificate's DER, in hex.
    pub sha256: String,
}

/// One habit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HabitOut {
    /// A short name for scripts.
    pub id: String,
    /// What it is, for people.
    pub name: String,
    /// Whether the endpoint has it: `yes`, `no`, or `unknown`.
    pub has: String,
    /// More, or empty.
    pub detail: String,
}

/// What the questions of an audit came to; `None` without an audit.
pub(super) fn audit(t: &Transcript, timeline: &Timeline, assume: Option<&Assume>) -> Option<AuditOut> {
    let questions = questions(t, timeline);
    let accepts = accepts(&questions)?;
    // TLS 1.3 shows its certificate to our own engine alone.
    let shown = timeline.events.iter().find_map(|e| match &e.kind {
        Kind::Decrypted { seen: Decrypted::Certificates { chain }, .. } => chain.first().map(|der| der.0.as_slice()),
        _ => None,
    });
    let certificates = keys_of(questions.iter().filter_map(Question::certificate).chain(shown));
    let busy: Vec<&Question<'_>> = questions.iter().filter(|q| is_busy(q)).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let habit = |h: &crate::facts::behaviour::Habit| HabitOut {
        id: h.id.to_owned(),
        name: h.name.to_owned(),
        has: word(h.has).to_owned(),
        detail: h.detail.clone(),
    };
    Some(AuditOut {
        versions: accepts.versions.iter().map(version).collect(),
        keys: shown_keys(&questions, shown),
        authorities: authorities(&questions).into_iter().map(name).collect(),
        habits: habits(&questions).iter().map(habit).collect(),
        clients: admissions(&accepts, &certificates, assume, &questions),
        assumed: assume.map_or_else(Vec::new, |a| a.words().iter().map(|w| (*w).to_owned()).collect()),
        complete: is_complete(&accepts, &questions),
        questions: count(questions.len()),
        busy: count(busy.len()),
        complaint: busy.first().map(|q| complaint(q)),
    })
}

/// The certificates that were seen, each once, the session's first. A hello of our own that asks for another name may get another one.
fn shown_keys(questions: &[Question<'_>], shown: Option<&[u8]>) -> Vec<KeyOut> {
    let usual = questions.iter().filter(|q| ![topics::NO_NAME, topics::OTHER_NAME].contains(&q.topic()));
    let mut out: Vec<KeyOut> = Vec::new();
    for der in shown.into_iter().chain(usual.filter_map(Question::certificate)) {
        let certificate = Certificate::read(der);
        if out.iter().any(|k| k.sha256 == certificate.sha256) {
            continue;
        }
        let details = certificate.details();
        let until = |seconds: i64| UnixMicros(seconds.saturating_mul(1_000_000)).rfc3339();
        out.push(KeyOut {
            auth: certificate.kind_of_key().unwrap_or_else(|| "unknown".to_owned()),
            subject: details.map(|d| d.subject.clone()),
            not_after: details.map(|d| until(d.not_after)),
            sha256: certificate.sha256.clone(),
        });
    }
    out
}

fn name(der: &[u8]) -> String {
    dn::show(der).unwrap_or_else(|| "(unreadable name)".to_owned())
}

/// Whether every list was asked to its end, and every other question came to an answer at last.
fn is_complete(accepts: &Accepts, questions: &[Question<'_>]) -> bool {
    let whole = |set: &Set| set.complete || set.taken.is_empty() && set.refused.is_empty();
    let lists = |v: &OfVersion| [&v.suites, &v.groups, &v.schemes].into_iter().all(whole);
    let last: BTreeMap<&[String], &Question<'_>> = questions.iter().map(|q| (q.changed, q)).collect();
    accepts.versions.iter().all(lists) && last.values().all(|q| !is_busy(q) && !is_open(q))
}

/// Whether a question has no answer: it was put, or was to be put, and the run or the evidence ended.
fn is_open(q: &Question<'_>) -> bool {
    let put = q.events.iter().any(|e| matches!(e.kind, Kind::TlsStarts { .. }));
    // TLS is still to come behind a yes to AUTH.
    let ends = |code: u16| code >= 400 || q.topic() == topics::CLEAR_LOGIN;
    let mut behind = q.events.iter().skip_while(|e| !is_command(e));
    let told = behind.any(|e| matches!(&e.kind, Kind::Reply(r) if r.whole && ends(r.code)));
    // What our own engine refused is no answer, and over.
    let gave_up =
        q.events.iter().any(|e| matches!(e.kind, Kind::Alert { level: 2, .. }) && e.from() == Some(Side::Client));
    q.answer == Answered::NotAsked && !is_busy(q) && !gave_up && (put || !told)
}

fn version(v: &OfVersion) -> VersionOut {
    let suite = |id: u16| {
        let suite = codes::cipher_suite(id);
        let openssl = suite.map(|s| s.openssl).filter(|name| *name != "-");
        NumberOut {
            id: format!("{id:04X}"),
            name: suite.map_or_else(|| format!("{id:04X}"), |s| s.name.to_owned()),
            openssl: openssl.map(str::to_owned),
        }
    };
    let other = |name: Option<&str>, id: u16| NumberOut {
        id: format!("{id:04X}"),
        name: name.map_or_else(|| format!("{id:04X}"), str::to_owned),
        openssl: None,
    };
    VersionOut {
        name: if v.version == SSL2 { "SSL 2".to_owned() } else { version_name(v.version) },
        id: format!("{:04X}", v.version),
        takes: word(v.takes).to_owned(),
        suites: list(&v.suites, suite),
        groups: list(&v.groups, |id| other(codes::group(id), id)),
        schemes: list(&v.schemes, |id| other(codes::signature_scheme(id), id)),
    }
}

fn list(set: &Set, number: impl Fn(u16) -> NumberOut) -> ListOut {
    let order = set.order.map(|o| match o {
        Order::Client => "client",
        Order::Server => "server",
        Order::Mixed => "mixed",
    });
    ListOut {
        taken: set.taken.iter().map(|n| number(*n)).collect(),
        order: order.map(str::to_owned),
        complete: set.complete,
    }
}

fn word(takes: Takes) -> &'static str {
    match takes {
        Takes::Yes => "yes",
        Takes::No => "no",
        Takes::Unknown => "unknown",
    }
}

/// Whether the server had no time for a question: it refused or ended it before anything was asked. What we ended ourselves is none.
fn is_busy(q: &Question<'_>) -> bool {
    let asked = |e: &Event| match &e.kind {
        Kind::TlsStarts { .. } => true,
        Kind::Command { verb, .. } => verb == "USER",
        _ => false,
    };
    let said_no = |e: &Event| match &e.kind {
        Kind::Reply(r) => r.whole && (r.code == 421 || r.code >= 400 && !q.events.iter().any(|e| is_command(e))),
        Kind::OpenFailed { .. } | Kind::Closed { by: Side::Server, .. } => true,
        _ => false,
    };
    q.answer == Answered::NotAsked && !q.events.iter().any(|e| asked(e)) && q.events.iter().any(|e| said_no(e))
}

fn is_command(e: &Event) -> bool {
    matches!(e.kind, Kind::Command { .. })
}

/// How it said so.
fn complaint(q: &Question<'_>) -> String {
    let said = q.events.iter().find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code >= 400 => Some(format!("{} {}", r.code, r.text)),
        Kind::OpenFailed { .. } => Some("the connection was refused".to_owned()),
        _ => None,
    });
    said.unwrap_or_else(|| "the connection ended before its greeting".to_owned())
}
