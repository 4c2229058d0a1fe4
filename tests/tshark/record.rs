//! Captures real sessions in a network namespace of its own: nothing else is on its loopback, and every packet is there.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::table::{ROWS, Row};
use crate::servers::{Lab, PASSWORD};

/// Where the part of the test that runs inside the namespace puts its capture; unset outside.
pub const INSIDE: &str = "FTPSDIAG_CAPTURE_INTO";

/// What stands for a command in a row.
pub const WORDS: [(&str, &str); 6] = [
    ("S_CLIENT_IMPLICIT", "printf 'QUIT\\r\\n' | openssl s_client -connect 127.0.0.1:PORT"),
    ("S_CLIENT", "printf 'QUIT\\r\\n' | openssl s_client -quiet -starttls ftp -connect 127.0.0.1:PORT"),
    ("GNUTLS", "printf 'QUIT\\r\\n' | TOOLS gnutls-cli --insecure --starttls-proto=ftp -p PORT 127.0.0.1"),
    ("CURL_JOE", "-u joe:PASSWORD"),
    (
        "LFTP",
        "set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-allow-anonymous yes; set net:max-retries 1; set net:timeout 10",
    ),
    ("lftp -e", "TOOLS lftp --norc -e"),
];

/// tshark and the clients that this machine does not have.
pub struct Tools(PathBuf);

impl Tools {
    /// Installs on first use. Tools that cannot be had are a failed test and never a skipped one.
    pub fn get() -> Tools {
        let folder = std::env::var_os("FTPSDIAG_TSHARK")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark"), PathBuf::from);
        let out = Command::new(support("install.sh")).arg(&folder).output().expect("bash is there");
        assert!(out.status.success(), "tshark could not be had: {}", String::from_utf8_lossy(&out.stderr));
        Tools(folder.canonicalize().expect("it was made"))
    }

    /// A program of theirs.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join("run"));
        command.arg(name);
        command
    }
}

/// A file beside this one.
pub fn support(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tshark").join(name)
}

/// The capture of all rows, and the port of each row's server.
pub struct Captured {
    pub file: PathBuf,
    pub ports: Vec<u16>,
}

/// Captures all rows: this program once more, inside the namespace.
pub fn capture(test: &str) -> Captured {
    // Installs servers and tools out here, where packages can be had.
    let (lab, _tools) = (Lab::get(), Tools::get());
    let folder = lab.path("captured");
    fs::create_dir_all(&folder).unwrap();
    // Segments of the size that wires have, one by one.
    let script = "ip link set lo up mtu 1500 gso_max_segs 1 || ip link set lo up; exec \"$@\"";
    let out = Command::new("unshare")
        .args(["--net", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, &folder)
        .output()
        .expect("unshare is there");
    let said = || format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{}", said());
    let ports = fs::read_to_string(folder.join("ports")).unwrap();
    Captured { file: folder.join("sessions.pcap"), ports: ports.lines().map(|l| l.parse().unwrap()).collect() }
}

/// What is sent behind everything else: a capture that shows it shows all.
const END: &[u8] = b"nothing more is captured";

/// tcpdump, which ends with this.
struct Tcpdump(Child);

impl Drop for Tcpdump {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Tcpdump {
    /// Starts it, and waits until it captures.
    fn start(tools: &Tools) -> Tcpdump {
        // -Z root: another user may lack the right to capture. It writes each packet as it comes.
        let child = tools
            .program("tcpdump")
            .args(["-Z", "root", "-i", "lo", "--immediate-mode", "-U", "-B", "16384", "-w", "-", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tcpdump starts");
        let mut tcpdump = Tcpdump(child);
        let mut line = String::new();
        let mut said = BufReader::new(tcpdump.0.stderr.take().expect("a pipe"));
        said.read_line(&mut line).expect("it says something");
        assert!(line.contains("listening on"), "tcpdump: {line}");
        tcpdump
    }
}

/// The part that runs inside.
pub fn record(folder: &Path) {
    let (lab, tools) = (Lab::get(), Tools::get());
    let mut tcpdump = Tcpdump::start(&tools);
    let mut packets = tcpdump.0.stdout.take().expect("a pipe");
    let reader = thread::spawn(move || {
        let (mut all, mut piece) = (Vec::new(), [0; 65_536]);
        loop {
            let len = packets.read(&mut piece).expect("tcpdump's pipe");
            assert!(len > 0, "tcpdump ended");
            let from = all.len().saturating_sub(END.len());
            all.extend_from_slice(&piece[..len]);
            if all[from..].windows(END.len()).any(|w| w == END) {
                return all;
            }
        }
    });
    // One after the other: behind encryption, data connections are tied by address and time.
    let ports: Vec<String> = ROWS.iter().map(|row| run(row, lab, folder).to_string()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap().write_all(END).unwrap();
    fs::write(folder.join("sessions.pcap"), reader.join().expect("tcpdump captures to the end")).unwrap();
    fs::write(folder.join("ports"), ports.join("\n")).unwrap();
}

/// Runs one row to its end; the port of its server.
fn run(row: &Row, lab: &Lab, folder: &Path) -> u16 {
    let server = row.start.start(lab);
    let out = folder.join(server.port.to_string());
    fs::create_dir_all(&out).unwrap();
    for line in row.clients {
        let line = WORDS.iter().fold((*line).to_owned(), |l, (word, text)| l.replace(word, text));
        let line = line
            .replace("TOOLS", &Tools::get().0.join("run").display().to_string())
            .replace("PORT", &server.port.to_string())
            .replace("PASSWORD", PASSWORD)
            .replace("CERTIFICATES", &lab.path("certificates").display().to_string())
            .replace("HERE", &support("").display().to_string())
            .replace("OUT", &out.display().to_string());
        let ended = Command::new("timeout")
            .args(["30", "sh", "-c", &line])
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|e| panic!("{line}: {e}"));
        let log = [&ended.stdout[..], b"\n-- stderr\n", &ended.stderr].concat();
        fs::write(out.join("log"), log).unwrap();
    }
    server.port
}
