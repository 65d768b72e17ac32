//! The number of connections, from the process's limit of open files.

/// Connections beside event streams, if there are descriptors for them. Further ones wait in
/// the listen queue.
const CONNECTIONS_USUAL: usize = 4_096;

/// Descriptors reserved for database, node and webhooks, where there are twice as many.
const DESCRIPTORS_LEFT: usize = 512;

/// The limit of open files where Linux does not report one.
const DESCRIPTORS_USUAL: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionSlots {
    pub(super) all: usize,
    pub(super) streams: usize,
}

impl ConnectionSlots {
    /// Slots for this process and the configured number of event streams.
    pub(super) fn here(max_event_streams: usize) -> ConnectionSlots {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        ConnectionSlots::of(
            descriptors_max(&limits).unwrap_or(DESCRIPTORS_USUAL),
            max_event_streams,
        )
    }

    /// Reserves a quarter of the descriptors for the other roles, and a quarter of the slots
    /// for requests that are not event streams.
    fn of(descriptors: usize, max_event_streams: usize) -> ConnectionSlots {
        let left = (descriptors / 4).max(DESCRIPTORS_LEFT).min(descriptors / 2);
        let most = CONNECTIONS_USUAL.saturating_add(max_event_streams);
        let all = (descriptors - left).clamp(1, most);
        ConnectionSlots { all, streams: max_event_streams.min(all - all / 4) }
    }
}

/// The soft limit of open files in `/proc/self/limits` (proc(5)).
fn descriptors_max(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_parsed() {
        let shown = "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max processes             63432                63432                processes\n\
                     Max open files            1024                 524288               files\n";
        assert_eq!(descriptors_max(shown), Some(1024));
        let unlimited = shown.replace("1024  ", "unlimited");
        assert_eq!(descriptors_max(&unlimited), Some(usize::MAX));
        assert_eq!(descriptors_max(""), None);
    }

    #[test]
    fn connection_slots_reserve_descriptors_and_limit_streams() {
        #[track_caller]
        fn check(descriptors: usize, streams_max: usize, all: usize, streams: usize) {
            let slots = ConnectionSlots::of(descriptors, streams_max);
            assert_eq!(slots, ConnectionSlots { all, streams });
        }
        check(16_384, 2_000, 6_096, 2_000);
        check(20_000, 10_000, 14_096, 10_000);
        check(20_000, 50_000, 15_000, 11_250);
        check(1_024, 2_000, 512, 384);
        check(256, 2_000, 128, 96);
        check(3, 2_000, 2, 2);
        check(0, 2_000, 1, 1);
        check(usize::MAX, 2_000, 6_096, 2_000);
    }
}
