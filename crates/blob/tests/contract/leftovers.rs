//! Files that processes leave behind, and files that they still write.

use crate::place;
use faafo_blob::open;

#[tokio::test]
async fn what_a_killed_process_left_unfinished_is_gone_after_the_next_start() {
    let place = place::file();
    open(&place.url()).await.unwrap();
    let folder = place.url().trim_start_matches("file:").to_owned();
    let stray = folder + "/tmp/stray";
    std::fs::write(&stray, "half a picture").unwrap();
    open(&place.url()).await.unwrap();
    assert!(!std::fs::exists(stray).unwrap());
}

#[tokio::test]
async fn a_second_process_spares_what_the_first_is_writing() {
    let place = place::file();
    let store = open(&place.url()).await.unwrap();
    let mut upload = store.begin().await.unwrap();
    upload.write("half a ".into()).await.unwrap();
    open(&place.url()).await.unwrap();
    upload.write("picture".into()).await.unwrap();
    let blob = upload.finish().await.unwrap();
    assert_eq!(store.size(&blob.key).await.unwrap(), Some(14));
}
