//! The labels of one value: of the whole, and of the parts that differ from it.

use serde::{Deserialize, Serialize};

use super::part::PartPath;
use crate::label::Label;

/// The labels of a value and of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Whatever no part speaks of.
    #[serde(flatten)]
    whole: Label,
    /// Parts with a label of their own. The longest way that leads to a place counts there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    part: PartPath,
    #[serde(flatten)]
    label: Label,
}

impl From<Label> for Marks {
    fn from(whole: Label) -> Self {
        Self { whole, parts: Vec::new() }
    }
}

impl Marks {
    /// The label of the value with everything in it.
    pub fn all(&self) -> Label {
        self.label_at(&PartPath::default())
    }

    /// The label of what lies at `path`, with everything in it.
    pub fn label_at(&self, path: &PartPath) -> Label {
        let below = self.parts.iter().filter(|part| path.behind(&part.part).is_some_and(|rest| !rest.is_empty()));
        below.fold(self.around(path), |label, part| label.join(part.label))
    }

    /// The labels of what lies at `path`.
    #[must_use]
    pub fn at(&self, path: &PartPath) -> Marks {
        let below = self.parts.iter().filter_map(|part| {
            let rest = path.behind(&part.part).filter(|rest| !rest.is_empty())?;
            Some(Part { part: PartPath::new(rest.iter().cloned()), label: part.label })
        });
        Marks { whole: self.around(path), parts: below.collect() }
    }

    /// What `path` inherits: from the longest way to it, else from the whole. Where several are as long, all count.
    fn around(&self, path: &PartPath) -> Label {
        let above = || self.parts.iter().filter(|part| part.part.behind(path).is_some());
        match above().map(|part| part.part.len()).max() {
            None => self.whole,
            Some(longest) => above()
                .filter(|part| part.part.len() == longest)
                .map(|part| part.label)
                .reduce(Label::join)
                .unwrap_or(self.whole),
        }
    }

    /// Gives what lies at `path` this label, whatever it had.
    pub fn set(&mut self, path: PartPath, label: Label) {
        if path.is_whole() {
            self.whole = label;
            return;
        }
        self.parts.retain(|part| part.part != path);
        self.parts.push(Part { part: path, label });
    }

    /// Puts a value with these labels at `path`. What else is put there is joined.
    pub fn put(&mut self, path: &PartPath, marks: &Marks) {
        let whole = std::iter::once((path.clone(), marks.whole));
        let parts = marks.parts.iter().map(|part| (path.then(&part.part), part.label));
        for (path, label) in whole.chain(parts) {
            let known = self.parts.iter().find(|part| part.part == path).map(|part| part.label);
            let known = if path.is_whole() { Some(self.whole) } else { known };
            self.set(path, known.map_or(label, |known| known.join(label)));
        }
    }

    /// The same, as far as it was made under this influence.
    #[must_use]
    pub fn under(mut self, label: Label) -> Marks {
        self.whole = self.whole.join(label);
        self.parts.iter_mut().for_each(|part| part.label = part.label.join(label));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Confidentiality, Integrity};

    const SECRET: Label = Label { integrity: Integrity::Trusted, confidentiality: Confidentiality::Secret };

    fn path(text: &str) -> PartPath {
        text.parse().unwrap()
    }

    fn page() -> Marks {
        let mut marks = Marks::from(Label::UNKNOWN);
        marks.set(path("status"), Label::TRUSTED);
        marks.set(path("items[*].id"), Label::TRUSTED);
        marks.set(path("items[*].key"), SECRET);
        marks
    }

    #[test]
    fn a_part_has_its_own_label_and_what_holds_it_has_both() {
        let marks = page();
        for (at, label) in [
            ("status", "trusted public"),
            ("status.code", "trusted public"),
            ("body", "untrusted private"),
            ("items[3].id", "trusted public"),
            ("items[3].key", "trusted secret"),
            ("items[3].name", "untrusted private"),
            ("items[3]", "untrusted secret"),
            ("items", "untrusted secret"),
            ("", "untrusted secret"),
        ] {
            assert_eq!(marks.label_at(&path(at)).to_string(), label, "{at}");
            assert_eq!(marks.at(&path(at)).all().to_string(), label, "{at}");
        }
    }

    #[test]
    fn a_part_of_a_part_is_that_part() {
        let item = page().at(&path("items[0]"));
        assert_eq!(item.label_at(&path("id")), Label::TRUSTED);
        let mut list = Marks::default();
        list.put(&path("[0]"), &item);
        assert_eq!(list.label_at(&path("[0].id")), Label::TRUSTED);
        assert_eq!(list.label_at(&path("[0].name")), Label::UNKNOWN);
        assert_eq!(list.label_at(&path("[1]")), Label::TRUSTED);
        assert_eq!(list.all().confidentiality, Confidentiality::Secret);
    }

    #[test]
    fn two_values_in_one_place_are_joined() {
        let mut text = Marks::default();
        text.put(&path("t"), &Label::UNKNOWN.into());
        text.put(&path("t"), &SECRET.into());
        assert_eq!(text.label_at(&path("t")).to_string(), "untrusted secret");
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let json = serde_json::to_string(&page()).unwrap();
        insta::assert_snapshot!(json, @r#"{"integrity":"untrusted","confidentiality":"private","parts":[{"part":"status","integrity":"trusted","confidentiality":"public"},{"part":"items[*].id","integrity":"trusted","confidentiality":"public"},{"part":"items[*].key","integrity":"trusted","confidentiality":"secret"}]}"#);
        assert_eq!(serde_json::from_str::<Marks>(&json).unwrap(), page());
    }
}
