//! A small WebDriver client (W3C WebDriver: JSON over HTTP) with a headless Chromium that ends when it is dropped, and
//! also when the test's process is killed.

use crate::PATIENCE;
use crate::http::{Connection, Request};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Starts the driver, and ends it as soon as our end of stdin is closed, for whatever reason.
const GUARD: &str = r#"
command -v "$1" >/dev/null || exit
"$1" --port=0 </dev/null &
exec >&-
read -r _
kill $!
wait
"#;

const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // With this the browser ends when the driver does.
    "--remote-debugging-pipe",
];

const NEEDED: &str = "these tests need the Debian packages chromium and chromium-driver";

/// How long the driver itself looks for an element, in milliseconds.
const LOOK: u32 = 30_000;

/// A browser with one page.
pub struct Browser {
    driver: SocketAddr,
    session: String,
    guard: Child,
    /// Goes when the browser has ended.
    home: TempDir,
}

impl Browser {
    /// Starts a browser, whose page is 1440 × 900.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("chromedriver")
    }

    #[track_caller]
    fn start_with(driver: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh", driver])
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = announced_port(&mut guard);
        let mut browser = Self {
            driver: (Ipv4Addr::LOCALHOST, port.unwrap_or_default()).into(),
            session: "/session".to_owned(),
            guard,
            home,
        };
        assert!(port.is_some(), "{driver} does not start; {NEEDED}");
        browser.session = format!("/session/{}", browser.open());
        browser.resize(1440, 900);
        browser
    }

    #[track_caller]
    fn open(&self) -> String {
        let profile = format!("--user-data-dir={}/profile", self.home.path().display());
        let arguments: Vec<_> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let wanted = json!({
            "browserName": "chrome",
            "timeouts": {"implicit": LOOK},
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        match self.try_post("", &json!({"capabilities": {"alwaysMatch": wanted}})) {
            Ok(session) => text(&session["sessionId"]),
            Err(error) => panic!("no browser starts; {NEEDED}: {error}"),
        }
    }

    /// Opens an address and waits until the page is loaded.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Clicks the element that a CSS selector finds, as soon as there is one.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.post(&format!("/element/{}/click", self.find(css)), &json!({}));
    }

    /// Replaces what stands in an input field by what is typed.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    #[track_caller]
    fn find(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        // The standard's name for a reference to an element.
        text(&found["element-6066-11e4-a52e-4f735466cecf"])
    }

    /// The value of an expression in the page; promises are awaited.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        self.post("/execute/sync", &script(expression))
    }

    /// The text of the first element that a CSS selector finds, as it is seen.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        text(&self.eval(&format!("document.querySelector({}).innerText", json!(css))))
    }

    /// Waits until an expression is true in the page, or in the one after it.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let begun = Instant::now();
        let look = script(&format!("Boolean({expression})"));
        loop {
            // A page that is just being left can't answer; the next one does.
            let last = self.try_post("/execute/sync", &look);
            if last == Ok(Value::Bool(true)) {
                return;
            }
            let late = begun.elapsed() > PATIENCE;
            assert!(
                !late,
                "waited in vain: {expression}: {last:?}\n{}",
                self.text("body")
            );
            sleep(Duration::from_millis(20));
        }
    }

    /// Gives the page this many pixels, however few. Narrow ones are a telephone's, whose scrollbars take no room.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// The whole page, also what is to be scrolled to, as a PNG in base64.
    #[track_caller]
    pub fn screenshot(&self) -> String {
        let height = self.eval("Math.max(innerHeight, document.documentElement.scrollHeight)");
        let clip =
            json!({"x": 0, "y": 0, "width": self.eval("innerWidth"), "height": height, "scale": 1});
        let wanted = json!({"captureBeyondViewport": true, "clip": clip});
        text(&self.command("Page.captureScreenshot", &wanted)["data"])
    }

    /// What the console was told since the last call: the pages' messages and the browser's own, such as violations of
    /// the content security policy.
    #[track_caller]
    pub fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let line =
            |entry: &Value| format!("{}: {}", text(&entry["level"]), text(&entry["message"]));
        entries.as_array().unwrap().iter().map(line).collect()
    }

    /// A command of the Chrome DevTools Protocol.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        )
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let done = self.try_post(path, body);
        done.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.send(&Request::new("POST", &format!("{}{path}", self.session)).json(body))
    }

    fn send(&self, request: &Request) -> Result<Value, String> {
        let answer = Connection::open(self.driver).try_send(request);
        let body = answer.map_err(|error| error.to_string())?.body;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let value = &answer["value"];
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", text(&value["message"]))),
            None => Ok(value.clone()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if self.session != "/session" {
            // The guard ends what does not end by this.
            let _ = self.send(&Request::new("DELETE", &self.session));
        }
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The port that the driver says it listens on; `None` if it does not say so.
fn announced_port(guard: &mut Child) -> Option<u16> {
    let stdout = BufReader::new(guard.stdout.take()?);
    let (sender, receiver) = mpsc::channel();
    // To the end, so that the driver can always go on talking.
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let port = line
                .split_once("successfully on port ")
                .map(|(_, port)| port);
            if let Some(port) = port.and_then(|port| port.trim_end_matches('.').parse().ok()) {
                let _ = sender.send(port);
            }
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
}

fn script(expression: &str) -> Value {
    json!({"script": format!("return {expression}"), "args": []})
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "Debian packages chromium and chromium-driver")]
    fn a_missing_driver_is_a_failure_that_says_what_to_install() {
        Browser::start_with("no-such-driver");
    }
}
