//! `explain`: what people paste, every row of every code table, and that an answer is one screen whatever was asked.

mod common;

use ftpsdiag::explain::{explain, ids, is_name};
use proptest::prelude::*;

/// What was pasted, and a word that the answer must hold.
const PASTED: &[(&str, &str)] = &[
    ("no keyring", "key-ring-unusable"),
    ("Keyring not found", "key-ring-unusable"),
    ("SECUREIMPLICITZOS", "waits for the 220"),
    ("secureimplicitzos", "waits for the 220"),
    // pages
    ("plaintext-instead-of-tls", "WHO ACTS"),
    ("Plaintext-Instead-Of-TLS", "record type 0x35"),
    ("client-tls-version-refused", "GSK_PROTOCOL_TLSV1_2"),
    ("banned", "Whole page: ftpsdiag explain -v banned"),
    // System SSL, AT-TLS, certificate services
    ("gsk 410", "GSK_ERR_BAD_MESSAGE"),
    ("gsk 410", "More: ftpsdiag explain plaintext-instead-of-tls"),
    ("410", "System SSL rc 410"),
    ("rc 410", "GSK_ERR_BAD_MESSAGE"),
    ("gsk -22", "closed the socket"),
    ("gsk 0x19A", "rc 410"),
    ("134CC19E", "rc 414"),
    ("FFFFFFEA", "rc -22"),
    ("00000191", "rc 401"),
    ("IEF142I SJP1 FTP - STEP WAS EXECUTED - COND CODE 2042", "10234"),
    ("EZZ6035I TN3270 TCPIP DEBUG PARM1: 00000191", "GSK_ERR_BAD_DATE"),
    ("PARM1: FFFFFFEA", "rc -22"),
    ("GSK_ERR_IO", "rc 406"),
    ("GSK_ERROR_BAD_MESSAGE", "rc 410"),
    ("464", "unconfirmed"),
    ("at-tls 5003", "clear text came"),
    ("5003", "AT-TLS rc 5003"),
    ("rc 5004", "HandshakeTimeout"),
    ("cms 0335302F", "self-signed"),
    ("0335302F", "certificate management services"),
    ("0x03353022", "expired"),
    ("CMSERR_NO_PRIVATE_KEY", "0335301A"),
    ("FC0910 authServer: secure_socket_init failed with rc = 410 (SSL message format is incorrect)", "rc 410"),
    ("FC0441 ftpAuth: TLS init failed with rc = 201 (No key database password supplied)", "stash"),
    ("authClient: init failed with rc = 406 (GSK_ERR_IO)", "closed-during-handshake"),
    ("gsk_read_v3_record Content Type 53 is not supported", "character '5'"),
    ("Content Type 245 is not supported.", "EBCDIC the digit 5"),
    ("gsk_secure_socket_init: RC = 402", "no-shared-cipher"),
    // messages of z/OS
    ("EZA2897I", "Authentication negotiation failed"),
    ("EZA2897I Authentication negotiation failed", "the line before it has the reason"),
    ("Authentication negotiation failed", "EZA2897I"),
    ("EZYFT96I TLS handshake failed", "plaintext-instead-of-tls"),
    ("EZD1287I TTLS Error RC: 5003 Initial Handshake LOCAL: ::FFFF:10.1.2.3..1024", "AT-TLS rc 5003"),
    ("EZD1287I TTLS Error RC: 5003 Initial Handshake", "EZD1287I"),
    ("EZD1286I TTLS Error GRPID: 00000001 ENVID: 2 CONNID: 3 RULE: r RC: 435 Initial Handshake", "rc 435"),
    ("EZD2052I SSLRetCode= 8 CMSRetCode= 0x0335302f Description= Self-signed certificate", "0335302F"),
    ("EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 1503020002020A", "unexpected_message"),
    ("EZD1284I TTLS Flow RC: 0 Get GSK_CONNECT_CIPHER_SPEC(207) - C027", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    ("EZD1284I TTLS Flow RC: 0 Set GSK_CLIENT_ECURVE_LIST(215) - 00230024002500300029", "0029  x25519"),
    ("EZD1284I TTLS Flow RC: 0 Get GSK_CONNECT_KEX_ECURVE(231) - 0030", "x448"),
    ("EZYFT47I", "SUPPRESSIGNOREWARNINGS"),
    ("EZY2640I Using 'SYS1.TCPPARMS(FTPDATA)' for local site configuration parameters.", "FTP.DATA"),
    ("TCP3D2C", "IBM i"),
    // replies about data connections
    (
        "522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page",
        "More: ftpsdiag explain data-session-reuse-required",
    ),
    ("425 Unable to build data connection: Operation not permitted", "explain data-session-reuse-required"),
    (
        "425 Unable to build data connection: TLS session of data connection not resumed.",
        "explain data-session-reuse-required",
    ),
    ("425 Can't open data connection: TLS session of data connection not resumed", "data-session-reuse-required"),
    (
        "450 TLS session of data connection has not resumed or the session does not match the control connection",
        "explain data-session-reuse-required",
    ),
    ("227 Entering Passive Mode (10,1,2,3,19,137)", "10.1.2.3, private (RFC 1918), port 5001"),
    ("227 Entering Passive Mode (10,1,2,3,19,137)", "explain pasv-private-address"),
    ("227 Entering Passive Mode (203,0,113,7,19,137)", "explain pasv-foreign-address"),
    ("227 Entering Passive Mode (203,0,113,7,0,1)", "explain pasv-bad-port"),
    ("229 Entering Extended Passive Mode (|1|10.1.2.3|5001|)", "explain epsv-malformed"),
    ("150 Opening BINARY mode data connection for a (0 bytes).", "explain data-empty-transfer-fails"),
    ("150 Here comes the directory listing.", "explain data-silence-during-handshake"),
    ("425 Failed to establish connection.", "explain data-connect-failed"),
    ("425 Security: Bad IP connecting.", "explain data-connect-failed"),
    ("426 Failure reading network stream.", "explain data-close-notify-missing"),
    ("426 Connection closed; transfer aborted.", "explain data-reset"),
    ("451 Transfer aborted due to receive error", "explain data-reset"),
    ("522 Data connections must be encrypted.", "explain data-protection-required"),
    ("521 PROT P required", "explain data-protection-required"),
    ("522 Network protocol not supported, use (1,2)", "explain epsv-refused"),
    ("500 Illegal PORT command.", "explain port-refused"),
    ("500 Illegal PORT command.", "The words of vsftpd"),
    ("425 Failed to establish connection.", "The words of vsftpd"),
    ("451 Transfer aborted due to receive error", "The words of zOS FTP Server V1R2, V1R4"),
    ("521 Data connection cannot be opened with this PROT setting", "explain data-protection-required"),
    (
        "compareCertAttls: Data connection certificate does not match control connection certificate",
        "explain ccc-breaks-data",
    ),
    ("TLS security mechanism negotiation failed", "explain data-empty-transfer-fails"),
    ("EZA2590E connect error - EDC8128I Connection refused.", "explain data-connect-failed"),
    ("EZA2590E recv error from receive_data - EDC8121I Connection reset.", "PI62054"),
    // return codes of the FTP client
    ("10234", "subcommand 10 (OPEN), last reply 234"),
    ("rc 10234", "condition code 2042"),
    ("cc 2042", "10234  OPEN"),
    ("CC 2042", "10234  OPEN"),
    ("2042", "10234  OPEN"),
    ("0810", "FTP_CONNECT_FAILED"),
    ("rc 0810", "in OPEN"),
    ("cc 0810", "unknown host"),
    ("setcec 17", "FTP_AUTHENTICATION"),
    ("CZ0731 SETCEC code = 17", "FTP_AUTHENTICATION"),
    ("FTP_AUTHENTICATION", "error code 17"),
    ("EZA1735I Std Return Code = 10234, Error Code = 00017", "Error code 17"),
    ("Std Return Code = 27000, Error Code = 00008", "PUT"),
    ("EZZ9830I USER1Q FTP failed - Cmd = 10(open) Reply = n/a EX CEE RC = 0810", "no reply of the server"),
    ("USER1Q FTP failed - Cmd = 16(get) Reply = 550 NX STD RC = 16550", "The client went on"),
    ("EZA2121I Command (17-10-0000-234):", "security negotiation"),
    ("subcommand 10", "OPEN"),
    ("subcommand OPEN", "10"),
    // cipher suites
    ("cipher 35", "TLS_RSA_WITH_AES_256_CBC_SHA"),
    ("cipher 2F", "002F"),
    ("cipher 0035", "SSL_AES_256_SHA"),
    ("cipher 0x00,0x35", "AES256-SHA"),
    ("cipher {0xC0, 0x30}", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("C030", "forward secrecy"),
    ("cipher 0A0A", "GREASE"),
    ("AES256-SHA", "0035"),
    ("DES-CBC3-SHA", "removed: 3DES"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "C030"),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", "no forward secrecy"),
    ("SSL_AES_256_SHA", "0035"),
    ("SSL_3DES_SHA", "000A"),
    ("SSL_RSA_WITH_3DES_EDE_CBC_SHA", "000A"),
    ("050435363738392F303132330A", "13 cipher suites, 2 digits each"),
    ("050435363738392F303132330A1613100D0915120F0C0306020100", "27 cipher suites"),
    ("cipher 13021301C030C02F", "4 cipher suites, 4 digits each"),
    ("V3CipherSuites4Char 13021301C030C02F", "TLS_AES_256_GCM_SHA384"),
    ("authClient: cipherspecs = 0102", "TLS_RSA_WITH_NULL_SHA"),
    ("cipher 0035 002F C030", "3 cipher suites"),
    ("ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA:DES-CBC3-SHA", "1 with forward secrecy, 1 removed today"),
    ("00FF", "a signal of the client"),
    // groups, schemes, versions, extensions
    ("group 0023", "secp256r1"),
    ("group 0023", "can be read in two ways"),
    ("group 001D", "x25519"),
    ("group 0x0017", "secp256r1"),
    ("x25519", "0029"),
    ("prime256v1", "secp256r1 (P-256)"),
    ("P-384", "0018"),
    ("group 002300240025", "secp521r1"),
    ("rsa_pss_rsae_sha256", "0804"),
    ("scheme 0401", "rsa_pkcs1_sha256"),
    ("RSA+SHA256", "0401"),
    ("RSA-PSS+SHA384", "0805"),
    ("GSK_TLS_SIG_ALG_PAIRS 060105010401", "rsa_pkcs1_sha384"),
    ("TLSv1.2", "0303"),
    ("version 0301", "TLS 1.0"),
    ("extension FF01", "renegotiation_info"),
    // alerts
    ("alert 40", "handshake_failure"),
    ("alert handshake_failure", "TLS alert 40"),
    ("alert handshake failure", "TLS alert 40"),
    ("handshake_failure", "TLS alert 40"),
    ("HandshakeFailure", "TLS alert 40"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLS alert 40"),
    ("15 03 01 00 02 02 46", "protocol_version"),
    ("15 03 01 00 02 02 28", "handshake_failure"),
    ("15:03:03:00:02:01:70", "a warning"),
    ("0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30", "unknown_ca"),
    ("SSL alert number 116", "certificate_required"),
    ("*** Received alert [40]: Handshake failed", "TLS alert 40"),
    ("Received TLS alert from the server: Handshake failed (40)", "TLS alert 40"),
    ("error:14094410:SSL routines:SSL3_READ_BYTES:sslv3 alert handshake failure", "TLS alert 40"),
    ("error:1407742E:SSL routines:SSL23_GET_SERVER_HELLO:tlsv1 alert protocol version", "TLS alert 70"),
    ("14077410", "TLS alert 40"),
    ("0A000418", "unknown_ca"),
    ("tlsv1 unrecognized name", "sni-rejected"),
    ("tlsv13 alert certificate required", "client-certificate-required"),
    ("remote error: tls: handshake failure", "TLS alert 40"),
    ("remote error: tls: unknown certificate authority", "TLS alert 48"),
    ("received fatal alert: HandshakeFailure", "TLS alert 40"),
    ("javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version", "TLS alert 70"),
    ("Authentication failed because the remote party sent a TLS alert: 'HandshakeFailure'.", "TLS alert 40"),
    // replies
    ("ftp 534", "IIS, to AUTH: \"Local policy"),
    ("ftp 534", "Policy requires SSL."),
    ("ftp 234", "Proceed with negotiation."),
    ("ftp 220", "IBM FTP CS"),
    ("ftp 431", "431"),
    ("534", "FTP reply 534"),
    ("534 Local policy on server does not allow TLS secure connections.", "The words of IIS"),
    ("534-Local policy on server does not allow TLS secure connections.", "certificate is selected"),
    ("534 Policy requires SSL.", "PROT P was not sent"),
    ("522 SSL connection failed; session reuse required...", "vsftpd"),
    ("< 530 Please login with USER and PASS.", "ssl_enable=NO"),
    ("Response: 503 Use AUTH first.", "FileZilla Server 1"),
    ("ftplib.error_perm: 530 Please login with USER and PASS.", "vsftpd"),
    ("ftplib.error_perm: 534 Local policy on server does not allow TLS secure connections.", "IIS"),
    ("ftplib.error_perm: 522 SSL connection failed: session reuse required", "vsftpd"),
    ("550 TLS handshake failed", "ProFTPD up to 1.3.7"),
    ("421 TLS handshake failed", "1.3.8 and later"),
    ("500 OOPS: error:0A0000C1:SSL routines::no shared cipher", "no-shared-cipher"),
    ("234 AUTH TLS successful", "ProFTPD"),
    ("220 (vsFTPd 3.0.5)", "vsftpd (greeting)"),
    ("530 Access denied by the moon", "no product that is known"),
    ("425 Unable to build data connection: Operation not permitted", "session reuse"),
    ("35 35 30 20 54", "clear text, no TLS: \"550 T\""),
    // OpenSSL
    ("0A00010B", "plaintext-instead-of-tls"),
    ("error:0A00010B:SSL routines:ssl3_get_record:wrong version number", "plaintext-instead-of-tls"),
    ("error:1408F10B:SSL routines:SSL3_GET_RECORD:wrong version number", "plaintext-instead-of-tls"),
    ("140770FC:error:SSL routines:SSL23_GET_SERVER_HELLO:unknown protocol", "plaintext-instead-of-tls"),
    ("error:140760FC:SSL routines:SSL23_GET_CLIENT_HELLO:unknown protocol", "client-tls-version-refused"),
    ("1408A0C1", "no-shared-cipher"),
    ("error:0A000126:SSL routines::unexpected eof while reading", "close_notify"),
    ("verify error:num=20:unable to get local issuer certificate", "certificate-chain-incomplete"),
    ("error:0A00018A:SSL routines::dh key too small", "Diffie-Hellman"),
    ("error:0A000152:SSL routines::unsafe legacy renegotiation disabled", "RFC 5746"),
    // curl
    ("curl 35", "curl 35"),
    ("curl: (35) TLS connect error", "plaintext-instead-of-tls"),
    ("cURL error 60: SSL certificate problem", "certificate-untrusted"),
    ("curl exit code 64", "auth-refused"),
    ("curl: (64) Requested SSL level failed", "auth-refused"),
    ("curl: (13) Bad PASV/EPSV response: 150", "data connection"),
    ("curl: (98) OpenSSL/3.0.22: error:0A00045C:SSL routines::tlsv13 alert certificate required", "116"),
    ("CURLE_SSL_CACERT_BADFILE", "--cacert"),
    ("curl: (28) Operation timed out", "no-banner"),
    // GnuTLS and its programs
    ("GnuTLS error -15: An unexpected TLS packet was received.", "plaintext-instead-of-tls"),
    ("gnutls -110", "close_notify"),
    ("GNUTLS_E_FATAL_ALERT_RECEIVED", "fatal alert"),
    ("*GnuTlsHandShake(...) failed: (-12) GNUTLS_E_FATAL_ALERT_RECEIVED", "fatal alert"),
    ("Fatal error: gnutls_handshake: A TLS packet with unexpected length was received.", "plaintext-instead-of-tls"),
    ("gnutls -348", "certificate-untrusted"),
    ("SSL 50.48 Unknown Packet packet received.", "220"),
    ("Fatal error: Certificate verification: Not trusted", "lftp"),
    ("Error: Server did not properly shut down TLS connection", "close_notify"),
    ("Can't establish TLS connection", "WinSCP"),
    // Java
    ("javax.net.ssl.SSLException: Unsupported record version Unknown-48.48", "\"00\""),
    ("Unsupported record version Unknown-48.48", "vsftpd says so: \"OOPS"),
    ("Unknown-50.49", "421"),
    ("Unknown-83.72", "SSH"),
    ("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", "plaintext-instead-of-tls"),
    ("Remote host terminated the handshake", "closed-during-handshake"),
    ("PKIX path building failed: unable to find valid certification path to requested target", "certificate-untrusted"),
    ("No appropriate protocol (protocol is disabled or cipher suites are inappropriate)", "jdk.tls.disabledAlgorithms"),
    ("java.security.cert.CertificateException: No subject alternative DNS name matching h found.", "name-mismatch"),
    // .NET and Schannel
    ("System.IO.IOException: The handshake failed due to an unexpected packet format.", "plaintext-instead-of-tls"),
    ("Cannot determine the frame size or a corrupted frame was received.", "plaintext-instead-of-tls"),
    ("Win32Exception (0x80090326)", "fatal-alert"),
    ("Win32Exception (0x80090326): The message received was unexpected or badly formatted", "Schannel"),
    ("-2146893018", "Schannel"),
    ("0x80090331", "no-shared-cipher"),
    ("SEC_E_UNTRUSTED_ROOT", "certificate-untrusted"),
    ("0x8009030D", "unconfirmed"),
    ("A call to SSPI failed, see inner exception.", "inner exception"),
    ("schannel: next InitializeSecurityContext failed: SEC_E_ALGORITHM_MISMATCH (0x80090331)", "Schannel"),
    // Go, Python, Node, NSS, rustls
    ("tls: first record does not look like a TLS handshake", "Go"),
    ("x509: certificate signed by unknown authority", "certificate-untrusted"),
    ("x509: certificate is valid for a.example, not b.example", "certificate-name-mismatch"),
    ("EOF", "closed-during-handshake"),
    ("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "plaintext-instead-of-tls"),
    ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol", "close_notify"),
    (
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch",
        "name",
    ),
    ("EOFError", "ftplib"),
    ("ConnectionResetError: [Errno 104] Connection reset by peer", "reset-during-handshake"),
    ("ERR_SSL_WRONG_VERSION_NUMBER", "plaintext-instead-of-tls"),
    ("write EPROTO 80BCA14E197F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number", "text where"),
    ("DEPTH_ZERO_SELF_SIGNED_CERT", "certificate-self-signed"),
    ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate-chain-incomplete"),
    ("SSL_ERROR_RX_RECORD_TOO_LONG", "plaintext-instead-of-tls"),
    ("NSS error -12286 (SSL_ERROR_NO_CYPHER_OVERLAP)", "no-shared-cipher"),
    ("-12263", "NSS"),
    ("received corrupt message of type InvalidContentType", "plaintext-instead-of-tls"),
    ("peer is incompatible: ServerDoesNotSupportTls12Or13", "nothing newer than TLS 1.1"),
    ("invalid peer certificate: UnknownIssuer", "certificate-untrusted"),
    // several tables
    ("35", "cipher 35"),
    ("35", "curl 35"),
    ("10", "alert 10"),
    ("10", "gsk 10"),
    ("0023", "secp256r1"),
    ("-15", "gnutls -15"),
    ("-15", "gsk -15"),
    ("content-type 53", "'5'"),
];

/// One answer, by what was typed in words.
fn answer(pasted: &str) -> Option<String> {
    let words: Vec<&str> = pasted.split(' ').collect();
    let apart = explain(&words);
    assert_eq!(apart, explain(&[pasted]), "quoting does not matter: {pasted}");
    apart
}

#[track_caller]
fn is_a_screen(asked: &str, text: &str) {
    assert!(text.lines().count() <= 25, "{asked}: {} lines\n{text}", text.lines().count());
    assert!(text.lines().all(|l| l.len() <= 80), "{asked}: wide\n{text}");
    assert!(text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{asked}: not ASCII\n{text}");
    assert!(text.ends_with('\n') && !text.trim().is_empty(), "{asked}: {text:?}");
}

/// Words of an answer whose lines were broken.
fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_people_paste_is_explained() {
    assert!(PASTED.len() >= 120, "{}", PASTED.len());
    for (pasted, word) in PASTED {
        let text = answer(pasted).unwrap_or_else(|| panic!("{pasted}: not known"));
        is_a_screen(pasted, &text);
        let word = unbroken(word);
        assert!(unbroken(&text).contains(&word), "{pasted}: no {word:?} in\n{text}");
    }
}

#[test]
fn unknown_stays_unknown() {
    for unknown in [
        "",
        " ",
        "nonsense",
        "everything is fine",
        "ftp.example.org",
        "eof.example.org",
        "alert.example.org",
        "GnuTLS error -1",
        "gnutls -1",
        "curl 999",
        "Unknown-300.1",
        "gsk 9999",
        "gsk 445",
        "alert 99",
        "alert",
        "ftp 999",
        "cipher FFFE",
        "cipher ZZZZ",
        "group 9999",
        "group nonsense",
        "scheme 9999",
        "cms 12345678",
        "setcec 25",
        "rc 39000",
        "EZA9999I",
        "EZA0000I some text",
        "rc = 445",
        "the hello was fine",
        "16 03 01 00 39",
    ] {
        assert_eq!(answer(unknown), None, "{unknown:?}");
    }
}

#[test]
fn numbers_of_other_programs_stand_for_themselves() {
    // -1 is not in -15, and 15 is not curl's.
    for (asked, never) in
        [("gnutls -15", "curl"), ("curl 15", "GnuTLS"), ("curl 60", "alert"), ("EZD1286I RC: 410", "GnuTLS")]
    {
        let text = answer(asked).unwrap();
        assert!(!text.contains(never), "{asked}: {text}");
    }
}

#[test]
fn every_page_is_one_screen_with_who_acts() {
    for id in ids() {
        let text = explain(&[id]).unwrap();
        is_a_screen(id, &text);
        assert!(text.starts_with(&format!("# {id}: ")), "{id}");
        assert!(text.contains(&format!("ftpsdiag explain -v {id}")), "{id}");
        let page = ftpsdiag::explain::page(id).unwrap();
        assert_eq!(text.contains("WHO ACTS"), page.contains("## Who acts"), "{id}\n{text}");
        assert!(is_name(&[id]), "{id}");
    }
}

/// The rows of a table as cells.
fn table(name: &str) -> Vec<Vec<String>> {
    let path = common::root().join("src/codes").join(name).with_extension("tsv");
    let text = std::fs::read_to_string(&path).unwrap();
    let rows = text.lines().skip(1).filter(|l| !l.starts_with('#') && !l.is_empty());
    rows.map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

/// Asks, and holds the answer against a word.
#[track_caller]
fn knows(asked: &str, word: &str) {
    let text = answer(asked).unwrap_or_else(|| panic!("{asked}: not known"));
    is_a_screen(asked, &text);
    assert!(unbroken(&text).contains(&unbroken(word)), "{asked}: no {word:?} in\n{text}");
    assert!(!text.contains("more lines;"), "{asked}: cut\n{text}");
}

#[test]
fn every_row_of_every_table_of_numbers_is_answered() {
    for (name, ask, key, shows) in [
        ("ftp_replies", "ftp ", 0, 1),
        ("tls_alerts", "alert ", 0, 1),
        ("tls_alerts", "alert ", 1, 2),
        ("tls_alerts", "", 1, 2),
        ("tls_versions", "version ", 0, 1),
        ("cipher_suites", "cipher ", 0, 1),
        ("cipher_suites", "", 1, 0),
        ("groups", "group 0x", 0, 1),
        ("signature_schemes", "scheme ", 0, 1),
        ("signature_schemes", "scheme ", 1, 0),
        ("extensions", "extension ", 0, 1),
        ("gsk_return_codes", "gsk ", 0, 3),
        ("cms_codes", "cms ", 0, 2),
        ("cms_codes", "", 0, 2),
        ("attls_return_codes", "at-tls ", 1, 2),
        ("ftp_client_codes", "setcec ", 0, 2),
        ("ftp_subcommands", "subcommand ", 0, 1),
        ("ftp_subcommands", "subcommand ", 1, 0),
        ("zos_messages", "", 0, 2),
        ("zos_cipher_names", "", 0, 1),
    ] {
        let rows = table(name);
        assert!(rows.len() > 3, "{name}");
        rows.iter().for_each(|row| knows(&format!("{ask}{}", row[key]), &row[shows]));
    }
    for row in table("cipher_suites").iter().filter(|r| r[2] != "-") {
        knows(&row[2], &row[0]);
    }
    for row in table("groups") {
        // `secp256r1 (P-256)` has two names.
        let first = row[1].split(' ').next().unwrap();
        knows(&format!("group {first}"), &row[1]);
    }
    for row in table("gsk_return_codes").iter().filter(|r| r[1] != "-") {
        knows(&row[1], &format!("rc {}", row[0]));
    }
}

#[test]
fn every_spelling_of_every_error_text_is_answered() {
    for row in table("error_texts") {
        for spelling in row[1].split('|') {
            let text = answer(spelling).unwrap_or_else(|| panic!("{spelling}: not known"));
            is_a_screen(spelling, &text);
        }
        // The first spelling is the row's own.
        let spelling = row[1].split('|').next().unwrap();
        let text = unbroken(&answer(spelling).unwrap());
        let hides = row[2].split(". See ").next().unwrap();
        assert!(text.contains(&unbroken(hides)) || text.contains("TLS alert"), "{spelling}: no {hides:?} in\n{text}");
    }
}

#[test]
fn every_wording_of_a_server_names_its_product() {
    for row in table("server_fingerprints").iter().filter(|r| r[3] != "-") {
        let words = row[4].strip_suffix('*').map_or(row[4].clone(), |w| format!("{w}x"));
        let words = words.strip_prefix('*').map_or(words.clone(), |w| format!("x{w}"));
        knows(&format!("{} {words}", row[3]), &row[0]);
    }
}

#[test]
fn error_texts_and_codes_name_pages_that_exist() {
    let known: Vec<&str> = ids().collect();
    let mut named = 0;
    for (pasted, _) in PASTED {
        let text = answer(pasted).unwrap_or_default();
        for id in text.lines().filter_map(|l| l.strip_prefix("More: ftpsdiag explain ")) {
            assert!(known.contains(&id), "{pasted}: {id}");
            named += 1;
        }
    }
    assert!(named > 100, "{named}");
}

#[test]
fn names_are_told_from_hosts() {
    for host in
        ["c030", "cafe", "deadbeef", "eof", "open", "x25519", "alert", "accessdenied", "eof.example.org", "10.0.0.1"]
    {
        assert!(!is_name(&[host]), "{host}");
    }
    for name in ["EZA2897I", "0A00010B", "handshake_failure", "AES256-SHA", "050435363738392F303132330A"] {
        assert!(is_name(&[name]), "{name}");
    }
    assert!(is_name(&["cipher", "c030"]) && !is_name(&["connection", "reset.example.org"]) && !is_name(&[]));
}

/// Whatever is asked, there is no answer or one screen.
fn bounded(words: &[&str]) {
    if let Some(text) = explain(words) {
        is_a_screen(&words.join(" "), &text);
    }
    let _ = is_name(words);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_survived(text in "\\PC{0,200}", words in proptest::collection::vec(".{0,20}", 0..6)) {
        bounded(&[&text]);
        bounded(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn what_looks_like_something_is_survived(
        label in "(gsk|rc|cipher|group|scheme|ftp|alert|cms|cc|setcec|curl|gnutls|V3CipherSuites|RC:|PARM1:|Content Type|SETCEC code =|SSL|Unknown-|15030100 02|EZZ9830I x FTP failed - Cmd =|EZA2121I Command \\(|53\u{e9}|Std Return Code =)",
        value in "[-0-9A-Fa-fx.,:;{}() \u{e9}]{0,60}",
    ) {
        bounded(&[&format!("{label} {value}")]);
        bounded(&[&format!("{label}{value}")]);
        bounded(&[&label, &value]);
    }

    #[test]
    fn a_pasted_line_that_is_cut_anywhere_is_survived(n in 0..PASTED.len(), cut in 0usize..120, again in 0..PASTED.len()) {
        let line = PASTED[n].0;
        bounded(&[line.get(..cut).unwrap_or(line), PASTED[again].0]);
        bounded(&[&format!("{line}\r\n{}", PASTED[again].0).repeat(12)]);
    }
}
