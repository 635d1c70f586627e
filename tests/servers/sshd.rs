//! A real `sshd` on the loopback that lets people in by the keys of a file, all into the account that
//! runs the test.

use std::fs;
use std::path::Path;

use crate::listening::{Listening, free_port, program};
use crate::server::Server;
use crate::support::ground::text;

/// A running `sshd`.
pub(crate) struct Sshd {
    _daemon: Listening,
    /// Where a path of the server is found.
    pub(crate) url: String,
}

/// Starts one for this server. `keys` is what people are let in by, `more` further lines of its
/// configuration.
pub(crate) fn start(server: &Server, keys: &Path, more: &str) -> Result<Sshd, String> {
    let ground = server.ground();
    let sshd = program("sshd").ok_or("there is no sshd on this machine")?;
    let account = text(ground.command("id").arg("-un"));
    // Its separation folder has a fixed place, and only root needs it.
    if account == "root" {
        fs::create_dir_all("/run/sshd").map_err(|error| format!("/run/sshd: {error}"))?;
    }
    let folder = ground.at("sshd");
    fs::create_dir(&folder).unwrap();
    let host = folder.join("host");
    text(ground.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&host));
    let port = free_port();
    let (place, keys, home) = (folder.display(), keys.display(), server.home().display());
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host\nPidFile {place}/pid\n\
         AuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPrintMotd no\n\
         LogLevel ERROR\nSetEnv HOME={home} GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL={home}/.gitconfig\n\
         {more}\n"
    );
    fs::write(folder.join("config"), config).unwrap();
    let mut command = std::process::Command::new(sshd);
    command.args(["-D", "-e", "-f"]).arg(folder.join("config"));
    let daemon = Listening::start(&mut command, port, b"")?;
    // Everybody comes with their own key and no other, and claims to be Bob.
    let ssh = format!(
        "ssh -F /dev/null -i \"$HOME/.ssh/id_ed25519\" -o IdentitiesOnly=yes -o IdentityAgent=none \
         -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile={place}/known \
         -o LogLevel=ERROR -o KexAlgorithms=curve25519-sha256 -o SetEnv='PUSHER=bob GL_USER=bob REMOTE_USER=bob'"
    );
    let mut git = ground.command("git");
    text(
        git.args(["config", "--file"]).arg(ground.at("gitconfig")).args(["core.sshCommand", &ssh]),
    );
    let url = format!("ssh://{account}@127.0.0.1:{port}");
    Ok(Sshd { _daemon: daemon, url })
}
