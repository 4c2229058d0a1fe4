//! Who speaks in claims, and at which end: one place for the names that sources write and facts and rules read.
//!
//! A name stands in saved reports, so it is never changed; a new one is added.

use super::Side;

/// The z/OS FTP client, by its messages and its trace.
pub const ZOS_FTP_CLIENT: &str = "z/OS FTP client";

/// The z/OS FTP server, by its messages and its trace.
pub const ZOS_FTP_SERVER: &str = "z/OS FTP server";

/// System SSL, by its trace. Alone it does not say at which end it ran.
pub const SYSTEM_SSL: &str = "System SSL";

/// AT-TLS, by what it writes to the system's log.
pub const AT_TLS: &str = "AT-TLS";

/// A TN3270 server, which does TLS as the FTP server of the same system does.
pub const TN3270_SERVER: &str = "TN3270 server";

/// Db2, whose TLS is that of the same library.
pub const DB2: &str = "Db2";

/// A program that names a function of GSKit with its return code, or the symbol of one, and not itself.
pub const GSKIT: &str = "GSKit";

/// The channel initiator of IBM MQ on z/OS, by its messages.
pub const MQ: &str = "IBM MQ";

/// CICS, by the messages of its socket domain.
pub const CICS: &str = "CICS";

/// Certicom's TLS, which older Sterling B2B Integrators use, by the text of its exceptions.
pub const CERTICOM: &str = "Certicom TLS";

/// The FTP client of IBM i, by its messages.
pub const IBM_I_FTP_CLIENT: &str = "IBM i FTP client";

/// Statements of a configuration that was pasted along.
pub const FTP_DATA: &str = "FTP.DATA";

/// Statements and results of a job.
pub const JCL: &str = "JCL";

/// Statements of an AT-TLS policy that was pasted along.
pub const AT_TLS_POLICY: &str = "AT-TLS policy";

/// What the security product of z/OS refused, from the log of the job.
pub const RACF: &str = "RACF";

/// What stands between a program and the end at which it ran, and between both and the job.
const AT: &str = " at the ";
const JOB: &str = ", job ";

/// `AT-TLS at the client, job FTPJOB`: a program with its end and its job, as far as they are known.
pub fn speaker(program: &str, side: Option<Side>, job: &str) -> String {
    let mut out = program.to_owned();
    if let Some(side) = side {
        out += AT;
        out += if side == Side::Client { "client" } else { "server" };
    }
    if !job.is_empty() {
        out += JOB;
        out += job;
    }
    out
}

/// The end at which a speaker stands; `None` where its name does not say.
pub fn side_of(by: &str) -> Option<Side> {
    match without_job(by) {
        ZOS_FTP_CLIENT | IBM_I_FTP_CLIENT => Some(Side::Client),
        ZOS_FTP_SERVER | TN3270_SERVER => Some(Side::Server),
        front => at_end(front).map(|(_, side)| side),
    }
}

/// Program and end. Every rule asks for these, of every claim: no search over the whole name.
fn at_end(front: &str) -> Option<(&str, Side)> {
    [("client", Side::Client), ("server", Side::Server)]
        .into_iter()
        .find_map(|(end, side)| Some((front.strip_suffix(end)?.strip_suffix(AT)?, side)))
}

fn without_job(by: &str) -> &str {
    job_begins(by).and_then(|at| by.get(..at)).unwrap_or(by)
}

fn job_begins(by: &str) -> Option<usize> {
    by.bytes()
        .enumerate()
        .filter(|(_, b)| *b == b',')
        .map(|(at, _)| at)
        .find(|at| by.get(*at..).is_some_and(|rest| rest.starts_with(JOB)))
}

/// The program, without its end and its job.
pub fn program_of(by: &str) -> &str {
    let front = without_job(by);
    at_end(front).map_or(front, |(program, _)| program)
}

/// Whether a program beside FTP speaks that uses the same library, and tells of a handshake whenever it tells anything.
pub fn is_sibling(program: &str) -> bool {
    matches!(program, DB2 | GSKIT | MQ | CICS)
}

/// Whether a file speaks, or what decides on files: settings and rights, which say what was to be and not what happened.
pub fn is_config(by: &str) -> bool {
    matches!(program_of(by), FTP_DATA | JCL | AT_TLS_POLICY | RACF)
}

/// The job, if the name gives it.
pub fn job_of(by: &str) -> Option<&str> {
    by.get(job_begins(by)? + JOB.len()..).filter(|job| !job.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_program_end_and_job() {
        for (side, name) in [
            (Some(Side::Client), "System SSL at the client, job SJP1"),
            (Some(Side::Server), "System SSL at the server, job SJP1"),
            (None, "System SSL, job SJP1"),
        ] {
            assert_eq!(speaker(SYSTEM_SSL, side, "SJP1"), name);
            assert_eq!((program_of(name), side_of(name), job_of(name)), (SYSTEM_SSL, side, Some("SJP1")));
        }
        // As saved reports have them.
        assert_eq!((ZOS_FTP_CLIENT, ZOS_FTP_SERVER), ("z/OS FTP client", "z/OS FTP server"));
        assert_eq!(speaker(SYSTEM_SSL, None, ""), "System SSL");
        assert_eq!(side_of(ZOS_FTP_CLIENT), Some(Side::Client));
        assert_eq!(side_of(ZOS_FTP_SERVER), Some(Side::Server));
        for by in ["System SSL", "rustls", "", " at the ", "a client", "x at the door", FTP_DATA, JCL, DB2, GSKIT] {
            assert_eq!((side_of(by), job_of(by)), (None, None), "{by}");
        }
    }
}
