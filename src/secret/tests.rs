//! Secrets that are found, and what is none. Tokens are put together here, so that none of them
//! stands in a file.

use crate::secret::forms::{Form, Letters, ROWS};
use crate::secret::names::{by_name, holds_no_text, is_public_pem};
use crate::secret::scan::{FOUND_MAX, scan};

/// So many letters of a kind, varied.
fn body(letters: Letters, length: usize) -> String {
    let all: Vec<char> = (b'!'..=b'~').filter(|b| letters.has(*b)).map(char::from).collect();
    (0..length).map(|at| all[(at * 7 + at / 11) % all.len()]).collect()
}

/// What a row is meant to find, cut short by so many letters.
fn example(begins: &str, form: Form, less: usize) -> String {
    let of = |letters, n: usize| body(letters, n.saturating_sub(less));
    match form {
        Form::Token(letters, n) | Form::Word(letters, n) | Form::Exactly(letters, n) => {
            format!("{begins}{}", of(letters, n))
        }
        Form::Assigned(letters, n) => format!("{begins} = \"{}\"", of(letters, n)),
        Form::Pem => {
            let block = of(Letters::Base64, if less > 0 { 8 } else { 64 });
            format!("-----BEGIN RSA {begins}\n{block}\n-----END")
        }
        Form::Jwt => format!("eyJ{0}.eyJ{0}.{0}", of(Letters::Word, 24 - less * 10)),
        Form::SendGrid => {
            format!("SG.{}.{}", of(Letters::Word, 22), of(Letters::Word, 43 - less * 20))
        }
        Form::Telegram => format!("123456789:AA{}", of(Letters::Word, 33 - less)),
        Form::AtlasV1 => {
            format!("{}{begins}{}", body(Letters::Word, 14), of(Letters::Word, 60))
        }
        Form::Url => format!("https://deploy:{}@host/x", of(Letters::Word, 12 - less * 9)),
    }
}

#[test]
fn every_form_finds_its_example_and_nothing_shorter() {
    for row in ROWS {
        let text = format!("first line\nkey: {}\n", example(row.begins, row.form, 0));
        let found = scan(text.as_bytes());
        assert!(found.iter().any(|f| f.kind == row.kind && f.line == 2), "{text}: {found:?}");
        // Two bytes a letter, as Windows writes text.
        let wide: Vec<u8> = text.bytes().flat_map(|b| [b, 0]).collect();
        assert!(scan(&wide).iter().any(|f| f.kind == row.kind), "wide {text}");
        if !matches!(row.form, Form::Token(_, 1)) {
            let short = format!("key: {}\n", example(row.begins, row.form, 1));
            assert!(!scan(short.as_bytes()).iter().any(|f| f.kind == row.kind), "{short}");
        }
    }
}

#[test]
fn what_stands_in_for_a_secret_is_none() {
    let none = [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "postgres://app:${PASSWORD}@db/x and https://user:password@host/",
        "https://postgres:postgres@localhost/db",
        "pem.starts_with(\"-----BEGIN PRIVATE KEY-----\")",
        "kind: Secret\ndata:\n  key: {{ .Values.key | b64enc }}\n  other: ENC[AES256_GCM,data:x]\n",
        "kind: ConfigMap\ndata:\n  key: value\n",
        "kind: SealedSecret\nspec:\n  encryptedData:\n    key: AgBy\n",
    ];
    for text in none {
        assert_eq!(scan(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn surroundings_give_secrets_away() {
    let secret = "kind: Secret\nmetadata:\n  name: x\ndata:\n  key: aGVsbG8=\n";
    let found = scan(secret.as_bytes());
    assert_eq!(
        found.iter().map(|f| (f.kind.name, f.line)).collect::<Vec<_>>(),
        [("kubernetes-secret", 5)]
    );
    let state = br#"{"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "a"}"#;
    assert_eq!(scan(state)[0].kind.name, "terraform-state");
    let config = "kind: Config\nclusters: []\nusers:\n- user:\n    token: abcdefgh\n";
    assert_eq!(scan(config.as_bytes())[0].kind.name, "kubeconfig");
}

#[test]
fn files_are_secret_by_name_and_samples_are_not() {
    for name in
        ["id_rsa", "a/ID_RSA", "x.TFSTATE", "x.tfstate.", ".env", ".env.prod", "a/.kube/config"]
    {
        assert!(!by_name(name.as_bytes()).unwrap().unless_public, "{name}");
    }
    for name in ["tls.pem", "server.KEY"] {
        assert!(by_name(name.as_bytes()).unwrap().unless_public, "{name}");
    }
    for name in ["id_rsa.pub", ".env.example", "environment", "keys.md", "a/config"] {
        assert_eq!(by_name(name.as_bytes()), None, "{name}");
    }
    assert!(is_public_pem(b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"));
    assert!(!is_public_pem(b"-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n"));
    assert!(!is_public_pem(b"no PEM at all"));
    assert!(holds_no_text(b"a/x.PNG") && !holds_no_text(b"png") && !holds_no_text(b"x.json"));
}

#[test]
fn too_many_secrets_are_one_more_and_looking_is_linear() {
    let many: String = (0..FOUND_MAX + 10).map(|n| format!("glpat-{n:020}abcdef\n")).collect();
    let found = scan(many.as_bytes());
    assert_eq!(found.len(), FOUND_MAX + 1);
    assert_eq!(found[FOUND_MAX].kind.name, "many");
    // Beginnings without an end, of every kind.
    for row in ROWS {
        scan(row.begins.repeat(4_000 / row.begins.len()).as_bytes());
    }
}
