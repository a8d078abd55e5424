//! One transaction for what many ask for at the same time: a disk that syncs a thousand times a second is enough for
//! many thousand requests.

use crate::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The most that one transaction does.
const MOST: usize = 128;

/// Those who wait for the same kind of transaction.
pub(crate) struct Gathering<T, R> {
    waiting: Mutex<Waiting<T, R>>,
}

/// What somebody asks for, and how to tell him.
type Asked<T, R> = (T, oneshot::Sender<Result<R, Error>>);

struct Waiting<T, R> {
    asked: Vec<Asked<T, R>>,
    /// Whether somebody sees to them.
    seen_to: bool,
}

impl<T, R> Default for Gathering<T, R> {
    fn default() -> Self {
        let waiting = Waiting {
            asked: Vec::new(),
            seen_to: false,
        };
        Self {
            waiting: Mutex::new(waiting),
        }
    }
}

impl<T: Clone + Send + 'static, R: Send + 'static> Gathering<T, R> {
    /// Has `work` done for this and whatever else is asked for while the last transaction is under way. `work` returns
    /// a result for each. If it is refused for many it is tried for each alone, so that nobody
    /// suffers for another.
    ///
    /// # Errors
    /// What `work` has failed with.
    pub(crate) async fn join<F>(
        self: &Arc<Self>,
        asked: T,
        work: impl Fn(Vec<T>) -> F + Send + Sync + 'static,
    ) -> Result<R, Error>
    where
        F: Future<Output = Result<Vec<R>, Error>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let is_first = {
            let mut waiting = self.lock();
            waiting.asked.push((asked, tell));
            !std::mem::replace(&mut waiting.seen_to, true)
        };
        if is_first {
            // A task of its own: whoever asked first may lose patience.
            let mut seeing = SeeingTo {
                gathering: Arc::clone(self),
                ended: false,
            };
            tokio::spawn(async move {
                while let Some(asked) = seeing.next() {
                    see_to(asked, &work).await;
                }
            });
        }
        told.await
            .unwrap_or_else(|_| Err(Error::unavailable("database: this process is stopping")))
    }
}

impl<T, R> Gathering<T, R> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<T, R>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody sees to those who ask. However that ends, the next one to ask is seen to.
struct SeeingTo<T, R> {
    gathering: Arc<Gathering<T, R>>,
    ended: bool,
}

impl<T, R> SeeingTo<T, R> {
    fn next(&mut self) -> Option<Vec<Asked<T, R>>> {
        let mut waiting = self.gathering.lock();
        let number = waiting.asked.len().min(MOST);
        (waiting.seen_to, self.ended) = (number > 0, number == 0);
        (number > 0).then(|| waiting.asked.drain(..number).collect())
    }
}

impl<T, R> Drop for SeeingTo<T, R> {
    fn drop(&mut self) {
        if !self.ended {
            let mut waiting = self.gathering.lock();
            waiting.seen_to = false;
            waiting.asked.clear();
        }
    }
}

async fn see_to<T: Clone, R, F>(asked: Vec<Asked<T, R>>, work: &impl Fn(Vec<T>) -> F)
where
    F: Future<Output = Result<Vec<R>, Error>>,
{
    let all: Vec<T> = asked.iter().map(|(asked, _)| asked.clone()).collect();
    match work(all).await {
        Ok(results) => {
            for ((_, tell), result) in asked.into_iter().zip(results) {
                let _ = tell.send(Ok(result));
            }
        }
        // One of them may be to blame, unless it is the database.
        Err(error)
            if asked.len() == 1
                || matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Full) =>
        {
            for (_, tell) in asked {
                let _ = tell.send(Err(error.copied()));
            }
        }
        Err(_) => {
            for (asked, tell) in asked {
                let one = work(vec![asked]).await;
                let _ = tell.send(one.and_then(|results| {
                    let missing = || Error::corrupt("a transaction without a result");
                    results.into_iter().next().ok_or_else(missing)
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_harms_only_those_who_were_seen_to() {
        let gathering = Arc::new(Gathering::<i32, i32>::default());
        let doubled = |asked: Vec<i32>| async move {
            assert!(!asked.contains(&0), "on purpose");
            Ok(asked.iter().map(|number| 2 * number).collect())
        };
        assert!(gathering.join(0, doubled).await.is_err());
        assert_eq!(gathering.join(3, doubled).await.unwrap(), 6);
    }
}
