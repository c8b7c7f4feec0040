# A zygote's clones share nothing a job could use, nobody depends on a zygote,
# and it has no rights outside of its namespace.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use JSON::PP ();
use Test::More;

need(qw(module helper root /usr/bin/python3));

# What gives jobs their path when a zygote is wanted, by its preload.
sub server {
    my ($preload, %o) = @_;
    my $dir = $o{dir} // Codr::Nginx::dir();
    return Codr::Nginx->new(dir => $dir, languages => 0, %o, http => <<"END");
codr_bind $dir/modules /opt/modules;
codr_language python {
    version /usr/bin/python3 --version;
    source main.py;
    run /usr/bin/python3 \$source;
    env PYTHONPATH=/opt/modules;
    warm 3;
    zygote python;
    preload $preload;
}
codr_language sh { source main.sh; run /bin/sh \$source; }
END
}

sub modules {
    my ($dir, %text) = @_;
    mkdir "$dir/modules";
    spew("$dir/modules/$_.py", $text{$_}) for keys %text;
}

my $nginx;

sub job {
    my ($code, %o) = @_;
    return $nginx->post('/run', { language => 'python', code => $code, %o })
        ->{json};
}

sub cloned {
    return wait_until(30, sub { (job('')->{path} // '') eq 'zygote' });
}

$nginx = server('random json', log => 'debug');
ok($nginx->ready, 'the server is ready');
ok(cloned(), 'jobs are clones') or BAIL_OUT($nginx->log);

# What it has imported it does not hold for those who map it themselves.
my ($held, $modules) = (0, 0);
for (map { split /^(?=[0-9a-f]+-[0-9a-f]+ )/m, slurp("/proc/$_/smaps") }
    $nginx->zygotes) {
    next if !m{^\S+ r-x.*/_json\.};
    $modules++;
    $held += /^Rss:\s+(\d+)/m ? $1 : 1;
}
cmp_ok($modules, '>', 0, 'a zygote has its modules');
is($held, 0, 'and none of their pages');

# What a clone shares with its zygote, and with that all others: an attack on
# the pages of the system call filter, which the next job must have as it was.
my $shared = <<'END';
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
ALLOW = bytes.fromhex("060000000000ff7f") * 8       # BPF: all calls
changed = 0
with open("/proc/self/maps") as f:
    maps = [line.split() for line in f]
for place, how in [(line[0], line[1]) for line in maps if "w" not in line[1]]:
    begin, end = [int(word, 16) for word in place.split("-")]
    if how[3] == "s" and libc.mprotect(ctypes.c_void_p(begin),
            ctypes.c_size_t(end - begin), 3) == 0:
        ctypes.memmove(begin, ALLOW, len(ALLOW))
        changed += 1
print(changed)
END
is(job($shared)->{stdout}, "0\n", 'a clone shares nothing it could write to');
my $unshare = "import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))\n";
is(scalar(grep { !cloned() } 1 .. 8), 0, 'those that waited are used up');
is(job($unshare)->{stdout}, "-1\n", 'and has the filter it should have');
spew("$nginx->{dir}/control.py", <<"END");
import mmap, os
fd = os.memfd_create("filter")
os.ftruncate(fd, 4096)
kept = mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
$shared
END
like(scalar qx{/usr/bin/python3 $nginx->{dir}/control.py}, qr/^[1-9]/,
    'outside it could write to what is shared');

my $terminal;
ok(wait_until(30, sub {
        $terminal = $nginx->run_job(language => 'python',
            code => "import os\nprint(os.tcgetpgrp(0) == os.getpid())\n");
        return ($terminal->{complete}{path} // '') eq 'zygote';
    }), 'on a terminal, too');
is($terminal->{stdout}, "True\r\n", 'which they are in front of');
ok(cloned(), 'and again without one');

# The zygote itself.

my @zygotes;                        # a clone is one, too, for a moment
ok(wait_until(10, sub { (@zygotes = $nginx->zygotes) == 1 }),
    'there is one zygote');
my $status = slurp("/proc/$zygotes[0]/status");
like($status, qr/^NoNewPrivs:\s*1$/m, 'it gets no new privileges');
like($status, qr/^Seccomp:\s*2$/m, 'its system calls are filtered');
like($status, qr/^Threads:\s*1$/m, 'it has one thread');
like($status, qr/^Groups:\s*$/m, 'it has no groups');
isnt(readlink "/proc/$zygotes[0]/ns/user", readlink '/proc/self/ns/user',
    'its user namespace is not the host\'s');
my ($first, $count) = slurp("/proc/$zygotes[0]/uid_map")
    =~ /^\s*(\d+)\s+\d+\s+(\d+)$/;
cmp_ok($first, '>', $nginx->uid_base, 'in which no root is, nor the broker');
cmp_ok($first + $count, '<=', $nginx->uid_base + 256, 'nor anybody else');
my ($uid) = $status =~ /^Uid:\s+(\d+)/m;

# Its code lies in large pages where there are any: the same bytes, which nobody
# can write to.
my $text = <<'END';
import struct
exe = open('/proc/self/exe', 'rb').read()
aux = open('/proc/self/auxv', 'rb').read()
aux = dict(struct.unpack_from('QQ', aux, i) for i in range(0, len(aux), 16))
memory = open('/proc/self/mem', 'rb', 0)
offset, size, count = (*struct.unpack_from('Q', exe, 32),
                       *struct.unpack_from('HH', exe, 54))
heads = [struct.unpack_from('IIQQQQQQ', exe, offset + i * size)
         for i in range(count)]
base = aux[3] - next(h[3] for h in heads if h[0] == 6)
seen = 0
for kind, flags, at, address, _, length, _, _ in heads:
    if kind == 1 and not flags & 2:
        memory.seek(base + address)
        print(memory.read(length) == exe[at:at + length])
        seen += length
print(seen > 1 << 20)
print([line for line in open('/proc/self/maps') if 'wx' in line.split()[1]])
END
my $code;
ok(wait_until(30, sub {
        $code = job($text);
        return ($code->{path} // '') eq 'zygote';
    }), 'a clone reads its own code');
like($code->{stdout}, qr/^(?:True\n){2,}\[\]\n\z/,
    'it is what its file says, and cannot be changed')
    or diag(explain($code));

# The zygote's objects lie in large pages, too; a clone's memory grows and
# shrinks all the same.
is(job(<<'END')->{stdout}, "True True True\n" x 3, 'memory comes and goes');
import gc
def pages():
    return int(open('/proc/self/statm').read().split()[1])
before = pages()
for i in range(3):
    x = [(str(k), [k]) for k in range(200000)]
    most, good = pages(), x[-1] == ('199999', [199999])
    del x
    gc.collect()
    print(good, most > before + 5000, pages() < before + 2000)
END

# Nothing of the zygote's own work is left for a program to see.
my $seen = job(<<'END');
import gc
print(sorted({type(o).__name__ for o in gc.get_objects()}
    - {'module', 'dict', 'list', 'tuple', 'frozenset', 'function'}))
END
is($seen->{stdout}, "[]\n", 'it finds no objects but its own')
    or diag(explain($seen));

# What clones have in common.

my $seeds = 'import random, os; print(random.random(), random.randrange(2**60),'
    . ' os.urandom(8).hex())';
my %seen;
$seen{ job($seeds)->{stdout} }++ for 1 .. 8;
is(scalar keys %seen, 8, 'no two have the same random numbers');

my $look = job(<<'END');
import os
print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()), os.getpid(),
      os.getppid(), os.getuid())
END
my ($seen_uid) = $look->{stdout} =~ /^\[2\] 2 1 (\d+)$/;
ok($seen_uid, 'a clone sees itself, and is its init\'s child')
    or diag($look->{stdout});
isnt($seen_uid, $uid, 'its uid is not the zygote\'s');

my @reach = (
    'os.kill(%d, 0)' => 'a signal', 'os.setuid(%d)' => 'its uid',
    'open("/proc/%d/mem", "rb")' => 'its memory',
    'os.setresuid(0, 0, 0)' => 'root',
    'open("/proc/self/uid_map", "w").write("0 0 1")' => 'its mapping',
    'import ctypes; ctypes.CDLL(None, use_errno=True).mount(b"x", b"/tmp",'
        . ' b"tmpfs", 0, None) and [][ctypes.get_errno() != 1]' => 'a mount',
);
while (my ($code, $name) = splice @reach, 0, 2) {
    my $job = job('import os; ' . sprintf $code =~ /%d/ ? $code : '%2$s',
        $code =~ /%d/ ? $uid : (0, $code));
    isnt($job->{exit_code}, 0, "a clone cannot reach $name of a zygote")
        or diag($job->{stdout});
}

# A clone that is poisoned, exhausted or killed is alone with it.

job('import json; json.dumps = None; json.JSONEncoder.x = 1;'
    . ' import builtins; builtins.print = None');
my $after = job('import json; print(json.dumps([1]),'
    . ' hasattr(json.JSONEncoder, "x"))');
is($after->{stdout}, "[1] False\n", 'what one changes the next does not see');
is(job('x = []' . "\n" . 'while True: x.append(bytearray(10**6))',
    limits => { memory_bytes => 50e6 })->{status}, 'memory_limit',
    'one uses all its memory');
is(job('import os; os.kill(os.getpid(), 9)')->{status}, 'signaled',
    'one kills itself');
is(job('print(1)')->{stdout}, "1\n", 'the next runs');

# What it costs is counted, and what it shares is not.

my $figures = job('x = bytearray(30 * 10**6); y = bytes(x)');
cmp_ok($figures->{memory_peak}, '>', 60e6, 'a clone\'s memory counts');
cmp_ok($figures->{cpu_time}, '>', 0, 'and its CPU time');

# Without it.

kill KILL => @zygotes;
is(job('print(1)')->{stdout}, "1\n", 'when it dies jobs run all the same');
ok(cloned(), 'and there is another one');
isnt(($nginx->zygotes)[0], $zygotes[0], 'which is a new process');
like($nginx->log, qr/a zygote has ended/, 'the log says so');

# One that hangs: who has asked it goes another way, and nobody else waits.

sub asked { return scalar(() = $nginx->log =~ /, asked \+\d/g) }

# A job that no ready sandbox fits.
sub start {
    my ($memory) = @_;
    my $before = asked();
    my $ws = $nginx->ws;
    $ws->execute(language => 'python', code => 'print(1)',
        tty => JSON::PP::false, limits => { memory_bytes => $memory << 20 });
    return ($ws, wait_until(10, sub { asked() > $before }));
}

sub zygote_is_there {
    @zygotes = ();
    return wait_until(30, sub { (@zygotes = $nginx->zygotes) == 1 });
}

# Which of the others' jobs have ended before it was ended; a second is all
# they have, so that a busy machine has some tries.
my ($try, %first) = (0);
while ($try++ < 5 && 2 > grep { $_ } values %first) {
    ok(cloned() && zygote_is_there(), "there is a zygote, $try");
    kill STOP => @zygotes;
    my ($ws, $asks) = start(60 + $try);
    ok($asks, 'it hangs, and is asked for a clone');
    is($nginx->post('/run', { language => 'sh', code => 'echo 2' })
        ->{json}{stdout}, "2\n", 'another language runs');
    $first{other} += kill 0 => @zygotes;
    select undef, undef, undef, 0.15;       # longer than others wait for it
    is(job('print(3)', limits => { memory_bytes => 70 + $try << 20 })
        ->{stdout}, "3\n", 'its own runs, too');
    $first{own} += kill 0 => @zygotes;
    my $end = $ws->finish;
    is($end->{stdout}, "1\n", 'who has asked it runs all the same');
    is($end->{complete}{path}, 'cold', 'without it');
    ok(wait_until(30, sub { !kill 0 => @zygotes }), 'it is ended');
}
ok($first{other}, 'another language does not wait for that');
ok($first{own}, 'nor do those of its own that come later');
like($nginx->log, qr/clone a zygote: Connection timed out/, 'for that');
ok(cloned(), 'and there is another one');
$nginx->finish;

# Modules that are none to preload.

my $dir = Codr::Nginx::dir();
modules($dir, good => 'value = 5', thread => "import threading, time\n"
    . "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    dies => "import os\nos._exit(0)", raises => '1 / 0');
$nginx = server('good thread dies raises missing', dir => $dir);
ok($nginx->ready, 'a server with odd modules');
ok(cloned(), 'jobs are clones');
is(job('import sys; print([m for m in ("good", "thread", "dies", "raises")'
    . ' if m in sys.modules])')->{stdout}, "['good']\n",
    'only what is harmless is preloaded');
like($nginx->log, qr/"$_" is not preloaded/, "the log names $_")
    for qw(thread dies raises missing);
my $other = job('import os, sys; print(os.environ["PYTHONPATH"],'
    . ' sys.flags.hash_randomization)');
is($other->{stdout}, "/opt/modules 1\n", 'the environment is the job\'s');
$nginx->finish;

done_testing();
