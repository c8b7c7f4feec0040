import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleOf } from '../../src/embed/sample';
import { base64url, decode, fromBase64url, keyProtocol }
    from '../../src/protocol/messages';
import { unterminal } from '../../src/terminal/plain';
import { fromFragment, toFragment } from '../../src/work/share';
import { nameProblem, splitArguments, workFrom } from '../../src/work/work';
import { crc32, zip } from '../../src/work/zip';

const WORK = { language: 'python', active: 0, args: 'a "b c"', stdin: 'x\n',
    files: [{ name: 'main.py', content: 'print("ä😀")\n' }] };

test('a link holds the work and gives it back', async () => {
    const fragment = await toFragment(WORK);
    assert.match(fragment, /^#v1\.[\w-]+$/);
    assert.deepEqual(await fromFragment(fragment), WORK);
});

test('other fragments are no work', async () => {
    for (const bad of ['', '#', '#v1.', '#v1.%%%', '#v1.AAAA', '#top',
        await squeezed('[1, 2]'), await squeezed('{"language": "c"}')]) {
        assert.equal(await fromFragment(bad), undefined, bad);
    }
});

test('a fragment that unpacks to too much is refused', async () => {
    const bomb = await squeezed(JSON.stringify({ language: 'c', files: [
        { name: 'main.c', content: ' '.repeat(8 << 20) }] }));
    assert.ok(bomb.length < 20000);
    assert.equal(await fromFragment(bomb), undefined);
});

async function squeezed(text: string): Promise<string> {
    const stream = new Blob([text]).stream()
        .pipeThrough(new CompressionStream('deflate'));
    return '#v1.' + base64url(new Uint8Array(
        await new Response(stream).arrayBuffer()));
}

test('stored work is checked', () => {
    assert.equal(workFrom(null), undefined);
    assert.equal(workFrom({ language: 'c', files: [] }), undefined);
    assert.equal(workFrom({ language: 'c', files: [
        { name: '../x', content: '' }] }), undefined);
    assert.equal(workFrom({ ...WORK, active: 9 })?.active, 0);
});

test('names of files', () => {
    assert.equal(nameProblem('lib/part.py', []), undefined);
    for (const bad of ['', '.x', '-x', 'a//b', '../a', 'ä.py', 'a b']) {
        assert.ok(nameProblem(bad, []), bad);
    }
    assert.match(nameProblem('main.py', WORK.files) ?? '', /of that name/);
});

test('arguments as a shell splits them', () => {
    assert.deepEqual(splitArguments(`a "b c" 'd "e"' f\\ g ""  h"i"j`),
        ['a', 'b c', 'd "e"', 'f g', '', 'hij']);
    assert.deepEqual(splitArguments('  '), []);
    assert.deepEqual(splitArguments('"open end'), ['open end']);
});

test('a zip archive has its records', async () => {
    const bytes = new Uint8Array(await zip([
        { name: 'a.txt', content: 'hello' }, { name: 'b.txt', content: '' },
    ]).arrayBuffer());
    const text = new TextDecoder('latin1').decode(bytes);
    assert.equal(text.split('PK\x03\x04').length, 3);
    assert.equal(text.split('PK\x01\x02').length, 3);
    assert.equal(text.indexOf('PK\x05\x06'), bytes.length - 22);
    assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
});

test('messages that are none', () => {
    for (const bad of ['', '[]', 'null', '{}', '{"type": 1}',
        '{"type": "unheard"}']) {
        assert.equal(decode(bad), undefined, bad);
    }
    assert.equal(decode('{"type": "notice", "code": "x"}')?.type, 'notice');
});

test('keys and base64url', () => {
    assert.equal(keyProtocol('a+b/c='), 'codr.key.YStiL2M9');
    const bytes = Uint8Array.from([0, 255, 254, 62, 63]);
    assert.deepEqual(fromBase64url(base64url(bytes)), bytes);
});

test('plain output has no escape sequences', () => {
    assert.equal(unterminal('\x1b[31mred\x1b[0m\r\n\x1b]0;t\x07x'),
        'red\nx');
});

test('a sample loses the indentation of its page', () => {
    assert.equal(sampleOf('\n\n    if a:\n        b\n\n    c\n  '),
        'if a:\n    b\n\nc');
    assert.equal(sampleOf('one line'), 'one line');
    assert.equal(sampleOf(''), '');
});
