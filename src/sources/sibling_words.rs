//! Words of the programs beside FTP: functions of System SSL, symbols, return codes and addresses.

use core::net::{IpAddr, SocketAddr};

use super::words::Word;

/// Most words of a message.
pub(super) const LONGEST: usize = 48;

/// The functions that do a handshake, as z/OS and the distributed library call them.
const FUNCTIONS: [&str; 2] = ["gsk_secure_soc_init", "gsk_secure_socket_init"];

/// `CSQXRESP`: a part of MQ's channel initiator.
pub(super) fn is_csect(word: &str) -> bool {
    word.strip_prefix("CSQX").is_some_and(|rest| rest.len() > 1 && rest.bytes().all(|b| b.is_ascii_uppercase()))
}

/// `SC4502`: the FTP trace has a reader of its own.
pub(super) fn is_trace_id(word: &str) -> bool {
    let (letters, digits) = word.split_at_checked(2).unwrap_or((word, ""));
    letters.bytes().all(|b| b.is_ascii_uppercase()) && digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word is the name of a function that does a handshake.
pub(super) fn names_function(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').trim_end_matches("()");
    FUNCTIONS.contains(&bare)
}

/// `GSK_ERROR_BAD_MESSAGE`, as distributed systems spell it, or `GSK_ERR_BAD_MESSAGE`; in the spelling of z/OS.
pub(super) fn symbol(word: &str) -> Option<String> {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = bare.strip_prefix("GSK_ERROR_").or_else(|| bare.strip_prefix("GSK_ERR_"))?;
    let is_name = name.len() > 1 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_name.then(|| format!("GSK_ERR_{name}"))
}

/// The number behind `return code`, `rc` or `RC`, in quotes or not, with `=`, `:` or nothing between.
pub(super) fn return_code(words: &[Word]) -> Option<i32> {
    let mut bare = words
        .iter()
        .flat_map(|w| w.text.split(['=', ':', '(', ')', '"', '\'', ',', ';']))
        .filter(|w| !w.is_empty())
        .take(LONGEST);
    bare.find(|w| ["rc", "code"].iter().any(|k| w.eq_ignore_ascii_case(k)))?;
    let number: i32 = bare.find(|w| !w.eq_ignore_ascii_case("is"))?.trim_end_matches('.').parse().ok()?;
    (number.unsigned_abs() < 1_000_000).then_some(number)
}

/// `192.0.2.20..1037`, or with `::FFFF:` in front.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split(' ').next()?.split_once("..")?;
    let ip: IpAddr = ip.trim_start_matches("::FFFF:").parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}
