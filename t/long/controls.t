# Attacks of t/sandbox/abuse.t that have no control there: the same program in a
# job and outside of any sandbox, where it does what must not come about.

use strict;
use warnings;

use Codr::Control;
use Codr::Host qw(cgroups need);
use Codr::Nginx;
use JSON::PP ();
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(
    location => 'codr_memory 96m; codr_cpu_time 60s; codr_timeout 60s;');
ok($nginx->ready, 'the server is ready');

sub job {
    my ($code, %o) = @_;
    return $nginx->run_job(language => 'python', code => $code, timeout => 90,
        tty => JSON::PP::false, %o);
}

sub outside { return Codr::Control->new('python', $_[0])->finish }

# How it ended.

is(job("import os\nos._exit(137)")->{status} . ' '
    . job("import os\nos.kill(os.getpid(), 9)")->{status}, 'error signaled',
    'an exit code like that of a killed program is told from it');
is(outside(<<'END'), "True\n", 'outside a shell cannot tell');
import subprocess
def shell(code):
    return subprocess.run(["sh", "-c", 'python3 -c "$0"; echo $?', code],
                          capture_output=True).stdout
print(shell("import os; os._exit(137)")
      == shell("import os; os.kill(os.getpid(), 9)"))
END

my $close = "for fd in range(256):\n    try:\n        os.close(fd)\n"
    . "    except OSError:\n        pass\n";
is(job("import os, time\n${close}time.sleep(1)\nos._exit(5)")
    ->{complete}{exit_code}, 5, 'who closes all it has goes on to its end');
is(outside(<<"END"), "b'' True\n", 'outside its reader is told too early');
import os, time
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    @{[ $close =~ s/\n(?=.)/\n    /gr ]}
    time.sleep(30)
    os._exit(5)
os.close(w)
print(os.read(r, 10), os.waitpid(pid, os.WNOHANG) == (0, 0))
os.kill(pid, 9)
END

my $fake = <<'END';
import os
def tell(all):
    for fd in all:
        try:
            os.write(fd, b'{"type":"complete","status":"ok","exit_code":0}\n')
        except OSError:
            pass
END
is(job("${fake}tell(range(256))\nos._exit(6)")->{complete}{exit_code}, 6,
    'a look-alike of the end is output');
is(outside(<<"END"), "True\n", 'outside who holds the channel is believed');
${fake}r, w = os.pipe()
if os.fork() == 0:
    tell(range(3, 256))
    os._exit(6)
print(b'"exit_code":0' in os.read(r, 1000))
END

# Processes and memory.

my $zombies = <<'END';
import os
for _ in range(30):
    pid = os.fork()
    if pid == 0:
        pid = os.fork()
        if pid:
            os._exit(0)
        os._exit(0)
    os.waitpid(pid, 0)
def left():
    count = 0
    for pid in os.listdir("/proc"):
        try:
            with open(f"/proc/{pid}/stat") as f:
                text = f.read()
        except OSError:
            continue
        state, parent = text.rpartition(")")[2].split()[:2]
        count += state == "Z" and int(parent) == PARENT
    return count
import time
end = time.monotonic() + 20
while left() != WANTED and time.monotonic() < end:
    time.sleep(0.05)
print(left())
END
my %left = (job => $zombies =~ s/PARENT/1/r =~ s/WANTED/0/r,
    outside => "import ctypes\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"
        . $zombies =~ s/PARENT/os.getpid()/r =~ s/WANTED/30/r);
is(job($left{job})->{stdout}, "0\n", 'zombies that are nobody\'s are reaped');
is(outside($left{outside}), "30\n", 'outside whoever gets them keeps them');

my $sockets = <<'END';
import resource, socket
held, sent = [], 0
for _ in range(100):
    a, b = socket.socketpair()
    held += [a, b]
    a.setblocking(False)
    try:
        while True:
            sent += a.send(bytes(1 << 14))
    except OSError:
        pass
print(sent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
END
SKIP: {
    skip 'memory of the kernel needs cgroups', 1 if !cgroups();
    my $job = job($sockets);
    my ($sent) = $job->{stdout} =~ /^(\d+) /;
    cmp_ok($sent // 0, '>', 4 << 20, 'much waits in sockets');
    cmp_ok($job->{complete}{memory_peak}, '>', $sent // 1 << 40,
        'and is the job\'s memory');
}
my $base = outside("import resource, socket\n"
    . 'print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)');
my ($sent, $rss) = split ' ', outside($sockets);
cmp_ok($rss - $base, '<', $sent / 2, 'outside it is nobody\'s');

# A terminal that is stopped, clients that leave, calls.

is(outside(<<'END'), "nothing\n", 'outside its reader waits for ever');
import os, pty, select, termios
r, w = os.pipe()
pid, master = pty.fork()
if pid == 0:
    termios.tcflow(1, termios.TCOOFF)
    os.write(w, b"x")
    os.write(1, b"never")
    os._exit(0)
os.read(r, 1)
print("something" if select.select([master], [], [], 1)[0] else "nothing")
os.kill(pid, 9)
END

my $deaf = <<'END';
import os, signal, time
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
END
is(outside(<<"END"), "True\n", 'outside a program outlives its reader');
${deaf}r, w = os.pipe()
pid = os.fork()
if pid == 0:
    while True:
        try:
            os.write(w, b"x")
        except OSError:
            time.sleep(0.01)
os.read(r, 1)
os.close(r)
time.sleep(0.5)
print(os.waitpid(pid, os.WNOHANG) == (0, 0))
os.kill(pid, 9)
END

my $keyring = <<'END';
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
got = libc.syscall(250, 0, -3, 1)       # keyctl: the session's keyring
print("had" if got > 0 else os.strerror(ctypes.get_errno()))
END
my $had = outside($keyring);
isnt(job($keyring)->{stdout}, "had\n", 'a job has no keyring');
SKIP: {
    skip "outside it is the same: $had", 1 if $had ne "had\n";
    is($had, "had\n", 'outside it has');
}

$nginx->finish;
done_testing();
