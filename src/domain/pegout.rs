//! Identity of a peg-out, in the mempool and in any block.
//!
//! A peg-out has no lasting outpoint: it is announced under its transaction's txid, mined as
//! an output of a HogEx, and mined again under another HogEx after a reorganisation. Only the
//! kernel that pays it stays the same (LIP-3).

/// The hash of an MWEB kernel, in the byte order of litecoind's `kernel_id`.
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
    /// Its position among the peg-outs of that kernel, from 0.
    pub(crate) position: u32,
}

/// The sequence number of a peg-out, in the order of first sight. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sequence(i64);

impl Sequence {
    /// The number that the database assigned.
    pub(crate) fn from_row(number: i64) -> Sequence {
        Sequence(number)
    }

    pub(crate) fn get(self) -> i64 {
        self.0
    }
}
