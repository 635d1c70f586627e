//! Checks of the ways round the gate that the machine leaves open: logins, sshd.
//!
//! Pure over the snapshot. What cannot be read is not complained about: most accounts may not read
//! sshd's configuration.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::look::{Account, SshdLine};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shell_word, shown};
use crate::identity::PLATFORMS;
use crate::names::escape::escape_short;

/// Programs that give nobody a command line.
const HARMLESS: [&str; 4] = ["git-shell", "nologin", "false", "true"];

/// Variables that change what Git or the hooks do; none may come from a client.
const DANGEROUS: [&str; 14] = [
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_PUSH_CERT",
    "GIT_PUSH_CERT_NONCE_STATUS",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "GIT_EXEC_PATH",
    "GIT_OBJECT_DIRECTORY",
    "GIT_CONFIG_GLOBAL",
    "BASH_ENV",
    "HOME",
    "PATH",
    "XDG_CONFIG_HOME",
];

/// Whoever logs in as the repository's owner and gets a shell needs no push.
pub fn login_shell(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(owner) = &snapshot.owner else { return Vec::new() };
    let program = owner.shell.rsplit('/').next().unwrap_or_default();
    if HARMLESS.contains(&program) {
        return Vec::new();
    }
    let name = escape_short(owner.name.as_bytes());
    let what = format!("the repository's owner {name} can log in to a shell");
    let why = "with a shell, `git push --receive-pack='git -c core.hooksPath=/dev/null receive-pack'` \
               runs no hook; keys without a forced command give one";
    let command =
        format!("chsh -s \"$(command -v git-shell)\" {}", shell_word(owner.name.as_bytes()));
    // A person's own account, or root: there it cannot be taken away, only known.
    let level = if snapshot.account == 0 || snapshot.site.git_dir.starts_with("/home") {
        Level::Note
    } else {
        Level::Warning
    };
    vec![Finding::new(level, "login-shell", what, why).mend(command)]
}

/// Who is in the group that may write the repository needs no push either, where they have a shell.
pub fn group_shells(snapshot: &Snapshot) -> Vec<Finding> {
    let names: Vec<String> = with_shells(&snapshot.group);
    let Some(first) = names.first() else { return Vec::new() };
    let more = match names.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what =
        format!("{first}{more} can log in to a shell, in the group that may write the repository");
    let why = "to them the gate is advice: they can change refs, hooks and the log by hand";
    let dir = shell(&snapshot.site.git_dir);
    let finding = Finding::new(Level::Warning, "group-shells", what, why);
    vec![finding.mend(format!("chmod -R g-w {dir} # where one account serves all pushes"))]
}

fn with_shells(accounts: &[Account]) -> Vec<String> {
    let gives_a_shell = |account: &&Account| {
        let program = account.shell.rsplit('/').next().unwrap_or_default();
        !HARMLESS.contains(&program)
    };
    let named = accounts.iter().filter(gives_a_shell);
    named.map(|account| escape_short(account.name.as_bytes())).collect()
}

/// sshd lets clients set variables that Git obeys.
pub fn client_variables(snapshot: &Snapshot) -> Vec<Finding> {
    snapshot.sshd.iter().filter_map(client_variable).collect()
}

fn client_variable(line: &SshdLine) -> Option<Finding> {
    let why = "a client can switch the hooks off with GIT_CONFIG_COUNT and its kin";
    let place = shown(std::path::Path::new(&line.place));
    match line.keyword.as_str() {
        "acceptenv" => {
            let accepts = |name: &str| line.value.split_whitespace().find(|one| glob(one, name));
            let dangerous = DANGEROUS.iter().find_map(|name| accepts(name)).map(|one| (one, why));
            let naming = || PLATFORMS.iter().find_map(|platform| accepts(platform.source));
            let (pattern, why) = dangerous.or_else(|| {
                Some((naming()?, "a client can say who it is in a platform's variables"))
            })?;
            let what = format!("sshd accepts `{}` from clients", escape_short(pattern.as_bytes()));
            let finding = Finding::new(Level::Error, "sshd-accept-env", what, why);
            Some(finding.mend(format!("{place}: AcceptEnv LANG LC_* GIT_PROTOCOL")))
        }
        "permituserenvironment" if !line.value.eq_ignore_ascii_case("no") => {
            let what = "sshd reads variables from the accounts' own files";
            let why = "whoever can write ~/.ssh/environment can switch the hooks off";
            let finding = Finding::new(Level::Warning, "sshd-user-environment", what, why);
            Some(finding.mend(format!("{place}: PermitUserEnvironment no")))
        }
        _ => None,
    }
}

/// Whether a pattern with `*` and `?` matches a whole name (ssh_config(5), PATTERNS). A star is
/// tried from its last place on, so that the work stays within pattern times name.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&b) if b == b'?' || b == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::look::sshd_lines;

    fn checks(text: &str) -> Vec<&'static str> {
        sshd_lines("f", text).iter().filter_map(client_variable).map(|f| f.check).collect()
    }

    #[test]
    fn a_client_may_send_its_language_but_not_gits_configuration() {
        assert!(checks("AcceptEnv LANG LC_* GIT_PROTOCOL\n").is_empty());
        assert_eq!(checks("AcceptEnv GIT_*\n"), ["sshd-accept-env"]);
        assert_eq!(checks("acceptenv LANG *\n"), ["sshd-accept-env"]);
        assert_eq!(checks("AcceptEnv GIT_CONFIG_????T\n"), ["sshd-accept-env"]);
        assert_eq!(checks("AcceptEnv LANG GL_*\n"), ["sshd-accept-env"]);
    }

    #[test]
    fn variables_from_the_account_are_a_warning() {
        assert!(checks("PermitUserEnvironment no\n").is_empty());
        assert_eq!(checks("PermitUserEnvironment yes\n"), ["sshd-user-environment"]);
    }
}
