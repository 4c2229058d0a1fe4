//! OpenSSL: TLS 1.0 to 1.2 with the suites of their time, which rustls does not speak. Only with the feature `legacy-tls`.
//!
//! Up to TLS 1.2 the messages of a handshake travel in clear until the keys change. What is in them is read there, where
//! it passes, and holds for handshakes that come to nothing as well.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    self, ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use rustls_pki_types::DnsName;

use super::{Backend, Identity, KeyKind, Library, Seen, State, server};
use crate::codes;
use crate::probe::plan::ServerName;
use crate::transcript::{Decrypted, Der, Side, What};
use crate::wire::tls::content;
use crate::wire::tls::handshake::{self, Message};
use crate::wire::tls::key_exchange::named_group;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// Everything that has an encryption and a certificate, keys and hashes of any strength. Nobody is let in who shows no
/// certificate at all: a password comes next.
const SUITES: &str = "ALL:!aNULL:!PSK:!SRP:@SECLEVEL=0";

/// The session that the next connection offers to resume, as DER.
type Newest = Arc<Mutex<Option<Vec<u8>>>>;

/// A client of old TLS.
#[derive(Clone)]
pub(super) struct Client {
    context: SslContext,
    /// `None` when nothing is resumed.
    newest: Option<Newest>,
}

impl Client {
    /// A client that accepts any certificate; `None` when OpenSSL cannot use the identity.
    pub(super) fn new(identity: Option<&Identity>) -> Option<Self> {
        Some(Self { context: context(identity).ok()?, newest: Some(Newest::default()) })
    }

    fn with(&self, newest: Option<Newest>) -> Arc<dyn Library> {
        Arc::new(Self { context: self.context.clone(), newest })
    }
}

fn context(identity: Option<&Identity>) -> Result<SslContext, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    // SSL 3.0 is not in OpenSSL 3; what TLS 1.3 adds to a hello is what old servers stumble over.
    context.set_min_proto_version(Some(SslVersion::TLS1))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_cipher_list(SUITES)?;
    context.set_verify(SslVerifyMode::NONE);
    // Servers from before 2010 do not know secure renegotiation (RFC 5746).
    context.set_options(SslOptions::ALL | SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    if let Some((first, more)) = identity.and_then(|i| i.chain.split_first()) {
        context.set_certificate(&*X509::from_der(first)?)?;
        for certificate in more {
            context.add_extra_chain_cert(X509::from_der(certificate)?)?;
        }
    }
    if let Some(identity) = identity {
        context.set_private_key(&*PKey::private_key_from_der(&identity.key)?)?;
    }
    Ok(context.build())
}

impl Library for Client {
    fn for_a_login(&self) -> Arc<dyn Library> {
        self.with(Some(Newest::default()))
    }

    fn declining(&self) -> Arc<dyn Library> {
        self.with(None)
    }

    /// It speaks nothing newer.
    fn limited_to_tls12(&self) -> Arc<dyn Library> {
        self.for_a_login()
    }

    fn signed_by(&self, _kind: KeyKind) -> Option<Arc<dyn Library>> {
        None
    }

    fn begin(&self, _host: &str, name: &ServerName) -> Option<Box<dyn Backend>> {
        let mut ssl = Ssl::new(&self.context).ok()?;
        match name {
            ServerName::Send(name) if DnsName::try_from(name.as_str()).is_ok() => ssl.set_hostname(name).ok()?,
            _ => {}
        }
        let newest = self.newest.as_ref().and_then(|n| n.lock().unwrap_or_else(PoisonError::into_inner).clone());
        // A session that cannot be offered makes a handshake without one.
        let _ = newest.map(|der| openssl_session::offer(&mut ssl, &der));
        ssl.set_connect_state();
        let stream = SslStream::new(ssl, Pipe::default()).ok()?;
        let [client, server] = [Flight::default(), Flight::default()];
        let (newest, output) = (self.newest.clone(), Vec::new());
        let mut connection = Connection { stream, newest, output, client, server, group: None };
        // The hello; that nothing can be read yet is no failure.
        let _ = connection.stream.do_handshake();
        connection.flush(None);
        Some(Box::new(connection))
    }
}

/// What OpenSSL takes for its socket.
#[derive(Default)]
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.input.len().min(buffer.len());
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (to, from) = (buffer.iter_mut(), self.input.drain(..len));
        to.zip(from).for_each(|(to, from)| *to = from);
        Ok(len)
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection.
struct Connection {
    stream: SslStream<Pipe>,
    newest: Option<Newest>,
    output: Vec<u8>,
    client: Flight,
    server: Flight,
    /// The group of an ECDHE suite.
    group: Option<u16>,
}

impl Backend for Connection {
    fn record(&mut self, record: &[u8], hidden: bool, seen: &mut Seen) {
        for message in self.server.take(record) {
            self.note(Side::Server, message, seen);
        }
        self.stream.get_mut().input.extend_from_slice(record);
        let mut result = Ok(());
        if seen.state == State::Handshake {
            result = self.stream.do_handshake();
            self.flush(Some(seen));
            if result.is_ok() {
                seen.state = State::Established;
                seen.notes.extend(self.established().map(server));
                self.keep_session();
            }
        }
        let mut chunk = [0; 4096];
        while result.is_ok() {
            result = match self.stream.ssl_read(&mut chunk) {
                Ok(len) => {
                    seen.plain.extend_from_slice(chunk.get(..len).unwrap_or_default());
                    Ok(())
                }
                Err(error) => Err(error),
            };
        }
        self.flush(Some(seen));
        if let Err(error) = result {
            ended(&error, hidden, seen);
        }
    }

    fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    fn write(&mut self, plain: &[u8]) {
        // A Vec takes everything.
        let _ = self.stream.write_all(plain);
        self.flush(None);
    }

    fn close(&mut self) {
        // One word is enough; that the other side says none yet is no failure.
        let _ = self.stream.shutdown();
        self.flush(None);
    }

    fn is_tls13(&self) -> bool {
        false
    }
}

impl Connection {
    /// What OpenSSL wants to send, read as long as it is in clear.
    fn flush(&mut self, seen: Option<&mut Seen>) {
        let output = core::mem::take(&mut self.stream.get_mut().output);
        let messages = self.client.take(&output);
        self.output.extend(output);
        if let Some(seen) = seen {
            for message in messages {
                self.note(Side::Client, message, seen);
            }
        }
    }

    fn note(&mut self, from: Side, message: Message, seen: &mut Seen) {
        let der = |parts: Vec<Vec<u8>>| parts.into_iter().map(Der).collect();
        let noted = match message {
            Message::Certificate { chain } => Decrypted::Certificates { chain: der(chain) },
            Message::CertificateRequest { authorities, .. } => {
                Decrypted::CertificateRequest { authorities: der(authorities) }
            }
            Message::ServerKeyExchange { params } => {
                self.group = named_group(&params);
                return;
            }
            _ => return,
        };
        seen.notes.push(What::Decrypted { from, seen: noted });
    }

    fn established(&self) -> Option<Decrypted> {
        let ssl = self.stream.ssl();
        let version = match ssl.version2()? {
            SslVersion::TLS1 => 0x0301,
            SslVersion::TLS1_1 => 0x0302,
            _ => 0x0303,
        };
        let suite = u16::from_be_bytes(ssl.current_cipher()?.protocol_id());
        // The parameters of DHE begin with a length, those of ECDHE with the group.
        let has_group = codes::cipher_suite(suite).is_some_and(|s| s.kx == "ECDHE");
        let group = self.group.filter(|_| has_group);
        Some(Decrypted::Established { version, suite, group, alpn: None, resumed: ssl.session_reused() })
    }

    /// Up to TLS 1.2 the session is there, ticket and all, when the handshake is over.
    fn keep_session(&self) {
        if let (Some(newest), Some(session)) = (&self.newest, self.stream.ssl().session()) {
            *newest.lock().unwrap_or_else(PoisonError::into_inner) = session.to_der().ok();
        }
    }
}

/// What it means that OpenSSL reads no further.
fn ended(error: &ssl::Error, hidden: bool, seen: &mut Seen) {
    let errors = error.ssl_error().map(ErrorStack::errors).unwrap_or_default();
    let alert = errors.iter().find_map(|e| u8::try_from(e.reason_code() - ALERT).ok());
    match (error.code(), alert) {
        (ErrorCode::WANT_READ, _) => {}
        (ErrorCode::ZERO_RETURN, _) => {
            if hidden {
                seen.notes.push(server(Decrypted::Alert { level: 1, description: 0 }));
            }
            seen.state = State::Closed;
        }
        (_, Some(description)) => {
            if hidden {
                seen.notes.push(server(Decrypted::Alert { level: 2, description }));
            }
            seen.state = State::Failed;
        }
        _ => {
            let words = errors.iter().find_map(|e| e.reason()).map_or_else(|| error.to_string(), str::to_owned);
            seen.notes.push(What::Claim { by: "OpenSSL".to_owned(), code: None, text: words });
            seen.state = State::Failed;
        }
    }
}

/// An alert that was received is an error of this number and its own (SSL_AD_REASON_OFFSET).
const ALERT: i32 = 1000;

/// The handshake messages of one side, as long as they travel in clear.
#[derive(Default)]
struct Flight {
    unread: Vec<u8>,
    /// Nothing more can be read.
    over: bool,
}

impl Flight {
    /// Takes whole records.
    fn take(&mut self, records: &[u8]) -> Vec<Message> {
        let mut rest = records;
        while let (Front::Record(header), false) = (front(rest), self.over) {
            let end = HEADER_LEN + usize::from(header.len);
            match header.content_type {
                content::HANDSHAKE => {
                    self.unread.extend_from_slice(rest.get(HEADER_LEN..end).unwrap_or_default());
                }
                content::CHANGE_CIPHER_SPEC => self.over = true,
                _ => {}
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        let mut messages = Vec::new();
        while let Some((_, len)) = handshake::header(&self.unread) {
            let end = handshake::HEADER_LEN + len;
            if len > handshake::LONGEST {
                (self.over, self.unread) = (true, Vec::new());
            }
            if self.unread.len() < end {
                break;
            }
            let message: Vec<u8> = self.unread.drain(..end).collect();
            messages.push(handshake::parse(&message, None));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(name: &ServerName) -> handshake::Message {
        let client = Client::new(None).unwrap();
        let mut connection = client.begin("ftp.example", name).unwrap();
        Flight::default().take(&connection.take_output()).remove(0)
    }

    #[test]
    fn what_rustls_lacks_is_offered_and_nobody_without_certificate() {
        let Message::ClientHello(hello) = hello(&ServerName::Send("ftp.example".to_owned())) else { panic!() };
        assert_eq!(hello.version, 0x0303);
        // ECDHE, DHE and static RSA with CBC; static RSA with GCM; 3DES.
        for suite in [0xc014, 0x0039, 0x002f, 0x009c, 0x000a] {
            assert!(hello.suites.contains(&suite), "{suite:04x} in {:04x?}", hello.suites);
        }
        // Anonymous Diffie-Hellman, and no encryption.
        for suite in [0x0034, 0xc019, 0x0002, 0xc006] {
            assert!(!hello.suites.contains(&suite), "{suite:04x} in {:04x?}", hello.suites);
        }
        assert!(hello.extension(0).is_some(), "the server's name");
    }

    #[test]
    fn no_name_is_sent_when_none_is_planned_or_it_is_none() {
        for name in [ServerName::Omit, ServerName::Send("no name".to_owned())] {
            let Message::ClientHello(hello) = hello(&name) else { panic!() };
            assert!(hello.extension(0).is_none(), "{name:?}");
        }
    }

    #[test]
    fn messages_are_read_up_to_the_change_of_keys() {
        let mut flight = Flight::default();
        let done = [22, 3, 1, 0, 4, 14, 0, 0, 0];
        let change = [20, 3, 1, 0, 1, 1];
        assert_eq!(flight.take(&done[..9]).len(), 1);
        assert_eq!(flight.take(&[&[22, 3, 1, 0, 2, 14, 0], &[22, 3, 1, 0, 2, 0, 0][..]].concat()).len(), 1);
        assert_eq!(flight.take(&[&change[..], &done].concat()), []);
    }
}
