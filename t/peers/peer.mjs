// An independent WebSocket client, npm's ws, against codr.
//
//     node peer.mjs PORT DIRECTORY
//
// DIRECTORY has node_modules.  Prints a line a case: "ok NAME", or
// "not ok NAME: WHY".

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { randomBytes } from 'node:crypto';

const [port, directory] = process.argv.slice(2);
const WebSocket = createRequire(`${directory}/`)('ws');
const sizes = [0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20];

function texts() {
    const words = ['codr', 'Wörter', '日本', '😀', 'x'.repeat(40), ' ', '\0'];
    return sizes.map((size) => {
        let text = '';
        for (let i = 0; text.length < size; i = (i * 31 + 7) % 1009) {
            text += words[i % words.length].repeat(1 + (i % 50));
        }
        return [...text].slice(0, size).join('');
    });
}

function blobs() {
    return sizes.flatMap((size) => [randomBytes(size), Buffer.alloc(size)]);
}

async function open(path, perMessageDeflate = false, protocols = []) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols,
        { perMessageDeflate, maxPayload: 1 << 27 });
    ws.queue = [];
    ws.on('message', (data, binary) =>
        ws.queue.push(binary ? data : data.toString()));
    await once(ws, 'open');
    return ws;
}

async function next(ws) {
    while (ws.queue.length === 0) {
        await once(ws, 'message', { signal: AbortSignal.timeout(60000) });
    }
    return ws.queue.shift();
}

async function close(ws, code, reason) {
    const closed = once(ws, 'close');
    ws.close(code, reason);
    const [got, words] = await closed;
    if (got !== (code ?? 1005) || words.toString() !== (reason ?? '')) {
        throw new Error(`closed with ${got} ${words}`);
    }
}

async function echoes(ws) {
    for (const message of [...texts(), ...blobs()]) {
        ws.send(message);
        const answer = await next(ws);
        const same = typeof message === 'string' ? answer === message
            : Buffer.isBuffer(answer) && message.equals(answer);
        if (!same) {
            throw new Error(`${message.length} came back as another`);
        }
    }
    await close(ws, 1000);
}

async function deflated(options) {
    const ws = await open('/echo', options);
    if (!ws.extensions) {
        throw new Error('nothing was agreed on');
    }
    await echoes(ws);
}

async function fragments() {
    const ws = await open('/echo', true);
    for (const parts of [['a', 'b'], ['', 'wört'.repeat(9999), '']]) {
        parts.forEach((part, i) =>
            ws.send(part, { fin: i === parts.length - 1 }));
        if (await next(ws) !== parts.join('')) {
            throw new Error('they came back as another message');
        }
    }
    await close(ws, 1000);
}

async function pings() {
    const ws = await open('/echo', true);
    for (const data of ['', 'x', 'y'.repeat(125)]) {
        const pong = once(ws, 'pong', { signal: AbortSignal.timeout(60000) });
        ws.ping(data);
        if ((await pong)[0].toString() !== data) {
            throw new Error('another pong');
        }
    }
    await close(ws, 1000);
}

async function closing() {
    for (const [code, reason] of [[], [1000, ''], [1001, 'x'],
        [1013, ''], [4321, 'because ü']]) {
        await close(await open('/echo'), code, reason);
    }
}

async function job() {
    const ws = await open('/run', true, ['codr.v1.bin', 'codr.v1']);
    if (ws.protocol !== 'codr.v1.bin') {
        throw new Error(`protocol ${ws.protocol}`);
    }
    ws.send(JSON.stringify({ type: 'execute', language: 'python', tty: false,
        stdin: 'Grüße\n', code: 'print(input() * 100)' }));
    let output = '';
    for (;;) {
        const message = await next(ws);
        if (Buffer.isBuffer(message)) {
            output += message.subarray(1).toString();
            continue;
        }
        const { type } = JSON.parse(message);
        if (type === 'complete' || type === 'error') {
            if (output !== 'Grüße'.repeat(100) + '\n') {
                throw new Error(`${output} ${message}`);
            }
            break;
        }
    }
    await close(ws, 1000);
}

const cases = {
    'echoes': async () => echoes(await open('/echo')),
    'echoes, compressed': () => deflated(true),
    'echoes, all compressed': () => deflated({ threshold: 0 }),
    fragments,
    pings,
    closing,
    'a job': job,
};
for (const [server, client] of [[8, 8], [9, 9], [10, true], [15, 12]]) {
    cases[`a window of ${server} and ${client} bits`] = () => deflated({
        threshold: 0, serverMaxWindowBits: server,
        clientMaxWindowBits: client });
}
cases['no context'] = () => deflated({ threshold: 0,
    serverNoContextTakeover: true, clientNoContextTakeover: true });

for (const [name, run] of Object.entries(cases)) {
    try {
        await run();
        console.log(`ok ${name}`);
    } catch (error) {
        console.log(`not ok ${name}: ${error.message}`);
    }
}
process.exit(0);
