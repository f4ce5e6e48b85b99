//! How a message moves between the shelves as time passes: it stands on the one that its `place` names.

use std::collections::BTreeSet;

use super::{Place, Queue};
use crate::{
    clock::Timestamp,
    message::{Key, Message},
    settings::Settings,
};

/// Messages by the time at which they came, or will come, to be ready.
pub(super) type Shelf = BTreeSet<(Timestamp, Key)>;

impl Queue {
    /// When the next hidden message becomes ready, if there is one.
    pub(crate) fn next_ready_at(&self) -> Option<Timestamp> {
        let first = |shelf: &Shelf| shelf.first().map(|(at, _)| *at);
        [first(&self.delayed), first(&self.in_flight)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Drops what is older than the retention period, and makes ready what was hidden until `now`.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let retention = self.settings.retention_seconds;
        while let Some((&key, _)) = self.entries.first_key_value()
            && key.sent_at.plus_seconds(retention) <= now
        {
            self.remove(key);
        }
        for place in [Place::Delayed, Place::InFlight] {
            while let Some(&(ready_at, key)) = self.shelf(place).first()
                && ready_at <= now
            {
                self.place(key, self.place_when_due(), ready_at);
                self.open_group_of(key);
            }
        }
    }

    /// Takes over new settings; on a FIFO queue a new delay holds for what is delayed already, as on AWS.
    pub(crate) fn change_settings(&mut self, settings: Settings) {
        self.settings = settings;
        if self.is_fifo() {
            for (_, key) in self.delayed.clone() {
                let ready_at = key.sent_at.plus_seconds(self.settings.delay_seconds);
                self.place(key, Place::Delayed, ready_at);
            }
        }
    }

    pub(super) fn shelf(&mut self, place: Place) -> &mut Shelf {
        match place {
            Place::Delayed => &mut self.delayed,
            Place::Waiting => &mut self.waiting,
            Place::Ready => &mut self.ready,
            Place::InFlight => &mut self.in_flight,
        }
    }

    pub(super) fn place(&mut self, key: Key, place: Place, ready_at: Timestamp) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let from = (entry.place, entry.ready_at);
        (entry.place, entry.ready_at) = (place, ready_at);
        self.shelf(from.0).remove(&(from.1, key));
        self.shelf(place).insert((ready_at, key));
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Message> {
        let entry = self.entries.remove(&key)?;
        self.shelf(entry.place).remove(&(entry.ready_at, key));
        self.leave_group(key, &entry.message);
        Some(entry.message)
    }
}
