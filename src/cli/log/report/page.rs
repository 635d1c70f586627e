//! The page: its parts put together, and shut against everything that a text in it may try.
//!
//! Nothing of a log is ever written as HTML. The data stand in blocks of JSON in which no `<` is
//! left; the script shows them as text. The policy in the page lets the browser run this script and
//! this style, named by their hashes, and load nothing at all.

use base64ct::{Base64, Encoding as _};
use serde::Serialize;

use crate::cli::log::report::data::Data;
use crate::names::digest::Digest;

const PAGE: &str = include_str!("page/page.html");

const STYLE: &str = include_str!("page/page.css");

/// The parts of the script, in order.
const SCRIPT: [&str; 6] = [
    include_str!("page/data.js"),
    include_str!("page/draw.js"),
    include_str!("page/figures.js"),
    include_str!("page/controls.js"),
    include_str!("page/table.js"),
    include_str!("page/main.js"),
];

/// The whole page.
pub fn page(data: &Data, packs: &[String]) -> serde_json::Result<String> {
    let script = SCRIPT.concat();
    let security = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(STYLE)
    );
    let title = match data.logs.as_slice() {
        [one] => format!("Change report: {}", one.name),
        logs => format!("Change report: {} logs", logs.len()),
    };
    let mut page = String::new();
    for part in PAGE.split("{{") {
        let Some((slot, rest)) = part.split_once("}}") else {
            page.push_str(part);
            continue;
        };
        match slot {
            "security" => page.push_str(&security),
            "title" => page.push_str(&in_html(&title)),
            "style" => page.push_str(STYLE),
            "script" => page.push_str(&script),
            "data" => page.push_str(&in_script(data)?),
            "packs" => page.push_str(&in_script(&packs)?),
            other => page.push_str(other),
        }
        page.push_str(rest);
    }
    Ok(page)
}

fn hash(text: &str) -> String {
    format!("sha256-{}", Base64::encode_string(Digest::of(text.as_bytes()).as_bytes()))
}

/// JSON that no reader of HTML ends early or takes for a comment: what matters to one is escaped as
/// JSON escapes it.
fn in_script<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    Ok(safe)
}

fn in_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn no_text_ends_the_block_it_stands_in() {
        let text = "</script><!--<script>&\u{2028}'\"\\";
        let safe = in_script(&text).unwrap();
        assert!(!safe.contains(['<', '>', '&', '\u{2028}']), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        assert_eq!(in_html("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn the_page_asks_for_nothing_and_its_parts_are_short() {
        let parts = SCRIPT.iter().chain([&PAGE, &STYLE]);
        for part in parts {
            let lines = part.lines().count();
            assert!(lines <= 400, "{lines} lines:\n{}", part.lines().next().unwrap());
            // The one address is the name of SVG, which nobody fetches.
            let asks = part.replace("http://www.w3.org/2000/svg", "");
            for word in [
                "http:",
                "https:",
                "//cdn",
                "url(",
                "@import",
                "src=",
                "innerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "fetch(",
                "XMLHttpRequest",
            ] {
                assert!(!asks.contains(word), "{word} in:\n{}", part.lines().next().unwrap());
            }
        }
        assert!(!STYLE.contains("</") && !SCRIPT.concat().contains("</"));
    }
}
