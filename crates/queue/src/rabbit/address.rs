//! What a `transport_url` says:
//! `amqp[s]://[user[:password]@]host[:port][,[user[:password]@]host[:port]…][/vhost][?key=value[&key=value…]]`.
//!
//! Everything may be percent-encoded, and `@ : / , ? &` inside a name or password must be. The hosts are nodes of one
//! cluster and are tried in turn; one without a user has the first one's. Port 5672, or 5671 for TLS; without a virtual
//! host it is `/`. Keys: `prefix` begins the names of all queues and exchanges, so that several installations can share
//! a virtual host; `heartbeat` in seconds, 8; `ack_early` in seconds, 900, must stay below the broker's
//! `consumer_timeout`; `cacertfile`, a PEM file with a certificate authority to trust beside the system's.

use crate::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the broker is and how to treat it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Address {
    pub(crate) hosts: Vec<Host>,
    pub(crate) tls: bool,
    pub(crate) vhost: String,
    pub(crate) prefix: String,
    /// Seconds between signs of life; after two to three times as long without one a connection is given up, which must
    /// be before the leases of a worker's tasks end.
    pub(crate) heartbeat: u16,
    /// After so long a task that is still being worked on is acknowledged.
    pub(crate) ack_early: Duration,
    pub(crate) ca_file: Option<PathBuf>,
}

/// One node of the cluster.
#[derive(Clone, PartialEq)]
pub(crate) struct Host {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Without user and password, for people and logs.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Address {
    /// # Errors
    /// When the URL is none of the above; the error tells which part, and never the password.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        parse(url).map_err(|what| Error::config(format!("transport_url: {what}")))
    }
}

fn parse(url: &str) -> Result<Address, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no ://")?;
    let tls = scheme == "amqps";
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, vhost) = rest.split_once('/').unwrap_or((rest, ""));
    let mut hosts: Vec<Host> = Vec::new();
    for text in authority.split(',') {
        hosts.push(host(text, tls, hosts.first())?);
    }
    let mut address = Address {
        hosts,
        tls,
        vhost: match decode(vhost)? {
            none if none.is_empty() => "/".into(),
            vhost => vhost,
        },
        prefix: String::new(),
        heartbeat: 8,
        ack_early: Duration::from_mins(15),
        ca_file: None,
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value)?;
        let number = || match value.parse::<u16>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{key} must be a number of seconds from 1 to 65535")),
        };
        match key {
            // AMQP names end at 255 bytes.
            "prefix" if value.len() > 200 => return Err("prefix is too long".into()),
            "prefix" => address.prefix = value,
            "heartbeat" => address.heartbeat = number()?,
            "ack_early" => address.ack_early = Duration::from_secs(number()?.into()),
            "cacertfile" => address.ca_file = Some(value.into()),
            _ => {
                return Err(format!(
                    "no key {key:?}; there are prefix, heartbeat, ack_early and cacertfile"
                ));
            }
        }
    }
    Ok(address)
}

fn host(text: &str, tls: bool, first: Option<&Host>) -> Result<Host, String> {
    let (user, text) = match text.rsplit_once('@') {
        Some((user, text)) => (Some(user), text),
        None => (None, text),
    };
    let (user, password) = match (user, first) {
        (Some(user), _) => user.split_once(':').unwrap_or((user, "")),
        (None, Some(first)) => return with_user_of(first, text, tls),
        (None, None) => ("guest", "guest"),
    };
    let (name, port) = name_and_port(text, tls)?;
    Ok(Host {
        user: decode(user)?,
        password: decode(password)?,
        name,
        port,
    })
}

fn with_user_of(first: &Host, text: &str, tls: bool) -> Result<Host, String> {
    let (name, port) = name_and_port(text, tls)?;
    Ok(Host {
        name,
        port,
        ..first.clone()
    })
}

fn name_and_port(text: &str, tls: bool) -> Result<(String, u16), String> {
    let (name, port) = match text.strip_prefix('[') {
        Some(text) => {
            let (name, port) = text
                .split_once(']')
                .ok_or("an IPv6 address needs its closing ]")?;
            (name, port.strip_prefix(':'))
        }
        None => match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port
            .parse()
            .map_err(|_| "a port is no number up to 65535")?,
        None if tls => 5671,
        None => 5672,
    };
    match decode(name)? {
        none if none.is_empty() => Err("a host has no name".into()),
        name => Ok((name, port)),
    }
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| (digit as char).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high << 4 | low) as u8),
            _ => return Err("% is not followed by two hexadecimal digits".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "what is percent-encoded is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_is_guest_at_the_root_of_port_5672() {
        let address = Address::parse("amqp://broker").unwrap();
        let [host] = &address.hosts[..] else { panic!() };
        assert_eq!((&*host.user, &*host.password), ("guest", "guest"));
        assert_eq!((&*host.name, host.port), ("broker", 5672));
        assert_eq!(address.vhost, "/");
        for same in ["amqp://broker/", "amqp://broker/%2f", "amqp://broker//"] {
            assert_eq!(Address::parse(same).unwrap(), address, "{same}");
        }
        assert_eq!(
            Address::parse("amqps://broker").unwrap().hosts[0].port,
            5671
        );
    }

    #[test]
    fn every_part_may_be_given() {
        let url = "amqps://me:p%40%3a%2c@a:1,[::1]:2,you:x@c/my%20host?prefix=t.&heartbeat=5&ack_early=60&cacertfile=%2fca.pem";
        let address = Address::parse(url).unwrap();
        let shown = |host: &Host| format!("{} {} {host}", host.user, host.password);
        let hosts: Vec<_> = address.hosts.iter().map(shown).collect();
        assert_eq!(
            hosts,
            ["me p@:, a:1", "me p@:, ::1:2", "you x c:5671"],
            "the second has the first one's user"
        );
        assert_eq!(
            (&*address.vhost, &*address.prefix, address.heartbeat),
            ("my host", "t.", 5)
        );
        assert_eq!(address.ack_early, Duration::from_secs(60));
        assert_eq!(address.ca_file, Some("/ca.pem".into()));
    }

    #[test]
    fn nothing_shows_the_password() {
        let address = Address::parse("amqp://me:secret@host").unwrap();
        assert!(!format!("{address:?}").contains("secret"));
        for bad in [
            "amqp:me:secret@host",
            "amqp://me:secret@host:x",
            "amqp://me:secret@",
            "amqp://me:secret@[::1",
            "amqp://me:secret@host?color=red",
            "amqp://me:secret@host?heartbeat=0",
            "amqp://me:secret%zz@host",
        ] {
            let error = Address::parse(bad).unwrap_err();
            assert!(error.is_config);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }
}
