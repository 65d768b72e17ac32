//! Owner of the Bloom filter: builds it on its own thread, lends it to each write that needs
//! it, and takes it back after the commit. Without a filter, the database answers all queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::store::bloom_filter::{BloomFilter, Building, Complete, Followed};
use crate::store::{Error, Store, WriteTx};

/// A command builds the filter only if one block is missing for at most so many payments.
const PAYMENTS_PER_BLOCK: u32 = 4_000;

/// The Bloom filter, or the thread that builds it.
#[derive(Debug, Default)]
pub(crate) struct FilterBuilder {
    bloom_filter: Option<BloomFilter>,
    building: Option<Built>,
    /// The capacity of the next filter in keys, after one was too small.
    keys: usize,
}

/// The Bloom filter within a write, if there is one.
#[derive(Debug)]
pub(crate) struct LentFilter(Option<BloomFilter>);

impl LentFilter {
    /// The filter as of this moment of the write. `None`: ask the database.
    ///
    /// # Errors
    /// Those of the database; the write must fail then.
    pub(crate) fn complete<'t>(
        &'t mut self,
        tx: &'t WriteTx,
    ) -> Result<Option<Complete<'t>>, Error> {
        BloomFilter::complete(&mut self.0, tx)
    }
}

#[derive(Debug)]
struct Built {
    thread: JoinHandle<Option<BloomFilter>>,
    stop: Arc<AtomicBool>,
}

impl FilterBuilder {
    /// Starts to build the filter, unless it exists or is being built.
    pub(crate) fn begin(&mut self, store: &Store) {
        if self.bloom_filter.is_some() || self.building.is_some() {
            return;
        }
        let (store, keys) = (store.clone(), self.keys);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let build = move || match build(&store, keys, &stopped) {
            Ok(bloom_filter) => bloom_filter,
            Err(error) => {
                tracing::debug!(%error, "Bloom filter not built");
                None
            }
        };
        match std::thread::Builder::new().name("filter-builder".to_owned()).spawn(build) {
            Ok(thread) => self.building = Some(Built { thread, stop }),
            Err(error) => tracing::debug!(%error, "Bloom filter not built"),
        }
    }

    /// As [`Self::begin`], if enough blocks are missing.
    pub(crate) fn begin_for(&mut self, store: &Store, blocks: u32) -> Result<(), Error> {
        if self.bloom_filter.is_some() || self.building.is_some() {
            return Ok(());
        }
        let next = store.read_blocking(crate::store::indexes::next_index)?;
        if next.get() / PAYMENTS_PER_BLOCK < blocks {
            self.begin(store);
        }
        Ok(())
    }

    /// As [`Store::write_large_blocking`], with the filter. A write that is not committed
    /// drops the filter, because its row numbers may be used again.
    ///
    /// # Errors
    /// Those of the job and of the database.
    pub(crate) fn write<T, E>(
        &mut self,
        store: &Store,
        job: impl FnOnce(&WriteTx, &mut LentFilter) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut lent = LentFilter(self.take(store)?);
        let (done, lent) = store.write_large_blocking(move |tx| {
            let done = job(tx, &mut lent)?;
            Ok::<_, E>((done, lent))
        })?;
        self.bloom_filter = lent.0;
        Ok(done)
    }

    /// Takes the filter for a write, after adding what was committed since, so that little is
    /// left to add within the write.
    fn take(&mut self, store: &Store) -> Result<Option<BloomFilter>, Error> {
        if self.building.as_ref().is_some_and(|built| built.thread.is_finished()) {
            self.await_built();
        }
        let Some(mut bloom_filter) = self.bloom_filter.take() else { return Ok(None) };
        loop {
            match store.read_blocking(|tx| bloom_filter.follow(tx))? {
                Followed::ToTheEnd => break,
                Followed::PartOfTheWay => {}
                Followed::NotOfThis => {
                    tracing::warn!("the database is older than the Bloom filter");
                    return Ok(None);
                }
            }
        }
        if bloom_filter.is_crowded() {
            self.keys = bloom_filter.keys();
            return Ok(None);
        }
        Ok(Some(bloom_filter))
    }

    pub(crate) fn await_built(&mut self) {
        if let Some(built) = self.building.take() {
            self.bloom_filter = built.thread.join().unwrap_or(None); // A panic was reported.
        }
    }
}

impl Drop for FilterBuilder {
    fn drop(&mut self) {
        if let Some(built) = self.building.take() {
            built.stop.store(true, Ordering::Relaxed);
            let _ = built.thread.join(); // It holds a database connection; it ends after its present step.
        }
    }
}

/// Builds the filter over its own connection, and pauses half of the time for other readers.
/// `None` after the stop signal.
fn build(store: &Store, keys: usize, stop: &AtomicBool) -> Result<Option<BloomFilter>, Error> {
    let (apart, began) = (store.apart()?, Instant::now());
    let mut building = apart.read_blocking(|tx| Building::begin(tx, keys))?;
    loop {
        let slice = Instant::now();
        if apart.read_blocking(|tx| building.step(tx))? {
            break;
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        std::thread::sleep(slice.elapsed());
    }
    let bloom_filter = building.end();
    tracing::debug!(
        keys = bloom_filter.keys(),
        ms = began.elapsed().as_millis(),
        "Bloom filter built"
    );
    Ok(Some(bloom_filter))
}

#[cfg(test)]
mod tests;
