//! Scan of the node's UTXO set for the account's addresses (`scantxoutset`). A range whose
//! answer is too long is scanned again in halves.
//!
//! Must not know: what the outputs are compared with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use bitcoincore_rpc::{RpcApi, jsonrpc};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::error::Error;
use super::rpc::{Node, classify_error};
use super::transport::HttpError;
use crate::domain::amount::Amount;
use crate::domain::audit::Unspent;
use crate::domain::chain::BlockId;
use crate::progress::{OnProgress, Progress};

const CALL: &str = "scantxoutset";

/// Indexes that one range of a descriptor may have ("Range is too large").
const RANGE_MAX: u32 = 1_000_000;

/// The timeout of one scan of the UTXO set.
const SCAN_TIMEOUT: Duration = Duration::from_secs(900);

/// The timeout of all scans together.
const SCANS_TIMEOUT: Duration = Duration::from_secs(7_200);

/// The interval and the timeout of the progress query.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// A node that does not answer progress queries for so long hangs: its scan is cancelled.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// The most outputs that are read, about 110 bytes each.
const OUTPUTS_MAX: usize = 4_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnspentSet {
    /// The tips at which the node scanned, in order: more than one if the scan took several
    /// answers and blocks came meanwhile.
    pub(crate) tips: Vec<BlockId>,
    pub(crate) outputs: Vec<Unspent>,
}

/// A range of indexes, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    first: u32,
    last: u32,
}

impl Part {
    /// Both halves. `None` for a single index.
    fn halves(self) -> Option<(Part, Part)> {
        let middle = self.first.checked_add(self.last.checked_sub(self.first)? / 2)?;
        let above = middle.checked_add(1).filter(|above| *above <= self.last)?;
        Some((Part { last: middle, ..self }, Part { first: above, ..self }))
    }

    /// The ranges that the node accepts.
    fn ranges(self) -> impl Iterator<Item = (u32, u32)> {
        let step = usize::try_from(RANGE_MAX).unwrap_or(usize::MAX);
        let last = self.last;
        let end = move |from: u32| last.min(from.saturating_add(RANGE_MAX - 1));
        (self.first..=last).step_by(step).map(move |from| (from, end(from)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scanning {
    Ended,
    Hangs,
}

/// Answers received, and answers known to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    answered: u64,
    to_come: u64,
}

impl Asked {
    /// The progress if the present scan is at `percent`.
    fn progress(self, percent: u64) -> Progress {
        let what = "reading the node's unspent outputs";
        let done = self.answered.saturating_mul(100).saturating_add(percent.min(100));
        let of = self.answered.saturating_add(self.to_come).saturating_mul(100);
        Progress { what, done, of }
    }
}

/// Scans the indexes from 0 to `last`. A part whose answer is too long (`None`) is split. The
/// answers come in the order of their indexes.
fn in_parts<T>(
    last: u32,
    mut ask: impl FnMut(Part, Asked) -> Result<Option<T>, Error>,
    mut take: impl FnMut(T) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut due = vec![Part { first: 0, last }];
    let mut answered = 0u64;
    while let Some(part) = due.pop() {
        let to_come = u64::try_from(due.len()).unwrap_or(u64::MAX).saturating_add(1);
        match (ask(part, Asked { answered, to_come })?, part.halves()) {
            (Some(answer), _) => take(answer)?,
            (None, Some((below, above))) => due.extend([above, below]),
            (None, None) => {
                let index = part.first;
                let what = "alone has more unspent outputs than an answer may hold";
                return Err(garbled(format!("address {index} {what}")));
            }
        }
        answered = answered.saturating_add(1);
    }
    Ok(())
}

impl Node {
    /// `scantxoutset`: the unspent outputs of a ranged descriptor, from index 0 to `last`. The
    /// node reads its whole UTXO set once for each answer, minutes on mainnet. [`Error::Busy`]
    /// while another scan runs, because the node runs one at a time.
    pub(crate) fn scan_unspent(
        &self,
        descriptor: &str,
        last: u32,
        on_progress: OnProgress,
    ) -> Result<UnspentSet, Error> {
        let deadline = Instant::now() + SCANS_TIMEOUT;
        let mut whole = UnspentSet { tips: Vec::new(), outputs: Vec::new() };
        let ask = |part, asked: Asked| {
            let timeout = deadline.saturating_duration_since(Instant::now()).min(SCAN_TIMEOUT);
            if timeout.is_zero() {
                let hours = SCANS_TIMEOUT.as_secs() / 3_600;
                return Err(Error::Unreachable(format!("{CALL} took more than {hours} hours")));
            }
            let percent = |percent| on_progress(asked.progress(percent));
            self.watched(&percent, |node| node.scan(descriptor, part, timeout))
        };
        let take = |(tip, outputs): (BlockId, Vec<Unspent>)| {
            if whole.tips.last() != Some(&tip) {
                whole.tips.push(tip);
            }
            whole.outputs.extend(outputs);
            match whole.outputs.len() {
                0..=OUTPUTS_MAX => Ok(()),
                _ => Err(garbled(format!("more than {OUTPUTS_MAX} unspent outputs"))),
            }
        };
        in_parts(last, ask, take)?;
        Ok(whole)
    }

    /// Scans, while another thread queries the progress and cancels the scan of a node that
    /// hangs.
    fn watched<T>(&self, percent: &(dyn Fn(u64) + Sync), scan: impl FnOnce(&Node) -> T) -> T {
        let (going_on, over) = mpsc::channel();
        let hangs = Arc::new(AtomicBool::new(false));
        let of_scan = Arc::clone(&hangs);
        let scanning = self.cancelled_by(Arc::new(move || of_scan.load(Ordering::Relaxed)));
        percent(0);
        std::thread::scope(|scope| {
            let look = std::thread::Builder::new().name("scan".to_owned());
            let looking = look.spawn_scoped(scope, move || {
                if self.watch_scan(&over, percent) == Scanning::Hangs {
                    hangs.store(true, Ordering::Relaxed);
                }
            });
            if let Err(error) = looking {
                tracing::debug!(%error, "scan progress not read");
            }
            let answer = scan(&scanning);
            drop(going_on);
            answer
        })
    }

    fn watch_scan(&self, over: &Receiver<()>, percent: &dyn Fn(u64)) -> Scanning {
        #[derive(Deserialize)]
        struct Answer {
            progress: u64,
        }
        let node = self.with_call_timeout(PROGRESS_INTERVAL);
        let (mut answered_at, mut done) = (Instant::now(), 0);
        while over.recv_timeout(PROGRESS_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            // Any other error will show in the scan's own answer.
            match node.call(CALL, &["status".into()]) {
                Ok(Some(Answer { progress })) => (answered_at, done) = (Instant::now(), progress),
                Err(Error::Unreachable(_)) if answered_at.elapsed() >= SILENCE_MAX => {
                    return Scanning::Hangs;
                }
                Err(Error::Unreachable(_)) => {}
                Ok(None) | Err(_) => answered_at = Instant::now(),
            }
            percent(done);
        }
        Scanning::Ended
    }

    /// Scans one part, and returns its outputs and the tip. `None` if the answer is too long.
    fn scan(
        &self,
        descriptor: &str,
        part: Part,
        timeout: Duration,
    ) -> Result<Option<(BlockId, Vec<Unspent>)>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            success: bool,
            height: u32,
            bestblock: BlockHash,
            unspents: Vec<Output>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Output {
            txid: Txid,
            vout: u32,
            script_pub_key: ScriptBuf,
            amount: Box<RawValue>,
            height: u32,
        }
        let ranges = part
            .ranges()
            .map(|(from, to)| serde_json::json!({ "desc": descriptor, "range": [from, to] }));
        let scanned = Value::Array(ranges.collect());
        let answer: Answer = match self.client(timeout)?.call(CALL, &["start".into(), scanned]) {
            Ok(answer) => answer,
            Err(error) if is_too_long(&error) => return Ok(None),
            Err(error) => match classify_error(CALL, error) {
                Error::Rejected { code: -8, message } if message.contains("in progress") => {
                    return Err(Error::Busy);
                }
                error => return Err(error),
            },
        };
        if !answer.success {
            return Err(garbled("the scan was aborted".to_owned()));
        }
        let output = |found: Output| {
            let amount = Amount::parse(found.amount.get());
            Ok(Unspent {
                outpoint: OutPoint { txid: found.txid, vout: found.vout },
                script: found.script_pub_key,
                amount: amount.map_err(|error| garbled(format!("amount {error}")))?,
                height: found.height,
            })
        };
        let tip = BlockId { height: answer.height, hash: answer.bestblock };
        let outputs = answer.unspents.into_iter().map(output).collect::<Result<_, _>>()?;
        Ok(Some((tip, outputs)))
    }
}

fn garbled(reason: String) -> Error {
    Error::Garbled { call: CALL, reason }
}

fn is_too_long(error: &bitcoincore_rpc::Error) -> bool {
    let bitcoincore_rpc::Error::JsonRpc(jsonrpc::Error::Transport(error)) = error else {
        return false;
    };
    matches!(error.downcast_ref(), Some(HttpError::TooLong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_uses_ranges_that_the_node_accepts() {
        let asked = |first, last| Part { first, last }.ranges().collect::<Vec<_>>();
        assert_eq!(asked(0, 0), [(0, 0)]);
        assert_eq!(asked(0, 999_999), [(0, 999_999)]);
        assert_eq!(asked(0, 1_000_000), [(0, 999_999), (1_000_000, 1_000_000)]);
        let many = [(7, 1_000_006), (1_000_007, 2_000_006), (2_000_007, 2_345_678)];
        assert_eq!(asked(7, 2_345_678), many);
    }

    /// Asks a node that has so many outputs at each index, of which an answer holds `most`.
    /// What came, and how far it was said to be at each question.
    fn asked(per_index: &[usize], most: usize) -> (Result<Vec<u32>, Error>, Vec<Progress>) {
        let (mut found, mut said) = (Vec::new(), Vec::new());
        let ask = |part: Part, asked: Asked| {
            said.push(asked.progress(0));
            let indexes = (part.first..=part.last)
                .flat_map(|index| std::iter::repeat_n(index, per_index[index as usize]));
            let answer: Vec<u32> = indexes.collect();
            Ok((answer.len() <= most).then_some(answer))
        };
        let take = |answer| {
            found.extend(answer);
            Ok(())
        };
        let last = u32::try_from(per_index.len()).expect("few") - 1;
        let ended = in_parts(last, ask, take);
        (ended.map(|()| found), said)
    }

    #[test]
    fn an_oversized_answer_is_requested_again_in_halves() {
        let all = |per_index: &[usize]| -> Vec<u32> {
            (0u32..).zip(per_index).flat_map(|(index, n)| std::iter::repeat_n(index, *n)).collect()
        };
        for (per_index, most, questions) in [
            (&[0, 2, 1][..], 3, 1),
            (&[1, 1, 1, 1, 1, 1, 1, 1], 4, 3),
            (&[0, 0, 0, 0, 0, 0, 3, 3], 3, 7),
            (&[5], 5, 1),
            (&[5, 5, 5, 5, 5], 5, 9),
        ] {
            let (found, said) = asked(per_index, most);
            assert_eq!(found, Ok(all(per_index)), "each output once, in order");
            assert_eq!(said.len(), questions, "{per_index:?}");
            let done: Vec<u64> = said.iter().map(|step| step.done).collect();
            let answered: Vec<u64> = (0..).step_by(100).take(questions).collect();
            assert_eq!(done, answered, "what is too long was read, too");
            assert!(said.is_sorted_by_key(|step| step.of), "less is never left: {said:?}");
            let last = said.last().expect("at least one");
            assert_eq!(last.done + 100, last.of, "the last answer is the end");
        }
        let (ended, _) = asked(&[1, 1, 6, 1], 5);
        let error = ended.expect_err("one address has too many").to_string();
        assert!(error.contains("address 2 alone"), "{error}");
    }

    #[test]
    fn any_other_error_ends_the_scan() {
        let mut questions = 0;
        let ask = |_, _| -> Result<Option<()>, Error> {
            questions += 1;
            Err(Error::Busy)
        };
        assert_eq!(in_parts(1_000, ask, Ok), Err(Error::Busy));
        assert_eq!(questions, 1);
    }
}
