//! The doors that messages come in by, and what goes out.

mod classification_job;
mod events;
mod order_created;

pub(crate) use classification_job::JobHandler;
pub(crate) use events::ClassifierEvents;
pub(crate) use order_created::IntakeHandler;
