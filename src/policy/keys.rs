//! What a policy may say outside of its rules, key by key, for people who look it up.
//!
//! Read by the schema and by `explain --markdown`. The keys of rules stand with their kinds, those
//! of `[limits]` in `facts::limits`. Tests hold every row against what reads a policy: each key is
//! known there, none is missing here, and a default that is named here is what holds without the key.

use crate::identity::PLATFORMS;
use crate::policy::notify::EVENTS;
use crate::policy::raw::LEVELS;
use crate::rules::rule::{KeyDoc, Shape};

/// A table of a policy that is no rule.
pub struct Section {
    /// How it is written: `[log]`.
    pub header: &'static str,
    /// What it is for, in a sentence or two.
    pub about: &'static str,
    /// Its keys, in the order in which they are told of.
    pub keys: &'static [KeyDoc],
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> KeyDoc {
    KeyDoc { required: true, ..KeyDoc::optional(name, shape, doc) }
}

const fn with_default(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    doc: &'static str,
) -> KeyDoc {
    KeyDoc { default: Some(default), ..KeyDoc::optional(name, shape, doc) }
}

fn level_words() -> Vec<&'static str> {
    LEVELS.iter().map(|(word, _)| *word).collect()
}

fn platform_words() -> Vec<&'static str> {
    PLATFORMS.iter().map(|platform| platform.name).collect()
}

fn event_words() -> Vec<&'static str> {
    EVENTS.iter().map(|(word, _)| *word).collect()
}

/// What stands at the top of a file, before the first table.
pub static TOP: &[KeyDoc] = &[
    required("version", Shape::Version, "the language of the file"),
    KeyDoc::optional("help", Shape::Text, "where to ask; shown in every refusal and fault"),
    with_default(
        "level",
        Shape::Word(level_words),
        "\"refuse\"",
        "what every rule of this file does that does not say otherwise",
    ),
    KeyDoc::optional(
        "until",
        Shape::Day,
        "from 00:00 UTC of this day on, what warns in this file refuses",
    ),
];

/// What every rule may hold, whatever its kind.
pub static RULE: &[KeyDoc] = &[
    required("kind", Shape::Said("a word"), "what the rule asks; one of the kinds below"),
    required(
        "refs",
        Shape::Refs,
        "what it is about: without `refs/` in front a branch, `@default` is the branch that HEAD \
         names, `!` takes away",
    ),
    KeyDoc::optional(
        "starts",
        Shape::Refs,
        "from the past values of which refs a ref that is made may begin; without it the rule's \
         own `refs`",
    ),
    with_default(
        "level",
        Shape::Word(level_words),
        "\"refuse\"",
        "`warn` judges, tells and logs, and lets through; without it the level of the file",
    ),
    KeyDoc::optional(
        "until",
        Shape::Day,
        "from 00:00 UTC of this day on a rule that warns refuses",
    ),
    KeyDoc::optional("why", Shape::Text, "the reason for the rule, shown to who is refused"),
    KeyDoc::optional(
        "exempt",
        Shape::Exemptions,
        "whose work the rule passes over, within which paths: `portcullis explain exempt`",
    ),
];

/// Every table that is no rule and has keys of its own, in the order of the starter policy.
pub static SECTIONS: &[Section] = &[IDENTITY, LOG, PUSH, PEOPLE, BREAK_GLASS, ROLLBACK, NOTIFY];

const IDENTITY: Section = Section {
    header: "[identity]",
    about: "Who pushes, by what the server says: one source for each way in, or the platform. \
           Where that source is silent nobody else is asked, and the push is refused. \
           `portcullis explain identity` tells of each source, [servers.md](servers.md) of each \
           server.",
    keys: &[
        with_default(
            "ssh",
            Shape::Said(
                "`\"ssh-auth-info\"`, `\"push-certificate\"`, `\"os-user\"` or a \
             variable",
            ),
            "\"ssh-auth-info\"",
            "who is asked where `SSH_CONNECTION` is set",
        ),
        with_default(
            "http",
            Shape::Said("`\"push-certificate\"`, `\"os-user\"` or a variable"),
            "\"REMOTE_USER\"",
            "who is asked where `GATEWAY_INTERFACE` is set and `SSH_CONNECTION` is not",
        ),
        with_default(
            "local",
            Shape::Said("`\"push-certificate\"`, `\"os-user\"` or a variable"),
            "\"os-user\"",
            "who is asked where neither is set",
        ),
        KeyDoc::optional(
            "platform",
            Shape::Word(platform_words),
            "what the Git server's own software says (`gitea` is Forgejo's too), in place of \
             `ssh`, `http` and `local`",
        ),
        with_default(
            "unlisted",
            Shape::Word(|| vec!["login", "refuse"]),
            "\"login\"",
            "somebody who can be named and is not in `[people]` is a person in no group and \
             never a reviewer, or may not push at all",
        ),
        with_default(
            "allowed-signers",
            Shape::Files,
            "[]",
            "more keys for `[people]`, from files as `ssh-keygen` reads them; a path that is not \
             whole begins at the policy's folder",
        ),
        KeyDoc::optional(
            "keyring",
            Shape::Said("a path"),
            "a file of OpenPGP keys, as `gpg --export` writes it; a key is that of whom its \
             e-mails belong to in `[people]`, and signs commits, tags and pushes",
        ),
    ],
};

const LOG: Section = Section {
    header: "[log]",
    about: "The change log. [log.md](log.md) tells what is in it, `portcullis explain log` how \
           it proves itself.",
    keys: &[
        KeyDoc::optional(
            "dir",
            Shape::Said("a whole path"),
            "a folder with a folder for each repository's log; without it the log lies within \
             the repository",
        ),
        with_default(
            "on-drift",
            Shape::Word(|| vec!["record", "refuse"]),
            "\"record\"",
            "a ref has moved without the gate: the log says so; or a protected one also takes no \
             push until an operator has accepted it",
        ),
        with_default(
            "when-full",
            Shape::Word(|| vec!["refuse", "use-up"]),
            "\"refuse\"",
            "the log's disk has less room than `log-free-bytes`: no push is accepted; or pushes \
             are, as long as their lines can be written",
        ),
        KeyDoc::optional(
            "key",
            Shape::Said("a path, or `\"agent:SHA256:...\"`"),
            "what signs seals and checkpoints: a file, a folder with a file for each repository, \
             or a key in an ssh-agent; without it a key in the log's folder",
        ),
        KeyDoc::optional(
            "seal-every",
            Shape::Duration,
            "a minute at least; a push seals the log when its newest seal is older; without it \
             only `portcullis log seal` does",
        ),
        with_default(
            "redact",
            Shape::Words(|| vec!["logins", "options"]),
            "[]",
            "what the log has only as a keyed hash",
        ),
        KeyDoc::optional(
            "journal",
            Shape::Said(
                "`\"syslog\"` or `\"journald\"`, with a socket's path behind a `:` where \
             it is another",
            ),
            "who else is told of every answer, as it happens (`docs/journal.md`); without it \
             nobody",
        ),
    ],
};

const PUSH: Section = Section {
    header: "[push]",
    about: "What a refusal takes with it.",
    keys: &[with_default(
        "refuse",
        Shape::Word(|| vec!["push", "ref"]),
        "\"push\"",
        "the whole push is refused; or only the refs at fault, by the `update` hook, as long as \
         the one that Git will run is ours",
    )],
};

const PEOPLE: Section = Section {
    header: "[people.NAME]",
    about: "Who is who. `portcullis explain roster` tells what each key is good for. Names of \
           people, machines and groups are made of `a-z`, `0-9`, `.`, `_` and `-`.",
    keys: &[
        KeyDoc::optional(
            "logins",
            Shape::Texts,
            "what the source of names calls them; without it the name of the table",
        ),
        with_default("emails", Shape::Texts, "[]", "what their commits say"),
        with_default(
            "keys",
            Shape::Keys,
            "[]",
            "what verifies their statements, commits, tags and pushes; also how a key that came \
             by ssh is known",
        ),
        with_default("machine", Shape::Flag, "false", "gives checks, and never approves"),
        with_default(
            "shared",
            Shape::Flag,
            "false",
            "a login of several people: what it brings has unknown makers",
        ),
    ],
};

const BREAK_GLASS: Section = Section {
    header: "[break-glass]",
    about: "Who may push past some rules in an emergency, and what that owes. Without the table \
           nobody may. `portcullis explain break-glass` tells all of it.",
    keys: &[
        required("by", Shape::Party, "who may: people only"),
        KeyDoc::optional("refs", Shape::Refs, "where; without it on every ref with a rule"),
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "within which paths every entry has to lie; without it anywhere",
        ),
        KeyDoc::optional(
            "reason-match",
            Shape::Regex,
            "what the reason has to look like; without it it has to be there",
        ),
        with_default(
            "settle-within",
            Shape::Duration,
            "\"3d\"",
            "how soon what went in is to be approved",
        ),
        with_default(
            "debt",
            Shape::Word(|| vec!["report", "block"]),
            "\"report\"",
            "what is overdue is shown; or it also lets nothing else land on the ref",
        ),
    ],
};

const ROLLBACK: Section = Section {
    header: "[rollback]",
    about: "Whose approval is enough to take a branch back to a state that it had. Without the \
           table a rollback is a change like any other. `portcullis explain rollback` tells all \
           of it.",
    keys: &[
        required("by", Shape::Party, "whose approvals count"),
        with_default(
            "approvals",
            Shape::CountOrNone,
            "1",
            "of how many of them, makers excluded; 0: one of them pushes it",
        ),
        with_default(
            "within",
            Shape::Duration,
            "\"30d\"",
            "how long ago the state may have landed",
        ),
    ],
};

const NOTIFY: Section = Section {
    header: "[notify]",
    about: "A command that is told what has happened, after the answer. `portcullis explain \
           notify` tells what it is given.",
    keys: &[
        required(
            "command",
            Shape::Texts,
            "the program, by its whole path or a name, and its arguments",
        ),
        with_default(
            "on",
            Shape::Words(event_words),
            "[\"landed\", \"refused\", \"break-glass\", \"drift\"]",
            "what it hears of",
        ),
        with_default("timeout", Shape::Duration, "\"30s\"", "how long it may take for one event"),
    ],
};
