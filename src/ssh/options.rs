//! The comma-separated options before a key in `authorized_keys` and `allowed_signers`.
//!
//! Used by the readers of those two files. OpenSSH's rules: an option is a name, or a name, `=` and
//! a value in double quotes in which `\"` stands for a quote; names are compared without case; a
//! blank outside quotes ends the list.

use thiserror::Error;

/// One option, as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyOption {
    /// Its name, in lower case.
    pub name: String,
    /// What stands in the quotes, where there are any.
    pub value: Option<String>,
}

/// Why options cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OptionError {
    /// A quote is opened and never closed.
    #[error("a quote in the options is not closed")]
    OpenQuote,
    /// `name=value` without quotes, text behind a closing quote, or nothing between two commas.
    #[error("the options are not NAME or NAME=\"VALUE\", separated by commas")]
    Form,
}

/// Splits a line behind its options: they, and what follows without its leading blanks.
pub fn split(line: &str) -> Result<(&str, &str), OptionError> {
    let mut is_quoted = false;
    let mut end = line.len();
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' | '\t' if !is_quoted => {
                end = at;
                break;
            }
            // An escaped quote is passed over, as both characters.
            '\\' => {
                let _ = chars.next_if(|(_, next)| *next == '"');
            }
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
    }
    if is_quoted {
        return Err(OptionError::OpenQuote);
    }
    Ok((&line[..end], line[end..].trim_start_matches([' ', '\t'])))
}

/// Reads the options that `split` found.
pub fn parse(text: &str) -> Result<Vec<KeyOption>, OptionError> {
    let mut options = Vec::new();
    let mut rest = text;
    loop {
        let (option, behind) = one(rest)?;
        options.push(option);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(options),
            None => return Err(OptionError::Form),
        }
    }
}

/// Reads one option; also gives what stands behind it.
fn one(text: &str) -> Result<(KeyOption, &str), OptionError> {
    let end = text.find([',', '=', '"']).unwrap_or(text.len());
    let (name, behind) = text.split_at(end);
    if name.is_empty() {
        return Err(OptionError::Form);
    }
    let name = name.to_ascii_lowercase();
    let Some(quoted) = behind.strip_prefix('=') else {
        return Ok((KeyOption { name, value: None }, behind));
    };
    let (value, behind) = dequote(quoted)?;
    Ok((KeyOption { name, value: Some(value) }, behind))
}

/// Reads a value in double quotes; also gives what stands behind it.
fn dequote(text: &str) -> Result<(String, &str), OptionError> {
    let inner = text.strip_prefix('"').ok_or(OptionError::Form)?;
    let mut value = String::new();
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if chars.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            '"' => return Ok((value, &inner[at + 1..])),
            c => value.push(c),
        }
    }
    Err(OptionError::OpenQuote)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_commas_and_quotes_inside_quotes_belong_to_the_value() {
        let line = r#"no-pty,Command="echo \"a, b\"",from="10.0.0.0/8" ssh-ed25519 AAAA"#;
        let (options, rest) = split(line).unwrap();
        assert_eq!(rest, "ssh-ed25519 AAAA");
        let read = parse(options).unwrap();
        assert_eq!(read[0], KeyOption { name: "no-pty".into(), value: None });
        assert_eq!(read[1].name, "command");
        assert_eq!(read[1].value.as_deref(), Some(r#"echo "a, b""#));
        assert_eq!(read[2].value.as_deref(), Some("10.0.0.0/8"));
    }

    #[test]
    fn what_is_not_a_list_of_options_is_refused() {
        for text in ["", ",", "a,", ",a", "a=b", "a=\"b\"c", "a\"b\""] {
            assert_eq!(parse(text), Err(OptionError::Form), "{text}");
        }
        assert_eq!(parse("a=\"b"), Err(OptionError::OpenQuote));
        assert_eq!(split("a=\"b c"), Err(OptionError::OpenQuote));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[a-z=\"\\\\, \t\u{e9}]{0,60}") {
            if let Ok((options, rest)) = split(&text) {
                prop_assert!(options.len() + rest.len() <= text.len());
                let _ = parse(options);
            }
        }
    }
}
