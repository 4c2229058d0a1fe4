//! The return code of a z/OS FTP step, by which command and behind which reply it ended. The reply is the last one that came,
//! and not always the one at fault: only where both leave one reading does a code speak for a finding.

use super::case::Claim;
use super::finding::{Confidence, Finding, Party};
use super::{Case, Sink};
use crate::codes;
use crate::decode::{Event, Kind};
use crate::transcript::{Code, speakers};

/// Subcommand OPEN, which sends AUTH as well.
const OPEN: u32 = 10;

/// FTP_CONNECT_FAILED, FTP_TIMEOUT, FTP_AUTHENTICATION.
pub(super) const NO_CONNECTION: u32 = 8;
pub(super) const TIMEOUT: u32 = 9;
const AUTHENTICATION: u32 = 17;

/// The condition code of a step is the return code modulo this.
const CONDITION: u32 = 4_096;

/// How a step ended.
pub(super) struct Ended<'a> {
    pub(super) claim: Claim<'a>,
    /// The subcommand.
    pub(super) command: u32,
    /// The last reply; 0 is none.
    pub(super) reply: u32,
    /// The error code of the client, where it is given.
    pub(super) error: Option<u32>,
    /// Whether the number may mean something else.
    pub(super) ambiguous: bool,
}

/// The first claim that says it, of those with the most to say.
pub(super) fn ended<'a>(case: &Case<'a>) -> Option<Ended<'a>> {
    let by_client = case.claims().filter(|c| !c.is_of_server()).find_map(of_message);
    let is_step = |c: &Claim<'_>| matches!(c.code, Some(Code::Message(id)) if id == "IEF142I");
    let of_step = || {
        let last = last_reply(case);
        case.claims().filter(is_step).take(MOST).find_map(|c| of_condition(c, last))
    };
    // Only the step of an FTP client counts modulo.
    let has_client = |_: &Ended<'_>| case.claims().any(|c| c.by == speakers::ZOS_FTP_CLIENT);
    by_client.or_else(|| of_step().filter(has_client))
}

/// So many steps of a job are looked at.
const MOST: usize = 64;

/// Whether the client's step ended with this reply: its return code says so, and no command follows.
pub(super) fn stopped_by(case: &Case<'_>, answer: &Event, code: u16) -> bool {
    let commands = |e: &Event| matches!(e.kind, Kind::Command { .. });
    let told = case.after(answer).take_while(|e| !commands(e)).filter_map(Claim::of).filter(|c| !c.is_of_server());
    let with_reply = told.filter_map(of_message).find(|e| e.reply == u32::from(code));
    with_reply.is_some() && !case.after(answer).any(commands)
}

fn of_message(claim: Claim<'_>) -> Option<Ended<'_>> {
    let Some(Code::Message(id)) = claim.code else { return None };
    let (command, reply, error) = match id.as_str() {
        "EZA1735I" => {
            let std = number_behind(claim.text, "Std Return Code =")?;
            (std / 1_000, std % 1_000, number_behind(claim.text, "Error Code ="))
        }
        "EZZ9830I" => of_log(claim.text)?,
        _ => return None,
    };
    Some(Ended { claim, command, reply, error, ambiguous: false })
}

/// `Cmd = 10(open) Reply = n/a EX CEE RC = 0810`.
fn of_log(text: &str) -> Option<(u32, u32, Option<u32>)> {
    let command = number_behind(text, "Cmd =")?;
    // n/a, or a number.
    let reply = number_behind(text, "Reply =").unwrap_or(0);
    let rc = number_behind(text, "RC =")?;
    match () {
        () if text.contains(" STD ") => Some((rc / 1_000, rc % 1_000, None)),
        () if text.contains(" CEC ") => Some((command, reply, Some(rc))),
        () if text.contains(" CEE ") => Some((command, reply, Some(rc / 100))),
        () => Some((command, reply, None)),
    }
}

/// The last reply in the evidence.
fn last_reply(case: &Case<'_>) -> Option<u32> {
    let replies = case.control().filter_map(|e| if let Kind::Reply(r) = &e.kind { Some(r.code.into()) } else { None });
    replies.last()
}

/// `COND CODE 2042`: the one return code of which that can be left, where the last reply is known with that one.
fn of_condition(claim: Claim<'_>, last: Option<u32>) -> Option<Ended<'_>> {
    let cc = number_behind(claim.text, "COND CODE").filter(|cc| *cc > 0 && *cc < CONDITION)?;
    let is_reply = |n: u32| u16::try_from(n).ok().and_then(codes::ftp_reply).is_some();
    let may_be = |rc: &u32| {
        let reply = rc % 1_000;
        let fits = last.map_or(reply == 0 || is_reply(reply), |last| last == reply);
        codes::ftp_subcommand(rc / 1_000).is_some() && fits && *rc >= 1_000
    };
    // With CLIENTERRCODES EXTENDED it is the error code and the subcommand.
    let ambiguous = codes::ftp_client_error(cc / 100).is_some() && codes::ftp_subcommand(cc % 100).is_some();
    let mut candidates = (0..25).map(|k| cc + CONDITION * k).filter(may_be);
    let rc = candidates.next()?;
    let (command, reply) = (rc / 1_000, rc % 1_000);
    candidates.next().is_none().then_some(Ended { claim, command, reply, error: None, ambiguous })
}

/// The digits behind some words.
fn number_behind(text: &str, words: &str) -> Option<u32> {
    let (_, rest) = text.split_once(words)?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).take(6).collect();
    digits.parse().ok()
}

/// Subcommands that move files or lists.
const MOVES: [&str; 7] = ["APPEND", "DIR", "GET", "LS", "MGET", "MPUT", "PUT"];

impl Case<'_> {
    /// The subcommand and the reply with which a step ended, where nothing else of a session is there.
    pub fn refused_step(&self) -> Option<(&'static str, u16)> {
        let said = |e: &Event| e.from().is_some() || matches!(e.kind, Kind::TlsStarts { .. });
        let ended = ended(self).filter(|e| !e.ambiguous && self.first(said).is_none())?;
        let name = codes::ftp_subcommand(ended.command)?.name;
        let code = u16::try_from(ended.reply).ok()?;
        MOVES.contains(&name).then_some((name, code))
    }
}

impl Ended<'_> {
    /// Whether it ended before a reply came, and nothing in the evidence says otherwise.
    pub(super) fn is_before_anything(&self, case: &Case<'_>) -> bool {
        let said = |e: &Event| e.from().is_some() || matches!(e.kind, Kind::TlsStarts { .. });
        self.command == OPEN
            && self.reply == 0
            && !self.ambiguous
            && case.first(said).is_none()
            && case.told().is_none()
    }

    /// Whether it ended behind the yes to AUTH, and nothing in the evidence says more of that.
    pub(super) fn is_behind_auth(&self, case: &Case<'_>) -> bool {
        let last = last_reply(case);
        let tls = |e: &Event| match &e.kind {
            Kind::Handshake(_) | Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { .. } => true,
            Kind::Alert { .. } | Kind::Decrypted { .. } => true,
            Kind::Claim { code, .. } => !matches!(code, None | Some(Code::Message(_) | Code::FtpClient(_))),
            _ => false,
        };
        self.command == OPEN
            && self.reply == 234
            && self.error.is_none_or(|e| e == AUTHENTICATION)
            && last.map_or(!self.ambiguous, |code| code == 234)
            && case.first(tls).is_none()
            && case.told().is_none()
            && !case.handshake_completed()
    }

    /// A finding that rests on this number alone.
    pub(super) fn finding(&self, sink: &mut Sink<'_>, party: Party, headlines: &[String]) -> Finding {
        let mut f = sink.finding(Confidence::Likely, party, headlines);
        f.ended = true;
        sink.shows_by(&mut f, self.claim.event);
        let id = if let Some(Code::Message(id)) = self.claim.code { id.as_str() } else { "" };
        f.why.push(format!("{} ({id}): \"{}\"", self.claim.by, self.claim.text));
        if let Some(error) = self.error.and_then(codes::ftp_client_error) {
            f.why.push(format!("Error code {}: {}.", error.code, error.meaning));
        }
        f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_step() {
        assert_eq!(of_log("FTP failed - Cmd = 10(open) Reply = n/a EX CEE RC = 0810"), Some((10, 0, Some(8))));
        assert_eq!(of_log("FTP failed - Cmd = 10(open) Reply = 234 EX CEC RC = 17"), Some((10, 234, Some(17))));
        assert_eq!(of_log("FTP failed - Cmd = 10(open) Reply = 234 EX STD RC = 10234"), Some((10, 234, None)));
        assert_eq!(of_log("FTP failed - Cmd = ("), None);
        assert_eq!(number_behind("COND CODE 2042", "COND CODE"), Some(2042));
    }
}
