#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import ChamadaMedia
import SwiftUI

/// A part of what is to be seen: its views are drawn anew when it changes, and not with the rest. From iOS 17 on it could be `@Observable`.
@MainActor
open class StateStore<Value: Equatable>: ObservableObject {
    @Published public private(set) var value: Value
    private let app: AppStore

    public init(_ app: AppStore, _ part: @escaping @MainActor (AppStore) -> Value) {
        (self.app, value) = (app, part(app))
        app.observe { [weak self] app in
            let new = part(app)
            if let self, value != new { value = new }
        }
    }

    public func dispatch(_ action: AppAction) { app.dispatch(action) }
}

/// What people are told.
public typealias BannerStore = StateStore<[AppBanner]>
/// What is measured in a call, once a second.
public typealias StatisticsModel = StateStore<[AppStatisticsLine]>

/// What the two people of a call wrote to each other.
public typealias PrivateLineStore = StateStore<[AppPrivateLine]>

/// The call that rings or goes on, for `IncomingCallView` and `InCallView`.
public final class CallStore: StateStore<AppCallView?> {
    public let banners: BannerStore
    public let statistics: StatisticsModel
    public let privateText: PrivateLineStore
    public let pictureInPicture: PictureInPictureManager
    let remote: VideoOutput
    let preview: VideoOutput

    /// `remote` and `preview` are the renderers in the store's `Devices`.
    public init(_ app: AppStore, remote: VideoOutput, preview: VideoOutput) {
        let pictureInPicture = PictureInPictureManager()
        (self.remote, self.preview, self.pictureInPicture) = (remote, preview, pictureInPicture)
        banners = BannerStore(app) { $0.state.banners }
        statistics = StatisticsModel(app) { $0.statistics }
        privateText = PrivateLineStore(app) { $0.privateText }
        super.init(app) { $0.state.call }
        app.observe { app in if app.state.call == nil { pictureInPicture.stop() } }
    }

    var showsStatistics: Bool {
        get { value?.showsStatistics ?? false }
        set { dispatch(.showStatistics(on: newValue)) }
    }

    var showsKeypad: Bool {
        get { value?.keypad?.open ?? false }
        set { dispatch(.showKeypad(on: newValue)) }
    }

    var showsPrivateText: Bool {
        get { value?.privateText?.open ?? false }
        set { dispatch(.showPrivateText(on: newValue)) }
    }

    var fullQuality: Bool {
        get { value?.fullQuality ?? false }
        set { dispatch(.setFullQuality(on: newValue)) }
    }
}
#endif
