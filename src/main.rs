//! The program: hands what the world gave it to `cli`, and `cli`'s answer back as an exit code.
//!
//! Arguments, environment and clock are read here, once, and travel as values from then on. What a
//! verb does is not here.

use std::process::ExitCode;

use portcullis::cli;
use portcullis::cli::io::Console;
use portcullis::cli::surroundings::Surroundings;
use portcullis::names::moment::Moment;
use portcullis::push::env::Env;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where arguments, environment, clock and streams are taken from the process"
)]
fn main() -> ExitCode {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok());
    let surroundings = Surroundings {
        arguments: std::env::args_os().collect(),
        environment: Env::new(std::env::vars_os()),
        directory: std::env::current_dir().ok(),
        executable: std::env::current_exe().ok(),
        // A clock before 1970 or past the year 292 million says nothing; 1970 makes every
        // statement lie in the future, so nothing is accepted by it.
        now: Moment::from_millis(since_1970.unwrap_or(0)),
    };
    let mut console = Console::of_process(&surroundings.environment);
    ExitCode::from(cli::run(&surroundings, &mut console).code())
}
