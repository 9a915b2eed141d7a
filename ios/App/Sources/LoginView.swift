import ChamadaCore
import SwiftUI

struct LoginView: View {
    @EnvironmentObject private var model: AppModel
    @State private var server = ""
    @State private var name = ""

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField(say(.loginServer), text: $server)
                        .keyboardType(.URL)
                        .textContentType(.URL)
                        .textInputAutocapitalization(.never)
                        .autocorrectionDisabled()
                        .accessibilityLabel(say(.loginServer))
                    TextField(say(.loginName), text: $name)
                        .textContentType(.nickname)
                        .autocorrectionDisabled()
                        .submitLabel(.go)
                        .onSubmit(enter)
                        .accessibilityLabel(say(.loginName))
                }
                Section {
                    Button(say(model.state.isEntering ? .loginEntering : .loginEnter), action: enter)
                        .disabled(model.state.isEntering || !NameRule.allows(name) || server.isEmpty)
                }
                if Phone.hasDemo {
                    Section {
                        Button(say(.loginDemo)) { model.demo(name: name) }
                            .disabled(model.state.isEntering || !NameRule.allows(name))
                    } footer: {
                        Text(say(.loginDemoHint))
                    }
                }
                CallLogView()
            }
            .navigationTitle(say(.title))
        }
        .onAppear { (server, name) = (model.server, model.name) }
    }

    private func enter() {
        guard NameRule.allows(name), !server.isEmpty else { return }
        model.login(server: server, name: name)
    }
}

/// The newest calls.
struct CallLogView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Section(say(.log)) {
            if model.state.log.isEmpty {
                Text(say(.logNone)).foregroundStyle(.secondary)
            }
            ForEach(model.state.log.prefix(20)) { entry in
                HStack {
                    VStack(alignment: .leading) {
                        Text(verbatim: entry.with).foregroundStyle(entry.kind == .missed ? .red : .primary)
                        Text(say(entry.kind.label)).font(.caption).foregroundStyle(.secondary)
                    }
                    Spacer()
                    Text(entry.began, style: .relative).font(.caption).foregroundStyle(.secondary)
                }
                .accessibilityElement(children: .combine)
            }
        }
    }
}
