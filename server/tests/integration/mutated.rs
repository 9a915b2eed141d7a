//! Frames as a broken or hostile client makes them: known ones with bytes changed, cut, doubled. `MUTATED_FRAMES` says how many.

use crate::support::{config, start};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::Message;

/// xorshift64: the same frames every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

const FRAMES: [&str; 12] = [
    r#"{"type":"username","name":"eva","id":3,"date":1,"resume":"x","features":["user-delta"]}"#,
    r#"{"type":"message","text":"hello <b>you</b>","id":3,"date":1}"#,
    r#"{"type":"video-offer","target":"ana","call":"67e55044-10b1-426f-9247-bb680e5fe0c8","sdp":{"type":"offer","sdp":"v=0"}}"#,
    r#"{"type":"video-answer","target":"ana","sdp":{"type":"answer","sdp":"v=0"}}"#,
    r#"{"type":"new-ice-candidate","target":"ana","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}}"#,
    r#"{"type":"hang-up","target":null,"reason":"declined"}"#,
    r#"{"type":"media-state","target":"ana","audio":true,"video":false,"facing":"user"}"#,
    r#"{"type":"block","name":"zoe"}"#,
    r#"{"type":"userlist-request"}"#,
    r#"{"type":"wave","target":"ana","deep":[[[[{"a":[1e308,-0,null]}]]]]}"#,
    r#"{"type":"unblock","name":"ana"}"#,
    "\u{202E}{\"type\":\"message\",\"text\":\"\u{E0041}\u{3164}\"}",
];

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut frame = FRAMES[random.below(FRAMES.len())].as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(frame.len());
        match random.below(5) {
            0 => frame[at] = random.below(256) as u8,
            1 => frame.truncate(at),
            2 => frame.extend_from_within(at..),
            3 => drop(frame.remove(at)),
            _ => frame.splice(at..at, *b"[{\"").for_each(drop),
        }
        if frame.is_empty() {
            break;
        }
    }
    frame
}

#[tokio::test]
async fn mutated_frames_do_no_harm() {
    let count = std::env::var("MUTATED_FRAMES").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let mut config = config();
    let limits = &mut config.limits;
    (limits.messages_per_second, limits.burst, limits.bytes_per_second) = (u32::MAX, u32::MAX, u32::MAX);
    (limits.renames_per_minute, limits.renames_burst) = (u32::MAX, u32::MAX);
    let server = start(config).await;
    let mut ana = server.log_in("ana").await;
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut sent = 0;
    while sent < count {
        let eva = server.log_in("eva").await;
        let (mut sink, mut stream) = eva.socket.split();
        let read = tokio::spawn(async move { while stream.next().await.is_some_and(|frame| frame.is_ok()) {} });
        // A frame that is no UTF-8 ends its connection, as RFC 6455 section 8.1 has it: then comes the next.
        while sent < count {
            let frame = mutated(&mut random);
            sent += 1;
            let text = String::from_utf8_lossy(&frame).into_owned();
            let message = if random.below(100) == 0 { Message::binary(frame) } else { Message::text(text) };
            if sink.feed(message).await.is_err() {
                break;
            }
            if sent % 64 == 0 {
                if sink.flush().await.is_err() {
                    break;
                }
                while timeout(Duration::from_micros(1), ana.socket.next()).await.is_ok_and(|frame| frame.is_some()) {}
            }
        }
        let _ = sink.close().await;
        let _ = timeout(Duration::from_secs(5), read).await;
    }
    // Others still come, talk and call.
    let mut bia = server.log_in("bia").await;
    bia.send(json!({"type": "video-offer", "target": "ana", "sdp": {"type": "offer", "sdp": "still here"}})).await;
    while ana.next_of(&["video-offer"]).await["sdp"]["sdp"] != "still here" {}
    println!("{sent} frames");
}
