//! The story of the demo, act by act, each with the proof that it went as it says.

use crate::cli::demo::stage::{Stage, WHO_VARIABLE, Who};
use crate::cli::fault::Fault;
use crate::cli::io::Console;

/// What is told before the first act.
pub const BEFORE: &str = "\
alice and bob work on infra.git, which has a branch main with one commit. Each has an SSH key and
a clone. What follows is typed by them and by the server's operator; every line is really run.";

/// What is told at the end.
pub const SUM: &str =
    "two refusals, an approval, a landing, and a log that knows when it is lied to";

/// One act.
pub struct Act {
    /// What happens.
    pub title: &'static str,
    /// What to look at.
    pub story: &'static str,
    /// Plays it. Faults when it goes otherwise.
    pub play: fn(&mut Stage, &mut Console) -> Result<(), Fault>,
}

/// The story.
pub static ACTS: &[Act] = &[
    Act {
        title: "A gate in front of the repository",
        story: "The policy is a file on the server. `install` writes the hooks and begins the log.",
        play: install,
    },
    Act {
        title: "A commit straight to main is refused",
        story: "It says which rule, at which line, and what to do instead.",
        play: direct_commit,
    },
    Act {
        title: "A branch is free, but nobody lands infrastructure alone",
        story: "The branch is pushed and merged by the book. What is missing is a second person.",
        play: unreviewed_merge,
    },
    Act {
        title: "bob looks at it, and approves",
        story: "His word is signed with his own SSH key, and holds for exactly this change.",
        play: approval,
    },
    Act {
        title: "The same push again",
        story: "Nothing about the commits has changed.",
        play: landing,
    },
    Act {
        title: "The log has all of it, and proves itself",
        story: "Each entry holds the hash of the one before. Nothing but the log is needed to check it.",
        play: log,
    },
    Act {
        title: "One byte of a copy is changed",
        story: "Somebody would rather have had another reviewer: `bob` becomes `rob`.",
        play: forgery,
    },
];

const FIRST_CONFIG: &str = "open_ports = [443]\\n";

/// What was there before the story begins.
pub fn prepare(stage: &mut Stage) -> Result<(), Fault> {
    for who in [Who::Alice, Who::Bob] {
        let name = who.name();
        let line = format!(
            "mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -C {name} -f .ssh/id_ed25519"
        );
        stage.quietly(who, &line)?;
    }
    stage.quietly(Who::Server, "git init --quiet --bare infra.git")?;
    stage.quietly(Who::Alice, "git clone --quiet \"$(cd ../server && pwd)/infra.git\" infra")?;
    let first = format!(
        "mkdir -p infra/prod && printf '{FIRST_CONFIG}' >infra/prod/network.tf && \
         echo 'How we run things.' >README.md && git add . && git commit --quiet -m 'begin' && \
         git push --quiet origin main"
    );
    stage.quietly(Who::Alice, &first)?;
    stage.quietly(Who::Bob, "git clone --quiet \"$(cd ../server && pwd)/infra.git\" infra")?;
    let policy = policy(&public_key(stage, Who::Alice)?, &public_key(stage, Who::Bob)?);
    stage.write("server/policy.toml", &policy)
}

fn public_key(stage: &Stage, who: Who) -> Result<String, Fault> {
    let key = stage.read(&format!("{}/.ssh/id_ed25519.pub", who.name()))?;
    Ok(String::from_utf8_lossy(&key).trim_end().to_owned())
}

fn policy(alice: &str, bob: &str) -> String {
    format!(
        r#"version = 1

[identity]
local = "{WHO_VARIABLE}"   # over SSH it would be "ssh-auth-info"

[people.alice]
keys = ["{alice}"]
[people.bob]
keys = ["{bob}"]

[groups]
platform = ["alice", "bob"]

[rule.main-takes-merges]
kind = "merge"
refs = ["@default"]

[rule.infra-review]
kind  = "approval"
refs  = ["@default"]
infra = ["terraform"]
from  = ["@platform"]
why   = "production is built from here"
"#
    )
}

fn install(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    stage.types(console, Who::Server, "cat policy.toml")?.expect(0, &["infra-review"])?;
    let line = "portcullis install --policy policy.toml infra.git";
    stage.types(console, Who::Server, line)?.expect(0, &["begin the log", "success: "])?;
    stage.quietly(Who::Server, "portcullis log verify infra.git")?;
    Ok(())
}

fn direct_commit(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    let before = main(stage)?;
    let line = "echo 'Just a typo.' >>README.md && git commit --quiet -am 'fix a typo'";
    stage.types(console, Who::Alice, line)?.expect(0, &[])?;
    let words = ["refs/heads/main refused by rule `main-takes-merges`", "nothing was updated"];
    stage.types(console, Who::Alice, "git push origin main")?.expect(1, &words)?;
    stands(stage, &before)
}

fn unreviewed_merge(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    let before = main(stage)?;
    let silent = |stage: &mut Stage, console: &mut Console, line: &str| {
        stage.types(console, Who::Alice, line)?.expect(0, &[]).map(|_| ())
    };
    silent(stage, console, "git reset --quiet --hard origin/main")?;
    silent(stage, console, "git switch --quiet -c open-8443")?;
    silent(stage, console, "echo 'open_ports = [443, 8443]' >infra/prod/network.tf")?;
    silent(stage, console, "git commit --quiet -am 'open port 8443'")?;
    let pushed = stage.types(console, Who::Alice, "git push origin open-8443")?;
    pushed.expect(0, &["1 ref accepted", "you are alice"])?;
    silent(
        stage,
        console,
        "git switch --quiet main && git merge --quiet --no-ff --no-edit open-8443",
    )?;
    let words = ["refs/heads/main refused by rule `infra-review`", "0 of 1 approval"];
    stage.types(console, Who::Alice, "git push origin main")?.expect(1, &words)?;
    stands(stage, &before)
}

fn approval(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    stage.types(console, Who::Bob, "git fetch --quiet")?.expect(0, &[])?;
    let diff = stage.types(console, Who::Bob, "git diff -U0 origin/main...origin/open-8443")?;
    diff.expect(0, &["+open_ports = [443, 8443]"])?;
    let line = "portcullis approve --yes --for main origin/open-8443";
    let words = ["approval by bob, signed with SHA256:", "nothing is missing"];
    stage.types(console, Who::Bob, line)?.expect(0, &words)?;
    let held = "git -C infra.git for-each-ref --format='%(refname)' refs/approvals";
    match stage.quietly(Who::Server, held)?.strip_suffix("/bob") {
        Some(_) => Ok(()),
        None => Err(Fault::new("the demo went wrong: the server holds no approval by bob")),
    }
}

fn landing(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    let words = ["success: 1 ref accepted", "main -> main"];
    stage.types(console, Who::Alice, "git push origin main")?.expect(0, &words)?;
    let hers = stage.quietly(Who::Alice, "git rev-parse HEAD")?;
    stands(stage, &hers)
}

fn log(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    let words =
        ["genesis", "refused by main-takes-merges", "refused by infra-review", "approve of"];
    stage.types(console, Who::Server, "portcullis log show infra.git")?.expect(0, &words)?;
    stage.types(console, Who::Server, "portcullis log verify infra.git")?.expect(0, &["whole"])?;
    Ok(())
}

/// The log's file, below the log's folder.
const SEGMENT: &str = "00000000000000000000.jsonl";

/// Who signed, as an entry has it; the byte after the quote is the one to change.
const SIGNER: &[u8] = b"\"person\":\"bob\"";

/// Where in it the name begins.
const SIGNER_NAME_AT: usize = 10;

fn forgery(stage: &mut Stage, console: &mut Console) -> Result<(), Fault> {
    let line = "cp -R infra.git/portcullis/log copy";
    stage.types(console, Who::Server, line)?.expect(0, &[])?;
    let file = format!("server/copy/{SEGMENT}");
    let whole = stage.read(&file)?;
    let signer = whole.windows(SIGNER.len()).position(|window| window == SIGNER);
    let at = signer
        .map(|at| at + SIGNER_NAME_AT)
        .ok_or_else(|| Fault::new("the demo went wrong: the log does not say who approved"))?;
    let line = format!("printf r | dd of=copy/{SEGMENT} bs=1 seek={at} conv=notrunc 2>/dev/null");
    stage.types(console, Who::Server, &line)?.expect(0, &[])?;
    let forged = stage.read(&file)?;
    let differing = whole.iter().zip(&forged).filter(|(one, other)| one != other).count();
    if whole.len() != forged.len() || differing != 1 {
        return Err(Fault::new("the demo went wrong: not exactly one byte was changed"));
    }
    let entry = whole[..at].iter().filter(|&&byte| byte == b'\n').count();
    let words = format!("broken at entry {entry}");
    stage.types(console, Who::Server, "portcullis log verify copy")?.expect(1, &[&words])?;
    stage.types(console, Who::Server, "portcullis log verify infra.git")?.expect(0, &["whole"])?;
    Ok(())
}

/// Where main stands on the server.
fn main(stage: &Stage) -> Result<String, Fault> {
    stage.quietly(Who::Server, "git -C infra.git rev-parse refs/heads/main")
}

fn stands(stage: &Stage, expected: &str) -> Result<(), Fault> {
    let found = main(stage)?;
    if found == expected {
        return Ok(());
    }
    Err(Fault::new("the demo went wrong: main does not stand where it should")
        .cause(format!("it stands at {found} and not at {expected}")))
}
