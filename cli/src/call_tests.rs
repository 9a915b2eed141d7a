//! A call of which the other camera cannot be opened.

use super::*;
use chamada::FacingMode;
use chamada::client::{ClientConfig, Devices};
use chamada::media::capture::{
    CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink, VideoRenderer,
};
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras, SyntheticConfig};
use chamada_server::{Server, ServerConfig};
use clap::{Args, Parser};
use std::sync::Mutex;

#[derive(Parser)]
struct Command<T: Args> {
    #[command(flatten)]
    args: T,
}

fn cameras() -> SyntheticCameras {
    SyntheticCameras::new(SyntheticConfig { width: 320, height: 240, fps: 30.0 }).unwrap()
}

/// Two cameras, of which another app has the rear one.
struct FrontAlone(SyntheticCameras);

impl CameraProvider for FrontAlone {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.0.cameras()
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        match settings.facing {
            Some(FacingMode::Environment) => Err(CaptureError::NotReadable("another app has it".into())),
            _ => self.0.open(settings, sink),
        }
    }
}

/// Tells of each picture.
struct Pictures(Mutex<std::sync::mpsc::Sender<()>>);

impl VideoRenderer for Pictures {
    fn render(&self, _: VideoFrame) {
        // Nobody listens any more when the test is over.
        let _ = self.0.lock().unwrap().send(());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flip_that_fails_leaves_the_call_and_is_told_at_its_end() {
    let server =
        Server::bind(ServerConfig { listen: ([127, 0, 0, 1], 0).into(), ..ServerConfig::default() }).await.unwrap();
    let url = format!("ws://{}", server.local_addr());
    let serving = tokio::spawn(server.run(std::future::pending()));
    let (shown, pictures) = std::sync::mpsc::channel();
    let audio = || Some(Arc::new(SyntheticAudio::new(440.0)) as _);
    let devices = Devices {
        cameras: Some(Arc::new(cameras())),
        audio: audio(),
        remote: Some(Arc::new(Pictures(Mutex::new(shown)))),
        preview: None,
    };
    let config = ClientConfig::new(&url, "rui");
    let (rui, mut events) = Client::connect(config, devices, Arc::new(WebrtcPeers)).await.unwrap();
    let answering = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let ClientEvent::Call(CallEvent::Incoming { .. }) = event {
                rui.accept().await.unwrap();
            }
        }
    });

    // Half a second after the flip the call is still there to be hung up.
    let line = ["call", "rui", "--name", "ana", "--server", &url, "--flip-after", "0.5", "--seconds", "1.5", "--json"];
    let CallArgs { user, common: args } = Command::<CallArgs>::parse_from(line).args;
    let view = RemoteView::new(None).unwrap();
    let devices = Devices {
        cameras: Some(Arc::new(FrontAlone(cameras()))),
        audio: audio(),
        remote: Some(view.clone()),
        preview: None,
    };
    let client = Client::connect(sources::config(&args).unwrap(), devices, Arc::new(WebrtcPeers)).await;
    let (client, events) = client.unwrap();
    let mut summary = Summary::new();
    let output = Output::new(args.json);
    let mut peer = Peer {
        plan: Plan::Call(user),
        args,
        client,
        output,
        summary: &mut summary,
        view,
        played: vec![],
        called: false,
        stopping: false,
        trouble: None,
        closed: None,
        timers: Timers::default(),
        texts_sent: 0,
        files: Files::default(),
        front: None,
        has_other: false,
        screen: None,
    };
    let ended = tokio::time::timeout(CONNECT_BOUND, peer.live(events)).await.expect("the call goes on for too long");
    peer.client.logout().await;
    assert!(matches!(&ended, Err(Failure::Failed(why)) if why.contains("another app has it")), "{ended:?}");
    assert_eq!(summary.to_json(&Seen::default())["ended"], "hung-up-here", "not by the flip");
    let shown = pictures.try_iter().count();
    assert!(shown > 20, "{shown} pictures in a second and a half, of which the last came after the flip");
    answering.abort();
    serving.abort();
}
