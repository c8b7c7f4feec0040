# Every process of the helper is stopped at every phase of a job, for a while,
# and for good: jobs end as ever, or their clients hear of an end, and nginx
# does not wait.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Codr::Phases qw(%phase @phases next_job_runs paused role stop_process);
use Test::More;

need(qw(module helper));

my $nginx = Codr::Nginx->new(languages => 0, workers => 2,
    http => Codr::Phases::http(), location => Codr::Phases::location());
ok($nginx->ready, 'the server is ready');

my @roles  = qw(broker spawner supervisor keeper);

# Stopped for a while: nothing is lost, and nginx does not wait.

for my $role (@roles) {
    my ($wrong, $late) = paused($nginx, sub { role($nginx, $role) });
    is($wrong, '', "$role stopped for a while: jobs end as ever");
    is($late, '', "$role stopped: nginx does not wait for it");
}

# The time that a program took is its own, and not that of whoever counts it.

{
    my $ws = $nginx->ws;
    $ws->execute(language => 'sh', code => 'echo on; sleep 0.1');
    $ws->expect(qr/on/);
    my $broker = role($nginx, 'broker');
    stop_process($broker);
    my $since = time;
    ok(wait_until(20, sub { !$nginx->job_processes && time - $since > 4 }),
        'a program ends while the broker is stopped');
    my $for = time - $since;
    kill CONT => $broker;
    my $took = $ws->finish(60)->{complete}{wall_time};
    cmp_ok($took, '<', $for, 'that is not in its wall_time');
    cmp_ok($took, '>=', 0.1, 'what it took is');
}

# Stopped for good: it is replaced.

for my $role (qw(broker spawner)) {
    my $pid = role($nginx, $role);
    kill STOP => $pid;
    my $ws = $nginx->ws;
    $ws->execute(language => 'sh', code => 'echo on');
    my $job = $ws->finish(90);
    like($job->{status}, qr/^(?:ok|internal|busy|unavailable)$/,
        "$role stopped for good: the client hears of an end");
    ok(wait_until(30, sub { !kill 0, $pid }), 'it is replaced');
    ok(next_job_runs($nginx), 'the next job runs');
    like($nginx->log, qr/the $role does not work any more: killed/, 'said');
}

ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish(expected => qr/codr: /);

# There is no broker, and nobody starts one: who waits for no more than that
# the job is taken hears of it, too, and the job does not begin later.

$nginx = Codr::Nginx->new(languages => 0, location => 'codr_timeout 60s;',
    server => 'location /jobs { codr_jobs; codr_timeout 60s; }',
    http => <<'END');
codr_queue 8 timeout=1s;
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'a server');
my $supervisor = role($nginx, 'supervisor');
stop_process($supervisor);
kill KILL => role($nginx, 'broker');
is($nginx->post('/jobs', { language => 'sh', code => 'sleep 50' },
    timeout => 60)->{json}{code}, 'unavailable', 'no broker: no job is taken');
kill CONT => $supervisor;
ok(next_job_runs($nginx), 'jobs run when there is one');
ok(wait_until(10, sub { !$nginx->job_processes }), 'but not that one');
$nginx->finish(expected => qr/codr: /);

done_testing();
