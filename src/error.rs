//! What is wrong with the *input*: where, what was expected, what to try.
//!
//! A finding about an endpoint is data and never an error. An [`InputError`] says that a
//! person gave us something that we could not read, or not read to its end.

use std::fmt;

/// How much of the input the problem took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Something is missing (a dump that ends early). What is there was read in full, so a
    /// verdict that could be reached from it stands.
    Torn,
    /// Something that is there could not be read. The exit status says so whatever the verdict.
    Unreadable,
}

/// One problem with one input, in words for the person who supplied it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Name of the input as the user gave it; `-` is standard input.
    pub input: String,
    /// Line in that input, counted from 1.
    pub line: Option<u64>,
    /// What is wrong and what was expected; one sentence without a full stop.
    pub problem: String,
    /// What to try next, imperative; empty when there is nothing to try.
    pub advice: String,
    /// How much was lost.
    pub damage: Damage,
}

impl InputError {
    /// An input, or a part of one, that could not be read.
    pub fn unreadable(input: &str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            input: input.to_owned(),
            line: None,
            problem: problem.into(),
            advice: advice.into(),
            damage: Damage::Unreadable,
        }
    }

    /// An input that ends, or has a hole, where more was announced.
    pub fn torn(input: &str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { damage: Damage::Torn, ..Self::unreadable(input, problem, advice) }
    }

    /// The same problem, tied to a line (counted from 1).
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.input)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.problem)?;
        if !self.advice.is_empty() {
            write!(f, "\n  try: {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for InputError {}
