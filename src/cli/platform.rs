//! Where the hooks of each Git server go.
//!
//! Used by `install`, `uninstall` and `doctor`. Who pushes on which platform is not here but in the
//! policy's `[identity]`.

use std::path::PathBuf;

use crate::cli::fault::Fault;
use crate::cli::shim::Hook;
use crate::cli::site::{KEY_PLATFORM, Site};

/// How a Git server finds its hooks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// One file a hook, in the folder that Git itself looks in.
    Single,
    /// `hooks/HOOK.d/*`, run by the server's own `hooks/HOOK`.
    Folders,
    /// `custom_hooks/HOOK.d/*`, run by Gitaly.
    CustomHooks,
    /// Files that the server links into each repository from one common folder. Nothing is put into
    /// the repository itself.
    Common,
    /// One common folder that only the server knows. Nothing is put into the repository itself.
    Elsewhere,
}

/// A Git server's software.
#[derive(Debug)]
pub struct Platform {
    /// What `--platform` and the configuration call it.
    pub name: &'static str,
    /// Where its hooks go.
    pub layout: Layout,
    /// What the policy's `[identity] platform` calls it; `None`: plain doors.
    pub identity: Option<&'static str>,
    /// The hooks that are ours to use there.
    pub hooks: &'static [Hook],
    /// How our hooks get into the one folder for all, where there is one.
    pub common: Option<&'static str>,
}

/// Every platform. `plain` is what `git init --bare` and ssh, or a web server, make.
pub static PLATFORMS: &[Platform] = &[
    Platform {
        name: "plain",
        layout: Layout::Single,
        identity: None,
        hooks: &Hook::ALL,
        common: None,
    },
    Platform {
        name: "gitea",
        layout: Layout::Folders,
        identity: Some("gitea"),
        hooks: &Hook::ALL,
        common: None,
    },
    Platform {
        name: "forgejo",
        layout: Layout::Folders,
        identity: Some("gitea"),
        hooks: &Hook::ALL,
        common: None,
    },
    Platform {
        name: "soft-serve",
        layout: Layout::Folders,
        identity: Some("soft-serve"),
        hooks: &Hook::ALL,
        common: None,
    },
    Platform {
        name: "gitlab",
        layout: Layout::CustomHooks,
        identity: Some("gitlab"),
        hooks: &Hook::ALL,
        common: None,
    },
    Platform {
        name: "gitlab-global",
        layout: Layout::Elsewhere,
        identity: Some("gitlab"),
        hooks: &Hook::ALL,
        common: Some("portcullis install --platform gitlab-global --global CUSTOM_HOOKS_DIR"),
    },
    Platform {
        name: "gitolite",
        layout: Layout::Common,
        identity: Some("gitolite"),
        // gitolite keeps `update` for itself.
        hooks: &[Hook::PreReceive, Hook::PostReceive],
        common: Some(
            "portcullis install --platform gitolite --global LOCAL_CODE/hooks/common\n\
             gitolite setup --hooks-only",
        ),
    },
];

/// The file of one hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which hook it is.
    pub hook: Hook,
    /// The file.
    pub path: PathBuf,
    /// Where an earlier hook is kept; `None` where files stand side by side.
    pub earlier: Option<PathBuf>,
}

impl Platform {
    /// The platform that a repository was installed for; `plain` when nothing says.
    pub fn of(site: &Site) -> Result<&'static Self, Fault> {
        site.config.local_text(KEY_PLATFORM).map_or(Ok(&PLATFORMS[0]), Self::named)
    }

    /// The platform of this name.
    pub fn named(name: &str) -> Result<&'static Self, Fault> {
        PLATFORMS.iter().find(|platform| platform.name == name).ok_or_else(|| {
            let known: Vec<&str> = PLATFORMS.iter().map(|platform| platform.name).collect();
            Fault::mistyped(format!("there is no platform `{}`", name.escape_debug()))
                .hint(format!("known platforms: {}", known.join(", ")))
        })
    }

    /// Where the file of this hook goes in this repository.
    pub fn place(&self, site: &Site, hook: Hook) -> Place {
        let name = hook.name();
        let in_folder = |folder: PathBuf| folder.join(format!("{name}.d")).join("portcullis");
        let path = match self.layout {
            Layout::Single => site.hooks_dir.join(name),
            Layout::Folders => in_folder(site.git_dir.join("hooks")),
            Layout::CustomHooks => in_folder(site.git_dir.join("custom_hooks")),
            Layout::Common | Layout::Elsewhere => site.folder().join("hooks").join(name),
        };
        let earlier = match self.layout {
            Layout::Single => Some(site.hooks_dir.join(format!("{name}{EARLIER_SUFFIX}"))),
            Layout::Folders | Layout::CustomHooks | Layout::Common | Layout::Elsewhere => None,
        };
        Place { hook, path, earlier }
    }

    /// The server's own file that has to run ours, or has to be ours (`Layout::Common`), where Git
    /// knows of one.
    pub fn runner(&self, site: &Site, hook: Hook) -> Option<PathBuf> {
        match self.layout {
            Layout::Folders => Some(site.git_dir.join("hooks").join(hook.name())),
            Layout::Common => Some(site.hooks_dir.join(hook.name())),
            Layout::Single | Layout::CustomHooks | Layout::Elsewhere => None,
        }
    }
}

/// What is put behind the name of a hook that was there before ours.
pub const EARLIER_SUFFIX: &str = ".before-portcullis";
