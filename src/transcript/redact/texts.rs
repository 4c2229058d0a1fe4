//! Names in what is said of many sessions at once.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use super::bytes::host_of;
use super::{Level, Redactor};

/// Takes names out of texts that stand in no transcript, alike in all of them.
#[derive(Debug)]
pub struct Texts(Redactor);

impl Texts {
    /// At this level.
    pub fn new(level: Level) -> Self {
        Self(Redactor { level, users: BTreeMap::new(), hosts: BTreeMap::new(), addresses: BTreeMap::new() })
    }

    /// A name of an endpoint, with its port or without.
    pub fn endpoint(&mut self, name: &str) -> String {
        if self.0.level < Level::Names {
            return name.to_owned();
        }
        match name.parse::<SocketAddr>() {
            Ok(address) => SocketAddr::new(self.0.address(address.ip()), address.port()).to_string(),
            Err(_) => {
                self.0.host(host_of(name));
                self.0.word(name)
            }
        }
    }

    /// A sentence.
    pub fn text(&mut self, text: &str) -> String {
        if self.0.level == Level::None { text.to_owned() } else { self.0.text(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gets_the_same_placeholder() {
        let mut texts = Texts::new(Level::Names);
        assert_eq!(texts.endpoint("10.0.0.2:21"), "192.0.2.1:21");
        assert_eq!(texts.endpoint("[2001:db8:7::9]:990"), "[2001:db8::2]:990");
        assert_eq!(texts.endpoint("gateway42:21"), "host-1.example:21");
        assert_eq!(texts.endpoint("ftp.partner.example"), "host-2.example");
        let said = "3 TLS connections to 10.0.0.2:8443 are not known to be FTP: --port 8443 takes them";
        assert_eq!(texts.text(said), said.replace("10.0.0.2", "192.0.2.1"));
        let said = "3 TLS connections to [2001:db8:7::9]:8443 are not known";
        assert!(!texts.text(said).contains("2001:db8:7"), "{}", texts.text(said));
        assert_eq!(Texts::new(Level::Users).endpoint("10.0.0.2:21"), "10.0.0.2:21");
    }
}
