package chamada.app

import android.app.Application

/** The process: whatever outlives screens is in its house. */
class ChamadaApp : Application() {
    lateinit var house: House
        private set

    override fun onCreate() {
        super.onCreate()
        house = House(this)
    }
}
