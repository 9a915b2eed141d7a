/// Samples between two threads, oldest out first. When it is full, the oldest go: what is late is worth less than what is new.
/// It takes no memory after its making, so that the thread of a sound device may use it.
public struct SampleRingBuffer: Sendable {
    private var samples: [Int16]
    private var start = 0
    public private(set) var count = 0
    /// Samples that were lost because nobody took them in time.
    public private(set) var dropped = 0

    public init(capacity: Int) {
        samples = [Int16](repeating: 0, count: max(capacity, 1))
    }

    public var capacity: Int { samples.count }

    public mutating func write(_ sample: Int16) {
        samples[(start + count) % samples.count] = sample
        if count < samples.count {
            count += 1
        } else {
            start = (start + 1) % samples.count
            dropped += 1
        }
    }

    public mutating func write(_ block: UnsafeBufferPointer<Int16>) {
        for sample in block { write(sample) }
    }

    /// Fills the block, with silence at its end where there is too little; returns how much was there.
    public mutating func read(into block: UnsafeMutableBufferPointer<Int16>) -> Int {
        let have = min(count, block.count)
        for index in 0..<have { block[index] = samples[(start + index) % samples.count] }
        for index in have..<block.count { block[index] = 0 }
        start = (start + have) % samples.count
        count -= have
        return have
    }
}

/// Sound from one number of samples per second to another, by straight lines between samples: good enough for speech from a
/// headset with 8 to 24 kHz, and exact where both are the same.
public struct RateConverter: Sendable {
    private let step: Double
    private var position = 0.0
    private var last: Int16 = 0

    public init(from: Double, to: Double) {
        step = to > 0 && from > 0 ? from / to : 1
    }

    /// Each sample that can be made of these; what lies beyond the last waits for the next block.
    public mutating func convert(_ block: UnsafeBufferPointer<Int16>) -> [Int16] {
        if step == 1 || block.isEmpty { return Array(block) }
        var out: [Int16] = []
        // Position 0 is the last sample of the block before, 1 the first of this one.
        while position < Double(block.count) {
            let index = Int(position)
            let (before, after) = (Double(index == 0 ? last : block[index - 1]), Double(block[index]))
            out.append(Int16((before + (after - before) * (position - Double(index))).rounded()))
            position += step
        }
        position -= Double(block.count)
        last = block[block.count - 1]
        return out
    }
}

/// A sample of the system's, -1 to 1, as the library wants it.
public func int16(_ sample: Float) -> Int16 {
    // What is no number is silence; what is too loud is clipped.
    sample.isNaN ? 0 : Int16(max(-32768, min(32767, (sample * 32768).rounded())))
}
