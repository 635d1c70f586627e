//! `immutable`: a ref once made stays as it is.

use crate::facts::Target;
use crate::facts::needs::Needs;
use crate::names::refname::Refname;
use crate::push::update::Change;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// The kind.
pub static KIND: Kind = Kind {
    name: "immutable",
    summary: "a ref once made is neither moved nor deleted",
    explain: EXPLAIN,
    keys: &[KeyDoc {
        name: "annotated",
        shape: Shape::Flag,
        default: Some("false"),
        required: false,
        doc: "tags must be annotated: they name who made them, and when",
    }],
    keys_later: &["signed"],
    compile,
};

/// Neither moved nor deleted.
#[derive(Clone, Debug)]
pub struct Immutable {
    /// Whether tags must be annotated.
    pub(crate) annotated: bool,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let annotated = body.table.flag("annotated", problems).is_some_and(|flag| flag.value);
    (problems.errors() == before).then(|| Box::new(Immutable { annotated }) as Box<dyn Rule>)
}

impl Rule for Immutable {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        let update = view.update;
        let what = match (update.change, update.target) {
            (Change::Move { .. }, _) => "what this ref names is never moved or deleted",
            (Change::Delete { .. }, _) => "what this ref names is never deleted or moved",
            (Change::Create { .. }, Target::Commit(_)) if self.annotated => {
                "this tag is a bare name, the rule asks for an annotated tag"
            }
            (Change::Create { .. } | Change::Nothing, _) => return Ruling::default(),
        };
        let objection = Objection::new(Line::new(what));
        let objection = match update.real {
            Some(oid) => objection
                .detail(Line::new("it names ").oid(oid))
                .hint(Hint::new(Line::new("to mend a release push a new tag"))),
            None => {
                let command = Line::new("git tag -a -f ").piece(short(&update.update.name));
                objection.hint(Hint::run(Line::new("make it anew with a message"), command))
            }
        };
        Ruling { objections: vec![objection], notes: Vec::new() }
    }
}

fn short(name: &Refname) -> Piece {
    Piece::ShortRef(name.clone())
}

const EXPLAIN: &str = r#"A ref once made is neither moved nor deleted, by anyone. For release tags.

    [rule.tags-are-forever]
    kind      = "immutable"
    refs      = ["refs/tags/v*"]
    annotated = true
    why       = "what was shipped can be found again"

To mend a release, push a new tag.
"#;
