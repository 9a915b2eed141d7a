//! The command's arguments.

#![allow(rustdoc::bare_urls, reason = "what is said here is read in a terminal")]

use crate::settings::ServeArgs;
use chamada::FacingMode;
use chamada::media::dtmf::DtmfTones;
use chamada::media::screen::ContentHint;
use chamada::media::synthetic::{BadFormat, SyntheticConfig};
use chamada::media::video::DegradationPreference;
use chamada::media::video::codec::VideoCodec;
use chamada::net::{BadProxy, Proxy};
use chamada::roots::RootCertificates;
use chamada::signaling::ice_url::{BadIceUrl, IceUrl};
use chamada::signaling::message::IceServer;
use chamada::signaling::session::check_name;
use chamada::text::{MAX_CHARS, TextError, clean};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// 1:1 video calls by one Rust core. Without a command: the demo.
#[derive(Parser)]
#[command(name = "chamada", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) demo: DemoArgs,
    /// Log what happens inside to standard error (CHAMADA_LOG has finer control)
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start a server, a peer 'eco' that answers with your own picture and sound, and a short self-check call
    Demo(DemoArgs),
    /// Run the signaling server and the web page
    Serve(Box<ServeArgs>),
    /// Call somebody and wait until the call ends
    Call(CallArgs),
    /// Wait for a call and answer it
    Answer(AnswerArgs),
    /// Print a token for trying out a server that was started with --auth-secret
    Token(TokenArgs),
}

#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// Stop by itself after so many seconds instead of at Ctrl-C
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: Option<Duration>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    /// The server's file of secrets; the first one signs
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_secret: PathBuf,
    /// Whom the token is for: the same for all devices of one person
    #[arg(long, value_name = "ID")]
    pub(crate) sub: String,
    /// The person's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The only room where it is good; without it, all are
    #[arg(long, value_name = "NAME")]
    pub(crate) room: Option<String>,
    /// How many seconds it is good for
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true, default_value = "3600")]
    pub(crate) seconds: Duration,
    /// The claim 'aud'
    #[arg(long, value_name = "NAME")]
    pub(crate) auth_audience: Option<String>,
    /// The claim 'iss'
    #[arg(long, value_name = "NAME")]
    pub(crate) auth_issuer: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct CallArgs {
    /// Whom to call; waits for them to log in
    #[arg(value_parser = name)]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) common: PeerArgs,
}

#[derive(clap::Args)]
pub(crate) struct AnswerArgs {
    /// Answer this person only; decline everybody else
    #[arg(long, value_name = "USER", value_parser = name)]
    pub(crate) from: Option<String>,
    /// Decline the first call instead of answering it
    #[arg(long)]
    pub(crate) decline: bool,
    /// Wait for the next call after each, until Ctrl-C; a call that fails does not end it
    #[arg(long, conflicts_with_all = ["wait", "save_video", "save_audio", "photo"])]
    pub(crate) forever: bool,
    #[command(flatten)]
    pub(crate) common: PeerArgs,
}

#[derive(clap::Args, Clone)]
pub(crate) struct PeerArgs {
    /// The signaling server; an old one will do
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:6503")]
    pub(crate) server: String,
    /// Accept an unencrypted ws:// server that is not this machine
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// The name to log in with
    #[arg(long, value_parser = name, default_value = "chamada-cli")]
    pub(crate) name: String,
    /// A file with the token that the server wants; read again when it has expired
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// What to send as picture: synthetic cameras, a file played in a loop, or nothing
    #[arg(long, value_name = "test|test:WxH@FPS|FILE.y4m|none", default_value = "test")]
    pub(crate) video: VideoSource,
    /// What to send as sound: a tone, a file played in a loop, or nothing
    #[arg(long, value_name = "tone|FILE.wav|none", default_value = "tone")]
    pub(crate) audio: AudioSourceArg,
    /// Which camera to start with
    #[arg(long, value_name = "user|environment", value_parser = facing, default_value = "user")]
    pub(crate) facing: FacingMode,
    /// Which video codec to prefer
    #[arg(long, value_name = "auto|vp8|h264", default_value = "auto")]
    pub(crate) codec: CodecChoice,
    /// What gives way where path or machine do not carry the picture as it is
    #[arg(long, value_name = "balanced|maintain-framerate|maintain-resolution", default_value = "balanced")]
    pub(crate) degradation: DegradationPreference,
    /// Hang up so many seconds after connecting
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: Option<Duration>,
    /// Give up when no call connects within so many seconds
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true, default_value = "60")]
    pub(crate) wait: Duration,
    /// Save the received picture
    #[arg(long, value_name = "FILE.y4m")]
    pub(crate) save_video: Option<PathBuf>,
    /// Save the received sound
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) save_audio: Option<PathBuf>,
    /// Save the last received picture as a photo (.png or .jpg)
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Option<PathBuf>,
    /// Change to the other camera so many seconds after connecting; of '--video test' alone, which has two
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) flip_after: Option<Duration>,
    /// Say this in the public chat after logging in
    #[arg(long, value_name = "TEXT")]
    pub(crate) say: Option<String>,
    /// Keys of a phone to press once the call is connected: 0 to 9, *, #, A to D; a comma waits two seconds
    #[arg(long, value_name = "DIGITS", value_parser = dtmf)]
    pub(crate) dtmf: Option<DtmfTones>,
    /// Send this private text once the call is connected; may be given more than once. What comes is printed
    #[arg(long, value_name = "TEXT", value_parser = text)]
    pub(crate) text: Vec<String>,
    /// Send this file once the call is connected; may be given more than once. Without --seconds the call ends when all are through
    #[arg(long, value_name = "FILE")]
    pub(crate) send_file: Vec<PathBuf>,
    /// Take all files that the other side sends into this folder; without it they are refused
    #[arg(long, value_name = "DIR")]
    pub(crate) receive_dir: Option<PathBuf>,
    /// Share this film, played in a loop, as a screen in place of the camera: once the call is connected, or with --commands between
    /// share-screen and stop-screen
    #[arg(long, value_name = "FILE.y4m")]
    pub(crate) screen: Option<PathBuf>,
    /// What is to be seen in the screen: detail, such as text, which stays sharp, or motion, which stays smooth
    #[arg(long, value_name = "detail|motion", default_value = "detail", requires = "screen")]
    pub(crate) content_hint: ContentHint,
    /// Take commands from standard input, one a line: hold, resume, hang-up; with --screen share-screen, stop-screen; with
    /// --call-waiting hold-and-accept, end-and-accept, decline, swap
    #[arg(long)]
    pub(crate) commands: bool,
    /// Tell of whoever calls during the call, instead of refusing them as busy
    #[arg(long, requires = "commands")]
    pub(crate) call_waiting: bool,
    /// Check the other end: print words that both people compare by voice, then take "yes" or "no" from standard input
    #[arg(long)]
    pub(crate) verify: bool,
    /// Keep the people whose words were compared in this file, and know their devices in later calls
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(crate) remember: Option<PathBuf>,
    /// STUN or TURN server; may be given more than once
    #[arg(long, value_name = "URL[,USER,PASSWORD]", value_parser = ice_server)]
    pub(crate) ice_server: Vec<IceServer>,
    /// Use relayed candidates only
    #[arg(long)]
    pub(crate) relay_only: bool,
    /// Trust these certificate authorities besides the system's: for the server and for TURN over TLS
    #[arg(long, value_name = "FILE.pem", value_parser = certificates)]
    pub(crate) ca: Option<RootCertificates>,
    /// Connect to the server and to TURN over TCP and TLS by way of this HTTP proxy
    #[arg(long, value_name = "http://[USER:PASSWORD@]HOST[:PORT]", value_parser = proxy)]
    pub(crate) proxy: Option<Proxy>,
    /// Print one JSON object a line; the last is the summary
    #[arg(long)]
    pub(crate) json: bool,
}

/// `--video`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum VideoSource {
    Test(SyntheticConfig),
    File(PathBuf),
    None,
}

impl VideoSource {
    /// The file that is played.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Test(_) | Self::None => None,
        }
    }
}

impl FromStr for VideoSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = match text {
            "none" => return Ok(Self::None),
            "test" => "1280x720@30",
            _ => match text.strip_prefix("test:") {
                Some(size) => size,
                None if text.to_ascii_lowercase().ends_with(".y4m") => return Ok(Self::File(text.into())),
                None => return Err("use test, test:WIDTHxHEIGHT@FPS, a file that ends in .y4m, or none".into()),
            },
        };
        size.parse().map(Self::Test).map_err(|error: BadFormat| error.to_string())
    }
}

/// `--audio`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AudioSourceArg {
    Tone,
    File(PathBuf),
    None,
}

impl AudioSourceArg {
    /// The file that is played.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Tone | Self::None => None,
        }
    }
}

impl FromStr for AudioSourceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tone" => Ok(Self::Tone),
            "none" => Ok(Self::None),
            _ if text.to_ascii_lowercase().ends_with(".wav") => Ok(Self::File(text.into())),
            _ => Err("use tone, a file that ends in .wav, or none".into()),
        }
    }
}

/// `--codec`: the preferred one first; the others are offered as well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodecChoice(pub(crate) Vec<VideoCodec>);

impl FromStr for CodecChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut codecs = VideoCodec::available();
        if text != "auto" {
            let first: VideoCodec = text.parse().map_err(|_| "use auto, vp8 or h264".to_owned())?;
            if !codecs.contains(&first) {
                return Err(format!("this build has no {first}"));
            }
            codecs.sort_by_key(|codec| *codec != first);
        }
        Ok(Self(codecs))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| (0.0..=31_536_000.0).contains(number));
    number
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "use a number of seconds from 0 to 31536000, a year; 2.5 is one".into())
}

/// A name as servers take it, without the spaces around it.
fn name(text: &str) -> Result<String, String> {
    check_name(text).map_err(|why| why.to_string())
}

/// A private text that can be sent.
fn text(text: &str) -> Result<String, String> {
    match clean(text).chars().count() {
        0 => Err(TextError::Empty.to_string()),
        count if count > MAX_CHARS => Err(TextError::TooLong(count).to_string()),
        _ => Ok(text.to_owned()),
    }
}

fn facing(text: &str) -> Result<FacingMode, String> {
    text.parse().map_err(|_| {
        match text.to_ascii_lowercase().as_str() {
            "back" | "rear" => "the rear camera is called 'environment', as in W3C's facingMode",
            "front" | "selfie" => "the front camera is called 'user', as in W3C's facingMode",
            _ => "use user (the front camera) or environment (the rear camera)",
        }
        .to_owned()
    })
}

pub(crate) fn ice_server(text: &str) -> Result<IceServer, String> {
    let mut parts = text.splitn(3, ',');
    let url = parts.next().unwrap_or_default();
    let turn = url.parse::<IceUrl>().map_err(|why: BadIceUrl| why.to_string())?.kind.is_turn();
    match (parts.next(), parts.next()) {
        (None, _) if turn => Err("a TURN server needs ,USER,PASSWORD".into()),
        (Some(_), None) => Err("a password is missing after the user".into()),
        (user, password) => Ok(IceServer {
            urls: vec![url.to_owned()],
            username: user.map(str::to_owned),
            credential: password.map(str::to_owned),
        }),
    }
}

fn certificates(path: &str) -> Result<RootCertificates, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    RootCertificates::from_pem(&pem).map_err(|error| error.to_string())
}

fn dtmf(keys: &str) -> Result<DtmfTones, String> {
    DtmfTones::new(keys, DtmfTones::DURATION, DtmfTones::GAP).map_err(|error| error.to_string())
}

fn proxy(text: &str) -> Result<Proxy, String> {
    text.parse().map_err(|why: BadProxy| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense_to_clap() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_test_picture_has_size_and_rate_and_impossible_ones_are_refused() {
        assert_eq!(
            "test:640x480@15".parse(),
            Ok(VideoSource::Test(SyntheticConfig { width: 640, height: 480, fps: 15.0 }))
        );
        assert_eq!("a b.Y4M".parse(), Ok(VideoSource::File("a b.Y4M".into())));
        for wrong in ["test:640", "test:0x0@30", "test:640x480@0", "test:640x480@NaN", "movie.mp4", ""] {
            assert!(wrong.parse::<VideoSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_turn_server_without_credentials_is_refused() {
        assert!(ice_server("turn:turn.example.org").is_err());
        assert!(ice_server("turn:turn.example.org,user").is_err());
        assert!(ice_server("turns:turn.example.org").is_err());
        for (wrong, why) in [
            ("http://example.org", "the URL must begin with stun:, turn: or turns:"),
            ("turn://example.org,u,p", "no // follows the scheme: write turn:HOST or stun:HOST"),
            ("turn:example.org?transport=pigeon,u,p", "the transport is neither udp nor tcp"),
            ("stun:", "the URL has no host"),
        ] {
            assert_eq!(ice_server(wrong).unwrap_err(), why);
        }
        assert!(ice_server("stun:example.org:3478?transport=udp").is_ok());
        let with_comma = ice_server("turn:turn.example.org,user,pass,word").unwrap();
        assert_eq!(with_comma.credential.as_deref(), Some("pass,word"));
    }
}
