//! The servers that people have, each for real: installed as `docs/servers.md` says it, pushed
//! through by two people, upgraded, uninstalled.
//!
//! The command blocks of that page are what is run here; only their paths lie below a folder of the
//! test's own. sshd, a web server and gitolite are those of Debian. Of Gitea, Forgejo, Soft Serve and
//! GitLab there is what they put between Git and a hook, written anew with the same habits.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files, clock, children")]

#[path = "../it/support/mod.rs"]
#[expect(dead_code, reason = "made for tests/it, which needs more of it")]
mod support;

mod door;
mod folders;
mod gitlab;
mod gitolite;
mod hooks_path;
mod http;
mod leave;
mod listening;
mod page;
mod server;
mod ssh;
mod sshd;
