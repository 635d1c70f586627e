//! A real browser, driven over WebDriver: HTTP and JSON on the loopback, which chromedriver speaks.
//!
//! Headless, in a profile of its own that vanishes. No network: the page is a file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::ground::{Ground, run};

/// What keeps the browser to itself, and lets root run it.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
];

/// How long one answer may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one window.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one. `None`: chromium or chromedriver is not installed.
    pub(crate) fn start(ground: &Ground) -> Option<Self> {
        let there = |program: &str| {
            let asked = format!("command -v {program}");
            run(ground.command("sh").args(["-c", &asked])).status.success()
        };
        if !there("chromium") || !there("chromedriver") {
            return None;
        }
        let mut driver = ground
            .command("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok()
        });
        // Whoever stops reading would stop it from writing.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port: port.unwrap(), session: String::new() };
        let profile = format!("--user-data-dir={}", ground.at("profile").to_str().unwrap());
        let flags: Vec<&str> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        let options = json!({ "args": flags });
        let wanted = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": options,
        });
        let asked = json!({ "capabilities": { "alwaysMatch": wanted } });
        let session = browser.ask("POST", "/session", &asked);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        Some(browser)
    }

    /// One request, and the value that is answered.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(said) = line.strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}/{what}", self.session), body)
    }

    /// Opens a page and waits until it is there.
    pub(crate) fn open(&self, page: &Path) {
        self.post("url", &json!({ "url": format!("file://{}", page.to_str().unwrap()) }));
    }

    /// Runs a script in the page; what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script again and again until it returns something true, and returns that.
    #[track_caller]
    pub(crate) fn until(&self, script: &str) -> Value {
        // The page itself waits, as long as it takes; nobody sleeps here.
        let waiting = format!(
            "const done = arguments[arguments.length - 1]; const begun = performance.now();\
             const look = () => {{ const it = (() => {{ {script} }})();\
             if (it || performance.now() - begun > 20000) done(it); else requestAnimationFrame(look); }}; look();"
        );
        let found = self.post("execute/async", &json!({ "script": waiting, "args": [] }));
        assert!(found.as_bool() != Some(false) && !found.is_null(), "it never came: {script}");
        found
    }

    /// How large the window is; a browser without a head has no narrow windows of its own.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// A command of the browser's own.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What was written to the console since the last time.
    pub(crate) fn console(&self) -> Vec<Value> {
        self.post("se/log", &json!({ "type": "browser" })).as_array().unwrap().clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        // The driver takes its browser with it when it is asked to; here the session is over.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
