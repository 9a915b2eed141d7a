//! Frames that are no messages.

use serde_json::json;

/// Text frames that a client must count as malformed and live on.
pub fn malformed_frames() -> Vec<String> {
    let mut frames: Vec<String> = [
        "",
        " ",
        "{",
        "nonsense",
        "1",
        "null",
        "true",
        "\"text\"",
        "[]",
        "{}",
        "[{\"type\":\"id\",\"id\":1}]",
        "\u{feff}{}",
        "{\"type\":\"message\",\"text\":\"a\"",
        "{'type':'message'}",
        "{\"type\":\"message\",\"text\":\"\\ud800\"}",
    ]
    .map(str::to_owned)
    .into();
    frames.extend(
        [
            json!({"text": "no type"}),
            json!({"type": null}),
            json!({"type": 1}),
            json!({"type": ["message"]}),
            json!({"type": "id"}),
            json!({"type": "id", "id": "1"}),
            json!({"type": "id", "id": -1}),
            json!({"type": "id", "id": 1e300}),
            json!({"type": "id", "id": 1, "iceServers": "stun:a"}),
            json!({"type": "id", "id": 1, "resume": 7}),
            json!({"type": "userlist"}),
            json!({"type": "userlist", "users": "ana"}),
            json!({"type": "userlist", "users": [1, {}]}),
            json!({"type": "rejectusername", "id": 1}),
            json!({"type": "rejectusername", "id": 1, "name": null}),
            json!({"type": "message", "name": "ana"}),
            json!({"type": "message", "text": ["a"]}),
            json!({"type": "message", "text": "a", "name": {"x": 1}}),
            json!({"type": "message", "text": "a", "date": "yesterday"}),
            json!({"type": "video-offer", "name": "ana"}),
            json!({"type": "video-offer", "name": "ana", "sdp": "v=0"}),
            json!({"type": "video-offer", "name": "ana", "sdp": {"type": "invitation", "sdp": "v=0"}}),
            json!({"type": "video-offer", "name": 1, "sdp": {"type": "offer", "sdp": "v=0"}}),
            json!({"type": "video-answer", "name": "ana", "sdp": {"type": "answer"}}),
            json!({"type": "video-answer", "name": "ana", "call": "no uuid", "sdp": {"type": "answer", "sdp": "v=0"}}),
            json!({"type": "new-ice-candidate", "candidate": "candidate:1"}),
            json!({"type": "new-ice-candidate", "candidate": {"sdpMid": "0"}}),
            json!({"type": "new-ice-candidate", "candidate": {"candidate": "", "sdpMLineIndex": -1}}),
            json!({"type": "new-ice-candidate", "candidate": {"candidate": "", "sdpMLineIndex": 70_000}}),
            json!({"type": "hang-up", "name": "ana", "reason": 3}),
            json!({"type": "hang-up", "name": ["ana"]}),
            json!({"type": "call-ringing", "call": 1}),
            json!({"type": "media-state", "audio": "on"}),
            json!({"type": "error", "code": 7, "message": "m"}),
            json!({"type": "error", "code": "full"}),
        ]
        .map(|frame| frame.to_string()),
    );
    // Deeper than any reader should follow.
    frames.push(format!("{{\"type\":\"wave\",\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)));
    frames
}

/// A well-formed message that is longer than a frame may be.
pub fn huge_frame() -> String {
    json!({"type": "message", "text": "x".repeat(70_000), "id": 1, "date": 1}).to_string()
}
