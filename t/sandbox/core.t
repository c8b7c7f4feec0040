# What the host does with crashes is not for jobs: a handler that core_pattern
# pipes to runs as root, outside of any sandbox, for every one of them.  For a
# kernel of its own (t/sandbox/v2.t): the setting is the whole machine's.

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

$nginx->finish;
done_testing();
