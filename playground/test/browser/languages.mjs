// A program is typed and run in each language of the server, and every
// example does what it shows.

import { clean, language, like, main, ok, open, phase, run, shows, skip, status,
    told, until, write } from './lib.mjs';

const HELLO = {
    python: 'print("hello", 6 * 7)\n',
    javascript: 'console.log("hello", 6 * 7);\n',
    c: '#include <stdio.h>\nint main(void) { printf("hello %d\\n", 6 * 7); }',
    cpp: '#include <iostream>\n'
        + 'int main() { std::cout << "hello " << 6 * 7 << "\\n"; }\n',
    rust: 'fn main() { println!("hello {}", 6 * 7); }\n',
};

async function eachLanguage(browser) {
    const page = await open(browser);
    for (const [name, text] of Object.entries(HELLO)) {
        if (!await language(page, name)) {
            skip(`${name} says hello`, 'the server does not have it');
            continue;
        }
        await write(page, text);
        await run(page);
        await phase(page, ['done', 'failed', 'lost']);
        await shows(page, 'hello 42').catch(() => undefined);
        await told(page, /hello 42/, `${name} says hello`);
        like(await status(page), /^Finished exit 0 · .*CPU/,
            `${name}: the status says how it ended`);
        await until(page, () => document.querySelector('#code')
            .shadowRoot.querySelectorAll('.cm-line span[class]').length > 0);
        ok(true, `${name} is highlighted`);
    }
    await clean(page, 'languages');
}

async function remembered(browser) {
    const page = await open(browser);
    await write(page, 'print("mine")\n');
    await language(page, 'c');
    await language(page, 'python');
    await page.locator('.cm-line', { hasText: 'print("mine")' }).waitFor();
    ok(true, 'each language keeps its program');
    await page.reload();
    await page.locator('.cm-line', { hasText: 'print("mine")' }).waitFor();
    ok(true, 'a reload keeps it, too');
    await clean(page, 'remembering');
}

/** The games are played elsewhere; compiling all the others takes long. */
function wanted(name, id) {
    return !id.startsWith('01-') && (process.env.CODR_LONG
        || name === 'python' || name === 'javascript'
        || id.startsWith('05-'));
}

async function examples(browser) {
    const page = await open(browser);
    for (const name of Object.keys(HELLO)) {
        if (!await language(page, name)) {
            continue;
        }
        const ids = await page.locator('#example option').evaluateAll(
            (options) => options.map((o) => o.value).filter((v) => v));
        ok(ids.length >= 5, `${name} has examples`, ids);
        for (const id of ids.filter((i) => wanted(name, i))) {
            await page.selectOption('#example', id);
            await page.locator('.toast').waitFor();
            await page.click('#run');
            await phase(page, ['done', 'failed', 'lost']);
            like(await status(page), /^Finished/, `${name}: ${id} runs`);
            await page.click('.toast button');
        }
    }
    await clean(page, 'examples');
}

await main([eachLanguage, remembered, examples]);
