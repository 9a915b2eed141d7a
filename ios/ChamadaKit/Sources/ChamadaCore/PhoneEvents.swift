import Chamada
import Foundation

extension Phone {
    /// What the library tells, in the order in which it does.
    func handle(_ event: Event) async {
        switch event {
        case let .loggedIn(name, _):
            if state.notice == Message(.serverLost) || state.notice == Message(.serverLostInCall) {
                state.notice = Message(.serverBack)
            }
            state.name = name
            state.isLoggedIn = true
        case let .renamed(wanted, name):
            state.name = name
            chat(.happened(Message(.chatRenamed, ["wanted": wanted, "name": name])))
        case let .users(names): users(names)
        case let .chat(from, text, sentMs):
            chat(.said(text), from: from, at: Date(timeIntervalSince1970: Double(sentMs) / 1000))
        case let .refused(why): state.notice = Message(why.kind == .tooFast ? .serverTooFast : .serverRefused)
        case .reconnecting: state.notice = Message(state.call == nil ? .serverLost : .serverLostInCall)
        case let .closed(why): closed(why)
        case let .incomingCall(from, call):
            self.call = call
            state.call = CallView(id: call.id(), with: from, weCalled: false, began: world.now(), state: .ringingLocally)
            onStep?(.rings(id: call.id(), from: from))
        case let .callChanged(now): changed(now)
        case let .callEnded(with, id, reason): ended(with, id, reason)
        case let .measured(stats): if stats.callId == state.call?.id { state.call?.stats = stats }
        case let .qualityChanged(sent, received):
            guard let with = state.call?.with else { break }
            state.call?.quality = qualityMessage(sent: sent, received: received, with: with)
        case let .deviceFailed(device, _): state.notice = deviceMessage(device)
        case let .noPathYet(why, _, _):
            guard let with = state.call?.with else { break }
            state.notice = pathMessage(why, with: with)
        case let .mediaMissing(kind, why): missing(kind, why)
        case let .away(names): state.away = names
        case .cameraOpened, .dataReceived, .pushRegistered: break
        }
    }

    /// Who came and who went, except at the first list, which only says who is there.
    private func users(_ names: [String]) {
        let others = names.filter { $0 != state.name }
        if !state.people.isEmpty || !state.chat.isEmpty {
            let (before, now) = (Set(state.people), Set(others))
            for name in others where !before.contains(name) { chat(.happened(Message(.chatArrived, ["name": name]))) }
            for name in state.people where !now.contains(name) { chat(.happened(Message(.chatLeft, ["name": name]))) }
        } else {
            chat(.happened(Message(.chatWelcome)))
        }
        state.people = others
    }

    private func closed(_ why: ChamadaError?) {
        let name = state.name
        leave(.connectionFailed)
        if let why { tell(.ofLogin(why, name: name)) }
    }

    private func changed(_ now: CallSnapshot) {
        guard now.state != .idle, let id = now.callId, let with = now.with, id != lastEnded else { return }
        if state.call?.id != id {
            // A call that comes in is told on its own, right after this.
            guard now.state != .ringingLocally else { return }
            // The library's events may be faster than its answer to the one who calls.
            state.call = CallView(id: id, with: with, weCalled: true, began: world.now(), state: now.state)
            onStep?(.placed(id: id, to: with))
        }
        let before = state.call
        state.call?.state = now.state
        state.call?.local = now.local
        state.call?.remote = now.remote
        if now.state == .connected, let told = state.notice, told.isOfPath { state.notice = nil }
        if now.state == .connected, before?.connectedAt == nil {
            state.call?.connectedAt = world.now()
            onStep?(.connected(id: id))
        } else if now.state == .connecting, before?.state != .connecting {
            onStep?(.connecting(id: id))
        }
        if let before, before.local.audio != now.local.audio, !before.isHeld {
            onStep?(.muted(id: id, !now.local.audio))
        }
    }

    private func missing(_ kind: MediaKind, _ why: MissingMedia?) {
        guard let with = state.call?.with else { return }
        if let why {
            state.notice = missingMessage(kind, why, with: with)
        } else if let told = state.notice,
            [.noCommonCodec, .noPackets, .notDecodable].contains(where: { missingMessage(kind, $0, with: with) == told })
        {
            state.notice = nil
        }
    }

    private func ended(_ with: String, _ id: String, _ reason: EndReason) {
        lastEnded = id
        let deviceProblem = watch.takeProblem()
        guard let view = state.call, view.id == id else { return }
        if let told = state.notice, told.isOfCall { state.notice = nil }
        over(view, reason)
        let problem = Problem.ofEnd(reason, with: with, weCalled: view.weCalled)
        guard let problem else { return }
        tell(reason == .mediaFailedLocally ? deviceProblem ?? problem : problem) { [weak self] in await self?.call(with) }
    }

    /// Writes a call into the log and tells the system that it is over.
    func over(_ view: CallView, _ reason: EndReason) {
        lastEnded = view.id
        let length = view.connectedAt.map { world.now().timeIntervalSince($0) } ?? 0
        let kind = CallLog.kind(weCalled: view.weCalled, connected: view.connectedAt != nil, reason: reason)
        // A log that cannot be written is still shown, and nothing that would help a person in a call.
        try? callLog.add(CallLogEntry(id: view.id, with: view.with, kind: kind, began: view.began, seconds: Int(length)))
        state.log = callLog.entries
        (call, state.call) = (nil, nil)
        onStep?(.ended(id: view.id, reason))
    }
}
