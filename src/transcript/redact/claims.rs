//! Names in what AT-TLS says: those of a certificate, which hold blanks and commas, and the name of a rule.

use super::super::speakers::{AT_TLS, program_of};

/// How the names of a certificate begin.
const CERTIFICATE: [&str; 5] = ["subject ", "issuer ", "serial number ", "from ", "trusted by "];

/// The words of a claim without such names.
pub(super) fn without_names(by: &str, text: &str) -> String {
    if program_of(by) != AT_TLS {
        return text.to_owned();
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
    }
}
