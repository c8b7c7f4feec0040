# When a job is said to be complete nobody of it is left, whatever it had
# started; its init may still be on its way out, which keeps no other job from
# running: not the only one there may be, and not in the only slot.

use strict;
use warnings;

use Codr::Host qw(cgroups need slurp);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $ROUNDS = 3;

my $nginx = Codr::Nginx->new(http => 'codr_max_jobs 1 batch=1 compile=1;',
    location => 'codr_cpu_time 60s;');
ok($nginx->ready, 'the server is ready');

# Names of processes of jobs, but for inits and ready sandboxes.
sub programs {
    return grep {/^python/}
        map { slurp("/proc/$_/comm") =~ s/\n//r } $nginx->job_processes;
}

# A daemon, one that does not reap, one that is stopped, one that ignores what
# it can, one that makes others.
my $crowd = <<'END';
import os, signal, sys, time
def child(f):
    pid = os.fork()
    if pid == 0:
        f()
        time.sleep(60)
        os._exit(0)
    return pid
def orphan():
    os.setsid()
    child(lambda: None)
    os._exit(0)
def parent():
    for i in range(3):
        child(lambda: child(lambda: None))
def deaf():
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
child(orphan)
child(parent)
child(deaf)
os.kill(child(lambda: None), signal.SIGSTOP)
print("ready", flush=True)
sys.stdin.readline()
END

for my $tty (0, 1) {
    my $kind = $tty ? 'a terminal' : 'pipes';
    my (@running, @left, @status);
    for (1 .. $ROUNDS) {
        my $client = $nginx->ws;
        $client->execute(language => 'python', code => $crowd,
            $tty ? () : (tty => \0));
        $client->expect(qr/ready/);
        push @running, scalar programs();
        $client->input("\n");
        my $end = $client->wait_for(qr/^(?:complete|error)$/);
        push @left, programs();
        push @status, $end->{status};
        $client->drop;
    }
    ok(!grep({ $_ < 5 } @running), "$kind: a crowd runs")
        or diag("@running");
    is("@left", '', "$kind: and nobody of it when its end is told");
    is("@status", join(' ', ('ok') x $ROUNDS), "$kind: which is a good one");
}

# Nobody waits for the spawner, which has to sweep up: it is stopped here.
for my $tty (0, 1) {
    my $kind    = $tty ? 'a terminal' : 'pipes';
    my $helpers = $nginx->helpers;
    my ($spawner) = grep { $helpers->{$_} eq 'spawner' } keys %{$helpers};
    my $client = $nginx->ws;
    $client->execute(language => 'python', $tty ? () : (tty => \0),
        code => "print('ready', flush=True)\ninput()\nexit(3)\n");
    $client->expect(qr/ready/);
    kill STOP => $spawner;
    $client->input("\n");
    my $end = $client->wait_for(qr/^(?:complete|error)$/, 20);
    kill CONT => $spawner;
    is("$end->{type} $end->{status} $end->{exit_code}", 'complete error 3',
        "$kind: the end is told before the spawner has seen it");
    cmp_ok($end->{cpu_time}, '>', 0, "$kind: with its CPU time");
    cmp_ok($end->{memory_peak}, '>', 100_000, "$kind: and its memory")
        if cgroups();
}

# One after the other, with room for one.
sub in_turn {
    my ($name, $server) = @_;
    my $client = $server->ws;
    my (%others, @path);
    for my $i (1 .. 3 * $ROUNDS) {
        my $job = $client->run_job(language => 'python',
            code => "print($i)", tty => \0);
        push @path, $job->{complete}{path} // $job->{status};
        $others{ $_->{type} }++
            for grep { $_->{type} !~ /^(?:started|stage|output|complete)$/ }
            @{ $job->{messages} };
    }
    is(join(' ', map {"$_ $others{$_}"} sort keys %others), '',
        "$name: no job waits for the one before it") or diag("@path");
    my $c = $client->run_job(language => 'c', tty => \0,
        code => "#include <stdio.h>\nint main(void) { puts(\"c\"); }\n");
    is("$c->{status} $c->{stdout}", "ok c\n",
        "$name: nor the second stage for the first");
}

in_turn('one job at a time', $nginx);
is(join("\n", $nginx->stop), '', 'the server ends well');

SKIP: {
    skip 'without root there are no uids', 2 if $> != 0;
    $nginx = Codr::Nginx->new(uids => 0x71000000 + ($$ & 0xffff) * 2 . ' 2',
        path => 'cold');
    ok($nginx->ready, 'a server with one slot is ready');
    in_turn('one slot', $nginx);
    is(join("\n", $nginx->stop), '', 'it ends well');
}

done_testing();
