//! The corpus under `tests/cases/infra`, the inputs that text files cannot hold, and properties.

use std::time::Instant;

use proptest::prelude::*;

use crate::infra::content::{BLOB_BYTES_MAX, by_content, looks_structured, wants_content};
use crate::infra::kinds::TABLE;
use crate::infra::paths::by_path;
use crate::infra::set::InfraKinds;

const PATHS: &str = include_str!("../../tests/cases/infra/paths.txt");
const CONTENTS: &str = include_str!("../../tests/cases/infra/contents.txt");
/// A quarter of what is read: enough to tell linear from quadratic.
const LARGE: usize = BLOB_BYTES_MAX / 4;
const POD: &[u8] = b"apiVersion: v1\nkind: Pod\n";

/// What each kind says when it is asked alone, joined: `helm kubernetes`, `-` for none.
fn each(asked: impl Fn(InfraKinds) -> InfraKinds) -> String {
    let said: Vec<&str> = TABLE
        .iter()
        .filter_map(|kind| asked(InfraKinds::parse(&[kind.name]).unwrap()).first())
        .map(|kind| kind.name)
        .collect();
    if said.is_empty() { "-".to_owned() } else { said.join(" ") }
}

fn inside(path: &str, bytes: &[u8]) -> String {
    each(|kinds| by_content(kinds, path.as_bytes(), bytes))
}

fn kinds_that_look_inside() -> String {
    let looking = TABLE.iter().filter(|kind| kind.content.is_some());
    looking.map(|kind| kind.name).collect::<Vec<_>>().join(" ")
}

#[test]
fn paths_belong_to_the_kinds_of_the_corpus() {
    let lines = PATHS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let wrong: Vec<String> = lines
        .filter_map(|line| {
            let (path, kinds) = line.split_once(": ").unwrap();
            let found = each(|kinds| by_path(kinds, path.as_bytes()));
            (found != kinds).then(|| format!("{path}: {found}, not {kinds}"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn contents_show_the_kinds_of_the_corpus() {
    let mut wrong = Vec::new();
    for case in CONTENTS.split("\n== ").skip(1) {
        let (head, content) = case.split_once('\n').unwrap_or((case, ""));
        let (path, kinds) = head.split_once(": ").unwrap();
        let kinds = if kinds == "all" { &kinds_that_look_inside() } else { kinds };
        for (form, content) in [("lf", content.to_owned()), ("crlf", content.replace('\n', "\r\n"))]
        {
            let found = inside(path, content.as_bytes());
            if found != kinds {
                wrong.push(format!("{path} ({form}): {found}, not {kinds}"));
            }
            assert!(kinds == "-" || looks_structured(path.as_bytes()), "{path} would not be read");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_byte_order_mark_and_old_line_ends_hide_nothing() {
    assert_eq!(inside("a.yaml", b"\xef\xbb\xbfapiVersion: v1\nkind: Pod\n"), "kubernetes");
    assert_eq!(inside("a.yaml", b"apiVersion: v1\rkind: Pod\r"), "kubernetes");
    assert_eq!(inside("a.yaml", "# x\u{85}apiVersion: v1\u{85}kind: Pod".as_bytes()), "kubernetes");
    assert_eq!(
        inside("a.yaml", "# x\u{2028}apiVersion: v1\u{2029}kind: Pod".as_bytes()),
        "kubernetes"
    );
}

#[test]
fn what_cannot_be_decoded_is_what_it_might_be() {
    let utf16: Vec<u8> = "\u{feff}a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&utf16[..], b"\0GITCRYPT\0...", b"name: caf\xe9\n"] {
        assert_eq!(inside("a.yaml", bytes), kinds_that_look_inside());
        assert_eq!(inside("a.bin", bytes), "-");
    }
    let large = vec![b'#'; BLOB_BYTES_MAX + 1];
    assert_eq!(inside("a.json", &large), kinds_that_look_inside());
    assert_eq!(inside("a.json", &large[1..]), "-");
}

#[test]
fn only_structured_names_without_a_path_match_are_read() {
    let all = InfraKinds::EVERY;
    assert!(wants_content(all, b"apps/web.yaml") && wants_content(all, b"apps/WEB.JSON"));
    assert!(wants_content(all, b"a.yaml.tmpl") && wants_content(all, b"stack.template"));
    let kubernetes = InfraKinds::parse(&["kubernetes"]).unwrap();
    assert!(!wants_content(kubernetes, b"k8s/web.yaml"), "its path says it");
    assert!(wants_content(all, b"k8s/web.yaml"), "its path does not say what else it is");
    assert!(!wants_content(all, b"nginx.conf.j2") && !wants_content(all, b"yaml"));
    assert!(!wants_content(InfraKinds::parse(&["terraform", "chef"]).unwrap(), b"apps/web.yaml"));
    assert!(!wants_content(InfraKinds::NONE, b"apps/web.yaml"));
}

#[test]
fn hostile_texts_take_no_time() {
    let bomb = (1..60).fold("a0: &a0 [x]\n".to_owned(), |text, i| {
        let refs = format!("*a{}, ", i - 1).repeat(9);
        format!("{text}a{i}: &a{i} [{refs}*a{}]\n", i - 1)
    });
    let documents = "---\nname: x\nvalues: {a: [1, 2, 3], b: text}\nnote: more of it\n";
    let documents = documents.repeat(505 * 1024 / documents.len());
    let texts = [
        ("alias bomb", bomb),
        ("20,000 nested lists", "[".repeat(20_000)),
        ("20,000 nested maps", "{a: ".repeat(20_000)),
        ("nested block lists", "- ".repeat(LARGE / 2)),
        ("nested explicit keys", "? ".repeat(LARGE / 2)),
        ("one long comment", "#".repeat(LARGE)),
        ("one long scalar", "a".repeat(LARGE)),
        ("one long quoted scalar", format!("\"{}\"", " \n".repeat(LARGE / 2 - 1))),
        ("anchors", "- &a x\n".repeat(LARGE / 7)),
        ("keys", "a: x\n".repeat(LARGE / 5)),
        ("4,000 and more documents", documents),
    ];
    for (name, text) in texts {
        let begin = Instant::now();
        assert!(inside_all(text.as_bytes()).is_empty(), "{name}");
        // Milliseconds when optimised.
        assert!(begin.elapsed().as_secs() < 10, "{name} took {:?}", begin.elapsed());
    }
}

fn inside_all(bytes: &[u8]) -> InfraKinds {
    by_content(InfraKinds::EVERY, b"a.yaml", bytes)
}

/// Text that is rich in what YAML gives a meaning to.
fn yaml_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "kind",
        "apiVersion",
        ": ",
        ":",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n---\n",
        "\n...\n",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&x ",
        "*x ",
        "<<: ",
        "!!str ",
        "!t ",
        "# ",
        "%YAML 1.2",
        "{{ .x }}",
        "\\",
        "\t",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "é",
        "$",
        "@",
        "`",
        "~",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), path in "[ -~]{0,20}") {
        let _ = by_content(InfraKinds::EVERY, path.as_bytes(), &bytes);
        let _ = by_path(InfraKinds::EVERY, &bytes);
        let _ = wants_content(InfraKinds::EVERY, &bytes);
    }

    #[test]
    fn an_object_is_found_after_any_text(text in yaml_like()) {
        let bytes = [text.as_bytes(), b"\n---\n", POD].concat();
        let kubernetes = InfraKinds::parse(&["kubernetes"]).unwrap();
        prop_assert_eq!(by_content(kubernetes, b"a.yaml", &bytes), kubernetes);
    }

    #[test]
    fn more_documents_never_take_a_match_back(text in yaml_like(), more in yaml_like()) {
        let longer = [text.as_bytes(), b"\n---\n", more.as_bytes()].concat();
        prop_assert!(inside_all(text.as_bytes()).without(inside_all(&longer)).is_empty());
    }

    #[test]
    fn who_else_is_asked_about_does_not_matter(text in yaml_like(), row in 0..TABLE.len()) {
        let one = InfraKinds::parse(&[TABLE[row].name]).unwrap();
        let together = inside_all(text.as_bytes()).intersection(one);
        prop_assert_eq!(by_content(one, b"a.yaml", text.as_bytes()), together);
    }

    #[test]
    fn a_path_matches_whatever_its_case(row in 0..PATHS.lines().count(), upper in any::<[bool; 16]>()) {
        let path = PATHS.lines().nth(row).unwrap().split(':').next().unwrap();
        let mixed: String = path
            .chars()
            .zip(upper.into_iter().cycle())
            .map(|(c, up)| if up { c.to_ascii_uppercase() } else { c })
            .collect();
        let both = [path, &mixed].map(|path| by_path(InfraKinds::EVERY, path.as_bytes()));
        prop_assert_eq!(both[0], both[1]);
    }
}
