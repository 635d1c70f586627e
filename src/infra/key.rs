//! The keys of maps that tell what a document is.
//!
//! Used by `infra::shape` alone.

/// A key that tells something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    All,
    /// A keyword of tasks and plays that is nobody else's.
    AnsibleWord,
    ApiVersion,
    AwsTemplateVersion,
    Build,
    Children,
    HeatTemplateVersion,
    Hosts,
    Image,
    Jobs,
    Kind,
    /// A name of the form that Ansible's modules have.
    ModuleName,
    Op,
    Path,
    Provider,
    Resources,
    Runs,
    Schema,
    Script,
    Service,
    Services,
    Stage,
    Transform,
    Type,
    Using,
}

impl Key {
    /// The telling key of this text, `None` for all others.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "all" => Self::All,
            "apiVersion" => Self::ApiVersion,
            "AWSTemplateFormatVersion" => Self::AwsTemplateVersion,
            "build" => Self::Build,
            "children" => Self::Children,
            "heat_template_version" => Self::HeatTemplateVersion,
            "hosts" => Self::Hosts,
            "image" => Self::Image,
            "jobs" => Self::Jobs,
            "kind" => Self::Kind,
            "op" => Self::Op,
            "path" => Self::Path,
            "provider" => Self::Provider,
            "resources" => Self::Resources,
            "runs" => Self::Runs,
            "$schema" => Self::Schema,
            "script" => Self::Script,
            "service" => Self::Service,
            "services" => Self::Services,
            "stage" => Self::Stage,
            "Transform" => Self::Transform,
            "Type" | "type" => Self::Type,
            "using" => Self::Using,
            _ if is_ansible_word(text) => Self::AnsibleWord,
            _ if is_module_name(text) => Self::ModuleName,
            _ => return None,
        })
    }
}

fn is_ansible_word(text: &str) -> bool {
    matches!(
        text,
        "apt"
            | "apt_repository"
            | "authorized_key"
            | "become"
            | "become_user"
            | "blockinfile"
            | "changed_when"
            | "delegate_to"
            | "dnf"
            | "failed_when"
            | "gather_facts"
            | "get_url"
            | "import_playbook"
            | "import_role"
            | "import_tasks"
            | "include_role"
            | "include_tasks"
            | "lineinfile"
            | "set_fact"
            | "unarchive"
            | "with_items"
            | "yum"
    ) || text.starts_with("ansible.builtin.")
}

/// Whether the text has the form of a module's full name: `community.docker.docker_container`.
fn is_module_name(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.split('.').count() == 3 && text.split('.').all(word)
}

/// A set of telling keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Keys(u32);

impl Keys {
    #[must_use]
    pub(crate) const fn with(self, key: Key) -> Self {
        Self(self.0 | 1 << key as u32)
    }

    pub(crate) const fn has(self, key: Key) -> bool {
        self.0 & (1 << key as u32) != 0
    }
}
