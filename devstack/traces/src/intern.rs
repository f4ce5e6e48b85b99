//! One shared copy of what almost every span repeats: names, resources and scopes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Weak};

/// Values by key, kept only as long as somebody uses them.
#[derive(Debug)]
pub(crate) struct Interner<K, V: ?Sized> {
    known: HashMap<K, Weak<V>>,
    sweep_at: usize,
}

/// Below this many entries a sweep costs more than it frees.
const SMALLEST_SWEEP: usize = 256;

impl<K, V: ?Sized> Default for Interner<K, V> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            sweep_at: SMALLEST_SWEEP,
        }
    }
}

impl<K: Hash + Eq, V: ?Sized> Interner<K, V> {
    /// The value known under `key`, or the one that `make` builds, remembered.
    pub(crate) fn get_or_insert<Q>(&mut self, key: &Q, make: impl FnOnce() -> Arc<V>) -> Arc<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(value) = self.known.get(key).and_then(Weak::upgrade) {
            return value;
        }
        self.sweep_when_due();
        let value = make();
        self.known.insert(key.to_owned(), Arc::downgrade(&value));
        value
    }

    /// Forgets unused entries each time the map has doubled, which keeps the cost per insertion constant.
    fn sweep_when_due(&mut self) {
        if self.known.len() < self.sweep_at {
            return;
        }
        self.known.retain(|_, value| value.strong_count() > 0);
        self.known.shrink_to(self.known.len() * 2);
        self.sweep_at = (self.known.len() * 2).max(SMALLEST_SWEEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_value_for_the_same_key() {
        let mut names = Interner::<String, str>::default();
        let first = names.get_or_insert("a", || Arc::from("a"));
        let second = names.get_or_insert("a", || unreachable!("it is known"));
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn forgets_what_nobody_uses_any_more() {
        let mut names = Interner::<String, str>::default();
        let kept = names.get_or_insert("kept", || Arc::from("kept"));
        for number in 0..10_000 {
            names.get_or_insert(&number.to_string(), || Arc::from(number.to_string()));
        }
        assert!(names.known.len() <= SMALLEST_SWEEP);
        assert!(Arc::ptr_eq(
            &kept,
            &names.get_or_insert("kept", || Arc::from("new"))
        ));
    }
}
