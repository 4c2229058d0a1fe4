//! The report: what one session comes to. It is the JSON, both ways; every renderer formats it and computes nothing.

mod admissions;
mod agreed;
mod audit;
mod by_stack;
mod certificates;
mod diagnose;
mod events;
mod fields;
mod messages;
mod plain;
mod rank;
mod scope;
pub mod summary;
mod undecided;
mod verdict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use admissions::{AdmissionOut, Admitted, FareOut, admissions, keys_of};
pub use agreed::{CipherOut, TlsOut};
pub use audit::{AuditOut, HabitOut, KeyOut, ListOut, NumberOut, VersionOut};
pub use certificates::CertificateOut;
pub use diagnose::{About, diagnose, judgement, verdict_alone};
pub use events::{ConnectionOut, EventOut};

use crate::rules::{Act, Check, Confidence, Finding, Party};
use crate::transcript::{Side, Transcript};

/// Version of the JSON. It is raised when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Everything that is known of one session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this format.
    pub schema: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// When the run began (RFC 3339); null for a diagnosis of evidence, which depends on the evidence alone.
    pub started: Option<String>,
    /// How long it took.
    pub elapsed_ms: Option<u64>,
    /// Whether the run came to its own end.
    pub complete: bool,
    /// The command line, secrets aside.
    pub command: String,
    /// Ticket number or the like, carried through from `--ref`.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// Equal for the same problem at the same endpoint in every run.
    pub key: String,
    /// What was examined.
    pub subject: Subject,
    /// From where a live run looked.
    pub seen_from: Option<SeenFrom>,
    /// What the run cost; null when nothing was connected.
    pub cost: Option<Cost>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings, the one that explains the verdict first.
    pub findings: Vec<Finding>,
    /// Failures that another finding explains.
    pub consequences: Vec<Finding>,
    /// Each question with its answer.
    pub checks: Vec<Check>,
    /// What is known of the endpoint.
    pub endpoint: Option<Endpoint>,
    /// What an audit found; null where there was none.
    #[serde(default)]
    pub audit: Option<AuditOut>,
    /// What is known of the client in the evidence.
    pub client: Option<ClientOut>,
    /// Connections that were opened to learn one thing.
    pub experiments: Vec<Experiment>,
    /// The connections.
    pub connections: Vec<ConnectionOut>,
    /// What happened, event by event.
    pub events: Vec<EventOut>,
    /// The evidence.
    pub transcript: Transcript,
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// What was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// How.
    pub kind: SubjectKind,
    /// The endpoint as named by the user or by the evidence.
    pub target: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// The inputs.
    pub inputs: Vec<InputOut>,
    /// Which session of the inputs, from 1.
    pub session: u32,
    /// Mode, if one was ordered or found.
    pub mode: Option<String>,
    /// Server name that was sent, if any.
    pub sni: Option<String>,
}

/// How the evidence came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A live probe.
    Probe,
    /// Evidence that was pasted or captured.
    Decode,
    /// A live audit.
    Audit,
    /// A captured hello sent again.
    Replay,
    /// A client that came to us.
    Listen,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputOut {
    /// As named by the user.
    pub name: String,
    /// SHA-256 in hex; null where the report was given out before the end of the input.
    pub sha256: Option<String>,
    /// Length in bytes; null as well then.
    pub bytes: Option<u64>,
    /// Kinds of evidence found, joined by `+`.
    pub source: String,
    /// Lines that are not blank.
    pub lines: u64,
    /// Of those, the lines that were understood.
    pub understood: u64,
    /// What was assumed in reading it.
    pub assumed: Vec<String>,
}

/// From where a live run looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenFrom {
    /// Name of the machine.
    pub host: Option<String>,
    /// Local address.
    pub local: Option<String>,
}

/// What a live run cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// TCP connections.
    pub connections: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Logins.
    pub logged_in: u64,
    /// Files written.
    pub written: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Works, fails, or cannot be told.
    pub outcome: Outcome,
    /// The finding that decides: the earliest failure that nothing earlier explains.
    pub by: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// Where the fault shows.
    pub party: Party,
    /// Its first cause.
    pub cause: Option<String>,
    /// One line of ASCII, at most 72 characters, understandable alone.
    pub headline: String,
    /// How far was tested: control, login, data, upload; transfer-replies where only the server's words tell of transfers.
    pub scope: Vec<String>,
    /// For which clients, when not for all.
    #[serde(rename = "for")]
    pub for_whom: Option<String>,
    /// Places in `events` of what shows it, where no finding does.
    #[serde(default)]
    pub shows: Vec<u32>,
    /// Who acts first.
    pub act: Option<Act>,
}

/// Works, fails, or cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Works, as far as `scope` says.
    Works,
    /// Does not.
    Fails,
    /// The evidence does not tell.
    Inconclusive,
}

impl Outcome {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Works => "works",
            Outcome::Fails => "fails",
            Outcome::Inconclusive => "inconclusive",
        }
    }
}

/// What is known of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Products by wording, surest first.
    pub products: Vec<ProductOut>,
    /// The certificates that it showed, its own first.
    #[serde(default)]
    pub certificates: Vec<CertificateOut>,
}

/// A product and why it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductOut {
    /// As directives spell it.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// Releases, or null.
    pub versions: Option<String>,
    /// The wordings.
    pub because: Vec<String>,
}

/// What is known of the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientOut {
    /// Product as directives spell it.
    pub product: Option<String>,
    /// As people call it.
    pub name: Option<String>,
    /// Name of the z/OS job.
    pub job: Option<String>,
    /// Release.
    pub release: Option<String>,
    /// What speaks for the product: the client's own words first, then its hello.
    #[serde(default)]
    pub because: Vec<String>,
    /// How sure the product is; advice follows what is at least likely.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// What its hello offers; the keys stand on the page of `plaintext-instead-of-tls`.
    pub offer: Option<Map<String, Value>>,
    /// What its hello's clock says.
    pub clock: Option<ClockOut>,
}

/// The clock in a hello, when it agrees with the times of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockOut {
    /// What it says: `2021-02-26 01:49:34` UTC.
    pub utc: String,
    /// Minutes that the evidence's times are ahead of UTC.
    pub zone_minutes: i64,
}

/// One question to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Its connection.
    pub conn: u16,
    /// What differed from the session.
    pub changed: Vec<String>,
    /// What came.
    pub answer: String,
}

/// The JSON schema of a report. Every key is always there (null means unknown), so every property is required.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report).to_value();
    require_all(&mut schema);
    schema
}

fn require_all(value: &mut Value) {
    if let Value::Object(object) = value {
        let keys: Option<Vec<Value>> =
            object.get("properties").and_then(Value::as_object).map(|p| p.keys().map(|k| k.as_str().into()).collect());
        if let Some(keys) = keys {
            object.insert("required".to_owned(), keys.into());
        }
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(require_all),
        Value::Array(items) => items.iter_mut().for_each(require_all),
        _ => {}
    }
}

/// Who sent something, as an arrow: `>` from the client, `<` from the server.
pub fn arrow(from: Side) -> char {
    match from {
        Side::Client => '>',
        Side::Server => '<',
    }
}
