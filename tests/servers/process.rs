//! One server process with all its children, which ends when its guard does.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::free_port;

/// Becomes the server, and leaves one process behind that waits for the end of a pipe. The other end of the pipe is with
/// the test: it closes when the guard is dropped, and also when the test is killed. Then the whole process group goes.
const KEEPER: &str = r#"exec 3<&0
{ read -r _ <&3; kill -KILL 0; } &
exec "$@" 3<&-"#;

/// Starting a server under load takes what it takes; more than this means that it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that listens on loopback until this is dropped.
pub struct Server {
    /// Its port at 127.0.0.1.
    pub port: u16,
    runs: Runs,
}

enum Runs {
    Process(Child),
    /// Connections are accepted by the kernel, and nobody ever says a word.
    Silent {
        _listener: TcpListener,
    },
    Nothing,
}

impl Server {
    /// Starts what `command` names for a port, and waits until it accepts connections. A port that somebody else took
    /// in between makes the server stop at once; another one is tried.
    pub fn start(name: &str, folder: &Path, command: impl Fn(u16) -> Vec<String>) -> Server {
        let mut said = String::new();
        for _ in 0..5 {
            let port = free_port();
            match Server::start_at(port, &folder.join(format!("{port}.log")), &command(port)) {
                Ok(server) => return server,
                Err(why) => said = why,
            }
        }
        panic!("{name} did not start: {said}");
    }

    fn start_at(port: u16, log: &Path, command: &[String]) -> Result<Server, String> {
        let out = File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
        let child = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(out.try_clone().map_err(|e| e.to_string())?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut server = Server { port, runs: Runs::Process(child) };
        let end = Instant::now() + PATIENCE;
        loop {
            let listens = TcpStream::connect_timeout(&server.address(), Duration::from_secs(1)).is_ok();
            // Asked after connecting: what answered may be another process that has the port.
            if server.has_ended() {
                return Err(format!("{command:?} ended: {}", fs::read_to_string(log).unwrap_or_default()));
            }
            if listens {
                return Ok(server);
            }
            if Instant::now() > end {
                return Err(format!("{command:?} does not listen: {}", fs::read_to_string(log).unwrap_or_default()));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A listener that says nothing.
    pub fn silent() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        Server { port: listener.local_addr().expect("it is bound").port(), runs: Runs::Silent { _listener: listener } }
    }

    /// Nothing at all: the port of tcpmux, which no machine offers.
    pub fn nothing() -> Server {
        Server { port: 1, runs: Runs::Nothing }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn has_ended(&mut self) -> bool {
        match &mut self.runs {
            Runs::Process(child) => !matches!(child.try_wait(), Ok(None)),
            Runs::Silent { .. } | Runs::Nothing => false,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Runs::Process(child) = &mut self.runs {
            drop(child.stdin.take());
            let end = Instant::now() + Duration::from_secs(5);
            while matches!(child.try_wait(), Ok(None)) {
                if Instant::now() > end {
                    let _ = child.kill();
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
