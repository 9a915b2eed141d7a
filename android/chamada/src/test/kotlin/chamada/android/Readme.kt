package chamada.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import chamada.Config
import chamada.Session
import chamada.android.plain.CameraNames

// README: begin
class MyApp : Application() {
    lateinit var phone: Phone

    override fun onCreate() {
        super.onCreate()
        phone = Phone(this, CameraNames("Front", "Rear", "Other"))
    }
}

suspend fun talk(phone: Phone) {
    val session = Session.connect(Config("wss://call.example.org", "ana"), phone.devices)
    phone.follow(session).use {        // background, network, memory
        session.call("rui")
        session.events.collect { println(it) }
    }
}

class CallScreen : Activity() {
    private val phone get() = (application as MyApp).phone
    private val remote by lazy { VideoView(this) }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(remote)
    }

    override fun onStart() {
        super.onStart()
        phone.remote.attach(remote)    // and phone.preview likewise
    }

    override fun onStop() {
        phone.remote.detach(remote)
        super.onStop()
    }
}
// README: end
