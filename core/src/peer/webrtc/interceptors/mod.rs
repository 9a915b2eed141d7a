//! Links of the crate's packet chain that are our own. Each lies between the wire and the application at a number: the
//! lower, the nearer to the wire.

pub(super) mod counters;
pub(super) mod estimate;
pub(super) mod keyframe;
pub(super) mod responder;
pub(super) mod rtx;

/// The queues and the pass-through that every link needs, for a link that handles packets in `read` and `write`.
macro_rules! chain_link {
    ($link:ty) => {
        impl rtc::sansio::Protocol<rtc::interceptor::TaggedPacket, rtc::interceptor::TaggedPacket, ()> for $link {
            type Rout = rtc::interceptor::TaggedPacket;
            type Wout = rtc::interceptor::TaggedPacket;
            type Eout = ();
            type Error = rtc::shared::error::Error;
            type Time = std::time::Instant;

            fn handle_read(&mut self, packet: rtc::interceptor::TaggedPacket) -> Result<(), Self::Error> {
                let packet = self.read(packet);
                self.reads.push_back(packet);
                Ok(())
            }

            fn poll_read(&mut self) -> Option<Self::Rout> {
                self.reads.pop_front()
            }

            fn handle_write(&mut self, packet: rtc::interceptor::TaggedPacket) -> Result<(), Self::Error> {
                let packet = self.write(packet);
                self.writes.push_back(packet);
                Ok(())
            }

            fn poll_write(&mut self) -> Option<Self::Wout> {
                self.writes.pop_front()
            }
        }
    };
}
pub(super) use chain_link;

/// Packets on their way through one link.
pub(super) type Queue = std::collections::VecDeque<rtc::interceptor::TaggedPacket>;
