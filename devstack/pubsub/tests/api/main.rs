//! The server as Google's Rust client and plain HTTP see it.

mod helpers;

mod admin;
mod delivery;
mod limits;
mod rest;
mod restart;
