//! Hiding what must not be shown.

/// Query parameters that hold no secrets. All others may: those of some driver, or misspelt ones.
const HARMLESS: [&str; 28] = [
    "ack_early",
    "application",
    "application_name",
    "cacertfile",
    "cache",
    "charset",
    "collation",
    "connect_timeout",
    "endpoint",
    "heartbeat",
    "host",
    "interface",
    "mode",
    "options",
    "port",
    "prefix",
    "project",
    "project_domain",
    "project_id",
    "public",
    "region",
    "socket",
    "ssl-ca",
    "ssl-mode",
    "sslmode",
    "sslrootcert",
    "timeout",
    "user_domain",
];

/// A URL, or several HTTP URLs with commas in between, with the password in its user information, and whatever is not
/// known to be harmless among its query parameters, replaced by `***`. What stands alone before the `@` of an HTTP URL is a token, and hidden as well.
///
/// A password that should have been percent-encoded and was not is hidden too, at the price of hiding more than
/// needed where an `@` stands in a path.
pub fn redact(urls: &str) -> String {
    let mut shown = String::new();
    let mut rest = urls;
    loop {
        let begins_url = |text: &str| {
            let text = text.trim_start();
            text.starts_with("http://") || text.starts_with("https://")
        };
        let mut commas = rest.match_indices(',').map(|(comma, _)| comma);
        let Some(next) = commas.find(|comma| begins_url(&rest[comma + 1..])) else {
            return shown + &redact_one(rest);
        };
        shown += &redact_one(&rest[..next]);
        shown.push(',');
        rest = &rest[next + 1..];
    }
}

fn redact_one(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None if matches!(scheme.trim(), "http" | "https") => format!("***@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, query)) = rest.split_once('?') else {
        return format!("{scheme}://{rest}");
    };
    let parameters: Vec<String> = query.split('&').map(redact_parameter).collect();
    format!("{scheme}://{place}?{}", parameters.join("&"))
}

fn redact_parameter(parameter: &str) -> String {
    let Some((name, value)) = parameter.split_once('=') else {
        return match HARMLESS.contains(&parameter) {
            true => parameter.to_owned(),
            false => "***".to_owned(),
        };
    };
    // Another URL may have a password of its own, and what is behind a # is nothing that anybody reads.
    let is_plain = !["@", "%40", "#"].iter().any(|sign| value.contains(sign));
    match HARMLESS.contains(&name) && is_plain {
        true => parameter.to_owned(),
        false => format!("{name}=***"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_however_badly_it_is_encoded() {
        for (url, shown) in [
            (
                "amqp://faafo:s3cret@host:5672/x",
                "amqp://faafo:***@host:5672/x",
            ),
            ("mysql://u:p@ss/w:rd?@h/db", "mysql://u:***@h/db"),
            (
                "s3://h/bucket?region=x&secret_key=abc",
                "s3://h/bucket?region=x&secret_key=***",
            ),
            (
                "swift://h/v1?temp_url_key=abc&region=x&Api-Key=y&alone",
                "swift://h/v1?temp_url_key=***&region=x&Api-Key=***&***",
            ),
            (
                "s3://b?endpoint=http://u:p@h&public=http://h#k",
                "s3://b?endpoint=***&public=***",
            ),
            (
                "postgres://u@h/d?sslmode=verify-full&sslpassword=x",
                "postgres://u@h/d?sslmode=verify-full&sslpassword=***",
            ),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://faafo_abc@host/", "http://***@host/"),
            ("amqp://user@host/", "amqp://user@host/"),
            (
                "http://t1@a:1,https://t2@b, http://u:t3@c,http://d",
                "http://***@a:1,https://***@b, http://u:***@c,http://d",
            ),
            ("sqlite:faafo.db", "sqlite:faafo.db"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }
}
