//! The ideas behind the verbs, told to whoever has just met them.
//!
//! Used by `explain`. Rule kinds bring their own text; what stands here belongs to no rule kind.

/// An idea with a name.
pub struct Topic {
    /// What to ask for.
    pub name: &'static str,
    /// One line, for the list.
    pub summary: &'static str,
    /// The whole text.
    pub text: &'static str,
}

/// Every topic, in the order of the list.
pub static TOPICS: &[Topic] = &[
    Topic {
        name: "approval",
        summary: "how a change is approved, and when that counts",
        text: include_str!("approval.txt"),
    },
    Topic {
        name: "exempt",
        summary: "who may land something without a rule's say",
        text: include_str!("exempt.txt"),
    },
    Topic {
        name: "break-glass",
        summary: "pushing past the rules in an emergency, and what that owes",
        text: include_str!("break-glass.txt"),
    },
    Topic {
        name: "rollback",
        summary: "how a branch goes back to a state it had",
        text: include_str!("rollback.txt"),
    },
    Topic {
        name: "notify",
        summary: "a command that is told of what has happened",
        text: include_str!("notify.txt"),
    },
    Topic {
        name: "policy",
        summary: "where a policy is kept, and how it is tried out",
        text: include_str!("policy.txt"),
    },
    Topic {
        name: "roster",
        summary: "who is who: people, machines, keys, groups",
        text: include_str!("roster.txt"),
    },
    Topic {
        name: "identity",
        summary: "how the server knows who pushes",
        text: include_str!("identity.txt"),
    },
    Topic {
        name: "log",
        summary: "what is written down, and how it proves itself",
        text: include_str!("log.txt"),
    },
    Topic {
        name: "exit-codes",
        summary: "what the verbs answer to a script",
        text: include_str!("exit-codes.txt"),
    },
];
