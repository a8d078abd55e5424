//! Which stored objects are still needed, and by whom. A blob is shared by all who refer to the same content; it goes
//! when the last one has gone, and never between a worker's storing it and somebody's referring to it. Whoever changes a
//! blob's entry or relies on it locks it first, so all that concerns one blob happens one after the other.

use crate::argument::Argument;
use crate::backend::{Work, transaction};
use crate::owner::{Owner, OwnerKind, Role};
use crate::sql::{ids, insert, key, keys, marks, sql, text, whole};
use crate::{Error, Store};
use faafo_model::{BlobKey, BlobRef, Timestamp, Uuid};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// In use, as far as is known.
const IN_USE: i64 = 0;
/// Perhaps unused: to be looked at.
const PERHAPS_UNUSED: i64 = 1;
/// Being deleted: nobody may refer to it any more.
const GOING: i64 = 2;

/// How long one tracker, and no other, may take to delete what it doomed.
const LEASE: Duration = Duration::from_secs(30);

/// A blob that one tracker is to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doomed {
    /// The blob.
    pub key: BlobKey,
    /// When somebody else may delete it. Deleting it later could hit a new blob of the same name, so don't.
    pub until: Timestamp,
}

/// A stored object that somebody needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The kind of its owner, as [`OwnerKind::name`] has it.
    pub owner_kind: String,
    /// Its owner.
    pub owner: Uuid,
    /// What its owner needs it as, as [`Role::name`] has it.
    pub role: String,
    /// The object.
    pub key: BlobKey,
    /// Its length in bytes. Of what an earlier version stored it may be unknown.
    pub size: Option<u64>,
}

/// A stored object, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name.
    pub key: BlobKey,
    /// Its length in bytes. Of what an earlier version stored it may be unknown.
    pub size: Option<u64>,
}

impl Store {
    /// At most `limit` references in the order of owners and roles, from behind `after` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn references(
        &self,
        after: Option<&Reference>,
        limit: u32,
    ) -> Result<Vec<Reference>, Error> {
        let query = format!(
            "SELECT r.owner_kind, r.owner_id, r.role, r.sha256, b.size FROM blob_references r \
             LEFT JOIN blobs b ON b.sha256 = r.sha256 \
             WHERE (r.owner_kind, r.owner_id, r.role) > (?, ?, ?) \
             ORDER BY r.owner_kind, r.owner_id, r.role LIMIT {limit}"
        );
        let (kind, id, role) = after.map_or_else(Default::default, |last| {
            (&*last.owner_kind, last.owner.to_string(), &*last.role)
        });
        let query = sql(query).bind(kind).bind(id).bind(role);
        let rows = self.backend.rows(query).await?;
        rows.iter()
            .map(|row| {
                let owner: String = row.try_get("owner_id")?;
                Ok(Reference {
                    owner_kind: row.try_get("owner_kind")?,
                    owner: Uuid::try_parse(&owner)
                        .map_err(|_| Error::corrupt(format!("{owner:?} is no owner of a blob")))?,
                    role: row.try_get("role")?,
                    key: key(row, "sha256")?,
                    size: size(row.try_get("size")?),
                })
            })
            .collect()
    }

    /// Whether somebody still needs it as that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_referred_to(&self, reference: &Reference) -> Result<bool, Error> {
        let query = "SELECT 1 FROM blob_references \
             WHERE owner_kind = ? AND owner_id = ? AND role = ? AND sha256 = ?";
        let query = sql(query)
            .bind(&*reference.owner_kind)
            .bind(reference.owner)
            .bind(&*reference.role)
            .bind(&reference.key);
        Ok(self.backend.row(query).await?.is_some())
    }

    /// Those of these objects that somebody refers to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn referenced(&self, blobs: &[BlobKey]) -> Result<BTreeSet<BlobKey>, Error> {
        if blobs.is_empty() {
            return Ok(BTreeSet::new());
        }
        let marks = marks(blobs.len());
        let query =
            format!("SELECT DISTINCT sha256 FROM blob_references WHERE sha256 IN ({marks})");
        let rows = self.backend.rows(sql(query).bind_all(blobs)).await?;
        Ok(keys(&rows)?.into_iter().collect())
    }

    /// What the owner needs as that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blob_of(&self, owner: Owner, role: Role) -> Result<Option<StoredBlob>, Error> {
        let query = "SELECT r.sha256, b.size FROM blob_references r LEFT JOIN blobs b ON b.sha256 = r.sha256 \
             WHERE r.owner_kind = ? AND r.owner_id = ? AND r.role = ?";
        let query = sql(query)
            .bind(owner.kind.name())
            .bind(owner.id)
            .bind(role.name());
        let row = self.backend.row(query).await?;
        row.map(|row| {
            Ok(StoredBlob {
                key: key(&row, 0)?,
                size: size(row.try_get(1)?),
            })
        })
        .transpose()
    }

    /// The owner comes to need a stored object, in place of what it needed as that before. Returns whether it could: one
    /// that is just being deleted is to be stored again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refer(&self, owner: Owner, role: Role, blob: &BlobRef) -> Result<bool, Error> {
        transaction!(self.backend, async |work| {
            let wanted = BTreeMap::from([(blob.key, Some(blob.size))]);
            if !note(work, &wanted, &BTreeSet::new()).await?.is_empty() {
                return Ok(false);
            }
            release(work, owner.kind, &[owner.id], &[role]).await?;
            add(work, vec![(owner, role, blob.key)]);
            Ok(true)
        })
    }

    /// The owner needs nothing any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, owner: Owner) -> Result<(), Error> {
        transaction!(self.backend, async |work| release(
            work,
            owner.kind,
            &[owner.id],
            &[]
        )
        .await)
    }

    /// Notes stored objects that nobody came to refer to, so that [`Self::doom_unused`] looks at them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspect(&self, blobs: &[BlobKey]) -> Result<(), Error> {
        let blobs = blobs.iter().copied().collect();
        transaction!(self.backend, async |work| {
            note(work, &BTreeMap::new(), &blobs).await.map(drop)
        })
    }

    /// Finds blobs that nobody refers to and dooms them: from now on nobody may refer to them. The caller deletes them
    /// while the claim lasts and then calls [`Self::forget_blob`]. Blobs that were doomed before and not forgotten
    /// while the claim lasted come again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doom_unused(&self, limit: u32, now: Timestamp) -> Result<Vec<Doomed>, Error> {
        let query = format!(
            "SELECT sha256 FROM blobs WHERE state > 0 AND claimed_until <= ? ORDER BY sha256 LIMIT {limit}"
        );
        let mut doomed = Vec::new();
        for key in keys(&self.backend.rows(sql(query).bind(now)).await?)? {
            let until = now.plus(LEASE);
            if self.doom(&key, now, until).await? {
                doomed.push(Doomed { key, until });
            }
        }
        Ok(doomed)
    }

    async fn doom(&self, key: &BlobKey, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT state FROM blobs WHERE sha256 = ? AND state > 0 AND claimed_until <= ?{lock}"
        ));
        let owners = "SELECT owner_id FROM blob_references WHERE sha256 = ? LIMIT 1";
        transaction!(self.backend, async |work| {
            let find = find.clone().bind(key).bind(now);
            if work.row(find).await?.is_none() {
                return Ok(false);
            }
            let (state, until) = match work.row(sql(owners).bind(key)).await? {
                Some(_) => (IN_USE, Timestamp(0)),
                None => (GOING, until),
            };
            let update = "UPDATE blobs SET state = ?, claimed_until = ? WHERE sha256 = ?";
            work.execute(sql(update).bind(state).bind(until).bind(key))
                .await?;
            Ok(state == GOING)
        })
    }

    /// The doomed blob is deleted.
    ///
    /// # Errors
    /// When the database fails; then it will be deleted again, which is harmless.
    pub async fn forget_blob(&self, blob: &Doomed) -> Result<(), Error> {
        // Only under the same claim: somebody who claimed it since may yet delete it.
        let delete = sql("DELETE FROM blobs WHERE sha256 = ? AND state = 2 AND claimed_until = ?")
            .bind(&blob.key)
            .bind(blob.until);
        transaction!(self.backend, async |work| work
            .execute(delete.clone())
            .await
            .map(drop))
    }
}

fn size(size: Option<i64>) -> Option<u64> {
    size.and_then(|size| u64::try_from(size).ok())
}

/// Notes that somebody is about to refer to some blobs, with their sizes, and that nobody may need some others. Returns
/// the wanted ones that nobody may refer to, because they are just being deleted.
pub(crate) async fn note(
    work: &mut Work,
    wanted: &BTreeMap<BlobKey, Option<u64>>,
    unwanted: &BTreeSet<BlobKey>,
) -> Result<BTreeSet<BlobKey>, Error> {
    let all: BTreeSet<_> = wanted.keys().chain(unwanted).copied().collect();
    let mut going = BTreeSet::new();
    if all.is_empty() {
        return Ok(going);
    }
    // Everybody locks in this order, and waits for whoever is just looking whether one is still needed.
    let lock = format!(
        "SELECT sha256, state, size FROM blobs WHERE sha256 IN ({}) ORDER BY sha256{}",
        marks(all.len()),
        work.dialect.for_update()
    );
    let mut missing = all.clone();
    let (mut used_again, mut sized) = (Vec::new(), Vec::new());
    for row in work.rows(sql(lock).bind_all(&all)).await? {
        let key = key(&row, 0)?;
        missing.remove(&key);
        let Some(size) = wanted.get(&key) else {
            continue;
        };
        match whole(&row, 1)? {
            GOING => drop(going.insert(key)),
            IN_USE => {}
            _ => used_again.push(key),
        }
        if let (Some(size), None) = (size, row.try_get::<Option<i64>, _>(2)?) {
            sized.push((key, *size));
        }
    }
    if !missing.is_empty() {
        let row = |key: &BlobKey| {
            let (state, size) = match wanted.get(key) {
                Some(size) => (IN_USE, *size),
                None => (PERHAPS_UNUSED, None),
            };
            vec![key.into(), size.into(), state.into(), Argument::from(0i64)]
        };
        let rows = missing.iter().map(row).collect();
        let columns = "sha256, size, state, claimed_until";
        work.later(insert("blobs", columns, rows));
    }
    for (key, size) in sized {
        let update = "UPDATE blobs SET size = ? WHERE sha256 = ?";
        work.later(sql(update).bind(size).bind(&key));
    }
    let suspected: Vec<_> = unwanted
        .iter()
        .filter(|key| !wanted.contains_key(key) && !missing.contains(key))
        .copied()
        .collect();
    for (state, blobs) in [(IN_USE, used_again), (PERHAPS_UNUSED, suspected)] {
        if blobs.is_empty() {
            continue;
        }
        // Also one that is suspected already: this waited for whoever was just looking at it.
        let marks = marks(blobs.len());
        let update =
            format!("UPDATE blobs SET state = {state} WHERE sha256 IN ({marks}) AND state < 2");
        work.later(sql(update).bind_all(&blobs));
    }
    Ok(going)
}

/// Who needs what as what.
pub(crate) fn add(work: &mut Work, references: Vec<(Owner, Role, BlobKey)>) {
    if references.is_empty() {
        return;
    }
    let row = |(owner, role, key): (Owner, Role, BlobKey)| {
        vec![
            Argument::from(owner.kind.name()),
            owner.id.into(),
            role.name().into(),
            (&key).into(),
        ]
    };
    let rows = references.into_iter().map(row).collect();
    let columns = "owner_kind, owner_id, role, sha256";
    work.later(insert("blob_references", columns, rows));
}

/// What these owners need, by owner and role.
pub(crate) async fn held(
    work: &mut Work,
    kind: OwnerKind,
    owners: &[Uuid],
) -> Result<BTreeMap<(Uuid, String), BlobKey>, Error> {
    if owners.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = sql(format!(
        "SELECT owner_id, role, sha256 FROM blob_references WHERE owner_kind = '{}' AND owner_id IN ({})",
        kind.name(),
        marks(owners.len())
    ));
    let rows = work.rows(query.bind_all(owners)).await?;
    let owners = ids(&rows)?;
    let found = owners.into_iter().zip(&rows);
    found
        .map(|(owner, row)| Ok(((owner, text(row, 1)?), key(row, 2)?)))
        .collect()
}

/// These owners, whose rows are locked, don't need what they needed as one of these; with none given, anything.
pub(crate) async fn release(
    work: &mut Work,
    kind: OwnerKind,
    owners: &[Uuid],
    roles: &[Role],
) -> Result<(), Error> {
    let mut unwanted = held(work, kind, owners).await?;
    unwanted
        .retain(|(_, role), _| roles.is_empty() || roles.iter().any(|known| known.name() == role));
    if unwanted.is_empty() {
        return Ok(());
    }
    let roles: Vec<_> = roles.iter().map(|role| role.name()).collect();
    let mut delete = sql(format!(
        "DELETE FROM blob_references WHERE owner_kind = '{}' AND owner_id IN ({})",
        kind.name(),
        marks(owners.len())
    ))
    .bind_all(owners);
    if !roles.is_empty() {
        let among = format!(" AND role IN ({})", marks(roles.len()));
        delete = delete.and(&among).bind_all(roles);
    }
    work.later(delete);
    let unwanted = unwanted.into_values().collect();
    note(work, &BTreeMap::new(), &unwanted).await.map(drop)
}
