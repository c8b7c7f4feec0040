// A piece of work as a file: the one it has, or an archive of several.

import { h } from '../ui/dom';
import type { Work } from './work';
import { zip } from './zip';

const KEEP_MS = 10000;

export function downloadWork(work: Work): void {
    const [only, ...others] = work.files;
    if (!only) {
        return;
    }
    if (others.length) {
        save(`${work.language}.zip`, zip(work.files));
    } else {
        save(only.name, new Blob([only.content], { type: 'text/plain' }));
    }
}

function save(name: string, blob: Blob): void {
    const url = URL.createObjectURL(blob);
    h('a', { href: url, download: name }).click();
    window.setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}
