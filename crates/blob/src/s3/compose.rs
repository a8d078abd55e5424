//! Blobs that the server puts together from others, directly under their names, which are known beforehand.

use super::client::Client;
use super::multipart::Source;
use super::plan::{self, MOST_PARTS, Part};
use crate::parts::{Target, joined};
use crate::{Error, ErrorKind, Piece, read};
use bytes::{Bytes, BytesMut};
use faafo_model::BlobRef;
use futures_util::{FutureExt, TryStreamExt};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Makes a blob of pieces. Dropped before it has ended, it leaves nothing behind.
pub(super) async fn compose(
    client: &Arc<Client>,
    blob: &BlobRef,
    pieces: &[Piece],
) -> Result<u64, Error> {
    let size: u64 = pieces.iter().map(Piece::size).sum();
    let parts = plan::parts(pieces);
    if size != blob.size || parts.len() > MOST_PARTS {
        return Err(Error::new(
            ErrorKind::Config,
            "compose: the pieces are not as long as the blob, or too many",
        ));
    }
    if let [Part::Sent(pieces)] = &parts[..] {
        let bytes = fetched(Arc::clone(client), pieces.clone()).await?;
        client.put(&blob.key, bytes).await?;
        return Ok(0);
    }
    let copied = parts.iter().map(Part::copied).sum();
    let source = |part| match part {
        Part::Copied(key, range) => Source::Object(key.to_string(), range),
        Part::Sent(pieces) => Source::Bytes(fetched(Arc::clone(client), pieces).boxed()),
    };
    let sources = parts.into_iter().map(source).collect();
    let (client, object) = (Arc::clone(client), blob.key.to_string());
    let stop = CancellationToken::new();
    let _stops = stop.clone().drop_guard();
    // Cut off in the middle, nobody would clean up.
    let assembling =
        tokio::spawn(async move { client.assemble(&object, size, sources, &stop).await });
    joined(assembling.await)?;
    Ok(copied)
}

/// The bytes of some pieces, none of which is empty.
async fn fetched(client: Arc<Client>, pieces: Vec<Piece>) -> Result<Bytes, Error> {
    let mut bytes = BytesMut::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(literal) => bytes.extend_from_slice(&literal),
            Piece::Copy { key, range } => {
                let mut stored = read::read(Arc::clone(&client), key.to_string(), range).await?;
                while let Some(piece) = stored.try_next().await? {
                    bytes.extend_from_slice(&piece);
                }
            }
        }
    }
    Ok(bytes.freeze())
}
