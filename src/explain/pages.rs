//! The pages of findings and causes: whole, and as one screen.

use super::layout::{COLUMNS, LINES, wrapped};
use crate::codes::{self, Directive};
use crate::rules::{self, causes, pages};

/// The page of a finding or a cause, without what only tests read.
pub fn page(id: &str) -> Option<String> {
    let page = all().find(|(known, _)| *known == id)?.1;
    let mut out = String::new();
    let mut hidden = false;
    for line in page.lines() {
        match line {
            "```expect" => hidden = true,
            "```" if hidden => hidden = false,
            _ if hidden => {}
            "```transcript" | "```" => {}
            _ if line.starts_with(NEEDS) => out.push_str(&directives(line.trim_start_matches(NEEDS))),
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    Some(out)
}

/// Every id that has a page.
pub fn ids() -> impl Iterator<Item = &'static str> {
    all().map(|(id, _)| id)
}

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rules = rules::ALL.iter().map(|r| (r.id, r.page));
    let causes = causes::ALL.iter().map(|c| (c.id, c.page));
    rules.chain(causes).chain(pages::TO_COME.iter().map(|p| (p.id, p.page)))
}

/// How a line of a page begins that names needs of the table of directives.
const NEEDS: &str = "Directives: ";

/// What to write where, for each product that the table knows.
fn directives(needs: &str) -> String {
    let mut out = String::from("## Directives\n");
    for need in needs.split(", ") {
        let meaning = codes::need(need).map_or_else(String::new, |m| format!(" ({m})"));
        out.push_str(&format!("\n{need}{meaning}:\n\n"));
        for d in codes::directives().filter(|d| d.need == need) {
            for line in wrapped(&format!("  {}", directive(&d))) {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
    out
}

/// `vsftpd, vsftpd.conf: ssl_enable=YES. Switch TLS on; ...`
fn directive(d: &Directive) -> String {
    let named = |s: &str| if s == "-" { String::new() } else { s.to_owned() };
    let place = match named(d.place) {
        place if place.is_empty() => place,
        place => format!(", {place}"),
    };
    let what = match named(d.directive) {
        what if what.is_empty() => what,
        what => format!("{what}  - "),
    };
    let releases = if d.releases == "-" { String::new() } else { format!(" [{}]", d.releases) };
    let risk = if d.risk == "-" { String::new() } else { format!(" Risk: {}.", d.risk) };
    format!("{}{place}: {what}{}{releases}{risk}", d.product, d.text)
}

/// What the table of directives knows of a statement, by its name: `SECUREIMPLICITZOS`, `require_ssl_reuse`.
pub(super) fn statement(word: &str) -> Option<String> {
    let name = |part: &str| part.trim_start().split([' ', '=', ':', '(', '"']).next().map(str::to_owned);
    let is_it = |d: &Directive| {
        let names = d.directive.split(" and ").filter_map(name);
        word.len() >= SHORTEST && names.into_iter().any(|n| n.eq_ignore_ascii_case(word))
    };
    let lines: Vec<String> = codes::directives().filter(is_it).map(|d| directive(&d)).collect();
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// No name of a statement that somebody would look up is shorter.
const SHORTEST: usize = 5;

/// A page as one screen: what it is and who acts; keys of the report and examples only in the whole page.
pub(super) fn summary(id: &str) -> Option<String> {
    let page = page(id)?;
    let what = if page.contains("## Directives\n") { "Directives" } else { "Whole page" };
    let page = page.split("## Directives\n").enumerate().map(|(n, part)| if n == 0 { part } else { behind(part) });
    let page: String = page.collect();
    let mut sections = page.split("\n## ");
    let intro = paragraphs(sections.next()?);
    let acts = sections.find_map(|s| s.strip_prefix("Who acts\n"));
    let acts = acts.map(|s| paragraphs(&format!("WHO ACTS\n\n{s}"))).unwrap_or_default();
    let last = format!("{what}: ftpsdiag explain -v {id}");
    // Who acts must not fall off the end.
    let height = |paragraphs: &[Vec<String>]| paragraphs.iter().map(|p| p.len() + 1).sum::<usize>();
    let mut room = LINES.saturating_sub(1 + height(&acts));
    let mut lines: Vec<String> = Vec::new();
    for paragraph in intro {
        // A paragraph that does not fit whole shows its beginning.
        let shown = if paragraph.len() + 1 > room { room.saturating_sub(1) } else { paragraph.len() };
        if shown == 0 {
            break;
        }
        room -= shown + 1;
        let cut = shown < paragraph.len();
        lines.extend(paragraph.into_iter().take(shown));
        // A sentence that goes on elsewhere says so.
        if let Some(last) = lines.last_mut().filter(|l| cut && !l.ends_with(['.', ':'])) {
            while last.len() + 4 > COLUMNS {
                let at = last.rfind(' ').unwrap_or_default();
                last.truncate(at);
            }
            last.push_str(" ...");
        }
        lines.push(String::new());
    }
    for paragraph in acts {
        lines.extend(paragraph);
        lines.push(String::new());
    }
    lines.push(last);
    Some(lines.join("\n") + "\n")
}

/// What stands behind the directives: the next section, or the line that says what settles a cause.
fn behind(part: &str) -> &str {
    let ends = ["\n## ", "\nWhat settles it:"];
    let at = ends.iter().filter_map(|end| part.find(end)).min();
    at.and_then(|at| part.get(at..)).unwrap_or_default()
}

/// The paragraphs of a text, each as lines of a screen; items of lists keep lines of their own.
fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    for block in text.split("\n\n") {
        let mut joined: Vec<String> = Vec::new();
        for line in block.lines().filter(|l| !l.trim().is_empty()) {
            match joined.last_mut() {
                Some(last) if !line.starts_with(['-', '|', ' ', '#']) || line.starts_with("  ") => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => joined.push(line.to_owned()),
            }
        }
        if !joined.is_empty() {
            out.push(joined.iter().flat_map(|l| hung(l)).collect());
        }
    }
    out
}

/// A paragraph without an indent, an item with its own.
fn hung(line: &str) -> Vec<String> {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let broken = wrapped(line).into_iter().enumerate();
    broken.map(|(n, l)| if n == 0 { l } else { format!("{indent}{}", l.trim_start()) }).collect()
}
