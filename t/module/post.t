# POST: one program, one answer; every refusal has its status and its JSON.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper));

my $nginx = Codr::Nginx->new(
    http => 'log_format codr "$status $codr_jobs $codr_tag $codr_status"
        " $codr_exit_status";',
    server => <<'CONF');
    location = /tiny { codr_exec; codr_code_size 100; codr_input 10; }
    location = /small { codr_exec; client_max_body_size 1k; }
    location = /sub { auth_request /run; root html; }
    location = /python { codr_exec python; access_log LOG codr; }
CONF
my $log = $nginx->path('codr.log');
$nginx->reload(server => $nginx->{server} =~ s/LOG/$log/r);
$nginx->ready;

my %PYTHON = (language => 'python');
my %OK = (%PYTHON, code => 'print(1)');

# Programs.

my $answer = $nginx->post('/run', { %PYTHON, tag => 't', tty => \1,
    args => [ "\x{e9}" ], stdin => "in\n", type => 'whatever',
    code => "import sys\nprint(input(), sys.argv[1], sys.stdout.isatty())\n"
        . "print('err', file=sys.stderr)\nraise SystemExit(3)\n" });
my $json = $answer->{json};
is($answer->{status}, 200, 'a program that fails is an answer all the same');
like($answer->{headers}{'content-type'}, qr{^application/json}, 'of JSON');
is($json->{stdout}, "in \x{e9} False\n", 'stdout');
is($json->{stderr}, "err\n", 'stderr');
is($json->{exit_code}, 3, 'exit_code');
is($json->{status}, 'error', 'status');
is($json->{tag}, 't', 'tag');
is($json->{output_bytes}, 16, 'output_bytes');
like($json->{job_id}, qr/^[0-9a-f]{32}$/, 'job_id');
is($json->{execution_time}, $json->{wall_time}, 'execution_time');
ok(exists $json->{$_}, $_) for qw(cpu_time queue_time memory_peak truncated
    path);
ok(!exists $json->{type}, 'no type');

is($nginx->post('/run', { %PYTHON,
        code => "import sys\nprint(repr(sys.stdin.read()))\n" })->{json}
    {stdout}, "''\n", 'without stdin its input is empty');

my $megabyte = join '', map { sprintf "%07d\n", $_ } 1 .. 131_072;
$answer = $nginx->post('/run', { %PYTHON, stdin => $megabyte,
    code => "import sys\nd = sys.stdin.read()\nprint(len(d), d[-9:])\n" });
is($answer->{json}{stdout}, "1048576 \n0131072\n\n", 'a megabyte of stdin');
$answer = $nginx->post('/run', { %PYTHON, limits => { output_bytes => 999_999 },
    code => "import os\nos.write(2, b'\\xe2\\x82')\n"
        . "print('\x{20ac}' * 300_000)\n" });
is($answer->{json}{stdout}, "\x{20ac}" x 300_000 . "\n",
    'a megabyte of stdout');
is($answer->{json}{stderr}, "\x{fffd}", 'half a character');

my $client = Codr::Client->connect(port => $nginx->port);
my $body = Codr::Client::encode(\%OK);
$client->{start} = time;
$client->write("POST /run HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    . "Content-Type: application/json; charset=utf-8\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n");
for (split //, $body) {
    $client->write("1\r\n$_\r\n");
}
$client->write("0\r\n\r\n");
is($client->answer->{json}{stdout}, "1\n", 'a body in pieces');

$client = Codr::Client->connect(port => $nginx->port);
$client->{start} = time;
my $post = "POST /run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    . 'Content-Length: ' . length($body) . "\r\n";
$client->write("$post\r\n$body$post" . "Connection: close\r\n\r\n$body");
my $both = $client->answer->{body};
is(() = $both =~ /"stdout":"1\\n"/g, 2, 'two on one connection');

SKIP: {
    skip 'needs gcc', 8 unless -x '/usr/bin/gcc';
    $answer = $nginx->post('/run',
        { language => 'c', code => 'int main(){x}' });
    $json = $answer->{json};
    is($answer->{status}, 200, 'a program that does not compile');
    is($json->{status}, 'compile_error', 'is told so');
    ok(exists $json->{exit_code} && !defined $json->{exit_code},
        'has no exit code');
    is("$json->{stdout}$json->{stderr}", '', 'and no output');
    like($json->{compile}{output}, qr/main\.c:1:.*error/, 'but the compiler');
    like($json->{message}, qr/main\.c:1:.*error/, 'says why');
    $answer = $nginx->post('/run', { language => 'c',
        code => "#include <stdio.h>\nint main(){puts(\"c\");}" });
    is($answer->{json}{stdout}, "c\n", 'one that does');
    cmp_ok($answer->{json}{compile}{wall_time}, '>', 0, 'was compiled');
}

# Refusals.

sub refused {
    my ($status, $code, $name, $got) = @_;
    is($got->{status}, $status, $name);
    my $json = $got->{json} // {};
    is($json->{code}, $code, "is $code");
    ok(length($json->{message} // ''), 'with a message');
    is($json->{detail}, $json->{message}, 'in both places');
    return $got;
}

refused(400, 'bad_message', "a body of '$_'", $nginx->post('/run', $_))
    for '', 'x', '[]', '"text"', '{', '[' x 1000, '{}';
refused(400, 'bad_message', 'a bad field',
    $nginx->post('/run', { %OK, args => 'x' }));
refused(400, 'bad_message', 'a bad file name', $nginx->post('/run',
    { %OK, files => [ { name => '../x', content => '' } ] }));
refused(400, 'unknown_language', 'an unknown language',
    $nginx->post('/run', { %OK, language => 'x' }));
$answer = refused(400, 'bad_message', 'a limit above its cap',
    $nginx->post('/run', { %OK, limits => { memory_bytes => 1e12 } }));
is("$answer->{json}{limit} $answer->{json}{cap}", 'memory_bytes 314572800',
    'which is named');
refused(413, 'code_too_large', 'too much code',
    $nginx->post('/tiny', { %PYTHON, code => '#' x 101 }));
refused(413, 'input_too_large', 'too much input',
    $nginx->post('/tiny', { %OK, stdin => 'x' x 11 }));
is($nginx->post('/small', { %OK, stdin => 'x' x 2000 })->{status}, 413,
    'client_max_body_size holds');
is($nginx->post('/run', { %OK, stdin => 'x' x 20_000_000 }, timeout => 20)
    ->{status}, 413, 'and by default a body may be as large as a message');

sub with_headers {
    return Codr::Client->request(port => $nginx->port, path => '/run',
        method => 'POST', body => $body, headers => [@_]);
}

my $type = 'Content-Type: application/json';
refused(415, 'bad_message', "content of '$_'", with_headers($_))
    for 'Content-Type: text/plain', 'Content-Type: application/jsonx',
        'X-No: type';
refused(415, 'bad_message', "content packed by '$_'",
    with_headers($type, "Content-Encoding: $_")) for 'gzip', 'identity, br';
is(with_headers($type, 'Content-Encoding: Identity')->{status}, 200,
    'which by "identity" it is not');
is(with_headers('Content-Type: APPLICATION/JSON')->{status}, 200,
    'in capitals it is JSON');
is($nginx->get('/sub')->{status}, 500, 'a subrequest runs nothing');

# A client that leaves.

$client = Codr::Client->connect(port => $nginx->port);
$client->send_request(path => '/run', method => 'POST', headers => [$type],
    body => Codr::Client::encode({ %PYTHON,
        code => "import time\ntime.sleep(20)\n" }));
ok(wait_until(5, sub { $nginx->job_processes }), 'a program runs');
$client->drop;
ok(wait_until(1, sub { !$nginx->job_processes }),
    'and is gone within a second of its client');

# HTTP/2.

SKIP: {
    skip 'needs curl with HTTP/2', 3
        unless `curl --version 2>&1` =~ /\bHTTP2\b/;
    my $two = Codr::Nginx->new(listen => 'http2');
    my $url = 'http://127.0.0.1:' . $two->port . '/run';
    my @curl = ('curl', '-s', '--http2-prior-knowledge', '-m', 20, '-w',
        '|%{http_code}');
    my $run = sub {
        open my $pipe, '-|', @curl, @_, $url or die "curl: $!";
        local $/;
        return scalar <$pipe>;
    };
    my $said;
    wait_until(15, sub {
        $said = $run->('-H', $type, '-d', $body);
        return $said =~ /\|200$/;
    });
    like($said, qr/"stdout":"1\\n".*\|200$/, 'POST over HTTP/2');
    like($run->(), qr/"code":"bad_message".*\|505$/, 'GET over it is 505');
    like($run->('-H', $type, '-d', '{}'), qr/\|400$/, 'errors over it');
    $two->finish;
}

# Without a helper.

my $alone = Codr::Nginx->new(helper => 'unix:/nonexistent/socket');
$answer = refused(503, 'unavailable', 'no helper', $alone->post('/run', \%OK));
is($answer->{headers}{'retry-after'}, 30, 'try again later');
$alone->finish;

# The log.

$nginx->post('/python', { code => 'raise SystemExit(5)', tag => 'logged' });
ok(wait_until(3, sub { -s $log }), 'a line');
is(slurp($log), "200 1 logged error 5\n", 'with the figures of the job');

$nginx->finish;
done_testing();
