import Chamada
import ChamadaCore
import Foundation
import SwiftUI

struct HomeView: View {
    @EnvironmentObject private var model: AppModel
    @State private var showsFaults = false

    var body: some View {
        TabView(selection: $model.tab) {
            NavigationStack { people }
                .tabItem { Label(say(.people), systemImage: "person.2") }
                .tag(AppTab.people)
            NavigationStack { ChatView() }
                .tabItem { Label(say(.chat), systemImage: "bubble.left.and.bubble.right") }
                .tag(AppTab.chat)
        }
        .sheet(isPresented: $showsFaults) { FaultsView() }
    }

    private var people: some View {
        List {
            Section {
                if let nobody = model.state.nobody {
                    Text(say(nobody)).foregroundStyle(.secondary)
                }
                ForEach(model.state.people, id: \.name) { person in
                    HStack {
                        Button {
                            model.dispatch(.call(to: person.name, video: true))
                        } label: {
                            Label { Text(verbatim: label(person)) } icon: {
                                Image(systemName: person.away ? "video.badge.ellipsis" : "video")
                            }
                        }
                        .accessibilityLabel(say(.peopleCall, ["name": person.name]))
                        Spacer()
                        Button { model.dispatch(.call(to: person.name, video: false)) } label: { Image(systemName: "phone") }
                            .accessibilityLabel(say(.peopleCallAudio, ["name": person.name]))
                    }
                    // Each button of a row for itself.
                    .buttonStyle(.borderless)
                    .contextMenu {
                        Button(say(person.blocked ? .peopleUnblock : .peopleBlock, ["name": person.name])) {
                            model.dispatch(.setBlocked(name: person.name, block: !person.blocked))
                        }
                    }
                }
            } footer: {
                if !model.state.people.isEmpty { Text(say(.peopleHint)) }
            }
            RecentsView()
        }
        .searchable(text: $model.search, prompt: say(.peopleSearch))
        .navigationTitle(say(.people))
        .toolbar {
            ToolbarItem(placement: .principal) {
                // Held for three seconds, it opens the menu of faults.
                Text(verbatim: say(.peopleMe, ["name": model.state.me ?? ""]))
                    .font(.headline)
                    .onLongPressGesture(minimumDuration: 3) { showsFaults = true }
            }
            ToolbarItem(placement: .cancellationAction) {
                Button(say(.leave)) { model.dispatch(.signOut) }
            }
        }
    }
}

private func label(_ person: AppPerson) -> String {
    if person.blocked { return say(.peopleBlocked, ["name": person.name]) }
    return person.away ? say(.peopleAway, ["name": person.name]) : person.name
}

struct ChatView: View {
    @EnvironmentObject private var model: AppModel
    @State private var text = ""
    @FocusState private var focus: AppField?

    var body: some View {
        ScrollViewReader { scroll in
            List(model.chat, id: \.id) { line in
                row(line).listRowSeparator(.hidden)
            }
            .listStyle(.plain)
            .onChange(of: model.chat.last?.id) { last in
                if let last { scroll.scrollTo(last, anchor: .bottom) }
            }
        }
        .navigationTitle(say(.chat))
        .onChange(of: model.focus) { field in
            guard let field else { return }
            focus = field
            model.focus = nil
        }
        .safeAreaInset(edge: .bottom) {
            HStack {
                TextField(say(.chatWrite), text: $text)
                    .textFieldStyle(.roundedBorder)
                    .submitLabel(.send)
                    .focused($focus, equals: .chat)
                    .onSubmit(send)
                Button(action: send) { Image(systemName: "paperplane.fill") }
                    .disabled(text.trimmingCharacters(in: .whitespaces).isEmpty)
                    .accessibilityLabel(say(.chatSend))
            }
            .padding()
            .background(.bar)
        }
    }

    @ViewBuilder
    private func row(_ line: AppChatLine) -> some View {
        if let event = line.event {
            Text(say(event)).font(.caption).foregroundStyle(.secondary)
        } else {
            VStack(alignment: .leading) {
                HStack {
                    Text(verbatim: line.from ?? "").font(.caption.bold())
                    Text(Date(milliseconds: line.atMs), style: .time).font(.caption).foregroundStyle(.secondary)
                }
                Text(verbatim: line.text ?? "")
            }
            .accessibilityElement(children: .combine)
        }
    }

    private func send() {
        model.dispatch(.say(text: text))
        text = ""
    }
}

/// Faults on purpose.
struct FaultsView: View {
    @EnvironmentObject private var model: AppModel
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                Section {
                    Toggle(say(.faultsSignaling), isOn: $model[outage: .server])
                    Toggle(say(.faultsMedia), isOn: $model[outage: .calls])
                }
                Section {
                    fault(.faultsNetwork, .networkChanged(network: AppNetwork(id: UUID().uuidString, addresses: [], metered: false)))
                    fault(.faultsMemory, .lowMemory)
                    fault(.faultsPeerCalls, .beCalled).disabled(!model.state.demo)
                }
            }
            .navigationTitle(say(.faults))
        }
        .presentationDetents([.medium])
    }

    private func fault(_ label: TextKey, _ action: AppAction) -> some View {
        Button(say(label)) {
            model.dispatch(action)
            dismiss()
        }
    }
}
