//! What makes a peg-out the same one, in the mempool and in whichever block takes it.
//!
//! A peg-out has no outpoint that lasts: it is announced under the txid of its transaction, mined
//! as an output of a HogEx, and mined again under another HogEx after a reorganisation. What stays
//! is the kernel that pays it (LIP-3).

/// The hash of an MWEB kernel, in the order of bytes in which litecoind prints `kernel_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KernelId([u8; 32]);

impl KernelId {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> KernelId {
        KernelId(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A peg-out of a kernel: litecoind's `PegoutIndex`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PegoutId {
    pub(crate) kernel: KernelId,
    /// Its place among the peg-outs of that kernel, from 0.
    pub(crate) position: u32,
}

/// The number of a peg-out to us, in the order in which they were first met. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sequence(i64);

impl Sequence {
    /// The number that the database gave.
    pub(crate) fn from_row(number: i64) -> Sequence {
        Sequence(number)
    }

    pub(crate) fn get(self) -> i64 {
        self.0
    }
}
