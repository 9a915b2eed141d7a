//! What can be told of an Opus packet (RFC 6716) without decoding it.

use crate::media::capture::SAMPLE_RATE;

/// How many samples a packet sounds, if it is one: 2.5 to 120 ms (RFC 6716, section 3).
pub(super) fn samples(payload: &[u8]) -> Option<usize> {
    if payload.is_empty() {
        return None;
    }
    opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok().filter(|samples| (120..=5760).contains(samples))
}

/// How many samples right before it a packet carries again, at a lower rate, if it does: the LBRR flag of RFC 6716, sections 4.2.3 and
/// 4.2.4. It stands after the voice activity flags, one for each 20 ms, with which the packet's first frame begins for each channel.
/// A packet of several frames repeats for each of them the one before, of which only that before the first is of use.
pub(super) fn fec_samples(payload: &[u8]) -> Option<usize> {
    let packet = opus::packet::parse(payload).ok()?;
    // Configurations from 16 on are CELT alone, which has no such thing.
    let (configuration, stereo) = (packet.toc >> 3, packet.toc & 4 != 0);
    let &head = packet.frames.first().and_then(|frame| frame.first()).filter(|_| configuration < 16)?;
    let samples = opus::packet::get_samples_per_frame(payload, SAMPLE_RATE).ok()?;
    let voice_flags = (samples / 960).max(1);
    let set = |bit: usize| bit < 8 && head >> (7 - bit) & 1 == 1;
    (set(voice_flags) || stereo && set(2 * voice_flags + 1)).then_some(samples)
}
