//! Data connections of real servers: each setting on and off. The table was written before the first run.

use super::Row;
use super::Start::{self, *};
use super::products::SESSION_REUSE;

const fn row(name: &'static str, start: Start, args: &'static str, expect: &'static str, tls: &'static str) -> Row {
    Row { name, start, args, expect, tls }
}

/// `joe` at ProFTPD and Pure-FTPd, where he may write.
const JOE: &str = "127.0.0.1:PORT --ca root.pem --user joe";
const JOE_WRITES: &str = "127.0.0.1:PORT --ca root.pem --user joe --write-test incoming --empty-file ../nothing.txt";
const JOE_ALL: &str =
    "127.0.0.1:PORT --ca root.pem --user joe --write-test incoming --empty-file ../nothing.txt --active --ccc";
const JOE_CCC: &str = "127.0.0.1:PORT --ca root.pem --user joe --ccc";
const JOE_ACTIVE: &str = "127.0.0.1:PORT --ca root.pem --user joe --active";
const ANYBODY: &str = "127.0.0.1:PORT --ca root.pem --anonymous";
const ANYBODY_WRITES: &str = "127.0.0.1:PORT --ca root.pem --anonymous --write-test incoming --empty-file nothing.txt";
const ANYBODY_ACTIVE: &str = "127.0.0.1:PORT --ca root.pem --anonymous --active";
const ANYBODY_CCC: &str = "127.0.0.1:PORT --ca root.pem --anonymous --ccc";

const TLS12: &str = "OPENSSL MaxProtocol = TLSv1.2";

/// What anonymous visitors of vsftpd need to write, and to read it back.
const WRITABLE: &str = "write_enable=YES\nanon_upload_enable=YES\nanon_other_write_enable=YES\nanon_umask=022\n\
                        anon_world_readable_only=NO";

/// Nothing to complain of, session reuse not demanded.
const HEALTHY: &str = "works; no warnings; passed resumption; passed resumption-declined; passed close-notify; passed \
                       data-certificate; passed pasv; passed epsv";
/// The same where session reuse is demanded.
const DEMANDS: &str = "works; no warnings; also data-session-reuse-required; passed resumption; passed close-notify; passed \
                       data-certificate; passed pasv; passed epsv";
const WRITES: &str = "works; no warnings; passed upload; passed empty-file; passed close-notify";

/// Everything was tried, and within the promised numbers.
const ALL: &str = "works; passed upload; passed empty-file; passed active; passed ccc; at-most 16 data 5 logins";
/// The same, of which some had to be tried with TLS 1.2.
const ALL_BUT_TICKETS: &str = "works; also data-session-reuse-required; passed upload; passed empty-file; passed active; \
                               passed ccc; at-most 16 data 5 logins";

const V13: &str = "TLS 1.3 1302 secp256r1 2";
const V12: &str = "TLS 1.2 C030 secp256r1 2";
const P13: &str = "TLS 1.3 1302 x25519 2";
const P12: &str = "TLS 1.2 C030 x25519 2";

pub const TRANSFERS: &[Row] = &[
    // Everything that can be asked for.
    row("ProFTPD as built, everything, TLS 1.3", Proftpd("leaf", &[SESSION_REUSE]), JOE_ALL, ALL_BUT_TICKETS, P13),
    row("ProFTPD, everything, TLS 1.3", Proftpd("leaf", &[]), JOE_ALL, ALL, P13),
    row(
        "ProFTPD as built, everything, TLS 1.2",
        Proftpd("leaf", &[SESSION_REUSE, "TLSProtocol TLSv1.2"]),
        JOE_ALL,
        ALL,
        P12,
    ),
    // The password goes to nobody whose certificate is in doubt.
    row(
        "ProFTPD with a certificate that nobody trusts",
        Proftpd("leaf", &[]),
        "127.0.0.1:PORT --user joe",
        "fails certificate-untrusted client <- unknown-ca; untested login; keeps PASS",
        P13,
    ),
    row(
        "the same, and any will do",
        Proftpd("leaf", &[]),
        "127.0.0.1:PORT --user joe --accept-any-certificate",
        "works; also certificate-untrusted; passed login; passed epsv",
        P13,
    ),
    row(
        "ProFTPD with a certificate for another name",
        Proftpd("leaf", &[]),
        "127.0.0.1:PORT --ca root.pem --verify-name other.example --user joe",
        "fails certificate-name-mismatch unknown; untested login; keeps PASS",
        P13,
    ),
    // vsftpd
    row("vsftpd, reuse not required, TLS 1.3", Vsftpd("leaf", &[]), ANYBODY, HEALTHY, V13),
    row("vsftpd, reuse not required, TLS 1.2", Vsftpd("leaf", &[TLS12]), ANYBODY, HEALTHY, V12),
    row("vsftpd, reuse required, TLS 1.3", Vsftpd("leaf", &["require_ssl_reuse=YES"]), ANYBODY, DEMANDS, V13),
    row("vsftpd, reuse required, TLS 1.2", Vsftpd("leaf", &["require_ssl_reuse=YES", TLS12]), ANYBODY, DEMANDS, V12),
    row(
        "vsftpd, strict_ssl_read_eof, TLS 1.3",
        Vsftpd("leaf", &["strict_ssl_read_eof=YES", WRITABLE]),
        ANYBODY_WRITES,
        WRITES,
        V13,
    ),
    row(
        "vsftpd, strict_ssl_read_eof, TLS 1.2",
        Vsftpd("leaf", &["strict_ssl_read_eof=YES", WRITABLE, TLS12]),
        ANYBODY_WRITES,
        WRITES,
        V12,
    ),
    row(
        "vsftpd, strict_ssl_read_eof off, TLS 1.3",
        Vsftpd("leaf", &["strict_ssl_read_eof=NO", WRITABLE]),
        ANYBODY_WRITES,
        WRITES,
        V13,
    ),
    row(
        "vsftpd, strict_ssl_read_eof off, TLS 1.2",
        Vsftpd("leaf", &["strict_ssl_read_eof=NO", WRITABLE, TLS12]),
        ANYBODY_WRITES,
        WRITES,
        V12,
    ),
    row(
        "vsftpd, uploads not allowed",
        Vsftpd("leaf", &[]),
        ANYBODY_WRITES,
        "works; no warnings; untested upload; passed empty-file",
        V13,
    ),
    row(
        "vsftpd, data only with PROT P",
        Vsftpd("leaf", &["force_anon_data_ssl=YES", "force_anon_logins_ssl=YES"]),
        ANYBODY,
        "works; no warnings; passed clear-data; passed close-notify",
        V13,
    ),
    row(
        "vsftpd, active mode",
        Vsftpd("leaf", &[]),
        ANYBODY_ACTIVE,
        "works; no warnings; passed active; passed close-notify",
        V13,
    ),
    row(
        "vsftpd, no active mode",
        Vsftpd("leaf", &["port_enable=NO"]),
        ANYBODY_ACTIVE,
        "works; also port-refused; passed close-notify",
        V13,
    ),
    row("vsftpd, no passive mode", Vsftpd("leaf", &["pasv_enable=NO"]), ANYBODY, "fails pasv-refused server", V13),
    row(
        "vsftpd that names a private address",
        Vsftpd("leaf", &["pasv_address=10.1.2.3"]),
        ANYBODY,
        // From the server's own machine any network may be its own.
        "works; no warnings; passed close-notify",
        V13,
    ),
    row(
        "vsftpd with a range of ports",
        Vsftpd("leaf", &["pasv_min_port=32000", "pasv_max_port=32500"]),
        ANYBODY,
        "works; no warnings; passed passive-ports",
        V13,
    ),
    row(
        "vsftpd whose visitors have no home",
        Vsftpd("leaf", &["anon_root=/nonexistent"]),
        ANYBODY,
        "fails plaintext-inside-tls server <- server-crashed-child; says 500 OOPS: cannot change directory:/nonexistent",
        V13,
    ),
    row(
        "vsftpd that lets nobody in",
        Vsftpd("leaf", &["anonymous_enable=NO", "local_enable=YES"]),
        ANYBODY,
        "fails login-refused client",
        V13,
    ),
    // ProFTPD
    row("ProFTPD, NoSessionReuseRequired, TLS 1.3", Proftpd("leaf", &[]), JOE, HEALTHY, P13),
    row("ProFTPD, NoSessionReuseRequired, TLS 1.2", Proftpd("leaf", &["TLSProtocol TLSv1.2"]), JOE, HEALTHY, P12),
    row("ProFTPD as built, TLS 1.3", Proftpd("leaf", &[SESSION_REUSE]), JOE, DEMANDS, P13),
    row("ProFTPD as built, TLS 1.2", Proftpd("leaf", &[SESSION_REUSE, "TLSProtocol TLSv1.2"]), JOE, DEMANDS, P12),
    row(
        "ProFTPD as built, uploads, TLS 1.2",
        Proftpd("leaf", &[SESSION_REUSE, "TLSProtocol TLSv1.2"]),
        JOE_WRITES,
        WRITES,
        P12,
    ),
    row("ProFTPD, uploads, TLS 1.3, reuse not required", Proftpd("leaf", &[]), JOE_WRITES, WRITES, P13),
    row(
        "ProFTPD as built, uploads, TLS 1.3: the client's tickets run out",
        Proftpd("leaf", &[SESSION_REUSE]),
        JOE_WRITES,
        "works; also data-session-reuse-required; passed close-notify",
        P13,
    ),
    row(
        "ProFTPD, data only with PROT P",
        Proftpd("leaf", &["TLSRequired on"]),
        JOE,
        "works; no warnings; passed clear-data; passed close-notify",
        P13,
    ),
    row(
        "ProFTPD, CCC",
        Proftpd("leaf", &["TLSRequired auth+data"]),
        JOE_CCC,
        "works; no warnings; passed ccc; passed close-notify",
        P13,
    ),
    row("ProFTPD, CCC refused", Proftpd("leaf", &["TLSRequired on"]), JOE_CCC, "works; also ccc-refused", P13),
    row("ProFTPD, active mode", Proftpd("leaf", &[]), JOE_ACTIVE, "works; no warnings; passed active", P13),
    // Pure-FTPd
    row(
        "Pure-FTPd -Y 1",
        PureFtpd("leaf", &["-Y", "1"]),
        JOE,
        "works; no warnings; also data-session-not-resumed; passed close-notify; passed data-certificate",
        V13,
    ),
    row(
        "Pure-FTPd -Y 2",
        PureFtpd("leaf", &["-Y", "2"]),
        JOE,
        "works; no warnings; also data-session-not-resumed; passed close-notify; passed data-certificate",
        V13,
    ),
    row(
        "Pure-FTPd -Y 3",
        PureFtpd("leaf", &["-Y", "3"]),
        JOE_WRITES,
        "works; no warnings; also data-session-not-resumed; passed clear-data; passed upload; passed empty-file; passed close-notify",
        V13,
    ),
    row(
        "Pure-FTPd -Y 3, TLS 1.2",
        PureFtpd("leaf", &["-Y", "3", TLS12]),
        JOE_WRITES,
        "works; no warnings; passed resumption; passed clear-data; passed upload; passed empty-file; passed close-notify",
        "TLS 1.2 CCA8 secp256r1 2",
    ),
    // pyftpdlib
    row("pyftpdlib", Pyftpdlib("leaf", "explicit"), ANYBODY, HEALTHY, P13),
    row("pyftpdlib, uploads", Pyftpdlib("leaf", "explicit+upload"), ANYBODY_WRITES, WRITES, P13),
    row(
        "pyftpdlib, data only with PROT P",
        Pyftpdlib("leaf", "explicit+private"),
        ANYBODY,
        "works; no warnings; passed clear-data; passed close-notify",
        P13,
    ),
    row("pyftpdlib, CCC", Pyftpdlib("leaf", "explicit"), ANYBODY_CCC, "works; also ccc-refused", P13),
];
