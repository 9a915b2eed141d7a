//! A file of 1 GiB from one core to another beside a call, over loopback.

use crate::Figure;
use crate::usage::resident_mib;
use anyhow::{Result, bail};
use chamada::client::ClientEvent;
use chamada::files::storage::{FileSink, FileSource};
use chamada::files::{FileEvent, FileToSend};
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the call is measured alone, once it knows its path.
const SETTLE: u64 = 300;
const ALONE: Duration = Duration::from_secs(10);

/// Bytes that nothing has to be read for.
struct Made;

impl FileSource for Made {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.iter_mut().zip(offset..).for_each(|(to, at)| *to = at as u8);
        Ok(buffer.len())
    }
}

/// Keeps nothing: the checksum says whether all came.
struct Counted;

impl FileSink for Counted {
    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }
}

async fn phone(url: &str, name: &str) -> Phone {
    let mut setup = PhoneSetup::new(url, name);
    setup.cameras = Some(synthetic(1280, 720));
    setup.login().await
}

fn of_file(event: &ClientEvent) -> Option<FileEvent> {
    match event {
        ClientEvent::File(event) => Some(event.clone()),
        _ => None,
    }
}

/// Speed and memory, and what the picture of the call has of it. `mib` is the size of the file.
pub(crate) async fn measure(mib: u64) -> Result<Vec<Figure>> {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = (phone(server.url(), "ana").await, phone(server.url(), "rui").await);
    ana.talks_with(&mut rui, "rui").await;
    for _ in 0..SETTLE / 30 {
        rui.view.frames(30).await;
    }
    rui.view.measure_anew();
    tokio::time::sleep(ALONE).await;
    let alone = rui.view.look(|seen| seen.delay.report());

    let before = resident_mib("self")?;
    let (size, start) = (mib << 20, Instant::now());
    must(
        ana.client.send_file(FileToSend { name: "file".into(), size, media_type: None, source: Box::new(Made) }).await,
    );
    let offer = rui.until("offer", |event| of_file(event).filter(|event| matches!(event, FileEvent::Offered(_)))).await;
    let FileEvent::Offered(offer) = offer else { bail!("no offer") };
    must(rui.client.accept_file(offer.id, Box::new(Counted)).await);
    rui.view.measure_anew();
    let (mut memory, mut last) = (0.0_f64, 0);
    loop {
        // Twice a second at least, so that the loop is not held up by a transfer that stands still.
        let event = rui.until("progress", of_file).await;
        memory = memory.max(resident_mib("self")? - before);
        match event {
            FileEvent::Progress { bytes, .. } => last = bytes,
            FileEvent::Done { .. } => break,
            FileEvent::Ended { why, .. } => bail!("it ended after {last} bytes: {}", why.as_str()),
            _ => {}
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let beside = rui.view.look(|seen| seen.delay.report());
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    let p95 = |report: &Option<f64>| report.unwrap_or(f64::NAN);
    Ok(vec![
        Figure::new(
            format!("file of {mib} MiB beside a 720p30 call, loopback"),
            size as f64 * 8.0 / seconds / 1e6,
            "Mbit/s",
        ),
        Figure::new("memory of both ends grown meanwhile", memory, "MiB").aim(8.0),
        Figure::new("pictures each second alone", alone.frames as f64 / ALONE.as_secs_f64(), ""),
        Figure::new("pictures each second beside the file", beside.frames as f64 / seconds, ""),
        Figure::new("capture → render alone, p95", p95(&alone.delay_ms_p95), "ms"),
        Figure::new("capture → render beside the file, p95", p95(&beside.delay_ms_p95), "ms"),
    ])
}
