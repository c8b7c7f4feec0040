// What a program can learn of its interpreter, as text that is the same in two
// processes unless they differ.
'use strict';
const fs = require('fs');
const os = require('os');
const seen = {};
const trace = [];

function near(a, b, most) {
    return Math.abs(a - b) <= most;
}

seen.process = [process.argv, process.argv0, process.execArgv, process.title,
    process.execPath, process.version, process.versions, process.arch,
    process.platform, process.release, process.features, process.config,
    process.cwd(), process.env, process.umask(), process.getuid(),
    process.exitCode, process.connected, process.channel,
    process.allowedNodeEnvironmentFlags.size, process.debugPort,
    process.report && process.report.directory];
seen.pid = process.pid === +fs.readlinkSync('/proc/self')
    && process.ppid === 1;
seen.descriptors = Object.entries(Object.getOwnPropertyDescriptors(process))
    .map(([name, d]) => [name, !!d.get, !!d.set, d.writable, d.enumerable,
        d.configurable, typeof d.value]);
seen.globals = Reflect.ownKeys(globalThis).map(String);
seen.events = [process.eventNames().map(String),
    process.rawListeners('exit').length];
seen.emit = [process.emit === require('events').prototype.emit,
    Reflect.ownKeys(Object.getPrototypeOf(process)).map(String)];
seen.module = [__filename, __dirname, module.id, module.paths, module.children,
    Object.keys(require.cache), require.main === module,
    Object.keys(require('module')._pathCache),
    require('module').globalPaths];
seen.clock = [process.uptime() < 30, performance.now() < 30000,
    performance.now() > 0,
    near(performance.timeOrigin, Date.now(), 30000),
    near(performance.timeOrigin + performance.now(), Date.now(), 1000),
    near(process.uptime() * 1000, performance.now(), 1000),
    performance.nodeTiming.bootstrapComplete < 30000,
    performance.nodeTiming.nodeStart >= 0,
    performance.nodeTiming.v8Start > 0,
    performance.nodeTiming.loopStart,
    typeof process.hrtime.bigint()];
seen.memory = [Object.keys(process.memoryUsage()),
    process.memoryUsage().rss > 1e7,
    require('v8').getHeapStatistics().heap_size_limit,
    Object.keys(process.resourceUsage()), process.cpuUsage().user < 20e6];
seen.system = [os.cpus().length, os.totalmem(), os.hostname(), os.tmpdir(),
    os.homedir(), os.endianness(), os.constants.signals.SIGTERM];
seen.stdio = [process.stdin.isTTY, process.stdout.isTTY,
    process.stdout.writableLength, process.stdout.constructor.name,
    process.stdin.constructor.name];
seen.intl = [new Intl.DateTimeFormat().resolvedOptions(),
    new Date(0).toString(), (1234.5).toLocaleString('de')];
seen.stack = new Error('x').stack;
seen.files = [fs.readdirSync('/box'), fs.existsSync('/proc/self/fd/63'),
    fs.statSync('/box/main.js').size];
// a clone's may have room behind them
seen.environ = fs.readFileSync('/proc/self/environ', 'latin1')
    .replace(/\0+$/, '');
seen.commandLine = fs.readFileSync('/proc/self/cmdline', 'latin1');
seen.threads = fs.readdirSync('/proc/self/task').length;
fs.writeFileSync('/box/out', 'text');
fs.appendFileSync('/box/out', '!');
seen.written = fs.readFileSync('/box/out', 'utf8');
fs.unlinkSync('/box/out');

const shared = new Int32Array(new SharedArrayBuffer(4));
const before = performance.now();
const { AsyncResource, executionAsyncId } = require('async_hooks');
seen.numbers = [new AsyncResource('a').asyncId(), executionAsyncId(),
    setTimeout(() => {}, 1)[Symbol.toPrimitive]() > 0,
    new AsyncResource('a').asyncId()];
seen.wait = [Atomics.wait(shared, 0, 0, 20), performance.now() - before >= 19];

// What goes through the loop, the thread pool and V8's own threads.

const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127,
    3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11);
const tasks = {
    timer: () => new Promise((done) => {
        const start = performance.now();
        setTimeout(() => done(near(performance.now() - start, 30, 3000)
            && performance.now() - start > 28), 30);
    }),
    order: () => new Promise((done) => {
        setTimeout(() => {
            setImmediate(() => { trace.push('immediate'); done(trace); });
            process.nextTick(() => trace.push('tick'));
            Promise.resolve().then(() => trace.push('promise'));
            queueMicrotask(() => trace.push('microtask'));
            trace.push('sync');
        }, 1);
    }),
    file: () => fs.promises.readFile('/box/main.js').then((b) => b.length),
    callback: () => new Promise((done) => fs.stat('/box/none',
        (e) => done(e.code))),
    zip: () => new Promise((done) => require('zlib').gzip('a'.repeat(1e5),
        (e, b) => done(require('zlib').gunzipSync(b).length))),
    key: () => new Promise((done) => require('crypto').pbkdf2('a', 'b', 1000,
        16, 'sha256', (e, b) => done(b.toString('hex')))),
    name: () => require('dns').promises.lookup('127.0.0.1'),
    worker: () => new Promise((done, fail) => {
        const { Worker } = require('worker_threads');
        const w = new Worker(`const { parentPort } = require('worker_threads');
            parentPort.postMessage([process.pid, process.argv,
                process.execArgv, Math.random(), process.env.LANG,
                performance.now() < 30000]);`, { eval: true });
        const all = [];
        w.on('message', (m) => {
            m[0] = m[0] === process.pid;
            m[3] = m[3] !== Math.random();
            all.push(m);
        });
        w.on('error', fail);
        w.on('exit', (code) => done([all, code]));
    }),
    child: () => new Promise((done) => require('child_process').execFile(
        '/bin/sh', ['-c', 'echo a; exit 3'],
        (e, out) => done([e && e.code, out]))),
    signal: () => new Promise((done) => {
        const stay = setInterval(() => {}, 1000);
        process.once('SIGUSR2', (name) => {
            clearInterval(stay);
            done(name);
        });
        process.kill(process.pid, 'SIGUSR2');
    }),
    wasm: () => WebAssembly.instantiate(wasm).then(
        (m) => m.instance.exports.f()),
    collect: () => {
        let sum = 0;
        for (let i = 0; i < 200; i++)
            sum += Array.from({ length: 5000 }, (_, k) => ({ k })).length;
        return sum;
    },
    hot: () => {
        let sum = 0;
        for (let i = 0; i < 3e6; i++)
            sum = (sum + i * 7) % 1000003;
        return sum;
    },
    read: () => new Promise((done) => {
        let text = '';
        process.stdin.setEncoding('utf8');
        process.stdin.on('data', (data) => { text += data; });
        process.stdin.on('end', () => done(text));
    }),
    module: () => import('fs').then((m) => m.default === fs),
    abort: () => new Promise((done) => {
        const c = new AbortController();
        c.signal.onabort = () => done(c.signal.reason.name);
        c.abort();
    }),
};

(async () => {
    for (const [name, task] of Object.entries(tasks)) {
        try {
            seen[name] = await task();
        } catch (e) {
            seen[name] = String(e);
        }
    }
    process.stdout.write(JSON.stringify(seen, null, 1) + '\n');
    console.log('all of it');
})();
process.on('exit', (code) => console.log('exit', code));
