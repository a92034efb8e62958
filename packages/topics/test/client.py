"""A client of the protocol oneport.topics.1, and its test: python3 client.py conformance.json http://localhost:3000"""

import asyncio
import json
import re
import sys
import urllib.parse
import urllib.request

import websockets


class Malformed(Exception):
    pass


TOPIC = r"(?P<topic>[^\x00-\x1f\x7f]+)"
ID = r"[A-Za-z0-9_-]{1,64}"
EPOCH = r"(?P<epoch>[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})"
OFFSET = r"(?P<offset>0|[1-9][0-9]{0,14})"
HEADERS = {
    "subscribed": [f"{EPOCH} {OFFSET} (?P<beginning>new|resumed|gap) {TOPIC}", f"- - (?P<beginning>new|gap) {TOPIC}"],
    "unsubscribed": [TOPIC],
    "message": [f"{OFFSET} {TOPIC}", f"- {TOPIC}"],
    "gap": [f"{EPOCH} {OFFSET} {TOPIC}"],
    "published": [f"(?P<id>{ID}) {OFFSET}", f"(?P<id>{ID}) -"],
    "present": [TOPIC],
    "joined": [TOPIC],
    "left": [TOPIC],
    "error": [
        f"(?P<code>forbidden|limit|busy|failed) (?P<request>publish) (?P<id>{ID}) {TOPIC}",
        f"(?P<code>forbidden|limit|busy|failed) (?P<request>subscribe|presence) - {TOPIC}",
    ],
    "pong": [""],
}
FIELDS = {
    "subscribed": ["epoch", "offset"],
    "message": ["offset"],
    "published": ["offset"],
    "error": ["id"],
}
WITH_PAYLOAD = {"message", "present", "joined", "left"}


def read_answer(answer):
    """Reads an answer into a dict; None for a kind that is not known."""
    line_feed = "\n" if isinstance(answer, str) else b"\n"
    header, line_feed, payload = answer.partition(line_feed)
    if isinstance(header, bytes):
        try:
            header = header.decode()
        except UnicodeDecodeError as error:
            raise Malformed(str(error)) from error
    kind, _, fields = header.partition(" ")
    if kind not in HEADERS:
        return None
    if bool(line_feed) != (kind in WITH_PAYLOAD):
        raise Malformed(f"payload: {answer!r}")
    for pattern in HEADERS[kind]:
        match = re.fullmatch(pattern, fields)
        if match:
            break
    else:
        raise Malformed(f"header: {answer!r}")
    result = {"kind": kind, **dict.fromkeys(FIELDS.get(kind, [])), **match.groupdict()}
    if result.get("offset") is not None:
        result["offset"] = int(result["offset"])
    if kind == "message":
        result["payload"] = payload
    elif kind in WITH_PAYLOAD:
        name, shape = ("members", list) if kind == "present" else ("member", dict)
        try:
            result[name] = json.loads(payload)
        except ValueError as error:
            raise Malformed(str(error)) from error
        if not isinstance(result[name], shape):
            raise Malformed(f"JSON: {answer!r}")
    return result


def write_request(kind, topic="", since=None, id=None, payload=None):
    """Writes a request as text, or as bytes if the payload is bytes."""
    if kind == "subscribe":
        position = since if isinstance(since, str) else f"{since['epoch']}:{since['offset']}" if since else "-"
        return f"subscribe {position} {topic}"
    if kind == "publish":
        header = f"publish {id} {topic}\n"
        return header + payload if isinstance(payload, str) else header.encode() + payload
    return f"{kind} {topic}" if topic else kind


class Position:
    """Where a client is in a topic: what it has seen, and what it knows to have missed."""

    def __init__(self, since=None):
        self.epoch, self.offset = (since["epoch"], since["offset"]) if isinstance(since, dict) else (None, None)
        self.missing = []

    @property
    def since(self):
        return {"epoch": self.epoch, "offset": self.offset}

    def take(self, answer):
        kind, offset = answer["kind"], answer["offset"]
        if kind == "message":
            assert offset is None or offset == self.offset + 1, f"expected {self.offset + 1}, got {answer}"
        elif (kind == "gap" or answer["beginning"] == "gap") and answer["epoch"] == self.epoch is not None:
            if offset >= self.offset + 1:
                self.missing.append([self.offset + 1, offset])
        if kind != "message":
            self.epoch = answer["epoch"]
        self.offset = offset


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.positions = {}

    @classmethod
    async def connect(cls, url, subprotocol):
        socket = await websockets.connect(url, subprotocols=[subprotocol])
        assert socket.subprotocol == subprotocol
        return cls(socket)

    async def send(self, request):
        match = re.fullmatch(f"subscribe (?:-|all|{EPOCH}:{OFFSET}) {TOPIC}", request)
        if match:
            epoch, offset = match["epoch"], match["offset"]
            self.positions[match["topic"]] = Position(epoch and {"epoch": epoch, "offset": int(offset)})
        await self.socket.send(request)

    async def next(self):
        text = await asyncio.wait_for(self.socket.recv(), 10)
        answer = read_answer(text)
        if answer["kind"] in ("subscribed", "message", "gap"):
            self.positions[answer["topic"]].take(answer)
        return text


def check_readings(requests, answers):
    for case in requests:
        meaning = dict(case.get("means", {}))
        if "payloadHex" in meaning:
            meaning["payload"] = bytes.fromhex(meaning.pop("payloadHex"))
        if meaning:
            assert write_request(**meaning) == case.get("text", bytes.fromhex(case.get("hex", ""))), case
    for case in answers:
        given = case["text"] if "text" in case else bytes.fromhex(case["hex"])
        meaning = dict(case.get("means", {}))
        if "payloadHex" in meaning:
            meaning["payload"] = bytes.fromhex(meaning.pop("payloadHex"))
        try:
            read = read_answer(given)
            assert read == (None if case.get("is") == "ignored" else meaning), (case, read)
            assert case.get("is") != "malformed", case
        except Malformed:
            assert case.get("is") == "malformed", case


async def converse(conversation, url, subprotocol):
    path = f"{url}/{urllib.parse.quote(conversation['name'], safe='')}"
    clients, values = {}, {}

    def filled(text):
        return re.sub(r"\$\w+", lambda match: values.get(match[0], match[0]), text)

    def compare(got, wanted):
        for value, field in zip(got.split(" "), wanted.split(" ")):
            if field.startswith("$"):
                values.setdefault(field, value)
        assert got == filled(wanted), f"expected {filled(wanted)!r}, got {got!r}"

    for step in conversation["steps"]:
        if "publishes" in step:
            query = urllib.parse.urlencode({"topic": step["topic"]})
            await asyncio.to_thread(urllib.request.urlopen, f"{path}?{query}", step["publishes"].encode())
            continue
        name = step["client"]
        if name not in clients:
            clients[name] = await Client.connect(f"{path}?as={name}".replace("http", "ws", 1), subprotocol)
        client = clients[name]
        if "sends" in step:
            await client.send(filled(step["sends"]))
        if "gets" in step:
            compare(await client.next(), step["gets"])
        if "getsInAnyOrder" in step:
            got = [await client.next() for _ in step["getsInAnyOrder"]]
            assert sorted(got) == sorted(step["getsInAnyOrder"]), got
        if "since" in step:
            position = client.positions[step["topic"]].since
            assert f"{position['epoch']}:{position['offset']}" == filled(step["since"]), position
        if "missing" in step:
            assert client.positions[step["topic"]].missing == [step["missing"]], client.positions[step["topic"]].missing
        if "closes" in step:
            await asyncio.wait_for(client.socket.wait_closed(), 10)
            assert client.socket.close_code == step["closes"], client.socket.close_code
        if "leaves" in step:
            await client.socket.close()
    for client in clients.values():
        await client.socket.close()


async def main(file, url):
    with open(file, encoding="utf-8") as cases:
        conformance = json.load(cases)
    check_readings(conformance["requests"], conformance["answers"])
    print("passed: requests and answers", flush=True)
    for conversation in conformance["conversations"]:
        try:
            await converse(conversation, url, conformance["subprotocol"])
        except Exception as error:
            raise AssertionError(conversation["name"]) from error
        print(f"passed: {conversation['name']}", flush=True)


asyncio.run(main(*sys.argv[1:]))
