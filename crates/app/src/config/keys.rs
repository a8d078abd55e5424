//! The settings there are: the one table of their names, types and defaults.

use super::Levels;
use std::borrow::Cow;
use toml::Value;

/// A setting.
#[derive(Debug, PartialEq)]
pub struct Key {
    /// Its name in the file; the environment has it in capitals after `FAAFO_`.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Its value where nothing sets it, written as in the file; without one the setting stays unset.
    pub default: Option<&'static str>,
    /// What it is, or what holds while it is unset.
    pub meaning: &'static str,
}

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Text that is not empty.
    Text,
    /// An IP address.
    Address,
    /// 0 to 65535.
    Port,
    /// A whole number from 0.
    Number,
    /// A whole number from 1.
    Count,
    /// true or false.
    Switch,
    /// An IP address and a port.
    Socket,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A level of log lines, or several by part.
    Levels,
    /// Text that is never shown.
    Secret,
    /// Addresses and networks, with commas in between.
    Networks,
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        meaning,
    }
}

/// Every setting, in the order in which they are shown.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("endpoint_url", Kind::Text, Some("\"http://localhost:8080\""), "the service that client commands talk to"),
    key("token", Kind::Secret, None, "no token is shown to that service"),
    key("token_file", Kind::Text, None, "a file that holds the token, where token is not set"),
    key("listen_address", Kind::Address, Some("\"127.0.0.1\""), "where the service listens"),
    key("bind_port", Kind::Port, Some("8080"), "the port it listens on; 0 lets the system choose"),
    key("data", Kind::Text, Some("\"./faafo-data\""), "the folder for everything it keeps"),
    key("database_url", Kind::Text, None, "SQLite, a file in the data folder"),
    key("transport_url", Kind::Text, None, "a queue inside the process"),
    key("storage_url", Kind::Text, None, "files in the data folder"),
    key("access", Kind::Word(&["auto", "open", "writes", "all"]), Some("\"auto\""), "what needs a token: open (nothing), writes, all; auto: open on this machine, where no proxy is trusted, else writes"),
    key("allowed_hosts", Kind::Text, None, "an open service on this machine is reached as localhost or by an address"),
    key("trusted_proxies", Kind::Networks, None, "nobody's X-Forwarded headers are believed"),
    key("rate_limit", Kind::Number, None, "200 writes a second for each client, or no limit (0) where access is open"),
    key("max_connections", Kind::Count, Some("8192"), "the most connections at a time"),
    key("max_requests", Kind::Count, Some("1024"), "the most requests worked on at a time"),
    key("max_upload", Kind::Count, Some("4294967296"), "the largest stored picture taken from a worker, in bytes"),
    key("body_timeout", Kind::Count, Some("30"), "how long a request's body may take for each 16 KiB, in seconds"),
    key("max_area", Kind::Count, Some("400000000"), "the largest width × height accepted, in pixels"),
    key("band_area", Kind::Count, Some("128000000"), "the largest width × height rendered as one task, in pixels; larger ones are rendered in bands"),
    key("slots", Kind::Number, None, "one picture more than threads, of each lane, at a time"),
    key("threads", Kind::Count, None, "one for each core"),
    key("worker_name", Kind::Text, None, "the machine's name, with the process id behind it where a worker is a process of its own"),
    key("tidy_after", Kind::Count, Some("3600"), "seconds after which a stored picture goes that no fractal refers to"),
    key("welcome", Kind::Switch, Some("true"), "whether an empty data folder gets a first picture"),
    key("metrics_listen", Kind::Socket, None, "metrics and health have no port of their own"),
    key("log_format", Kind::Word(&["plain", "json"]), Some("\"plain\""), "how log lines look: plain or json"),
    key("log_level", Kind::Levels, None, "info for services, warn for clients"),
    key("otlp_endpoint", Kind::Text, None, "no traces, unless OTEL_EXPORTER_OTLP_ENDPOINT is set"),
];

impl Key {
    /// The setting's environment variable.
    pub fn variable(&self) -> String {
        format!("FAAFO_{}", self.name.to_uppercase())
    }

    /// Reads a value as the environment carries it.
    ///
    /// # Errors
    /// What the setting may hold.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            Kind::Text
            | Kind::Address
            | Kind::Socket
            | Kind::Word(_)
            | Kind::Levels
            | Kind::Secret
            | Kind::Networks => Some(Value::String(text.to_owned())),
            Kind::Port | Kind::Number | Kind::Count => text.trim().parse().ok().map(Value::Integer),
            Kind::Switch => match text.trim() {
                "true" | "1" => Some(Value::Boolean(true)),
                "false" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
        };
        value
            .ok_or_else(|| self.kind.demand().into_owned())
            .and_then(|value| self.check(value))
    }

    /// Hands the value back if the setting may hold it.
    ///
    /// # Errors
    /// What the setting may hold. Never the value: it may contain a password.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let fits = match (self.kind, &value) {
            (Kind::Text | Kind::Secret, Value::String(text)) => !text.is_empty(),
            (Kind::Networks, Value::String(text)) => faafo_server::networks(text).is_some(),
            (Kind::Address, Value::String(text)) => text.parse::<std::net::IpAddr>().is_ok(),
            (Kind::Port, Value::Integer(number)) => u16::try_from(*number).is_ok(),
            (Kind::Number, Value::Integer(number)) => *number >= 0,
            (Kind::Count, Value::Integer(number)) => *number >= 1,
            (Kind::Switch, Value::Boolean(_)) => true,
            (Kind::Socket, Value::String(text)) => text.parse::<std::net::SocketAddr>().is_ok(),
            (Kind::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Kind::Levels, Value::String(text)) => Levels::parse(text).is_some(),
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        Err(self.kind.demand().into_owned())
    }
}

impl Kind {
    fn demand(self) -> Cow<'static, str> {
        let demand = match self {
            Self::Text | Self::Secret => "must be text that is not empty",
            Self::Networks => "must be IP addresses and networks such as \"127.0.0.1,10.0.0.0/8\"",
            Self::Address => "must be an IP address as text, such as \"127.0.0.1\" or \"::\"",
            Self::Port => "must be a whole number from 0 to 65535",
            Self::Number => "must be a whole number from 0",
            Self::Count => "must be a whole number from 1",
            Self::Switch => "must be true or false",
            Self::Socket => "must be an address and a port as text, such as \"127.0.0.1:9090\"",
            Self::Word(words) => {
                return format!("must be one of {}", words.join(", ")).into();
            }
            Self::Levels => {
                "must be error, warn, info, debug, trace or off, or several by part, such as \
                 \"info,faafo_worker=debug\""
            }
        };
        demand.into()
    }
}

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The setting whose name is most like this one: one that contains it, else the one that takes the fewest changes.
pub fn nearest(name: &str) -> &'static str {
    let unlike = |key: &&Key| {
        let distance = distance(name.as_bytes(), key.name.as_bytes());
        (!key.name.contains(name), distance)
    };
    KEYS.iter().min_by_key(unlike).map_or("", |key| key.name)
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_may_be_held_by_its_setting() {
        for key in KEYS {
            if let Some(default) = key.default {
                let table: toml::Table = format!("value = {default}").parse().unwrap();
                key.check(table["value"].clone()).unwrap();
            }
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_key() {
        assert_eq!(nearest("listen_adress"), "listen_address");
        assert_eq!(nearest("port"), "bind_port");
        assert_eq!(nearest("database"), "database_url");
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
