//! Any requests to SQS, in AWS JSON or as forms, run on an emulator in memory: `sqs::fuzzing` says how the input is read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sqs::fuzzing::request(input));
