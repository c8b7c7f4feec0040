// In a clone that waits, with time to spare: what any program does, as pages
// that a program writes to are copied then.
(() => {
    try {
        const builtin = process.getBuiltinModule;
        const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2);
        class A { constructor(n) { this.n = n; } }
        const x = Array.from({ length: 50 }, (_, i) => new A(f(i % 8)));
        JSON.stringify(x).split(',').map(String).sort().join(' ');
        if (!builtin)
            return true;
        const { Console } = builtin('console');
        const { Writable } = builtin('stream');
        const Module = builtin('module');
        const sink = new Writable({ write(data, encoding, done) { done(); } });
        new Console(sink, sink).log('hello', 1, { a: [1] });
        builtin('fs').readFileSync('/dev/null', 'utf8');
        const script = new Module('/box/touch.js', null);
        script.filename = '/box/touch.js';
        script.paths = [];
        script._compile('const a = [1, 2]; module.exports = a.map(String);',
            '/box/touch.js');
        return true;
    } catch {
        return false;
    }
})()
