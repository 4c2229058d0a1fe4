//! The sessions that are captured: real clients at real servers, and what has to stand in each.

use crate::servers::Start::{self, *};

/// One server, and what clients do to it.
pub struct Row {
    pub name: &'static str,
    pub start: Start,
    /// Lines for a shell, run one after the other; how they end does not matter. Words in capitals are those of
    /// [`super::record::WORDS`], and PORT, PASSWORD, CERTIFICATES, HERE (this folder) and OUT (a folder of the run).
    pub clients: &'static [&'static str],
    /// What has to be read out of the bytes: parts of lines as [`super::lines`] writes them. A session that is not what it is
    /// there for proves nothing.
    pub holds: &'static [&'static str],
    /// The server speaks TLS from the first byte.
    pub implicit: bool,
}

const fn row(
    name: &'static str,
    start: Start,
    clients: &'static [&'static str],
    holds: &'static [&'static str],
) -> Row {
    Row { name, start, clients, holds, implicit: false }
}

const fn implicit(
    name: &'static str,
    start: Start,
    clients: &'static [&'static str],
    holds: &'static [&'static str],
) -> Row {
    Row { name, start, clients, holds, implicit: true }
}

/// Versions that no server has by default any more.
const OLD: Start = Vsftpd(
    "leaf",
    &["OPENSSL MinProtocol = TLSv1", "OPENSSL CipherString = ALL:@SECLEVEL=0", "ssl_ciphers=ALL:@SECLEVEL=0"],
);
const RESUMES: Start = Proftpd("leaf", &["# session reuse as built in"]);
const RESUMES_12: Start = Proftpd("leaf", &["# session reuse as built in", "TLSProtocol TLSv1.2"]);
const P384: Start = Proftpd("leaf", &["TLSECDHCurve secp384r1"]);
const WANTS_CERTIFICATE: Start = Proftpd("leaf", &["TLSVerifyClient on", "TLSCACertificateFile CERTIFICATES/root.pem"]);
const WANTS_CERTIFICATE_12: Start =
    Proftpd("leaf", &["TLSVerifyClient on", "TLSCACertificateFile CERTIFICATES/root.pem", "TLSProtocol TLSv1.2"]);
const VSFTPD: Start = Vsftpd("leaf", &[]);
const PURE: Start = PureFtpd("leaf", &["-Y", "1"]);

pub const ROWS: &[Row] = &[
    row(
        "curl, TLS 1.3",
        VSFTPD,
        &["curl -sSk --ssl-reqd ftp://127.0.0.1:PORT/hello.txt"],
        &["ftp 220", "ftp AUTH", "negotiated=0304"],
    ),
    row(
        "curl, TLS 1.2",
        VSFTPD,
        &["curl -sSk --ssl-reqd --tls-max 1.2 ftp://127.0.0.1:PORT/"],
        &["negotiated=0303", "certificate", "ServerHelloDone"],
    ),
    row(
        "curl, resumed data, TLS 1.3",
        RESUMES,
        &["curl -sSk --ssl-reqd CURL_JOE ftp://127.0.0.1:PORT/"],
        &["psk=", "selected-psk=0"],
    ),
    row(
        "curl, resumed data, TLS 1.2",
        RESUMES_12,
        &["curl -sSk --ssl-reqd CURL_JOE ftp://127.0.0.1:PORT/"],
        &["negotiated=0303"],
    ),
    row(
        "curl, no resumption where it is demanded",
        RESUMES_12,
        &["curl -sSk --ssl-reqd --no-sessionid CURL_JOE ftp://127.0.0.1:PORT/"],
        &["negotiated=0303"],
    ),
    implicit(
        "curl, implicit",
        Pyftpdlib("leaf", "implicit"),
        &["curl -sSk ftps://127.0.0.1:PORT/"],
        &["hello version=0303", "negotiated=0304"],
    ),
    row(
        "curl, upload",
        PURE,
        &["curl -sSk --ssl-reqd CURL_JOE -T CERTIFICATES/root.pem ftp://127.0.0.1:PORT/incoming/a.pem"],
        &["ftp AUTH", "negotiated=0304"],
    ),
    row(
        "curl, active",
        PURE,
        &["curl -sSk --ssl-reqd -m 6 CURL_JOE --ftp-port - ftp://127.0.0.1:PORT/"],
        &["negotiated=0304"],
    ),
    row(
        "curl, clear data",
        PURE,
        &["curl -sSk --ftp-ssl-control CURL_JOE ftp://127.0.0.1:PORT/"],
        &["negotiated=0304"],
    ),
    row(
        "curl, CCC",
        PURE,
        &["curl -sSk --ssl-reqd --ftp-ssl-ccc -m 6 CURL_JOE ftp://127.0.0.1:PORT/hello.txt"],
        &["negotiated=0304", "ftp PWD"],
    ),
    row(
        "curl, CCC, and a transfer behind it",
        Proftpd("leaf", &["TLSProtocol TLSv1.2"]),
        &["curl -sSk --ssl-reqd --ftp-ssl-ccc --ftp-ssl-ccc-mode active -m 6 CURL_JOE ftp://127.0.0.1:PORT/hello.txt"],
        &["negotiated=0303", "ftp EPSV", "ftp 229", "ftp RETR hello.txt", "ftp 226"],
    ),
    row(
        "curl does not trust the certificate",
        VSFTPD,
        &["curl -sS --ssl-reqd --tls-max 1.2 ftp://127.0.0.1:PORT/"],
        &["C alert 2 48"],
    ),
    row("curl, no TLS at the server", ProftpdWithoutTls, &["curl -sSk --ssl-reqd ftp://127.0.0.1:PORT/"], &["ftp 500"]),
    row(
        "curl, implicit at a server of explicit TLS",
        VSFTPD,
        &["curl -sSk ftps://127.0.0.1:PORT/"],
        &["hello version=0303"],
    ),
    row(
        "curl, no TLS at all",
        PURE,
        &["curl -sS CURL_JOE ftp://127.0.0.1:PORT/hello.txt"],
        &["ftp USER joe", "ftp PASS ********", "ftp EPSV", "ftp 229", "ftp RETR hello.txt"],
    ),
    row(
        "curl, no TLS, old announcements",
        PURE,
        &["curl -sS --disable-epsv CURL_JOE ftp://127.0.0.1:PORT/hello.txt"],
        &["ftp PASV", "ftp 227"],
    ),
    row(
        "curl, no TLS, active",
        PURE,
        &["curl -sS --ftp-port - --disable-eprt CURL_JOE ftp://127.0.0.1:PORT/hello.txt"],
        &["ftp PORT"],
    ),
    row(
        "lftp",
        VSFTPD,
        &["lftp -e 'LFTP; ls; bye' -p PORT 127.0.0.1"],
        &["ftp FEAT", "ftp AUTH TLS", "negotiated=0304"],
    ),
    row(
        "lftp, mirror",
        PURE,
        &["lftp -e 'LFTP; mirror --parallel=3 . OUT/mirror; bye' -u joe,PASSWORD -p PORT 127.0.0.1"],
        &["negotiated=0304"],
    ),
    row(
        "lftp, no session id for data",
        RESUMES,
        &["lftp -e 'LFTP; set ftp:ssl-copy-sid no; ls; bye' -u joe,PASSWORD -p PORT 127.0.0.1"],
        &["negotiated=0304"],
    ),
    row(
        "lftp, no TLS",
        PURE,
        &["lftp -e 'set ftp:ssl-allow no; set net:max-retries 1; ls; bye' -u joe,PASSWORD -p PORT 127.0.0.1"],
        &["ftp USER joe"],
    ),
    row(
        "gnutls-cli, TLS 1.0",
        OLD,
        &["GNUTLS --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT'"],
        &["negotiated=0301", "certificate"],
    ),
    row(
        "gnutls-cli, TLS 1.1",
        OLD,
        &["GNUTLS --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT'"],
        &["negotiated=0302"],
    ),
    row(
        "gnutls-cli, TLS 1.2",
        VSFTPD,
        &["GNUTLS --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.2'"],
        &["negotiated=0303", "curve="],
    ),
    row("gnutls-cli, TLS 1.3", VSFTPD, &["GNUTLS"], &["negotiated=0304"]),
    row(
        "gnutls-cli, a version too old",
        RESUMES_12,
        &["GNUTLS --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.1'"],
        &["S alert 2 70"],
    ),
    row(
        "gnutls-cli, client certificate, TLS 1.2",
        WANTS_CERTIFICATE_12,
        &["GNUTLS --x509certfile CERTIFICATES/client.pem --x509keyfile CERTIFICATES/client.key"],
        &["certificate-request", "C certificate", "certificate-verify"],
    ),
    row("OpenSSL, TLS 1.0", OLD, &["S_CLIENT -tls1 -cipher ALL:@SECLEVEL=0"], &["negotiated=0301"]),
    row("OpenSSL, TLS 1.1", OLD, &["S_CLIENT -tls1_1 -cipher ALL:@SECLEVEL=0"], &["negotiated=0302"]),
    row("OpenSSL, TLS 1.0, static RSA", OLD, &["S_CLIENT -tls1 -cipher AES128-SHA:@SECLEVEL=0"], &["suite=002f"]),
    row(
        "OpenSSL, DHE",
        RESUMES_12,
        &["S_CLIENT -tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384"],
        &["suite=009f", "prime=256"],
    ),
    row("OpenSSL, HelloRetryRequest", P384, &["S_CLIENT -groups X25519:P-384"], &["retry", "group=24"]),
    row(
        "OpenSSL, client certificate, TLS 1.2",
        WANTS_CERTIFICATE_12,
        &["S_CLIENT -cert CERTIFICATES/client.pem -key CERTIFICATES/client.key"],
        &["C certificate", "certificate-verify"],
    ),
    row(
        "OpenSSL, no client certificate, TLS 1.2",
        WANTS_CERTIFICATE_12,
        &["S_CLIENT"],
        &["certificate-request", "S alert 2 40"],
    ),
    row("OpenSSL, no client certificate, TLS 1.3", WANTS_CERTIFICATE, &["S_CLIENT"], &["negotiated=0304"]),
    row(
        "OpenSSL, an untrusted client certificate",
        WANTS_CERTIFICATE_12,
        &["S_CLIENT -cert CERTIFICATES/other-client.pem -key CERTIFICATES/other-client.key"],
        &["S alert 2 48"],
    ),
    row(
        "OpenSSL, session id",
        RESUMES_12,
        &["S_CLIENT -sess_out OUT/session.pem", "S_CLIENT -sess_in OUT/session.pem"],
        &["negotiated=0303"],
    ),
    row(
        "OpenSSL, ticket, TLS 1.3",
        VSFTPD,
        &["S_CLIENT -sess_out OUT/ticket.pem", "S_CLIENT -sess_in OUT/ticket.pem"],
        &["psk=1"],
    ),
    row(
        "OpenSSL, ALPN and a name",
        VSFTPD,
        &["S_CLIENT -alpn ftp -servername ftp.example.com"],
        &["sni=ftp.example.com", "alpn=ftp"],
    ),
    row(
        "OpenSSL, no suite in common",
        VSFTPD,
        &["S_CLIENT -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256"],
        &["S alert 2 40"],
    ),
    row("OpenSSL, fallback", RESUMES_12, &["S_CLIENT -tls1_1 -cipher ALL:@SECLEVEL=0 -fallback_scsv"], &["5600"]),
    row("OpenSSL, small records", VSFTPD, &["S_CLIENT -tls1_2 -max_send_frag 512"], &["negotiated=0303"]),
    row("OpenSSL asks for the status of the certificate", VSFTPD, &["S_CLIENT -tls1_2 -status"], &["negotiated=0303"]),
    row("OpenSSL, ECDSA", Vsftpd("ecdsa", &[]), &["S_CLIENT -tls1_2"], &["scheme=0403"]),
    implicit(
        "OpenSSL, implicit, small records of the server",
        SServer("leaf", &["-tls1_2", "-max_send_frag", "512"]),
        &["S_CLIENT_IMPLICIT"],
        &["negotiated=0303", "certificate"],
    ),
    row(
        "OpenSSL 1.0.2 has no certificate: an alert, and 550 behind it",
        OldOpenssl("leaf", "nocert"),
        &["S_CLIENT -tls1_2"],
        &["ftp 234", "S alert 2 40", "S text 550"],
    ),
    row(
        "OpenSSL 1.0.2 without TLS 1.0: 550 alone",
        OldOpenssl("leaf", "notls1"),
        &["S_CLIENT -tls1 -cipher ALL:@SECLEVEL=0"],
        &["ftp 234", "S text 550"],
    ),
    row(
        "a hello of SSLv2 for TLS",
        OldOpenssl("leaf", "default"),
        &["python3 HERE/ssl2_hello.py PORT 0301 00002f 000035"],
        &["ssl2-hello", "negotiated=0301"],
    ),
    row(
        "a hello of SSLv2 for SSLv2 alone",
        OldOpenssl("leaf", "default"),
        &["python3 HERE/ssl2_hello.py PORT 0002 010080 0700c0"],
        &["ssl2-hello"],
    ),
    row(
        "Pure-FTPd, TLS 1.2",
        PureFtpd("leaf", &["-Y", "1", "OPENSSL MaxProtocol = TLSv1.2"]),
        &["curl -sSk --ssl-reqd CURL_JOE ftp://127.0.0.1:PORT/"],
        &["negotiated=0303"],
    ),
    row(
        "PROT is demanded",
        Pyftpdlib("leaf", "explicit+private"),
        &["curl -sSk --ftp-ssl-control ftp://127.0.0.1:PORT/"],
        &["negotiated=0304"],
    ),
];
