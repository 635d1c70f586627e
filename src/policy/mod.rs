//! TOML text -> Policy: what is asked of every push.
//!
//! Made by `hook` and the verbs from the texts of a repository's policy files; asked by `judge`.
//! Reading files is somebody else's work. In two steps: `raw` takes a file apart, `settings` and
//! `compiled` make of the parts what can be used.
//!
//! Invariant: a policy with a problem is not used at all. (To skip a broken line is safe where
//! lines grant; ours forbid.)

pub mod compiled;
pub mod exempt;
pub mod glance;
pub mod glass;
pub mod journal;
mod keyfiles;
pub mod keys;
pub mod notify;
pub mod place;
mod raw;
mod rollback;
pub mod schema;
pub mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::Motion;
use crate::facts::limits::Limits;
use crate::facts::needs::Checker;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::refname::Refname;
use crate::policy::compiled::CompiledRule;
use crate::policy::glance::Text;
use crate::policy::glass::BreakGlass;
use crate::policy::notify::Notify;
use crate::policy::raw::{RawFile, VERSION};
use crate::policy::settings::{Identity, LogSettings, RefuseMode, Settings};

use crate::roster::Roster;
use crate::roster::read::Draft;
use crate::rules::rollback::Terms;
use crate::rules::signed_push;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Table, parse};
use crate::source::text::SourceText;
use crate::verdict::finding::Level;

/// How large one policy file may be, in bytes.
pub const POLICY_BYTES_MAX: usize = 1024 * 1024;

/// How many files a repository's policy may consist of.
pub const POLICY_FILES_MAX: usize = 32;

/// One file of a policy, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// The name by which messages call it: the file's own, without its folder.
    pub label: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is asked of every push to a repository.
#[derive(Debug)]
pub struct Policy {
    /// The version of the language it is written in.
    pub version: u64,
    /// The digest of all its texts, in their order.
    pub digest: Digest,
    /// Shown in every refusal and fault: where to ask.
    pub help: Option<String>,
    /// Where the names of pushers come from.
    pub identity: Identity,
    /// Where the log is and what it does.
    pub log: LogSettings,
    /// How much of everything a push may hold.
    pub limits: Limits,
    /// What a refused ref takes with it.
    pub refuse: RefuseMode,
    /// Who may let in what some rules refuse. `None`: nobody.
    pub glass: Option<BreakGlass>,
    /// What lets a commit go back to an earlier state of its ref. `None`: nothing does.
    pub rollback: Option<Terms>,
    /// Who is told of what happens. `None`: nobody.
    pub notify: Option<Notify>,
    /// Who is who.
    pub roster: Roster,
    /// Every rule of every file, in the order they are written.
    pub rules: Vec<CompiledRule>,
    /// What is allowed and yet probably not meant.
    pub warnings: Problems,
}

impl Policy {
    /// Whether somebody may have to sign a push: by a rule, or to be known at all.
    pub fn asks_certificates(&self) -> bool {
        let rule = self.rules.iter().any(|rule| rule.kind == signed_push::NAME);
        rule || self.identity.asks_certificates()
    }

    /// The same policy with every rule at level warn, whatever it says and whatever day it is. What
    /// is asked without a rule is asked all the same.
    #[must_use]
    pub fn only_warning(mut self) -> Self {
        for rule in &mut self.rules {
            rule.level = Level::Warn;
            rule.until = None;
        }
        self
    }

    /// Which machines may give which checks, by any of its rules.
    pub fn checkers(&self) -> BTreeSet<Checker> {
        self.rules.iter().flat_map(|rule| rule.body.needs().checkers).collect()
    }

    /// Whether a rule that refuses at this moment names the ref. `default` is the branch that HEAD
    /// names.
    pub fn protects(&self, name: &Refname, default: Option<&Refname>, moment: Moment) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.level_at(moment) == Level::Refuse && rule.refs.matches(name, default))
    }
}

/// The files that the site's policy takes keys from, as it names them: by a full path, or from its
/// own folder. Whoever reads a policy reads these too. None where the policy cannot be read.
pub fn key_files_named(site: &PolicyFile) -> Vec<String> {
    glance::key_files(&text_of(site)).all()
}

/// What the site's policy says of the log, where it says how often that is to be sealed. `None`: it
/// does not, or it cannot be read.
pub fn sealing(site: &PolicyFile) -> Option<LogSettings> {
    glance::sealing(&text_of(site))
}

fn text_of(file: &PolicyFile) -> Text<'_> {
    Text { label: &file.label, bytes: &file.bytes, bytes_max: POLICY_BYTES_MAX }
}

/// Reads the files of a policy, the site's first. Of one that names files of keys: `compile_with`.
///
/// # Errors
///
/// Everything that is wrong, each with its place, in one go. A text that cannot be read at all
/// hides what is wrong with the others, since a name may be missing only because its file is.
pub fn compile(files: &[PolicyFile]) -> Result<Policy, Problems> {
    compile_with(files, &[])
}

/// The same, with the files of keys that `key_files_named` names, in that order.
///
/// # Errors
///
/// As `compile`; and where the files of keys are not as many as are named.
pub fn compile_with(files: &[PolicyFile], keys: &[PolicyFile]) -> Result<Policy, Problems> {
    let mut problems = Problems::new();
    if files.is_empty() {
        problems.push(
            Problem::error("there is no policy")
                .hint("portcullis install writes one; git config portcullis.policy names one"),
        );
    }
    if files.len() + keys.len() > POLICY_FILES_MAX {
        let what = format!("a policy of more than {POLICY_FILES_MAX} files");
        problems.push(Problem::error(what));
    }
    let named = files.first().map(|site| glance::key_files(&text_of(site))).unwrap_or_default();
    let at = named.signers.len();
    if at + usize::from(named.keyring.is_some()) != keys.len() {
        let what = "a file that `allowed-signers` or `keyring` names was not read";
        problems.push(Problem::error(what).hint("is it there, and may we read it?"));
        return Err(problems);
    }
    let all: Vec<&PolicyFile> = files.iter().chain(keys).collect();
    let (signers, keyring) = keys.split_at(at);
    let texts: Vec<_> = files
        .iter()
        .chain(signers)
        .take(POLICY_FILES_MAX)
        .enumerate()
        .filter_map(|(number, file)| {
            SourceText::read(number, &file.label, &file.bytes, POLICY_BYTES_MAX)
                .map_err(|problem| problems.push(problem))
                .ok()
        })
        .collect();
    let (texts, signers): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|text| text.number() < files.len());
    let tables: Vec<_> =
        texts.iter().filter_map(|text| Some((text, parse(text, &mut problems)?))).collect();
    if problems.errors() > 0 {
        return Err(problems);
    }
    let raw = tables.iter().map(|(text, table)| {
        let table = Table::new(text, text.whole(), table.get_ref());
        RawFile::read(table, text.number() == 0, &mut problems)
    });
    let raw: Vec<RawFile<'_>> = raw.collect();
    let number = files.len() + at;
    let keyring = keyring.first().map(|file| {
        let label = SourceText::unread(number, &file.label);
        (label, file.bytes.as_slice())
    });
    let keys = Keys { signers: &signers, keyring };
    let policy = assemble(raw, &keys, digest(&all), &mut problems);
    if problems.errors() > 0 { Err(problems) } else { Ok(Policy { warnings: problems, ..policy }) }
}

/// What files of keys hold.
struct Keys<'a> {
    signers: &'a [Arc<SourceText>],
    /// What the file is called, and its bytes, which need not be text.
    keyring: Option<(Arc<SourceText>, &'a [u8])>,
}

/// Makes a policy of the parts of its files. Good for nothing if there are problems.
fn assemble(
    mut files: Vec<RawFile<'_>>,
    keys: &Keys<'_>,
    digest: Digest,
    problems: &mut Problems,
) -> Policy {
    let help = files.iter_mut().find_map(|file| file.help.take());
    let glass = files.first_mut().and_then(|site| site.site.glass.take());
    let rollback = files.first_mut().and_then(|site| site.site.rollback.take());
    let notify = files.first_mut().and_then(|site| site.site.notify.take());
    let notify = notify.and_then(|table| notify::read(table, problems));
    let settings = match files.first_mut() {
        Some(site) => Settings::read(std::mem::take(&mut site.site), problems),
        None => Settings::default(),
    };
    let mut draft = Draft::default();
    for file in &mut files {
        file.people.take().into_iter().for_each(|table| draft.people(table, problems));
        file.groups.take().into_iter().for_each(|table| draft.groups(table, problems));
    }
    keys.signers.iter().for_each(|text| draft.allowed_signers(text, problems));
    keys.keyring.iter().for_each(|(text, bytes)| draft.keyring(text, bytes, problems));
    let roster = Roster::build(draft, problems);
    let glass = glass.and_then(|table| glass::read(table, &roster, problems));
    let header = rollback.as_ref().map(|table| table.header().clone());
    let rollback = rollback.and_then(|table| rollback::read(table, &roster, problems));
    nothing_asked(&files, problems);
    let mut rules = Vec::new();
    for file in files {
        let defaults = file.defaults;
        for (name, table) in file.rules {
            rules.extend(CompiledRule::read(&name, table, &defaults, &roster, problems));
        }
    }
    let bases: Vec<Problem> = rules.iter().flat_map(|rule| unguarded_bases(rule, &rules)).collect();
    problems.extend(bases);
    problems.extend(shut_topics(&rules));
    problems.extend(glass.iter().flat_map(|glass| glass::idle_refs(glass, &rules)));
    problems.extend(header.and_then(|header| rollback::idle(&header, &rules)));
    let Settings { identity, log, limits, refuse } = settings;
    problems.extend(rules.iter().filter_map(|rule| too_slow(rule, &limits)));
    Policy {
        version: VERSION,
        digest,
        help,
        identity,
        log,
        limits,
        refuse,
        glass,
        rollback,
        notify,
        roster,
        rules,
        warnings: Problems::new(),
    }
}

/// A policy without a rule protects nothing.
fn nothing_asked(files: &[RawFile<'_>], problems: &mut Problems) {
    if let Some(first) = files.first()
        && files.iter().all(|file| file.rules.is_empty())
    {
        let hint = "[rule.NAME] is one; see portcullis explain";
        let what = "there is no rule, so nothing would be protected";
        problems.error_hint(&first.whole, what, hint);
    }
}

/// A command that may take longer than the whole judging never gets to its end.
fn too_slow(rule: &CompiledRule, limits: &Limits) -> Option<Problem> {
    let deadline = limits.deadline_seconds;
    rule.body.seconds().filter(|seconds| *seconds >= deadline)?;
    let what = format!("`timeout` is not less than `deadline-seconds` of [limits], {deadline}");
    let hint = "the gate gives up then: ask for less, or raise the limit";
    Some(Problem::error(what).at(&rule.spot).hint(hint))
}

/// A rule for every branch protects topics too, which people rebase and delete. Where no `access` rule
/// says who may, that is rarely meant.
fn shut_topics(rules: &[CompiledRule]) -> Option<Problem> {
    let of_all = |rule: &&CompiledRule| rule.refs.pick_any_branch();
    let speaks = |rule: &CompiledRule| rule.body.speaks_of(&Motion::Delete);
    let shuts = |rule: &&CompiledRule| rule.level == Level::Refuse && !speaks(rule);
    if rules.iter().filter(of_all).any(speaks) {
        return None;
    }
    let rule = rules.iter().filter(of_all).find(shuts)?;
    let what = "this protects topics too: nobody may rewind or delete a branch that no `access` rule is about";
    let hint =
        "say who may: an `access` rule with refs = [\"**\"], `rewind` and `delete`; [] is nobody";
    Some(Problem::warning(what).at(&rule.spot).hint(hint))
}

/// The refs that this rule trusts to have been judged, and that no rule guards.
fn unguarded_bases(rule: &CompiledRule, all: &[CompiledRule]) -> Vec<Problem> {
    let Some(trusted) = rule.body.needs().had_by else { return Vec::new() };
    // The name may be the branch that HEAD names, which is not known here.
    let guards = |name: &Refname| {
        all.iter().any(|other| other.kind != rule.kind && other.refs.matches(name, Some(name)))
    };
    let names = trusted.plain_names();
    let unguarded = names.iter().filter(|name| !guards(name));
    unguarded
        .map(|name| {
            Problem::warning(format!("no rule guards {}, which this one trusts", name.short()))
                .at(&rule.spot)
                .hint("whoever can push there can push here: give it a rule of its own")
        })
        .collect()
}

/// The digest of all texts, each with its length, so that moving a line from one file to the next
/// is another policy. Names of files do not count: to move a file changes nothing.
fn digest(files: &[&PolicyFile]) -> Digest {
    let lengths: Vec<[u8; 8]> =
        files.iter().map(|file| (file.bytes.len() as u64).to_be_bytes()).collect();
    let mut parts: Vec<&[u8]> = vec![b"portcullis policy v1\n"];
    for (file, length) in files.iter().zip(&lengths) {
        parts.push(length);
        parts.push(&file.bytes);
    }
    Digest::of_parts(&parts)
}
