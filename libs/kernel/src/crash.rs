//! Named places at which a test may end the process, to prove that what was interrupted is taken up again.
//!
//! Without the feature `crash-points` (any shipped build) [`point`] is empty.

/// Ends the process at once, as `kill -9` would, if the environment variable `MERIDIAN_CRASH_AT` is `name`.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(feature = "crash-points")]
    if std::env::var("MERIDIAN_CRASH_AT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
    #[cfg(not(feature = "crash-points"))]
    let _ = name;
}
