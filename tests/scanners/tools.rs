//! sslscan, nmap and testssl, and what they say a server takes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use ftpsdiag::codes::cipher_suite_by_name;

/// Version and suite.
pub type Pairs = BTreeSet<(u16, u16)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Sslscan,
    Nmap,
    Testssl,
}

pub struct Tools {
    folder: PathBuf,
    differences: Vec<String>,
}

fn support(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scanners").join(name)
}

impl Tools {
    /// Installs on first use; what cannot be had is a failed test and never a skipped one.
    pub fn get() -> &'static Tools {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        TOOLS.get_or_init(|| {
            let folder = std::env::var_os("FTPSDIAG_SCANNERS")
                .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("scanners"), PathBuf::from);
            let done = Command::new(support("install.sh")).arg(&folder).output().unwrap();
            assert!(done.status.success(), "the scanners could not be had: {}", String::from_utf8_lossy(&done.stderr));
            let differences = fs::read_to_string(support("differences.txt")).unwrap();
            let is_line = |l: &&str| !l.is_empty() && !l.starts_with('#');
            Tools { folder, differences: differences.lines().filter(is_line).map(str::to_owned).collect() }
        })
    }

    /// What a tool finds at a port; `None` where it cannot be told what to do there.
    pub fn scan(&self, tool: Tool, port: u16, implicit: bool) -> Option<Pairs> {
        let at = format!("127.0.0.1:{port}");
        match tool {
            Tool::Sslscan => {
                let starttls: &[&str] = if implicit { &[] } else { &["--starttls-ftp"] };
                Some(sslscan(&self.run("sslscan", &[starttls, &["--no-colour", "--xml=-", &at]].concat())))
            }
            // It learns by itself that FTP is spoken there; of TLS alone it has to be told.
            Tool::Nmap => {
                let script = if implicit { "+ssl-enum-ciphers" } else { "ssl-enum-ciphers" };
                let port = port.to_string();
                let version: &[&str] = if implicit { &[] } else { &["-sV"] };
                let args =
                    [&["-Pn", "-n", "-p", &port, "--script", script, "-oN", "-"], version, &["127.0.0.1"]].concat();
                Some(nmap(&self.run("nmap", &args)))
            }
            Tool::Testssl => {
                let file = self.folder.join(format!("testssl-{}-{port}.json", std::process::id()));
                let path = file.display().to_string();
                let starttls: &[&str] = if implicit { &[] } else { &["--starttls", "ftp"] };
                let args = [&["--warnings", "off", "--color", "0", "-p", "-E", "--jsonfile", &path], starttls, &[&at]]
                    .concat();
                self.run("testssl", &args);
                let said = fs::read_to_string(&file).unwrap();
                let _ = fs::remove_file(&file);
                Some(testssl(&said))
            }
        }
    }

    /// What starts gnutls-serv at a port: it echoes what it is told inside TLS.
    pub fn gnutls_serv(&self, port: u16, pem: &str, key: &str, priority: &str) -> Vec<String> {
        let run = self.folder.join("run").display().to_string();
        let port = port.to_string();
        let args = ["--quiet", "--echo", "--port", &port, "--x509certfile", pem, "--x509keyfile", key];
        let priority = ["--priority", priority];
        [&[&run, "gnutls-serv"], &args[..], &priority].concat().into_iter().map(str::to_owned).collect()
    }

    /// A known difference: `tool, which side, server (or *), version (or *), suite (or *): who is right, and why`.
    pub fn is_known(&self, tool: Tool, what: &str, server: &str, version: u16, suite: u16) -> bool {
        let here =
            [format!("{tool:?}"), what.to_owned(), server.to_owned(), format!("{version:04x}"), format!("{suite:04x}")];
        self.differences.iter().any(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            cells.len() == 6
                && cells.iter().zip(&here).all(|(c, h)| *c == "*" || c.split(' ').any(|c| c == h) || c == h)
        })
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let mut command = Command::new(self.folder.join("run"));
        let out = command.arg(program).args(args).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

fn version(name: &str) -> Option<u16> {
    Some(match name {
        "SSLv3" | "ssl3" => 0x0300,
        "TLSv1.0" | "tls1" => 0x0301,
        "TLSv1.1" | "tls1_1" => 0x0302,
        "TLSv1.2" | "tls1_2" => 0x0303,
        "TLSv1.3" | "tls1_3" => 0x0304,
        _ => return None,
    })
}

/// `<cipher status="accepted" sslversion="TLSv1.2" … id="0xC030" …/>`
fn sslscan(xml: &str) -> Pairs {
    let cell = |line: &str, name: &str| Some(line.split_once(name)?.1.split('"').next()?.to_owned());
    let pair = |line: &str| {
        let suite = cell(line, "id=\"0x")?;
        Some((version(&cell(line, "sslversion=\"")?)?, u16::from_str_radix(&suite, 16).ok()?))
    };
    xml.lines().filter(|l| l.trim_start().starts_with("<cipher ")).filter_map(pair).collect()
}

/// `|   TLSv1.2:`, and below it `|       TLS_RSA_WITH_AES_128_CBC_SHA (rsa 2048) - A`
fn nmap(text: &str) -> Pairs {
    let (mut out, mut now) = (Pairs::new(), None);
    for line in text.lines() {
        let words = line.trim_start_matches(['|', '_', ' ']);
        if let Some(v) = words.strip_suffix(": ").or(words.strip_suffix(':')).and_then(version) {
            now = Some(v);
        }
        let name = words.split(' ').next().unwrap_or_default().replace("TLS_AKE_WITH_", "TLS_");
        if let (Some(v), Some(suite)) = (now, cipher_suite_by_name(&name).filter(|_| name.starts_with("TLS_"))) {
            out.insert((v, suite.id));
        }
    }
    out
}

/// `"id" : "cipher-tls1_2_xc030"`
fn testssl(json: &str) -> Pairs {
    let pair = |line: &str| {
        let (v, suite) = line.split_once("cipher-")?.1.split('"').next()?.rsplit_once("_x")?;
        Some((version(v)?, u16::from_str_radix(suite, 16).ok()?))
    };
    json.lines().filter(|l| l.contains("\"id\"")).filter_map(pair).collect()
}
