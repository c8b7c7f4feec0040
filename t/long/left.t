# What a program leaves to the kernel when its last process is gone: sockets in
# sockets, memory that is given back later, streams that nobody has.  There is
# one slot, so that who comes next gets its place, and waits for it already.

use strict;
use warnings;

use Codr::Control;
use Codr::Host qw(cgroups need wait_until);
use Codr::Nginx;
use JSON::PP ();
use Test::More;

need(qw(root module helper /usr/bin/python3));

my $ROUNDS = 12;
my $sh = 'codr_language sh { source main.sh; run /bin/sh $source; }';

my $nginx = Codr::Nginx->new(path => 'cold', http => $sh,
    uids => 0x71000000 + ($$ & 0xffff) * 2 . ' 2',
    location => 'codr_memory 96m; codr_open_files 4096;'
        . ' codr_timeout 60s; codr_cpu_time 30s;');
ok($nginx->ready, 'a server with one slot is ready');

# Sockets that only hold each other live until the kernel looks for such.
my $circles = <<'END';
import array, os, socket
def send(s, fds):
    s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                        array.array("i", fds))])
def circle(fd):
    a, b = socket.socketpair()
    send(a, [a.fileno(), b.fileno(), fd])
    send(b, [a.fileno(), b.fileno()])
def leave(count, make):
    left = 0
    try:
        for i in range(count):
            thing = make(i)
            circle(thing.fileno())
            left += 1
    except OSError:
        pass
    return left
def name(i):
    s = socket.socket(socket.AF_UNIX)
    s.bind("\0codr-mark-%d-%d" % (os.getpid(), i))
    s.listen()
    return s
def port(i):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 0))
    return s
def memory(i):
    f = open(os.memfd_create("left"), "wb", buffering=0)
    f.write(bytes(1 << 20))
    return f
END

my $look = <<'END';
names=0
while read -r line; do
    case $line in *codr-mark*) names=$((names + 1));; esac
done </proc/net/unix
ports=-1
while read -r line; do ports=$((ports + 1)); done </proc/net/udp
echo "$names names, $ports ports"
END

# One job, and the one that has waited for its place.
sub in_turn {
    my ($code, $next) = @_;
    my ($ws, $other) = ($nginx->ws, $nginx->ws);
    $ws->execute(language => 'python', tty => JSON::PP::false,
        code => "$code\nprint('ready', flush=True)\ninput()\n");
    $ws->expect(qr/ready/, 30);
    $other->execute(language => 'sh', tty => JSON::PP::false, code => $next);
    $other->wait_for('queued', 30);
    $ws->input("\n");
    my @jobs = ($ws->finish(60), $other->finish(60));
    $_->drop for $ws, $other;
    return @jobs;
}

for (['names', 'name'], ['ports', 'port']) {
    my ($what, $make) = @{$_};
    my (@seen, @status);
    for (1 .. $ROUNDS) {
        my @jobs = in_turn("${circles}leave(800, $make)", $look);
        push @status, map { $_->{status} } @jobs;
        push @seen, $jobs[1]{stdout}
            if $jobs[1]{stdout} ne "0 names, 0 ports\n";
    }
    is("@status", join(' ', ('ok') x (2 * $ROUNDS)),
        "$what of sockets that nobody has: jobs end well");
    is("@seen", '', "$what: the next one on that place sees none");
}

is(Codr::Control->new('python', $circles . <<'END')->finish, "seen\n",
seen = False
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        leave(60, name)
        os._exit(0)
    os.waitpid(pid, 0)
    with open("/proc/net/unix") as f:
        seen = seen or "codr-mark" in f.read()
print("seen" if seen else "never")
END
    'outside who comes next sees them');

# Memory that the kernel gives back later is not the next one's.

my %memory = (
    'files in sockets' => "${circles}leave(70, memory)",
    'segments' => <<'END',
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for _ in range(70):
    at = libc.shmat(libc.shmget(0, 1 << 20, 0o1600), None, 0)
    ctypes.memset(ctypes.c_void_p(at), 1, 1 << 20)
END
    'pipes' => <<'END',
import os
held = []
try:
    for _ in range(1000):
        r, w = os.pipe()
        held.append(r)
        os.set_blocking(w, False)
        os.write(w, bytes(1 << 16))
except OSError:
    pass
END
);
SKIP: {
    skip 'memory is not counted without cgroups', 3 * keys %memory
        if !cgroups();
    for my $what (sort keys %memory) {
        my (@first, @next, @status);
        for (1 .. $ROUNDS) {
            my @jobs = in_turn($memory{$what}, 'exit 0');
            push @status, map { $_->{status} } @jobs;
            push @first, $jobs[0]{complete}{memory_peak} // 0;
            push @next, $jobs[1]{complete}{memory_peak} // 0;
        }
        is("@status", join(' ', ('ok') x (2 * $ROUNDS)),
            "$what that are left: jobs end well");
        ok(scalar(grep { $_ > 40 << 20 } @first), "$what: are much")
            or diag("@first");
        is(scalar(grep { $_ > 16 << 20 } @next), 0,
            "$what: none of it is the next one's") or diag("@next");
    }
}

# Streams that only sockets hold: the end is told, with all that was written.

for my $tty (0, 1) {
    my @bad;
    for (1 .. $ROUNDS) {
        my $ws  = $nginx->ws;
        my $job = $ws->run_job(language => 'python', timeout => 30,
            $tty ? () : (tty => JSON::PP::false), code => $circles . <<'END');
leave(60, lambda i: open(os.dup(1), "wb", buffering=0))
os.write(1, b"x" * 2000 + b"last")
os._exit(3)
END
        push @bad, "$job->{status} $job->{stdout}"
            if $job->{status} ne 'error' || $job->{stdout} !~ /xlast$/;
        $ws->drop;
    }
    is("@bad", '', ($tty ? 'a terminal' : 'pipes')
        . ' that sockets hold keep no end back');
}

# Who comes next begins as one that comes alone.

my $state = 'id -u; umask; ulimit -n; ulimit -u; ls -A /tmp /dev/shm;'
    . ' echo /box/*; echo /proc/self/fd/*; cat /proc/sysvipc/shm';
my @jobs = in_turn($memory{segments}, $state);
my $alone = $nginx->run_job(language => 'sh', tty => JSON::PP::false,
    code => $state);
is($jobs[1]{stdout}, $alone->{stdout}, 'who comes next finds what is usual');
$nginx->finish;

# A role that is killed between the report of an init and its end: it is told
# of one end, and its place is there again.

$nginx = Codr::Nginx->new(path => 'cold',
    http => "codr_max_jobs 1 batch=1; $sh");
ok($nginx->ready, 'a server for one job at a time is ready');
for my $role (qw(broker spawner)) {
    my @bad;
    for (1 .. 4) {
        my %is = reverse %{ $nginx->helpers };
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', code => 'echo ready; read x; exit 3',
            tty => JSON::PP::false);
        $ws->expect(qr/ready/, 30);
        kill STOP => $is{spawner};
        $ws->input("\n");
        my $end = $ws->wait_for(qr/^(?:complete|error)$/, 30);
        push @bad, "$end->{type} " . ($end->{exit_code} // $end->{code})
            if ($end->{exit_code} // 0) != 3;
        kill KILL => $is{$role};
        kill CONT => $is{spawner};
        push @bad, 'it is still there'
            if !wait_until(20, sub { !-e "/proc/$is{$role}" });
        $ws->send(type => 'ping');
        my $then = $ws->wait_for(qr/^(?:pong|complete|error)$/, 30)->{type};
        push @bad, "then $then" if $then ne 'pong';
        $ws->drop;
        push @bad, 'the next one does not run' if !wait_until(30, sub {
            $nginx->run_job(language => 'sh', code => 'exit 0',
                timeout => 30)->{status} eq 'ok';
        });
    }
    is("@bad", '', "$role is killed between report and end: no second end");
}
ok(wait_until(20, sub { !$nginx->sandbox_processes }), 'nothing is left');

$nginx->finish(expected => qr/codr: /);
done_testing();
