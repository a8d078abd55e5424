//! Live events, as pages and programs get them.

use faafo_e2e::http::Request;
use faafo_e2e::{PATIENCE, Service, recipe};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

/// The events that a service sends from now on; ends when its stream does.
pub struct Events(Receiver<std::io::Result<(String, Value)>>);

impl Events {
    pub fn subscribe(service: &Service) -> Self {
        let request = Request::get("/v1/events").header("Accept", "text/event-stream");
        let (head, body) = service.connect().begin(&request);
        assert_eq!(head.status, 200);
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        assert_eq!(head.header("cache-control"), Some("no-store"));
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut event = String::new();
            for line in BufReader::new(body).lines() {
                let sent = match line {
                    Ok(line) => match line.split_once(": ") {
                        Some(("event", name)) => {
                            event = name.to_owned();
                            Ok(())
                        }
                        Some(("data", data)) => {
                            sender.send(Ok((event.clone(), serde_json::from_str(data).unwrap())))
                        }
                        _ => Ok(()),
                    },
                    Err(error) => sender.send(Err(error)),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        let events = Self(receiver);
        assert_eq!(events.next().unwrap().0, "hello");
        events
    }

    /// The next event, or `None` at the good end of the stream.
    pub fn next(&self) -> Option<(String, Value)> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(event) => Some(event.unwrap()),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no event comes"),
        }
    }

    /// What happens to this fractal until the change of that name, each change once.
    fn changes_until(&self, id: &str, last: &str) -> Vec<String> {
        let mut changes: Vec<String> = Vec::new();
        while changes.last().is_none_or(|change| change != last) {
            let (name, event) = self.next().expect("the stream ended");
            assert_eq!(name, "fractal");
            let progress = event["progress"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&progress), "{event}");
            let change = event["change"].as_str().unwrap();
            if event["uuid"] == id && changes.last().is_none_or(|known| known != change) {
                changes.push(change.to_owned());
            }
        }
        changes
    }
}

#[test]
fn whoever_listens_sees_a_fractal_from_the_queue_to_its_end() {
    let service = Service::start(&[]);
    let events = Events::subscribe(&service);
    let other = Events::subscribe(&service);
    let id = service.create(&recipe::medium(0));
    for events in [&events, &other] {
        assert_eq!(
            events.changes_until(&id, "done"),
            ["queued", "rendering", "done"]
        );
    }
    service.delete(&id);
    for events in [&events, &other] {
        assert_eq!(events.changes_until(&id, "deleted"), ["deleted"]);
    }
}

#[test]
fn a_long_render_tells_how_far_it_is() {
    let service = Service::start(&["--threads", "1"]);
    let events = Events::subscribe(&service);
    let id = service.create(&recipe::long());
    loop {
        let (_, event) = events.next().unwrap();
        if event["change"] == "rendering" && event["progress"].as_f64().unwrap() > 0.0 {
            break;
        }
    }
    let row = service.row(&id);
    assert_eq!(row["state"], "rendering");
    assert!(row["progress"].as_f64().unwrap() > 0.0, "{row}");
}

#[test]
fn the_stream_ends_well_when_the_service_stops() {
    let service = Service::start(&[]);
    let events = Events::subscribe(&service);
    service.ask_to_stop();
    assert!(events.next().is_none());
    let (code, seconds) = service.wait();
    assert_eq!(code, Some(0));
    // A listener must not use up the time that answers under way have.
    assert!(seconds < 3.0, "{seconds}");
}

#[test]
fn watch_prints_what_happens_to_a_fractal_until_it_is_done() {
    let service = Service::start(&[]);
    let id = service.create(&recipe::medium(0));
    let text = faafo_e2e::printed(&service.cli(&["watch", &id]));
    assert_eq!(text.lines().last(), Some(format!("{id} done").as_str()));
}
