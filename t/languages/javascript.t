# JavaScript: node.

use strict;
use warnings;

use Codr::Language;
use Test::More;

Codr::Language::check(
    name   => 'javascript',
    needs  => '/usr/bin/node',
    hello  => qq{console.log("Hello a\\u00e4\\u20ac\\u{1f600}z");\n},
    guess  => <<'END',
const readline = require('readline');
const rl = readline.createInterface({ input: process.stdin });
process.stdout.write('Guess: ');
rl.on('line', (line) => {
  const n = Number(line);
  if (n === 42) {
    console.log('yes, 42');
    rl.close();
    return;
  }
  process.stdout.write((n > 42 ? 'lower' : 'higher') + '\nGuess: ');
});
END
    count  => <<'END',
const data = require('fs').readFileSync(0);
console.log(data.length, data.reduce((a, b) => a + b, 0));
END
    echo   => <<'END',
const rl = require('readline').createInterface({ input: process.stdin });
rl.on('line', (line) => console.log(`[${line}]`));
END
    bytes  => <<'END',
const bytes = Buffer.from('a\u00e4\u20ac\u{1f600}z');
let i = 0;
const timer = setInterval(() => {
  process.stdout.write(bytes.subarray(i, i + 1));
  if (++i === bytes.length) {
    clearInterval(timer);
  }
}, 20);
END
    broken => "const a = 1;\nconst b = 2;\nconst = a b;\n",
    broken_says => qr/main\.js:3\b.*SyntaxError/s,
    fails  => "function f(o) {\n  void 0;\n  return o.x.y;\n}\nf({});\n",
    fails_says => qr/main\.js:3\b.*TypeError/s,
    exit   => "process.exit(Number(process.argv[2]));\n",
    segv   => "process.kill(process.pid, 'SIGSEGV');\n"
        . "setTimeout(() => {}, 5000);\n",
    abort  => "process.abort();\n",
    args   => <<'END',
console.log(process.argv.slice(2).map((a) => `[${a}]`).join(''));
END
    files  => [
        'main.js' => "const { answer } = require('./lib/helper');\n"
            . "console.log('from helper:', answer());\n",
        'lib/helper.js' => "const n = require('./n.json');\n"
            . "exports.answer = () => n.value;\n",
        'lib/n.json' => '{"value": 42}',
    ],
    threads => <<'END',
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (isMainThread) {
  let sum = 0;
  for (let i = 0; i < 4; i++) {
    new Worker(__filename).on('message', (n) => { sum += n; });
  }
  process.on('exit', () => console.log(sum));
} else {
  let n = 0;
  for (let i = 1; i <= 1000; i++) {
    n += i;
  }
  parentPort.postMessage(n);
}
END
    streams => "console.log('out');\nconsole.error('err');\n",
    more => \&more,
);

sub more {
    my ($nginx) = @_;
    for my $alias (qw(js node JavaScript)) {
        is($nginx->run_job(language => $alias, code => 'console.log(1)')
            ->{started}{language}, 'javascript', "$alias is an alias");
    }
    is($nginx->run_job(language => 'js', code => <<'END')->{stdout},
const fs = require('fs/promises');
const { execFileSync } = require('child_process');
(async () => {
  await fs.writeFile('/tmp/x', 'file');
  console.log(String(await fs.readFile('/tmp/x')),
    String(execFileSync('/bin/echo', ['child'])).trim(),
    (await import('node:os')).homedir());
})();
END
        "file child /box\r\n", 'files, children and modules work');
}
