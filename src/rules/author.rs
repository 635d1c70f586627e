//! `author`: whom arriving commits name as their author and committer, and when.

use crate::facts::needs::{ArrivalsOf, Needs, Since};
use crate::pattern::text::{self, TextPattern, Wanted};
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::author_judge;
use crate::rules::commits::{self, Merges};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::since;
use crate::rules::view::View;
use crate::source::duration;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// How many domains one rule may name.
const DOMAINS_MAX: usize = 256;

/// The kind.
pub static KIND: Kind = Kind {
    name: "author",
    summary: "arriving commits name people whom the policy knows, by their own e-mails",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "author",
            Shape::Word(whose_names),
            "whose e-mail the author has: \"people\", somebody's in [people]; \"pusher\", that of \
             whoever brought the commit to this server; anybody's without it",
        ),
        KeyDoc::optional(
            "committer",
            Shape::Word(whose_names),
            "the same for the committer; or \"author\": the author's own",
        ),
        KeyDoc::optional(
            "from",
            Shape::Party,
            "whose e-mails count for \"people\" and \"pusher\"; without it, anybody's in [people]",
        ),
        KeyDoc::optional(
            "domains",
            Shape::Names,
            "what e-mails end in, author's and committer's: \"example.com\", and \
             \"*.example.com\" for what is below it",
        ),
        KeyDoc::optional(
            "author-match",
            Shape::Regexes,
            "regular expressions that the author's e-mail matches",
        ),
        KeyDoc::optional(
            "author-reject",
            Shape::Regexes,
            "regular expressions that it does not match",
        ),
        KeyDoc::optional("committer-match", Shape::Regexes, "the same for the committer's e-mail"),
        KeyDoc::optional("committer-reject", Shape::Regexes, "the same for the committer's e-mail"),
        KeyDoc::optional("name-match", Shape::Regexes, "regular expressions that both names match"),
        KeyDoc::optional(
            "name-reject",
            Shape::Regexes,
            "regular expressions that neither name matches",
        ),
        KeyDoc::optional(
            "ahead-max",
            Shape::Duration,
            "how far ahead of the server's clock both dates may be; any without it",
        ),
        commits::MERGES,
        since::KEY,
    ],
    keys_later: &[],
    compile,
};

/// Whose an e-mail has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Somebody's in the roster.
    People,
    /// That of whoever brought the commit.
    Pusher,
    /// The author's; for committers only.
    Author,
}

const WHOSE: &[(&str, Whose)] =
    &[("people", Whose::People), ("pusher", Whose::Pusher), ("author", Whose::Author)];

fn whose_names() -> Vec<&'static str> {
    WHOSE.iter().map(|(name, _)| *name).collect()
}

/// What an e-mail ends in.
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    /// In small letters.
    pub(crate) name: String,
    /// Whether what is below it is meant, and not itself.
    pub(crate) below: bool,
}

/// What an e-mail address or a name is held to.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    pub(crate) matches: Vec<TextPattern>,
    pub(crate) reject: Vec<TextPattern>,
}

/// Whom commits name.
#[derive(Clone, Debug)]
pub struct Author {
    pub(crate) author: Option<Whose>,
    pub(crate) committer: Option<Whose>,
    pub(crate) from: Option<Party>,
    pub(crate) domains: Vec<Domain>,
    pub(crate) author_email: Patterns,
    pub(crate) committer_email: Patterns,
    pub(crate) name: Patterns,
    pub(crate) ahead_max_seconds: Option<i64>,
    pub(crate) merges: Merges,
    pub(crate) since: Since,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let table = &mut *body.table;
    let author = table.word("author", &WHOSE[..2], problems).map(|word| word.value);
    let committer = table.word("committer", WHOSE, problems).map(|word| word.value);
    let by_roster = |whose| matches!(whose, Some(Whose::People | Whose::Pusher));
    let asks_roster = by_roster(author) || by_roster(committer);
    let from = from(table, body.roster, asks_roster, problems);
    let rule = Author {
        author,
        committer,
        from,
        domains: domains(table, problems),
        author_email: patterns(table, "author-match", "author-reject", problems),
        committer_email: patterns(table, "committer-match", "committer-reject", problems),
        name: patterns(table, "name-match", "name-reject", problems),
        ahead_max_seconds: ahead_max(table, problems),
        merges: Merges::read(table, problems),
        since: since::read(table, problems),
    };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn patterns(
    table: &mut Table<'_>,
    matches: &'static str,
    reject: &'static str,
    problems: &mut Problems,
) -> Patterns {
    Patterns {
        matches: text::read(table, matches, Wanted::Match, problems),
        reject: text::read(table, reject, Wanted::NoMatch, problems),
    }
}

/// Whose e-mails count. Nobody with one is a problem: nothing could ever be pushed.
fn from(
    table: &mut Table<'_>,
    roster: &Roster,
    asks_roster: bool,
    problems: &mut Problems,
) -> Option<Party> {
    let spot = table.key_spot("from");
    if let Some(spot) = spot.as_ref().filter(|_| !asks_roster) {
        let hint = "author = \"people\" asks for the e-mails of [people]";
        problems.error_hint(spot, "`from` says whose e-mails count, and none is asked for", hint);
    }
    let party = match table.texts("from", problems) {
        Some(list) => Some(roster.resolve(&list.value, problems)?),
        None => None,
    };
    let counts = |name| party.as_ref().is_none_or(|party| party.contains(name));
    if asks_roster && !roster.people().any(|p| !p.emails.is_empty() && counts(&p.name)) {
        let spot = spot.unwrap_or_else(|| table.header().clone());
        let hint = "emails = [\"alice@example.com\"] in [people.NAME] is one";
        let what = "nobody who counts has an e-mail, so nobody could push";
        problems.error_hint(&spot, what, hint);
    }
    party
}

fn domains(table: &mut Table<'_>, problems: &mut Problems) -> Vec<Domain> {
    let Some(list) = table.texts_or_text("domains", problems) else { return Vec::new() };
    if list.value.is_empty() {
        problems.error_hint(&list.spot, "`domains` is empty", "name some, or take the key out");
    }
    if list.value.len() > DOMAINS_MAX {
        problems.error(&list.spot, format!("more than {DOMAINS_MAX} domains in one rule"));
    }
    list.value.iter().filter_map(|written| domain(written, problems)).collect()
}

fn domain(written: &Located<String>, problems: &mut Problems) -> Option<Domain> {
    let (name, below) = match written.value.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (written.value.as_str(), false),
    };
    let label = |label: &str| {
        !label.is_empty() && !label.contains(['@', '*', '<', '>', ' ']) && !label.contains('\0')
    };
    if !name.split('.').all(label) || name.chars().any(char::is_control) {
        let hint = "as in \"example.com\", or \"*.example.com\" for what is below it";
        problems.error_hint(&written.spot, "no domain can be called this", hint);
        return None;
    }
    Some(Domain { name: name.to_ascii_lowercase(), below })
}

fn ahead_max(table: &mut Table<'_>, problems: &mut Problems) -> Option<i64> {
    let written = table.text("ahead-max", problems)?;
    let seconds = duration::seconds(&written.value);
    if seconds.is_none() {
        let hint = "a whole number and a unit: \"10m\", \"1h\"";
        problems.error_hint(&written.spot, "this is no length of time", hint);
    }
    seconds
}

impl Rule for Author {
    fn needs(&self) -> Needs {
        let by_pusher = [self.author, self.committer].contains(&Some(Whose::Pusher));
        let arrivals = if by_pusher { ArrivalsOf::Bringers } else { ArrivalsOf::Claims };
        Needs { arrivals, since: self.since.clone(), ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        author_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"Arriving commits name people whom the policy knows, by their own e-mails.
Every commit has a name and an address of the form somebody@somewhere for its
author and its committer; all else is asked only where a key asks it.

    [people.alice]
    emails = ["alice@example.com"]

    [rule.own-work]
    kind      = "author"
    refs      = ["**"]
    author    = "people"
    committer = "pusher"
    domains   = ["example.com"]
    ahead-max = "10m"
    since     = 2026-11-01

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["alice"]
    delete = ["alice"]

"pusher" is whoever brought the commit to this server first, as the log has
it: alice can land what bob has pushed to a branch, and nobody can push in
bob's name. A commit from before the log has no pusher on record and passes;
one that came past the gate, or by a login that is nobody's own, does not.

What a commit says of its author is a claim all the same. Rule kind
`signature` asks for proof, and no rule about reviews believes an author.

Every commit that a push brings to the ref is judged, those of merged branches
too; what already stood on a branch of the rule's own `starts` (without the
key: of its `refs`) is not asked again when a new branch is made from it.

Addresses and domains match in either case. Regular expressions find their
match anywhere in the address or the name: `\A` and `\z` are its ends.
"#;
