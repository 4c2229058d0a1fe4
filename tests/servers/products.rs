//! How each product is configured and started.

use std::fs;

use super::{Lab, Server, support};

/// Among the directives of ProFTPD: data connections have to resume the control connection's session.
pub const SESSION_REUSE: &str = "# session reuse as built in";

/// What to start. The first string is the certificate (a name of `certificates.sh`), then come options in the product's
/// own notation.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// vsftpd 3.0.3: lines of vsftpd.conf.
    Vsftpd(&'static str, &'static [&'static str]),
    /// ProFTPD 1.3.8: directives of mod_tls.
    Proftpd(&'static str, &'static [&'static str]),
    /// ProFTPD without mod_tls.
    ProftpdWithoutTls,
    /// ProFTPD with mod_tls and no certificate.
    ProftpdWithoutCertificate,
    /// Pure-FTPd 1.0.50: options of the command line.
    PureFtpd(&'static str, &'static [&'static str]),
    /// pyftpdlib: `explicit` or `implicit`.
    Pyftpdlib(&'static str, &'static str),
    /// ProFTPD as it was on OpenSSL 1.0.2: a variant of old_openssl.py.
    OldOpenssl(&'static str, &'static str),
    /// `openssl s_server`, which is implicit TLS and no FTP behind it: its options.
    SServer(&'static str, &'static [&'static str]),
    /// Accepts connections and says nothing.
    Silent,
    /// Nobody listens.
    Nothing,
}

impl Start {
    /// Starts it on a free port.
    pub fn start(self, lab: &Lab) -> Server {
        match self {
            Start::Silent => Server::silent(),
            Start::Nothing => Server::nothing(),
            _ => Server::start(&format!("{self:?}"), &lab.path(""), |port| self.command(lab, port)),
        }
    }

    fn command(self, lab: &Lab, port: u16) -> Vec<String> {
        match self {
            Start::Vsftpd(chain, lines) => vsftpd(lab, port, chain, lines),
            Start::Proftpd(chain, directives) => {
                let mut lines = certificate_of_proftpd(lab, chain);
                lines.extend(directives.iter().map(|d| filled(lab, d)));
                proftpd(lab, port, Some(&lines))
            }
            Start::ProftpdWithoutTls => proftpd(lab, port, None),
            Start::ProftpdWithoutCertificate => proftpd(lab, port, Some(&[])),
            Start::PureFtpd(chain, options) => pure_ftpd(lab, port, chain, options),
            Start::Pyftpdlib(chain, mode) => {
                python(lab, "pyftpd.py", [&port.to_string(), mode], chain, lab.path("public").display().to_string())
            }
            Start::OldOpenssl(chain, variant) => {
                python(lab, "old_openssl.py", [&port.to_string(), variant], chain, lab.program("openssl-1.0.2"))
            }
            Start::SServer(chain, options) => s_server(lab, port, chain, options),
            Start::Silent | Start::Nothing => Vec::new(),
        }
    }
}

/// A script beside this file, with its port and kind, certificate, key, and the folder it needs.
fn python(lab: &Lab, script: &str, what: [&str; 2], chain: &str, folder: String) -> Vec<String> {
    let (pem, key) = pair(lab, chain);
    let [port, kind] = what.map(str::to_owned);
    [lab.program("venv/bin/python"), support(script).display().to_string(), port, kind, pem, key, folder].into()
}

fn s_server(lab: &Lab, port: u16, chain: &str, options: &[&str]) -> Vec<String> {
    let (pem, key) = pair(lab, chain);
    let at = format!("127.0.0.1:{port}");
    let fixed = ["openssl", "s_server", "-quiet", "-accept", &at, "-cert", &pem, "-cert_chain", &pem, "-key", &key];
    fixed.iter().map(|&s| s.to_owned()).chain(options.iter().map(|o| filled(lab, o))).collect()
}

fn pair(lab: &Lab, chain: &str) -> (String, String) {
    (lab.certificate(&format!("{chain}.pem")), lab.certificate(&format!("{chain}.key")))
}

/// Options name certificates as `CERTIFICATES/root.pem`.
fn filled(lab: &Lab, option: &str) -> String {
    option.replace("CERTIFICATES", &lab.path("certificates").display().to_string())
}

fn write(lab: &Lab, name: &str, text: &str) -> String {
    let path = lab.path(name);
    fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    path.display().to_string()
}

fn vsftpd(lab: &Lab, port: u16, chain: &str, lines: &[&str]) -> Vec<String> {
    let (pem, key) = pair(lab, chain);
    let (public, empty) = (lab.path("public"), lab.path("empty"));
    // No blanks around `=` or at the end of a line: vsftpd takes them for part of the value, and stops.
    // `ftp_username` needs a user whose home exists. Its default cipher string is one single suite.
    let mut text = format!(
        "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         anonymous_enable=YES\nlocal_enable=NO\nftp_username=daemon\nanon_root={}\nsecure_chroot_dir={}\n\
         nopriv_user=nobody\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\npasv_address=127.0.0.1\n\
         connect_from_port_20=NO\nxferlog_enable=NO\nssl_enable=YES\nallow_anon_ssl=YES\nrequire_ssl_reuse=NO\n\
         force_local_logins_ssl=NO\nforce_local_data_ssl=NO\nssl_ciphers=HIGH\nrsa_cert_file={pem}\n\
         rsa_private_key_file={key}\n",
        public.display(),
        empty.display(),
    );
    // Of two lines with the same key the last one holds.
    for line in lines.iter().filter(|l| !l.starts_with("OPENSSL")) {
        text += &format!("{}\n", filled(lab, line));
    }
    let conf = write(lab, &format!("vsftpd-{port}.conf"), &text);
    let mut command = with_openssl_conf(lab, port, lines);
    command.extend([lab.program("vsftpd/usr/sbin/vsftpd"), conf]);
    command
}

/// What a product cannot be told, OpenSSL can: `OPENSSL MaxProtocol = TLSv1.2` becomes a line of its own configuration.
fn with_openssl_conf(lab: &Lab, port: u16, lines: &[&str]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix("OPENSSL ")).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = defaults\n[defaults]\n{}\n",
        lines.join("\n")
    );
    let path = write(lab, &format!("openssl-{port}.cnf"), &text);
    vec!["env".to_owned(), format!("OPENSSL_CONF={path}")]
}

/// It sends the first certificate of its file alone; the intermediate is in a file of its own.
fn certificate_of_proftpd(lab: &Lab, chain: &str) -> Vec<String> {
    let (pem, key) = pair(lab, chain);
    let kind = if chain == "ecdsa" { "EC" } else { "RSA" };
    let mut lines = vec![format!("TLS{kind}CertificateFile {pem}"), format!("TLS{kind}CertificateKeyFile {key}")];
    if chain != "without-intermediate" {
        lines.push(format!("TLSCertificateChainFile {}", lab.certificate("intermediate.pem")));
    }
    lines
}

/// `tls`: the directives of mod_tls, or none for a server without the module.
fn proftpd(lab: &Lab, port: u16, tls: Option<&[String]>) -> Vec<String> {
    let file = |what: &str| lab.path(format!("proftpd-{port}.{what}")).display().to_string();
    let load = if tls.is_some() { "LoadModule mod_tls.c" } else { "" };
    // Without SocketBindTight it listens on every address of the machine. mod_delay waits on purpose.
    let mut text = format!(
        "ModulePath {}\n{load}\nServerName test\nServerType standalone\nDefaultServer on\nDefaultAddress 127.0.0.1\n\
         SocketBindTight on\nPort {port}\nUseIPv6 off\nUseReverseDNS off\nWtmpLog off\nUser nobody\nGroup nogroup\n\
         PidFile {}\nScoreboardFile {}\nDelayEngine off\nAuthOrder mod_auth_file.c\nAuthUserFile {}\nAuthGroupFile {}\n\
         RequireValidShell off\nDefaultRoot ~\nSystemLog {}\nTransferLog none\n\
         <IfModule mod_ctrls.c>\n  ControlsEngine off\n</IfModule>\n",
        lab.program("proftpd-modules"),
        file("pid"),
        file("scoreboard"),
        lab.path("proftpd.passwd").display(),
        lab.path("proftpd.group").display(),
        file("system.log"),
    );
    if let Some(directives) = tls {
        // Without TLSLog it says nothing of TLS anywhere.
        text += &format!("TLSEngine on\nTLSLog {}\n", file("tls.log"));
        // Its own default, which demands a resumed session on data connections, is the row's to ask for.
        let (demands, directives): (Vec<_>, Vec<_>) = directives.iter().partition(|d| *d == SESSION_REUSE);
        text += if demands.is_empty() { "TLSOptions NoSessionReuseRequired\n" } else { "" };
        text += &directives.iter().map(|d| d.as_str()).collect::<Vec<_>>().join("\n");
        text += "\n";
    }
    let conf = write(lab, &format!("proftpd-{port}.conf"), &text);
    [lab.program("proftpd-core/usr/sbin/proftpd"), "-n".to_owned(), "-c".to_owned(), conf].into()
}

fn pure_ftpd(lab: &Lab, port: u16, chain: &str, options: &[&str]) -> Vec<String> {
    let at = format!("127.0.0.1,{port}");
    let both = lab.certificate(&format!("{chain}.both.pem"));
    let mut command = with_openssl_conf(lab, port, options);
    let options = options.iter().filter(|o| !o.starts_with("OPENSSL "));
    let users = format!("puredb:{}", lab.path("pure.pdb").display());
    let pid = lab.path(format!("pure-ftpd-{port}.pid")).display().to_string();
    let program = lab.program("pure-ftpd/usr/sbin/pure-ftpd");
    // -H: no look-up of names. -C: more than its few connections from one address. -E: no anonymous visitors, for whom
    // it would need a system user. -u 1: the lowest uid it lets in.
    let fixed = [
        program.as_str(),
        "-S",
        &at,
        "-2",
        &both,
        "-l",
        &users,
        "-g",
        &pid,
        "-H",
        "-E",
        "-u",
        "1",
        "-c",
        "50",
        "-C",
        "50",
    ];
    command.extend(fixed.iter().chain(options).map(|&s| s.to_owned()));
    command
}
