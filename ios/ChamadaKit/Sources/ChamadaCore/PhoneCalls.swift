import Chamada
import Foundation

extension Phone {
    /// Calls somebody, after the permissions that it takes.
    public func call(_ name: String) async {
        guard let client = session?.client else { return tell(Problem(.refusedNotLoggedIn, ways: [.dismiss])) }
        guard name != state.name else { return tell(Problem(.refusedSelfCall, ways: [.dismiss])) }
        guard state.call == nil else { return tell(Problem(.refusedInCall, ways: [.dismiss])) }
        state.problem = nil
        guard await admitted(client, retry: { [weak self] in await self?.call(name) }) else { return }
        await doing {
            let placed = try await client.call(to: name)
            let id = placed.id()
            guard id != lastEnded else { return }
            call = placed
            if state.call?.id != id {
                state.call = CallView(id: id, with: name, weCalled: true, began: world.now(), state: .calling)
                onStep?(.placed(id: id, to: name))
            }
        }
    }

    /// Takes the call that rings; without a microphone it is declined.
    public func accept() async {
        guard let client = session?.client, let call, state.call?.state == .ringingLocally else { return }
        guard await admitted(client, retry: nil) else { return await decline() }
        await doing { try await call.accept() }
    }

    public func decline() async { await onCall { try await $0.decline() } }

    /// Ends the call, whatever its state.
    public func hangUp() async { await onCall { try await $0.hangUp() } }

    public func toggleMicrophone() async { await setMicrophone(!wishes.microphone) }

    /// Microphone on or off; on hold it is so after the hold.
    public func setMicrophone(_ on: Bool) async {
        wishes.microphone = on
        guard let client = session?.client, state.call?.isHeld != true else { return }
        await doing { try await client.setMicrophone(on: on) }
    }

    /// Camera on or off; a permission that is missing is asked for here too.
    public func toggleCamera() async {
        guard let client = session?.client else { return }
        let on = !wishes.camera
        if on, demo == nil {
            switch await world.permissions.admit(hasCamera: devices.hasCamera) {
            case .full: break
            case let .withoutCamera(problem), let .none(problem): return tell(problem)
            }
        }
        wishes.camera = on
        guard state.call?.isHeld != true else { return }
        do {
            try await client.setCamera(on: on)
        } catch {
            wishes.camera = false
            tell(.ofUse(asChamada(error))) { [weak self] in await self?.toggleCamera() }
        }
    }

    /// The camera on the other side; where there is none, the button goes.
    public func flip() async {
        await onCall {
            do {
                _ = try await $0.flipCamera()
            } catch let error as ChamadaError where error.kind == .overconstrained {
                state.call?.canFlip = false
                throw error
            }
        }
    }

    /// On hold nothing is sent; what the other side sends is still there when the hold ends.
    public func hold(_ on: Bool) async {
        guard let client = session?.client, let view = state.call, view.isHeld != on else { return }
        state.call?.isHeld = on
        await doing {
            try await client.setMicrophone(on: !on && wishes.microphone)
            try await client.setCamera(on: !on && wishes.camera)
        }
    }

    /// The newest picture as the bytes of a JPEG file, to be put among the person's photos.
    public func photo(of: PhotoOf) async -> Data? {
        var bytes: Data?
        await onCall { bytes = try await $0.photo(of: of, kind: .jpeg) }
        return bytes
    }

    /// What became of a photo that was to be saved.
    public func photoSaved(_ outcome: PhotoOutcome) {
        switch outcome {
        case .saved: state.notice = Message(.photoTaken)
        case .notAllowed: tell(Problem(.errorNoPhotoPermission, ways: [.openSettings, .dismiss]))
        case .failed: tell(Problem(.errorInternal, ways: [.dismiss]))
        }
    }

    /// The person looks at people or chat.
    public func show(_ tab: PhoneState.Tab) { state.tab = tab }

    /// The person chose this way out of a problem. What took its place in the meantime stays, and so does its way out.
    public func take(_ way: WayForward, of problem: Problem) async {
        guard problem == state.problem else { return }
        let retry = retry
        (state.problem, self.retry) = (nil, nil)
        switch way {
        case .openSettings: world.openSettings()
        case .tryAgain: await retry?()
        case let .callAgain(name): await call(name)
        case .withoutCamera:
            wishes.camera = false
            // In a call it is off already; before one, the call is what was wanted.
            if state.call == nil { await retry?() }
        case .write: show(.chat)
        case .changeName, .changeAddress, .dismiss: break
        }
    }

    /// Has what a call needs, or tells what is missing.
    private func admitted(_ client: Client, retry: (@MainActor () async -> Void)?) async -> Bool {
        // The demo's camera is a drawing: nobody guards it.
        let wantsCamera = wishes.camera && demo == nil
        let admission = await world.permissions.admit(hasCamera: devices.hasCamera, wantsCamera: wantsCamera)
        switch admission {
        case .full: break
        case let .withoutCamera(problem):
            wishes.camera = false
            tell(problem)
        case let .none(problem):
            tell(problem, retry: retry)
            return false
        }
        do {
            try await client.setMicrophone(on: wishes.microphone)
            try await client.setCamera(on: wishes.camera)
            return true
        } catch {
            tell(.ofUse(asChamada(error)), retry: retry)
            return false
        }
    }

    private func onCall(_ act: (Call) async throws -> Void) async {
        guard let call else { return }
        await doing { try await act(call) }
    }
}
