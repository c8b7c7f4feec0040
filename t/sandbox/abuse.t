# Programs that want too much, lie about how they ended, or make a mess: each
# ends with one true answer, and nothing is left of it.  Where that means
# anything the same program runs outside, too, and must get what it wants.

use strict;
use warnings;

use Codr::Control;
use Codr::Host qw(build cgroups need slow slurp wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/python3 /usr/bin/gcc));

my $helper = sha256_hex(slurp(build() . '/codr-sandboxd'));
my $nginx = Codr::Nginx->new(workers => 1,
    location => 'codr_memory 96m; codr_disk 16m; codr_cpu_time 20s;'
        . ' codr_timeout 40s; codr_output 200k;',
    server => Codr::Hygiene::location() . <<'END');
location = /cpu { codr_exec; codr_cpu_time 1s; codr_timeout 40s; }
location = /short { codr_exec; codr_timeout 1s; codr_cpu_time 20s; }
END
ok($nginx->ready, 'the server is ready');
my $hygiene = Codr::Hygiene->new($nginx);
my $enforced = cgroups();

sub python {
    my ($code, %o) = @_;
    return $nginx->run_job(language => 'python', code => $code, timeout => 90,
        %o);
}

sub source {
    my ($code) = @_;
    return "#define _GNU_SOURCE\n"
        . "#include <errno.h>\n#include <pthread.h>\n#include <sched.h>\n"
        . "#include <signal.h>\n#include <spawn.h>\n#include <stdio.h>\n"
        . "#include <stdlib.h>\n#include <string.h>\n"
        . "#include <sys/mman.h>\n#include <sys/resource.h>\n"
        . "#include <sys/syscall.h>\n#include <sys/wait.h>\n"
        . "#include <unistd.h>\n$code";
}

sub c {
    my ($code, %o) = @_;
    return $nginx->run_job(language => 'c', code => source($code),
        timeout => 90, %o);
}

# The same outside: it runs beside what follows.
sub outside {
    my ($language, $code, %o) = @_;
    return Codr::Control->new($language,
        $language eq 'c' ? source($code) : $code, %o);
}

sub ends {
    my ($name, $job, $status, $code) = @_;
    my $said = join ' ', $job->{status},
        map { $job->{complete}{$_} // () } qw(exit_code);
    is($said, "$status $code", $name)
        or diag(explain($job->{messages}[-1]), substr $job->{stdout}, -300);
}

# How it ended is what the kernel says, whatever it looks like.

for ([ 137, 'killed for its memory' ], [ 152, 'killed for its time' ],
    [ 124, 'timed out' ], [ 125, 'not started' ], [ 127, 'not found' ],
    [ 255, 'anything' ]) {
    my ($code, $like) = @{$_};
    ends("exit code $code is no sign of a program $like",
        python("import os\nos._exit($code)"), 'error', $code);
}
for my $signal (qw(KILL SYS TERM), $enforced ? 'XCPU' : ()) {
    my $job = python("import os, signal\n"
        . "signal.signal(signal.SIG$signal, signal.SIG_DFL)\n" x
            ($signal ne 'KILL')
        . "os.kill(os.getpid(), signal.SIG$signal)\nsignal.pause()\n");
    is("$job->{status} " . ($job->{complete}{signal} // ''),
        "signaled SIG$signal", "a SIG$signal of its own is no limit");
}
ends('much memory and a bad end are no memory_limit',
    python('x = bytearray(60 << 20); del x; raise SystemExit(3)'),
    'error', 3);
ends('a full disk that was emptied is no disk_limit', python(<<'END'),
import os
try:
    with open("big", "wb") as f:
        while True:
            f.write(bytes(1 << 16))
except OSError:
    pass
os.unlink("big")
raise SystemExit(4)
END
    'error', 4);
ends('who closes all it has goes on to its end', python(<<'END'),
import os, time
for fd in range(256):
    try:
        os.close(fd)
    except OSError:
        pass
time.sleep(0.3)
os._exit(5)
END
    'error', 5);
ends('a look-alike of the end is output', python(<<'END'),
import os, struct
fake = b'{"type":"complete","status":"ok","exit_code":0}\n'
for fd in range(0, 256):
    for data in fake, struct.pack("<IIiIQ", 1, 6, 0, 0, 0) * 4:
        try:
            os.write(fd, data)
        except OSError:
            pass
    try:
        with open(f"/proc/self/fd/{fd}", "wb", buffering=0) as f:
            f.write(fake)
    except OSError:
        pass
os._exit(6)
END
    'error', 6);
SKIP: {
    skip 'without cgroups nobody sees what a child has used', 4 if !$enforced;
    my $rusage = <<'END';
import atexit, os, resource
def told():
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(int((own.ru_utime + others.ru_utime) * 1000),
          max(own.ru_maxrss, others.ru_maxrss), flush=True)
END
    my $hidden_cpu = <<'END';
import os, time
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
        open(f"done{os.getpid()}", "w").close()
        os._exit(0)
while len([f for f in os.listdir() if f[:4] == "done"]) < 2:
    time.sleep(0.01)
END
    my $hidden_memory = <<'END';
import os, time
if os.fork() == 0:
    x = bytearray(40 << 20)
    open("done", "w").close()
    time.sleep(9)
while not os.path.exists("done"):
    time.sleep(0.01)
END
    my @controls = map { outside('python', "$rusage${_}told()\n") }
        $hidden_cpu, $hidden_memory;
    cmp_ok(python("${hidden_cpu}os._exit(0)\n")->{complete}{cpu_time}, '>=',
        0.8, 'children that nobody waits for are counted');
    cmp_ok(python($hidden_memory)->{complete}{memory_peak}, '>', 40 << 20,
        'and so is their memory');
    my ($cpu_ms) = $controls[0]->finish =~ /^(\d+) /;
    cmp_ok($cpu_ms, '<', 800, 'outside who is asked for it does not know');
    my ($rss_kb) = $controls[1]->finish =~ / (\d+)$/;
    cmp_ok($rss_kb, '<', 40 << 10, 'nor of their memory');
}
$hygiene->check('how it ended');

# CPU, processes, memory.

SKIP: {
    skip 'CPU time of all threads needs cgroups', 2 if !$enforced;
    my $threads = <<'END';
static void *spin(void *arg) { for (;;) { } return arg; }
int main(void)
{
    pthread_t t;
    for (int i = 0; i < 40; i++) {
        pthread_create(&t, NULL, spin, NULL);
    }
    spin(NULL);
}
END
    my $control = outside('c', $threads);
    is(c($threads, path => '/cpu')->{status}, 'cpu_limit', '40 busy threads');
    ok(wait_until(20, sub { $control->cpu_seconds > 1.5 }),
        'outside they go on');
}
my $every_way = <<'END';
static int alive, vforked, spawned;
static char *const args[] = { "sleep", "30", NULL };
int main(void)
{
    pid_t pid;
    while (alive < 200 && (pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) >= 0)
    {
        if (pid == 0) {
            pause();
            _exit(0);
        }
        alive++;
    }
    int error = errno;
    if ((pid = vfork()) == 0) {
        _exit(0);
    }
    vforked = pid > 0;
    spawned = posix_spawn(&pid, "/usr/bin/sleep", NULL, NULL, args, NULL) == 0;
    printf("%d %s %d %d %ld\n", alive, strerrorname_np(error), vforked,
           spawned, syscall(SYS_clone3, NULL, 0));
    return 0;
}
END
my $control = outside('c', $every_way);
my $job = c($every_way);
like($job->{stdout}, qr/^(?:6[0-3]|5\d) EAGAIN 0 0 -1\r$/m,
    'every way to make a process is counted') or diag($job->{stdout});
like($control->finish, qr/^200 \S+ 1 1 -1$/, 'outside each of them works');
$job = c(<<'END');
int main(void)
{
    for (int i = 0; i < 30; i++) {
        if (fork() == 0) {
            if (fork() == 0) {
                _exit(0);
            }
            _exit(0);
        }
    }
    usleep(100000);
    printf("%d\n", fork() >= 0 ? 1 : 0);
}
END
like($job->{stdout}, qr/^1\r$/m, 'zombies that are nobody\'s are reaped');
$job = c(<<'END');
int main(void)
{
    void *p = mmap(NULL, 1UL << 40, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    printf("%s\n", p == MAP_FAILED ? strerrorname_np(errno) : "lazy");
    p = mmap(NULL, 1UL << 21, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (p != MAP_FAILED) {
        memset(p, 1, 1UL << 21);
    }
    puts(p == MAP_FAILED ? "none" : "huge");
    return 0;
}
END
like($job->{stdout}, qr/^(?:lazy|ENOMEM)\r\n/, 'a TiB that is not touched');
is($job->{status}, 'ok', 'is no harm');
like($job->{stdout}, qr/^none\r$/m, 'there are no huge pages');
my $objects = <<'END';
import os, select, socket
held, names = [], []
def fill(name, make):
    count = 0
    try:
        while count < 100000:
            held.append(make())
            count += 1
    except OSError as e:
        names.append(f"{name} {e.errno} {count}")
fill("pairs", lambda: socket.socketpair())
held.clear()
fill("pipes", os.pipe)
for fd in range(3, 4096):
    try:
        os.close(fd)
    except OSError:
        pass
fill("polls", select.epoll)
print(names)
END
$control = outside('python', "import resource\n"
    . "resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))\n$objects");
$job = python($objects);
like($job->{stdout}, qr/pairs 24 12\d.*pipes 24 12\d.*polls 24 25\d/,
    'objects of the kernel are as many as descriptors')
    or diag($job->{stdout}, explain($job->{messages}[-1]));
like($control->finish, qr/pairs 24 5\d\d.*pipes 24 5\d\d.*polls 24 10\d\d/,
    'outside there are more, with more descriptors');
SKIP: {
    skip 'memory of the kernel needs cgroups', 1 if !$enforced;
    like(python(<<'END')->{status}, qr/^(?:memory_limit|ok)$/,
import os, socket
held = []
for _ in range(100):
    a, b = socket.socketpair()
    held += [a, b]
    a.setblocking(False)
    try:
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        while True:
            a.send(bytes(1 << 16))
    except OSError:
        pass
END
        'what waits in sockets is the job\'s memory');
}
$hygiene->check('CPU, processes, memory');

# Files.

my $holes = <<'END';
import errno, os, signal
def told(f):
    try:
        f()
        return "done"
    except OSError as e:
        return errno.errorcode[e.errno]
fd = os.open("big", os.O_RDWR | os.O_CREAT)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print(told(lambda: os.posix_fallocate(fd, 0, 1 << 30)),
      told(lambda: os.ftruncate(fd, (1 << 63) - 1)),
      told(lambda: os.pwrite(fd, b"x", 1 << 40)),
      told(lambda: os.posix_fallocate(fd, 0, 15 << 20)))
END
$control = outside('python', $holes =~ s/1 << 30/1 << 20/r);
$job = python($holes);
like($job->{stdout}, qr/^(?:ENOSPC|EFBIG) EFBIG EFBIG (?:done|ENOSPC)\r$/m,
    'holes and reserved room are bounded') or diag($job->{stdout});
like($control->finish, qr/^done \w+ done /, 'outside a hole has no bound');
my $set_id = <<'END';
import os, shutil
open("s", "w").close()
shutil.copy("/usr/bin/id", "id")
os.chmod("id", 0o6755)
print(oct(os.stat("id").st_mode), os.system("AS ./id -u > out"),
      open("out").read().strip() == str(os.getuid()))
END
SKIP: {
    skip 'only root\'s set-id files make one root', 1 if $> != 0;
    is(outside('python', $set_id =~ s/AS/setpriv --reuid nobody/r)->finish,
        "0o106755 0 True\n", 'outside a set-id bit makes nobody root');
}
$job = python($set_id =~ s/AS //r);
is($job->{stdout}, "0o106755 0 True\r\n", 'a set-id bit does nothing')
    or diag($job->{stdout});
$job = python(<<'END');
import os
os.makedirs("/".join(["d"] * 100))
for i in range(50):
    os.symlink("..", f"/tmp/{i}")
    os.mkfifo(f"/dev/shm/{i}")
for name in os.listdir("/"):
    for what in lambda p: os.chmod(p, 0), lambda p: os.rename(p, p + "x"), \
            os.rmdir:
        try:
            what("/" + name)
        except OSError:
            pass
END
is($job->{complete}{status}, 'ok', 'a mess of a box');
is(python('import os; print(os.listdir("/tmp"), os.listdir("/dev/shm"))')
    ->{stdout}, "[] []\r\n", 'is not what the next one gets');
my $writes = <<'END';
import os
wrote = [0, 0, 0]
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for i, name in enumerate(("exe", "root/usr/bin/env", "mem")):
            if pid == str(os.getpid()) and name == "mem":
                continue
            try:
                os.close(os.open(f"/proc/{pid}/{name}", os.O_WRONLY))
                wrote[i] += 1
            except OSError:
                pass
print(*wrote)
END
$control = outside('python', $writes =~ s{root/usr/bin/env}{cwd/main.py}r
    =~ s{^wrote}{open("main.py", "w").close()\nwrote}mr) if $> == 0;
is(python($writes)->{stdout}, "0 0 0\r\n", 'cannot write to what it executes');
SKIP: {
    skip 'outside only root can do it', 1 if $> != 0;
    like($control->finish, qr/^\d+ [1-9]\d* [1-9]\d*$/,
        'outside root writes to what is another\'s');
}
is(sha256_hex(slurp(build() . '/codr-sandboxd')), $helper,
    'the helper is what it was');
$hygiene->check('files');

# Descriptors and the terminal.

my $stopped = outside('python',
    "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n",
    seconds => 300);
for my $code ('os.kill(os.getpid(), signal.SIGSTOP)',
    'os.fork() or os.kill(-1, signal.SIGSTOP); os.kill(0, signal.SIGSTOP)',
    'threading.Thread(target=time.sleep, args=(99,)).start(); '
        . 'ctypes.CDLL(None).syscall(60, 3)') {
    my $job = python("import ctypes, os, signal, threading, time\n$code\n",
        path => '/short');
    is($job->{status}, 'wall_limit', 'who only stops is ended');
}
ok($stopped->is_running, 'outside nobody ends it');
$stopped->stop;

my $client = $nginx->ws;
$client->execute(language => 'python', tty => JSON::PP::false, code => <<'END');
import fcntl, os, sys
for fd in range(3):
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(1, 1031, 4096)              # F_SETPIPE_SZ
print("ready", flush=True)
import select
select.select([0], [], [])
print(os.read(0, 100))
END
ok($client->expect(qr/ready/), 'a program that changes its descriptors');
$client->input("hello\n");
$job = $client->finish;
like($job->{stdout}, qr/^b'hello\\n'$/m, 'changes nobody else\'s');
is($job->{status}, 'ok', 'and ends well');
$control = outside('python', <<'END');
import fcntl, os
r, w = os.pipe()
before = fcntl.fcntl(w, fcntl.F_GETFL)
if os.fork() == 0:
    fcntl.fcntl(w, fcntl.F_SETFL, before | os.O_NONBLOCK)
    os._exit(0)
os.wait()
print(before != fcntl.fcntl(w, fcntl.F_GETFL))
END
is($control->finish, "True\n", 'outside who has the same file sees them');

$client = $nginx->ws(path => '/short');
$client->execute(language => 'python', code => <<'END');
import signal, sys, termios, tty
for s in signal.SIGHUP, signal.SIGINT, signal.SIGTSTP, signal.SIGTTOU:
    signal.signal(s, signal.SIG_IGN)
tty.setraw(0)
termios.tcflow(1, termios.TCOOFF)
termios.tcflow(0, termios.TCIOFF)
while True:
    try:
        sys.stdin.read(1)
    except Exception:
        pass
END
is($client->finish(60)->{status}, 'wall_limit',
    'a terminal that is stopped stops no deadline');

$client = $nginx->ws;
$client->execute(language => 'python', code => <<'END');
import os
os.write(1, b"\x1b]0;title\x07\x1b]52;c;Y2F0\x07\x1bP$q\"p\x1b\\\x1b[c"
         b"\xe2\x80\xae\x00\x01\x02\x9b\xff\xfe" + b"\x1b]" + b"A" * 100000)
input()
END
ok($client->expect(qr/A{1000}/), 'escape sequences are passed on');
for my $size ([ 0, 0 ], [ 65535, 65535 ], [ -1, 1 ], [ 1e300, 1 ], [ 'x', 1 ])
{
    $client->send(type => 'resize', cols => $size->[0], rows => $size->[1]);
    my $notice = $client->wait_for('notice');
    is($notice->{code}, 'bad_message', "no terminal of @{$size}");
}
$client->send(type => 'resize', cols => 1 + $_ % 1000, rows => 1)
    for 1 .. 300;
$client->input("\n");
is($client->finish->{status}, 'ok', 'many sizes are no harm');
$hygiene->check('descriptors and the terminal');

# Output to nobody.

$client = $nginx->ws;
my ($worker) = $nginx->workers;
my $rss = sub { slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m; $1 };
my $before = $rss->();
$client->execute(language => 'python', tty => JSON::PP::false,
    code => "import os\nfor _ in range(100000): os.write(1, b'x')\n");
ok(wait_until(20, sub { !$client->fill(0) || $nginx->job_processes <= 2 }),
    'a program that writes byte by byte ends');
$job = $client->finish;
is(length $job->{stdout}, 100_000, 'with all of it');
cmp_ok(scalar @{ $job->{messages} }, '<', 20_000, 'in fewer messages');
cmp_ok($rss->() - $before, '<', 16_384, 'and the worker stays small');
$hygiene->check('output');

# A client that leaves, at any moment.

for my $after (0, 'queued|started', 'stage') {
    for my $language (qw(python c)) {
        for (1 .. 3) {
            my $gone = $nginx->ws;
            $gone->execute(language => $language, code => $language eq 'c'
                ? "int main(void) { for (;;) ; } /* $_ $after */\n"
                : "while True: pass\n");
            $gone->wait_for(qr/^(?:$after)$/) if $after;
            $gone->drop;
        }
    }
}
$hygiene->check('clients that left');
my @many = map { $nginx->ws } 1 .. 20;
$_->execute(language => 'python', code => 'while True: pass') for @many;
$_->send(type => 'stop') for @many;
is(join(' ', map { $_->finish->{status} } @many),
    join(' ', ('stopped') x 20), 'twenty are stopped at once');
$hygiene->check('twenty that were stopped');

# Limits a client may ask for: each is refused, or finite and below its cap.

srand 7;
my @values = (0, -1, 1e-9, 0.5, 1, 1e9, 1e300, -1e300, '1', '', undef, [], {},
    JSON::PP::true, 'NaN', 'Infinity', 2**53 + 1);
my @limits = qw(wall_time cpu_time memory_bytes output_bytes processes);
my @bad;
$client = $nginx->ws;
for (1 .. 60) {
    my %asked = map { $limits[rand @limits] => $values[rand @values] } 1 .. 2;
    $job = $client->run_job(language => 'python', code => '0',
        limits => \%asked);
    if ($job->{error}) {
        push @bad, Codr::Client::encode(\%asked) . " $job->{status}"
            if $job->{status} ne 'bad_message' || !$job->{error}{limit};
        next;
    }
    my $in_force = $job->{started}{limits};
    for my $limit (grep { ref $asked{$_} eq '' && defined $asked{$_} }
        keys %asked) {
        push @bad, "$limit of $asked{$limit} is $in_force->{$limit}"
            if !($in_force->{$limit} > 0)
            || $in_force->{$limit} > 200 << 20;
    }
}
is(join(', ', @bad), '', 'no limit can be lifted, whatever is asked');

# Refused calls, again and again.

my $log = length $nginx->log;
$job = c(<<'END', path => '/cpu');
int main(void)
{
    for (long i = 0; ; i++) {
        syscall(SYS_keyctl, 0, 0, 0, 0, 0);
        syscall(SYS_mount, 0, 0, 0, 0, 0);
        if (i % 1000 == 0 && fork() == 0) {
            syscall(SYS_getpid | 0x40000000);
            _exit(0);
        }
        if (i % 1000 == 0) {
            wait(NULL);
        }
    }
}
END
like($job->{status}, qr/^cpu_limit$/, 'refused calls without end')
    or diag(explain($job->{messages}[-1]));
cmp_ok(length($nginx->log) - $log, '<', 4096, 'are no lines of a log');
$hygiene->check('refused calls');

$hygiene->finish;
$nginx->finish;
done_testing();
