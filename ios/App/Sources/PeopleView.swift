import ChamadaCore
import Foundation
import SwiftUI

struct PeopleView: View {
    @EnvironmentObject private var model: AppModel
    @State private var showsFaults = false

    var body: some View {
        TabView(selection: $model.tab) {
            NavigationStack { people }
                .tabItem { Label(say(.people), systemImage: "person.2") }
                .tag(PhoneState.Tab.people)
            NavigationStack { ChatView() }
                .tabItem { Label(say(.chat), systemImage: "bubble.left.and.bubble.right") }
                .tag(PhoneState.Tab.chat)
        }
        .sheet(isPresented: $showsFaults) { FaultsView() }
    }

    private var people: some View {
        List {
            Section {
                if model.state.people.isEmpty && model.state.away.isEmpty {
                    Text(say(.peopleNobody)).foregroundStyle(.secondary)
                }
                ForEach(model.state.people, id: \.self) { name in
                    Button {
                        Task { await model.phone.call(name) }
                    } label: {
                        Label { Text(verbatim: name) } icon: { Image(systemName: "video") }
                    }
                    .accessibilityLabel(say(.peopleCall, ["name": name]))
                }
                ForEach(model.state.away, id: \.self) { name in
                    Button {
                        Task { await model.phone.call(name) }
                    } label: {
                        Label { Text(verbatim: say(.peopleAway, ["name": name])) } icon: { Image(systemName: "video.badge.ellipsis") }
                    }
                    .accessibilityLabel(say(.peopleCall, ["name": name]))
                }
            } footer: {
                if !model.state.people.isEmpty { Text(say(.peopleHint)) }
            }
            CallLogView()
        }
        .navigationTitle(say(.people))
        .toolbar {
            ToolbarItem(placement: .principal) {
                // Held for three seconds, it opens the menu of faults.
                Text(verbatim: say(.peopleMe, ["name": model.state.name]))
                    .font(.headline)
                    .onLongPressGesture(minimumDuration: 3) { showsFaults = true }
            }
            ToolbarItem(placement: .cancellationAction) {
                Button(say(.leave)) { Task { await model.phone.logout() } }
            }
        }
    }
}

struct ChatView: View {
    @EnvironmentObject private var model: AppModel
    @State private var text = ""

    var body: some View {
        ScrollViewReader { scroll in
            List(model.state.chat) { line in
                row(line).listRowSeparator(.hidden)
            }
            .listStyle(.plain)
            .onChange(of: model.state.chat.last?.id) { last in
                if let last { scroll.scrollTo(last, anchor: .bottom) }
            }
        }
        .navigationTitle(say(.chat))
        .safeAreaInset(edge: .bottom) {
            HStack {
                TextField(say(.chatWrite), text: $text)
                    .textFieldStyle(.roundedBorder)
                    .submitLabel(.send)
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
    private func row(_ line: ChatLine) -> some View {
        switch line.kind {
        case let .said(text):
            VStack(alignment: .leading) {
                HStack {
                    Text(verbatim: line.from ?? "").font(.caption.bold())
                    Text(line.at, style: .time).font(.caption).foregroundStyle(.secondary)
                }
                Text(verbatim: text)
            }
            .accessibilityElement(children: .combine)
        case let .happened(message):
            Text(say(message)).font(.caption).foregroundStyle(.secondary)
        }
    }

    private func send() {
        let said = text
        text = ""
        Task { await model.phone.say(said) }
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
                    ForEach(Outage.allCases, id: \.self) { part in
                        Toggle(say(part.label), isOn: $model[outage: part])
                    }
                }
                Section {
                    ForEach(Phone.Fault.allCases, id: \.self) { fault in
                        Button(say(fault.label)) {
                            Task { await model.phone.cause(fault) }
                            dismiss()
                        }
                        .disabled(fault.needsDemo && !model.state.isDemo)
                    }
                }
            }
            .navigationTitle(say(.faults))
        }
        .presentationDetents([.medium])
    }
}
