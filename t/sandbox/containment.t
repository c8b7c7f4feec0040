# What a job cannot reach: its init, the host, the network, another job.  Every
# attempt has a control: the same code outside of a sandbox must succeed.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp top wait_until);
use Codr::Nginx;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Test::More;

need(qw(module helper /usr/bin/python3));

# Of time there is plenty: it may be an emulated machine (v2.t).
my $nginx = Codr::Nginx->new(
    location => 'codr_cpu_time 60s; codr_timeout 120s;');
ok($nginx->ready, 'the server is ready');

# Servers outside that a job must not reach.
my $path = $nginx->path('outside.sock');
my $abstract = "codr-test-$$";
my @servers = (
    IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1'),
    IO::Socket::UNIX->new(Listen => 5, Local => $path),
    IO::Socket::UNIX->new(Listen => 5, Local => "\0$abstract"),
);
my @args = ('' . $servers[0]->sockport, $path, $abstract);
my $probe = top() . '/t/sandbox/probe.py';

sub results {
    return map {/^(\S.*) (\S+)$/ ? ($1 => $2) : ()} split /\r?\n/, $_[0];
}

sub outside {
    open my $out, '-|', 'sh', '-c', 'cd "$0" && exec /usr/bin/python3 "$@"',
        $nginx->{dir}, $probe, @args or die "probe: $!";
    local $/;
    return results(scalar <$out>);
}

sub python {
    my ($code, %o) = @_;
    return $nginx->run_job(language => 'python', code => $code, %o);
}

my %control = outside();
my $job = python(slurp($probe), args => \@args,
    timeout => 120, limits => { output_bytes => 100000 });
is($job->{status}, 'ok', 'the probe ends well') or diag($job->{stdout});
my %inside = results($job->{stdout});

cmp_ok(scalar keys %control, '>', 50, 'the control tried everything');
is(join(' ', sort keys %inside), join(' ', sort keys %control),
    'the probe tried the same');

# Harmless where the kernel cannot forbid it: init ignores every signal.
my %harmless = ('parent signal' => 1);

for my $name (sort keys %control) {
    my $result = $inside{$name} // 'nothing';
    ok($result =~ /^(?:E[A-Z]+|ignored|empty|SIGSYS)$/ || $harmless{$name},
        "in a job: $name") or diag("it said: $result");
    SKIP: {
        skip "outside it gives $control{$name} too: $name", 1
            if $control{$name} !~ /^(?:done|\d+)$/;
        pass("outside: $name");
    }
}

# What a process is.

$job = python(<<'END');
import os
status = dict(line.rstrip("\n").split(":\t", 1)
              for line in open("/proc/self/status") if ":\t" in line)
for name in ("Uid", "Gid"):
    ids = status[name].split()
    print(name, len(set(ids)), int(ids[0]) > 0)
print("Groups", repr(status["Groups"].strip()))
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    print(name, int(status[name], 16))
print("NoNewPrivs", status["NoNewPrivs"])
print("Seccomp", status["Seccomp"])
print("fds", [int(fd) for fd in os.listdir("/proc/self/fd")][:-1])
print("pids", all(int(p) == os.getpid()
                  for p in os.listdir("/proc") if p.isdigit() and p != "1"))
print("dev", sorted(os.listdir("/dev")))
print("places", os.getcwd(), os.uname().nodename == os.environ.get("HOSTNAME"))
END
is($job->{status}, 'ok', 'a look at itself') or diag($job->{stdout});
my %self = map { split / /, $_, 2 } split /\r\n/, $job->{stdout};
SKIP: {
    skip 'without root the uid is one\'s own', 1 if $> != 0;
    is($self{$_}, '1 True', "one $_, and not root's") for qw(Uid Gid);
    is($self{Groups}, "''", 'no groups');
}
is($self{$_}, '0', "$_ is empty") for qw(CapInh CapPrm CapEff CapBnd CapAmb);
is($self{NoNewPrivs}, '1', 'no new privileges');
is($self{Seccomp},    '2', 'a filter of system calls');
is($self{fds}, '[0, 1, 2]', 'no descriptor but the three');
is($self{pids}, 'True', 'no process but its own');
is($self{dev}, "['fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', "
    . "'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero']",
    'no device but the harmless');

# Its verdict stands.

$job = python(<<'END');
import os, signal
for s in range(1, 65):
    try:
        os.kill(1, s)
    except OSError:
        pass
try:
    os.kill(-1, signal.SIGKILL)
except OSError:
    pass
print('{"type":"complete","status":"ok","exit_code":0}', flush=True)
os._exit(7)
END
is($job->{status}, 'error', 'signals to init change nothing');
is($job->{complete}{exit_code}, 7, 'the exit code is the program\'s');
is($job->{stdout}, qq({"type":"complete","status":"ok","exit_code":0}\r\n),
    'a forged end is output');

$job = python(<<'END');
import os
for fd in range(3, 1024):
    try:
        os.write(fd, b'\0' * 64)
    except OSError:
        pass
if os.fork():
    os.kill(os.getpid(), 9)
END
is($job->{complete}{status}, 'signaled', 'so is a death');
is($job->{complete}{signal}, 'SIGKILL', 'by its signal');

# Two jobs at once.

my $first = $nginx->ws;
$first->execute(language => 'python', code => <<'END');
import os, socket
s = socket.socket(socket.AF_UNIX)
try:
    s.bind("\0codr-job")
    s.listen()
except OSError as e:
    print(e)
open("/dev/shm/mark", "w").close()
print(os.getuid(), os.readlink("/proc/self/ns/net"), "ready")
input()
END
my $line = $first->expect(qr/(?=\d+ net:\S+ ready)/);
my ($uid, $net) = $first->{output} =~ /(\d+) (net:\S+)/;
ok($line, 'one job listens');

my $second = python(<<'END');
import os, socket
s = socket.socket(socket.AF_UNIX)
try:
    s.connect("\0codr-job")
    print("connected")
except OSError as e:
    print("refused")
print(os.getuid(), os.readlink("/proc/self/ns/net"),
      os.path.exists("/dev/shm/mark"),
      len([p for p in os.listdir("/proc") if p.isdigit()]) <= 2)
END
like($second->{stdout}, qr/^refused\r\n/, 'another does not reach it');
my (undef, @words) = split /\s+/, $second->{stdout};
isnt($words[0], $uid, 'nor has its uid') if $> == 0;
isnt($words[1], $net, 'nor its network');
is($words[2], 'False', 'nor its files');
is($words[3], 'True',  'nor sees its processes');
$first->input("\n");
is($first->finish->{status}, 'ok', 'which ends well');

# The next one on the same place.

my $marks = <<'END';
import os, socket
found = []
def tried():
    with open("/proc/net/snmp") as f:
        names, values = [line.split() for line in f if line[:3] == "Ip:"]
    return int(values[names.index("OutNoRoutes")])
if tried() > 0:
    found.append("what others sent")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(10):
    try:
        s.sendto(b"", ("192.0.2.1", 9))
    except OSError:
        pass
for root, dirs, files in os.walk("/"):
    if root.startswith(("/proc", "/usr", "/etc")):
        dirs.clear()
        continue
    found += [os.path.join(root, f) for f in files if f.startswith("mark-")]
    try:
        open(os.path.join(root, "mark-" + str(os.getpid())), "w").close()
    except OSError:
        pass
print(found, tried())
END
my @answers = map { python($marks)->{stdout} } 1 .. 4;
is("@answers", join(' ', ("[] 10\r\n") x 4),
    'a job leaves nothing to the next');

$nginx->finish;
done_testing();
