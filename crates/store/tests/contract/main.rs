//! What every database promises, run over each back end. PostgreSQL and MySQL are real servers: their addresses are in
//! `FAAFO_TEST_POSTGRES` and `FAAFO_TEST_MYSQL`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blobs;
mod changes;
mod chunks;
mod crowd;
mod database;
mod opening;
mod outage;
mod outbox;
mod people;
mod posters;
mod proxy;
mod results;
mod rows;

use faafo_model::{
    BlobKey, BlobRef, Colours, CreateRequest, Format, Formula, Palette, Recipe, Timestamp, Uuid,
    View,
};
use faafo_store::query::Field;
use faafo_store::{Finish, Made, Reservation, Store};

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

fn request(number: u32) -> CreateRequest {
    let recipe = Recipe {
        formula: Formula::Julia {
            cx: -2.123456789012345,
            cy: 5e-324,
        },
        view: View {
            xa: 0.1 + 0.2,
            xb: -1e100,
            ya: -1.0,
            yb: 1.0,
        },
        width: number + 1,
        height: 30,
        iterations: 20,
        palette: Palette::Aurora,
        colours: Colours::default(),
        format: Format::Png,
    };
    CreateRequest {
        priority: 0,
        id: Some(Uuid::from_u128(number.into())),
        recipe,
        band_area: None,
    }
}

fn id(number: u32) -> Uuid {
    Uuid::from_u128(number.into())
}

fn blob(byte: u8) -> BlobRef {
    BlobRef {
        key: BlobKey([byte; 32]),
        size: 1000 + u64::from(byte),
    }
}

fn finish(number: u32, picture: u8) -> Finish {
    Finish {
        id: id(number),
        made: Made::Picture {
            picture: blob(picture),
            thumbnail: blob(picture + 100),
        },
        duration: Some(0.1),
        worker: Some("worker".into()),
    }
}

fn field(name: &str) -> Field {
    Field::named(name).unwrap()
}

async fn complete(store: &Store, number: u32, picture: u8) {
    let finishes = [finish(number, picture)];
    assert_eq!(
        store.reserve(&finishes).await.unwrap(),
        [Reservation::Reserved]
    );
    assert_eq!(store.finish(&finishes, NOW).await.unwrap(), [true]);
}

/// Runs tests over every kind of database, each in a fresh one.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        $crate::contract!(sqlite Sqlite [$($test)*]);
        $crate::contract!(postgres Postgres [$($test)*]);
        $crate::contract!(mysql MySql [$($test)*]);
    };
    ($name:ident $kind:ident [$($test:ident)*]) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                $crate::database::with_store($crate::database::Kind::$kind, super::$test).await;
            })*
        }
    };
}
pub(crate) use contract;
