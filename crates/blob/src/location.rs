//! A storage URL taken apart: credentials, place and options, with the environment behind them.

use crate::{Error, ErrorKind};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a store may keep us waiting without any progress, unless the URL has `timeout=<seconds>`.
const PATIENCE: Duration = Duration::from_secs(30);

/// A storage URL. It holds secrets, so it has no `Debug`.
pub(crate) struct Location<'a> {
    /// The URL without user, password and options.
    pub(crate) url: Url,
    user: Option<String>,
    password: Option<String>,
    options: BTreeMap<String, String>,
    environment: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

impl<'a> Location<'a> {
    pub(crate) fn parse(
        url: &str,
        environment: &'a (dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, Error> {
        // The text itself stays out of all messages: it may hold a secret.
        let mut url =
            Url::parse(url.trim()).map_err(|error| config(format!("is no URL: {error}")))?;
        if url.host_str().unwrap_or_default().is_empty() {
            return Err(config("lacks a name after the //"));
        }
        let user = decoded(url.username())?;
        let password = decoded(url.password().unwrap_or_default())?;
        let options = url.query_pairs().into_owned().collect();
        // A URL with a host takes these.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self {
            url,
            user,
            password,
            options,
            environment,
        })
    }

    /// The host part: a bucket's or container's name.
    pub(crate) fn name(&self) -> Result<String, Error> {
        match decoded(self.url.host_str().unwrap_or_default())? {
            Some(name) if self.url.port().is_none() && !name.contains('/') => Ok(name),
            _ => Err(config("needs a name, without a port, after the //")),
        }
    }

    /// The path as a prefix for objects' names: empty, or ending in a slash.
    pub(crate) fn prefix(&self) -> Result<String, Error> {
        let path = decoded(self.url.path().trim_matches('/'))?.unwrap_or_default();
        if path.is_empty() {
            return Ok(String::new());
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(config("has an empty or dotted part in its path"));
        }
        Ok(path + "/")
    }

    /// The user in the URL, else in the environment.
    pub(crate) fn user(&mut self, variables: &[&str]) -> Option<String> {
        self.user.take().or_else(|| self.variable(variables))
    }

    /// The password in the URL, else in the environment.
    pub(crate) fn password(&mut self, variables: &[&str]) -> Option<String> {
        self.password.take().or_else(|| self.variable(variables))
    }

    /// An option in the URL, else in the environment.
    pub(crate) fn option(&mut self, name: &str, variables: &[&str]) -> Option<String> {
        let option = self.options.remove(name).filter(|value| !value.is_empty());
        option.or_else(|| self.variable(variables))
    }

    /// An option that is the URL of an HTTP server, without a slash at its end.
    pub(crate) fn server(&mut self, name: &str, variables: &[&str]) -> Result<Option<Url>, Error> {
        let Some(text) = self.option(name, variables) else {
            return Ok(None);
        };
        let url = Url::parse(text.trim_end_matches('/'))
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none());
        url.map(Some).ok_or_else(|| {
            config(format!(
                "needs {name}=http://host:port (in the environment: {})",
                variables.join(", ")
            ))
        })
    }

    /// How long to wait without progress: `timeout=<seconds>`.
    pub(crate) fn patience(&mut self) -> Result<Duration, Error> {
        match self.options.remove("timeout") {
            None => Ok(PATIENCE),
            Some(text) => match text.parse() {
                Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
                _ => Err(config("needs timeout= in seconds, 1 to 3600")),
            },
        }
    }

    /// Refuses options that nobody has asked for: they are misspelt.
    pub(crate) fn end(self) -> Result<(), Error> {
        match self.options.keys().next() {
            None => Ok(()),
            Some(name) => Err(config(format!("has an unknown option {name:?}"))),
        }
    }

    fn variable(&self, names: &[&str]) -> Option<String> {
        let mut values = names.iter().filter_map(|name| (self.environment)(name));
        values.find(|value| !value.is_empty())
    }
}

/// Says what is wrong with the storage URL.
pub(crate) fn config(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("storage_url {what}"))
}

fn decoded(text: &str) -> Result<Option<String>, Error> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| config("is not UTF-8"))?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Location<'static> {
        Location::parse(url, &|name| {
            (name == "A_KEY").then(|| "from outside".to_owned())
        })
        .unwrap()
    }

    #[test]
    fn a_url_comes_apart_and_the_environment_fills_the_gaps() {
        let mut location =
            parse("s3://us%3Aer:p%2Fw@bucket/a/b%20c/?endpoint=http://h:1/&timeout=7");
        assert_eq!(location.name().unwrap(), "bucket");
        assert_eq!(location.prefix().unwrap(), "a/b c/");
        assert_eq!(location.user(&[]).unwrap(), "us:er");
        assert_eq!(location.password(&["A_KEY"]).unwrap(), "p/w");
        assert_eq!(
            location.server("endpoint", &[]).unwrap().unwrap().as_str(),
            "http://h:1/"
        );
        assert_eq!(location.patience().unwrap(), Duration::from_secs(7));
        assert_eq!(
            location.option("other", &["NO_KEY", "A_KEY"]).unwrap(),
            "from outside"
        );
        location.end().unwrap();
    }

    #[test]
    fn a_misspelt_option_and_a_wrong_value_are_named_without_the_secret() {
        for (url, named) in [
            ("s3://u:hidden@b?endpiont=x", "endpiont"),
            ("s3://u:hidden@b?endpoint=ftp://x", "endpoint="),
            ("s3://u:hidden@b?timeout=soon", "timeout="),
            ("s3://u:hidden@b/a//b", "path"),
            ("s3://u:hidden@b:12", "port"),
        ] {
            let mut location = parse(url);
            let checks = [
                location.name().map(drop),
                location.prefix().map(drop),
                location.server("endpoint", &[]).map(drop),
                location.patience().map(drop),
                location.end(),
            ];
            let errors: Vec<String> = checks
                .into_iter()
                .filter_map(|check| Some(check.err()?.to_string()))
                .collect();
            assert!(errors.len() == 1, "{url}: {errors:?}");
            assert!(errors[0].contains(named), "{errors:?}");
            assert!(!errors[0].contains("hidden"), "{errors:?}");
        }
        let error = Location::parse("s3://u:hid den@b:port", &|_| None).err();
        assert!(!error.unwrap().to_string().contains("hid"));
    }
}
