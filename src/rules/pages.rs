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
    page("legacy-tls-offered", include_str!("../../docs/findings/legacy-tls-offered.md")),
    page("no-forward-secrecy", include_str!("../../docs/findings/no-forward-secrecy.md")),
    page("sni-not-strict", include_str!("../../docs/findings/sni-not-strict.md")),
    page("starttls-injection", include_str!("../../docs/findings/starttls-injection.md")),
    page("weak-cipher-offered", include_str!("../../docs/findings/weak-cipher-offered.md")),
];

const fn page(id: &'static str, page: &'static str) -> Page {
    Page { id, page }
}
