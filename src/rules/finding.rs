//! What rules say, as data: renderers format it, scripts read it, nobody computes on it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::codes;
use crate::transcript::{Layer, Micros, Side};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works today; will not for everybody, or not for long.
    Warning,
    /// Does not work.
    Failure,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// One explanation among others.
    Possible,
    /// The best explanation; evidence is missing.
    Likely,
    /// The bytes, or an end that our own driver saw, prove it.
    Certain,
}

impl Confidence {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}

/// Where the fault is, or who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The end that connects.
    Client,
    /// The end that is connected to.
    Server,
    /// A firewall, proxy or network.
    Between,
    /// Cannot be told.
    Unknown,
}

impl Party {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Party::Client => "client",
            Party::Server => "server",
            Party::Between => "between",
            Party::Unknown => "unknown",
        }
    }
}

impl From<Side> for Party {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Party::Client,
            Side::Server => Party::Server,
        }
    }
}

/// A fact with its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The id of the rule; see its page.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Where the fault shows.
    pub party: Party,
    /// One line of ASCII, at most 72 characters.
    pub headline: String,
    /// Particulars; the keys stand on the finding's page.
    pub data: Map<String, Value>,
    /// The bytes.
    pub evidence: Vec<Evidence>,
    /// Further facts in words, most important first.
    pub why: Vec<String>,
    /// Explanations, most probable first.
    pub causes: Vec<Cause>,
    /// Who acts first, and how.
    pub act: Option<Act>,
    /// What each party can do.
    pub advice: Vec<Advice>,
    /// Whether the evidence shows that this was the end: a close, a silence, an alert, or somebody's word.
    pub ended: bool,
    /// Index of the event by which it shows; the earliest failure decides.
    #[serde(skip)]
    pub place: Option<usize>,
}

/// Bytes with what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Connection.
    pub conn: u16,
    /// Layer.
    pub layer: Layer,
    /// Sender.
    pub from: Side,
    /// Offset of the first byte in its flow.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// When, in microseconds of the transcript's clock.
    pub at: Option<Micros>,
    /// The exact bytes.
    pub hex: String,
    /// The bytes as printable ASCII.
    pub text: String,
    /// What they are.
    pub label: String,
    /// The bytes taken apart, without gaps; empty when there is nothing to take apart.
    pub parts: Vec<PartOut>,
    /// How many of the bytes were put together again (from a log, or because they must have been there) rather than seen.
    pub rebuilt: u64,
}

/// Some bytes of an evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartOut {
    /// How many.
    pub len: usize,
    /// What they are.
    pub label: String,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Its id; see its page.
    pub id: String,
    /// In a few words.
    pub headline: String,
    /// How sure; never certain by words alone.
    pub confidence: Confidence,
    /// Why it is believed.
    pub because: Vec<String>,
    /// The smallest evidence that would settle it.
    pub ask: Vec<Ask>,
}

/// Evidence that would settle a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// Who can give it.
    pub party: Party,
    /// Their product, if known.
    pub product: Option<String>,
    /// Ways to get it.
    pub how: Vec<String>,
    /// What it would show.
    pub settles: String,
}

/// Who acts first, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// Who.
    pub party: Party,
    /// What, imperative.
    pub text: String,
}

/// One thing that one party can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// Who.
    pub party: Party,
    /// In which product, as `explain` knows it.
    pub product: Option<String>,
    /// When and why.
    pub kind: AdviceKind,
    /// Where it goes: a file, a statement, a panel.
    pub place: Option<String>,
    /// The directive in the product's own spelling.
    pub directive: Option<String>,
    /// What to do, imperative, and how to see that it worked.
    pub text: String,
    /// The same for one line of a screen; null when place and directive say it.
    pub brief: Option<String>,
    /// What it weakens.
    pub risk: Option<String>,
}

/// When and why an advice is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AdviceKind {
    /// Quick, and can be taken back.
    Tonight,
    /// The right end state.
    Lasting,
    /// Look, change nothing.
    Check,
    /// Do not touch: it is not the fault.
    Leave,
}

impl AdviceKind {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            AdviceKind::Tonight => "tonight",
            AdviceKind::Lasting => "lasting",
            AdviceKind::Check => "check",
            AdviceKind::Leave => "leave",
        }
    }
}

/// A question that was asked of the evidence, with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// The answer.
    pub result: CheckResult,
    /// The finding that it led to.
    pub finding: Option<String>,
    /// A few words.
    pub headline: String,
    /// Why it is untested, or how it was tested.
    pub why: Option<String>,
    /// Particulars.
    pub data: Map<String, Value>,
}

/// Answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// Looked at, and good.
    Passed,
    /// Looked at, and not.
    Failed,
    /// Not looked at, or not to be seen in this evidence.
    Untested,
}

impl Finding {
    /// Sets a particular.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// All advice that the tables have for a need in a product.
    pub(super) fn advise(&mut self, need: &str, product: &str) -> &mut Self {
        self.advice.extend(codes::advise(need, product).map(Advice::from));
        self
    }

    /// The same, with words of its own for the screen.
    pub(super) fn advise_briefly(&mut self, need: &str, product: &str, brief: impl Into<String>) -> &mut Self {
        let brief = brief.into();
        let advice = codes::advise(need, product).map(|d| Advice { brief: Some(brief.clone()), ..Advice::from(d) });
        self.advice.extend(advice);
        self
    }

    /// Advice in words, for what no directive expresses.
    pub(super) fn tell(&mut self, party: Party, kind: AdviceKind, text: impl Into<String>) -> &mut Self {
        let text = text.into();
        self.advice.push(Advice {
            party,
            product: None,
            kind,
            place: None,
            directive: None,
            text,
            brief: None,
            risk: None,
        });
        self
    }
}

impl From<codes::Directive> for Advice {
    fn from(d: codes::Directive) -> Self {
        let some = |s: &str| (s != "-" && !s.is_empty()).then(|| s.to_owned());
        Self {
            party: if d.party == "server" { Party::Server } else { Party::Client },
            product: some(d.product),
            kind: match d.kind {
                "tonight" => AdviceKind::Tonight,
                "lasting" => AdviceKind::Lasting,
                "leave" => AdviceKind::Leave,
                _ => AdviceKind::Check,
            },
            place: some(d.place),
            directive: some(d.directive),
            text: d.text.to_owned(),
            brief: None,
            risk: some(d.risk),
        }
    }
}
