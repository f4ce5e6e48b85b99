//! Files that start the system, and programs that are started: nothing else notices when one is changed alone.

mod compose;
mod images;
mod names;
mod ports;
mod repository;
mod services;
mod settings;
mod topology;
mod versions;
