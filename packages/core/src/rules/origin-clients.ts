/** A client that is not a browser, or whose pages are not from the web. */
interface Client {
  /** Its `Origin`. */
  readonly sends: RegExp
  readonly name: string
  /** The entry of `allowedOrigins` that allows it; by default, its `Origin`. */
  readonly entry?: string | RegExp
}

/** The clients in the table of docs/origins.md that can be recognized by their origin. */
export const clients: readonly Client[] = [
  { sends: /^$/, name: 'A client whose field Origin is empty', entry: '' },
  { sends: /^null$/, name: 'A sandboxed frame or a page from a file; any web page can send null' },
  { sends: /^file:\/\/$/, name: 'arduinoWebSockets on a device, or a page from a file in Electron' },
  { sends: /^app:\/\/[\w.]+$/, name: 'Electron', entry: 'app://*' },
  { sends: /^capacitor:\/\/localhost$/, name: 'Capacitor on iOS' },
  { sends: /^ionic:\/\/localhost$/, name: 'Ionic on iOS' },
  { sends: /^(?:tauri:\/\/|https?:\/\/tauri\.)localhost$/, name: 'Tauri' },
  { sends: /^chrome-extension:\/\/\w+$/, name: 'An extension of Chrome' },
  { sends: /^moz-extension:\/\/[\w-]+$/, name: 'An extension of Firefox', entry: 'moz-extension://*' },
  { sends: /^safari-web-extension:\/\/[\w-]+$/, name: 'An extension of Safari', entry: 'safari-web-extension://*' },
  { sends: /^vscode-webview:\/\/[\w-]+$/, name: 'A webview of VS Code', entry: 'vscode-webview://*' },
  { sends: /^http:\/\/localhost\/$/, name: 'A client on golang.org/x/net/websocket' },
  {
    sends: /^https:\/\/github\.com\/gilmaimon\/TinyWebsockets$/,
    name: 'ArduinoWebsockets on a device',
    entry: /https:\/\/github\.com\/gilmaimon\/TinyWebsockets/
  }
]
