//! Live events, read from the server-sent stream. They are hints: any may be lost.

use super::{Client, ClientError};
use faafo_model::Event;
use std::time::Duration;
use tokio::sync::mpsc;

/// The longest line taken, in bytes; longer ones can't be events.
const MOST_LINE: usize = 64 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the stream brings.
#[derive(Debug)]
pub enum Notice {
    /// The stream is there, for the first time or again. Events may have been missed before.
    Connected,
    /// Something changed.
    Event(Event),
    /// The stream is gone; it will be tried again.
    Lost(ClientError),
}

/// Follows the live events until the receiver is dropped, connecting again whenever the stream ends.
pub fn subscribe(client: &Client) -> mpsc::Receiver<Notice> {
    let (sender, receiver) = mpsc::channel(256);
    let client = client.clone();
    tokio::spawn(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut connected = false;
            let error = match listen(&client, &sender, &mut connected).await {
                Ok(()) => return,
                Err(error) => error,
            };
            tracing::debug!("live events: {error}");
            if sender.send(Notice::Lost(error)).await.is_err() {
                return;
            }
            pause = if connected { FIRST_PAUSE } else { pause };
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    });
    receiver
}

/// Passes one stream's events on. Ends well only when nobody wants them any more.
async fn listen(
    client: &Client,
    sender: &mpsc::Sender<Notice>,
    connected: &mut bool,
) -> Result<(), ClientError> {
    let mut response = client.events().await?;
    *connected = true;
    if sender.send(Notice::Connected).await.is_err() {
        return Ok(());
    }
    let mut parser = Parser::default();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| client.broken(error))? else {
            return Err(ClientError::Broken {
                endpoint: client.shown().to_owned(),
                cause: "the stream of events ended".to_owned(),
            });
        };
        for event in parser.push(&chunk) {
            if sender.send(Notice::Event(event)).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Reads the text of a server-sent stream in pieces of any size.
#[derive(Default)]
struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
}

impl Parser {
    fn push(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in piece {
            if byte != b'\n' {
                if self.line.len() < MOST_LINE {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches('\r')));
        }
        events
    }

    /// Takes a line; an empty one ends an event.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (
                std::mem::take(&mut self.name),
                std::mem::take(&mut self.data),
            );
            // Other events, and changes that a newer server knows, are none of ours.
            return (name == "fractal")
                .then(|| serde_json::from_str(&data).ok())
                .flatten();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = value.to_owned(),
            "data" if self.data.len() < MOST_LINE => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::{State, Uuid};

    #[test]
    fn events_come_out_wherever_the_pieces_are_cut() {
        let text = ": hello\n\nevent: other\ndata: {}\n\nid: 7\r\nevent:fractal\r\n\
                    data: {\"uuid\":\"00000000-0000-0000-0000-000000000000\",\r\n\
                    data: \"change\":\"done\",\"progress\":1}\r\n\r\nevent: fractal\ndata: nonsense\n\n";
        for cut in 0..=text.len() {
            let mut parser = Parser::default();
            let mut events = parser.push(&text.as_bytes()[..cut]);
            events.extend(parser.push(&text.as_bytes()[cut..]));
            assert_eq!(events, [Event::state(Uuid::nil(), State::Done, 1.0)]);
        }
    }
}
