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
