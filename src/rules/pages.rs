//! Pages ahead of their rules: findings of the login, the data connection, CCC and the audit, and the causes behind them.
//! `explain` answers for these ids; a page leaves this list when its rule, or the builder of its cause, takes it over.

/// A page that no rule and no cause owns yet.
#[derive(Debug)]
pub struct Page {
    /// The id that it explains: a finding or a cause.
    pub id: &'static str,
    /// The page.
    pub page: &'static str,
}

/// Pages of findings whose rules come with the data connection and the audit, and of their causes; in alphabetical order.
pub static TO_COME: &[Page] = &[
    page("alpn-not-strict", include_str!("../../docs/findings/alpn-not-strict.md")),
    page("client-does-not-resume", include_str!("../../docs/causes/client-does-not-resume.md")),
    page("data-certificate-differs", include_str!("../../docs/findings/data-certificate-differs.md")),
    page("data-closed-before-handshake", include_str!("../../docs/findings/data-closed-before-handshake.md")),
    page("data-empty-transfer-fails", include_str!("../../docs/findings/data-empty-transfer-fails.md")),
    page("data-fatal-alert", include_str!("../../docs/findings/data-fatal-alert.md")),
    page("data-plaintext-instead-of-tls", include_str!("../../docs/findings/data-plaintext-instead-of-tls.md")),
    page("data-session-not-resumed", include_str!("../../docs/findings/data-session-not-resumed.md")),
    page("data-session-reuse-required", include_str!("../../docs/findings/data-session-reuse-required.md")),
    page("data-silence-during-handshake", include_str!("../../docs/findings/data-silence-during-handshake.md")),
    page("legacy-tls-offered", include_str!("../../docs/findings/legacy-tls-offered.md")),
    page("no-forward-secrecy", include_str!("../../docs/findings/no-forward-secrecy.md")),
    page("proxy-closes-empty-data", include_str!("../../docs/causes/proxy-closes-empty-data.md")),
    page("session-cache-not-shared", include_str!("../../docs/causes/session-cache-not-shared.md")),
    page("session-tickets-exhausted", include_str!("../../docs/findings/session-tickets-exhausted.md")),
    page("sni-not-strict", include_str!("../../docs/findings/sni-not-strict.md")),
    page("starttls-injection", include_str!("../../docs/findings/starttls-injection.md")),
    page("tls13-tickets-exhausted", include_str!("../../docs/causes/tls13-tickets-exhausted.md")),
    page("weak-cipher-offered", include_str!("../../docs/findings/weak-cipher-offered.md")),
];

const fn page(id: &'static str, page: &'static str) -> Page {
    Page { id, page }
}
