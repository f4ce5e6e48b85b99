//! The API as OpenAI's clients see it, over a real connection.

mod api;
mod faults;
mod helpers;
mod pages;
mod settings;
