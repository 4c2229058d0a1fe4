//! What all connections of one server share: certificate, version, and the sessions that one of them leaves for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustls::ServerConfig;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};

use super::server::{Server, config};
use super::{Identity, Terms};

/// What a server does about sessions on one of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// How many it gives behind a full handshake; TLS 1.2 knows none and one.
    pub given: u8,
    /// How many TLS 1.3 tickets it gives behind a resumed one.
    pub renewed: u8,
    /// Whether it takes those that it gave.
    pub taken: bool,
}

impl Sessions {
    /// As OpenSSL does it.
    pub const USUAL: Self = Self { given: 2, renewed: 1, taken: true };
}

/// How many sessions are kept; more than any visit needs.
const MOST: usize = 256;

/// The TLS of one server.
#[derive(Debug)]
pub(in crate::probe) struct Keeper {
    config: ServerConfig,
    kept: Arc<ServerSessionMemoryCache>,
}

impl Keeper {
    /// `None` when the identity cannot be used.
    pub(in crate::probe) fn new(terms: Terms, identity: &Identity) -> Option<Self> {
        Some(Self { config: config(terms, identity)?, kept: ServerSessionMemoryCache::new(MOST) })
    }

    /// One connection.
    pub(in crate::probe) fn server(&self, sessions: Sessions) -> Option<Server> {
        let most = sessions.given.max(sessions.renewed);
        let counter = Counter {
            kept: Arc::clone(&self.kept),
            sessions,
            given: AtomicU8::new(0),
            resumed: AtomicBool::new(false),
        };
        let mut config = self.config.clone();
        config.send_tls13_tickets = usize::from(most);
        config.session_storage = Arc::new(counter);
        Server::with(config)
    }
}

/// The sessions of a server as one connection may use them: what is not kept is not given.
#[derive(Debug)]
struct Counter {
    kept: Arc<ServerSessionMemoryCache>,
    sessions: Sessions,
    given: AtomicU8,
    resumed: AtomicBool,
}

impl Counter {
    fn found(&self, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let value = value.filter(|_| self.sessions.taken);
        self.resumed.fetch_or(value.is_some(), Ordering::Relaxed);
        value
    }
}

impl StoresServerSessions for Counter {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let resumed = self.resumed.load(Ordering::Relaxed);
        let most = if resumed { self.sessions.renewed } else { self.sessions.given };
        self.given.fetch_add(1, Ordering::Relaxed) < most && self.kept.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.found(self.kept.get(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.found(self.kept.take(key))
    }

    fn can_cache(&self) -> bool {
        self.sessions.given > 0
    }
}
