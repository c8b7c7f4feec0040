# What the kernel starts on the host, as root and outside of any sandbox, is not
# for jobs: the handler of crashes that core_pattern pipes to, and modprobe,
# which is asked for every kind of socket that the kernel does not know.  For a
# kernel of its own (t/sandbox/v2.t): the settings are the whole machine's.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper root /usr/bin/python3));
plan(skip_all => 'needs a kernel of its own, which v2.t has')
    if !$ENV{CODR_INNER};

my $dir = Codr::Nginx::dir();
spew("$dir/handler", "#!/bin/sh\necho \$1 >> $dir/crashes\ncat > /dev/null\n");
chmod 0755, "$dir/handler";
spew('/proc/sys/kernel/core_pattern', "|$dir/handler %s");

sub crashes { return scalar(() = slurp("$dir/crashes") =~ /^\d+$/mg) }

system 'ulimit -c 0; /usr/bin/python3 -c "import os; os.abort()" 2>/dev/null';
ok(wait_until(10, sub { crashes() == 1 }),
    'outside a crash is handled, whatever its limit');

my $nginx = Codr::Nginx->new(
    location => 'codr_timeout 60s; codr_cpu_time 60s;');
ok($nginx->ready, 'the server is ready');
my $job = $nginx->run_job(language => 'python', timeout => 90, code => <<'END');
import os, resource
for limit in (1, 1), (0, 1), (0, 0), (1 << 20, 1 << 20):
    for _ in range(2):
        if os.fork() == 0:
            try:
                resource.setrlimit(resource.RLIMIT_CORE, limit)
            except (OSError, ValueError):
                pass
            os.abort()
        os.wait()
print(resource.getrlimit(resource.RLIMIT_CORE))
os.abort()
END
is($job->{complete}{signal}, 'SIGABRT', 'a job that crashes in many ways')
    or diag($job->{stdout});
is($job->{stdout}, "(1, 1)\r\n", 'has the limit that says no to handlers');
system '/usr/bin/python3 -c "import os; os.abort()" 2>/dev/null';
ok(wait_until(10, sub { crashes() >= 2 }), 'a crash outside is handled');
is(crashes(), 2, 'and none of the job\'s');

# Modules.

spew("$dir/modprobe", "#!/bin/sh\necho \"\$@\" >> $dir/modules\n");
chmod 0755, "$dir/modprobe";
spew('/proc/sys/kernel/modprobe', "$dir/modprobe");

my $attempts = <<'END';
import fcntl, os, socket
def attempt(name, function):
    print("attempt", name, flush=True)
    try:
        function()
    except OSError:
        pass
for family in 2, 10:
    for kind in 0, 1, 2, 4, 5, 6:
        for protocol in 0, 3:
            attempt(f"socket {family} {kind} {protocol}",
                    lambda: socket.socket(family, kind, protocol).close())
for request in 0x8940, 0x8941, 0x8982, 0x8983, 0x89a0, 0x89a1, 0x89f0:
    attempt(f"ioctl {request:x}", lambda: fcntl.ioctl(
        socket.socket(socket.AF_UNIX), request, bytes(64)))
s = socket.socket()
for option in 13, 14, 31, 32, 38:
    attempt(f"option {option}", lambda: s.setsockopt(6, option,
                                                     b"nonesuch" + bytes(300)))
attempt("line discipline", lambda: fcntl.ioctl(
    os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY), 0x5423, b"\x11\0\0\0"))
END

# What modprobe has been asked for.
sub modules {
    my $asked = join ' ', sort map {/(\S+)$/} split /\n/,
        slurp("$dir/modules");
    unlink "$dir/modules";
    return $asked;
}

$job = $nginx->run_job(language => 'python', timeout => 90,
    code => $attempts);
is($job->{status}, 'ok', 'a job that asks for modules')
    or diag(substr $job->{stdout}, -300);
is(modules(), '', 'makes the host look for none');

spew("$dir/attempts.py", $attempts);
my $tried = qx{cd $dir && setpriv --reuid nobody --regid nogroup \\
    --clear-groups /usr/bin/python3 attempts.py | grep -c attempt};
cmp_ok($tried, '>', 30, 'the control tries all of it');
my $asked = modules();
like($asked, qr/(?:^| )$_\b/, "outside of a job it looks for $_")
    for qw(net-pf-2-proto-0-type-6 net-pf-2-proto-3-type-1 bridge 8021q
    tty-ldisc-17);

$nginx->finish;
done_testing();
