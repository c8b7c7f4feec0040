package Codr::Javascript;

# Programs that show whether a node that was cloned, or was started before its
# job was there, is what a new one is.

use strict;
use warnings;

use Codr::Host qw(slurp top);
use Codr::Nginx;
use Exporter 'import';

our @EXPORT_OK = qw(program programs server);

# A server with this language, and more words for its block; what it binds is
# in "modules" of its directory.
sub server {
    my ($words, %o) = @_;
    my $dir = $o{dir} // Codr::Nginx::dir();
    mkdir "$dir/modules";
    return Codr::Nginx->new(dir => $dir, languages => 0,
        location => 'codr_output 4m; codr_cpu_time 60s; codr_timeout 60s;',
        %o, http => <<"END");
codr_bind $dir/modules /opt/modules;
codr_language javascript {
    version /usr/bin/node --version;
    source main.js;
    sources *.js *.mjs *.cjs;
    run /usr/bin/node \$source;
    processes 128;
    stack 8m;
    $words
}
END
}

# What it answers to a program.
sub program {
    my ($nginx, $code, %o) = @_;
    return $nginx->post('/run',
        { language => 'javascript', code => $code, %o })->{json};
}

# By name.
sub programs {
    return (
        'all it sees' => slurp(top() . '/zygotes/codr_node_test.js')
            =~ s/process\.getuid\(\)/0/r,
        'an error' => 'console.log(1); setTimeout(() => { x.y; }, 1);',
        'an error at once' => 'throw new TypeError("t", { cause: 1 });',
        'a string' => 'throw "text";',
        'a rejection' => 'Promise.reject(new Error("r"));',
        'syntax' => "let a = 1;\nlet a;",
        'an exit' => 'process.on("exit", (c) => { console.log(c);'
            . ' process.exitCode = 9; }); process.exit(4);',
        'much output' => 'console.log("x".repeat(1e6)); console.error("y");',
        'much output and an exit' => 'for (let i = 0; i < 5000; i++)'
            . ' console.log("line", i); process.exit(1);',
        'a missing module' => 'require("./none");',
        'a deep recursion' => 'function f() { return f() + 1; }'
            . ' try { f(); } catch (e) { console.log(e.message); }',
        'an unhandled warning' => 'process.emitWarning("w");',
        'a warning of too many' => 'const e = new (require("events"));'
            . ' for (let i = 0; i < 11; i++) e.on("x", () => {});',
        'an error at its end' => 'process.on("exit", () => {'
            . ' throw new Error("x"); });',
        'input' => 'process.stdin.pipe(process.stdout);',
        'input at once' =>
            'console.log(require("fs").readFileSync(0, "utf8"));',
        'lines' => 'require("readline").createInterface({ input:'
            . ' process.stdin }).on("line", (l) =>'
            . ' console.log("[" + l + "]"));',
        'a script that ends its input' => 'process.stdin.once("data", (d) =>'
            . ' { console.log(String(d)); process.stdin.destroy(); });',
        'a signal' => 'process.on("SIGTERM", () => { console.log("t");'
            . ' process.exit(2); }); setInterval(() => {}, 99);'
            . ' process.kill(process.pid, "SIGTERM");',
        'the debugger\'s signal' => 'setTimeout(() => console.log("on"), 300);'
            . ' process.kill(process.pid, "SIGUSR1");',
    );
}

1;
