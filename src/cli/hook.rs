//! `portcullis hook`: what the hook files call. Hidden: only Git calls it.
//!
//! A hook file names the program as its interpreter where it can (`hook=NAME`, one word, as the
//! kernel passes all that stands behind the interpreter's path as one argument: execve(2)); its
//! body, for a shell, calls the verb.
//!
//! Starts the clock, runs the hook, lets an earlier hook have its say after a yes, and prints
//! last, when nothing is locked any more.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser, ValueEnum};

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Console;
use crate::cli::newborn;
use crate::cli::noticed;
use crate::cli::shim;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::{Call, Group, Verb};
use crate::hook::answer::Answer;
use crate::hook::bench::Input;
use crate::hook::fault::Stop;
use crate::hook::stdin::{STDIN_BYTES_MAX, Stdin};
use crate::hook::tell::tell;
use crate::hook::world::World;
use crate::hook::{deadline, earlier, journal, notify, post, pre_receive, slip, update};
use crate::push::env::Env;
use crate::verdict::line::Line;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Hidden, command: Hook::command, run };

/// How a line begins that GitLab's pages show.
const GITLAB_PAGE: &str = "GL-HOOK-ERR: ";

/// Run as a hook of Git
#[derive(Parser, Debug)]
#[command(name = "hook", disable_help_flag = true)]
struct Hook {
    /// The file that Git runs, as Git calls it
    #[arg(long, value_name = "FILE")]
    at: Option<PathBuf>,
    /// The hook
    #[arg(value_name = "HOOK", value_enum)]
    name: Name,
    /// What Git gives the hook
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    PreReceive,
    Update,
    PostReceive,
    /// No hook: what tells of a push when it is over
    Notify,
}

impl Name {
    const fn file(self) -> &'static str {
        match self {
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
            Self::PostReceive => "post-receive",
            Self::Notify => "notify",
        }
    }
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    serve(call.arguments()?, call.around, call.console)
}

/// Runs the hook if a hook file called us as its interpreter. A push waits for the start of its
/// hooks: this way has neither a shell nor the command line of all verbs in it.
pub fn interpreted(around: &Surroundings, console: &mut Console) -> Option<Result<Exit, Fault>> {
    let [_, word, at, args @ ..] = around.arguments.as_slice() else { return None };
    let name = match shim::Hook::called(word)? {
        shim::Hook::PreReceive => Name::PreReceive,
        shim::Hook::Update => Name::Update,
        shim::Hook::PostReceive => Name::PostReceive,
    };
    let hook = Hook { at: Some(PathBuf::from(at)), name, args: args.to_vec() };
    Some(serve(hook, around, console))
}

fn serve(hook: Hook, around: &Surroundings, console: &mut Console) -> Result<Exit, Fault> {
    // A bug is told by the answer; the runtime's own report is not for a pusher's eyes.
    std::panic::set_hook(Box::new(|_| {}));
    if let (Name::Notify, [git_dir]) = (hook.name, hook.args.as_slice()) {
        notify::tell(Path::new(git_dir));
        return Ok(Exit::Yes);
    }
    let args: Vec<Vec<u8>> = hook.args.iter().cloned().map(OsString::into_vec).collect();
    if matches!(hook.name, Name::Update) && slipped(around, &hook, &args) {
        return Ok(Exit::Yes);
    }
    answer(&hook, &args, around, console)
}

fn answer(
    hook: &Hook,
    args: &[Vec<u8>],
    around: &Surroundings,
    console: &mut Console,
) -> Result<Exit, Fault> {
    // Until all is said: an earlier hook and a pipe that nobody empties take time too.
    let deadline = match hook.name {
        Name::PreReceive | Name::Update => Some(deadline::start()),
        Name::PostReceive | Name::Notify => None,
    };
    let stdin = match hook.name {
        Name::PreReceive | Name::PostReceive => Stdin::new(std::io::stdin()),
        Name::Update | Name::Notify => Stdin::new(std::io::empty()),
    };
    let directory = around.directory.clone().unwrap_or_else(|| Path::new("/").to_owned());
    let input = Input {
        env: &around.environment,
        directory: &directory,
        args,
        stdin: &stdin,
        deadline: deadline.as_ref(),
        moment: around.now,
    };
    let answer = match hook.name {
        Name::PreReceive => settled(&input).unwrap_or_else(|| pre_receive(&input)),
        Name::Update => settled(&input).unwrap_or_else(|| updated(&input, hook)),
        Name::PostReceive => return post_receive(around, console, &input, hook.at.as_deref()),
        // Without its one argument it was called by nobody of ours.
        Name::Notify => return Ok(Exit::Mistyped),
    };
    let told = answer.notify().map(Path::to_owned);
    let (code, text) = heard(&input, hook.name, hook.at.as_deref(), answer);
    match code {
        0 => tell(&text),
        _ => tell(&for_reader(input.env, text)),
    }
    if let Some(deadline) = deadline {
        deadline.call_off();
    }
    if let Some(git_dir) = told.filter(|_| code != 0) {
        notify::start(around.executable.as_deref(), &git_dir);
    }
    Ok(match code {
        0 => Exit::Yes,
        1 => Exit::No,
        _ => Exit::CouldNot,
    })
}

/// Gives a repository that was made from a template what it lacks. What was said where that failed.
fn settled(input: &Input<'_>) -> Option<Answer> {
    let settled = newborn::settle(input.env, input.directory, input.moment);
    settled.err().map(|stop| unsettled(&stop))
}

/// The answer to one ref: that of this push, where `pre-receive` has left it.
fn updated(input: &Input<'_>, hook: &Hook) -> Answer {
    // An earlier hook would need the deadline that the policy says.
    let decided = if is_alone(input, hook) { update::decided(input) } else { None };
    decided.unwrap_or_else(|| update(input))
}

/// Whether this is an `update` that `pre-receive` has left a yes for, and no other hook has its say.
/// Git waits for one after the other of them: nothing is begun here that this answer does not need.
fn slipped(around: &Surroundings, hook: &Hook, args: &[Vec<u8>]) -> bool {
    let directory = around.directory.clone().unwrap_or_else(|| Path::new("/").to_owned());
    let input = Input {
        env: &around.environment,
        directory: &directory,
        args,
        stdin: &Stdin::new(std::io::empty()),
        deadline: None,
        moment: around.now,
    };
    is_alone(&input, hook) && slip::says_yes(&input)
}

/// Whether no hook that was there before ours has its say as well.
fn is_alone(input: &Input<'_>, hook: &Hook) -> bool {
    let dir = hooks_dir(input, hook.name, hook.at.as_deref());
    dir.is_some_and(|dir| earlier::there(&dir, hook.name.file()).is_none())
}

/// A refusal as whoever caused it will read it. GitLab's pages show no line of a hook but those
/// that begin in one way ("Git server hooks", custom error messages).
fn for_reader(env: &Env, text: String) -> String {
    match env.text("GL_PROTOCOL") {
        Some("web") => text.lines().map(|line| format!("{GITLAB_PAGE}{line}\n")).collect(),
        Some(_) | None => text,
    }
}

/// The answer in a new repository that could not be set up: there is no log that could tell it.
fn unsettled(stop: &Stop) -> Answer {
    tracing::warn!(reason = %stop.reason, "new repository");
    let text =
        crate::message::pusher::fault(std::slice::from_ref(&stop.told), stop.again(), None, None);
    Answer::stopped(stop, text)
}

/// The answer after the earlier hook has had its say.
fn heard(input: &Input<'_>, name: Name, at: Option<&Path>, answer: Answer) -> (u8, String) {
    if answer.code() != 0 {
        return (answer.code(), answer.text().to_owned());
    }
    let earlier = match answer.hooks_dir() {
        Some(dir) => {
            let dir = hooks_dir(input, name, at).unwrap_or_else(|| dir.to_owned());
            earlier::run(&dir, name.file(), input.args, input.stdin.some(STDIN_BYTES_MAX))
        }
        None => Ok(None),
    };
    match earlier {
        Ok(None | Some(0)) => (0, answer.text().to_owned()),
        Ok(Some(_)) => {
            let line = "error: another hook of this server refused what portcullis had accepted\n";
            (1, line.to_owned())
        }
        Err(stop) => {
            let lines = [stop.told.clone()];
            (stop.code(), crate::message::pusher::fault(&lines, stop.again(), None, None))
        }
    }
}

/// The folder that Git took this hook from, which may be one that many repositories share. `None`:
/// Git ran another file, which runs ours.
fn hooks_dir(input: &Input<'_>, name: Name, at: Option<&Path>) -> Option<PathBuf> {
    let at = at.filter(|at| at.file_name().is_some_and(|file| file == name.file()))?;
    Some(input.directory.join(at.parent()?))
}

fn after_outcomes(input: &Input<'_>, at: Option<&Path>) -> Result<Option<u8>, Stop> {
    let name = Name::PostReceive;
    let dir = match hooks_dir(input, name, at) {
        Some(dir) => dir,
        None => World::find(input.env, input.directory)?.hooks_dir(),
    };
    earlier::run(&dir, name.file(), input.args, input.stdin.some(STDIN_BYTES_MAX))
}

/// Records outcomes. Nothing can be refused any more, so a fault is told and changes nothing.
fn post_receive(
    around: &Surroundings,
    console: &mut Console,
    input: &Input<'_>,
    at: Option<&Path>,
) -> Result<Exit, Fault> {
    let (world, stopped) = match World::find(input.env, input.directory) {
        Ok(world) => {
            let recorded = post::post_receive(&world, input, around.executable.as_deref());
            (Some(world), recorded.err())
        }
        Err(stop) => (None, Some(stop)),
    };
    if let Some(stop) = stopped {
        let line = Line::new("warning: the outcome of this push will be logged by the next one");
        console.talk(&line.show())?;
        world.iter().for_each(journal::listen_late);
        tracing::warn!(reason = %stop.reason, "post-receive");
    }
    let exit = match after_outcomes(input, at) {
        Ok(None | Some(0)) => Exit::Yes,
        Ok(Some(_)) => Exit::No,
        Err(_) => Exit::CouldNot,
    };
    if let Some(world) = &world
        && let Err(fault) = noticed::after_push(around, world, input, at)
    {
        // `log drift` looks too, and tells.
        journal::listen_late(world);
        tracing::warn!(reason = %fault, "hooks and settings were not looked at");
    }
    Ok(exit)
}
