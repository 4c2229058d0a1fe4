//! What questions to the endpoint add to a finding: a cause that was tried out stands before those that are inferred.

use super::finding::{Act, AdviceKind, Cause, Confidence, Finding, Party};
use super::sink::fitting;
use super::{Case, causes};
use crate::decode::Kind;
use crate::facts::audited::Answered;
use crate::facts::{Answer, Came, version_name};
use crate::wire::tls::handshake::Message;

/// Findings about a ClientHello that was refused.
const REFUSALS: [&str; 5] = [
    "closed-during-handshake",
    "fatal-alert",
    "plaintext-instead-of-tls",
    "reset-during-handshake",
    "silence-during-handshake",
];

/// Those that do not say why.
const WORDLESS: [&str; 3] = ["closed-during-handshake", "reset-during-handshake", "silence-during-handshake"];

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// Adds to a finding what the answers prove.
pub(super) fn settle(case: &Case<'_>, f: &mut Finding) {
    if !REFUSALS.contains(&f.id.as_str()) {
        return;
    }
    // Other connections were opened for other reasons: an address, the manner in which TLS begins.
    let about_hellos = |a: &&Answer| {
        a.changed.first().is_some_and(|c| ["TLS 1.", "groups ", "signature "].iter().any(|b| c.starts_with(b)))
    };
    let asked = case.facts.answers.iter().filter(about_hellos).filter(|a| !matches!(a.came, Came::NotAsked));
    let asked: Vec<&Answer> = asked.collect();
    for answer in &asked {
        f.why.push(format!("asked with {}: {}", answer.changed.join(", "), answer.describe()));
    }
    if let Some(version) = spoken_version(case) {
        let (cause, act, headlines) = too_old(case, version, "its ServerHello says so");
        f.headline = fitting(&headlines);
        f.party = Party::Server;
        f.causes.insert(0, cause);
        f.act = Some(act);
        advise(case, f, version);
        return;
    }
    // An audit that was let in by TLS 1.3 shows that nothing dislikes it.
    let takes_tls13 = case.audit.iter().any(|q| matches!(q.answer, Answered::Chose(h) if h.negotiated() == TLS13));
    let is_refuted = |a: &Answer| takes_tls13 && a.changed == ["TLS 1.2 at most"];
    let let_in = asked.iter().filter(|a| !is_refuted(a)).find_map(|a| match a.came {
        Came::Hello { version, .. } => Some((*a, version)),
        _ => None,
    });
    if takes_tls13 {
        f.why.push("A later hello of TLS 1.3 was answered: what ended the first one was nothing in it.".to_owned());
    }
    if let Some((answer, version)) = let_in {
        let (mut cause, act, headlines) = explain(case, answer, version);
        if WORDLESS.contains(&f.id.as_str()) {
            // An end without a word may have had a reason of its own: the first hello was not sent again.
            cause.confidence = cause.confidence.min(Confidence::Likely);
        }
        f.headline = fitting(&headlines);
        // What dislikes TLS 1.3 may stand in between.
        f.party = if cause.id == "extension-intolerance" { f.party } else { act.party };
        // One change was enough: what would explain the refusal otherwise is out.
        f.causes = vec![cause];
        f.why.retain(|w| !w.starts_with("Alert ")); // what the alert may mean is no longer the question
        f.act = Some(act);
        f.advice.retain(|a| !a.text.starts_with("the server's TLS log"));
        advise(case, f, version);
    } else if !asked.is_empty() && !takes_tls13 {
        // Nobody was let in: what would be different about this client is no longer the best guess.
        for cause in f.causes.iter_mut().filter(|c| c.id == "no-shared-cipher") {
            cause.confidence = Confidence::Possible;
        }
        let text = format!("server: its TLS log of that second; {} other hellos were not let in either", asked.len());
        // A name that was not sent, and that nobody could send here, is still the client's to add.
        if f.causes.first().is_none_or(|c| c.id != "sni-required") {
            f.act = Some(Act { party: Party::Server, text });
        }
    }
}

/// What an answer shows: the cause and its headline, who does what, and what the server does.
struct Shown {
    id: &'static str,
    headline: &'static str,
    act: (Party, &'static str),
    /// Behind the server's name.
    does: &'static str,
}

/// By what was changed in the hello that was let in.
fn shown(answer: &Answer) -> Shown {
    let begins = |word: &str| answer.changed.first().is_some_and(|c| c.starts_with(word));
    if answer.changes("no server name") {
        return Shown {
            id: "sni-rejected",
            headline: "the server refuses the name that is sent",
            act: (Party::Server, "server: accept this name; until then the client sends none, or one that is known"),
            does: "refuses the server name that is sent to it (SNI)",
        };
    }
    if answer.changes("the server's name") {
        return Shown {
            id: "sni-required",
            headline: "the server wants to be told its name (SNI)",
            act: (Party::Client, "client: send the server's name (SNI); here, leave --no-sni out"),
            does: "refuses a hello without its name (SNI)",
        };
    }
    if begins("groups ") {
        return Shown {
            id: "no-shared-group",
            headline: "the server accepts uncommon groups only",
            act: (Party::Server, "server: allow x25519 or secp256r1 (P-256), which nearly every client has"),
            does: "accepts none of the common groups (x25519, P-256, P-384)",
        };
    }
    if begins("signature ") {
        return Shown {
            id: "missing-signature-algorithms",
            headline: "the server has uncommon signature algorithms only",
            act: (Party::Server, "server: a certificate with an RSA or P-256 key, and signatures with SHA-256"),
            does: "signs only as many clients do not accept (P-521, SHA-1)",
        };
    }
    if answer.changed == ["TLS 1.2 at most"] {
        return Shown {
            id: "extension-intolerance",
            headline: "something dislikes what TLS 1.3 adds to a hello",
            act: (
                Party::Server,
                "server: mend what it does with TLS 1.3 hellos; until then clients limit themselves to TLS 1.2",
            ),
            does: "refuses a TLS 1.3 hello, and answers one of TLS 1.2",
        };
    }
    Shown {
        id: "no-shared-cipher",
        headline: "the server accepts old cipher suites only",
        act: (Party::Server, "server: allow ECDHE with AES-GCM; only clients with old suites get in"),
        does: "accepts old cipher suites only",
    }
}

fn explain(case: &Case<'_>, answer: &Answer, version: u16) -> (Cause, Act, Vec<String>) {
    let about_the_name = answer.changes("no server name") || answer.changes("the server's name");
    if version < TLS12 && !about_the_name {
        let because = if answer.changes("TLS 1.1 at most") {
            "tried out: a hello of TLS 1.1 was answered"
        } else {
            "tried out: a hello with older suites was answered with that version, though TLS 1.2 was offered"
        };
        return too_old(case, version, because);
    }
    let shown = shown(answer);
    let because = "tried out: another hello, changed in this alone, was answered with a ServerHello";
    let cause = causes::tried(shown.id, shown.headline.to_owned(), because, &again(case));
    let (party, text) = shown.act;
    let headlines = [format!("{} {}", case.endpoint(), shown.does), format!("the server {}", shown.does)];
    (cause, Act { party, text: text.to_owned() }, headlines.to_vec())
}

/// The version of the session's ServerHello, when it is one that our own client does not speak.
fn spoken_version(case: &Case<'_>) -> Option<u16> {
    case.transcript.origin.asked.as_ref()?;
    case.control().find_map(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(h)) if h.negotiated() < TLS12 => Some(h.negotiated()),
        _ => None,
    })
}

fn too_old(case: &Case<'_>, version: u16, because: &str) -> (Cause, Act, Vec<String>) {
    let best = version_name(version);
    let text = format!("server: switch TLS 1.2 on; until then only clients that speak {best} get in");
    let headlines = vec![
        format!("{} speaks {best} at most: refused TLS 1.3 and TLS 1.2", case.endpoint()),
        format!("the server speaks {best} at most: refused TLS 1.3 and TLS 1.2"),
    ];
    let headline = format!("the server speaks {best} at most");
    let cause = causes::tried("client-tls-version-refused", headline, because, &again(case));
    (cause, Act { party: Party::Server, text }, headlines)
}

fn again(case: &Case<'_>) -> String {
    match case.transcript.origin.asked.as_ref() {
        Some(asked) => format!("ftpsdiag probe {}, after the change", crate::wire::printable_str(&asked.target)),
        None => "the same probe, after the change".to_owned(),
    }
}

fn advise(case: &Case<'_>, f: &mut Finding, version: u16) {
    let need = match f.causes.first().map(|c| c.id.as_str()) {
        Some("extension-intolerance") => return limit_to_tls12(f),
        Some("sni-required") => return,
        Some("missing-signature-algorithms") => "fix-certificate",
        Some("no-shared-group") => "choose-groups",
        _ if version < TLS12 => "enable-tls12",
        _ => "choose-suites",
    };
    if version < TLS12 {
        let text = format!(
            "a client that still has {} gets in; most have it switched off, and it is unsafe",
            version_name(version)
        );
        f.tell(Party::Client, AdviceKind::Tonight, text);
    }
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise(need, &product.id);
    }
    if f.advice.len() == before && version < TLS12 {
        f.tell(Party::Server, AdviceKind::Lasting, "switch TLS 1.2 on; an OpenSSL before 1.0.1 has none: update it");
    } else if f.advice.len() == before && need == "fix-certificate" {
        f.tell(
            Party::Server,
            AdviceKind::Lasting,
            "a certificate with an RSA (2048) or P-256 key, signed with SHA-256",
        );
    } else if f.advice.len() == before && need == "choose-groups" {
        f.tell(Party::Server, AdviceKind::Lasting, "add x25519 and secp256r1 (P-256) to the server's groups (curves)");
    } else if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, "add ECDHE suites with AES-GCM to the server's list");
    }
}

fn limit_to_tls12(f: &mut Finding) {
    f.tell(Party::Client, AdviceKind::Tonight, "limit the client to TLS 1.2 for this partner");
    f.tell(
        Party::Server,
        AdviceKind::Lasting,
        "update the TLS library: a server without TLS 1.3 has to ignore what it adds",
    );
    f.tell(Party::Between, AdviceKind::Check, "a firewall or proxy that reads hellos: does it know TLS 1.3?");
}
