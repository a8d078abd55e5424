//! The list of fractals: pages as the original cut them, or all rows as one stream.

use crate::error::{ApiError, Result};
use crate::fractals::base;
use crate::{Server, language};
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use faafo_model::{Fractal, FractalJson, Uuid};
use faafo_store::{Query, Store};
use futures_util::stream;
use serde_json::json;
use std::collections::VecDeque;
use tokio::task::JoinSet;

/// Rows on a page unless the client says otherwise.
const DEFAULT_ROWS: u64 = 10;
/// Rows on a page at most; whoever wants more wants all of them.
const MOST_ROWS: u64 = 100;
/// Rows read from the store at a time for a list of all.
const BATCH: usize = 500;

/// `GET /v1/fractal`
pub(crate) async fn list(
    State(server): State<Server>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let parameters = Parameters::parse(raw.as_deref().unwrap_or_default())?;
    let language::Request { query, single } = language::parse(parameters.q.as_deref())?;
    let base = base(&headers);
    if single {
        return one(&server.store, &query, &base).await;
    }
    match parameters.rows {
        Rows::All => all(&server.store, query, &base).await,
        Rows::Page(rows) if parameters.q.is_none() => {
            Ok(plain_page(&server, parameters.page, rows, base).await)
        }
        Rows::Page(rows) => page(&server.store, &query, parameters.page, rows, &base).await,
    }
}

/// A page of all fractals, which many ask for at the same time.
async fn plain_page(server: &Server, number: i64, rows: u64, base: String) -> Response {
    let store = server.store.clone();
    let question = format!("list {number} {rows} {base}");
    let make = move || {
        let (store, base) = (store.clone(), base.clone());
        async move {
            let made = page(&store, &Query::default(), number, rows, &base).await;
            made.into_response()
        }
    };
    server.shared.answer(question, make).await
}

enum Rows {
    Page(u64),
    All,
}

struct Parameters {
    page: i64,
    rows: Rows,
    q: Option<String>,
}

impl Parameters {
    fn parse(raw: &str) -> Result<Self> {
        let mut parameters = Self {
            page: 1,
            rows: Rows::Page(DEFAULT_ROWS),
            q: None,
        };
        for (name, value) in form_pairs(raw) {
            match name.as_str() {
                "page" => {
                    let reason = "must be a whole number, counted from 1";
                    parameters.page = value.parse().map_err(|_| ApiError::field("page", reason))?;
                }
                "results_per_page" => {
                    parameters.rows = match value.parse::<i64>() {
                        Ok(-1) => Rows::All,
                        Ok(rows @ 1..) => Rows::Page(rows.unsigned_abs().min(MOST_ROWS)),
                        // As ever: what makes no sense is as if it were not there.
                        _ => Rows::Page(DEFAULT_ROWS),
                    };
                }
                "q" => parameters.q = Some(value),
                _ => {}
            }
        }
        Ok(parameters)
    }
}

/// `application/x-www-form-urlencoded` pairs.
pub(crate) fn form_pairs(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let escaped = |digits: &[u8]| {
                std::str::from_utf8(digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            };
            rest = match (first, tail) {
                (b'%', [high, low, after @ ..]) if escaped(&[*high, *low]).is_some() => {
                    bytes.extend(escaped(&[*high, *low]));
                    after
                }
                (b'+', _) => {
                    bytes.push(b' ');
                    tail
                }
                (byte, _) => {
                    bytes.push(*byte);
                    tail
                }
            };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

async fn one(store: &Store, query: &Query, base: &str) -> Result<Response> {
    let found = store.list(query, 0, 2).await?;
    match found.as_slice() {
        [] => Err(ApiError::new(StatusCode::NOT_FOUND, "No result found")),
        [fractal] => {
            let location = format!("{base}/v1/fractal/{}", fractal.id);
            Ok((
                [(header::LOCATION, location)],
                Json(FractalJson::from(fractal)),
            )
                .into_response())
        }
        _ => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Multiple results found",
        )),
    }
}

async fn page(store: &Store, query: &Query, page: i64, rows: u64, base: &str) -> Result<Response> {
    let total = store.count(query).await?;
    let (first, number) = slice(page, rows, total);
    let found = if number == 0 {
        Vec::new()
    } else {
        store.list(query, first, number).await?
    };
    let objects: Vec<_> = found.iter().map(FractalJson::from).collect();
    let total_pages = total.div_ceil(rows);
    let body =
        json!({"num_results": total, "objects": objects, "page": page, "total_pages": total_pages});
    Ok((
        [(header::LINK, link(base, page, total_pages, rows))],
        Json(body),
    )
        .into_response())
}

/// Which rows a page holds: first and number. Pages count from 1; page 0 is empty and those before it count from the
/// end, because the original cut its list as Python does.
fn slice(page: i64, rows: u64, total: u64) -> (u64, u64) {
    let (rows, total) = (i128::from(rows), i128::from(total));
    let start = (i128::from(page) - 1) * rows;
    let place = |index: i128| (if index < 0 { index + total } else { index }).clamp(0, total);
    let (first, end) = (place(start), place(start + rows));
    (
        u64::try_from(first).unwrap_or(0),
        u64::try_from(end - first).unwrap_or(0),
    )
}

fn link(base: &str, page: i64, total_pages: u64, rows: u64) -> String {
    let to = |page: i128, rel: &str| {
        format!("<{base}/v1/fractal?page={page}&results_per_page={rows}>; rel=\"{rel}\"")
    };
    let last = to(total_pages.into(), "last");
    if i128::from(page) < i128::from(total_pages) {
        format!("{}, {last}", to(i128::from(page) + 1, "next"))
    } else {
        last
    }
}

/// All rows in one answer, in bounded memory and a few hundred at a time, so that a slow client holds no connection to
/// the database.
async fn all(store: &Store, query: Query, base: &str) -> Result<Response> {
    let total = store.count(&query).await?;
    let head = format!("{{\"num_results\": {total}, \"objects\": [");
    let tail = format!(
        "], \"page\": 1, \"total_pages\": {}}}",
        usize::from(total > 0)
    );
    // In the order of ids each batch says where the next one begins. For any other all ids are read before.
    let left = if query.is_plain() {
        Left::After(None)
    } else {
        Left::Ids(store.ids(&query).await?.into())
    };
    let mut state = Streaming {
        reading: JoinSet::new(),
        written: false,
        head: Some(head),
        tail: Some(tail),
    };
    state.read_on(Batches {
        store: store.clone(),
        query,
        left,
    });
    let pieces = stream::try_unfold(state, |mut state| async move {
        state
            .piece()
            .await
            .map(|piece| piece.map(|piece| (piece, state)))
    });
    let last = format!("<{base}/v1/fractal?page=1&results_per_page=-1>; rel=\"last\"");
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::LINK, last),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The rows that are still to be sent.
enum Left {
    /// Those behind this one.
    After(Option<Uuid>),
    /// These.
    Ids(VecDeque<Uuid>),
    Nothing,
}

/// What reads the rows.
struct Batches {
    store: Store,
    query: Query,
    left: Left,
}

type Batch = std::result::Result<Option<Vec<Fractal>>, faafo_store::Error>;

struct Streaming {
    /// One batch is read while the one before is written and sent. It is given up with the client.
    reading: JoinSet<(Batches, Batch)>,
    written: bool,
    head: Option<String>,
    tail: Option<String>,
}

impl Batches {
    async fn next(&mut self) -> Batch {
        match &mut self.left {
            Left::Nothing => Ok(None),
            Left::After(after) => {
                let filter = self.query.filter.as_ref();
                let rows = self.store.list_after(filter, *after, BATCH as u64).await?;
                self.left = match rows.last() {
                    Some(last) if rows.len() == BATCH => Left::After(Some(last.id)),
                    _ => Left::Nothing,
                };
                Ok(Some(rows))
            }
            Left::Ids(ids) => {
                let next: Vec<Uuid> = ids.drain(..ids.len().min(BATCH)).collect();
                if ids.is_empty() {
                    self.left = Left::Nothing;
                }
                self.store.get_many(&next).await.map(Some)
            }
        }
    }
}

impl Streaming {
    /// The next piece of the body. An error breaks the connection off, so that nobody takes a part for the whole.
    async fn piece(&mut self) -> std::io::Result<Option<Bytes>> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head.into()));
        }
        while let Some(rows) = self.batch().await.inspect_err(|error| {
            tracing::error!(%error, "a list broke off");
        })? {
            let mut piece = Vec::with_capacity(rows.len() * 600);
            for row in &rows {
                if self.written {
                    piece.extend_from_slice(b", ");
                }
                serde_json::to_writer(&mut piece, &FractalJson::from(row))?;
                self.written = true;
            }
            if !piece.is_empty() {
                return Ok(Some(piece.into()));
            }
        }
        Ok(self.tail.take().map(Bytes::from))
    }

    async fn batch(&mut self) -> std::io::Result<Option<Vec<Fractal>>> {
        let Some(read) = self.reading.join_next().await else {
            return Ok(None);
        };
        let (batches, batch) = read?;
        let batch = batch.map_err(std::io::Error::other)?;
        if batch.is_some() {
            self.read_on(batches);
        }
        Ok(batch)
    }

    fn read_on(&mut self, mut batches: Batches) {
        self.reading.spawn(async move {
            let batch = batches.next().await;
            (batches, batch)
        });
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_as_python_cuts_lists() {
        assert_eq!(slice(1, 10, 28), (0, 10));
        assert_eq!(slice(3, 10, 28), (20, 8));
        assert_eq!(slice(4, 10, 28), (28, 0));
        assert_eq!(slice(0, 10, 28), (18, 0));
        assert_eq!(slice(-1, 10, 28), (8, 10));
        assert_eq!(slice(i64::MIN, 100, 28).1, 0);
        assert_eq!(slice(i64::MAX, 100, 28).1, 0);
        assert_eq!(slice(1, 10, 0), (0, 0));
    }

    #[test]
    fn parameters_are_decoded() {
        let pairs = form_pairs("q=%7B%22a%22%3A+1%7D&page=2&odd%&empty");
        assert_eq!(pairs[0], ("q".into(), "{\"a\": 1}".into()));
        assert_eq!(pairs[1], ("page".into(), "2".into()));
        assert_eq!(pairs[2], ("odd%".into(), String::new()));
        assert_eq!(pairs[3].0, "empty");
    }
}
