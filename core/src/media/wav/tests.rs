use super::*;
use crate::media::capture::AudioReceiver;
use crate::media::test_dir::TestDir;
use proptest::prelude::*;
use std::f64::consts::TAU;
use std::sync::{Arc, mpsc};

fn spec(sample_rate: u32, channels: u16, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
    WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

/// A file with one second of a sine of 1 kHz at half of full scale, the same in all channels.
fn sine(path: &Path, spec: WavSpec) {
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for index in 0..spec.sample_rate {
        let value = 0.5 * (TAU * 1000.0 * f64::from(index) / f64::from(spec.sample_rate)).sin();
        for _ in 0..spec.channels {
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                SampleFormat::Int => {
                    let full = 2f64.powi(i32::from(spec.bits_per_sample) - 1);
                    writer.write_sample((value * full) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
}

#[test]
fn every_format_becomes_the_same_sound_at_48_khz() {
    let dir = TestDir::new();
    let formats = [
        spec(48_000, 1, 16, SampleFormat::Int),
        spec(44_100, 2, 16, SampleFormat::Int),
        spec(8_000, 1, 8, SampleFormat::Int),
        spec(16_000, 1, 24, SampleFormat::Int),
        spec(96_000, 6, 32, SampleFormat::Int),
        spec(22_050, 2, 32, SampleFormat::Float),
        spec(11_027, 1, 16, SampleFormat::Int),
    ];
    for spec in formats {
        sine(&dir.path("a.wav"), spec);
        let mut player = Player::open(&dir.path("a.wav")).unwrap();
        let mut sound = vec![0; 2 * 48_000];
        player.fill(&mut sound).unwrap();
        // In the middle of the first second, far from the seam where the file begins again.
        let tolerance = if spec.bits_per_sample == 8 { 260.0 } else { 40.0 };
        let worst = (5_000..40_000)
            .map(|index| {
                let want = 16_384.0 * (TAU * 1000.0 * index as f64 / 48_000.0).sin();
                (f64::from(sound[index]) - want).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < tolerance, "{spec:?}: off by {worst}");
        let crossings = sound[48_000..].windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((998..=1002).contains(&crossings), "{spec:?}: {crossings} waves in the second round");
    }
}

#[test]
fn sound_above_what_48_khz_can_carry_is_taken_out() {
    let mut resampler = Resampler::new(192_000);
    let mut index = 0;
    let mut peak = 0f32;
    for number in 0..4_800 {
        let sample = resampler.next(|| {
            index += 1;
            Ok::<_, ()>((TAU * 40_000.0 * f64::from(index) / 192_000.0).sin() as f32)
        });
        if number > 200 {
            peak = peak.max(sample.unwrap().abs());
        }
    }
    assert!(peak < 0.001, "{peak}");
}

struct Sounds(Mutex<mpsc::Sender<Vec<i16>>>);

impl AudioReceiver for Sounds {
    fn push(&self, samples: &[i16]) {
        let _ = self.0.lock().unwrap().send(samples.to_vec());
    }
}

#[test]
fn what_was_written_comes_out_of_the_microphone_again_and_again() {
    let dir = TestDir::new();
    let writer = WavWriter::create(dir.path("a.wav")).unwrap();
    let sound: Vec<i16> = (0..960).map(|index| index * 30 - 14_000).collect();
    writer.write(&sound);
    assert_eq!(writer.finish().unwrap(), 960);
    let (sender, receiver) = mpsc::channel();
    let microphone = WavMicrophone::open(dir.path("a.wav")).unwrap();
    let sink = AudioSink::new(Arc::new(Sounds(Mutex::new(sender))));
    let handle = microphone.open_microphone(sink).unwrap();
    let heard: Vec<_> = receiver.iter().take(4).flatten().collect();
    drop(handle);
    assert_eq!(heard, [&sound[..], &sound[..]].concat());
}

#[test]
fn a_recording_is_readable_each_second_even_if_nobody_ends_it() {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.wav"), "kept").unwrap();
    let writer = WavWriter::create(dir.path("a.wav")).unwrap();
    writer.write(&[]);
    assert_eq!(std::fs::read(dir.path("a.wav")).unwrap(), b"kept");
    for _ in 0..150 {
        writer.write(&[7; 480]);
    }
    let reader = hound::WavReader::open(dir.path("a.wav")).unwrap();
    assert_eq!(reader.duration(), 48_000);
    drop(writer);
    assert_eq!(hound::WavReader::open(dir.path("a.wav")).unwrap().duration(), 72_000);
    assert!(WavWriter::create(dir.path("no/a.wav")).is_err());
}

fn open(bytes: &[u8]) -> Result<WavMicrophone, FileError> {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.wav"), bytes).unwrap();
    let microphone = WavMicrophone::open(dir.path("a.wav"))?;
    let mut block = vec![0; 5_000];
    Player::open(&dir.path("a.wav"))?.fill(&mut block)?;
    Ok(microphone)
}

fn good() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec(16_000, 2, 16, SampleFormat::Int)).unwrap();
    (0..200).for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

#[test]
fn bad_files_are_refused_with_what_is_wrong() {
    let good = good();
    open(&good).unwrap();
    for (bad, said) in [
        (&b""[..], "no WAV file"),
        (b"YUV4MPEG2 W2", "no WAV file"),
        (&good[..20], "its chunk 'fmt ' has 0 of 16 bytes"),
        (&good[..40], "no sound"),
        (&good[..good.len() - 380], "400 bytes of sound are announced, 20 are there"),
    ] {
        let error = open(bad).unwrap_err();
        assert!(matches!(error, FileError::Format { .. }), "{error}");
        assert!(error.to_string().contains("a.wav") && error.to_string().contains(said), "{error}");
    }
    let mut fast = good.clone();
    fast[24..28].copy_from_slice(&1_000_000u32.to_le_bytes());
    fast[28..32].copy_from_slice(&4_000_000u32.to_le_bytes());
    assert!(matches!(open(&fast), Err(FileError::Unsupported { .. })));
    assert!(matches!(WavMicrophone::open("/there/is/no/such.wav"), Err(FileError::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_it_panic(changes in prop::collection::vec((0usize..60, any::<u8>()), 1..4), keep in 0usize..450) {
        let mut bytes = good();
        for (index, value) in changes {
            bytes[index] = value;
        }
        bytes.truncate(keep);
        let _ = open(&bytes);
    }
}
