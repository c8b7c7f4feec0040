# As t/long/faults.t for those around a job that are not the helper's four: the
# worker, the sandbox's init, Redis.  Each is killed, and stopped, at every
# phase of a job.  (Those that wait for a job are t/long/idle.t's.)

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(%phase @phases next_job_runs paused role);
use Codr::Redis;
use Test::More;

need(qw(root module helper /usr/bin/redis-server));

my $redis = Codr::Redis->new;
my $nginx = Codr::Nginx->new(languages => 0, workers => 2,
    location => Codr::Phases::location() . ' codr_timeout 20s;',
    http => Codr::Phases::http() . 'codr_redis ' . $redis->address . ';');
ok($nginx->ready && $nginx->wait_log(qr/Redis is up/, 30),
    'the server is ready');

# The worker that has this connection.
sub worker_of {
    my ($ws) = @_;
    my ($ours, $theirs) = ($ws->{s}->sockport, $nginx->port);
    for my $pid ($nginx->workers) {
        my ($inode) = slurp("/proc/$pid/net/tcp")
            =~ /:\s+\w+:@{[ sprintf '%04X', $theirs ]}\s
                \w+:@{[ sprintf '%04X', $ours ]}\s(?:\S+\s+){6}(\d+)/x
            or next;
        return $pid if grep { (readlink($_) // '') eq "socket:[$inode]" }
            glob "/proc/$pid/fd/*";
    }
    return;
}

# The first process of the sandbox that works for a job; a stage is announced
# before it is there.
sub init_of {
    return wait_until(10, sub {
        my ($pid) = grep { slurp("/proc/$_/status") =~ /^NSpid:.*\s1$/m }
            $nginx->job_processes;
        return $pid;
    });
}

# Whom to break, given the job's socket; and the end of a job without him.
my %victim = (
    worker => [ \&worker_of, qr/^\(eof\)$/ ],
    init   => [ \&init_of, qr/^(?:internal|signaled|error|ok|compile_error)$/ ],
    redis  => [ sub { $redis->pid }, undef ],
);

for my $name (sort keys %victim) {
    my ($find, $end_of) = @{ $victim{$name} };
    my (@wrong, @stuck, @left);
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = $find->($ws);
        if (!$pid) {
            push @wrong, "$phase: nobody to kill";
            next;
        }
        kill KILL => $pid;
        if ($name eq 'redis') {
            $redis->stop;
        } else {
            wait_until(10, sub { !-e "/proc/$pid" });
        }
        $end->();
        my $job = $ws->finish(60);
        my $want = $phase eq 'queued' && $name eq 'init' ? qr/^ok$/
            : $end_of // Codr::Phases::end_of($phase);
        push @wrong, "$phase: $job->{status}" if $job->{status} !~ $want;
        $other->drop if $other;
        $ws->drop;
        push @stuck, $phase if !next_job_runs($nginx);
        push @left, $phase if !wait_until(10, sub { !$nginx->job_processes });
        $redis->start if $name eq 'redis';
    }
    is(join(' ', @wrong), '', "$name killed: each client hears of the end");
    is(join(' ', @stuck), '', "$name killed: the next job runs");
    is(join(' ', @left), '', "$name killed: nothing is left");
}

# Stopped for a while.

for my $name (sort keys %victim) {
    my ($wrong, $late) = paused($nginx, $victim{$name}[0]);
    is($wrong, '', "$name stopped for a while: jobs end as ever");
    is($late, '', "$name stopped: the others do not wait for it");
}

# Stopped for good.

{
    my @wrong;
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = init_of() or next;
        kill STOP => $pid;
        $end->();
        my $job = $ws->finish(60);
        push @wrong, "$phase: $job->{status}" if $job->{status} =~ /^\(/;
        $other->drop if $other;
        push @wrong, "$phase: it is still there"
            if !wait_until(10, sub { !-e "/proc/$pid" });
    }
    is(join(' ', @wrong), '', 'an init that stops for good: jobs end');
    ok(next_job_runs($nginx), 'the next job runs');
}

{
    my @wrong;
    $redis->signal('STOP');
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        $end->();
        my $job = $ws->finish(60);
        push @wrong, "$phase: $job->{status}"
            if $job->{status} !~ Codr::Phases::end_of($phase);
        $other->answer(10) if $other;
    }
    is(join(' ', @wrong), '', 'with a Redis that hangs jobs end as ever');
    $redis->signal('CONT');
    ok($nginx->wait_log(qr/Redis is up.*Redis is up/s, 30), 'it is back');
}

ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish(expected => qr/codr: |exited on signal 9/);
done_testing();
