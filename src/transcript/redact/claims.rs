//! Names in what AT-TLS says (those of a certificate, which hold blanks and commas, and the name of a rule), and in settings
//! that were pasted along.

use super::super::speakers::{AT_TLS, CICS, FTP_DATA, JCL, MQ, RACF, ZOS_FTP_CLIENT, is_config, program_of};

/// How the names of a certificate begin.
const CERTIFICATE: [&str; 5] = ["subject ", "issuer ", "serial number ", "from ", "trusted by "];

/// The words of a claim without such names.
pub(super) fn without_names(by: &str, text: &str) -> String {
    if is_config(by) {
        return setting(program_of(by), text);
    }
    match program_of(by) {
        AT_TLS => {}
        MQ => return of_mq(text),
        CICS => return of_cics(text),
        ZOS_FTP_CLIENT => return typed(text),
        _ => return text.to_owned(),
    }
    if let Some(label) = CERTIFICATE.iter().find(|label| text.starts_with(*label)) {
        // Where one name ends and the next begins, a hostile one could forge.
        return format!("{label}REDACTED");
    }
    match text.strip_prefix("rule ").map(|rest| rest.split_once(", ")) {
        Some(Some((_, status))) => format!("rule REDACTED, {status}"),
        Some(None) => "rule REDACTED".to_owned(),
        None => text.to_owned(),
    }
}

/// A subcommand that was typed (EZA1736I), without the files and folders that it names; and data sets in quotes, anywhere.
fn typed(text: &str) -> String {
    const NAMING: [&str; 18] = [
        "append", "cd", "cwd", "delete", "dir", "get", "lcd", "lmkdir", "ls", "mdelete", "mget", "mkdir", "mput",
        "put", "rename", "rmdir", "mvsget", "mvsput",
    ];
    let word = text.split(' ').next().unwrap_or_default();
    if NAMING.iter().any(|n| n.eq_ignore_ascii_case(word)) && text.len() > word.len() {
        return format!("{word} REDACTED");
    }
    let is_data_set = |part: &str| {
        let is_part = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b".()@#$-+".contains(&b);
        part.contains('.') && part.bytes().all(is_part)
    };
    let hide = |(n, part)| if n % 2 == 1 && is_data_set(part) { "REDACTED" } else { part };
    text.split('\'').enumerate().map(hide).collect::<Vec<_>>().join("'")
}

/// CSQX620E without queue manager, channel and partner.
fn of_mq(text: &str) -> String {
    // The others are kept up to the channel, and name nobody.
    if !text.contains("CSQX620E") {
        return text.to_owned();
    }
    let behind = text.rsplit_once(" function ").map_or("REDACTED", |(_, rest)| rest);
    format!("CSQX620E System SSL error, function {behind}")
}

/// DFHSO0123 without region, partner and service.
fn of_cics(text: &str) -> String {
    if text.contains("GSK_RESPONSE(") {
        let is_kept = |w: &&str| ["FUNCTION(", "GSK_"].iter().any(|k| w.starts_with(k));
        return text.split(' ').filter(is_kept).collect::<Vec<_>>().join(" ");
    }
    let said = text.split_once("Return code ").map_or("REDACTED", |(_, rest)| rest);
    let said = said.split_once(" Peer: ").map_or(said, |(said, _)| said);
    format!("DFHSO0123 Return code {said}")
}

/// Statements of FTP.DATA whose values name nobody.
const NAMELESS: [&str; 10] =
    ["TLS", "SECURE", "EPSV", "FWFRIENDLY", "CIPHERSUITE", "SSLV3", "PASSIVE", "CLIENT", "LOGCLIENT", "EXTENSIONS"];

/// A setting without what may be the name of a user, a host, a file or a ring.
fn setting(program: &str, text: &str) -> String {
    if program == RACF {
        let class = text.rsplit(' ').next().unwrap_or_default();
        return format!("REDACTED REDACTED {class}");
    }
    if program == JCL {
        // `PGM=FTP` and the switches of System SSL; the end of a step without its names.
        if let Some((_, end)) = text.split_once(" - ") {
            return format!("REDACTED - {end}");
        }
        let words = text.split([' ', ',', '(', ')', '"', '\'']);
        let kept: Vec<&str> = words.filter(|w| w.starts_with("PGM=") || w.starts_with("GSK_PROTOCOL")).collect();
        return if kept.is_empty() { "REDACTED".to_owned() } else { kept.join(" ") };
    }
    let Some((name, value)) = text.split_once(' ') else { return text.to_owned() };
    let upper = name.to_ascii_uppercase();
    let is_switch = ["TRUE", "FALSE", "ON", "OFF"].iter().any(|v| value.eq_ignore_ascii_case(v));
    let is_number = value.bytes().all(|b| b.is_ascii_digit());
    let nameless = program == FTP_DATA && NAMELESS.iter().any(|p| upper.starts_with(p));
    if is_switch || is_number || nameless || name == ";" { text.to_owned() } else { format!("{name} REDACTED") }
}

/// The user id that owns the key ring which a setting names: `KEYRING JOE/ring`.
pub(super) fn owner_of_ring<'a>(by: &str, text: &'a str) -> Option<&'a str> {
    let (name, ring) = text.split_once(' ').filter(|_| is_config(by))?;
    let (owner, _) = ring.trim_start().split_once('/').filter(|_| name.eq_ignore_ascii_case("keyring"))?;
    (!owner.is_empty() && owner != "*AUTH*").then_some(owner)
}

/// The users and jobs that a message names: `NAME (host:user):` (EZA1459I) `JOB FTP failed - Cmd = ...` (EZZ9830I), and
/// `ID=FTPD100001 ...` of the server, the name of its job with a number.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let asked = text.split_once("NAME (").and_then(|(_, t)| t.split_once(')')).and_then(|(t, _)| t.rsplit_once(':'));
    let is_job = |t: &str| (1..=8).contains(&t.len()) && !t.bytes().any(|b| b == b' ' || b.is_ascii_lowercase());
    let failed = text.split_once(" FTP failed").map(|(t, _)| t).filter(|t| is_job(t));
    let id = text.strip_prefix("ID=").and_then(|t| t.split_whitespace().next());
    [asked.map(|(_, user)| user), failed, id].into_iter().flatten().chain(subjects(text))
}

/// Names of certificates that may be those of users: `CN=` and what can be a user id of z/OS.
fn subjects(text: &str) -> impl Iterator<Item = &str> {
    let is_id = |n: &&str| {
        let begins = n.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b"#@$".contains(&b));
        begins && n.len() <= 8 && n.bytes().all(|b| b.is_ascii_alphanumeric() || b"#@$".contains(&b))
    };
    text.split("CN=").skip(1).filter_map(|t| t.split([',', '/', ';', '+', '"', '\'', ')', '>']).next()).filter(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates_and_rules_go() {
        let by = "AT-TLS at the client, job JOE1";
        for (text, want) in [
            ("subject CN=Joe, Inc, issuer CN=x, serial number 07", "subject REDACTED"),
            ("issuer CN=x", "issuer REDACTED"),
            ("rule partner_ftp, Not Enabled", "rule REDACTED, Not Enabled"),
            ("rule partner_ftp", "rule REDACTED"),
            ("Initial Handshake", "Initial Handshake"),
        ] {
            assert_eq!(without_names(by, text), want);
        }
        assert_eq!(without_names("rustls", "issuer x"), "issuer x");
        let mq = "+CSQX620E QM1 CSQXRESP System SSL error, channel TO_US connection x function 'f' RC=435";
        let trace = "SO 080C SOSE GSK_RESPONSE(GSK_ERROR_IO) FUNCTION(SECURE_SOC_INIT) CERTIFICATE_USERID(JOE)";
        assert_eq!(without_names("CICS", trace), "GSK_RESPONSE(GSK_ERROR_IO) FUNCTION(SECURE_SOC_INIT)");
        assert_eq!(without_names("IBM MQ", "Cipher specifications differ"), "Cipher specifications differ");
        assert_eq!(without_names("IBM MQ at the server", mq), "CSQX620E System SSL error, function 'f' RC=435");
        let cics = "DFHSO0123 CICSA Return code 406 received from function f of System SSL. Reason: y. Peer: x, TCPIPSERVICE: HTTP.";
        let nameless = "DFHSO0123 Return code 406 received from function f of System SSL. Reason: y.";
        assert_eq!(without_names("CICS", cics), nameless);
        for (by, text, want) in [
            ("FTP.DATA at the client", "KEYRING JOE/ring", "KEYRING REDACTED"),
            ("FTP.DATA", "TLSMECHANISM ATTLS", "TLSMECHANISM ATTLS"),
            ("FTP.DATA", "; file 2", "; file 2"),
            ("JCL", "//FTP EXEC PGM=FTP,PARM='ftp.example.org (EXIT'", "PGM=FTP"),
            ("JCL", "ENVAR(\"GSK_PROTOCOL_TLSV1_2=ON\",\"GSK_TRACE_FILE=/u/joe/t\")", "GSK_PROTOCOL_TLSV1_2=ON"),
            ("JCL", "SJP1 FTP - STEP WAS EXECUTED - COND CODE 2042", "REDACTED - STEP WAS EXECUTED - COND CODE 2042"),
            ("z/OS FTP client", "put 'PROD.FILE.A' a.txt", "put REDACTED"),
            ("z/OS FTP client", "Using //'SYS1.TCPPARMS(FTPCDATA)' for x", "Using //'REDACTED' for x"),
            ("z/OS FTP client", "I can't open a data-transfer connection", "I can't open a data-transfer connection"),
            ("z/OS FTP client", "put", "put"),
            ("RACF", "JOE1 JOE1.RING.LST RDATALIB", "REDACTED REDACTED RDATALIB"),
            ("AT-TLS policy", "TTLSRule partner_ftp", "TTLSRule REDACTED"),
            ("AT-TLS policy", "ApplicationControlled On", "ApplicationControlled On"),
        ] {
            assert_eq!(without_names(by, text), want);
        }
        assert_eq!(owner_of_ring("FTP.DATA", "KEYRING JOE/ring"), Some("JOE"));
        assert_eq!(owner_of_ring("rustls", "KEYRING JOE/ring"), None);
        assert_eq!(names_in("NAME (ftp.example.org:JOE):").collect::<Vec<_>>(), ["JOE"]);
        assert_eq!(names_in("FTPOUT FTP failed - Cmd = 27(put)").collect::<Vec<_>>(), ["FTPOUT"]);
        assert_eq!(names_in("ID=FTPD100001 CONN starts").collect::<Vec<_>>(), ["FTPD100001"]);
        let said = "subject \"CN=JOE1,O=Example\", issuer CN=Example Root CA, CN=ftp.example.org";
        assert_eq!(names_in(said).collect::<Vec<_>>(), ["JOE1"]);
        assert_eq!(names_in("the FTP failed").count(), 0);
        assert_eq!(names_in("Connecting to: h").count(), 0);
    }
}
