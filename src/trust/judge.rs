//! All answers on one chain.

use super::certificate::Certificate;
use super::name::{NameMatch, compare};
use super::path::{Path, Way};
use super::stores::Stores;
use super::{Details, MOST};

/// The judgement on one chain. Each answer stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The certificates as they were sent, the server's own first; at most [`MOST`].
    pub certificates: Vec<Certificate>,
    /// How many were sent.
    pub sent: usize,
    /// The name that was asked for; empty when none was.
    pub asked: String,
    /// How the server's certificate stands to that name.
    pub name: NameMatch,
    /// The time of the judgement in seconds since 1970 (UTC); `None` when the evidence has no date.
    pub at: Option<i64>,
    /// What is out of its time: the server's certificate, else one that the path needs.
    pub timing: Option<Timing>,
    /// The server's certificate issued itself.
    pub is_self_signed: bool,
    /// Which certificates (indices) make the way upwards, the server's own first.
    pub path: Vec<usize>,
    /// Whether they were sent in another order than that of the way.
    pub is_disordered: bool,
    /// Certificates (indices) that belong to no way from the server's own.
    pub extra: Vec<usize>,
    /// The issuer of the last certificate of the way, when it was not sent and is in no list.
    pub missing: Option<Missing>,
    /// What each list says.
    pub opinions: Vec<Opinion>,
    /// What is weak.
    pub weak: Vec<Weakness>,
    /// Why a server may not use this certificate.
    pub usage: Usage,
}

/// Whether a certificate may be a server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It may, or cannot be read.
    Allowed,
    /// It may not; says why.
    Wrong(&'static str),
}

/// A certificate out of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It has expired.
    Expired {
        /// Which one.
        index: usize,
        /// When, in seconds since 1970.
        not_after: i64,
    },
    /// It is not valid yet.
    NotYet {
        /// Which one.
        index: usize,
        /// Until when, in seconds since 1970.
        not_before: i64,
    },
}

/// An issuer that was neither sent nor is in any list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub issuer: String,
    /// Which certificate (index) it issued.
    pub below: usize,
    /// Where its certificate can be fetched, by the certificate that it issued.
    pub url: Option<String>,
    /// Whether it is an intermediate that the server ought to send: `Some(true)` is proved, `Some(false)` is likely, and
    /// `None` says that it may as well be a root.
    pub ought_to_be_sent: Option<bool>,
}

/// What one list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The name of the list.
    pub store: String,
    /// How many authorities it holds.
    pub authorities: usize,
    /// Whether it is only a second opinion, beside lists that the user's programs use.
    pub second: bool,
    /// Its answer.
    pub path: Path,
}

/// Something weak; which certificate, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The certificate (index).
    pub index: usize,
    /// `key`, `signature`, `version` or `name`.
    pub kind: &'static str,
    /// What it is, e.g. `RSA 1024`.
    pub what: String,
}

/// Judges a chain (DER, the server's certificate first) for a name (empty: none), by lists, at a time in seconds since 1970
/// (`None`: the time is not judged). Total, whatever the bytes are.
pub fn judge(chain: &[Vec<u8>], name: &str, stores: &Stores, at: Option<i64>) -> Judgement {
    let sent: Vec<&[u8]> = chain.iter().take(MOST).map(Vec::as_slice).collect();
    let certificates: Vec<Certificate> = sent.iter().map(|b| Certificate::read(b)).collect();
    let way = Way::of(&sent);
    let path: Vec<usize> = way.up.iter().map(|(n, _)| *n).collect();
    let leaf = certificates.first().and_then(Certificate::details);
    let opinions: Vec<Opinion> = stores
        .iter()
        .filter(|_| leaf.is_some())
        .map(|s| Opinion {
            store: s.name.clone(),
            authorities: s.len(),
            second: s.is_second_opinion,
            path: way.judged_by(s, at),
        })
        .collect();
    let usage = match leaf.map(|d| d.for_servers) {
        Some(Err(why)) => Usage::Wrong(why),
        _ => Usage::Allowed,
    };
    let mut judgement = Judgement {
        sent: chain.len(),
        asked: name.to_owned(),
        name: leaf.map_or(NameMatch::NotJudged, |d| compare(d, name)),
        at,
        timing: None,
        is_self_signed: leaf.is_some_and(|d| d.is_self_signed),
        is_disordered: !path.is_sorted(),
        extra: if path.is_empty() { Vec::new() } else { (0..sent.len()).filter(|n| !path.contains(n)).collect() },
        missing: missing(&way, &certificates, stores),
        opinions,
        weak: Vec::new(),
        usage,
        path,
        certificates,
    };
    judgement.timing = judgement.timing();
    judgement.weak = judgement.weaknesses();
    judgement
}

impl Judgement {
    /// The server's own certificate, if it can be read.
    pub fn leaf(&self) -> Option<&Details> {
        self.certificates.first().and_then(Certificate::details)
    }

    /// The lists that decide: those that are no second opinion, or all when there are no others.
    pub fn deciding(&self) -> impl Iterator<Item = &Opinion> {
        let all_second = self.opinions.iter().all(|o| o.second);
        self.opinions.iter().filter(move |o| all_second || !o.second)
    }

    /// Whether a list that decides trusts the chain; `None` when there is no list.
    pub fn is_trusted(&self) -> Option<bool> {
        (!self.opinions.is_empty()).then(|| self.deciding().any(|o| o.path.is_trusted()))
    }

    /// Whether a client that checks everything goes on: trusted, within its time, for this name and for servers.
    pub fn leaves_no_doubt(&self) -> bool {
        let is_named = matches!(self.name, NameMatch::Matches | NameMatch::OnlyCommonName);
        let is_meant = matches!(self.usage, Usage::Allowed);
        self.is_trusted() == Some(true) && self.timing.is_none() && is_named && is_meant
    }

    /// Whether the chain would be trusted if the clock were right.
    pub fn is_only_late(&self) -> bool {
        self.is_trusted() == Some(false) && self.deciding().any(|o| matches!(o.path, Path::OnlyTime { .. }))
    }

    /// The same without names: of redacted evidence, where some of them may have been overlooked.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        for d in self.certificates.iter_mut().filter_map(|c| c.read.as_deref_mut().ok()) {
            d.subject = "(redacted)".to_owned();
            d.issuer = d.subject.clone();
            d.serial.clear();
            (d.names, d.addresses, d.common_name, d.issuer_urls) = (Vec::new(), Vec::new(), None, Vec::new());
        }
        if let Some(missing) = &mut self.missing {
            (missing.issuer, missing.url) = ("(redacted)".to_owned(), None);
        }
        for opinion in &mut self.opinions {
            if let Path::Trusted { root, .. } | Path::OnlyTime { root } = &mut opinion.path {
                "(redacted)".clone_into(root);
            }
        }
        if !self.asked.is_empty() {
            "(redacted)".clone_into(&mut self.asked);
        }
        self
    }

    /// The server's own certificate counts at once; another one only if no list finds a way around it.
    fn timing(&self) -> Option<Timing> {
        let at = self.at?;
        let of = |index: usize| {
            let d = self.certificates.get(index)?.details()?;
            match at {
                at if at > d.not_after => Some(Timing::Expired { index, not_after: d.not_after }),
                at if at < d.not_before => Some(Timing::NotYet { index, not_before: d.not_before }),
                _ => None,
            }
        };
        let others = self.path.iter().skip(1).filter(|_| self.is_only_late());
        of(0).or_else(|| others.copied().find_map(of))
    }

    fn weaknesses(&self) -> Vec<Weakness> {
        let mut out = Vec::new();
        for index in self.path.iter().copied() {
            let Some(d) = self.certificates.get(index).and_then(Certificate::details) else { continue };
            let mut add = |kind, what: String| out.push(Weakness { index, kind, what });
            let weak_key = match d.key.algorithm.as_str() {
                "RSA" => d.key.bits < 2048,
                "EC" => d.key.bits > 0 && d.key.bits < 224,
                "DSA" => true,
                _ => false,
            };
            if weak_key {
                add("key", d.key.describe());
            }
            // The signature of a root proves nothing, so that it cannot be too weak.
            let old = ["MD2", "MD5", "SHA1"].iter().any(|hash| d.signature.starts_with(hash));
            if old && (!d.is_self_signed || index == 0 && d.is_ca != Some(true)) {
                add("signature", d.signature.clone());
            }
            if d.version < 3 && (index == 0 || !d.is_self_signed) {
                add("version", format!("X.509 version {}", d.version));
            }
        }
        if self.name == NameMatch::OnlyCommonName {
            out.push(Weakness { index: 0, kind: "name", what: "the name stands only in the CN".to_owned() });
        }
        out
    }
}

/// The issuer above the last certificate of the way, if nobody has it.
fn missing(way: &Way<'_>, certificates: &[Certificate], stores: &Stores) -> Option<Missing> {
    let (below, top) = way.up.last()?;
    let d = certificates.get(*below)?.details()?;
    if top.subject().as_raw() == top.issuer().as_raw() || stores.iter().any(|s| s.knows(top.issuer().as_raw())) {
        return None;
    }
    let url = d.issuer_urls.iter().find(|u| u.starts_with("http")).cloned();
    // Only below the server's own certificate can it be told that the issuer is no root: public roots issue no such
    // certificate. Above, it may be a root that is merely not in the lists; those are not sent.
    let ought_to_be_sent = match (*below == 0, d.is_public, &url) {
        (true, true, _) => Some(true),
        (true, false, Some(_)) => Some(false),
        (true, false, None) if is_called_intermediate(&d.issuer) => Some(false),
        _ => None,
    };
    Some(Missing { issuer: d.issuer.clone(), below: *below, url, ought_to_be_sent })
}

/// Whether an authority's name says that another one is above it.
fn is_called_intermediate(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    says(&["intermediate", "issuing", "subordinate", "sub ca", "subca"]) && !says(&["root"])
}
