//! `[log] journal`: where the server's journal listens that is told what happens.
//!
//! Read from the site's file. Told by `hook::journal`, never to the pusher.

use std::path::{Path, PathBuf};

use crate::source::problem::Problems;
use crate::source::table::Table;

/// Where syslog listens on most systems: RFC 3164, one datagram a line.
const SYSLOG: &str = "/dev/log";

/// Where journald listens for fields: systemd's native protocol.
const JOURNALD: &str = "/run/systemd/journal/socket";

/// How long the path of a socket may be, in bytes: `sun_path` of unix(7) and its NUL.
const SOCKET_BYTES_MAX: usize = 107;

/// How what happens is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line of text with `key=value` behind it.
    Syslog,
    /// A field a line.
    Journald,
}

/// A journal that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// How.
    pub form: Form,
    /// The socket that it listens on.
    pub socket: PathBuf,
}

impl Journal {
    /// `syslog` or `journald`, with the path of another socket behind a colon: `syslog:/run/log`.
    fn parse(written: &str) -> Option<Self> {
        let (word, path) = match written.split_once(':') {
            Some((word, path)) => (word, Some(path)),
            None => (written, None),
        };
        let (form, usual) = match word {
            "syslog" => (Form::Syslog, SYSLOG),
            "journald" => (Form::Journald, JOURNALD),
            _ => return None,
        };
        let path = path.unwrap_or(usual);
        let fits =
            Path::new(path).is_absolute() && path.len() <= SOCKET_BYTES_MAX && !path.contains('\0');
        fits.then(|| Self { form, socket: PathBuf::from(path) })
    }
}

/// Reads the key. `None`: nobody is told.
pub(super) fn read(table: &mut Table<'_>, problems: &mut Problems) -> Option<Journal> {
    let written = table.text("journal", problems)?;
    let read = Journal::parse(&written.value);
    if read.is_none() {
        let hint = "\"syslog\" or \"journald\"; one that listens elsewhere: \"syslog:/run/log\"";
        problems.error_hint(&written.spot, "no journal is called this", hint);
    }
    read
}
