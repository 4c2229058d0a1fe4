//! The servers, what to ask of each, and what has to come out.

use super::Start;
use super::Start::*;

/// One server and one run of `ftpsdiag probe`.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is, in words.
    pub name: &'static str,
    /// How it is started.
    pub start: Start,
    /// The command line behind `probe`. `PORT` is the server's; names ending in .pem or .key are of `certificates.sh`.
    pub args: &'static str,
    /// What the report says; the notation is that of [`super::mismatch`].
    pub expect: &'static str,
    /// What was negotiated: `TLS 1.2 C030 x25519 2`; empty when the handshake does not come to its end.
    pub tls: &'static str,
}

impl Row {
    /// Whether it is TLS from the first byte.
    pub fn is_implicit(&self) -> bool {
        self.args.starts_with("ftps://") || self.args.contains("--mode implicit")
    }

    /// Whether there is nothing to say about it.
    pub fn is_healthy(&self) -> bool {
        self.expect.contains("no warnings")
    }
}

const USUAL: &str = "127.0.0.1:PORT --ca root.pem";

const fn row(name: &'static str, start: Start, args: &'static str, expect: &'static str, tls: &'static str) -> Row {
    Row { name, start, args, expect, tls }
}

/// Works, and there is nothing to say about it.
const fn healthy(name: &'static str, start: Start, tls: &'static str) -> Row {
    row(name, start, USUAL, "works; no warnings", tls)
}

/// The handshake does not come to its end.
const fn fails(name: &'static str, start: Start, expect: &'static str) -> Row {
    row(name, start, USUAL, expect, "")
}

/// TLS comes to its end, and the certificate is judged. The server sends `sent` of them.
const fn judged(name: &'static str, start: Start, expect: &'static str, sent: u8) -> Row {
    let tls = if sent == 1 { "TLS 1.3 1302 secp256r1 1" } else { "TLS 1.3 1302 secp256r1 2" };
    row(name, start, USUAL, expect, tls)
}

pub const ROWS: &[Row] = &[
    // vsftpd
    healthy("vsftpd", Vsftpd("leaf", &[]), "TLS 1.3 1302 secp256r1 2"),
    row(
        "vsftpd by name",
        Vsftpd("leaf", &[]),
        "localhost:PORT -4 --ca root.pem",
        "works; no warnings",
        "TLS 1.3 1302 secp256r1 2",
    ),
    row(
        "vsftpd as an ftpes:// URL",
        Vsftpd("leaf", &[]),
        "ftpes://127.0.0.1:PORT --ca root.pem",
        "works; no warnings",
        "TLS 1.3 1302 secp256r1 2",
    ),
    healthy("vsftpd, TLS 1.2 at most", Vsftpd("leaf", &["OPENSSL MaxProtocol = TLSv1.2"]), "TLS 1.2 C030 secp256r1 2"),
    healthy(
        "vsftpd, its built-in cipher list of one suite",
        Vsftpd("leaf", &["ssl_ciphers=ECDHE-RSA-AES256-GCM-SHA384"]),
        "TLS 1.3 1302 secp256r1 2",
    ),
    healthy(
        "vsftpd, ECDHE with AES-GCM alone",
        Vsftpd("leaf", &["ssl_ciphers=ECDHE+AESGCM", "OPENSSL MaxProtocol = TLSv1.2"]),
        "TLS 1.2 C030 secp256r1 2",
    ),
    fails(
        "vsftpd, TLS 1.2 with static RSA alone",
        Vsftpd("leaf", &["ssl_ciphers=AES256-SHA256:AES128-GCM-SHA256", "OPENSSL MaxProtocol = TLSv1.2"]),
        "fails fatal-alert <- no-shared-cipher; alert=40",
    ),
    fails(
        "vsftpd, TLS switched off",
        Vsftpd("leaf", &["ssl_enable=NO"]),
        "fails auth-refused server <- server-tls-disabled; code=530",
    ),
    fails(
        "vsftpd wants a client certificate, TLS 1.3",
        Vsftpd("leaf", VSFTPD_CLIENT_13),
        "fails client-certificate-required",
    ),
    fails(
        "vsftpd wants a client certificate, TLS 1.2",
        Vsftpd("leaf", VSFTPD_CLIENT_12),
        "fails client-certificate-required",
    ),
    row(
        "vsftpd gets the client certificate it wants",
        Vsftpd("leaf", VSFTPD_CLIENT_13),
        "127.0.0.1:PORT --ca root.pem --cert client.pem --key client.key",
        "works",
        "TLS 1.3 1302 secp256r1 2",
    ),
    row(
        "vsftpd gets a client certificate as PKCS#12; the CA is in PKCS#7",
        Vsftpd("leaf", VSFTPD_CLIENT_12),
        "127.0.0.1:PORT --ca root.p7b --cert client.p12",
        "works",
        "TLS 1.2 C030 secp256r1 2",
    ),
    row(
        "vsftpd gets a client certificate in DER; so is the CA",
        Vsftpd("leaf", VSFTPD_CLIENT_13),
        "127.0.0.1:PORT --ca root.der --cert client.der --key client-key.der",
        "works",
        "TLS 1.3 1302 secp256r1 2",
    ),
    row(
        "vsftpd gets a client certificate of another CA",
        Vsftpd("leaf", VSFTPD_CLIENT_13),
        "127.0.0.1:PORT --ca root.pem --cert other-client.pem --key other-client.key",
        "fails client-certificate-refused",
        "",
    ),
    row(
        "vsftpd, implicit",
        Vsftpd("leaf", &["implicit_ssl=YES"]),
        "ftps://127.0.0.1:PORT --ca root.pem",
        "works; no warnings",
        "TLS 1.3 1302 secp256r1 2",
    ),
    // The first connection keeps waiting for a greeting, the second one begins with TLS.
    row(
        "vsftpd, implicit, found out",
        Vsftpd("leaf", &["implicit_ssl=YES"]),
        USUAL,
        "works",
        "TLS 1.3 1302 secp256r1 2",
    ),
    row(
        "vsftpd, implicit, asked for AUTH TLS",
        Vsftpd("leaf", &["implicit_ssl=YES"]),
        "127.0.0.1:PORT --mode explicit --timeout 2 --ca root.pem",
        "fails tls-on-explicit-port",
        "",
    ),
    row(
        "vsftpd, explicit, met with implicit TLS",
        Vsftpd("leaf", &[]),
        "127.0.0.1:PORT --mode implicit --ca root.pem",
        "fails plaintext-on-implicit-port",
        "",
    ),
    // ProFTPD
    healthy("ProFTPD", Proftpd("leaf", &[]), "TLS 1.3 1302 x25519 2"),
    healthy("ProFTPD, TLS 1.2 alone", Proftpd("leaf", &["TLSProtocol TLSv1.2"]), "TLS 1.2 C030 x25519 2"),
    healthy("ProFTPD, TLS 1.3 alone", Proftpd("leaf", &["TLSProtocol TLSv1.3"]), "TLS 1.3 1302 x25519 2"),
    fails(
        "ProFTPD, TLS 1.0 and 1.1 alone",
        Proftpd("leaf", &["TLSProtocol TLSv1 TLSv1.1", "TLSCipherSuite ALL:@SECLEVEL=0"]),
        "fails fatal-alert; alert=70",
    ),
    fails(
        "ProFTPD, TLS 1.2 with static RSA alone",
        Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSCipherSuite AES256-SHA256"]),
        "fails fatal-alert <- no-shared-cipher; alert=40",
    ),
    healthy("ProFTPD, TLSRequired on", Proftpd("leaf", &["TLSRequired on"]), "TLS 1.3 1302 x25519 2"),
    healthy("ProFTPD, ECDSA certificate", Proftpd("ecdsa", &["TLSProtocol TLSv1.2"]), "TLS 1.2 C02C x25519 2"),
    fails(
        "ProFTPD, group P-521 alone",
        Proftpd("leaf", &["TLSECDHCurve secp521r1"]),
        "fails fatal-alert server <- no-shared-group; alert=40",
    ),
    fails(
        "ProFTPD, group P-521 alone, TLS 1.2",
        Proftpd("leaf", &["TLSECDHCurve secp521r1", "TLSProtocol TLSv1.2", "TLSCipherSuite ECDHE"]),
        "fails fatal-alert server <- no-shared-group; alert=40",
    ),
    fails(
        "ProFTPD, certificate with a P-521 key",
        Proftpd("p521", &[]),
        "fails fatal-alert server <- missing-signature-algorithms; alert=40",
    ),
    healthy("ProFTPD, group P-384 alone", Proftpd("leaf", &["TLSECDHCurve secp384r1"]), "TLS 1.3 1302 secp384r1 2"),
    // What TLSRSACertificateFile holds behind the first certificate is not sent; TLSCertificateChainFile is for that.
    row(
        "ProFTPD without TLSCertificateChainFile",
        Proftpd("without-intermediate", &[]),
        USUAL,
        "fails certificate-chain-incomplete server",
        "TLS 1.3 1302 x25519 1",
    ),
    fails("ProFTPD without mod_tls", ProftpdWithoutTls, "fails auth-refused server; code=500"),
    fails(
        "ProFTPD without a certificate",
        ProftpdWithoutCertificate,
        "fails auth-refused server <- server-tls-not-initialised; code=431",
    ),
    fails(
        "ProFTPD wants a client certificate, TLS 1.2",
        Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSVerifyClient on", CLIENT_CA]),
        "fails client-certificate-required",
    ),
    fails(
        "ProFTPD wants a client certificate, TLS 1.3",
        Proftpd("leaf", &["TLSProtocol TLSv1.3", "TLSVerifyClient on", CLIENT_CA]),
        "fails client-certificate-required",
    ),
    row(
        "ProFTPD gets the client certificate it wants",
        Proftpd("leaf", &["TLSVerifyClient on", CLIENT_CA]),
        "127.0.0.1:PORT --ca root.pem --cert client.pem --key client.key",
        "works",
        "TLS 1.3 1302 x25519 2",
    ),
    row(
        "ProFTPD gets a client certificate of another CA, TLS 1.2",
        Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSVerifyClient on", CLIENT_CA]),
        "127.0.0.1:PORT --ca root.pem --cert other-client.pem --key other-client.key",
        "fails client-certificate-refused",
        "",
    ),
    row(
        "ProFTPD gets a client certificate of another CA, TLS 1.3",
        Proftpd("leaf", &["TLSProtocol TLSv1.3", "TLSVerifyClient on", CLIENT_CA]),
        "127.0.0.1:PORT --ca root.pem --cert other-client.pem --key other-client.key",
        "fails client-certificate-refused",
        "",
    ),
    row(
        "ProFTPD asks for a client certificate and can do without",
        Proftpd("leaf", &["TLSVerifyClient optional", CLIENT_CA]),
        USUAL,
        "works; also client-certificate-requested",
        "TLS 1.3 1302 x25519 2",
    ),
    row(
        "ProFTPD, implicit",
        Proftpd("leaf", &["TLSOptions UseImplicitSSL"]),
        "127.0.0.1:PORT --mode implicit --ca root.pem",
        "works; no warnings",
        "TLS 1.3 1302 x25519 2",
    ),
    row(
        "ProFTPD, implicit, asked for AUTH TLS",
        Proftpd("leaf", &["TLSOptions UseImplicitSSL"]),
        "127.0.0.1:PORT --mode explicit --timeout 2 --ca root.pem",
        "fails tls-on-explicit-port",
        "",
    ),
    row(
        "ProFTPD, explicit, met with implicit TLS",
        Proftpd("leaf", &[]),
        "ftps://127.0.0.1:PORT --ca root.pem",
        "fails plaintext-on-implicit-port",
        "",
    ),
    // Pure-FTPd
    fails("Pure-FTPd -Y 0", PureFtpd("leaf", &["-Y", "0"]), "fails auth-refused server; code=500"),
    healthy("Pure-FTPd -Y 1", PureFtpd("leaf", &["-Y", "1"]), "TLS 1.3 1302 secp256r1 2"),
    healthy("Pure-FTPd -Y 2", PureFtpd("leaf", &["-Y", "2"]), "TLS 1.3 1302 secp256r1 2"),
    healthy("Pure-FTPd -Y 3", PureFtpd("leaf", &["-Y", "3"]), "TLS 1.3 1302 secp256r1 2"),
    healthy("Pure-FTPd, ECDSA certificate", PureFtpd("ecdsa", &["-Y", "1"]), "TLS 1.3 1302 secp256r1 2"),
    // pyftpdlib
    healthy("pyftpdlib", Pyftpdlib("leaf", "explicit"), "TLS 1.3 1302 x25519 2"),
    row(
        "pyftpdlib, implicit",
        Pyftpdlib("leaf", "implicit"),
        "ftps://127.0.0.1:PORT --ca root.pem",
        "works; no warnings",
        "TLS 1.3 1302 x25519 2",
    ),
    // OpenSSL 1.0.2 serves clients of today without a word; only older ones fail.
    healthy("OpenSSL 1.0.2", OldOpenssl("leaf", "default"), "TLS 1.2 C030 secp256r1 2"),
    healthy("OpenSSL 1.0.2, TLS 1.0 off", OldOpenssl("leaf", "notls1"), "TLS 1.2 C030 secp256r1 2"),
    healthy("OpenSSL 1.0.2, TLS 1.2 alone", OldOpenssl("leaf", "tls12"), "TLS 1.2 C030 secp256r1 2"),
    healthy("OpenSSL 1.0.2, ECDHE with AES-GCM alone", OldOpenssl("leaf", "nocipher"), "TLS 1.2 C030 secp256r1 2"),
    fails(
        "OpenSSL 1.0.2, TLS 1.0 at most",
        OldOpenssl("leaf", "tls1"),
        "fails fatal-alert server <- client-tls-version-refused; alert=40",
    ),
    fails("OpenSSL 1.0.2 without a certificate", OldOpenssl("leaf", "nocert"), "fails fatal-alert; alert=40"),
    row(
        "OpenSSL 1.0.2, self-signed, nobody trusts it",
        OldOpenssl("self-signed-ca", "notls1"),
        "127.0.0.1:PORT",
        "fails certificate-self-signed server",
        "TLS 1.2 C030 secp256r1 1",
    ),
    // openssl s_server
    row(
        "s_server, TLS 1.1 alone",
        SServer("leaf", &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]),
        "127.0.0.1:PORT --mode implicit --ca root.pem",
        "fails fatal-alert; alert=70",
        "",
    ),
    row(
        "s_server, TLS 1.2 with DHE alone",
        SServer("leaf", &["-tls1_2", "-cipher", "DHE+AESGCM"]),
        "127.0.0.1:PORT --mode implicit --ca root.pem",
        "fails fatal-alert <- no-shared-cipher; alert=40",
        "",
    ),
    row(
        "s_server, TLS 1.2 with CBC alone",
        SServer("leaf", &["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384:AES256-SHA"]),
        "ftps://127.0.0.1:PORT --ca root.pem",
        "fails fatal-alert <- no-shared-cipher; alert=40",
        "",
    ),
    row(
        "s_server, group X448 alone",
        SServer("leaf", &["-tls1_3", "-groups", "X448"]),
        "ftps://127.0.0.1:PORT --ca root.pem",
        "fails fatal-alert; alert=40",
        "",
    ),
    // No server
    row("nothing listens", Nothing, "127.0.0.1:PORT", "fails connect-failed; why=refused", ""),
    row("the name has no address", Nothing, "does-not-exist.invalid:PORT", "fails connect-failed; why=dns", ""),
    row("connected, and silence", Silent, "127.0.0.1:PORT --mode explicit --timeout 2", SILENCE, ""),
    // Certificates
    row(
        "self-signed by `openssl req -x509`, nobody trusts it",
        Vsftpd("self-signed-ca", &[]),
        "127.0.0.1:PORT",
        "fails certificate-self-signed server",
        "TLS 1.3 1302 secp256r1 1",
    ),
    judged("self-signed, nobody trusts it", Vsftpd("self-signed", &[]), "fails certificate-self-signed server", 1),
    row(
        "self-signed by `openssl req -x509`, trusted by itself",
        Vsftpd("self-signed-ca", &[]),
        "127.0.0.1:PORT --ca self-signed-ca.pem",
        "works",
        "TLS 1.3 1302 secp256r1 1",
    ),
    row(
        "self-signed, trusted by itself",
        Vsftpd("self-signed", &[]),
        "127.0.0.1:PORT --ca self-signed.pem",
        "works",
        "TLS 1.3 1302 secp256r1 1",
    ),
    row(
        "self-signed, any certificate will do",
        Vsftpd("self-signed", &[]),
        "127.0.0.1:PORT --accept-any-certificate",
        "works; also certificate-self-signed",
        "TLS 1.3 1302 secp256r1 1",
    ),
    judged("expired", Vsftpd("expired", &[]), "fails certificate-expired server", 2),
    judged("not yet valid", Vsftpd("not-yet-valid", &[]), "fails certificate-not-yet-valid", 2),
    row(
        "another name",
        Vsftpd("wrong-name", &[]),
        "localhost:PORT -4 --ca root.pem",
        "fails certificate-name-mismatch",
        "TLS 1.3 1302 secp256r1 2",
    ),
    row(
        "another name, asked for by it",
        Vsftpd("wrong-name", &[]),
        "127.0.0.1:PORT --verify-name other.example --ca root.pem",
        "works",
        "TLS 1.3 1302 secp256r1 2",
    ),
    judged("another CA, its root sent along", Vsftpd("untrusted", &[]), "fails certificate-untrusted", 2),
    row(
        "a private CA, and the public ones trusted",
        Vsftpd("leaf", &[]),
        "127.0.0.1:PORT",
        "fails certificate-untrusted",
        "TLS 1.3 1302 secp256r1 2",
    ),
    judged(
        "the intermediate is not sent",
        Vsftpd("without-intermediate", &[]),
        "fails certificate-chain-incomplete server",
        1,
    ),
    judged(
        "the intermediate is not sent, and only its name says that it is one",
        Vsftpd("alone", &[]),
        "fails certificate-chain-incomplete server",
        1,
    ),
    judged("for clients alone", Vsftpd("client-usage", &[]), "fails certificate-wrong-usage server", 2),
    judged("RSA with 1024 bits", Vsftpd("rsa-1024", LEVEL_0), "works; also certificate-weak", 2),
    judged("signed with SHA-1", Vsftpd("sha1", LEVEL_0), "works; also certificate-weak", 2),
    // Version 1 has no extensions, and so no name that a client of today looks at.
    judged("version 1", Vsftpd("v1", LEVEL_0), "fails certificate-name-mismatch", 2),
];

/// OpenSSL of today refuses weak certificates of its own; older servers do not.
const LEVEL_0: &[&str] = &["OPENSSL CipherString = DEFAULT:@SECLEVEL=0", "ssl_ciphers=HIGH:@SECLEVEL=0"];
const VSFTPD_CLIENT_13: &[&str] =
    &["ssl_request_cert=YES", "require_cert=YES", "validate_cert=YES", "ca_certs_file=CERTIFICATES/root.pem"];
const VSFTPD_CLIENT_12: &[&str] = &["ssl_request_cert=YES", "require_cert=YES", "OPENSSL MaxProtocol = TLSv1.2"];
const CLIENT_CA: &str = "TLSCACertificateFile CERTIFICATES/root.pem";
/// Explicit was ordered and nothing came: a server that waits for a ClientHello cannot be told from one that hangs
/// without sending one. `by` is no-banner or tls-on-explicit-port; which of them is for the rule to settle, then for this.
const SILENCE: &str = "fails";
