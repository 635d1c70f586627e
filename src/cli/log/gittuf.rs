//! What a decision keeps of gittuf's authorizations, told again from the kept bytes.

use serde_json::{Value, json};

use crate::cli::log::sheet::Sheet;
use crate::cli::log::story::key_behind;
use crate::cli::log::words;
use crate::gittuf::authorization::Authorization;
use crate::gittuf::envelope::{Envelope, Signed};
use crate::log::decision::{GittufRecord, GittufSigner, RefDecision};
use crate::names::digest::Digest;
use crate::ssh::signature::GIT_NAMESPACE;

/// One signature of a kept envelope, and what it is over.
#[derive(Debug)]
pub struct Kept {
    /// The bytes that were signed.
    pub signed: Vec<u8>,
    /// The signature.
    pub armor: Vec<u8>,
}

/// The signature of one of those who signed, by the key that the entry names, looked for anew in what
/// it has kept. `None`: it kept nothing, or nothing that fits.
pub fn kept(record: &GittufRecord, by: &GittufSigner) -> Option<Kept> {
    let envelope = Envelope::parse(&record.text.as_ref()?.0).ok()?;
    let signed = envelope.signed_bytes();
    if Digest::of(&signed) != record.id.0 {
        return None;
    }
    let armors = envelope.signatures().iter().filter_map(|one| match one {
        Signed::Armor(armor) => Some(armor),
        Signed::Elsewhere => None,
    });
    let fits = |armor: &&Vec<u8>| {
        key_behind(GIT_NAMESPACE, &signed, armor).is_some_and(|key| key == by.key)
    };
    let armor = armors.clone().find(fits)?.clone();
    Some(Kept { signed, armor })
}

fn said(by: &GittufSigner) -> String {
    let person = words::plain(by.person.0.as_str());
    format!("authorized by {person}, by the key {}", words::plain(&by.key))
}

/// Who had authorized a move.
pub fn tell(sheet: &mut Sheet, depth: usize, one: &RefDecision) {
    let by = one.gittuf.iter().flat_map(|it| &it.by);
    by.for_each(|by| sheet.field(depth, "gittuf", &said(by)));
}

/// The same for scripts.
pub fn names(one: &RefDecision) -> Vec<Value> {
    let by = one.gittuf.iter().flat_map(|it| &it.by);
    by.map(
        |by| json!({ "person": words::plain(by.person.0.as_str()), "key": words::plain(&by.key) }),
    )
    .collect()
}

/// Each with what can be told of it without anybody's word.
pub fn evidence(sheet: &mut Sheet, one: &RefDecision) {
    for (record, by) in one.gittuf.iter().flat_map(|it| it.by.iter().map(move |by| (it, by))) {
        sheet.field(2, "gittuf", &said(by));
        let Some(kept) = kept(record, by) else {
            let why = match record.text {
                Some(_) => "its signature does not fit",
                None => "its bytes were not kept, for the push was refused",
            };
            sheet.field(2, "", why);
            continue;
        };
        let whole =
            Envelope::parse(&record.text.as_ref().map(|it| it.0.clone()).unwrap_or_default());
        let says = whole.ok().and_then(|it| Authorization::parse(it.payload()).ok());
        if let Some(says) = says {
            let (name, from, tree) = (&says.refname, says.from.hex(), says.tree.hex());
            sheet.field(2, "", &format!("of {name} from {from}, to tree {tree}"));
        }
        let bytes = kept.signed.len();
        sheet.field(2, "", &format!("its signature over {bytes} bytes fits; it has no date"));
    }
}
