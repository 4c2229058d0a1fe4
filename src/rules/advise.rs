//! Advice to the client, in the words of its product when that is known.

use super::Case;
use super::finding::{AdviceKind, Finding, Party};

/// What the tables have for the client's product, else what holds for any client.
pub(super) fn client(case: &Case<'_>, f: &mut Finding, need: &str) {
    if !product(case, f, need) {
        f.advise(need, "any");
    }
}

/// How the client comes to protect data connections, where who acts first is told to send PBSZ 0 and PROT P already.
pub(super) fn protect_data(case: &Case<'_>, f: &mut Finding) {
    if !product(case, f, "protect-data") {
        f.advise_briefly("protect-data", "any", "tonight: both behind the login; go on only with 200 to each");
    }
}

/// How the client comes to offer TLS 1.2.
pub(super) fn offer_tls12(case: &Case<'_>, f: &mut Finding) {
    if !product(case, f, "enable-tls12") {
        f.tell(Party::Client, AdviceKind::Lasting, "let the client offer TLS 1.2 or later");
    }
}

/// Whether the tables have anything for the client's product.
fn product(case: &Case<'_>, f: &mut Finding, need: &str) -> bool {
    let before = f.advice.len();
    if let Some(client) = &case.facts.client {
        f.advise(need, client.id);
    }
    f.advice.len() > before
}
