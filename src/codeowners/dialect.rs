//! The three dialects and where each looks for its file.

/// Whose rules a CODEOWNERS file is read by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// Patterns as in .gitignore, the last line that matches decides.
    Github,
    /// Sections, each of which asks by itself.
    Gitlab,
    /// Regular expressions, every line that matches asks.
    Gitea,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Github, Self::Gitlab, Self::Gitea];

    /// The word a policy has for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
        }
    }

    /// The name of the forge, for people.
    pub const fn forge(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Gitlab => "GitLab",
            Self::Gitea => "Gitea",
        }
    }

    /// Where the file may be; the first that is there is the one that is read.
    pub const fn places(self) -> &'static [&'static str] {
        match self {
            Self::Github => &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"],
            Self::Gitlab => &["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"],
            Self::Gitea => {
                &["CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"]
            }
        }
    }
}
