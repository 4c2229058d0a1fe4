//! A reply by itself, about a data connection: the finding that it leads to, by the same words by which the rules read it.

use super::addresses::Reach;
use super::arranging::is_about_tls;
use super::data_session_reuse_required as session_reuse;
use super::data_sessions::reuse;
use super::endings::has;
use super::pasv_bad_port::{LOWEST, is_masked};
use super::unopened::said;
use super::{
    ccc_breaks_data, data_close_notify_missing, data_connect_failed, data_empty_transfer_fails,
    data_protection_required, data_reset, data_silence_during_handshake, epsv_malformed, epsv_refused, pasv_bad_port,
    pasv_foreign_address, pasv_private_address, port_refused,
};
use crate::wire::ftp::{extended_port, host_port};

/// What a reply about data connections leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataReply {
    /// The id of the finding.
    pub finding: &'static str,
    /// What the reply itself says, read; empty where its words are all.
    pub note: String,
}

/// Reads one reply as it was pasted, without the session around it.
pub fn data_reply(code: u16, text: &str) -> Option<DataReply> {
    let found = |finding, note: &str| Some(DataReply { finding, note: note.to_owned() });
    let says = |words: &[&str]| has(text, words);
    match code {
        125 | 150 if says(&["(0 bytes)"]) => found(data_empty_transfer_fails::RULE.id, "Nothing is to be transferred."),
        125 | 150 => {
            let note = "The transfer begins, and TLS on the data connection with it. If this came last, that handshake \
                        may be what broke.";
            found(data_silence_during_handshake::RULE.id, note)
        }
        227 => passive(text),
        229 => match extended_port(text) {
            Some((None, 1..)) => None,
            None if is_masked(text, true) => None,
            _ => found(epsv_malformed::RULE.id, "RFC 2428 wants (|||PORT|) at its end."),
        },
        400.. if says(&data_protection_required::WORDS) => found(data_protection_required::RULE.id, ""),
        400.. if reuse(text).is_some() => found(session_reuse::RULE.id, ""),
        522 if says(&["network protocol", "protocol not supported"]) => found(epsv_refused::RULE.id, ""),
        500 | 501 if says(&["illegal port", "illegal eprt"]) => found(port_refused::RULE.id, ""),
        521 if says(&["with this prot setting"]) => found(data_protection_required::RULE.id, ""),
        534 if says(&ccc_breaks_data::Z_OS) => found(ccc_breaks_data::RULE.id, ""),
        425 | 426 if says(&data_close_notify_missing::REPLIES) => found(data_close_notify_missing::RULE.id, ""),
        400.. if says(&data_reset::REPLIES) => found(data_reset::RULE.id, ""),
        426 if !is_about_tls(text) => found(data_reset::RULE.id, ""),
        421 | 425 => said(code, text, false).and_then(|_| found(data_connect_failed::RULE.id, "")),
        _ => None,
    }
}

/// The six numbers of a 227.
fn passive(text: &str) -> Option<DataReply> {
    let Some(at) = host_port(text) else {
        let note = "It holds no address and port that can be read.".to_owned();
        return (!is_masked(text, true)).then_some(DataReply { finding: pasv_bad_port::RULE.id, note });
    };
    let (ip, port) = (core::net::IpAddr::V4(*at.ip()), at.port());
    let reach = Reach::of(ip);
    let finding = match reach {
        _ if port < LOWEST => pasv_bad_port::RULE.id,
        Reach::Public => pasv_foreign_address::RULE.id,
        _ => pasv_private_address::RULE.id,
    };
    let right = if reach == Reach::Public { "right if it is the one that clients dial" } else { reach.source() };
    Some(DataReply { finding, note: format!("It names {ip}, {right}, port {port}.") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_is_not_about_data_leads_nowhere() {
        for (code, text) in [
            (229, "Entering Extended Passive Mode (|||50000|)"),
            (227, "Entering Passive Mode (10,1,2,x,x,x)"),
            (550, "orders.txt: No such file or directory"),
            (550, "orders.txt: Operation not permitted"),
            (425, "Use PORT or PASV first."),
            (421, "Too many connections"),
            (500, "Unknown command"),
            (200, "PORT command successful"),
        ] {
            assert_eq!(data_reply(code, text), None, "{code} {text}");
        }
    }
}
