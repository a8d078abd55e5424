//! Settings as text, with their origins and without secrets.

use super::keys::Kind;
use super::{Settings, redact};
use toml::Value;

impl Settings {
    /// The effective settings as TOML. Reading it back gives the same settings, but for hidden passwords.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.iter() {
            let line = match value {
                Some((value, origin)) => {
                    let value = match value {
                        Value::String(_) if key.kind == Kind::Secret => {
                            Value::String("***".to_owned())
                        }
                        Value::String(text) => Value::String(redact(text)),
                        other => other.clone(),
                    };
                    format!("{} = {value}  # {origin}\n", key.name)
                }
                None => format!("# {} is not set: {}\n", key.name, key.meaning),
            };
            text.push_str(&line);
        }
        text
    }
}
