//! What every blob store promises, run over each back end and its real server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod compose;
mod credentials;
mod database;
mod faults;
mod keystone;
mod large;
mod leftovers;
mod listing;
mod place;
mod promises;
mod proxy;
mod server;

/// Runs tests of the module `$suite` over a place: `contract!(file, place::file(), promises: [a, b])`.
macro_rules! contract {
    ($name:ident, $place:expr, $($suite:ident: [$($test:ident),* $(,)?]),* $(,)?) => {
        mod $name {
            use crate::place;
            $($(#[tokio::test]
            async fn $test() {
                crate::$suite::$test($place).await;
            })*)*
        }
    };
}

contract!(
    file,
    place::file(),
    promises: [
        what_is_stored_comes_back_whole,
        any_range_can_be_read,
        storing_twice_is_harmless,
        the_same_content_at_the_same_time_is_stored_once,
        two_stores_may_store_the_same_content_at_once,
        an_upload_dropped_halfway_leaves_nothing,
        deleting_removes_and_deleting_again_is_no_error,
        a_ping_is_answered,
    ],
    large: [a_large_blob_passes_in_bounded_memory],
    listing: [the_list_has_everything, the_leftovers_of_a_killed_upload_can_be_removed],
    compose: [a_store_that_can_not_compose_says_so],
);

macro_rules! database {
    ($name:ident) => {
        contract!(
            $name,
            place::$name(),
            promises: [
                what_is_stored_comes_back_whole,
                any_range_can_be_read,
                storing_twice_is_harmless,
                the_same_content_at_the_same_time_is_stored_once,
                two_stores_may_store_the_same_content_at_once,
                an_upload_dropped_halfway_leaves_nothing,
                deleting_removes_and_deleting_again_is_no_error,
                a_ping_is_answered,
            ],
            large: [
                a_large_blob_passes_in_bounded_memory,
                a_picture_of_200_mb_comes_back_whole,
                a_large_blob_stored_twice_at_once_stays_whole,
            ],
            listing: [
                the_list_has_everything,
                a_list_of_nothing_is_empty,
                the_leftovers_of_a_killed_upload_can_be_removed,
            ],
            compose: [a_store_that_can_not_compose_says_so],
        );
    };
}

database!(sqlite);
database!(postgres);
database!(mariadb);

macro_rules! object_store {
    ($name:ident, $place:expr $(, $suite:ident: $tests:tt)* $(,)?) => {
        contract!(
            $name,
            $place,
            promises: [
                what_is_stored_comes_back_whole,
                any_range_can_be_read,
                storing_twice_is_harmless,
                the_same_content_at_the_same_time_is_stored_once,
                two_stores_may_store_the_same_content_at_once,
                an_upload_dropped_halfway_leaves_nothing,
                deleting_removes_and_deleting_again_is_no_error,
                a_ping_is_answered,
                a_folder_in_the_bucket_keeps_to_itself,
            ],
            large: [
                a_large_blob_passes_in_bounded_memory,
                a_large_blob_stored_twice_at_once_stays_whole,
                a_server_that_fails_twice_gets_a_large_upload_all_the_same,
            ],
            listing: [
                the_list_has_everything,
                a_list_of_nothing_is_empty,
            ],
            faults: [
                an_upload_that_fails_twice_arrives,
                a_server_that_is_gone_is_named_and_welcome_back,
                a_silent_server_is_left_within_the_limit,
                a_download_goes_on_where_it_broke,
            ],
            credentials: [
                a_wrong_secret_is_reported_without_it,
                a_presigned_url_needs_no_credentials,
            ],
            $($suite: $tests),*
        );
    };
}

/// Of an object store that composes, and more that only some do.
macro_rules! composing_store {
    ($name:ident, $place:expr, [$($more:ident),*] $(, $suite:ident: $tests:tt)* $(,)?) => {
        object_store!(
            $name,
            $place,
            $($suite: $tests,)*
            compose: [
                small_pieces_become_a_blob,
                large_pieces_are_copied_and_hardly_sent,
                composing_what_is_there_or_twice_at_once_is_harmless,
                a_piece_that_is_missing_is_not_found_and_leaves_nothing,
                pieces_that_are_not_as_long_as_the_blob_are_refused,
                a_composition_dropped_halfway_leaves_nothing,
                a_server_that_fails_twice_composes_all_the_same,
                $($more),*
            ],
        );
    };
}

// s3s-fs can't list unfinished uploads.
composing_store!(s3_on_s3s, place::s3s(), []);
composing_store!(
    s3_on_swift,
    place::s3_on_swift(),
    [the_leftovers_of_a_composition_that_broke_off_can_be_removed],
    listing: [the_leftovers_of_a_killed_upload_can_be_removed],
);
object_store!(
    swift,
    place::swift(),
    listing: [the_leftovers_of_a_killed_upload_can_be_removed],
    compose: [a_store_that_can_not_compose_says_so],
);

contract!(
    through_the_api,
    place::api(),
    promises: [
        what_is_stored_comes_back_whole,
        any_range_can_be_read,
        storing_twice_is_harmless,
        the_same_content_at_the_same_time_is_stored_once,
        two_stores_may_store_the_same_content_at_once,
        an_upload_dropped_halfway_leaves_nothing,
        deleting_removes_and_deleting_again_is_no_error,
        a_ping_is_answered,
    ],
    large: [a_large_blob_passes_in_bounded_memory],
    faults: [
        an_upload_that_fails_twice_arrives,
        a_server_that_is_gone_is_named_and_welcome_back,
        a_silent_server_is_left_within_the_limit,
        a_download_goes_on_where_it_broke,
    ],
    credentials: [a_wrong_secret_is_reported_without_it],
    compose: [a_store_that_can_not_compose_says_so],
);

#[tokio::test]
async fn an_unknown_storage_is_named() {
    let error = faafo_blob::open("tape://attic").await.err().unwrap();
    assert_eq!(error.kind(), faafo_blob::ErrorKind::Config);
    assert!(error.to_string().contains("tape"), "{error}");
}

#[tokio::test]
async fn what_a_url_lacks_is_named() {
    for (url, named) in [
        ("s3://bucket", "AWS_ACCESS_KEY_ID"),
        ("s3://key:secret@", "empty host"),
        ("s3://key:secret@bucket?color=red", "color"),
        ("swift://user:key@container", "OS_AUTH_URL"),
        ("swift://container?auth=http://h/v1.0", "ST_USER"),
        ("swift://u:p@container?auth=http://h/v3", "OS_PROJECT_NAME"),
        ("http://a,ftp://b", "http:"),
        ("http://,", "no URL"),
    ] {
        let opened = faafo_blob::open_with(url, None, &|_| None).await;
        let error = opened.err().unwrap();
        assert_eq!(error.kind(), faafo_blob::ErrorKind::Config, "{url}");
        assert!(error.to_string().contains(named), "{url}: {error}");
    }
}
