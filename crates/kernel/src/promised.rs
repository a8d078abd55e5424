//! The levels that tests run at.

/// The levels of this machine, from the slowest to the fastest. Says which are missing, and fails if one of these was
/// promised in `FAAFO_TEST_LEVELS`, a list such as `sse2,avx2,avx512`.
pub(crate) fn levels() -> Vec<crate::Level> {
    let promised = std::env::var("FAAFO_TEST_LEVELS").unwrap_or_default();
    for name in promised.split(',').filter(|name| !name.is_empty()) {
        let level = crate::Level::named(name.trim());
        let level = level.unwrap_or_else(|| panic!("FAAFO_TEST_LEVELS: there is no level {name}"));
        assert!(
            level.is_available(),
            "{level} was promised, and this machine doesn't have it"
        );
    }
    for level in crate::Level::ALL
        .iter()
        .filter(|level| !level.is_available())
    {
        eprintln!("not tested: {level}, which this machine doesn't have");
    }
    crate::Level::available().collect()
}
