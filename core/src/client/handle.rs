//! One call of a client.

use super::driver::{Reply, Request};
use super::files::FileInput;
use super::{CallOptions, Client, ClientError, PhotoOf};
use crate::facing::FacingMode;
#[cfg(doc)]
use crate::files::TransferError;
use crate::files::storage::FileSink;
use crate::files::{FileEnd, FileId, FileOffer, FileToSend};
use crate::media::dtmf::DtmfTones;
use crate::media::frame::VideoFrame;
use crate::media::screen::{ContentHint, ScreenSource};
use crate::signaling::message::CallId;
use crate::text::TextId;
use std::sync::Arc;

/// One call of a client. What is asked of it once it is over is refused with [`crate::call::CallError::NoCall`], so that a
/// hang-up that comes late never hits the next call.
#[derive(Clone, Debug)]
pub struct CallHandle {
    client: Client,
    call: CallId,
}

impl Client {
    /// This call of the client's, whether or not it is going on.
    pub fn handle(&self, call: CallId) -> CallHandle {
        CallHandle { client: self.clone(), call }
    }
}

impl CallHandle {
    /// Its identifier.
    pub fn id(&self) -> CallId {
        self.call
    }

    /// What this call, which rings or waits here, has differently from the configuration: before it is accepted.
    ///
    /// # Errors
    /// [`crate::call::CallError`] if it was accepted already or was placed here, or once it is over.
    pub async fn configure(&self, options: CallOptions) -> Result<(), ClientError> {
        let options = Box::new(options);
        self.ask(|reply| Request::Configure { options, reply }).await
    }

    /// As [`Client::accept`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Accept { reply }).await
    }

    /// As [`Client::decline`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn decline(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Decline { reply }).await
    }

    /// As [`Client::hang_up`].
    ///
    /// # Errors
    /// [`crate::call::CallError::NoCall`] once it is over.
    pub async fn hang_up(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::HangUp { reply }).await
    }

    /// As [`Client::hold_and_accept`], where this call waits.
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn hold_and_accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::HoldAndAccept { reply }).await
    }

    /// As [`Client::end_and_accept`], where this call waits.
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn end_and_accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::EndAndAccept { reply }).await
    }

    /// As [`Client::set_held`]. A call that is taken up puts the other one on hold.
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn set_held(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetHeld { on, reply }).await
    }

    /// As [`Client::start_screen_share`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn start_screen_share(
        &self,
        source: Arc<dyn ScreenSource>,
        hint: ContentHint,
    ) -> Result<(), ClientError> {
        self.ask(|reply| Request::StartScreenShare { source, hint, reply }).await
    }

    /// As [`Client::stop_screen_share`].
    ///
    /// # Errors
    /// [`crate::call::CallError::NoCall`] once it is over.
    pub async fn stop_screen_share(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::StopScreenShare { reply }).await
    }

    /// As [`Client::flip_camera`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn flip_camera(&self) -> Result<Option<FacingMode>, ClientError> {
        self.ask(|reply| Request::Flip { reply }).await
    }

    /// As [`Client::picture`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn picture(&self, of: PhotoOf) -> Result<VideoFrame, ClientError> {
        self.ask(|reply| Request::Picture { of, reply }).await
    }

    /// As [`Client::send_data`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn send_data(&self, data: bytes::Bytes) -> Result<(), ClientError> {
        self.ask(|reply| Request::SendData { data, reply }).await
    }

    /// As [`Client::confirm_verification`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn confirm_verification(&self, same: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::ConfirmVerification { same, reply }).await
    }

    /// As [`Client::send_dtmf`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn send_dtmf(&self, tones: DtmfTones) -> Result<(), ClientError> {
        self.ask(|reply| Request::SendDtmf { tones, reply }).await
    }

    /// As [`Client::send_text`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn send_text(&self, text: &str) -> Result<TextId, ClientError> {
        let text = text.to_owned();
        self.ask(|reply| Request::SendText { text, reply }).await
    }

    /// As [`Client::set_typing`].
    ///
    /// # Errors
    /// As there; and [`crate::call::CallError::NoCall`] once it is over.
    pub async fn set_typing(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetTyping { on, reply }).await
    }

    /// As [`Client::send_file`].
    ///
    /// # Errors
    /// As there; and [`TransferError::NoCall`] once it is over.
    pub async fn send_file(&self, file: FileToSend) -> Result<FileId, ClientError> {
        let FileToSend { name, size, media_type, source } = file;
        let id = FileId::random();
        let offer = FileOffer { id, name, size, media_type };
        self.ask_file(|reply| FileInput::Send { offer, source, reply }).await.map(|()| id)
    }

    /// As [`Client::accept_file`].
    ///
    /// # Errors
    /// As there; and [`TransferError::NoCall`] once it is over.
    pub async fn accept_file(&self, id: FileId, sink: Box<dyn FileSink>) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::Accept { id, sink, reply }).await
    }

    /// As [`Client::pause_file`].
    ///
    /// # Errors
    /// As there; and [`TransferError::NoCall`] once it is over.
    pub async fn pause_file(&self, id: FileId, on: bool) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::Pause { id, on, reply }).await
    }

    /// As [`Client::end_file`].
    ///
    /// # Errors
    /// As there; and [`TransferError::NoCall`] once it is over.
    pub async fn end_file(&self, id: FileId, why: FileEnd) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::End { id, why, reply }).await
    }

    async fn ask_file(&self, input: impl FnOnce(Reply<()>) -> FileInput) -> Result<(), ClientError> {
        self.ask(|reply| Request::File(input(reply))).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, ClientError> {
        let call = self.call;
        self.client.ask(|reply| Request::InCall { call, request: Box::new(request(reply)) }).await?
    }
}
