//! Video: codecs behind one trait each, and the pipelines from camera to peer and from peer to renderer.

pub mod codec;
