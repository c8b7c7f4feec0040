# What takes a kernel of its own to try, as the settings are the whole
# machine's: a clock that jumps, swap, few process ids.  t/long/kernel.t runs
# it where t/sandbox/v2.t runs other tests.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use POSIX ();
use Test::More;
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

need(qw(module helper root /usr/bin/python3));
plan(skip_all => 'needs a kernel of its own, which t/long/kernel.t has')
    if !$ENV{CODR_INNER} || !$ENV{CODR_SWAP};

my $LONG = 90000;       # more than the clock will jump, for whoever waits

my $nginx = Codr::Nginx->new(
    location => 'codr_cpu_time 60s; codr_timeout 60s; codr_memory 64m;',
    server => 'location = /short { codr_exec; codr_timeout 3s; }');
ok($nginx->ready, 'the server is ready');

# A clock that jumps.

sub jump { system('/usr/bin/date', '-s', '@' . (time + $_[0]), '+') }

my @jumps = (3600, -7200, 3600);
my $client = $nginx->ws;
$client->execute(language => 'python', code => <<'END');
import time
begin = time.monotonic()
moved = 0
last = time.time()
print("ready", flush=True)
while moved < 3 and time.monotonic() - begin < 30:
    time.sleep(0.05)
    moved += abs(time.time() - last) > 1000
    last = time.time()
print("moved", moved)
END
$client->expect(qr/ready/, $LONG);
for my $seconds (@jumps) {
    sleep 0.7;
    jump($seconds);
}
my $job = $client->finish($LONG);
is($job->{status}, 'ok', 'a job while the clock jumps') or diag($job->{stdout});
like($job->{stdout}, qr/^moved 3\r$/m, 'sees it jump');
cmp_ok($job->{complete}{wall_time}, '>', 2, 'and its time is not changed');
cmp_ok($job->{complete}{wall_time}, '<', 60, 'neither way');

for my $seconds (3600, -3600) {
    $client = $nginx->ws(path => '/short');
    my $begin = clock_gettime(CLOCK_MONOTONIC);
    $client->execute(language => 'python', stdin => '',
        code => "import time\ntime.sleep(60)\n");
    $client->wait_for('stage', $LONG);
    sleep 0.5;
    jump($seconds);
    $job = $client->finish($LONG);
    my $took = clock_gettime(CLOCK_MONOTONIC) - $begin;
    is($job->{status}, 'wall_limit', "a deadline and $seconds s");
    cmp_ok($took, '>', 2.9, "a deadline and $seconds s: not early");
    cmp_ok($took, '<', 50, "a deadline and $seconds s: not late");
}

# Swap.

SKIP: {
    my $device = $nginx->path('swap');
    system('/usr/bin/mknod', $device, 'b', 98, 0);
    my $swap = system("/usr/sbin/mkswap $device >/dev/null 2>&1") == 0
        && system("/usr/sbin/swapon $device 2>/dev/null") == 0
        && -e '/sys/fs/cgroup/cgroup.controllers';
    skip 'no swap to be had here', 4 if !$swap;

    my $hog = "x = bytearray(150 << 20)\nx[::4096] = b'x' * len(x[::4096])\n"
        . "print('had it', flush=True)\n";
    my $cgroup = '/sys/fs/cgroup/codr-test-swap';
    spew('/sys/fs/cgroup/cgroup.subtree_control', '+memory');
    mkdir $cgroup or die "$cgroup: $!";
    spew("$cgroup/memory.max", 64 << 20);
    spew("$nginx->{dir}/hog.py", $hog);
    is(scalar `echo \$\$ >$cgroup/cgroup.procs; \\
        /usr/bin/python3 $nginx->{dir}/hog.py`, "had it\n",
        'outside a program spills into swap');
    rmdir $cgroup;
    my $used = sub { (split ' ', slurp('/proc/swaps'))[8] };
    my $before = $used->();
    $job = $nginx->run_job(language => 'python', code => $hog);
    is($job->{status}, 'memory_limit', 'a job does not');
    cmp_ok($used->() - $before, '<', 4096, 'nothing of it goes there');
    cmp_ok($job->{complete}{memory_peak}, '<=', 68 << 20,
        'nor beyond its limit');
    system('/usr/sbin/swapoff', $device);
}

# Few process ids, so that each is somebody else's soon.

spew('/proc/sys/kernel/pid_max', 400);
my $churn = fork() // die "fork: $!";
if ($churn == 0) {
    my ($killed, $again, %seen) = (0, 0);
    local $SIG{TERM} = sub {
        spew("$nginx->{dir}/churn", "$killed $again\n");
        POSIX::_exit(0);
    };
    for (;;) {
        my $pid = fork();
        if (defined $pid && $pid == 0) {
            select undef, undef, undef, 0.01;
            POSIX::_exit(0);
        }
        next if !defined $pid;
        $again++ if $seen{$pid}++;
        waitpid $pid, 0;
        $killed++ if $? & 127;
    }
}
my @canaries = map {
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        select undef, undef, undef, 300;
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 20;
my $code = <<'END';
import os, time
for _ in range(10):
    if os.fork() == 0:
        os._exit(0)
    if os.fork() == 0:
        time.sleep(60)
print("ready", flush=True)
END
my (@bad, @clients);
for my $round (1 .. 6) {
    @clients = map { $nginx->ws } 1 .. 3;
    $_->execute(language => 'python', code => "${code}input()\n")
        for @clients;
    $_->expect(qr/ready/, 60) for @clients;
    $clients[0]->send(type => 'stop');
    $clients[1]->drop;
    $clients[2]->input("\n");
    push @bad, $clients[0]->finish($LONG)->{status},
        $clients[2]->finish($LONG)->{status};
}
is("@bad", join(' ', ('stopped ok') x 6), 'jobs of few process ids end well');
ok(wait_until(30, sub { !$nginx->job_processes }), 'and leave none behind');
is(scalar(grep { kill 0, $_ } @canaries), 20, 'nobody else was ended');
kill 'TERM', $churn;
waitpid $churn, 0;
my ($killed, $again) = split ' ', slurp("$nginx->{dir}/churn");
is($killed, 0, 'nor who came and went meanwhile');
cmp_ok($again, '>', 100, 'though ids were used again and again');
kill 'KILL', @canaries;
waitpid $_, 0 for @canaries;

$nginx->finish;
done_testing();
