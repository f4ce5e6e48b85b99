//! The doors that messages come in by, and what goes out.

mod classification_job;
mod events;
mod order_created;

pub use classification_job::JobHandler;
pub use events::ClassifierEvents;
pub use order_created::IntakeHandler;
