//! Where a transcript came from: files that were read, or what a live run was asked to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Der;

/// Noted in [`Input::assumed`] when hex begins with FTP text and nothing shows what was due there.
pub const ASSUMED_TLS_DUE: &str = "TLS was due where these bytes came";

/// What differs in a login by OpenSSL, where a server speaks only what rustls does not. It stands in for the session's own.
pub const BY_OPENSSL: &str = "OpenSSL: TLS 1.2 at most, old suites";

/// How a note in [`Input::assumed`] begins that says whose bytes were taken to be whose.
pub const ASSUMED_DIRECTION: &str = "bytes without direction";

/// The note where AT-TLS wrote bytes down at an end that nothing names.
pub const ASSUMED_OF_ATTLS: &str = "bytes without direction that AT-TLS sent were taken for the client's";

/// The note where messages of AT-TLS name both ends of a connection, and none of them is one of FTP.
pub const ASSUMED_NO_END: &str =
    "at which end AT-TLS ran: its messages do not say, and nobody is named for what they tell";

/// Of a capture in which packets come behind what answers them, farther than they can be put back.
pub const ASSUMED_ORDER: &str = "the packets are out of order: who said what first is not known";

/// Of a capture that ends while a client still tries to connect: nobody has answered so far.
pub const ASSUMED_UNANSWERED: &str = "the capture ends while the client still tries to connect";

/// Behind the words of a return code that a trace gives of the handshake of a data connection.
pub const DATA_HANDSHAKE: &str = " (handshake of a data connection)";

/// Where a transcript came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The inputs that were read; empty for a live probe.
    pub inputs: Vec<Input>,
    /// What `--redact` replaced; `None` when nothing was.
    #[serde(default)]
    pub redacted: Option<String>,
    /// What a live run was asked to do; `None` for evidence that others gathered.
    #[serde(default)]
    pub asked: Option<Asked>,
}

/// What a live run was asked to do. The bytes may contradict it: that is a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The endpoint as the user named it.
    pub target: String,
    /// How TLS was to begin.
    pub mode: Mode,
    /// The name that the certificate has to hold, when it is not that of the endpoint.
    pub verify_name: Option<String>,
    /// Whether any certificate is good enough.
    pub any_certificate: bool,
    /// The lists of authorities that the user gave, so that the evidence can be judged again by the same.
    #[serde(default)]
    pub authorities: Vec<Authorities>,
    /// What a run with a login was to try; `None` without one.
    #[serde(default)]
    pub login: Option<Tried>,
}

/// What a run with a login was to try beside listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// Active mode.
    pub active: bool,
    /// CCC, and a transfer behind it.
    pub ccc: bool,
    /// The download of an empty file.
    pub empty_file: bool,
    /// Uploads.
    pub upload: bool,
}

/// A list of authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authorities {
    /// As reports call it: the name of the user's file.
    pub name: String,
    /// The certificates, DER.
    pub certificates: Vec<Der>,
}

/// How TLS begins on a control connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Port or scheme suggest it, and the bytes overrule.
    #[default]
    Auto,
    /// AUTH TLS after the greeting (RFC 4217).
    Explicit,
    /// TLS at once, usually on port 990.
    Implicit,
    /// The greeting in clear text, then TLS at once (z/OS SECUREIMPLICITZOS).
    ImplicitAfterBanner,
}

impl Mode {
    /// All modes.
    pub const ALL: [Mode; 4] = [Mode::Auto, Mode::Explicit, Mode::Implicit, Mode::ImplicitAfterBanner];

    /// The name that `--mode` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Explicit => "explicit",
            Mode::Implicit => "implicit",
            Mode::ImplicitAfterBanner => "implicit-after-banner",
        }
    }
}

/// One file, or standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// As the user named it; `-` is standard input.
    pub name: String,
    /// SHA-256 of the input as it came, in hex; empty where its end was not known yet.
    pub sha256: String,
    /// Length of the input in bytes.
    pub bytes: u64,
    /// The kinds of evidence found in it, e.g. `gsksrvr`, `zos-ftp`, `hex`.
    pub sources: Vec<String>,
    /// Lines that are not blank.
    pub lines: u64,
    /// Of those, the lines that a source understood.
    pub understood: u64,
    /// The first lines that nothing understood, as printable ASCII.
    pub unread: Vec<String>,
    /// What was assumed in reading it, in words ("direction taken from the content").
    pub assumed: Vec<String>,
}
