# Every process of the helper is killed at every phase of a job: its client
# hears of an end, nothing is left, the next job runs, nobody restarts anything.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(%phase @phases next_job_runs role);
use Test::More;

need(qw(module helper));

my $nginx = Codr::Nginx->new(languages => 0, workers => 2,
    http => Codr::Phases::http(), location => Codr::Phases::location());
ok($nginx->ready, 'the server is ready');

my @roles  = qw(broker spawner supervisor keeper);

# Whoever is killed has no arguments before its descriptors are closed.
sub is_there { return slurp("/proc/$_[0]/stat") =~ /^\d+ \(.*\) [^XZ]/s }

for my $role (@roles) {
    my (@silent, @stuck, @left);
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = wait_until(30, sub { role($nginx, $role) });
        if (!$pid) {
            push @stuck, "$phase: no $role";
            next;
        }
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
        # a keeper does not come back by itself: a reload brings it, when
        # nobody has the other end of the lifeline any more
        if ($role eq 'keeper') {
            my @helpers = keys %{ $nginx->helpers };
            kill KILL => role($nginx, 'supervisor');
            wait_until(10, sub { !grep { is_there($_) } @helpers });
            $nginx->reload;
            wait_until(30, sub { role($nginx, $role) });
            $nginx->ready;
        }
    }
    is(join(' ', @silent), '', "$role killed: each client hears of the end");
    is(join(' ', @stuck), '', "$role killed: the next job runs");
    is(join(' ', @left), '', "$role killed: nothing is left");
}

ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish(expected => qr/codr: /);

done_testing();
