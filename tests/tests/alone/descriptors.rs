//! What calls leave open.

use chamada_tests::phone::{Phone, must};
use chamada_tests::real_server::RealServer;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn ten_calls_in_a_row_leave_nothing_open() {
    let _alone = crate::ALONE.lock().await;
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    let mut after_the_second = 0;
    for call in 1..=10 {
        // The user list is told once; later calls need not wait for it.
        must(ana.client.call("rui").await);
        rui.rings().await;
        must(rui.client.accept().await);
        tokio::join!(ana.view.frames(3), rui.view.frames(3));
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
        if call == 2 {
            after_the_second = open_descriptors();
        }
    }
    // The end of a call is told before its sockets are closed; how many are still open at one moment is chance.
    // The kernel tells nobody when a descriptor is closed, so this looks again until a bound.
    let closed = async {
        while open_descriptors() > after_the_second {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(10), closed).await;
    assert!(left.is_ok(), "{} descriptors are open after ten calls, {after_the_second} after two", open_descriptors());
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or_default()
}
