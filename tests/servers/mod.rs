//! Real FTP servers on loopback: installed once, started one by one on free ports, ended with the test.

mod expect;
mod process;
mod products;
mod s_client;
mod table;
mod transfers;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub use expect::mismatch;
pub use process::Server;
pub use products::Start;
pub use s_client::{Seen, openssl_name, s_client};
pub use table::{ROWS, Row};
pub use transfers::TRANSFERS;

/// The password of `joe`, which is searched for in all that is printed.
pub const PASSWORD: &str = "Xyzzy-4711-geheim";

/// The software, and what one run of the tests made: certificates, users, files, configurations, logs.
pub struct Lab {
    /// Where `install.sh` put the servers: `FTPSDIAG_SERVERS`, else below the target folder.
    software: PathBuf,
    /// The folder of this run.
    run: PathBuf,
}

impl Lab {
    /// Installs on first use, which takes half a minute on a new machine. Servers that cannot be had are a failed test
    /// and never a skipped one.
    pub fn get() -> &'static Lab {
        static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();
        match LAB.get_or_init(Lab::make) {
            Ok(lab) => lab,
            Err(why) => panic!("the FTP servers of this test could not be had: {why}"),
        }
    }

    fn make() -> Result<Lab, String> {
        let software = std::env::var_os("FTPSDIAG_SERVERS")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers"), PathBuf::from);
        run(Command::new(support("install.sh")).arg(&software))?;
        remove_leftovers(&software);
        let software = software.canonicalize().map_err(|e| e.to_string())?;
        let lab = Lab { run: software.join(format!("run-{}", std::process::id())), software };
        lab.fill().map_err(|e| format!("{}: {e}", lab.run.display()))?;
        run(Command::new(support("certificates.sh")).arg(lab.path("certificates")))?;
        lab.users()?;
        Ok(lab)
    }

    /// What a visitor finds: a file, and a folder that nobody may write to (vsftpd insists).
    fn fill(&self) -> std::io::Result<()> {
        for folder in ["certificates", "empty", "public/empty", "public/incoming"] {
            fs::create_dir_all(self.path(folder))?;
        }
        // Each server writes as somebody else.
        fs::set_permissions(self.path("public/incoming"), fs::Permissions::from_mode(0o777))?;
        fs::write(self.path("public/nothing.txt"), "")?;
        fs::write(self.path("public/hello.txt"), "hello\n")
    }

    /// ProFTPD and Pure-FTPd get a user `joe` with [`PASSWORD`] in files of their own.
    fn users(&self) -> Result<(), String> {
        let hash = run(Command::new("openssl").args(["passwd", "-6", PASSWORD]))?;
        let home = self.path("public");
        let files = [
            ("proftpd.passwd", format!("joe:{}:65534:65534::{}:/bin/sh\n", hash.trim(), home.display())),
            ("proftpd.group", "nogroup:x:65534:\n".to_owned()),
            // name:password:uid:gid:gecos:home, then limits that are not set
            ("pure.passwd", format!("joe:{}:65534:65534::{}/./::::::::::::\n", hash.trim(), home.display())),
        ];
        for (name, text) in &files {
            let path = self.path(name);
            fs::write(&path, text).map_err(|e| e.to_string())?;
            // ProFTPD refuses files with passwords that others may read.
            run(Command::new("chmod").arg("600").arg(path))?;
        }
        let pure_pw = self.software.join("pure-ftpd/usr/bin/pure-pw");
        run(Command::new(pure_pw).arg("mkdb").arg(self.path("pure.pdb")).arg("-f").arg(self.path("pure.passwd")))?;
        Ok(())
    }

    /// A file of this run.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.run.join(name)
    }

    /// A file of `certificates.sh`.
    pub fn certificate(&self, file: &str) -> String {
        self.path("certificates").join(file).display().to_string()
    }

    /// A program or folder of the software.
    pub fn program(&self, path: &str) -> String {
        self.software.join(path).display().to_string()
    }
}

/// A file beside this one.
pub fn support(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name)
}

/// A free port that nobody else is given: below those that systems hand out themselves, to listeners on port 0 and to
/// outgoing connections. One of those, for a moment at the same port, was taken for a server that listens.
fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const HOW_MANY: u32 = 12_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..HOW_MANY {
        // Each process begins somewhere else.
        let n = std::process::id().wrapping_mul(97).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + n % HOW_MANY).expect("20,000 to 31,999");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free on loopback");
}

/// Runs something that has to succeed, and gives its standard output.
fn run(command: &mut Command) -> Result<String, String> {
    let out = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(format!("{command:?}: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr)))
}

/// Folders of runs whose process is no more. Not worth a failure.
fn remove_leftovers(software: &Path) {
    for entry in fs::read_dir(software).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix("run-").is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
