//! A transfer was refused because it would have gone over a data connection in clear.

use super::exchanges::{Exchange, refused};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "data-protection-required",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake"],
    page: include_str!("../../docs/findings/data-protection-required.md"),
    check,
};

/// Commands that open a data connection.
const TRANSFERS: [&str; 8] = ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU", "SITE"];

/// What servers write; `522` alone may be about session reuse, or about IPv6.
pub(super) const WORDS: [&str; 10] = [
    "policy requires ssl",
    "must be encrypted",
    "required on the data",
    "prot p required",
    "this prot setting",
    "protected data connection",
    "encrypted data connection",
    "required on the data channel",
    "transfer: tls is required",
    "tls connection is required on the data",
];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let turned_away = |x: &&Exchange<'_>| TRANSFERS.contains(&x.verb) && !x.is_accepted() && x.says(&WORDS);
    let Some(no) = all.iter().rfind(turned_away) else { return };
    let again = all.iter().any(|x| x.verb == no.verb && x.is_accepted());
    if again || all.iter().any(|x| x.verb == "PROT" && x.argument.eq_ignore_ascii_case("P") && x.is_accepted()) {
        return; // protected, so that the words mean something else; or it went through in the end
    }
    let (endpoint, verb, code) = (case.endpoint(), no.verb, no.reply.code);
    let headlines = |maybe: &str| {
        vec![
            format!("{endpoint} {maybe}refused {verb} in clear: PROT P is missing ({code})"),
            format!("the server {maybe}refused {verb} in clear: PROT P is missing ({code})"),
        ]
    };
    let mut f = refused(case, no, Party::Client, headlines, sink);
    f.set("command", verb);
    f.why.push("The session is inside TLS; the file would have gone over a data connection in clear.".to_owned());
    f.causes.push(causes::prot_p_not_sent());
    f.act = Some(Act { party: Party::Client, text: "client: PBSZ 0 and PROT P behind the login".to_owned() });
    super::advise::protect_data(case, &mut f);
    f.tell(Party::Server, AdviceKind::Leave, "nothing to change: the policy protects the files");
    sink.report(f);
}
