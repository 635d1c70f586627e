//! What new repositories begin with: a template for `git init`, or a folder of hooks that many
//! repositories share.
//!
//! Used by `install --template` and `--global`, and by `uninstall` of the same. Nothing here is about
//! a repository that is there.

use std::path::{Path, PathBuf};

use crate::cli::configfile::{self, Change};
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::git::Git;
use crate::cli::hookfile::{self, Restored};
use crate::cli::install::keys::hook_names;
use crate::cli::install::prepare::{Desk, hook_steps, hooks_of};
use crate::cli::io::Tone;
use crate::cli::newborn;
use crate::cli::platform::{EARLIER_SUFFIX, Layout, PLATFORMS, Place, Platform};
use crate::cli::policies;
use crate::cli::quote::{shell, shown};
use crate::cli::shim::Hook;
use crate::cli::site::{
    FOLDER, KEY_HOOKS, KEY_LEVEL, KEY_LOG_DIR, KEY_POLICY, KEY_RESTORE, LEVEL_WARN, PUSH_OPTIONS,
};
use crate::cli::verb::Call;

/// What stands in the mark, for whoever finds it.
const MARK: &str = "This repository was made from a template of portcullis. Its first push gives it an \
                    id and a log,\nand takes this file away.\n";

/// Writes a template folder for new repositories.
pub fn template(call: &mut Call<'_>, desk: &Desk<'_>, dir: &Path) -> Result<Exit, Fault> {
    let install = desk.install;
    let dir = desk.around.absolute(dir)?;
    let platform = platform(install.platform.as_deref())?;
    if platform.layout != Layout::Single {
        let text = format!("{} does not run the hooks of a template", platform.name);
        return Err(Fault::mistyped(text).hint("portcullis install --recursive DIR finds new ones"));
    }
    let hooks = hooks_of(install, platform, "")?;
    let paths = policies::places(desk.around, &install.policy)?;
    let policy = desk.shelf.policy(&paths)?;
    let typed = install.log_dir.as_deref().map(|dir| desk.around.absolute(dir)).transpose()?;
    let log_dir = typed.or(policy.log_dir.clone());
    let one = |value: &str| vec![value.into()];
    let all = |values: Vec<PathBuf>| values.into_iter().map(PathBuf::into_os_string).collect();
    let changes = [
        Change { key: KEY_POLICY, values: all(paths) },
        Change { key: KEY_HOOKS, values: one(&hook_names(&hooks)) },
        Change { key: KEY_LOG_DIR, values: all(log_dir.into_iter().collect()) },
        Change {
            key: KEY_LEVEL,
            values: if install.enforce { Vec::new() } else { one(LEVEL_WARN) },
        },
        Change { key: KEY_RESTORE, values: one(PUSH_OPTIONS) },
        Change { key: PUSH_OPTIONS, values: one("true") },
    ];
    let steps = hook_steps(desk.around, places(&dir.join("hooks"), &hooks).into_iter())?;
    if !install.dry_run {
        let could_not = || format!("could not write the template {}", shown(&dir));
        files::make_folders(&dir.join(FOLDER), 0o755).or_fault(could_not)?;
        if !dir.join("config").exists() {
            files::write_whole(&dir.join("config"), b"", 0o644).or_fault(could_not)?;
        }
        desk.git.configure(&dir, &changes)?;
        steps.iter().try_for_each(|step| step.write(Durable::AtOnce))?;
        // Last: without it a repository refuses every push, and says so.
        files::write_whole(&newborn::mark(&dir), MARK.as_bytes(), 0o644).or_fault(could_not)?;
    }
    for step in &steps {
        call.console.talk(&format!("  {}", step.describe()))?;
    }
    let warn = if install.enforce { "" } else { ", with warnings until --enforce" };
    let text = format!(
        "{} makes repositories that are judged from their first push on{warn}",
        shown(&dir)
    );
    call.console.talk_lines(Tone::Success, &text)?;
    let text = format!(
        "as the account that makes repositories: git config --global init.templateDir {}",
        shell(&dir)
    );
    call.console.talk_lines(Tone::Hint, &text).map(|()| Exit::Yes)
}

/// Writes our hooks into a folder that many repositories share.
pub fn global(call: &mut Call<'_>, desk: &Desk<'_>, dir: &Path) -> Result<Exit, Fault> {
    let dir = desk.around.absolute(dir)?;
    let platform = platform(desk.install.platform.as_deref())?;
    let next = match platform.layout {
        Layout::Single => format!("git config --global core.hooksPath {}", shell(&dir)),
        Layout::Common => "gitolite setup --hooks-only".to_owned(),
        Layout::Elsewhere => format!("gitaly: custom_hooks_dir = {}, on every node", shell(&dir)),
        Layout::Folders | Layout::CustomHooks => {
            let text = format!("{} runs hooks from each repository", platform.name);
            return Err(Fault::mistyped(text)
                .hint("portcullis install --recursive DIR finds new repositories too"));
        }
    };
    let hooks = hooks_of(desk.install, platform, "")?;
    let places = match platform.layout {
        Layout::Elsewhere => folder_places(&dir, &hooks),
        Layout::Single | Layout::Common | Layout::Folders | Layout::CustomHooks => {
            places(&dir, &hooks)
        }
    };
    let steps = hook_steps(desk.around, places.into_iter())?;
    for step in &steps {
        call.console.talk(&format!("  {}", step.describe()))?;
        if !desk.install.dry_run {
            step.write(Durable::AtOnce)?;
        }
    }
    call.console.talk_lines(Tone::Success, &format!("our hooks are in {}", shown(&dir)))?;
    call.console.talk_lines(Tone::Hint, &format!("as the account that serves pushes: {next}"))?;
    let text = "a push to a repository in which nobody ran `portcullis install` is then refused";
    call.console.talk_lines(Tone::Warning, text).map(|()| Exit::Yes)
}

/// Takes our hooks out of a template or a shared folder, and the mark and our keys with them.
pub fn remove(call: &mut Call<'_>, git: &Git, dir: &Path) -> Result<Exit, Fault> {
    let dir = call.around.absolute(dir)?;
    let could_not = || format!("could not change {}", shown(&dir));
    let mark = newborn::mark(&dir);
    let is_template = mark.is_file();
    let hooks = if is_template { dir.join("hooks") } else { dir.clone() };
    let all = places(&hooks, &Hook::ALL).into_iter().chain(folder_places(&hooks, &Hook::ALL));
    for place in all {
        match hookfile::restore(&place)? {
            Restored::Nothing | Restored::LeftForeign => {}
            Restored::Removed => call.console.talk(&format!("removed {}", shown(&place.path)))?,
            Restored::Earlier => call.console.talk(&format!("put back {}", shown(&place.path)))?,
        }
    }
    if is_template {
        let keys = [KEY_POLICY, KEY_HOOKS, KEY_LOG_DIR, KEY_LEVEL, KEY_RESTORE, PUSH_OPTIONS];
        let is_set = |key: &&str| configfile::has(&dir.join("config"), key);
        let gone = |key| Change { key, values: Vec::new() };
        let changes: Vec<Change> = keys.into_iter().filter(is_set).map(gone).collect();
        git.configure(&dir, &changes)?;
        files::remove(&mark).or_fault(could_not)?;
    }
    let text = format!("{} no longer has our hooks", shown(&dir));
    call.console.talk_lines(Tone::Success, &text).map(|()| Exit::Yes)
}

fn platform(name: Option<&str>) -> Result<&'static Platform, Fault> {
    name.map_or(Ok(&PLATFORMS[0]), Platform::named)
}

fn places(dir: &Path, hooks: &[Hook]) -> Vec<Place> {
    let place = |&hook: &Hook| Place {
        hook,
        path: dir.join(hook.name()),
        earlier: Some(dir.join(format!("{}{EARLIER_SUFFIX}", hook.name()))),
    };
    hooks.iter().map(place).collect()
}

/// As `places`, in folders `HOOK.d` where others' files stand side by side with ours.
fn folder_places(dir: &Path, hooks: &[Hook]) -> Vec<Place> {
    let place = |&hook: &Hook| Place {
        hook,
        path: dir.join(format!("{}.d", hook.name())).join("portcullis"),
        earlier: None,
    };
    hooks.iter().map(place).collect()
}
