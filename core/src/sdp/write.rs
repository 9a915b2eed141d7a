//! Offers and answers as the other side gets them: a section for each m-line, those that are not used refused in their place.

use super::formats::{self, Numbers, VideoNumber};
use super::read::{Description, Direction, Section};
use super::session::{Kind, Line, Role, SDES_MID, Session, TRANSPORT_CC};
use std::fmt::{Result, Write};

/// What one format has: number, name with clock rate, parameters, feedback.
struct Format {
    number: u8,
    name: String,
    parameters: Option<String>,
    feedback: Vec<&'static str>,
}

impl Session {
    /// The answer to `offer`, with the transport of `own`, the crate's answer.
    pub(crate) fn write_answer(&self, offer: &Description, own: &Description) -> String {
        let mut text = String::new();
        let group = offer.bundle.as_deref();
        let bundled = |line: &Line| group.is_some_and(|group| line.mid.as_ref().is_some_and(|mid| group.contains(mid)));
        // Writing to a string does not fail.
        let _ = self.head(&mut text, own, bundled, group.is_some(), offer.extmap_allow_mixed);
        let setup = if self.role == Some(Role::Server) { "passive" } else { "active" };
        for (n, (line, section)) in self.lines.iter().zip(&offer.sections).enumerate() {
            let formats = match line.used {
                Some(Kind::Audio) => self.answered_audio(section),
                Some(Kind::Video) => self.answered_video(section),
                _ => Vec::new(),
            };
            let known = [TRANSPORT_CC, SDES_MID];
            let extensions =
                section.extensions.iter().filter(|(_, uri)| known.contains(&uri.as_str())).cloned().collect();
            let _ = self.section(&mut text, own, n, setup, &formats, extensions, false);
        }
        text
    }

    /// The offer that [`Self::offering`] stands for, with the transport of `own`, the crate's offer.
    pub(crate) fn write_offer(&self, own: &Description) -> String {
        let mut text = String::new();
        let _ = self.head(&mut text, own, |line| line.mid.is_some(), true, true);
        for (n, line) in self.lines.iter().enumerate() {
            let (formats, extensions) = match line.used {
                Some(Kind::Audio) => (self.offered_audio(), self.own_section(own, Kind::Audio)),
                Some(Kind::Video) => (self.offered_video(), self.own_section(own, Kind::Video)),
                _ => (Vec::new(), None),
            };
            let extensions = extensions.map(|section| section.extensions.clone()).unwrap_or_default();
            let _ = self.section(&mut text, own, n, "actpass", &formats, extensions, true);
        }
        text
    }

    fn head(
        &self,
        text: &mut String,
        own: &Description,
        bundled: impl Fn(&Line) -> bool,
        group: bool,
        allow_mixed: bool,
    ) -> Result {
        write!(text, "v=0\r\no={}\r\ns=-\r\nt=0 0\r\n", own.origin)?;
        for (hash, value) in &own.session.fingerprints {
            write!(text, "a=fingerprint:{hash} {value}\r\n")?;
        }
        if allow_mixed {
            text.push_str("a=extmap-allow-mixed\r\n");
        }
        if group {
            text.push_str("a=group:BUNDLE");
            for line in self.lines.iter().filter(|line| line.used.is_some() && bundled(line)) {
                write!(text, " {}", line.mid.as_deref().unwrap_or_default())?;
            }
            text.push_str("\r\n");
        }
        text.push_str("a=msid-semantic: WMS *\r\na=ice-options:trickle\r\n");
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // one call for each of the two kinds of description
    fn section(
        &self,
        text: &mut String,
        own: &Description,
        n: usize,
        setup: &str,
        formats: &[Format],
        extensions: Vec<(u16, String)>,
        offers: bool,
    ) -> Result {
        let Some(line) = self.lines.get(n) else { return Ok(()) };
        let port = if line.used.is_some() { 9 } else { 0 };
        write!(text, "m={} {port} {}", line.kind, line.protocol)?;
        for format in formats {
            write!(text, " {}", format.number)?;
        }
        if formats.is_empty() {
            for format in &line.formats {
                write!(text, " {format}")?;
            }
        }
        text.push_str("\r\nc=IN IP4 0.0.0.0\r\n");
        if let Some(mid) = &line.mid {
            write!(text, "a=mid:{mid}\r\n")?;
        }
        let Some(kind) = line.used else {
            text.push_str("a=inactive\r\n");
            return Ok(());
        };
        let credentials = own.sections.iter().find_map(|section| section.ufrag.as_ref().zip(section.pwd.as_ref()));
        if let Some((ufrag, pwd)) = credentials {
            write!(text, "a=setup:{setup}\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n")?;
        }
        if kind == Kind::Data {
            text.push_str("a=sctp-port:5000\r\n");
            let size = self.own_section(own, kind).and_then(|section| section.max_message_size);
            return size.map_or(Ok(()), |size| write!(text, "a=max-message-size:{size}\r\n"));
        }
        text.push_str("a=rtcp-mux\r\na=rtcp-rsize\r\n");
        for format in formats {
            let number = format.number;
            write!(text, "a=rtpmap:{number} {}\r\n", format.name)?;
            if let Some(parameters) = &format.parameters {
                write!(text, "a=fmtp:{number} {parameters}\r\n")?;
            }
            for feedback in &format.feedback {
                write!(text, "a=rtcp-fb:{number} {feedback}\r\n")?;
            }
        }
        for (id, uri) in extensions {
            write!(text, "a=extmap:{id} {uri}\r\n")?;
        }
        let direction = self.direction(n, kind, offers);
        write!(text, "a={}\r\n", direction.as_str())?;
        if direction.sends() {
            for source in self.own_section(own, kind).into_iter().flat_map(|section| &section.source_lines) {
                write!(text, "a={source}\r\n")?;
            }
        }
        Ok(())
    }

    /// What goes on an m-line, as this side says it: in an answer what does, in an offer what may.
    fn direction(&self, n: usize, kind: Kind, offers: bool) -> Direction {
        let Some(media) = self.media(kind) else { return Direction::SendRecv };
        if offers {
            return Direction::of(media.home == Some(n), media.receive.or(media.home) == Some(n));
        }
        Direction::of(media.send == Some(n), media.receive == Some(n))
    }

    /// The crate's section for a kind.
    fn own_section<'a>(&self, own: &'a Description, kind: Kind) -> Option<&'a Section> {
        own.sections.get(self.plain.iter().position(|line| line.0 == kind)?)
    }

    fn answered_audio(&self, section: &Section) -> Vec<Format> {
        let (opus, red) = formats::audio(section);
        let feedback = |number| formats::feedback(section, number, &formats::AUDIO_FEEDBACK);
        let mut formats = audio(opus, red, feedback);
        let (at_48k, at_8k) = formats::telephone_events(section);
        formats.extend(telephone_events(at_48k, at_8k));
        formats
    }

    fn answered_video(&self, section: &Section) -> Vec<Format> {
        let numbers = formats::video(section, &self.codecs);
        let mut formats = video(&numbers, |number| formats::feedback(section, number, &formats::VIDEO_FEEDBACK));
        let number = formats::flexfec(section).filter(|_| !numbers.is_empty());
        let feedback = |number| formats::feedback(section, number, &formats::FLEXFEC_FEEDBACK);
        formats.extend(number.map(|number| flexfec(number, feedback(number))));
        formats
    }

    fn offered_audio(&self) -> Vec<Format> {
        let Numbers { opus, red, dtmf, dtmf_8k, .. } = self.receive;
        let mut formats = audio(opus, red, |_| formats::AUDIO_FEEDBACK.to_vec());
        formats.extend(telephone_events(dtmf, dtmf_8k));
        formats
    }

    fn offered_video(&self) -> Vec<Format> {
        let mut formats = video(&self.receive.video, |_| formats::VIDEO_FEEDBACK.to_vec());
        let number = self.receive.flexfec;
        formats.extend(number.map(|number| flexfec(number, formats::FLEXFEC_FEEDBACK.to_vec())));
        formats
    }
}

fn audio(opus: Option<u8>, red: Option<u8>, feedback: impl Fn(u8) -> Vec<&'static str>) -> Vec<Format> {
    let format = |number: u8, name: &str, parameters: String| Format {
        number,
        name: format!("{name}/48000/2"),
        parameters: Some(parameters),
        feedback: feedback(number),
    };
    let opus_format = opus.map(|number| format(number, "opus", formats::OPUS_FMTP.to_owned()));
    // Opus before RED, so that browsers, which take both, send plain Opus.
    let red_format = red.zip(opus).map(|(number, opus)| format(number, "red", format!("{opus}/{opus}")));
    opus_format.into_iter().chain(red_format).collect()
}

fn telephone_events(at_48k: Option<u8>, at_8k: Option<u8>) -> impl Iterator<Item = Format> {
    let format = |number: Option<u8>, rate: u32| {
        number.map(|number| Format {
            number,
            name: format!("telephone-event/{rate}"),
            parameters: Some(formats::DTMF_FMTP.to_owned()),
            feedback: Vec::new(),
        })
    };
    [format(at_48k, 48_000), format(at_8k, 8_000)].into_iter().flatten()
}

/// Repair packets name the stream that they protect, so no line about sources has to.
fn flexfec(number: u8, feedback: Vec<&'static str>) -> Format {
    let parameters = Some(formats::FLEXFEC_FMTP.to_owned());
    Format { number, name: "flexfec-03/90000".to_owned(), parameters, feedback }
}

fn video(numbers: &[VideoNumber], feedback: impl Fn(u8) -> Vec<&'static str>) -> Vec<Format> {
    let mut all = Vec::new();
    for number in numbers {
        all.push(Format {
            number: number.payload_type,
            name: format!("{}/90000", formats::name(number.codec)),
            parameters: number.fmtp(),
            feedback: feedback(number.payload_type),
        });
        all.extend(number.rtx.map(|rtx| Format {
            number: rtx,
            name: "rtx/90000".to_owned(),
            parameters: Some(format!("apt={}", number.payload_type)),
            feedback: Vec::new(),
        }));
    }
    all
}
