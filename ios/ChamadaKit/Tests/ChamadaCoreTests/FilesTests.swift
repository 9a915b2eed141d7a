import Foundation
import XCTest

@testable import ChamadaCore

/// The app's files that no compiler reads: texts, property lists, entitlements.
final class FilesTests: XCTestCase {
    private let app = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../App").standardizedFileURL

    private func strings(_ language: String, _ table: String) throws -> [String: String] {
        let folder = table == "InfoPlist" ? "Resources" : "../ChamadaKit/Sources/ChamadaUI/Resources"
        let file = app.appendingPathComponent("\(folder)/\(language).lproj/\(table).strings")
        return try XCTUnwrap(try plist(file) as? [String: String], file.path)
    }

    private func plist(_ file: URL) throws -> Any {
        try PropertyListSerialization.propertyList(from: Data(contentsOf: file), format: nil)
    }

    private func dictionary(_ name: String) throws -> [String: Any] {
        try XCTUnwrap(try plist(app.appendingPathComponent(name)) as? [String: Any])
    }

    func testEveryKeyHasItsTextInBothLanguages() throws {
        XCTAssertEqual(Set(try strings("pt-BR", "Localizable").keys), Set(try strings("en", "Localizable").keys))
    }

    func testAMessageIsPutIntoWordsAndANameIsNeverReadAsAPlaceholder() throws {
        let texts = try strings("pt-BR", "Localizable")
        XCTAssertEqual(filled(try XCTUnwrap(texts["end.busy"]), ["name": "{name}"]), "{name} está em outra chamada.")
        XCTAssertEqual(filled("{name}|{wanted}|{x", ["wanted": "a", "name": "b"]), "b|a|{x")
    }

    func testTheAppsModuleHasANameOfItsOwn() throws {
        let project = try String(contentsOf: app.appendingPathComponent("project.yml"), encoding: .utf8)
        let lines = project.split(separator: "\n")
        let targets = lines.drop { $0 != "targets:" }.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && $0.hasSuffix(":") }
        let names = targets.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " :")) }
        XCTAssertFalse(names.isEmpty)
        for imported in ["Chamada", "ChamadaCore", "ChamadaMedia", "ChamadaCallKit", "ChamadaUI"] { XCTAssertFalse(names.contains(imported)) }
    }

    func testTheIconIsOneOpaquePictureOfTheSizeThatTheSystemMakesAllOthersOf() throws {
        let folder = app.appendingPathComponent("Resources/Assets.xcassets/AppIcon.appiconset")
        let list = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("Contents.json")))
        let images = try XCTUnwrap((list as? [String: Any])?["images"] as? [[String: String]])
        XCTAssertEqual(images.map { $0["size"] }, ["1024x1024"])
        let png = try Data(contentsOf: folder.appendingPathComponent(try XCTUnwrap(images[0]["filename"])))
        // PNG's header: width, height, 8 bits, colours without transparency.
        XCTAssertEqual(Array(png[16..<26]), [0, 0, 4, 0, 0, 0, 4, 0, 8, 2])
    }

    func testTheSystemIsToldWhyTheAppWantsWhatItGuards() throws {
        let info = try dictionary("Resources/Info.plist")
        let keys = ["NSCameraUsageDescription", "NSMicrophoneUsageDescription", "NSPhotoLibraryAddUsageDescription"]
        for key in keys {
            XCTAssertFalse(try XCTUnwrap(info[key] as? String).isEmpty)
            for language in ["en", "pt-BR"] { XCTAssertNotNil(try strings(language, "InfoPlist")[key], "\(language) \(key)") }
        }
        XCTAssertEqual(try strings("en", "InfoPlist")[keys[0]], info[keys[0]] as? String)
        XCTAssertEqual(Set(try XCTUnwrap(info["UIBackgroundModes"] as? [String])), ["audio", "voip"])
    }

    func testThePrivacyManifestSaysThatNothingIsTrackedAndTheEntitlementsAskForPushesOnly() throws {
        let privacy = try dictionary("Resources/PrivacyInfo.xcprivacy")
        XCTAssertEqual(privacy["NSPrivacyTracking"] as? Bool, false)
        let used = try XCTUnwrap(privacy["NSPrivacyAccessedAPITypes"] as? [[String: Any]])
        let reasons = used.map { use in
            [use["NSPrivacyAccessedAPIType"] as? String ?? ""] + (use["NSPrivacyAccessedAPITypeReasons"] as? [String] ?? [])
        }
        XCTAssertEqual(
            Set(reasons),
            [
                ["NSPrivacyAccessedAPICategoryUserDefaults", "CA92.1"],
                ["NSPrivacyAccessedAPICategorySystemBootTime", "35F9.1"],
                ["NSPrivacyAccessedAPICategoryFileTimestamp", "C617.1"],
            ])
        XCTAssertEqual(Array(try dictionary("Chamada.entitlements").keys), ["aps-environment"])
    }
}
