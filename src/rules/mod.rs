//! The registry. One rule, one file, one page.
//!
//! A rule looks at a [`Case`] and says what it finds; it cannot see the network, the clock or the terminal.
//! A *finding* is a fact with its bytes, a *cause* a ranked explanation with its reasons and what would settle it.

mod addresses;
mod advise;
mod alerts;
mod alpn_not_strict;
mod already;
mod arranging;
mod audit_checks;
mod auth_accepted_twice;
mod auth_refused;
mod auth_reply_unusual;
mod banner_refuses;
mod both_sides;
mod by_words;
mod case;
pub mod causes;
mod ccc_breaks_data;
mod ccc_refused;
mod ccc_unseen;
mod certificate_chain_incomplete;
mod certificate_expired;
mod certificate_name_mismatch;
mod certificate_not_yet_valid;
mod certificate_revoked;
mod certificate_self_signed;
mod certificate_untrusted;
mod certificate_weak;
mod certificate_wrong_usage;
mod certificates;
mod checks;
mod client_auth;
mod client_certificate_refused;
mod client_certificate_requested;
mod client_certificate_required;
mod client_tls_not_initialised;
mod closed_during_handshake;
mod compression_offered;
mod connect_failed;
mod control_connection_lost;
mod data_certificate_differs;
mod data_checks;
mod data_close_notify_missing;
mod data_closed_before_handshake;
mod data_connect_back_failed;
mod data_connect_failed;
mod data_empty_transfer_fails;
mod data_end_hangs;
mod data_fatal_alert;
mod data_plaintext_instead_of_tls;
mod data_protection_required;
mod data_reset;
mod data_session_not_resumed;
mod data_session_reuse_hidden;
mod data_session_reuse_required;
mod data_sessions;
mod data_shake;
mod data_silence_during_handshake;
mod data_truncated;
mod denied;
mod end_checks;
mod endings;
mod epsv_malformed;
mod epsv_refused;
mod exchanges;
mod experiments;
mod extended_master;
mod extra_plaintext_before_tls;
mod fatal_alert;
mod finding;
mod handshake_refused_by_client;
mod handshake_refused_by_server;
mod hello_intolerance;
mod hidden_replies;
mod in_between;
mod legacy_tls_offered;
mod login_in_clear_offered;
mod login_refused;
mod malformed_tls;
mod misreading;
mod no_banner;
mod no_forward_secrecy;
mod not_ftp;
mod other_certificate_refused;
pub mod pages;
mod parameters;
mod passive_ports;
mod pasv_bad_port;
mod pasv_foreign_address;
mod pasv_private_address;
mod pasv_refused;
mod pbsz_refused;
mod phase;
mod plaintext_inside_tls;
mod plaintext_instead_of_tls;
mod plaintext_on_implicit_port;
mod port_refused;
mod prot_clear_refused;
mod prot_refused;
mod renegotiation_not_secure;
mod replies;
mod reset_during_handshake;
mod retrying;
mod session_tickets_exhausted;
mod settings;
mod silence_during_handshake;
mod sink;
mod sni_not_strict;
mod starttls_injection;
mod text_after_failed_handshake;
mod tls_after_banner;
mod tls_on_explicit_port;
mod tls_required_by_server;
mod told;
mod unopened;
mod weak_cipher_offered;
mod weak_key_exchange_offered;
mod words;
mod zos_advice;
mod zos_codes;

pub use case::{Case, OtherCertificate};
pub use causes::CausePage;
pub use finding::{
    Act, Advice, AdviceKind, Ask, Cause, Check, CheckResult, Confidence, Evidence, Finding, PartOut, Party, Severity,
};

pub use replies::{DataReply, data_reply};
pub use sink::Sink;

use crate::decode::{Event, Kind};
use crate::transcript::{ConnId, Role, Side, Span, Tied};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id, which is that of its findings and the name of its page.
    pub id: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// Findings that become mere consequences beside one of these.
    pub outranks: &'static [&'static str],
    /// The page: meaning, for whom, what to do, and examples that are run as tests.
    pub page: &'static str,
    /// Looks.
    pub check: fn(&Case<'_>, &mut Sink<'_>),
}

/// All rules, in alphabetical order.
pub static ALL: &[&Rule] = &[
    &alpn_not_strict::RULE,
    &auth_accepted_twice::RULE,
    &auth_refused::RULE,
    &auth_reply_unusual::RULE,
    &banner_refuses::RULE,
    &ccc_breaks_data::RULE,
    &ccc_refused::RULE,
    &certificate_chain_incomplete::RULE,
    &certificate_expired::RULE,
    &certificate_name_mismatch::RULE,
    &certificate_not_yet_valid::RULE,
    &certificate_revoked::RULE,
    &certificate_self_signed::RULE,
    &certificate_untrusted::RULE,
    &certificate_weak::RULE,
    &certificate_wrong_usage::RULE,
    &client_certificate_refused::RULE,
    &client_certificate_requested::RULE,
    &client_certificate_required::RULE,
    &client_tls_not_initialised::RULE,
    &closed_during_handshake::RULE,
    &compression_offered::RULE,
    &connect_failed::RULE,
    &control_connection_lost::RULE,
    &data_certificate_differs::RULE,
    &data_close_notify_missing::RULE,
    &data_closed_before_handshake::RULE,
    &data_connect_back_failed::RULE,
    &data_connect_failed::RULE,
    &data_empty_transfer_fails::RULE,
    &data_end_hangs::RULE,
    &data_fatal_alert::RULE,
    &data_plaintext_instead_of_tls::RULE,
    &data_protection_required::RULE,
    &data_reset::RULE,
    &data_session_not_resumed::RULE,
    &data_session_reuse_required::RULE,
    &data_silence_during_handshake::RULE,
    &data_truncated::RULE,
    &epsv_malformed::RULE,
    &epsv_refused::RULE,
    &extra_plaintext_before_tls::RULE,
    &fatal_alert::RULE,
    &handshake_refused_by_client::RULE,
    &handshake_refused_by_server::RULE,
    &hello_intolerance::RULE,
    &legacy_tls_offered::RULE,
    &login_in_clear_offered::RULE,
    &login_refused::RULE,
    &malformed_tls::RULE,
    &no_banner::RULE,
    &no_forward_secrecy::RULE,
    &not_ftp::RULE,
    &other_certificate_refused::RULE,
    &pasv_bad_port::RULE,
    &pasv_foreign_address::RULE,
    &pasv_private_address::RULE,
    &pasv_refused::RULE,
    &pbsz_refused::RULE,
    &plaintext_inside_tls::RULE,
    &plaintext_instead_of_tls::RULE,
    &plaintext_on_implicit_port::RULE,
    &port_refused::RULE,
    &prot_clear_refused::RULE,
    &prot_refused::RULE,
    &renegotiation_not_secure::RULE,
    &reset_during_handshake::RULE,
    &session_tickets_exhausted::RULE,
    &silence_during_handshake::RULE,
    &sni_not_strict::RULE,
    &starttls_injection::RULE,
    &text_after_failed_handshake::RULE,
    &tls_after_banner::RULE,
    &tls_on_explicit_port::RULE,
    &tls_required_by_server::RULE,
    &weak_cipher_offered::RULE,
    &weak_key_exchange_offered::RULE,
];

/// Runs all rules; findings in the order of the registry, with the checks that they reported.
pub fn run(case: &Case<'_>) -> (Vec<Finding>, Vec<Check>) {
    let (mut findings, mut checks) = (Vec::new(), if case.whole { checks::checks(case) } else { Vec::new() });
    if case.is_logged_in() && !case.login_was_confirmed() {
        checks.retain(|c| c.id != "login");
    }
    for rule in ALL {
        let mut sink = Sink::new(case, rule);
        (rule.check)(case, &mut sink);
        let (mut found, checked) = sink.finish();
        checks.extend(checked);
        if found.is_empty() {
            continue;
        }
        found.iter_mut().for_each(|f| experiments::settle(case, f));
        found.iter_mut().for_each(|f| f.place = f.place.or_else(|| last_evidence(case, f)));
        found.iter_mut().for_each(|f| alerts::name(case, f));
        found.iter_mut().for_each(|f| doubt(case, f));
        found.iter_mut().for_each(|f| untie(case, f));
        found.iter_mut().for_each(|f| disorder(case, f));
        found.iter_mut().for_each(|f| settings::explain(case, f));
        found.iter_mut().for_each(|f| already::leave_out(case, f));
        // As rules name them, the likeliest first.
        found.iter_mut().for_each(|f| f.causes.sort_by_key(|c| core::cmp::Reverse(c.confidence)));
        findings.extend(found);
    }
    if case.whole {
        checks.extend(settings::checks(case, &findings));
    }
    (findings, checks)
}

/// The event that holds the last of a finding's bytes.
fn last_evidence(case: &Case<'_>, f: &Finding) -> Option<usize> {
    let is_in = |span: &Span, e: &Evidence| {
        (span.flow.conn.0, span.flow.layer, span.flow.from) == (e.conn, e.layer, e.from)
            && (span.start..span.end).contains(&e.start)
    };
    let holds = |span: Span| f.evidence.iter().any(|e| is_in(&span, e));
    case.timeline.events.iter().rposition(|e| e.span.is_some_and(holds))
}

/// Where bytes were missing before a finding shows, on its connection or on the one that this belongs to, they may have said
/// what explains it: nothing is certain then.
fn doubt(case: &Case<'_>, f: &mut Finding) {
    let Some((place, shown)) = f.place.and_then(|n| Some((n, case.timeline.events.get(n)?))) else { return };
    let of = case.transcript.conn(shown.conn).and_then(|c| match c.role {
        Role::Data { of } => Some(of),
        Role::Control => None,
    });
    let counts = |e: &Event| (e.conn == shown.conn || Some(e.conn) == of) && case.is_missing(e);
    if f.confidence == Confidence::Certain && case.timeline.events.iter().take(place).any(counts) {
        f.confidence = Confidence::Likely;
        f.why.push("Bytes are missing before it: what they said is not known.".to_owned());
    }
}

/// Where the order of the packets is lost, nothing is known to answer anything else, nor to have ended it.
fn disorder(case: &Case<'_>, f: &mut Finding) {
    if case.order_is_lost() {
        (f.confidence, f.ended) = (Confidence::Possible, false);
        f.why.push("The packets of this capture are out of order: it may have answered something else.".to_owned());
    }
}

/// What shows on a data connection is no surer than that the connection belongs to the session.
fn untie(case: &Case<'_>, f: &mut Finding) {
    let shown = f.place.and_then(|n| case.timeline.events.get(n)).map(|e| e.conn);
    let mut about = f.evidence.iter().map(|e| ConnId(e.conn)).chain(shown);
    let is_likely = |id: &ConnId| case.transcript.conn(*id).is_some_and(|c| c.tied == Some(Tied::Likely));
    let Some(conn) = about.find(is_likely) else { return };
    if f.confidence == Confidence::Certain {
        f.confidence = Confidence::Likely;
        f.why.push("That the data connection belongs to this session is known by address and time alone.".to_owned());
    }
    if f.severity == Severity::Failure && !may_be_announced(case, conn) {
        f.severity = Severity::Warning;
        f.why.push(
            "The replies before it are too short to be one to PASV or EPSV: the connection may be another program's."
                .to_owned(),
        );
    }
}

/// Bytes of the shortest encrypted record that may hold a reply to PASV or EPSV: 38 of text, and a tag.
const ANNOUNCES: u16 = 54;

/// Whether what the server had said before the client dialled may have named the port: its last reply, or the one before, where the
/// client asked for the transfer first.
fn may_be_announced(case: &Case<'_>, conn: ConnId) -> bool {
    let before = case.timeline.events.iter().take_while(|e| e.conn != conn);
    let control = case.control().next().map(|e| e.conn);
    let said = |e: &&Event| e.from() == Some(Side::Server) && !matches!(e.kind, Kind::Skipped);
    let said: Vec<&Event> = before.filter(|e| Some(e.conn) == control).filter(said).collect();
    let is_short = |e: &&Event| matches!(e.kind, Kind::Opaque { len, .. } if len < ANNOUNCES);
    data_connect_failed::was_dialled_by_server(case, conn) || !said.iter().rev().take(2).all(is_short)
}

/// What every rule needs.
mod prelude {
    pub(super) use super::finding::{Act, AdviceKind, Confidence, Finding, Party, Severity};
    pub(super) use super::{Case, Rule, Sink, causes};
    pub(super) use crate::decode::{Event, Kind};
    pub(super) use crate::transcript::{Code, Side};
}
