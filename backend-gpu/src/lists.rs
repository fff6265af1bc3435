//! Lists of entries: the rows of an operation. Those that only depend on a plan and on where operands are get made once and stay on
//! the device.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arras_shaders::layout::Entry;

use crate::device::lock;

/// Lists kept for a ring. Programs have a few for each level and batch; those of another batch take their place when there are more.
const KEPT: usize = 1024;

/// The entries of a launch.
#[derive(Debug)]
pub(crate) struct List {
    /// Unique in the process, for a list that is kept: the recorder leaves it on the device.
    pub(crate) id: Option<u64>,
    /// Rows of the output.
    pub(crate) entries: Vec<Entry>,
    /// Entries that every dispatch needs after its rows.
    pub(crate) tail: Vec<Entry>,
}

impl List {
    /// A list for one launch.
    pub(crate) fn once(entries: Vec<Entry>, tail: Vec<Entry>) -> Arc<Self> {
        Arc::new(Self {
            id: None,
            entries,
            tail,
        })
    }

    /// A list that whoever has it keeps.
    pub(crate) fn kept(entries: Vec<Entry>, tail: Vec<Entry>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: Some(NEXT.fetch_add(1, Ordering::Relaxed)),
            entries,
            tail,
        })
    }
}

/// Which launch of which operation a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Site {
    DigitsInverse,
    DigitsConvert,
    DigitsForward,
    RescaleInverse,
    RescaleForward,
    RescaleEnd,
    Product,
}

/// Everything that a list depends on: the plan by its id, and numbers of the site's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListKey {
    pub(crate) site: Site,
    pub(crate) plan: u64,
    pub(crate) numbers: [usize; 8],
}

impl ListKey {
    pub(crate) fn new<const K: usize>(site: Site, plan: u64, numbers: [usize; K]) -> Self {
        const { assert!(K <= 8) };
        let mut all = [0; 8];
        all[..K].copy_from_slice(&numbers);
        Self {
            site,
            plan,
            numbers: all,
        }
    }
}

/// The lists of a ring.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<HashMap<ListKey, Arc<List>>>);

impl Lists {
    /// The list of this key; entries and tail are made where it is not there.
    pub(crate) fn get(
        &self,
        key: ListKey,
        make: impl FnOnce() -> (Vec<Entry>, Vec<Entry>),
    ) -> Arc<List> {
        let mut lists = lock(&self.0);
        if let Some(list) = lists.get(&key) {
            return list.clone();
        }
        if lists.len() >= KEPT {
            lists.clear();
        }
        let (entries, tail) = make();
        let list = List::kept(entries, tail);
        lists.insert(key, list.clone());
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_made_once_for_a_key_and_their_number_is_bounded() {
        let lists = Lists::default();
        let key = |k| ListKey::new(Site::Product, 7, [k, 1]);
        let first = lists.get(key(0), || (vec![Entry::default()], Vec::new()));
        let again = lists.get(key(0), || panic!("it is there"));
        assert!(Arc::ptr_eq(&first, &again));
        let ids: std::collections::HashSet<_> = (0..KEPT + 1)
            .map(|k| lists.get(key(k), || (Vec::new(), Vec::new())).id)
            .collect();
        assert_eq!(ids.len(), KEPT + 1);
        assert!(!ids.contains(&None));
        assert!(lock(&lists.0).len() <= KEPT);
    }
}
