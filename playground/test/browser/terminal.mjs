// The terminal as a person uses it: a game, Ctrl-C, Ctrl-D, a loop without
// end, sizes, colours, wide characters, a flood, the plain view, the clipboard.

import { URL_, clean, like, main, ok, open, phase, run, shot, shows, status,
    terminal, told, until, write } from './lib.mjs';

async function game(browser) {
    const page = await open(browser);
    await shot(page, '1-start');
    await run(page);
    let low = 1;
    let high = 100;
    let rounds = 0;
    for (; rounds < 10; rounds++) {
        await until(page, (asked) => (document.querySelector(
            '.xterm-rows').textContent.match(/Your guess: /g) ?? [])
            .length === asked, rounds + 1);
        const guess = (low + high) >> 1;
        if (rounds === 2) {
            await shot(page, '2-running-game');
        }
        await page.keyboard.type(`${guess}\n`);
        await until(page, (answers) => (document.querySelector(
            '.xterm-rows').textContent.match(/Higher\.|Lower\.|Yes, /g)
            ?? []).length === answers, rounds + 1);
        const answer = (await terminal(page)).match(
            /Higher\.|Lower\.|Yes, \d+/g).at(-1);
        if (answer.startsWith('Yes')) {
            break;
        }
        answer === 'Higher.' ? low = guess + 1 : high = guess - 1;
    }
    await phase(page, 'done');
    await told(page, /Yes, \d+! It took you \d tries\./,
        'the guessing game is won');
    await told(page, /Your guess: \d+\n/, 'what is typed is shown');
    like(await status(page), /^Finished exit 0/, 'and it ends well');
    await clean(page, 'the game');
}

async function keys(browser) {
    const page = await open(browser);
    await write(page, 'import time\ntry:\n    print("go")\n    '
        + 'time.sleep(60)\nexcept KeyboardInterrupt:\n    print("caught")\n');
    await run(page);
    await shows(page, 'go');
    await page.keyboard.press('Control+c');
    await phase(page, 'done');
    await told(page, /caught/, 'Ctrl-C reaches the program');

    await write(page, 'import sys\nprint("go")\n'
        + 'print(len(sys.stdin.read()), "read")\n');
    await run(page);
    await shows(page, 'go');
    await page.keyboard.type('abc\n');
    await shows(page, 'abc');
    await page.keyboard.press('Control+d');
    await phase(page, 'done');
    await told(page, /4 read/, 'Ctrl-D ends the input');

    await write(page, 'print("go")\nwhile True: pass\n');
    await run(page);
    await shows(page, 'go');
    like(await status(page), /^Running \d/, 'a clock runs');
    await page.click('#run');
    await phase(page, 'done');
    like(await status(page), /^Stopped/, 'an endless loop is stopped');
    await clean(page, 'keys');
}

async function sizes(browser) {
    const page = await open(browser);
    await write(page, 'import os, signal, time\n'
        + 'def show(*_): print(*os.get_terminal_size(), "end", flush=True)\n'
        + 'signal.signal(signal.SIGWINCH, show)\nshow()\n'
        + 'while True: time.sleep(0.05)\n');
    await run(page);
    await shows(page, 'end');
    const before = Number((await terminal(page)).match(/^(\d+) /)[1]);
    ok(before > 40, 'the program knows the size of the pane', before);
    await page.locator('#split').focus();
    for (let i = 0; i < 8; i++) {
        await page.keyboard.press('ArrowLeft');
    }
    await until(page, (was) => (document.querySelector('.xterm-rows')
        .textContent.match(/(\d+) \d+ end/g) ?? [])
        .some((m) => Number.parseInt(m, 10) > was + 5), before);
    ok(true, 'and learns when it changes');
    await page.click('#run');
    await phase(page, 'done');

    await write(page, 'print("\\x1b[31mred\\x1b[0m 漢字 \\x1b[38;2;1;200;3m'
        + 'true\\x1b[0m https://example.org/ \\U0001f600|")\n');
    await run(page);
    await phase(page, 'done');
    await shows(page, '漢字');
    const colours = await page.evaluate(() => [...document.querySelectorAll(
        '.xterm-rows span')].filter((s) => ['red', 'true'].includes(
        s.textContent)).map((s) => getComputedStyle(s).color));
    ok(new Set(colours).size === 2 && colours.includes('rgb(1, 200, 3)'),
        'colours, of the palette and true ones', colours);
    const width = await page.evaluate(() => {
        const wide = [...document.querySelectorAll('.xterm-rows span')]
            .find((s) => s.textContent === '漢字' || s.textContent === '漢');
        const cell = document.querySelector('.xterm-screen').clientWidth;
        return wide && wide.getBoundingClientRect().width
            / wide.textContent.length / cell;
    });
    ok(width > 0, 'wide characters are there', width);
    await clean(page, 'sizes');
}

async function flood(browser) {
    const page = await open(browser);
    await write(page, 'line = "x" * 99 + "\\n"\n'
        + 'for i in range(104857): print(line, end="")\nprint("last")\n');
    await page.evaluate(() => {
        window.longest = 0;
        let before = performance.now();
        const look = (now) => {
            window.longest = Math.max(window.longest, now - before);
            before = now;
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
    await run(page);
    await phase(page, 'running');
    await page.click('.cm-content');
    await page.keyboard.press('Control+End');
    await page.keyboard.type('# typed meanwhile');
    await page.locator('.cm-line', { hasText: '# typed meanwhile' })
        .waitFor();
    ok(true, 'the editor works meanwhile');
    await phase(page, 'done');
    await shows(page, 'last');
    await told(page, /last$/, '10 MB arrive to the last line');
    const longest = await page.evaluate(() => window.longest);
    ok(longest < 5000, 'and no frame took long', longest);
    await clean(page, 'the flood');
}

async function plain(browser) {
    const page = await open(browser);
    await page.click('[data-tab=plain]');
    await write(page, 'import sys\nname = input("name? ")\n'
        + 'print("hello", name)\nprint("oh", file=sys.stderr)\n');
    await run(page);
    await page.locator('.stdout .plain-text', { hasText: 'name?' }).waitFor();
    await page.keyboard.type('Ada\n');
    await phase(page, 'done');
    // painted with the frame after the one that brought it
    await page.locator('.stdout .plain-text', { hasText: 'hello' }).waitFor();
    await page.locator('.stderr .plain-text', { hasText: 'oh' }).waitFor();
    like(await page.innerText('.stdout .plain-text'), /hello Ada/,
        'the plain view takes a line');
    like(await page.innerText('.stderr .plain-text'), /^oh\s*$/,
        'stderr is apart');
    await shot(page, '6-plain-output');
    await page.click('[data-tab=terminal]');

    await page.click('#given summary');
    await page.fill('#args', 'one "two words"');
    await page.fill('#stdin', 'given\n');
    await write(page, 'import sys\nprint(sys.argv[1:], input())\n');
    await run(page);
    await phase(page, 'done');
    await shows(page, 'given');
    await told(page, /\['one', 'two words'\] given/,
        'arguments and input are given');
    await clean(page, 'the plain view');
}

async function clipboard(browser) {
    const page = await open(browser);
    await write(page, 'print("ab\\x1b[2DX\\x1b[2;5Hdown\\x1b[1;1H\\n\\n")\n'
        + `print(input(), "and", input(), "${URL_}favicon.svg")\n`);
    await run(page);
    await shows(page, 'down');
    await told(page, /^Xb\n {4}down$/, 'the cursor goes where it is sent');
    await page.evaluate(() => navigator.clipboard.writeText('Ada\nBob\n'));
    await page.keyboard.press('Control+v');
    await phase(page, 'done');
    await told(page, /^Ada and Bob http/m, 'lines are pasted');

    await page.locator('.xterm-rows > div', { hasText: 'and Bob' })
        .click({ clickCount: 3, position: { x: 20, y: 8 } });
    await page.keyboard.press('Control+Shift+C');
    await until(page, async () => /and Bob http/.test(
        await navigator.clipboard.readText()));
    ok(true, 'what is selected is copied');
    const [link] = await Promise.all([page.waitForEvent('popup'),
        page.locator('.xterm-rows > div', { hasText: 'and Bob' })
            .click({ position: { x: 130, y: 8 } })]);
    await link.waitForURL(/favicon/);
    ok(await link.evaluate(() => window.opener === null),
        'a link opens in a page that knows nothing of this one');
    await link.close();
    await clean(page, 'the clipboard');
}

await main([game, keys, sizes, flood, plain, clipboard]);
