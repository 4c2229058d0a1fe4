//! A hello that is odd in one way was refused, where the ordinary one is taken.

use super::audit_checks::{TLS12, act, finding, in_words, listed, show, sure};
use super::prelude::*;
use crate::facts::accepted::accepts;
use crate::facts::accepts::Accepts;
use crate::facts::audited::Question;
use crate::transcript::topics;
use crate::wire::printable_str;
use crate::wire::tls::hello::ServerHello;
use serde_json::json;

pub(super) static RULE: Rule = Rule {
    id: "hello-intolerance",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/hello-intolerance.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "odd-hellos";

/// The words of the check when nothing can be told.
const OPEN: &str = "hellos that are odd in one way";

/// A way of being odd: its topic, its name, who sends such hellos.
struct Odd {
    topic: &'static str,
    name: &'static str,
    who: &'static str,
}

const ODD: [Odd; 7] = [
    Odd {
        topic: topics::LONG,
        name: "more than 1,400 bytes",
        who: "OpenSSL 3.5, Go 1.24 and browsers of today send 1.5 kB and more",
    },
    Odd {
        topic: topics::POST_QUANTUM,
        name: "a post-quantum key",
        who: "OpenSSL 3.5, Go 1.24, Chrome and Firefox offer X25519MLKEM768 first",
    },
    Odd { topic: topics::GREASE, name: "GREASE", who: "Chrome, Edge and what else has BoringSSL send it (RFC 8701)" },
    Odd {
        topic: topics::UNKNOWN_EXTENSION,
        name: "an unknown extension",
        who: "every client of tomorrow has one that is unknown today",
    },
    Odd {
        topic: topics::UNKNOWN_VERSIONS,
        name: "unknown versions",
        who: "Chrome and Edge name one (GREASE); so will whatever follows TLS 1.3",
    },
    Odd {
        topic: topics::FUTURE_VERSION,
        name: "a version of the future",
        who: "a client that knows more has to be answered with what the server knows (RFC 5246, appendix E.1)",
    },
    Odd {
        topic: topics::RECORD_VERSION,
        name: "record version 0303",
        who: "Java since 11 and FileZilla write it on their first record",
    },
];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let asked: Vec<(&Odd, &Question<'_>)> = ODD.iter().filter_map(|o| Some((o, case.answered(o.topic)?))).collect();
    if asked.is_empty() {
        return;
    }
    let accepts = accepts(case.audit).unwrap_or_default();
    let comparable = |(_, q): &&(&Odd, &Question<'_>)| control(case, &accepts, q).is_some();
    let asked: Vec<_> = asked.iter().filter(comparable).copied().collect();
    let refused: Vec<_> = asked.iter().filter(|(_, q)| q.answer.is_refusal()).copied().collect();
    let taken: Vec<String> = asked.iter().filter(|(_, q)| q.is_taken()).map(|(o, _)| o.name.to_owned()).collect();
    match (refused.as_slice(), taken.as_slice()) {
        ([], []) => sink.untested(CHECK, OPEN, "no ordinary hello was taken that they could be compared with"),
        ([], taken) => sink.passed(CHECK, "odd hellos are taken", &taken.join(", ")),
        (refused, _) => found(case, sink, refused, &taken),
    }
}

/// The ordinary hello that was taken, and that offers nothing that decides and the odd one lacks.
fn control<'a>(case: &Case<'a>, accepts: &Accepts, odd: &Question<'_>) -> Option<&'a Question<'a>> {
    let offered = odd.hello?;
    let (suites, groups) = (offered.real_suites(), offered.groups());
    let fits = |q: &Question<'_>, h: &ServerHello| {
        let taken = accepts.of(h.negotiated()).map(|v| v.groups.taken.as_slice()).unwrap_or_default();
        let group = h.group().or_else(|| q.exchange().and_then(|x| x.group));
        suites.contains(&h.suite)
            && group.is_none_or(|g| groups.contains(&g) || taken.iter().any(|t| groups.contains(t)))
    };
    // A hello that names its version in the old field alone is one of TLS 1.2 at most, with the suites of that.
    let of_old = odd.topic() == topics::FUTURE_VERSION;
    let is_control = |q: &Question<'_>, h: &ServerHello| match of_old {
        true => q.topic() == topics::SUITES && h.negotiated() <= TLS12,
        false => q.topic() == topics::CONTROL,
    };
    case.choices().find(|(q, h)| is_control(q, h) && fits(q, h)).map(|(q, _)| q)
}

fn found(case: &Case<'_>, sink: &mut Sink<'_>, refused: &[(&Odd, &Question<'_>)], taken: &[String]) {
    // A post-quantum hello is long as well: its length explains it.
    let by_length = refused.iter().any(|(o, _)| o.topic == topics::LONG);
    let counts = |o: &Odd| !(by_length && o.topic == topics::POST_QUANTUM);
    let names: Vec<String> = refused.iter().filter(|(o, _)| counts(o)).map(|(o, _)| o.name.to_owned()).collect();
    let sure = refused.iter().map(|(_, q)| sure(q.answer)).max().unwrap_or(Confidence::Likely);
    let mut f = finding(case, sink, sure, &format!("refuses hellos with {}", listed(&names)));
    if f.headline.len() >= LONGEST {
        f.headline = format!("the server refuses hellos for {} harmless oddities", names.len());
    }
    let answers = refused.iter().map(|(o, q)| json!({ "hello": o.name, "answer": in_words(q.answer) }));
    f.set("refused", answers.collect::<Vec<_>>()).set("taken", taken.to_vec());
    for (odd, q) in refused {
        show(sink, &mut f, q, odd.name);
        f.why.push(format!("With {}: {}. {}.", odd.name, in_words(q.answer), odd.who));
    }
    f.why.push("The ordinary hello, the same without that, is taken.".to_owned());
    if sure == Confidence::Likely {
        f.why.push("Who says nothing may have had another reason: ask again.".to_owned());
    }
    let is = |topic: &str| refused.iter().find(|(o, _)| o.topic == topic);
    let because = "tried out: a hello that is odd in this alone was refused";
    let host = case.transcript.origin.asked.as_ref().map_or_else(String::new, |a| printable_str(&a.target));
    let again = format!("ftpsdiag audit --only intolerances {host}, after the change");
    let mut name = |id: &str, headline: &str| {
        let cause = causes::tried(id, headline.to_owned(), because, again.trim());
        f.causes.push(super::Cause { confidence: sure, ..cause });
    };
    if by_length {
        name("client-hello-too-large", "hellos of more than one packet are not read");
    }
    let is_unknown = |o: &Odd| counts(o) && !matches!(o.topic, topics::LONG | topics::RECORD_VERSION);
    if refused.iter().any(|(o, _)| is_unknown(o)) {
        name("extension-intolerance", "it dislikes what a hello has beside what it knows");
    }
    f.act = act("update its TLS library, or what stands in front of it and reads hellos");
    f.tell(Party::Server, AdviceKind::Lasting, "update the TLS library: what it does not know it has to ignore");
    f.tell(Party::Between, AdviceKind::Check, "audit once more from inside: is it a firewall or proxy that refuses?");
    if by_length || is(topics::POST_QUANTUM).is_some() {
        f.tell(Party::Client, AdviceKind::Tonight, "a smaller hello: no post-quantum groups, or TLS 1.2 at most");
    }
    sink.report(f);
}

/// Of a headline.
const LONGEST: usize = 72;
