//! The environment, taken once in `main` and passed on as a value.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A snapshot of the process environment. Values are bytes; a later duplicate does not win.
#[derive(Clone, Default, Debug)]
pub struct Env {
    vars: Vec<(OsString, OsString)>,
}

impl Env {
    /// Takes name and value pairs, as `std::env::vars_os` yields them.
    pub fn new(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { vars: vars.into_iter().collect() }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_os_str())
    }

    /// The value of a variable, as bytes.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(OsStrExt::as_bytes)
    }

    /// The value of a variable, when it is UTF-8 and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str).filter(|value| !value.is_empty())
    }

    /// Whether the variable is set at all.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the variable is set more than once, and not always to the same.
    pub fn is_ambiguous(&self, name: &str) -> bool {
        let mut values = self.vars.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// All variables, for a child process.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}
