// Runs *.test.ts: each is bundled by Vite's own esbuild and given to node.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(here, 'out-'));
await build({
    entryPoints: readdirSync(here).filter((f) => f.endsWith('.test.ts'))
        .map((f) => join(here, f)),
    bundle: true, platform: 'node', format: 'esm', outdir: out,
    outExtension: { '.js': '.mjs' }, logLevel: 'warning',
});
const files = readdirSync(out).map((f) => join(out, f));
const { status } = spawnSync(process.execPath, ['--test', ...files],
    { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exitCode = status ?? 1;
