// What compilers and interpreters print, as ranges in the files they speak
// of.  Pure: text in, diagnostics out.  Lines count from 1, columns are
// characters from 1, ends are exclusive.

import type { Diagnostic } from '../protocol/messages';

export interface Finding extends Diagnostic {
    file: string;
}

export type Sources = ReadonlyMap<string, string>;

const MOST = 100;

export function findings(output: string, sources: Sources): Finding[] {
    const plain = output.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '');
    const lines = plain.split(/\r?\n/);
    const found = [...gcc(lines, sources), ...rustc(lines, sources),
        ...python(lines, sources), ...node(lines, sources)];
    return found.slice(0, MOST);
}

/** "./main.c", "/box/main.c", "file:///box/main.js" are "main.c" … */
function known(name: string, sources: Sources): string | undefined {
    const plain = name.replace(/^file:\/\//, '').replace(/^(\/box\/|\.\/)/,
        '');
    return sources.has(plain) ? plain : undefined;
}

function lineOf(sources: Sources, file: string, line: number): string {
    return (sources.get(file) ?? '').split('\n')[line - 1] ?? '';
}

function finding(file: string, severity: string, message: string,
    line: number, from: number, to: number): Finding {
    return { file, severity, message, line, column: from, end_line: line,
        end_column: Math.max(to, from + 1) };
}

/** gcc counts columns as a terminal shows them, tabs to the next of 8. */
export function fromDisplay(text: string, column: number): number {
    let shown = 1;
    let index = 1;
    for (const character of text) {
        if (shown >= column) {
            break;
        }
        shown += character === '\t' ? 8 - (shown - 1) % 8
            : isWide(character) ? 2 : 1;
        index++;
    }
    return index;
}

function isWide(character: string): boolean {
    return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
        .test(character);
}

const GCC = /^([^\s:][^:]*):(\d+):(\d+): (fatal error|error|warning): (.*)$/;
const MARK = /^\s*\|(\s*)((?:~*\^~*)|\^)/;

function gcc(lines: string[], sources: Sources): Finding[] {
    return lines.flatMap((text, i) => {
        const match = GCC.exec(text);
        const file = match && known(match[1] ?? '', sources);
        if (!match || !file) {
            return [];
        }
        const line = Number(match[2]);
        const source = lineOf(sources, file, line);
        const column = Number(match[3]);
        const mark = MARK.exec(lines[i + 2] ?? '');
        const width = mark ? (mark[2] ?? '').length : 1;
        const before = mark ? (mark[2] ?? '').indexOf('^') : 0;
        const start = fromDisplay(source, column - before);
        return [finding(file, match[4] === 'warning' ? 'warning' : 'error',
            match[5] ?? '', line, start,
            fromDisplay(source, column - before + width))];
    });
}

const RUST_HEAD = /^(error|warning)(?:\[\w+\])?: (.*)$/;
const RUST_PLACE = /^\s*--> ([^:]+):(\d+):(\d+)$/;
const RUST_MARK = /^\s*\|[^^]*?(\^+)/;

function rustc(lines: string[], sources: Sources): Finding[] {
    const found: Finding[] = [];
    let head: RegExpExecArray | null = null;
    lines.forEach((text, i) => {
        head = RUST_HEAD.exec(text) ?? head;
        const place = RUST_PLACE.exec(text);
        const file = place && known(place[1] ?? '', sources);
        if (!place || !file || !head) {
            return;
        }
        const column = Number(place[3]);
        const mark = lines.slice(i + 1, i + 6)
            .map((next) => RUST_MARK.exec(next)).find((m) => m);
        found.push(finding(file, head[1] ?? 'error', head[2] ?? '',
            Number(place[2]), column,
            column + (mark?.[1]?.length ?? 1)));
        head = null;
    });
    return found;
}

const PYTHON_FRAME = /^\s*File "([^"]+)", line (\d+)/;
const PYTHON_END = /^((?:[A-Za-z_][\w.]*)?(?:Error|Exception|Interrupt|Exit|Warning|StopIteration)\w*)(?:: (.*))?$/;

/** The innermost frame that is the user's own: a place per traceback. */
function python(lines: string[], sources: Sources): Finding[] {
    const found: Finding[] = [];
    let frame: { at: number; file: string; line: number } | undefined;
    lines.forEach((text, at) => {
        const match = PYTHON_FRAME.exec(text);
        const file = match && known(match[1] ?? '', sources);
        if (match && file) {
            frame = { at, file, line: Number(match[2]) };
        }
        const end = PYTHON_END.exec(text);
        if (end && frame && at > frame.at) {
            found.push(pythonFinding(lines, frame, text, sources));
            frame = undefined;
        }
    });
    return found;
}

function pythonFinding(lines: string[],
    frame: { at: number; file: string; line: number }, message: string,
    sources: Sources): Finding {
    const source = lineOf(sources, frame.file, frame.line);
    const shown = lines[frame.at + 1] ?? '';
    const mark = /^(\s*)[~^]*\^[~^]*\s*$/.exec(lines[frame.at + 2] ?? '');
    const indent = source.length - source.trimStart().length;
    const offset = indent - (shown.length - shown.trimStart().length);
    if (!mark) {
        return finding(frame.file, 'error', message, frame.line, indent + 1,
            source.trimEnd().length + 1);
    }
    const from = (mark[1] ?? '').length + offset + 1;
    const width = mark[0].trim().length;
    return finding(frame.file, 'error', message, frame.line,
        Math.max(1, from), from + width);
}

const NODE_PLACE = /^((?:file:\/\/)?\/box\/[^:]+):(\d+)$/;
const NODE_END = /^(?:Uncaught )?(\w*Error(?: \[\w+\])?: .*)$/;

function node(lines: string[], sources: Sources): Finding[] {
    return lines.flatMap((text, at) => {
        const place = NODE_PLACE.exec(text);
        const file = place && known(place[1] ?? '', sources);
        if (!place || !file) {
            return [];
        }
        const line = Number(place[2]);
        const source = lineOf(sources, file, line);
        const mark = /^(\s*)(\^+)\s*$/.exec(lines[at + 2] ?? '');
        const end = lines.slice(at + 1).map((l) => NODE_END.exec(l))
            .find((m) => m);
        const from = mark ? (mark[1] ?? '').length + 1
            : source.length - source.trimStart().length + 1;
        return [finding(file, 'error', end?.[1] ?? 'error', line, from,
            mark ? from + (mark[2] ?? '').length
                : source.trimEnd().length + 1)];
    });
}

/** The end-exclusive offsets of a finding in its file. */
export function rangeOf(text: string, at: Diagnostic):
    { from: number; to: number } {
    const lines = text.split('\n');
    const offset = (line: number, column: number): number => {
        const index = Math.min(Math.max(line, 1), lines.length) - 1;
        let start = 0;
        for (let i = 0; i < index; i++) {
            start += (lines[i] ?? '').length + 1;
        }
        const characters = [...(lines[index] ?? '')]
            .slice(0, Math.max(0, column - 1)).join('');
        return start + characters.length;
    };
    const from = offset(at.line, at.column);
    const to = offset(at.end_line ?? at.line, at.end_column ?? 0);
    return to > from ? { from, to } : { from, to: nextOf(text, from) };
}

function nextOf(text: string, from: number): number {
    const character = text.codePointAt(from);
    return character === undefined ? from
        : from + String.fromCodePoint(character).length;
}
