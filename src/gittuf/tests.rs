//! What is read of envelopes and authorizations, letter by letter, and what is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64ct::{Base64, Base64Url, Encoding as _};
use proptest::prelude::{any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};

use crate::gittuf::authorization::{Authorization, AuthorizationProblem};
use crate::gittuf::envelope::{Envelope, EnvelopeProblem, SIGNATURES_MAX, Signed};
use crate::gittuf::file_name;
use crate::names::moment::Moment;

const FROM: &str = "1111111111111111111111111111111111111111";
const TREE: &str = "2222222222222222222222222222222222222222";

/// As gittuf writes it.
fn payload() -> String {
    format!(
        r#"{{"type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"gitTree":"{TREE}"}}}}],"predicateType":"https://gittuf.dev/reference-authorization/v0.2","predicate":{{"fromID":"{FROM}","targetID":"{TREE}","targetRef":"refs/heads/main"}}}}"#
    )
}

fn envelope(payload: &str, signatures: &str) -> String {
    let payload = Base64::encode_string(payload.as_bytes());
    format!(
        r#"{{"payloadType":"application/vnd.gittuf+json","payload":"{payload}","signatures":[{signatures}]}}"#
    )
}

fn signature(armor: &str) -> String {
    format!(r#"{{"keyid":"SHA256:x","sig":"{}"}}"#, Base64::encode_string(armor.as_bytes()))
}

fn read(payload: &str) -> Result<Authorization, AuthorizationProblem> {
    Authorization::parse(payload.as_bytes())
}

fn open(text: &str) -> Result<Envelope, EnvelopeProblem> {
    Envelope::parse(text.as_bytes())
}

#[test]
fn what_gittuf_writes_is_read() {
    let both = [signature("one\n"), signature("two\n")].join(",");
    let envelope = open(&envelope(&payload(), &both)).unwrap();
    let armor = |text: &str| Signed::Armor(text.as_bytes().to_vec());
    assert_eq!(envelope.signatures(), [armor("one\n"), armor("two\n")]);
    let says = Authorization::parse(envelope.payload()).unwrap();
    assert_eq!(says.refname.as_bytes(), b"refs/heads/main");
    assert_eq!((says.from.hex(), says.tree.hex()), (FROM.to_owned(), TREE.to_owned()));
    assert_eq!(says.expires, None);
    // The names that in-toto has for the same fields.
    let spec = payload().replace("\"type\"", "\"_type\"");
    assert_eq!(read(&spec), Ok(says.clone()));
    assert_eq!(read(&payload().replace("predicateType", "predicate_type")), Ok(says.clone()));
    let until =
        payload().replace(r#""targetRef""#, r#""expires":"2027-01-01T01:00:00+01:00","targetRef""#);
    let moment = Moment::parse_seconds("2027-01-01T00:00:00Z");
    assert_eq!(read(&until), Ok(Authorization { expires: moment, ..says }));
}

#[test]
fn the_signed_bytes_are_those_of_the_protocol() {
    // The example of the specification.
    let text = r#"{"payloadType":"application/vnd.in-toto+json","payload":"aGVsbG8gd29ybGQ=","signatures":[]}"#;
    let envelope = open(text).unwrap();
    assert_eq!(envelope.signed_bytes(), b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
    let same = text.replace("\"signatures\":[]", &format!("\"signatures\":[{}]", signature("x")));
    assert_eq!(open(&same).unwrap().id(), envelope.id(), "who signs does not change what it is");
    let other = text.replace("in-toto+json", "gittuf+json");
    assert_ne!(open(&other).unwrap().id(), envelope.id());
}

#[test]
fn what_is_not_to_the_letter_is_no_envelope() {
    let good = envelope(&payload(), &signature("x"));
    assert!(open(&good).is_ok());
    let json = |text: &str| matches!(open(text), Err(EnvelopeProblem::Json { .. }));
    for (what, text) in [
        ("bytes behind it", format!("{good}{{}}")),
        ("a key more", good.replacen('{', "{\"more\":1,", 1)),
        ("a key twice", good.replacen('{', "{\"payload\":\"\",", 1)),
        ("a key of a signature more", good.replace("\"keyid\"", "\"cert\":\"\",\"keyid\"")),
        ("a key of a signature twice", good.replace("\"keyid\"", "\"sig\":\"\",\"keyid\"")),
        ("no signatures at all", good.replace("\"signatures\"", "\"signature\"")),
        ("a list for an object", r#"["application/vnd.gittuf+json","",[]]"#.to_owned()),
        ("a signature in a list", envelope(&payload(), r#"["SHA256:x","eA=="]"#)),
        ("nothing", String::new()),
    ] {
        assert!(json(&text), "{what}: {text}");
    }
    assert!(matches!(Envelope::parse(&[b'"', 0xff, b'"']), Err(EnvelopeProblem::Json { .. })));
    let deep = "[".repeat(100_000);
    assert!(json(&deep) && json(&good.replace("\"keyid\"", &format!("\"extension\":{deep}"))));
    let other = good.replace("vnd.gittuf+json", "vnd.other+json");
    assert_eq!(open(&other), Err(EnvelopeProblem::PayloadType));
    let odd = r#"{"payloadType":"application/vnd.gittuf+json","payload":"a b=","signatures":[]}"#;
    assert_eq!(open(odd), Err(EnvelopeProblem::Base64));
    assert_eq!(open(&envelope(&payload(), r#"{"sig":"!"}"#)), Err(EnvelopeProblem::Base64));
}

#[test]
fn signatures_of_another_kind_are_passed_over_and_too_many_are_not_read() {
    let elsewhere =
        r#"{"keyid":"me::https://issuer","sig":"","extension":{"kind":"sigstore","ext":{}}}"#;
    let found = open(&envelope("{}", &[elsewhere, &signature("x")].join(","))).unwrap();
    assert_eq!(found.signatures(), [Signed::Elsewhere, Signed::Armor(b"x".to_vec())]);
    let many = |n: usize| envelope("{}", &vec![signature("x"); n].join(","));
    assert_eq!(open(&many(SIGNATURES_MAX)).unwrap().signatures().len(), SIGNATURES_MAX);
    let one_more = SIGNATURES_MAX + 1;
    assert_eq!(open(&many(one_more)), Err(EnvelopeProblem::Signatures { found: one_more }));
}

#[test]
fn the_other_alphabet_of_base64_is_read_as_well() {
    let bytes = [0xfb, 0xff, 0xfe];
    let (plain, url) = (Base64::encode_string(&bytes), Base64Url::encode_string(&bytes));
    assert_ne!(plain, url);
    let with = |text: &str| {
        let text = format!(
            r#"{{"payloadType":"application/vnd.gittuf+json","payload":"{text}","signatures":[]}}"#
        );
        open(&text).unwrap().payload().to_vec()
    };
    assert_eq!((with(&plain), with(&url)), (bytes.to_vec(), bytes.to_vec()));
}

#[test]
fn what_disagrees_with_itself_is_no_authorization() {
    let good = payload();
    let json = |text: &str| matches!(read(text), Err(AuthorizationProblem::Json { .. }));
    let subject = format!(r#"{{"digest":{{"gitTree":"{TREE}"}}}}"#);
    for (what, text) in [
        ("bytes behind it", format!("{good} x")),
        ("a key more", good.replacen('{', "{\"more\":1,", 1)),
        ("a key twice", good.replacen('{', "{\"subject\":[],", 1)),
        ("both names of a key", good.replacen('{', "{\"_type\":\"x\",", 1)),
        ("a key of the predicate more", good.replace("\"fromID\"", "\"only\":\"x\",\"fromID\"")),
        (
            "a key of the predicate twice",
            good.replace("\"fromID\"", "\"targetID\":\"\",\"fromID\""),
        ),
        ("a key of the subject more", good.replace("\"digest\"", "\"name\":\"x\",\"digest\"")),
        ("two digests", good.replace("\"gitTree\"", "\"gitTree\":\"\",\"gitTree\"")),
        ("that of a tag", good.replace("\"gitTree\"", "\"gitCommit\"")),
        ("no value it moves from", good.replace("fromID", "from")),
        (
            "a predicate in a list",
            good.replace(r#""predicate":{"fromID""#, r#""predicate":["fromID""#),
        ),
    ] {
        assert!(json(&text), "{what}: {text}");
    }
    let none = good.replace(&subject, "");
    let two = good.replace(&subject, &[subject.as_str(); 2].join(","));
    let other = good.replace(&subject, &subject.replace('2', "3"));
    for text in [none, two, other] {
        assert_eq!(read(&text), Err(AuthorizationProblem::Subject), "{text}");
    }
    let value = |key| Err(AuthorizationProblem::Value { key });
    assert_eq!(read(&good.replace(FROM, "HEAD")), value("fromID"));
    assert_eq!(read(&good.replace(FROM, &"1".repeat(64))), value("fromID"));
    assert_eq!(read(&good.replace(TREE, &TREE[1..])), value("targetID"));
    assert_eq!(read(&good.replace("refs/heads/main", "main")), value("targetRef"));
    let until = good.replace("\"fromID\"", "\"expires\":\"tomorrow\",\"fromID\"");
    assert_eq!(read(&until), value("expires"));
}

#[test]
fn a_file_is_named_by_where_a_move_begins_and_what_it_leads_to() {
    assert_eq!(file_name(FROM, TREE), format!("{FROM}-{TREE}"));
    let torn = open("{\n\"payload\"").unwrap_err().to_string();
    assert!(torn.contains("line 2, column 9"), "{torn}");
}

#[test]
fn other_versions_are_told_by_name() {
    let first = payload()
        .replace("authorization/v0.2", "authorization/v0.1")
        .replace("fromID", "fromRevisionID")
        .replace("targetID", "targetTreeID");
    assert_eq!(read(&first), Err(AuthorizationProblem::Version));
    assert_eq!(read(&payload().replace("/v0.2", "/v0.3")), Err(AuthorizationProblem::Version));
    assert_eq!(
        read(&payload().replace("Statement/v1", "Statement/v0.1")),
        Err(AuthorizationProblem::Version)
    );
}

proptest! {
    #[test]
    fn any_payload_and_armour_come_back(
        payload in collection::vec(any::<u8>(), 0..200),
        armors in collection::vec(collection::vec(any::<u8>(), 0..80), 0..4),
    ) {
        let sig = |armor: &Vec<u8>| format!(r#"{{"keyid":"","sig":"{}"}}"#, Base64::encode_string(armor));
        let signatures: Vec<String> = armors.iter().map(sig).collect();
        let text = format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[{}]}}"#,
            Base64::encode_string(&payload), signatures.join(",")
        );
        let found = open(&text).unwrap();
        prop_assert_eq!(found.payload(), payload.as_slice());
        let armors: Vec<Signed> = armors.into_iter().map(Signed::Armor).collect();
        prop_assert_eq!(found.signatures(), armors.as_slice());
        // A commit or a tag begins otherwise, so its signature is never one over this.
        prop_assert!(found.signed_bytes().starts_with(b"DSSEv1 28 application/vnd.in-toto+json "));
        prop_assert!(found.signed_bytes().ends_with(&payload));
    }
}
