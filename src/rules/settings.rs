//! What settings that were pasted along explain: reasons and causes of findings, and contradictions between what a file says
//! and what the session did. A setting alone is never a finding: the file that was pasted need not be the one that was read.

use super::Case;
use super::finding::{Act, Check, CheckResult, Party};
use super::{Cause, Confidence, Finding, causes};
use crate::codes;
use crate::facts::settings::{Place, Setting, Settings};
use crate::transcript::speakers::{AT_TLS, program_of};
use crate::transcript::{Code, Side};

/// The first release whose server does no TLS of its own: V2R5.
const ATTLS_ONLY: u32 = 205;

/// Statements that only TLSMECHANISM FTP reads.
const NATIVE: [&str; 4] = ["CIPHERSUITE", "KEYRING", "SSLV3", "TLSTIMEOUT"];

/// Adds to a finding what the settings explain.
pub(super) fn explain(case: &Case<'_>, f: &mut Finding) {
    super::denied::explain(case, f);
    let settings = &case.facts.settings;
    if settings.is_empty() {
        return;
    }
    let mut why = Vec::new();
    match f.id.as_str() {
        "client-tls-not-initialised" => not_initialised(case, f, &mut why),
        "auth-refused" => auth_refused(case, f, &mut why),
        "tls-required-by-server" => in_clear(settings, &mut why),
        "ccc-breaks-data" | "ccc-refused" => ccc(settings, f, &mut why),
        "data-protection-required" | "data-plaintext-instead-of-tls" => protection(settings, &mut why),
        "data-connect-back-failed" => active(settings, &mut why),
        "pasv-private-address" | "pasv-foreign-address" => addresses(settings, &mut why),
        "data-session-reuse-required" => reuse(settings, f, &mut why),
        _ => {}
    }
    if f.causes.iter().any(|c| c.id == "no-shared-cipher") || f.data.get("rc").and_then(|v| v.as_u64()) == Some(402) {
        suites(settings, &mut why);
    }
    if f.causes.iter().any(|c| c.id == "client-tls-version-refused") {
        versions(case, &mut why);
    }
    if f.causes.iter().any(|c| c.id == "attls-policy-missing") {
        policy(settings, &mut why);
    }
    if f.causes.iter().any(|c| c.id == "wrong-mode") && case.is_on_990() {
        implicit(settings, f, &mut why);
    }
    if let Some(made) =
        settings.traced("tlsLevel").filter(|_| f.id.starts_with("data-") || f.id.starts_with("control-"))
    {
        why.push(format!("{}.", made.quoted()));
    }
    if is_about_tls(&f.id) {
        why.extend(contradictions(case));
    }
    f.why.extend(why);
}

/// What contradicts what, for those who have to look: once for the session, whatever it came to.
pub(super) fn checks(case: &Case<'_>, findings: &[Finding]) -> Vec<Check> {
    let check = |text: String| Check {
        id: "settings".to_owned(),
        result: CheckResult::Untested,
        finding: None,
        headline: text.trim_end_matches('.').to_owned(),
        why: Some("settings that were pasted along contradict each other, or the session".to_owned()),
        data: serde_json::Map::new(),
    };
    // What a finding says already needs no second place.
    let is_said = |text: &String| findings.iter().any(|f| f.why.contains(text));
    contradictions(case).into_iter().filter(|text| !is_said(text)).map(check).collect()
}

/// Findings about the way to TLS, where it matters who was to do it.
fn is_about_tls(id: &str) -> bool {
    const ALSO: [&str; 4] = ["auth-refused", "fatal-alert", "plaintext-instead-of-tls", "tls-required-by-server"];
    ALSO.contains(&id) || id.contains("handshake") || id.contains("tls-not-initialised") || id.starts_with("ccc-")
}

/// What cannot all be true.
fn contradictions(case: &Case<'_>) -> Vec<String> {
    let settings = &case.facts.settings;
    let mut out = Vec::new();
    let mechanism = settings.ftp_data("TLSMECHANISM", Side::Client);
    if let (Some(said), Some(did)) = (mechanism, settings.traced("tlsmech"))
        && !said.is(&did.value)
    {
        out.push(format!("{}, but {}: another FTP.DATA is read (EZY2640I names it).", said.quoted(), did.quoted()));
    }
    let same_file = |a: &Setting, b: &Setting| a.place == b.place;
    let is_attls = |s: &&Setting| matches!(s.place, Place::FtpData(_)) && s.is("ATTLS");
    for attls in settings.named("TLSMECHANISM").filter(is_attls).take(4) {
        let is_ignored = |name: &&str| settings.named(name).any(|s| same_file(s, attls));
        let ignored: Vec<&str> = NATIVE.into_iter().filter(is_ignored).collect();
        if !ignored.is_empty() {
            out.push(format!("FTP.DATA: {} ignored under TLSMECHANISM ATTLS; the policy decides.", ignored.join(", ")));
        }
        if settings.named("TLSRFCLEVEL").any(|s| same_file(s, attls) && s.is("CCCNONOTIFY")) {
            out.push("FTP.DATA: TLSRFCLEVEL CCCNONOTIFY is not valid with TLSMECHANISM ATTLS.".to_owned());
        }
    }
    if let (Some(off), Some(on)) = (no(settings, "FWFRIENDLY"), settings.traced("FWFRIENDLY").filter(|s| s.is("TRUE")))
    {
        out.push(format!("{}, but the client says that it is friendly ({}).", off.quoted(), on.value));
    }
    if let Some(address) = settings.ftp_data("PASSIVEIGNOREADDR", Side::Client).filter(|s| s.is("TRUE"))
        && settings.ftp_data("FWFRIENDLY", Side::Client).is_none_or(|s| s.is("FALSE"))
    {
        out.push(format!("{} works only with FWFRIENDLY TRUE.", address.quoted()));
    }
    let not_taken = |c: &super::case::Claim<'_>| matches!(c.code, Some(Code::Message(id)) if id == "EZYFT46E");
    out.extend(
        case.claims().filter(not_taken).take(3).map(|c| format!("\"{}\": that statement is not in force.", c.text)),
    );
    out
}

/// A switch of the client's FTP.DATA that is off.
fn no<'a>(settings: &'a Settings, name: &'a str) -> Option<&'a Setting> {
    settings.ftp_data(name, Side::Client).filter(|s| s.is("FALSE"))
}

fn not_initialised(case: &Case<'_>, f: &mut Finding, why: &mut Vec<String>) {
    let settings = &case.facts.settings;
    if !f.causes.iter().any(|c| c.id == "key-ring-unusable") {
        return;
    }
    let mechanism = settings.ftp_data("TLSMECHANISM", Side::Client);
    let native = mechanism.is_none_or(|s| s.is("FTP")) && settings.has_ftp_data(Side::Client);
    if native && settings.ftp_data("KEYRING", Side::Client).is_none() {
        let how = mechanism.map_or_else(|| "no TLSMECHANISM, so FTP's own TLS".to_owned(), Setting::quoted);
        why.push(format!("FTP.DATA names no KEYRING ({how})."));
    }
    let too_long =
        |s: &&Setting| s.value.starts_with('/') && s.value.rsplit_once('.').is_some_and(|(_, x)| x.len() > 3);
    if let Some(database) = settings.ftp_data("KEYRING", Side::Client).filter(too_long) {
        why.push(format!(
            "{}: its extension is longer than 3 characters, so FTP looks for another .sth (PM01158).",
            database.quoted()
        ));
    }
    let attls =
        settings.from(|p| p == Place::Policy).next().is_some() || case.claims().any(|c| program_of(c.by) == AT_TLS);
    if native && attls && !f.causes.iter().any(|c| c.id == "attls-policy-missing") {
        let because = "AT-TLS is in use, and FTP.DATA leaves TLS to FTP itself".to_owned();
        f.causes.push(causes::attls_policy_missing(Confidence::Possible, because));
    }
}

/// Who may go on in clear is not stopped by a server that does no TLS.
fn in_clear(settings: &Settings, why: &mut Vec<String>) {
    let stated = settings.ftp_data("SECURE_FTP", Side::Client).filter(|s| s.is("ALLOWED"));
    if let Some(allowed) = settings.traced("sFTP").filter(|s| s.is("A")).or(stated) {
        why.push(format!("{}: the client goes on in clear where TLS cannot be had.", allowed.quoted()));
    }
}

fn auth_refused(case: &Case<'_>, f: &mut Finding, why: &mut Vec<String>) {
    in_clear(&case.facts.settings, why);
    let Some(native) = case.facts.settings.ftp_data("TLSMECHANISM", Side::Server).filter(|s| s.is("FTP")) else {
        return;
    };
    let Some(release) = case.zos_release(Side::Server).filter(|r| *r >= ATTLS_ONLY) else { return };
    let because = format!("{}; since V2R5 the server leaves TLS to AT-TLS", native.quoted());
    why.push(format!(
        "The server is V{}R{}: statements for TLS of its own are not read.",
        release / 100,
        release % 100
    ));
    match f.causes.iter_mut().find(|c| c.id == "server-tls-disabled") {
        Some(cause) => {
            cause.confidence = cause.confidence.max(Confidence::Likely);
            cause.because.insert(0, because);
        }
        None => f.causes.insert(0, causes::server_tls_disabled(because)),
    }
    f.advise("attls-policy", "zos-ftp-server");
}

fn ccc(settings: &Settings, f: &mut Finding, why: &mut Vec<String>) {
    let levels: Vec<&Setting> = settings.named("TLSRFCLEVEL").collect();
    let differs = levels.first().and_then(|a| levels.iter().find(|b| !a.is(&b.value)).map(|b| (*a, *b)));
    if let Some((a, b)) = differs {
        why.push(format!(
            "TLSRFCLEVEL is {} in one file and {} in another: both ends need the same.",
            a.value, b.value
        ));
        return;
    }
    for level in levels.iter().take(4) {
        why.push(format!("{}: the other end has to use the same.", level.quoted()));
    }
    let attls = settings.named("TLSMECHANISM").find(|s| s.is("ATTLS"));
    if let (Some(level), Some(_)) = (levels.iter().find(|s| s.is("CCCNONOTIFY")), attls) {
        why.push("Up to V2R4 that fails the session under AT-TLS; later it is read as DRAFT.".to_owned());
        f.party = level.side.map_or(Party::Client, Party::from);
        let text = match f.party {
            Party::Server => "server: no CCCNONOTIFY under AT-TLS; the same TLSRFCLEVEL at both ends, or no CCC",
            _ => "client: TLSMECHANISM FTP, exempt from the TTLSRule, where CCC has to be; or no CCC",
        };
        f.act = Some(Act { party: f.party, text: text.to_owned() });
        let product = if f.party == Party::Server { "zos-ftp-server" } else { "zos-attls" };
        if !f.advice.iter().any(|a| a.product.as_deref() == Some(product)) {
            f.advise("rfc-level", product);
        }
    }
}

fn protection(settings: &Settings, why: &mut Vec<String>) {
    if let Some(traced) = settings.traced("sDC").filter(|s| s.is("C") || s.is("N")) {
        why.push(format!("{}: data in clear.", traced.quoted()));
    }
    match settings.ftp_data("SECURE_DATACONN", Side::Client) {
        Some(clear) if clear.is("CLEAR") || clear.is("NEVER") => why.push(format!("{}.", clear.quoted())),
        None if settings.has_ftp_data(Side::Client) => {
            why.push("FTP.DATA has no SECURE_DATACONN: the default is CLEAR.".to_owned());
        }
        _ => {}
    }
}

fn active(settings: &Settings, why: &mut Vec<String>) {
    for name in ["FWFRIENDLY", "EPSV4"] {
        why.extend(no(settings, name).map(|s| format!("{}: the client asks the server to connect.", s.quoted())));
    }
    match settings.traced("FWFRIENDLY") {
        Some(s) if s.is("TRUE") => {
            why.push("The client says that it is firewall friendly, and sent PORT all the same.".to_owned())
        }
        Some(_) => why.push("The client says itself that it is not firewall friendly.".to_owned()),
        None => {}
    }
}

fn addresses(settings: &Settings, why: &mut Vec<String>) {
    if let Some(off) = no(settings, "EPSV4") {
        why.push(format!("{}: with EPSV4 TRUE no address is in the reply.", off.quoted()));
    }
}

fn reuse(settings: &Settings, f: &mut Finding, why: &mut Vec<String>) {
    let Some(none) = settings.ftp_data("SECURE_SESSION_REUSE", Side::Client).filter(|s| s.is("NONE")) else { return };
    why.push(format!("{}: the client never resumes.", none.quoted()));
    let because = "its FTP.DATA says SECURE_SESSION_REUSE NONE";
    match f.causes.iter_mut().position(|c| c.id == "client-does-not-resume") {
        Some(n) => {
            let mut cause: Cause = f.causes.remove(n);
            cause.confidence = cause.confidence.max(Confidence::Likely);
            cause.because.insert(0, because.to_owned());
            f.causes.insert(0, cause);
        }
        None => f.causes.insert(0, causes::client_does_not_resume(Confidence::Likely, because)),
    }
}

/// Suites by name (FTP.DATA, AT-TLS policy) or as two hexadecimal digits each (trace).
fn suites(settings: &Settings, why: &mut Vec<String>) {
    let is_policy = |s: &&Setting| s.place == Place::Policy;
    let listed: Vec<&str> =
        settings.named("V3CipherSuites").filter(is_policy).map(|s| s.value.as_str()).take(MOST).collect();
    if !listed.is_empty() {
        let is_old = |name: &&str| OLD.iter().any(|old| name.contains(old));
        let old = if listed.iter().all(is_old) { ", which servers of today refuse" } else { "" };
        let names = crate::wire::printable_str(&listed.join(", "));
        why.push(format!("The AT-TLS policy allows {names} alone (V3CipherSuites){old}."));
    }
    let named: Vec<&str> = settings.named("CIPHERSUITE").map(|s| s.value.as_str()).take(MOST).collect();
    if !named.is_empty() {
        let known = |name: &&str| codes::zos_cipher_names().any(|c| c.name.eq_ignore_ascii_case(name));
        let (known, unknown): (Vec<&str>, Vec<&str>) = named.into_iter().partition(known);
        if !known.is_empty() {
            why.push(format!("FTP.DATA allows {} alone (CIPHERSUITE).", known.join(", ")));
        }
        if !unknown.is_empty() {
            let names = crate::wire::printable_str(&unknown.join(", "));
            why.push(format!("FTP.DATA: CIPHERSUITE {names} is no name that a table here has."));
        }
    }
    let Some(specs) = settings.traced("cipherspecs") else { return };
    let digits: Vec<char> = specs.value.chars().take(2 * MOST).collect();
    let name = |pair: &[char]| {
        let code = u16::from_str_radix(&pair.iter().collect::<String>(), 16).ok()?;
        codes::cipher_suite(code).map(|s| s.name.to_owned())
    };
    let names: Vec<String> = digits.chunks(2).filter(|p| p.len() == 2).filter_map(name).collect();
    if !names.is_empty() {
        why.push(format!("The client's trace: cipherspecs {} ({}).", specs.value, names.join(", ")));
    }
}

/// What marks suites that TLS libraries of today no longer have switched on.
const OLD: [&str; 6] = ["_3DES_", "_RC4_", "_RC2_", "_DES_", "_NULL_", "_EXPORT_"];

/// So many suites are named.
const MOST: usize = 24;

fn versions(case: &Case<'_>, why: &mut Vec<String>) {
    let settings = &case.facts.settings;
    let in_job = |name: &'static str| settings.named(name).find(|s| s.place == Place::Job);
    let runs_ftp = in_job("PGM").is_some_and(|s| s.is("FTP"));
    match in_job("GSK_PROTOCOL_TLSV1_2") {
        Some(on) if on.is("ON") || on.is("1") => {
            let old = case.facts.offer.as_ref().is_some_and(|o| o.highest() < TLS12);
            if old {
                why.push(format!(
                    "{}, but the ClientHello goes no higher than TLS 1.1: did the step read it?",
                    on.quoted()
                ));
            }
        }
        Some(off) => why.push(format!("{}.", off.quoted())),
        None if runs_ftp => {
            why.push("The job sets no GSK_PROTOCOL_TLSV1_2=ON: FTP's own TLS offers TLS 1.0 alone.".to_owned());
        }
        None => {}
    }
}

/// TLS 1.2.
const TLS12: u16 = 0x0303;

fn policy(settings: &Settings, why: &mut Vec<String>) {
    let in_policy: Vec<&Setting> = settings.from(|p| p == Place::Policy).collect();
    let whole = settings.has_whole_policy();
    for (name, without) in [
        ("ApplicationControlled", "TLS begins with the first byte, before the greeting"),
        ("SecondaryMap", "data connections are not covered by it"),
    ] {
        match in_policy.iter().find(|s| s.name.eq_ignore_ascii_case(name)) {
            Some(off) if off.is("Off") => why.push(format!("{}: {without}.", off.quoted())),
            None if whole => why.push(format!("The AT-TLS policy has no {name} On: {without}.")),
            _ => {}
        }
    }
}

/// On the port for implicit TLS: whether z/OS waits for the 220 there, as it does unless told otherwise.
fn implicit(settings: &Settings, f: &mut Finding, why: &mut Vec<String>) {
    match settings.ftp_data("SECUREIMPLICITZOS", Side::Client) {
        Some(s) if s.is("FALSE") => {}
        Some(s) => why.push(format!("{}: the client waits for 220 before TLS, as only z/OS servers do.", s.quoted())),
        None if settings.has_ftp_data(Side::Client) => {
            let text = "FTP.DATA has no SECUREIMPLICITZOS: by default the client waits for 220 before TLS.";
            why.push(text.to_owned());
        }
        None => {}
    }
    let waits = settings.ftp_data("SECUREIMPLICITZOS", Side::Client).is_none_or(|s| !s.is("FALSE"));
    let meant = settings.ftp_data("TLSPORT", Side::Client).is_some();
    let wrong_mode = f.causes.iter_mut().find(|c| c.id == "wrong-mode");
    if let (true, true, "no-banner", Some(cause)) = (waits, meant, f.id.as_str(), wrong_mode) {
        cause.confidence = cause.confidence.max(Confidence::Likely);
        cause.because.push("FTP.DATA has TLSPORT, and the client waits for a 220 there before it begins".to_owned());
    }
}
