//! What can go wrong, coarsely: a kind to decide by, a sentence to show a developer, a detail for programs.

use chamada::call::CallError;
use chamada::client::ClientError;
use chamada::files::TransferError;
use chamada::media::capture::CaptureError;
use chamada::media::constraints::ConstraintError;
use chamada::media::dtmf::DtmfError;
use chamada::media::frame::FrameError;
use chamada::media::screen::ScreenError;
use chamada::peer::DataError;
use chamada::signaling::SignalingError;
use chamada::signaling::message::{ErrorCode, ErrorMessage};
use chamada::text::TextError;

/// The details of a refused login: a fresh token will do, or another one.
const TOKEN_EXPIRED: &str = "token-expired";
const UNAUTHORIZED: &str = "unauthorized";

/// Why something that the app asked for was not done. What was going on goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ChamadaError {
    /// The one case: an error is a kind with words.
    #[error("{reason}")]
    Failure {
        /// What to decide by.
        kind: ErrorKind,
        /// One sentence for a developer, in English.
        reason: String,
        /// More for programs, where there is more: the constraint's name, the person at the other end, the HTTP status.
        detail: Option<String>,
    },
}

/// Coarse kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ErrorKind {
    /// What was handed over cannot be right: an address, a name, a size, a stride, constraints that are none.
    InvalidArgument,
    /// The server cannot be reached, is none, or was lost.
    Server,
    /// The server refused the login; the detail is `token-expired` or `unauthorized` where it is the token that it did not take.
    LoginRefused,
    /// The call is not in a state for this, or is over.
    Call,
    /// No camera satisfies the constraints (`OverconstrainedError`); the detail is the constraint's name.
    Overconstrained,
    /// There is no such device, or none at all (`NotFoundError`).
    DeviceNotFound,
    /// The person or the system does not allow the device (`NotAllowedError`).
    DeviceNotAllowed,
    /// The device is there and allowed but does not work (`NotReadableError`).
    DeviceNotReadable,
    /// There is no picture yet.
    NoPicture,
    /// More at once than the server or the call takes: to be tried again later.
    TooFast,
    /// The client, the device or the frame is closed.
    Closed,
    /// The library or the system failed in a way that no caller can help.
    Internal,
}

/// What the app's own code may throw at the library: W3C's names for devices that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum AppError {
    /// There is no such device.
    #[error("{reason}")]
    NotFound {
        /// One sentence for a developer.
        reason: String,
    },
    /// The person or the system does not allow it.
    #[error("{reason}")]
    NotAllowed {
        /// One sentence for a developer.
        reason: String,
    },
    /// It is there and allowed but cannot be opened. Any other exception of the app's code is taken for this.
    #[error("{reason}")]
    NotReadable {
        /// One sentence for a developer.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for AppError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::NotReadable { reason: error.reason }
    }
}

impl From<AppError> for CaptureError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound { reason } => Self::NotFound(reason),
            AppError::NotAllowed { reason } => Self::NotAllowed(reason),
            AppError::NotReadable { reason } => Self::NotReadable(reason),
        }
    }
}

impl ChamadaError {
    pub(crate) fn new(kind: ErrorKind, reason: impl ToString) -> Self {
        Self::Failure { kind, reason: reason.to_string(), detail: None }
    }

    pub(crate) fn with(kind: ErrorKind, reason: impl ToString, detail: impl ToString) -> Self {
        Self::Failure { kind, reason: reason.to_string(), detail: Some(detail.to_string()) }
    }

    pub(crate) fn invalid(reason: impl ToString) -> Self {
        Self::new(ErrorKind::InvalidArgument, reason)
    }

    pub(crate) fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Closed, format!("the {what} is closed"))
    }

    /// What to decide by.
    pub fn kind(&self) -> ErrorKind {
        let Self::Failure { kind, .. } = self;
        *kind
    }
}

impl From<ClientError> for ChamadaError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Signaling(error) => error.into(),
            ClientError::Call(error) => error.into(),
            ClientError::Constraint(error) => error.into(),
            ClientError::Capture(error) => error.into(),
            ClientError::Data(error) => error.into(),
            ClientError::Dtmf(error) => error.into(),
            ClientError::Text(error) => Self::new(
                match error {
                    TextError::NoCall => ErrorKind::Call,
                    TextError::Empty | TextError::TooLong(_) => ErrorKind::InvalidArgument,
                    TextError::TooFast | TextError::TooManyWaiting => ErrorKind::TooFast,
                },
                error,
            ),
            ClientError::File(error) => error.into(),
            ClientError::Screen(error) => error.into(),
            ClientError::NoPicture => Self::new(ErrorKind::NoPicture, error),
            ClientError::NoWords => Self::new(ErrorKind::Call, error),
            ClientError::Closed => Self::new(ErrorKind::Closed, error),
        }
    }
}

impl From<TransferError> for ChamadaError {
    fn from(error: TransferError) -> Self {
        let kind = match error {
            TransferError::NoCall | TransferError::NoFile => ErrorKind::Call,
            TransferError::TooMany => ErrorKind::TooFast,
            TransferError::TooLarge | TransferError::Unusable(_) => ErrorKind::InvalidArgument,
        };
        Self::new(kind, error)
    }
}

impl From<ScreenError> for ChamadaError {
    fn from(error: ScreenError) -> Self {
        let kind = match error {
            ScreenError::TooLarge { .. } => ErrorKind::InvalidArgument,
            ScreenError::AlreadyShared | ScreenError::Stopped => ErrorKind::Call,
        };
        Self::new(kind, error)
    }
}

impl From<SignalingError> for ChamadaError {
    fn from(error: SignalingError) -> Self {
        let kind = match &error {
            SignalingError::BadUrl(_)
            | SignalingError::Insecure(_)
            | SignalingError::BadName
            | SignalingError::BadText
            | SignalingError::TooLarge(_)
            | SignalingError::NotCarried(_)
            | SignalingError::NotSendable(_) => ErrorKind::InvalidArgument,
            SignalingError::LoginRefused(_) | SignalingError::TokenRefused { .. } => ErrorKind::LoginRefused,
            SignalingError::QueueFull => ErrorKind::TooFast,
            _ => ErrorKind::Server,
        };
        match &error {
            SignalingError::NotWebSocket { status: Some(status) } => Self::with(kind, &error, status),
            SignalingError::TokenRefused { expired: true, .. } => Self::with(kind, &error, TOKEN_EXPIRED),
            SignalingError::TokenRefused { .. } => Self::with(kind, &error, UNAUTHORIZED),
            SignalingError::ServerClosed { code, .. } => Self::with(kind, &error, code),
            _ => Self::new(kind, error),
        }
    }
}

/// What the server refused.
impl From<ErrorMessage> for ChamadaError {
    fn from(error: ErrorMessage) -> Self {
        match error.code {
            ErrorCode::RateLimited => Self::new(ErrorKind::TooFast, error.message),
            ErrorCode::TokenExpired => Self::with(ErrorKind::LoginRefused, error.message, TOKEN_EXPIRED),
            ErrorCode::Unauthorized => Self::with(ErrorKind::LoginRefused, error.message, UNAUTHORIZED),
            _ => Self::new(ErrorKind::InvalidArgument, error.message),
        }
    }
}

impl From<CallError> for ChamadaError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::InCall { with } => Self::with(ErrorKind::Call, &error, with),
            CallError::WrongState(state) => Self::with(ErrorKind::Call, &error, state.as_str()),
            _ => Self::new(ErrorKind::Call, error),
        }
    }
}

impl From<DataError> for ChamadaError {
    fn from(error: DataError) -> Self {
        let kind = match &error {
            DataError::NotOpen => ErrorKind::Call,
            DataError::TooLong(_) => ErrorKind::InvalidArgument,
            DataError::QueueFull => ErrorKind::TooFast,
        };
        Self::new(kind, error)
    }
}

impl From<DtmfError> for ChamadaError {
    fn from(error: DtmfError) -> Self {
        let kind = match error {
            DtmfError::InvalidCharacter(_) => ErrorKind::InvalidArgument,
            DtmfError::TooMany => ErrorKind::TooFast,
            DtmfError::NotAgreed => ErrorKind::Call,
        };
        Self::new(kind, error)
    }
}

impl From<ConstraintError> for ChamadaError {
    fn from(error: ConstraintError) -> Self {
        match &error {
            ConstraintError::NotFound => Self::new(ErrorKind::DeviceNotFound, error),
            ConstraintError::Overconstrained(over) => Self::with(ErrorKind::Overconstrained, &error, over.constraint),
            ConstraintError::Type { member, .. } => Self::with(ErrorKind::InvalidArgument, &error, member),
        }
    }
}

impl From<CaptureError> for ChamadaError {
    fn from(error: CaptureError) -> Self {
        let kind = match &error {
            CaptureError::NotFound(_) => ErrorKind::DeviceNotFound,
            CaptureError::NotAllowed(_) => ErrorKind::DeviceNotAllowed,
            CaptureError::NotReadable(_) => ErrorKind::DeviceNotReadable,
        };
        Self::new(kind, error)
    }
}

impl From<FrameError> for ChamadaError {
    fn from(error: FrameError) -> Self {
        Self::invalid(error)
    }
}
