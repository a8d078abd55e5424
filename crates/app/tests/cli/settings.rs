use crate::server::{Server, json};
use crate::{Faafo, ID, complaint, printed, row};

#[test]
fn the_endpoint_comes_from_flag_environment_or_file_in_this_order() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "queued", None, None)));
    let (good, bad) = (server.url.as_str(), "http://127.0.0.1:9");
    for (flag, variable, file) in [(Some(good), bad, bad), (None, good, bad), (None, "", good)] {
        let faafo = Faafo::new();
        let text = format!("endpoint_url = '{file}'");
        std::fs::write(faafo.folder.path().join("faafo.toml"), text).unwrap();
        let mut command = faafo.command(&format!("show {ID}"));
        command.env("FAAFO_ENDPOINT_URL", variable);
        if let Some(flag) = flag {
            command.args(["--endpoint-url", flag]);
        }
        printed(command.output().unwrap());
    }
}

#[test]
fn a_bad_settings_file_is_one_clear_line() {
    let faafo = Faafo::new();
    std::fs::write(faafo.folder.path().join("faafo.toml"), "bind_prot = 1").unwrap();
    assert_eq!(
        complaint(&faafo.run("config check")),
        "faafo: ./faafo.toml: there is no setting \"bind_prot\"; did you mean \"bind_port\"?\n"
    );
}

#[test]
fn config_show_prints_the_flags_layer_too() {
    let text = printed(Faafo::new().run("config show --endpoint-url http://u:s3cret@h"));
    assert!(
        text.contains("endpoint_url = \"http://u:***@h\"  # flag --endpoint-url"),
        "{text}"
    );
    assert!(printed(Faafo::new().run("config check")).contains("fine"));
}

#[test]
fn completions_and_manual_pages_go_to_standard_output() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(printed(Faafo::new().run(&format!("completions {shell}"))).contains("faafo"));
    }
    assert!(printed(Faafo::new().run("man")).contains(".TH"));
    assert!(printed(Faafo::new().run("man create")).contains("faafo\\-create"));
}
