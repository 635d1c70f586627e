//! What stands between ssh and Git on a forge: it knows who logged in, and tells the hooks so in
//! variables of its own. Whatever the client had in its environment stays behind.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::server::Server;
use crate::support::ground::text;
use crate::support::person::WHO;

/// Lets everybody in by a door that sets these variables and then calls Git like this. `$who` is
/// the login, `$command` the service (`receive-pack`), `$path` the repository.
pub(crate) fn open(server: &Server, variables: &str, call: &str) {
    let ground = server.ground();
    let path = std::env::var("PATH").unwrap_or_default();
    let home = server.home().display();
    let script = format!(
        "#!/bin/sh\n# Called by git as ssh: HOST COMMAND.\nwho=${WHO}\neval \"set -- $2\"\n\
         command=${{1#git-}} path=$2\n\
         exec env -i PATH='{path}' HOME='{home}' GIT_CONFIG_NOSYSTEM=1 \\\n\
         GIT_CONFIG_GLOBAL='{home}/.gitconfig' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' \\\n\
         {variables} {call}\n"
    );
    let door = ground.at("door");
    write_script(&door, &script);
    for (key, value) in [("core.sshCommand", door.to_str().unwrap()), ("ssh.variant", "simple")] {
        let mut git = ground.command("git");
        text(git.args(["config", "--file"]).arg(ground.at("gitconfig")).args([key, value]));
    }
}

/// The address behind that door.
pub(crate) fn url(server: &Server) -> String {
    format!("ssh://forge{}", server.path().display())
}

/// Writes a script that may be run.
pub(crate) fn write_script(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}
