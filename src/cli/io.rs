//! Where a verb writes: data to standard output, talk to standard error.
//!
//! Made by `main`, used by every verb. Colour only on a terminal and without `NO_COLOR`
//! (<https://no-color.org>). Text from outside must have been escaped by whoever hands it in.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::cli::fault::{Fault, OrFault};
use crate::push::env::Env;

/// What a line of talk is; the word in front of it and its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// `error:`
    Error,
    /// `warning:`
    Warning,
    /// `caused by:`
    Cause,
    /// `hint:`
    Hint,
    /// `note:`
    Note,
    /// `success:`
    Success,
}

impl Tone {
    /// The word that stands in front.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Cause => "caused by",
            Self::Hint => "hint",
            Self::Note => "note",
            Self::Success => "success",
        }
    }

    /// The colour of the word, as the parameters of an ANSI "select graphic rendition".
    const fn colour(self) -> &'static str {
        match self {
            Self::Error => "1;31",
            Self::Warning => "1;33",
            Self::Cause => "1",
            Self::Hint | Self::Note => "1;36",
            Self::Success => "1;32",
        }
    }
}

/// What whoever reads data can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Whether a terminal shows it, and in colour.
    pub colour: bool,
    /// How wide the terminal is. `None` where there is none: then nothing is folded.
    pub columns: Option<usize>,
}

/// The two streams of a run.
pub struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    screen: Screen,
    colour_err: bool,
    progress: bool,
}

impl Console {
    /// The streams of this process, colours by what they are connected to.
    pub fn of_process(environment: &Env) -> Self {
        let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
        let colour = environment.get("NO_COLOR").is_none_or(OsStr::is_empty) && !dumb;
        let err_is_terminal = io::stderr().is_terminal();
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            screen: Screen {
                colour: colour && io::stdout().is_terminal(),
                columns: terminal_columns(),
            },
            colour_err: colour && err_is_terminal,
            progress: err_is_terminal && !dumb,
        }
    }

    /// Any two writers, without colour or progress; for tests.
    pub fn plain(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self { out, err, screen: Screen::default(), colour_err: false, progress: false }
    }

    /// What data is shown on.
    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether talk may be coloured.
    pub const fn colour_err(&self) -> bool {
        self.colour_err
    }

    /// Whether somebody watches, so that long work should show how far it is.
    pub const fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Writes data, as it stands.
    pub fn data(&mut self, text: &str) -> Result<(), Fault> {
        self.data_bytes(text.as_bytes())
    }

    /// Writes data that need not be UTF-8.
    pub fn data_bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        written(self.out.write_all(bytes), "standard output")
    }

    /// Writes one line of data.
    pub fn data_line(&mut self, line: &str) -> Result<(), Fault> {
        self.data(line)?;
        self.data("\n")
    }

    /// Writes a line of words, folded where a terminal is narrower; what is folded is indented as the
    /// line is, and by two more. Not for what somebody copies.
    pub fn data_words(&mut self, line: &str) -> Result<(), Fault> {
        match self.screen.columns {
            Some(columns) => {
                let hang = line.len() - line.trim_start_matches(' ').len() + 2;
                self.data_line(&folded(line, columns, hang))
            }
            None => self.data_line(line),
        }
    }

    /// Writes one JSON value, indented for people on a terminal, and a line feed.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(value)
            .or_fault(|| "could not write the answer as JSON".into())?;
        self.data_line(&text)
    }

    /// Writes one line of talk, as it stands.
    pub fn talk(&mut self, line: &str) -> Result<(), Fault> {
        // Data first: on a terminal the two streams then keep their order. Where data cannot be
        // written, that is no reason to keep silent.
        let flushed = self.flush();
        written(writeln!(self.err, "{line}"), "standard error").and(flushed)
    }

    /// Writes talk with its word in front; further lines of the text are indented by two.
    pub fn talk_lines(&mut self, tone: Tone, text: &str) -> Result<(), Fault> {
        let word = paint(self.colour_err, tone);
        self.talk(&format!("{word} {}", text.replace('\n', "\n  ")))
    }

    /// Hands on what was written so far.
    pub fn flush(&mut self) -> Result<(), Fault> {
        written(self.out.flush(), "standard output")
    }
}

/// How wide the terminal of standard output is. `None` where there is none: then nothing is folded.
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Folds a line between words, to go on in the column `hang`; a word that is too wide stays where it
/// is, or stands alone.
pub fn folded(line: &str, columns: usize, hang: usize) -> String {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let (mut text, mut column) = (" ".repeat(blanks), blanks);
    let mut is_first = true;
    for word in line.trim_start_matches(' ').split(' ') {
        let width = word.chars().count();
        if !is_first && column + 1 + width > columns && column > hang {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            text.push_str(&" ".repeat(hang));
            column = hang;
        } else if !is_first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
        is_first = false;
    }
    text
}

/// Whoever stops reading (`portcullis explain | head -1`) needs no complaint.
fn written(result: io::Result<()>, stream: &str) -> Result<(), Fault> {
    result.map_err(|error| {
        let fault = Fault::caused(format!("could not write to {stream}"), &error);
        if error.kind() == io::ErrorKind::BrokenPipe { fault.quiet() } else { fault }
    })
}

fn paint(colour: bool, tone: Tone) -> String {
    if colour {
        format!("\x1b[{}m{}:\x1b[0m", tone.colour(), tone.word())
    } else {
        format!("{}:", tone.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_at_the_terminal_s_edge() {
        assert_eq!(folded("  one two three", 80, 4), "  one two three");
        assert_eq!(folded("  one two three", 15, 4), "  one two three");
        assert_eq!(folded("  one two three", 14, 4), "  one two\n    three");
        assert_eq!(folded("one twotwotwo three", 6, 2), "one\n  twotwotwo\n  three");
        assert_eq!(folded("  a   twotwotwo three", 9, 7), "  a   twotwotwo\n       three");
    }
}
