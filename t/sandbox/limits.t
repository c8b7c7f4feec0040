# Every limit ends a job with its own status and sane figures; meanwhile the
# server and other jobs answer; afterwards nothing is left.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(cgroups leftovers need snapshot slow wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/python3));

# Upper bounds of times are stretched, and programs that are not about CPU
# time have plenty of it.
my $SLOW = slow();

my $before = snapshot();
my $nginx = Codr::Nginx->new(
    location => 'codr_cpu_time 60s; codr_timeout 60s;',
    server => <<'END');
codr_memory 64m; codr_stack 8m; codr_processes 32; codr_open_files 64;
codr_disk 8m inodes=200; codr_output 64k;
location = /cpu { codr_exec; codr_cpu_time 2s; codr_timeout 60s; }
location = /short { codr_exec; codr_timeout 1s input=1s max=3s;
    codr_cpu_time 60s; }
location = /drop { codr_exec; codr_output 64k drop; }
location = /input { codr_exec; codr_input 1000; }
END
ok($nginx->ready, 'the server is ready');
my $enforced = cgroups();

# After the first job every pool and table has what it keeps.
$nginx->run_job(language => 'python', code => 'print(1)');
my $descriptors;
wait_until(5, sub {
    my $last = $descriptors // -1;
    return ($descriptors = $nginx->helper_descriptors) == $last;
});

# Runs a program that wants too much; while it does, a small program in another
# job and the server itself must answer.
sub greedy {
    my ($name, $code, %o) = @_;
    my $path = delete $o{path} // '/run';
    my $client = $nginx->ws(path => $path);
    my $start = time;
    $client->execute(language => 'python', code => $code, %o);
    my $stage = $client->wait_for('stage', 20);
    is($stage->{type}, 'stage', "$name: it began");

    my $other = $nginx->post('/run', { language => 'python',
        code => 'print("still here")' });
    is($other->{json}{stdout}, "still here\n", "$name: another job runs")
        or diag($other->{body});
    cmp_ok($other->{seconds}, '<', 3 * $SLOW, "$name: and soon");
    my $get = $nginx->get('/languages');
    cmp_ok($get->{seconds}, '<', 0.5 * $SLOW, "$name: the server answers");

    my $job = $client->finish(90);
    $job->{seconds} = time - $start;
    return $job;
}

sub ends {
    my ($name, $job, $status) = @_;
    is($job->{status}, $status, "$name: ends as $status")
        or diag(explain($job->{messages}[-1]), substr $job->{stdout}, -300);
    return $job->{complete} // {};
}

sub gone {
    my ($name) = @_;
    ok(wait_until(2, sub { !$nginx->job_processes }),
        "$name: no process is left")
        or diag(join ' ', $nginx->job_processes);
}

# CPU time, wherever it is spent.

my %cpu = (
    'a loop' => "while True:\n    pass\n",
    'loops in children' => <<'END',
import os
for _ in range(4):
    if os.fork() == 0:
        while True:
            pass
for _ in range(4):
    os.wait()
END
    'short-lived children' => <<'END',
import os, time
while True:
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            end = time.process_time() + 0.02
            while time.process_time() < end:
                pass
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
END
    'a loop that ignores signals' => <<'END',
import signal
for s in range(1, 65):
    try:
        signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
END
);

for my $name (sort keys %cpu) {
    SKIP: {
        skip 'CPU time of all processes needs cgroups', 1
            if !$enforced && $name =~ /children/;
        my $end = ends($name, greedy($name, $cpu{$name}, path => '/cpu'),
            'cpu_limit');

        # Without cgroups the kernel counts whole ticks, more or less.
        cmp_ok($end->{cpu_time}, '>=', $enforced ? 1.9 : 1.5,
            "$name: not before its time");

        # Without cgroups a process is stopped at its next whole second.
        cmp_ok($end->{cpu_time}, '<', ($enforced ? 2.5 : 3.5) * $SLOW,
            "$name: and not long after");
        like($end->{exit_code}, qr/^-(?:9|24)$/, "$name: killed");
        gone($name);
    }
}

my $job = $nginx->run_job(path => '/cpu', language => 'python',
    code => "while True: pass", limits => { cpu_time => 0.3 });
my $end = ends('a lower limit asked for', $job, 'cpu_limit');
cmp_ok($end->{cpu_time}, '<', ($enforced ? 1 : 2.2) * $SLOW,
    'a lower limit asked for: holds');

# Wall time: asleep, asleep at a prompt, busy at a prompt.

my $sleep = "import time\ntime.sleep(60)\n";
my $post = $nginx->post('/short', { language => 'python', code => $sleep });
is($post->{json}{status}, 'wall_limit', 'sleep: ends as wall_limit');
cmp_ok($post->{json}{wall_time}, '>=', 0.99, 'sleep: not before its time');
cmp_ok($post->{json}{wall_time}, '<', 1.5 * $SLOW, 'sleep: not long after');
cmp_ok($post->{json}{cpu_time}, '<', 0.5 * $SLOW, 'sleep: takes no CPU');

$job = greedy('sleep, signals ignored', <<"END", path => '/short');
import signal
for s in (1, 2, 3, 15):
    signal.signal(s, signal.SIG_IGN)
$sleep
END
ends('sleep, signals ignored', $job, 'wall_limit');
gone('sleep, signals ignored');

$job = $nginx->run_job(path => '/short', language => 'python',
    code => 'input("> ")');
$end = ends('a prompt', $job, 'wall_limit');
cmp_ok($end->{wall_time}, '<', 1.5 * $SLOW, 'a prompt: not long after');

# A second for each input: a busy machine may take longer to echo one.
my ($client, $start);
for (1 .. 8) {
    $client = $nginx->ws(path => '/short');
    $start = time;
    $client->execute(language => 'python',
        code => "while True:\n    input('> ')\n");
    while (time - $start < 2.2) {
        last if !$client->expect(qr/> /, 2);
        select undef, undef, undef, 0.3;
        $client->input("x\n");
    }
    last if time - $start > 2;
}
cmp_ok(time - $start, '>', 2, 'typing: every input gives more time');
$end = ends('typing', $client->finish, 'wall_limit');
cmp_ok($end->{wall_time}, '<=', 3.5 * $SLOW, 'typing: up to the end of all');

# Memory.

SKIP: {
    skip 'memory of a whole job needs cgroups', 1 if !$enforced;
    my $limit = 64 << 20;
    # no sandbox has less than 2m, and what a zygote's clone adds may be less
    my $tiny = $nginx->run_job(path => '/cpu', language => 'python',
        code => 'hog = bytearray(4 << 20)', limits => { memory_bytes => 1 });
    # with cgroup v2 it may die of reading its program again and again
    like($tiny->{complete}{status}, qr/^(?:memory|cpu)_limit$/,
        'a byte is not enough');
    $end = ends('memory', greedy('memory', <<'END'),
import time
time.sleep(0.5)
hog = []
while True:
    hog.append(bytearray(1 << 20))
END
        'memory_limit');
    cmp_ok($end->{memory_peak}, '>', $limit * 0.9, 'memory: all of it used');
    cmp_ok($end->{memory_peak}, '<=', $limit * 1.05, 'memory: no more');
    gone('memory');

    $job = $nginx->run_job(language => 'python', code => <<'END');
import os
for _ in range(8):
    if os.fork() == 0:
        hog = [bytearray(1 << 20) for _ in range(32)]
        os._exit(0)
statuses = [os.wait()[1] for _ in range(8)]
raise SystemExit(1 if any(statuses) else 0)
END
    ends('memory of children', $job, 'memory_limit');

    $job = $nginx->run_job(language => 'python', code => <<'END');
hog = bytearray(40 << 20)
del hog
print("fine")
END
    $end = ends('memory below the limit', $job, 'ok');
    cmp_ok($end->{memory_peak}, '>', 40 << 20, 'memory below it: is told');
    cmp_ok($end->{memory_peak}, '<', 64 << 20, 'memory below it: as it was');
}

# Processes.

$job = greedy('a fork bomb', <<'END', path => '/cpu');
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
END
like($job->{status}, qr/^(?:cpu|wall|memory)_limit$/, 'a fork bomb: ends')
    or diag(explain($job->{messages}[-1]));
gone('a fork bomb');

$job = $nginx->run_job(language => 'python', code => <<'END');
import threading, time
started = 0
try:
    while started < 1000:
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
print(started)
END
cmp_ok($job->{stdout}, '<', 32, 'threads: counted as processes');
cmp_ok($job->{stdout}, '>', $enforced ? 20 : 2, 'threads: up to the limit');

# Output.

$job = greedy('a flood', <<'END');
import time
time.sleep(0.5)
while True:
    print("x" * 100)
END
$end = ends('a flood', $job, 'output_limit');
ok($end->{truncated}, 'a flood: is said to be cut');
cmp_ok(length $job->{stdout}, '<=', 64 << 10, 'a flood: no more is sent');
cmp_ok(length $job->{stdout}, '>=', 60 << 10, 'a flood: up to the limit');
gone('a flood');

$job = $nginx->run_job(path => '/drop', language => 'python',
    tty => JSON::PP::false,
    code => "import sys\nsys.stdout.write('x' * 1000000)\n");
$end = ends('a flood that is dropped', $job, 'ok');
is($end->{output_bytes}, 1000000, 'a flood that is dropped: is counted');
ok($end->{truncated}, 'a flood that is dropped: is said to be cut');
is(length $job->{stdout}, 64 << 10, 'a flood that is dropped: is cut');

$job = $nginx->run_job(language => 'python', tty => JSON::PP::false,
    code => "print('x' * 65535)\n");
ends('output of exactly the limit', $job, 'ok');
is(length $job->{stdout}, 64 << 10, 'output of exactly the limit: all of it');

# Disk, files, descriptors, stack, input.

for my $dir (qw(/box /tmp /dev/shm)) {
    $job = $nginx->run_job(language => 'python', code => <<"END");
with open("$dir/big", "wb", buffering=0) as f:
    while True:
        f.write(bytes(1 << 16))
END
    $end = ends("a full $dir", $job, 'disk_limit');
    is($end->{exit_code}, 1, "a full $dir: the program saw it");
}

$job = $nginx->run_job(language => 'python', code => <<'END');
import itertools
for i in itertools.count():
    open(f"f{i}", "w").close()
END
ends('too many files', $job, 'disk_limit');

$job = $nginx->run_job(language => 'python', code => <<'END');
import os
try:
    with open("big", "wb") as f:
        f.write(bytes(20 << 20))
except OSError:
    os.unlink("big")
print("went on")
END
ends('a disk that was full for a time', $job, 'ok');

$job = $nginx->run_job(language => 'python', code => <<'END');
import os
fds = []
try:
    while True:
        fds.append(os.open("/dev/null", os.O_RDONLY))
except OSError as e:
    print(e.errno, fds[-1])
END
is($job->{stdout}, "24 63\r\n", 'descriptors: EMFILE at the limit');

SKIP: {
    skip 'needs gcc', 1 if !-x '/usr/bin/gcc';
    $job = $nginx->run_job(language => 'c', timeout => 60, code => <<'END');
int main(int argc, char **argv) {
    volatile char frame[4096];
    frame[0] = (char) argc;
    return frame[0] + main(argc + 1, argv);
}
END
    is(ends('a deep recursion', $job, 'signaled')->{signal}, 'SIGSEGV',
        'a deep recursion: by its signal');
}

$client = $nginx->ws(path => '/input');
$client->execute(language => 'python', tty => JSON::PP::false,
    code => "import sys\nprint(len(sys.stdin.read()))\n");
$client->input('x' x 1000);
$client->input('y');
my $notice = $client->wait_for('notice');
is($notice->{code}, 'input_too_large', 'input: beyond the limit a notice');
$client->send(type => 'eof');
is($client->finish->{stdout}, "1000\n", 'input: up to the limit it arrives');

# A client's own limits.

for (['memory_bytes', 65 << 20, 64 << 20], ['memory_bytes', 0, 64 << 20],
    ['processes', -1, 32], ['cpu_time', 'much', 2], ['wall_time', 61, 60],
    ['output_bytes', 65537, 65536], ['cpu_time', 2.001, 2]) {
    my ($limit, $value, $cap) = @{$_};
    $job = $nginx->run_job(path => '/cpu', language => 'python',
        code => 'print(1)', limits => { $limit => $value });
    my $error = $job->{error} // {};
    is(join(' ', map { $error->{$_} // '-' } qw(code limit cap)),
        "bad_message $limit $cap", "$limit of $value is refused");
}
# Python itself takes a second of CPU time, and more, on an emulated machine.
$job = $nginx->run_job(language => 'python', code => 'print(1)',
    limits => { memory_bytes => 64 << 20, cpu_time => 19.5,
        wall_time => 59.5 });
ends('limits at or below the caps', $job, 'ok');
is($job->{started}{limits}{cpu_time}, 19.5, 'what is in force is told');

# The client goes away.

$client = $nginx->ws;
$client->execute(language => 'python', code => <<'END');
import os, signal, time
for s in range(1, 65):
    try:
        signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
if os.fork():
    print("ready", flush=True)
else:
    os.setsid()
time.sleep(60)
END
ok($client->expect(qr/ready/), 'a program that ignores every signal');
my $running = () = $nginx->job_processes;
cmp_ok($running, '>=', 2, 'it runs, and a child in a session of its own');
$client->drop;
ok(wait_until(1, sub { !$nginx->job_processes }),
    'within a second of the socket\'s end all of it is gone');

# What a job left running does not outlive it.
$job = $nginx->run_job(language => 'python', code => <<'END');
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
print("main ends")
END
ends('a daemon', $job, 'ok');
gone('a daemon');

# What slots keep (a network namespace, cgroup files) grows to the most jobs at
# once, here two.
ok(wait_until(5, sub { $nginx->helper_descriptors <= $descriptors + 24 }),
    'the helper has closed terminals and sockets of all jobs')
    or diag($nginx->helper_descriptors, " descriptors, were $descriptors");

$nginx->finish;
is(join("\n", leftovers($before)), '', 'nothing is left on the machine');
done_testing();
