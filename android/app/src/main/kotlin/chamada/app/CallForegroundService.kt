package chamada.app

import android.app.Notification
import chamada.AppAction
import chamada.AppCallService
import chamada.android.CallService

/** Keeps the call alive while the app is not in front. */
class CallForegroundService : CallService() {
    private val container get() = (application as ChamadaApp).container

    override fun call(): AppCallService? = container.session.service

    override fun notification(call: AppCallService): Notification = container.session.notification(call)

    override fun farewell(): Notification = container.session.farewell()

    override fun onDecline() = container.viewModel.dispatch(AppAction.Decline)

    override fun onMute() {
        val call = container.viewModel.uiState.value.app.call ?: return
        container.viewModel.dispatch(AppAction.SetMicrophone(!call.microphoneOn))
    }

    override fun onHangUp() = container.viewModel.dispatch(AppAction.HangUp)
}
