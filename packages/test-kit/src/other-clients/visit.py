# Reads visits, one per line, and prints the result of each.
import asyncio
import base64
import json
import ssl
import sys

import websockets


def readable(message):
    if "fragments" in message:
        return message["fragments"]
    return message["text"] if "text" in message else base64.b64decode(message["base64"])


def printable(data):
    return {"text": data} if isinstance(data, str) else {"base64": base64.b64encode(data).decode()}


async def visit(url, subprotocols, messages, close=None):
    context = ssl._create_unverified_context() if url.startswith("wss:") else None
    try:
        socket = await websockets.connect(url, ssl=context, subprotocols=subprotocols or None)
    except websockets.InvalidStatusCode as refusal:
        return {"refused": True, "status": refusal.status_code}
    echoes = []
    for message in messages:
        await socket.send(readable(message))
        echoes.append(printable(await socket.recv()))
    if close:
        await socket.close(*close)
    await socket.wait_closed()
    extension = next((extension.name for extension in socket.extensions), "")
    return {
        "subprotocol": socket.subprotocol or "",
        "extension": extension,
        "echoes": echoes,
        "code": socket.close_code,
        "reason": socket.close_reason,
    }


for line in sys.stdin:
    print(json.dumps(asyncio.run(visit(**json.loads(line)))), flush=True)
