# Jobs of one node, watched at another: live, from any byte, by token or by
# key.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need wait_until);
use Codr::Nodes;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;

need(qw(module helper /usr/bin/redis-server /usr/bin/python3));

my $true = JSON::PP::true;
Codr::Nodes::start();


subtest 'live' => sub {
    my ($ws, $started) = begin(tag => 'a tag');
    my $view = join_job($started, 'view');
    my $first = $view->recv(30);
    is($first->{type}, 'started', 'a viewer there');
    is($first->{$_}, $started->{$_}, "has its $_")
        for qw(job_id view_token tag language);
    ok(!exists $first->{attach_token}, 'and cannot take over');
    ok($view->expect(qr/ready\n/), 'what it wrote before');
    for (1 .. 3) {
        $ws->input("$_\n");
        ok($view->expect(qr/got $_\n/), 'and what it writes now');
    }
    my $late = join_job($started, 'view', offset => 6);
    is($late->recv(30)->{offset}, 6, 'another, from the middle on');
    ok($late->expect(qr/got 3\n/), 'comes as far');
    $view->input("x\n");
    is($view->wait_for('notice')->{code}, 'read_only', 'they only read');
    $ws->send(type => 'eof');
    my $job = $ws->finish;
    is($job->{status}, 'ok', 'its client sees the end');
    is($_->finish->{status}, 'ok', 'so do they') for $view, $late;
    is(join('', map { $_->{data} } grep { $_->{type} eq 'output' }
        @{ $view->{seen} }), "ready\ngot 1\ngot 2\ngot 3\nend\n",
        'with every byte');
    is(join('', map { $_->{data} } grep { $_->{type} eq 'output' }
        @{ $late->{seen} }), "got 1\ngot 2\ngot 3\nend\n", 'from there on');
    $view = join_job($started, 'view');
    is($view->finish->{stdout}, "ready\ngot 1\ngot 2\ngot 3\nend\n",
        'and after the end');
    is($view->run_job(language => 'sh', code => 'echo 1')->{status}, 'ok',
        'the socket runs a job of its own then');
    my $all = join ' ', map { @{ $redis->ask('HGETALL', $_) } }
        @{ $redis->ask('KEYS', 'job:*') };
    unlike($all, qr/$started->{$_}/, "Redis has no $_")
        for qw(view_token attach_token);
};

subtest 'by the other token' => sub {
    my ($ws, $started) = begin();
    my $other = join_job($started, 'attach');
    ok($other->expect(qr/ready/), 'it can be watched');
    $other->input("x\n");
    is($other->wait_for('notice')->{code}, 'read_only', 'and not given input');
    $other->send(type => 'stop');
    is($other->finish->{status}, 'stopped', 'but stopped');
    is($ws->finish->{status}, 'stopped', 'as its client sees');
};

subtest 'who may' => sub {
    my ($ws, $started) = begin();
    my $none = 'f' x 32;
    for ([ job_id => $none ], [ view_token => $none ],
        [ view_token => $started->{attach_token} ])
    {
        my $m = join_job({ %{$started}, @{$_} }, 'view')->recv(30);
        is("$m->{type} $m->{code} $m->{message}",
            'error not_found there is no such job', "not: $_->[0]");
    }
    my $m = join_job({ %{$started}, attach_token => $started->{view_token} },
        'attach')->recv(30);
    is($m->{code}, 'not_found', 'a view token is not the other one');
    is(get($there, "/jobs/$started->{job_id}/output", 'bob')->{status}, 404,
        'nor is another key');
    $ws->drop;
};

subtest 'bytes' => sub {
    my $code = 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 3000)';
    my $id = $here->post('/jobs', { language => 'python', code => $code },
        headers => ['X-API-Key: alice'])->{json}{job_id};
    ok(wait_until(30, sub {
        get($there, "/jobs/$id")->{json}{status} eq 'completed' }), 'a job');
    my $out = get($there, "/jobs/$id/output");
    is($out->{status}, 200, 'its output, over there');
    is(sha256_hex($out->{body}), sha256_hex(pack('C*', 0 .. 255) x 3000),
        'byte for byte');
    is($out->{headers}{'x-codr-next-offset'}, 768_000, 'and where it ends');
    $out = get($there, "/jobs/$id/output?offset=767990");
    is($out->{body}, pack('C*', 246 .. 255), 'from any byte on');

    my ($ws, $started) = begin();
    $out = get($there, "/jobs/$started->{job_id}/output");
    is($out->{body}, "ready\n", 'of one that runs, so far');
    $ws->drop;
};

subtest 'whose client is gone' => sub {
    my ($ws, $started) = begin(detach => $true,
        code => 'echo ready; sleep 2; echo late');
    $ws->drop;
    my $job = join_job($started, 'view')->finish(60);
    is($job->{stdout}, "ready\nlate\n", 'it is watched all the same');
    is($job->{status}, 'ok', 'to its end');
};

subtest 'workers that leave' => sub {
    my ($ws, $started) = begin(detach => $true);
    my $view = join_job($started, 'view');
    ok($view->expect(qr/ready/), 'one is watched');
    ok($here->reload, 'its node reloads');
    $ws->input("one\n");
    ok($view->expect(qr/got one/), 'it is watched still');
    $ws->send(type => 'eof');
    is($_->finish(60)->{status}, 'ok', 'to the end') for $ws, $view;
    is(join('', map { $_->{data} } grep { $_->{type} eq 'output' }
        @{ $view->{seen} }), "ready\ngot one\nend\n",
        'not a byte is missing, none comes twice');
};

$here->finish;
$there->finish;

done_testing();
