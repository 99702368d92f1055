#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(payment_fuzz::alipay_notice(data)));
