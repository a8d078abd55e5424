//! The settings there are: the one table of their names, types and defaults.

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
pub const KEYS: [Key; 11] = [
    key("endpoint_url", Kind::Text, Some("\"http://localhost:8080\""), "the service that client commands talk to"),
    key("listen_address", Kind::Address, Some("\"127.0.0.1\""), "where the service listens"),
    key("bind_port", Kind::Port, Some("8080"), "the port it listens on; 0 lets the system choose"),
    key("data", Kind::Text, Some("\"./faafo-data\""), "the folder for everything it keeps"),
    key("database_url", Kind::Text, None, "SQLite, a file in the data folder"),
    key("transport_url", Kind::Text, None, "a queue inside the process"),
    key("storage_url", Kind::Text, None, "files in the data folder"),
    key("max_area", Kind::Count, Some("400000000"), "the largest width × height accepted, in pixels"),
    key("slots", Kind::Number, None, "one picture more than threads, of each urgency, at a time"),
    key("threads", Kind::Count, None, "one for each core"),
    key("welcome", Kind::Switch, Some("true"), "whether an empty data folder gets a first picture"),
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
            Kind::Text | Kind::Address => Some(Value::String(text.to_owned())),
            Kind::Port | Kind::Number | Kind::Count => text.trim().parse().ok().map(Value::Integer),
            Kind::Switch => match text.trim() {
                "true" | "1" => Some(Value::Boolean(true)),
                "false" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
        };
        value
            .ok_or_else(|| self.kind.demand().to_owned())
            .and_then(|value| self.check(value))
    }

    /// Hands the value back if the setting may hold it.
    ///
    /// # Errors
    /// What the setting may hold. Never the value: it may contain a password.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let fits = match (self.kind, &value) {
            (Kind::Text, Value::String(text)) => !text.is_empty(),
            (Kind::Address, Value::String(text)) => text.parse::<std::net::IpAddr>().is_ok(),
            (Kind::Port, Value::Integer(number)) => u16::try_from(*number).is_ok(),
            (Kind::Number, Value::Integer(number)) => *number >= 0,
            (Kind::Count, Value::Integer(number)) => *number >= 1,
            (Kind::Switch, Value::Boolean(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        Err(self.kind.demand().to_owned())
    }
}

impl Kind {
    fn demand(self) -> &'static str {
        match self {
            Self::Text => "must be text that is not empty",
            Self::Address => "must be an IP address as text, such as \"127.0.0.1\" or \"::\"",
            Self::Port => "must be a whole number from 0 to 65535",
            Self::Number => "must be a whole number from 0",
            Self::Count => "must be a whole number from 1",
            Self::Switch => "must be true or false",
        }
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
        for key in &KEYS {
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
