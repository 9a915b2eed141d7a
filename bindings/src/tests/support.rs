//! An app made of what the bindings offer: cameras with a thread, a tone, a renderer, and an observer to wait on.

use crate::devices::{AudioDevices, CameraFormat, CameraInfo, CameraSettings, Cameras, FacingMode, VideoRenderer};
use crate::observer::Observer;
use crate::{
    AppError, CallState, CameraSink, ChamadaError, Client, Config, Devices, ErrorKind, Event, Frame, MicrophoneSink,
    SpeakerSource,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long anything may take before a test fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The kind of an error that must be there.
pub(super) fn kind<T>(result: Result<T, ChamadaError>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.kind(),
    }
}

/// Does something in the callback before the test hears of it.
pub(super) type Reaction = Box<dyn Fn(&Event) -> Result<(), AppError> + Send + Sync>;

pub(super) struct Events {
    sender: Mutex<Sender<(String, Event)>>,
    reaction: Reaction,
}

/// The test's end of an observer.
pub(super) struct ObservedEvents(Receiver<(String, Event)>);

impl Observer for Events {
    fn on_event(&self, event: Event) -> Result<(), AppError> {
        let reaction = (self.reaction)(&event);
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        // A test that has seen enough does not listen any more.
        let _ = self.sender.lock().unwrap().send((thread, event));
        reaction
    }
}

pub(super) fn observer(reaction: Reaction) -> (Arc<Events>, ObservedEvents) {
    let (sender, receiver) = channel();
    (Arc::new(Events { sender: Mutex::new(sender), reaction }), ObservedEvents(receiver))
}

impl ObservedEvents {
    /// Waits for the first event that `pick` takes, or fails the test.
    pub(super) fn until<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let (thread, event) = self.0.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {what}"));
            assert_eq!(thread, "chamada-events");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    pub(super) fn users(&self, name: &str) {
        self.until(&format!("user {name}"), |event| match event {
            Event::Users { names } => names.iter().any(|user| user == name).then_some(()),
            _ => None,
        });
    }

    pub(super) fn state(&self, state: CallState) {
        self.until(&format!("{state:?}"), |event| match event {
            Event::CallChanged { now } => (now.state == state).then_some(()),
            _ => None,
        });
    }

    /// Until nothing more can come, because the observer is gone.
    pub(super) fn end(self) -> Vec<Event> {
        let mut rest = Vec::new();
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok((_, event)) => rest.push(event),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return rest,
                Err(error) => panic!("the observer is kept: {error}"),
            }
        }
    }
}

/// A front and a rear camera whose pictures are plain: front 80, rear 160.
#[derive(Default)]
pub(super) struct Plain {
    running: Mutex<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
    pub(super) opened: Names,
    pub(super) closed: Names,
}

/// Names in the order in which they came.
#[derive(Default)]
pub(super) struct Names {
    names: Mutex<Vec<String>>,
    changed: Condvar,
}

impl Names {
    fn add(&self, name: &str) {
        self.names.lock().unwrap().push(name.to_owned());
        self.changed.notify_all();
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    /// Waits until these have come, and no others.
    pub(super) fn become_these(&self, wanted: &[&str]) {
        let names = self.names.lock().unwrap();
        let (names, _) = self.changed.wait_timeout_while(names, PATIENCE, |names| names.len() < wanted.len()).unwrap();
        assert_eq!(*names, wanted);
    }
}

impl Cameras for Plain {
    fn list_cameras(&self) -> Result<Vec<CameraInfo>, AppError> {
        let format = CameraFormat { width: 320, height: 240, min_fps: 5.0, max_fps: 30.0 };
        let camera = |id: &str, facing| CameraInfo {
            device_id: id.into(),
            label: id.into(),
            facing: Some(facing),
            formats: vec![format],
        };
        Ok(vec![camera("front", FacingMode::User), camera("rear", FacingMode::Environment)])
    }

    fn open_camera(&self, settings: CameraSettings, sink: Arc<CameraSink>) -> Result<(), AppError> {
        self.opened.add(&settings.device_id);
        let go_on = Arc::new(AtomicBool::new(true));
        let theirs = Arc::clone(&go_on);
        let luma = if settings.device_id == "front" { 80 } else { 160 };
        let thread = std::thread::spawn(move || {
            let (y, uv) = (vec![luma; 320 * 240], vec![128; 160 * 120]);
            while theirs.load(Ordering::Acquire) {
                if sink.push_i420(320, 240, 0, 0, &y, 320, &uv, 160, &uv, 160).is_err() {
                    return;
                }
                std::thread::park_timeout(Duration::from_millis(33));
            }
        });
        *self.running.lock().unwrap() = Some((go_on, thread));
        Ok(())
    }

    fn close_camera(&self, device_id: String) -> Result<(), AppError> {
        if let Some((go_on, thread)) = self.running.lock().unwrap().take() {
            go_on.store(false, Ordering::Release);
            thread.thread().unpark();
            thread.join().unwrap();
        }
        self.closed.add(&device_id);
        Ok(())
    }
}

/// Remembers how wide the newest picture is.
#[derive(Default)]
pub(super) struct Screen {
    width: Mutex<Option<u32>>,
    changed: Condvar,
}

impl VideoRenderer for Screen {
    fn render(&self, frame: Arc<Frame>) -> Result<(), AppError> {
        let width = frame.layout().map(|layout| layout.width).unwrap_or_default();
        *self.width.lock().unwrap() = Some(width);
        self.changed.notify_all();
        frame.release();
        Ok(())
    }
}

impl Screen {
    /// Waits for a picture of this width.
    pub(super) fn shows(&self, width: u32) {
        let seen = self.width.lock().unwrap();
        let (seen, _) = self.changed.wait_timeout_while(seen, PATIENCE, |seen| *seen != Some(width)).unwrap();
        assert_eq!(*seen, Some(width), "no such picture in time");
    }
}

/// Neither hears nor speaks, but counts how often it was opened and closed.
#[derive(Default)]
pub(super) struct Mute {
    pub(super) open: Mutex<(i32, i32)>,
    pub(super) sinks: Mutex<Vec<Arc<MicrophoneSink>>>,
}

impl AudioDevices for Mute {
    fn open_microphone(&self, sink: Arc<MicrophoneSink>) -> Result<(), AppError> {
        self.open.lock().unwrap().0 += 1;
        self.sinks.lock().unwrap().push(sink);
        Ok(())
    }

    fn close_microphone(&self) -> Result<(), AppError> {
        self.open.lock().unwrap().0 -= 1;
        Ok(())
    }

    fn open_speaker(&self, _: Arc<SpeakerSource>) -> Result<(), AppError> {
        self.open.lock().unwrap().1 += 1;
        Ok(())
    }

    fn close_speaker(&self) -> Result<(), AppError> {
        self.open.lock().unwrap().1 -= 1;
        Ok(())
    }
}

pub(crate) fn config(server: &str, name: &str) -> Config {
    Config {
        server: server.into(),
        name: name.into(),
        video: None,
        codecs: Vec::new(),
        ice_servers: Vec::new(),
        relay_only: false,
        allow_insecure: false,
        reconnect: true,
        ring_seconds: 60,
        extra_roots: None,
        proxy: None,
        max_bitrate: 2_500_000,
        token: None,
        device: None,
        remembered: Vec::new(),
        texts: false,
        files: false,
        call_waiting: false,
        signaling: None,
    }
}

/// Logs in with these devices; what `reaction` does it does in the callback.
pub(super) fn login(server: &str, name: &str, devices: Devices, reaction: Reaction) -> (Arc<Client>, ObservedEvents) {
    let (observer, heard) = observer(reaction);
    let client = wait(Client::connect(config(server, name), devices, observer)).unwrap();
    (client, heard)
}

pub(super) fn nothing() -> Reaction {
    Box::new(|_| Ok(()))
}

/// Waits for a future as a foreign language does: on a thread that is none of the library's.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
