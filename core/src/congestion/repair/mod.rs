//! Repair of lost packets: what a receiver asks for again (NACK, RFC 4585 section 6.2.1), what a sender repeats (RFC 4588), and
//! when it sends something from which losses are recovered without asking (forward error correction, RFC 8854).

mod budget;
mod history;
mod nack;
mod protection;
mod reorder;
#[cfg(test)]
mod tests;

pub use budget::RetransmissionBudget;
pub use history::{RepairCounts, Repeat, RetransmissionHistory};
pub use nack::NackGenerator;
pub(crate) use protection::{Protection, repair_packets};

use std::time::Duration;

/// The round-trip time to reckon with before any was measured.
pub const FIRST_RTT: Duration = Duration::from_millis(100);

/// From this round-trip time on what needs a second one comes too late to be shown in time: requests and their answers are sent twice, a
/// little apart, so that the loss of one costs nothing.
const LONG_RTT: Duration = Duration::from_millis(200);
/// Between the two of them: back to back they would be lost together.
const COPY_DISTANCE: Duration = Duration::from_millis(15);

/// How long a receiver waits for what a picture lacks, from the moment that it saw the gap: time for some six requests. After
/// that it asks for a keyframe, and what the sender would still repeat comes too late. `rtt` is the current one, queues included.
pub fn repair_wait(rtt: Duration) -> Duration {
    (rtt.saturating_mul(6) + Duration::from_millis(200)).clamp(Duration::from_millis(400), Duration::from_millis(1_200))
}
