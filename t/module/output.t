# Output as it happens: whole lines at once, prompts soon, floods in large
# pieces; characters never torn, offsets exact, nothing lost, and a client that
# does not read costs nothing but its own program's time.

use strict;
use warnings;

use Codr::Host qw(need slurp);
use Codr::Nginx;
use Encode qw(encode);
use JSON::PP ();
use List::Util qw(max sum);
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper));

my $false = JSON::PP::false;
my $location
    = 'location = /much { codr_exec; codr_output 64m; codr_timeout 60s; }';
my $nginx = Codr::Nginx->new(server => $location);
$nginx->ready;
my $ws = $nginx->ws;

# Python that writes pieces: [stream, bytes as hexadecimal, milliseconds].
sub pieces {
    return join "\n", 'import os, time', (map {
        my ($fd, $hex, $ms) = @{$_};
        ("os.write($fd, bytes.fromhex('$hex'))", 'time.sleep('
            . ($ms // 40) / 1000 . ')')
    } @_), '';
}

# Its output on pipes: [stream, data, offset, end] of each message.
sub output {
    my $job = $ws->run_job(language => 'python', tty => $false,
        code => pieces(@_));
    is($job->{status}, 'ok', 'the program ended well');
    return [ map { [ @{$_}{qw(stream data offset end)} ] }
        grep { $_->{type} eq 'output' } @{ $job->{messages} } ];
}

my ($OUT, $ERR) = qw(stdout stderr);

# Characters.

is_deeply(output([ 1, '63c3' ], [ 1, 'a9e282' ], [ 1, 'ac21' ]),
    [ [ $OUT, 'c', 0, 1 ], [ $OUT, "\x{e9}", 1, 3 ],
        [ $OUT, "\x{20ac}!", 3, 7 ] ],
    'a character that is cut is held back, and its bytes are not counted');
is_deeply(output(map { [ 1, $_ ] } qw(f0 9f 98 80)),
    [ [ $OUT, "\x{1f600}", 0, 4 ] ], 'one that comes byte by byte is one');
is_deeply(output([ 1, '61f09f98' ]),
    [ [ $OUT, 'a', 0, 1 ], [ $OUT, "\x{fffd}", 1, 4 ] ],
    'what is held back at the end becomes U+FFFD');
is_deeply(output([ 1, '61ff62c328' ]),
    [ [ $OUT, "a\x{fffd}b\x{fffd}(", 0, 5 ] ],
    'what is no UTF-8 becomes U+FFFD, the rest stays');
is_deeply(output([ 1, '00091b5b6d7f22' ]), [ [ $OUT, "\0\t\e[m\x7f\"", 0, 7 ] ],
    'control characters stay');

# Streams.

is_deeply(output([ 1, '6f31' ], [ 2, '6531' ], [ 1, '6f32' ]),
    [ [ $OUT, 'o1', 0, 2 ], [ $ERR, 'e1', 2, 4 ], [ $OUT, 'o2', 4, 6 ] ],
    'offsets count both streams in the order of their output');
is_deeply(output([ 1, '61e2' ], [ 2, '21' ], [ 1, '82ac' ]),
    [ [ $OUT, 'a', 0, 1 ], [ $ERR, '!', 1, 3 ], [ $OUT, "\x{20ac}", 3, 5 ] ],
    'a character is joined across output of the other stream');

# Lines.

is_deeply(output([ 1, '610a620a63' ]),
    [ [ $OUT, "a\nb\n", 0, 4 ], [ $OUT, 'c', 4, 5 ] ],
    'whole lines go first, the rest after a moment');

my $job = $ws->run_job(language => 'python', tty => $false,
    code => "for i in range(5000):\n    print(i, flush=True)\n");
is($job->{stdout}, join('', map {"$_\n"} 0 .. 4999), 'many lines, all there');
my @output = grep { $_->{type} eq 'output' } @{ $job->{messages} };
cmp_ok(scalar @output, '<', 30 + $job->{complete}{wall_time} / 0.004,
    'in few messages');
cmp_ok(scalar(grep { $_->{data} !~ /\n$/ } @output), '<', 5,
    'of whole lines, unless the program itself pauses in one');

my $said = join '', map {"$_\n"} 0 .. 499;
$job = $ws->run_job(language => 'python', tty => $false,
    code => "import sys\nfor i in range(500): print(i)\n"
        . "sys.stderr.write('e')\nfor i in range(500): print(i)\n");
is($job->{stdout}, $said x 2, 'lines around an error');
my ($error) = grep { $_->{type} eq 'output' && $_->{stream} eq $ERR }
    @{ $job->{messages} };
cmp_ok($error->{offset}, '>=', length $said,
    'what was written before it comes before it');

for my $tty (0, 1) {
    $ws->execute(language => 'python', tty => $tty ? JSON::PP::true : $false,
        code => "for i in range(100): print(i)\n"
            . "print(input('prompt: ') + '!')\n");
    ok($ws->expect(qr/prompt: $/), "a prompt after lines, tty $tty");
    $ws->input("yes\n");
    like($ws->finish->{stdout}, qr/yes!\r?\n$/, 'and what follows it');
}

my $start = time;
$ws->execute(language => 'python', code => "input('prompt: ')\n");
ok($ws->expect(qr/prompt: $/), 'a prompt');
$ws->input("\n");
$ws->finish;

# Answers to input go at once: much sooner than the 5 ms others wait.

$ws->execute(language => 'python', code => "import os, tty\ntty.setraw(0)\n"
    . "os.write(1, b'ready')\nwhile (c := os.read(0, 1)) != b'q':\n"
    . "    os.write(1, c)\n");
$ws->expect(qr/ready/);
my @times;
for (1 .. 60) {
    $start = time;
    $ws->input('x');
    $ws->expect(qr/x/) or last;
    push @times, time - $start;
    sleep(0.01);
}
$ws->input('q');
is($ws->finish->{status}, 'ok', 'a program that reads keys');
my ($least) = sort { $a <=> $b } @times;
cmp_ok($least, '<', 0.004, sprintf 'a key is answered at once (%.2f ms)',
    $least * 1000);

# Floods.

sub check_flood {
    my ($name, $want, @messages) = @_;
    my ($data, $end, $tiled, $most) = ('', 0, 1, 0);
    for (grep { $_->{type} eq 'output' } @messages) {
        $data .= $_->{data};
        $tiled &&= $_->{offset} == $end
            && $_->{end} - $_->{offset} == length $_->{data};
        $end = $_->{end};
        $most = max($most, length $_->{data});
    }
    ok($data eq $want, "$name: all of it, in order");
    ok($tiled, "$name: offsets without a gap");
    cmp_ok($most, '<=', 16384, "$name: at most 16 KB a message");
    is($messages[-1]{status}, 'ok', "$name: and then the end");
}

my $LINES = 100_000;
my $flood = "import sys\nfor i in range($LINES):\n"
    . "    sys.stdout.write('%05d%s\\n' % (i, 'x' * 94))\n";
my $want = join '', map { sprintf "%05d%s\n", $_, 'x' x 94 } 0 .. $LINES - 1;

my $much = $nginx->ws(path => '/much');
$job = $much->run_job(language => 'python', tty => $false, code => $flood,
    timeout => 60);
check_flood('a fast reader', $want, @{ $job->{messages} });
@output = grep { $_->{type} eq 'output' } @{ $job->{messages} };
# But for what has waited for 5 ms, of a program that was held up.
cmp_ok(scalar(grep { $_->{data} !~ /\n$/ } @output), '<', @output / 20,
    'lines are not torn');
cmp_ok(scalar @output, '<=', length($want) / 16000
    + $job->{complete}{wall_time} / 0.004 + 2, 'in few messages');

$job = $much->run_job(language => 'python', tty => $false, timeout => 60,
    code => "print('x' * 1_000_000, end='')\n");
check_flood('one long line', 'x' x 1_000_000, @{ $job->{messages} });

# Those of one owner take turns.

my @sockets = map { $nginx->ws(path => '/much') } 1 .. 3;
for (@sockets) {
    $_->execute(language => 'python', tty => $false,
        code => $flood =~ s/$LINES/10000/r);
}
for (@sockets) {
    $job = $_->finish(60);
    check_flood('one of three', substr($want, 0, 10_000 * 100),
        @{ $job->{messages} });
    $_->drop;
}

# One that does not read at once.

sub resident {
    return sum(map { slurp("/proc/$_/status") =~ /^VmRSS:\s+(\d+)/m }
        $nginx->workers);
}

# What TLS could not send must be offered again from the same place.

SKIP: {
    skip 'needs openssl', 5 unless -x '/usr/bin/openssl';
    my $dir = Codr::Nginx::dir();
    system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'
        . ' -nodes -days 2 -batch -subj /CN=localhost'
        . " -keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null");
    my $port = Codr::Nginx::free_port();
    my $tls = Codr::Nginx->new(dir => $dir, server => <<"CONF");
        listen 127.0.0.1:$port ssl;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        $location
CONF
    $tls->ready;
    my $socket = Codr::Client->open(port => $port, tls => 1, path => '/much');
    $socket->execute(language => 'python', tty => $false, code => $flood);
    sleep(1);
    $job = $socket->finish(60);
    check_flood('a late reader over TLS', $want, @{ $job->{messages} });
    $socket->drop;
    $tls->finish;
}

my $before = resident();
$much->execute(language => 'python', tty => $false, code => $flood);
sleep(1.5);
cmp_ok(resident() - $before, '<', $ENV{CODR_SANITIZER} ? 32768 : 4096,
    'a flood waits outside of nginx');
is($nginx->run_job(language => 'python', code => 'print(1)')->{stdout},
    "1\r\n", 'while others go on');
$job = $much->finish(60);
check_flood('a late reader', $want, @{ $job->{messages} });

$nginx->finish;
done_testing();
