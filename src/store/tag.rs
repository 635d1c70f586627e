//! Annotated tags, read from their raw bytes, and peeling.
//!
//! The parser is pure and strict, as the one for commits. `peel` needs no more than the first line
//! and asks each object itself what it is, so a tag that lies about its target changes nothing.

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::commit::{CommitProblem, CommitSignature, HeaderLines, headers_end, ident};
use crate::store::error::StoreError;
use crate::store::ident::Ident;
use crate::store::objects::{ObjectKind, Objects, read_kind_within};

/// How far tags are followed.
#[derive(Clone, Copy, Debug)]
pub struct PeelLimits {
    /// How many tags may name one another before there is an end.
    pub chain_max: usize,
    /// How long one of them may be, in bytes.
    pub object_bytes_max: usize,
}

/// A well-formed annotated tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag {
    /// What it names.
    pub object: Oid,
    /// What that is, as the tag says.
    pub kind: ObjectKind,
    /// The name it was given, which need not be that of the ref.
    pub name: Vec<u8>,
    /// Who claims to have made it. `None`: very old tags do not say.
    pub tagger: Option<Ident>,
    /// The signature at its end. `None`: it is not signed.
    pub signature: Option<CommitSignature>,
    message: Vec<u8>,
}

/// Why a tag is malformed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TagProblem {
    /// It does not begin with an oid of this repository.
    #[error("it does not begin with the oid of an object")]
    NoObject,
    /// The type is missing or none that there is.
    #[error("it does not say what it names")]
    NoKind,
    /// The name is missing.
    #[error("it has no name")]
    NoName,
    /// A header that does not belong there, or stands twice.
    #[error("it has a header that does not belong there")]
    StrayHeader,
    /// What commits can have as well.
    #[error(transparent)]
    Like(#[from] CommitProblem),
}

impl Tag {
    /// Reads a tag strictly.
    pub fn parse(format: ObjectFormat, raw: &[u8]) -> Result<Self, TagProblem> {
        let headers_end = headers_end(raw)?;
        let mut lines = HeaderLines { raw, at: 0, end: headers_end };
        let object = lines
            .take(b"object ")
            .and_then(Oid::from_hex)
            .filter(|oid| oid.format() == format)
            .ok_or(TagProblem::NoObject)?;
        let kind =
            lines.take(b"type ").and_then(ObjectKind::from_name).ok_or(TagProblem::NoKind)?;
        let name = lines.take(b"tag ").filter(|name| !name.is_empty()).ok_or(TagProblem::NoName)?;
        let tagger = lines.take(b"tagger ").map(|line| ident(line, "tagger")).transpose()?;
        if lines.at < headers_end {
            return Err(TagProblem::StrayHeader);
        }
        let body_at = (headers_end + 1).min(raw.len());
        if raw[body_at..].contains(&0) {
            return Err(CommitProblem::NulInMessage.into());
        }
        let signature_at = signature_at(raw, body_at);
        let signature = signature_at
            .map(|at| CommitSignature { armor: raw[at..].to_vec(), payload: raw[..at].to_vec() });
        let message = raw[body_at..signature_at.unwrap_or(raw.len())].to_vec();
        Ok(Self { object, kind, name: name.to_vec(), tagger, signature, message })
    }

    /// The message, without the signature.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

/// What a signature's first line looks like: SSH, OpenPGP, X.509 (gpg-interface.c).
const ARMORS: [&[u8]; 4] = [
    b"-----BEGIN SSH SIGNATURE-----",
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
];

/// Where the last line stands that begins a signature; all before it is signed
/// (parse_signed_buffer).
fn signature_at(raw: &[u8], body_at: usize) -> Option<usize> {
    let mut at = body_at;
    let mut found = None;
    for line in raw[body_at..].split_inclusive(|&b| b == b'\n') {
        if ARMORS.iter().any(|armor| line.starts_with(armor)) {
            found = Some(at);
        }
        at += line.len();
    }
    found
}

/// What an object is once all tags in front of it are taken away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peeled {
    /// What is behind.
    pub to: PeeledTo,
    /// The tags in front of it, outermost first.
    pub tags: Vec<Oid>,
}

/// What was found behind a chain of tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeeledTo {
    /// A commit.
    Commit(Oid),
    /// A tree.
    Tree(Oid),
    /// A blob.
    Blob(Oid),
    /// This object, which is not there.
    Missing(Oid),
    /// More than `chain_max` tags.
    TooManyTags,
}

impl Peeled {
    /// The commit, if it is one.
    pub fn commit(&self) -> Option<Oid> {
        match self.to {
            PeeledTo::Commit(oid) => Some(oid),
            PeeledTo::Tree(_)
            | PeeledTo::Blob(_)
            | PeeledTo::Missing(_)
            | PeeledTo::TooManyTags => None,
        }
    }
}

/// Follows tags to what they name.
///
/// # Errors
/// `BrokenTag` for a tag whose first line names nothing, `TooLarge`, and faults of reading.
pub fn peel(objects: &dyn Objects, oid: &Oid, limits: PeelLimits) -> Result<Peeled, StoreError> {
    let mut tags = Vec::new();
    let mut at = *oid;
    loop {
        let to = match objects.header(&at)? {
            None => PeeledTo::Missing(at),
            Some((ObjectKind::Commit, _)) => PeeledTo::Commit(at),
            Some((ObjectKind::Tree, _)) => PeeledTo::Tree(at),
            Some((ObjectKind::Blob, _)) => PeeledTo::Blob(at),
            Some((ObjectKind::Tag, _)) if tags.len() == limits.chain_max => PeeledTo::TooManyTags,
            Some((ObjectKind::Tag, _)) => {
                tags.push(at);
                let most = Some(limits.object_bytes_max);
                let raw = read_kind_within(objects, &at, ObjectKind::Tag, most)?;
                at = target(objects.format(), &raw).ok_or(StoreError::BrokenTag {
                    oid: at,
                    why: "it does not begin with the oid of an object",
                })?;
                continue;
            }
        };
        return Ok(Peeled { to, tags });
    }
}

fn target(format: ObjectFormat, raw: &[u8]) -> Option<Oid> {
    let hex = raw.strip_prefix(b"object ")?.get(..format.len_hex())?;
    Oid::from_hex(hex)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{PeelLimits, Peeled, PeeledTo, Tag, TagProblem};
    use crate::names::oid::{ObjectFormat, Oid};
    use crate::store::commit::CommitProblem;
    use crate::store::error::StoreError;
    use crate::store::ident::IdentProblem;
    use crate::store::objects::{ObjectKind, Objects};
    use crate::store::testing::Scratch;

    const HEADERS: &str = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\n\
                           tagger A <a@example.com> 1112911993 +0000\n";

    fn parse(raw: &str) -> Result<Tag, TagProblem> {
        Tag::parse(ObjectFormat::Sha1, raw.as_bytes())
    }

    #[test]
    fn a_signed_tag_is_read_whole() {
        let armor = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";
        let payload = format!("{HEADERS}\nrelease\n");
        let tag = parse(&format!("{payload}{armor}")).unwrap();
        assert_eq!(tag.object, ObjectFormat::Sha1.empty_tree());
        assert_eq!((tag.kind, tag.name.as_slice()), (ObjectKind::Tree, &b"v1"[..]));
        assert_eq!(tag.tagger.as_ref().unwrap().email, b"a@example.com");
        assert_eq!(tag.message(), b"release\n");
        let signature = tag.signature.unwrap();
        assert_eq!(signature.armor, armor.as_bytes());
        assert_eq!(signature.payload, payload.as_bytes());
    }

    #[test]
    fn malformed_tags_say_what_is_wrong() {
        let cases = [
            (HEADERS.replace("object 4b", "object 4"), TagProblem::NoObject),
            (HEADERS.replace("type tree", "type forest"), TagProblem::NoKind),
            (HEADERS.replace("tag v1\n", ""), TagProblem::NoName),
            (format!("{HEADERS}tagger B <b@x> 1 +0000\n"), TagProblem::StrayHeader),
            (format!("{HEADERS}\nx\0"), TagProblem::Like(CommitProblem::NulInMessage)),
            (
                HEADERS.replace("1112911993", "x"),
                TagProblem::Like(CommitProblem::Ident(IdentProblem::Date, "tagger")),
            ),
        ];
        for (raw, problem) in cases {
            assert_eq!(parse(&raw).err(), Some(problem), "{raw:?}");
        }
    }

    const LIMITS: PeelLimits = PeelLimits { chain_max: 10, object_bytes_max: 4096 };

    fn peel(objects: &dyn Objects, oid: &Oid) -> Result<Peeled, StoreError> {
        super::peel(objects, oid, LIMITS)
    }

    fn tag_of(scratch: &Scratch, oid: Oid, claim: &str) -> Oid {
        let raw = format!("object {oid}\ntype {claim}\ntag x\n\nx\n");
        scratch.write(ObjectKind::Tag, raw.as_bytes())
    }

    #[test]
    fn tags_are_peeled_to_what_is_really_there() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let commit = scratch.commit(scratch.raw_tree(&[]), &[], 1);
        let tag = tag_of(&scratch, tag_of(&scratch, commit, "blob"), "tag");
        let store = scratch.store();
        let peeled = peel(&store, &tag).unwrap();
        assert_eq!((peeled.commit(), peeled.tags.len()), (Some(commit), 2));
        assert_eq!(peel(&store, &commit).unwrap().tags, []);
        let blob = scratch.blob("x");
        assert_eq!(peel(&store, &tag_of(&scratch, blob, "blob")).unwrap().to, PeeledTo::Blob(blob));
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        let to_absent = tag_of(&scratch, absent, "commit");
        assert_eq!(peel(&store, &to_absent).unwrap().to, PeeledTo::Missing(absent));
    }

    #[test]
    fn a_chain_of_tags_has_an_end() {
        let scratch = Scratch::new(ObjectFormat::Sha256);
        let mut at = scratch.commit(scratch.raw_tree(&[]), &[], 1);
        for _ in 0..LIMITS.chain_max {
            at = tag_of(&scratch, at, "tag");
        }
        let store = scratch.store();
        assert!(peel(&store, &at).unwrap().commit().is_some());
        let one_more = tag_of(&scratch, at, "tag");
        assert_eq!(peel(&store, &one_more).unwrap().to, PeeledTo::TooManyTags);
    }
}
