"""An independent WebSocket client, Debian's python3-websockets, against codr.

    peer.py PORT

Prints a line a case: "ok NAME", or "not ok NAME: WHY".
"""

import asyncio
import json
import random
import sys

import websockets
from websockets.extensions.permessage_deflate import \
    ClientPerMessageDeflateFactory as Deflate

SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20)
URL = 'ws://127.0.0.1:%s' % sys.argv[1]


def connect(path, **options):
    options.setdefault('compression', None)
    return websockets.connect(URL + path, max_size=None, ping_interval=None,
                              open_timeout=60, close_timeout=60, **options)


def texts():
    words = ['codr', 'Wörter', '日本', '😀', 'x' * 40, ' ', '\0', '\n']
    chosen = random.Random(1)
    for size in SIZES:
        text = ''
        while len(text) < size:
            text += ''.join(chosen.choice(words) for _ in range(1000))
        yield text[:size]


def blobs():
    chosen = random.Random(2)
    for size in SIZES:
        yield chosen.randbytes(size)
        yield bytes(size)


async def echoes(ws):
    for message in list(texts()) + list(blobs()):
        await ws.send(message)
        answer = await asyncio.wait_for(ws.recv(), 60)
        if answer != message:
            return '%d %s came back as another' % (
                len(message), type(message).__name__)
    return None


async def plain():
    async with connect('/echo') as ws:
        return await echoes(ws)


async def deflated():
    async with connect('/echo', compression='deflate') as ws:
        if not ws.extensions:
            return 'nothing was agreed on'
        return await echoes(ws)


def windows(server, client):
    async def case():
        offer = Deflate(server_max_window_bits=server,
                        client_max_window_bits=client)
        async with connect('/echo', extensions=[offer]) as ws:
            if not ws.extensions:
                return 'nothing was agreed on'
            return await echoes(ws)
    return case


async def fragments():
    async with connect('/echo', compression='deflate') as ws:
        for parts in (['a'], ['a', '', 'b'], ['wört' * 5000] * 9,
                      [b'\0' * 5000, b'', b'\xff' * 70000]):
            await ws.send(parts)
            answer = await asyncio.wait_for(ws.recv(), 60)
            if answer != type(parts[0])().join(parts):
                return 'they came back as another message'
    return None


async def pings():
    async with connect('/echo', compression='deflate') as ws:
        for data in (b'', b'x', bytes(range(125))):
            pong = await ws.ping(data)
            await asyncio.wait_for(pong, 60)
    return None


async def closing():
    for code, reason in (1000, ''), (1001, 'x'), (4321, 'because ü'):
        ws = await connect('/echo')
        await ws.close(code, reason)
        if (ws.close_code, ws.close_reason) != (code, reason):
            return '%s %s' % (ws.close_code, ws.close_reason)
    return None


async def job():
    async with connect('/run', compression='deflate',
                       subprotocols=['codr.v1']) as ws:
        await ws.send(json.dumps({
            'type': 'execute', 'language': 'python', 'tty': False,
            'stdin': 'Grüße\n' * 100, 'code': 'print(input() * 100)'}))
        output = ''
        while True:
            message = json.loads(await asyncio.wait_for(ws.recv(), 60))
            if message['type'] == 'output':
                output += message['data']
            elif message['type'] in ('complete', 'error'):
                break
        if output != 'Grüße' * 100 + '\n':
            return 'output %r, %r' % (output, message)
    return None


CASES = [('echoes', plain), ('echoes, compressed', deflated),
         ('fragments', fragments), ('pings', pings), ('closing', closing),
         ('a job', job)]
CASES += [('a window of %s and %s bits' % pair, windows(*pair)) for pair in
          ((8, None), (9, 9), (10, True), (12, 15), (15, 12), (None, 10))]


async def main():
    for name, case in CASES:
        try:
            why = await case()
        except Exception as error:              # whatever it is, it is a line
            why = repr(error)
        print('ok ' + name if why is None else 'not ok %s: %s' % (name, why),
              flush=True)

asyncio.run(main())
