//! JSON as tshark writes it: keys come several times in one object, and their order is that of the packet.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value. All of tshark's numbers are strings.
#[derive(Debug)]
pub enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What stands under a key, and in lists there.
    pub fn each<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Node> {
        self.entries().filter(move |(k, _)| k == key).flat_map(|(_, node)| match node {
            Node::List(list) => list.iter().collect(),
            one => vec![one],
        })
    }

    /// The first of them.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    /// Keys and what stands there.
    pub fn entries(&self) -> impl Iterator<Item = &(String, Node)> {
        let Node::Map(entries) = self else { return [].iter() };
        entries.iter()
    }

    /// All texts under a key, however deep, in order.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        let mut out = Vec::new();
        self.collect(key, &mut out);
        out
    }

    fn collect<'a>(&'a self, key: &str, out: &mut Vec<&'a str>) {
        match self {
            Node::Map(entries) => {
                for (k, node) in entries {
                    match node {
                        Node::Text(text) if k == key => out.push(text),
                        Node::List(list) if k == key => {
                            out.extend(
                                list.iter().filter_map(|n| if let Node::Text(t) = n { Some(t.as_str()) } else { None }),
                            );
                        }
                        _ => node.collect(key, out),
                    }
                }
            }
            Node::List(list) => list.iter().for_each(|n| n.collect(key, out)),
            Node::Text(_) => {}
        }
    }

    /// The numbers under a key, written in decimal or with 0x.
    pub fn numbers(&self, key: &str) -> Vec<u64> {
        let read = |s: &str| match s.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => s.parse().ok(),
        };
        self.texts(key).into_iter().filter_map(read).collect()
    }

    /// The first number under a key; 0 where there is none.
    pub fn number(&self, key: &str) -> u64 {
        self.numbers(key).first().copied().unwrap_or_default()
    }

    /// The first bytes under a key, as hex without colons.
    pub fn hex(&self, key: &str) -> String {
        self.texts(key).first().map(|t| t.replace(':', "")).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what tshark writes")
    }

    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Text(v.to_owned()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Text(v.to_string()))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Text(v.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::List(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
