//! What an envelope of gittuf's says: this ref may go from this value to this content.

use serde::Deserialize;
use thiserror::Error;

use crate::gittuf::json::{Object, place};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// The statements that are read (in-toto Statement v1).
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The predicate that is read. v0.1 calls its fields otherwise and is not.
const PREDICATE: &str = "https://gittuf.dev/reference-authorization/v0.2";

/// An authorization for a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The ref it is for, and for no other.
    pub refname: Refname,
    /// The value the ref moves from; zeros: it is made.
    pub from: Oid,
    /// The tree of what it will hold.
    pub tree: Oid,
    /// Until when it holds; `None`: nobody has said.
    pub expires: Option<Moment>,
}

/// Why a payload is no authorization. Words that follow "the authorization".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthorizationProblem {
    /// Not JSON, or not of this form.
    #[error("is not as gittuf writes them, at {at} of its payload")]
    Json {
        /// Where reading stopped.
        at: String,
    },
    /// The type of the statement or of the predicate.
    #[error("is of a version that is not read: only reference-authorization/v0.2 is")]
    Version,
    /// A name of a ref or of an object, or a time, that is none.
    #[error("says something in `{key}` that cannot be")]
    Value {
        /// The key.
        key: &'static str,
    },
    /// Its subject is another content than its predicate.
    #[error("is about one content and names another")]
    Subject,
}

/// in-toto writes `_type`. gittuf has a structure of Protocol Buffers written by a library that calls
/// its fields otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementDoc {
    #[serde(rename = "_type", alias = "type")]
    kind: String,
    subject: Vec<Object<SubjectDoc>>,
    #[serde(rename = "predicateType", alias = "predicate_type")]
    predicate_type: String,
    predicate: Object<PredicateDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectDoc {
    digest: Object<DigestDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestDoc {
    #[serde(rename = "gitTree")]
    git_tree: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PredicateDoc {
    #[serde(rename = "targetRef")]
    target_ref: String,
    #[serde(rename = "fromID")]
    from_id: String,
    #[serde(rename = "targetID")]
    target_id: String,
    expires: Option<String>,
}

impl Authorization {
    /// Reads the payload of an envelope.
    pub fn parse(payload: &[u8]) -> Result<Self, AuthorizationProblem> {
        // Another version has other fields, and is to be told by its name.
        let doc: Object<StatementDoc> = match serde_json::from_slice(payload) {
            Ok(doc) => doc,
            Err(_) if names_another(payload) => return Err(AuthorizationProblem::Version),
            Err(error) => return Err(AuthorizationProblem::Json { at: place(&error) }),
        };
        let StatementDoc { kind, subject, predicate_type, predicate: Object(says) } = doc.0;
        if kind != STATEMENT || predicate_type != PREDICATE {
            return Err(AuthorizationProblem::Version);
        }
        let oid = |key, text: &str| {
            Oid::from_hex(text.as_bytes()).ok_or(AuthorizationProblem::Value { key })
        };
        let tree = oid("targetID", &says.target_id)?;
        let from = oid("fromID", &says.from_id)?;
        if from.format() != tree.format() {
            return Err(AuthorizationProblem::Value { key: "fromID" });
        }
        match subject.as_slice() {
            [Object(one)] if one.digest.0.git_tree == says.target_id => {}
            _ => return Err(AuthorizationProblem::Subject),
        }
        let refname = Refname::parse(says.target_ref.as_bytes())
            .ok_or(AuthorizationProblem::Value { key: "targetRef" })?;
        let expires = says
            .expires
            .as_deref()
            .map(|text| Moment::parse(text).ok_or(AuthorizationProblem::Value { key: "expires" }));
        Ok(Self { refname, from, tree, expires: expires.transpose()? })
    }
}

/// Whether a payload that cannot be read says itself that it is something else.
fn names_another(payload: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "predicateType", alias = "predicate_type")]
        predicate_type: String,
    }
    let named = serde_json::from_slice::<Object<Named>>(payload);
    named.is_ok_and(|Object(named)| named.predicate_type != PREDICATE)
}
