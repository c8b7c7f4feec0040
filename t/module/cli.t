# The command line client: a program behaves as if it ran here, on a terminal
# and in pipes, and what goes wrong is said.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need slurp spew);
use Codr::Nginx;
use Codr::Pty;
use POSIX ();
use Test::More;

need(qw(module helper openssl /usr/bin/python3 /usr/bin/gcc));

my $codr = build() . '/codr';
my $dir = Codr::Nginx::dir();
my $tls = Codr::Nginx::free_port();
system('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
    '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout',
    "$dir/key.pem", '-out', "$dir/cert.pem", '-batch') == 0
    or plan(skip_all => 'openssl made no certificate');
my ($key, $line) = `'@{[ build() ]}/codr-sandboxd' --new-key cli`
    =~ /(\S+)\n.*(cli [0-9a-f]{64})/s;
spew("$dir/keys", "$line\n");
spew("$dir/key", "$key\n");
chmod 0600, "$dir/keys", "$dir/key";

my $nginx = Codr::Nginx->new(dir => $dir, server => <<"END");
listen 127.0.0.1:$tls ssl;
ssl_certificate $dir/cert.pem;
ssl_certificate_key $dir/key.pem;
location = /ruled { codr_exec; codr_policy block; }
location = /keyed { codr_exec; codr_api_keys $dir/keys; codr_auth key; }
END
ok($nginx->ready, 'the server is ready');
$ENV{CODR_SERVER} = "http://127.0.0.1:$nginx->{port}/run";
delete $ENV{CODR_KEY};

my %FILES = (
    'echo.py' => <<'END',
import sys
print(sys.argv[1:], sys.stdin.read().upper())
print("oh", file=sys.stderr)
sys.exit(7)
END
    'game.py' => <<'END',
import os, sys
print(sys.stdin.isatty(), *os.get_terminal_size())
name = input("name? ")
print("hello", name)
sys.exit(3)
END
    'wait.py' => <<'END',
import os, signal, time
def show(*_): print("size", *os.get_terminal_size(), flush=True)
signal.signal(signal.SIGWINCH, show)
try:
    print("go", flush=True)
    while True: time.sleep(0.05)
except KeyboardInterrupt:
    print("caught", flush=True)
    raise SystemExit(4)
END
    'deaf.py'  => "import signal, time\nsignal.signal(2, signal.SIG_IGN)\n"
        . "print('go', flush=True)\nwhile True: time.sleep(1)\n",
    'abort.py' => "import os\nos.abort()\n",
    'main.c'   => "#include \"lib/six.h\"\n#include <stdio.h>\n"
        . "int main(void) { printf(\"%d\\n\", six() * 7); }\n",
    'lib/six.h' => "int six(void);\n",
    'lib/six.c' => "int six(void) { return 6; }\n",
    'bad.c'     => "int main(void) { return nothing; }\n",
    'cat.py'    => "import sys\n"
        . "sys.stdout.buffer.write(sys.stdin.buffer.read())\n",
    'size.py'   => "import os\nprint(os.path.getsize('raw.bin'))\n",
    'raw.bin'   => join('', map {chr} 0 .. 255),
    'run'       => "print('named')\n",
    'exit.py'   => "raise SystemExit(5)\n",
    'lib/bad.py' => "x = 1\nprint(eval('x'))\n",
    'lib/aid.py' => "exec('1')\n",
);
mkdir "$dir/p";
mkdir "$dir/p/lib";
spew("$dir/p/$_", $FILES{$_}) for keys %FILES;
chdir "$dir/p" or die;

# Runs it in pipes: (status, stdout, stderr).
sub codr {
    my ($input, @arguments) = @_;
    spew("$dir/in", $input);
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDIN,  '<', "$dir/in";
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec 'timeout', 120, $codr, @arguments or POSIX::_exit(127);
    }
    local $?;
    waitpid $pid, 0;
    return ($? >> 8, slurp("$dir/out"), slurp("$dir/err"));
}

# In pipes.

my ($status, $out, $err) = codr("h\xc3\xa4llo\n", 'run', 'echo.py', 'a',
    '--json', 'b c');
is($status, 7, 'the status is the program\'s');
is($out, "['a', '--json', 'b c'] H\xc3\x84LLO\n\n", 'input and arguments');
is($err, "oh\n", 'stderr is apart');

my $much = "0123456789" x 60_000;
($status, $out) = codr($much, 'run', 'echo.py');
is(length $out, length("[] \n") + length $much, 'much goes in and out');

my $bytes = join('', map {chr} 0 .. 255) x 400;
($status, $out) = codr($bytes, 'run', 'cat.py');
ok($out eq $bytes, 'bytes that are no text go in and out as they are');
($status, $out) = codr("h\xc3\xa4\xff\n", 'run', '--json', 'cat.py');
like($out, qr/"data":"h\xc3\xa4\xef\xbf\xbd\\n"/,
    'JSON has U+FFFD for what is no UTF-8');

is((codr('', 'run', 'abort.py'))[0], 134, 'a signal is 128 and its number');
($status, $out) = codr('', qw(run -f lib/six.h --file lib/six.c main.c));
is("$status $out", "0 42\n", 'several files, with their paths');
($status, $out) = codr('', qw(run -f raw.bin size.py));
is($out, "256\n", 'a file that is no text');
($status, $out, $err) = codr('', 'run', 'bad.c');
is($status, 1, 'what does not compile is 1');
like($err, qr/^bad\.c:1:25: error:/m, 'and the compiler says why');
($status, $out, $err) = codr('', qw(run -s),
    "http://127.0.0.1:$nginx->{port}/ruled", qw(-f lib/aid.py lib/bad.py));
is($status, 1, 'what is refused is 1');
like($err, qr{^lib/bad\.py:2:7: error: .*\[python\.eval\]$}m,
    'with its file, line and column');
like($err, qr{^aid\.py:1:1: error: .*\[python\.eval\]$}m,
    'those of other files, too');
($status, $out) = codr('', qw(run --lang python run));
is($out, "named\n", '--lang');

($status, $out) = codr('', qw(run --json exit.py));
is($status, 5, '--json has the same status');
my @messages = map { Codr::Client::decode($_) } split /\n/, $out;
is(join(' ', map { $_->{type} } @messages), 'started stage complete',
    'and a message a line');

# On a terminal.

my $pty = Codr::Pty->start($codr, 'run', 'game.py');
ok($pty->shows(qr/True 100 30\r\nname\? /), 'a terminal of this size');
$pty->type("Ada\r");
ok($pty->shows(qr/Ada\r\nhello Ada\r\n/), 'a line is typed and answered');
is($pty->ends, 3, 'and the status passed on');

$pty = Codr::Pty->start($codr, 'run', 'wait.py');
$pty->shows(qr/go/);
$pty->size(77, 22);
ok($pty->shows(qr/size 77 22/), 'a new size is told');
$pty->type("\x03");
ok($pty->shows(qr/caught/), 'Ctrl-C is the program\'s');
is($pty->ends, 4, 'which ends as it likes');

$pty = Codr::Pty->start($codr, 'run', 'deaf.py');
$pty->shows(qr/go/);
$pty->type("\x03");
$pty->type("\x1d");
is($pty->ends, 137, 'Ctrl-] stops what does not listen');
like($pty->{shown}, qr/codr: stopped/, 'and says so');

# Signals without a terminal.

$pty = Codr::Pty->start('sh', '-c', "trap : INT; '$codr' run wait.py "
    . "</dev/null | (trap '' INT; cat)");
$pty->shows(qr/go/);
$pty->type("\x03");
ok($pty->shows(qr/caught/), 'an interrupt is passed on');
$pty->ends;

# Servers and keys.

($status, $out, $err) = codr('', qw(run -s), "https://localhost:$tls/run",
    'exit.py');
is($status, 125, 'a certificate nobody vouches for');
like($err, qr/^codr: TLS with localhost:\d+: .*certificate/, 'is refused');
{
    local $ENV{SSL_CERT_FILE} = "$dir/cert.pem";
    is((codr('', qw(run -s), "wss://localhost:$tls/run", 'exit.py'))[0], 5,
        'and is used when somebody does');
    is((codr('', qw(run -s), "https://127.0.0.1:$tls/run", 'exit.py'))[0],
        125, 'but not for another name');
}

my $keyed = "http://127.0.0.1:$nginx->{port}/keyed";
($status, $out, $err) = codr('', qw(run -s), $keyed, 'exit.py');
is($status, 125, 'without a key');
like($err, qr/HTTP 401.*CODR_KEY/, 'it says where to put one');
is((codr('', qw(run -s), $keyed, '-k', "$dir/key", 'exit.py'))[0], 5,
    'a key from a file');
{
    local $ENV{CODR_KEY} = $key;
    is((codr('', qw(run -s), $keyed, 'exit.py'))[0], 5,
        'a key from the environment');
}

for ([ 125, qr/No such file/, 'none.py' ], [ 125, qr/--lang/, 'run' ],
    [ 125, qr/unknown_language/, '--lang', 'klingon', 'run' ],
    [ 125, qr/no server at/, '-s', 'http://127.0.0.1:1/', 'exit.py' ],
    [ 125, qr/must be an http/, '-s', 'ftp://x/', 'exit.py' ],
    [ 125, qr/HTTP 200/, '-s', $keyed =~ s/keyed/status/r, 'exit.py' ],
    [ 2, qr/which file/ ], [ 2, qr/codr --help/, '--nothing' ]) {
    my ($wanted, $words, @arguments) = @{$_};
    ($status, $out, $err) = codr('', 'run', @arguments);
    is($status, $wanted, "run @arguments");
    like($err, $words, 'says why');
}
like((codr('', '--help'))[1], qr/^usage: codr run/, '--help');

chdir '/';
$nginx->finish;
done_testing();
