//! How the command ends: exit codes that scripts can rely on.

use crate::output::printable;
use crate::texts;
use chamada::call::{CallError, EndReason};
use chamada::client::ClientError;
use chamada::signaling::SignalingError;
use std::process::ExitCode;

/// Why the command did not do what it was asked for; one line on standard error, and an exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// 2: an argument makes no sense, a name is none or is none for this server, or a file that is named cannot be used.
    BadArgument(String),
    /// 3: the server cannot be reached, is none, or refused the token; or a port cannot be listened on.
    Unreachable(String),
    /// 4: declined, busy, nobody answered in time.
    NotAnswered(String),
    /// 5: media or connection failed.
    Failed(String),
}

impl Failure {
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::BadArgument(_) => 2,
            Self::Unreachable(_) => 3,
            Self::NotAnswered(_) => 4,
            Self::Failed(_) => 5,
        })
    }
}

impl std::fmt::Display for Failure {
    /// On one line, although some of it are a server's own words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadArgument(text) | Self::Unreachable(text) | Self::NotAnswered(text) | Self::Failed(text) => {
                f.write_str(&printable(text))
            }
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let text = error.to_string();
        match error {
            ClientError::Signaling(
                // Logins are refused for their names; for tokens there is another error.
                SignalingError::BadText | SignalingError::BadName | SignalingError::LoginRefused(_),
            )
            | ClientError::Call(CallError::SelfCall)
            | ClientError::Constraint(_) => Self::BadArgument(text),
            ClientError::Signaling(SignalingError::Insecure(_)) => {
                Self::Unreachable(format!("{text}: use wss://, or allow it by --allow-insecure"))
            }
            ClientError::Signaling(_) => Self::Unreachable(text),
            _ => Self::Failed(text),
        }
    }
}

/// What the end of a call with this person means for the exit code: nothing where it ended as asked.
pub(crate) fn of_call(with: &str, reason: EndReason, connected: bool) -> Result<(), Failure> {
    let text = format!("{} ({})", texts::end(reason).replace("{name}", &printable(with)), reason.as_str());
    match reason {
        EndReason::HungUpLocally | EndReason::HungUpRemotely if connected => Ok(()),
        EndReason::NoPath
        | EndReason::ConnectionFailed
        | EndReason::NegotiationFailed
        | EndReason::NoCommonCodec
        | EndReason::HandshakeFailed
        | EndReason::MediaFailedLocally
        | EndReason::MediaFailedRemotely => Err(Failure::Failed(text)),
        _ => Err(Failure::NotAnswered(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_reason_stays_on_one_line_and_moves_no_cursor() {
        let refused = SignalingError::LoginRefused("no\r\nroot:\u{1b}[2J".to_owned());
        let text = Failure::from(ClientError::Signaling(refused)).to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(char::is_control), "{text}");
    }
}
