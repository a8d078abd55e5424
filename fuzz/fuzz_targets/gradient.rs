//! Files that may be gradients: an error, or stops that a recipe may have.
#![no_main]

use faafo_model::colours::MOST_STOPS;
use faafo_model::gradient;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match gradient::read(bytes) {
        Ok(stops) => {
            assert!((1..=MOST_STOPS).contains(&stops.len()), "{}", stops.len());
            assert!(stops.iter().all(|stop| (0.0..=1.0).contains(&stop.position)));
            assert!(stops.is_sorted_by(|one, next| one.position <= next.position));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
