//! How far the evidence reaches, and what of that works.

use crate::facts::Transfer;
use crate::rules::Case;
use crate::trust::NameMatch;

/// What works, never alone: a chain that nobody judged is not said to be good.
pub(super) fn what_works(case: &Case<'_>) -> &'static str {
    let good = case
        .trust
        .is_some_and(|j| j.is_trusted() == Some(true) && j.timing.is_none() && matches!(j.name, NameMatch::Matches));
    let logged_in = case.moved().is_some();
    match case.trust {
        Some(_) if good && logged_in => "TLS handshake, certificate, login and transfers work",
        Some(j) if logged_in && j.is_trusted().is_none() => {
            "TLS, login and transfers work; no list judged the certificate"
        }
        Some(_) if logged_in => "TLS, login and transfers work; the certificate is another matter",
        None if logged_in => "the TLS handshake, login and transfers work",
        Some(_) if good => "TLS handshake and certificate work",
        Some(j) if j.is_trusted().is_none() => "the TLS handshake works; no list judged the certificate",
        Some(_) => "the TLS handshake works; the certificate is another matter",
        None => "the TLS handshake works",
    }
}

/// How far the evidence reaches.
pub(super) fn scope(case: &Case<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if case.control().next().is_some() {
        out.push("control".to_owned());
    }
    if case.is_logged_in() && case.login_was_confirmed() || case.is_logged_in_by_openssl() {
        out.push("login".to_owned());
    }
    let mut moved = case.session_transfers().filter(|t| t.data.is_some()).peekable();
    let uploads = |t: &Transfer<'_>| t.command.is_some_and(|c| matches!(c.verb, "STOR" | "STOU" | "APPE"));
    if moved.peek().is_some() {
        out.push("data".to_owned());
    } else if case.transcript.origin.asked.is_none() && case.session_transfers().any(|t| t.worked()) {
        out.push("transfer-replies".to_owned());
    }
    // In a run of ours uploads become longer: where the last did not come through, they do not work.
    let ours = case.moved().is_some();
    let all: Vec<bool> = moved.filter(|t| uploads(t)).map(Transfer::worked).collect();
    if if ours { all.last() == Some(&true) } else { all.contains(&true) } {
        out.push("upload".to_owned());
    }
    out
}
