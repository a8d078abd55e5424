//! Fractals of the service under test.

use crate::http::{Answer, Request};
use crate::{Service, pictures, wait_until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

impl Service {
    /// Asks for a fractal, whatever comes of it.
    #[track_caller]
    pub fn post(&self, recipe: &Value) -> Answer {
        self.send(&Request::new("POST", "/v1/fractal").json(recipe))
    }

    /// Asks for a fractal and returns its name.
    #[track_caller]
    pub fn create(&self, recipe: &Value) -> String {
        let answer = self.post(recipe);
        assert_eq!(answer.status, 201, "{recipe}: {}", answer.text());
        answer.json()["uuid"].as_str().unwrap().to_owned()
    }

    /// Asks for a fractal and waits until it is done.
    #[track_caller]
    pub fn create_done(&self, recipe: &Value) -> String {
        let id = self.create(recipe);
        self.wait_until_state(&id, "done");
        id
    }

    /// All that is known about a fractal.
    #[track_caller]
    pub fn row(&self, id: &str) -> Value {
        self.json(&format!("/v1/fractal/{id}"))
    }

    /// Deletes a fractal.
    #[track_caller]
    pub fn delete(&self, id: &str) {
        let answer = self.send(&Request::new("DELETE", &format!("/v1/fractal/{id}")));
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// Waits until the fractal is in this state.
    #[track_caller]
    pub fn wait_until_state(&self, id: &str, state: &str) {
        let what = format!("{id} is {state}");
        wait_until(&what, || self.row(id)["state"] == state);
    }

    /// How many fractals are in this state, or were accepted.
    #[track_caller]
    pub fn count(&self, state: &str) -> u64 {
        self.json("/v1/status")[state].as_u64().unwrap()
    }

    /// Waits until all that was accepted is done.
    #[track_caller]
    pub fn wait_until_all_done(&self, number: u64) {
        let what = format!("all {number} are done");
        wait_until(&what, || self.count("done") == number);
        assert_eq!(self.count("accepted"), number);
    }

    /// Sends the picture of a fractal as the original's workers did.
    #[track_caller]
    pub fn put(&self, id: &str, png: &[u8]) {
        let result = json!({"uuid": id, "duration": 0.25, "image": STANDARD.encode(png),
            "checksum": pictures::sha256(png), "size": png.len(), "generated_by": "wire"});
        let answer = self.send(&Request::new("PUT", &format!("/v1/fractal/{id}")).json(&result));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Downloads the picture of a finished fractal and checks it against its row.
    #[track_caller]
    pub fn picture(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/fractal/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let row = self.row(id);
        assert_eq!(row["checksum"], pictures::sha256(&answer.body));
        assert_eq!(row["size"], answer.body.len());
        answer.body
    }
}
