//! What happens to a poster happens to its bands, in the same transaction.

use crate::backend::Work;
use crate::results::reached_from;
use crate::sql::{marks, sql};
use crate::{Error, blobs, outbox};
use faafo_model::{BlobKey, State, Timestamp, Uuid};
use sqlx::Row;
use std::collections::BTreeSet;

/// Calls off what is not done of these posters.
pub(crate) async fn cancel_bands(
    work: &mut Work,
    posters: &[Uuid],
    now: Timestamp,
) -> Result<(), Error> {
    let bands = bands(work, posters, &reached_from(State::Cancelled)).await?;
    if bands.is_empty() {
        return Ok(());
    }
    let update = format!(
        "UPDATE fractals SET state = 'cancelled', finished_at = ?, updated_at = ? WHERE uuid IN ({})",
        marks(bands.len())
    );
    let update = sql(update).bind(now).bind(now).bind_all(&bands);
    work.execute(update).await?;
    outbox::remove(work, &bands).await
}

/// Queues again what failed or was called off of these posters; attempts are counted anew. What is done stays done.
pub(crate) async fn requeue_bands(
    work: &mut Work,
    posters: &[Uuid],
    now: Timestamp,
) -> Result<(), Error> {
    let bands = bands(work, posters, "state IN ('failed', 'cancelled')").await?;
    if bands.is_empty() {
        return Ok(());
    }
    let update = format!(
        "UPDATE fractals SET first_attempt = attempt + 1, attempt = attempt + 1, state = 'queued', progress = 0.0, \
         error = NULL, finished_at = NULL, updated_at = ? WHERE uuid IN ({})",
        marks(bands.len())
    );
    work.execute(sql(update).bind(now).bind_all(&bands)).await?;
    outbox::add(work, &bands, now).await
}

/// Removes all bands of a poster, and what it and they refer to beside its picture.
pub(crate) async fn remove_bands(work: &mut Work, poster: Uuid) -> Result<(), Error> {
    let query = "SELECT manifest AS blob_key FROM fractals WHERE uuid = ? AND manifest IS NOT NULL \
         UNION ALL SELECT picture AS blob_key FROM fractals WHERE parent = ? AND picture IS NOT NULL";
    let mut keys = BTreeSet::<BlobKey>::new();
    for row in work.rows(sql(query).bind(poster).bind(poster)).await? {
        let key: String = row.try_get(0)?;
        keys.extend(key.parse::<BlobKey>());
    }
    let bands = bands(work, &[poster], "1 = 1").await?;
    work.execute(sql("DELETE FROM fractals WHERE parent = ?").bind(poster))
        .await?;
    outbox::remove(work, &bands).await?;
    for key in &keys {
        blobs::suspect(work, key).await?;
    }
    Ok(())
}

/// Gives a poster's bands its priority; those that wait are published once more.
pub(crate) async fn set_priority(
    work: &mut Work,
    poster: Uuid,
    priority: i64,
    since: Timestamp,
) -> Result<(), Error> {
    let queued = bands(work, &[poster], "state = 'queued'").await?;
    let update = "UPDATE fractals SET priority = ? WHERE parent = ?";
    work.execute(sql(update).bind(priority).bind(poster))
        .await?;
    match queued.is_empty() {
        true => Ok(()),
        false => outbox::add(work, &queued, since).await,
    }
}

/// The posters' bands of which the condition holds, locked.
async fn bands(work: &mut Work, posters: &[Uuid], condition: &str) -> Result<Vec<Uuid>, Error> {
    let query = format!(
        "SELECT uuid FROM fractals WHERE parent IN ({}) AND {condition} ORDER BY uuid{}",
        marks(posters.len()),
        work.dialect.for_update()
    );
    outbox::ids(&work.rows(sql(query).bind_all(posters)).await?)
}
