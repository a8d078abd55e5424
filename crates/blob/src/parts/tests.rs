//! Parts without a server.

use super::*;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::sleep;

/// Writes down what it is asked to do.
#[derive(Default)]
struct Notes {
    log: Mutex<Vec<String>>,
    /// This part is refused.
    refused: usize,
}

impl Notes {
    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

#[async_trait]
impl Target for Notes {
    type Session = ();

    async fn put(&self, _: &BlobKey, bytes: Bytes) -> Result<(), Error> {
        self.note(format!("put {}", bytes.len()));
        Ok(())
    }

    async fn begin(&self) -> Result<(), Error> {
        self.note("begin".to_owned());
        Ok(())
    }

    async fn part(&self, (): &(), number: usize, bytes: Bytes) -> Result<Part, Error> {
        if number == self.refused {
            return Err(Error::new(ErrorKind::Full, "no room"));
        }
        sleep(Duration::from_millis(20)).await;
        self.note(format!("part {number}: {}", bytes.len()));
        let size = bytes.len();
        Ok(Part {
            etag: number.to_string(),
            size,
        })
    }

    async fn complete(&self, (): &(), parts: Vec<Part>, blob: &BlobRef) -> Result<(), Error> {
        let etags: Vec<_> = parts.iter().map(|part| part.etag.as_str()).collect();
        let sum: usize = parts.iter().map(|part| part.size).sum();
        assert_eq!(sum as u64, blob.size);
        self.note(format!("complete {}", etags.join(",")));
        Ok(())
    }

    async fn abort(&self, (): &()) {
        self.note("abort".to_owned());
    }
}

fn upload(target: &Arc<Notes>) -> Box<PartUpload<Notes>> {
    Box::new(PartUpload::new(Arc::clone(target)))
}

#[tokio::test]
async fn a_blob_of_exactly_one_part_is_stored_whole() {
    let target = Arc::new(Notes::default());
    let mut upload = upload(&target);
    upload.write(Bytes::from(vec![1; SMALL])).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(target.log(), [format!("put {SMALL}")]);
}

#[tokio::test]
async fn one_byte_more_makes_two_parts() {
    let target = Arc::new(Notes::default());
    let mut upload = upload(&target);
    upload.write(Bytes::from(vec![1; SMALL + 1])).await.unwrap();
    upload.finish().await.unwrap();
    let first = format!("part 1: {SMALL}");
    assert_eq!(target.log(), ["begin", &first, "part 2: 1", "complete 1,2"]);
}

#[tokio::test]
async fn a_dropped_upload_is_aborted_and_no_part_arrives_afterwards() {
    let target = Arc::new(Notes::default());
    let mut upload = upload(&target);
    upload
        .write(Bytes::from(vec![1; 2 * SMALL + 1]))
        .await
        .unwrap();
    drop(upload);
    while !target.log().contains(&"abort".to_owned()) {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(50)).await;
    assert_eq!(target.log().last().unwrap(), "abort");
}

#[tokio::test]
async fn an_upload_that_has_failed_stays_failed() {
    let target = Arc::new(Notes {
        refused: 1,
        ..Notes::default()
    });
    let mut upload = upload(&target);
    let much = Bytes::from(vec![1; 3 * SMALL]);
    let error = upload.write(much).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(upload.write(Bytes::from_static(b"more")).await.is_err());
    assert!(upload.finish().await.is_err());
    while !target.log().contains(&"abort".to_owned()) {
        sleep(Duration::from_millis(1)).await;
    }
}
