//! The server compresses what it encrypts (CRIME).

use super::audit_checks::{TLS12, act, finding, in_words, show};
use super::prelude::*;
use crate::facts::audited::Answered;
use crate::facts::version_name;
use crate::transcript::topics;

pub(super) static RULE: Rule = Rule {
    id: "compression-offered",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/compression-offered.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "compression";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    if let Some((q, hello)) = case.choices().find(|(_, h)| h.compression != 0) {
        let mut f = finding(case, sink, Confidence::Certain, "compresses inside TLS where a client offers it");
        f.set("method", hello.compression).set("version", version_name(hello.negotiated()));
        show(sink, &mut f, q, "offers DEFLATE beside no compression");
        f.why.push(
            "Lengths of what is compressed give secrets away to who can send text beside them (CRIME).".to_owned(),
        );
        f.why.push("No client of today offers it, and TLS 1.3 has none: no transfer depends on it.".to_owned());
        f.act = act("update its TLS library; OpenSSL since 1.1.0 leaves compression off");
        f.tell(Party::Server, AdviceKind::Lasting, "until then a build of OpenSSL without zlib");
        return sink.report(f);
    }
    let Some(q) = case.answered(topics::COMPRESSION) else { return };
    match q.answer {
        Answered::Chose(h) if h.negotiated() <= TLS12 => {
            sink.passed(CHECK, "no compression inside TLS", "it was offered, and not taken");
        }
        // A hello of TLS 1.3 that offers any has to be refused.
        _ if q.hello.is_some_and(|h| h.highest_version() > TLS12) => {
            sink.untested(CHECK, "compression inside TLS", "asked in TLS 1.3 alone, which has none");
        }
        answer => sink.untested(CHECK, "compression inside TLS", &in_words(answer)),
    }
}
