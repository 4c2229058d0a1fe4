//! What a run is asked to do.

use core::fmt;
use std::sync::Arc;

use super::{TlsClient, Where};
use crate::transcript::{Asked, Der, Micros, Mode, OpenFailure};

/// Everything that a probe of one endpoint needs to know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the user asked for, as the report keeps it.
    pub asked: Asked,
    /// The endpoint's name as dialled.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its addresses, tried in this order; or why there is none.
    pub to: Result<Vec<Where>, OpenFailure>,
    /// The server name to send.
    pub server_name: ServerName,
    /// Our TLS engine.
    pub tls: TlsClient,
    /// How long to wait.
    pub patience: Patience,
    /// Randoms of hand-built hellos: from the driver, because a machine has no dice.
    pub random: [u8; 32],
    /// Who logs in, inside TLS; `None` to stop behind the handshake.
    pub login: Option<Login>,
}

/// A login, and what is tried with it.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Password,
    /// Which servers are told it; `None` for every one.
    pub confides: Option<Confides>,
    /// Whether the server is to connect to us as well (active mode).
    pub active: bool,
    /// Whether the control connection is to leave TLS (CCC).
    pub ccc: bool,
    /// A file without content, to be downloaded.
    pub empty_file: Option<String>,
    /// The directory for uploads.
    pub upload_to: Option<String>,
}

/// Decides by its certificates whether a server is told the password: whoever sits in between would like to know it too.
#[derive(Clone)]
pub struct Confides(Arc<Judge>);

/// Whether a chain is above doubt.
type Judge = dyn Fn(&[Der]) -> bool + Send + Sync;

impl Confides {
    /// By this judge of a chain, end entity first.
    pub fn by(judge: impl Fn(&[Der]) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    /// Whether a server with this chain is told. Who showed none is not.
    pub(super) fn tells(&self, chain: &[Der]) -> bool {
        !chain.is_empty() && (self.0)(chain)
    }
}

impl fmt::Debug for Confides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confides")
    }
}

/// A password. It leaves this type in one place: the command that travels inside TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes a password.
    pub fn new(password: String) -> Self {
        Self(password)
    }

    /// As it is sent.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// The server name in the ClientHello (RFC 6066).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// This one.
    Send(String),
    /// None: ordered so, or the endpoint is an address.
    Omit,
}

/// How long each wait may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For each step: connecting, the greeting, a reply, the handshake.
    pub step: Micros,
    /// Without a greeting for so long, a second connection tries TLS at once.
    pub greeting: Micros,
    /// Silence behind a failure after which no last words are expected.
    pub last_words: Micros,
    /// For the verdict on a client certificate, which in TLS 1.3 comes behind the handshake.
    pub verdict: Micros,
}

impl Patience {
    /// With so much patience for a step, the usual for the rest. Who has less than 10 s tries TLS at once after a third of it.
    pub fn of(step: Micros) -> Self {
        let usual = Self::default();
        Self { step, greeting: Micros(usual.greeting.0.min(step.0 / 3)), ..usual }
    }
}

impl Patience {
    /// How long our own end of a data connection is held back, to see if the server waits for it.
    pub(super) fn hold(self) -> Micros {
        Micros(self.last_words.0 / 2)
    }

    /// For what comes behind a silence that was waited through to its end.
    pub(super) fn shortened(self) -> Self {
        Self { step: Micros(self.step.0 / 5).max(self.last_words.min(self.step)), ..self }
    }
}

impl Default for Patience {
    fn default() -> Self {
        let ms = |n: u64| Micros(n * 1_000);
        Self { step: ms(10_000), greeting: ms(3_000), last_words: ms(500), verdict: ms(1_000) }
    }
}

/// The port of implicit TLS (IANA: ftps).
pub const IMPLICIT_PORT: u16 = 990;

impl Plan {
    /// How TLS begins on the first connection.
    pub(super) fn first_mode(&self) -> Mode {
        match self.asked.mode {
            Mode::Auto if self.port == IMPLICIT_PORT => Mode::Implicit,
            Mode::Auto => Mode::Explicit,
            ordered => ordered,
        }
    }

    /// Whether the bytes may overrule the mode.
    pub(super) fn is_auto(&self) -> bool {
        self.asked.mode == Mode::Auto
    }
}
