// What the page says and does when the way to the server breaks: a proxy of
// ours drops and refuses connections; a reload; refusals of every kind.

import { createServer, connect } from 'node:net';
import { URL_, clean, like, main, ok, open, phase, run, shot, shows, status,
    terminal, told, until, write } from './lib.mjs';

const COUNT = 'import time\nfor i in range(1, 1000):\n'
    + '    print("line", i, flush=True)\n    time.sleep(0.1)\n';

/** A way to the server that can be cut. */
async function way() {
    const target = new URL(URL_);
    const sockets = new Set();
    let cut = false;
    const server = createServer((here) => {
        if (cut) {
            here.destroy();
            return;
        }
        const there = connect(Number(target.port), target.hostname);
        for (const [from, to] of [[here, there], [there, here]]) {
            sockets.add(from);
            from.on('error', () => to.destroy());
            from.on('close', () => {
                sockets.delete(from);
                to.destroy();
            });
            from.pipe(to);
        }
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        url: `http://127.0.0.1:${server.address().port}/`,
        cut() {
            cut = true;
            sockets.forEach((socket) => socket.destroy());
        },
        mend() {
            cut = false;
        },
        close() {
            this.cut();
            server.close();
        },
    };
}

function reached(page, line) {
    return until(page, (wanted) => Math.max(0, ...[...document
        .querySelector('.xterm-rows').textContent.matchAll(/line (\d+)/g)]
        .map((m) => Number(m[1]))) >= wanted, line);
}

/** Each line once and in order, as far as the screen shows. */
function inOrder(text) {
    const lines = [...text.matchAll(/line (\d+)/g)].map((m) => Number(m[1]));
    return lines.length > 3
        && lines.every((n, i) => i === 0 || n === lines[i - 1] + 1);
}

async function offline(browser) {
    const path = await way();
    const page = await open(browser, { url: path.url });
    await write(page, COUNT);
    await run(page);
    await reached(page, 5);
    path.cut();
    await phase(page, 'reconnecting');
    like(await status(page), /^Connection lost reconnecting/,
        'a lost connection is said');
    await shot(page, '7-connection-lost');
    path.mend();
    await phase(page, 'running');
    await reached(page, 12);
    ok(inOrder(await terminal(page)), 'and resumed without a gap',
        await terminal(page));
    await page.click('#run');
    await phase(page, 'done');
    path.cut();
    await page.click('#run');
    await phase(page, 'failed');
    like(await status(page), /does not answer/, 'a server that is gone');
    path.mend();
    await page.click('#status-action');
    await reached(page, 3);
    ok(true, 'and is back');
    path.close();
    await page.context().close();
}

async function reload(browser) {
    const page = await open(browser);
    await write(page, COUNT);
    await run(page);
    await reached(page, 5);
    await page.reload();
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
    await phase(page, 'running');
    await reached(page, 12);
    ok(inOrder(await terminal(page)), 'a reload resumes the run',
        await terminal(page));
    await page.click('#run');
    await phase(page, 'done');
    like(await status(page), /^Stopped/, 'which can be stopped');
    await page.reload();
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
    like(await status(page), /^Ready/, 'and later it is over');
    await clean(page, 'a reload');
}

/** The page with its codr_exec elsewhere: t/browser/network.t made it. */
function elsewhere(path) {
    return { url: `${URL_}${path}.html` };
}

async function refusals(browser) {
    for (const [path, words] of [['limited', /^Too many runs .*again/],
        ['gone', /^Running programs is not available now .*again/],
        ['foreign', /does not serve this page .*operator/]]) {
        const page = await open(browser, elsewhere(path));
        await run(page);
        await phase(page, 'failed');
        like(await status(page), words, `${path}: the status says what to do`);
        await page.context().close();
    }
}

async function key(browser) {
    const page = await open(browser, elsewhere('keyed'));
    await write(page, 'print("with a key")\n');
    await run(page);
    await phase(page, 'failed');
    like(await status(page), /wants a key/, 'a key is asked for');
    await page.click('#status-action');
    await page.fill('dialog input', process.env.CODR_KEY);
    await page.keyboard.press('Enter');
    await phase(page, 'done');
    await shows(page, 'with a key');
    ok(!(await page.evaluate(() => JSON.stringify([{ ...localStorage },
        { ...sessionStorage }]))).includes(process.env.CODR_KEY),
    'and is not stored');
    await page.context().close();
}

async function tickets(browser) {
    const page = await open(browser, elsewhere('ticketed'));
    let asked = 0;
    page.on('request', (request) => {
        asked += request.method() === 'POST' ? 1 : 0;
    });
    for (const word of ['first', 'second']) {
        await write(page, `print("the ${word} ticket")\n`);
        await run(page);
        await phase(page, 'done');
        await told(page, new RegExp(`the ${word} ticket`),
            `the ${word} ticket runs a program`);
    }
    ok(asked === 2, 'each run has its own', asked);
    await clean(page, 'tickets');

    const stranger = await open(browser, elsewhere('stranger'));
    await run(stranger);
    await phase(stranger, 'failed');
    like(await status(stranger), /^You may not run programs here Log in/,
        'a back end that gives none');
    await stranger.context().close();
}

/** One job at a time: the second waits until the first is stopped. */
async function queue(browser) {
    const options = { url: process.env.CODR_BUSY };
    const first = await open(browser, options);
    await write(first, 'print("holds")\nwhile True: pass\n');
    await run(first);
    await shows(first, 'holds');
    const second = await open(browser, options);
    await write(second, 'print("my turn")\n');
    await run(second);
    await phase(second, 'queued');
    like(await status(second), /^Queued at position 1/,
        'the place in the queue is shown');
    await first.click('#run');
    await phase(second, 'done');
    await told(second, /my turn/, 'and its turn comes');
    await phase(first, 'done');
    await clean(first, 'the one before');
    await clean(second, 'a queue');
}

await main([offline, reload, refusals, key, tickets, queue]);
