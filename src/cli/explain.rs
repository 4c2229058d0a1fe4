//! `explain`: ids and codes to pages.

use std::io::{self, Write};

use super::{Status, complain, term};
use crate::explain::{explain, ids, page};

/// One screen for what was asked; with `whole` the pages with their data and examples.
pub(super) fn run(what: &[String], whole: bool) -> io::Result<Status> {
    let words: Vec<&str> = what.iter().map(String::as_str).collect();
    let one = |w: &&str| page(&w.to_ascii_lowercase()).filter(|_| whole).or_else(|| explain(&[w]));
    let texts: Option<Vec<String>> = match explain(&words).filter(|_| words.len() > 1) {
        Some(text) => Some(vec![text]),
        None => words.iter().map(one).collect(),
    };
    let Some(texts) = texts else {
        complain(&format!("`{}` is not known", term::safe(&words.join(" "))));
        complain(
            "  try: `gsk 410`, `alert 40`, `ftp 534`, `cipher 0035`, `setcec 17`, EZA2897I, a line of an error, or an id",
        );
        near(&words).iter().for_each(|id| complain(&format!("    {id}")));
        return Ok(Status::Unreadable);
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(texts.join("\n").as_bytes())?;
    stdout.flush()?;
    Ok(Status::Works)
}

/// Ids that share a word with what was asked.
fn near(words: &[&str]) -> Vec<&'static str> {
    const FEW: usize = 12;
    let asked: Vec<String> = words.iter().map(|w| w.to_ascii_lowercase()).collect();
    let parts: Vec<&str> = asked.iter().flat_map(|w| w.split(['-', ' ', '_'])).filter(|p| p.len() > 3).collect();
    let shares =
        |id: &str| id.split('-').any(|p| parts.iter().any(|a| p.starts_with(a) || a.starts_with(p) && p.len() > 3));
    ids().filter(|id| shares(id)).take(FEW).collect()
}
