//! Where the demo plays: homes, clones, an environment that knows nothing of this machine, and a
//! shell that runs exactly the lines that are shown.
//!
//! A person's home is `DIR/NAME`, their clone `DIR/NAME/infra`, the server's things are in
//! `DIR/server`. Who pushes over a local path the server learns from a variable, as it would from
//! a forced command or a web server.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::find_program;
use crate::cli::io::Console;
use crate::cli::quote::{quoted_bytes, shown};
use crate::cli::surroundings::Surroundings;
use crate::names::escape::is_deceptive;

/// The variable that says who pushes; the demo's policy names it.
pub const WHO_VARIABLE: &str = "PORTCULLIS_DEMO_USER";

/// How much of what one command prints is looked at, in bytes.
const OUTPUT_BYTES_MAX: u64 = 1024 * 1024;

/// Programs the demo cannot do without, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 3] =
    [("git", "git"), ("ssh-keygen", "openssh-client"), ("sh", "dash")];

/// Who types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Writes the change.
    Alice,
    /// Reviews it.
    Bob,
    /// Runs the server.
    Server,
}

impl Who {
    /// Everybody.
    pub const ALL: [Self; 3] = [Self::Alice, Self::Bob, Self::Server];

    /// The name, as in prompts and folders.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Server => "server",
        }
    }

    /// The folder they work in, below that of the demo.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Alice => "alice/infra",
            Self::Bob => "bob/infra",
            Self::Server => "server",
        }
    }
}

/// What a command answered.
#[derive(Debug)]
pub struct Ran {
    line: String,
    code: Option<i32>,
    text: String,
}

impl Ran {
    /// Faults unless it ended with this exit code and said all of these.
    pub fn expect(&self, code: i32, says: &[&str]) -> Result<&Self, Fault> {
        if self.code != Some(code) {
            let ended = self.code.map_or_else(|| "a signal".into(), |code| format!("{code}"));
            return Err(self.otherwise(&format!("ended with {ended} instead of {code}")));
        }
        match says.iter().find(|words| !self.text.contains(**words)) {
            Some(words) => Err(self.otherwise(&format!("did not say \"{words}\""))),
            None => Ok(self),
        }
    }

    /// What it printed, on both streams.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn otherwise(&self, how: &str) -> Fault {
        let fault = Fault::new(format!("the demo went wrong: `{}` {how}", self.line));
        match self.text.trim_end() {
            "" => fault,
            text => fault.cause(text),
        }
    }
}

/// The demo's folder and what runs in it.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    path: OsString,
    temporary: Option<OsString>,
}

impl Stage {
    /// Sets the stage in an empty folder: homes, settings, and this program as `portcullis`.
    pub fn set(around: &Surroundings, folder: &Path) -> Result<Self, Fault> {
        let path = around.variable("PATH").unwrap_or_default();
        for (program, package) in PROGRAMS {
            if find_program(OsStr::new(program), path).is_none() {
                return Err(Fault::new(format!("{program} is not in PATH"))
                    .hint(format!("install it: apt install {package}")));
            }
        }
        let program = around.executable.as_deref().ok_or_else(|| {
            Fault::new("the system does not say where this program is").hint("call it by its path")
        })?;
        let bin = folder.join("bin");
        let mut own_path = bin.as_os_str().to_owned();
        own_path.push(":");
        own_path.push(path);
        let temporary = around.variable("TMPDIR").map(OsStr::to_owned);
        let stage = Self { folder: folder.to_owned(), path: own_path, temporary };
        stage.furnish(&bin, program).or_fault(|| format!("could not use {}", shown(folder)))?;
        Ok(stage)
    }

    fn furnish(&self, bin: &Path, program: &Path) -> io::Result<()> {
        files::make_folders(bin, 0o755)?;
        std::os::unix::fs::symlink(program, bin.join("portcullis"))?;
        for who in Who::ALL {
            let home = self.folder.join(who.name());
            files::make_folders(&home, 0o700)?;
            files::write_whole(&home.join(".gitconfig"), settings(who).as_bytes(), 0o644)?;
            let script = self.folder.join(format!("as-{}", who.name()));
            files::write_whole(&script, &self.script(who), 0o755)?;
        }
        Ok(())
    }

    /// A file that runs a command, or a shell, as somebody.
    fn script(&self, who: Who) -> Vec<u8> {
        let quoted = |path: &Path| quoted_bytes(path.as_os_str().as_bytes());
        let mut text =
            b"#!/bin/sh\n# A shell, or the command in the arguments, as in the demo.\ncd ".to_vec();
        text.extend(quoted(&self.folder.join(who.place())));
        text.extend(b" || exit\nHOME=");
        text.extend(quoted(&self.folder.join(who.name())));
        text.extend(b" PATH=");
        text.extend(quoted(&self.folder.join("bin")));
        text.extend(b":$PATH GIT_CONFIG_NOSYSTEM=1");
        text.extend(format!(" {WHO_VARIABLE}={}\n", who.name()).as_bytes());
        text.extend(format!("export HOME PATH GIT_CONFIG_NOSYSTEM {WHO_VARIABLE}\n").as_bytes());
        text.extend(b"exec \"${@:-${SHELL:-sh}}\"\n");
        text
    }

    /// A file of the demo, whole.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let path = self.folder.join(name);
        fs::read(&path).or_fault(|| format!("could not read {}", shown(&path)))
    }

    /// Writes a file of the demo.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Fault> {
        let path = self.folder.join(name);
        files::write_whole(&path, text.as_bytes(), 0o644)
            .or_fault(|| format!("could not write {}", shown(&path)))
    }

    /// Runs a line without a word; it has to succeed.
    pub fn quietly(&self, who: Who, line: &str) -> Result<String, Fault> {
        let ran = self.run(who, line)?;
        ran.expect(0, &[])?;
        Ok(ran.text.trim_end().to_owned())
    }

    /// Shows a line, runs it, and shows what it prints.
    pub fn types(&self, console: &mut Console, who: Who, line: &str) -> Result<Ran, Fault> {
        console.data_line(&format!("   {}$ {line}", who.name()))?;
        console.flush()?;
        let ran = self.run(who, line)?;
        for line in ran.text.lines() {
            console.data_line(format!("     {line}").trim_end())?;
        }
        console.flush()?;
        Ok(ran)
    }

    fn run(&self, who: Who, line: &str) -> Result<Ran, Fault> {
        let could_not = || format!("could not run `{line}`");
        let (mut from, into) = io::pipe().or_fault(could_not)?;
        let home = self.folder.join(who.name());
        let place = self.folder.join(who.place());
        let mut command = Command::new("/bin/sh");
        command
            // Whatever the caller's umask: a policy that a group may write is no good policy.
            .args(["-c", &format!("umask 022; {line}")])
            .current_dir(if place.is_dir() { &place } else { &home })
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &home)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env(WHO_VARIABLE, who.name())
            .stdin(Stdio::null())
            .stdout(into.try_clone().or_fault(could_not)?)
            .stderr(into);
        if let Some(temporary) = &self.temporary {
            command.env("TMPDIR", temporary);
        }
        let mut child = command.spawn().or_fault(could_not)?;
        // Our own ends of the pipe: while they are open, reading finds no end.
        drop(command);
        let mut bytes = Vec::new();
        (&mut from).take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).or_fault(could_not)?;
        drop(from);
        let status = child.wait().or_fault(could_not)?;
        Ok(Ran { line: line.into(), code: status.code(), text: plain(&bytes) })
    }
}

fn settings(who: Who) -> String {
    let name = who.name();
    format!(
        "[user]\n\tname = {name}\n\temail = {name}@example.com\n[init]\n\tdefaultBranch = main\n\
         [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
}

/// What a terminal may be shown.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| *c == '\n' || !(c.is_control() || is_deceptive(*c))).collect()
}
