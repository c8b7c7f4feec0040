// Several files as one download: a zip archive without compression.

import type { SourceFile } from '../protocol/messages';

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) {
        n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    }
    return n;
});

export function crc32(bytes: Uint8Array): number {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
    }
    return (crc ^ 0xffffffff) >>> 0;
}

/** Numbers as [value, bytes], little endian. */
function record(...fields: [number, number][]): Uint8Array {
    const bytes: number[] = [];
    for (const [value, size] of fields) {
        for (let i = 0; i < size; i++) {
            bytes.push((value >>> (8 * i)) & 0xff);
        }
    }
    return Uint8Array.from(bytes);
}

const UTF8 = 0x0800;
const EPOCH = 0x0021;               // 1980-01-01, the first day it knows

export function zip(files: readonly SourceFile[]): Blob {
    const encoder = new TextEncoder();
    const parts: Uint8Array[] = [];
    const index: Uint8Array[] = [];
    let offset = 0;
    for (const file of files) {
        const name = encoder.encode(file.name);
        const data = encoder.encode(file.content);
        const common: [number, number][] = [[20, 2], [UTF8, 2], [0, 2],
            [0, 2], [EPOCH, 2], [crc32(data), 4], [data.length, 4],
            [data.length, 4], [name.length, 2], [0, 2]];
        const local = record([0x04034b50, 4], ...common);
        parts.push(local, name, data);
        index.push(record([0x02014b50, 4], [20, 2], ...common, [0, 2],
            [0, 2], [0, 2], [0, 4], [offset, 4]), name);
        offset += local.length + name.length + data.length;
    }
    const size = index.reduce((sum, part) => sum + part.length, 0);
    const end = record([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2],
        [files.length, 2], [size, 4], [offset, 4], [0, 2]);
    return new Blob([...parts, ...index, end], { type: 'application/zip' });
}
