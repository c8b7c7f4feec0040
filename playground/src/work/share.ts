// A program in the fragment of an address: it never reaches a server.
// "#v1." and base64url of deflate of JSON.

import { base64url, fromBase64url } from '../protocol/messages';
import { type Work, workFrom } from './work';

const MARK = '#v1.';
const MOST = 4 * 1024 * 1024;      // bytes, unpacked

export async function toFragment(work: Work): Promise<string> {
    const json = JSON.stringify({ language: work.language,
        files: work.files, args: work.args || undefined,
        stdin: work.stdin || undefined });
    const packed = new Blob([json]).stream()
        .pipeThrough(new CompressionStream('deflate'));
    const bytes = await new Response(packed).arrayBuffer();
    return MARK + base64url(new Uint8Array(bytes));
}

/** The work of a fragment; undefined when it holds none. */
export async function fromFragment(fragment: string):
    Promise<Work | undefined> {
    if (!fragment.startsWith(MARK)) {
        return undefined;
    }
    try {
        const bytes = fromBase64url(fragment.slice(MARK.length));
        const text = new TextDecoder().decode(await unpack(bytes));
        return workFrom(JSON.parse(text));
    } catch {
        return undefined;
    }
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
    const reader = new Blob([bytes]).stream()
        .pipeThrough(new DecompressionStream('deflate')).getReader();
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
        const { done, value } = await reader.read();
        if (done) {
            break;
        }
        size += value.length;
        if (size > MOST) {
            await reader.cancel();
            throw new Error('too large');
        }
        parts.push(value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
}
