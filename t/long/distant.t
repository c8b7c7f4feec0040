# Jobs of one node, watched at another: what becomes of that when nobody reads,
# and when a worker, Redis or the node goes away.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need wait_until);
use Codr::Nodes;
use JSON::PP ();
use Test::More;

need(qw(module helper /usr/bin/redis-server /usr/bin/python3));

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
Codr::Nodes::start();


subtest 'who does not read' => sub {
    my $size = 8_000_000;
    my $ws = $here->ws(path => '/much', headers => ['X-API-Key: alice']);
    $ws->execute(language => 'python', tty => $false,
        code => "import sys\ninput()\nfor i in range($size // 1000):\n"
        . "    sys.stdout.write('%9d' % i + 'x' * 990 + chr(10))\n");
    my $started = $ws->wait_for('started');
    wait_until(30, sub { $redis->hash("job:$started->{job_id}")->{view} });
    my $lazy = join_job($started, 'view');
    is($lazy->recv(30)->{type}, 'started', 'a viewer');
    $ws->input("\n");
    my $job = $ws->finish(120);
    is($job->{status}, 'ok', 'does not hold it up');
    is(length $job->{stdout}, $size, 'its client has everything');
    $job = $lazy->finish(60);
    is($job->{status}, 'ok', 'the viewer sees the end');
    is($job->{notices}[0]{code}, 'output_lost', 'and what it has lost');
    is($job->{messages}[-2]{end}, $size, 'up to the last byte');
};

subtest 'workers that leave' => sub {
    my ($ws, $started) = begin(detach => $true);
    my $view = join_job($started, 'view');
    ok($view->expect(qr/ready/), 'one is watched');
    ok($here->reload, 'its node reloads');
    $ws->input("one\n");
    ok($view->expect(qr/got one/), 'it is watched still');
    $here->signal(KILL => $_) for $here->workers;
    ok(wait_until(30, sub { 2 == (() = $here->workers) }), 'others come');
    $ws = join_job($started, 'attach', node => $here, offset => 0);
    ok($ws->expect(qr/got one/), 'it goes on');
    $ws->input("two\n");
    ok($view->expect(qr/got two/), 'and is watched again');
    $redis->stop;
    $ws->input("three\n");
    ok($ws->expect(qr/got three/), 'without Redis');
    $redis->start;
    ok($view->expect(qr/got three/), 'with it, they see more');
    $ws->send(type => 'eof');
    is($_->finish(60)->{status}, 'ok', 'to the end') for $ws, $view;
    is(join('', map { $_->{data} } grep { $_->{type} eq 'output' }
        @{ $view->{seen} }), "ready\ngot one\ngot two\ngot three\nend\n",
        'not a byte is missing, none comes twice');
};

subtest 'a node that is gone' => sub {
    my ($ws, $started) = begin();
    my $view = join_job($started, 'view');
    ok($view->expect(qr/ready/), 'one is watched');
    $here->signal(STOP => $_) for $here->workers;
    my $m = $view->wait_for('error', 120);
    is($m->{code}, 'unavailable', 'its viewers are told');
    is($view->run_job(language => 'sh', code => 'echo 1')->{status}, 'ok',
        'and go on');
    $here->signal(CONT => $_) for $here->workers;
    $ws->drop;
};

$here->finish(expected => qr/exited on signal 9/);
$there->finish;

done_testing();
