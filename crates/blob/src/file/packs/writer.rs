//! The thread that appends: whoever comes while it waits for the disk is served by its next trip, all at once.

use super::own::{Left, Own};
use super::record::Record;
use super::{Packs, list, seconds_now};
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Requests served at once: with blobs of 64 KiB, 16 MiB.
const BATCH: usize = 256;
/// Packs that are smaller by this factor than they may be are put together.
const SMALL: u64 = 16;

type Reply<T> = oneshot::Sender<io::Result<T>>;

enum Job {
    Store(BlobKey, Bytes, Reply<()>),
    Delete(BlobKey, Reply<()>),
    TidyUp(Reply<u64>),
}

/// Appends to packs; its thread ends with it.
pub(in crate::file) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. Packs are to become about `full` bytes long.
    pub fn start(packs: Arc<Packs>, full: u64) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel();
        let thread = Thread {
            packs,
            full,
            own: None,
        };
        let builder = std::thread::Builder::new().name("packs".to_owned());
        Ok(Self {
            jobs: Some(sender),
            thread: Some(builder.spawn(move || thread.serve(&jobs))?),
        })
    }

    /// Stores a blob; it is on disk afterwards.
    pub async fn store(&self, blob: &BlobRef, bytes: Bytes) -> io::Result<()> {
        self.ask(|reply| Job::Store(blob.key, bytes, reply)).await
    }

    /// Deletes a blob, if there is one.
    pub async fn delete(&self, key: BlobKey) -> io::Result<()> {
        self.ask(|reply| Job::Delete(key, reply)).await
    }

    /// Takes care of packs that processes have left, and of those that are mostly garbage. Returns how many torn records
    /// were cut off.
    pub async fn tidy_up(&self) -> io::Result<u64> {
        self.ask(Job::TidyUp).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> io::Result<T> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that writes packs has gone");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Its pack can be locked by others afterwards. If it panicked, it has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// What the thread has.
pub(super) struct Thread {
    pub packs: Arc<Packs>,
    full: u64,
    own: Option<Own>,
}

impl Thread {
    fn serve(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (mut stores, mut deletions, mut tidying) = (Vec::new(), Vec::new(), Vec::new());
            for job in [first].into_iter().chain(jobs.try_iter()).take(BATCH) {
                match job {
                    Job::Store(key, bytes, reply) => stores.push((key, bytes, reply)),
                    Job::Delete(key, reply) => deletions.push((key, reply)),
                    Job::TidyUp(reply) => tidying.push(reply),
                }
            }
            let deletes = !deletions.is_empty();
            if deletes {
                let (keys, replies): (HashSet<_>, Vec<_>) = deletions.into_iter().unzip();
                answer(replies, &self.delete(&keys));
            }
            if !stores.is_empty() {
                let (blobs, replies): (Vec<_>, Vec<_>) = stores
                    .into_iter()
                    .map(|(key, bytes, reply)| ((key, bytes), reply))
                    .unzip();
                answer(replies, &self.store(blobs));
            }
            if deletes && let Err(error) = self.compact_one() {
                tracing::warn!(%error, "can't put together what is left of a pack");
            }
            for reply in tidying {
                let _ = reply.send(self.tidy_up());
            }
        }
    }

    fn store(&mut self, blobs: Vec<(BlobKey, Bytes)>) -> io::Result<()> {
        self.packs.refresh()?;
        let (stored, mut seen) = (seconds_now(), HashSet::new());
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for (key, bytes) in blobs {
            if !seen.insert(key) {
                continue;
            }
            if self.packs.index().is_durable(&key) {
                if self.packs.read(&key).ok().flatten().as_ref() == Some(&bytes) {
                    continue;
                }
                damaged.extend(self.packs.index().deletions(&key));
            }
            let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
            let record = Record::Blob {
                key,
                length,
                stored,
            };
            records.push((record, bytes));
        }
        self.append(&records)?;
        let deletions = damaged.into_iter().map(|record| (record, Bytes::new()));
        self.append(&deletions.collect::<Vec<_>>())?;
        Ok(())
    }

    fn delete(&mut self, keys: &HashSet<BlobKey>) -> io::Result<()> {
        loop {
            self.packs.refresh()?;
            let records: Vec<_> = {
                let index = self.packs.index();
                let records = keys.iter().flat_map(|key| index.deletions(key));
                records.map(|record| (record, Bytes::new())).collect()
            };
            if records.is_empty() {
                return Ok(());
            }
            // Afterwards we look again: somebody may have copied one just before he could know of its deletion.
            self.append(&records)?;
        }
    }

    /// Appends records for good, all or none. Returns in which packs and at which offsets.
    pub fn append(&mut self, records: &[(Record, Bytes)]) -> io::Result<Vec<(u64, u32)>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(full) = self.own.take_if(|own| own.is_full(self.full)) {
            self.leave(full);
        }
        let own = match &mut self.own {
            Some(own) => own,
            none => none.insert(Own::create(&self.packs)?),
        };
        let appended = own.append(&self.packs, records);
        if appended.is_err()
            && let Some(own) = self.own.take()
        {
            own.give_up(&self.packs);
        }
        appended
    }

    fn leave(&self, mut own: Own) {
        if let Err(error) = own.complete(&self.packs) {
            tracing::warn!(%error, "can't complete a pack; trying again later");
            self.packs.index().pack(own.id).is_own = false;
        }
    }

    /// Takes care of packs that were left.
    fn tidy_up(&mut self) -> io::Result<u64> {
        let there = match list(&self.packs.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            there => there?,
        };
        let own = self.own.as_ref().map(|own| own.id);
        let mut torn = 0;
        for (id, is_complete) in there {
            if is_complete || Some(id) == own {
                continue;
            }
            match Own::adopt(&self.packs, id, self.full)? {
                Left::Taken => {}
                Left::Completed { was_torn } => torn += u64::from(was_torn),
                Left::Usable(usable) if self.own.is_none() => self.own = Some(usable),
                // For the next process that needs one.
                Left::Usable(usable) => self.packs.index().pack(usable.id).is_own = false,
            }
        }
        self.packs.refresh()?;
        while self.compact_one()? {}
        Ok(torn)
    }

    /// Removes a pack of which little is needed, if there is one. Says whether it did.
    fn compact_one(&mut self) -> io::Result<bool> {
        let wasteful = self.packs.index().wasteful(self.full / SMALL);
        match wasteful {
            Some(id) => self.compact(id),
            None => Ok(false),
        }
    }
}

fn answer(replies: Vec<Reply<()>>, result: &io::Result<()>) {
    for reply in replies {
        let result = match result {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        // Whoever asked may have gone.
        let _ = reply.send(result);
    }
}
