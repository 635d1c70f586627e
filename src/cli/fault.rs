//! What a verb says when it could not do its work: a sentence, its causes, hints, an exit code.
//!
//! Made by verbs from the errors of the rooms below; shown by `cli::run`. A refusal is not a fault:
//! it is an ordinary answer with exit code 1.

use std::error::Error;
use std::fmt;

use crate::cli::io::{Console, Tone};

/// The four answers every verb gives to the shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "the exit code is the answer that scripts read"]
pub enum Exit {
    /// Done, and nothing is wrong.
    Yes,
    /// Refused, or problems were found.
    No,
    /// The command line was mistyped.
    Mistyped,
    /// It could not be done.
    CouldNot,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Mistyped => 2,
            Self::CouldNot => 3,
        }
    }

    /// The worse of two answers: what is said of several things at once.
    pub fn worst(self, other: Self) -> Self {
        if other.code() > self.code() { other } else { self }
    }
}

/// Something an operator must mend before the verb can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    sentence: String,
    causes: Vec<String>,
    hints: Vec<String>,
    exit: Exit,
    quiet: bool,
}

impl Fault {
    /// A fault with this sentence: lower case, no full stop, no causes or hints yet.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            exit: Exit::CouldNot,
            quiet: false,
        }
    }

    /// A command line that the verb cannot make sense of, though it parsed.
    pub fn mistyped(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::Mistyped, ..Self::new(sentence) }
    }

    /// Nothing is broken: what was asked for is refused, because of problems found in it.
    pub fn refused(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::No, ..Self::new(sentence) }
    }

    /// A fault with this sentence, caused by this error and by what caused that.
    pub fn caused(sentence: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let mut fault = Self::new(sentence);
        let mut next = Some(error);
        while let Some(cause) = next {
            fault.push_cause(cause.to_string());
            next = cause.source();
        }
        fault
    }

    /// The same fault, with one thing more that the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same fault, with one cause more at the end.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.push_cause(cause.into());
        self
    }

    /// The same fault, of which nobody needs to hear: only the exit code tells.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Whether nobody needs to hear of it.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What could not be done.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What can be done about it, one step each.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Shows the fault on standard error, unless nobody needs to hear.
    pub fn show(&self, console: &mut Console) -> Exit {
        if self.quiet {
            return self.exit;
        }
        // Where standard error is gone as well, the exit code is all that can still be said.
        let _ = console.talk_lines(Tone::Error, &self.sentence);
        for cause in &self.causes {
            let _ = console.talk_lines(Tone::Cause, cause);
        }
        for hint in &self.hints {
            let _ = console.talk_lines(Tone::Hint, hint);
        }
        self.exit
    }

    fn push_cause(&mut self, cause: String) {
        // Errors that print their source as part of themselves would say it twice.
        if self.causes.last().is_none_or(|last| !last.ends_with(&cause)) {
            self.causes.push(cause);
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// Turns the errors of other rooms into faults.
pub trait OrFault<T> {
    /// The value, or a fault with this sentence and the error as its cause.
    fn or_fault(self, sentence: impl FnOnce() -> String) -> Result<T, Fault>;
}

impl<T, E: Error + 'static> OrFault<T> for Result<T, E> {
    fn or_fault(self, sentence: impl FnOnce() -> String) -> Result<T, Fault> {
        self.map_err(|error| Fault::caused(sentence(), &error))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::rc::Rc;

    use super::*;

    /// A stream whose text can be looked at afterwards.
    #[derive(Clone, Default)]
    struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A stream that nobody reads any more.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    fn said(fault: &Fault, out: Box<dyn Write>) -> (Exit, String) {
        let paper = Paper::default();
        let exit = fault.show(&mut Console::plain(out, Box::new(paper.clone())));
        let text = String::from_utf8(paper.0.borrow().clone()).unwrap();
        (exit, text)
    }

    #[test]
    fn a_fault_says_what_why_and_what_now() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let fault = Fault::caused("could not append to the log", &error).hint("look\nat it");
        let (exit, text) = said(&fault, Box::new(Paper::default()));
        assert_eq!(exit.code(), 3);
        assert_eq!(
            text,
            "error: could not append to the log\ncaused by: permission denied\nhint: look\n  at it\n"
        );
    }

    #[test]
    fn a_fault_is_heard_even_when_nobody_reads_the_data() {
        let (_, text) = said(&Fault::mistyped("no such verb"), Box::new(Closed));
        assert_eq!(text, "error: no such verb\n");
    }

    #[test]
    fn a_reader_that_has_gone_is_a_quiet_fault() {
        let mut console = Console::plain(Box::new(Closed), Box::new(Paper::default()));
        let fault = console.data("x").unwrap_err();
        let (exit, text) = said(&fault, Box::new(Paper::default()));
        assert_eq!((exit, text.as_str()), (Exit::CouldNot, ""));
    }
}
