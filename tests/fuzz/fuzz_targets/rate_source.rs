#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| litegate::fuzzing::fuzz_rate_source(bytes));
