//! `run`: a command of the operator's own has looked at what lands, and found nothing.

use crate::facts::landing::Step;
use crate::facts::needs::Needs;
use crate::facts::run::{Ended, RunSeen};
use crate::names::escape::escape;
use crate::names::path::RepoPath;
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, RunAsk, Shape};
use crate::rules::scope::{Scope, Unnamed, infra_kind_names};
use crate::rules::view::View;
use crate::source::duration;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// How long a command may take without a word, in seconds.
const TIMEOUT_SECONDS: u64 = 10;

/// How much memory each of its processes may take without a word, in MiB; and with one.
const MEMORY_MIB: u64 = 4096;
const MEMORY_MIB_MAX: u64 = 1024 * 1024;

/// How many words a command may have.
const WORDS_MAX: usize = 64;

/// How much of what it wrote is told: lines, and characters of each.
const LINES_TOLD_MAX: usize = 20;
const CHARS_TOLD_MAX: usize = 160;

/// What stands behind `kind =`.
pub const NAME: &str = "run";

/// The kind.
pub static KIND: Kind = Kind {
    name: NAME,
    summary: "a command of yours, given the facts and the new tree, exits 0 in time",
    explain: EXPLAIN,
    keys: &[
        KeyDoc {
            name: "command",
            shape: Shape::Names,
            default: None,
            required: true,
            doc: "the program and its arguments, without a shell: a full path, or a name that is \
                  looked for in /usr/local/bin, /usr/bin and /bin",
        },
        KeyDoc {
            name: "timeout",
            shape: Shape::Duration,
            default: Some("\"10s\""),
            required: false,
            doc: "how long it may take; less than `deadline-seconds` of [limits]",
        },
        KeyDoc {
            name: "memory-mib",
            shape: Shape::Count,
            default: Some("4096"),
            required: false,
            doc: "how much address space each of its processes may take",
        },
        KeyDoc {
            name: "tree",
            shape: Shape::Flag,
            default: Some("true"),
            required: false,
            doc: "whether the new tree is laid out for it; false: it gets the facts alone",
        },
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "it is run only for changes of these paths; with neither, for every change",
        ),
        KeyDoc::optional(
            "infra",
            Shape::Words(infra_kind_names),
            "and of these kinds of infrastructure",
        ),
    ],
    keys_later: &[],
    compile,
};

/// A command of the operator's own.
#[derive(Clone, Debug)]
pub struct Run {
    command: Vec<String>,
    timeout_seconds: u64,
    memory_mib: u64,
    tree: bool,
    scope: Scope,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let table = &mut *body.table;
    let command = command(table, problems);
    let timeout_seconds = timeout(table, problems);
    let memory_mib = memory(table, problems);
    let tree = table.flag("tree", problems).is_none_or(|flag| flag.value);
    let scope = Scope::read(table, Unnamed::Everything, problems);
    let rule = Run { command: command?, timeout_seconds, memory_mib, tree, scope: scope? };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// A command of a policy: its program is found without asking where it is run, since it is run in
/// what somebody has pushed.
pub fn command(table: &mut Table<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let hint = "command = [\"/usr/local/bin/conftest\", \"test\", \".\"]";
    if !table.has("command") {
        let what = "`command` is missing: what is to be run?";
        problems.error_hint(table.header(), what, hint);
        return None;
    }
    let list = table.texts("command", problems)?;
    let Some(program) = list.value.first() else {
        problems.error_hint(&list.spot, "`command` is empty", hint);
        return None;
    };
    if list.value.len() > WORDS_MAX {
        problems.error(&list.spot, format!("more than {WORDS_MAX} words in `command`"));
    }
    if let Some(odd) = list.value.iter().find(|word| word.value.contains('\0')) {
        problems.error(&odd.spot, "no word of a command can hold this");
    }
    let name = program.value.as_str();
    let is_bare = !name.is_empty() && !name.contains('/') && !name.starts_with('-');
    if !is_bare && !name.starts_with('/') {
        let what = "this is no program that is found wherever it is run";
        let hint = "begin it with `/`; a path from the folder it is run in would be the pusher's";
        problems.error_hint(&program.spot, what, hint);
        return None;
    }
    Some(list.value.into_iter().map(|word| word.value).collect())
}

fn timeout(table: &mut Table<'_>, problems: &mut Problems) -> u64 {
    let Some(written) = table.text("timeout", problems) else { return TIMEOUT_SECONDS };
    let seconds = duration::seconds(&written.value).and_then(|s| u64::try_from(s).ok());
    seconds.unwrap_or_else(|| {
        let hint = "a whole number and a unit: \"10s\", \"1m\"";
        problems.error_hint(&written.spot, "this is no length of time", hint);
        TIMEOUT_SECONDS
    })
}

fn memory(table: &mut Table<'_>, problems: &mut Problems) -> u64 {
    let Some(written) = table.count("memory-mib", problems) else { return MEMORY_MIB };
    if !(1..=MEMORY_MIB_MAX).contains(&written.value) {
        let what = format!("`memory-mib` goes from 1 to {MEMORY_MIB_MAX}");
        problems.error_hint(&written.spot, what, format!("without a word it is {MEMORY_MIB}"));
    }
    written.value
}

impl Rule for Run {
    fn needs(&self) -> Needs {
        Needs { landing: true, content: self.scope.infra(), ..Needs::default() }
    }

    fn runs(&self, view: &View<'_>) -> Option<RunAsk> {
        let paths = self.concerned(view);
        (!paths.is_empty()).then(|| RunAsk {
            command: self.command.clone(),
            timeout_seconds: self.timeout_seconds,
            memory_mib: self.memory_mib,
            tree: self.tree,
            paths,
        })
    }

    fn seconds(&self) -> Option<u64> {
        Some(self.timeout_seconds)
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        self.scope.remarks(seen)
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(self.scope.covers_path(path))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        if self.concerned(view).is_empty() {
            return Ruling::default();
        }
        let Some(run) = view.run else {
            let what = Line::new("").word(self.name()).text(" looks at this when it is pushed");
            return refuse(Objection::new(what));
        };
        match &run.ended {
            Ended::Exited(0) => {
                let note = Line::new("").word(self.name()).text(" found nothing wrong");
                Ruling { objections: Vec::new(), notes: vec![note] }
            }
            Ended::Exited(_) | Ended::Signalled(_) | Ended::TimedOut(_) | Ended::NotStarted(_) => {
                refuse(self.objection(run))
            }
        }
    }
}

fn refuse(objection: Objection) -> Ruling {
    Ruling { objections: vec![objection], notes: Vec::new() }
}

impl Run {
    /// The program, without its folder.
    fn name(&self) -> &[u8] {
        let program = self.command.first().map(String::as_str).unwrap_or_default();
        program.rsplit('/').next().unwrap_or_default().as_bytes()
    }

    /// The paths of what lands that the rule is about, each once.
    fn concerned(&self, view: &View<'_>) -> Vec<RepoPath> {
        let steps = view.landing.into_iter().flat_map(|landing| landing.steps());
        let of_step = |step: &Step| {
            let changes = step.delta.changes().iter();
            let changed = changes.filter(|change| self.scope.covers(change, step));
            let hidden = step.hidden.iter().filter(|path| self.scope.covers_path(path));
            changed.map(|change| change.path.clone()).chain(hidden.cloned()).collect::<Vec<_>>()
        };
        let paths: std::collections::BTreeSet<RepoPath> = steps.flat_map(of_step).collect();
        paths.into_iter().collect()
    }

    fn objection(&self, run: &RunSeen) -> Objection {
        let name = Line::new("").word(self.name());
        let (what, hint) = match &run.ended {
            Ended::Exited(code) => {
                let what = name.text(format!(" refuses this, with exit code {code}"));
                (what, "mend what it tells of, and push again")
            }
            Ended::Signalled(signal) => {
                let what = name.text(format!(" was ended by signal {signal}, so nobody looked"));
                (what, "tell the operators of this server: their command does not work")
            }
            Ended::TimedOut(seconds) => {
                let given = i64::try_from(*seconds).map(duration::shown).unwrap_or_default();
                let words = format!(" was not done within {given}, so nobody looked");
                (name.text(words), "push less at a time, or ask the operators for more time")
            }
            Ended::NotStarted(why) => {
                let what = name.text(" could not be run: ").text(why.clone());
                (what, "tell the operators of this server: their command does not work")
            }
        };
        let mut objection = Objection::new(what);
        let lines = run.output.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
        let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        for line in lines.iter().take(LINES_TOLD_MAX) {
            objection = objection.detail(Line::new(format!("| {}", shown(line))));
        }
        let more = lines.len().saturating_sub(LINES_TOLD_MAX);
        objection = match (run.cut, more) {
            (true, _) => objection.detail(Line::new("and much more")),
            (false, 0) => objection,
            (false, more) => {
                let line = Line::new("and ").count(more, "line more", "lines more");
                objection.detail(line)
            }
        };
        objection.hint(Hint::new(Line::new(hint)))
    }
}

/// A line that a command wrote, as it may be shown.
fn shown(line: &[u8]) -> String {
    let whole = escape(line);
    if whole.chars().count() <= CHARS_TOLD_MAX {
        return whole;
    }
    whole.chars().take(CHARS_TOLD_MAX - 3).chain("...".chars()).collect()
}

const EXPLAIN: &str = r#"A command of yours looks at what lands, and exits 0 in time. Whatever else
it does refuses: another exit code, a signal, no end.

    [rule.conftest]
    kind    = "run"
    refs    = ["@default"]
    command = ["conftest", "test", "--policy", "/etc/portcullis/rego", "."]
    infra   = ["kubernetes", "terraform"]
    timeout = "15s"
    why     = "what is applied is what the platform allows"

It is run once for each ref that a push moves and the rule is about, by the
account the hook runs as, in a folder that holds the new tree and is removed
afterwards. It is given an environment of its own (PATH, HOME and TMPDIR in
that folder, LANG) and nothing else, a process group that is killed when it
has ended, and one JSON object on standard input:

  {"version": 1, "rule": "conftest", "repository": "infra-5f0c91ab",
   "ref": "refs/heads/main", "old": OID, "new": OID, "start": OID,
   "pusher": {"name": "alice", "login": "alice", "door": "ssh"},
   "paths": [...],
   "steps": [{"from": OID, "to": OID, "subject": "...",
   "changes": [{"path": "...", "operations": ["modify"],
   "old": {"mode": "100644", "oid": OID}, "new": {...}}]}]}

`paths` are those the rule is about. Text that is no clean UTF-8 stands as
{"b64": "...", "show": "..."}. In the tree a symbolic link is a small file
that holds where it points, as with core.symlinks=false, so that none leads
out; a submodule is an empty folder; no attributes and no filters apply. At
most 100 000 files and 1 GiB are laid out.

What it writes is shown to the pusher and kept in the log: 64 KiB of it, the
first lines, escaped. It never runs for `review`, which says so, nor for
`replay`. What is pushed is hostile: give it to programs that only read.
"#;
