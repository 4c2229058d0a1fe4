//! Return codes of the z/OS FTP client: one number holds the subcommand and the last reply.
//!
//! The standard return code is `subcommand * 1000 + last reply`; the condition code of a job step is that modulo 4096; with
//! CLIENTERRCODES EXTENDED it is `error code * 100 + subcommand`. (IBM, "FTP standard return codes", "FTP subcommand codes".)

use std::fmt::Write as _;

use super::layout::{more, sure};
use crate::codes::{self, FtpClientError};

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
        out.push_str(&more(&["plaintext-instead-of-tls"]));
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
pub(super) fn extended(code: u32) -> Option<String> {
    let (error, subcommand) = (codes::ftp_client_error(code / 100)?, codes::ftp_subcommand(code % 100)?);
    let symbol = if error.symbol == "-" { String::new() } else { format!("{}: ", error.symbol) };
    Some(format!("  {code:04}  {symbol}{}, in {}\n", sure(error.meaning, error.confirmed), subcommand.name))
}

/// `0810` by itself: CLIENTERRCODES EXTENDED is the only number of four digits that begins with 0 and means this.
pub(super) fn four_digits(digits: &str) -> Option<String> {
    let code = digits.parse().ok().filter(|_| digits.len() == 4)?;
    extended(code).map(|e| format!("z/OS FTP client, CLIENTERRCODES EXTENDED (error code * 100 + subcommand):\n{e}"))
}

/// `setcec 17`: an error code of the client.
pub(super) fn client_error(code: u32) -> Option<String> {
    codes::ftp_client_error(code).map(client_error_row)
}

/// An error code of the client as its row says.
pub(super) fn client_error_row(e: FtpClientError) -> String {
    let hidden = if e.code == 17 { more(&["plaintext-instead-of-tls", "fatal-alert"]) } else { String::new() };
    format!("z/OS FTP client error code {}  {}\n{}\n{hidden}", e.code, e.symbol, sure(e.meaning, e.confirmed))
}

/// The number behind a label such as `RC =`, and its digits as they stood.
fn number<'a>(text: &'a str, label: &str) -> Option<(u32, &'a str)> {
    let (_, rest) = text.split_once(label)?;
    let rest = rest.trim_start_matches([' ', '=']);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = rest.get(..end)?;
    Some((digits.parse().ok()?, digits))
}

/// Numbers of a line such as `EZA1735I Std Return Code = 10234, Error Code = 00017`.
pub(super) fn return_code_line(text: &str) -> Option<String> {
    let (rc, _) = number(text, "Std Return Code")?;
    let mut out = standard(rc)?;
    if let Some(error) = number(text, "Error Code").and_then(|(n, _)| codes::ftp_client_error(n)) {
        let _ = writeln!(out, "Error code {}: {}", error.code, error.meaning);
    }
    Some(out)
}

/// `USER1Q FTP failed - Cmd = 10(open) Reply = n/a EX CEE RC = 0810` (EZZ9830I, in z/OS UNIX without its id).
pub(super) fn failed_line(text: &str) -> Option<String> {
    let (_, text) = text.split_once("FTP failed")?;
    let (cmd, _) = number(text, "Cmd")?;
    let mut out =
        format!("subcommand {cmd}{}", codes::ftp_subcommand(cmd).map_or(String::new(), |s| format!(" ({})", s.name)));
    match number(text, "Reply").and_then(|(n, _)| codes::ftp_reply(u16::try_from(n).ok()?)) {
        Some(reply) => {
            let _ = writeln!(out, ", last reply {}: {}", reply.code, reply.meaning);
        }
        None => out.push_str(", no reply of the server\n"),
    }
    let has = |word: &str| text.split_whitespace().any(|w| w == word);
    let ended = if has("EX") { "The client ended." } else { "The client went on (no EXIT)." };
    let Some((rc, digits)) = number(text, "RC") else { return Some(format!("{out}{ended}\n")) };
    let meaning = if has("CEE") {
        format!("{digits} is CLIENTERRCODES EXTENDED:\n{}", extended(rc).unwrap_or_default())
    } else if has("CEC") {
        format!("{digits} is a client error code.\n{}", client_error(rc).unwrap_or_default())
    } else if has("FIX") {
        format!("{digits} is the number of EXIT=nn, whatever happened.\n")
    } else {
        standard(rc).unwrap_or_default()
    };
    Some(format!("{out}{ended} {meaning}"))
}

/// `EZA2121I Command (08-10-0000-220):` of the callable API: error code, subcommand, (not known), reply.
pub(super) fn api_prompt(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Command (")?;
    let parts: Vec<u32> = rest.split(')').next()?.split('-').map_while(|n| n.parse().ok()).collect();
    let &[error, subcommand, _, reply] = parts.as_slice() else { return None };
    let error = match error {
        0 => "no error".to_owned(),
        n => codes::ftp_client_error(n).map_or(format!("error code {n}"), |e| e.meaning.to_owned()),
    };
    let subcommand = codes::ftp_subcommand(subcommand).map_or("?", |s| s.name);
    Some(format!("{error}; subcommand {subcommand}; last reply {reply:03}\n"))
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
        let line = failed_line("EZZ9830I USER1Q FTP failed - Cmd = 10(open) Reply = n/a EX CEE RC = 0810").unwrap();
        assert!(line.contains("OPEN") && line.contains("unknown host") && line.contains("no reply"), "{line}");
        let line = failed_line("JOB1 FTP failed - Cmd = 10(open) Reply = 234 EX STD RC = 10234").unwrap();
        assert!(line.contains("condition code 2042"), "{line}");
        assert!(api_prompt("EZA2121I Command (17-10-0000-234):").unwrap().contains("security negotiation"));
    }
}
