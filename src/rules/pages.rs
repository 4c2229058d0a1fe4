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

/// In alphabetical order; none is left.
pub static TO_COME: &[Page] = &[];
