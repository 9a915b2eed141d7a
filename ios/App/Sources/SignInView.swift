import Chamada
import ChamadaCore
import ChamadaUI
import Foundation
import SwiftUI

struct SignInView: View {
    @EnvironmentObject private var session: SessionStore
    @State private var server = ""
    @State private var name = ""
    @State private var token = ""
    @State private var showsAdvanced = false
    @FocusState private var focus: AppField?

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField(localized("login.name"), text: $name)
                        .textContentType(.nickname)
                        .autocorrectionDisabled()
                        .submitLabel(.join)
                        .onSubmit(join)
                        .focused($focus, equals: .name)
                        .accessibilityLabel(localized("login.name"))
                    Button(localized(session.value.isSigningIn ? "login.entering" : "login.join"), action: join)
                        .font(.headline)
                        .frame(maxWidth: .infinity)
                        .disabled(session.value.isSigningIn)
                }
                Section {
                    DisclosureGroup(localized("login.advanced"), isExpanded: $showsAdvanced) { advanced }
                }
                if session.value.hasDemo {
                    Section {
                        Button(localized("login.demo")) { session.dispatch(.startDemo(name: name)) }.disabled(session.value.isSigningIn)
                    } footer: {
                        Text(localized("login.demo-hint"))
                    }
                }
            }
            .navigationTitle(localized("title"))
        }
        .onAppear {
            (server, name) = (session.value.server, session.value.name)
            // Where none is known, there is one to be given.
            showsAdvanced = server.isEmpty
        }
        .onChange(of: session.focus) { field in
            // What is not there yet takes it when it appears.
            if field == .server, !showsAdvanced { showsAdvanced = true } else { takeFocus() }
        }
    }

    @ViewBuilder
    private var advanced: some View {
        TextField(localized("login.server"), text: $server)
            .keyboardType(.URL)
            .textContentType(.URL)
            .textInputAutocapitalization(.never)
            .autocorrectionDisabled()
            .submitLabel(.join)
            .onSubmit(join)
            .focused($focus, equals: .server)
            .onAppear(perform: takeFocus)
            .accessibilityLabel(localized("login.server"))
        SecureField(localized("login.token-field"), text: $token)
            .submitLabel(.join)
            .onSubmit(join)
            .accessibilityLabel(localized("login.token-field"))
    }

    private func takeFocus() {
        guard let field = session.focus else { return }
        (focus, session.focus) = (field, nil)
    }

    private func join() {
        let token = token.trimmingCharacters(in: .whitespacesAndNewlines)
        session.dispatch(.signIn(server: server, name: name, token: token.isEmpty ? nil : token))
    }
}
