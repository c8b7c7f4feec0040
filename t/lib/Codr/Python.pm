# Python programs that show what an interpreter is, and how they end outside.

package Codr::Python;

use strict;
use warnings;

use Codr::Host qw(slurp spew);
use Exporter qw(import);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use POSIX ();

our @EXPORT_OK = qw(bare plain programs request);

# name, program, then options: args, stdin, files, and path: what a zygote's
# sandbox is said to be when it has to execute the interpreter.
my @programs = (
    [ 'argv', 'import sys; print(sys.argv, sys.orig_argv[1:])',
        args => [ 'a b', '', "\x{e4}\x{20ac}" ] ],
    [ 'flags', 'import sys; print(sys.flags, sys.executable, sys.version)' ],
    [ 'implementation', 'import sys, sysconfig; print(sys.implementation,'
        . ' sysconfig.get_paths(), sys.prefix, sys.exec_prefix,'
        . ' sys.warnoptions, sys._xoptions, sys.platlibdir)' ],
    [ '__main__', 'print({k: v for k, v in sorted(globals().items()) if'
        . ' k not in ("__loader__",)}.keys(), __name__, __doc__, __package__,'
        . ' __spec__, __cached__, type(__loader__).__name__,'
        . ' __loader__.name, __builtins__)' ],
    [ '__file__', 'import os; print(os.path.basename(__file__),'
        . ' os.path.isabs(__file__), __loader__.path == __file__)' ],
    [ 'sys.path', 'import os, sys; print(sys.path[0] == os.getcwd(),'
        . ' sys.path[1:])' ],
    [ 'frames', 'import sys; f = sys._getframe(); print(f.f_back,'
        . ' f.f_code.co_name, f.f_lineno)' ],
    [ 'recursion', "import sys\ndef f(n):\n    try:\n        return f(n + 1)\n"
        . "    except RecursionError:\n        return n\n"
        . 'print(f(1), sys.getrecursionlimit())' ],
    [ 'environment', 'import os; print(sorted(k for k in os.environ),'
        . ' sorted(os.environb) == sorted(map(os.fsencode, os.environ)))' ],
    [ 'putenv', 'import os, subprocess; os.environ["A"] = "1";'
        . ' del os.environ["HOME"]; print(subprocess.run(["/usr/bin/env"],'
        . ' capture_output=True, text=True).stdout.count("A=1"))' ],
    [ 'exe', 'import os; print(os.readlink("/proc/self/exe"),'
        . ' open("/proc/self/cmdline").read().split("\0")[:2],'
        . ' open("/proc/self/comm").read(),'
        . ' b"LD_" in open("/proc/self/environ", "rb").read())' ],
    [ 'descriptors', 'import os; print(sorted(os.listdir("/proc/self/fd"),'
        . ' key=int)[:4])' ],
    [ 'compiled ahead', "import importlib.util, os\n"
        . "s = importlib.util.find_spec('sitecustomize')\n"
        . "t = int(os.stat(s.origin).st_mtime)\n"
        . "print(t, open(s.cached, 'rb').read(12)[8:]"
        . " == t.to_bytes(4, 'little'))\n" ],
    [ 'signals', 'import signal; print([(s, signal.getsignal(s)) for s in'
        . ' sorted(signal.valid_signals()) if signal.getsignal(s) is not'
        . ' None], signal.pthread_sigmask(0, []))' ],
    [ 'threads', "import threading as t, os\nprint(t.main_thread() is"
        . " t.current_thread(), t.get_native_id() == os.getpid(),"
        . " t.main_thread().native_id == os.getpid(), t.active_count(),"
        . " t.main_thread().ident == t.get_ident())\n"
        . "x = [t.Thread(target=print, args=(i,)) for i in range(3)]\n"
        . "for i in x:\n    i.start(); i.join()\n" ],
    [ 'thread at the end', "import threading, time\ndef f():\n"
        . "    time.sleep(0.1)\n    print('late')\n"
        . "threading.Thread(target=f).start()\nprint('end')\n" ],
    [ 'daemon thread', "import threading, time\n"
        . "threading.Thread(target=time.sleep, args=(60,),"
        . " daemon=True).start()\nprint('end')\n" ],
    [ 'multiprocessing', "import multiprocessing as m\ndef f(n):\n"
        . "    return n * n\nif __name__ == '__main__':\n"
        . "    for how in ('fork', 'spawn'):\n"
        . "        with m.get_context(how).Pool(2) as p:\n"
        . "            print(how, p.map(f, range(5)))\n"
        . "    print(m.get_all_start_methods(), m.get_start_method())\n" ],
    [ 'fork', "import os, sys\nsys.stdout.write('once\\n')\n"
        . "sys.stdout.flush()\npid = os.fork()\nif pid == 0:\n"
        . "    os._exit(3)\nprint(os.waitstatus_to_exitcode("
        . "os.waitpid(pid, 0)[1]), os.getpid() != pid)\n" ],
    [ 'subprocess', 'import subprocess, sys; print(subprocess.run(['
        . 'sys.executable, "-c", "import sys; print(sys.argv, sys.flags)"],'
        . ' capture_output=True, text=True))' ],
    [ 'atexit', "import atexit\natexit.register(print, 'first')\n"
        . "atexit.register(print, 'second')\nprint('end')\n" ],
    [ 'atexit raises', "import atexit\n\@atexit.register\ndef f():\n"
        . "    raise ValueError('x')\n" ],
    [ 'atexit exits', "import atexit, sys\natexit.register(sys.exit, 3)\n" ],
    [ 'destructors', "class A:\n    def __init__(self, n):\n"
        . "        self.n = n\n    def __del__(self):\n"
        . "        print('del', self.n, type(print).__name__)\n"
        . "a = A('global')\nb = [A('in a list')]\nc = A('cycle')\nc.c = c\n"
        . "def f():\n    A('local')\nf()\nprint('end')\n" ],
    [ 'destructor imports', "class A:\n    def __del__(self):\n"
        . "        import json\na = A()\nb = a\nb.a = a\n" ],
    [ 'destructors without a collector', "class A:\n    __slots__ = ()\n"
        . "    def __del__(self):\n        print('slots')\nclass B(int):\n"
        . "    __slots__ = ()\n    def __del__(self):\n        print('int')\n"
        . "a = A()\nb = [B(5)]\n" ],
    [ 'a destructor nobody names', "def f():\n    class A:\n"
        . "        def __del__(self):\n            print('gone')\n"
        . "    a = A()\n    a.a = a\nf()\ndel f\nprint('end')\n" ],
    [ 'a destructor in sys', "import sys\nclass A:\n    def __del__(self):\n"
        . "        print('gone')\nsys.argv.append(A())\ndel A\n" ],
    [ 'a weak reference that calls', "import weakref\nx = {1}\n"
        . "r = weakref.ref(x, print)\n" ],
    [ 'a lost stdout', "import sys\nprint('kept', end='')\n"
        . "sys.stdout = None\n" ],
    [ 'stdout lost twice', "import sys\nprint('kept', end='')\n"
        . "sys.stdout = sys.__stdout__ = None\n" ],
    [ 'stdout replaced by a stream', "import io, sys\nprint('first')\n"
        . "sys.stdout = sys.__stdout__ = io.TextIOWrapper("
        . "io.FileIO(1, 'w', closefd=False))\nprint('second')\nclass A:\n"
        . "    def __del__(self):\n        print('gone')\na = A()\n" ],
    [ 'stdout replaced twice', "import os, sys\nclass A:\n"
        . "    def write(self, text):\n        os.write(1, text.encode())\n"
        . "    def flush(self):\n        os.write(1, b'flushed\\n')\n"
        . "sys.stdout = sys.__stdout__ = A()\nprint('x')\n" ],
    [ '__main__ taken away', "import sys\ndel sys.modules['__main__']\n"
        . "x = [[i] for i in range(1000)]\nprint(__name__)\n" ],
    [ 'frozen objects', "import gc, os\nif os.fork() == 0:\n"
        . "    x = [open('left', 'w')]\n    x[0].write('kept')\n"
        . "    gc.freeze()\nelse:\n    os.wait()\n"
        . "    print(open('left').read())\n" ],
    [ 'a destructor the collector does not know', "import os, warnings\n"
        . "warnings.simplefilter('always')\nx = os.scandir('/')\nnext(x)\n"
        . "x = {'a': (x,)}\n" ],
    [ 'a callback of threading', "import threading\n"
        . "threading._register_atexit(print, 'called')\n" ],
    [ 'another end of threading', "def f():\n    import threading\n"
        . "    threading._shutdown = lambda: print('called')\nf()\n" ],
    [ 'an excepthook that goes', "import sys\nclass A:\n"
        . "    def __call__(self, *a):\n        print('hook')\n"
        . "    def __del__(self):\n        print('gone')\n"
        . "sys.excepthook = A()\ndel A\n1 / 0\n" ],
    [ 'a callback of the collector', "import gc, io\n"
        . "gc.callbacks.append(lambda phase, info: print(phase)"
        . " if not gc.garbage.append(1) and len(gc.garbage) < 3 else None)\n"
    ],
    [ 'threading in an atexit', "import atexit\n\@atexit.register\n"
        . "def f():\n    import threading\n"
        . "    print(threading.main_thread().is_alive())\n" ],
    [ 'threading, in an atexit', "import atexit, threading\n"
        . "\@atexit.register\ndef f():\n"
        . "    print(threading.main_thread().is_alive())\n" ],
    [ 'threading in a destructor', "import threading\nclass A:\n"
        . "    def __del__(self, t=threading):\n"
        . "        print(t.main_thread().is_alive())\na = A()\n" ],
    [ 'a thread nobody knows', "import _thread, time\n"
        . "_thread.start_new_thread(time.sleep, (60,))\nprint('end')\n" ],
    [ 'an executor at the end', "import time\n"
        . "from concurrent.futures import ThreadPoolExecutor as T\n"
        . "def f():\n    time.sleep(0.1)\n    print('late')\n"
        . "T(2).submit(f)\nprint('end')\n" ],
    [ 'weak references', "import weakref\nclass A: pass\na = A()\n"
        . "weakref.finalize(a, print, 'finalized')\nprint('end')\n" ],
    [ 'a file left open', "f = open('left', 'w')\nf.write('x' * 9)\n"
        . "import os\nos.register_at_fork()\nprint(f.name)\n" ],
    [ 'a generator left open', "def g():\n    try:\n        yield 1\n"
        . "    finally:\n        print('closed')\nx = g()\nnext(x)\n" ],
    [ 'a module of its own', "import mine\nprint(mine.__name__,"
        . " mine.__spec__.name, mine.value.n)\n",
        files => [ 'mine.py' => "class A:\n    n = 5\n    def __del__(self):"
            . "\n        print('module object gone')\nvalue = A()\n" ] ],
    [ 'a module that hides one', "import random\nprint(random.mine)\n",
        files => [ 'random.py' => "mine = 'yes'\n" ], path => 'pool' ],
    [ 'a package that hides one', "import json\nprint(json.mine)\n",
        files => [ 'json/__init__.py' => "mine = 'yes'\n" ],
        path => 'pool' ],
    [ 'exit 0',    'import sys; sys.exit(0)' ],
    [ 'exit 7',    'import sys; sys.exit(7)' ],
    [ 'exit -1',   'import sys; sys.exit(-1)' ],
    [ 'exit 256',  'import sys; sys.exit(256)' ],
    [ 'exit huge', 'import sys; sys.exit(2**70)' ],
    [ 'exit None', 'import sys; sys.exit(None)' ],
    [ 'exit text', 'import sys; sys.exit("a message")' ],
    [ 'exit list', 'import sys; sys.exit([1, 2])' ],
    [ 'exit True', 'import sys; sys.exit(True)' ],
    [ 'quit()',    'quit(4)' ],
    [ 'raise SystemExit', 'raise SystemExit' ],
    [ 'a class of SystemExit', "class E(SystemExit):\n    code = 9\n"
        . "raise E('x')\n" ],
    [ 'os._exit',  'import os; print("lost?", end=""); os._exit(5)' ],
    [ 'os.abort',  'import os; os.abort()' ],
    [ 'SIGKILL',   'import os; os.kill(os.getpid(), 9)' ],
    [ 'KeyboardInterrupt', 'raise KeyboardInterrupt' ],
    [ 'SIGINT',    'import os, signal; os.kill(os.getpid(), signal.SIGINT);'
        . ' import time; time.sleep(9)' ],
    [ 'SIGTERM',   'import os, signal, time; signal.signal(signal.SIGTERM,'
        . ' lambda *a: print("got", a[0])); os.kill(os.getpid(), 15);'
        . ' print("on")' ],
    [ 'SIGPIPE',   'import signal; print(signal.getsignal(signal.SIGPIPE))' ],
    [ 'traceback', "def f(n):\n    return 1 / n\nf(0)\n" ],
    [ 'chained exceptions', "try:\n    {}['a']\nexcept KeyError as e:\n"
        . "    raise ValueError('b') from e\n" ],
    [ 'exception group', "raise ExceptionGroup('g', [ValueError(1),"
        . " TypeError(2)])\n" ],
    [ 'SyntaxError', "a = 1\nprint(a +\n" ],
    [ 'IndentationError', "def f():\nreturn 1\n" ],
    [ 'null bytes', "print(1)\0\n" ],
    [ 'an encoding', "# -*- coding: latin-1 -*-\nprint(len('\xc3\xa4'))\n" ],
    [ 'empty', '' ],
    [ 'nothing but a comment', '# nothing' ],
    [ 'no last newline', "x = 1\nprint(x)" ],
    [ 'a last backslash', "print(1)\n\\" ],
    [ 'other line ends', "print(1)\r\nx = \"\"\"a\r\nb\"\"\"\r\n"
        . "print(repr(x))\r\nprint(2)\rprint(3)\n\f\nprint(4)\n" ],
    [ 'tabs and spaces', "if 1:\n        print(1)\n\tprint(2)\n" ],
    [ 'a byte order mark', "\xef\xbb\xbfprint('\xc3\xa4')\n" ],
    [ 'a mark and another encoding',
        "\xef\xbb\xbf# coding: latin-1\nprint(1)\n" ],
    [ 'no UTF-8', "print(1)\nprint('\xe4')\n" ],
    [ 'an encoding that is not UTF-8',
        "# coding: cp1252\nprint(ascii('\x80\xe4'))\n" ],
    [ 'an unknown encoding', "print(1)\n# coding: nonsense\n" ],
    [ 'an encoding that imports', "# coding: idna\nprint('end')\n",
        files => [ 'stringprep.py' => "print('mine')\n" ] ],
    [ 'letters', "\xef\xac\x81x = '\xd0\xb4\xd0\xb0'\nprint(fix)\n" ],
    [ 'nested', 'print(' . '(' x 250 . ')' x 250 . ")\n" ],
    [ 'a deep expression', 'x = ' . '-' x 3000 . "1\nprint(x)\n" ],
    [ 'a long sum', 'print(1' . ' + x' x 5000 . ")\n" ],
    [ 'a warning of the compiler', "x = 1\nprint('before')\n"
        . "if x is 1:\n    print('\\d', x)\nassert (x, 'never')\n" ],
    [ 'a warning and an error', "if 1 is 1:\n    pass\nx = (\n" ],
    [ 'a warning that imports', "if 1 is 1:\n    print('end')\n",
        files => [ 'linecache.py' => "print('mine')\ngetline = str\n"
            . "getlines = checkcache = lazycache = str\n" ],
        path => 'pool' ],
    [ 'references', "import sys\nx = 'a constant of this module'\n"
        . "def f():\n    return 'another one', 1.5, (2, 3)\n"
        . "print(sys.getrefcount(x), [sys.getrefcount(c) for c in f()],\n"
        . "      sys.getrefcount(f.__code__), sys.getrefcount(f))\n" ],
    [ 'code', "import sys\ndef f(a, *, b=[1, {2}]):\n"
        . "    return [f'{a!r:>{b}}' for a in b if a] or lambda: (a, b)\n"
        . "def show(c):\n    print(c.co_name, c.co_qualname, c.co_filename,"
        . " c.co_flags, c.co_stacksize, c.co_code, c.co_linetable,"
        . " c.co_exceptiontable, c.co_names, c.co_varnames)\n"
        . "    for x in c.co_consts:\n"
        . "        show(x) if hasattr(x, 'co_name') else print(x)\n"
        . "show(sys._getframe().f_code)\n" ],
    [ 'a future', "from __future__ import annotations\ndef f(a: b): pass\n"
        . "print(f.__annotations__)\n" ],
    [ 'excepthook', "import sys\nsys.excepthook = lambda *a:"
        . " print('hook', a[0].__name__)\n1 / 0\n" ],
    [ 'excepthook raises', "import sys\ndef h(*a):\n    raise TypeError('h')"
        . "\nsys.excepthook = h\n1 / 0\n" ],
    [ 'sys.last_*', "import atexit, sys\natexit.register(lambda:"
        . " print(sys.last_type))\n1 / 0\n" ],
    [ 'unraisable', "class A:\n    def __del__(self):\n        1 / 0\n"
        . "A()\nprint('on')\n" ],
    [ 'warnings', "import warnings\nwarnings.warn('w')\n"
        . "print(warnings.filters)\nopen('main.py')\n" ],
    [ 'a deprecation', "import warnings\nwarnings.warn('d',"
        . " DeprecationWarning)\n" ],
    [ 'faulthandler', "import faulthandler, os\nprint("
        . "faulthandler.is_enabled())\nfaulthandler.enable()\n"
        . "faulthandler.disable()\n" ],
    [ 'input', "print(input('name? '))\nprint(repr(input()))\n",
        stdin => "one\nlast" ],
    [ 'input at the end', "input()\n", stdin => '' ],
    [ 'lines of input', "import sys\nprint([l for l in sys.stdin])\n",
        stdin => "a\nb\r\nc" ],
    [ 'bytes of input', "import sys\nprint(sys.stdin.buffer.read())\n",
        stdin => "a\0b\xc3\xa4" ],
    [ 'streams', 'import sys; print([(s.name, s.mode, s.encoding, s.errors,'
        . ' s.line_buffering, s.write_through, s.newlines, s.fileno(),'
        . ' s.isatty(), type(s.buffer).__name__, s.buffer.raw.mode,'
        . ' s.buffer.raw.name, s.buffer.raw.closefd) for s in (sys.stdin,'
        . ' sys.stdout, sys.stderr)], sys.stdin is sys.__stdin__,'
        . ' sys.stdout is sys.__stdout__)' ],
    [ 'order of streams', "import sys\nprint('out')\n"
        . "print('err', file=sys.stderr)\nsys.stdout.buffer.write(b'raw\\n')\n"
        . "print('out')\n" ],
    [ 'big output at the end', "print('x' * 300000, end='')\n" ],
    [ 'closed stdout', "import sys\nprint('a')\nsys.stdout.close()\n" ],
    [ 'no stdout', "import os\nprint('a', flush=True)\nos.close(1)\n"
        . "print('b')\n" ],
    [ 'replaced stdout', "import io, sys\nsys.stdout = io.StringIO()\n"
        . "print('never seen')\n" ],
    [ 'encoding', 'import locale, sys; print(sys.getfilesystemencoding(),'
        . ' sys.getdefaultencoding(), locale.getpreferredencoding(),'
        . ' locale.setlocale(locale.LC_ALL), sys.flags.utf8_mode)' ],
    [ 'size of stacks', 'import threading; print(threading.stack_size())' ],
    [ 'gc', 'import gc; print(gc.isenabled(), gc.get_threshold(),'
        . ' gc.get_debug(), gc.garbage, gc.callbacks)' ],
    [ 'tracing', 'import sys; print(sys.gettrace(), sys.getprofile(),'
        . ' sys.getswitchinterval(), sys.getrecursionlimit())' ],
    [ 'asyncio', "import asyncio\nasync def f():\n"
        . "    await asyncio.sleep(0.01)\n    p = await"
        . " asyncio.create_subprocess_exec('/bin/echo', 'child')\n"
        . "    return await p.wait()\nprint(asyncio.run(f()))\n" ],
    [ 'pickle of main', "import pickle\nclass A: pass\n"
        . "print(pickle.loads(pickle.dumps(A())).__class__)\n" ],
    [ 'dataclasses and typing', "import dataclasses, typing, json, re, enum\n"
        . "\@dataclasses.dataclass\nclass A:\n    x: typing.List[int]\n"
        . "print(A([1]), json.dumps({'a': [1]}), re.findall('a.', 'abac'))\n"
    ],
    [ 'runpy', "import runpy, sys\nprint(runpy.run_path('other.py')['x'],"
        . " sys.argv[0])\n", files => [ 'other.py' => "x = __name__\n" ] ],
    [ 'inspect', "import inspect\ndef f():\n    return 1\n"
        . "print(inspect.getsource(f))\n" ],
    [ 'exec and eval', "exec('x = 1')\nprint(eval('x + 1'))\n" ],
    [ 'random twice', "import random\nprint(len({random.random() for _ in"
        . " range(9)}))\n" ],
    [ 'an audit hook', "import sys\nsys.addaudithook(lambda e, a:"
        . " print(e) if e == 'compile' else None)\ncompile('1', 'x',"
        . " 'eval')\n" ],
    [ 'an audit hook until the end', "import sys\nprint('end')\n"
        . "sys.addaudithook(lambda e, a: print(e))\n" ],
    [ 'signal at exit', "import atexit, os, signal\natexit.register("
        . "os.kill, os.getpid(), 0)\nprint('end')\n" ],
);

sub programs { return @programs }

# What may differ between inside and outside, alike.
sub _plain {
    my ($text, $dir) = @_;
    $text =~ s{\Q$dir\E}{/box}g;
    $text =~ s/0x[0-9a-f]+/0x/g;
    $text =~ s/\bpid=?\s*\d+/pid/g;
    return $text;
}

# How it ends outside, and what it prints.
sub bare {
    my ($code, %o) = @_;
    my $dir = tempdir('codr-test-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my %files = ('main.py' => $code, @{ $o{files} // [] });
    for my $name (keys %files) {
        mkdir "$dir/$1" if $name =~ m{^(.*)/};
        spew("$dir/$name", $files{$name});
    }
    spew("$dir.in", $o{stdin} // '');
    my @args = map { my $x = $_; utf8::encode($x); $x } @{ $o{args} // [] };
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        chdir $dir;
        open STDIN,  '<', "$dir.in";
        open STDOUT, '>', "$dir.out";
        open STDERR, '>', "$dir.err";
        %ENV = (PATH => '/usr/local/bin:/usr/bin:/bin', HOME => '/box',
            USER => 'codr', LANG => 'C.UTF-8', TZ => 'UTC', TERM => 'dumb');
        exec '/usr/bin/python3', 'main.py', @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $end = $? & 127 ? -($? & 127) : $? >> 8;
    my $result = join '', "$end\n",
        map { _plain(slurp("$dir.$_"), $dir) } qw(out err);
    unlink "$dir.in", "$dir.out", "$dir.err";
    return $result;
}

# The same of a job's answer.
sub plain {
    my ($job) = @_;
    my $text = join '', map { _plain($job->{$_} // '', '/box') }
        qw(stdout stderr);
    utf8::encode($text);
    return "$job->{exit_code}\n$text";
}

sub _text {
    my ($bytes) = @_;
    utf8::decode($bytes);
    return $bytes;
}

# A program of the list, as a client asks for it.
sub request {
    my ($name, $code, %o) = @_;
    my @files = @{ $o{files} // [] };
    my %request = (language => 'python', stdin => _text($o{stdin} // ''),
        args => $o{args} // [], files => []);
    if (utf8::decode(my $copy = $code)) {
        $request{code} = _text($code);
    } else {
        $request{files} = [ { name => 'main.py', encoding => 'base64',
            content => encode_base64($code, '') } ];
    }
    while (my ($file, $content) = splice @files, 0, 2) {
        push @{ $request{files} }, { name => $file, content => $content };
    }
    return \%request;
}

1;
