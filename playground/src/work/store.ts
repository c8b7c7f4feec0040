// What this browser remembers: the last work of each language and a few
// choices.  A browser that stores nothing forgets, and that is all.

import { type Work, workFrom } from './work';

const WORK = 'codr.work.';
const BEFORE = 'codr.before';
const CHOICE = 'codr.choice.';

function read(key: string): unknown {
    try {
        return JSON.parse(localStorage.getItem(key) ?? 'null');
    } catch {
        return null;
    }
}

function write(key: string, value: unknown): void {
    try {
        localStorage.setItem(key, JSON.stringify(value));
    } catch {
        // full, or not allowed: nothing is remembered
    }
}

export function keptWork(language: string): Work | undefined {
    return workFrom(read(WORK + language));
}

export function keepWork(work: Work): void {
    write(WORK + work.language, work);
}

/** What was there before a shared program took its place. */
export function keepBefore(work: Work | undefined): void {
    write(BEFORE, work ?? null);
}

export function keptBefore(): Work | undefined {
    return workFrom(read(BEFORE));
}

export type Choice = 'language' | 'view' | 'split';

export function choice(name: Choice): string | undefined {
    const value = read(CHOICE + name);
    return typeof value === 'string' ? value : undefined;
}

export function choose(name: Choice, value: string): void {
    write(CHOICE + name, value);
}
