//! Two people, one account: pushes over a real `sshd` on the loopback.
//!
//! Nothing tells the server who is there but the key that opened the connection: no forced
//! command, no variable. `ExposeAuthInfo yes` lets the hook read that key (sshd_config(5)), and the
//! roster names its owner. The reviewer has nothing but `git` and `ssh-keygen`.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::ground::{missing, run, text};
use crate::support::person::{Person, public_key};
use crate::support::push::Pushed;
use crate::support::site::Site;

/// How long a server may take to listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);

/// A server of our own, ended with the test.
struct Sshd {
    child: Child,
    port: u16,
    account: String,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The `sshd` of this machine.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("sshd"))
        .find(|file| file.exists())
}

impl Sshd {
    /// Starts one for this site that lets these people in, all into the account that runs the test.
    fn start(site: &Site, people: &[&str]) -> Result<Self, String> {
        let program = program().ok_or("there is no sshd on this machine")?;
        let account = text(site.ground().command("id").arg("-un"));
        let folder = site.ground().at("sshd");
        fs::create_dir(&folder).unwrap();
        // Its separation folder has a fixed place, and only root needs it.
        if account == "root" && !Path::new("/run/sshd").is_dir() {
            fs::create_dir("/run/sshd").map_err(|error| format!("/run/sshd: {error}"))?;
        }
        text(
            site.ground()
                .command("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join("host")),
        );
        let keys: String = people.iter().map(|name| public_key(name) + "\n").collect();
        fs::write(folder.join("authorized_keys"), keys).unwrap();
        fs::set_permissions(folder.join("authorized_keys"), fs::Permissions::from_mode(0o600))
            .unwrap();
        let port = free_port();
        let place = folder.display();
        fs::write(
            folder.join("config"),
            format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host\nPidFile {place}/pid\n\
                 AuthorizedKeysFile {place}/authorized_keys\nStrictModes no\nExposeAuthInfo yes\n\
                 UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PermitRootLogin prohibit-password\nPrintMotd no\nLogLevel ERROR\n"
            ),
        )
        .unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("sshd did not start: {error}"))?;
        Self { child, port, account }.listening()
    }

    /// Waits until it greets whoever connects.
    fn listening(mut self) -> Result<Self, String> {
        let begin = Instant::now();
        while begin.elapsed() < LISTENS_WITHIN {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut said = String::new();
                if let Some(mut stderr) = self.child.stderr.take() {
                    drop(stderr.read_to_string(&mut said));
                }
                return Err(format!("sshd ended with {status}: {said}"));
            }
            if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                let mut greeting = [0; 4];
                if stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-" {
                    return Ok(self);
                }
            }
            std::thread::yield_now();
        }
        Err("sshd does not listen".to_owned())
    }

    /// A push by a person over this server, with that person's key and no other.
    fn push(&self, site: &Site, person: &Person, refspecs: &[&str]) -> Pushed {
        let known = site.ground().at("known_hosts");
        let ssh = format!(
            "ssh -F /dev/null -i '{}' -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
             -o StrictHostKeyChecking=no -o UserKnownHostsFile='{}' -o LogLevel=ERROR",
            person.key().display(),
            known.display()
        );
        let url =
            format!("ssh://{}@127.0.0.1:{}{}", self.account, self.port, site.path().display());
        let mut git = person.git(&["push"]);
        // Whatever the client claims to be is not what counts.
        git.env("GIT_SSH_COMMAND", ssh).env("LOGNAME", "bob").env("USER", "bob");
        Pushed::of(&run(git.arg(url).args(refspecs)))
    }
}

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn two_people_push_over_one_account_and_are_told_apart_by_their_keys() {
    let site = Site::gated();
    let sshd = match Sshd::start(&site, &["alice", "bob", "mallory"]) {
        Ok(sshd) => sshd,
        Err(why) => {
            missing(&why);
            return;
        }
    };
    let (alice, bob, mallory) = (site.person("alice"), site.person("bob"), site.person("mallory"));

    alice.begin("open-port");
    let tip = alice.commit("infra/prod/network.tf", "port 8443\n");
    sshd.push(&site, &alice, &["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    sshd.push(&site, &alice, &["HEAD:refs/heads/open-port"]).accepted().says("alice");
    let merge = alice.merge(&tip);
    let landing = format!("{merge}:refs/heads/main");
    sshd.push(&site, &alice, &[&landing]).refused_by("infra-review").says("0 of 1 approval");

    // Alice's own word, from her own key, is not what is missing.
    alice.fetch();
    let own = site.draft(&alice, &tip).sign(&alice);
    sshd.push(&site, &alice, &[&own.refspec()]);
    sshd.push(&site, &alice, &[&landing]).refused_by("infra-review");

    // Bob's is: git, ssh-keygen and sha256sum, nothing of ours.
    let approval = site.draft(&bob, &tip).sign(&bob);
    sshd.push(&site, &bob, &[&approval.refspec()]).accepted().says("bob");

    // A key that sshd lets in and the roster does not know is somebody unlisted.
    mallory.begin("mine");
    mallory.commit("app/x", "new\n");
    sshd.push(&site, &mallory, &["HEAD:refs/heads/mine"]).accepted().says("SHA256:");
    assert_eq!(site.log().last("decision")["actor"]["name"], serde_json::Value::Null);
    mallory.fetch();
    let own = site.draft(&mallory, &tip).sign(&mallory);
    sshd.push(&site, &mallory, &[&own.refspec()]).refused();

    sshd.push(&site, &alice, &[&landing]).accepted();
    assert_eq!(site.main(), merge);
    let log = site.log();
    let names: Vec<&str> =
        log.of("decision").filter_map(|entry| entry["actor"]["name"].as_str()).collect();
    assert!(names.contains(&"alice") && names.contains(&"bob"), "{names:?}");
    site.log_and_refs_agree();
}
