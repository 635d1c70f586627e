//! What holds for the whole site: `[identity]`, `[log]`, `[limits]`, `[push]`.
//!
//! Made from the first file of a policy; read by `hook`. Here is what a policy says, not how it is
//! done: asking a source who pushes is `identity`'s work, writing the log is `log`'s.

use std::path::PathBuf;

use crate::facts::limits::{LIMITS, Limits};
use crate::identity::PLATFORMS;
use crate::policy::journal::{self, Journal};
use crate::policy::keyfiles::{ALLOWED_SIGNERS, KEYRING, allowed_signers, keyring};
use crate::policy::raw::Site;
use crate::push::pusher::BY_CERTIFICATE;
use crate::source::duration;
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::Located;
use crate::tlog::holder::KeyPlace;

/// What a policy says about the site; every part has a default.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) identity: Identity,
    pub(super) log: LogSettings,
    pub(super) limits: Limits,
    pub(super) refuse: RefuseMode,
}

/// Where the names of pushers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who is asked.
    pub asks: Asks,
    /// What becomes of somebody who can be named and is in no `[people]`.
    pub unlisted: Unlisted,
    /// Files in the form `allowed_signers` that keys are taken from, as they are written.
    pub allowed_signers: Vec<String>,
    /// The file that OpenPGP keys are taken from, as it is written.
    pub keyring: Option<String>,
}

/// Who is asked for the pusher's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// One source for each way in.
    Doors {
        /// Where `SSH_CONNECTION` is set.
        ssh: DoorSource,
        /// Else where `GATEWAY_INTERFACE` is.
        http: DoorSource,
        /// Else.
        local: DoorSource,
    },
    /// The platform that called Git, by its name in [`PLATFORMS`].
    Platform(&'static str),
}

/// One source. Where it is silent nobody else is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorSource {
    /// What sshd says it let in: `ExposeAuthInfo` of sshd_config(5).
    SshAuthInfo,
    /// Whoever signed the push certificate.
    PushCertificate,
    /// The account that the hook runs as.
    OsUser,
    /// A variable that the server sets.
    Variable(String),
}

/// What becomes of somebody who can be named and is in no `[people]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// A person in no group, never a reviewer.
    Login,
    /// Nobody.
    Refuse,
}

/// Where the log is and what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The folder that holds one folder for each repository. `None`: within the repository.
    pub dir: Option<PathBuf>,
    /// What is done about a ref that moved without the gate.
    pub on_drift: OnDrift,
    /// What is done while the log's disk is nearly full.
    pub when_full: WhenFull,
    /// Where the key is that signs.
    pub key: KeyPlace,
    /// How often it is sealed, in seconds. `None`: whenever somebody runs `log seal`.
    pub seal_every: Option<i64>,
    /// What it does not say.
    pub redact: Redact,
    /// Who else is told, as it happens. `None`: nobody.
    pub journal: Option<Journal>,
}

/// What the log has only as a keyed hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// What the source of names calls the pusher.
    pub logins: bool,
    /// The push options.
    pub options: bool,
}

/// What is done about a ref that moved without the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// The log says so.
    #[default]
    Record,
    /// And a protected one takes no push until an operator has accepted it.
    Refuse,
}

/// What is done while the log's disk has less room than `log-free-bytes` of `[limits]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// No push is accepted: what is left is for what became of those that were.
    #[default]
    Refuse,
    /// Pushes are accepted as long as their entries can be written.
    UseUp,
}

/// What a refused ref takes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefuseMode {
    /// The whole push.
    #[default]
    Push,
    /// Only itself.
    Ref,
}

/// How often a log can be sealed at most: every seal makes and throws away a key.
const SEAL_EVERY_SECONDS_MIN: i64 = 60;

/// What may stand in `[identity]`.
pub const IDENTITY_KEYS: [&str; 7] =
    ["ssh", "http", "local", "platform", "unlisted", ALLOWED_SIGNERS, KEYRING];

/// What may stand in `[log]`.
pub const LOG_KEYS: [&str; 7] =
    ["dir", "on-drift", "when-full", "key", "seal-every", "redact", "journal"];

/// What may stand in `[push]`.
pub const PUSH_KEYS: [&str; 1] = ["refuse"];

/// Variables that whoever pushes can choose: through `SendEnv`, the SSH command, or Git's own
/// protocol. (Beginnings; threats F13.)
const CHOSEN_BY_CLIENTS: [&str; 7] =
    ["LC_", "LANG", "TERM", "TZ", "SSH_ORIGINAL_COMMAND", "GIT_PROTOCOL", "GIT_PUSH_"];

impl Identity {
    /// Whether somebody who is in no `[people]` may not push at all.
    pub fn refuses_unlisted(&self) -> bool {
        self.unlisted == Unlisted::Refuse
    }

    /// Whether some way in knows who pushes by the push certificate.
    pub fn asks_certificates(&self) -> bool {
        match &self.asks {
            Asks::Doors { ssh, http, local } => {
                [ssh, http, local].contains(&&DoorSource::PushCertificate)
            }
            Asks::Platform(_) => false,
        }
    }

    fn read(mut table: Table<'_>, problems: &mut Problems) -> Self {
        let platform_spot = table.key_spot("platform");
        let platform = platform(&mut table, problems);
        let doors = ["ssh", "http", "local"];
        if let Some(spot) = platform_spot
            && let Some(door) = doors.iter().find(|door| table.has(door))
        {
            let what = format!("`platform` stands instead of `{door}`, not beside it");
            problems.error_hint(&spot, what, "take one of them out: one source says who pushes");
        }
        let Self { asks, unlisted, .. } = Self::default();
        let (mut ssh, mut http, mut local) = match asks {
            Asks::Doors { ssh, http, local } => (ssh, http, local),
            // The default asks at the doors.
            Asks::Platform(_) => (DoorSource::OsUser, DoorSource::OsUser, DoorSource::OsUser),
        };
        for (key, door) in doors.into_iter().zip([&mut ssh, &mut http, &mut local]) {
            if let Some(source) = door_source(&mut table, key, problems) {
                *door = source;
            }
        }
        let words = &[("login", Unlisted::Login), ("refuse", Unlisted::Refuse)];
        let unlisted = table.word("unlisted", words, problems).map_or(unlisted, |w| w.value);
        let allowed_signers = allowed_signers(&mut table, problems);
        let keyring = keyring(&mut table, problems);
        table.finish(Keys { known: &IDENTITY_KEYS, later: &[] }, problems);
        let asks = platform.map_or(Asks::Doors { ssh, http, local }, Asks::Platform);
        Self { asks, unlisted, allowed_signers, keyring }
    }
}

impl Default for Identity {
    /// What holds without `[identity]`: each way in has the one source that cannot be forged
    /// there.
    fn default() -> Self {
        let asks = Asks::Doors {
            ssh: DoorSource::SshAuthInfo,
            http: DoorSource::Variable("REMOTE_USER".to_owned()),
            local: DoorSource::OsUser,
        };
        Self { asks, unlisted: Unlisted::Login, allowed_signers: Vec::new(), keyring: None }
    }
}

fn platform(table: &mut Table<'_>, problems: &mut Problems) -> Option<&'static str> {
    let written = table.text("platform", problems)?;
    let name = written.value.as_str();
    let known = PLATFORMS.iter().map(|platform| platform.name);
    let found = known.clone().find(|known| *known == name);
    if found.is_none() {
        let problem = Problem::error("no such platform");
        let problem = if name == "forgejo" {
            problem.hint("Forgejo says who pushes as Gitea does: \"gitea\"")
        } else {
            problem.hint_opt(suggestion(name, "platforms", known))
        };
        problems.push(problem.at(&written.spot));
    }
    found
}

fn door_source(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Option<DoorSource> {
    let Located { value, spot } = table.text(key, problems)?;
    match value.as_str() {
        "os-user" => return Some(DoorSource::OsUser),
        "ssh-auth-info" if key == "ssh" => return Some(DoorSource::SshAuthInfo),
        "ssh-auth-info" => {
            let hint = "it holds where sshd let somebody in: `ssh`";
            problems.error_hint(&spot, format!("`{value}` never says who comes by `{key}`"), hint);
            return None;
        }
        BY_CERTIFICATE => return Some(DoorSource::PushCertificate),
        _ => {}
    }
    let is_variable = value.starts_with(|c: char| c.is_ascii_uppercase())
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !is_variable {
        let hint = "\"ssh-auth-info\", \"push-certificate\", \"os-user\", or a variable such as \"REMOTE_USER\"";
        problems.error_hint(&spot, format!("`{value}` is no source of names"), hint);
        return None;
    }
    if CHOSEN_BY_CLIENTS.iter().any(|start| value.starts_with(start)) {
        let hint = "name a variable that only the server sets";
        problems.error_hint(&spot, format!("whoever pushes can choose `{value}`"), hint);
        return None;
    }
    if value.starts_with("HTTP_") {
        let hint = "be sure that the web server overwrites it, or name REMOTE_USER";
        let what = format!("`{value}` is a header that any client can send");
        problems.push(Problem::warning(what).at(&spot).hint(hint));
    }
    Some(DoorSource::Variable(value))
}

impl LogSettings {
    fn read(mut table: Table<'_>, problems: &mut Problems) -> Self {
        let settings = Self::take(&mut table, problems);
        table.finish(Keys { known: &LOG_KEYS, later: &[] }, problems);
        settings
    }

    /// What a table says of the log; its other keys stay in it.
    pub(super) fn take(table: &mut Table<'_>, problems: &mut Problems) -> Self {
        let dir = table.text("dir", problems).and_then(|dir| log_dir(dir, problems));
        let words = &[("record", OnDrift::Record), ("refuse", OnDrift::Refuse)];
        let on_drift = table.word("on-drift", words, problems).map(|w| w.value).unwrap_or_default();
        let words = &[("refuse", WhenFull::Refuse), ("use-up", WhenFull::UseUp)];
        let when_full =
            table.word("when-full", words, problems).map(|w| w.value).unwrap_or_default();
        let key = table.text("key", problems).and_then(|key| key_place(&key, problems));
        let seal_every = seal_every(table, problems);
        let redact = redact(table, problems);
        let journal = journal::read(table, problems);
        Self { dir, on_drift, when_full, key: key.unwrap_or_default(), seal_every, redact, journal }
    }
}

fn key_place(written: &Located<String>, problems: &mut Problems) -> Option<KeyPlace> {
    let read = KeyPlace::parse(&written.value);
    let why = match read {
        Ok(place) => return Some(place),
        Err(why) => why.to_string(),
    };
    let hint = "a file, \"/srv/keys/infra.key\"; a folder of such files; or a key of an ssh-agent, \"agent:SHA256:...\"";
    problems.error_hint(&written.spot, why, hint);
    None
}

fn redact(table: &mut Table<'_>, problems: &mut Problems) -> Redact {
    let mut redact = Redact::default();
    let written = table.texts("redact", problems).map(|list| list.value).unwrap_or_default();
    for Located { value, spot } in written {
        match value.as_str() {
            "logins" => redact.logins = true,
            "options" => redact.options = true,
            _ => problems.error_hint(
                &spot,
                "the log can keep no such thing to itself",
                "known values: logins, options; refs, oids, digests, rules and verdicts are always told",
            ),
        }
    }
    redact
}

fn seal_every(table: &mut Table<'_>, problems: &mut Problems) -> Option<i64> {
    let written = table.text("seal-every", problems)?;
    let seconds = duration::seconds(&written.value);
    if seconds.is_none_or(|seconds| seconds < SEAL_EVERY_SECONDS_MIN) {
        let hint = "a whole number and a unit, a minute at least: \"1h\", \"30m\"";
        problems.error_hint(&written.spot, "this is no time from seal to seal", hint);
        return None;
    }
    seconds
}

fn log_dir(dir: Located<String>, problems: &mut Problems) -> Option<PathBuf> {
    let path = PathBuf::from(&dir.value);
    if dir.value.contains('\0') || !path.is_absolute() {
        let hint = "hooks run in many folders: begin it with `/`";
        problems.error_hint(&dir.spot, "`dir` is not a full path", hint);
        return None;
    }
    Some(path)
}

fn limits(mut table: Table<'_>, problems: &mut Problems) -> Limits {
    let mut limits = Limits::default();
    for row in LIMITS {
        let Some(count) = table.count(row.key, problems) else { continue };
        if !(1..=row.max).contains(&count.value) {
            let what = format!("`{}` goes from 1 to {}", row.key, row.max);
            let hint = format!("without a word it is {}", row.default);
            problems.error_hint(&count.spot, what, hint);
        } else {
            (row.set)(&mut limits, count.value);
        }
    }
    let known: Vec<&str> = LIMITS.iter().map(|row| row.key).collect();
    table.finish(Keys { known: &known, later: &[] }, problems);
    limits
}

fn refuse_mode(mut table: Table<'_>, problems: &mut Problems) -> RefuseMode {
    let words = &[("push", RefuseMode::Push), ("ref", RefuseMode::Ref)];
    let mode = table.word("refuse", words, problems).map(|w| w.value).unwrap_or_default();
    table.finish(Keys { known: &PUSH_KEYS, later: &[] }, problems);
    mode
}

impl Settings {
    /// Reads the site's sections; what is not there has its default.
    pub(super) fn read(site: Site<'_>, problems: &mut Problems) -> Self {
        let Site { identity, log, limits: bounds, push, .. } = site;
        Self {
            identity: identity.map_or_else(Identity::default, |t| Identity::read(t, problems)),
            log: log.map_or_else(LogSettings::default, |t| LogSettings::read(t, problems)),
            limits: bounds.map_or_else(Limits::default, |t| limits(t, problems)),
            refuse: push.map_or_else(RefuseMode::default, |t| refuse_mode(t, problems)),
        }
    }
}
