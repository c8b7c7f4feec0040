# Every process of the helper is killed at every phase of a job: its client
# hears of an end, nothing is left, the next job runs, nobody restarts anything.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Codr::Phases qw(%phase @phases next_job_runs role);
use Test::More;

need(qw(module helper));

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
