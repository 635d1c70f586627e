//! Case files: what people do and what the gate says, as a reviewer reads it.
//!
//! The language is told in `tests/cases/landing/README.md`. A file that is not in it, word for
//! word, is an error with its place: a case must not pass because nobody understood it.

use crate::support::words::{Token, Words, words};

/// One file: some cases about one thing.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) cases: Vec<Case>,
}

/// What begins with `== TITLE`: a repository of its own, people, and what they do.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) line: usize,
    pub(crate) title: String,
    /// The repository has nothing in it, and never had.
    pub(crate) starts_empty: bool,
    /// Lines of TOML that are laid over the shared policy.
    pub(crate) policy: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// Something somebody does, and what has to come of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) act: Act,
    pub(crate) expect: Option<Expect>,
}

/// Who does what.
#[derive(Debug)]
pub(crate) enum Act {
    /// `server$ ...`: a shell in the bare repository.
    Server(String),
    /// `NAME$ ...`: a shell in a person's clone.
    Shell { who: String, script: String },
    /// `NAME: ...`: a deed with a word of its own.
    Deed { who: String, deed: Deed },
}

/// The deeds that have a word.
#[derive(Debug)]
pub(crate) enum Deed {
    /// A branch from `main` (or a revision) with one commit, pushed.
    Topic { name: String, at: Option<String>, files: Files },
    /// One more commit on a branch of the server, pushed.
    Adds { name: String, files: Files },
    /// A branch in the clone, at `main` or a revision.
    Begins { name: String, at: Option<String> },
    /// A commit on the branch in hand.
    Writes(Files),
    /// A merge commit on the branch in hand.
    Merges(Vec<String>),
    /// A push of one revision to one ref, with kept statements in the same push.
    Pushes { what: String, to: String, with: Vec<String> },
    /// A merge commit on the server's branch of now, pushed.
    Lands { what: Vec<String>, on: String },
    /// A signed statement: pushed, unless it is only kept.
    Says(Saying),
    /// A kept statement, pushed to its place.
    Sends(String),
    /// A kept statement with its signature broken into lines at another column.
    Rewraps { kept: String, name: String },
}

/// A signed statement to be made.
#[derive(Debug)]
pub(crate) struct Saying {
    pub(crate) verdict: &'static str,
    pub(crate) what: String,
    pub(crate) on: String,
    /// What it says otherwise than it should: field and value.
    pub(crate) but: Vec<(String, String)>,
    /// The name under which its text is kept.
    pub(crate) keep: Option<String>,
    pub(crate) delivery: Delivery,
}

/// What becomes of a statement that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Pushed,
    OnlyKept,
    /// Pushed in time, and expired when the next line begins.
    Expires,
}

/// Files to be written; `None` is to be deleted.
pub(crate) type Files = Vec<(String, Option<String>)>;

/// What has to come of a push, and what its pusher reads.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) line: usize,
    pub(crate) outcome: Outcome,
    pub(crate) says: Vec<String>,
    pub(crate) silent: Vec<String>,
}

/// What a push comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    /// By these rules, all of them and no other, sorted.
    Refused(Vec<String>),
    /// It fails, and not by a word of the gate: a connection that breaks, another hook.
    Stopped,
}

impl Act {
    /// Is this a push whose outcome has to be told?
    fn asks_for_an_outcome(&self) -> bool {
        match self {
            Self::Server(_) => false,
            Self::Shell { script, .. } => script.lines().any(pushes),
            Self::Deed { deed, .. } => {
                matches!(deed, Deed::Pushes { .. } | Deed::Lands { .. } | Deed::Sends(_))
            }
        }
    }

    /// Is this a push whose outcome may be told, and is accepted when it is not?
    fn has_an_outcome(&self) -> bool {
        let told = match self {
            Self::Server(_) | Self::Shell { .. } => false,
            Self::Deed { deed, .. } => match deed {
                Deed::Topic { .. } | Deed::Adds { .. } => true,
                Deed::Says(saying) => saying.delivery == Delivery::Pushed,
                Deed::Begins { .. }
                | Deed::Writes(_)
                | Deed::Merges(_)
                | Deed::Pushes { .. }
                | Deed::Lands { .. }
                | Deed::Sends(_)
                | Deed::Rewraps { .. } => false,
            },
        };
        told || self.asks_for_an_outcome()
    }
}

/// Is this line of a shell a `git push`, whatever stands between the two words?
fn pushes(line: &str) -> bool {
    line.split_whitespace().skip_while(|word| *word != "git").any(|word| word == "push")
}

/// Reads a case file; `Err` is `line: what is wrong`.
pub(crate) fn read(text: &str) -> Result<Story, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (line, whole) in logical(text)? {
        let at = |problem: String| format!("{line}: {problem}");
        if let Some(title) = whole.strip_prefix("== ") {
            let title = title.to_owned();
            let (policy, steps) = (Vec::new(), Vec::new());
            cases.push(Case { line, title, starts_empty: false, policy, steps });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if whole == "a new repository" {
            case.starts_empty = true;
        } else if let Some(block) = whole.strip_prefix("policy:") {
            if !case.steps.is_empty() || !case.policy.is_empty() {
                return Err(
                    at("a policy stands once, and before anybody does anything".to_owned()),
                );
            }
            case.policy = block.lines().skip(1).map(|l| l.trim().to_owned()).collect();
        } else if let Some(expectation) = whole.strip_prefix("=> ") {
            let Some(step) = case.steps.last_mut() else {
                return Err(at("nothing was done of which this could come".to_owned()));
            };
            if step.expect.is_some() || !step.act.has_an_outcome() {
                return Err(at("the line above is no push, or its outcome is told".to_owned()));
            }
            step.expect = Some(expect(line, expectation).map_err(at)?);
        } else {
            let act = act(&whole).map_err(at)?;
            case.steps.push(Step { line, act, expect: None });
        }
    }
    for case in &cases {
        if case.steps.iter().all(|step| step.expect.is_none()) {
            return Err(format!("{}: a case that expects nothing shows nothing", case.line));
        }
        let untold = |step: &&Step| step.act.asks_for_an_outcome() && step.expect.is_none();
        if let Some(step) = case.steps.iter().find(untold) {
            return Err(format!(
                "{}: what comes of this push? `=> accepted` or `=> refused by`",
                step.line
            ));
        }
    }
    match cases.is_empty() {
        true => Err("1: no case, they begin with `== TITLE`".to_owned()),
        false => Ok(Story { cases }),
    }
}

/// The lines with those that are indented below them, without comments and empty ones.
fn logical(text: &str) -> Result<Vec<(usize, String)>, String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut story = false;
    for (index, line) in text.lines().enumerate() {
        story |= line.starts_with("== ");
        if !story || line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match (line.starts_with(' '), lines.last_mut()) {
            (false, _) => lines.push((index + 1, line.trim_end().to_owned())),
            (true, Some((_, above))) if !above.starts_with("== ") => {
                above.push('\n');
                above.push_str(line.trim_end());
            }
            (true, _) => return Err(format!("{}: what does this line belong to?", index + 1)),
        }
    }
    Ok(lines)
}

/// Who a line is about.
fn name(text: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_lowercase() || c == '-';
    (!text.is_empty() && text.chars().all(fits)).then_some(text)
}

fn act(line: &str) -> Result<Act, String> {
    let end = line.find([':', '$']).ok_or("who does this? `NAME: ...` or `NAME$ ...`")?;
    let who = name(&line[..end]).ok_or_else(|| format!("`{}` is nobody", &line[..end]))?.to_owned();
    let rest = line[end + 1..].trim();
    match (who.as_str(), &line[end..=end]) {
        ("server", "$") => Ok(Act::Server(rest.to_owned())),
        ("server", _) => Err("the server has a shell only: `server$ ...`".to_owned()),
        (_, "$") => Ok(Act::Shell { who, script: rest.to_owned() }),
        _ => {
            let deed = deed(&mut Words::new(words(rest)?))?;
            Ok(Act::Deed { who, deed })
        }
    }
}

fn deed(words: &mut Words) -> Result<Deed, String> {
    let verb = words.word("a verb")?;
    let deed = match verb.as_str() {
        "topic" => {
            let name = words.word("the name of the topic")?;
            let at = words.after("at")?;
            words.token(&Token::Colon)?;
            Deed::Topic { name, at, files: files(words)? }
        }
        "adds" => {
            words.exactly("to")?;
            let name = words.word("the name of a branch")?;
            words.token(&Token::Colon)?;
            Deed::Adds { name, files: files(words)? }
        }
        "begins" => {
            let name = words.word("the name of a branch")?;
            Deed::Begins { name, at: words.after("at")? }
        }
        "writes" => Deed::Writes(files(words)?),
        "merges" => Deed::Merges(words.list()?),
        "pushes" => {
            let what = words.word("a revision")?;
            let to = words.after("to")?.ok_or("a revision is pushed `to` a ref")?;
            let with = match words.accept("with") {
                true => words.list()?,
                false => Vec::new(),
            };
            Deed::Pushes { what, to: full(&to), with }
        }
        "lands" => {
            let what = words.list()?;
            let on = words.after("on")?.unwrap_or_else(|| "main".to_owned());
            Deed::Lands { what, on }
        }
        "approves" => Deed::Says(saying("approve", words)?),
        "rejects" => Deed::Says(saying("reject", words)?),
        "revokes" => Deed::Says(saying("revoke", words)?),
        "sends" => Deed::Sends(words.word("the name of a kept statement")?),
        "rewraps" => {
            let kept = words.word("the name of a kept statement")?;
            let name = words.after("as")?.ok_or("rewrapped `as` what?")?;
            Deed::Rewraps { kept, name }
        }
        other => return Err(format!("nobody knows how to do `{other}`")),
    };
    words.end()?;
    Ok(deed)
}

/// `REV [for BRANCH] [but FIELD = VALUE, ...] [kept as NAME] [only kept as NAME] [which expires]`.
fn saying(verdict: &'static str, words: &mut Words) -> Result<Saying, String> {
    let what = words.word("a revision")?;
    let on = full(&words.after("for")?.unwrap_or_else(|| "main".to_owned()));
    let mut but = Vec::new();
    if words.accept("but") {
        loop {
            let field = words.word("a field of the statement")?;
            words.token(&Token::Equals)?;
            but.push((field, words.value("its value")?));
            if !words.take(&Token::Comma) {
                break;
            }
        }
    }
    let mut delivery = Delivery::Pushed;
    if words.accept("only") {
        delivery = Delivery::OnlyKept;
    }
    let mut keep = None;
    if words.accept("kept") {
        keep = Some(words.after("as")?.ok_or("kept `as` what?")?);
    } else if delivery == Delivery::OnlyKept {
        return Err("`only` goes with `kept as NAME`".to_owned());
    }
    if words.accept("which") {
        words.exactly("expires")?;
        delivery = Delivery::Expires;
    }
    Ok(Saying { verdict, what, on, but, keep, delivery })
}

/// `PATH = "CONTENT", PATH gone`.
fn files(words: &mut Words) -> Result<Files, String> {
    let mut files = Vec::new();
    loop {
        let path = words.value("a path")?;
        let content = match words.accept("gone") {
            true => None,
            false => {
                words.token(&Token::Equals)?;
                Some(words.text("its content, in quotes")?)
            }
        };
        files.push((path, content));
        if !words.take(&Token::Comma) {
            return Ok(files);
        }
    }
}

/// `accepted`, `stopped` or `refused by RULE and RULE`, then what is said.
fn expect(line: usize, text: &str) -> Result<Expect, String> {
    let mut words = Words::new(words(text)?);
    let outcome = match words.word("`accepted`, `refused` or `stopped`")?.as_str() {
        "accepted" => Outcome::Accepted,
        "stopped" => Outcome::Stopped,
        "refused" => {
            words.exactly("by")?;
            let mut rules = vec![words.word("the name of a rule")?];
            while words.accept("and") {
                rules.push(words.word("the name of a rule")?);
            }
            rules.sort();
            Outcome::Refused(rules)
        }
        other => return Err(format!("`accepted`, `refused` or `stopped`, not `{other}`")),
    };
    let mut expect = Expect { line, outcome, says: Vec::new(), silent: Vec::new() };
    while words.take(&Token::Comma) {
        match words.word("`says` or `silent about`")?.as_str() {
            "says" => expect.says.push(words.text("what is said, in quotes")?),
            "silent" => {
                words.exactly("about")?;
                expect.silent.push(words.text("what is not said, in quotes")?);
            }
            other => return Err(format!("`says` or `silent about`, not `{other}`")),
        }
    }
    words.end()?;
    Ok(expect)
}

/// A ref by its whole name; without `refs/` in front it is a branch.
fn full(name: &str) -> String {
    match name.starts_with("refs/") {
        true => name.to_owned(),
        false => format!("refs/heads/{name}"),
    }
}
