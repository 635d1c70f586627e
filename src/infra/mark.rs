//! What the inside of a structured file can be recognised by.
//!
//! A leaf that `kinds` (which kind looks for which mark), `shape` (marks of parsed documents) and
//! `raw` (marks of text that does not parse) share.

/// Something a file's content shows it to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// A Kubernetes object.
    Kubernetes,
    /// A template of a Helm chart.
    Helm,
    /// A kustomization, or a JSON patch such as kustomizations apply.
    Kustomize,
    /// An object of one of the Argo projects.
    ArgoCd,
    /// An object of Flux.
    Flux,
    /// A CloudFormation, SAM or Heat template.
    CloudFormation,
    /// A service of the Serverless Framework.
    Serverless,
    /// A Compose file.
    Compose,
    /// A pipeline's definition.
    Ci,
    /// An Azure Resource Manager template or its parameters.
    Arm,
    /// An Ansible playbook, task list or inventory.
    Ansible,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 11] = [
        Self::Kubernetes,
        Self::Helm,
        Self::Kustomize,
        Self::ArgoCd,
        Self::Flux,
        Self::CloudFormation,
        Self::Serverless,
        Self::Compose,
        Self::Ci,
        Self::Arm,
        Self::Ansible,
    ];

    /// What is looked for, as a clause that follows "a YAML or JSON file in which".
    pub const fn sought(self) -> &'static str {
        match self {
            Self::Kubernetes => "a document has `apiVersion` and `kind` at its top",
            Self::Helm => "a template uses the values, the release or the helpers of a chart",
            Self::Kustomize => {
                "an `apiVersion` is of kustomize.config.k8s.io, or a list holds `op` and `path`"
            }
            Self::ArgoCd => "an `apiVersion` is of argoproj.io",
            Self::Flux => "an `apiVersion` is of Flux",
            Self::CloudFormation => {
                "`AWSTemplateFormatVersion` or `heat_template_version` stands at the top, or a \
                 `Type` or `Transform` is of AWS"
            }
            Self::Serverless => "`service` and `provider` stand at the top",
            Self::Compose => "one of the `services` has an `image` or a `build`",
            Self::Ci => {
                "a job has `stage` and `script`, `jobs` and `resources` stand at the top, an action \
                 says how it `runs`, or an `apiVersion` is of tekton.dev"
            }
            Self::Arm => "a `$schema` is of schema.management.azure.com",
            Self::Ansible => {
                "a list holds plays or tasks, `all` has `hosts` or `children`, or the text is a \
                 vault"
            }
        }
    }
}

/// A set of marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Marks(u16);

impl Marks {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, mark: Mark) -> Self {
        Self(self.0 | 1 << mark as u16)
    }

    pub(crate) const fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark as u16) != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
