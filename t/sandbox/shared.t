#!/usr/bin/perl

# What all jobs share with the host and each other: a job can neither use it
# up nor learn from it.  The same program outside is the control.

use strict;
use warnings;

use Codr::Host qw(slurp spew);
use Codr::Nginx;
use Test::More;

my $probe = <<'END';
import ctypes, errno, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def say(name, ok):
    print(name, "yes" if ok else "no")
def call(function, *arguments):
    ctypes.set_errno(0)
    return function(*arguments) != -1

class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
program = Program(1, ctypes.addressof(allow))

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
say("socket filter", call(libc.setsockopt, s.fileno(), 1, 26,
                          ctypes.byref(program), ctypes.sizeof(program)))
def pair(family):
    pair = (ctypes.c_int * 2)()
    ctypes.set_errno(0)
    return libc.socketpair(family, 1, 0, pair), ctypes.get_errno()
say("unix pair", pair(1)[0] == 0)
say("strange pair reaches its family",
    pair(40)[1] in (errno.EOPNOTSUPP, errno.ENODEV, errno.ESOCKTNOSUPPORT,
                    errno.EPROTONOSUPPORT))

watch = libc.inotify_init()
say("watch", call(libc.inotify_add_watch, watch, b"/usr/bin", 0x20))
say("merge", call(libc.madvise, ctypes.c_void_p(
    libc.mmap and ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095),
    4096, 12))
for name in "locks", "cmdline", "key-users":
    try:
        with open("/proc/" + name) as f:
            say(name, f.read() != "")
    except OSError:
        say(name, False)

terminals = []
try:
    while len(terminals) < 20:
        terminals.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
except OSError:
    pass
say("many terminals", len(terminals) > 15)

f = open("/usr/bin/env")
say("fsync says done", call(libc.fsync, f.fileno()))
say("seccomp", call(libc.prctl, 38, 1, 0, 0, 0)
    and call(libc.prctl, 22, 2, ctypes.byref(program), 0, 0))
END

sub answers { return { $_[0] =~ /^([\w -]+) (yes|no)\r?$/mg } }

my $nginx = Codr::Nginx->new;
ok($nginx->ready, 'the server is ready');

my $job     = $nginx->run_job(language => 'python', code => $probe);
my $inside  = answers($job->{stdout});
is($job->{complete}{status}, 'ok', 'the probe ends well')
    or diag($job->{stdout});

my $dir = Codr::Nginx::dir();
spew("$dir/probe.py", $probe);
my $outside = answers(scalar `exec 3>&2; /usr/bin/python3 $dir/probe.py`);

is($inside->{$_}, 'yes', "a job may: $_") for 'unix pair', 'fsync says done';

my %outside_differs = map { $_ => 1 } ('socket filter', 'watch', 'cmdline',
    'many terminals', 'seccomp');
for my $name ('socket filter', 'strange pair reaches its family', 'watch',
    'merge', 'locks', 'cmdline', 'key-users', 'many terminals', 'seccomp')
{
    is($inside->{$name}, 'no', "a job may not: $name");
    SKIP: {
        skip "outside it gives nothing too: $name", 1
            if $outside->{$name} ne 'yes' && !$outside_differs{$name};
        is($outside->{$name}, 'yes', "outside it may: $name");
    }
}

# A job's fsync does not reach the host's disk: the control does.
SKIP: {
    my ($device) = slurp('/proc/self/mountinfo')
        =~ m{^\d+ \d+ (\d+:\d+) / / }m;
    my $stat = '/sys/dev/block/' . ($device // 'none') . '/stat';
    skip 'the root is not on a disk', 2 if !-e $stat;
    my $flushes = sub { (split ' ', slurp($stat))[15] };
    skip 'this kernel counts no flushes', 2 if !defined $flushes->();
    my $sync = "import os\nf = os.open('/usr/bin/env', 0)\n"
        . "for i in range(300): os.fsync(f)\n";
    my $before = $flushes->();
    $nginx->post('/run', { language => 'python', code => $sync });
    my $by_job = $flushes->() - $before;
    spew("$dir/sync.py", $sync);
    $before = $flushes->();
    system '/usr/bin/python3', "$dir/sync.py";
    my $by_control = $flushes->() - $before;
    skip 'fsync of an unchanged file flushes nothing here', 2
        if $by_control < 250;
    cmp_ok($by_job, '<', 150, 'fsync of a job flushes no disk');
    cmp_ok($by_control, '>=', 250, 'outside it does');
}

$nginx->finish;
done_testing();
