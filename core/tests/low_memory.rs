//! Trimming touches every pool of the process, so its test has a process of its own.

use chamada::media::frame::{FramePool, Rotation};
use std::time::Instant;

#[test]
fn trimming_lets_go_of_idle_memory_and_of_no_other() {
    let pool = FramePool::new(2);
    let held = pool.take(64, 64).unwrap().freeze(Rotation::None, Instant::now());
    drop(pool.take(640, 480).unwrap());
    assert!(FramePool::trim_all() >= 640 * 480 * 3 / 2);
    assert_eq!(FramePool::trim_all(), 0, "nothing idle is left");
    assert_eq!(held.y().len(), 64 * 64);
    drop(held);
    assert!(FramePool::trim_all() >= 64 * 64, "and the pool goes on as before");
}
