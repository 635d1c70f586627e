//! Smart HTTP: `git http-backend` under a real Apache with basic authentication, in the account that
//! keeps the repositories.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use crate::leave;
use crate::listening::{Listening, free_port, program};
use crate::page::block_below;
use crate::server::{Server, whole_life_with};
use crate::support::ground::{missing, run, text};

/// Where Debian puts Apache's modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// What the page's `<Location>` needs, and what any Apache has loaded.
const NEEDED: &[&str] = &[
    "mpm_prefork",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "alias",
    "env",
    "cgi",
];

/// The password of everybody, as `htpasswd -s` keeps it.
const SECRET: (&str, &str) = ("secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=");

/// Starts a web server with what the page says, in the account that keeps the repositories.
fn apache(server: &Server) -> Result<Listening, String> {
    let apache = program("apache2").ok_or("there is no apache2 on this machine")?;
    if !Path::new(MODULES).join("mod_cgi.so").exists() {
        return Err(format!("{MODULES} lacks mod_cgi.so"));
    }
    let ground = server.ground();
    let folder = server.home().join("apache");
    text(server.operator("mkdir").arg(&folder));
    let users: String =
        ["alice", "bob"].iter().map(|name| format!("{name}:{}\n", SECRET.1)).collect();
    fs::create_dir_all(ground.at("etc/git")).unwrap();
    fs::write(ground.at("etc/git/users"), users).unwrap();
    let backend = text(ground.command("git").arg("--exec-path"));
    let page = block_below(ground.path(), "http", "apache").replace("/usr/lib/git-core", &backend);
    let port = free_port();
    let (place, home) = (folder.display(), server.home().display());
    let modules: String = NEEDED
        .iter()
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .collect();
    let config = format!(
        "ServerRoot {place}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {place}/pid\n\
         DefaultRuntimeDir {place}\nMutex file:{place}\nErrorLog {place}/error.log\nKeepAlive Off\n\
         {modules}SetEnv HOME {home}\nSetEnv GIT_CONFIG_NOSYSTEM 1\n\
         SetEnv GIT_CONFIG_GLOBAL {home}/.gitconfig\n{page}"
    );
    let file = ground.at("apache.conf");
    fs::write(&file, config).unwrap();
    // One process, which ends when the test does.
    let mut command = server.operator(apache.to_str().unwrap());
    command.arg("-f").arg(file).args(["-X", "-E"]).arg(folder.join("start.log"));
    Listening::start(&mut command, port, b"HEAD / HTTP/1.0\r\n\r\n")
}

/// A request of Alice's that ends before its body does.
fn left(apache: &Listening, request: &[u8], sent: &[u8]) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, apache.port)).unwrap();
    let header = format!(
        "POST /git/infra.git/git-receive-pack HTTP/1.1\r\nHost: 127.0.0.1\r\n\
         Authorization: Basic YWxpY2U6c2VjcmV0\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    stream.write_all(header.as_bytes()).unwrap();
    stream.write_all(sent).unwrap();
}

#[test]
fn the_web_server_tells_who_pushes() {
    let identity = crate::page::block("http", "policy");
    let server = Server::new(identity.trim_end()).kept_by("www-data");
    let apache = match apache(&server) {
        Ok(apache) => apache,
        Err(why) => return missing(&why),
    };
    let server = server
        .reached_by(format!("http://{{who}}:{}@127.0.0.1:{}/git/infra.git", SECRET.0, apache.port));
    whole_life_with(&server, "http", |alice, bob| {
        leave::at_every_step(&server, (alice, bob), |request, sent| left(&apache, request, sent));
    });
    let log = server.log();
    let actor = &log.last("decision")["actor"];
    assert_eq!((&actor["door"], &actor["source"]), (&"http".into(), &"REMOTE_USER".into()));

    // Whoever has no password is stopped by the web server.
    let address = format!("http://alice:wrong@127.0.0.1:{}/git/infra.git", apache.port);
    let push = run(server.ground().command("git").args(["ls-remote", &address]));
    assert!(!push.status.success());
}
