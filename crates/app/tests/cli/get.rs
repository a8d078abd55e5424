use crate::server::{Request, Server, answer, json};
use crate::{Faafo, ID, complaint, row};
use std::path::Path;

const PICTURE: &[u8] = b"This is a picture, as far as the client can tell.";
/// SHA-256 of [`PICTURE`].
const CHECKSUM: &str = "a7b0105df0b4477e1f43968dcc725118713930da122ebc4535f9c474bbc18258";

fn show_row() -> Vec<u8> {
    json(
        "200 OK",
        &row(ID, "done", Some(CHECKSUM), Some(PICTURE.len())),
    )
}

/// The picture from where the request wants it; `breaks` cuts what is sent to so many bytes.
fn picture(request: &Request, breaks: Option<usize>) -> Vec<u8> {
    let from = request.header("range").map_or(0, |range| {
        assert_eq!(
            request.header("if-range"),
            Some(format!("\"{CHECKSUM}\"").as_str())
        );
        range["bytes=".len()..range.len() - 1].parse().unwrap()
    });
    let length = PICTURE.len();
    let mut bytes = if from == 0 {
        answer("200 OK", "", PICTURE)
    } else {
        let range = format!("content-range: bytes {from}-{}/{length}\r\n", length - 1);
        answer("206 Partial Content", &range, &PICTURE[from..])
    };
    if let Some(breaks) = breaks {
        bytes.truncate(bytes.len() - (length - from) + breaks);
    }
    bytes
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A service whose picture breaks off after 10 bytes twice.
fn shaky() -> Server {
    Server::start(|number, request| match request.path.as_str() {
        path if path.starts_with("/v1/") => show_row(),
        _ => picture(request, (number < 3).then_some(10)),
    })
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (server, faafo) = (shaky(), Faafo::new());
    let output = faafo.run(&format!("get {ID} --endpoint-url {}", server.url));
    assert!(output.status.success(), "{output:?}");
    let ranges: Vec<Option<String>> = server.requests()[1..]
        .iter()
        .map(|request| request.header("range").map(str::to_owned))
        .collect();
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=10-".to_owned()),
            Some("bytes=20-".to_owned())
        ]
    );
    let name = format!("{ID}.png");
    assert_eq!(files(faafo.folder.path()), [name.as_str()]);
    assert_eq!(
        std::fs::read(faafo.folder.path().join(&name)).unwrap(),
        PICTURE
    );
    assert_eq!(output.stdout, format!("{name}\n").as_bytes());
}

#[test]
fn standard_output_gets_every_byte_once() {
    let (server, faafo) = (shaky(), Faafo::new());
    let output = faafo.run(&format!("get {ID} -o - --endpoint-url {}", server.url));
    assert!(output.status.success());
    assert_eq!(output.stdout, PICTURE);
    assert!(files(faafo.folder.path()).is_empty());
}

#[test]
fn an_earlier_try_s_part_is_the_beginning() {
    let (server, faafo) = (shaky(), Faafo::new());
    std::fs::write(faafo.folder.path().join("x.png.part"), &PICTURE[..30]).unwrap();
    let output = faafo.run(&format!("get {ID} -o x.png --endpoint-url {}", server.url));
    assert!(output.status.success());
    assert_eq!(server.requests()[1].header("range"), Some("bytes=30-"));
    assert_eq!(
        std::fs::read(faafo.folder.path().join("x.png")).unwrap(),
        PICTURE
    );
}

#[test]
fn a_server_that_starts_over_is_fine() {
    for target in ["x.png", "-"] {
        let server = Server::start(|number, request| match (number, request.path.as_str()) {
            (_, path) if path.starts_with("/v1/") => show_row(),
            (1, _) => picture(request, Some(10)),
            _ => answer("200 OK", "", PICTURE),
        });
        let faafo = Faafo::new();
        let output = faafo.run(&format!(
            "get {ID} -o {target} --endpoint-url {}",
            server.url
        ));
        assert!(output.status.success(), "{output:?}");
        let bytes = std::fs::read(faafo.folder.path().join("x.png")).unwrap_or(output.stdout);
        assert_eq!(bytes, PICTURE);
    }
}

#[test]
fn a_damaged_picture_is_an_error_and_leaves_nothing() {
    let server = Server::start(|_, request| match request.path.as_str() {
        path if path.starts_with("/v1/") => show_row(),
        _ => answer("200 OK", "", &PICTURE.to_ascii_uppercase()),
    });
    for target in ["x.png", "-"] {
        let faafo = Faafo::new();
        let output = faafo.run(&format!(
            "get {ID} -o {target} --endpoint-url {}",
            server.url
        ));
        assert!(complaint(&output).contains("damaged"));
        assert!(files(faafo.folder.path()).is_empty());
    }
}

#[test]
fn a_pending_fractal_is_an_error_with_its_state() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "rendering", None, None)));
    let output = Faafo::new().run(&format!("get {ID} --endpoint-url {}", server.url));
    let text = complaint(&output);
    assert!(
        text.contains("rendering") && text.contains("--wait"),
        "{text}"
    );
}

#[test]
fn waiting_downloads_once_it_is_done() {
    let server = Server::start(|number, request| match request.path.as_str() {
        "/v1/events" => {
            let event = format!(
                "event: fractal\ndata: {{\"uuid\":\"{ID}\",\"change\":\"done\",\"progress\":1}}\n\n"
            );
            answer(
                "200 OK",
                "content-type: text/event-stream\r\n",
                event.as_bytes(),
            )
        }
        path if path.starts_with("/v1/") && number > 2 => show_row(),
        path if path.starts_with("/v1/") => json("200 OK", &row(ID, "queued", None, None)),
        _ => picture(request, None),
    });
    let faafo = Faafo::new();
    let output = faafo.run(&format!(
        "get {ID} --wait -o x.png --endpoint-url {}",
        server.url
    ));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        std::fs::read(faafo.folder.path().join("x.png")).unwrap(),
        PICTURE
    );
}

#[test]
fn a_failed_fractal_says_why() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "failed", None, None)));
    let output = Faafo::new().run(&format!("get {ID} --wait --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("failed: too hard"));
}
