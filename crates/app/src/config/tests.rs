use super::*;
use std::io::Write;

fn variables(pairs: &[(&str, &str)]) -> Environment {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The error of loading this file and environment.
fn error(text: &str, pairs: &[(&str, &str)]) -> String {
    let file = file(text);
    let error = load(Some(file.path()), &variables(pairs), Vec::new())
        .err()
        .unwrap();
    format!("{error:#}").replace(&file.path().display().to_string(), "FILE")
}

#[test]
fn each_layer_overrides_the_one_below() {
    let file = file("bind_port = 1\nmax_area = 1\nslots = 1\ndata = '/srv'\n");
    let environment = variables(&[("FAAFO_MAX_AREA", "2"), ("FAAFO_SLOTS", "2"), ("X", "y")]);
    let flags = vec![Override::new("slots", "--slots", 3)];
    let settings = load(Some(file.path()), &environment, flags).unwrap();
    let config = settings.config().unwrap();
    assert_eq!(config.listen_address.to_string(), "127.0.0.1");
    assert_eq!((config.bind_port, config.max_area), (1, 2));
    assert_eq!(config.slots, Some(3));
    assert_eq!(config.data, Path::new("/srv"));
    assert_eq!((config.threads, config.database_url), (None, None));
    assert!(config.welcome);
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let environment = variables(&[("FAAFO_BIND_PORT", ""), ("FAAFO_WELCOME", "0")]);
    let empty = file("");
    let settings = load(Some(empty.path()), &environment, Vec::new()).unwrap();
    let config = settings.config().unwrap();
    assert_eq!((config.bind_port, config.welcome), (8080, false));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
    let message = error("listen_adress = '::'", &[]);
    assert_eq!(
        message,
        "FILE: there is no setting \"listen_adress\"; did you mean \"listen_address\"?"
    );
    let message = error("", &[("FAAFO_LISTEN_ADRESS", "::")]);
    assert!(message.contains("FAAFO_LISTEN_ADRESS;"), "{message}");
    assert!(message.contains("FAAFO_LISTEN_ADDRESS?"), "{message}");
    assert!(error("[client]\nendpoint_url = 'x'", &[]).contains("\"client\""));
}

#[test]
fn a_wrong_value_names_its_key_and_place_and_never_itself() {
    for (text, demand) in [
        (
            "bind_port = '8080'",
            "FILE: bind_port must be a whole number from 0 to 65535",
        ),
        (
            "bind_port = 65536",
            "FILE: bind_port must be a whole number from 0 to 65535",
        ),
        ("slots = -1", "FILE: slots must be a whole number from 0"),
        ("threads = 0", "FILE: threads must be a whole number from 1"),
        ("welcome = 'yes'", "FILE: welcome must be true or false"),
        (
            "database_url = ['mysql://u:p@h']",
            "FILE: database_url must be text that is not empty",
        ),
    ] {
        assert_eq!(error(text, &[]), demand);
    }
    let message = error("", &[("FAAFO_THREADS", "many")]);
    assert_eq!(
        message,
        "environment FAAFO_THREADS: threads must be a whole number from 1"
    );
    assert!(error("", &[("FAAFO_LISTEN_ADDRESS", "here")]).contains("IP address"));
}

#[test]
fn a_file_that_is_no_toml_names_the_line() {
    let message = error("slots = 1\nwelcome = maybe\n", &[]);
    assert!(message.starts_with("FILE line 2: "), "{message}");
}

#[test]
fn a_named_file_must_exist() {
    let error = load(
        Some(Path::new("/no/such/faafo.toml")),
        &Environment::new(),
        vec![],
    );
    let message = format!("{:#}", error.err().unwrap());
    assert!(message.contains("/no/such/faafo.toml"), "{message}");
}

#[test]
fn the_file_below_home_is_read_when_none_is_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/faafo");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("faafo.toml"), "bind_port = 7").unwrap();
    let environment = variables(&[("HOME", home.path().to_str().unwrap())]);
    let settings = load(None, &environment, Vec::new()).unwrap();
    assert_eq!(settings.config().unwrap().bind_port, 7);
    assert_eq!(settings.file, Some(folder.join("faafo.toml")));
}

#[test]
fn show_tells_origins_hides_passwords_and_reads_back() {
    let file = file("storage_url = 's3://key:s3cret@host/bucket'\nslots = 2");
    let environment = variables(&[("FAAFO_DATABASE_URL", "mysql://u:s3cret@h/db")]);
    let flags = vec![Override::new("bind_port", "--listen", 0)];
    let settings = load(Some(file.path()), &environment, flags).unwrap();
    let text = settings.to_toml();
    for line in [
        "listen_address = \"127.0.0.1\"  # default",
        "bind_port = 0  # flag --listen",
        "database_url = \"mysql://u:***@h/db\"  # environment FAAFO_DATABASE_URL",
        "# threads is not set: one for each core",
        &format!("slots = 2  # file {}", file.path().display()),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let mut again = Settings::default();
    again.add_file(Path::new("shown.toml"), &text).unwrap();
    assert_eq!(again.config().unwrap().bind_port, 0);
    let debug = format!("{:?}", settings.config().unwrap());
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"));
}

#[test]
fn a_token_is_never_shown_and_may_stand_in_a_file() {
    let file = file("  s3cret\n");
    let path = file.path().to_str().unwrap();
    let load = |pairs: &[(&str, &str)]| load(None, &variables(pairs), Vec::new());
    let settings = load(&[("FAAFO_TOKEN", "s3cret"), ("FAAFO_TOKEN_FILE", path)]).unwrap();
    let config = settings.config().unwrap();
    assert_eq!(config.token().unwrap().as_deref(), Some("s3cret"));
    let text = settings.to_toml();
    assert!(
        text.contains("token = \"***\"  # environment FAAFO_TOKEN\n"),
        "{text}"
    );
    assert!(!text.contains("s3cret") && !format!("{config:?}").contains("s3cret"));
    let config = load(&[("FAAFO_TOKEN_FILE", path)])
        .unwrap()
        .config()
        .unwrap();
    assert_eq!(config.token().unwrap().as_deref(), Some("s3cret"));
    let missing = load(&[("FAAFO_TOKEN_FILE", "/no/such")]).unwrap();
    let message = format!("{:#}", missing.config().unwrap().token().unwrap_err());
    assert!(message.contains("token_file /no/such"), "{message}");
}

#[test]
fn beyond_this_machine_writing_needs_a_token_unless_said_otherwise() {
    let access = |setting: &str, local: &str| {
        let settings = load(None, &variables(&[("FAAFO_ACCESS", setting)]), Vec::new());
        let security = settings
            .unwrap()
            .config()
            .unwrap()
            .security(local.parse().unwrap());
        let security = security.unwrap();
        (security.access, security.loopback, security.rate_limit)
    };
    use faafo_server::Access::{All, Open, Writes};
    for here in [
        "127.0.0.1:80",
        "127.9.9.9:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
    ] {
        assert_eq!(access("", here), (Open, true, None), "{here}");
        assert_eq!(access("all", here), (All, true, Some(200)));
    }
    for beyond in ["0.0.0.0:80", "[::]:80", "192.168.1.2:80"] {
        assert_eq!(access("auto", beyond), (Writes, false, Some(200)));
        assert_eq!(access("open", beyond), (Open, false, None));
    }
    let proxied = variables(&[("FAAFO_TRUSTED_PROXIES", "127.0.0.1")]);
    let proxied = load(None, &proxied, Vec::new()).unwrap().config().unwrap();
    let local = "127.0.0.1:80".parse().unwrap();
    assert_eq!(proxied.security(local).unwrap().access, Writes);
    assert!(error("", &[("FAAFO_ACCESS", "some")]).contains("auto, open, writes, all"));
    assert!(error("", &[("FAAFO_TRUSTED_PROXIES", "x")]).contains("networks"));
}

#[test]
fn passwords_in_flags_are_noticed() {
    let flags = vec![
        Override::new("database_url", "--database-url", "postgres://u:p@h/d"),
        Override::new("transport_url", "--transport-url", "amqp://h"),
    ];
    let settings = load(None, &Environment::new(), flags).unwrap();
    let found: Vec<_> = settings.secrets_in_flags().collect();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].0.name, found[0].1),
        ("database_url", "--database-url")
    );
}
