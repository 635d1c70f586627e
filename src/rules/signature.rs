//! `signature`: what arrives is signed by somebody in the roster.

use crate::facts::needs::{Needs, SignaturesOf, Since};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::signing::{self, By, Signing, signers};
use crate::rules::since;
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "signature",
    summary: "arriving commits and tags are signed by a key in the roster",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "from",
            Shape::Party,
            "whose signatures count; without it, anybody's in the roster",
        ),
        KeyDoc::optional(
            "by",
            Shape::Word(by_names),
            "\"committer\": the signer is the person whose e-mail the committer (of a tag: the \
                  tagger) has; without it, who committed does not matter",
        ),
        since::KEY,
    ],
    keys_later: &[],
    compile,
};

const BY: &[(&str, By)] = &[("committer", By::Committer)];

fn by_names() -> Vec<&'static str> {
    BY.iter().map(|(name, _)| *name).collect()
}

/// What arrives is signed.
#[derive(Clone, Debug)]
pub struct Signature {
    /// How.
    pub(crate) asks: Signing,
    /// Which commits are passed over.
    pub(crate) since: Since,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let from = signers(body.table, body.roster, problems);
    let by = body.table.word("by", BY, problems).map_or(By::Anybody, |word| word.value);
    let since = since::read(body.table, problems);
    if problems.errors() > before {
        return None;
    }
    let counted: Vec<_> = body
        .roster
        .people()
        .filter(|p| from.as_ref().is_none_or(|party| party.contains(&p.name)))
        .filter(|p| by == By::Anybody || !p.emails.is_empty())
        .collect();
    if counted.is_empty() {
        let hint = "`by` asks for the committer's own signature: give people their `emails`";
        let what = "nobody whose signatures count has an e-mail, so nobody could push";
        problems.error_hint(body.table.header(), what, hint);
        return None;
    }
    Some(Box::new(Signature { asks: Signing { from, by }, since }))
}

impl Rule for Signature {
    fn needs(&self) -> Needs {
        let since = self.since.clone();
        Needs { signatures: SignaturesOf::TagsAndCommits, since, ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        signing::judge(&self.asks, view)
    }
}

const EXPLAIN: &str = r#"What arrives is signed by a key in the roster.

    [people.alice]
    emails = ["alice@example.com"]
    keys   = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu alice"]

    [rule.signed-commits]
    kind = "signature"
    refs = ["@default", "refs/tags/v*"]
    by   = "committer"

On a branch that is every commit that a push brings to it, merges and the
commits of merged branches too, whoever made them and wherever: a merge that
a forge has made needs a signature like any other. What already stood on a
branch of the rule's own `starts` (without the key: of its `refs`) is not
asked again when a new branch is made from it. On a tag it is the annotated
tag itself, and each tag in front of a tag; who signs a tag answers for what
it names, so the commits are not looked at: rule kind `landed` ties tags to
branches. A bare tag has no signature.

Signatures are SSH signatures, as Git makes them with

  git config gpg.format ssh
  git config user.signingKey ~/.ssh/id_ed25519.pub
  git config commit.gpgSign true

verified by the server against the keys in the policy, at the server's time.
or OpenPGP signatures, by keys of `keyring` in [identity] (explain roster).
X.509 signatures are not verified and never count. An SSH key that a hardware
token holds counts when somebody touched it.
"#;
