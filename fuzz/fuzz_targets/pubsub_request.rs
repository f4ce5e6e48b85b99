//! Any requests over gRPC and REST, run on a Pub/Sub broker in memory: `pubsub::fuzzing` says how the input is read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| pubsub::fuzzing::request(input));
