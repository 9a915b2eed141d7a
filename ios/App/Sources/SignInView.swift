import Chamada
import ChamadaCore
import Foundation
import SwiftUI

struct SignInView: View {
    @EnvironmentObject private var model: AppModel
    @State private var server = ""
    @State private var name = ""
    @State private var token = ""
    @FocusState private var focus: AppField?

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField(say(.loginServer), text: $server)
                        .keyboardType(.URL)
                        .textContentType(.URL)
                        .textInputAutocapitalization(.never)
                        .autocorrectionDisabled()
                        .focused($focus, equals: .server)
                        .accessibilityLabel(say(.loginServer))
                    TextField(say(.loginName), text: $name)
                        .textContentType(.nickname)
                        .autocorrectionDisabled()
                        .submitLabel(.go)
                        .onSubmit(enter)
                        .focused($focus, equals: .name)
                        .accessibilityLabel(say(.loginName))
                    SecureField(say(.loginTokenField), text: $token)
                        .autocorrectionDisabled()
                        .submitLabel(.go)
                        .onSubmit(enter)
                        .accessibilityLabel(say(.loginTokenField))
                }
                Section {
                    Button(say(model.state.signingIn ? .loginEntering : .loginEnter), action: enter)
                        .disabled(model.state.signingIn)
                }
                if model.state.hasDemo {
                    Section {
                        Button(say(.loginDemo)) { model.dispatch(.startDemo(name: name)) }
                            .disabled(model.state.signingIn)
                    } footer: {
                        Text(say(.loginDemoHint))
                    }
                }
                RecentsView()
            }
            .navigationTitle(say(.title))
        }
        .onAppear { (server, name) = (model.state.server, model.state.name) }
        .onChange(of: model.focus) { field in
            guard let field else { return }
            focus = field
            model.focus = nil
        }
    }

    private func enter() {
        let token = token.trimmingCharacters(in: .whitespacesAndNewlines)
        model.dispatch(.signIn(server: server, name: name, token: token.isEmpty ? nil : token))
    }
}

/// The newest calls.
struct RecentsView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Section(say(.log)) {
            if model.history.isEmpty {
                Text(say(.logNone)).foregroundStyle(.secondary)
            }
            ForEach(model.history.prefix(20), id: \.id) { entry in
                Button { model.dispatch(.call(to: entry.with, video: entry.video)) } label: { row(entry) }
                    .disabled(model.state.me == nil)
                    .accessibilityLabel(say(.peopleCall, ["name": entry.with]))
            }
        }
    }

    private func row(_ entry: AppHistoryEntry) -> some View {
        HStack {
            VStack(alignment: .leading) {
                Text(verbatim: entry.with).foregroundStyle(entry.kind == .missed ? .red : .primary)
                Text(say(label(entry.kind))).font(.caption).foregroundStyle(.secondary)
            }
            Spacer()
            Text(Date(milliseconds: entry.beganMs), style: .relative).font(.caption).foregroundStyle(.secondary)
        }
    }

    private func label(_ kind: AppHistoryKind) -> TextKey {
        switch kind {
        case .incoming: .logIncoming
        case .outgoing: .logOutgoing
        case .missed: .logMissed
        }
    }
}
