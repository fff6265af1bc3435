//! Tables with a column for each of several things.

use arras_toolkit::text::{UNKNOWN, or_unknown};

/// Lines that belong together.
pub(super) struct Group {
    /// Empty where nothing stands over the lines.
    pub(super) name: &'static str,
    pub(super) lines: Vec<Line>,
}

/// One figure of all things.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

/// A table that is being filled.
pub(super) struct Columns<'a, T> {
    things: &'a [T],
    groups: Vec<Group>,
}

impl<'a, T> Columns<'a, T> {
    /// Begins with a group that has no name.
    pub(super) fn new(things: &'a [T]) -> Self {
        let groups = Vec::new();
        Self { things, groups }.group("")
    }

    /// Begins a group.
    pub(super) fn group(mut self, name: &'static str) -> Self {
        let lines = Vec::new();
        self.groups.push(Group { name, lines });
        self
    }

    /// A line in the current group.
    pub(super) fn line(
        mut self,
        name: impl Into<String>,
        cell: impl Fn(&T) -> Option<String>,
    ) -> Self {
        let line = Line {
            name: name.into(),
            cells: self.things.iter().map(|t| or_unknown(cell(t))).collect(),
        };
        if let Some(group) = self.groups.last_mut() {
            group.lines.push(line);
        }
        self
    }

    /// All lines.
    pub(super) fn all(self) -> Vec<Group> {
        self.groups
    }

    /// The lines in which something is known.
    pub(super) fn known(mut self) -> Vec<Group> {
        for group in &mut self.groups {
            let known = |line: &Line| line.cells.iter().any(|c| c != UNKNOWN);
            group.lines.retain(known);
        }
        self.groups.retain(|group| !group.lines.is_empty());
        self.groups
    }
}
