//! Who gets in, client by client: worst first, releases that fare alike in one row.

use std::fmt::Write as _;

use super::markdown::escaped;
use super::wrap;
use crate::report::{AdmissionOut, Admitted, FareOut};
use crate::wire::printable_str;

/// Columns of a line.
const COLUMNS: usize = 80;

/// Columns of a client's name and releases.
const CLIENT: usize = 28;

/// What marks a hello that nobody recorded.
const MARK: &str = "*";

/// What the mark means.
const NOTE: &str = "* its hello is put together from documentation, not recorded";

/// Clients of one product that fare alike.
struct Row<'a> {
    first: &'a AdmissionOut,
    releases: Vec<String>,
}

impl<'a> Row<'a> {
    /// Rows of clients that fare alike, worst first, else as they come.
    fn all(clients: &'a [AdmissionOut]) -> Vec<Self> {
        let mut rows: Vec<Self> = Vec::new();
        for client in clients {
            let mark = if client.confirmed == "yes" { "" } else { MARK };
            let release = format!("{}{mark}", printable_str(&client.releases));
            let alike = |r: &&mut Row<'_>| {
                (&r.first.product, &r.first.now, &r.first.after) == (&client.product, &client.now, &client.after)
            };
            match rows.iter_mut().find(alike) {
                Some(row) => row.releases.push(release),
                None => rows.push(Self { first: client, releases: vec![release] }),
            }
        }
        rows.sort_by_key(|r| (r.worst(), r.first.now.r#in));
        rows
    }

    fn worst(&self) -> Admitted {
        self.first.after.as_ref().map_or(self.first.now.r#in, |after| after.r#in.min(self.first.now.r#in))
    }

    fn client(&self) -> String {
        let between = if self.releases.iter().any(|r| r.contains(", ")) { "; " } else { ", " };
        format!("{} {}", printable_str(&self.first.name), self.releases.join(between))
    }

    /// `yes`, or `yes>no` where that would change.
    fn sign(&self) -> String {
        let now = self.first.now.r#in.sign();
        let after = self.first.after.as_ref().map(|after| after.r#in.sign()).filter(|after| *after != now);
        after.map_or_else(|| now.to_owned(), |after| format!("{now}>{after}"))
    }

    /// What it comes to, and what it would come to where that differs.
    fn words(&self) -> Vec<String> {
        let shown = |fare: &FareOut| printable_str(&fare.words());
        let after = self.first.after.as_ref().filter(|after| **after != self.first.now);
        [shown(&self.first.now)].into_iter().chain(after.map(|after| format!("then {}", shown(after)))).collect()
    }
}

/// Clients that get in, and would not any more.
fn stopped(clients: &[AdmissionOut]) -> Vec<AdmissionOut> {
    let stops = |c: &&AdmissionOut| {
        c.now.r#in == Admitted::Yes && c.after.as_ref().is_some_and(|after| after.r#in == Admitted::No)
    };
    let then =
        |c: &AdmissionOut| AdmissionOut { now: c.after.clone().unwrap_or(c.now.clone()), after: None, ..c.clone() };
    clients.iter().filter(stops).map(then).collect()
}

/// `52 clients: 23 let in, 20 not, 9 not known`.
fn counts(clients: &[AdmissionOut]) -> String {
    let counted = |fare: fn(&AdmissionOut) -> Option<&FareOut>| {
        let of = |admitted| clients.iter().filter_map(fare).filter(|f| f.r#in == admitted).count();
        let (no, unknown, yes) = (of(Admitted::No), of(Admitted::Unknown), of(Admitted::Yes));
        format!("{yes} let in, {no} not, {unknown} not known")
    };
    let mut out = format!("{} clients: {}", clients.len(), counted(|c| Some(&c.now)));
    if clients.iter().any(|c| c.after.is_some()) {
        let _ = write!(out, "; then {}", counted(|c| c.after.as_ref()));
    }
    out
}

fn is_marked(clients: &[AdmissionOut]) -> bool {
    clients.iter().any(|c| c.confirmed != "yes")
}

/// The matrix as text, at most 80 columns; with `after`, whom that would shut out stands first. Ends with a line break.
pub fn matrix(clients: &[AdmissionOut]) -> String {
    let mut out = String::new();
    let after = clients.iter().any(|c| c.after.is_some());
    if after {
        let stopped = stopped(clients);
        let none = if stopped.is_empty() { ": none of these" } else { "" };
        let _ = writeln!(out, "WOULD STOP WORKING{none}");
        Row::all(&stopped).iter().for_each(|row| line(&mut out, "", 2, row));
        out.push('\n');
    }
    wrap(&counts(clients), COLUMNS).iter().for_each(|l| out.extend([l, "\n"]));
    let lead = if after { 8 } else { 5 };
    let _ = writeln!(out, "{:<lead$}{:<CLIENT$}  WITH WHAT, OR WHY NOT", "IN", "CLIENT");
    Row::all(clients).iter().for_each(|row| line(&mut out, &row.sign(), lead, row));
    if is_marked(clients) {
        let _ = writeln!(out, "{NOTE}");
    }
    out
}

/// A row of text, in as many lines as it needs.
fn line(out: &mut String, sign: &str, lead: usize, row: &Row<'_>) {
    let client = wrap(&row.client(), CLIENT);
    let room = COLUMNS - lead - CLIENT - 2;
    let words: Vec<String> = row.words().iter().flat_map(|w| wrap(w, room)).collect();
    for n in 0..client.len().max(words.len()) {
        let cell = |cells: &[String]| cells.get(n).cloned().unwrap_or_default();
        let sign = if n == 0 { sign } else { "" };
        out.push_str(format!("{sign:<lead$}{:<CLIENT$}  {}", cell(&client), cell(&words)).trim_end());
        out.push('\n');
    }
}

/// The matrix as tables of Markdown. Ends with a line break.
pub fn markdown(clients: &[AdmissionOut]) -> String {
    let mut out = String::new();
    if clients.iter().any(|c| c.after.is_some()) {
        let stopped = stopped(clients);
        let none = if stopped.is_empty() { ": none of these" } else { "" };
        let _ = writeln!(out, "Would stop working{none}\n");
        for row in Row::all(&stopped) {
            let _ = writeln!(out, "- {}: {}", escaped(&row.client()), escaped(&row.words().join("; ")));
        }
        out.push_str(if stopped.is_empty() { "" } else { "\n" });
    }
    let _ = writeln!(out, "{}\n\n| in | client | with what, or why not |\n|---|---|---|", counts(clients));
    for row in Row::all(clients) {
        let cells = [row.sign(), row.client(), row.words().join("; ")].map(|cell| escaped(&cell));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if is_marked(clients) {
        let _ = writeln!(out, "\n{}", escaped(NOTE));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::admits::Assume;
    use crate::facts::admits::tests::{RSA, vsftpd};
    use crate::report::admissions;

    fn plain() -> Vec<AdmissionOut> {
        admissions(&vsftpd(), &RSA, None, &[])
    }

    fn assumed(words: &str) -> Vec<AdmissionOut> {
        admissions(&vsftpd(), &RSA, Some(&Assume::parse(words).unwrap()), &[])
    }

    #[test]
    fn lines_have_eighty_columns_at_most() {
        let mut long = plain();
        long[0].name = "name ".repeat(40);
        long[1].releases = "x".repeat(300);
        for clients in [plain(), assumed("no-rsa-kx,no-cbc"), assumed("tls13"), long, Vec::new()] {
            let text = matrix(&clients);
            assert!(text.lines().all(|l| l.len() <= COLUMNS && l.trim_end() == l) && text.is_ascii(), "{text}");
        }
    }

    #[test]
    fn worst_stands_first_and_releases_that_fare_alike_in_one_row() {
        let text = matrix(&plain());
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(at("\nno   z/OS") < at("\n?    z/OS AT-TLS") && at("\n?    z/OS AT-TLS") < at("\nyes  "), "{text}");
        assert!(text.contains("Java 8, 8u31, 8u111 "), "{text}");
        assert!(text.ends_with(&format!("{NOTE}\n")));
    }

    #[test]
    fn who_would_stop_working_stands_first() {
        let text = matrix(&assumed("no-rsa-kx"));
        assert!(text.starts_with("WOULD STOP WORKING\n  z/OS V2R2, TLS 1.2"), "{text}");
        assert!(text.contains("yes>no  z/OS V2R2, TLS 1.2"), "{text}");
        assert!(text.contains("then no common suite in TLS 1.2"), "{text}");
        let same = matrix(&assumed("no-tls10"));
        assert!(same.starts_with("WOULD STOP WORKING: none of these\n\n72 clients: "), "{same}");
    }

    #[test]
    fn tables_take_nothing_for_markup() {
        let mut clients = plain();
        clients[0].name = "<b>|x\u{1b}[1m".to_owned();
        let md = markdown(&clients);
        assert!(md.contains("&lt;b&gt;\\|x") && md.lines().filter(|l| l.starts_with("| ")).count() > 10, "{md}");
        for text in [md, matrix(&clients)] {
            assert!(!text.contains('\u{1b}'), "{text}");
        }
        assert!(markdown(&assumed("no-rsa-kx")).starts_with("Would stop working\n\n- z/OS "));
    }
}
