//! What a policy says outside of its rules, key by key, for people who look it up.
//!
//! Used by `explain --markdown`. The keys of rules stand with their kinds, those of `[limits]` in
//! `facts::limits`. Tests hold every row against what reads a policy: each key is known there, none
//! is missing here, and a default that is named here is what holds without the key.

/// A table of a policy that is no rule.
pub struct Section {
    /// How it is written: `[log]`.
    pub header: &'static str,
    /// What it is for, in a sentence or two.
    pub about: &'static str,
    /// Its keys, in the order in which they are told of.
    pub keys: &'static [Setting],
}

/// One key of it.
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What holds without it, as TOML. `None`: see the sentence.
    pub default: Option<&'static str>,
    /// What it says, a sentence without a full stop.
    pub doc: &'static str,
}

const fn row(
    name: &'static str,
    takes: &'static str,
    default: Option<&'static str>,
    doc: &'static str,
) -> Setting {
    Setting { name, takes, default, doc }
}

/// What stands at the top of a file, before the first table.
pub static TOP: &[Setting] = &[
    row("version", "`1`", None, "the language of the file; required"),
    row("help", "a text", None, "where to ask; shown in every refusal and fault"),
    row(
        "level",
        "`\"refuse\"` or `\"warn\"`",
        Some("\"refuse\""),
        "what every rule of this file does that does not say otherwise",
    ),
    row("until", "a day", None, "from 00:00 UTC of this day on, what warns in this file refuses"),
];

/// What every rule may hold, whatever its kind.
pub static RULE: &[Setting] = &[
    row("kind", "a word", None, "what the rule asks; one of the kinds below; required"),
    row(
        "refs",
        "a list of ref patterns",
        None,
        "what it is about: without `refs/` in front a branch, `@default` is the branch that HEAD \
         names, `!` takes away; required",
    ),
    row(
        "starts",
        "a list of ref patterns",
        None,
        "from the past values of which refs a ref that is made may begin; without it the rule's \
         own `refs`",
    ),
    row(
        "level",
        "`\"refuse\"` or `\"warn\"`",
        Some("\"refuse\""),
        "`warn` judges, tells and logs, and lets through; without it the level of the file",
    ),
    row("until", "a day", None, "from 00:00 UTC of this day on a rule that warns refuses"),
    row("why", "a text", None, "the reason for the rule, shown to who is refused"),
    row(
        "exempt",
        "a list of tables `{ who, paths, operations }`",
        None,
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
        row(
            "ssh",
            "`\"ssh-auth-info\"`, `\"push-certificate\"`, `\"os-user\"` or a variable",
            Some("\"ssh-auth-info\""),
            "who is asked where `SSH_CONNECTION` is set",
        ),
        row(
            "http",
            "`\"push-certificate\"`, `\"os-user\"` or a variable",
            Some("\"REMOTE_USER\""),
            "who is asked where `GATEWAY_INTERFACE` is set and `SSH_CONNECTION` is not",
        ),
        row(
            "local",
            "`\"push-certificate\"`, `\"os-user\"` or a variable",
            Some("\"os-user\""),
            "who is asked where neither is set",
        ),
        row(
            "platform",
            "`\"gitolite\"`, `\"gitea\"` (and Forgejo), `\"gitlab\"`, `\"github\"`, \
             `\"bitbucket\"` or `\"soft-serve\"`",
            None,
            "what the Git server's own software says, in place of `ssh`, `http` and `local`",
        ),
        row(
            "unlisted",
            "`\"login\"` or `\"refuse\"`",
            Some("\"login\""),
            "somebody who can be named and is not in `[people]` is a person in no group and never \
             a reviewer, or may not push at all",
        ),
        row(
            "allowed-signers",
            "a path, or a list of them",
            Some("[]"),
            "more keys for `[people]`, from files as `ssh-keygen` reads them; a path that is not \
             whole begins at the policy's folder",
        ),
        row(
            "keyring",
            "a path",
            None,
            "a file of OpenPGP keys, as `gpg --export` writes it; a key is that of whom its \
             e-mails belong to in `[people]`, and signs commits, tags and pushes",
        ),
    ],
};

const LOG: Section = Section {
    header: "[log]",
    about: "The change log. [log.md](log.md) tells what is in it, `portcullis explain log` how it \
            proves itself.",
    keys: &[
        row(
            "dir",
            "a whole path",
            None,
            "a folder with a folder for each repository's log; without it the log lies within \
             the repository",
        ),
        row(
            "on-drift",
            "`\"record\"` or `\"refuse\"`",
            Some("\"record\""),
            "a ref has moved without the gate: the log says so; or a protected one also takes no \
             push until an operator has accepted it",
        ),
        row(
            "when-full",
            "`\"refuse\"` or `\"use-up\"`",
            Some("\"refuse\""),
            "the log's disk has less room than `log-free-bytes`: no push is accepted; or pushes \
             are, as long as their lines can be written",
        ),
        row(
            "key",
            "a path, or `\"agent:SHA256:...\"`",
            None,
            "what signs seals and checkpoints: a file, a folder with a file for each repository, \
             or a key in an ssh-agent; without it a key in the log's folder",
        ),
        row(
            "seal-every",
            "a length of time, a minute at least",
            None,
            "a push seals the log when its newest seal is older; without it only `portcullis log \
             seal` does",
        ),
        row(
            "redact",
            "a list of `\"logins\"`, `\"options\"`",
            Some("[]"),
            "what the log has only as a keyed hash",
        ),
        row(
            "journal",
            "`\"syslog\"` or `\"journald\"`, with a socket's path behind a `:` where it is \
             another",
            None,
            "who else is told of every answer, as it happens: [journal.md](journal.md); without \
             it nobody",
        ),
    ],
};

const PUSH: Section = Section {
    header: "[push]",
    about: "What a refusal takes with it.",
    keys: &[row(
        "refuse",
        "`\"push\"` or `\"ref\"`",
        Some("\"push\""),
        "the whole push is refused; or only the refs at fault, by the `update` hook, as long as \
         the one that Git will run is ours",
    )],
};

const PEOPLE: Section = Section {
    header: "[people.NAME]",
    about: "Who is who. `portcullis explain roster` tells what each key is good for. Names of \
            people, machines and groups are made of `a-z`, `0-9`, `.`, `_` and `-`.",
    keys: &[
        row(
            "logins",
            "a list of texts",
            None,
            "what the source of names calls them; without it the name of the table",
        ),
        row("emails", "a list of texts", Some("[]"), "what their commits say"),
        row(
            "keys",
            "a list of public keys",
            Some("[]"),
            "what verifies their statements, commits, tags and pushes; also how a key that came \
             by ssh is known",
        ),
        row("machine", "`true` or `false`", Some("false"), "gives checks, and never approves"),
        row(
            "shared",
            "`true` or `false`",
            Some("false"),
            "a login of several people: what it brings has unknown makers",
        ),
    ],
};

const BREAK_GLASS: Section = Section {
    header: "[break-glass]",
    about: "Who may push past some rules in an emergency, and what that owes. Without the table \
            nobody may. `portcullis explain break-glass` tells all of it.",
    keys: &[
        row("by", "a list of names and `@groups`", None, "who may: people only; required"),
        row("refs", "a list of ref patterns", None, "where; without it on every ref with a rule"),
        row(
            "paths",
            "a list of path patterns",
            None,
            "within which paths every entry has to lie; without it anywhere",
        ),
        row(
            "reason-match",
            "a regular expression",
            None,
            "what the reason has to look like; without it it has to be there",
        ),
        row(
            "settle-within",
            "a length of time",
            Some("\"3d\""),
            "how soon what went in is to be approved",
        ),
        row(
            "debt",
            "`\"report\"` or `\"block\"`",
            Some("\"report\""),
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
        row("by", "a list of names and `@groups`", None, "whose approvals count; required"),
        row(
            "approvals",
            "a whole number",
            Some("1"),
            "of how many of them, makers excluded; 0: one of them pushes it",
        ),
        row(
            "within",
            "a length of time",
            Some("\"30d\""),
            "how long ago the state may have landed",
        ),
    ],
};

const NOTIFY: Section = Section {
    header: "[notify]",
    about: "A command that is told what has happened, after the answer. `portcullis explain \
            notify` tells what it is given.",
    keys: &[
        row(
            "command",
            "a list of texts",
            None,
            "the program, by its whole path or a name, and its arguments; required",
        ),
        row(
            "on",
            "a list of words",
            Some("[\"landed\", \"refused\", \"break-glass\", \"drift\"]"),
            "what it hears of",
        ),
        row("timeout", "a length of time", Some("\"30s\""), "how long it may take for one event"),
    ],
};
