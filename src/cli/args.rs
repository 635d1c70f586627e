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
  portcullis install --people FILE REPO   hooks, starter policy, log
  portcullis doctor REPO                  is anything in the way?
  portcullis replay REPO                  what would the policy have refused?

First steps with a change:
  portcullis review                       what is missing, who can give it
  portcullis approve COMMIT               say yes, signed with your Git key

Where things are:
  policy  git config portcullis.policy in the repository, or its own
          portcullis/policy.toml
  log     its portcullis/log/, or where install --log-dir put it
  hooks   small files that call this program, and refuse without it

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
        .after_long_help(flow(STORY))
        .subcommands(commands.into_iter().map(|(group, command)| {
            flowing(command).hide(group == Group::Hidden).disable_version_flag(true)
        }))
}

/// The same verb, the text below its options in paragraphs that fill the terminal, however wide it
/// is: clap breaks lines that are too long, and would keep our own breaks beside its own.
fn flowing(command: Command) -> Command {
    let (short, whole) = (command.get_after_help(), command.get_after_long_help());
    let (short, whole) =
        (short.map(|text| flow(&text.to_string())), whole.map(|text| flow(&text.to_string())));
    let command = match short {
        Some(text) => command.after_help(text),
        None => command,
    };
    match whole {
        Some(text) => command.after_long_help(text),
        None => command,
    }
}

/// A text whose paragraphs are one line each. Lines that begin with a blank, and empty ones, stay.
fn flow(text: &str) -> String {
    let mut flowed = String::new();
    let mut is_prose = false;
    for line in text.lines() {
        let continues = is_prose && !line.is_empty() && !line.starts_with(' ');
        if !flowed.is_empty() {
            flowed.push(if continues { ' ' } else { '\n' });
        }
        flowed.push_str(line);
        is_prose = !line.is_empty() && !line.starts_with(' ');
    }
    flowed
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_flow_and_what_is_indented_stays() {
        let text = "one\ntwo\n\nthree:\n  four\n  five\nsix\nseven";
        assert_eq!(flow(text), "one two\n\nthree:\n  four\n  five\nsix seven");
    }
}
