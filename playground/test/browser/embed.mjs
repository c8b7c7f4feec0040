// Twenty samples on a page of somebody's documentation: one socket, opened on
// first use, and the page's own strict policy.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { URL_, like, main, ok, open, shot } from './lib.mjs';

const AXE = readFileSync(createRequire(import.meta.url)
    .resolve('axe-core/axe.min.js'), 'utf8');

function sample(page, id) {
    const box = page.locator(`#${id}`);
    return {
        box,
        run: () => box.locator('button.run').click(),
        ends: (words) => box.locator('.foot', { hasText: words }).waitFor(),
        output: async (stream = 'stdout') => {
            // text is painted with the frame after the one that brought it
            await page.evaluate(() => new Promise((painted) =>
                requestAnimationFrame(() => requestAnimationFrame(painted))));
            return box.locator(`.${stream} .plain-text`).innerText();
        },
    };
}

async function twenty(browser) {
    const sockets = [];
    const page = await open(browser, { url: 'about:blank' });
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(`${URL_}samples.html`);
    await page.locator('#s1 .cm-content').waitFor();
    ok(await page.locator('codr-run').count() === 20, 'twenty samples');
    ok(sockets.length === 0, 'no socket before the first use');

    const first = sample(page, 's1');
    await first.run();
    await first.ends('Finished');
    like(await first.output(), /^sample 1\s*$/, 'a sample runs');
    const third = sample(page, 's3');
    await third.box.scrollIntoViewIfNeeded();
    await third.box.locator('.cm-content').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText('print("edited")\n');
    await page.keyboard.press('Control+Enter');
    await third.ends('Finished');
    like(await third.output(), /^edited\s*$/, 'and an edited one');
    ok(sockets.length === 1, 'both over one socket', sockets);

    const asks = sample(page, 'asks');
    await asks.run();
    await asks.box.locator('.plain-field').waitFor();
    await asks.box.locator('.stdout .plain-text', { hasText: 'name?' })
        .waitFor();
    await asks.box.locator('.plain-field').fill('Ada');
    await page.keyboard.press('Enter');
    await asks.ends('Finished');
    like(await asks.output(), /hello Ada/, 'one that asks is answered');

    const loops = sample(page, 'loops');
    await loops.run();
    await loops.ends('Running');
    const given = sample(page, 'given');
    await given.run();
    await loops.ends('Stopped');
    await given.ends('Finished');
    like(await given.output(), /\['a', 'b c'\] stdin/,
        'arguments and input by attributes; the one before is stopped');

    const bad = sample(page, 'bad');
    await bad.run();
    await bad.ends('does not compile');
    like(await bad.output('stderr'), /error:/, 'the compiler\'s words');
    const cells = await page.evaluate(() =>
        document.querySelector('#indented').code);
    ok(cells === 'if True:\n    print("<indented>")',
        'indentation of the page and entities', cells);
    ok(sockets.length === 1, 'still one socket', sockets);

    await page.evaluate(AXE);
    const found = await page.evaluate(async () => (await window.axe.run())
        .violations.filter((v) => /serious|critical/.test(v.impact))
        .map((v) => `${v.id} ${v.nodes[0].target}`));
    ok(found.length === 0, 'axe finds nothing serious', found);
    await page.evaluate(() => scrollTo(0, 0));
    await shot(page, '8-embedded');
    const problems = await page.problems();
    ok(problems.length === 0, 'no error, no violation of the policy',
        problems);
    await page.context().close();
}

async function tickets(browser) {
    const page = await open(browser, { url: 'about:blank' });
    await page.goto(`${URL_}tickets.html`);
    const paid = sample(page, 'paid');
    for (const time of ['first', 'second']) {
        await paid.run();
        await paid.ends('Finished');
        like(await paid.output(), /^let in\s*$/,
            `a ticket lets a sample in, the ${time} time`);
    }
    const free = sample(page, 'free');
    await free.run();
    await free.ends('wants a key');
    ok(true, 'and nobody comes in without');
    await page.context().close();
}

await main([twenty, tickets]);
