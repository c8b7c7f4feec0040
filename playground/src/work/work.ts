// A piece of work: the files of one language, its arguments and its input.
// Pure functions over it.

import type { SourceFile } from '../protocol/messages';

export interface Work {
    language: string;
    files: SourceFile[];        // the first is the main file
    active: number;
    args: string;
    stdin: string;
}

export const MOST_FILES = 32;

const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/** What is wrong with a file's name, or undefined. */
export function nameProblem(name: string, files: readonly SourceFile[]):
    string | undefined {
    const parts = name.split('/');
    if (!name || parts.length > 8 || !parts.every((p) => PART.test(p))) {
        return 'Letters, digits, dot, dash and underscore, please.';
    }
    return files.some((f) => f.name === name)
        ? 'There is a file of that name.' : undefined;
}

/** Words as a shell would split them: blanks, quotes, backslashes. */
export function splitArguments(text: string): string[] {
    const words: string[] = [];
    const token = /\s*((?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)/gsy;
    for (let m = token.exec(text); m; m = token.exec(text)) {
        words.push(unquote(m[1] ?? ''));
    }
    return words;
}

function unquote(word: string): string {
    return word.replace(/"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)/gs,
        (_, double?: string, single?: string, escaped?: string) =>
            double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? escaped ?? '');
}

/** Anything that was stored or sent, as work; undefined when it is none. */
export function workFrom(value: unknown): Work | undefined {
    if (typeof value !== 'object' || value === null) {
        return undefined;
    }
    const given = value as Partial<Record<keyof Work, unknown>>;
    const files = Array.isArray(given.files)
        ? given.files.slice(0, MOST_FILES).filter(isFile) : [];
    if (typeof given.language !== 'string' || files.length === 0) {
        return undefined;
    }
    const active = Number(given.active ?? 0);
    return {
        language: given.language,
        files: files.map(({ name, content }) => ({ name, content })),
        active: active >= 0 && active < files.length ? Math.floor(active) : 0,
        args: typeof given.args === 'string' ? given.args : '',
        stdin: typeof given.stdin === 'string' ? given.stdin : '',
    };
}

function isFile(value: unknown): value is SourceFile {
    const file = value as Partial<SourceFile> | null;
    return typeof file?.name === 'string' && typeof file.content === 'string'
        && nameProblem(file.name, []) === undefined;
}
