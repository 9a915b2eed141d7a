package chamada.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import chamada.AppAction
import chamada.AppEffect
import chamada.android.plain.CallViewModel
import chamada.android.plain.CameraNames

// README: begin
class MyApp : Application() {
    private val main = Handler(Looper.getMainLooper())
    lateinit var devices: CallDevices
    lateinit var calls: CallViewModel

    override fun onCreate() {
        super.onCreate()
        devices = CallDevices(this, CameraNames("Front", "Rear", "Other"), { calls.post(AppAction.CameraTrouble(it)) })
        calls = CallViewModel(devices.devices, null, { main.post(it) }, ::carryOut)
        SystemMonitor(this, calls::dispatch)    // seen or not, network, memory, heat
        calls.dispatch(AppAction.Started(null, null, CallPermissions(this).status(null)))
        calls.dispatch(AppAction.SignIn("wss://call.example.org", "ana", null))
    }

    private fun carryOut(effect: AppEffect) {
        println(effect)                         // CallAudio, CallTones, CallService, TelecomCalls, …: see app/
    }
}

class CallScreen : Activity() {
    private val devices get() = (application as MyApp).devices
    private val remote by lazy { VideoView(this) }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(remote)
        (application as MyApp).calls.dispatch(AppAction.Call("rui", video = true))
    }

    override fun onStart() {
        super.onStart()
        devices.remote.attach(remote)           // and devices.preview likewise
    }

    override fun onStop() {
        devices.remote.detach(remote)
        super.onStop()
    }
}
// README: end
