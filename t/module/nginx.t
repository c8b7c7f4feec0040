# nginx's own directives do their work on a codr_exec location: limits,
# access, logs, TLS, addresses behind a proxy, HTTP/2.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need spew top wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper openssl /usr/bin/python3));

my $dir = Codr::Nginx::dir();
my $tls = Codr::Nginx::free_port();
system('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
    '/CN=localhost', '-keyout', "$dir/key.pem", '-out', "$dir/cert.pem",
    '-batch') == 0 or plan(skip_all => 'openssl made no certificate')
    if !-e "$dir/key.pem";

my $errors = top() . '/conf/snippets/codr-errors.conf';
my $nginx = Codr::Nginx->new(dir => $dir, http => <<'END', server => <<"END");
limit_req_zone $binary_remote_addr zone=req:1m rate=1r/m;
limit_conn_zone $server_port zone=conn:1m;
log_format codr '$uri $status owner=$codr_owner key=$codr_key_id '
    'job=$codr_job_id tag=$codr_tag lang=$codr_language '
    'status=$codr_status exit=$codr_exit_status jobs=$codr_jobs '
    'cpu=$codr_cpu_ms wall=$codr_wall_ms memory=$codr_memory '
    'output=$codr_output_bytes queue=$codr_queue_ms start=$codr_start_ms '
    'path=$codr_path sha=$codr_code_sha256 close=$codr_close_code';
END
listen 127.0.0.1:$tls ssl http2;
ssl_certificate $dir/cert.pem;
ssl_certificate_key $dir/key.pem;
include $errors;
access_log $dir/codr.log codr;
location = /req { limit_req zone=req burst=1 nodelay; codr_exec; }
location = /conn { limit_conn conn 1; codr_exec; }
location = /denied { deny all; codr_exec; }
location = /auth { internal;
    if (\$http_x_pass != "yes") { return 401; } return 204; }
location = /authed { auth_request /auth; codr_exec; }
location = /slow { limit_rate 20; codr_exec; }
location = /proxied { set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For; codr_exec; }
location = /named { codr_owner "\$arg_who"; codr_exec; }
location = /small { client_max_body_size 1k; codr_exec; }
END
ok($nginx->ready, 'the server is ready');

sub log_line {
    my ($pattern) = @_;
    my $line;
    wait_until(5, sub {
        ($line) = grep {/$pattern/} split /\n/,
            Codr::Host::slurp("$dir/codr.log");
    });
    return $line // '';
}

# limit_req counts handshakes, and its refusal has codr's shape.
my @status = map { $nginx->ws(path => '/req')->{status} } 1 .. 3;
is("@status", '101 101 429', 'limit_req limits handshakes');
my $answer = $nginx->post('/req', { language => 'python', code => '1' });
is($answer->{status}, 429, 'and POST requests');
is($answer->{json}{code}, 'rate_limited', 'codr-errors.conf says it in JSON');
is($answer->{json}{detail}, $answer->{json}{message}, 'with its detail');
is($answer->{headers}{'content-type'}, 'application/json', 'and type');
ok($answer->{headers}{'retry-after'}, 'and when to try again');

# limit_conn holds for the life of a socket.
my $held = $nginx->ws(path => '/conn');
is($held->{status}, 101, 'limit_conn lets the first in');
is($nginx->ws(path => '/conn')->{status}, 429, 'not the second');
is($held->run_job(language => 'python', code => 'print(1)')->{stdout},
    "1\r\n", 'the first works');
is($nginx->ws(path => '/conn')->{status}, 429, 'and is still counted');
$held->drop;
ok(wait_until(5, sub { $nginx->ws(path => '/conn')->{status} == 101 }),
    'when it is gone there is room');

# access, auth_request
$answer = $nginx->post('/denied', { language => 'python', code => '1' });
is($answer->{status}, 403, 'deny denies');
is(ref $answer->{json}, 'HASH', 'in JSON');
is($nginx->ws(path => '/denied')->{status}, 403, 'a handshake too');
is($nginx->ws(path => '/authed')->{status}, 401, 'auth_request refuses');
my $authed = $nginx->ws(path => '/authed', headers => ['X-Pass: yes']);
is($authed->{status}, 101, 'auth_request admits');
is($authed->run_job(language => 'python', code => 'print(2)')->{stdout},
    "2\r\n", 'and the job runs');
$answer = $nginx->post('/authed', { language => 'python',
    code => 'print(3)' }, headers => ['X-Pass: yes']);
is($answer->{json}{stdout}, "3\n", 'POST with auth_request keeps its body');

# limit_rate cannot apply to a socket's frames.
my $slow = $nginx->ws(path => '/slow', timeout => 5);
is($slow->{status}, 101, 'limit_rate does not hold the handshake back');
my $job = $slow->run_job(language => 'python', timeout => 10,
    code => 'print("x" * 10000)');
is($job->{status}, 'ok', 'nor the output');

# the body's size
$answer = $nginx->post('/small', { language => 'python', code => 'x' x 2000 });
is($answer->{status}, 413, 'client_max_body_size holds for POST');
is($answer->{json}{code}, 'code_too_large', 'and is said in JSON');
is($nginx->post('/small', { language => 'python', code => 'print(4)' })
    ->{json}{stdout}, "4\n", 'below it nothing changes');

# access_log
my $client = $nginx->ws(path => '/named?who=ada');
$client->run_job(language => 'py', code => 'print(5)');
my $last = $client->run_job(language => 'py', code => "print(6)\nexit(3)",
    tag => 'lesson-7');
$client->send_close(1000);
$client->wait_for('(close)', 5);
$client->drop;
my $line = log_line(qr{^/named });
my $id = $last->{complete}{job_id};
like($line, qr{^/named 101 owner=ada key=- job=$id tag=lesson-7 lang=python },
    'the log tells whose socket it was and the last job');
like($line, qr{ status=error exit=3 jobs=2 }, 'how it ended');
like($line, qr{ cpu=\d+ wall=\d+ memory=(?:\d+|-) output=3 queue=\d+ },
    'what it used');
like($line, qr{ path=cold sha=[0-9a-f]{64} close=1000$}, 'and the rest');
$nginx->get('/named');
like(log_line(qr{^/named 426}), qr{lang=- status=- exit=- },
    'what is not known is a dash');
$nginx->post('/named?who=bob', { language => 'python', code => 'print(7)' });
like(log_line(qr{^/named 200}), qr{owner=bob .* status=ok exit=0 jobs=1 },
    'a POST is logged alike');

# real_ip
$client = $nginx->ws(path => '/proxied',
    headers => ['X-Forwarded-For: 203.0.113.7']);
$client->run_job(language => 'python', code => 'print(8)');
$client->drop;
like(log_line(qr{^/proxied }), qr{owner=203\.0\.113\.7 },
    'the owner is the address behind the proxy');

# TLS
$client = Codr::Client->open(port => $tls, tls => 1);
is($client->{status}, 101, 'a handshake over TLS');
$job = $client->run_job(language => 'python',
    code => "print(input('? '))\nprint('y' * 200000)",
    stdin => "hello\n");
is($job->{status}, 'ok', 'a job over TLS');
is($job->{stdout}, "? hello\n" . 'y' x 200000 . "\n", 'with all its output');
$client->drop;

# HTTP/2
SKIP: {
    skip 'needs curl', 3 if !-x '/usr/bin/curl';
    my @curl = ('curl', '-sk', '--http2', '-m', 20, '-w', ' %{http_code}');
    my $url = "https://127.0.0.1:$tls/run";
    spew("$dir/request.json", Codr::Client::encode({ language => 'python',
        code => 'print(9)' }));
    open my $out, '-|', @curl, '-H', 'Content-Type: application/json',
        '--data-binary', "\@$dir/request.json", $url or die;
    my $text = join '', <$out>;
    like($text, qr/ 200$/, 'POST over HTTP/2');
    like($text, qr/"stdout":\s*"9\\n"/, 'runs the program');
    open $out, '-|', @curl, $url or die;
    like(join('', <$out>), qr/ 505$/, 'a GET is told to come by HTTP/1.1');
}

$nginx->finish;
done_testing();
