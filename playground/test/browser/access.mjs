// Who uses it and with what: the keyboard alone, a screen reader (axe-core's
// rules), a phone, dark and light; how much it loads and how fast it shows.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { URL_, clean, like, main, ok, open, phase, run, shot, shows, status,
    told, until, write } from './lib.mjs';

const AXE = readFileSync(createRequire(import.meta.url)
    .resolve('axe-core/axe.min.js'), 'utf8');
const SITE = join(dirname(fileURLToPath(import.meta.url)), '../../site');

async function axe(page, name) {
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
        const result = await window.axe.run(document);
        return result.violations.map((v) => `${v.impact} ${v.id}: `
            + v.nodes.map((n) => n.target.join(' ')).join(', '));
    });
    const bad = found.filter((f) => /^(serious|critical)/.test(f));
    ok(bad.length === 0, `${name}: axe finds nothing serious`, found);
}

async function keyboard(browser) {
    const page = await open(browser, { reducedMotion: 'reduce' });
    const focused = () => page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) {
            element = element.shadowRoot.activeElement;
        }
        return element?.id || element?.dataset?.tab
            || element?.className || element?.tagName;
    });
    const seen = [];
    for (let i = 0; i < 14; i++) {
        await page.keyboard.press('Tab');
        seen.push(await focused());
        if (/cm-content/.test(seen.at(-1))) {
            await page.keyboard.press('Escape');
        }
    }
    for (const wanted of ['language', 'example', 'share', 'download', 'run',
        'add', 'split', 'terminal']) {
        ok(seen.includes(wanted), `Tab reaches ${wanted}`, seen);
    }
    ok(seen.some((s) => /cm-content/.test(s)), 'and the editor', seen);
    await page.locator('#language').focus();
    await page.keyboard.press('F6');
    ok(/cm-content/.test(await focused()), 'F6 goes to the program');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText('print(input("say: "))\n');
    await page.keyboard.press('Control+Enter');
    await shows(page, 'say:');
    ok(/xterm/.test(await focused()), 'a run goes to the terminal');
    await page.keyboard.type('by keyboard\n');
    await phase(page, 'done');
    await told(page, /say: by keyboard\s+by keyboard/,
        'all of it by keyboard');
    await page.keyboard.press('Tab');
    ok(!/xterm/.test(await focused()), 'Tab leaves the terminal at its end');
    await axe(page, 'after a run');
    await page.emulateMedia({ colorScheme: 'dark' });
    await axe(page, 'in the dark');
    await page.click('[data-tab=plain]');
    await page.click('#given summary');
    await axe(page, 'the plain view');
    await page.click('#add');
    await page.locator('dialog').waitFor();
    await axe(page, 'a question');
    await page.keyboard.press('Escape');
    ok(await page.locator('dialog').count() === 0, 'Escape closes it');
    await clean(page, 'the keyboard');
}

async function dark(browser) {
    const page = await open(browser, { colorScheme: 'dark' });
    await page.selectOption('#example', { label: 'Sorting as a picture' });
    await page.locator('.toast').waitFor();
    await page.click('#run');
    await phase(page, 'done');
    await shows(page, 'Sorted.');
    await page.mouse.move(640, 30);
    await page.evaluate(() => document.querySelector('.toast')?.remove());
    await shot(page, '3-dark');
    await clean(page, 'dark');
}

async function phone(browser) {
    for (const width of [320, 390]) {
        const page = await open(browser, { isMobile: true, hasTouch: true,
            viewport: { width, height: 700 } });
        await page.tap('#run');
        await shows(page, 'Your guess');
        await page.keyboard.type('50\n');
        await until(page, () => /Higher|Lower|Yes/.test(
            document.querySelector('.xterm-rows').textContent));
        const wide = await page.evaluate(() =>
            document.documentElement.scrollWidth);
        ok(wide <= width, `${width} px: nothing is wider than the screen`,
            wide);
        const small = await page.evaluate(() => [...document
            .querySelectorAll('.bar button, .bar select')].filter((b) =>
            b.getBoundingClientRect().height < 36).map((b) => b.id));
        ok(small.length === 0, `${width} px: buttons for fingers`, small);
        await shot(page, `5-phone-${width}`);
        await page.tap('#run');
        await phase(page, ['done']);
        await clean(page, `${width} px`);
    }
}

async function weight(browser) {
    const packed = readdirSync(join(SITE, 'assets'))
        .filter((f) => f.endsWith('.js.gz'))
        .map((f) => readFileSync(join(SITE, 'assets', f)).length);
    const sum = packed.reduce((a, b) => a + b, 0);
    ok(sum > 0 && sum < 300 * 1024, 'under 300 KB of script in all', sum);

    const page = await open(browser);
    const [paint, shift, names] = await page.evaluate(() => new Promise(
        (done) => {
            let moved = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) {
                    moved += entry.value;
                }
            }).observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => done([performance.getEntriesByName(
                'first-contentful-paint')[0]?.startTime, moved,
            performance.getEntriesByType('resource').map((r) => r.name)]),
            200);
        }));
    ok(paint < 5000, 'it shows soon', paint);
    console.log(`# first paint after ${Math.round(paint)} ms, ${sum} bytes`);
    ok(shift < 0.1, 'and nothing jumps', shift);
    ok(names.every((n) => n.startsWith(URL_)), 'nothing is from elsewhere',
        names);
    const answer = await page.request.get(URL_ + 'assets/'
        + readdirSync(join(SITE, 'assets')).find((f) =>
            f.endsWith('.css')), { headers: { 'Accept-Encoding': 'gzip' } });
    const headers = answer.headers();
    like(headers['cache-control'] ?? '', /immutable/, 'kept for ever');
    ok(headers['content-encoding'] === 'gzip', 'and packed', headers);
    like((await page.request.get(URL_)).headers()[
        'content-security-policy'] ?? '', /default-src 'none'/, 'a policy');
    await clean(page, 'loading');
}

await main([keyboard, dark, phone, weight]);
