//! Commands inside TLS with their answers: what a session comes to behind its handshake.

use super::finding::{Confidence, Finding, Party};
use super::phase::probably;
use super::{Case, Sink, zos_codes};
use crate::decode::{Event, Kind, Reply};
use crate::transcript::Layer;

/// A command and the final reply to it.
pub(super) struct Exchange<'a> {
    /// The command.
    pub(super) command: &'a Event,
    /// Its verb, in upper case.
    pub(super) verb: &'a str,
    /// What stands behind the verb, as printable ASCII.
    pub(super) argument: &'a str,
    /// The reply.
    pub(super) answer: &'a Event,
    /// The same, read.
    pub(super) reply: &'a Reply,
}

impl Exchange<'_> {
    /// Whether the server said yes, or asked for more.
    pub(super) fn is_accepted(&self) -> bool {
        self.reply.code < 400
    }

    /// Whether one of these words stands in the reply, in any case.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        let text = self.reply.text.to_ascii_lowercase();
        words.iter().any(|w| text.contains(w))
    }
}

impl<'a> Case<'a> {
    /// The session's exchanges inside TLS, in order. Those of our own runs begin with the login: what a server refuses before
    /// it tells nothing about transfers. Where a command was sent before the one before it was answered, nobody knows which of
    /// the two a reply is to.
    pub(super) fn exchanges(&self) -> Vec<Exchange<'a>> {
        self.exchanges_on(Layer::InsideTls)
    }

    /// The same of what travelled inside TLS, or in clear.
    pub(super) fn exchanges_on(&self, layer: Layer) -> Vec<Exchange<'a>> {
        let mut out: Vec<Exchange<'a>> = Vec::new();
        let mut begun = self.asked().is_none();
        let mut open: Option<(&Event, &str, &str)> = None;
        let mut crossed = false;
        for e in self.control().filter(|e| e.span.is_some_and(|s| s.flow.layer == layer)) {
            match &e.kind {
                Kind::Command { verb, line } => {
                    let argument = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
                    crossed = open.replace((e, verb, argument)).is_some();
                }
                Kind::Reply(reply) if reply.whole && reply.code >= 200 => {
                    let Some((command, verb, argument)) = open.take() else { continue };
                    begun |= matches!(verb, "USER" | "PASS");
                    if begun && !crossed {
                        out.push(Exchange { command, verb, argument, answer: e, reply });
                    }
                }
                _ => {}
            }
        }
        out
    }
}

impl Case<'_> {
    /// Whether the reply that took the session's login came to its end: `230-` alone may go on for ever.
    pub fn login_was_confirmed(&self) -> bool {
        let mut last = "";
        self.control().any(|e| match &e.kind {
            Kind::Command { verb, .. } => {
                last = verb;
                false
            }
            Kind::Reply(r) => r.whole && matches!(last, "USER" | "PASS" | "ACCT") && matches!(r.code, 202 | 230 | 232),
            _ => false,
        })
    }
}

/// The finding of a refused command; `headlines` get `probably ` where it is not certain.
pub(super) fn refused(
    case: &Case<'_>,
    no: &Exchange<'_>,
    party: Party,
    headlines: impl FnOnce(&str) -> Vec<String>,
    sink: &mut Sink<'_>,
) -> Finding {
    let ended = case.is_closed() || zos_codes::stopped_by(case, no.answer, no.reply.code);
    let confidence = if ended && !case.is_from_log(no.answer) { Confidence::Certain } else { Confidence::Likely };
    let mut f = sink.finding(confidence, party, &headlines(probably(confidence)));
    // The client may try again until the connection ends.
    f.ended = ended;
    f.set("code", no.reply.code).set("text", no.reply.text.as_str());
    f.evidence.extend(sink.evidence(no.command, ""));
    f.evidence.extend(sink.evidence(no.answer, ""));
    f
}
