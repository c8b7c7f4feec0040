// codr-run.js: the element <codr-run> as one file without any other.

import { defineConfig } from 'vite';

export default defineConfig({
    publicDir: false,
    build: {
        outDir: 'site',
        emptyOutDir: false,
        target: 'es2022',
        sourcemap: true,
        chunkSizeWarningLimit: 900,
        reportCompressedSize: false,
        lib: {
            entry: 'src/embed/codr-run.ts',
            name: 'codrRun',
            formats: ['iife'],
            fileName: () => 'codr-run.js',
        },
        rollupOptions: { output: { inlineDynamicImports: true } },
    },
});
