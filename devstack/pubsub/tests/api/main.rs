//! The server as Google's Rust client and plain HTTP see it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod helpers;

mod admin;
mod delivery;
mod limits;
mod pages;
mod rest;
mod restart;
