//! What of gittuf's files is found for a landing, and why the rest counts for nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64ct::{Base64, Encoding as _};
use ssh_key::{HashAlg, LineEnding};

use crate::facts::authorized::Authorized;
use crate::facts::landing::Landing;
use crate::facts::past::{RefValue, ValueSource};
use crate::facts::{Target, UpdateFacts};
use crate::gather::authorized::look;
use crate::gather::testing::{Town, branch, key};
use crate::gittuf::envelope::SIGNATURES_MAX;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::push::update::RefUpdate;
use crate::store::objects::ObjectKind;
use crate::verdict::line::Line;

const TYPE: &str = "application/vnd.gittuf+json";

/// A server on which a change of Alice's waits, and the tree it would give `main`.
struct Waiting {
    town: Town,
    tip: Oid,
    tree: Oid,
}

impl Waiting {
    fn new(format: ObjectFormat) -> Self {
        let mut town = Town::new(format, &[("a", "1\n")]);
        let tip = town.topic("alice", &[("a", "2\n")]);
        let tree = town.scene("alice", |scene| scene.reader.commit(&tip).unwrap().tree);
        Self { town, tip, tree }
    }

    fn payload(&self) -> String {
        format!(
            "{{\"type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"digest\":{{\"gitTree\":\
             \"{tree}\"}}}}],\"predicateType\":\"https://gittuf.dev/reference-authorization/v0.2\",\
             \"predicate\":{{\"fromID\":\"{from}\",\"targetID\":\"{tree}\",\"targetRef\":\
             \"refs/heads/main\"}}}}",
            from = self.town.base.hex(),
            tree = self.tree.hex(),
        )
    }

    /// The name of the file about what waits.
    fn name(&self) -> String {
        format!("{}-{}", self.town.base.hex(), self.tree.hex())
    }

    /// gittuf's ref has this at this name, for `main`.
    fn put(&self, mode: &str, name: &str, oid: Oid) -> &Self {
        let scratch = &self.town.scratch;
        let mut tree = scratch.raw_tree(&[(mode, name.as_bytes(), oid)]);
        for folder in ["main", "heads", "refs", "reference-authorizations"] {
            tree = scratch.raw_tree(&[("40000", folder.as_bytes(), tree)]);
        }
        let commit = scratch.commit(tree, &[], 1_000);
        scratch.git(&["update-ref", "refs/gittuf/attestations", &commit.hex()]);
        self
    }

    fn put_file(&self, text: &str) -> &Self {
        self.put("100644", &self.name(), self.town.scratch.blob(text))
    }

    /// The file with this payload, signed by these.
    fn signed(&self, payload: &str, people: &[&str]) -> &Self {
        let pae = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
        let sign = |who: &&str| armor(who, "git", &pae);
        self.put_file(&envelope(payload, &people.iter().map(sign).collect::<Vec<_>>()))
    }

    /// The same, its payload changed in one place first.
    fn saying(&self, old: &str, new: &str) -> &Self {
        assert!(self.payload().contains(old));
        self.signed(&self.payload().replace(old, new), &["bob"])
    }

    fn look(&self) -> Option<Authorized> {
        self.look_from(Some(self.town.base))
    }

    /// What is found for the landing, where `main` stands there.
    fn look_from(&self, real: Option<Oid>) -> Option<Authorized> {
        let landing = self.town.land_from("alice", real, self.tip);
        let old = real.unwrap_or(Oid::zero(self.tip.format()));
        let update = RefUpdate { name: branch("main"), claimed_old: old, new: self.tip };
        let facts = UpdateFacts::unasked(update, real, Target::Commit(self.tip));
        self.town.scene("alice", |scene| look(scene, &facts, &landing).unwrap())
    }

    /// Nobody has authorized it, and this is why.
    #[track_caller]
    fn doubts(&self, words: &str) {
        let found = self.look().unwrap();
        let doubts: Vec<String> = found.doubts.iter().map(Line::show).collect();
        assert!(found.by.is_empty() && found.file.is_none(), "{found:?}");
        assert!(doubts.iter().any(|doubt| doubt.contains(words)), "{words:?} is not in {doubts:?}");
    }

    #[track_caller]
    fn is_by(&self, people: &[&str]) -> Authorized {
        let found = self.look().unwrap();
        let names: Vec<&str> = found.by.iter().map(|it| it.person.as_str()).collect();
        assert_eq!(names, people, "{found:?}");
        found
    }
}

fn armor(who: &str, namespace: &str, message: &str) -> String {
    let signature = key(who).sign(namespace, HashAlg::Sha512, message.as_bytes()).unwrap();
    signature.to_pem(LineEnding::LF).unwrap()
}

fn envelope(payload: &str, armors: &[String]) -> String {
    let sig = |it: &String| {
        format!("{{\"keyid\":\"\",\"sig\":\"{}\"}}", Base64::encode_string(it.as_bytes()))
    };
    let signatures: Vec<String> = armors.iter().map(sig).collect();
    let payload = Base64::encode_string(payload.as_bytes());
    format!(
        "{{\"payloadType\":\"{TYPE}\",\"payload\":\"{payload}\",\"signatures\":[{}]}}",
        signatures.join(",")
    )
}

#[test]
fn the_one_file_about_the_move_counts_for_each_who_signed_it() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let it = Waiting::new(format);
        assert_eq!(it.look(), None, "gittuf has nothing at all");
        it.signed(&it.payload(), &["bob", "carol", "bob"]);
        let found = it.is_by(&["bob", "carol"]);
        assert!(found.doubts.is_empty() && found.file.is_some(), "{found:?}");
        // A stranger beside them takes nothing away, and adds nothing.
        it.signed(&it.payload(), &["zoe", "bob"]);
        let found = it.is_by(&["bob"]);
        assert!(found.doubts[0].show().contains("which is nobody's key"), "{found:?}");
        it.signed(&it.payload(), &["zoe"]).doubts("which is nobody's key");
        it.signed(&it.payload(), &[]);
        assert_eq!(it.look(), Some(Authorized::default()));
    }
}

#[test]
fn f06_what_disagrees_with_the_move_counts_for_nothing() {
    let it = Waiting::new(ObjectFormat::Sha1);
    let (from, tree, other) = (it.town.base.hex(), it.tree.hex(), "1".repeat(40));
    it.saying("refs/heads/main", "refs/heads/production").doubts("is for refs/heads/production");
    it.saying(&from, &other).doubts("it is from 1111111");
    it.saying(&tree, &other).doubts("it is to tree 1111111");
    it.saying("heads/main", "tags/main").doubts("is for refs/tags/main");
    let expires = |until: &str| {
        it.saying("\"fromID\"", &format!("\"expires\":\"{until}\",\"fromID\""));
    };
    expires("1970-01-24T03:33:20Z");
    it.doubts("held until 1970-01-24T03:33:20Z, which is over");
    expires("1970-01-24T03:33:21Z");
    it.is_by(&["bob"]);
    it.saying("/v0.2", "/v0.1").doubts("only reference-authorization/v0.2 is");
    it.saying("\"fromID\"", "\"fromID\":\"\",\"fromID\"").doubts("is not as gittuf writes them");
    // By their names: from here to elsewhere, from elsewhere to here, and what is neither.
    let blob = it.town.scratch.blob("{}");
    it.put("100644", &format!("{from}-{other}"), blob).doubts("to tree 1111111, this push brings");
    it.put("100644", &format!("{other}-{tree}"), blob).doubts("from 1111111, main is at ");
    for name in [format!("{other}-{other}"), format!("{from}+{tree}"), "README".to_owned()] {
        it.put("100644", &name, blob);
        assert_eq!(it.look(), Some(Authorized::default()), "{name}");
    }
}

#[test]
fn what_is_no_file_of_gittufs_counts_for_nothing() {
    let it = Waiting::new(ObjectFormat::Sha1);
    let pae = format!("DSSEv1 {} {TYPE} {} {}", TYPE.len(), it.payload().len(), it.payload());
    let good = envelope(&it.payload(), &[armor("bob", "git", &pae)]);
    let blob = it.town.scratch.blob(&good);
    let no_file = "gittuf has no file where its authorization belongs";
    it.put("120000", &it.name(), blob).doubts(no_file);
    it.put("160000", &it.name(), it.town.base).doubts(no_file);
    it.put("40000", &it.name(), it.tree).doubts(no_file);
    it.put("100755", &it.name(), blob).doubts(no_file);
    it.put("100644", &it.name(), it.tree).doubts("is no file of at most");
    it.put_file(&(good.clone() + &" ".repeat(16_384))).doubts("the limit `statement-bytes`");
    for text in [String::new(), good.clone() + "{}", good.replacen('{', "{\"payload\":\"\",", 1)] {
        it.put_file(&text).doubts("is no DSSE envelope");
    }
    it.put_file(&good.replace("vnd.gittuf", "vnd.other")).doubts("of another type");
    it.put_file(&good.replace("\"keyid\"", "\"extension\":{},\"keyid\"")).doubts("by sigstore");
    let many = vec!["x".to_owned(); SIGNATURES_MAX + 1];
    it.put_file(&envelope(&it.payload(), &many)).doubts("has 17 signatures, more than 16");
    it.put_file(&envelope(&it.payload(), &["\u{1b}[31mred".to_owned()])).doubts("no SSH signature");
    let other = armor("bob", "approval@portcullis", &pae);
    it.put_file(&envelope(&it.payload(), &[other])).doubts("made for another purpose");
    let bare = armor("bob", "git", &it.payload());
    it.put_file(&envelope(&it.payload(), &[bare])).doubts("not over these bytes");
    // A blob, or nothing, where the ref's commit belongs.
    it.town.scratch.git(&["update-ref", "refs/gittuf/attestations", &blob.hex()]);
    it.doubts("refs/gittuf/attestations is no commit");
    it.put_file(&good).is_by(&["bob"]);
}

#[test]
fn nothing_is_looked_for_but_for_a_landing_on_a_branch_of_a_repository_with_an_id() {
    let it = Waiting::new(ObjectFormat::Sha1);
    it.signed(&it.payload(), &["bob"]).is_by(&["bob"]);
    let landing = it.town.land("alice", it.tip);
    let look = |name: &str, landing: &Landing, id: bool| {
        let name = Refname::parse(name.as_bytes()).unwrap();
        let update = RefUpdate { name, claimed_old: it.town.base, new: it.tip };
        let facts = UpdateFacts::unasked(update, Some(it.town.base), Target::Commit(it.tip));
        it.town.scene("alice", |scene| {
            scene.repository = scene.repository.filter(|_| id);
            look(scene, &facts, landing).unwrap()
        })
    };
    assert!(look("refs/heads/main", &landing, true).is_some());
    assert_eq!(look("refs/heads/main", &landing, false), None);
    assert_eq!(look("refs/tags/main", &landing, true), None);
    assert_eq!(look("refs/notes/main", &landing, true), None);
    let back = Landing { segments: Vec::new(), ..landing };
    assert_eq!(look("refs/heads/main", &back, true), None, "a rewind lands nothing");
}

#[test]
fn it_holds_while_the_branch_is_there_for_the_first_time() {
    let mut it = Waiting::new(ObjectFormat::Sha1);
    it.signed(&it.payload(), &["bob"]).is_by(&["bob"]);
    let been = "where main has been before, and has no date to be newer by";
    let value = |oid, source| RefValue { oid, entry: 9, source };
    let (main, base, tip) = (branch("main"), it.town.base, it.tip);
    // The log has seen it go, and not come back by a push.
    for back in [value(tip, ValueSource::Applied(7)), value(base, ValueSource::Drift)] {
        it.town.past.values.insert(main.clone(), back);
        it.doubts(been);
    }
    it.town.past.values.insert(main.clone(), value(base, ValueSource::Lost(7)));
    it.doubts(been);
    // It came here past the gate, and never had been: nothing was authorized from here before.
    it.town.past.values.insert(main.clone(), value(base, ValueSource::Drift));
    it.town.past.had.clear();
    it.is_by(&["bob"]);
    // A branch that is made.
    let zeros = Oid::zero(base.format()).hex();
    let payload = it.payload().replace(&base.hex(), &zeros);
    let name = format!("{zeros}-{}", it.tree.hex());
    it.signed(&payload, &["bob"]);
    let pae = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
    let file = envelope(&payload, &[armor("bob", "git", &pae)]);
    it.put("100644", &name, it.town.scratch.write(ObjectKind::Blob, file.as_bytes()));
    let found = it.look_from(None).unwrap();
    assert!(found.by.is_empty(), "{found:?}");
    let doubt = found.doubts[0].show();
    assert!(doubt.contains("for making main, which has been there before"), "{doubt}");
    it.town.past.values.clear();
    assert_eq!(it.look_from(None).unwrap().by.len(), 1);
}
