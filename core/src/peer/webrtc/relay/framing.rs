//! STUN messages and ChannelData on a stream: both have their length in front (RFC 8656 sections 3.1 and 12.5).

use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest message that is read, header included: more than any packet that a relay passes on.
const MAX_MESSAGE: usize = 4096;

/// Reads one message, as it would be in a datagram: without padding.
///
/// # Errors
/// Those of the stream; [`ErrorKind::InvalidData`] for what is neither STUN nor ChannelData, or longer than 4 KiB.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let [first, _, high, low] = header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (length, padding) = match first >> 6 {
        0 if length % 4 == 0 => (20 + length, 0),
        1 => (4 + length, length.next_multiple_of(4) - length),
        _ => return Err(Error::new(ErrorKind::InvalidData, "this is no TURN server")),
    };
    if length > MAX_MESSAGE {
        return Err(Error::new(ErrorKind::InvalidData, "a message of the TURN server is too long"));
    }
    let mut message = vec![0; length + padding];
    let (start, rest) = message.split_at_mut(4);
    start.copy_from_slice(&header);
    stream.read_exact(rest).await?;
    message.truncate(length);
    Ok(message)
}

/// As it is written to a stream: ChannelData is padded to a multiple of four bytes.
pub(super) fn padded(datagram: &[u8]) -> Vec<u8> {
    let mut message = datagram.to_vec();
    message.resize(datagram.len().next_multiple_of(4), 0);
    message
}

/// The transaction of a STUN request (RFC 8489 section 5); `None` for anything else.
pub(super) fn request(datagram: &[u8]) -> Option<[u8; 12]> {
    let (&[t0, t1], _) = datagram.split_first_chunk::<2>()?;
    // The two bits of the class are 0 for requests.
    let is_request = t0 & 0xc0 == 0 && t0 & 0x01 == 0 && t1 & 0x10 == 0;
    let transaction = datagram.get(8..20)?;
    is_request.then(|| transaction.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(kind: [u8; 2], body: usize) -> Vec<u8> {
        let mut message = vec![kind[0], kind[1], (body >> 8) as u8, body as u8, 0x21, 0x12, 0xa4, 0x42];
        message.extend(0..12);
        message.extend((0..body).map(|n| n as u8));
        message
    }

    #[tokio::test]
    async fn messages_come_out_of_a_stream_as_they_were_in_datagrams() {
        let messages =
            [stun([0x01, 0x13], 16), vec![0x40, 0, 0, 5, 1, 2, 3, 4, 5], vec![0x4f, 0xff, 0, 0], stun([0, 1], 0)];
        let stream: Vec<u8> = messages.iter().flat_map(|message| padded(message)).collect();
        assert_eq!(stream.len() % 4, 0);
        let mut stream = stream.as_slice();
        for message in messages {
            assert_eq!(read(&mut stream).await.unwrap(), message);
        }
        assert_eq!(read(&mut stream).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_a_turn_server_does_not_say_ends_the_stream() {
        for wrong in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            &[0x80; 40],
            &[0x40, 0, 0xff, 0xff],
            &[0, 1, 0, 3],
            &[0, 1, 0xff, 0xfc],
        ] {
            assert_eq!(read(&mut { wrong }).await.unwrap_err().kind(), ErrorKind::InvalidData, "{wrong:?}");
        }
    }

    #[test]
    fn requests_are_told_from_what_is_sent_once() {
        let allocate = stun([0x00, 0x03], 8);
        assert_eq!(request(&allocate), Some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
        for other in [stun([0x00, 0x16], 8), stun([0x01, 0x03], 8), stun([0x01, 0x13], 8), vec![0x40; 30], vec![0; 7]] {
            assert_eq!(request(&other), None);
        }
    }
}
