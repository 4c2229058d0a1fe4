//! What questions to the endpoint add to a finding: a cause that was tried out stands before those that are inferred.

use super::finding::{Act, AdviceKind, Cause, Finding, Party};
use super::sink::fitting;
use super::{Case, causes};
use crate::facts::{Answer, Came, version_name};

/// Findings about a ClientHello that was refused.
const REFUSALS: [&str; 5] = [
    "closed-during-handshake",
    "fatal-alert",
    "plaintext-instead-of-tls",
    "reset-during-handshake",
    "silence-during-handshake",
];

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// Adds to a finding what the answers prove.
pub(super) fn settle(case: &Case<'_>, f: &mut Finding) {
    if !REFUSALS.contains(&f.id.as_str()) {
        return;
    }
    let asked: Vec<&Answer> = case.facts.answers.iter().filter(|a| !matches!(a.came, Came::NotAsked)).collect();
    for answer in &asked {
        f.why.push(format!("asked with {}: {}", answer.changed.join(", "), answer.describe()));
    }
    let let_in = asked.iter().find_map(|a| match a.came {
        Came::Hello { version, .. } => Some((*a, version)),
        _ => None,
    });
    if let Some((answer, version)) = let_in {
        let (cause, act, headlines) = explain(case, answer, version);
        f.headline = fitting(&headlines);
        f.causes.retain(|c| c.id != cause.id);
        f.causes.insert(0, cause);
        f.act = Some(act);
        advise(case, f, version);
    }
}

fn explain(case: &Case<'_>, answer: &Answer, version: u16) -> (Cause, Act, Vec<String>) {
    let because = "tried out: another hello, changed in this alone, was answered with a ServerHello";
    let again = match case.transcript.origin.asked.as_ref() {
        Some(asked) => format!("ftpsdiag probe {}, after the change", asked.target),
        None => "the same probe, after the change".to_owned(),
    };
    let tried = |id, headline: String| causes::tried(id, headline, because, &again);
    let server = |text: String| Act { party: Party::Server, text };
    let endpoint = case.endpoint();
    if answer.changes("no server name") {
        let act = server("server: accept this name; until then the client sends none, or one that is known".to_owned());
        let headlines = [
            format!("{endpoint} refuses the server name that is sent to it (SNI)"),
            "the server refuses the server name that is sent to it (SNI)".to_owned(),
        ];
        return (tried("sni-rejected", "the server refuses the name that is sent".to_owned()), act, headlines.to_vec());
    }
    if version < TLS12 {
        let best = version_name(version);
        let act = server(format!("server: switch TLS 1.2 on; only clients that still speak {best} get in"));
        let headlines = [
            format!("{endpoint} speaks {best} at most: refused TLS 1.3 and TLS 1.2"),
            format!("the server speaks {best} at most: refused TLS 1.3 and TLS 1.2"),
        ];
        let cause = tried("client-tls-version-refused", format!("the server speaks {best} at most"));
        return (cause, act, headlines.to_vec());
    }
    let act = server("server: allow ECDHE with AES-GCM; only clients with old suites get in".to_owned());
    let headlines = [
        format!("{endpoint} accepts old cipher suites only: refused ECDHE with AES-GCM"),
        format!("{endpoint} accepts old cipher suites only"),
        "the server accepts old cipher suites only: refused ECDHE with AES-GCM".to_owned(),
    ];
    (tried("no-shared-cipher", "the server accepts old cipher suites only".to_owned()), act, headlines.to_vec())
}

fn advise(case: &Case<'_>, f: &mut Finding, version: u16) {
    let need = if version < TLS12 { "enable-tls12" } else { "choose-suites" };
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise(need, &product.id);
    }
    if f.advice.len() == before && version < TLS12 {
        f.tell(Party::Server, AdviceKind::Lasting, "switch TLS 1.2 on; an OpenSSL before 1.0.1 has none: update it");
    } else if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, "add ECDHE suites with AES-GCM to the server's list");
    }
}
