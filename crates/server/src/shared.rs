//! One answer for all who ask the same at the same time. Whoever asks gets one whose making began afterwards, so nobody
//! sees less than has happened before he asked.

use crate::error::ApiError;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use tracing::Instrument;

/// Longer answers are none of ours.
const LONGEST: usize = 4 << 20;

type Answer = axum::http::Response<Bytes>;

/// Who waits for which answer, while such a one is being made.
#[derive(Clone, Default)]
pub struct Shared {
    waiting: Arc<Mutex<HashMap<String, Vec<oneshot::Sender<Answer>>>>>,
}

impl Shared {
    /// The answer to `question`, which `make` makes: anew for each, or once for all who came while the one before was
    /// being made.
    pub(crate) async fn answer<F>(
        &self,
        question: String,
        make: impl Fn() -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Response> + Send,
    {
        let (tell, told) = oneshot::channel();
        let is_first = {
            let mut waiting = self.lock();
            let is_first = !waiting.contains_key(&question);
            waiting.entry(question.clone()).or_default().push(tell);
            is_first
        };
        if is_first {
            let mut making = Making {
                shared: self.clone(),
                question,
                ended: false,
            };
            // A task of its own: whoever asked first may leave.
            let answering = async move {
                while let Some(waiting) = making.next() {
                    let answer = whole(make().await).await;
                    for tell in waiting {
                        let _ = tell.send(answer.clone());
                    }
                }
            };
            tokio::spawn(answering.in_current_span());
        }
        match told.await {
            Ok(answer) => answer.map(Body::from),
            Err(_) => {
                let detail = "the answer could not be made";
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<oneshot::Sender<Answer>>>> {
        // No code that holds the lock can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody makes the answers to a question. However that ends, the next one to ask begins anew.
struct Making {
    shared: Shared,
    question: String,
    ended: bool,
}

impl Making {
    /// Those who wait; with none left, making ends.
    fn next(&mut self) -> Option<Vec<oneshot::Sender<Answer>>> {
        let mut all = self.shared.lock();
        let waiting = all.get_mut(&self.question).map(std::mem::take);
        let waiting = waiting.filter(|waiting| !waiting.is_empty());
        if waiting.is_none() {
            all.remove(&self.question);
            self.ended = true;
        }
        waiting
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.lock().remove(&self.question);
        }
    }
}

async fn whole(response: Response) -> Answer {
    let (head, body) = response.into_parts();
    match to_bytes(body, LONGEST).await {
        Ok(body) => Answer::from_parts(head, body),
        Err(error) => {
            tracing::error!(%error, "an answer can't be shared");
            let mut answer = Answer::default();
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn all_who_ask_while_one_is_answered_share_the_next_answer() {
        let (shared, made, go) = (
            Shared::default(),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(Notify::new()),
        );
        let ask = || {
            let (shared, made, go) = (shared.clone(), Arc::clone(&made), Arc::clone(&go));
            tokio::spawn(async move {
                let make = move || {
                    let (made, go) = (Arc::clone(&made), Arc::clone(&go));
                    async move {
                        go.notified().await;
                        made.fetch_add(1, Ordering::SeqCst)
                            .to_string()
                            .into_response()
                    }
                };
                let answer = shared.answer("the same".to_owned(), make).await;
                to_bytes(answer.into_body(), 10).await.unwrap()
            })
        };
        let first = ask();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let others: Vec<_> = (0..5).map(|_| ask()).collect();
        tokio::task::yield_now().await;
        go.notify_one();
        assert_eq!(first.await.unwrap(), "0");
        go.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), "1");
        }
        assert!(shared.lock().is_empty());
    }

    #[tokio::test]
    async fn a_panic_while_answering_harms_only_those_who_waited() {
        let shared = Shared::default();
        let panics = || async { panic!("on purpose") };
        let answer = shared.answer("a".to_owned(), panics).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let answer = shared.answer("a".to_owned(), || async { "fine".into_response() });
        assert_eq!(answer.await.status(), StatusCode::OK);
    }
}
