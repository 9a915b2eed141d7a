@testable import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// Cameras, routes, pushes, the self view, sound between threads.
final class DeviceTests: XCTestCase {
    private let formats = [
        DeviceFormat(width: 1280, height: 720, fps: [1...30], isVideoRange: false),
        DeviceFormat(width: 1280, height: 720, fps: [1...60], isVideoRange: true),
        DeviceFormat(width: 1280, height: 720, fps: [2...30], isVideoRange: true),
        DeviceFormat(width: 1280, height: 720, fps: [2...30], isVideoRange: true, isBinned: true),
        DeviceFormat(width: 640, height: 480, fps: [1...30], isVideoRange: true),
        DeviceFormat(width: 4032, height: 3024, fps: [1...30], isVideoRange: false),
    ]

    private func settings(_ width: UInt32, _ height: UInt32, _ fps: Double) -> CameraSettings {
        CameraSettings(deviceId: "x", facing: .user, width: width, height: height, fps: fps)
    }

    func testACameraOffersEachSizeOnceWithItsWidestRatesAndNoneThatWouldHaveToBeConverted() {
        XCTAssertEqual(
            CameraFormats.offered(formats),
            [
                CameraFormat(width: 1280, height: 720, minFps: 1, maxFps: 60),
                CameraFormat(width: 640, height: 480, minFps: 1, maxFps: 30),
            ])
    }

    func testOfTheFormatsThatFitTheThriftiestIsActivated() {
        XCTAssertEqual(CameraFormats.best(for: settings(1280, 720, 30), of: formats), 3)
        XCTAssertEqual(CameraFormats.best(for: settings(1280, 720, 60), of: formats), 1)
        XCTAssertNil(CameraFormats.best(for: settings(4032, 3024, 30), of: formats))
        XCTAssertNil(CameraFormats.best(for: settings(640, 480, 60), of: formats))
    }

    func testAnglesAreQuarterTurns() {
        XCTAssertEqual([0, 90, 180, 270, 360, -90, 89.6, .nan].map(CaptureRotation.quarterTurn), [0, 90, 180, 270, 0, 270, 90, 0])
        for isFront in [true, false] {
            let turns = CaptureRotation.Orientation.allCases.map { CaptureRotation.angle(held: $0, isFront: isFront) }
            XCTAssertEqual(Set(turns), [0, 90, 180, 270])
            XCTAssertEqual(turns.first, 90)
        }
    }

    func testRoutesToChooseAreTheDevicesThenSpeakerAndEarpieceWhichAHeadsetReplaces() {
        let headset = AppAudioRoute(id: "h", kind: .wired, name: "Headphones")
        let ear = AppAudioRoute(id: "mic", kind: .earpiece, name: nil)
        XCTAssertEqual(AudioRoutes.choices(inputs: [ear], hasEarpiece: true).map(\.kind), [.speaker, .earpiece])
        let choices = AudioRoutes.choices(inputs: [ear, headset], hasEarpiece: true)
        XCTAssertEqual(choices.map(\.kind), [.wired, .speaker])
        XCTAssertEqual(AudioRoutes.choices(inputs: [], hasEarpiece: false).map(\.kind), [.speaker])
        let output = AppAudioRoute(id: "Speaker", kind: .speaker, name: nil)
        XCTAssertEqual(AudioRoutes.current(output: output, choices: choices), "speaker")
        XCTAssertEqual(AudioRoutes.current(output: headset, choices: choices), "h")
        XCTAssertNil(AudioRoutes.current(output: AppAudioRoute(id: "x", kind: .car, name: nil), choices: choices))
    }

    func testWhatDoesNotStartIsTriedAgainWithinSecondsEverLaterAndNotForEver() {
        let delays = (0...9).map(RestartBackoff.delay)
        XCTAssertNil(delays[0])
        let tried = delays.dropFirst().prefix { $0 != nil }.compactMap { $0 }
        XCTAssertEqual(tried, tried.sorted())
        XCTAssertTrue((3...9).contains(tried.reduce(0, +)) && tried.count < 9, "\(tried)")
    }

    func testAPushIsHandedOnAsJSONAndOneThatIsNoneAsNothing() throws {
        let json = pushJSON(["aps": [String: String](), "kind": "ring", "sent": 1000])
        let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        XCTAssertEqual(read?["kind"] as? String, "ring")
        XCTAssertEqual(read?["sent"] as? Int, 1000)
        XCTAssertEqual(pushJSON([7: "x"]), "")
    }

    func testAPushTokenIsToldInHexadecimalWithItsEnvironment() {
        let token = Data([0, 0x0a, 0xff])
        XCTAssertEqual(pushRegistration(token: token, isDevelopment: false).token, "000aff")
        XCTAssertEqual(pushRegistration(token: token, isDevelopment: false).platform, .apns)
        XCTAssertEqual(pushRegistration(token: token, isDevelopment: true).platform, .apnsDev)
    }

    func testTheRingbackToneIsAWaveOfTheLengthThatItSays() {
        let wave = ringbackTone()
        XCTAssertEqual(String(decoding: wave.prefix(4), as: UTF8.self), "RIFF")
        let size = wave[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        XCTAssertEqual([size + 8, wave.count], [44 + 2 * 5 * 8000, 44 + 2 * 5 * 8000])
    }

    func testTheSelfViewGoesToTheNearestCornerAndHasThePicturesShape() {
        XCTAssertEqual(SelfViewCorner.nearest(x: 0.1, y: 0.9), .bottomLeading)
        XCTAssertEqual(SelfViewCorner.nearest(x: 0.9, y: 0.1), .topTrailing)
        XCTAssertEqual(Set([SelfViewCorner.topLeading].flatMap { [$0, $0.next, $0.next.next, $0.next.next.next] }).count, 4)
        let size = selfViewSize(screenWidth: 400, screenHeight: 800, aspect: 0.5)
        XCTAssertEqual([size.width, size.height], [100, 200])
        XCTAssertEqual(selfViewSize(screenWidth: 320, screenHeight: 480, aspect: .nan).width, 80)
    }

    func testARingGivesTheOldestFirstLosesTheOldestWhenFullAndFillsUpWithSilence() {
        var ring = SampleRingBuffer(capacity: 3)
        [Int16](1...4).withUnsafeBufferPointer { ring.write($0) }
        XCTAssertEqual(ring.dropped, 1)
        var block = [Int16](repeating: 9, count: 4)
        XCTAssertEqual(block.withUnsafeMutableBufferPointer { ring.read(into: $0) }, 3)
        XCTAssertEqual(block, [2, 3, 4, 0])
        XCTAssertEqual(ring.count, 0)
    }

    func testSoundOfAnotherRateBecomesAsLongAndKeepsItsShapeOverBlocks() {
        var converter = RateConverter(from: 16000, to: 48000)
        var out: [Int16] = []
        for block in 0..<10 {
            let samples = (0..<160).map { Int16(100 * (block * 160 + $0) % 16000) }
            samples.withUnsafeBufferPointer { out += converter.convert($0) }
        }
        XCTAssertEqual(Double(out.count), 4800, accuracy: 3)
        let steps = zip(out.dropFirst(4), out.dropFirst(5)).map { $1 - $0 }
        XCTAssertTrue(steps.dropLast().allSatisfy { $0 == 33 || $0 == 34 || $0 < -5000 }, "\(Set(steps))")
        var same = RateConverter(from: 48000, to: 48000)
        XCTAssertEqual([Int16]([1, -2, 3]).withUnsafeBufferPointer { same.convert($0) }, [1, -2, 3])
        XCTAssertEqual([0, 1, -1, 2, .nan, 0.5].map(int16), [0, 32767, -32768, 32767, 0, 16384])
    }

    func testAFrameBecomesTwoPlanesWithTheirColoursSideBySide() {
        let (y, u, v): ([UInt8], [UInt8], [UInt8]) = ([1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0], [10, 11, 12, 13], [20, 21, 22, 23])
        let layout = FrameLayout(
            width: 3, height: 3, rotationDegrees: 0, mirror: false, y: 0, u: 0, v: 0, yStride: 4, uvStride: 2, ageNs: 0)
        var (luma, chroma) = ([UInt8](repeating: 99, count: 15), [UInt8](repeating: 99, count: 12))
        y.withUnsafeBytes { y in
            u.withUnsafeBytes { u in
                v.withUnsafeBytes { v in
                    luma.withUnsafeMutableBytes { luma in
                        chroma.withUnsafeMutableBytes { chroma in
                            FramePlanes(layout: layout, y: y, u: u, v: v).copyNV12(
                                luma: luma.baseAddress!, lumaStride: 5, chroma: chroma.baseAddress!, chromaStride: 6)
                        }
                    }
                }
            }
        }
        XCTAssertEqual(luma, [1, 2, 3, 99, 99, 4, 5, 6, 99, 99, 7, 8, 9, 99, 99])
        XCTAssertEqual(chroma, [10, 20, 11, 21, 99, 99, 12, 22, 13, 23, 99, 99])
    }

    func testTheSelfViewStaysBetweenHeadAndButtonsAndOnALowScreenBeneathTheHead() {
        let size = (width: 90.0, height: 160.0)
        func middle(_ place: SelfViewCorner, height: Double) -> [Double] {
            let (x, y) = selfViewCenter(place, screenWidth: 400, screenHeight: height, size: size)
            return [x, y]
        }
        XCTAssertEqual(middle(.topLeading, height: 800), [45, 152])
        XCTAssertEqual(middle(.topTrailing, height: 800), [355, 152])
        XCTAssertEqual(middle(.bottomLeading, height: 800), [45, 624])
        XCTAssertEqual(middle(.bottomTrailing, height: 800), [355, 624])
        XCTAssertEqual(middle(.bottomTrailing, height: 200), [355, 152])
    }

    func testAPictureOnItsSideIsShownInItsUprightShape() {
        func layout(_ rotation: UInt32, mirror: Bool = false, yStride: UInt32 = 640) -> FrameLayout {
            FrameLayout(
                width: 640, height: 480, rotationDegrees: rotation, mirror: mirror, y: 0, u: 0, v: 0, yStride: yStride,
                uvStride: 320, ageNs: 0)
        }
        XCTAssertEqual([0, 90, 180, 270].map { layout($0).isSideways }, [false, true, false, true])
        XCTAssertEqual(layout(0).aspect, 640.0 / 480)
        XCTAssertEqual(layout(270).aspect, 480.0 / 640)
        XCTAssertTrue(layout(90).isShown(like: layout(90, yStride: 704)), "where it lies in memory changes nothing")
        XCTAssertFalse(layout(90).isShown(like: layout(270)))
        XCTAssertFalse(layout(90).isShown(like: layout(90, mirror: true)))
    }
}
