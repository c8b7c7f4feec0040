// Errors at their places, files as tabs, links that hold a program, downloads.

import { readFileSync } from 'node:fs';
import { URL_, clean, language, like, load, main, ok, open, phase, run, shot,
    shows, status, told, until, write }
    from './lib.mjs';

/** What is underlined: [text, message] of each finding. */
async function squiggles(page) {
    await page.locator('.cm-lintRange').first().waitFor();
    const marks = page.locator('.cm-lintRange');
    return Promise.all((await marks.all()).map((mark) => mark.innerText()));
}

async function errors(browser) {
    const page = await open(browser);
    await write(page, 'print("fine")\nprint("open"\nprint(1)\n');
    await run(page);
    await phase(page, 'done');
    like((await squiggles(page))[0] ?? '', /^\($/,
        'Python: the bracket that was never closed');
    await page.hover('.cm-lintRange');
    await page.locator('.cm-diagnostic').waitFor();
    like(await page.innerText('.cm-diagnostic'), /never closed/,
        'its message is one of the interpreter');
    await shot(page, '4-syntax-error');

    await page.click('.cm-content');
    await page.keyboard.press('Control+End');
    await page.keyboard.type('# edited');
    ok(await page.locator('.tab .count').count() === 0,
        'an edit takes the count away');

    await language(page, 'c');
    await write(page, '#include <stdio.h>\n\nint main(void)\n{\n'
        + '\tint ä = undefined_name;\n\treturn ä;\n}\n');
    await run(page);
    await phase(page, 'failed');
    const found = await squiggles(page);
    ok(found.includes('undefined_name'), 'C: exactly the name', found);
    like(await status(page), /^It does not compile/, 'the status says so');
    await shows(page, 'undefined_name');
    await told(page, /main\.c:5:\d+: error:/,
        'the compiler speaks in the terminal');
    ok(await page.innerText('.tab .count') === '1', 'the tab counts it');

    if (await language(page, 'rust')) {
        await write(page, 'fn main() {\n    let x: i32 = "text";\n}\n');
        await run(page);
        await phase(page, 'failed');
        ok((await squiggles(page)).includes('"text"'), 'Rust: the value');
    }
    await language(page, 'javascript');
    await write(page, 'let fine = 1;\nlet broken = = 2;\n');
    await run(page);
    await phase(page, 'done');
    ok((await squiggles(page)).includes('='), 'JavaScript: the token');
    await clean(page, 'errors');
}

async function files(browser) {
    const page = await open(browser);
    await write(page, 'import part1\nprint(part1.six() * 7)\n');
    await page.click('#add');
    await page.locator('dialog input').waitFor();
    await page.fill('dialog input', '../bad');
    await page.keyboard.press('Enter');
    like(await page.innerText('.problem'), /Letters/, 'a bad name is told');
    await page.fill('dialog input', 'part1.py');
    await page.keyboard.press('Enter');
    await page.locator('.tab', { hasText: 'part1.py' }).waitFor();
    await page.locator('.cm-content').focus();
    await page.keyboard.insertText('def six():\n    return 6\n');
    await run(page);
    await phase(page, 'done');
    await shows(page, '42');
    await told(page, /^42/, 'two files run together');

    const [download] = await Promise.all([page.waitForEvent('download'),
        page.click('#download')]);
    const bytes = readFileSync(await download.path());
    ok(download.suggestedFilename() === 'python.zip'
        && bytes.readUInt32LE(0) === 0x04034b50,
        'several files are a zip archive');
    await page.click('#share');
    await page.locator('.toast').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    like(link, /#v1\.[\w-]+$/, 'the link holds the program in its fragment');
    await clean(page, 'files');
    return link;
}

async function links(browser) {
    const link = await files(browser);
    const page = await open(browser);
    await write(page, 'print("mine")\n');
    await until(page, () =>
        localStorage.getItem('codr.work.python')?.includes('mine'));
    await page.goto('about:blank');
    await load(page, link);
    await page.locator('.tab', { hasText: 'part1.py' }).waitFor();
    ok(true, 'the link opens the program');
    ok(!page.url().includes('#'), 'and is taken from the address');
    await page.click('#run');
    await phase(page, 'done');
    await shows(page, '42');
    await page.reload();
    await page.locator('.tab', { hasText: 'part1.py' }).waitFor();
    ok(true, 'it survives a reload');
    await clean(page, 'links');
}

async function broken(browser) {
    const page = await open(browser, { url: `${URL_}#v1.bm90aGluZw` });
    await page.locator('.cm-line', { hasText: 'Guess the number' }).waitFor();
    ok(true, 'a broken link opens the page as ever');
    await clean(page, 'a broken link');
}

/** The server's policy refuses, and warns where it is told to. */
async function policy(browser) {
    const page = await open(browser, { url: `${URL_}strict.html` });
    await write(page, 'import json\nx = "ä"; import socket\n');
    await run(page);
    await phase(page, 'failed');
    like(await status(page), /^Refused before it ran .*network/,
        'a policy refuses');
    const found = await squiggles(page);
    ok(found.join('') === 'socket', 'its finding is underlined', found);
    await told(page, /^main\.py:2:17: .*network/, 'and listed');
    await shot(page, '9-policy');
    await clean(page, 'a policy');

    const warned = await open(browser, { url: `${URL_}warned.html` });
    await write(warned, 'import socket\nprint("runs")\n');
    await run(warned);
    await phase(warned, 'done');
    await told(warned, /^main\.py:1:8: .*network[^]*runs/,
        'where it only warns the program runs all the same');
    await clean(warned, 'a warning');
}

await main([errors, links, broken, policy]);
