//! `immutable`: a ref once made stays as it is.

use crate::facts::Target;
use crate::facts::needs::{Needs, SignaturesOf};
use crate::push::update::Change;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::signing::{self, By, Signing};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::ssh::signature::GIT_NAMESPACE;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// The kind.
pub static KIND: Kind = Kind {
    name: "immutable",
    summary: "a ref once made is neither moved nor deleted",
    explain: EXPLAIN,
    keys: &[
        flag("annotated", "tags must be annotated: they name who made them, and when"),
        flag("signed", "tags must be annotated, and signed by a key in the roster"),
    ],
    keys_later: &[],
    compile,
};

/// Neither moved nor deleted.
#[derive(Clone, Debug)]
pub struct Immutable {
    /// Whether tags must be annotated.
    pub(crate) annotated: bool,
    /// Whether tags must be signed, too.
    pub(crate) signed: bool,
}

const fn flag(name: &'static str, doc: &'static str) -> KeyDoc {
    KeyDoc { name, shape: Shape::Flag, default: Some("false"), required: false, doc }
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let annotated = body.table.flag("annotated", problems).is_some_and(|flag| flag.value);
    let signed = body.table.flag("signed", problems);
    if let Some(flag) = signed.as_ref().filter(|flag| flag.value)
        && !body.roster.people().any(|p| body.roster.can_sign(&p.name, GIT_NAMESPACE))
    {
        let hint = "keys = [\"ssh-ed25519 AAAA...\"] in [people.NAME] is one";
        let what = "nobody has a key, so nobody could make a tag";
        problems.error_hint(&flag.spot, what, hint);
    }
    let signed = signed.is_some_and(|flag| flag.value);
    (problems.errors() == before)
        .then(|| Box::new(Immutable { annotated, signed }) as Box<dyn Rule>)
}

impl Rule for Immutable {
    fn needs(&self) -> Needs {
        let signatures = if self.signed { SignaturesOf::Tags } else { SignaturesOf::Nothing };
        Needs { signatures, ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        let update = view.update;
        let what = match update.change {
            Change::Move { .. } => "what this ref names is never moved or deleted",
            Change::Delete { .. } => "what this ref names is never deleted or moved",
            Change::Create { .. } => return made(self, view),
            Change::Nothing => return Ruling::default(),
        };
        let objection = Objection::new(Line::new(what));
        let objection = match update.real {
            Some(oid) => objection.detail(Line::new("it names ").oid(oid)),
            None => objection,
        };
        refuse(objection.hint(Hint::new(Line::new("to mend a release push a new tag"))))
    }
}

/// What a tag must be when it is made. A branch is only kept as it is.
fn made(rule: &Immutable, view: &View<'_>) -> Ruling {
    let update = view.update;
    let Some(tag) = update.update.name.tag() else { return Ruling::default() };
    if rule.signed {
        // Anybody's of the roster, whoever tagged: the rule kind `signature` asks for more.
        return signing::judge(&Signing { from: None, by: By::Anybody }, view);
    }
    match update.target {
        Target::Commit(_) if rule.annotated => {}
        Target::Commit(_)
        | Target::Tag { .. }
        | Target::Other
        | Target::Nothing
        | Target::Missing => {
            return Ruling::default();
        }
    }
    let what = Line::new("this tag is a bare name, the rule asks for an annotated tag");
    let command = Line::new("git tag -a -f ").word(tag).text(" ").oid(update.update.new);
    let hint = Hint::run(Line::new("make it anew with a message"), command);
    refuse(Objection::new(what).hint(hint))
}

fn refuse(objection: Objection) -> Ruling {
    Ruling { objections: vec![objection], notes: Vec::new() }
}

const EXPLAIN: &str = r#"A ref once made is neither moved nor deleted, by anyone. For release tags.

    [rule.tags-are-forever]
    kind      = "immutable"
    refs      = ["refs/tags/v*"]
    annotated = true
    why       = "what was shipped can be found again"

With `signed = true` a tag is also signed by a key in the roster, with
`git tag -s` and gpg.format = ssh, or by an OpenPGP key of the keyring. To
mend a release, push a new tag.
"#;
