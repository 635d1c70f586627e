//! The answer Git hears: an exit code and what the pusher reads. No yes without a receipt.

use std::path::{Path, PathBuf};

use crate::hook::fault::{Road, Stop};
use crate::log::file::Receipt;
use crate::message::closing::{Closing, Logged, Reach, Room, head_line};
use crate::message::pusher;
use crate::push::pusher::Pusher;
use crate::verdict::{Judgement, Verdict};

/// How many digits of the log's head a pusher is shown.
pub const HEAD_DIGITS: usize = 12;

/// What a hook answers. A code of 0 exists only where the log gave a receipt, or where an earlier
/// decision with one was found.
#[derive(Debug)]
#[must_use = "an answer that nobody hears lets everything through"]
pub struct Answer {
    code: u8,
    text: String,
    hooks_dir: Option<PathBuf>,
    notify: Option<PathBuf>,
}

impl Answer {
    /// The answer to a judged push.
    pub fn judged(
        judgement: &Judgement,
        receipt: &Receipt,
        you: &Pusher,
        (reach, room): (Reach, Room),
    ) -> Self {
        let head = head(receipt);
        let closing =
            Closing { entry: Some(receipt.seq()), head: Some(&head), you: Some(you), reach, room };
        let code = match (judgement.verdict(), reach) {
            (Verdict::Accept, _) | (Verdict::Refuse, Reach::RefusedRefs) => 0,
            (Verdict::Refuse, Reach::WholePush | Reach::ThisRef) => 1,
        };
        Self { code, text: pusher::judged(judgement, &closing), hooks_dir: None, notify: None }
    }

    /// The same, with a warning for those who run the server.
    pub fn warned(mut self, warning: Option<String>) -> Self {
        if let Some(warning) = warning {
            self.text.push_str(&warning);
            self.text.push('\n');
        }
        self
    }

    /// The answer to a refused push whose entry is counted with others: always no.
    pub fn held(judgement: &Judgement, room: Room) -> Self {
        let reach = Reach::WholePush;
        let closing = Closing { entry: None, head: None, you: None, reach, room };
        Self { code: 1, text: pusher::judged(judgement, &closing), hooks_dir: None, notify: None }
    }

    /// A no without a judgement.
    pub fn stopped(stop: &Stop, text: String) -> Self {
        Self { code: stop.code(), text, hooks_dir: None, notify: None }
    }

    /// The update hook found the decision that pre-receive wrote: its receipt was given there.
    pub(crate) fn decided_before() -> Self {
        Self { code: 0, text: String::new(), hooks_dir: None, notify: None }
    }

    /// The answer to a question: never a yes.
    pub fn asked(text: String) -> Self {
        Self { code: 1, text, hooks_dir: None, notify: None }
    }

    /// The same answer, and the folder where an earlier hook may still have its say.
    pub fn from_hooks(self, dir: PathBuf) -> Self {
        Self { hooks_dir: Some(dir), ..self }
    }

    /// The folder of the hook that gave this answer, once the repository was opened.
    pub fn hooks_dir(&self) -> Option<&Path> {
        self.hooks_dir.as_deref()
    }

    /// The same answer, and the repository whose operators are told of what happens.
    pub fn notifies(self, git_dir: Option<PathBuf>) -> Self {
        Self { notify: git_dir, ..self }
    }

    /// The repository whose operators are told of what happens; `None`: nobody is.
    pub fn notify(&self) -> Option<&Path> {
        self.notify.as_deref()
    }

    /// The exit code.
    pub const fn code(&self) -> u8 {
        self.code
    }

    /// What the pusher reads; empty: nothing.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The log's head after these entries, as pushers are shown it.
pub fn head(receipt: &Receipt) -> String {
    let mut head = receipt.head().hash.hex();
    head.truncate(HEAD_DIGITS);
    head
}

/// What the pusher reads when the push was refused or could not be judged.
pub fn stop_text(stop: &Stop, help: Option<&str>, receipt: Option<&Receipt>) -> String {
    let head = receipt.map(head);
    let logged = receipt.zip(head.as_deref());
    let logged = logged.map(|(receipt, head)| Logged { entry: receipt.seq(), head });
    match stop.road {
        Road::Refused => {
            let mut lines = vec![format!("error: {}", stop.told.show())];
            lines.push(
                "  the push was refused as a whole before its commits were judged".to_owned(),
            );
            if let Some(hint) = &stop.hint {
                lines.push(format!("hint: {}", hint.text.show()));
            }
            lines.extend(help.map(|help| format!("hint: ask {help}")));
            lines.push(String::new());
            let seen =
                logged.map_or(String::new(), |logged| format!(", see entry {}", logged.entry));
            lines.push(format!("error: the push was refused, nothing was updated{seen}"));
            lines.extend(logged.map(|logged| head_line(logged.head)));
            lines.join("\n") + "\n"
        }
        Road::Busy | Road::Fault => {
            let mut lines = vec![stop.told.clone()];
            lines.extend(stop.hint.as_ref().map(|hint| hint.text.clone()));
            pusher::fault(&lines, stop.again(), help, logged)
        }
    }
}
