//! The members: a healthy server, and one for each habit; each with TLS 1.2 and with TLS 1.3.

use super::{
    Active, Begins, Behind, Ccc, End, HEALTHY, Habits, Last, Login, Pasv, Protection, Sessions, Start, Upload,
};

/// A server of the zoo.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What it does otherwise than others.
    pub habits: Habits,
}

/// A member twice: healthy but for these habits.
macro_rules! both {
    ($name:literal $(, $habit:ident: $value:expr)*) => {
        [
            Member { name: concat!($name, "-tls12"), habits: Habits { $($habit: $value,)* tls13: false, ..HEALTHY } },
            Member { name: concat!($name, "-tls13"), habits: Habits { $($habit: $value,)* tls13: true, ..HEALTHY } },
        ]
    };
}

/// All members.
pub fn zoo() -> impl Iterator<Item = &'static Member> {
    MEMBERS.iter().flatten()
}

const OOPS: &str = "500 OOPS: vsftpd: refusing to run with writable root inside chroot()";
const OOPS_DATA: &[u8] = b"500 OOPS: child died\r\n";
const VSFTPD: &str =
    "522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page";
const PROFTPD: &str = "425 Unable to build data connection: Operation not permitted";
const FILEZILLA: &str = "425 Unable to build data connection: TLS session of data connection not resumed.";
const ABORTED: &str = "426 Connection closed; transfer aborted.";
const ZOS: &str = "534 TLS negotiation failed -- data connection closed";

/// No session is taken on data connections.
const FORGETFUL: Sessions = Sessions { taken: false, ..Sessions::USUAL };
/// Two tickets, and no other.
const TWO: Sessions = Sessions { given: 2, renewed: 0, taken: true };
/// One ticket, and no other.
const ONE: Sessions = Sessions { given: 1, ..TWO };
/// None at all.
const NONE: Sessions = Sessions { given: 0, ..TWO };

const STRICT: Protection = Protection::STRICT;

/// Transfers in clear get this reply; PROT C is taken.
const fn no_clear(reply: &'static str) -> Protection {
    Protection { transfer: Some(reply), ..Protection::LAX }
}

static MEMBERS: &[[Member; 2]] = &[
    both!("healthy"),
    // The login and what comes before it.
    both!("login-refused", login: Login::Refuses("530 Login incorrect.")),
    both!("login-oops", login: Login::Crashes(OOPS)),
    both!("prot-forgotten-at-login", login: Login::Forgets),
    both!("prot-refused-before-login", login: Login::First),
    both!("pbsz-required", protection: Protection { pbsz: true, ..STRICT }),
    both!("prot-p-refused", protection: Protection { private: Some("536 Requested PROT level not supported by mechanism."), ..STRICT }),
    both!("prot-c-refused", protection: Protection { clear: Some("534 Protection level C not allowed"), ..STRICT }),
    both!("clear-allowed", protection: Protection::LAX),
    both!("clear-refused-521", protection: no_clear("521 Data connection cannot be opened with this PROT setting.")),
    both!("clear-refused-522", protection: no_clear("522 SSL/TLS required on the data channel")),
    both!("clear-refused-534", protection: no_clear("534 Policy requires SSL.")),
    // Where data connections go.
    both!("pasv-private", pasv: Pasv::Address([10, 1, 2, 3])),
    both!("pasv-foreign", pasv: Pasv::Address([198, 51, 100, 20])),
    both!("pasv-zero", pasv: Pasv::Address([0; 4])),
    both!("pasv-port-0", pasv: Pasv::Port(0)),
    both!("pasv-port-1", pasv: Pasv::Port(1)),
    both!("pasv-malformed", pasv: Pasv::Says("227 Entering Passive Mode (192,0,2,7).")),
    both!("pasv-refused", pasv: Pasv::Says("550 Permission denied.")),
    both!("epsv-malformed", epsv: Some("229 Entering Extended Passive Mode (203,0,113,7,195,80)")),
    both!("epsv-port-0", epsv: Some("229 Entering Extended Passive Mode (|||0|)")),
    both!("epsv-refused", epsv: Some("500 Unknown command, 'EPSV'")),
    both!("passive-refused", pasv: Pasv::Says("502 PASV not implemented."), epsv: Some("502 EPSV not implemented.")),
    both!("port-closed", behind: Behind::Closed),
    both!("port-blocked", behind: Behind::Blocked),
    both!("bad-ip", start: Start::Refuses("425 Security: Bad IP connecting.")),
    both!("no-data-connection", start: Start::Refuses("425 Can't open data connection.")),
    // Active mode.
    both!("active-refused", active: Active::Refuses("500 Illegal PORT command.")),
    both!("active-stays", active: Active::Stays),
    both!("active-resets", active: Active::Resets),
    // How they begin.
    both!("150-at-once", begins: Begins::AtOnce),
    both!("150-behind-handshake", begins: Begins::Established),
    both!("data-other-certificate", start: Start::OtherCertificate),
    both!("data-mute", start: Start::Mute),
    both!("data-alert-40", start: Start::Alert(40)),
    both!("data-clear", start: Start::Clear),
    both!("data-oops", start: Start::Text(OOPS_DATA)),
    both!("data-closes", start: Start::Closes("425 Can't open data connection.")),
    both!("data-closes-226", start: Start::Closes("226 Transfer complete.")),
    both!("data-closes-empty", start: Start::ClosesEmpty("226 Transfer complete.")),
    both!("data-closes-empty-425", start: Start::ClosesEmpty(PROFTPD)),
    // Sessions.
    both!("reuse-vsftpd", unresumed: Some(VSFTPD)),
    both!("reuse-proftpd", unresumed: Some(PROFTPD)),
    both!("reuse-filezilla", unresumed: Some(FILEZILLA)),
    both!("never-resumes", sessions: FORGETFUL),
    both!("never-resumes-vsftpd", sessions: FORGETFUL, unresumed: Some(VSFTPD)),
    both!("never-resumes-proftpd", sessions: FORGETFUL, unresumed: Some(PROFTPD)),
    both!("two-tickets", sessions: TWO),
    both!("two-tickets-vsftpd", sessions: TWO, unresumed: Some(VSFTPD)),
    both!("two-tickets-proftpd", sessions: TWO, unresumed: Some(PROFTPD)),
    both!("one-ticket", sessions: ONE),
    both!("one-ticket-filezilla", sessions: ONE, unresumed: Some(FILEZILLA)),
    both!("no-sessions", sessions: NONE),
    // How they end.
    both!("end-fin", end: End::Fin),
    both!("end-close-notify-reset", end: End::CloseNotifyReset),
    both!("end-reset", end: End::Reset),
    both!("reset-inside", end: End::ResetInside("426 Failure writing network stream.")),
    both!("reset-inside-226", end: End::ResetInside("226 Transfer complete.")),
    both!("fin-inside", end: End::FinInside(ABORTED)),
    both!("fin-inside-226", end: End::FinInside("226 Transfer complete.")),
    both!("end-waits-for-close-notify", end: End::WaitsForCloseNotify),
    both!("end-waits-for-answer", end: End::WaitsForAnswer),
    both!("226-before-handshake", last: Last::BeforeHandshake),
    both!("226-before-end", last: Last::BeforeEnd),
    both!("control-closes", last: Last::Closes),
    both!("control-mute", last: Last::Mute),
    // Uploads.
    both!("upload-waits-for-fin", upload: Upload::WaitsForFin),
    both!("upload-halved", upload: Upload::Halves),
    both!("upload-empty-hangs", upload: Upload::HangsEmpty),
    both!("upload-426", upload: Upload::Refuses("426 Failure reading network stream.")),
    // CCC.
    both!("ccc-refused", ccc: Ccc::Refuses("534 CCC not supported")),
    both!("ccc-breaks-data", ccc: Ccc::Breaks(ZOS)),
    both!("ccc-without-close-notify", ccc: Ccc::WithoutCloseNotify),
    both!("ccc-mute", ccc: Ccc::Mute),
];
