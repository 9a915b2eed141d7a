import Chamada
import ChamadaCore
import ChamadaUI
import Foundation
import SwiftUI

typealias RecentsStore = StateStore<[AppHistoryEntry]>
typealias ChatStore = StateStore<[AppChatLine]>

/// Who is signed in, and what is in front.
struct Session: Equatable {
    let screen: AppScreen, tab: AppTab, missedCalls: Int, unreadChat: Int
    let me: String?, isSigningIn: Bool
    let hasDemo: Bool, isDemo: Bool, outages: [AppOutage]
    /// What the fields begin with.
    let server: String, name: String
}

final class SessionStore: StateStore<Session> {
    /// Where the cursor is to go.
    @Published var focus: AppField?

    init(_ app: AppStore) {
        super.init(app) { app in
            let state = app.state
            return Session(
                screen: state.screen, tab: state.tab, missedCalls: Int(state.missedCalls), unreadChat: Int(state.unreadChat),
                me: state.me, isSigningIn: state.signingIn, hasDemo: state.hasDemo, isDemo: state.demo, outages: state.outages,
                server: state.server, name: state.name)
        }
    }

    var tab: AppTab {
        get { value.tab }
        set { dispatch(.showTab(tab: newValue)) }
    }

    /// For a switch: a binding made of closures would read the store from outside the main actor.
    subscript(outage part: AppOutage) -> Bool {
        get { value.outages.contains(part) }
        set { dispatch(.setOutage(part: part, on: newValue)) }
    }
}

/// Who can be called, or what to say where nobody is to be shown.
struct People: Equatable {
    let search: String, people: [AppPerson], nobody: AppMessage?
}

final class PeopleStore: StateStore<People> {
    init(_ app: AppStore) {
        super.init(app) { People(search: $0.state.search, people: $0.state.people, nobody: $0.state.nobody) }
    }

    var search: String {
        get { value.search }
        set { dispatch(.search(text: newValue)) }
    }
}
