//! Who may come in.

use crate::place::{Place, WRONG_SECRET};
use crate::promises::content;
use faafo_blob::{ErrorKind, open, put};
use faafo_model::BlobKey;
use std::time::Duration;

pub async fn a_wrong_secret_is_reported_without_it(place: Place) {
    let store = open(&place.url_with_wrong_secret()).await.unwrap();
    let nothing = BlobKey([1; 32]);
    let errors = [
        store.ping().await.unwrap_err(),
        put(&*store, content(10, 1)).await.unwrap_err(),
        store.size(&nothing).await.unwrap_err(),
        store.read(&nothing, 0..1).await.err().unwrap(),
        store.delete(&nothing).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(WRONG_SECRET), "{text}");
        // It names the settings to look at.
        assert!(text.contains("storage_url, or "), "{text}");
    }
}

pub async fn a_presigned_url_needs_no_credentials(place: Place) {
    let store = place.open().await;
    for length in [1000, 9_000_000] {
        let bytes = content(length, 3);
        let blob = put(&*store, bytes.clone()).await.unwrap();
        let minute = Duration::from_secs(60);
        let url = store
            .presigned_get(&blob.key, "a picture.png", minute)
            .await;
        let url = url.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = http.get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let saved = response.headers()["content-disposition"].to_str().unwrap();
        assert!(
            saved.contains("attachment") && saved.contains("picture.png"),
            "{saved}"
        );
        assert!(response.bytes().await.unwrap() == bytes);
        // It is good for this blob only.
        let other = put(&*store, content(10, 4)).await.unwrap();
        let forged = url.replace(&blob.key.to_string(), &other.key.to_string());
        let status = http.get(forged).send().await.unwrap().status();
        assert!(matches!(status.as_u16(), 401 | 403), "{status}");
    }
}
