//! Who has authorized a step by gittuf, held against a rule that takes that for approval.

use crate::facts::authorized::Authorizer;
use crate::facts::landing::{Landing, Step};
use crate::gittuf::ATTESTATIONS;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::rules::approved::{TOLD_MAX, approvable};
use crate::rules::rule::{KeyDoc, Shape};
use crate::rules::view::View;
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// The key `gittuf`, where a rule is about approvals.
pub(crate) const GITTUF: KeyDoc = KeyDoc {
    name: "gittuf",
    shape: Shape::Flag,
    default: Some("false"),
    required: false,
    doc: "whether an authorization by `gittuf attest authorize` counts as an approval of exactly \
          that move of the branch; not with `max-age`, for it has no date",
};

/// What gittuf has about a step, word by word.
#[derive(Default)]
pub(crate) struct Authority<'f> {
    /// Those who authorized it and count.
    pub(crate) people: Vec<&'f PrincipalName>,
    /// What is told of them, and of who does not count.
    told: Vec<Line>,
    /// The authorization is about the whole push, of which this is a part.
    is_part: bool,
    /// The repository has attestations of gittuf's, so its people know how to make one.
    is_used: bool,
}

impl<'f> Authority<'f> {
    /// What gittuf has about this step. `outside` says why somebody's word does not count whom the
    /// rule does not ask.
    pub(crate) fn of(
        landing: &'f Landing,
        step: &'f Step,
        outside: &dyn Fn(&PrincipalName) -> Option<&'static str>,
    ) -> Self {
        let Some(authorized) = &landing.authorized else { return Self::default() };
        if step.from != landing.start || step.to != landing.end {
            return Self { is_part: !authorized.by.is_empty(), ..Self::default() };
        }
        let mut all = Self { is_used: true, ..Self::default() };
        for it in &authorized.by {
            let line = Line::new("").name(&it.person).text(" authorized it in gittuf");
            all.told.push(match doubt(step, it, outside) {
                Some(why) => line.line(&why),
                None => {
                    all.people.push(&it.person);
                    line
                }
            });
        }
        all.told.extend(authorized.doubts.iter().cloned());
        all
    }

    /// What spoke for a step.
    pub(crate) fn told(&self) -> impl Iterator<Item = Line> {
        self.told.iter().take(TOLD_MAX).cloned()
    }

    /// The same, and why there is no more, where that is not enough.
    pub(crate) fn evidence(&self, mut objection: Objection, view: &View<'_>) -> Objection {
        for line in self.told() {
            objection = objection.detail(line);
        }
        if self.is_part {
            let line =
                "gittuf's authorization is of the whole push, and this is one step of several";
            objection = objection.detail(Line::new(line));
        }
        let carries =
            |name: &[u8]| view.push.push.updates.iter().any(|it| it.name.as_bytes() == name);
        if self.people.is_empty() && carries(ATTESTATIONS) {
            let line = "what gittuf has is looked at as it was before this push";
            let hint = Hint::new(Line::new("push refs/gittuf/attestations first, then the branch"));
            return objection.detail(Line::new(line)).hint(hint);
        }
        objection
    }
}

impl Authority<'_> {
    /// The other way to what is missing, where somebody can give it.
    pub(crate) fn remedy(&self, objection: Objection, step: &Step, name: &Refname) -> Objection {
        let somebody = objection.missing.as_ref().is_some_and(|it| !it.from.is_empty());
        if !self.is_used || !somebody {
            return objection;
        }
        let line =
            Line::new("or to authorize with gittuf what ").oid(approvable(step)).text(" makes of ");
        objection.hint(Hint::new(line.short_ref(name).text(", and to push that first")))
    }
}

/// Why somebody's authorization does not count for this step. Words that go on.
fn doubt(
    step: &Step,
    it: &Authorizer,
    outside: &dyn Fn(&PrincipalName) -> Option<&'static str>,
) -> Option<Line> {
    // It has no date, so a word here may be the later one.
    let mut own = step.candidates.iter().filter(|said| said.says.person == it.person);
    match own.find_map(|said| said.verdict().filter(|verdict| *verdict != ApprovalVerdict::Approve))
    {
        Some(ApprovalVerdict::Revoke) => {
            return Some(Line::new(", and took an approval of it back"));
        }
        Some(ApprovalVerdict::Reject | ApprovalVerdict::Approve) => {
            return Some(Line::new(", and rejected it"));
        }
        None => {}
    }
    if let Some((by, commit)) = step.makers.known.get(&it.person) {
        let line = Line::new(", but ").text(by.words()).text(" ").oid(*commit);
        return Some(line.text(": makers do not count"));
    }
    outside(&it.person).map(|why| Line::new(", and ").text(why))
}
