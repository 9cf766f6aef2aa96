// Starts the page: the API, the live hub and the catalogue are made here, handed down, and nowhere else.
import { createApp } from 'vue'
import { makeApi } from './api/api.ts'
import { makeSession, SESSION } from './api/session.ts'
import App from './App.vue'
import { CATALOGUE, makeCatalogue } from './live/catalogue.ts'
import { makeHub } from './live/hub.ts'
import { HUB } from './live/use.ts'
import { applyTheme, readPageState } from './pageState.ts'
import './style.css'

applyTheme(readPageState(location.search).theme)

const url = new URL('/graphql', location.href).href
const session = makeSession({ url, storage: sessionStorage, reload: () => location.reload() })
const api = makeApi(url, { key: session.key, onRefused: session.refuse })

createApp(App)
  .provide(SESSION, session)
  .provide(HUB, makeHub(api))
  .provide(CATALOGUE, makeCatalogue(api.client))
  .mount('#app')
