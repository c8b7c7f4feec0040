# codr_job_log: one line a job, whatever became of it, with nginx's formats,
# conditions, buffers and rotation; several jobs of one socket do not show each
# other's figures; neither code nor keys are in it.  And traceparent.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use Test::More;

need(qw(module helper));

my $dir = Codr::Nginx::dir();
spew("$dir/keys", 'me ' . sha256_hex('the-key') . "\n");
chmod 0600, "$dir/keys";

my $syslog = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1')
    or die "udp: $!";

my $nginx = Codr::Nginx->new(dir => $dir, languages => 0, auth => 0,
    locations => 0, http => <<"END",
codr_auth key;
codr_api_keys $dir/keys;
codr_language sh { source main.sh; run /bin/sh \$source; }
codr_language no { source no.sh; compile /bin/false \$program; run \$program; }
map \$codr_status \$failed { ok 0; default 1; }
log_format mine '\$codr_tag \$codr_status \$codr_exit_status \$codr_language'
    ' \$codr_owner \$codr_key_id \$codr_jobs \$codr_output_bytes \$remote_addr'
    ' \$request_method \$http_x_mine \$failed \$codr_traceparent';
codr_job_log $dir/mine.log mine;
codr_job_log $dir/failed.log mine if=\$failed;
codr_job_log $dir/buffered.log mine buffer=4k flush=1s;
codr_job_log $dir/json.log;
codr_job_log syslog:server=127.0.0.1:@{[ $syslog->sockport ]} mine;
END
    server => <<'END');
location = /run { codr_exec; }
location = /open { codr_exec; codr_auth off; codr_owner nobody; }
location = /status { codr_auth off; codr_status health; }
location /jobs { codr_jobs; }
END
ok($nginx->ready, 'the server is ready');

my @key = ('X-API-Key: the-key');

sub post {
    my ($tag, $code, @headers) = @_;
    return $nginx->post('/run', { language => 'sh', code => $code,
        tag => $tag }, headers => [ @key, @headers ]);
}

# The line that begins with a tag, once it is there.
sub line {
    my ($tag, $file) = @_;
    my $line;
    wait_until(10, sub {
        ($line) = slurp("$dir/" . ($file // 'mine.log')) =~ /^(\Q$tag\E .*)$/m;
    });
    return $line // '(none)';
}

my $ids = 'me me';

post('post', 'echo 123');
is(line('post'), "post ok 0 sh $ids 1 4 127.0.0.1 POST - 0 -", 'a POST');
post('mine', 'exit 3', 'X-Mine: x');
is(line('mine'), "mine error 3 sh $ids 1 0 127.0.0.1 POST x 1 -",
    "with the request's own variables");

my $ws = $nginx->ws(headers => \@key);
for my $n (1 .. 3) {
    $ws->run_job(language => 'sh', code => "echo $n; exit " . ($n - 1),
        tag => "n$n", tty => JSON::PP::false());
}
is(line('n1'), "n1 ok 0 sh $ids 1 2 127.0.0.1 GET - 0 -",
    'the first job of a socket');
is(line('n2'), "n2 error 1 sh $ids 2 2 127.0.0.1 GET - 1 -", 'the second');
is(line('n3'), "n3 error 2 sh $ids 3 2 127.0.0.1 GET - 1 -", 'the third');
$ws->run_job(language => 'nothing', code => 'x');
$ws->run_job(language => 'no', code => 'x', tag => 'compile');
is(line('compile'), "compile compile_error - no $ids 4 - 127.0.0.1 GET - 1 -",
    'one that was not compiled');
is(line('-'), "- unknown_language - - $ids 3 - 127.0.0.1 GET - 1 -",
    'one that was refused');

# Who joins it is not whose it is.

my $first = $nginx->ws(headers => \@key);
$first->execute(language => 'sh', code => 'read x', tag => 'joined');
my $begun = $first->wait_for('started');
my $other = $nginx->ws(path => '/open');
$other->send(type => 'attach', job_id => $begun->{job_id},
    attach_token => $begun->{attach_token});
$other->wait_for('stage');
$other->input("\n");
is(line('joined'), "joined ok 0 sh $ids 0 0 127.0.0.1 GET - 0 -",
    'one that was joined from elsewhere');
my ($joined) = map { Codr::Client::decode($_) }
    grep {/"tag":"joined"/} split /\n/, slurp("$dir/json.log");
is($joined->{code_sha256}, sha256_hex('read x'), 'and what it was');

$ws->execute(language => 'sh', code => 'echo on; read x', tag => 'left');
ok($ws->expect(qr/on/), 'a job runs');
$ws->drop;
is(line('left'), "left stopped - sh $ids 5 - 127.0.0.1 GET - 1 -",
    'one whose client left');

my $answer = $nginx->post('/jobs', { language => 'sh', code => 'echo 12',
    tag => 'async' }, headers => \@key);
SKIP: {
    skip 'no asynchronous jobs', 2 if $answer->{status} != 202;
    is(line('async'), "async ok 0 sh $ids 0 3 - - - 0 -",
        'one that has outlived its request');
    is(scalar(() = slurp("$dir/mine.log") =~ /^async /mg), 1, 'once');
}

# traceparent

my $trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
my $later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-new";
my $n = 0;

sub traced {
    my (@values) = @_;
    $n++;
    post("trace$n", '', map {"traceparent: $_"} @values);
    return (split / /, line("trace$n"))[-1];
}

is(traced($trace), $trace, 'traceparent');
is(traced($later), $later, 'of a version to come');
is(traced($_), '-', "not $_") for uc $trace, "$trace-x", substr($trace, 1),
    'ff' . substr($trace, 2), $trace =~ s/4bf\w+/0 x 32/er,
    $trace =~ s/00f0\w+/0 x 16/er, $trace =~ s/-/_/gr, '', 'x' x 55;
is(traced($trace, $trace), '-', 'nor two of them');

# nginx's own: conditions, formats, buffers, syslog, rotation

is(line('mine', 'failed.log'), line('mine'), 'a condition that is true');
unlike(slurp("$dir/failed.log"), qr/^(?:post|n1) /m, 'and one that is not');

my ($json) = map { Codr::Client::decode($_) }
    grep {/"tag":"mine"/} split /\n/, slurp("$dir/json.log");
is($json->{status}, 'error', 'the default format is JSON');
is($json->{owner}, 'me', 'with the owner');
is($json->{exit_status}, 3, 'and the exit status');
like($json->{job_id}, qr/^[0-9a-f]{32}$/, 'and the id');
is($json->{code_sha256}, sha256_hex('exit 3'), 'and what was run');
my ($quoted) = do {
    post('a "quoted\\tag', 'exit 0');
    wait_until(10, sub {
        my ($one) = grep {/quoted/} split /\n/, slurp("$dir/json.log");
        return $one;
    });
};
is(Codr::Client::decode($quoted)->{tag}, 'a "quoted\\tag', 'always');

is(line('n3', 'buffered.log'), line('n3'), 'a buffer is flushed in time');

$syslog->recv(my $packet, 4096);
like($packet, qr/: post ok 0 sh/, 'syslog');

rename "$dir/mine.log", "$dir/mine.old" or die;
$nginx->signal('USR1');
ok(wait_until(10, sub { -e "$dir/mine.log" }), 'USR1: the file is there again');
ok(wait_until(10, sub {
    post('after', '');
    return slurp("$dir/mine.log") =~ /^after ok/m;
}), 'and is written to');

post('secret', '# codr-canary');
line('secret');
my $all = join '', map { slurp($_) } glob "$dir/*.log $dir/*.old";
unlike($all, qr/codr-canary/, 'no code is in any log');
unlike($all, qr/the-key/, 'no key');

$nginx->finish;

# configuration

sub check {
    my ($http) = @_;
    return Codr::Nginx->check(languages => 0, locations => 0, uids => 0,
        http => $http);
}

my ($ok, $said) = check('codr_job_log off;');
ok($ok, 'off') or diag($said);
($ok, $said) = check('codr_job_log job.log no_such_format;');
like($said, qr/unknown log format "no_such_format"/, 'an unknown format');
($ok, $said) = check('codr_job_log job.log combined bad=1;');
like($said, qr/invalid parameter "bad=1"/, 'an unknown parameter');
($ok, $said) = check('server { codr_job_log job.log; }');
like($said, qr/is not allowed here/, 'at the http level only');

done_testing();
