// Examples as pages of text in examples/: "LANGUAGE/NN-TITLE/FILE", put into
// the page when it is built and loaded when they are asked for.

import type { SourceFile } from '../protocol/messages';
import type { Work } from './work';

export interface Example {
    id: string;
    title: string;
}

const TEXTS = import.meta.glob<string>('../examples/**/*',
    { query: '?raw', import: 'default' });

const PLACE = /\/examples\/([a-z]+)\/(\d+-[^/]+)\/(.+)$/;

interface Entry {
    language: string;
    id: string;
    file: string;
    load(): Promise<string>;
}

const ENTRIES: Entry[] = Object.entries(TEXTS).flatMap(([path, load]) => {
    const match = PLACE.exec(path);
    return match ? [{ language: match[1] ?? '', id: match[2] ?? '',
        file: match[3] ?? '', load }] : [];
});

/** "02-guess-the-number" is "Guess the number". */
function titleOf(id: string): string {
    const words = id.replace(/^\d+-/, '').replace(/-/g, ' ');
    return words.charAt(0).toUpperCase() + words.slice(1);
}

export function examplesOf(language: string): Example[] {
    const ids = new Set(ENTRIES.filter((e) => e.language === language)
        .map((e) => e.id));
    return [...ids].sort().map((id) => ({ id, title: titleOf(id) }));
}

/** The files of an example: "stdin.txt" and "args.txt" are what it reads. */
export async function loadExample(language: string, id: string,
    main: string): Promise<Work> {
    const entries = ENTRIES.filter((e) => e.language === language
        && e.id === id);
    const files = await Promise.all(entries.map(async (e):
        Promise<SourceFile> => ({ name: e.file, content: await e.load() })));
    const given = (name: string): string =>
        files.find((f) => f.name === name)?.content ?? '';
    return {
        language,
        files: files.filter((f) => !/^(stdin|args)\.txt$/.test(f.name))
            .sort((a, b) => Number(b.name === main) - Number(a.name === main)
                || a.name.localeCompare(b.name)),
        active: 0,
        args: given('args.txt').trim(),
        stdin: given('stdin.txt'),
    };
}
