//! `portcullis import`: what another system's configuration says, as a policy.
//!
//! For operators who come from gitolite. Writes a policy to standard output and changes nothing;
//! what could not be carried over stands in it as comments.

mod conf;
mod lines;
mod print;
mod refex;
mod regions;
mod vrefs;

use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::import::print::Keys;
use crate::cli::policies;
use crate::cli::quote::shown;
use crate::cli::verb::{Call, Group, Verb};
use crate::names::escape::escape_short;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Import::command, run };

/// How many names of repositories are told at once.
const TOLD_MAX: usize = 20;

/// How long a file with a key may be.
const KEY_BYTES_MAX: usize = 64 * 1024;

/// Write a policy that does what a gitolite configuration does
///
/// The policy goes to standard output; every row that it could not carry stands in it as a comment,
/// with the reason. The exit code is 1 when one of them refuses something that the policy does not.
/// Check it with `portcullis lint`, and see with `portcullis replay` what it would
/// have refused. gitolite goes on saying who may read, and tells the hooks who pushes.
#[derive(Parser, Debug)]
#[command(name = "import")]
struct Import {
    /// What the file is written for
    #[arg(value_name = "SYSTEM", value_parser = ["gitolite"])]
    system: String,

    /// The repository that the policy is for; not needed where the file names one
    #[arg(long, value_name = "NAME")]
    repo: Option<String>,

    /// gitolite's folder of keys: everybody with a key is in [people], with it
    #[arg(long, value_name = "DIR")]
    keydir: Option<PathBuf>,

    /// conf/gitolite.conf; what it includes is read as well
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let import: Import = call.arguments()?;
    let file = call.around.absolute(&import.file)?;
    let lines = lines::read(&file)?;
    let repository = match import.repo {
        Some(name) => name,
        None => only(conf::repositories(&lines))?,
    };
    let conf = conf::read(&lines, &repository);
    if conf.rows.is_empty() {
        let what = format!("no row is about {}", escape_short(repository.as_bytes()));
        return Err(Fault::new(what).hint("--repo NAME takes the name as `repo` lines have it"));
    }
    let keys = match &import.keydir {
        Some(folder) => keys(&call.around.absolute(folder)?)?,
        None => Keys::new(),
    };
    let printed = print::print(&conf, &keys, &repository);
    let made = vec![(PathBuf::from("policy.toml"), printed.policy.clone().into_bytes())];
    let looked = policies::look(&made);
    call.console.data(&printed.policy)?;
    if !looked.is_usable() {
        let what = "a row came to something that no policy may say; what lint says of it:";
        return Err(Fault::new(what).cause(looked.render(false)));
    }
    if printed.left_out > 0 {
        let (rows, open) = (printed.left_out, printed.open);
        call.console.talk(&format!(
            "{rows} rows or lines are not carried, or not quite: see the end of the policy;\n\
             {open} of them refuse something that the policy does not"
        ))?;
    }
    Ok(if printed.open == 0 { Exit::Yes } else { Exit::No })
}

/// The one repository that a file names.
fn only(names: Vec<String>) -> Result<String, Fault> {
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Fault::mistyped("the file names no repository, only patterns: give --repo NAME")),
        many => {
            let told: Vec<&str> = many.iter().take(TOLD_MAX).map(String::as_str).collect();
            let more = if many.len() > TOLD_MAX { ", ..." } else { "" };
            let hint = format!("--repo NAME, one of {}{more}", told.join(", "));
            Err(Fault::mistyped("the file names several repositories").hint(hint))
        }
    }
}

/// The keys in a folder of gitolite's, by whose they are: `sub/alice@laptop.pub` is Alice's.
fn keys(folder: &Path) -> Result<Keys, Fault> {
    let mut keys = Keys::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let could_not = || format!("could not read {}", shown(&folder));
        for entry in std::fs::read_dir(&folder).or_fault(could_not)? {
            let path = entry.or_fault(could_not)?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(user) = name.strip_suffix(".pub").map(owner) else { continue };
            let bytes = files::read_whole(&path, KEY_BYTES_MAX).or_fault(could_not)?;
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            keys.entry(user).or_default().extend(lines.map(|line| line.trim().to_owned()));
        }
    }
    keys.values_mut().for_each(|keys| keys.sort());
    Ok(keys)
}

/// Whose a file is: what stands before an `@` that no full stop follows, as gitolite has it.
fn owner(stem: &str) -> String {
    match stem.rsplit_once('@') {
        Some((user, host)) if !host.contains('.') => user.to_owned(),
        Some(_) | None => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::import::lines::Line;

    /// Rows of whatever may stand in a configuration, sense or nonsense.
    fn row() -> impl Strategy<Value = String> {
        let perm = prop::sample::select(&["-", "RW", "RW+", "RWC", "RW+CD", "RWM", "R", "C"][..]);
        let word = prop::sample::select(
            &[
                "master",
                "master$",
                "dev/",
                "dev/USER/",
                ".*",
                ".*-rc",
                ".*-rc$",
                "v[0-9]",
                "v[0-9]+$",
                "refs/tags/",
                "refs/tags/v.",
                "refs/.*",
                "refs/notes/x",
                "(a|b)/c",
                "(?!x)",
                "",
                "[^/]*/x$",
                "a.*b.*c",
                "VREF/NAME/conf/",
                "NAME/.*[.]pem$",
                "NAME/USER/x/USER/",
                "VREF/COUNT/3",
                "VREF/COUNT/0/NEWFILES",
                "VREF/VOTES/2/master",
                "VREF/MAX_NEWBIN_SIZE/0",
                "refs/approvals/",
                "refs/heads/.*/..",
                ".lock",
                "a//b",
            ][..],
        );
        let user =
            prop::sample::select(&["alice", "Bob.B", "bob.b", "@staff", "@all", "@gone"][..]);
        let words = (prop::collection::vec(word, 0..3), prop::collection::vec(user, 1..3));
        (perm, words, "[ -~]{0,12}").prop_map(|(perm, (words, users), soup)| match soup.len() {
            12 => format!("{perm} {soup} = {}", users.join(" ")),
            _ => format!("{perm} {} = {}", words.join(" "), users.join(" ")),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn whatever_the_rows_are_the_policy_can_be_used(
            rows in prop::collection::vec(row(), 1..8),
        ) {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let lines: Vec<Line> = ["@staff = alice Bob.B carol", "repo r"]
                .into_iter()
                .chain(rows.iter().map(String::as_str))
                .map(|text| Line { at: "x:1".to_owned(), text: words(text) })
                .collect();
            let printed = print::print(&conf::read(&lines, "r"), &Keys::new(), "r");
            let made = vec![(PathBuf::from("policy.toml"), printed.policy.clone().into_bytes())];
            let looked = policies::look(&made);
            prop_assert!(looked.is_usable(), "{}\n{}", printed.policy, looked.render(false));
        }
    }
}
