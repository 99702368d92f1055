//! The seeds of the simulations.
//!
//! `make sim SEEDS=5000` runs that many, `make sim SEED=17` one of them again, with the very same decisions.

use std::{env, ops::Range};

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Those that are asked for: `SIM_SEED` for one, `SIM_SEEDS` for so many; else the first `usual` ones.
pub fn seeds(usual: u64) -> Range<u64> {
    let number = |name| env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().expect("a number"));
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(usual),
    }
}

/// Draws from strategies what the seed says.
pub fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
