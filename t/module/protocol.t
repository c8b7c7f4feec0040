# codr.v1: messages in their order, notices against errors, one end per job.

use strict;
use warnings;

use Codr::Host qw(need slow wait_until);
use Codr::Nginx;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper));

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my %PYTHON = (language => 'python');

my $format = '$status [$codr_owner|$codr_jobs|$codr_job_id|$codr_tag'
    . '|$codr_language|$codr_status|$codr_exit_status|$codr_close_code'
    . '|$codr_output_bytes|$codr_code_sha256]';
my $nginx = Codr::Nginx->new(http => "log_format codr '$format';",
    server => <<'CONF');
    location = /logged { codr_exec; access_log LOG codr; }
    location = /python { codr_exec python; }
    location = /two { codr_exec python c; }
    location = /tiny { codr_exec; codr_code_size 100; codr_input 10;
                       codr_files 200 count=3; }
CONF
my $log = $nginx->path('codr.log');
$nginx->reload(server => $nginx->{server} =~ s/LOG/$log/r);
$nginx->ready;

# One job, whole.

my $ws = $nginx->ws;
my $job = $ws->run_job(%PYTHON, code => "print('hello')\n", tag => 'a tag',
    unknown => { deep => [ 1 ] }, other => 'x', detach => $true);
my $types = join ' ', map { $_->{type} } @{ $job->{messages} };
like($types, qr/^started stage output(?: output)* complete$/,
    'messages, in order');
my ($started, $complete) = @{$job}{qw(started complete)};
like($started->{job_id}, qr/^[0-9a-f]{32}$/, 'a job has an id');
like($started->{"${_}_token"}, qr/^[0-9a-f]{32}$/, "and $_ token")
    for qw(attach view);
is($started->{language}, 'python', 'started names the language');
is($started->{tag}, 'a tag', 'and echoes the tag');
is_deeply({ map { $_ => 0 + $started->{limits}{$_} }
        keys %{ $started->{limits} } },
    { wall_time => 30, cpu_time => 7, memory_bytes => 300 << 20,
        output_bytes => 1 << 20, processes => 64 }, 'and shows the limits');
is($job->{messages}[1]{stage}, 'run', 'one stage');
is($job->{stdout}, "hello\r\n", 'a terminal ends lines with CR LF');
is($complete->{job_id}, $started->{job_id}, 'complete is of the same job');
is($complete->{status}, 'ok', 'it went well');
is($complete->{exit_code}, 0, 'with exit code 0');
is($complete->{tag}, 'a tag', 'complete echoes the tag');
is($complete->{output_bytes}, 7, 'it counts the bytes of output');
is($complete->{execution_time}, $complete->{wall_time},
    'execution_time is wall_time');
ok($complete->{wall_time} > 0 && $complete->{wall_time} < 10, 'of some time');
ok(exists $complete->{$_}, "complete has $_")
    for qw(cpu_time queue_time memory_peak truncated path);
ok(!exists $complete->{signal}, 'and no signal');

# Any number of them.

is($ws->run_job(%PYTHON, code => "print($_)")->{stdout}, "$_\r\n",
    "job $_ on the same socket") for 2 .. 4;

# Input.

$ws->execute(%PYTHON,
    code => "name = input('Name: ')\nprint(f'Hello {name}!')\n");
ok($ws->expect(qr/Name: $/), 'a prompt without newline arrives');
$ws->input("caf\x{e9}\n");
is($ws->finish->{stdout}, "Name: Hello caf\x{e9}!\r\n",
    'input is answered, and not echoed');

my $read = "import sys\nprint(repr(sys.stdin.read()))\n";
$ws->execute(%PYTHON, code => $read, tty => $false);
$ws->input('one ');
$ws->input("two\0");
$ws->send(type => 'eof');
is($ws->finish->{stdout}, "'one two\\x00'\n", 'pipes, input and eof');
is($ws->run_job(%PYTHON, code => $read, stdin => "all\n")->{stdout},
    "'all\\n'\n", 'stdin implies pipes, and is all there is');
is($ws->run_job(%PYTHON, code => $read, stdin => '')->{stdout}, "''\n",
    'also when it is empty');
$ws->execute(%PYTHON, code => "print(input())\nprint(repr(input('?')))\n"
    . "try:\n    input()\nexcept EOFError:\n    print('end')\n");
$ws->input("a\n");
$ws->input("b\n");
ok($ws->expect(qr/'b'/), 'lines one by one');
$ws->send(type => 'eof');
like($ws->finish->{stdout}, qr/end/, 'eof on a terminal is what Ctrl-D does');

my $job2 = $ws->run_job(%PYTHON, tty => $false,
    code => "import sys\nprint('o')\nprint('e', file=sys.stderr)\n");
is("$job2->{stdout}|$job2->{stderr}", "o\n|e\n", 'pipes keep streams apart');

# The terminal.

my $size = "import os, sys\nprint(os.get_terminal_size(), os.environ['TERM'],"
    . " os.environ.get('NO_COLOR'), sys.stdin.isatty())\n";
like($ws->run_job(%PYTHON, code => $size)->{stdout},
    qr/columns=80, lines=24\) dumb 1 True/, 'the terminal of old');
like($ws->run_job(%PYTHON, code => $size, tty => { cols => 100, rows => 40 })
    ->{stdout}, qr/columns=100, lines=40\) xterm-256color None True/,
    'a terminal of a size');
$ws->execute(%PYTHON, code => "input()\nprint('x')\n", tty => $true);
$ws->input("typed\n");
is($ws->finish->{stdout}, "typed\r\nx\r\n", 'a full terminal echoes');
$ws->execute(%PYTHON, code => "input()\nprint('x')\n",
    tty => { echo => $false });
$ws->input("typed\n");
is($ws->finish->{stdout}, "x\r\n", 'unless told not to');

$ws->execute(%PYTHON, code => "import os, signal, time\n"
    . "signal.signal(signal.SIGWINCH,"
    . " lambda *a: print(os.get_terminal_size()))\n"
    . "print('ready')\nwhile os.get_terminal_size().lines != 51:\n"
    . "    time.sleep(0.02)\n");
ok($ws->expect(qr/ready/), 'a program that looks at its size');
$ws->send(type => 'resize', cols => 120, rows => 50);
ok($ws->expect(qr/columns=120, lines=50/), 'sees a resize');
$ws->send(type => 'resize', cols => 120, rows => 51);
is($ws->finish->{status}, 'ok', 'and another one');

# Signals and stop.

$ws->execute(%PYTHON, code => "try:\n    print('ready')\n    input()\n"
    . "except KeyboardInterrupt:\n    print('interrupted')\nprint('on')\n");
$ws->expect(qr/ready/);
sleep(0.3);             # python handles no signal between "ready" and its read
$ws->send(type => 'signal', signal => 'SIGINT');
like($ws->finish->{stdout}, qr/interrupted\r\non/, 'SIGINT is an interrupt');
$ws->execute(%PYTHON, code => "import os\nprint(os.getpgrp() == os.getpid(), "
    . "os.tcgetpgrp(0) == os.getpid(), repr(input('> ')))\n");
$ws->expect(qr/> $/);
$ws->input("a\x1ab\n");
is($ws->finish->{stdout}, "> True True 'a\\x1ab'\r\n",
    'a program is in front of its terminal, and Ctrl-Z does not stop it');

$ws->execute(%PYTHON, code => "print('ready')\ninput()\n");
$ws->expect(qr/ready/);
$ws->send(type => 'signal', signal => 'SIGTERM');
$job = $ws->finish;
is("$job->{status} $job->{complete}{exit_code} $job->{complete}{signal}",
    'signaled -15 SIGTERM', 'death by a signal is named');
$ws->execute(%PYTHON, code => "import signal\nfor s in (2, 15):\n"
    . "    signal.signal(s, lambda *a: 0)\nprint('ready')\n"
    . "while True:\n    signal.pause()\n");
$ws->expect(qr/ready/);
my $start = time;
$ws->send(type => 'stop');
is($ws->finish->{status}, 'stopped', 'stop ends a program');
cmp_ok(time - $start, '<', 2 * slow(), 'that ignores every signal, at once');
is($ws->run_job(%PYTHON, code => 'raise SystemExit(42)')->{complete}
    {exit_code}, 42, 'an exit code');
is($ws->run_job(%PYTHON, code => '1 / 0')->{status}, 'error', 'is an error');

# Arguments and files.

my $args = "import sys\nprint(sys.argv[1:])\n";
is($ws->run_job(%PYTHON, code => $args, args => [ 'a b', '$HOME', '' ],
    stdin => '')->{stdout}, "['a b', '\$HOME', '']\n", 'arguments as they are');
is($ws->run_job(%PYTHON, stdin => '', code => "import lib.m\nprint(lib.m.X,"
    . " open('data.bin', 'rb').read())\n", files => [
        { name => 'lib/m.py', content => "X = '\x{20ac}'\n" },
        { name => 'data.bin', content => '/wAB', encoding => 'base64' } ])
    ->{stdout}, "\x{20ac} b'\\xff\\x00\\x01'\n", 'files beside the code');
is($ws->run_job(%PYTHON, stdin => '', files => [
        { name => 'start.py', content => "print(__file__.split('/')[-1])\n" },
        { name => 'main.py', content => "print('wrong')\n" } ])->{stdout},
    "start.py\n", 'without code the first file is the main one');
is($ws->run_job(language => 'PY', code => 'print(1)', stdin => '')->{stdout},
    "1\n", 'an alias, in capitals');
is($nginx->run_job(path => '/python', code => 'print(1)', stdin => '')
    ->{stdout}, "1\n", 'a location with one language needs no name');

# Errors of execute: the one end of it, and the socket goes on.

sub refused {
    my ($code, $name, %message) = @_;
    my $path = delete $message{path} // '/run';
    my $socket = $nginx->ws(path => $path);
    my $job = $socket->run_job(%message, timeout => 5);
    is($job->{status}, $code, $name)
        or diag(explain($job->{messages}));
    is(scalar @{ $job->{messages} }, 1, 'and nothing else is said');
    return $job->{error} // {};
}

my %OK = (%PYTHON, code => '0');
refused('bad_message', 'no code', %PYTHON);
refused('bad_message', 'no language', code => '0');
refused('bad_message', 'no language, of two', code => '0', path => '/two');
refused('bad_message', 'a language that is a number', %OK, language => 1);
refused('bad_message', 'code that is a list', %OK, code => [ 'x' ]);
refused('bad_message', 'files that are no list', %OK, files => { a => 'b' });
refused('bad_message', 'stdin that is a number', %OK, stdin => 1);
refused('bad_message', 'args that are a string', %OK, args => 'x');
refused('bad_message', 'an argument that is a number', %OK, args => [ 1 ]);
refused('bad_message', 'an argument with a zero byte', %OK, args => [ "a\0" ]);
refused('bad_message', 'too many arguments', %OK, args => [ ('') x 1025 ]);
refused('bad_message', 'too long arguments', %OK, args => [ 'x' x 70000 ]);
refused('bad_message', 'a tty of a string', %OK, tty => 'yes');
refused('bad_message', "a tty of $_->[0] columns", %OK,
    tty => { cols => $_->[1] })
    for [ 0, 0 ], [ 1001, 1001 ], [ 'half', 1.5 ], [ 'text', '80' ];
refused('bad_message', 'an echo of a number', %OK, tty => { echo => 1 });
refused('bad_message', 'limits that are a number', %OK, limits => 1);
refused('bad_message', 'a tag of a number', %OK, tag => 7);
refused('bad_message', 'a tag with a newline', %OK, tag => "a\n");
refused('bad_message', 'a long tag', %OK, tag => 'x' x 129);
refused('unknown_language', 'an unknown language', %OK, language => 'cobol');
refused('unknown_language', 'a very long one', %OK, language => 'x' x 5000);
refused('unknown_language', 'one of another location', %OK,
    language => 'c', path => '/python');

for my $name ('', '/etc/passwd', '../x', 'a/../b', '.hidden', '-flag', 'a//b',
    'a/', "a\0b", "a b", "\x{e9}", 'x' x 101, join('/', ('a') x 9), 'x' x 300)
{
    refused('bad_message', 'a file name that is not allowed', %OK,
        files => [ { name => $name, content => '' } ]);
}
refused('bad_message', 'the same name twice', %OK, files => [
    map { { name => 'a', content => $_ } } 1 .. 2 ]);
refused('bad_message', 'the name of the main file', %OK, files => [
    { name => 'main.py', content => '' } ]);
refused('bad_message', 'a file that is a directory, too', %OK, files => [
    map { { name => $_, content => '' } } 'a/b', 'a-c', 'a' ]);
refused('bad_message', 'a file without content', %OK,
    files => [ { name => 'a' } ]);
refused('bad_message', 'a file that is a string', %OK, files => [ 'a' ]);
refused('bad_message', "base64 of $_->[0]", %OK, files => [
    { name => 'a', content => $_->[1], encoding => 'base64' } ])
    for [ 'other characters', '!!!!' ], [ 'three characters', 'YWI' ],
        [ 'something after its end', 'YQ==YQ==' ], [ 'its end only', '====' ];
refused('bad_message', 'another encoding', %OK, files => [
    { name => 'a', content => 'x', encoding => 'utf16' } ]);

for (1e9, -1, 0, 'x', JSON::PP::null, 1e300) {
    my $error = refused('bad_message', 'a limit that cannot be', %OK,
        limits => { wall_time => $_ });
    is($error->{limit}, 'wall_time', 'is named');
    cmp_ok($error->{cap}, '==', 30, 'with its cap');
}
$ws->send_frame('{"type":"execute","language":"python","code":"0",'
    . '"limits":{"wall_time":99999999999999999999999}}');
is($ws->recv->{code}, 'bad_message', 'a number beyond all integers');
is($ws->run_job(%OK, limits => { wall_time => 1.5, other => 'x' })->{started}
    {limits}{wall_time}, 1.5, 'a fraction is a limit, an unknown one none');
is($ws->run_job(%OK, limits => { processes => 2.5 })->{started}{limits}
    {processes}, 3, 'of tasks the next whole number');
is($ws->run_job(%OK, limits => { memory_bytes => 1 })->{started}{limits}
    {memory_bytes}, 2 << 20, 'of memory what the sandbox needs is in force');
is(refused('bad_message', 'a fraction above the cap', %OK,
    limits => { processes => 64.5 })->{cap}, 64, 'and no more than the cap');

my $large = refused('code_too_large', 'too much code', %OK, path => '/tiny',
    code => '#' x 101);
is("$large->{limit} $large->{cap}", 'code_size 100', 'says how much may be');
is(refused('code_too_large', 'in files together', %OK, path => '/tiny',
    files => [ { name => 'b.py', content => '#' x 100 } ])->{limit},
    'code_size', 'counts sources, whatever their name');
is(refused('code_too_large', 'too large files', %OK, path => '/tiny',
    files => [ { name => 'data', content => 'x' x 200 } ])->{limit},
    'files', 'counts all files');
refused('bad_message', 'too many files', %OK, path => '/tiny',
    files => [ map { { name => $_, content => '' } } 1 .. 3 ]);
refused('bad_message', 'too much stdin', %OK, path => '/tiny',
    stdin => 'x' x 11);

# Notices: refused, and everything goes on.

sub noticed {
    my ($code, $bytes, $name) = @_;
    $ws->send_frame($bytes);
    my $message = $ws->recv;
    is("$message->{type} " . ($message->{code} // ''), "notice $code", $name);
    return $message;
}

noticed('bad_message', $_, "'$_' is no message") for '', 'x', '[]', '1', '{}',
    '"text"', 'null', '{"type":1}', '{"type":"nothing"}', '{"type":"ping"',
    '{"type":"execute\u0000"}', '{"type":"ping"} x', '[' x 100_000,
    '{"type":"ping","a":' . '[' x 50 . ']' x 50 . '}',
    '{"type":"ping","a":[' . '0,' x 20_000 . '0]}';

# Whoever waits for the end of an execute gets it.

for (['"a":1e999', 'a number beyond all'], ['"a\u0000b":1', 'a name with NUL'],
    ['"code":"\ud800"', 'half a character'],
    ['"a":' . '[' x 50 . ']' x 50, 'too deep'])
{
    my ($field, $name) = @{$_};
    for my $text (qq({"type":"execute",$field}),
        qq({$field, "type" : "execute"}))
    {
        $ws->send_frame($text);
        my $end = $ws->recv;
        is("$end->{type} $end->{code}", 'error bad_message', $name);
    }
}
noticed('bad_message', $_, "'$_' is none") for
    '{"type":"input","data":"\ud800"}', '{"a":{"type":"execute"},"b":1e999}',
    '["type","execute",1e999]', '{"type":"execute","a":1e999',
    '{"type":"execute","a":1e999}}', '{"type":["execute"],"a":1e999}',
    '{"a":"type","b":"execute","c":1e999}', '{"type":"execute';

noticed('not_running', qq({"type":"$_"}), "$_ without a job")
    for qw(input eof resize signal stop);

$ws->execute(%PYTHON, code => "print('ready')\nprint(len(input()))\n");
$ws->expect(qr/ready\r\n/);
my $id = $ws->{job}[0]{job_id};
is(noticed('already_running', '{"type":"execute","language":"python",'
    . '"code":"0"}', 'a second program')->{job_id}, $id, 'of which job');
noticed('already_running', '{"type":"execute"}', 'even a bad one');
noticed('bad_message', '{"type":"execute","a":1e999}', 'one that is no JSON');
noticed('already_running', '{"type":"attach","job_id":"x"}', 'attach');
noticed('bad_message', '{"type":"input","data":1}', 'input of a number');
noticed('bad_message', '{"type":"input"}', 'input of nothing');
noticed('bad_message', '{"type":"resize","cols":0,"rows":1}', 'no columns');
noticed('bad_message', '{"type":"resize","cols":80}', 'no rows');
noticed('bad_message', '{"type":"signal","signal":"SIGFOO"}', 'no signal');
noticed('bad_message', '{"type":"signal","signal":9}', 'a signal by number');
noticed('bad_message', 'x', 'no message at all');
$ws->send(type => 'ping', n => 5);
is($ws->recv->{n}, 5, 'ping is answered while a program runs');
$ws->input("four\n");
like($ws->finish->{stdout}, qr/\n4\r\n$/, 'and the program has not noticed');

$ws->execute(%PYTHON, tty => $false,
    code => "import sys, time\nsys.stdin.read()\ntime.sleep(1)\n");
noticed('bad_message', '{"type":"resize","cols":80,"rows":24}', 'no terminal')
    if $ws->wait_for('stage');
$ws->send(type => 'eof');
noticed('input_closed', '{"type":"input","data":"x"}', 'input after eof');
noticed('input_closed', '{"type":"eof"}', 'a second eof');
is($ws->finish->{status}, 'ok', 'do no harm');

my $tiny = $nginx->ws(path => '/tiny');
$tiny->execute(%PYTHON, code => 'print(len(input()))');
$tiny->wait_for('stage');
$tiny->input('1234');
$tiny->input('567890123');
is($tiny->recv->{code}, 'input_too_large', 'too much input is dropped');
$tiny->input("5\n");
is($tiny->finish->{stdout}, "5\r\n", 'and what still fits is taken');

$ws->send(type => 'attach', job_id => '0' x 32, attach_token => 'x');
my $error = $ws->recv;
is("$error->{type} $error->{code}", 'error not_found', 'nothing to attach to');
$ws->send(type => 'ping', text => "a\x{20ac}\0", list => [ 1, 1.5, $true ]);
is_deeply([ @{ $ws->recv }{qw(type text list)} ], [ 'pong', "a\x{20ac}\0",
    [ 1, 1.5, $true ] ], 'pong has the same fields');
$ws->send_frame('{ "n":12345678901234567890123, "type": "ping" }');
is($ws->recv_frame->{data}, '{"n":12345678901234567890123,"type":"pong"}',
    'to the last digit');
$ws->send_frame('{"t\u0079pe":"ping","n":1}');
is($ws->recv->{n}, 1, 'however its type is spelled');

# A client that leaves takes its job along.

for my $how (qw(close drop)) {
    my $left = $nginx->ws;
    $left->execute(%PYTHON, code => "import signal, time\n"
        . "for s in (1, 2, 15):\n    signal.signal(s, signal.SIG_IGN)\n"
        . "print('ready')\ntime.sleep(20)\n");
    $left->expect(qr/ready/);
    $left->send_close(1000) if $how eq 'close';
    is($left->recv->{code}, 1000, 'Close is answered') if $how eq 'close';
    $left->drop;
    ok(wait_until(1, sub { !$nginx->job_processes }),
        "the program is gone within a second of a $how");
}

# What the log knows.

$ws = $nginx->ws(path => '/logged');
$ws->run_job(%PYTHON, code => 'print(1)', tag => 'first');
$job = $ws->run_job(%PYTHON, code => "print(22)\nraise SystemExit(3)\n",
    tag => 'second', stdin => '');
$ws->send_close(1000);
$ws->recv;
$ws->drop;                      # it is logged when both have closed
ok(wait_until(3, sub { -s $log }), 'a line for the socket');
my $line = Codr::Host::slurp($log);
my $shown = join '|', '127.0.0.1', 2, $job->{complete}{job_id}, 'second',
    'python', 'error', 3, 1000, 3;
like($line, qr/^101 \[\Q$shown\E\|[0-9a-f]{64}\]$/,
    'with the figures of its last job');

$nginx->ws(path => '/logged')->drop;
ok(wait_until(3, sub { Codr::Host::slurp($log) =~ /\|1006\|/ }),
    'a connection that vanishes is 1006');

$nginx->finish;
done_testing();
