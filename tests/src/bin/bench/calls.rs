//! Calls between two cores in this process, by way of the real server.

use crate::Figure;
use crate::usage::{cpu_seconds, resident_mib};
use anyhow::Result;
use chamada::call::CallState;
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use std::time::{Duration, Instant};

/// How many times set-up is measured; the median counts.
const SET_UPS: usize = 9;
/// So many pictures, half a minute, pass before a call is measured: it has to get to know its path.
const SETTLE: u64 = 900;
/// How long it is measured then.
const TALK: Duration = Duration::from_secs(10);

async fn phone(url: &str, name: &str, size: Option<(u32, u32)>) -> Phone {
    let mut setup = PhoneSetup::new(url, name);
    if let Some((width, height)) = size {
        setup.cameras = Some(synthetic(width, height));
    }
    setup.login().await
}

/// From the call, or from its acceptance, to connected and to the first picture.
pub(crate) async fn set_up() -> Result<Vec<Figure>> {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = (phone(server.url(), "ana", None).await, phone(server.url(), "rui", None).await);
    ana.sees(&["rui"]).await;
    let (mut connected, mut first) = (Vec::new(), Vec::new());
    for _ in 0..SET_UPS {
        let start = Instant::now();
        must(ana.client.call("rui").await);
        rui.rings().await;
        must(rui.client.accept().await);
        ana.reaches(CallState::Connected).await;
        connected.push(start.elapsed().as_secs_f64() * 1e3);
        ana.view.frames(1).await;
        first.push(start.elapsed().as_secs_f64() * 1e3);
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
    }
    Ok(vec![
        Figure::new("set-up: call → connected, answered at once, median", median(&mut connected), "ms").aim(300.0),
        Figure::new("set-up: call → first picture, median", median(&mut first), "ms"),
    ])
}

/// Delay, CPU and memory of a 720p30 call.
pub(crate) async fn talk() -> Result<Vec<Figure>> {
    let server = RealServer::start().await;
    let before = resident_mib("self")?;
    let size = Some((1280, 720));
    let (mut ana, mut rui) = (phone(server.url(), "ana", size).await, phone(server.url(), "rui", size).await);
    ana.talks_with(&mut rui, "rui").await;
    for _ in 0..SETTLE / 30 {
        ana.view.frames(30).await;
    }
    ana.view.measure_anew();
    let (cpu, start) = (cpu_seconds("self")?, Instant::now());
    tokio::time::sleep(TALK).await;
    let (cpu, seconds) = (cpu_seconds("self")? - cpu, start.elapsed().as_secs_f64());
    let memory = resident_mib("self")? - before;
    let delay = ana.view.look(|seen| seen.delay.report());
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    Ok(vec![
        Figure::new("delay: capture → render, 720p30, loopback, p50", delay.delay_ms_p50.unwrap_or(f64::NAN), "ms")
            .aim(10.0),
        Figure::new("delay: capture → render, 720p30, loopback, p95", delay.delay_ms_p95.unwrap_or(f64::NAN), "ms")
            .aim(45.0),
        Figure::new("pictures lost, of those in the next line", delay.frames_lost as f64, ""),
        Figure::new("pictures seen", delay.frames as f64, ""),
        Figure::new("CPU of one end of a 720p30 call, both directions", cpu / seconds * 100.0 / 2.0, "% core"),
        Figure::new("memory of one end of a 720p30 call", memory / 2.0, "MiB"),
    ])
}

/// Whether memory stays flat over many calls.
pub(crate) async fn in_a_row(calls: u32) -> Result<Vec<Figure>> {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = (phone(server.url(), "ana", None).await, phone(server.url(), "rui", None).await);
    ana.sees(&["rui"]).await;
    // In thirds: the first fills caches and pools, the second and the third show whether it goes on.
    let mut thirds = Vec::new();
    let third = calls / 3;
    for number in 1..=third * 3 {
        must(ana.client.call("rui").await);
        rui.rings().await;
        must(rui.client.accept().await);
        tokio::join!(ana.view.frames(2), rui.view.frames(2));
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
        if number % third == 0 {
            thirds.push(resident_mib("self")?);
        }
    }
    let grown = thirds.windows(2).map(|pair| pair[1] - pair[0]);
    let name = |n| format!("memory grown over {third} calls in a row, third {n}");
    Ok(grown.zip(2..).map(|(mib, n)| Figure::new(name(n), mib, "MiB")).collect())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
