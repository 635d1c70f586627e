//! Files that are secret by their names, whatever is in them.
//!
//! Asked with names already folded (case, composition, trailing dots), so that a look-alike is no
//! way round. The lists of GitLab's push rule and of the usual scanners are all in here.

use crate::pattern::fold::folded;
use crate::secret::kinds::{
    AWS, AZURE, DOCKER, ENV_FILE, GCP, HISTORY, KEY_STORE, KUBECONFIG, PASSWORD_FILE, PRIVATE_KEY,
    SecretKind, TERRAFORM, TERRAFORM_STATE, VAULT,
};

/// A file that is secret by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named {
    /// What kind.
    pub kind: &'static SecretKind,
    /// Whether it is none when it is PEM and nothing in it is private: certificates, public keys.
    pub unless_public: bool,
}

/// What of a path is compared.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The whole name.
    Is(&'static str),
    /// The end of the name.
    Ends(&'static str),
    /// The beginning of the name.
    Begins(&'static str),
    /// The end of the path, whole components.
    Path(&'static str),
    /// The beginning and the end of the name.
    Both(&'static str, &'static str),
}

use Part::{Begins, Both, Ends, Is, Path};

/// Every form. The first that fits names the kind.
static ROWS: &[(&SecretKind, Part)] = &[
    (&PRIVATE_KEY, Is("id_rsa")),
    (&PRIVATE_KEY, Is("id_dsa")),
    (&PRIVATE_KEY, Is("id_ecdsa")),
    (&PRIVATE_KEY, Is("id_ed25519")),
    (&PRIVATE_KEY, Is("id_ecdsa_sk")),
    (&PRIVATE_KEY, Is("id_ed25519_sk")),
    (&PRIVATE_KEY, Ends("_rsa")),
    (&PRIVATE_KEY, Ends("_dsa")),
    (&PRIVATE_KEY, Ends("_ecdsa")),
    (&PRIVATE_KEY, Ends("_ed25519")),
    (&PRIVATE_KEY, Both("ssh_host_", "_key")),
    (&PRIVATE_KEY, Ends(".ppk")),
    (&KEY_STORE, Ends(".p12")),
    (&KEY_STORE, Ends(".pfx")),
    (&KEY_STORE, Ends(".pkcs12")),
    (&KEY_STORE, Ends(".jks")),
    (&KEY_STORE, Ends(".jceks")),
    (&KEY_STORE, Ends(".keystore")),
    (&KEY_STORE, Ends(".bks")),
    (&KEY_STORE, Ends(".kdbx")),
    (&KEY_STORE, Ends(".kdb")),
    (&KEY_STORE, Ends(".keychain")),
    (&KEY_STORE, Ends(".keychain-db")),
    (&KEY_STORE, Ends(".agilekeychain")),
    (&KEY_STORE, Ends(".opvault")),
    (&KEY_STORE, Ends(".keytab")),
    (&KEY_STORE, Is("secring.gpg")),
    (&TERRAFORM_STATE, Ends(".tfstate")),
    (&TERRAFORM_STATE, Ends(".tfstate.backup")),
    (&TERRAFORM_STATE, Begins("terraform.tfstate.")),
    (&TERRAFORM_STATE, Ends(".tfplan")),
    (&TERRAFORM_STATE, Is("tfplan")),
    (&TERRAFORM, Is("credentials.tfrc.json")),
    (&TERRAFORM, Is(".terraformrc")),
    (&TERRAFORM, Is("terraform.rc")),
    (&KUBECONFIG, Is("kubeconfig")),
    (&KUBECONFIG, Begins("kubeconfig.")),
    (&KUBECONFIG, Ends(".kubeconfig")),
    (&KUBECONFIG, Path(".kube/config")),
    (&ENV_FILE, Is(".env")),
    (&ENV_FILE, Begins(".env.")),
    (&AWS, Path("aws/credentials")),
    (&AWS, Path(".aws/credentials")),
    (&AWS, Is(".s3cfg")),
    (&AWS, Is(".boto")),
    (&AWS, Is(".passwd-s3fs")),
    (&GCP, Is("application_default_credentials.json")),
    (&GCP, Path("gcloud/credentials.db")),
    (&GCP, Path("gcloud/access_tokens.db")),
    (&AZURE, Path(".azure/accesstokens.json")),
    (&AZURE, Path(".azure/msal_token_cache.json")),
    (&DOCKER, Path(".docker/config.json")),
    (&DOCKER, Is(".dockercfg")),
    (&DOCKER, Is(".dockerconfigjson")),
    (&VAULT, Is(".vault-token")),
    (&VAULT, Is(".vault_pass")),
    (&VAULT, Is(".vault_pass.txt")),
    (&VAULT, Is(".vault-pass")),
    (&VAULT, Is(".vault_password")),
    (&VAULT, Is("vault_pass.txt")),
    (&PASSWORD_FILE, Is(".netrc")),
    (&PASSWORD_FILE, Is("_netrc")),
    (&PASSWORD_FILE, Is(".git-credentials")),
    (&PASSWORD_FILE, Is(".pgpass")),
    (&PASSWORD_FILE, Is("pgpass.conf")),
    (&PASSWORD_FILE, Is(".my.cnf")),
    (&PASSWORD_FILE, Is(".pypirc")),
    (&PASSWORD_FILE, Is(".htpasswd")),
    (&HISTORY, Ends("_history")),
    (&HISTORY, Ends(".history")),
];

/// Names that count unless what is in the file is public.
const UNLESS_PUBLIC: [&str; 3] = [".pem", ".key", ".der"];

/// Endings by which a file says that it shows how another one looks.
const SAMPLES: [&str; 7] =
    [".example", ".sample", ".template", ".tmpl", ".dist", ".defaults", ".schema"];

/// Endings of files that hold pictures, sound, archives or programs: too large ones of these are
/// not held to be secret.
const NO_TEXT: [&str; 52] = [
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "tif", "tiff", "psd", "ai", "pdf", "zip",
    "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "jar", "war", "whl", "deb", "rpm", "apk", "msi",
    "dmg", "iso", "img", "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "mov", "avi", "mkv",
    "webm", "ogg", "flac", "wav", "exe", "dll", "so", "dylib", "wasm", "pyc", "class", "parquet",
];

/// Whether a file is secret by its name.
pub fn by_name(path: &[u8]) -> Option<Named> {
    let spellings = folded(path);
    let mut found = None;
    for spelling in std::iter::once(&spellings.letters).chain(&spellings.loose) {
        found = found.or_else(|| of_spelling(spelling));
    }
    found
}

/// Whether a file's name says that there is no text in it.
pub fn holds_no_text(path: &[u8]) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.rsplit(|&b| b == b'.');
    parts.next().is_some_and(|end| end.len() < lower.len() && is_any(&NO_TEXT, end))
}

fn is_any(words: &[&str], word: &[u8]) -> bool {
    words.iter().any(|one| one.as_bytes() == word)
}

fn of_spelling(path: &[u8]) -> Option<Named> {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let sample = SAMPLES.iter().any(|end| name.ends_with(end.as_bytes()));
    let fits = |part: &Part| match part {
        Is(word) => name == word.as_bytes(),
        Ends(end) => name.ends_with(end.as_bytes()),
        Begins(begin) => name.starts_with(begin.as_bytes()) && !sample,
        Both(begin, end) => name.starts_with(begin.as_bytes()) && name.ends_with(end.as_bytes()),
        Path(end) => path
            .strip_suffix(end.as_bytes())
            .is_some_and(|head| head.is_empty() || head.ends_with(b"/")),
    };
    if let Some((kind, _)) = ROWS.iter().find(|(_, part)| fits(part)) {
        return Some(Named { kind, unless_public: false });
    }
    let key = UNLESS_PUBLIC.iter().any(|end| name.ends_with(end.as_bytes()));
    key.then_some(Named { kind: &PRIVATE_KEY, unless_public: true })
}

/// Labels of PEM blocks that anybody may have (RFC 7468, and Git's and OpenSSH's own).
const PUBLIC_LABELS: [&[u8]; 10] = [
    b"CERTIFICATE",
    b"TRUSTED CERTIFICATE",
    b"X509 CERTIFICATE",
    b"CERTIFICATE REQUEST",
    b"NEW CERTIFICATE REQUEST",
    b"X509 CRL",
    b"PUBLIC KEY",
    b"RSA PUBLIC KEY",
    b"SSH2 PUBLIC KEY",
    b"DH PARAMETERS",
];

/// Whether some bytes are PEM, and every block in them is one that anybody may have.
pub fn is_public_pem(bytes: &[u8]) -> bool {
    let begin = b"-----BEGIN ";
    let mut blocks = memchr::memmem::find_iter(bytes, begin).peekable();
    let public = |at: usize| {
        let label = bytes.get(at + begin.len()..).unwrap_or_default();
        let length = label.iter().take(64).position(|&b| b == b'-').unwrap_or_default();
        PUBLIC_LABELS.contains(&label.get(..length).unwrap_or_default())
    };
    blocks.peek().is_some() && blocks.all(public)
}
