# A sandbox that cannot die: the freezer of cgroup v1 keeps a killed process as
# the kernel does that waits for a disk or a network that does not answer.  Its
# client hears of the end all the same, others go on, nobody gets its slot; and
# when it can die it is swept away.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use JSON::PP ();
use Test::More;

need(qw(root module helper));

my $FREEZER = '/sys/fs/cgroup/freezer';
plan(skip_all => 'needs the freezer of cgroup v1')
    if !-w "$FREEZER/cgroup.procs";

my $nginx = Codr::Nginx->new(languages => 0, http => <<'END',
codr_language sh { source main.sh; run /bin/sh $source; }
codr_language slow {
    source main.slow; compile /bin/sh main.slow $program; run $program;
}
END
    location => 'codr_timeout 60s; codr_compile_timeout 60s;',
    server => <<'END');
location = /short { codr_exec; codr_timeout 3s; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

my $group = "$FREEZER/codr-test-$$";
mkdir $group or die "$group: $!";

# Whatever runs in sandboxes now stays as it is.
sub freeze {
    for (1 .. 3) {
        spew("$group/cgroup.procs", $_)
            for grep { -e "/proc/$_" } $nginx->job_processes;
    }
    spew("$group/freezer.state", 'FROZEN');
    return wait_until(10, sub { slurp("$group/freezer.state") =~ /FROZEN/ });
}

sub thaw {
    spew("$group/freezer.state", 'THAWED');
    return wait_until(20, sub { slurp("$group/cgroup.procs") eq '' });
}

# A program that runs, what is done while it cannot die, and how it ends.
my %case = (
    'stop' => [ sub { $_[0]->send(type => 'stop') }, 'stopped' ],
    'a deadline' => [ sub { }, 'wall_limit', path => '/short' ],
    'compiling' => [ sub { $_[0]->send(type => 'stop') }, 'stopped',
        language => 'slow' ],
);
for my $name (sort keys %case) {
    my ($act, $status, %o) = @{ $case{$name} };
    my $descriptors = Codr::Hygiene::descriptors($nginx);
    my $ws = $nginx->ws(path => $o{path} // '/run');
    $ws->execute(language => $o{language} // 'sh', tty => JSON::PP::false,
        code => 'while :; do :; done');
    $ws->wait_for('stage', 20);
    wait_until(10, sub { $nginx->job_processes >= 2 });
    ok(freeze(), "$name: its processes are frozen");
    my @frozen = split ' ', slurp("$group/cgroup.procs");
    $act->($ws);
    my $job = $ws->finish(60);
    is($job->{status}, $status, "$name: the client hears of the end");
    is(scalar(grep { -e "/proc/$_" } @frozen), scalar @frozen,
        "$name: while they are there");
    ok(next_job_runs($nginx), "$name: others run");
    my $next = $ws->run_job(language => 'sh', code => 'echo on');
    is($next->{status}, 'ok', "$name: on the same socket, too");
    $ws->drop;
    ok(thaw(), "$name: they go when they can");
    ok(wait_until(20, sub { !$nginx->sandbox_processes }),
        "$name: nothing is left");
    ok(wait_until(20, sub {
        Codr::Hygiene::descriptors($nginx) <= $descriptors;
    }), "$name: nor left open");
    ok(next_job_runs($nginx), "$name: afterwards jobs run");
}

END {
    if ($group && -d $group) {
        thaw();
        rmdir $group;
    }
}

ok(wait_until(10, sub { rmdir $group }), 'the group is empty');
$nginx->finish(expected => qr/codr: /);
done_testing();
