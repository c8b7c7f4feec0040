// What every browser test needs: the browser, a page that notes each thing
// that must not happen, results as TAP, and waiting for conditions.

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const URL_ = process.env.CODR_URL;
const SHOTS = process.env.CODR_SHOTS;
const PATIENCE = 60000;

let failed = 0;

export function ok(condition, name, detail) {
    console.log(`${condition ? '' : 'not '}ok - ${name}`);
    if (!condition) {
        failed++;
        console.log(detail === undefined ? ''
            : `# ${JSON.stringify(detail)}`.slice(0, 2000));
    }
    return condition;
}

export function like(text, pattern, name) {
    return ok(pattern.test(text), name, text);
}

export function skip(name, reason) {
    console.log(`skip - ${name} # ${reason}`);
}

export async function shot(page, name) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Runs the tests in one browser; an exception fails, and is shown. */
export async function main(tests) {
    const browser = await chromium.launch({
        executablePath: process.env.CODR_CHROMIUM,
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    for (const test of tests) {
        try {
            await test(browser);
        } catch (problem) {
            ok(false, `${test.name}: no exception`, String(problem));
        }
    }
    await browser.close();
    process.exitCode = failed ? 1 : 0;
}

/** A page, ready to be used; problems() is what went wrong in it. */
export async function open(browser, options = {}) {
    const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        permissions: ['clipboard-read', 'clipboard-write'], ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const problems = [];
    page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') {
            problems.push(message.text());
        }
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.addInitScript(() => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', (event) =>
            window.violations.push(`${event.violatedDirective}: `
                + `${event.blockedURI} ${event.sample}`));
    });
    page.problems = async () => [...problems,
        ...await page.evaluate(() => window.violations)];
    await options.before?.(page);
    if (options.url !== 'about:blank') {
        await load(page, options.url ?? URL_);
    }
    return page;
}

export async function load(page, url) {
    await page.goto(url);
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
}

export async function clean(page, name) {
    const problems = await page.problems();
    ok(problems.length === 0, `${name}: no error, no violation of the policy`,
        problems);
    await page.context().close();
}

/** Asks the page until it says yes; its policy lets no text be evaluated. */
export async function until(page, asked, argument) {
    const end = Date.now() + PATIENCE;
    while (!await page.evaluate(asked, argument)) {
        if (Date.now() > end) {
            throw new Error(`never: ${asked}`);
        }
        await new Promise((next) => setTimeout(next, 40));
    }
}

export async function phase(page, wanted) {
    const any = [wanted].flat().map((p) => `#status[data-phase=${p}]`);
    await page.waitForSelector(any.join());
}

export async function status(page) {
    return (await page.innerText('#status')).replace(/\s+/g, ' ');
}

/** Replaces the program of the open file. */
export async function write(page, text) {
    await page.click('.cm-content');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(text);
}

export async function run(page) {
    await page.keyboard.press('Control+Enter');
    await until(page, () => document.querySelector('#status')
        .dataset.phase !== 'idle');
}

export async function terminal(page) {
    return page.evaluate(() => [...document.querySelectorAll(
        '.xterm-rows > div')].map((row) => row.textContent.trimEnd())
        .join('\n').trimEnd());
}

/** Waits until the terminal shows a string. */
export async function shows(page, text) {
    await until(page, (wanted) => [...document.querySelectorAll(
        '.xterm-rows > div')].map((row) => row.textContent).join('\n')
        .includes(wanted), text);
}

/** Whether the terminal comes to show what matches: it paints some frames
 *  after the end of the job is told. */
export async function told(page, pattern, name) {
    const end = Date.now() + PATIENCE;
    while (!pattern.test(await terminal(page)) && Date.now() < end) {
        await new Promise((next) => setTimeout(next, 40));
    }
    like(await terminal(page), pattern, name);
}

/** Opens the language; false when the server does not have it. */
export async function language(page, name) {
    if (await page.locator(`#language option[value=${name}]`).isDisabled()) {
        return false;
    }
    await page.selectOption('#language', name);
    await page.waitForSelector(`#code[data-language=${name}]`);
    return true;
}
