package chamada.app

import android.app.Notification
import chamada.android.CallService

/** Keeps the call alive while the app is not in front. */
class TalkService : CallService() {
    private val house get() = (application as ChamadaApp).house

    override fun notification(): Notification? = house.keeping.notification()

    override fun farewell(): Notification = house.keeping.farewell()

    override fun usesDevices(): Boolean = house.desk.state.value.call?.usesDevices == true

    override fun onDecline() {
        house.desk.decline()
    }

    override fun onHangUp() {
        house.desk.hangUp()
    }
}
