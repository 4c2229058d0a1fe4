//! Lists of authorities, each with a name, so that a report can say *whose* list lacks one.

use core::fmt;
use std::sync::{Arc, LazyLock};

use rustls_pki_types::{CertificateDer, TrustAnchor};
use x509_parser::asn1_rs::FromDer;
use x509_parser::x509::X509Name;

use super::certificate::distinguished_name;
use super::{LONGEST, der};

/// One list of authorities.
#[derive(Clone)]
pub struct Store {
    /// As reports call it: `system`, `Mozilla`, or the name of the user's file.
    pub name: String,
    /// How many certificates of the list could not be read and were left out.
    pub unreadable: usize,
    /// Whether it only gives a second opinion beside lists that the user's programs use.
    pub is_second_opinion: bool,
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// The certificates themselves, as far as they are known: one that a server shows itself is trusted as it stands.
    pub(super) pinned: Vec<Vec<u8>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} authorities", self.name, self.anchors.len())
    }
}

impl Store {
    /// A list from certificates in DER. Single bad ones are left out and counted.
    pub fn new(name: impl Into<String>, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut store = Self {
            name: name.into(),
            unreadable: 0,
            is_second_opinion: false,
            anchors: Vec::new(),
            pinned: Vec::new(),
        };
        for bytes in certificates {
            let certificate = CertificateDer::from(bytes.as_slice());
            match webpki::anchor_from_trusted_cert(&certificate) {
                Ok(anchor) if bytes.len() <= LONGEST => {
                    store.anchors.push(anchor.to_owned());
                    store.pinned.push(bytes);
                }
                _ => store.unreadable += 1,
            }
        }
        store
    }

    /// How many authorities it holds.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Whether it holds an authority of this name (raw DER of a distinguished name).
    pub(super) fn knows(&self, name: &[u8]) -> bool {
        der::content(name).is_some_and(|name| self.anchors.iter().any(|a| a.subject.as_ref() == name))
    }
}

/// Mozilla's list, the same for every session of a run.
static MOZILLA: LazyLock<Arc<Store>> = LazyLock::new(|| {
    let anchors = webpki_roots::TLS_SERVER_ROOTS.to_vec();
    let (name, pinned) = ("Mozilla".to_owned(), Vec::new());
    Arc::new(Store { name, unreadable: 0, is_second_opinion: true, anchors, pinned })
});

/// The lists that judge a chain, each for itself. Empty: no path is judged. Copies share the lists.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    lists: Vec<Arc<Store>>,
}

impl Stores {
    /// The list that Mozilla's programs use, compiled in: a second opinion, the same on every machine. Alone, it decides.
    pub fn mozilla() -> Self {
        Self { lists: vec![Arc::clone(&MOZILLA)] }
    }

    /// Adds a list.
    #[must_use]
    pub fn with(mut self, store: Store) -> Self {
        self.lists.push(Arc::new(store));
        self
    }

    /// The lists.
    pub fn iter(&self) -> impl Iterator<Item = &Store> {
        self.lists.iter().map(|list| &**list)
    }

    /// Whether there is no list at all.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }
}

/// The name of an authority, as a certificate's subject is written.
pub(super) fn anchor_name(anchor: &TrustAnchor<'_>) -> String {
    let whole = der::sequence(anchor.subject.as_ref());
    X509Name::from_der(&whole)
        .map_or_else(|_| "an authority without a name".to_owned(), |(_, n)| distinguished_name(&n))
}
