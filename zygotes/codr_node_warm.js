// Modules that most programs come to need are loaded, and functions they go
// through are compiled, by going through them, in the zygote: often enough that
// what is left becomes old, and no clone has to move it.  Then once in each
// clone that waits, with time to spare: pages that a program writes to are
// copied then.  Nothing of it may be left for a program to see.
((pipe, times) => {
    // As a script is found, but that none is there: what node remembers of that
    // is a package that nobody can make.  An option may mean another way.
    function miss(Module) {
        if (process.execArgv.length > 0 || process.env.NODE_OPTIONS)
            return;
        const filename = '/dev/node_modules/-/main.js';
        for (const look of [ () => Module.runMain(filename),
            () => Module._resolveFilename('#', { id: '-', filename }) ]) {
            try {
                look();
            } catch {
            }
        }
    }
    try {
        const builtin = process.getBuiltinModule;
        if (!builtin)
            return true;
        for (const name of times === 1 ? [] : ['assert', 'buffer',
            'child_process', 'crypto', 'events', 'fs', 'fs/promises', 'net',
            'os', 'path', 'perf_hooks', 'querystring', 'readline', 'stream',
            'string_decoder', 'timers', 'timers/promises', 'tty', 'url', 'util',
            'vm', 'zlib', 'worker_threads'])
            builtin(name);
        const { Console } = builtin('console');
        const { Socket } = builtin('net');
        const Module = builtin('module');
        const stream = new Socket({ fd: pipe, readable: false,
            writable: true });
        stream._type = 'pipe';
        stream.destroySoon = stream.destroy;
        const log = new Console({ stdout: stream, stderr: stream });
        for (let i = 0; i < times; i++) {
            log.log('a');
            Module._load('/dev/null', null, false);
            delete Module._cache['/dev/null'];
            miss(Module);
            if (times === 1)
                break;
            log.log('a', 1, 1.5, [1, 'b'], { a: { b: null } },
                new Map([[1, 2]]), new Set([1]), true, undefined, () => 1);
            log.log('%s %d', 'a', 1);
            log.error(new Error('e'));
            log.table([{ a: 1 }]);
            builtin('fs').readFileSync('/dev/null', 'utf8');
            builtin('path').resolve('a', '../b');
        }
        for (const key of Object.keys(Module._pathCache))
            delete Module._pathCache[key];
        stream.destroy();
        process._tickCallback();

        let garbage = [];
        for (let i = 0; i < 2e5 * (times - 1); i++)
            garbage = [i, garbage.length];
        return true;
    } catch {
        return false;
    }
})
