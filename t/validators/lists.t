# What Codr's published lists refuse is refused at strict, entry by entry in
# each of its spellings, and at the level below where it belongs there; what
# its lists refuse by mistake is not.

use strict;
use warnings;

use Codr::Host qw(build need);
use Codr::Policy qw(lint_blocks);
use Test::More;

need(build() . '/codr-validator');

# Language, level, spellings of an entry ("%"), entries.
my @LISTS = (
    [ python => 'strict', [ "%(x)\n", "f = %\n", "map(%, [])\n" ],
        qw(eval exec compile __import__ open globals locals vars dir getattr
            setattr delattr hasattr exit quit help) ],
    [ python => 'strict', [ "import %\n", "import % as a\n",
            "from % import a\n", "from % import *\n", "import %.a\n",
            "import math, %\n", "def f():\n    import %\n" ],
        qw(os sys io pathlib glob shutil tempfile subprocess multiprocessing
            threading asyncio socket urllib http ftplib smtplib ssl requests
            httplib urllib2 urllib3 importlib imp code codeop runpy ctypes pty
            pwd grp resource signal platform sysconfig pickle shelve marshal
            dill) ],
    [ python => 'strict', [ "x.%\n", "().%\n", "x().y[1].%\n" ],
        qw(__builtins__ __subclasses__ __bases__ __mro__ __globals__
            __class__ __code__ __dict__) ],
    [ python => 'standard', [ "%('1')\n", "f = %\n", "map(%, [])\n",
            "import builtins\nbuiltins.%('1')\n",
            "from builtins import % as f\n",
            "getattr(__builtins__, '%')\n" ],
        qw(eval exec compile __import__) ],
    [ python => 'standard', [ "import %\n", "import % as a\n",
            "from % import a\n", "from % import *\n",
            "def f():\n    import %\n" ],
        qw(subprocess pty importlib imp runpy codeop) ],
    [ python => 'standard', [ "import %\n%.interact()\n",
            "import % as a\na.interact()\n", "from % import interact\n",
            "from % import InteractiveConsole as a\n" ], 'code' ],
    [ python => 'standard', [ "import os\nos.%('a')\n",
            "from os import % as a\n", "import os as o\nf = o.%\n",
            "import os\ngetattr(os, '%')\n", "import posix\nposix.%\n",
            "import sys\nsys.modules['os'].%\n" ],
        qw(system popen fork execv execve execl spawnv posix_spawn) ],
    [ python => 'light', [ "import %\n", "import % as a\n",
            "from % import a\n", "def f():\n    import %\n" ],
        qw(socket ssl ftplib smtplib http.client urllib.request requests
            httplib urllib2 urllib3) ],
    [ javascript => 'strict', [ "require('%');\n", "require('node:%');\n",
            "import a from '%';\n", "import 'node:%';\n",
            "const { a: b } = require('%');\n", "import('%');\n",
            "export * from '%';\n", "require(`%`);\n" ],
        qw(os child_process cluster worker_threads net http https http2 dgram
            dns tls v8 vm repl) ],
    [ javascript => 'strict', [ "%('1');\n", "const f = %;\n" ],
        qw(eval Function) ],
    [ javascript => 'strict', [ "process.%;\n", "process['%'];\n",
            "const { % } = process;\n" ],
        qw(binding dlopen mainModule env exit kill) ],
    [ javascript => 'strict', [ "x['%'];\n", "x[\"%\"].y;\n" ],
        qw(__proto__ constructor prototype) ],
    [ javascript => 'strict', ["%;\n"],
        qw(global.a __dirname __filename globalThis.a module.constructor
            this.constructor) ],
    [ javascript => 'standard', [ "require('%');\n", "require('node:%');\n",
            "import a from '%';\n", "import('%');\n", "require('%').a;\n",
            "const { a: b } = require('%');\n" ],
        qw(child_process cluster vm repl) ],
    [ javascript => 'standard', [ "%('1');\n", "const f = %;\nf('1');\n",
            "globalThis.%('1');\n", "globalThis['%']('1');\n",
            "const { % } = globalThis;\n" ],
        qw(eval Function) ],
    [ javascript => 'light', [ "require('%');\n", "require('node:%');\n",
            "import a from '%';\n", "import('%');\n",
            "const { a: b } = require('%');\n" ],
        qw(net http https http2 dgram dns tls) ],
);
push @LISTS, (
    [ $_ => 'strict', [ "int main(void) { %(0); }\n",
            "#define R %\nint main(void) { R(0); }\n" ],
        qw(system exec execl execle execlp execv execve execvp execvpe popen
            fork vfork fopen open creat unlink rmdir rename link
            symlink chmod chown socket connect bind listen accept dlopen
            dlsym) ],
    [ $_ => 'strict', [ "#include <%>\n", "#include \"%\"\n",
            "# include <%>\n" ],
        qw(sys/socket.h sys/types.h unistd.h fcntl.h dlfcn.h netinet/in.h
            arpa/inet.h netdb.h signal.h) ],
    [ $_ => 'light', [ "void f(void) { %(\"nop\"); }\n",
            "void f(void) { % volatile (\"nop\"); }\n" ], qw(__asm__ __asm) ],
    [ $_ => 'standard', [ "int main(void) { %(0); }\n",
            "void *f = (void *) %;\n",
            "#define R %\nint main(void) { R(0); }\n",
            "int main(void) { (*%)(0); }\n" ],
        qw(system execl execle execlp execv execve execvp execvpe popen fork
            vfork) ],
    [ $_ => 'light', [ "int main(void) { %(0); }\n",
            "void *f = (void *) %;\n" ], qw(socket dlopen dlsym) ],
) for qw(c cpp);
push @LISTS, (
    [ cpp => 'standard', [ "#include <cstdlib>\nint main() { std::%(0); }\n",
            "using std::%;\nint main() { %(0); }\n",
            "using namespace std;\nint main() { ::%(0); }\n" ], 'system' ],
    [ rust => 'strict', [ "use std::%;\n", "use std::{%};\n",
            "use std::% as a;\n",
            "use std::{io, %};\n", "fn main() { std::%::a(); }\n",
            "use ::std::%;\n", "use std::%::*;\n" ],
        qw(fs path net process os env) ],
    [ rust => 'strict', ["%\n"], 'fn main() { unsafe { } }',
        'unsafe fn f() {}', 'struct A; impl A { unsafe fn f() {} }',
        'extern "C" fn f() {}', 'extern crate a;', 'extern "C" { fn f(); }',
        '#[no_mangle] pub fn f() {}', '#[link(name = "a")] extern {}' ],
    [ rust => 'standard', [ "use std::process::%;\n",
            "use std::process::% as A;\n", "use std::process::{self, %};\n",
            "use std::{process::%};\n",
            "fn main() { std::process::%::new(\"a\"); }\n",
            "use std::process as p;\nfn main() { p::%::new(\"a\"); }\n" ],
        'Command' ],
    [ rust => 'light', [ "use std::net::%;\n",
            "fn main() { std::net::%::connect(\"a\"); }\n" ],
        qw(TcpStream TcpListener UdpSocket) ],
);

# Refused by the lists, and nothing is wrong with it.
my @MISTAKES = (
    [ python => "class A(dict):\n    def __init__(self):\n"
            . "        super().__init__()\n" ],
    [ python => "code = 'a'\nprint(code.upper())\n" ],
    [ python => "io = [1]\nio.append(2)\nsignal = {}\nsignal.get(1)\n" ],
    [ python => "def compile(a):\n    return a\nprint(compile(1))\n" ],
    [ python => "if __name__ == '__main__':\n    print(1)\n" ],
    [ javascript => "const fs = require('fs');\nfs.readFileSync('/dev/stdin')"
            . ";\n", 'standard' ],
    [ javascript => "const a = { env: 1 };\nconsole.log(a.env);\n" ],
    [ javascript => "class A { constructor() { this.a = 1; } }\n" ],
    [ cpp => "#include <list>\nvoid f(std::list<int> &l) { l.remove(1); }\n" ],
    [ cpp => "#include <fstream>\nvoid f(std::ifstream &i) { i.open(\"a\"); }"
            . "\n" ],
    [ c => "struct a { int (*open)(int); };\n"
            . "int f(struct a *a) { return a->open(1); }\n" ],
    [ rust => "use std::io::{self, Read, Write};\nfn main() {}\n" ],
);

my %blocks;
for my $list (@LISTS) {
    my ($language, $level, $spellings, @entries) = @{$list};
    for my $entry (@entries) {
        push @{ $blocks{$language} }, { level => $level,
            name => "$entry, $level", text => $_ =~ s/%/$entry/gr,
            verdict => 'refused' } for @{$spellings};
    }
}
push @{ $blocks{ $_->[0] } }, { level => $_->[2] // 'strict',
    name => 'a mistake of the lists', text => $_->[1], verdict => 'passes' }
    for @MISTAKES;

for my $language (sort keys %blocks) {
    my (%seen, %wrong);
    for my $block (lint_blocks($language, @{ $blocks{$language} })) {
        $seen{ $block->{name} }++;
        next if $block->{found}{verdict} eq $block->{verdict};
        $wrong{ $block->{name} } .= "\n$block->{text}";
    }
    is($wrong{$_} // '', '', "$language: $_, $seen{$_} spellings")
        for sort keys %seen;
}

done_testing();
