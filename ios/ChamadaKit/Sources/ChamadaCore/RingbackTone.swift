import Foundation

/// One second of a tone and four of silence, as most of Europe and Brazil hear it (ITU-T E.180, 425 Hz): a WAVE file of 16-bit samples, mono.
public func ringbackTone() -> Data {
    let rate = 8000
    let tone = (0..<rate).map { Int16(4000 * sin(2 * Double.pi * 425 * Double($0) / Double(rate))) }
    let samples = tone + [Int16](repeating: 0, count: 4 * rate)
    var wave = Data()
    func number(_ value: Int, _ bytes: Int) { for index in 0..<bytes { wave.append(UInt8(truncatingIfNeeded: value >> (8 * index))) } }
    wave += Data("RIFF".utf8)
    number(36 + 2 * samples.count, 4)
    wave += Data("WAVEfmt ".utf8)
    // PCM, one channel, samples and bytes per second, bytes per frame, bits per sample.
    for (value, bytes) in [(16, 4), (1, 2), (1, 2), (rate, 4), (2 * rate, 4), (2, 2), (16, 2)] { number(value, bytes) }
    wave += Data("data".utf8)
    number(2 * samples.count, 4)
    for sample in samples { number(Int(sample), 2) }
    return wave
}
