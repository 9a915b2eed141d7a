//! Written by `cargo xtask texts` from docs/texts.json: change it there.

use chamada::call::EndReason;

/// Why a call ended, with `{name}` for the person at the other end.
pub(crate) fn end(reason: EndReason) -> &'static str {
    match reason {
        EndReason::HungUpLocally => "You ended the call with {name}.",
        EndReason::HungUpRemotely => "{name} ended the call.",
        EndReason::DeclinedLocally => "You declined the call from {name}.",
        EndReason::DeclinedRemotely => "{name} declined the call.",
        EndReason::Busy => "{name} is in another call.",
        EndReason::Timeout => "Nobody answered in time.",
        EndReason::CancelledLocally => "You cancelled the call to {name}.",
        EndReason::CancelledRemotely => "You missed a call from {name}.",
        EndReason::Unreachable => "{name} is not here any more.",
        EndReason::NoPath => "No way between your network and that of {name} was found.",
        EndReason::ConnectionFailed => "The connection with {name} failed.",
        EndReason::NegotiationFailed => "The call with {name} could not be set up.",
        EndReason::NoCommonCodec => "You and {name} have no way to send sound or pictures in common.",
        EndReason::HandshakeFailed => "The call with {name} could not be secured, so it was not connected.",
        EndReason::MediaFailedLocally => "Your camera or microphone failed.",
        EndReason::MediaFailedRemotely => "The camera or microphone of {name} failed.",
        EndReason::AnsweredElsewhere => "The call from {name} was answered on another device.",
    }
}
