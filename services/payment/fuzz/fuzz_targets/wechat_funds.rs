#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(payment_fuzz::wechat_funds(data)));
