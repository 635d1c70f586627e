//! What a push came to: Git's verdict, and what the pusher read.

use std::process::Output;

/// The end of one `git push`, or of one raw request.
#[derive(Debug)]
pub(crate) struct Pushed {
    ok: bool,
    /// The lines that the server sent, without Git's `remote: ` and padding.
    lines: Vec<String>,
    whole: String,
}

impl Pushed {
    /// Reads what `git push` printed.
    pub(crate) fn of(output: &Output) -> Self {
        let whole = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = whole
            .lines()
            .filter_map(|line| line.strip_prefix("remote:"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned())
            .collect();
        Self { ok: output.status.success(), lines, whole }
    }

    /// Did Git take all of it?
    pub(crate) fn is_accepted(&self) -> bool {
        self.ok
    }

    /// Everything that the pusher read.
    pub(crate) fn whole(&self) -> &str {
        &self.whole
    }

    /// The server's lines as one text.
    pub(crate) fn said(&self) -> String {
        self.lines.join("\n")
    }

    /// The push must have been taken, with our receipt.
    #[track_caller]
    pub(crate) fn accepted(&self) -> &Self {
        assert!(self.ok, "the push was to be accepted:\n{}", self.whole);
        self
    }

    /// The push must have been refused, by us, with a sentence.
    #[track_caller]
    pub(crate) fn refused(&self) -> &Self {
        assert!(!self.ok, "the push was to be refused:\n{}", self.whole);
        assert!(
            self.lines.iter().any(|line| line.starts_with("error:")),
            "a refusal has to say why:\n{}",
            self.whole
        );
        self.well_formed()
    }

    /// The push must have been refused by this rule.
    #[track_caller]
    pub(crate) fn refused_by(&self, rule: &str) -> &Self {
        self.refused().says(&format!("refused by rule `{rule}`"))
    }

    /// No rule of this name may have objected.
    #[track_caller]
    pub(crate) fn not_by(&self, rule: &str) -> &Self {
        assert!(
            !self.said().contains(&format!("refused by rule `{rule}`")),
            "rule `{rule}` was to be content:\n{}",
            self.whole
        );
        self
    }

    /// The pusher must have read this.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(self.said().contains(words), "nobody said {words:?}:\n{}", self.whole);
        self
    }

    /// The pusher must have read this, wherever lines break.
    #[track_caller]
    pub(crate) fn tells(&self, words: &str) -> &Self {
        let said = self.said().replace("remote:", " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "nobody said {words:?}:\n{}", self.whole);
        self
    }

    /// The pusher must have read one of these.
    #[track_caller]
    pub(crate) fn says_one_of(&self, words: &[&str]) -> &Self {
        let said = self.said().to_lowercase();
        assert!(
            words.iter().any(|word| said.contains(&word.to_lowercase())),
            "nobody said one of {words:?}:\n{}",
            self.whole
        );
        self
    }

    /// The pusher must not have read this.
    #[track_caller]
    pub(crate) fn is_silent_about(&self, words: &str) -> &Self {
        assert!(!self.said().contains(words), "somebody said {words:?}:\n{}", self.whole);
        self
    }

    /// Every line is fit for a terminal: no control byte whatever the pusher sent.
    #[track_caller]
    pub(crate) fn well_formed(&self) -> &Self {
        for line in &self.lines {
            assert!(!line.chars().any(char::is_control), "a control character: {line:?}");
        }
        self
    }
}
