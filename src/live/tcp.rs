//! One TCP connection, and why there is none.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::transcript::{Close, OpenFailure};

/// Why a connection was not opened.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: OpenFailure,
    /// What somebody else said of it, and who.
    pub(super) said: Option<(&'static str, String)>,
}

impl Failure {
    pub(super) fn of(why: OpenFailure) -> Self {
        Self { why, said: None }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        let why = match e.kind() {
            ErrorKind::ConnectionRefused => OpenFailure::Refused,
            ErrorKind::TimedOut => OpenFailure::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => OpenFailure::Unreachable,
            _ => OpenFailure::Other,
        };
        let said = (why == OpenFailure::Other).then(|| ("operating system", e.to_string()));
        Self { why, said }
    }
}

/// How much of an upload the system may hold. Where it takes a whole file at once, a slow line and a silent server look alike.
const SEND_BUFFER: u32 = 64 * 1024;

/// A TCP connection from an address of our own, if one is wanted.
pub(super) async fn connect(to: SocketAddr, source: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(to).await
}

/// What came next, or how it ended.
pub(super) async fn next(read: &mut OwnedReadHalf) -> Result<Vec<u8>, Close> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match read.read(&mut buffer).await {
            Ok(0) => return Err(Close::Fin),
            Ok(n) => {
                buffer.truncate(n);
                return Ok(buffer);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return Err(Close::Reset),
            Err(_) => return Err(Close::Unknown),
        }
    }
}

/// A port of ours at this address, for one connection.
pub(super) fn listen(ip: IpAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    socket.bind(SocketAddr::new(ip, 0))?;
    let listener = socket.listen(1)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
