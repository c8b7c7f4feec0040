# Every process of the helper is killed, or stopped for a while, or for good,
# at every phase of a job: its client hears of an end, nothing is left, the
# next job runs, nobody restarts anything.  Then there are few descriptors.

use strict;
use warnings;

use Codr::Host qw(need slurp slow wait_until);
use Codr::Nginx;
use Codr::Phases qw(%phase @phases next_job_runs role);
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/prlimit));

my $nginx = Codr::Nginx->new(languages => 0, workers => 2,
    http => Codr::Phases::http(), location => Codr::Phases::location());
ok($nginx->ready, 'the server is ready');

my @roles  = qw(broker spawner supervisor keeper);

for my $role (@roles) {
    my (@silent, @stuck, @left);
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = role($nginx, $role);
        kill KILL => $pid;
        wait_until(10, sub {
            return !-e "/proc/$pid" || (role($nginx, $role) // 0) != $pid;
        });
        $end->();
        my $job = $ws->finish(30);
        push @silent, "$phase: $job->{status}"
            if $job->{status} =~ /^\(/;
        $other->drop if $other;
        $ws->drop;
        push @stuck, $phase if !next_job_runs($nginx);
        push @left, $phase if !wait_until(10, sub { !$nginx->job_processes });
        # a keeper does not come back by itself: a reload brings it
        if ($role eq 'keeper') {
            kill KILL => role($nginx, 'supervisor');
            wait_until(10, sub { !%{ $nginx->helpers } });
            $nginx->reload;
            $nginx->ready;
        }
    }
    is(join(' ', @silent), '', "$role killed: each client hears of the end");
    is(join(' ', @stuck), '', "$role killed: the next job runs");
    is(join(' ', @left), '', "$role killed: nothing is left");
}

# Stopped for a while: nothing is lost, and nginx does not wait.

for my $role (@roles) {
    my (@wrong, @late);
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = role($nginx, $role);
        kill STOP => $pid;
        my $start = time;
        $end->();
        for (1 .. 2) {
            my $answer = $nginx->get('/languages');
            push @late, $phase if $answer->{status} != 200
                || time - $start > 3 * slow();
        }
        kill CONT => $pid;
        my $job = $ws->finish(30);
        push @wrong, "$phase: $job->{status}"
            if $job->{status} !~ Codr::Phases::end_of($phase);
        $other->answer(10) if $other;
    }
    is(join(' ', @wrong), '', "$role stopped for a while: jobs end as ever");
    is(join(' ', @late), '', "$role stopped: nginx does not wait for it");
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

# Few descriptors: more jobs at once than there are some for.

my ($soft) = slurp('/proc/self/limits') =~ /^Max open files\s+(\d+)/m;
for my $few (48, 64, 96) {
    system('prlimit', '--pid', $$, "--nofile=$few:") == 0 or die;
    $nginx = Codr::Nginx->new(languages => 0, connections => 500,
        main => 'worker_rlimit_nofile 600;', http => <<'END');
codr_max_jobs 64 batch=64;
codr_queue 100;
codr_language sh { source main.sh; run /bin/sh $source; }
END
    system('prlimit', '--pid', $$, "--nofile=$soft:") == 0 or die;
    if (!$nginx->ready) {
        like($nginx->get('/status')->{body}, qr/"causes":\["/,
            "$few descriptors: too few, and health says so");
        $nginx->finish(expected => qr/codr: /);
        next;
    }
    my @ws = map { $nginx->ws } 1 .. 40;
    $_->execute(language => 'sh', code => 'echo on; sleep 0.2') for @ws;
    my %status;
    $status{ $_->finish(60)->{status} }++ for @ws;
    my $said = join ', ', map {"$_ $status{$_}"} sort keys %status;
    diag("$few descriptors: $said");
    unlike($said, qr/\(/, "$few descriptors: each client hears of an end");
    ok($status{ok}, 'some jobs run');
    ok(next_job_runs($nginx), 'and afterwards, too');
    $nginx->finish(expected => qr/codr: /);
}

done_testing();
