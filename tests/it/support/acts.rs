//! Case files, acted out: people with clones, a server with hooks, and pushes that are real.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;

use crate::support::ground::{run, text};
use crate::support::outcome::{came_to, fits};
use crate::support::person::Person;
use crate::support::policy::laid_over;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::{Draft, Statement, key_file, merge_base, moment};
use crate::support::story::{Act, Case, Deed, Delivery, Files, Outcome, Saying, Step};

/// How long a statement that is to expire is good for at first, in seconds.
const EXPIRES_IN: i64 = 2;

/// How many statements that are to expire may come too late for being pushed.
const EXPIRES_TRIES: u32 = 5;

/// One case on the stage.
struct Stage {
    site: Site,
    id: String,
    people: BTreeMap<String, Person>,
    /// How often the server may have changed, and as of when each person has seen it.
    changes: u64,
    seen: BTreeMap<String, u64>,
    /// Statements by the name they are kept under: place and text.
    kept: BTreeMap<String, Kept>,
    /// The date of the newest statement, in seconds from now when it was made.
    dated: i64,
}

#[derive(Clone)]
struct Kept {
    place: String,
    text: String,
}

/// Acts a case out in one object format; `Err` is `line: what came otherwise`. `line` is set to
/// the one in hand.
pub(crate) fn act_out(
    case: &Case,
    policy: &str,
    format: &'static str,
    line: &Cell<usize>,
) -> Result<(), String> {
    let at = |problem: String| format!("{}: {problem}", case.line);
    let policy = laid_over(policy, &case.policy).map_err(at)?;
    let plan = Plan::new(policy).format(format);
    let empty = case.starts_empty;
    let site = if empty { plan.empty().build() } else { plan.build() };
    let id = site.id();
    let (people, seen, kept) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut stage = Stage { site, id, people, changes: 0, seen, kept, dated: 0 };
    for step in &case.steps {
        line.set(step.line);
        stage.step(step)?;
    }
    stage.site.log_and_refs_agree();
    Ok(())
}

impl Stage {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let stays = step.expect.as_ref().is_some_and(|e| matches!(e.outcome, Outcome::Refused(_)));
        let before = stays.then(|| self.site.refs());
        let pushed = self.act(step)?;
        let Some(pushed) = pushed else { return Ok(()) };
        self.changes += 1;
        let Some(expect) = &step.expect else {
            return came_to(&pushed, &Outcome::Accepted).map_err(|e| format!("{}: {e}", step.line));
        };
        let at = |problem: String| format!("{}: {problem}", expect.line);
        fits(&pushed, expect).map_err(at)?;
        match before.is_some_and(|before| self.site.refs() != before) {
            true => Err(at("a refused push has moved refs".to_owned())),
            false => Ok(()),
        }
    }

    fn act(&mut self, step: &Step) -> Result<Option<Pushed>, String> {
        match &step.act {
            Act::Server(script) => {
                let mut shell = self.site.ground().command("sh");
                text(shell.args(["-euc", script]).current_dir(self.site.path()));
                self.changes += 1;
                Ok(None)
            }
            Act::Shell { who, script } => {
                let mut shell = shell(self.person(who), script);
                let output = run(&mut shell);
                if step.expect.is_none() && !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr);
                    return Err(format!("{}: that does not work:\n{said}", step.line));
                }
                Ok(step.expect.is_some().then(|| Pushed::of(&output)))
            }
            Act::Deed { who, deed } => {
                self.deed(who, deed).map_err(|problem| format!("{}: {problem}", step.line))
            }
        }
    }

    /// A person, with a clone that has seen the server as it is.
    fn person(&mut self, who: &str) -> &Person {
        let site = &self.site;
        let mut fresh = false;
        let person = self.people.entry(who.to_owned()).or_insert_with(|| {
            fresh = true;
            site.person(who)
        });
        if self.seen.insert(who.to_owned(), self.changes) != Some(self.changes) && !fresh {
            person.fetch();
        }
        person
    }

    fn deed(&mut self, who: &str, deed: &Deed) -> Result<Option<Pushed>, String> {
        let pushed = match deed {
            Deed::Topic { name, at, files } => {
                let person = self.person(who);
                let start = found(person, at.as_deref().unwrap_or("main"))?;
                begin(person, name, &start);
                write(person, files);
                Some(person.push(&[&format!("HEAD:refs/heads/{name}")]))
            }
            Deed::Adds { name, files } => {
                let person = self.person(who);
                begin(person, name, &format!("origin/{name}"));
                write(person, files);
                Some(person.push(&[&format!("HEAD:refs/heads/{name}")]))
            }
            Deed::Begins { name, at } => {
                let person = self.person(who);
                let start = found(person, at.as_deref().unwrap_or("main"))?;
                begin(person, name, &start);
                None
            }
            Deed::Writes(files) => {
                write(self.person(who), files);
                None
            }
            Deed::Merges(revisions) => {
                merge(self.person(who), revisions)?;
                None
            }
            Deed::Lands { what, on } => {
                let person = self.person(who);
                begin(person, &format!("landing-{on}"), &format!("origin/{on}"));
                merge(person, what)?;
                Some(person.push(&[&format!("HEAD:refs/heads/{on}")]))
            }
            Deed::Pushes { what, to, with } => {
                let mut specs = Vec::new();
                for name in with {
                    let kept = self.kept(name)?;
                    specs.push(written(self.person(who), &kept).refspec());
                }
                let person = self.person(who);
                specs.push(format!("{}:{to}", found(person, what)?));
                let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
                Some(person.push(&specs))
            }
            Deed::Says(saying) => self.say(who, saying)?,
            Deed::Sends(name) => {
                let kept = self.kept(name)?;
                let person = self.person(who);
                Some(written(person, &kept).push(person))
            }
            Deed::Rewraps { kept, name } => {
                let mut kept = self.kept(kept)?;
                kept.text = rewrapped(&kept.text);
                self.kept.insert(name.clone(), kept);
                None
            }
        };
        Ok(pushed)
    }

    fn kept(&self, name: &str) -> Result<Kept, String> {
        self.kept.get(name).cloned().ok_or_else(|| format!("nothing is kept as `{name}`"))
    }

    fn say(&mut self, who: &str, saying: &Saying) -> Result<Option<Pushed>, String> {
        let draft = self.draft(who, saying)?;
        if saying.delivery == Delivery::Expires {
            return self.say_and_expire(who, draft).map(|()| None);
        }
        let person = &self.people[who];
        let whole = draft.signed(person);
        let elsewhere = saying.but.iter().find(|(field, _)| field == "place");
        let elsewhere = elsewhere.map(|(_, on)| Draft { reference: on.clone(), ..draft.clone() });
        let place = elsewhere.as_ref().unwrap_or(&draft).place();
        let kept = Kept { place, text: whole };
        let statement = written(person, &kept);
        if let Some(name) = &saying.keep {
            self.kept.insert(name.clone(), kept);
        }
        Ok((saying.delivery == Delivery::Pushed).then(|| statement.push(&self.people[who])))
    }

    /// Pushes a statement while it is good, and waits until it no longer is. On a slow machine it
    /// is over before it is there: then one that is good for longer.
    fn say_and_expire(&mut self, who: &str, mut draft: Draft) -> Result<(), String> {
        for tried in 0..EXPIRES_TRIES {
            draft.expires = moment(EXPIRES_IN << tried);
            let pushed = draft.push(&self.people[who]);
            if pushed.is_accepted() {
                self.changes += 1;
                let expires: Timestamp = draft.expires.parse().unwrap();
                while Timestamp::now() < expires {
                    std::thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
            if !pushed.said().contains("expired at") {
                return Err(format!("the statement was not taken:\n{}", pushed.said()));
            }
        }
        Err("no statement reached the server before it expired".to_owned())
    }

    /// A statement as it should be, and then as it should not.
    fn draft(&mut self, who: &str, saying: &Saying) -> Result<Draft, String> {
        let id = self.id.clone();
        self.dated = self.dated.max(Timestamp::now().as_second()) + 1;
        let dated = self.dated - 1;
        let person = self.person(who);
        let said = |field: &str| {
            saying.but.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
        };
        let commit = found(person, &saying.what)?;
        let base = match said("base") {
            Some("nothing") => "0".repeat(commit.len()),
            Some(revision) => found(person, revision)?,
            None => {
                let branch = saying.on.trim_start_matches("refs/heads/");
                merge_base(person, &format!("origin/{branch}"), &commit)
            }
        };
        let mut draft = Draft::new(person, &id, &saying.on, &base, &commit);
        draft.date = Timestamp::from_second(dated).unwrap().to_string();
        saying.verdict.clone_into(&mut draft.verdict);
        for (field, value) in &saying.but {
            match field.as_str() {
                "base" | "place" => {}
                // A fork has the same name, and other digits after it.
                "repository" if value == "fork" => {
                    let digits = draft.repository.len() - 8;
                    draft.repository.replace_range(digits.., "00000000");
                }
                "repository" => value.clone_into(&mut draft.repository),
                "ref" => value.clone_into(&mut draft.reference),
                "person" => value.clone_into(&mut draft.person),
                "namespace" => value.clone_into(&mut draft.namespace),
                "key" => draft.key = key_file(person, value),
                "date" => draft.date = moment(value.parse().map_err(|_| "date = SECONDS")?),
                other => return Err(format!("a statement has no `{other}`")),
            }
        }
        Ok(draft)
    }
}

/// Goes to a branch that begins at a revision.
fn begin(person: &Person, branch: &str, start: &str) {
    person.run(&["checkout", "--quiet", "--no-track", "-B", branch, start]);
}

/// What a revision names: on the server, where it has a branch of that name, else in the clone.
fn found(person: &Person, revision: &str) -> Result<String, String> {
    for name in [format!("origin/{revision}"), revision.to_owned()] {
        if revision.starts_with("HEAD") && name != revision {
            continue;
        }
        let commit = format!("{name}^{{commit}}");
        let found = run(&mut person.git(&["rev-parse", "--verify", "--quiet", &commit]));
        if found.status.success() {
            return Ok(String::from_utf8_lossy(&found.stdout).trim_end().to_owned());
        }
    }
    Err(format!("{} knows no `{revision}`", person.name()))
}

fn write(person: &Person, files: &Files) {
    for (path, content) in files {
        let file = person.clone_path().join(path);
        match content {
            Some(content) => {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, content).unwrap();
            }
            None => fs::remove_file(&file).unwrap(),
        }
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    person.commit_tree_as_it_is(&format!("change {}", paths.join(" ")));
}

/// Merges as `git merge` says it: `Merge branch 'NAME'`, several at once as an octopus.
fn merge(person: &Person, revisions: &[String]) -> Result<(), String> {
    let mut args = vec!["merge".to_owned(), "--quiet".to_owned(), "--no-ff".to_owned()];
    args.extend(["-m".to_owned(), format!("Merge {}", revisions.join(", "))]);
    for revision in revisions {
        args.push(found(person, revision)?);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = run(&mut person.git(&args));
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("that does not merge: {}", String::from_utf8_lossy(&output.stdout))),
    }
}

/// A shell in a person's clone, which knows our program. What Git would ask an editor is left as it
/// is.
fn shell(person: &Person, script: &str) -> Command {
    let mut shell = person.with_portcullis("sh");
    shell.args(["-euc", script]).current_dir(person.clone_path()).env("GIT_EDITOR", "true");
    shell
}

fn written(person: &Person, kept: &Kept) -> Statement {
    Statement { blob: person.object("blob", kept.text.as_bytes()), place: kept.place.clone() }
}

/// The same statement and signature in other bytes: the armour broken at another column.
fn rewrapped(whole: &str) -> String {
    let begin = "-----BEGIN SSH SIGNATURE-----\n";
    let (signed, armour) = whole.split_once(begin).unwrap();
    let body: Vec<char> =
        armour.lines().take_while(|line| !line.starts_with('-')).flat_map(str::chars).collect();
    let lines: Vec<String> = body.chunks(64).map(|line| line.iter().collect()).collect();
    format!("{signed}{begin}{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}
