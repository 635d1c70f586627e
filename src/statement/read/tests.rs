//! One text, one reading. Signatures are tested where they are verified.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use proptest::prelude::*;

use super::*;

const ARMOR: &str = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";

const APPROVAL: &str = "\
approval v1
repository infra-5f0c91ab
ref refs/heads/main
base 1111111111111111111111111111111111111111
commit 2222222222222222222222222222222222222222
delta sha256:3333333333333333333333333333333333333333333333333333333333333333
person bob
date 2026-11-22T21:00:00Z
expires 2026-12-06T21:00:00Z
verdict approve

";

fn approval() -> String {
    format!("{APPROVAL}{ARMOR}")
}

fn check(last: &str) -> String {
    approval()
        .replace("approval v1", "check v1")
        .replace("person bob", "check terraform-plan\nperson plan-bot")
        .replace("verdict approve\n", &format!("verdict pass\n{last}"))
}

fn problem(text: &str) -> StatementProblem {
    Statement::parse(text.as_bytes()).unwrap_err()
}

#[test]
fn an_approval_gives_back_what_it_says() {
    let statement = Statement::parse(approval().as_bytes()).unwrap();
    let fields = statement.fields();
    assert_eq!(fields.repository.as_str(), "infra-5f0c91ab");
    assert_eq!(fields.refname.as_bytes(), b"refs/heads/main");
    assert_eq!(fields.person.as_str(), "bob");
    assert_eq!(fields.date, Moment::parse_seconds("2026-11-22T21:00:00Z").unwrap());
    assert_eq!(fields.saying, Saying::Approval { verdict: ApprovalVerdict::Approve });
    assert_eq!(statement.signed_bytes(), APPROVAL.as_bytes());
    assert_eq!(statement.armor(), ARMOR.as_bytes());
    assert_eq!(statement.id(), Digest::of(APPROVAL.as_bytes()));
    assert_eq!(statement.namespace(), "approval@portcullis");
    assert_eq!(statement.to_bytes(), approval().as_bytes());
    assert_eq!(fields.text(), APPROVAL.as_bytes());
}

const HEAD: &str = "\
object 2222222222222222222222222222222222222222
type commit
tag approve-2222222222222222222222222222222222222222
tagger Bob <bob@example.org> 1795381200 +0000

";

/// An approval as a signed tag: the same lines without the empty one.
fn tag() -> String {
    format!("{HEAD}{}{ARMOR}", APPROVAL.trim_end_matches('\n').to_owned() + "\n")
}

#[test]
fn a_tag_says_the_same_as_a_file_and_is_signed_as_git_signs() {
    let (file, tag) = (approval(), tag());
    let of_file = Statement::parse(file.as_bytes()).unwrap();
    let of_tag = Statement::parse(tag.as_bytes()).unwrap();
    assert_eq!(of_tag.fields(), of_file.fields());
    assert_eq!(of_tag.place(), of_file.place());
    assert_eq!((of_file.form(), of_tag.form()), (Form::Blob, Form::Tag));
    assert_eq!(of_tag.namespace(), "git");
    assert_ne!(of_tag.id(), of_file.id());
    assert_eq!(of_tag.to_bytes(), tag.as_bytes());
    // Neither is taken for the other.
    assert!(Statement::parse_as(Form::Blob, tag.as_bytes()).is_err());
    assert!(Statement::parse_as(Form::Tag, file.as_bytes()).is_err());
}

#[test]
fn a_tag_may_be_signed_with_openpgp_and_a_file_may_not() {
    let other = |text: String| text.replace("SSH SIGNATURE", "PGP SIGNATURE");
    let statement = Statement::parse(other(tag()).as_bytes()).unwrap();
    assert!(statement.armor().starts_with(b"-----BEGIN PGP SIGNATURE-----\n"));
    let two = other(tag()) + std::str::from_utf8(statement.armor()).unwrap();
    assert_eq!(problem(&two), StatementProblem::NoTagSignature);
    assert_eq!(problem(&other(approval())), StatementProblem::NoSignature);
}

#[test]
fn a_tag_has_four_lines_of_head_and_no_other_name_or_object() {
    let told = |from: &str, to: &str| problem(&tag().replace(from, to)).to_string();
    let two = "2".repeat(40);
    for (from, to, why) in [
        (&*format!("object {two}"), &*format!("object {}", "4".repeat(40)), "names 4444"),
        ("type commit", "type tree", "the type in line 2 is"),
        ("tag approve-", "tag reject-", "has to be called \"approve-2222"),
        ("tag approve-", "tag v1 approve-", "has to be called"),
        ("verdict approve", "verdict revoke", "has to be called \"revoke-2222"),
        ("tagger Bob", "gpgsig Bob", "line 4 should begin with \"tagger \""),
        ("+0000\n\n", "+0000\nencoding x\n\n", "line 5 should be empty"),
        ("approval v1\n", "check v1\n", "only an approval may be a tag"),
        ("approval v1\n", "\napproval v1\n", "it begins with \"\""),
        ("verdict approve\n", "verdict approve\n\n", "no SSH or OpenPGP signature, or"),
        ("END SSH", "END PGP", "no SSH or OpenPGP signature, or more"),
    ] {
        assert!(told(from, to).contains(why), "{}", told(from, to));
    }
}

#[test]
fn a_check_names_the_check_and_may_give_an_address() {
    let with = Statement::parse(check("url https://ci.example.com/1\n").as_bytes()).unwrap();
    let without = Statement::parse(check("").as_bytes()).unwrap();
    let saying = |url| Saying::Check {
        check: PrincipalName::parse("terraform-plan").unwrap(),
        verdict: CheckVerdict::Pass,
        url,
    };
    assert_eq!(with.fields().saying, saying(Url::parse("https://ci.example.com/1")));
    assert_eq!(without.fields().saying, saying(None));
    assert_eq!(with.namespace(), "check@portcullis");
    let key = with.key();
    assert_eq!(with.place().as_text(), format!("refs/checks/{key}/terraform-plan/plan-bot"));
}

#[test]
fn the_key_is_the_one_that_sha256sum_computes() {
    // printf 'refs/heads/main\n333...\n' | sha256sum | cut -c1-40
    let statement = Statement::parse(approval().as_bytes()).unwrap();
    let text = format!("refs/heads/main\n{}\n", "3".repeat(64));
    assert_eq!(statement.key().hex(), Digest::of(text.as_bytes()).hex()[..40]);
    let place = statement.place();
    assert_eq!(place.as_text(), format!("refs/approvals/{}/bob", statement.key()));
    assert_eq!(Place::parse(&place.refname()), Some(place));
}

#[test]
fn places_have_exactly_their_depth() {
    let key = "0123456789abcdef0123456789abcdef01234567";
    let read = |text: &str| Place::parse(&Refname::parse(text.as_bytes()).unwrap());
    assert!(read(&format!("refs/approvals/{key}/bob")).is_some());
    assert!(read(&format!("refs/checks/{key}/plan/bot")).is_some());
    for other in [
        format!("refs/approvals/{key}"),
        format!("refs/approvals/{key}/bob/x"),
        format!("refs/approvals/{key}/Bob"),
        format!("refs/approvals/{}/bob", &key[1..]),
        format!("refs/approvals/{}/bob", key.to_uppercase()),
        format!("refs/checks/{key}/plan"),
        format!("refs/heads/approvals/{key}/bob"),
        format!("refs/Approvals/{key}/bob"),
    ] {
        assert_eq!(read(&other), None, "{other}");
    }
    for (name, is_reserved) in [
        ("refs/approvals", true),
        ("refs/approvals/x", true),
        ("refs/checks/a/b/c/d/e", true),
        ("refs/approvals-old/x", false),
        ("refs/heads/checks", false),
    ] {
        assert_eq!(Place::is_reserved(&Refname::parse(name.as_bytes()).unwrap()), is_reserved);
    }
}

#[test]
fn a_line_out_of_order_missing_or_twice_is_named() {
    let swapped = approval().replace(
        "ref refs/heads/main\nbase 1111111111111111111111111111111111111111\n",
        "base 1111111111111111111111111111111111111111\nref refs/heads/main\n",
    );
    assert!(matches!(
        problem(&swapped),
        StatementProblem::WrongLine { line: 3, expected: "ref", .. }
    ));
    let missing = approval().replace("person bob\n", "");
    assert!(matches!(
        problem(&missing),
        StatementProblem::WrongLine { line: 7, expected: "person", .. }
    ));
    let twice = approval().replace("person bob\n", "person bob\nperson bob\n");
    assert!(matches!(
        problem(&twice),
        StatementProblem::WrongLine { line: 8, expected: "date", .. }
    ));
    let more = approval().replace("verdict approve\n", "verdict approve\nurl https://x.example\n");
    assert!(matches!(problem(&more), StatementProblem::NoEmptyLine { line: 11, .. }));
    assert!(matches!(
        problem(&check("note x\n")),
        StatementProblem::WrongLine { line: 12, expected: "url", .. }
    ));
}

#[test]
fn values_of_the_wrong_form_are_named_with_what_was_expected() {
    for (from, to, key) in [
        ("infra-5f0c91ab", "", "repository"),
        ("infra-5f0c91ab", " infra", "repository"),
        ("infra-5f0c91ab", "inf\u{202e}ra", "repository"),
        ("refs/heads/main", "main", "ref"),
        ("refs/heads/main", "refs/heads/a..b", "ref"),
        ("base 1", "base G", "base"),
        ("commit 2", "commit A", "commit"),
        (&"2".repeat(40), &"0".repeat(40), "commit"),
        ("sha256:3", "SHA256:3", "delta"),
        ("sha256:33", "sha256:", "delta"),
        ("person bob", "person Bob", "person"),
        ("person bob", "person bob ", "person"),
        ("date 2026-11-22T21:00:00Z", "date 2026-11-22T21:00:00.5Z", "date"),
        ("date 2026-11-22T21:00:00Z", "date 2026-11-22T22:00:00+01:00", "date"),
        ("date 2026-11-22T21:00:00Z", "date 2026-11-22 21:00:00Z", "date"),
        ("expires 2026-12-06T21:00:00Z", "expires 2026-12-06", "expires"),
        ("verdict approve", "verdict APPROVE", "verdict"),
        ("verdict approve", "verdict pass", "verdict"),
    ] {
        let found = problem(&approval().replace(from, to));
        assert!(
            matches!(&found, StatementProblem::BadValue { key: named, .. } if *named == key),
            "{to}: {found:?}"
        );
    }
    for url in ["ftp://x", "https://", "https://a b", "javascript:x"] {
        let text = check(&format!("url {url}\n"));
        assert!(matches!(problem(&text), StatementProblem::BadValue { key: "url", .. }), "{url}");
    }
}

#[test]
fn what_makes_two_readings_possible_is_refused() {
    assert!(matches!(problem(""), StatementProblem::FirstLine { .. }));
    assert!(matches!(problem("approval v2\n"), StatementProblem::FirstLine { .. }));
    let crlf = approval().replace('\n', "\r\n");
    assert_eq!(problem(&crlf), StatementProblem::CarriageReturn { line: 1 });
    assert_eq!(
        Statement::parse(b"approval v1\n\xff").unwrap_err(),
        StatementProblem::NotUtf8 { at: 12 }
    );
    let long = format!("{}{}", approval(), " ".repeat(STATEMENT_BYTES_MAX));
    assert!(matches!(problem(&long), StatementProblem::TooLong { .. }));
    for text in [
        APPROVAL.to_owned(),
        format!("{APPROVAL}\n{ARMOR}"),
        format!("{APPROVAL}{ARMOR}{ARMOR}"),
        format!("{APPROVAL}{ARMOR}\n"),
        format!("{APPROVAL}{}", ARMOR.trim_end()),
        format!("{APPROVAL}nothing\n"),
    ] {
        assert_eq!(problem(&text), StatementProblem::NoSignature, "{text}");
    }
    let cut = APPROVAL.trim_end();
    assert!(matches!(problem(cut), StatementProblem::NoEmptyLine { .. }));
    let same = approval().replace("2026-12-06", "2026-11-22");
    assert!(matches!(problem(&same), StatementProblem::ExpiresTooEarly { .. }));
    let mixed = approval().replace(&"1".repeat(40), &"1".repeat(64));
    assert_eq!(problem(&mixed), StatementProblem::TwoFormats);
}

#[test]
fn problems_read_as_sentences() {
    assert_eq!(
        problem(&approval().replace("person bob", "person Bob\u{1b}[31m")).to_string(),
        "the person in line 7 is \"Bob\\x1b[31m\", a name of a-z, 0-9, `.`, `_` and `-` was expected"
    );
    assert_eq!(
        problem(&approval().replace("person bob\n", "")).to_string(),
        "line 7 should begin with \"person \", it is \"date 2026-11-22T21:00:00Z\""
    );
}

prop_compose! {
    fn any_oid(is_sha256: bool)(bytes in prop::collection::vec(any::<u8>(), 32)) -> Oid {
        let mut bytes = bytes[..if is_sha256 { 32 } else { 20 }].to_vec();
        bytes[0] |= 1;
        Oid::from_bytes(&bytes).unwrap()
    }
}

fn any_saying() -> impl Strategy<Value = Saying> {
    prop_oneof![
        prop::sample::select(ApprovalVerdict::ALL.to_vec())
            .prop_map(|verdict| Saying::Approval { verdict }),
        ("[a-z0-9][a-z0-9_-]{0,20}", any::<bool>(), prop::option::of("https://[!-~é]{1,50}"))
            .prop_map(|(check, passed, url)| Saying::Check {
                check: PrincipalName::parse(&check).unwrap(),
                verdict: if passed { CheckVerdict::Pass } else { CheckVerdict::Fail },
                url: url.map(|url| Url::parse(&url).unwrap()),
            }),
    ]
}

prop_compose! {
    fn any_fields()(
        is_sha256 in any::<bool>(),
    )(
        repository in "[!-~é][ -~é]{0,30}[!-~]",
        refname in "refs/heads/[a-zé][a-z0-9/]{0,5}[a-z0-9]",
        base in any_oid(is_sha256),
        commit in any_oid(is_sha256),
        delta in any::<[u8; 32]>(),
        person in "[a-z0-9][a-z0-9_-]{0,63}",
        date in 0i64..200_000_000_000,
        length in 1i64..1_000_000_000,
        saying in any_saying(),
    ) -> Option<Fields> {
        Some(Fields {
            repository: RepositoryId::parse(&repository)?,
            refname: Refname::parse(refname.as_bytes())?,
            base,
            commit,
            delta: Digest::from_bytes(delta),
            person: PrincipalName::parse(&person)?,
            date: Moment::from_seconds(date),
            expires: Moment::from_seconds(date + length),
            saying,
        })
    }
}

proptest! {
    #[test]
    fn reading_what_was_printed_gives_the_same(fields in any_fields()) {
        let Some(fields) = fields else { return Ok(()) };
        let bytes = [fields.text(), ARMOR.as_bytes().to_vec()].concat();
        let statement = Statement::parse(&bytes).unwrap();
        prop_assert_eq!(statement.fields(), &fields);
        prop_assert_eq!(statement.signed_bytes(), fields.text());
    }

    #[test]
    fn whatever_is_read_prints_as_it_was(at in 0usize..APPROVAL.len(), byte in any::<u8>()) {
        let mut bytes = approval().into_bytes();
        bytes[at] = byte;
        if let Ok(statement) = Statement::parse(&bytes) {
            prop_assert_eq!(statement.fields().text(), statement.signed_bytes());
            prop_assert_eq!(statement.to_bytes(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Statement::parse(&bytes);
        let _ = Statement::parse(&[APPROVAL.as_bytes(), &bytes].concat());
    }
}
