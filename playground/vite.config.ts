// The page: index.html and hashed files below assets/.

import { defineConfig } from 'vite';

export default defineConfig({
    base: './',
    publicDir: 'public',
    build: {
        outDir: 'site',
        emptyOutDir: true,
        target: 'es2022',
        sourcemap: true,
        modulePreload: { polyfill: false },
        // A data: URL would be against the page's own policy.
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 900,
        reportCompressedSize: false,
        rollupOptions: {
            output: {
                // The examples of a language are one file.
                manualChunks: (id) =>
                    /\/examples\/([a-z]+)\//.exec(id)?.[1],
            },
        },
    },
});
