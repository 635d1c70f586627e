//! How tokens and keys look: what they begin with, and what must follow.
//!
//! A row is a claim about bytes, with no backtracking: once its beginning is found, a bounded look
//! ahead says yes or no. Beginnings that mean little by themselves need a word of their own.

use crate::secret::kinds::{
    AGE, ANTHROPIC, ATLASSIAN, AWS, AZURE, DATABRICKS, DIGITALOCEAN, DISCORD, DOCKER, DOPPLER, GCP,
    GITHUB, GITLAB, GRAFANA, HUGGING_FACE, JWT, KUBECONFIG, LINEAR, NEW_RELIC, NPM, OPENAI,
    POSTMAN, PRIVATE_KEY, PULUMI, PYPI, RUBYGEMS, SENDGRID, SHOPIFY, SLACK, STRIPE, SecretKind,
    TAILSCALE, TELEGRAM, TERRAFORM, URL_PASSWORD, VAULT,
};

/// Which bytes a token is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letters {
    /// `0-9a-f`.
    Hex,
    /// `A-Z2-7`.
    Base32,
    /// `A-Z0-9`.
    Upper,
    /// `A-Za-z0-9`.
    Word,
    /// `A-Za-z0-9_-`.
    Url,
    /// `A-Za-z0-9_=.-`.
    Loose,
    /// `A-Za-z0-9+/=`.
    Base64,
    /// `A-Za-z0-9/`.
    Path,
}

impl Letters {
    /// Whether a byte is one of them.
    pub const fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Upper => matches!(byte, b'A'..=b'Z' | b'0'..=b'9'),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Loose => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'.')
            }
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Path => byte.is_ascii_alphanumeric() || byte == b'/',
        }
    }
}

/// What must follow a beginning, or stand around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// At least so many of these letters, right behind it.
    Token(Letters, usize),
    /// The same, where it begins a word.
    Word(Letters, usize),
    /// Exactly so many, where it begins a word and ends one.
    Exactly(Letters, usize),
    /// The same as `Token`, behind `=`, `:`, quotes and blanks.
    Assigned(Letters, usize),
    /// The end of a PEM header: `-----BEGIN` before it, a block behind it.
    Pem,
    /// `HEADER.PAYLOAD.SIGNATURE`, each in base64url.
    Jwt,
    /// `KEY.SECRET`: 22 letters, a dot, 43 letters.
    SendGrid,
    /// `BOT:AA...`: digits before it, 33 letters behind it.
    Telegram,
    /// 14 letters before it, 60 behind it.
    AtlasV1,
    /// `user:password@` behind it.
    Url,
}

/// What begins a secret, and how it goes on.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What kind it is.
    pub kind: &'static SecretKind,
    /// What is looked for; letters of the alphabet in either case for `Assigned`.
    pub begins: &'static str,
    /// What must follow.
    pub form: Form,
}

const fn row(kind: &'static SecretKind, begins: &'static str, form: Form) -> Row {
    Row { kind, begins, form }
}

use Form::{Assigned, AtlasV1, Exactly, Jwt, Pem, SendGrid, Telegram, Token, Url, Word};

/// Every form.
pub static ROWS: &[Row] = &[
    row(&PRIVATE_KEY, "PRIVATE KEY-----", Pem),
    row(&PRIVATE_KEY, "PRIVATE KEY BLOCK-----", Pem),
    row(&PRIVATE_KEY, "PuTTY-User-Key-File-", Token(Letters::Hex, 1)),
    // The same headers in base64, as manifests and kubeconfigs have them.
    row(&PRIVATE_KEY, "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS", Token(Letters::Base64, 40)),
    row(&PRIVATE_KEY, "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt", Token(Letters::Base64, 40)),
    row(&PRIVATE_KEY, "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS", Token(Letters::Base64, 40)),
    row(&PRIVATE_KEY, "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZ", Token(Letters::Base64, 40)),
    row(&PRIVATE_KEY, "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVkt", Token(Letters::Base64, 40)),
    row(&AGE, "AGE-SECRET-KEY-1", Token(Letters::Upper, 50)),
    row(&AWS, "AKIA", Exactly(Letters::Base32, 16)),
    row(&AWS, "ASIA", Exactly(Letters::Base32, 16)),
    row(&AWS, "ABIA", Exactly(Letters::Base32, 16)),
    row(&AWS, "ACCA", Exactly(Letters::Base32, 16)),
    row(&AWS, "aws_secret_access_key", Assigned(Letters::Base64, 40)),
    row(&AWS, "aws_secret_key", Assigned(Letters::Base64, 40)),
    row(&AWS, "secretaccesskey", Assigned(Letters::Base64, 40)),
    row(&AZURE, "accountkey", Assigned(Letters::Base64, 80)),
    row(&AZURE, "sharedaccesskey", Assigned(Letters::Base64, 43)),
    row(&GCP, "AIza", Exactly(Letters::Url, 35)),
    row(&GCP, "GOCSPX-", Token(Letters::Url, 28)),
    row(&GCP, "ya29.", Word(Letters::Url, 30)),
    row(&DIGITALOCEAN, "dop_v1_", Token(Letters::Hex, 64)),
    row(&DIGITALOCEAN, "doo_v1_", Token(Letters::Hex, 64)),
    row(&DIGITALOCEAN, "dor_v1_", Token(Letters::Hex, 64)),
    row(&GITHUB, "ghp_", Token(Letters::Word, 36)),
    row(&GITHUB, "gho_", Token(Letters::Word, 36)),
    row(&GITHUB, "ghu_", Token(Letters::Word, 36)),
    row(&GITHUB, "ghs_", Token(Letters::Word, 36)),
    row(&GITHUB, "ghr_", Token(Letters::Word, 36)),
    row(&GITHUB, "github_pat_", Token(Letters::Url, 60)),
    row(&GITLAB, "glpat-", Token(Letters::Url, 20)),
    row(&GITLAB, "gldt-", Token(Letters::Url, 20)),
    row(&GITLAB, "glrt-", Token(Letters::Url, 20)),
    row(&GITLAB, "glcbt-", Token(Letters::Url, 20)),
    row(&GITLAB, "glptt-", Token(Letters::Url, 20)),
    row(&GITLAB, "glft-", Token(Letters::Url, 20)),
    row(&GITLAB, "glsoat-", Token(Letters::Url, 20)),
    row(&GITLAB, "glimt-", Token(Letters::Url, 20)),
    row(&GITLAB, "gloas-", Token(Letters::Url, 40)),
    row(&GITLAB, "glagent-", Token(Letters::Url, 40)),
    row(&GITLAB, "GR1348941", Word(Letters::Url, 20)),
    row(&ATLASSIAN, "ATATT3", Word(Letters::Loose, 60)),
    row(&ATLASSIAN, "ATCTT3", Word(Letters::Loose, 60)),
    row(&ATLASSIAN, "ATBB", Word(Letters::Word, 28)),
    row(&SLACK, "xoxb-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxp-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxa-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxr-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxs-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxe-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxe.", Token(Letters::Url, 20)),
    row(&SLACK, "xoxc-", Token(Letters::Url, 20)),
    row(&SLACK, "xoxd-", Token(Letters::Url, 20)),
    row(&SLACK, "xapp-", Token(Letters::Url, 30)),
    row(&SLACK, "hooks.slack.com/services/", Token(Letters::Path, 36)),
    row(&SLACK, "hooks.slack.com/workflows/", Token(Letters::Path, 36)),
    row(&DISCORD, "discord.com/api/webhooks/", Token(Letters::Path, 17)),
    row(&DISCORD, "discordapp.com/api/webhooks/", Token(Letters::Path, 17)),
    row(&TELEGRAM, ":AA", Telegram),
    row(&STRIPE, "sk_live_", Token(Letters::Word, 16)),
    row(&STRIPE, "rk_live_", Token(Letters::Word, 16)),
    row(&STRIPE, "whsec_", Token(Letters::Base64, 30)),
    row(&SENDGRID, "SG.", SendGrid),
    row(&SHOPIFY, "shpat_", Token(Letters::Word, 32)),
    row(&SHOPIFY, "shpca_", Token(Letters::Word, 32)),
    row(&SHOPIFY, "shppa_", Token(Letters::Word, 32)),
    row(&SHOPIFY, "shpss_", Token(Letters::Word, 32)),
    row(&NPM, "npm_", Word(Letters::Word, 36)),
    row(&NPM, ":_authtoken", Assigned(Letters::Url, 16)),
    row(&PYPI, "pypi-AgEI", Token(Letters::Url, 40)),
    row(&RUBYGEMS, "rubygems_", Token(Letters::Hex, 48)),
    row(&DOCKER, "dckr_pat_", Token(Letters::Url, 20)),
    row(&DOCKER, "dckr_oat_", Token(Letters::Url, 20)),
    row(&VAULT, "hvs.", Word(Letters::Url, 24)),
    row(&VAULT, "hvb.", Word(Letters::Url, 24)),
    row(&VAULT, "hvr.", Word(Letters::Url, 24)),
    row(&TERRAFORM, ".atlasv1.", AtlasV1),
    row(&PULUMI, "pul-", Word(Letters::Hex, 40)),
    row(&DATABRICKS, "dapi", Word(Letters::Hex, 32)),
    row(&GRAFANA, "glsa_", Token(Letters::Url, 40)),
    row(&GRAFANA, "glc_eyJ", Token(Letters::Base64, 32)),
    row(&NEW_RELIC, "NRAK-", Token(Letters::Upper, 27)),
    row(&TAILSCALE, "tskey-", Token(Letters::Url, 20)),
    row(&DOPPLER, "dp.pt.", Word(Letters::Word, 40)),
    row(&DOPPLER, "dp.st.", Word(Letters::Loose, 40)),
    row(&POSTMAN, "PMAK-", Token(Letters::Url, 50)),
    row(&LINEAR, "lin_api_", Token(Letters::Word, 40)),
    row(&OPENAI, "T3BlbkFJ", Token(Letters::Url, 20)),
    row(&OPENAI, "sk-proj-", Word(Letters::Url, 40)),
    row(&OPENAI, "sk-svcacct-", Word(Letters::Url, 40)),
    row(&ANTHROPIC, "sk-ant-", Word(Letters::Url, 60)),
    row(&HUGGING_FACE, "hf_", Word(Letters::Word, 34)),
    row(&JWT, "eyJ", Jwt),
    row(&KUBECONFIG, "client-key-data", Assigned(Letters::Base64, 40)),
    row(&URL_PASSWORD, "://", Url),
];
