//! What `openssl s_client` says of a server, to hold against what probe says.

use std::io::Write;
use std::process::{Command, Stdio};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Row, Server};

/// Version, suite and group as OpenSSL spells them, and the chain.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub version: String,
    pub suite: String,
    pub group: String,
    /// DER in hex, end entity first.
    pub chain: Vec<String>,
}

/// The offer of rustls, so that a server that goes by the client's order chooses the same.
const OFFER: [&str; 8] = [
    "-groups",
    "X25519:P-256:P-384",
    "-ciphersuites",
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
    "-cipher",
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:\
     ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305",
    "-min_protocol",
    "TLSv1.2",
];

/// Connects, hangs up and reads what it prints.
pub fn s_client(row: &Row, server: &Server) -> Result<Seen, String> {
    let mut command = Command::new("timeout");
    command.args(["30", "openssl", "s_client", "-showcerts", "-connect", &server.address().to_string()]).args(OFFER);
    if !row.is_implicit() {
        command.args(["-starttls", "ftp"]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{command:?}: {e}"))?;
    // A line with Q is for s_client itself: it prints its report and ends.
    let mut input = child.stdin.take().ok_or("no pipe")?;
    let _ = input.write_all(b"Q\n");
    let out = child.wait_with_output().map_err(|e| e.to_string())?;
    drop(input);
    read(&out.stdout).ok_or_else(|| {
        format!("s_client: {}\n{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    })
}

fn read(stdout: &[u8]) -> Option<Seen> {
    let text = String::from_utf8_lossy(stdout);
    let behind = |prefix: &str| text.lines().find_map(|l| l.strip_prefix(prefix));
    let (version, suite) = behind("New, ")?.split_once(", Cipher is ")?;
    // "X25519, 253 bits", "ECDH, prime256v1, 256 bits"; OpenSSL 3.5 and later have a line of their own for TLS 1.3.
    let group = behind("Negotiated TLS1.3 group: ")
        .or_else(|| behind("Server Temp Key: ").map(|key| key.strip_prefix("ECDH, ").unwrap_or(key)))
        .or_else(|| behind("Peer Temp Key: ").map(|key| key.strip_prefix("ECDH, ").unwrap_or(key)))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(stdout).collect();
    Some(Seen {
        version: version.replacen("TLSv", "TLS ", 1),
        suite: suite.to_owned(),
        group: group.split(',').next()?.to_lowercase().replace("prime256v1", "secp256r1"),
        chain: chain.ok()?.iter().map(hex::encode).collect(),
    })
}

/// OpenSSL's name of a suite: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 is ECDHE-RSA-AES256-GCM-SHA384 there.
pub fn openssl_name(iana: &str) -> Result<String, String> {
    let said = super::run(Command::new("openssl").args(["ciphers", "-convert", iana]))?;
    said.trim().rsplit(' ').next().map(str::to_owned).ok_or(said)
}
