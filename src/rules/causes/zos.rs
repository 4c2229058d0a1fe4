//! Causes that System SSL and AT-TLS name by their return codes. Whose word it is decides who acts: the same number at the
//! server is about the server's ring, or about the client's certificate.

use super::super::case::Claim;
use super::super::client_tls_not_initialised::ENVIRONMENT;
use super::super::finding::{Cause, Confidence, Party};
use super::{
    Case, cause, client_certificate_issuer_unknown, client_certificate_missing, defaults_removed,
    missing_signature_algorithms, no_shared_cipher, no_shared_group, server_policy, stacked_tls, tls_not_initialised,
};
use crate::decode::{Event, Kind};
use crate::transcript::{Code, Side, speakers};
use crate::wire::tls::handshake::Message;

/// AT-TLS: the environment did not come up, and the reason stands in an earlier message.
const ENVIRONMENT_FAILED: u32 = 5006;

/// The port of FTP, where AUTH asks for TLS.
const EXPLICIT: u16 = 21;

/// TLS 1.0: up to here a list of authorities has to hold one at least (RFC 2246, 7.4.4).
const TLS10: u16 = 0x0301;

/// The key ring or key database cannot be opened, or holds nothing of use.
pub(in crate::rules) fn key_ring_unusable(because: String) -> Cause {
    cause("key-ring-unusable", "the key ring cannot be used", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &[
            "RACDCERT LISTRING(ring) ID(owner): does it exist, spelled like this, with the CA certificates?".to_owned(),
            "which user id runs the step, and may it read the ring (IRR.DIGTCERT.LISTRING)?".to_owned(),
        ],
        "no such ring, or an ICH408I for that user id",
    )
}

/// The certificate is there, its key is not.
pub(in crate::rules) fn private_key_unusable(because: String) -> Cause {
    cause("private-key-unusable", "the private key cannot be used", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &["has the certificate a private key, is ICSF up, may the user id use the key?".to_owned()],
        "no private key in the listing, or ICSF started after TCP/IP",
    )
}

/// ICSF failed a handshake: it needs no certificate for that, an ECDHE key pair is enough.
fn icsf_failed(because: String) -> Cause {
    cause("private-key-unusable", "ICSF did not do what the handshake needs", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &["is ICSF up, and may the user id use its services (CSFSERV) and tokens (CRYPTOZ)?".to_owned()],
        "an ICH408I for that user id, or ICSF started after TCP/IP",
    )
}

/// FTP relies on AT-TLS, and no rule matches; or the other way round.
pub(in crate::rules) fn attls_policy_missing(confidence: Confidence, because: String) -> Cause {
    cause("attls-policy-missing", "the AT-TLS policy does not cover this", confidence).because(because).ask(
        Party::Client,
        None,
        &[
            "netstat TTLS CONN during the session: does a TTLSRule match it?".to_owned(),
            "TLSMECHANISM in the FTP.DATA that EZY2640I names".to_owned(),
        ],
        "no rule for the connection, or TLSMECHANISM FTP where AT-TLS is meant",
    )
}

/// A rule of AT-TLS matched, and begins TLS with the first byte, where FTP speaks in clear first.
fn rule_begins_at_once(confidence: Confidence, because: String, at: Party) -> Cause {
    let headline = "the AT-TLS rule begins TLS before FTP asks for it";
    let how = ["the TTLSRule that matched: has its action ApplicationControlled On?".to_owned()];
    let settles = "Off, or not there: then TLS begins with the first byte";
    cause("attls-policy-missing", headline, confidence).because(because).ask(at, None, &how, settles)
}

/// AT-TLS says that it does TLS on a connection to port 21, and does not leave it to FTP (EZD1281I, STATUS).
pub(in crate::rules) fn begins_at_once(case: &Case<'_>, claim: &Claim<'_>) -> Option<Cause> {
    let port = case.transcript.conn(claim.event.conn).and_then(|c| c.peer).map(|p| p.port());
    let maps = |c: &Claim<'_>| c.event.conn == claim.event.conn && attls_status(c) == Some(true);
    let spoke = case.control().any(|e| matches!(e.kind, Kind::Command { .. } | Kind::Reply(_)));
    let at_once = port == Some(EXPLICIT) && !spoke && case.claims().any(|c| maps(&c));
    let because = "EZD1281I has STATUS: Enabled, not Appl Control: TLS begins at once, and port 21 greets in clear";
    at_once.then(|| rule_begins_at_once(Confidence::Likely, because.to_owned(), Party::Client))
}

/// A partner of Db2, MQ or CICS that answers a ClientHello in its own protocol: the port is the one without TLS.
pub(in crate::rules) fn no_tls_there(claim: &Claim<'_>) -> Cause {
    let because = match speakers::program_of(claim.by) {
        speakers::DB2 => "a port of Db2 for DRDA in clear answers a ClientHello with something that is no TLS",
        _ => "a port without TLS answers a ClientHello with something that is no TLS",
    };
    let how = ["which port of the partner is for TLS, and is it the one that was called?".to_owned()];
    let c = cause("wrong-port", "the port called does no TLS", Confidence::Possible).because(because);
    c.ask(Party::Server, None, &how, "the two ports differ")
}

/// What a return code of System SSL or AT-TLS says of the reason, and at which end; the likeliest first.
pub(in crate::rules) fn of_return_code(case: &Case<'_>, claim: &Claim<'_>, rc: u32) -> Vec<Cause> {
    let Some(meaning) = meaning(rc) else { return Vec::new() };
    let (says, server) = (format!("rc {rc}: {meaning}"), claim.is_of_server());
    let mut causes = match rc {
        6 | 7 | 102 | 103 | 106 | 109 | 201 | 202 | 204 | 407 | 408 | 416 => vec![key_ring_unusable(says)],
        428 => vec![private_key_unusable(says)],
        455 | 456 | 457 | 465 => vec![icsf_failed(says)],
        402 => vec![no_shared_cipher(case, claim.event, Confidence::Likely, &says)],
        405 if is_about_curves(case) => {
            vec![no_shared_group(case, claim.event, Confidence::Likely, "the curve of a certificate is not supported")]
        }
        412 => no_common_version(case, says),
        446 => vec![offers_too_much(says)],
        467 | 468 => vec![missing_signature_algorithms(case, claim.event, &says)],
        // Of these the server speaks of the client's certificate.
        8 | 417 | 435 if server => vec![client_certificate_issuer_unknown(Confidence::Likely, says)],
        // A validation may fail for other reasons as well.
        8 => vec![ca_not_in_ring(Confidence::Possible, says)],
        417 | 435 => vec![ca_not_in_ring(Confidence::Likely, says)],
        403 if server => vec![client_certificate_missing(Confidence::Likely, &says)],
        5001 => vec![client_certificate_missing(Confidence::Likely, &says)],
        5002 => vec![server_policy(says)],
        5018 => vec![attls_policy_missing(Confidence::Likely, says)],
        ENVIRONMENT_FAILED => environment_failed(case, claim, says),
        _ => Vec::new(),
    };
    causes.extend(defaults_removed(case, claim, rc));
    // The same reasons as at a client, and the server's administrator is asked.
    if server && ENVIRONMENT.contains(&rc) {
        causes.iter_mut().flat_map(|c| c.ask.iter_mut()).for_each(|ask| ask.party = Party::Server);
    }
    causes
}

/// The code of System SSL that stands before 5006; without it the ring and the policy are as good as each other.
fn environment_failed(case: &Case<'_>, claim: &Claim<'_>, says: String) -> Vec<Cause> {
    let of = |c: &Claim<'_>| match c.code {
        Some(Code::Gsk(rc)) if ENVIRONMENT.contains(rc) && c.side == claim.side => Some(*rc),
        _ => None,
    };
    if let Some(rc) = case.claims().find_map(|c| of(&c)) {
        return of_return_code(case, claim, rc);
    }
    let ring = Cause { confidence: Confidence::Possible, ..key_ring_unusable(says.clone()) };
    vec![ring, attls_policy_missing(Confidence::Possible, says)]
}

/// 405 says that a type of certificate is not supported; only its words tell that it is the curve.
fn is_about_curves(case: &Case<'_>) -> bool {
    case.claims().any(|c| c.text.to_ascii_lowercase().contains("elliptic curve"))
}

/// No version in common, where no hello shows what was offered.
fn no_common_version(case: &Case<'_>, says: String) -> Vec<Cause> {
    if case.facts.offer.is_some() {
        return Vec::new();
    }
    let c = cause("client-tls-version-refused", "no TLS version in common", Confidence::Likely).because(says).ask(
        Party::Client,
        None,
        &["the versions that both ends have switched on; on z/OS GSK_PROTOCOL_TLSV1_2, or TLSv1.2 in the policy"
            .to_owned()],
        "works once TLS 1.2 is on at both ends",
    );
    vec![c]
}

/// Extensions that do not match come with a client that offers more than the server has.
fn offers_too_much(says: String) -> Cause {
    let headline = "the client offers a TLS level that the server lacks";
    cause("client-tls-version-refused", headline, Confidence::Possible).because(says).ask(
        Party::Server,
        None,
        &["the TLS versions that both ends have switched on".to_owned()],
        "the client's highest is above the server's",
    )
}

/// The ring lacks the partner's authority.
pub(in crate::rules) fn ca_not_in_ring(confidence: Confidence, because: String) -> Cause {
    cause("unknown-ca", "the key ring lacks the partner's CA", confidence).because(because).ask(
        Party::Client,
        None,
        &["RACDCERT LISTRING(ring): is the partner's root there, USAGE(CERTAUTH), with TRUST?".to_owned()],
        "it is missing, or the ring was not refreshed after it was added",
    )
}

/// The clock that refused a certificate may be wrong; nothing shows what it read.
pub(in crate::rules) fn clock_may_be_wrong(because: &str) -> Cause {
    cause("clock-wrong", "the clock that judged it is wrong", Confidence::Possible).because(because).ask(
        Party::Client,
        None,
        &["the date, in UTC, of the machine that refused, beside the dates in the certificate".to_owned()],
        "the date lies inside the validity: then the clock was wrong at that moment",
    )
}

fn meaning(rc: u32) -> Option<&'static str> {
    crate::codes::gsk(rc).map(|c| c.meaning).or_else(|| crate::codes::attls(rc).map(|c| c.meaning))
}

/// Whether a claim has words, or a message, that [`of_words`] reads.
pub(in crate::rules) fn may_be_words(claim: &Claim<'_>) -> bool {
    let words = claim.text.to_ascii_lowercase();
    let group_failed = matches!(claim.code, Some(Code::Message(id)) if id == "EZD2042I");
    let is_words = ["no keyring", "jrconndeniedpolicy"].iter().any(|w| words.contains(w)) || is_denied(&words);
    is_words || group_failed || attls_status(claim) == Some(false)
}

/// Words about an environment that never came up, or a connection that no policy covers.
pub(in crate::rules) fn of_words(case: &Case<'_>, claim: &Claim<'_>) -> Vec<Cause> {
    let words = claim.text.to_ascii_lowercase();
    let said = format!("{}: \"{}\"", claim.by, claim.text);
    if words.contains("no keyring") {
        let mut causes = vec![key_ring_unusable(format!("the client's trace: \"{}\"", claim.text))];
        if case.claims().any(|c| c.side == claim.side && says_mechanism(&c, "FTP")) {
            let because = "tlsmech=FTP: FTP looks for a ring of its own, even where AT-TLS was meant to do it";
            causes.push(attls_policy_missing(Confidence::Possible, because.to_owned()));
        }
        return causes;
    }
    let group_failed = matches!(claim.code, Some(Code::Message(id)) if id == "EZD2042I");
    let uncovered = attls_status(claim) == Some(false) && was_to_do_tls(case);
    if is_denied(&words) {
        let because =
            "FTP wants to begin TLS itself, and AT-TLS does not let it: ApplicationControlled is Off".to_owned();
        return vec![attls_policy_missing(Confidence::Likely, because).because(said)];
    }
    if words.contains("jrconndeniedpolicy") || group_failed || uncovered {
        return vec![attls_policy_missing(Confidence::Likely, said)];
    }
    Vec::new()
}

/// Whether a trace of FTP says who was to do TLS: `tlsmech=FTP`, `tlsmech=ATTLS`.
fn says_mechanism(claim: &Claim<'_>, who: &str) -> bool {
    let value = claim.text.split_once("tlsmech=").map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default());
    value == Some(who)
}

/// Whether AT-TLS was wanted: a plain session that nobody meant to secure is in clear as it should be.
fn was_to_do_tls(case: &Case<'_>) -> bool {
    let settings = case.facts.settings.ftp_data("TLSMECHANISM", Side::Client);
    let accepted = case.auth().is_some_and(|auth| {
        let mut replies = case.after(auth).filter_map(|e| if let Kind::Reply(r) = &e.kind { Some(r) } else { None });
        replies.find(|r| r.code >= 200).is_some_and(|r| r.code < 400)
    });
    // Where FTP does its own TLS, AT-TLS keeps out of it.
    let native = |c: &Claim<'_>| says_mechanism(c, "FTP") || c.text.contains("secure_socket_");
    let of_client = || case.claims().filter(|c| !c.is_of_server());
    if of_client().any(|c| native(&c)) || settings.is_some_and(|s| s.is("FTP")) {
        return false;
    }
    let gave_up = |c: &Claim<'_>| matches!(c.code, Some(Code::Message(id)) if id == "EZA2897I");
    let asked = |c: &Claim<'_>| says_mechanism(c, "ATTLS") || c.text.contains("SIOCTTLSCTL") || gave_up(c);
    accepted || settings.is_some_and(|s| s.is("ATTLS")) || of_client().any(|c| asked(&c))
}

/// `ioctl(SIOCTTLSCTL) failed on TTLS_INIT_CONNECTION - EDC5111I Permission denied.`: EACCES, in lower case.
fn is_denied(words: &str) -> bool {
    let ioctl = words.contains("siocttlsctl") || words.contains("ttls_init_connection");
    ioctl && ["edc5111i", "permission denied", "eacces"].iter().any(|w| words.contains(w))
}

/// What AT-TLS says of a connection when it maps it to a rule: whether it does TLS there. `None` when it says nothing, or
/// leaves it to the application.
fn attls_status(claim: &Claim<'_>) -> Option<bool> {
    let maps = matches!(claim.code, Some(Code::Message(id)) if id == "EZD1281I");
    if claim.is_of_server() || !maps && speakers::program_of(claim.by) != speakers::AT_TLS {
        return None;
    }
    let words: Vec<&str> = claim.text.split_whitespace().map(|w| w.trim_end_matches([',', '.', ';'])).collect();
    let at = words.iter().position(|w| *w == "Enabled")?;
    Some(at.checked_sub(1).and_then(|n| words.get(n)) != Some(&"Not"))
}

/// Both FTP and AT-TLS do TLS at the client: one trace names FTP, the other shows AT-TLS at work on the same session.
pub(in crate::rules) fn both_do_tls(case: &Case<'_>) -> Option<Cause> {
    let by_ftp = case.claims().find(|c| !c.is_of_server() && says_mechanism(c, "FTP"))?;
    let is_stack =
        |c: &Claim<'_>| speakers::program_of(c.by) == speakers::SYSTEM_SSL && speakers::job_of(c.by) == Some("TCPIP");
    let other = case.claims().find(|c| !c.is_of_server() && (attls_status(c) == Some(true) || is_stack(c)))?;
    let because = format!("{} has tlsmech=FTP, and {} did TLS on the same connection", by_ftp.by, witness(&other));
    Some(stacked_tls(Confidence::Likely, &because))
}

fn witness(claim: &Claim<'_>) -> &'static str {
    if attls_status(claim) == Some(true) { "AT-TLS (EZD1281I: Enabled)" } else { "System SSL of job TCPIP" }
}

/// A CertificateRequest without a single authority, which SSL 3.0 and TLS 1.0 do not allow: System SSL refuses it.
pub(in crate::rules) fn empty_certificate_request(case: &Case<'_>, before: &Event) -> Option<Cause> {
    let mut version = None;
    let empty = case.before(before).filter(|e| e.from() == Some(Side::Server)).any(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(h)) => {
            version = Some(h.version);
            false
        }
        Kind::Handshake(Message::CertificateRequest { authorities, .. }) => authorities.is_empty(),
        _ => false,
    });
    let old = version.filter(|v| empty && *v <= TLS10)?;
    let name = crate::facts::version_name(old);
    let c = cause(
        "client-stumbles-over-certificate-request",
        "the client stumbles over a CertificateRequest",
        Confidence::Likely,
    )
    .because(format!("the server's CertificateRequest names no authority, and {name} wants one at least"))
    .ask(
        Party::Server,
        None,
        &["one more try with the request switched off, or with a list of CAs for clients".to_owned()],
        "the handshake goes on behind the ServerHello",
    );
    Some(c)
}

/// What both orders are called.
pub(in crate::rules) const GREETS_FIRST: &str =
    "SECUREIMPLICITZOS in FTP.DATA: TRUE begins TLS behind the 220 (z/OS servers), FALSE before it";

/// Implicit TLS as z/OS does it by default: behind the greeting.
pub(in crate::rules) fn implicit_behind_greeting(because: String) -> Cause {
    cause("wrong-mode", "implicit TLS of z/OS begins behind the greeting", Confidence::Likely)
        .because("a z/OS server greets first on its TLSPORT (SECUREIMPLICITZOS TRUE, the default)")
        .because(because)
        .ask(
            Party::Server,
            None,
            &["is the server z/OS, and what are TLSPORT and SECUREIMPLICITZOS in its FTP.DATA?".to_owned()],
            "TRUE there: then the client has to wait for the 220, with TRUE as well",
        )
}

/// A client that begins TLS at once on port 990 cannot read the greeting of a server that waits for AUTH.
pub(in crate::rules) fn implicit_on_990(case: &Case<'_>) -> Option<Cause> {
    let at_once = case.is_on_990() && case.auth().is_none();
    at_once.then(|| {
        let mode = super::wrong_mode(
            "port 990 is usually for implicit TLS; a server that greets there in clear is read as broken TLS",
        );
        match case.facts.settings.ftp_data("SECUREIMPLICITZOS", Side::Client).filter(|s| s.is("FALSE")) {
            Some(said) => {
                let early = "begins TLS before the greeting, and a z/OS server greets first";
                mode.because(format!("{}: the client {early}", said.quoted()))
            }
            None => mode,
        }
    })
}

/// Why AT-TLS met clear text (5003), seen from the end that says it.
pub(in crate::rules) fn of_clear_text(case: &Case<'_>, claim: &Claim<'_>) -> Vec<Cause> {
    if case.auth().is_some() {
        // AUTH went through in clear: mode and policy fit, and what came behind the yes was no TLS.
        return if claim.is_of_server() {
            Vec::new()
        } else {
            vec![tls_not_initialised(case, claim.event, Confidence::Possible)]
        };
    }
    if claim.is_of_server() {
        return clear_text_at_server(case, claim);
    }
    let policy = "AT-TLS expected TLS at once and met the greeting: the rule is not ApplicationControlled".to_owned();
    let mode = "the server greets in clear where implicit TLS was expected";
    match implicit_on_990(case) {
        Some(mode) => vec![mode, rule_begins_at_once(Confidence::Possible, policy, Party::Client)],
        None => {
            let mode = Cause { confidence: Confidence::Possible, ..super::wrong_mode(mode) };
            vec![rule_begins_at_once(Confidence::Likely, policy, Party::Client), mode]
        }
    }
}

/// At the server: its policy begins TLS with the first byte where FTP greets in clear, or the client is in the other mode.
fn clear_text_at_server(case: &Case<'_>, claim: &Claim<'_>) -> Vec<Cause> {
    let mode = super::wrong_mode("TLS of the server waited for a ClientHello, and the client began in clear");
    let port = case.transcript.conn(claim.event.conn).and_then(|c| c.peer).map(|p| p.port());
    let because = match case.facts.settings.application_controlled() {
        // FTP begins TLS behind AUTH then: the two modes are not mixed up there, and nothing shows an AUTH.
        Some(true) if port == Some(EXPLICIT) => {
            let because =
                "the policy that was pasted along says ApplicationControlled On: another rule may have matched";
            return vec![rule_begins_at_once(Confidence::Possible, because.to_owned(), Party::Server)];
        }
        Some(true) => return vec![mode],
        Some(false) => "the policy that was pasted along says ApplicationControlled Off",
        None if port == Some(EXPLICIT) => "TLS was due with the first byte on port 21, where FTP begins in clear",
        None => return vec![mode],
    };
    let policy = rule_begins_at_once(Confidence::Likely, because.to_owned(), Party::Server);
    vec![policy, Cause { confidence: Confidence::Possible, ..mode }]
}
