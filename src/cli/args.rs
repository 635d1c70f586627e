//! The command line as a whole, built from the table of verbs.
//!
//! Used by `cli::run`, by `completions` and by `man`, so that all three know the same verbs. The
//! arguments of a verb stand in the verb's own file.

use clap::{Arg, ArgAction, Command};

use crate::cli::verb::{Group, Verb};
use crate::cli::version;

/// The whole story of `--help`, after the verbs.
const STORY: &str = "\
Portcullis runs inside `git push`, on the server. It holds every push against a policy, refuses
direct commits to protected branches and unreviewed changes to infrastructure, and writes each
decision to a log before it answers. It needs no daemon, no database and no network.

First steps on a server:
  portcullis install --people allowed_signers REPO    hooks, starter policy, log
  portcullis doctor REPO                              is anything in the way?
  portcullis replay REPO                              what would the policy have refused?

First steps with a change:
  portcullis review                                   what is missing, who can give it
  portcullis approve COMMIT                           say yes, signed with your Git signing key

Where things are:
  policy        `git config portcullis.policy` in the repository, else portcullis/policy.toml in it
  log           portcullis/log/ in the repository, or where `install --log-dir` put it
  hooks         small files that call this program and refuse every push when it is missing

Exit codes:
  0  yes: done, accepted, nothing wrong
  1  no: refused, problems found, the log is broken
  2  the command line was mistyped
  3  it could not be done; the reason is on standard error

`portcullis explain` tells about rule kinds and ideas, `portcullis VERB --help` about a verb.";

/// The command line of the whole program.
pub fn command(verbs: &'static [&'static Verb]) -> Command {
    let commands: Vec<(Group, Command)> =
        verbs.iter().map(|verb| (verb.group, (verb.command)())).collect();
    let template = template(&commands);
    Command::new("portcullis")
        .version(version::SHORT.as_str())
        .long_version(version::LONG.as_str())
        .about("A Git server's gate: judges every push by a policy, and keeps a log that proves itself")
        .override_usage("portcullis VERB [ARGUMENTS]")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .long("version")
                .short('V')
                .action(ArgAction::Version)
                .help("Show the version: -V in one line, --version with all that is linked in"),
        )
        .arg(
            Arg::new("trace")
                .long("trace")
                .action(ArgAction::SetTrue)
                .help("Tell on standard error what is being done"),
        )
        .help_template(template)
        .after_help("`--help` tells the whole story, `portcullis VERB -h` the options of a verb.")
        .after_long_help(STORY)
        .subcommands(commands.into_iter().map(|(group, command)| {
            command.hide(group == Group::Hidden).disable_version_flag(true)
        }))
}

/// The help's shape: the verbs in their groups, one line each.
fn template(commands: &[(Group, Command)]) -> String {
    let width = commands.iter().map(|(_, c)| c.get_name().len()).max().unwrap_or(0);
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n");
    for group in Group::SHOWN {
        let rows: Vec<&Command> =
            commands.iter().filter(|(of, _)| *of == group).map(|(_, c)| c).collect();
        if rows.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}:\n", group.heading()));
        for row in rows {
            let about = row.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:width$}  {about}\n", row.get_name()));
        }
    }
    text.push_str("\nOptions:\n{options}{after-help}");
    text
}
