//! Marks of YAML and JSON documents, from the parser's events alone.
//!
//! Used by `infra::content`. Nothing is built from the events and no alias is followed, so time and
//! memory grow with the text and with nothing else: one small frame for each open collection, on
//! the heap. JSON needs no parser of its own, it is YAML (YAML 1.2, section 1.3).

use saphyr_parser::{Event, Parser, Tag};

use crate::infra::key::{Key, Keys};
use crate::infra::mark::{Mark, Marks};

/// What came of reading a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// The marks of its documents, as far as they were read.
    pub(crate) marks: Marks,
    /// Whether the text says to other readers what it says here: it parsed, and no alias, no merge
    /// key and no encoded key stands in it.
    pub(crate) certain: bool,
}

/// Reads documents until all wanted marks were seen, the text ends, or the parser gives up.
pub(crate) fn read(text: &str, wanted: Marks) -> Shape {
    let mut walk = Walk::default();
    for event in Parser::new_from_str(text) {
        let Ok((event, _)) = event else {
            return Shape { marks: walk.marks, certain: false };
        };
        walk.step(&event);
        if event == Event::DocumentEnd && walk.marks.and(wanted) == wanted {
            break;
        }
    }
    Shape { marks: walk.marks, certain: !walk.uncertain }
}

/// An open collection.
#[derive(Debug, Default)]
struct Frame {
    is_map: bool,
    /// In a map: whether a value comes next.
    after_key: bool,
    /// In a map: the key whose value comes next or is open, if it is one that tells something.
    key: Option<Key>,
    /// In a map: the telling keys it has had.
    had: Keys,
}

#[derive(Debug, Default)]
struct Walk {
    open: Vec<Frame>,
    marks: Marks,
    uncertain: bool,
}

impl Walk {
    fn step(&mut self, event: &Event<'_>) {
        match event {
            Event::Scalar(text, _, _, tag) => self.scalar(text, tag.as_deref()),
            Event::Alias(_) => {
                self.uncertain = true;
                self.node_ends();
            }
            Event::MappingStart(..) => self.open.push(Frame { is_map: true, ..Frame::default() }),
            Event::SequenceStart(..) => self.open.push(Frame::default()),
            Event::MappingEnd => {
                self.judge_map();
                self.open.pop();
                self.node_ends();
            }
            Event::SequenceEnd => {
                self.open.pop();
                self.node_ends();
            }
            Event::DocumentStart(_) | Event::DocumentEnd => self.open.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
    }

    fn scalar(&mut self, text: &str, tag: Option<&Tag>) {
        let Some(frame) = self.open.last_mut() else {
            self.mark_if(text.starts_with("$ANSIBLE_VAULT"), Mark::Ansible);
            return;
        };
        if frame.is_map && !frame.after_key {
            frame.key = Key::of(text);
            frame.had = frame.key.map_or(frame.had, |key| frame.had.with(key));
            frame.after_key = true;
            self.uncertain |= text == "<<" || tag.is_some_and(|tag| tag.suffix.contains("binary"));
        } else {
            let key = frame.key;
            self.node_ends();
            self.judge_value(key, text);
        }
    }

    /// A node is complete. In a map it was a key or a value, in turn; a key that is no scalar
    /// tells nothing.
    fn node_ends(&mut self) {
        if let Some(frame) = self.open.last_mut()
            && frame.is_map
        {
            frame.after_key = !frame.after_key;
            frame.key = None;
        }
    }

    fn mark_if(&mut self, found: bool, mark: Mark) {
        if found {
            self.marks = self.marks.with(mark);
        }
    }

    /// What a value says together with its key, wherever it stands.
    fn judge_value(&mut self, key: Option<Key>, text: &str) {
        match key {
            Some(Key::ApiVersion) => {
                self.mark_if(text.contains("argoproj.io"), Mark::ArgoCd);
                self.mark_if(text.contains("fluxcd"), Mark::Flux);
                self.mark_if(text.contains("kustomize.config.k8s.io"), Mark::Kustomize);
                self.mark_if(text.starts_with("tekton.dev/"), Mark::Ci);
            }
            Some(Key::Type | Key::Transform) => {
                self.mark_if(text.starts_with("AWS::"), Mark::CloudFormation);
            }
            Some(Key::Schema) => {
                self.mark_if(text.contains("schema.management.azure.com"), Mark::Arm);
            }
            _ => {}
        }
    }

    /// What the keys of the innermost map, now complete, say together with its place.
    fn judge_map(&mut self) {
        let [outer @ .., map] = self.open.as_slice() else { return };
        let has = |key| map.had.has(key);
        let root = outer.first();
        let in_list = root.is_some_and(|root| !root.is_map);
        let below = |key| root.is_some_and(|root| root.key == Some(key));
        let (top, second, third) = (outer.is_empty(), outer.len() == 1, outer.len() == 2);

        let object = (top || second && in_list) && has(Key::ApiVersion) && has(Key::Kind);
        let stack = top && (has(Key::AwsTemplateVersion) || has(Key::HeatTemplateVersion));
        let service = top && has(Key::Service) && has(Key::Provider);
        let compose = third && below(Key::Services) && (has(Key::Image) || has(Key::Build));
        let job = second && !in_list && has(Key::Stage) && has(Key::Script);
        let pipeline = top && has(Key::Jobs) && has(Key::Resources);
        let action = second && below(Key::Runs) && has(Key::Using);
        let inventory = second && below(Key::All) && (has(Key::Hosts) || has(Key::Children));
        let play = second && in_list && has(Key::Hosts);
        let task = in_list && (has(Key::AnsibleWord) || second && has(Key::ModuleName));
        let patch = second && in_list && has(Key::Op) && has(Key::Path);

        self.mark_if(object, Mark::Kubernetes);
        self.mark_if(stack, Mark::CloudFormation);
        self.mark_if(service, Mark::Serverless);
        self.mark_if(compose, Mark::Compose);
        self.mark_if(job || pipeline || action, Mark::Ci);
        self.mark_if(inventory || play || task, Mark::Ansible);
        self.mark_if(patch, Mark::Kustomize);
    }
}
