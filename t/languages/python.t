# Python behaves as `python3 main.py`.

use strict;
use warnings;

use Codr::Language;
use Test::More;

Codr::Language::check(
    name   => 'python',
    needs  => '/usr/bin/python3',
    hello  => <<'END',
print("Hello a\u00e4\u20ac\U0001f600z")
END
    guess  => <<'END',
while (n := int(input("Guess: "))) != 42:
    print("lower" if n > 42 else "higher")
print("yes, 42")
END
    count  => <<'END',
import sys
data = sys.stdin.buffer.read()
print(len(data), sum(data))
END
    echo   => <<'END',
import sys
for line in sys.stdin:
    print("[" + line.rstrip("\n") + "]", flush=True)
END
    bytes  => <<'END',
import sys, time
for byte in "a\u00e4\u20ac\U0001f600z".encode():
    sys.stdout.buffer.write(bytes([byte]))
    sys.stdout.buffer.flush()
    time.sleep(0.02)
END
    broken => "a = 1\nb = 2\nprint(a +\n",
    broken_says => qr/main\.py", line 3.*SyntaxError/s,
    fails  => "def f(n):\n    pass\n    return 1 / n\nf(0)\n",
    fails_says => qr/main\.py", line 3, in f.*ZeroDivisionError/s,
    exit   => "import sys\nsys.exit(int(sys.argv[1]))\n",
    exit_codes => [ 0 .. 255 ],
    segv   => <<'END',
import ctypes
ctypes.string_at(0)
END
    abort  => "import os\nos.abort()\n",
    args   => <<'END',
import sys
print("".join("[" + a + "]" for a in sys.argv[1:]))
END
    files  => [
        'main.py' => "from pack.helper import answer\n"
            . "print('from helper:', answer())\n",
        'pack/__init__.py' => '',
        'pack/helper.py'   => "import other\ndef answer():\n"
            . "    return other.N\n",
        'other.py' => "N = int(open('data/n.txt').read())\n",
        'data/n.txt' => '42',
    ],
    threads => <<'END',
import threading
total, lock = 0, threading.Lock()
def work():
    global total
    for i in range(1, 1001):
        with lock:
            total += i
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(total)
END
    streams => <<'END',
import sys
print("out")
print("err", file=sys.stderr)
END
    more => \&more,
);

sub more {
    my ($nginx) = @_;
    my $job = $nginx->run_job(language => 'py', code => <<'END');
from multiprocessing import Pool
def square(n):
    return n * n
if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(square, range(10))))
END
    is($job->{stdout}, "285\r\n", 'multiprocessing works')
        or diag($job->{status});

    $job = $nginx->run_job(language => 'Python3', code => <<'END');
import json, os, subprocess, sys, tempfile
with tempfile.NamedTemporaryFile() as f:
    f.write(b"x")
print(os.getcwd(), os.path.expanduser("~"), sys.path[0], __name__)
print(subprocess.run(["/bin/echo", "child"], capture_output=True).stdout)
print(sorted(os.environ))
END
    my @lines = split /\r\n/, $job->{stdout};
    is($lines[0], '/box /box /box __main__', 'home, directory and path');
    is($lines[1], "b'child\\n'", 'it may start programs');
    is($lines[2], "['HOME', 'LANG', 'NO_COLOR', 'PATH', 'PYTHONUNBUFFERED', "
        . "'TERM', 'TZ', 'USER']", 'the environment is made from nothing');

    my $client = $nginx->ws;
    $client->execute(language => 'python', code => <<'END');
try:
    input("> ")
except KeyboardInterrupt:
    print("interrupted")
try:
    input("> ")
except EOFError:
    print("end")
END
    $client->expect(qr/> $/);
    $client->send(type => 'signal', signal => 'SIGINT');
    ok($client->expect(qr/interrupted\r\n> $/), 'SIGINT interrupts input()');
    $client->send(type => 'eof');
    ok($client->expect(qr/end\r\n$/), 'eof ends it on a terminal');
    is($client->finish->{status}, 'ok', 'the program decides how it goes on');

    $client->execute(language => 'python', code => <<'END',
import os, select, signal
signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size()))
print(os.get_terminal_size())
# one that comes just before input() reads would wait for a line in it
while True:
    if select.select([0], [], [], 0.1)[0] and input() == "q":
        break
END
        tty => { cols => 100, rows => 30, echo => JSON::PP::false });
    ok($client->expect(qr/columns=100, lines=30\)/),
        'the size is the one asked');
    $client->send(type => 'resize', cols => 132, rows => 43);
    ok($client->expect(qr/columns=132, lines=43\)/), 'a resize is seen');
    $client->input("q\n");
    is($client->finish->{status}, 'ok', 'and the program goes on');
}
