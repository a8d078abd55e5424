//! What operators do with stored pictures.

use faafo_e2e::{Home, Service, complaint, pictures, printed, recipe};
use std::fs::{remove_file, write};
use std::path::{Path, PathBuf};

/// Where a blob lies that is too large for a pack.
fn file_of(home: &Home, sha256: &str) -> PathBuf {
    let (start, rest) = sha256.split_at(2);
    home.data().join("blobs").join(start).join(rest)
}

fn storage(home: &Home, arguments: &[&str]) -> std::process::Output {
    let data = home.data().to_str().unwrap().to_owned();
    home.run(&[&["storage"], arguments, &["--data", &data]].concat())
}

fn with_pictures(home: &Home, number: u32) -> (Service, Vec<String>) {
    let service = home.start(&[]);
    let ids = (0..number)
        .map(|number| service.create_done(&recipe::colourful(number)))
        .collect();
    (service, ids)
}

fn with_small_pictures(home: &Home, number: u32) -> (Service, Vec<String>) {
    let service = home.start(&[]);
    let ids = (0..number)
        .map(|number| service.create_done(&recipe::medium(number)))
        .collect();
    (service, ids)
}

#[test]
fn a_check_of_a_running_service_finds_nothing_wrong() {
    let home = Home::new();
    let (_service, _ids) = with_small_pictures(&home, 3);
    let output = storage(&home, &["check", "--checksums", "--older-than", "0s"]);
    // Equal thumbnails are one blob.
    let blobs = home.blobs().len();
    assert_eq!(
        printed(&output).trim(),
        format!("3 fractals, {blobs} blobs: 0 missing, 0 damaged, 0 orphans")
    );
}

#[test]
fn a_check_names_what_is_missing_damaged_and_left_over() {
    let home = Home::new();
    let (service, ids) = with_pictures(&home, 3);
    let shas: Vec<_> = ids
        .iter()
        .map(|id| pictures::sha256(&service.picture(id)))
        .collect();
    remove_file(file_of(&home, &shas[0])).unwrap();
    write(file_of(&home, &shas[1]), "short").unwrap();
    let mut flipped = service.picture(&ids[2]);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    write(file_of(&home, &shas[2]), flipped).unwrap();
    let stray = pictures::sha256(b"stray");
    std::fs::create_dir_all(file_of(&home, &stray).parent().unwrap()).unwrap();
    write(file_of(&home, &stray), "stray").unwrap();

    let quick = storage(&home, &["check"]);
    assert!(complaint(&quick).contains("1 missing, 1 damaged"));
    let output = storage(&home, &["check", "--checksums", "--older-than", "0s"]);
    assert!(complaint(&output).contains("1 missing, 2 damaged"));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        format!("missing {} fractal {}", shas[0], ids[0]),
        format!(
            "damaged {} fractal {} has 5 bytes instead of",
            shas[1], ids[1]
        ),
        format!("damaged {} fractal {} has another SHA-256", shas[2], ids[2]),
        format!("orphan {stray} 5 bytes"),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(text.contains("1 missing, 2 damaged, 1 orphans"), "{text}");
}

#[test]
fn a_check_finds_what_is_damaged_in_a_pack() {
    let home = Home::new();
    let (service, ids) = with_small_pictures(&home, 3);
    let picture = service.picture(&ids[1]);
    let packs = home.data().join("blobs/packs");
    let pack = std::fs::read_dir(packs).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(pack.path()).unwrap();
    let mut places = bytes.windows(picture.len());
    let at = places.position(|place| place == picture).unwrap();
    bytes[at + picture.len() / 2] ^= 1;
    write(pack.path(), bytes).unwrap();
    printed(&storage(&home, &["check"]));
    let output = storage(&home, &["check", "--checksums"]);
    assert!(complaint(&output).contains("0 missing, 1 damaged"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("fractal {}", ids[1])), "{text}");
    // What lies behind it in the pack is still there.
    service.picture(&ids[2]);
}

#[test]
fn orphans_go_when_asked_and_young_ones_are_spared() {
    let home = Home::new();
    let (_service, _ids) = with_pictures(&home, 1);
    let stray = pictures::sha256(b"stray");
    let file = file_of(&home, &stray);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    write(&file, "stray").unwrap();
    printed(&storage(&home, &["check"]));
    let output = storage(&home, &["check", "--older-than", "0s"]);
    assert!(complaint(&output).contains("--remove-orphans"));
    printed(&storage(
        &home,
        &["check", "--older-than", "0s", "--remove-orphans"],
    ));
    faafo_e2e::wait_until("the tracker has removed it", || !file.exists());
    printed(&storage(&home, &["check", "--checksums"]));
}

#[test]
fn pictures_move_to_the_database_and_back_byte_for_byte() {
    let home = Home::new();
    let (service, mut ids) = with_small_pictures(&home, 4);
    ids.push(service.create_done(&recipe::colourful(0)));
    let before: Vec<_> = ids.iter().map(|id| service.picture(id)).collect();
    service.terminate();
    let files = format!("file:{}", home.data().join("blobs").display());
    let blobs = home.blobs().len();
    let copied = printed(&storage(
        &home,
        &["migrate", "--from", &files, "--to", "db:"],
    ));
    assert!(copied.starts_with(&format!("{blobs} copied")), "{copied}");
    let again = printed(&storage(
        &home,
        &["migrate", "--from", &files, "--to", "db:"],
    ));
    assert!(
        again.contains(&format!("0 copied, 0 bytes; {blobs} were there")),
        "{again}"
    );
    std::fs::remove_dir_all(home.data().join("blobs")).unwrap();

    let mut command = home.command(&home.up(&[]));
    command.env("FAAFO_STORAGE_URL", "db:");
    let service = Service::launch(&home, command);
    for (id, picture) in ids.iter().zip(&before) {
        assert!(service.picture(id) == *picture);
    }
    service.create_done(&recipe::medium(7));
    let database = ["check", "--storage-url", "db:", "--checksums"];
    let report = printed(&storage(&home, &database));
    assert!(
        report.contains(": 0 missing, 0 damaged, 0 orphans"),
        "{report}"
    );
    service.terminate();
    let back = home.path().join("back");
    let to = format!("file:{}", back.display());
    printed(&storage(&home, &["migrate", "--from", "db:", "--to", &to]));
    printed(&storage(
        &home,
        &["check", "--storage-url", &to, "--checksums"],
    ));
}

#[test]
fn what_is_damaged_is_not_copied() {
    let home = Home::new();
    let (service, ids) = with_pictures(&home, 2);
    let sha256 = pictures::sha256(&service.picture(&ids[0]));
    service.terminate();
    write(file_of(&home, &sha256), "damaged").unwrap();
    let from = format!("file:{}", home.data().join("blobs").display());
    let to = format!("file:{}", home.path().join("copy").display());
    let output = storage(&home, &["migrate", "--from", &from, "--to", &to]);
    assert!(complaint(&output).contains("1 blobs are not what their names say"));
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("damaged {sha256}")));
    let check = storage(&home, &["check", "--storage-url", &to]);
    assert!(complaint(&check).contains("1 missing, 0 damaged"));
}

#[test]
fn without_a_database_the_check_says_which_to_name() {
    let home = Home::new();
    let output = storage(&home, &["check"]);
    assert!(complaint(&output).contains("--database-url"));
    assert!(!Path::new(home.data()).exists(), "nothing is made");
}
