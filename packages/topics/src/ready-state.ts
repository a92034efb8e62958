/** The values are standard, so they fit sockets of any copy of `ws`. https://websockets.spec.whatwg.org/#dom-websocket-readystate */
export const open = 1
export const closed = 3
