//! Any OTLP exports in protobuf and JSON, read back through the query paths: `traces::fuzzing` says how the input is read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| traces::fuzzing::request(input));
