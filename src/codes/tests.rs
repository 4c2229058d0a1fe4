//! What every table must keep: rows that fit their columns, one row a key, plain ASCII, a source; and spot values.

use std::collections::HashSet;

use super::client_print::CLIENT_PRINTS;
use super::client_profile::PROFILES;
use super::directive::DIRECTIVES;
use super::fingerprint::FINGERPRINTS;
use super::table::{Record, Table, lines};
use super::*;

/// Every table: name, text, and how many columns make its key.
const TABLES: [(&str, &str, usize); 19] = [
    ("ftp_replies", ftp::REPLIES, 1),
    ("tls_alerts", tls::ALERTS, 1),
    ("tls_versions", tls::VERSIONS, 1),
    ("cipher_suites", tls::SUITES, 1),
    ("groups", tls::GROUPS, 1),
    ("signature_schemes", tls::SCHEMES, 1),
    ("extensions", tls::EXTENSIONS, 1),
    ("gsk_return_codes", zos::GSK, 1),
    ("cms_codes", zos::CMS, 1),
    ("attls_return_codes", zos::ATTLS, 2),
    ("ftp_client_codes", zos::CLIENT_ERRORS, 1),
    ("ftp_subcommands", zos::SUBCOMMANDS, 1),
    ("zos_messages", zos::MESSAGES, 1),
    ("zos_cipher_names", zos::CIPHER_NAMES, 1),
    ("server_fingerprints", FINGERPRINTS, 5),
    ("client_fingerprints", CLIENT_PRINTS, 2),
    ("client_profiles", PROFILES, 2),
    ("directives", DIRECTIVES, 6),
    ("error_texts", super::error_text::TEXTS, 2),
];

fn head(tsv: &str) -> Vec<&str> {
    tsv.lines().next().unwrap().split('\t').collect()
}

#[test]
fn every_table_has_a_head_that_ends_with_source_and_confirmed() {
    for (name, tsv, _) in TABLES {
        let head = head(tsv);
        assert_eq!(&head[head.len() - 2..], ["source", "confirmed"], "{name}");
        assert!(head.iter().all(|c| !c.is_empty() && !c.starts_with('#')), "{name}");
    }
}

#[test]
fn every_row_has_all_columns_in_ascii_with_a_source() {
    for (name, tsv, _) in TABLES {
        assert!(tsv.ends_with('\n') && !tsv.contains('\r'), "{name}: line ends");
        assert!(tsv.chars().all(|c| c == '\n' || c == '\t' || (' '..='~').contains(&c)), "{name}: not plain ASCII");
        let columns = head(tsv).len();
        for line in lines(tsv) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), columns, "{name}: {line}");
            assert!(cells.iter().all(|c| !c.is_empty() && c.trim() == *c), "{name}: empty or padded cell: {line}");
            assert!(cells[columns - 2].len() > 3, "{name}: no source: {line}");
            assert!(["yes", "part", "derived", "no"].contains(&cells[columns - 1]), "{name}: {line}");
        }
    }
}

#[test]
fn sources_name_nothing_private() {
    for (name, tsv, _) in TABLES {
        for word in ["/work", "/root", "/home/", "/tmp/b", "MEMORY", "seed ", "crates"] {
            assert!(!tsv.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn no_key_stands_twice() {
    for (name, tsv, key) in TABLES {
        let mut seen = HashSet::new();
        for line in lines(tsv) {
            let key: Vec<&str> = line.split('\t').take(key).collect();
            assert!(seen.insert(key.clone()), "{name}: {key:?} twice");
        }
    }
}

/// Rows that the reader drops cannot be looked up.
fn all_read<R: Record>(table: &'static Table<R>, tsv: &'static str) {
    assert_eq!(table.rows().len(), lines(tsv).count());
}

#[test]
fn every_row_is_read() {
    all_read(&ftp::REPLY_ROWS, ftp::REPLIES);
    all_read(&tls::ALERT_ROWS, tls::ALERTS);
    all_read(&tls::SUITE_ROWS, tls::SUITES);
    all_read(&tls::VERSION_ROWS, tls::VERSIONS);
    all_read(&tls::GROUP_ROWS, tls::GROUPS);
    all_read(&tls::SCHEME_ROWS, tls::SCHEMES);
    all_read(&tls::EXTENSION_ROWS, tls::EXTENSIONS);
    all_read(&zos::GSK_ROWS, zos::GSK);
    all_read(&zos::CMS_ROWS, zos::CMS);
    all_read(&zos::ATTLS_ROWS, zos::ATTLS);
    all_read(&zos::CLIENT_ERROR_ROWS, zos::CLIENT_ERRORS);
    all_read(&zos::SUBCOMMAND_ROWS, zos::SUBCOMMANDS);
    all_read(&zos::MESSAGE_ROWS, zos::MESSAGES);
    all_read(&zos::CIPHER_NAME_ROWS, zos::CIPHER_NAMES);
    all_read(&super::error_text::TEXT_ROWS, super::error_text::TEXTS);
    all_read(&fingerprint::FINGERPRINT_ROWS, FINGERPRINTS);
    all_read(&client_print::PRINT_ROWS, CLIENT_PRINTS);
    all_read(&client_profile::PROFILE_ROWS, PROFILES);
    all_read(&directive::DIRECTIVE_ROWS, DIRECTIVES);
}

/// Every row is found under its own number or words, and nothing between them.
#[test]
fn every_row_is_found_by_its_key() {
    assert!(ftp_replies().all(|r| ftp_reply(r.code) == Some(r)));
    assert!(alerts().all(|a| alert(a.code) == Some(a)));
    assert!(cipher_suites().all(|s| cipher_suite(s.id) == Some(s)));
    assert!(versions().all(|n| version(n.id) == Some(n.name)));
    assert!(groups().all(|n| group(n.id) == Some(n.name)));
    assert!(signature_schemes().all(|n| signature_scheme(n.id) == Some(n.name)));
    assert!(extensions().all(|n| extension(n.id) == Some(n.name)));
    assert!(zos::GSK_ROWS.rows().iter().all(|g| gsk(g.code.cast_unsigned()) == Some(*g)));
    assert!(zos::CMS_ROWS.rows().iter().all(|c| cms(c.code) == Some(*c)));
    assert!(zos::CLIENT_ERROR_ROWS.rows().iter().all(|e| ftp_client_error(e.code) == Some(*e)));
    assert!(zos::SUBCOMMAND_ROWS.rows().iter().all(|s| ftp_subcommand(s.code) == Some(*s)));
    assert!(zos::MESSAGE_ROWS.rows().iter().all(|m| zos_message(&m.id.to_ascii_lowercase()) == Some(*m)));
    let known = |ids: HashSet<u16>, found: fn(u16) -> bool| (0..=u16::MAX).all(|id| found(id) == ids.contains(&id));
    assert!(known(cipher_suites().map(|s| s.id).collect(), |id| cipher_suite(id).is_some()));
    assert!(known(ftp_replies().map(|r| r.code).collect(), |code| ftp_reply(code).is_some()));
}

/// A look-up by kind or by product and need gives what a search through the whole table gives, in its order.
#[test]
fn groups_of_rows_are_those_of_the_whole_table() {
    for kind in fingerprints().map(|f| f.kind).chain(["", "zzz"]) {
        assert!(fingerprints_of(kind).copied().eq(fingerprints().filter(|f| f.kind == kind)), "{kind}");
    }
    let pairs: HashSet<(&str, &str)> = directives().map(|d| (d.need, d.product)).collect();
    for (need, product) in pairs {
        assert!(advise(need, product).eq(directives().filter(|d| (d.need, d.product) == (need, product))), "{need}");
    }
}

#[test]
fn suites_are_found_by_number_and_by_name() {
    let suite = cipher_suite(0x0035).unwrap();
    assert_eq!((suite.name, suite.openssl, suite.gsk), ("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", "35"));
    assert_eq!((suite.kx, suite.auth, suite.enc, suite.bits, suite.mac), ("RSA", "RSA", "AES-CBC", 256, "SHA1"));
    assert!(!suite.forward_secret() && !suite.is_signal());
    let suite = cipher_suite(0xC030).unwrap();
    assert_eq!((suite.name, suite.gsk), ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "-"));
    assert!(suite.forward_secret());
    assert_eq!(cipher_suite(0x1303).unwrap().bits, 256);
    assert!(cipher_suite(0x00FF).unwrap().is_signal() && cipher_suite(0x5600).unwrap().is_signal());
    assert!(cipher_suite(0x0A0A).is_none());
    for (name, id) in [
        ("AES256-SHA", 0x0035),
        ("ecdhe-rsa-aes256-gcm-sha384", 0xC030),
        ("tls_ecdhe_rsa_with_aes_256_gcm_sha384", 0xC030),
        ("DES-CBC3-SHA", 0x000A),
        ("SSL_RSA_WITH_3DES_EDE_CBC_SHA", 0x000A),
        ("EDH-RSA-DES-CBC3-SHA", 0x0016),
        ("TLS_AES_128_GCM_SHA256", 0x1301),
    ] {
        assert_eq!(cipher_suite_by_name(name).map(|s| s.id), Some(id), "{name}");
    }
    assert!(cipher_suite_by_name("-").is_none() && cipher_suite_by_name("").is_none());
}

#[test]
fn the_2_digit_code_of_system_ssl_is_the_low_byte() {
    for suite in cipher_suites().filter(|s| s.gsk != "-") {
        assert_eq!(u16::from_str_radix(suite.gsk, 16), Ok(suite.id), "{}", suite.name);
    }
}

#[test]
fn tls_numbers_have_names() {
    assert_eq!(version(0x0301), Some("TLS 1.0"));
    assert_eq!(version(0x0002), Some("SSLv2"));
    assert_eq!(version(0x3530), None);
    assert_eq!(group(0x001D), Some("x25519"));
    assert_eq!(group(0x11EC), Some("X25519MLKEM768"));
    assert_eq!(signature_scheme(0x0804), Some("rsa_pss_rsae_sha256"));
    assert_eq!(signature_scheme(0x0301), Some("rsa_pkcs1_sha224"));
    assert_eq!(extension(0x0000), Some("server_name"));
    assert_eq!(extension(0xFF01), Some("renegotiation_info"));
    assert_eq!(alert(116).unwrap().name, "certificate_required");
    assert_eq!(alert(41).unwrap().name, "no_certificate");
    assert_eq!(alert(120).unwrap().name, "no_application_protocol");
    assert!(alert(1).is_none());
}

#[test]
fn ftp_replies_have_meanings() {
    assert_eq!(ftp_reply(234).unwrap().rfc, "RFC 2228, RFC 4217");
    assert!(ftp_reply(522).unwrap().meaning.contains("EPSV"));
    assert!(ftp_reply(999).is_none() && ftp_reply(0).is_none());
    assert!(lines(ftp::REPLIES).all(|l| l.as_bytes().get(3) == Some(&b'\t')));
}

#[test]
fn system_ssl_codes_are_found_in_every_form() {
    let code = gsk(410).unwrap();
    assert_eq!((code.symbol, code.symbol_confirmed, code.confirmed), ("GSK_ERR_BAD_MESSAGE", true, Confirmed::Yes));
    assert_eq!(gsk_by_symbol("gsk_err_bad_message"), Some(code));
    assert_eq!(gsk(0x134C_C19E).unwrap().code, 414);
    assert_eq!(gsk(0xFFFF_FFEA).unwrap().code, -22);
    assert_eq!(gsk(464).unwrap().confirmed, Confirmed::No);
    assert!(gsk(445).is_none() && gsk(5003).is_none() && gsk_by_symbol("-").is_none());
    assert!(cms(0x0335_302F).unwrap().meaning.contains("self-signed"));
}

#[test]
fn attls_codes_are_exact_or_say_that_they_are_not() {
    assert!(attls(5003).unwrap().exact);
    let range = attls(5012).unwrap();
    assert!(!range.exact && range.code == 5012);
    assert!(attls(6100).unwrap().meaning.contains("IBM"));
    assert!(attls(410).is_none());
}

#[test]
fn a_standard_return_code_of_the_client_can_be_taken_apart() {
    assert_eq!(ftp_subcommand(10234 / 1000).unwrap().name, "OPEN");
    assert!(ftp_subcommand(39).is_none());
    assert_eq!(ftp_client_error(17).unwrap().symbol, "FTP_AUTHENTICATION");
    assert!(ftp_client_error(25).is_none());
    assert_eq!(ftp_client_error(31).unwrap().symbol, "-");
    assert_eq!(zos_message("eza2897i").unwrap().text, "Authentication negotiation failed");
}

fn who(kind: &str, code: u16, text: &str) -> Vec<&'static str> {
    fingerprints().filter(|f| f.matches(kind, code, text)).map(|f| f.product).collect()
}

#[test]
fn wordings_name_their_products() {
    assert_eq!(who("auth-ok", 234, "AUTH TLS successful"), ["ProFTPD", "glFTPd"]);
    assert_eq!(who("auth-ok", 234, "AUTH TLS successful."), ["pyftpdlib"]);
    assert_eq!(who("auth-ok", 234, "Using authentication type TLS"), ["FileZilla Server 0"]);
    assert_eq!(who("auth-ok", 234, "Using authentication type TLS.\r\n"), ["FileZilla Server 1"]);
    assert_eq!(who("auth-ok", 234, "AUTH command ok. Expecting TLS Negotiation."), ["IIS", "SFTPGo"]);
    assert_eq!(who("banner", 220, "---------- Bienvenue sur Pure-FTPd [privsep] [TLS] ----------"), ["Pure-FTPd"]);
    assert_eq!(who("banner", 220, "(vsFTPd 3.0.5)"), ["vsftpd"]);
    assert_eq!(who("oops", 500, "OOPS: cannot change directory:/home/x"), ["vsftpd", "vsftpd"]);
    assert!(who("banner", 550, "(vsFTPd 3.0.5)").is_empty());
    assert!(who("auth-ok", 234, "auth tls successful").is_empty());
}

#[test]
fn proftpd_tells_its_release_by_the_failure() {
    let versions = |code| -> Vec<&str> {
        fingerprints()
            .filter(|f| f.matches("handshake-failed", code, "TLS handshake failed"))
            .map(|f| f.versions)
            .collect()
    };
    assert_eq!(versions(550), ["up to 1.3.7"]);
    assert_eq!(versions(421), ["1.3.8 and later"]);
}

#[test]
fn a_cut_text_leaves_the_products_that_it_could_become() {
    let could = |code, text| -> Vec<&str> {
        let failed = fingerprints().filter(|f| f.kind == "handshake-failed");
        failed.filter(|f| f.could_begin(code, text)).map(|f| f.product).collect()
    };
    assert_eq!(could(550, "T"), ["ProFTPD"]);
    assert_eq!(could(500, "OO"), ["vsftpd"]);
    assert_eq!(could(500, "OOPS: error:0A0000C1"), ["vsftpd"]);
    assert_eq!(could(400, "Sorry,"), ["Pure-FTPd"]);
    assert!(could(550, "Tx").is_empty() && could(234, "T").is_empty());
}

#[test]
fn fingerprints_keep_to_the_known_kinds() {
    let before = ["banner", "auth-ok", "auth-refused", "handshake-failed", "tls-required"];
    let behind = ["login-refused", "data-refused", "pbsz-prot", "oops"];
    let kinds: Vec<&str> = before.into_iter().chain(behind).collect();
    assert!(fingerprints().all(|f| kinds.contains(&f.kind)));
    assert!(fingerprints().all(|f| f.confirmed != Confirmed::No), "a wording from memory would name a product as fact");
}

#[test]
fn clients_are_told_by_what_somebody_confirmed() {
    for p in client_prints() {
        let row = format!("{} {}", p.product, p.releases);
        assert!(p.confirmed != Confirmed::No, "{row}: a client from memory");
        assert!(p.product.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{row}");
        assert!(p.is_of_hello() || p.says != "-", "{row}: any client would fit");
        assert_eq!(p.library, p.programs != "-", "{row}: who uses it?");
    }
}

#[test]
fn directives_keep_to_their_words() {
    for d in directives() {
        let row = format!("{} {} {}", d.product, d.need, d.directive);
        assert!(["client", "server"].contains(&d.party), "{row}");
        assert!(["tonight", "lasting", "check", "leave"].contains(&d.kind), "{row}");
        assert!(d.risk == "-" || d.risk.contains("weak"), "{row}: a risk that does not say weak");
        assert!(d.confirmed != Confirmed::No, "{row}: advice from memory");
        assert!(d.source.len() > 3, "{row}: no source");
        assert!(d.text.len() <= 125, "{row}: {} characters", d.text.len());
        for id in [d.product, d.need] {
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{row}");
        }
    }
}

#[test]
fn the_head_of_the_directives_explains_every_need() {
    let comments: String = DIRECTIVES.lines().filter(|l| l.starts_with('#')).collect::<Vec<_>>().join(" ");
    let words: HashSet<&str> = comments.split([' ', ',', ';']).collect();
    for d in directives() {
        assert!(words.contains(d.need), "{}", d.need);
    }
}

#[test]
fn advice_is_found_by_need_and_product() {
    let native: Vec<Directive> = advise("enable-tls12", "zos-native").collect();
    assert_eq!(native.len(), 1);
    assert_eq!((native[0].kind, native[0].place), ("tonight", "//CEEOPTS DD *"));
    assert_eq!(native[0].directive, "ENVAR(\"GSK_PROTOCOL_TLSV1_2=ON\")");
    let attls: Vec<_> = advise("enable-tls12", "zos-attls").map(|d| (d.kind, d.place, d.directive)).collect();
    assert_eq!(attls, [("lasting", "FTP.DATA", "TLSMECHANISM ATTLS"), ("lasting", "AT-TLS policy", "TLSv1.2 On")]);
    assert!(advise("offer-ecdhe", "zos-attls").all(|d| d.kind == "lasting"));
    assert!(advise("allow-tls10", "proftpd").all(|d| d.risk.contains("weak")));
    assert_eq!(advise("see-tls-log", "proftpd").count(), 1);
    assert_eq!(advise("enable-tls12", "no-such-product").count(), 0);
}
