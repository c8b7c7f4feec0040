// Highlighting by the name of a language or the ending of a file.  Loaded
// when it is first needed; a language nobody wrote a grammar for is plain.

import { LanguageSupport, StreamLanguage, type StreamParser }
    from '@codemirror/language';
import type { Extension } from '@codemirror/state';

type Loader = () => Promise<Extension>;

function legacy(parser: StreamParser<unknown>): Extension {
    return new LanguageSupport(StreamLanguage.define(parser));
}

type Mode = StreamParser<unknown>;

function load(mode: Promise<Mode>): Promise<Extension> {
    return mode.then((parser) => legacy(parser));
}

const clike = () => import('@codemirror/legacy-modes/mode/clike');
const script = () => import('@codemirror/legacy-modes/mode/javascript');

const LOADERS: Record<string, Loader> = {
    python: () => load(import('@codemirror/legacy-modes/mode/python')
        .then((m) => m.python)),
    javascript: () => load(script().then((m) => m.javascript)),
    typescript: () => load(script().then((m) => m.typescript)),
    json: () => load(script().then((m) => m.json)),
    c: () => load(clike().then((m) => m.c)),
    cpp: () => load(clike().then((m) => m.cpp)),
    java: () => load(clike().then((m) => m.java)),
    kotlin: () => load(clike().then((m) => m.kotlin)),
    csharp: () => load(clike().then((m) => m.csharp)),
    rust: () => load(import('@codemirror/legacy-modes/mode/rust')
        .then((m) => m.rust)),
    go: () => load(import('@codemirror/legacy-modes/mode/go')
        .then((m) => m.go)),
    lua: () => load(import('@codemirror/legacy-modes/mode/lua')
        .then((m) => m.lua)),
    ruby: () => load(import('@codemirror/legacy-modes/mode/ruby')
        .then((m) => m.ruby)),
    shell: () => load(import('@codemirror/legacy-modes/mode/shell')
        .then((m) => m.shell)),
};

const SAME: Record<string, string> = {
    python3: 'python', py: 'python', js: 'javascript', mjs: 'javascript',
    cjs: 'javascript', node: 'javascript', nodejs: 'javascript',
    ts: 'typescript', 'c++': 'cpp', cxx: 'cpp', cc: 'cpp', h: 'cpp',
    hpp: 'cpp', hh: 'cpp', rs: 'rust', rb: 'ruby', golang: 'go',
    kt: 'kotlin', cs: 'csharp', 'c#': 'csharp', sh: 'shell', bash: 'shell',
};

/** What a file is written in: by its ending, else the job's language. */
export function grammarOf(file: string, language: string): string {
    const ending = /\.([A-Za-z0-9+]+)$/.exec(file)?.[1]?.toLowerCase();
    if (ending) {
        return SAME[ending] ?? (ending in LOADERS ? ending : '');
    }
    const name = language.toLowerCase();
    return SAME[name] ?? name;
}

export async function loadGrammar(name: string): Promise<Extension> {
    const loader = LOADERS[name];
    return loader ? loader() : [];
}
