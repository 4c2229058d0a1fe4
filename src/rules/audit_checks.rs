//! What the rules of an audit share: a question by its topic, its answer in words, and its bytes.

use super::prelude::*;
use crate::codes;
use crate::facts::audited::{Answered, Question};
use crate::facts::{client_hello, version_name};
use crate::transcript::{Close, Decrypted, topics};
use crate::wire::tls::hello::ServerHello;

/// TLS 1.2: up to here the server's flight is in clear.
pub(super) const TLS12: u16 = 0x0303;

impl<'a> Case<'a> {
    /// What came of a topic. A question that the server had no time for was asked again: the answer counts.
    pub(super) fn answered(&self, topic: &str) -> Option<&'a Question<'a>> {
        let mut asked = self.audit.iter().filter(|q| q.topic() == topic);
        let first = asked.next()?;
        let others = core::iter::once(first).chain(asked);
        Some(others.into_iter().find(|q| q.answer != Answered::NotAsked).unwrap_or(first))
    }

    /// The questions in which the server chose, each with its hello.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&'a Question<'a>, &'a ServerHello)> + use<'a> {
        self.audit.iter().filter_map(|q| match q.answer {
            Answered::Chose(hello) => Some((q, hello)),
            _ => None,
        })
    }

    /// The control of all odd hellos, where it was taken.
    pub(super) fn ordinary(&self) -> Option<(&'a Question<'a>, &'a ServerHello)> {
        self.choices().find(|(q, _)| q.topic() == topics::CONTROL)
    }
}

/// A finding of an audit: it is the server's, and nothing ended by it. `what` stands behind the server's name.
pub(super) fn finding(case: &Case<'_>, sink: &mut Sink<'_>, sure: Confidence, what: &str) -> Finding {
    let headlines = [format!("{} {what}", case.endpoint()), format!("the server {what}")];
    let mut f = sink.finding(sure, Party::Server, &headlines);
    f.ended = false;
    // Questions are asked side by side: which one was answered first says nothing.
    f.place = Some(usize::MAX);
    f
}

/// Who acts first: whoever runs the server.
pub(super) fn act(text: &str) -> Option<Act> {
    Some(Act { party: Party::Server, text: format!("server: {text}") })
}

/// The bytes of a question and of its answer.
pub(super) fn show(sink: &Sink<'_>, f: &mut Finding, q: &Question<'_>, label: &str) {
    let from_client = |e: &&&Event| e.from() == Some(Side::Client);
    let hello = q.events.iter().find(|e| client_hello(e).is_some()).or(q.events.iter().rfind(from_client));
    f.evidence.extend(hello.and_then(|e| sink.evidence(e, &format!("ClientHello: {label}"))));
    f.evidence.extend(q.shows().and_then(|e| sink.evidence(e, &in_words(q.answer))));
}

/// An answer in words.
pub(super) fn in_words(answer: Answered<'_>) -> String {
    match answer {
        Answered::Chose(h) => {
            let what = if h.is_retry() { "HelloRetryRequest" } else { "ServerHello" };
            format!("{what} of {}", version_name(h.negotiated()))
        }
        Answered::Ssl2 => "ServerHello of SSL 2".to_owned(),
        Answered::Alert(n) => format!("alert {n} {}", codes::alert(n).map_or("unknown", |a| a.name)),
        Answered::Text => "text instead of TLS".to_owned(),
        Answered::Ended(Close::Reset) => "connection reset".to_owned(),
        Answered::Ended(_) => "connection closed".to_owned(),
        Answered::Silence => "no answer".to_owned(),
        Answered::NotAsked => "it did not come to that".to_owned(),
    }
}

/// How sure a refusal is: who closes, or stays silent, may have had other reasons.
pub(super) fn sure(answer: Answered<'_>) -> Confidence {
    match answer {
        Answered::Alert(_) | Answered::Text => Confidence::Certain,
        _ => Confidence::Likely,
    }
}

/// How sure it is that an answer stays a yes: once the server's flight is whole. In TLS 1.3 the rest of it is hidden, or not even asked for.
pub(super) fn stays(q: &Question<'_>) -> Confidence {
    if q.is_whole() { Confidence::Certain } else { Confidence::Likely }
}

/// The fatal alert that the server sent, though it had chosen before.
pub(super) fn alert_behind(q: &Question<'_>) -> Option<u8> {
    q.events.iter().find_map(|e| match &e.kind {
        Kind::Alert { level: 2, description } if e.from() == Some(Side::Server) => Some(*description),
        Kind::Decrypted { from: Side::Server, seen: Decrypted::Alert { level: 2, description } } => Some(*description),
        _ => None,
    })
}

/// What a hello for somebody else came to: the question with the ServerHello where it was taken for good, else `None`, and the check is
/// said. `own` is the alert that says no and nothing else; `whose` and `otherwise` are for the words.
pub(super) fn taken_for_another<'a>(
    case: &Case<'a>,
    sink: &mut Sink<'_>,
    (topic, own, check): (&str, u8, &str),
    (whose, otherwise): (&str, &str),
) -> Option<(&'a Question<'a>, &'a ServerHello)> {
    let q = case.answered(topic)?;
    let good = format!("{whose} is refused");
    match (q.answer, alert_behind(q)) {
        (Answered::Chose(hello), None) => return Some((q, hello)),
        (Answered::Chose(_), Some(alert)) => sink.passed(check, &good, &in_words(Answered::Alert(alert))),
        (answer, _) if answer == Answered::Alert(own) => sink.passed(check, &good, &in_words(answer)),
        (answer, _) if answer.is_refusal() && case.ordinary().is_some() => {
            sink.passed(check, &good, &format!("{}; {otherwise} is taken", in_words(answer)));
        }
        (answer, _) => sink.untested(check, &format!("whether {good}"), &in_words(answer)),
    }
    None
}

/// A suite as OpenSSL names it, or by its registered name.
pub(super) fn suite(id: u16) -> String {
    match codes::cipher_suite(id) {
        Some(s) if s.openssl != "-" => s.openssl.to_owned(),
        _ => crate::facts::suite_name(id),
    }
}

/// Words, each once, in their order.
pub(super) fn once(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        if !out.contains(&word) {
            out.push(word);
        }
    }
    out
}

/// `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
