//! The Rust that docs/site shows, and that it does what it says.

use chamada::call::{CallEvent, CallState, EndReason};
use chamada::client::{Client, ClientConfig, ClientError, ClientEvent, Devices, QualityLevel};
use chamada::media::constraints::MediaStreamConstraints;
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::media::video::{DegradationPreference, VideoBounds};
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::SignalingEvent;
use chamada_tests::real_server::RealServer;
use std::sync::Arc;

// ANCHOR: devices
/// A camera and a microphone that need no hardware.
fn devices() -> Devices {
    Devices {
        cameras: Some(Arc::new(SyntheticCameras::default())),
        audio: Some(Arc::new(SyntheticAudio::new(440.0))),
        ..Devices::default()
    }
}
// ANCHOR_END: devices

// ANCHOR: answer
/// Takes every call until the connection ends.
async fn answer(server: String) -> Result<(), ClientError> {
    let config = ClientConfig::new(server, "rui");
    let (client, mut events) = Client::connect(config, devices(), Arc::new(WebrtcPeers)).await?;
    while let Some(event) = events.recv().await {
        if let ClientEvent::Call(CallEvent::Incoming { call, .. }) = event {
            client.handle(call).accept().await?;
        }
    }
    Ok(())
}
// ANCHOR_END: answer

// ANCHOR: call
/// Calls somebody as soon as they are there, hangs up once both are connected, and says why the call ended.
async fn call(server: &str, to: &str) -> Result<Option<EndReason>, ClientError> {
    let config = ClientConfig::new(server, "ana");
    let (client, mut events) = Client::connect(config, devices(), Arc::new(WebrtcPeers)).await?;
    let (mut called, mut connected) = (false, false);
    while let Some(event) = events.recv().await {
        match event {
            ClientEvent::Signaling(SignalingEvent::Users(names)) if !called && names.iter().any(|name| name == to) => {
                called = true;
                client.call(to).await?;
            }
            ClientEvent::Call(CallEvent::Changed(now)) if !connected && now.state == CallState::Connected => {
                connected = true;
                client.hang_up().await?;
            }
            ClientEvent::Call(CallEvent::Ended { reason, .. }) => return Ok(Some(reason)),
            _ => {}
        }
    }
    Ok(None)
}
// ANCHOR_END: call

// ANCHOR: constraints
/// The rear camera, 720p where there is that, at most 30 frames per second.
async fn rear_camera(client: &Client) -> Result<(), ClientError> {
    let asked = r#"{"video": {"height": {"ideal": 720}, "frameRate": {"max": 30}, "facingMode": "environment"}}"#;
    let constraints = MediaStreamConstraints::from_json(asked)?;
    client.set_constraints(constraints.video.unwrap_or_default()).await
}
// ANCHOR_END: constraints

// ANCHOR: sparing
/// On a path that costs money: small pictures, and smooth ones where not even those fit.
async fn sparing(client: &Client) -> Result<(), ClientError> {
    client.set_video_bounds(VideoBounds { max_width: 640, max_height: 360, ..VideoBounds::default() }).await?;
    client.set_degradation_preference(DegradationPreference::MaintainFramerate).await
}
// ANCHOR_END: sparing

// ANCHOR: quality
/// What to show above the picture, if anything.
fn notice(event: &ClientEvent) -> Option<&'static str> {
    let ClientEvent::Quality(quality) = event else { return None };
    match (quality.received.audio_only, quality.received.level, quality.sent.level) {
        (true, _, _) => Some("The connection carries sound alone."),
        (_, QualityLevel::Bad, _) => Some("The connection is bad."),
        (_, _, QualityLevel::Bad) => Some("The other side hears and sees you badly."),
        _ => None,
    }
}
// ANCHOR_END: quality

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_first_call_connects_and_ends_as_it_says() {
    let server = RealServer::start().await;
    let answering = tokio::spawn(answer(server.url().to_owned()));
    assert_eq!(call(server.url(), "rui").await.unwrap(), Some(EndReason::HungUpLocally));
    answering.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_constraints_and_bounds_are_taken() {
    let server = RealServer::start().await;
    let config = ClientConfig::new(server.url(), "ana");
    let (client, mut events) = Client::connect(config, devices(), Arc::new(WebrtcPeers)).await.unwrap();
    rear_camera(&client).await.unwrap();
    sparing(&client).await.unwrap();
    assert_eq!(notice(&events.recv().await.unwrap()), None);
    client.logout().await;
}
