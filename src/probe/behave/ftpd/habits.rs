//! What a server does otherwise than a healthy one.

use crate::probe::engine::Sessions;

/// The habits of a server; the default is healthy, and as strict as real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// TLS 1.3 and nothing else; otherwise TLS 1.2 and nothing else.
    pub tls13: bool,
    /// The login.
    pub login: Login,
    /// Protection of data connections.
    pub protection: Protection,
    /// CCC.
    pub ccc: Ccc,
    /// The reply to PASV.
    pub pasv: Pasv,
    /// The reply to EPSV, when it is another than 229 with a port.
    pub epsv: Option<&'static str>,
    /// What is behind the port that it announces.
    pub behind: Behind,
    /// Active mode.
    pub active: Active,
    /// When it says 150.
    pub begins: Begins,
    /// The start of TLS on data connections.
    pub start: Start,
    /// Sessions of the control connection on data connections.
    pub sessions: Sessions,
    /// The answer to data connections that resume no session; `None` lets them pass.
    pub unresumed: Option<&'static str>,
    /// The end of what it sends.
    pub end: End,
    /// Uploads.
    pub upload: Upload,
    /// The final reply.
    pub last: Last,
}

/// A server without bad habits, for TLS 1.2.
pub const HEALTHY: Habits = Habits {
    tls13: false,
    login: Login::Anybody,
    protection: Protection::STRICT,
    ccc: Ccc::Clears,
    pasv: Pasv::Right,
    epsv: None,
    behind: Behind::Open,
    active: Active::Connects,
    begins: Begins::Standing,
    start: Start::Right,
    sessions: Sessions::USUAL,
    unresumed: None,
    end: End::CloseNotify,
    upload: Upload::Keeps,
    last: Last::InOrder,
};

impl Default for Habits {
    fn default() -> Self {
        HEALTHY
    }
}

/// What becomes of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Whoever comes is let in.
    Anybody,
    /// Nobody is: PASS gets this reply.
    Refuses(&'static str),
    /// Behind PASS the process dies and says so past TLS.
    Crashes(&'static str),
    /// PBSZ and PROT from before the login are forgotten.
    Forgets,
    /// PBSZ and PROT are refused before the login.
    First,
}

/// What it says to PROT, and to transfers without it; `None` is a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Whether PBSZ has to come before PROT.
    pub pbsz: bool,
    /// The answer to PROT P.
    pub private: Option<&'static str>,
    /// The answer to PROT C.
    pub clear: Option<&'static str>,
    /// The answer to a transfer in clear.
    pub transfer: Option<&'static str>,
}

impl Protection {
    /// Nothing travels in clear.
    pub const STRICT: Self = Self {
        pbsz: false,
        private: None,
        clear: Some("534 Unwilling to accept security parameters"),
        transfer: Some("522 Data connections must be encrypted."),
    };
    /// As the client likes.
    pub const LAX: Self = Self { pbsz: false, private: None, clear: None, transfer: None };
}

/// What becomes of CCC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ccc {
    /// 200, close_notify, and on in clear.
    Clears,
    /// This answer.
    Refuses(&'static str),
    /// As it should be, but transfers then end behind their handshake with this reply.
    Breaks(&'static str),
    /// 200, and on in clear at once.
    WithoutCloseNotify,
    /// 200, and nothing more.
    Mute,
}

/// What PASV is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pasv {
    /// 227 with its own address and the port.
    Right,
    /// 227 with this address and the port.
    Address([u8; 4]),
    /// 227 with its own address and this port, where it does not listen.
    Port(u16),
    /// This reply.
    Says(&'static str),
}

/// What is behind an announced port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// The server.
    Open,
    /// Nobody: RST.
    Closed,
    /// A firewall that drops whatever comes.
    Blocked,
}

/// What becomes of PORT and EPRT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Active {
    /// It connects.
    Connects,
    /// This answer.
    Refuses(&'static str),
    /// Yes, but it does not come.
    Stays,
    /// It connects and resets.
    Resets,
}

/// When it says 150.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// When the data connection stands.
    Standing,
    /// At the command, before it looks for a data connection.
    AtOnce,
    /// Behind the handshake of the data connection.
    Established,
}

/// How a data connection begins that has to be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With a handshake.
    Right,
    /// With a handshake that shows another certificate, and knows no session.
    OtherCertificate,
    /// With silence.
    Mute,
    /// With an alert of this number, and 425.
    Alert(u8),
    /// In clear.
    Clear,
    /// With this text in clear, and the end of both connections.
    Text(&'static [u8]),
    /// With its end, and this reply.
    Closes(&'static str),
    /// The same, where nothing is to be sent.
    ClosesEmpty(&'static str),
    /// Not at all: the command gets this reply.
    Refuses(&'static str),
}

/// How it ends what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// close_notify, then FIN.
    CloseNotify,
    /// FIN, on uploads as well.
    Fin,
    /// close_notify, then RST.
    CloseNotifyReset,
    /// RST.
    Reset,
    /// RST in the middle, and this reply.
    ResetInside(&'static str),
    /// FIN in the middle, and this reply.
    FinInside(&'static str),
    /// Not before the client's close_notify.
    WaitsForCloseNotify,
    /// close_notify, then nothing before the client's.
    WaitsForAnswer,
}

/// What becomes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It is kept, if it ended with close_notify.
    Keeps,
    /// The same, only that it waits for FIN.
    WaitsForFin,
    /// Half of it is kept.
    Halves,
    /// An empty one never ends.
    HangsEmpty,
    /// It is thrown away with this reply.
    Refuses(&'static str),
}

/// When the final reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Behind the end of the data.
    InOrder,
    /// Before the handshake of a download.
    BeforeHandshake,
    /// In the middle of a download.
    BeforeEnd,
    /// Never: the control connection is closed instead.
    Closes,
    /// Never.
    Mute,
}
