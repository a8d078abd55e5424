//! The web pages' addresses.

use crate::auth::Visitor;
use crate::error::ApiError;
use crate::{Server, ui};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use faafo_blob::Hasher;
use faafo_model::Uuid;
use faafo_store::Role;

/// Pictures on a page of the gallery.
const PICTURES: u64 = 24;
/// Unfinished fractals shown on the first page.
const ACTIVE: usize = 8;

/// `GET /` and `GET /index`
pub(crate) async fn first(
    state: State<Server>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    gallery(state, &visitor, 1).await
}

/// `GET /index/<page>`
pub(crate) async fn index(
    state: State<Server>,
    Extension(visitor): Extension<Visitor>,
    Path(page): Path<String>,
) -> Response {
    match page.parse() {
        Ok(page @ 1..) => gallery(state, &visitor, page).await,
        _ => not_found("The gallery's pages are counted from 1."),
    }
}

async fn gallery(State(server): State<Server>, visitor: &Visitor, page: u64) -> Response {
    let viewer = visitor.into();
    let (shared, question) = (server.shared.clone(), format!("gallery {page} {viewer:?}"));
    let make = move || {
        let server = server.clone();
        async move { make_gallery(&server, viewer, page).await }
    };
    shared.answer(question, make).await
}

async fn make_gallery(server: &Server, viewer: ui::Viewer, page: u64) -> Response {
    let read = async {
        let counts = server.store.counts().await?;
        let done = server
            .store
            .newest(PICTURES, (page - 1).saturating_mul(PICTURES))
            .await?;
        let active = if page == 1 {
            server.store.active(ACTIVE).await?
        } else {
            Vec::new()
        };
        Ok::<_, faafo_store::Error>((counts, done, active))
    };
    match read.await {
        Ok((counts, done, active)) => html(
            StatusCode::OK,
            ui::gallery(
                &ui::GalleryPage {
                    done: &done,
                    active: &active,
                    page,
                    total_pages: counts.done.div_ceil(PICTURES),
                    counts: ui::Counts {
                        queued: counts.queued,
                        rendering: counts.rendering,
                        done: counts.done,
                        failed: counts.failed,
                        cancelled: counts.cancelled,
                    },
                },
                viewer,
            ),
        ),
        Err(error) => trouble(error),
    }
}

/// `GET /picture/<uuid>`
pub(crate) async fn picture(
    State(server): State<Server>,
    Extension(visitor): Extension<Visitor>,
    Path(uuid): Path<String>,
) -> Response {
    let Ok(id) = Uuid::try_parse(&uuid) else {
        return no_such_fractal();
    };
    match server.store.get_stored(id, Role::THUMBNAIL).await {
        Ok(Some((fractal, stored))) => {
            let page = ui::picture(&fractal, stored.is_some(), (&visitor).into());
            html(StatusCode::OK, page)
        }
        Ok(None) => no_such_fractal(),
        Err(error) => trouble(error),
    }
}

/// `GET /new`
pub(crate) async fn new(
    State(server): State<Server>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let page = ui::new_form(server.limits.max_area, (&visitor).into());
    html(StatusCode::OK, page)
}

/// `GET /docs`
pub(crate) async fn docs(Extension(visitor): Extension<Visitor>) -> Response {
    html(StatusCode::OK, ui::docs((&visitor).into()))
}

/// `GET /static/<name>`
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // Pages that were saved or themed still ask for the original's style sheet.
    let name = if name == "bootstrap/css/bootstrap.min.css" {
        "base.css"
    } else {
        &name
    };
    let Some(asset) = ui::asset(name) else {
        return not_found("There is no such file.");
    };
    let mut hasher = Hasher::default();
    hasher.update(asset.bytes);
    let etag = format!("\"{}\"", hasher.finish().key);
    // Checked each time, so that a new version is seen at once; the answer to that is a few bytes.
    let fixed = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (
        fixed,
        [(header::CONTENT_TYPE, asset.content_type)],
        asset.bytes,
    )
        .into_response()
}

fn no_such_fractal() -> Response {
    not_found("There is no such fractal. It may have been deleted.")
}

/// A page that says what is not there.
pub(crate) fn not_found(detail: &str) -> Response {
    html(StatusCode::NOT_FOUND, ui::error(404, "Not found", detail))
}

fn trouble(error: faafo_store::Error) -> Response {
    tracing::error!(%error, "a page can't be made");
    let status = match error.kind() {
        faafo_store::ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        faafo_store::ErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let detail = "The service has trouble with its database. Try again in a moment.";
    html(
        status,
        ui::error(status.as_u16(), "Something went wrong", detail),
    )
}

/// A page as an answer.
pub(crate) fn html(status: StatusCode, page: Result<String, askama::Error>) -> Response {
    match page {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-cache")], Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page can't be written");
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page can't be written",
            )
            .into_response()
        }
    }
}

impl From<&Visitor> for ui::Viewer {
    fn from(visitor: &Visitor) -> Self {
        Self {
            guarded: visitor.guarded,
            signed_in: visitor.signed_in.is_some(),
            may_write: visitor.may_write,
        }
    }
}
