//! Every database with every queue and every picture store: the same promises, the same bytes.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Home, Service, pictures, printed, recipe, stores, wait_until};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::OnceLock;

/// Where pictures lie.
#[derive(Clone, Copy, PartialEq)]
enum Storage {
    File,
    Database,
    S3,
    Swift,
}

/// How workers get at it.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    Directly,
    ThroughTheApi,
}

impl Storage {
    const ALL: [Self; 4] = [Self::File, Self::Database, Self::S3, Self::Swift];

    fn url(self, home: &Home) -> String {
        match self {
            Self::File => format!("file:{}", home.data().join("blobs").display()),
            Self::Database => "db:".to_owned(),
            Self::S3 => stores::s3(),
            Self::Swift => stores::swift(),
        }
    }
}

/// Different sizes, formulas and palettes; the last one is a picture of more than a mebibyte.
fn recipes() -> Vec<Value> {
    let noise = json!({"kind": "julia", "cx": -0.8, "cy": 0.156, "width": 1600, "height": 1200, "iterations": 300,
        "xa": -1.5, "xb": 1.5, "ya": -1.1, "yb": 1.1, "palette": "aurora"});
    let thin = json!({"kind": "mandelbrot", "width": 1, "height": 500, "iterations": 50,
        "xa": -2.0, "xb": 1.0, "ya": -1.0, "yb": 1.0, "palette": "classic"});
    vec![
        recipe::medium(3),
        thin,
        recipe::with(recipe::small(), json!({"cx": 0.1, "cy": 0.6})),
        noise,
    ]
}

/// What one process with SQLite and files makes of the recipes.
fn expected() -> &'static [String] {
    static CHECKSUMS: OnceLock<Vec<String>> = OnceLock::new();
    CHECKSUMS.get_or_init(|| {
        let service = Home::new().start(&[]);
        let ids = recipes()
            .iter()
            .map(|recipe| service.create_done(recipe))
            .collect::<Vec<_>>();
        ids.iter()
            .map(|id| pictures::sha256(&service.picture(id)))
            .collect()
    })
}

/// Asks for the pictures and compares them; `check` runs `faafo storage check` on the installation. Afterwards nothing is
/// left of them.
fn keeps_the_promises(api: &Service, check: impl Fn() -> Command) {
    let ids: Vec<_> = recipes().iter().map(|recipe| api.create(recipe)).collect();
    // The same again: equal pictures share their bytes.
    let twin = api.create(&recipes()[0]);
    api.wait_until_all_done(ids.len() as u64 + 1);
    for (id, expected) in ids
        .iter()
        .chain([&twin])
        .zip(expected().iter().chain([&expected()[0]]))
    {
        assert_eq!(pictures::sha256(&api.picture(id)), *expected);
        assert_eq!(api.row(id)["checksum"], **expected);
    }
    let report = |flags: &[&str]| printed(&check().args(flags).output().unwrap());
    let whole = report(&["--checksums", "--older-than", "0s"]);
    assert!(
        whole.contains("5 fractals") && whole.contains(" 0 missing, 0 damaged, 0 orphans"),
        "{whole}"
    );
    api.delete(&twin);
    assert_eq!(
        pictures::sha256(&api.picture(&ids[0])),
        expected()[0],
        "the other one is still there"
    );
    for id in &ids {
        api.delete(id);
    }
    wait_until("nothing is left", || {
        report(&["--older-than", "1d"]).contains("0 fractals, 0 blobs:")
    });
}

fn one_process(cluster: impl Fn() -> Cluster) {
    for storage in Storage::ALL {
        let cluster = cluster();
        let (home, database) = (cluster.home(), cluster.database_url().to_owned());
        let url = storage.url(home);
        let with = |arguments: &[String]| {
            let mut command = home.command(arguments);
            command
                .env("FAAFO_DATABASE_URL", &database)
                .env("FAAFO_STORAGE_URL", &url);
            command
        };
        let service = Service::launch(home, with(&home.up(&[])));
        keeps_the_promises(&service, || {
            with(&["storage".to_owned(), "check".to_owned()])
        });
    }
}

fn many_processes(cluster: impl Fn() -> Cluster) {
    for storage in Storage::ALL {
        for access in [Access::Directly, Access::ThroughTheApi] {
            if (storage, access) == (Storage::Database, Access::Directly) {
                // Workers know no database.
                continue;
            }
            let cluster = cluster();
            let url = storage.url(cluster.home());
            let cluster = cluster.with_storage(&url);
            let api = cluster.api(&[]);
            let direct = ["--storage-url", url.as_str()];
            let flags: &[&str] = if access == Access::Directly {
                &direct
            } else {
                &[]
            };
            let _workers = [
                cluster.worker(&[&api], flags),
                cluster.worker(&[&api], flags),
            ];
            keeps_the_promises(&api, || {
                let arguments = [
                    "storage",
                    "check",
                    "--database-url",
                    cluster.database_url(),
                    "--storage-url",
                    &url,
                ];
                cluster.home().command(&arguments)
            });
        }
    }
}

#[test]
fn sqlite_in_one_process_with_every_store() {
    one_process(Cluster::on_sqlite);
}

#[test]
fn postgres_in_one_process_with_every_store() {
    one_process(|| Cluster::new(Engine::Postgres));
}

#[test]
fn mariadb_in_one_process_with_every_store() {
    one_process(|| Cluster::new(Engine::MariaDb));
}

#[test]
fn sqlite_and_rabbitmq_with_every_store() {
    many_processes(Cluster::on_sqlite);
}

#[test]
fn postgres_and_rabbitmq_with_every_store() {
    many_processes(|| Cluster::new(Engine::Postgres));
}

#[test]
fn mariadb_and_rabbitmq_with_every_store() {
    many_processes(|| Cluster::new(Engine::MariaDb));
}
