/** Those of every `ws`, whichever copy a socket is of. https://websockets.spec.whatwg.org/#dom-websocket-readystate */
export const open = 1
export const closed = 3
