//! Whether the files that start the system agree with the programs that they start: see `tests/agreement`.
