//! A daemon of a test's own on the loopback, ended with the test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a daemon may take to listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);

/// How long one connection may take to be answered.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A daemon that listens.
pub(crate) struct Listening {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A program of this machine's, daemons' folders included.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.exists())
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Listening {
    /// Starts a daemon and waits until it answers these bytes with something.
    pub(crate) fn start(command: &mut Command, port: u16, hello: &[u8]) -> Result<Self, String> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?} did not start: {error}"))?;
        let mut daemon = Self { child, port };
        let begin = Instant::now();
        while begin.elapsed() < LISTENS_WITHIN {
            if let Some(status) = daemon.child.try_wait().unwrap() {
                let mut said = String::new();
                if let Some(mut stderr) = daemon.child.stderr.take() {
                    drop(stderr.read_to_string(&mut said));
                }
                return Err(format!("{command:?} ended with {status}: {said}"));
            }
            if daemon.answers(hello) {
                return Ok(daemon);
            }
            std::thread::yield_now();
        }
        Err(format!("{command:?} does not listen"))
    }

    fn answers(&self, hello: &[u8]) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else {
            return false;
        };
        stream.set_read_timeout(Some(ANSWERS_WITHIN)).unwrap();
        let mut first = [0; 4];
        stream.write_all(hello).is_ok() && stream.read_exact(&mut first).is_ok()
    }
}
