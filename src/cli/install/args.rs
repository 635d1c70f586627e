//! The arguments of `install`.

use std::path::PathBuf;

use clap::Parser;

/// Put the gate into a repository: hooks, policy, log
///
/// Writes the three hooks, points the repository to its policy and begins its log. Everything is
/// looked at first; nothing is changed while something is in the way. A hook that is there already
/// is kept as HOOK.before-portcullis and runs after ours has accepted. Running it again changes
/// nothing, or what the new options ask for. `portcullis uninstall` puts everything back.
#[derive(Parser, Debug)]
#[command(name = "install", after_long_help = EXAMPLES)]
pub struct Install {
    /// The policy to judge by; referred to, not copied. Several must all be satisfied
    ///
    /// Without it, and where there is none yet, a starter policy is written that protects the
    /// default branch and all infrastructure kinds. Where there is a policy, the difference is shown
    /// and the new one takes its place.
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,

    /// The Git server's software: plain, gitea, forgejo, soft-serve, gitlab, gitolite
    ///
    /// gitlab-global: hooks for all projects, in custom_hooks_dir. There and with gitolite the files
    /// are put into the repository's folder `portcullis/hooks`, to be copied from there.
    #[arg(long, value_name = "NAME")]
    pub platform: Option<String>,

    /// The people of a starter policy: an allowed_signers file, an authorized_keys file, NAME=KEYFILE
    ///
    /// May be given several times. NAME=KEYFILE names one person and the file with their public
    /// keys; in the other two files names are taken from what stands before the @.
    #[arg(long, value_name = "FROM")]
    pub people: Vec<PathBuf>,

    /// Which hooks to install, with commas between
    ///
    /// The default is all of pre-receive, update and post-receive that the platform leaves to us. One
    /// of pre-receive and update is needed: they are what refuses.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub hooks: Vec<String>,

    /// Keep the log here, in a folder named after the repository's id
    ///
    /// The default is inside the repository. A place that the forge's delete button does not reach
    /// is better.
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<PathBuf>,

    /// Keep the log on a network file system all the same
    ///
    /// NFS, SMB and the like simulate appending and locking: two machines that write at once tear each
    /// other's lines. Only for a place that one machine alone writes to.
    #[arg(long)]
    pub network_log: bool,

    /// Give the log's files the append-only attribute (chattr +a), as root
    ///
    /// Then nobody changes or removes what is written, root neither, before they take the attribute
    /// away again. Only some file systems have it: ext4, XFS, Btrfs. The account that pushes run as
    /// may not give it to the files that the log goes on in: let root's timer run this again, which
    /// then changes nothing else. Such files are not packed.
    #[arg(long)]
    pub append_only: bool,

    /// Every bare repository below this folder too
    ///
    /// What is found and was never installed begins with warnings: everything is judged, told and
    /// logged, and rules refuse nothing until `--enforce`. Mirrors, working trees and symbolic links
    /// are passed by and named. All are looked at before the first is changed; what could not be done
    /// is told at the end, and the others are done. May be run again, by a timer say.
    #[arg(long, value_name = "DIR")]
    pub recursive: Vec<PathBuf>,

    /// Write a template for new repositories: hooks, policy, and a mark
    ///
    /// For `git config --global init.templateDir DIR`. A repository that `git init` makes from it is
    /// judged from its first push on, which gives it an id and a log. Wants --policy.
    #[arg(long, value_name = "DIR", requires = "policy")]
    #[arg(conflicts_with_all = ["repos", "recursive", "global", "people", "append_only", "network_log"])]
    pub template: Option<PathBuf>,

    /// Write the hooks into a folder that many repositories share
    ///
    /// For `git config --global core.hooksPath DIR`, or gitolite's LOCAL_CODE/hooks/common with
    /// `--platform gitolite`. A push to a repository in which nobody has run `install` is refused.
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["repos", "recursive", "people", "policy", "append_only", "network_log"])]
    pub global: Option<PathBuf>,

    /// Let rules refuse: in what is found with --recursive, or was installed with warnings only
    ///
    /// Of a starter policy: even the approval rule that has a single reviewer.
    #[arg(long)]
    pub enforce: bool,

    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,

    /// The repositories: bare, or with a .git in them
    #[arg(value_name = "REPO", required_unless_present_any = ["recursive", "template", "global"])]
    pub repos: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  portcullis install --people ~git/.ssh/authorized_keys /srv/git/infra.git
  portcullis install --people alice=alice.pub --people bob=bob.pub /srv/git/infra.git
  portcullis install --policy /etc/portcullis/policy.toml --log-dir /var/log/portcullis /srv/git/*.git
  portcullis install --platform gitea --policy /etc/portcullis/policy.toml /data/git/acme/infra.git
  portcullis install --recursive /srv/git --policy /etc/portcullis/policy.toml             warn first
  portcullis install --recursive /srv/git --enforce                                 then let it bite
  portcullis install --recursive /srv/git --policy /etc/portcullis/new.toml --dry-run         a swap
  portcullis install --template /etc/portcullis/template --policy /etc/portcullis/policy.toml";
