// In the zygote, once: modules that most programs come to need are loaded, and
// functions they go through are compiled.  Nothing of it may be left for a
// program to see.
(() => {
    try {
        const builtin = process.getBuiltinModule;
        if (!builtin)
            return true;
        for (const name of ['assert', 'buffer', 'child_process', 'crypto',
            'events', 'fs', 'fs/promises', 'net', 'os', 'path', 'perf_hooks',
            'querystring', 'readline', 'stream', 'string_decoder', 'timers',
            'timers/promises', 'tty', 'url', 'util', 'vm', 'zlib',
            'worker_threads'])
            builtin(name);
        const { Console } = builtin('console');
        const { Writable } = builtin('stream');
        const fs = builtin('fs');
        for (let i = 0; i < 3; i++) {
            const sink = new Writable({ write(data, encoding, done) {
                done();
            } });
            const log = new Console(sink, sink);
            log.log('a', 1, 1.5, [1, 'b'], { a: { b: null } }, new Map([[1, 2]]),
                new Set([1]), true, undefined, Symbol('s'), () => 1);
            log.log('%s %d', 'a', 1);
            log.error(new Error('e'));
            log.table([{ a: 1 }]);
            fs.readFileSync('/dev/null', 'utf8');
            builtin('path').resolve('a', '../b');
            builtin('util').format('%o', {});
        }
        return true;
    } catch {
        return false;
    }
})()
