package chamada.app

import android.app.Application

/** The process: what outlives screens is in its [container]. */
class ChamadaApp : Application() {
    lateinit var container: AppContainer
        private set

    override fun onCreate() {
        super.onCreate()
        container = AppContainer(this)
    }
}
