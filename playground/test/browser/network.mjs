// What the page says and does when the way to the server breaks: a proxy of
// ours drops and refuses connections; a reload; refusals of every kind.

import { createServer, connect } from 'node:net';
import { URL_, clean, like, main, ok, open, phase, run, shot, shows, skip,
    status, terminal, until, write } from './lib.mjs';

const RESUMES = process.env.CODR_RESUMES === '1';
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
    if (RESUMES) {
        await phase(page, 'running');
        await reached(page, 12);
        ok(inOrder(await terminal(page)), 'and resumed without a gap',
            await terminal(page));
        await page.click('#run');
        await phase(page, 'done');
    } else {
        skip('and resumed without a gap', 'the server cannot');
        await phase(page, 'lost');
        like(await status(page), /connection was lost.*ended with it/,
            'and what became of the program');
        await page.click('#status-action');
        await reached(page, 3);
        ok(true, 'trying again works');
        await page.click('#run');
        await phase(page, 'done');
    }
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
    if (RESUMES) {
        await phase(page, 'running');
        await reached(page, 12);
        ok(inOrder(await terminal(page)), 'a reload resumes the run',
            await terminal(page));
        await page.click('#run');
        await phase(page, 'done');
        like(await status(page), /^Stopped/, 'which can be stopped');
    } else {
        skip('a reload resumes the run', 'the server cannot');
        await phase(page, 'lost');
        ok(true, 'a reload says what became of the run');
    }
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

await main([offline, reload, refusals, key]);
