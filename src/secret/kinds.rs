//! The kinds of secrets, as a policy and a message name them.

/// A kind of secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecretKind {
    /// The word of a policy.
    pub name: &'static str,
    /// What it is, with its article.
    pub what: &'static str,
}

macro_rules! kinds {
    ($($id:ident $name:literal $what:literal),* $(,)?) => {
        $(
            #[doc = concat!("`", $name, "`: ", $what, ".")]
            pub static $id: SecretKind = SecretKind { name: $name, what: $what };
        )*
        /// Every kind.
        pub static KINDS: &[&SecretKind] = &[$(&$id),*];
    };
}

kinds! {
    PRIVATE_KEY "private-key" "a private key",
    AGE "age" "a secret key of age",
    AWS "aws" "a key of AWS",
    AZURE "azure" "a key of Azure",
    GCP "gcp" "a key of Google Cloud",
    DIGITALOCEAN "digitalocean" "a token of DigitalOcean",
    GITHUB "github" "a token of GitHub",
    GITLAB "gitlab" "a token of GitLab",
    ATLASSIAN "atlassian" "a token of Atlassian",
    SLACK "slack" "a token or webhook of Slack",
    DISCORD "discord" "a webhook of Discord",
    TELEGRAM "telegram" "a token of a Telegram bot",
    STRIPE "stripe" "a key of Stripe",
    SENDGRID "sendgrid" "a key of SendGrid",
    SHOPIFY "shopify" "a token of Shopify",
    NPM "npm" "a token of npm",
    PYPI "pypi" "a token of PyPI",
    RUBYGEMS "rubygems" "a key of RubyGems",
    DOCKER "docker" "a login or token of a container registry",
    VAULT "vault" "a token or password of a vault",
    TERRAFORM "terraform-cloud" "a token of HCP Terraform",
    PULUMI "pulumi" "a token of Pulumi",
    DATABRICKS "databricks" "a token of Databricks",
    GRAFANA "grafana" "a token of Grafana",
    NEW_RELIC "new-relic" "a key of New Relic",
    TAILSCALE "tailscale" "a key of Tailscale",
    DOPPLER "doppler" "a token of Doppler",
    POSTMAN "postman" "a key of Postman",
    LINEAR "linear" "a key of Linear",
    OPENAI "openai" "a key of OpenAI",
    ANTHROPIC "anthropic" "a key of Anthropic",
    HUGGING_FACE "hugging-face" "a token of Hugging Face",
    JWT "jwt" "a signed token (JWT), such as a service account's",
    URL_PASSWORD "url-password" "a password in a URL",
    KUBERNETES_SECRET "kubernetes-secret" "the values of a Kubernetes Secret",
    KUBECONFIG "kubeconfig" "the login of a cluster",
    TERRAFORM_STATE "terraform-state" "the state or plan of Terraform",
    ENV_FILE "env-file" "a file of environment variables",
    PASSWORD_FILE "password-file" "a file of passwords",
    KEY_STORE "key-store" "a store of keys",
    HISTORY "history" "the history of a shell",
    OTHER "named" "what `also` names",
    CUSTOM "match" "what `match` looks for",
    MANY "many" "more secrets than are counted",
}

/// What a policy may pass over: the kinds that are not the policy's own.
pub fn names() -> Vec<&'static str> {
    let own = [OTHER.name, CUSTOM.name, MANY.name];
    KINDS.iter().map(|kind| kind.name).filter(|name| !own.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_words_of_a_policy() {
        let mut seen: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), KINDS.len());
        for kind in KINDS {
            assert!(kind.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{kind:?}");
            assert!(!kind.what.ends_with('.'), "{kind:?}");
        }
    }
}
