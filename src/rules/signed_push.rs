//! `signed-push`: the push itself is signed.

use crate::facts::needs::Needs;
use crate::push::Seen;
use crate::push::certificate::Standing;
use crate::push::update::Change;
use crate::roster::party::Party;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::signing::signers;
use crate::rules::view::View;
use crate::rules::words::sign_the_push;
use crate::source::problem::Problems;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::Line;

/// The name of the kind, for whoever has to know that a policy asks for certificates.
pub const NAME: &str = "signed-push";

/// The kind.
pub static KIND: Kind = Kind {
    name: NAME,
    summary: "the push carries a good certificate of somebody in the roster",
    explain: EXPLAIN,
    keys: &[KeyDoc::optional(
        "from",
        Shape::Party,
        "whose certificates count; without it, anybody's in the roster",
    )],
    keys_later: &[],
    compile,
};

/// The push itself is signed.
#[derive(Clone, Debug)]
pub struct SignedPush {
    /// Whose certificates count; `None`: anybody's in the roster.
    pub(crate) from: Option<Party>,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let from = signers(body.table, body.roster, problems);
    (problems.errors() == before).then(|| Box::new(SignedPush { from }) as Box<dyn Rule>)
}

impl Rule for SignedPush {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        if view.update.change == Change::Nothing {
            return Ruling::default();
        }
        let what = match &view.push.push.certificate {
            Seen::NotHere => Line::new("the update hook is shown no push certificate"),
            Seen::All(None) => Line::new("the push carries no certificate"),
            Seen::All(Some(certified)) => match &certified.standing {
                Standing::Not(why) => Line::new("the push certificate ").text(why.clone()),
                Standing::Good(name) if self.counts(name) => {
                    let note = Line::new("").name(name).text(" signed the push");
                    return Ruling { objections: Vec::new(), notes: vec![note] };
                }
                Standing::Good(name) => {
                    let what = Line::new("the push certificate is signed by ").name(name);
                    what.text(", whose signature does not count")
                }
            },
        };
        let mut objection = Objection::new(what);
        if let Some(party) = &self.from {
            let line = Line::new("certificates count from ").text(party.written.join(", "));
            objection = objection.detail(line);
        }
        refuse(sign_the_push(view.push.push.door).into_iter().fold(objection, Objection::hint))
    }
}

impl SignedPush {
    fn counts(&self, name: &crate::names::principal::PrincipalName) -> bool {
        self.from.as_ref().is_none_or(|party| party.contains(name))
    }
}

fn refuse(objection: Objection) -> Ruling {
    Ruling { objections: vec![objection], notes: Vec::new() }
}

const EXPLAIN: &str = r#"The push itself is signed, by somebody in the roster: which refs go from
where to where, when, and with which push options.

    [people.alice]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu alice"]

    [rule.pushes-are-signed]
    kind = "signed-push"
    refs = ["@default", "release/**"]

Whoever pushes runs once

  git config gpg.format ssh
  git config user.signingKey ~/.ssh/id_ed25519.pub
  git config push.gpgSign if-asked

and then pushes as ever, or signs one push with git push --signed. (An
OpenPGP key of the keyring, with gpg.format openpgp, does as well.) The
server has to give out nonces:

  git config receive.certNonceSeed "$(openssl rand -hex 32)"
  git config receive.certNonceSlop 60       # for pushes by http

Git itself also looks at the certificate and may complain to the pusher that
gpg.ssh.allowedSignersFile is not configured; that means nothing here, and
git config gpg.ssh.allowedSignersFile /dev/null on the server ends it.

The certificate is verified by the gate itself: its signature against the
keys in the policy; its ref updates and push options against those of the
push; its nonce, which binds it to this server, to the repository's path on
it, and to now; and it counts once. With git config portcullis.url (one value
for each address that clients use, without a login in it) it is also held to
be for one of these. The log keeps it whole, so that an auditor can verify it.
Only the pre-receive hook is shown certificates.
"#;
