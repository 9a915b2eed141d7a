//! Where pictures begin and end among the packets that wait, and which of them are keyframes.

use super::buffer::{Entry, PacketBuffer};

/// How far a picture is.
pub(super) enum Scan {
    /// All of it is there; its last number.
    Whole(i64),
    /// This number is the first that is not there.
    Missing(i64),
}

impl PacketBuffer {
    /// How far the picture that begins here has come.
    pub(super) fn scan(&self, first: i64, timestamp: u32) -> Scan {
        let mut expected = first;
        for (number, entry) in self.from(first) {
            if number != expected {
                return Scan::Missing(expected);
            }
            if entry.picture.is_some() {
                if entry.timestamp != timestamp {
                    return Scan::Whole(number - 1);
                }
                if entry.marker {
                    return Scan::Whole(number);
                }
            }
            expected += 1;
        }
        Scan::Missing(expected)
    }

    /// Whether any packet of this picture says that it is a keyframe.
    pub(super) fn is_keyframe(&self, first: i64, timestamp: u32) -> bool {
        let same = self.from(first).take_while(|(_, e)| e.picture.is_none() || e.timestamp == timestamp);
        same.filter_map(|(_, entry)| entry.picture).any(|(_, info)| info.keyframe)
    }

    /// Where keyframes begin, or what looks as if it will be one, from this number on. `next`: where a picture is known to begin.
    pub(super) fn keyframe_starts(&self, from: i64, next: Option<i64>) -> Vec<(i64, u32)> {
        let mut starts = Vec::new();
        // Once for each picture: its other packets know no more of where it begins, and there may be thousands of them.
        let mut looked_at = None;
        for (number, entry) in self.from(from) {
            let Some((_, info)) = entry.picture else { continue };
            if !info.announces_keyframe || looked_at == Some(entry.timestamp) {
                continue;
            }
            looked_at = Some(entry.timestamp);
            starts.extend(self.start_of(number, entry, next).map(|start| (start, entry.timestamp)));
        }
        starts
    }

    /// Where the picture of this packet begins, if that is certain.
    fn start_of(&self, number: i64, entry: &Entry, next: Option<i64>) -> Option<i64> {
        let mut start = (number, entry);
        for (before, other) in self.below(number) {
            if before != start.0 - 1 || start.1.picture.is_some_and(|(_, info)| info.begins) {
                break;
            }
            if other.picture.is_some() && (other.timestamp != entry.timestamp || other.marker) {
                return start.1.picture?.1.may_begin.then_some(start.0);
            }
            start = (before, other);
        }
        let info = start.1.picture?.1;
        (info.begins || info.may_begin && next == Some(start.0)).then_some(start.0)
    }

    /// The newest keyframe from this number on that is whole.
    pub(super) fn whole_keyframe(&self, from: i64, next: Option<i64>) -> Option<(i64, i64)> {
        self.keyframe_starts(from, next).into_iter().rev().find_map(|(start, timestamp)| {
            match self.scan(start, timestamp) {
                Scan::Whole(last) if self.is_keyframe(start, timestamp) => Some((start, last)),
                _ => None,
            }
        })
    }
}
