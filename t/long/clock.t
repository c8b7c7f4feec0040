# The machine's clock is set, really, while jobs run: in a machine of its own,
# Debian's user-mode-linux.  Limits of the helper, the worker's timers and what
# records say of a job do not go by it.

use strict;
use warnings;

use Codr::Host qw(need top wait_until);
use Codr::Nginx;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# The other machine runs this file once more.
if (!$ENV{CODR_INNER}) {
    $ENV{CODR_V2_TESTS} = 't/long/clock.t';
    my $done = do(top() . '/t/sandbox/v2.t');
    die $@ || $! if !defined $done;
    exit;
}

need(qw(root module helper));

my $DAY = 86400;

my $nginx = Codr::Nginx->new(languages => 0, http => <<'END',
codr_job_ttl 10m;
codr_language sh { source main.sh; run /bin/sh $source; }
END
    server => 'location /jobs { codr_jobs; }');
ok($nginx->ready(60), 'the server is ready');

sub now { return clock_gettime(CLOCK_MONOTONIC) }

my $started = time - now();
sub set_clock {
    my ($seconds) = @_;
    my $then = int($started + now() + $seconds);
    is(system("date -s \@$then >/dev/null"), 0, "the clock is set: $seconds");
}

for my $jump ($DAY, -$DAY) {
    my $ws = $nginx->ws;
    my $begun = now();
    $ws->execute(language => 'sh', tty => JSON::PP::false,
        code => 'echo on; read x; sleep 1; echo $x');
    ok($ws->expect(qr/on/, 60), 'a job runs');
    set_clock($jump);
    $ws->input("back\n");
    my $job = $ws->finish(60);
    my $took = now() - $begun;
    is("$job->{status} $job->{stdout}", "ok on\nback\n", 'and goes on');
    cmp_ok($job->{complete}{wall_time}, '>=', 1, 'its time is what it took');
    cmp_ok($job->{complete}{wall_time}, '<=', $took, 'and no more');
    cmp_ok($job->{complete}{queue_time}, '<=', $took, 'as is its wait');

    set_clock(0);
    $begun = now();
    $ws->execute(language => 'sh', code => 'echo on; sleep 300', stdin => '',
        limits => { wall_time => 2 });
    ok($ws->expect(qr/on/, 60), 'a job with a limit');
    set_clock($jump);
    is($ws->finish(120)->{status}, 'wall_limit', 'reaches it');
    cmp_ok(now() - $begun, '>=', 2, 'not before');

    set_clock(0);
    $ws->execute(language => 'sh', code => 'echo on; while :; do :; done',
        stdin => '', limits => { cpu_time => 1 });
    ok($ws->expect(qr/on/, 60), 'a job that computes');
    set_clock($jump);
    is($ws->finish(120)->{status}, 'cpu_limit', 'reaches its limit');

    set_clock(0);
    my $id = $nginx->post('/jobs', { language => 'sh', code => 'sleep 1' })
        ->{json}{job_id};
    set_clock($jump);
    my $record = $nginx->get("/jobs/$id?wait=60", timeout => 90)->{json};
    is($record->{status}, 'completed', 'an asynchronous job');
    ok($record->{created_at} le $record->{started_at}
        && $record->{started_at} le $record->{completed_at},
        'its times are in order') or diag(explain($record));
    set_clock(0);
    is($nginx->get("/jobs/$id")->{json}{status}, 'completed',
        'and its record is there');
}

ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish;
done_testing();
