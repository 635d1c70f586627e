//! The same work for many repositories: side by side, with a bar for whoever watches.
//!
//! Used by verbs with `--recursive`. Most of the work is waiting for the disk and for `git`, so there
//! are more threads than cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::io::Console;

/// How many threads work at most.
pub const THREADS_MAX: usize = 16;

/// Does this work for each of them; the answers come in the order of the items. `what` says in the
/// bar what is being done.
pub fn each<T: Sync, R: Send>(
    console: &Console,
    what: &'static str,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let bar = bar(console, what, items.len());
    let answers = each_of(&bar, items, work);
    bar.finish_and_clear();
    answers
}

/// The same for a part of the work that this bar is about.
pub fn each_of<T: Sync, R: Send>(
    bar: &ProgressBar,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (say, hear) = mpsc::channel::<(usize, R)>();
    let mut answers: Vec<(usize, R)> = std::thread::scope(|scope| {
        for _ in 0..items.len().min(THREADS_MAX) {
            let (say, next, work) = (say.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    // Nobody hears any more only when the whole is coming down.
                    if say.send((at, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        hear.iter().inspect(|_| bar.inc(1)).collect()
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A bar for a crowd; of one there is nothing to watch.
pub fn bar_of_many(console: &Console, what: &'static str, all: usize) -> ProgressBar {
    match all {
        0 | 1 => ProgressBar::hidden(),
        many => bar(console, what, many),
    }
}

/// A bar for so much work; hidden where nobody watches.
pub fn bar(console: &Console, what: &'static str, all: usize) -> ProgressBar {
    let bar = match console.shows_progress() {
        true => ProgressBar::new(all as u64),
        false => ProgressBar::hidden(),
    };
    let style = "{elapsed_precise} [{bar:40}] {pos}/{len} {msg}";
    bar.set_style(
        ProgressStyle::with_template(style)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> "),
    );
    bar.with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        let console = Console::plain(Box::new(std::io::sink()), Box::new(std::io::sink()));
        let items: Vec<usize> = (0..200).collect();
        let answers = each(&console, "counted", &items, |item| item * 2);
        assert_eq!(answers, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(each(&console, "counted", &[], |(): &()| ()).is_empty());
    }
}
