# The job API: run without waiting, records, output, stop; whose they are; and
# that each job that was accepted ends once in the books, whatever dies.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use Test::More;

need(qw(module helper));

my $dir = Codr::Nginx::dir();
spew("$dir/keys", join '',
    map { "$_ " . sha256_hex($_) . "\n" } qw(alice bob));
chmod 0640, "$dir/keys";

my $nginx = Codr::Nginx->new(dir => $dir, workers => 2, auth => 0,
    http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_language sh { source main.sh; run /bin/sh \$source; timeout 60s; }
    codr_language shc { source main.sh; compile /bin/sh \$source \$program;
        run \$program; }
CONF
    location /jobs { codr_jobs; }
    location = /counters { codr_status json; }
    location /owned { codr_jobs; codr_owner $http_x_user; }
    location /open/ { codr_jobs; codr_auth off; }
CONF

my $random = 'f' x 32;

sub call {
    my ($method, $path, %o) = @_;
    my $body = $o{body};
    return Codr::Client->request(port => $nginx->port, method => $method,
        path => $path, timeout => 60,
        defined $body ? (body => Codr::Client::encode($body)) : (),
        headers => [ 'Content-Type: application/json',
            exists $o{key} ? (defined $o{key} ? "X-API-Key: $o{key}" : ())
            : 'X-API-Key: alice', @{ $o{headers} // [] } ]);
}

sub run {
    my ($code, %o) = @_;
    my $path = delete $o{path} // '/jobs';
    my @rest = map { exists $o{$_} ? ($_ => delete $o{$_}) : () }
        qw(key headers);
    return call(POST => $path, @rest,
        body => { language => 'sh', code => $code, %o });
}

sub record {
    my ($id, %o) = @_;
    return call(GET => "/jobs/$id" . ($o{wait} ? "?wait=$o{wait}" : ''), %o)
        ->{json};
}

ok($nginx->ready, 'the helper is up');


subtest 'run, and look later' => sub {
    my $answer = run('echo out; echo err >&2; exit 3', tag => 'seven');
    is($answer->{status}, 202, 'accepted');
    my $id = $answer->{json}{job_id};
    like($id, qr/^[0-9a-f]{32}$/, 'job_id');
    like($answer->{json}{$_}, qr/^[0-9a-f]{32}$/, $_)
        for 'attach_token', 'view_token';
    like($answer->{headers}{location}, qr{(?:^|:\d+)/jobs/$id$}, 'Location');

    my $r = record($id, wait => 30);
    my $result = delete $r->{result};
    my %times = map { $_ => delete $r->{$_} }
        qw(created_at started_at completed_at);
    is_deeply($r, { job_id => $id, owner => 'alice', language => 'sh',
        tag => 'seven', status => 'completed' }, 'the record');
    my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    like($times{$_}, $time, $_) for sort keys %times;
    ok($times{created_at} le $times{started_at}
        && $times{started_at} le $times{completed_at}, 'in order');
    is($result->{stdout}, "out\n", 'stdout');
    is($result->{stderr}, "err\n", 'stderr');
    is($result->{status}, 'error', 'status');
    is($result->{exit_code}, 3, 'exit_code');
    is($result->{job_id}, $id, 'job_id of the result');
    is($result->{tag}, 'seven', 'tag of the result');
    is(record($id)->{result}{stdout}, "out\n", 'and again');
};

subtest 'while it runs' => sub {
    my $id = run('echo one; sleep 60; echo two')->{json}{job_id};
    ok(wait_until(20, sub { (record($id) // {})->{status} eq 'processing' }),
        'processing');
    my $out;
    ok(wait_until(20, sub {
        $out = call(GET => "/jobs/$id/output");
        return $out->{body} eq "one\n";
    }), 'its output so far');
    is($out->{headers}{'x-codr-next-offset'}, 4, 'X-Codr-Next-Offset');
    is($out->{headers}{'content-type'}, 'application/octet-stream', 'a type');
    is($out->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
    like($out->{headers}{'content-disposition'}, qr/^attachment/,
        'an attachment');
    $out = call(GET => "/jobs/$id/output?offset=4");
    is($out->{body}, '', 'no more by now');
    is($out->{headers}{'x-codr-next-offset'}, 4, 'go on there');
    is(call(GET => "/jobs/$id/output?offset=2")->{body}, "e\n", 'from within');
    my $r = record($id, wait => '0.2');
    is($r->{status}, 'processing', 'a wait that is over before it');
    ok(!exists $r->{result} && !defined $r->{completed_at}, 'no result yet');

    is(call(DELETE => "/jobs/$id")->{status}, 204, 'stopped');
    $r = record($id, wait => 20);
    is($r->{status}, 'completed', 'it has ended');
    is($r->{result}{status}, 'stopped', 'as stopped');
    is($r->{result}{stdout}, "one\n", 'with what it had said');
    is(call(DELETE => "/jobs/$id")->{status}, 204, 'and may be so again');
    ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing runs');
};

subtest 'large output' => sub {
    my $id = run('i=0; while [ $i -lt 3000 ]; do echo "$i xxxxxxxxxxxxxxxxxxx"
        echo e$i >&2; i=$((i + 1)); done')->{json}{job_id};
    my $r = record($id, wait => 30);
    is($r->{result}{status}, 'ok', 'it runs');
    is(length $r->{result}{stdout}, 65536, 'streams are cut in records');
    my ($offset, $all) = (0, '');
    for (1 .. 10) {
        my $out = call(GET => "/jobs/$id/output?offset=$offset");
        last if $out->{body} eq '';
        $all .= $out->{body};
        $offset = $out->{headers}{'x-codr-next-offset'};
    }
    is(length $all, $r->{result}{output_bytes}, 'but not otherwise');
    my $lines = join '', grep { !/^e/ } split /^/, $all;
    is($lines, join('', map {"$_ " . 'x' x 19 . "\n"} 0 .. 2999), 'in order');
};

subtest 'other ends' => sub {
    my $r = record(run('echo broken >&2; exit 1', language => 'shc')
        ->{json}{job_id}, wait => 30);
    is($r->{status}, 'completed', 'a program that does not compile');
    is($r->{result}{status}, 'compile_error', 'says so');
    is($r->{result}{exit_code}, undef, 'and has no exit code');
    like($r->{result}{compile}{output}, qr/broken/, "the compiler's words");
    is($r->{result}{stdout}, '', 'no output');

    my $answer = run('echo', limits => { wall_time => 1e9 });
    is("$answer->{status} $answer->{json}{code}", '400 bad_message',
        'a bad one is refused at once');
    is(run('echo', language => 'none')->{status}, 400, 'an unknown language');
    is(call(POST => '/jobs', body => [])->{status}, 400, 'no object');

    my $ws = $nginx->ws(headers => ['X-API-Key: alice']);
    my $job = $ws->run_job(language => 'sh', code => 'echo socket');
    $r = record($job->{complete}{job_id});
    is($r->{result}{stdout}, "socket\r\n", 'a job of a WebSocket has one');
    my $post = $nginx->post('/run', { language => 'sh', code => 'echo post' },
        headers => ['X-API-Key: alice'])->{json};
    is(record($post->{job_id})->{result}{stdout}, "post\n", 'or of a POST');

    $ws->execute(language => 'sh', code => 'sleep 60');
    my $id = $ws->wait_for('started')->{job_id};
    $ws->drop;
    ok(wait_until(20, sub { record($id)->{status} eq 'completed' }),
        'a client that leaves ends its job');
    is(record($id)->{result}{status}, 'stopped', 'as stopped');
};

subtest 'whose it is' => sub {
    my $id = run('echo mine')->{json}{job_id};
    is(record($id, wait => 30)->{status}, 'completed', 'its owner sees it');
    for (['GET', ''], ['GET', '/output'], ['DELETE', '']) {
        my $other = call($_->[0] => "/jobs/$id$_->[1]", key => 'bob');
        my $none = call($_->[0] => "/jobs/$random$_->[1]", key => 'bob');
        is($other->{status}, 404, "another does not: $_->[0] $_->[1]");
        is($other->{body}, $none->{body}, 'and cannot tell it from none');
        is(call($_->[0] => "/jobs/$id$_->[1]", key => undef)->{status}, 401,
            'nor can nobody');
    }
    is(call(GET => "/jobs/$_")->{status}, 404, "no job: $_")
        for uc $id, substr($id, 1), "$id/", "$id/x", "${id}0", "../jobs/$id/y";
    is(call($_ => "/jobs/$id")->{status}, 405, "no $_") for qw(PUT POST);
    is(call(GET => '/jobs')->{status}, 405, 'no list');
    is(call(GET => "/jobs/$id?wait=$_")->{status}, 400, "no wait=$_")
        for '-1', 'x', '1e3', '1y';
    is(call(GET => "/jobs/$id?wait=$_")->{status}, 200, "wait=$_")
        for '0', '0.5', '2s', '10ms';
    is(call(GET => "/jobs/$id/output?offset=$_")->{status}, 400,
        "no offset=$_") for '-1', 'x', '9' x 30;

    my @user = map { ["X-User: $_"] } qw(yan zoe);
    $id = run('echo', path => '/owned', headers => $user[0])->{json}{job_id};
    is(call(GET => "/owned/$id?wait=30", headers => $user[0])->{json}{owner},
        'yan', 'codr_owner says who it is');
    is(call(GET => "/owned/$id", headers => $user[1])->{status}, 404,
        'also with one key');

    my $ticket = call(POST => '/jobs/create', body => { owner => 'zoe' })
        ->{json};
    $id = run('echo', key => undef, %{$ticket})->{json}{job_id};
    is($id, $ticket->{job_id}, 'a ticket names its job');
    is(record($id, wait => 30)->{owner}, 'zoe', 'and its owner');
    is(call(GET => "/jobs/$id", key => 'bob')->{status}, 404,
        'other keys see nothing of it');
    is(run('echo', key => undef, %{$ticket})->{status}, 401, 'once');

    $ticket = call(POST => '/jobs/create', body => { owner => 'bob' })
        ->{json};
    $id = run('echo', key => undef, %{$ticket})->{json}{job_id};
    is(record($id, wait => 30)->{owner}, 'bob',
        'an owner may be called like a key');
    is(call($_->[0] => "/jobs/$id$_->[1]", key => 'bob')->{status}, 404,
        "which sees nothing of it: $_->[0] $_->[1]")
        for ['GET', ''], ['GET', '/output'], ['DELETE', ''];

    $id = run('echo', path => '/open/', key => undef)->{json}{job_id};
    is(call(GET => "/open/$id?wait=30", key => undef)->{json}{owner},
        '127.0.0.1', 'codr_auth off: an address owns it');
};

subtest 'a reload' => sub {
    my $id = run('sleep 3; echo late')->{json}{job_id};
    ok(wait_until(20, sub { record($id)->{status} eq 'processing' }), 'runs');

    # What the request left behind is somebody else's memory by now.
    run('q' x $_, tag => 'no tag' x 99) for map { 40 * $_ } 1 .. 60;
    my @old = $nginx->workers;
    ok($nginx->reload, 'reloads');
    ok(wait_until(20, sub { my %now = map { $_ => 1 } $nginx->workers;
        !grep { $now{$_} } @old }), 'no old worker waits for it');
    my $r = record($id, wait => 30);
    is($r->{result}{stdout}, "late\n", 'and it comes to its end');
    unlike($nginx->log, qr/exited (?:on signal|with code [^0])/,
        'and workers to theirs');
};

subtest 'the books' => sub {
    my $books = sub { $nginx->get('/counters')->{json}{records} };
    my $balanced = sub {
        my $b = $books->();
        return $b->{accepted} == $b->{finished} + $b->{failed} + $b->{stopped}
            && $b->{unfinished} == 0;
    };
    ok(wait_until(10, $balanced), 'are balanced by now');
    my $before = $books->();

    my @sockets = map { $nginx->ws(headers => ['X-API-Key: alice']) } 1 .. 24;
    $_->execute(language => 'sh', code => 'sleep 60') for @sockets;
    my @ids = map { $_->wait_for('started')->{job_id} } @sockets;
    my @async = map { run("sleep 2; echo $_")->{json}{job_id} } 1 .. 6;
    is($books->()->{unfinished}, 30, 'jobs run');
    $nginx->signal(KILL => $_) for $nginx->workers;
    ok(wait_until(10, sub { $books->()->{failed} == $before->{failed} + 24 }),
        'when workers are killed their jobs have failed');
    my $r = record($ids[0]);
    is($r->{status}, 'failed', 'their records say so');
    is($r->{error}{code}, 'internal', 'and why');
    my @out = map { record($_, wait => 30)->{result}{stdout} } @async;
    is(join('', @out), join('', map {"$_\n"} 1 .. 6),
        'those that need no socket go on');
    ok($balanced->(), 'and everything is accounted for');
    is($books->()->{accepted}, $before->{accepted} + 30, 'once');

    my $id = run('sleep 60')->{json}{job_id};
    ok(wait_until(20, sub { record($id)->{status} eq 'processing' }), 'runs');
    my $helpers = $nginx->helpers;
    my ($broker) = grep { $helpers->{$_} eq 'broker' } keys %{$helpers};
    $nginx->signal(KILL => $broker);
    ok(wait_until(20, sub { (record($id) // {})->{status} eq 'failed' }),
        'a job whose helper is killed has failed');
    ok($balanced->(), 'and counts once');
};

$nginx->finish(expected => qr/exited on signal 9/);

done_testing();
