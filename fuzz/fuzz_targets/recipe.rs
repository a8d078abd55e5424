//! Requests and messages of any kind: an error that names a field, or something that survives its way through JSON.
#![no_main]

use faafo_model::{CreateRequest, Limits, Manifest, Recipe, Report, Task};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let task = serde_json::from_slice::<Task>(bytes);
    if let Ok(task) = task {
        let json = serde_json::to_vec(&task).expect("what was JSON can be again");
        assert_eq!(serde_json::from_slice::<Task>(&json).expect("our own"), task);
    }
    let _ = serde_json::from_slice::<Report>(bytes);
    let _ = serde_json::from_slice::<Manifest>(bytes);
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let limits = Limits::default();
    match CreateRequest::parse(&object, &limits, &mut fastrand::Rng::with_seed(7)) {
        Ok(request) => {
            let recipe = request.recipe;
            limits.check(&recipe).expect("what was accepted is within the limits");
            let json = serde_json::to_vec(&recipe).expect("a recipe is JSON");
            assert_eq!(serde_json::from_slice::<Recipe>(&json).expect("our own"), recipe);
            // Messages stay small.
            assert!(json.len() < 8192, "{}", json.len());
        }
        // A field may have any name, also none.
        Err(error) => assert!(!error.reason.is_empty()),
    }
});
