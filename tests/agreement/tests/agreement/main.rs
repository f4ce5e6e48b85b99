//! Files that start the system, and programs that are started: nothing else notices when one is changed alone.

mod arrows;
mod compose;
mod images;
mod imports;
mod names;
mod packages;
mod ports;
mod repository;
mod services;
mod settings;
mod sizes;
mod sql;
mod topology;
mod versions;
