//! Why the client did not do something, as far as a person is to be told.

use crate::call::CallError;
use crate::client::ClientError;
use crate::files::TransferError;
use crate::media::capture::CaptureError;
use crate::media::constraints::ConstraintError;
use crate::media::dtmf::DtmfError;
use crate::media::screen::ScreenError;
use crate::signaling::SignalingError;
use crate::signaling::message::{ErrorCode, ErrorMessage};
use crate::text::TextError;

/// Kinds of failure that people are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The address cannot be one, or nothing of ours answers there.
    BadAddress,
    /// The name cannot be one.
    BadName,
    /// The server does not let this name in.
    LoginRefused,
    /// The server does not take the token, or wants one.
    TokenRefused,
    /// The server has no room.
    ServerFull,
    /// The server is out of reach, or was lost.
    Unreachable,
    /// The server ended the session.
    ServerGone,
    /// There is no session.
    NotLoggedIn,
    /// A call is going on already.
    InCall,
    /// The call is over, or in no state for this.
    WrongState,
    /// It is oneself.
    SelfCall,
    /// No camera satisfies what is asked for.
    Overconstrained,
    /// There is no such device.
    DeviceNotFound,
    /// The system does not allow the device.
    DeviceNotAllowed,
    /// The device does not work.
    DeviceNotReadable,
    /// There is no picture yet.
    NoPicture,
    /// Too much at once.
    TooFast,
    /// The server, or the library, did not take it.
    Refused,
    /// The library or the system failed.
    Internal,
}

/// WebSocket's "try again later" (RFC 6455 section 7.4, IANA registry): the server has no room.
const TRY_AGAIN_LATER: u16 = 1013;
/// HTTP's way to say the same (RFC 9110 section 15.6.4).
const SERVICE_UNAVAILABLE: u16 = 503;

impl From<&SignalingError> for Failure {
    fn from(error: &SignalingError) -> Self {
        match error {
            SignalingError::BadUrl(_) | SignalingError::Insecure(_) | SignalingError::NeedsTls(_) => Self::BadAddress,
            SignalingError::BadName => Self::BadName,
            SignalingError::LoginRefused(_) => Self::LoginRefused,
            SignalingError::TokenRefused { .. } => Self::TokenRefused,
            SignalingError::NotWebSocket { status: Some(SERVICE_UNAVAILABLE) }
            | SignalingError::ServerClosed { code: TRY_AGAIN_LATER, .. } => Self::ServerFull,
            SignalingError::ServerClosed { .. } => Self::ServerGone,
            SignalingError::QueueFull => Self::TooFast,
            SignalingError::BadText
            | SignalingError::TooLarge(_)
            | SignalingError::NotSendable(_)
            | SignalingError::NotCarried(_) => Self::Refused,
            SignalingError::NotConnected => Self::NotLoggedIn,
            SignalingError::Unreachable { .. }
            | SignalingError::TransportLost(_)
            | SignalingError::TimedOut
            | SignalingError::Proxy { .. }
            | SignalingError::Tls(_)
            | SignalingError::NotWebSocket { .. }
            | SignalingError::WrongSubprotocol(_)
            | SignalingError::Protocol(_)
            | SignalingError::Silent => Self::Unreachable,
        }
    }
}

impl From<&ErrorMessage> for Failure {
    fn from(error: &ErrorMessage) -> Self {
        match error.code {
            ErrorCode::RateLimited => Self::TooFast,
            ErrorCode::TokenExpired | ErrorCode::Unauthorized => Self::TokenRefused,
            ErrorCode::Unavailable => Self::Unreachable,
            _ => Self::Refused,
        }
    }
}

impl From<&ClientError> for Failure {
    fn from(error: &ClientError) -> Self {
        match error {
            ClientError::Signaling(error) => error.into(),
            ClientError::Call(CallError::InCall { .. }) => Self::InCall,
            ClientError::Call(CallError::SelfCall) => Self::SelfCall,
            ClientError::Call(CallError::NotLoggedIn) => Self::NotLoggedIn,
            ClientError::Call(_) => Self::WrongState,
            ClientError::Constraint(ConstraintError::NotFound) => Self::DeviceNotFound,
            ClientError::Constraint(ConstraintError::Overconstrained(_)) => Self::Overconstrained,
            ClientError::Constraint(ConstraintError::Type { .. }) => Self::Refused,
            ClientError::Capture(CaptureError::NotFound(_)) => Self::DeviceNotFound,
            ClientError::Capture(CaptureError::NotAllowed(_)) => Self::DeviceNotAllowed,
            ClientError::Capture(CaptureError::NotReadable(_)) => Self::DeviceNotReadable,
            ClientError::Data(_) => Self::Refused,
            ClientError::Dtmf(DtmfError::TooMany) => Self::TooFast,
            ClientError::Dtmf(_) => Self::WrongState,
            ClientError::Text(TextError::NoCall) | ClientError::File(TransferError::NoCall | TransferError::NoFile) => {
                Self::WrongState
            }
            ClientError::File(TransferError::TooMany) => Self::TooFast,
            ClientError::File(_) => Self::Refused,
            ClientError::Text(TextError::TooFast | TextError::TooManyWaiting) => Self::TooFast,
            ClientError::Text(_) => Self::Refused,
            ClientError::Screen(ScreenError::TooLarge { .. }) => Self::Refused,
            ClientError::Screen(_) => Self::WrongState,
            ClientError::NoPicture => Self::NoPicture,
            ClientError::NoWords => Self::WrongState,
            ClientError::Closed => Self::NotLoggedIn,
        }
    }
}
