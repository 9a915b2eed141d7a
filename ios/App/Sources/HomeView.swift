import Chamada
import ChamadaCore
import ChamadaUI
import Foundation
import SwiftUI

struct HomeView: View {
    @EnvironmentObject private var session: SessionStore
    @Binding var showsFaults: Bool

    var body: some View {
        TabView(selection: $session.tab) {
            NavigationStack { PeopleView(showsFaults: $showsFaults) }
                .tabItem { Label(localized("people"), systemImage: "person.2") }
                .tag(AppTab.people)
            NavigationStack { RecentsView() }
                .tabItem { Label(localized("log.tab"), systemImage: "clock") }
                .badge(session.value.missedCalls)
                .tag(AppTab.recents)
            NavigationStack { ChatView() }
                .tabItem { Label(localized("chat"), systemImage: "bubble.left.and.bubble.right") }
                .badge(session.value.unreadChat)
                .tag(AppTab.chat)
        }
    }
}

struct PeopleView: View {
    @EnvironmentObject private var session: SessionStore
    @EnvironmentObject private var store: PeopleStore
    @Binding var showsFaults: Bool

    var body: some View {
        List {
            if let nobody = store.value.nobody { Text(localized(nobody)).foregroundStyle(.secondary) }
            ForEach(store.value.people, id: \.name) { person in row(person) }
        }
        .searchable(text: $store.search, prompt: localized("people.search"))
        .autocorrectionDisabled()
        .navigationTitle(localized("people"))
        .toolbar {
            ToolbarItem(placement: .principal) {
                // Held for three seconds, it opens the menu of faults.
                Text(verbatim: localized("people.me", ["name": session.value.me ?? ""]))
                    .font(.headline)
                    .onLongPressGesture(minimumDuration: 3) { showsFaults = true }
            }
            ToolbarItem(placement: .cancellationAction) {
                Button(localized("leave")) { session.dispatch(.signOut) }
            }
        }
    }

    private func row(_ person: AppPerson) -> some View {
        HStack {
            AvatarView(person.initial, size: 40)
            VStack(alignment: .leading) {
                Text(verbatim: person.name)
                if person.blocked || person.away {
                    Text(localized(person.blocked ? "people.is-blocked" : "people.is-away")).font(.caption).foregroundStyle(.secondary)
                }
            }
            .accessibilityElement(children: .combine)
            Spacer()
            call(person, video: false, "phone", "people.call-audio")
            call(person, video: true, "video", "people.call")
        }
        // Each button of a row for itself.
        .buttonStyle(.borderless)
        .contextMenu { block(person) }
        .swipeActions { block(person) }
    }

    private func call(_ person: AppPerson, video: Bool, _ image: String, _ label: String) -> some View {
        Button { store.dispatch(.call(to: person.name, video: video)) } label: { Image(systemName: image).frame(minWidth: 44, minHeight: 44) }
            .accessibilityLabel(localized(label, ["name": person.name]))
    }

    private func block(_ person: AppPerson) -> some View {
        Button(localized(person.blocked ? "people.unblock" : "people.block", ["name": person.name])) {
            store.dispatch(.setBlocked(name: person.name, block: !person.blocked))
        }
    }
}

struct RecentsView: View {
    @EnvironmentObject private var store: RecentsStore

    var body: some View {
        List {
            if store.value.isEmpty { Text(localized("log.none")).foregroundStyle(.secondary) }
            ForEach(store.value, id: \.id) { entry in
                Button { store.dispatch(.call(to: entry.with, video: entry.video)) } label: { row(entry) }
                    .accessibilityHint(localized("people.call", ["name": entry.with]))
            }
        }
        .navigationTitle(localized("log.tab"))
    }

    private func row(_ entry: AppHistoryEntry) -> some View {
        HStack {
            Image(systemName: image(entry.kind)).foregroundStyle(.secondary).accessibilityHidden(true)
            VStack(alignment: .leading) {
                Text(verbatim: entry.with).foregroundStyle(entry.kind == .missed ? .red : .primary)
                Text(localized(label(entry.kind))).font(.caption).foregroundStyle(.secondary)
            }
            Spacer()
            Text(Date(milliseconds: entry.beganMs), style: .relative).font(.caption).foregroundStyle(.secondary)
        }
        .accessibilityElement(children: .combine)
    }

    private func image(_ kind: AppHistoryKind) -> String {
        switch kind {
        case .incoming: "phone.arrow.down.left"
        case .outgoing: "phone.arrow.up.right"
        case .missed: "phone.down"
        }
    }

    private func label(_ kind: AppHistoryKind) -> String {
        switch kind {
        case .incoming: "log.incoming"
        case .outgoing: "log.outgoing"
        case .missed: "log.missed"
        }
    }
}
