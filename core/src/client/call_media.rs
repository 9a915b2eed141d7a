//! Devices and codecs of one call: opened at its start, changed while it goes on, released at its end.

use super::devices::Camera;
use super::{ClientConfig, ClientError, Devices, PhotoOf};
use crate::call::ConnectionState;
use crate::congestion::Plan;
use crate::media::audio::{AudioReceiver, AudioReceiverStats, AudioSender, AudioSenderStats};
use crate::media::capture::{CameraProvider, CameraSettings, CaptureError, CaptureHandle, VideoRenderer};
use crate::media::constraints::VideoConstraints;
use crate::media::frame::VideoFrame;
use crate::media::rtp::RtpPacket;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::media::video::{VideoReceiver, VideoReceiverStats, VideoSender, VideoSenderConfig, VideoSenderStats};
use crate::peer::{PeerConnection, StreamStats};
use crate::signaling::message::MediaState;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Video is never told to send less, in bits per second: below it no codec gives a picture worth the name.
const VIDEO_FLOOR_BPS: u32 = 30_000;

/// Dropping it joins threads and closes devices: see [`CallMedia::release`].
#[derive(Default)]
pub(super) struct CallMedia {
    camera: Option<Camera>,
    microphone: Option<Box<dyn CaptureHandle>>,
    speaker: Option<Box<dyn CaptureHandle>>,
    video_sender: Option<VideoSender>,
    audio_sender: Option<AudioSender>,
    video_receiver: Option<VideoReceiver>,
    audio_receiver: Option<AudioReceiver>,
    loss: LossMeter,
}

/// What the pipelines measured.
pub(super) struct MediaStats {
    pub(super) video_sent: Option<VideoSenderStats>,
    pub(super) video_received: Option<VideoReceiverStats>,
    pub(super) audio_sent: Option<AudioSenderStats>,
    pub(super) audio_received: Option<AudioReceiverStats>,
}

impl CallMedia {
    /// Starts the encoders, with nothing to encode yet and, for video, paused.
    pub(super) fn start(
        &mut self,
        config: &ClientConfig,
        codec: Option<VideoCodec>,
        devices: &Devices,
        media: MediaState,
        connection: &Arc<dyn PeerConnection>,
    ) -> Result<(), ClientError> {
        if let (Some(provider), Some(codec)) = (devices.cameras.clone(), codec) {
            self.start_video(provider, codec, config, devices, media, Arc::clone(connection))?;
        }
        if devices.audio.is_some() {
            let connection = Arc::clone(connection);
            let sender =
                AudioSender::start(Arc::new(move |packet, timestamp| connection.send_audio(packet, timestamp)))
                    .map_err(|error| CaptureError::NotReadable(format!("microphone: {error}")))?;
            sender.set_muted(!media.audio);
            self.audio_sender = Some(sender);
        }
        Ok(())
    }

    fn start_video(
        &mut self,
        provider: Arc<dyn CameraProvider>,
        codec: VideoCodec,
        config: &ClientConfig,
        devices: &Devices,
        media: MediaState,
        connection: Arc<dyn PeerConnection>,
    ) -> Result<(), ClientError> {
        let output = Arc::new(move |frame: EncodedFrame| connection.send_video(frame));
        let config = VideoSenderConfig { codec, fps: 30.0, bitrate_bps: config.bitrate.start };
        let sender = VideoSender::start(config, output)
            .map_err(|error| CaptureError::NotReadable(format!("camera: {error}")))?;
        sender.set_paused(true);
        sender.set_enabled(media.video);
        sender.set_preview(devices.preview.clone());
        self.camera = Some(Camera::new(provider, sender.sink()));
        self.video_sender = Some(sender);
        Ok(())
    }

    /// Opens the microphone, if there is one.
    pub(super) async fn open_microphone(&mut self, devices: &Devices) -> Result<(), ClientError> {
        if let (Some(provider), Some(sender)) = (devices.audio.clone(), &self.audio_sender) {
            let sink = sender.sink();
            self.microphone = Some(blocking(move || provider.open_microphone(sink)).await??);
        }
        Ok(())
    }

    /// Whether a camera could be opened at all.
    pub(super) fn has_camera(&self) -> bool {
        self.camera.is_some()
    }

    /// Whether a camera is open.
    pub(super) fn camera_is_open(&self) -> bool {
        self.camera.as_ref().is_some_and(|camera| camera.settings().is_some())
    }

    pub(super) async fn open_camera(&mut self, wish: VideoConstraints) -> Result<CameraSettings, ClientError> {
        let settings = self.with_camera(move |camera| camera.open(&wish)).await?;
        self.mirror_preview(&settings);
        Ok(settings)
    }

    /// Changes to the camera on the other side; one that is closed stays closed and is only chosen.
    pub(super) async fn flip_camera(&mut self, wish: VideoConstraints) -> Result<CameraSettings, ClientError> {
        let settings = self.with_camera(move |camera| camera.flip(&wish)).await?;
        self.mirror_preview(&settings);
        Ok(settings)
    }

    pub(super) async fn close_camera(&mut self) -> Result<(), ClientError> {
        self.with_camera(|camera| {
            camera.close();
            Ok(())
        })
        .await
    }

    fn mirror_preview(&self, settings: &CameraSettings) {
        if let Some(sender) = &self.video_sender {
            sender.set_mirror_preview(settings.mirrors_preview());
        }
    }

    /// Does something with the camera on a thread that may block.
    async fn with_camera<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Camera) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let Some(mut camera) = self.camera.take() else {
            return Err(CaptureError::NotFound("there is no camera".into()).into());
        };
        // Of a camera on which the app panics nothing comes back.
        self.camera = Some(camera.closed());
        let (camera, result) = blocking(move || {
            let result = work(&mut camera);
            (camera, result)
        })
        .await?;
        self.camera = Some(camera);
        result
    }

    pub(super) fn set_muted(&self, muted: bool) {
        if let Some(sender) = &self.audio_sender {
            sender.set_muted(muted);
        }
    }

    /// Sends the camera's pictures, or black ones.
    pub(super) fn set_video(&self, on: bool) {
        if let Some(sender) = &self.video_sender {
            sender.set_enabled(on);
        }
    }

    /// Pictures are encoded only while somebody can receive them; what comes after a gap begins with a keyframe.
    pub(super) fn follow_connection(&self, state: ConnectionState) {
        if let Some(sender) = &self.video_sender {
            sender.set_paused(state != ConnectionState::Connected);
            if state == ConnectionState::Connected {
                sender.request_keyframe();
            }
        }
    }

    pub(super) fn pause_video(&self) {
        if let Some(sender) = &self.video_sender {
            sender.set_paused(true);
        }
    }

    pub(super) fn request_keyframe(&self) {
        if let Some(sender) = &self.video_sender {
            sender.request_keyframe();
        }
    }

    /// Sends as the path allows.
    pub(super) fn follow_plan(&self, plan: &Plan) {
        if let Some(sender) = &self.video_sender {
            sender.set_bitrate(plan.video.bitrate_bps.max(VIDEO_FLOOR_BPS));
        }
    }

    /// Tunes the sound's error correction to what the other side says it loses.
    pub(super) fn follow_loss(&mut self, audio_sent: &StreamStats) {
        if let (Some(percent), Some(sender)) = (self.loss.percent(audio_sent), &self.audio_sender) {
            sender.set_packet_loss(percent);
        }
    }

    pub(super) fn set_codec(&self, codec: VideoCodec) {
        if let Some(sender) = &self.video_sender {
            sender.set_codec(codec);
        }
    }

    pub(super) async fn receive_audio(&mut self, packets: mpsc::Receiver<RtpPacket>, devices: &Devices) {
        // An earlier track of this call: most devices have one speaker, and its thread is waited for.
        let before = (self.speaker.take(), self.audio_receiver.take());
        if before.0.is_some()
            && let Err(error) = blocking(move || drop(before)).await
        {
            log::warn!("the speaker of an earlier track did not close: {error}");
        }
        let receiver = match AudioReceiver::start(packets) {
            Ok(receiver) => receiver,
            Err(error) => return log::warn!("sound cannot be played: {error}"),
        };
        if let Some(provider) = devices.audio.clone() {
            let source = receiver.source();
            match blocking(move || provider.open_speaker(source)).await {
                Ok(Ok(speaker)) => self.speaker = Some(speaker),
                Ok(Err(error)) => log::warn!("speaker: {error}"),
                Err(error) => log::warn!("speaker: {error}"),
            }
        }
        self.audio_receiver = Some(receiver);
    }

    pub(super) async fn receive_video(
        &mut self,
        packets: mpsc::Receiver<RtpPacket>,
        payload_types: Vec<(u8, VideoCodec)>,
        devices: &Devices,
        connection: Arc<dyn PeerConnection>,
    ) {
        let before = self.video_receiver.take();
        if before.is_some()
            && let Err(error) = blocking(move || drop(before)).await
        {
            log::warn!("the receiver of an earlier track did not stop: {error}");
        }
        let renderer = devices.remote.clone().unwrap_or_else(|| Arc::new(NoRenderer));
        let want_keyframe = Arc::new(move || connection.request_keyframe());
        self.video_receiver = Some(VideoReceiver::start(payload_types, packets, want_keyframe, renderer));
    }

    pub(super) fn picture(&self, of: PhotoOf) -> Option<VideoFrame> {
        match of {
            PhotoOf::Local => self.video_sender.as_ref().and_then(VideoSender::latest_frame),
            PhotoOf::Remote => self.video_receiver.as_ref().and_then(VideoReceiver::latest_frame),
        }
    }

    pub(super) fn stats(&self) -> MediaStats {
        MediaStats {
            video_sent: self.video_sender.as_ref().map(VideoSender::stats),
            video_received: self.video_receiver.as_ref().map(VideoReceiver::stats),
            audio_sent: self.audio_sender.as_ref().map(AudioSender::stats),
            audio_received: self.audio_receiver.as_ref().map(AudioReceiver::stats),
        }
    }

    /// Closes devices and stops codecs, on a thread that may wait for them.
    pub(super) async fn release(self) {
        if let Err(error) = blocking(move || drop(self)).await {
            log::warn!("a device did not close: {error}");
        }
    }
}

/// How much of the sound the other side loses of late.
#[derive(Debug, Default)]
struct LossMeter {
    packets: u64,
    lost: u64,
    smoothed: f64,
}

impl LossMeter {
    /// In percent, rounded up; none before the other side can have reported anything.
    fn percent(&mut self, sent: &StreamStats) -> Option<u8> {
        let packets = sent.packets.saturating_sub(self.packets);
        if packets == 0 {
            return None;
        }
        let lost = sent.lost.saturating_sub(self.lost);
        (self.packets, self.lost) = (sent.packets, sent.lost);
        // Reports come in lumps: half of what was, half of what is.
        self.smoothed = (self.smoothed + (lost as f64 / packets as f64).min(1.0)) / 2.0;
        Some((self.smoothed * 100.0).ceil() as u8)
    }
}

/// Runs what may wait for a device on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaptureError::NotReadable(format!("the device's driver failed: {error}")).into())
}

struct NoRenderer;

impl VideoRenderer for NoRenderer {
    fn render(&self, _: VideoFrame) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_loss_raises_error_correction_and_its_end_lets_it_fall() {
        let mut meter = LossMeter::default();
        let at = |packets, lost| StreamStats { packets, lost, ..StreamStats::default() };
        assert_eq!(meter.percent(&at(0, 0)), None, "nothing was sent");
        assert_eq!(meter.percent(&at(50, 0)), Some(0));
        assert_eq!(meter.percent(&at(100, 10)), Some(10), "a fifth, halved");
        assert_eq!(meter.percent(&at(150, 20)), Some(16), "15 and the dust of a float, rounded up");
        assert_eq!(meter.percent(&at(200, 20)), Some(8));
        assert_eq!(meter.percent(&at(250, 10_000)), Some(54), "never more than all");
    }
}
