//! The record of how Git is set up here: which hooks it runs, and the settings that decide what a
//! push may do and what is kept of it.
//!
//! Types of the file, not of the house; see `entry`. Written when the digest over both is another
//! than in the last such record, with what has changed since. Whoever takes the gate away leaves a
//! gap that the next look closes with an entry.

use serde::{Deserialize, Serialize};

use crate::log::cut::{cut_string, cut_text};
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;

/// `config`: the hooks and the settings in force, noticed to be others than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What was running when it was noticed.
    pub via: String,
    /// The account that ran a verb.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Text>,
    /// The SHA-256 of `{"hooks":[...],"settings":[...]}`, the two as they stand here.
    pub sha256: AsText<Digest>,
    /// The hooks, sorted by path.
    pub hooks: Vec<HookFile>,
    /// The settings, in the order in which Git reads them.
    pub settings: Vec<SettingRecord>,
    /// What differs from the last such record. Empty in the first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<Change>,
}

/// What was running when a configuration was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// `install` had set it up.
    Install,
    /// `log drift` looked, from a timer usually.
    LogDrift,
    /// `doctor --fix` had mended something.
    Doctor,
    /// A push was over, and a file that has to do with it was another than at the push before.
    PostReceive,
}

impl Noticed {
    /// The word in the line. Others may follow, so a reader takes any.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::LogDrift => "log-drift",
            Self::Doctor => "doctor",
            Self::PostReceive => "post-receive",
        }
    }
}

/// A file that Git, or a server around it, runs as a hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookFile {
    /// The file, seen from the repository's folder.
    pub path: Text,
    /// Whose it is.
    pub kind: HookKind,
    /// Its permission bits in octal, as `chmod` takes them. Absent where there is no file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mode: Option<String>,
    /// The SHA-256 of its bytes. Absent where there is no file, or it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<AsText<Digest>>,
}

/// Whose a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// As `install` writes it.
    Ours,
    /// Anybody else's, or ours and edited.
    Other,
    /// There should be one of ours, and there is nothing.
    None,
}

impl HookKind {
    /// The word in the line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Other => "other",
            Self::None => "none",
        }
    }
}

/// One value of Git's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingRecord {
    /// The key, as `git config --list` prints it.
    pub key: Text,
    /// Where it stands: `system`, `global`, `local`, `worktree`, `command`.
    pub scope: String,
    /// The value. Absent for a key without one, which means true, and where it is withheld.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<Text>,
    /// True where the value is a secret: that it is set is all that is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub withheld: bool,
}

/// A hook or a setting that is another than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which of the two it is.
    pub what: What,
    /// The hook's path, or the setting's key.
    pub name: Text,
    /// What it was; empty: there was none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub before: Vec<Text>,
    /// What it is; empty: there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub now: Vec<Text>,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A hook.
    Hook,
    /// A setting.
    Setting,
}

/// What the digest is taken over.
#[derive(Serialize)]
struct Digested<'a> {
    hooks: &'a [HookFile],
    settings: &'a [SettingRecord],
}

impl Config {
    /// A record of these, to be compared with `last`, the newest there is.
    ///
    /// # Errors
    /// None with the types of this room; see `JsonError`.
    pub fn of(
        via: Noticed,
        by: Option<Text>,
        mut hooks: Vec<HookFile>,
        settings: Vec<SettingRecord>,
        last: Option<&Self>,
    ) -> Result<Self, serde_json::Error> {
        hooks.sort_by(|a, b| a.path.cmp(&b.path));
        let json = serde_json::to_vec(&Digested { hooks: &hooks, settings: &settings })?;
        let sha256 = AsText(Digest::of(&json));
        let via = via.name().to_owned();
        let mut made = Self { via, by, sha256, hooks, settings, changes: Vec::new() };
        if let Some(last) = last {
            made.changes = made.changes_since(last);
        }
        Ok(made)
    }

    fn changes_since(&self, last: &Self) -> Vec<Change> {
        let (before, now) = (last.told(), self.told());
        let mut names: Vec<&(What, Text)> = before.iter().chain(&now).map(|(key, _)| key).collect();
        names.sort_by(|a, b| (a.0 as u8, &a.1).cmp(&(b.0 as u8, &b.1)));
        names.dedup();
        let of = |told: &[((What, Text), Text)], wanted: &(What, Text)| -> Vec<Text> {
            let fits = told.iter().filter(|(key, _)| key == wanted);
            fits.map(|(_, value)| value.clone()).collect()
        };
        let changes = names.into_iter().map(|key| Change {
            what: key.0,
            name: key.1.clone(),
            before: of(&before, key),
            now: of(&now, key),
        });
        changes.filter(|change| change.before != change.now).collect()
    }

    /// Every hook and every value, under its name, in words that are compared and shown.
    fn told(&self) -> Vec<((What, Text), Text)> {
        let hooks = self.hooks.iter().map(|hook| ((What::Hook, hook.path.clone()), hook.told()));
        let settings =
            self.settings.iter().map(|one| ((What::Setting, one.key.clone()), one.told()));
        hooks.chain(settings).collect()
    }

    /// Keeps so many of each list, and so much of each text.
    pub fn shorten(&mut self, keep: usize, text_bytes: usize) {
        cut_string(&mut self.via, text_bytes);
        self.by.iter_mut().for_each(|by| cut_text(by, text_bytes));
        self.hooks.truncate(keep);
        self.hooks.iter_mut().for_each(|hook| cut_text(&mut hook.path, text_bytes));
        self.settings.truncate(keep);
        for one in &mut self.settings {
            cut_text(&mut one.key, text_bytes);
            cut_string(&mut one.scope, text_bytes);
            one.value.iter_mut().for_each(|value| cut_text(value, text_bytes));
        }
        self.changes.truncate(keep);
        for change in &mut self.changes {
            cut_text(&mut change.name, text_bytes);
            for values in [&mut change.before, &mut change.now] {
                values.truncate(keep);
                values.iter_mut().for_each(|value| cut_text(value, text_bytes));
            }
        }
    }
}

impl HookFile {
    /// `ours 0755 <sha256>`, as far as it is known.
    pub fn told(&self) -> Text {
        let mut told = self.kind.name().to_owned();
        if let Some(mode) = &self.mode {
            told.push(' ');
            told.push_str(mode);
        }
        match (&self.sha256, self.kind) {
            (Some(sha256), _) => told.push_str(&format!(" {}", sha256.0)),
            (None, HookKind::None) => {}
            (None, HookKind::Ours | HookKind::Other) => told.push_str(" unreadable"),
        }
        Text::from(told)
    }
}

impl SettingRecord {
    /// The value, and where it stands if that is not the repository's own configuration.
    pub fn told(&self) -> Text {
        let mut told = match &self.value {
            Some(value) => value.0.clone(),
            None if self.withheld => b"a secret".to_vec(),
            None => b"true".to_vec(),
        };
        if self.scope != "local" {
            told.extend_from_slice(format!(" ({})", self.scope).as_bytes());
        }
        Text(told)
    }
}
