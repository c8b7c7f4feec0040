import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Finding, findings, fromDisplay, rangeOf }
    from '../../src/editor/diagnostics';

function one(output: string, file: string, text: string):
    { found: Finding; marked: string } {
    const [found] = findings(output, new Map([[file, text]]));
    assert.ok(found, 'nothing was found');
    const { from, to } = rangeOf(text, found);
    return { found, marked: text.slice(from, to) };
}

test('gcc: the underlined name, behind a tab and an umlaut', () => {
    const text = 'int main(void)\n{\n\tint ä = nothing;\n}\n';
    const { found, marked } = one("main.c:3:17: error: 'nothing' undeclared\n"
        + '    3 |         int ä = nothing;\n'
        + '      |                 ^~~~~~~\n', 'main.c', text);
    assert.equal(marked, 'nothing');
    assert.equal(found.severity, 'error');
});

test('gcc: a warning in another file, a caret in the middle', () => {
    const text = 'int f(int a) {\n  return a = = 1;\n}\n';
    const { found, marked } = one('part.c:2:12: warning: odd\n'
        + '    2 |   return a = = 1;\n      |          ~~^~~~~\n',
    'part.c', text);
    assert.equal(found.severity, 'warning');
    assert.equal(marked, 'a = = 1');
});

test('gcc: files that are not the user\'s are left out', () => {
    assert.deepEqual(findings('/usr/include/stdio.h:3:1: error: x\n',
        new Map([['main.c', '']])), []);
});

test('rustc: the marked value beside other marks', () => {
    const text = 'fn main() {\n    let x: i32 = "text";\n}\n';
    const { found, marked } = one('error[E0308]: mismatched types\n'
        + ' --> main.rs:2:18\n  |\n2 |     let x: i32 = "text";\n'
        + '  |            ---   ^^^^^^ expected `i32`\n', 'main.rs', text);
    assert.equal(marked, '"text"');
    assert.equal(found.message, 'mismatched types');
});

test('python: a syntax error in an indented line', () => {
    const text = 'def f():\n        return (1\n';
    const { found, marked } = one('  File "/box/main.py", line 2\n'
        + "    return (1\n           ^\nSyntaxError: '(' was never closed\n",
    'main.py', text);
    assert.equal(marked, '(');
    assert.match(found.message, /never closed/);
});

test('python: the innermost frame of one\'s own', () => {
    const text = 'import json\ndef f():\n    json.loads("x")\nf()\n';
    const { found, marked } = one('Traceback (most recent call last):\n'
        + '  File "/box/main.py", line 4, in <module>\n    f()\n'
        + '  File "/box/main.py", line 3, in f\n    json.loads("x")\n'
        + '  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads\n'
        + '    return _default_decoder.decode(s)\n'
        + 'json.decoder.JSONDecodeError: Expecting value\n', 'main.py', text);
    assert.equal(found.line, 3);
    assert.equal(marked, 'json.loads("x")');
});

test('node: the token of a syntax error', () => {
    const text = 'let a = 1;\nlet b = = 2;\n';
    const { marked } = one('/box/main.js:2\nlet b = = 2;\n        ^\n\n'
        + "SyntaxError: Unexpected token '='\n    at wrap\n", 'main.js', text);
    assert.equal(marked, '=');
});

test('text that is no error means nothing', () => {
    assert.deepEqual(findings('hello\nTypeError: not of any file\n',
        new Map([['main.py', 'x']])), []);
});

test('columns of a terminal, of characters, of code units', () => {
    assert.equal(fromDisplay('\tx', 9), 2);
    assert.equal(fromDisplay('漢x', 3), 2);
    assert.deepEqual(rangeOf('😀x\ny', { message: '', severity: 'error',
        line: 1, column: 2, end_line: 1, end_column: 3 }),
    { from: 2, to: 3 });
});

test('a range outside of the text is cut', () => {
    const { from, to } = rangeOf('ab', { message: '', severity: 'error',
        line: 9, column: 9, end_line: 9, end_column: 12 });
    assert.deepEqual([from, to], [2, 2]);
});
