//! Return codes of the z/OS FTP client: one number holds the subcommand and the last reply.
//!
//! The standard return code is `subcommand * 1000 + last reply`; the condition code of a job step is that modulo 4096; with
//! CLIENTERRCODES EXTENDED it is `error code * 100 + subcommand`. (IBM, "FTP standard return codes", "FTP subcommand codes".)

use std::fmt::Write as _;

use crate::codes;

/// Condition codes are cut to twelve bits.
const CONDITION: u32 = 4096;

/// `rc 10234`: a standard return code.
pub(super) fn standard(rc: u32) -> Option<String> {
    let (subcommand, reply) = (codes::ftp_subcommand(rc / 1_000)?, rc % 1_000);
    if reply != 0 && !(100..700).contains(&reply) {
        return None;
    }
    let mut out = format!("z/OS FTP return code {rc} = subcommand {} ({})", subcommand.code, subcommand.name);
    match reply {
        0 => out.push_str(", no reply of the server\n"),
        _ => {
            let _ = write!(out, ", last reply {reply}");
            let known = u16::try_from(reply).ok().and_then(codes::ftp_reply);
            let _ = writeln!(out, "{}", known.map_or_else(String::new, |r| format!(": {}", r.meaning)));
            out.push_str("The reply is the most recent one, not always the one that failed.\n");
        }
    }
    if reply == 234 {
        out.push_str(
            "234 was the yes to AUTH: the TLS handshake behind it failed (look for EZA2897I and SETCEC 17).\n",
        );
    }
    let _ = writeln!(out, "In a job log: condition code {}.", rc % CONDITION);
    Some(out)
}

/// `cc 2042`: what the condition code of a step may have been.
pub(super) fn condition(cc: u32) -> Option<String> {
    if cc >= CONDITION {
        return None;
    }
    let likely = |rc: &u32| {
        let reply = rc % 1_000;
        codes::ftp_subcommand(rc / 1_000).is_some()
            && (reply == 0 || u16::try_from(reply).ok().and_then(codes::ftp_reply).is_some())
    };
    let candidates: Vec<u32> = (0..25).map(|k| cc + CONDITION * k).filter(likely).collect();
    let mut out = String::new();
    for rc in candidates {
        let subcommand = codes::ftp_subcommand(rc / 1_000).map_or("", |s| s.name);
        let _ = writeln!(out, "  {rc}  {subcommand}, last reply {}", rc % 1_000);
    }
    if !out.is_empty() {
        out.insert_str(0, &format!("condition code {cc} of an FTP step, by default one of these modulo 4096:\n"));
    }
    if let Some(extended) = extended(cc) {
        out.push_str("or with CLIENTERRCODES EXTENDED:\n");
        out.push_str(&extended);
    }
    (!out.is_empty()).then_some(out)
}

/// `0810`: error code 8 in subcommand 10.
fn extended(code: u32) -> Option<String> {
    let (error, subcommand) = (codes::ftp_client_error(code / 100)?, codes::ftp_subcommand(code % 100)?);
    Some(format!("  {code:04}  {}, in {}\n", error.meaning, subcommand.name))
}

/// Numbers of a line such as `EZA1735I Std Return Code = 10234, Error Code = 00017`.
pub(super) fn return_code_line(text: &str) -> Option<String> {
    let number = |label: &str| {
        let (_, rest) = text.split_once(label)?;
        let digits: String = rest.trim_start_matches([' ', '=']).chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    let mut out = number("Std Return Code").and_then(standard)?;
    if let Some(error) = number("Error Code").and_then(codes::ftp_client_error) {
        let _ = writeln!(out, "Error code {}: {}", error.code, error.meaning);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples_of_the_manual() {
        let text = standard(10_234).unwrap();
        assert!(text.contains("(OPEN)") && text.contains("condition code 2042"), "{text}");
        assert!(condition(2042).unwrap().contains("10234  OPEN, last reply 234"));
        assert!(condition(2424).unwrap().contains("27000  PUT, last reply 0"));
        assert!(condition(810).unwrap().contains("0810"));
        assert_eq!((standard(99_999), condition(5_000)), (None, None));
        let line = return_code_line("EZA1735I Std Return Code = 10234, Error Code = 00017").unwrap();
        assert!(line.contains("Error code 17"), "{line}");
    }
}
