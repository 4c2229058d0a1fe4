//! What a server has: two directories, a file with content, one without, and what was uploaded.

use std::collections::BTreeMap;

/// Files by their path.
#[derive(Debug)]
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

/// Directories.
const DIRECTORIES: [&str; 2] = ["/", "/in"];

impl Files {
    pub(super) fn new() -> Self {
        let report: Vec<u8> = (0..64).flat_map(|n| format!("record {n:04} of a report\r\n").into_bytes()).collect();
        Self(BTreeMap::from([("/report.txt".to_owned(), report), ("/empty.txt".to_owned(), Vec::new())]))
    }

    pub(super) fn is_directory(path: &str) -> bool {
        DIRECTORIES.contains(&path)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Vec<u8>> {
        self.0.get(path)
    }

    pub(super) fn put(&mut self, path: String, content: Vec<u8>) {
        self.0.insert(path, content);
    }

    pub(super) fn remove(&mut self, path: &str) -> bool {
        self.0.remove(path).is_some()
    }

    /// What a listing command says of a path; of one that is not there nothing.
    pub(super) fn listing(&self, verb: &str, path: &str) -> Vec<u8> {
        let all = self.0.iter().filter(|(p, _)| p.as_str() == path || Self::is_directory(path) && parent(p) == path);
        let files = all.map(|(p, content)| line(verb, name(p), Some(content.len())));
        let below = DIRECTORIES.iter().filter(|d| Self::is_directory(path) && **d != path && parent(d) == path);
        files.chain(below.map(|d| line(verb, name(d), None))).collect::<String>().into_bytes()
    }
}

/// One line of a listing; a directory has no size.
fn line(verb: &str, name: &str, size: Option<usize>) -> String {
    match (verb, size) {
        ("NLST", _) => format!("{name}\r\n"),
        ("MLSD", Some(size)) => format!("type=file;size={size};modify=20261121010000; {name}\r\n"),
        ("MLSD", None) => format!("type=dir;modify=20261121010000; {name}\r\n"),
        (_, Some(size)) => format!("-rw-r--r--    1 ftp      ftp      {size:>12} Nov 21 01:00 {name}\r\n"),
        (_, None) => format!("drwxr-xr-x    2 ftp      ftp              4096 Nov 21 01:00 {name}\r\n"),
    }
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((parent, _)) => parent,
    }
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path that a client means.
pub(super) fn resolve(cwd: &str, argument: &str) -> String {
    let whole = if argument.starts_with('/') { argument.to_owned() } else { format!("{cwd}/{argument}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved() {
        for (cwd, argument, path) in
            [("/", "", "/"), ("/in", "a", "/in/a"), ("/in", "../b/", "/b"), ("/in", "/c//d", "/c/d"), ("/", "..", "/")]
        {
            assert_eq!(resolve(cwd, argument), path, "{cwd} {argument}");
        }
    }

    #[test]
    fn listings_show_what_is_there() {
        let files = Files::new();
        assert_eq!(files.listing("NLST", "/"), b"empty.txt\r\nreport.txt\r\nin\r\n");
        assert_eq!(files.listing("NLST", "/report.txt"), b"report.txt\r\n");
        assert!(files.listing("NLST", "/in").is_empty() && files.listing("LIST", "/nothing").is_empty());
        assert!(files.listing("MLSD", "/").starts_with(b"type=file;size=0;"));
    }
}
